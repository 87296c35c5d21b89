"""What holds for every test: pinned zones, no real sleep, nothing left behind, and the law of the ledger."""

from __future__ import annotations

import os
import sys
import threading
import time
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import law
import pytest

import panther_schedule
from panther_schedule import Scheduler, VirtualClock
from panther_schedule import scheduler as scheduler_module

zoneinfo.reset_tzpath(to=())  # the tzdata package alone, whatever zones the machine has


@pytest.fixture(autouse=True)
def the_law() -> Iterator[law.Watch]:
    """Fail a test after which a task's records and counts do not cover each occurrence once."""
    with law.watching() as watch:
        yield watch


@pytest.fixture(autouse=True)
def nothing_left(the_law: law.Watch) -> Iterator[None]:
    """Fail a test that leaves a thread, a scheduler that it did not stop, an asyncio task or a file behind."""
    before = Things()
    yield
    before.check(the_law.schedulers())


@pytest.fixture(autouse=True)
def no_sleep(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `time.sleep` raise, except in tests of the real clock."""
    if request.node.get_closest_marker("real_clock") is not None:
        return

    def sleep(seconds: float) -> NoReturn:
        raise AssertionError(f"time.sleep({seconds}) in a test that is not marked real_clock; use a VirtualClock")

    monkeypatch.setattr(time, "sleep", sleep)


@pytest.fixture
def clock() -> VirtualClock:
    """A virtual clock that stands at the beginning of 2026."""
    return VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def virtual_background_tasks(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scheduler]:
    """A scheduler on `clock` in the place of `background_tasks`, for pages that use the ready-made one."""
    with Scheduler(clock=clock) as scheduler:
        for place in (panther_schedule, sys.modules["panther_schedule.background_tasks"]):
            monkeypatch.setattr(place, "background_tasks", scheduler)
        yield scheduler


class Things:
    """What a test may leave behind, as it is at one moment."""

    def __init__(self) -> None:
        self.threads, self.schedulers = _threads(), _started()
        self.directory = Path.cwd()
        self.files = _files(self.directory)

    def check(self, used: list[Scheduler]) -> None:
        """Raise AssertionError for what is left now and was not there before, after an attempt to end it."""
        left = _started() - self.schedulers
        for scheduler in left:
            scheduler.stop()
        for thread in _threads() - self.threads:
            thread.join(timeout=2)  # a stopped scheduler's workers are on their way out
        alive = [thread.name for thread in _threads() - self.threads]
        running = [run for scheduler in used if scheduler._loop is not None for run in scheduler._loop.workers._running]
        files = _files(self.directory) - self.files
        assert not left, f"{len(left)} scheduler(s) not stopped; use `with Scheduler() as s:`"
        assert not alive, f"threads left behind: {alive}"
        assert not running, f"asyncio tasks left behind: {running}"
        assert not files, f"files left in {self.directory}: {sorted(files)}; use tmp_path"


def _files(directory: Path) -> set[str]:
    return {entry.name for entry in os.scandir(directory) if not entry.name.startswith((".", "__"))}


def _threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("panther_schedule")}


def _started() -> set[Scheduler]:
    return {scheduler for scheduler in scheduler_module._all if scheduler._loop is not None and not scheduler._stopped}
