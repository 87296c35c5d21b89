"""The scheduler's edges: what it refuses, how it ends, and the real thread on the real clock."""

import asyncio
import functools
import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from pydantic import ValidationError
from telling import is_a

from panther_schedule import (
    BackgroundTask,
    BusyLoopWarning,
    Once,
    Run,
    Scheduler,
    SchedulerStateError,
    TaskRegistry,
    VirtualClock,
)

SECOND = timedelta(seconds=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def note() -> None:
    """Do nothing."""


# ---- refusals ----------------------------------------------------------------------------------------------------

NO_TASKS = [
    (note, r"add_task\(BackgroundTask\(note, \.\.\.\)\)"),
    ("note", r"must be a BackgroundTask, got str"),
    (None, r"must be a BackgroundTask, got NoneType"),
    (5, r"must be a BackgroundTask, got int"),
]


@pytest.mark.parametrize(("value", "message"), NO_TASKS)
def test_what_is_no_task_is_refused_with_what_to_write(value: Any, message: str) -> None:
    scheduler = Scheduler()

    with pytest.raises(ValidationError, match=message) as refused:
        scheduler.add_task(value)

    assert refused.value.errors()[0]["type"] == "not_a_task"
    assert len(scheduler) == 0


def test_a_stopped_scheduler_takes_no_task() -> None:
    scheduler = Scheduler(clock=VirtualClock(START))
    scheduler.start()
    scheduler.stop()
    scheduler.stop()

    with pytest.raises(SchedulerStateError, match=r"call start\(\) to begin afresh"):
        scheduler.add_task(BackgroundTask(note))


def test_many_tasks_are_added_all_or_none() -> None:
    daily = BackgroundTask(note).interval(2).interval_wait(SECOND)
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        with pytest.raises(ValidationError, match="in use"):
            scheduler.add_tasks([daily, daily.with_name("a"), daily.interval(3).with_name("a")])
        with pytest.raises(ValidationError, match=r"1\n.*BackgroundTask"):
            scheduler.add_tasks(cast("list[BackgroundTask[..., Any]]", [daily, note]))

        assert len(scheduler) == 0


def test_a_registry_is_added_whole() -> None:
    tasks = TaskRegistry()
    tasks.scheduled(Once(), name="greet")(note)
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        (handle,) = scheduler.add_tasks(tasks)
        scheduler.join()

        assert handle.name == "greet"
        assert len(handle.runs) == 1


def test_an_endless_task_without_a_wait_is_warned_of_once() -> None:
    with Scheduler(clock=VirtualClock(START)) as scheduler, pytest.warns(BusyLoopWarning, match="note-") as warned:
        scheduler.add_task(BackgroundTask(note).interval(-1)).cancel()

    assert len(warned) == 1
    assert warned[0].filename == __file__


@pytest.mark.parametrize("workers", [0, -1, True, 1.5])
def test_workers_are_at_least_one(workers: Any) -> None:
    with pytest.raises(ValidationError, match="max_workers must be an int of at least 1"):
        Scheduler(max_workers=workers)


def test_an_endless_task_can_not_be_joined_on_a_virtual_clock() -> None:
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(SECOND))

        with pytest.raises(SchedulerStateError, match="no last run"):
            scheduler.join()
        assert not scheduler.join(10 * SECOND)


# ---- every kind of function --------------------------------------------------------------------------------------


class Callee:
    """A callable object with a method, sync and async."""

    def __init__(self, called: Callable[[str], None]) -> None:
        self.called = called

    def __call__(self, what: str) -> None:
        self.called(what)

    async def method(self, what: str) -> None:
        await asyncio.sleep(0)
        self.called(what)


