"""`cancel(running=False)`: no further run starts, and the active ones finish, whatever they are and do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from telling import SECOND, START, note, outcomes, runs

from panther_schedule import BackgroundTask, Once, Retry, Run, Scheduler, VirtualClock, current_run
from panther_schedule.events import Event, TaskEnded

HOUR = timedelta(hours=1)


@pytest.mark.real_clock
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_task_that_ends_itself_is_recorded_as_what_it_did(*, asynchronous: bool) -> None:
    said, calls = list[str](), list[int]()

    def work() -> None:
        if "a" in scheduler:
            scheduler["a"].cancel(running=False)
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionError
        said.append("done")

    async def work_later() -> None:
        await asyncio.sleep(0)
        work()
        await asyncio.sleep(0)

    func: Callable[[], Any] = work_later if asynchronous else work
    with Scheduler() as scheduler:
        task = BackgroundTask(func).interval(-1).interval_wait(HOUR).with_policy(retry=Retry(2, delay=timedelta(0)))
        handle = scheduler.add_task(task.with_name("a"))
        assert handle.join(HOUR)

    (run,) = runs(handle)
    assert (run.outcome, len(run.attempts), said) == ("succeeded", 2, ["done"])


def test_what_waits_is_cancelled_and_what_is_active_finishes() -> None:
    clock, events = VirtualClock(START), list[Event]()

    def work() -> None:
        clock.sleep(30 * SECOND)

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_listener(events.append)
        task = BackgroundTask(work).interval(-1).interval_wait(10 * SECOND).with_policy(overlap="queue_all")
        handle = scheduler.add_task(task.with_name("a"))
        scheduler.add_task(BackgroundTask(handle.cancel, running=False).with_schedule(Once(START + 25 * SECOND)))
        clock.advance(HOUR)
        assert outcomes(handle) == {"succeeded": 1, "cancelled": 2}
        assert [event for event in events if isinstance(event, TaskEnded) and event.task == "a"] == [
            TaskEnded("a", True)
        ]


def test_a_backfill_ends_with_the_run_that_is_active() -> None:
    clock = VirtualClock(START)

    def work() -> None:
        if current_run().scheduled_at == START + 20 * SECOND:
            handle.cancel(running=False)

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work).interval(-1).interval_wait(10 * SECOND).with_name("a"))
        handle.pause()
        clock.advance(40 * SECOND)
        filled = handle.backfill(START, START + 40 * SECOND)

    assert [run.join().outcome for run in filled] == ["succeeded", "succeeded", "succeeded", "cancelled", "cancelled"]


@pytest.mark.real_clock
def test_a_later_cancel_asks_the_runs_after_all() -> None:
    begun = threading.Event()

    async def work() -> None:
        begun.set()
        await asyncio.sleep(3600)

    with Scheduler() as scheduler:
        handle = scheduler.add_task(BackgroundTask(work).interval(-1).interval_wait(HOUR).with_name("a"))
        assert begun.wait(60)
        handle.cancel(running=False)
        assert not handle.ended
        assert scheduler.add_task(BackgroundTask(note).with_name("a")).join(HOUR), "the name is free"
        handle.cancel()
        assert handle.join(HOUR)

    assert [record.outcome for record in handle.runs if isinstance(record, Run)] == ["cancelled"]
