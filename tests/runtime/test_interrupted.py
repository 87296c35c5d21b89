"""A signal handler or a `__del__` that adds a task, or a stop, in the midst of another call: at each of its lines."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from interrupt import Interrupted, at_each_line

from panther_schedule import BackgroundTask, Cron, Run, Scheduler, SchedulerStateError, TaskHandle, VirtualClock
from panther_schedule.clock import SystemClock, moment
from panther_schedule.runtime.handles import RunHandle

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
Task: TypeAlias = BackgroundTask[[str], Any]


def on_a_virtual_clock() -> Scheduler:
    """Make a scheduler that needs no thread."""
    return Scheduler(clock=VirtualClock(START))


def add(scheduler: Scheduler, task: Task) -> None:
    """Add a task."""
    scheduler.add_task(task)


def note(event: object) -> None:
    """Do nothing."""


def listen(scheduler: Scheduler, task: Task) -> None:
    """Add a listener, then a task."""
    scheduler.add_listener(note)
    scheduler.add_task(task)


def stop(scheduler: Scheduler, task: Task) -> None:
    """Add a task, then stop."""
    scheduler.add_task(task)
    scheduler.stop()


CALLS: dict[str, Callable[[Scheduler, Task], object]] = {
    "add_task": add,
    "add_tasks": lambda scheduler, task: scheduler.add_tasks([task]),
    "replace": lambda scheduler, task: scheduler.replace(task.with_name("replaced")),
    "start": lambda scheduler, task: add(scheduler.start(), task),
    "add_listener": listen,
    "stop": stop,
}


@pytest.mark.parametrize(
    ("call", "asynchronous"),
    [*((call, False) for call in CALLS.values()), (add, True)],
    ids=[*CALLS, "add_task, asynchronous"],
)
def test_a_task_that_is_added_in_the_midst_of_a_call_runs_once_and_so_does_the_other(
    call: Callable[[Scheduler, Task], object], *, asynchronous: bool
) -> None:
    def attempt(interrupted: Interrupted) -> None:
        scheduler, ran, accepted = Scheduler(), list[str](), ["call"]

        def note(who: str) -> None:
            ran.append(who)

        async def note_later(who: str) -> None:
            ran.append(who)

        def task(who: str) -> Task:
            return BackgroundTask(note_later, who) if asynchronous else BackgroundTask(note, who)

        def interrupt() -> None:
            try:
                scheduler.add_task(task("interruption"))
            except SchedulerStateError:  # it has stopped
                assert call is stop
            else:
                accepted.append("interruption")

        interrupted(lambda: call(scheduler, task("call")), interrupt)
        if call is not stop:
            names = [thread.name for thread in threading.enumerate() if thread.name.startswith("panther_schedule")]
            assert names.count("panther_schedule") == 1
        scheduler.stop()
        assert sorted(ran) == sorted(accepted)
        assert scheduler.counts["succeeded"] == len(accepted)

    assert at_each_line(attempt) > 20


def test_a_named_task_is_declared_twice_at_once_and_runs_once() -> None:
    def attempt(interrupted: Interrupted) -> None:
        scheduler, ran, handles = on_a_virtual_clock(), list[int](), list[TaskHandle]()
        task = BackgroundTask(ran.append, 1).with_name("once")

        def add() -> None:
            handles.append(scheduler.add_task(task))

        interrupted(add, add)
        scheduler.stop()
        assert ran == [1]
        assert len(set(handles)) == 1

    assert at_each_line(attempt) > 20


def test_a_name_that_is_taken_in_the_midst_of_replace_is_replaced() -> None:
    def attempt(interrupted: Interrupted) -> None:
        scheduler, ran = on_a_virtual_clock(), list[str]()
        waits = BackgroundTask(ran.append, "added").interval(-1).interval_wait(HOUR).with_name("a")

        def add() -> None:
            try:
                scheduler.add_task(waits)
            except ValueError:  # the name is in use by then
                assert scheduler["a"].task != waits

        interrupted(lambda: scheduler.replace(BackgroundTask(ran.append, "replaced").with_name("a")), add)
        scheduler.stop()
        assert ran[-1:] == ["replaced"]
        assert len(scheduler) == 1

    assert at_each_line(attempt) > 20


# ---- a stop in the midst of a call, and a call in the midst of a stop --------------------------------------------

NOW = SystemClock().now(True)
MINUTES = BackgroundTask(int).with_schedule(Cron("* * * * *", tz="UTC"))
ASKS: dict[str, Callable[[TaskHandle], list[RunHandle]]] = {
    "run_now": lambda handle: [handle.run_now()],
    "backfill": lambda handle: handle.backfill(moment(NOW) - HOUR / 20, moment(NOW)),
}
ORDERS: dict[str, Callable[[Interrupted, Callable[[], object], Callable[[], object]], None]] = {
    "a stop in the midst": lambda interrupted, ask, stop: interrupted(ask, stop),
    "in the midst of a stop": lambda interrupted, ask, stop: interrupted(stop, ask),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_a_run_whose_handle_was_given_out_is_recorded(
    order: Callable[[Interrupted, Callable[[], object], Callable[[], object]], None],
    ask: Callable[[TaskHandle], list[RunHandle]],
) -> None:
    def attempt(interrupted: Interrupted) -> None:
        scheduler, given = Scheduler(), list[RunHandle]()
        handle = scheduler.add_task(MINUTES)

        def asked() -> None:
            try:
                given.extend(ask(handle))
            except SchedulerStateError as error:
                assert "the scheduler has stopped" in str(error)  # noqa: PT017 - not raised in the other cases

        order(interrupted, asked, scheduler.stop)
        scheduler.stop()
        assert {run.run.outcome if run.run else None for run in given} <= {"succeeded", "abandoned"}
        assert [run.join() for run in given] == [run.run for run in given]
        assert len([one for one in handle.runs if isinstance(one, Run) and one.cause != "schedule"]) == len(given)

    assert at_each_line(attempt) > 10


def test_a_task_that_is_added_while_a_stop_comes_between_is_in_the_records() -> None:
    def attempt(interrupted: Interrupted) -> None:
        scheduler, handles = Scheduler().start(), list[TaskHandle]()

        def add() -> None:
            try:
                handles.append(scheduler.add_task(BackgroundTask(int)))
            except SchedulerStateError as error:
                assert "the scheduler has stopped" in str(error)  # noqa: PT017 - not raised in the other cases

        interrupted(add, scheduler.stop)
        scheduler.stop()
        for handle in handles:
            assert handle.ended
            assert [run.outcome for run in handle.runs if isinstance(run, Run)] in (["succeeded"], ["abandoned"])

    assert at_each_line(attempt) > 10
