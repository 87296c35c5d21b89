"""Faults that were found once: one test each, so that they do not come back."""

from __future__ import annotations

from datetime import timedelta

from panther_schedule import BackgroundTask, Scheduler, VirtualClock


def test_a_run_that_ended_is_not_kept_until_its_timeout(clock: VirtualClock) -> None:
    def work() -> None:
        pass

    with Scheduler(clock=clock) as scheduler:
        for _ in range(1000):
            scheduler.add_task(BackgroundTask(work).with_policy(timeout=timedelta(hours=1))).join()
        assert scheduler._loop is not None
        assert len(scheduler._loop.store.timetable._timers) <= 100
