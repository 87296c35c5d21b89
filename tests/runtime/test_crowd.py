"""A crowd: thousands of tasks that are due in one instant, beside some that take their time."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from panther_schedule import BackgroundTask, Once, Run, Scheduler

QUICK, SLEEPERS = 10_000, 100


@pytest.mark.real_clock
def test_ten_thousand_tasks_of_one_instant_are_recorded_once_each() -> None:
    called = Counter[int]()

    def sleeper(number: int) -> None:
        time.sleep(0.02)
        called[number] += 1

    def quick(number: int) -> None:
        called[number] += 1

    at = Once(datetime.now(UTC) + timedelta(milliseconds=400))
    tasks = [BackgroundTask(sleeper if n % 101 == 0 else quick, n) for n in range(QUICK + SLEEPERS)]
    with Scheduler() as scheduler:
        handles = scheduler.add_tasks(task.with_schedule(at) for task in tasks)
        assert scheduler.join(timedelta(seconds=30))

    assert len(called) == called.total() == QUICK + SLEEPERS
    runs = [run for handle in handles for run in handle.runs if isinstance(run, Run)]
    assert Counter(run.outcome for run in runs) == {"succeeded": QUICK + SLEEPERS}
    assert all(len(handle.runs) == 1 for handle in handles)
    assert scheduler.counts["succeeded"] == sum(scheduler.counts.values()) == QUICK + SLEEPERS
