"""The context of a run: a copy of the one that `add_task()` saw, and nobody else's."""

from __future__ import annotations

import asyncio
import decimal
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from datetime import timedelta
from typing import Any

import pytest

from panther_schedule import (
    BackgroundTask,
    Retry,
    Scheduler,
    SchedulerStateError,
    TaskHandle,
    VirtualClock,
    current_run,
)
from panther_schedule.runtime.current import flying

LONG = timedelta(seconds=30)
tenant: ContextVar[str] = ContextVar("tenant", default="nobody")
seen: list[str] = []


def bill() -> None:
    """Say whose bill it is, and leave something behind."""
    seen.append(f"{tenant.get()} {decimal.getcontext().prec}")
    tenant.set("left behind")
    decimal.setcontext(decimal.Context(prec=3))


async def bill_async() -> None:
    """Do the same on an event loop, in two steps."""
    bill()
    await asyncio.sleep(0)
    seen.append(tenant.get())


def bill_later() -> Any:
    """Do it in a coroutine that a sync function returns."""
    return bill_async()


FUNCTIONS = pytest.mark.parametrize("func", [bill, bill_async, bill_later])


def adds(scheduler: Scheduler, task: BackgroundTask[..., Any], name: str) -> None:
    """Add a task as the code of a tenant does."""
    token = tenant.set(name)
    scheduler.add_task(task)
    tenant.reset(token)


@FUNCTIONS
@pytest.mark.parametrize("virtual", [pytest.param(False, marks=pytest.mark.real_clock), True])
def test_each_run_sees_what_add_task_saw(clock: VirtualClock, func: Callable[[], Any], *, virtual: bool) -> None:
    """Three tasks of two runs each, on one worker: none sees what another, or its own first run, has set."""
    seen.clear()
    with Scheduler(max_workers=1, clock=clock if virtual else None) as scheduler:
        for name in ("Ali", "Sara", "nobody"):
            adds(scheduler, BackgroundTask(func).interval(2), name)
        assert scheduler.join(LONG)

    expected = ["Ali 28", "Sara 28", "nobody 28"] + (["left behind"] * 3 if func is not bill else [])
    assert sorted(seen) == sorted(expected * 2)
    assert tenant.get() == "nobody"


def test_each_attempt_and_each_manual_run_begins_with_it(clock: VirtualClock) -> None:
    seen.clear()

    def fails_at_first() -> None:
        seen.append(tenant.get())
        tenant.set("left behind")
        if len(seen) == 1:
            raise OSError

    task = BackgroundTask(fails_at_first).with_name("task").with_policy(retry=Retry(2, delay=timedelta(0)))
    with Scheduler(clock=clock) as scheduler:
        adds(scheduler, task, "Ali")
        scheduler.join()
        copy_context().run(run_for, scheduler, "whoever asks for it")

    assert seen == ["Ali"] * 3


def run_for(scheduler: Scheduler, name: str) -> None:
    """Ask for a run in somebody's context."""
    tenant.set(name)
    scheduler["task"].run_now().join()


def test_a_replaced_task_has_the_context_that_replace_saw(clock: VirtualClock) -> None:
    seen.clear()
    task = BackgroundTask(bill).with_name("task")
    with Scheduler(clock=clock) as scheduler:
        adds(scheduler, task, "Ali")
        scheduler.join()
        token = tenant.set("Sara")
        scheduler.replace(task.with_policy(timeout=LONG))
        tenant.reset(token)
        run_for(scheduler, "whoever asks for it")
        tenant.set("nobody")

    assert seen == ["Ali 28", "Sara 28"]


def test_a_task_that_a_run_adds_has_the_runs_context_without_the_run(clock: VirtualClock) -> None:
    """Else a task that adds the next one, and so on, would keep all that came before."""
    handles: list[TaskHandle] = []

    def link(left: int) -> None:
        seen.append(tenant.get())
        tenant.set(f"link {left}")
        if left:
            handles.append(scheduler.add_task(BackgroundTask(link, left - 1)))

    seen.clear()
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(link, 3))
        scheduler.join()

    assert seen == ["nobody", "link 3", "link 2", "link 1"]
    assert [handle._entry.context.get(flying) for handle in handles] == [None] * 3
    with pytest.raises(SchedulerStateError):
        current_run()
