"""What holds for every test: pinned zones, no real sleep, nothing left behind, and the law of the ledger."""

from __future__ import annotations

import logging
import signal
import sys
import time
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NoReturn

import law
import leftovers
import pytest
from hypothesis import settings

import panther_schedule
from panther_schedule import Scheduler, VirtualClock
from panther_schedule.models.days import Dates

settings.register_profile("project", deadline=None)  # a busy machine is no fault
settings.load_profile("project")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in a shell's background ignores Ctrl+C
zoneinfo.reset_tzpath(to=())  # the tzdata package alone, whatever zones the machine has


@pytest.fixture(autouse=True)
def the_law() -> Iterator[law.Watch]:
    """Fail a test after which a task's records and counts do not cover each occurrence once."""
    with law.watching() as watch:
        yield watch


@pytest.fixture(autouse=True)
def nothing_left(the_law: law.Watch) -> Iterator[None]:
    """Fail a test that leaves a thread, a scheduler that it did not stop, an asyncio task or a file behind."""
    before = leftovers.Things()
    yield
    before.check(the_law.lives())


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


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The years whose dates were looked at; a test may clear it."""
    seen: list[int] = []

    def noted(self: Dates, number: int) -> int:
        seen.append(number)
        return looked_up(self, number)

    looked_up: Callable[[Dates, int], int] = dict[int, int].__getitem__
    monkeypatch.setattr(Dates, "__getitem__", noted)
    return seen


class Broken(logging.Handler):
    """A handler that fails."""

    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("disk full", record.levelno)


@pytest.fixture
def broken_logging() -> Iterator[None]:
    """A log handler that fails at each line."""
    handler = Broken()
    logging.getLogger("panther_schedule").addHandler(handler)
    yield
    logging.getLogger("panther_schedule").removeHandler(handler)
