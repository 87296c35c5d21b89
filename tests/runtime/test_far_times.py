"""Times beyond the years 1 to 9999: shown as the last or first moment there is, and no error anywhere."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from telling import START, note, runs

from panther_schedule import (
    BackgroundTask,
    Cron,
    Daily,
    Monthly,
    Once,
    Policy,
    Repeat,
    Retry,
    Scheduler,
    VirtualClock,
    Weekly,
)
from panther_schedule.clock import microseconds, moment

DAY, YEAR = timedelta(days=1), timedelta(days=365)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
SCHEDULES: list[Any] = [
    Once(),
    Once(LAST),
    Once(LAST - DAY),
    Repeat(3, 7_900 * YEAR),
    Repeat(-1, timedelta.max),
    Repeat(3),
    Daily(time(8), tz="Asia/Tokyo"),
    Weekly("mon", time(8), tz="America/New_York"),
    Monthly(-1, time(8), tz="UTC"),
    Cron("* * 31 12 *", tz="Pacific/Kiritimati"),
    Daily(time(23), tz="UTC") | Once(LAST),
]
POLICIES: list[Any] = [
    Policy(jitter=YEAR),
    Policy(timeout=timedelta.max),
    Policy(missed="skip", grace=timedelta.max),
    Policy(missed="catch_up", catch_up_window=timedelta.max, catch_up_limit=3),
    Policy(retry=Retry(3, delay=timedelta.max, factor=10, max_delay=timedelta.max)),
]
CASES = [
    *((schedule, Policy()) for schedule in SCHEDULES),
    *((schedule, policy) for schedule in (Once(LAST), Repeat(3, 7_900 * YEAR)) for policy in POLICIES),
]
MOVES = [7_973 * YEAR, 900_000 * YEAR, -3_000 * YEAR]


def fails() -> None:
    """Fail."""
    raise LookupError


@pytest.mark.parametrize(("schedule", "policy"), CASES, ids=repr)
def test_a_clock_that_is_set_anywhere_breaks_nothing(schedule: Any, policy: Policy) -> None:
    for move in MOVES:
        clock = VirtualClock(START)
        with Scheduler(clock=clock) as scheduler:
            before = scheduler.add_task(BackgroundTask(fails).with_schedule(schedule).with_policy(policy))
            handles = [before]
            clock.step(move)
            with suppress(ValueError):  # it may have no occurrence there
                handles.append(scheduler.add_task(BackgroundTask(note).with_schedule(schedule).with_policy(policy)))
            clock.advance(DAY)
            clock.suspend(DAY)
            assert not scheduler._life or not scheduler._life.loop._put_off
            for handle in handles:
                assert handle.next_run is None or FIRST <= handle.next_run <= LAST
                assert repr(handle.runs)
                assert all(FIRST <= run.scheduled_at <= LAST for run in runs(handle))
                assert handle.join(timedelta(0)) == handle.ended
            health = scheduler.health()
            assert health.last_turn_at is not None
            assert (health.alive, health.overdue) == (True, ())
            before.task.next_runs(3)


def test_no_wait_is_too_long() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(fails).with_policy(retry=Retry(2, delay=timedelta.max, max_delay=timedelta.max))
        handle = scheduler.add_task(task)
        assert handle.join(timedelta.max)
        assert len(runs(handle)[0].attempts) == 2
        assert clock.now() == LAST
        scheduler.stop(timedelta.max)


@pytest.mark.real_clock
def test_nor_on_the_real_clock() -> None:
    scheduler = Scheduler()
    handle = scheduler.add_task(BackgroundTask(note).with_policy(timeout=timedelta.max))
    assert handle.join(timedelta.max)
    handle.run_now().join(timedelta.max)
    scheduler.stop(timedelta.max)


def test_the_preview_and_next_run_agree_at_the_end_of_time() -> None:
    for at in (LAST, LAST - DAY / 2):
        task = BackgroundTask(note).with_schedule(Once(at)).with_policy(jitter=YEAR).with_name("a")
        with Scheduler(clock=VirtualClock(START)) as scheduler:
            assert task.next_runs(1, after=START) == [scheduler.add_task(task).next_run]


@pytest.mark.parametrize("beyond", [1, 10**6, 10**18, 10**30])
def test_a_moment_beyond_all_years_is_the_last_or_first_one(beyond: int) -> None:
    assert moment(microseconds(LAST) + beyond) == LAST
    assert moment(microseconds(FIRST) - beyond) == FIRST
