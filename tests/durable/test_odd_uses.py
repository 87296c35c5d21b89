"""What a program may do with a store: move to another folder, look in a signal handler, edit a function."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from kept import nothing_async
from pydantic import ValidationError
from scene import Do
from scene import Scheduler as Scene
from tables import now

from panther_schedule import BackgroundTask, Daily, Repeat, Scheduler, TaskRegistry, VirtualClock
from panther_schedule.errors import SchedulerStateError
from panther_schedule.planning.control import manual_run
from panther_schedule.sqlite import SQLiteStore
from panther_schedule.sqlite.file import File, _begin_fork, _end_fork, _files
from panther_schedule.sqlite.records import Records

SECOND = timedelta(seconds=1)
MINUTELY = Repeat(-1, timedelta(minutes=1))


def registry_of(*functions: Any) -> TaskRegistry:
    tasks = TaskRegistry()
    for function in functions:
        tasks.register(function)
    return tasks


def nothing() -> None:
    """Do nothing."""


def scheduler_of(folder: Path, clock: VirtualClock, *functions: Any, **how: Any) -> Scheduler:
    store = SQLiteStore(folder / "tasks.db", **how)
    return Scheduler(store=store, registry=registry_of(*functions or (nothing,)), clock=clock)


def test_a_task_whose_function_was_edited_runs_again_once_it_is_replaced(tmp_path: Path, clock: VirtualClock) -> None:
    """As a new release does, when what is stored comes due before it says how its function is called now."""
    sent: list[str] = []

    def before(name: str) -> None:
        sent.append(name)

    def after(name: str, by: str) -> None:
        sent.append(f"{name} by {by}")

    before.__qualname__ = after.__qualname__ = before.__name__ = after.__name__ = "send"
    old = BackgroundTask(before, "Ali").with_schedule(MINUTELY).with_name("send")
    with scheduler_of(tmp_path, clock, before) as scheduler:
        scheduler.add_task(old)
        clock.advance(SECOND)
    clock.advance(300 * SECOND)
    with scheduler_of(tmp_path, clock, after) as scheduler:
        clock.advance(SECOND)
        scheduler.apply([BackgroundTask(after, "Ali", "SMS").with_schedule(MINUTELY).with_name("send")])
        clock.advance(100 * SECOND)

    assert sent == ["Ali", "Ali by SMS", "Ali by SMS"]


def test_a_run_can_be_joined_when_its_record_was_pruned(tmp_path: Path, clock: VirtualClock) -> None:
    with scheduler_of(tmp_path, clock, keep_records=20) as scheduler:
        task = scheduler.add_task(BackgroundTask(nothing).with_schedule(MINUTELY).with_name("a"))
        clock.advance(200 * 60 * SECOND)
        first, *_ = task.backfill(clock.now() - 150 * 60 * SECOND, clock.now())
        clock.advance(SECOND)

        assert len(SQLiteStore(tmp_path / "tasks.db").records("a", 1000)) < 100
        assert first.join(SECOND).outcome == "succeeded"


def test_whoever_waits_for_a_run_elsewhere_is_told_when_its_record_was_pruned(
    tmp_path: Path, clock: VirtualClock
) -> None:
    with scheduler_of(tmp_path, clock, keep_records=20) as scheduler:
        task = scheduler.add_task(BackgroundTask(nothing).with_schedule(MINUTELY).with_name("a"))
        asking = Scheduler(
            store=SQLiteStore(tmp_path / "tasks.db"),
            registry=registry_of(nothing),
            clock=VirtualClock(clock.now()),
            max_workers=0,
        )
        with asking:
            run = asking["a"].run_now()
            clock.advance(200 * 60 * SECOND)
            assert task.counts["succeeded"] == 201

            with pytest.raises(SchedulerStateError, match=r"the record of the run .*manual-2' was pruned"):
                run.join(SECOND)


def test_a_store_stays_where_it_is_when_the_process_changes_its_folder(
    tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = SQLiteStore("tasks.db")
    scheduler = Scheduler(store=store, registry=registry_of(nothing), clock=clock)
    with scheduler:
        scheduler.add_task(BackgroundTask(nothing).with_name("a")).join()
    monkeypatch.chdir("/")

    assert [name for name, _record in store.records()] == ["a"]
    with scheduler:
        assert "a" in scheduler


def test_a_name_that_no_file_can_hold_is_refused(tmp_path: Path, clock: VirtualClock) -> None:
    with scheduler_of(tmp_path, clock) as scheduler:
        with pytest.raises(ValidationError, match="name must be a str without lone surrogates"):
            BackgroundTask(nothing).with_name("\ud800")
        with pytest.raises(ValidationError, match="source must be a str that is not blank, without lone surrogates"):
            scheduler.apply([BackgroundTask(nothing).with_name("a")], source="\ud800")
        with pytest.raises(KeyError):
            scheduler["\ud800"]

        assert "\ud800" not in scheduler


@pytest.mark.parametrize("how", ["replace", "apply"])
def test_a_task_in_the_zone_of_the_machine_gets_that_of_whoever_replaces_it(
    tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    task = BackgroundTask(nothing).with_schedule(Daily(time(8))).with_name("a")
    monkeypatch.setenv("TZ", "UTC")
    with scheduler_of(tmp_path, clock) as scheduler:
        scheduler.reload_tz()
        assert scheduler.add_task(task).next_run == datetime(2026, 1, 1, 8, tzinfo=UTC)
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        scheduler.reload_tz()
        assert scheduler.add_task(task).next_run == datetime(2026, 1, 1, 8, tzinfo=UTC)
        if how == "apply":
            (change,) = scheduler.apply([task])
            assert (change.kind, change.fields) == ("changed", ("schedule",))
        else:
            scheduler.replace(task)

        assert scheduler["a"].next_run == datetime(2026, 1, 1, 23, tzinfo=UTC)
        assert not scheduler.plan([task]).differs
        monkeypatch.undo()
        scheduler.reload_tz()


def test_a_signal_handler_may_look_while_its_thread_looks(
    tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler is called in the middle of whatever the main thread does."""
    scheduler = scheduler_of(tmp_path, clock).start()
    file = next(file for file in _files if file.path == tmp_path / "tasks.db")
    file.begin_fork()
    file.end_fork()  # by which it is closed
    connected, lengths = File._connected, list[int]()

    def interrupted(file: File) -> Any:
        monkeypatch.setattr(File, "_connected", connected)
        lengths.append(len(scheduler))
        return connected(file)

    monkeypatch.setattr(File, "_connected", interrupted)
    looking = threading.Thread(target=lambda: lengths.append(len(scheduler)), daemon=True)
    looking.start()
    looking.join(10)

    assert lengths == [0, 0]
    monkeypatch.undo()
    scheduler.stop()


