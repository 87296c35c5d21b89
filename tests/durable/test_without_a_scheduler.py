"""What a `SQLiteStore` tells and copies by itself, while a scheduler has the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from panther_schedule import BackgroundTask, Passed, Repeat, Scheduler, TaskRegistry, VirtualClock
from panther_schedule.errors import StoreError
from panther_schedule.sqlite import SQLiteStore

HOUR = timedelta(hours=1)
tasks = TaskRegistry()


@tasks.register
def note() -> None: ...


@pytest.fixture
def store(tmp_path: Path) -> SQLiteStore:
    """A store whose file is not there yet."""
    return SQLiteStore(tmp_path / "tasks.db")


@pytest.fixture
def scheduler(store: SQLiteStore, clock: VirtualClock) -> Iterator[Scheduler]:
    """A scheduler that runs the tasks of the file, in virtual time."""
    with Scheduler(store=store, registry=tasks, clock=clock) as scheduler:
        yield scheduler


def hourly(name: str) -> BackgroundTask:
    return BackgroundTask(note).with_schedule(Repeat(-1, HOUR)).with_name(name)


def told(store: SQLiteStore, name: str | None = None, n: int = 20) -> list[tuple[str, str, int]]:
    """Tell of each record whose it is, what happened, and at which hour it ended."""
    found = [
        (task, record.reason if isinstance(record, Passed) else record.outcome, record)
        for task, record in store.records(name, n)
    ]
    return [
        (task, what, (one.last_at if isinstance(one, Passed) else one.finished_at).hour) for task, what, one in found
    ]


def test_the_latest_records_are_in_the_order_of_their_ends(
    store: SQLiteStore, scheduler: Scheduler, clock: VirtualClock
) -> None:
    scheduler.add_task(hourly("digest"))
    clock.advance(HOUR / 2)
    prices = scheduler.add_task(hourly("prices"))
    clock.advance(HOUR)
    prices.pause()
    clock.advance(2 * HOUR)
    prices.resume()

    assert told(store) == [
        ("digest", "succeeded", 0),
        ("prices", "succeeded", 0),
        ("digest", "succeeded", 1),
        ("prices", "succeeded", 1),
        ("digest", "succeeded", 2),
        ("digest", "succeeded", 3),
        ("prices", "skipped_paused", 3),
    ]
    assert told(store, n=2) == [("digest", "succeeded", 3), ("prices", "skipped_paused", 3)]
    assert told(store, "prices", n=2) == [("prices", "succeeded", 1), ("prices", "skipped_paused", 3)]
    assert told(store, "orders") == []


def test_the_records_of_a_removed_task_are_told(store: SQLiteStore, scheduler: Scheduler) -> None:
    scheduler.add_task(hourly("digest")).cancel()
    scheduler.add_task(hourly("digest"))

    assert told(store, "digest") == [("digest", "succeeded", 0)] * 2


def test_records_are_equal_to_those_of_the_handle(
    store: SQLiteStore, scheduler: Scheduler, clock: VirtualClock
) -> None:
    handle = scheduler.add_task(hourly("digest"))
    clock.advance(3 * HOUR)

    assert [record for _, record in store.records("digest")] == [*handle.runs]


def test_a_copy_has_what_was_kept_when_it_was_made(
    store: SQLiteStore, scheduler: Scheduler, clock: VirtualClock, tmp_path: Path
) -> None:
    scheduler.add_task(hourly("digest"))
    clock.advance(3 * HOUR)
    store.backup(tmp_path / "copy.db")
    before = store.records()
    clock.advance(HOUR)

    assert SQLiteStore(tmp_path / "copy.db").records() == before
    assert len(store.records()) == len(before) + 1
    with Scheduler(store=SQLiteStore(tmp_path / "copy.db"), registry=tasks, max_workers=0) as other:
        assert other["digest"].next_run == datetime(2026, 1, 1, 4, tzinfo=UTC)


def test_a_copy_is_never_written_over_a_file(store: SQLiteStore, scheduler: Scheduler, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(FileExistsError, match=r"copy\.db: there is a file already; name another one"):
        store.backup(tmp_path / "copy.db")
    with pytest.raises(FileNotFoundError, match=r"nowhere/copy\.db"):
        store.backup(tmp_path / "nowhere" / "copy.db")

    assert (tmp_path / "copy.db").read_text() == "mine"


def test_a_copy_that_fails_leaves_nothing(store: SQLiteStore, tmp_path: Path) -> None:
    with Scheduler(store=store, registry=tasks, max_workers=0) as scheduler:
        scheduler.add_tasks([hourly(f"digest {number}") for number in range(200)])
    with closing(sqlite3.connect(store.path)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'task'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with store.path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))
    with pytest.raises(StoreError, match=r"copy\.db was not written: .*tasks\.db: it is damaged"):
        store.backup(tmp_path / "copy.db")

    assert not (tmp_path / "copy.db").exists()


def test_a_file_that_is_not_there_is_not_made(store: SQLiteStore, tmp_path: Path) -> None:
    for ask in (store.records, lambda: store.backup(tmp_path / "copy.db")):
        with pytest.raises(StoreError, match=r"tasks\.db: there is no such file; a scheduler makes it when it starts"):
            ask()

    assert [*tmp_path.iterdir()] == []
