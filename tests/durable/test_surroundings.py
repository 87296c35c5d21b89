"""What happens around a file: it is deleted or replaced, the process moves, the machine sleeps, power is lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from panther_schedule import BackgroundTask, Scheduler, StoreError, TaskRegistry, VirtualClock
from panther_schedule.clock import SECOND
from panther_schedule.sqlite import SQLiteStore, processes
from panther_schedule.sqlite.file import File
from panther_schedule.sqlite.processes import Processes

tasks = TaskRegistry()


@tasks.register
def greet() -> None: ...


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tasks.db"


@pytest.fixture
def scheduler(file: Path, clock: VirtualClock) -> Scheduler:
    return Scheduler(store=SQLiteStore(file), registry=tasks, clock=clock)


# ---- the file ----------------------------------------------------------------------------------------------------


def test_nothing_is_kept_in_a_file_that_was_moved_until_it_is_back(scheduler: Scheduler, file: Path) -> None:
    with scheduler:
        scheduler.add_task(BackgroundTask(greet).with_name("before"))
        away = file.rename(file.with_name("elsewhere"))
        with pytest.raises(StoreError, match="it was deleted or replaced while it was in use"):
            scheduler.add_task(BackgroundTask(greet).with_name("meanwhile"))
        away.rename(file)
        scheduler.add_task(BackgroundTask(greet).with_name("after"))

        assert [handle.name for handle in scheduler] == ["before", "after"]


def test_nothing_is_kept_in_a_file_that_another_has_taken_the_place_of(scheduler: Scheduler, file: Path) -> None:
    with scheduler:
        scheduler.add_task(BackgroundTask(greet).with_name("before"))
        before = shutil.copy(file, file.with_name("copy"))
        Path(before).replace(file)
        with pytest.raises(StoreError, match="it was deleted or replaced"):
            scheduler.add_task(BackgroundTask(greet).with_name("after"))


def test_a_file_stays_the_same_wherever_the_process_goes(
    tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Scheduler(store=SQLiteStore("tasks.db"), registry=tasks, clock=clock) as scheduler:
        monkeypatch.chdir(os.sep)
        scheduler.add_task(BackgroundTask(greet).with_name("greet"))

        assert scheduler["greet"].name == "greet"


def test_an_older_sqlite_is_refused(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 34, 1))
    with pytest.raises(StoreError, match=r"it needs SQLite 3\.37 or newer"):
        scheduler.start()


# ---- the machine -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("durability", "level"), [("process-safe", 1), ("power-safe", 2)])
def test_power_safe_waits_for_the_disk_at_each_commit(
    file: Path, clock: VirtualClock, durability: Any, level: int
) -> None:
    """SQLite's manual says what NORMAL (1) and FULL (2) mean: with FULL a commit outlives a loss of power."""
    opened: list[sqlite3.Connection] = []

    class Noted(sqlite3.Connection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            opened.append(self)

    store = SQLiteStore(file, durability=durability)
    with mock.patch("sqlite3.connect", partial(sqlite3.connect, factory=Noted)):
        scheduler = Scheduler(store=store, registry=tasks, clock=clock).start()
    writes, *_ = opened
    assert writes.execute("PRAGMA synchronous").fetchone() == (level,)
    scheduler.stop()


def test_whoever_wakes_first_after_a_suspend_gives_the_others_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases go by a clock that includes the suspend, so all of them are over then; nobody is dead for that."""
    now = 1_000 * SECOND
    monkeypatch.setattr(processes, "since_boot", lambda: now)
    monkeypatch.setattr(processes, "_SPACE", file)  # so that leases alone tell who lives
    opened = File(file)
    first, second = (Processes(opened, 10 * SECOND) for _ in range(2))

    def looks(process: Processes) -> list[int]:
        with opened.turn():
            process.beat(looked=True)
            return process.dead()

    assert [looks(each) for each in (first, second)] == [[], []]
    now += 8 * 3600 * SECOND
    assert looks(first) == []
    now += 4 * SECOND
    assert [looks(each) for each in (second, first)] == [[], []]
    now += 9 * SECOND
    assert looks(first) == [], "the second has renewed its lease"
    now += 11 * SECOND
    assert looks(first) == [], "it was late itself"
    now += 11 * SECOND
    assert looks(first) == []
    opened.close()


def test_what_a_suspend_misses_goes_by_the_policy(scheduler: Scheduler, clock: VirtualClock) -> None:
    hourly = BackgroundTask(greet).interval(-1).interval_wait(timedelta(hours=1)).with_name("hourly")
    with scheduler:
        handle = scheduler.add_task(hourly)
        clock.suspend(timedelta(hours=8))
        clock.advance(timedelta(minutes=1))

        assert {what: number for what, number in handle.counts.items() if number} == {"succeeded": 2, "missed": 7}
