"""What a run does to its own task: it cancels it, or waits for it."""

import threading
from collections.abc import Coroutine
from contextvars import copy_context
from datetime import timedelta
from typing import Any

import pytest
from telling import SECOND, START, runs

from panther_schedule import BackgroundTask, Scheduler, SchedulerStateError, TaskHandle, VirtualClock, current_run

LONG = timedelta(seconds=60)


def waits(own: list[TaskHandle], errors: list[str]) -> None:
    """Wait for the own task, and note why that is refused."""
    try:
        own[0].join(LONG)
    except SchedulerStateError as error:
        errors.append(str(error)[:43])


REFUSED = "join() waits for runs to end, and is called"


@pytest.mark.real_clock
def test_a_function_that_goes_on_after_its_timeout_can_not_wait_for_its_task() -> None:
    own, errors, added = list[TaskHandle](), list[str](), threading.Event()

    def work() -> None:
        added.wait(60)
        while current_run().cause == "schedule" and not current_run().cancelled:
            added.wait(0.001)
        while not own[0].runs:  # until its timeout is recorded
            added.wait(0.001)
        waits(own, errors)

    with Scheduler() as scheduler:
        task = BackgroundTask(work).interval(2).interval_wait(LONG).with_policy(timeout=SECOND / 50)
        own.append(scheduler.add_task(task))
        added.set()
        while not errors:
            added.wait()
            own[0].join(SECOND / 100)

    assert errors == [REFUSED]
    assert [run.outcome for run in runs(own[0])] == ["timed_out"]


def test_nor_on_a_virtual_clock() -> None:
    clock, own, errors = VirtualClock(START), list[TaskHandle](), list[str]()

    def work() -> None:
        clock.sleep(5 * SECOND)
        waits(own, errors)

    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(work).interval(2).interval_wait(LONG).with_policy(timeout=SECOND).with_name("own")
        own.append(scheduler.add_task(task))
        clock.advance(10 * SECOND)

    assert errors == [REFUSED]
    assert [run.outcome for run in runs(own[0])] == ["timed_out"]


@pytest.mark.real_clock
@pytest.mark.parametrize("virtual", [False, True])
def test_a_run_may_wait_for_and_stop_another_scheduler(clock: VirtualClock, *, virtual: bool) -> None:
    def work() -> None:
        with Scheduler() as other:
            assert other.add_task(BackgroundTask(int)).join(LONG)
            assert other.join(LONG)

    with Scheduler(clock=clock if virtual else None) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work))
        assert handle.join(LONG)

    assert [run.outcome for run in runs(handle)] == ["succeeded"]


@pytest.mark.real_clock
@pytest.mark.parametrize("virtual", [False, True])
def test_a_coroutine_that_a_cancelled_function_returns_is_not_begun(clock: VirtualClock, *, virtual: bool) -> None:
    """Its function was called, and the record says when."""
    own, added, begun = list[TaskHandle](), threading.Event(), list[str]()

    async def report() -> None:
        begun.append("report")

    def work() -> Coroutine[Any, Any, None]:
        added.wait(60)
        own[0].cancel()
        return report()

    with Scheduler(clock=clock if virtual else None) as scheduler:
        own.append(scheduler.add_task(BackgroundTask(work).interval(3).interval_wait(SECOND).with_name("own")))
        added.set()
        assert own[0].join(LONG)

    (run,) = runs(own[0])
    assert begun == []
    assert run.outcome == "cancelled"
    assert run.started_at is not None


@pytest.mark.real_clock
def test_what_a_run_has_left_behind_may_wait_for_its_task() -> None:
    own, left, joined = list[TaskHandle](), list[threading.Thread](), list[bool]()
    added = threading.Event()

    def later() -> None:
        while not own[0].runs:
            added.wait()
        joined.append(own[0].join(LONG))

    def work() -> None:
        added.wait(60)
        left.append(threading.Thread(target=copy_context().run, args=(later,)))
        left[0].start()

    with Scheduler() as scheduler:
        own.append(scheduler.add_task(BackgroundTask(work)))
        added.set()
        assert own[0].join(LONG)
        left[0].join()

    assert joined == [True]
