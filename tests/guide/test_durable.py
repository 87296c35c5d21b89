"""Durable tasks: they outlive their process, and any number of processes share them."""

import asyncio
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from panther_schedule import (
    BackgroundTask,
    Run,
    Scheduler,
    SchedulerStateError,
    StoreError,
    TaskHandle,
    TaskRegistry,
    VirtualClock,
    current_run,
)
from panther_schedule.sqlite import SQLiteStore

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
tasks = TaskRegistry()
called: list[str] = []
language = ContextVar("language", default="none")


@tasks.register
def poll() -> None:
    """Note which run this is."""
    called.append(current_run().id)


@tasks.register
async def send_receipt() -> None:
    """Take a minute."""
    called.append(current_run().id)
    await asyncio.sleep(60)


@tasks.register
def greet() -> None:
    """Note the language that this run sees."""
    called.append(language.get())


@pytest.fixture(autouse=True)
def nothing_called() -> None:
    """Forget what was called before."""
    called.clear()


@pytest.fixture
def store(tmp_path: Path) -> SQLiteStore:
    """Name a file that is not there yet."""
    return SQLiteStore(tmp_path / "tasks.db")


@pytest.fixture
def program(store: SQLiteStore, clock: VirtualClock) -> Scheduler:
    """Make a scheduler on the file; entering it again is a restart of the program."""
    return Scheduler(store=store, registry=tasks, clock=clock)


@pytest.fixture
def other(store: SQLiteStore, clock: VirtualClock) -> Iterator[Scheduler]:
    """Start another scheduler on the file, as another process would, which runs nothing itself."""
    with Scheduler(store=store, registry=tasks, clock=clock, max_workers=0) as scheduler:
        yield scheduler


def hourly(name: str = "poll") -> BackgroundTask:
    """Poll each hour, for ever."""
    return BackgroundTask(poll).with_name(name).interval(-1).interval_wait(HOUR)


def happened(handle: TaskHandle) -> dict[str, int]:
    """Show the counts that are not zero."""
    return {what: number for what, number in handle.counts.items() if number}


def cut_off(program: Scheduler, clock: VirtualClock, task: BackgroundTask) -> None:
    """Run a program that ends in the middle of this task's first attempt."""
    with program:
        program.add_task(task)
        clock.advance(timedelta(seconds=1))
        program.stop(timedelta(0))


# ---- what outlives a process -------------------------------------------------------------------------------------


def test_a_task_outlives_its_process(program: Scheduler, clock: VirtualClock) -> None:
    """After a restart a task goes on, and adding an equal one again changes nothing."""
    with program:
        program.add_task(hourly())
        clock.advance(2 * HOUR)
    with program:
        handle = program.add_task(hourly())

        assert handle.next_run == datetime(2026, 1, 1, 3, tzinfo=UTC)
        assert happened(handle) == {"succeeded": 3}


def test_what_was_missed_between_two_programs_goes_by_the_policy(program: Scheduler, clock: VirtualClock) -> None:
    """By default one late run makes up for all that was missed while no process ran."""
    with program:
        program.add_task(hourly())
    clock.advance(8 * HOUR)
    with program:
        clock.advance(MINUTE)

        assert happened(program["poll"]) == {"succeeded": 2, "missed": 7}


def test_a_lost_attempt_is_tried_again(program: Scheduler, clock: VirtualClock) -> None:
    """A run that is cut off is tried again by the next process: it runs at least once."""
    cut_off(program, clock, BackgroundTask(send_receipt).with_name("receipt"))
    with program:
        program.join()
        (record,) = program["receipt"].runs

    assert isinstance(record, Run)
    assert [attempt.outcome for attempt in record.attempts] == ["lost", "succeeded"]


def test_a_run_has_one_id_in_all_its_attempts(program: Scheduler, clock: VirtualClock) -> None:
    """Keep `current_run().id` with the effect, in one transaction, and a second attempt finds it there."""
    cut_off(program, clock, BackgroundTask(send_receipt).with_name("receipt"))
    with program:
        program.join()

    assert called == ["receipt/2026-01-01T00:00:00+00:00"] * 2


def test_what_must_not_happen_twice_is_not_tried_again(program: Scheduler, clock: VirtualClock) -> None:
    """With `on_lost="record"` a run that is cut off is recorded as `lost`: it runs at most once."""
    task = BackgroundTask(send_receipt).with_name("receipt").with_policy(on_lost="record")
    cut_off(program, clock, task)
    with program:
        program.join()

        assert happened(program["receipt"]) == {"lost": 1}
    assert len(called) == 1


def test_a_task_without_a_name_is_kept_too(program: Scheduler, clock: VirtualClock) -> None:
    """Its row in the file gives it a name, by which it is found after a restart."""
    with program:
        name = program.add_task(BackgroundTask(poll).interval(2).interval_wait(HOUR)).name
    with program:
        assert [handle.name for handle in program] == [name]
        program.join()

    assert len(called) == 2


# ---- what is stored ----------------------------------------------------------------------------------------------


def test_the_file_names_registered_functions_only(program: Scheduler) -> None:
    """There is no pickle: a task is kept as JSON, so its function has to be in the registry."""
    with program, pytest.raises(ValidationError, match="print is not registered, so data can't name it"):
        program.add_task(BackgroundTask(print, "hello"))


def test_a_task_whose_function_is_gone_is_kept(program: Scheduler, store: SQLiteStore, clock: VirtualClock) -> None:
    """A process that does not know a function reports its tasks, and leaves them to those that do."""
    with program:
        program.add_task(hourly())
    with Scheduler(store=store, registry=TaskRegistry(), clock=clock) as newer:
        clock.advance(3 * HOUR)
        assert newer.health().unregistered == ("poll",)
    with program:
        clock.advance(MINUTE)

        assert happened(program["poll"]) == {"succeeded": 2, "missed": 2}