@pytest.mark.real_clock
def test_every_kind_of_function_runs() -> None:
    called: list[str] = []
    callee = Callee(called.append)

    async def coroutine(what: str) -> None:
        await callee.method(what)

    with Scheduler() as scheduler:
        handles = [
            scheduler.add_task(BackgroundTask(called.append, "builtin")),
            scheduler.add_task(BackgroundTask(callee, "object")),
            scheduler.add_task(BackgroundTask(callee.method, "async method")),
            scheduler.add_task(BackgroundTask(coroutine, "coroutine")),
            scheduler.add_task(BackgroundTask(functools.partial(callee, "partial"))),
            scheduler.add_task(BackgroundTask(functools.partial(coroutine, what="async partial"))),
            scheduler.add_task(BackgroundTask(lambda: called.append("lambda"))),
            scheduler.add_task(BackgroundTask(lambda: coroutine("async lambda"))),
        ]
        assert scheduler.join(10 * SECOND)

    assert sorted(called) == sorted(
        ["builtin", "object", "async method", "coroutine", "partial", "async partial", "lambda", "async lambda"]
    )
    assert all(isinstance(run, Run) and run.outcome == "succeeded" for handle in handles for run in handle.runs)


@pytest.mark.real_clock
def test_the_callers_own_objects_are_passed_on() -> None:
    mine: list[int] = []

    def fill(into: list[int]) -> None:
        into.append(1)

    with Scheduler() as scheduler:
        scheduler.add_task(BackgroundTask(fill, mine)).join()

    assert mine == [1]


# ---- the real thread ---------------------------------------------------------------------------------------------


@pytest.mark.real_clock
def test_runs_on_the_real_clock_are_never_early() -> None:
    with Scheduler() as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(10).interval_wait(timedelta(milliseconds=10)))
        assert handle.join(10 * SECOND)

    runs = [run for run in handle.runs if isinstance(run, Run)]
    assert len(runs) == 10
    assert all(run.lateness is not None and run.lateness >= timedelta(0) for run in runs)
    steps = {b.scheduled_at - a.scheduled_at for a, b in itertools.pairwise(runs)}
    assert all(step % timedelta(milliseconds=10) == timedelta(0) for step in steps)


@pytest.mark.real_clock
def test_a_sleeper_does_not_delay_its_neighbours() -> None:
    release, ran = threading.Event(), threading.Event()
    with Scheduler(max_workers=2) as scheduler:
        scheduler.add_task(BackgroundTask(release.wait, 10))
        scheduler.add_task(BackgroundTask(ran.set))

        assert ran.wait(5)
        release.set()


@pytest.mark.real_clock
def test_async_functions_run_on_the_loop_of_the_block() -> None:
    seen: list[asyncio.AbstractEventLoop] = []

    async def look() -> None:
        seen.append(asyncio.get_running_loop())

    async def main() -> None:
        async with Scheduler() as scheduler:
            scheduler.add_task(BackgroundTask(look))
            with pytest.raises(SchedulerStateError, match="event loop"):
                scheduler.stop()
        assert seen == [asyncio.get_running_loop()]

    asyncio.run(main())


@pytest.mark.real_clock
def test_a_run_can_not_stop_or_join_the_scheduler_it_runs_in() -> None:
    with Scheduler() as scheduler:
        stop = scheduler.add_task(BackgroundTask(scheduler.stop))
        join = scheduler.add_task(BackgroundTask(scheduler.join))
        assert scheduler.join(10 * SECOND)

    for handle in (stop, join):
        (run,) = handle.runs
        assert isinstance(run, Run)
        assert is_a(run.error, SchedulerStateError)


@pytest.mark.real_clock
def test_what_outlives_the_drain_is_abandoned_and_said(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    scheduler = Scheduler()
    handle = scheduler.add_task(BackgroundTask(release.wait, 10).with_name("sleeper"))
    scheduler.stop(timedelta(milliseconds=50))
    release.set()

    (run,) = handle.runs
    assert isinstance(run, Run)
    assert run.outcome == "abandoned"
    assert handle.ended
    assert "sleeper" in caplog.text


@pytest.mark.real_clock
def test_join_gives_up_at_its_timeout() -> None:
    with Scheduler() as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(2).interval_wait(timedelta(hours=1)))

        assert not handle.join(timedelta(milliseconds=20))
        assert not scheduler.join(timedelta(milliseconds=20))


@pytest.mark.real_clock
def test_tasks_come_from_many_threads_at_once() -> None:
    ran: list[int] = []
    with Scheduler() as scheduler:

        def add() -> None:
            for number in range(500):
                scheduler.add_task(BackgroundTask(ran.append, number))

        threads = [threading.Thread(target=add) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert scheduler.join(30 * SECOND)

    assert len(ran) == 4_000
