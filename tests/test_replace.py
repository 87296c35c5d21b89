"""`replace()` in virtual time: what begins afresh, what goes on, and what becomes of runs that wait."""

from typing import Any

import pytest
from telling import SECOND, START, at, starts

from panther_schedule import BackgroundTask, Scheduler, VirtualClock

# ---- what waits of the old schedule ------------------------------------------------------------------------------

QUEUED = [
    # the new n and wait, and its overlap -> when runs of 4 s start; those of 0, 1 and 2 s are of the old schedule
    pytest.param(2, 20, "queue_all", [0, 4, 8, 12, 22.5], id="another wait"),
    pytest.param(2, 20, "skip", [0, 4, 8, 22.5, 42.5], id="another overlap"),
    pytest.param(1, 20, "queue_all", [0, 4, 8, 12], id="one more run"),
    pytest.param(2, 0, "skip", [0, 4, 8, 12, 16], id="no wait: the first when all that waited have ended"),
    pytest.param(2, 20, "cancel_running", [0, 4, 22.5], id="the newcomer takes the place of those that wait"),
]


@pytest.mark.parametrize(("n", "wait", "overlap", "expected"), QUEUED)
def test_what_waits_keeps_its_turn_and_takes_none_of_the_new_n(
    n: int, wait: int, overlap: Any, expected: list[float]
) -> None:
    clock = VirtualClock(START)
    task = BackgroundTask(clock.sleep, 4 * SECOND).with_name("slow")
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(task.interval(9).interval_wait(SECOND).with_policy(overlap="queue_all"))
        new = task.interval(n).interval_wait(wait * SECOND).with_policy(overlap=overlap)
        at(scheduler, 2.5, lambda: scheduler.replace(new))
        scheduler.join()

        assert handle.ended
    assert starts(handle) == expected