def test_old_records_are_forgotten_and_still_counted(tmp_path: Path, clock: VirtualClock) -> None:
    """The file keeps records for `keep`, at most about `keep_records` a task, and the counts of all."""
    store = SQLiteStore(tmp_path / "tasks.db", keep=7 * 24 * HOUR)
    with Scheduler(store=store, registry=tasks, clock=clock) as scheduler:
        handle = scheduler.add_task(hourly())
        clock.advance(10 * 24 * HOUR)

        assert happened(handle) == {"succeeded": 241}
    assert 168 <= len(store.records(n=1000)) < 180


# ---- what differs from memory ------------------------------------------------------------------------------------


def test_a_stop_drops_nothing(program: Scheduler, clock: VirtualClock) -> None:
    """What is due later stays in the file, for other processes or for the next start."""
    with program:
        handle = program.add_task(hourly())

    assert not handle.ended
    with program:
        assert program["poll"].next_run == datetime(2026, 1, 1, 1, tzinfo=UTC)


def test_stored_tasks_are_known_once_the_scheduler_has_started(program: Scheduler) -> None:
    """Before the start nobody has opened the file, so what is there is not answered."""
    with pytest.raises(SchedulerStateError, match="call start"):
        len(program)
    with program:
        assert len(program) == 0


def test_stored_tasks_go_by_the_wall_clock(program: Scheduler, clock: VirtualClock) -> None:
    """No other clock means the same to two processes, so setting it moves a `Repeat` too."""
    with program:
        handle = program.add_task(hourly())
        clock.advance(MINUTE)
        clock.step(HOUR)
        clock.advance(MINUTE)

        assert happened(handle) == {"succeeded": 2}


def test_stored_runs_have_no_context_of_the_program(program: Scheduler) -> None:
    """A run may be in another process than `add_task()` was, so it sees the defaults of context variables."""
    language.set("English")
    with program:
        program.add_task(BackgroundTask(greet)).join()

    assert called == ["none"]


def test_a_store_that_fails_says_so(tmp_path: Path, clock: VirtualClock) -> None:
    """`StoreError` names the file, the cause and the remedy."""
    store = SQLiteStore(tmp_path / "missing" / "tasks.db")
    with pytest.raises(StoreError, match="it can't be opened; see that its folder is there"):
        Scheduler(store=store, registry=tasks, clock=clock).start()


# ---- several processes -------------------------------------------------------------------------------------------


def test_schedulers_that_share_a_file_run_each_occurrence_once(
    program: Scheduler, store: SQLiteStore, clock: VirtualClock
) -> None:
    """Every process may add the same tasks and run them; they share the work."""
    with program, Scheduler(store=store, registry=tasks, clock=clock) as second:
        for scheduler in (program, second):
            scheduler.add_task(hourly())
        clock.advance(9 * HOUR)

    assert len(called) == len(set(called)) == 10


def test_a_process_may_add_what_others_run(program: Scheduler, other: Scheduler, clock: VirtualClock) -> None:
    """With `max_workers=0` a scheduler runs nothing itself, such as in the workers of a web server."""
    handle = other.add_task(BackgroundTask(poll))
    clock.advance(MINUTE)
    assert called == []
    with program:
        clock.advance(MINUTE)

    assert handle.ended
    assert len(called) == 1


def test_what_one_process_changes_holds_for_all(program: Scheduler, other: Scheduler, clock: VirtualClock) -> None:
    """A pause in one process is a pause in the others."""
    with program:
        handle = program.add_task(hourly())
        clock.advance(MINUTE)
        other["poll"].pause("the server moves")
        clock.advance(5 * HOUR)

        assert handle.pause_reason == "the server moves"
        assert happened(handle) == {"succeeded": 1}


# ---- reconcile, and look after the file --------------------------------------------------------------------------


def test_apply_makes_the_stored_tasks_those_that_are_declared(program: Scheduler) -> None:
    """`apply()` adds, replaces and removes in one transaction; doing it again changes nothing."""
    with program:
        program.apply([hourly("digest"), hourly("prices")])
        mornings = BackgroundTask(poll).with_name("digest").interval(-1).on_time(time(8), tz="UTC")
        wanted = [mornings, hourly("news")]
        before = program.plan(wanted)

        assert [(change.name, change.kind) for change in before] == [
            ("digest", "changed"),
            ("news", "added"),
            ("prices", "removed"),
        ]
        assert program.apply(wanted) == before
        assert not program.apply(wanted).differs


def test_apply_removes_only_what_it_has_added(program: Scheduler) -> None:
    """What `add_task()` or another source has added stays."""
    with program:
        program.add_task(hourly("by hand"))
        program.apply([hourly("of a customer")], source="customers")
        program.apply([])

        assert [handle.name for handle in program] == ["by hand", "of a customer"]


def test_a_file_is_looked_at_and_copied_without_a_scheduler(
    program: Scheduler, store: SQLiteStore, tmp_path: Path
) -> None:
    """`store.records()` tells what happened, and `store.backup()` writes a copy, whoever has the file open."""
    with program:
        program.add_task(BackgroundTask(poll).with_name("poll")).join()
        store.backup(tmp_path / "copy.db")

    assert store.records("poll") == SQLiteStore(tmp_path / "copy.db").records("poll")
    assert [(name, record.outcome) for name, record in store.records() if isinstance(record, Run)] == [
        ("poll", "succeeded")
    ]
