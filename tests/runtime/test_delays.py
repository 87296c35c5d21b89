"""The delay before a further attempt counts from the end of the function, with a timeout or without, on both clocks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from telling import START, runs

from panther_schedule import BackgroundTask, Retry, Scheduler, VirtualClock

MS = timedelta(milliseconds=1)
DELAY = 40 * MS


def taking(clock: VirtualClock, by: timedelta) -> Callable[[], None]:
    """Return a function that takes virtual time, and fails."""

    def work() -> None:
        clock.sleep(by)
        raise LookupError

    return work


TAKES = [
    # how long the function takes, the timeout -> the starts
    pytest.param(0, None, [0, 40, 80], id="without a timeout"),
    pytest.param(0, 30, [0, 40, 80], id="a timeout that ends before the delay"),
    pytest.param(10, 30, [0, 50, 100], id="in time"),
    pytest.param(50, 30, [0, 90, 180], id="too long: it goes on after its timeout"),
]


@pytest.mark.parametrize(("takes", "timeout", "expected"), TAKES)
def test_on_a_virtual_clock(takes: int, timeout: int | None, expected: list[int]) -> None:
    clock = VirtualClock(START)
    policy: dict[str, Any] = {"retry": Retry(3, delay=DELAY, factor=1)}
    if timeout is not None:
        policy["timeout"] = timeout * MS
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(taking(clock, takes * MS)).with_policy(**policy))
        assert handle.join()

    (run,) = runs(handle)
    assert [attempt.started_at for attempt in run.attempts] == [START + at * MS for at in expected]


@pytest.mark.real_clock
@pytest.mark.parametrize("takes", [0, 0.05])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_on_the_real_clock_no_attempt_is_early(takes: float, *, asynchronous: bool) -> None:
    ends = list[int]()

    def end() -> None:
        ends.append(scheduler._clock.read().steady)
        raise LookupError

    def work() -> None:
        threading.Event().wait(takes)
        end()

    async def work_later() -> None:
        try:
            await asyncio.sleep(takes)
        finally:
            end()

    func: Callable[[], Any] = work_later if asynchronous else work
    with Scheduler() as scheduler:
        policy: dict[str, Any] = {"retry": Retry(3, delay=DELAY, factor=1), "timeout": 30 * MS}
        handle = scheduler.add_task(BackgroundTask(func).with_policy(**policy))
        assert handle.join(timedelta(minutes=1))
        (run,) = runs(handle)
        started = [attempt.started for attempt in run.attempts if attempt.started is not None]

    assert len(started) == 3
    for before, after in zip(ends, started[1:], strict=False):
        assert after - before >= DELAY // timedelta(microseconds=1)