def runs_now(scene: Scene, name: str, number: int) -> Do:
    """Ask for so many runs of a task."""
    entry = scene.task(name)
    runs = [entry.fly(manual_run(entry.state, now(1).wall, k, 0)) for k in range(number)]
    return lambda reading: scene.engine.start_more(entry, runs, reading)


def test_many_sync_runs_that_wait_for_a_worker_hide_no_async_one(tmp_path: Path) -> None:
    one, other = Scene(tmp_path), Scene(tmp_path)
    one.turn(0, one.add("sync"), one.add("async", func=nothing_async), room=None)
    for name, number in (("sync", 300), ("async", 1)):
        one.turn(1, runs_now(one, name, number), room=None)
    other.turn(2, room=0)

    assert [(flight.entry.name, flight.run.cause) for flight in other.started if flight.run.cause == "manual"] == [
        ("async", "manual")
    ]
    assert other.store.until_next(now(2)) != 0


def test_listeners_hear_of_what_others_did_before_what_follows_from_it_here(
    tmp_path: Path, clock: VirtualClock
) -> None:
    told: list[str] = []

    async def sleeps() -> None:
        await asyncio.sleep(3600)

    def task_each(wait: timedelta) -> Any:
        return BackgroundTask(sleeps).with_schedule(Repeat(-1, wait)).with_name("a")

    with scheduler_of(tmp_path, clock, sleeps) as scheduler:
        scheduler.add_listener(lambda event: told.append(type(event).__name__))
        scheduler.add_task(task_each(60 * SECOND))
        clock.advance(SECOND)
        told.clear()
        asking = Scheduler(
            store=SQLiteStore(tmp_path / "tasks.db"),
            registry=registry_of(sleeps),
            clock=VirtualClock(clock.now()),
            max_workers=0,
        )
        with asking:
            asking.replace(task_each(SECOND))
        clock.advance(timedelta(0))
        scheduler["a"].cancel()

    assert told[:2] == ["TaskReplaced", "OccurrencesPassed"]


def test_a_turn_that_meets_damage_is_tried_again(
    tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a library says of it: else the scheduler's thread would die of it."""
    whole, faults = Records.prune_old, [ValueError("no JSON"), ValueError("no JSON")]

    def prune_old(records: Records, now: int) -> bool:
        if faults:
            raise faults.pop()
        return whole(records, now)

    monkeypatch.setattr(Records, "prune_old", prune_old)
    with scheduler_of(tmp_path, clock) as scheduler:
        with pytest.raises(ValueError, match="no JSON"):
            scheduler.add_task(BackgroundTask(nothing).with_name("a"))
        clock.advance(2 * SECOND)
        assert scheduler.add_task(BackgroundTask(nothing).with_name("a")).join()

    assert [line.getMessage() for line in caplog.records] == [
        "the store failed, so runs wait; trying again each second: no JSON",
        "the store works again",
    ]


def test_a_file_is_not_opened_while_another_thread_forks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child would have SQLite's locks as they are then, for ever."""
    connected, opened = File._connected, list[str]()

    def noted(file: File) -> Any:
        opened.append("opened")
        return connected(file)

    monkeypatch.setattr(File, "_connected", noted)
    opening = threading.Thread(target=lambda: File(tmp_path / "tasks.db").close(), daemon=True)
    _begin_fork()
    opening.start()
    opening.join(0.1)
    opened.append("forked")
    _end_fork()
    opening.join()

    assert opened == ["forked", "opened"]


@pytest.mark.parametrize("measured", ["start", "end"])
def test_a_first_run_that_is_days_away_is_not_taken_for_a_wrong_clock(
    tmp_path: Path, clock: VirtualClock, measured: Literal["start", "end"]
) -> None:
    """By which a restart would have let it run days before its time."""
    later = Repeat(-1, timedelta(hours=1), after=timedelta(days=3), measured_from=measured)
    with scheduler_of(tmp_path, clock) as scheduler:
        due = scheduler.add_task(BackgroundTask(nothing).with_schedule(later).with_name("a")).next_run
    with scheduler_of(tmp_path, clock) as scheduler:
        clock.advance(SECOND)

        assert scheduler["a"].next_run == due == datetime(2026, 1, 4, tzinfo=UTC)
