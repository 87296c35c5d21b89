"""Jitter, a wall clock that is set, and zones whose rules change, in virtual time."""

# mypy: disable-error-code="panther-schedule"

import shutil
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from telling import SECOND, START, note, outcomes, runs, seconds

from panther_schedule import (
    BackgroundTask,
    Cron,
    Daily,
    Once,
    Passed,
    Policy,
    Schedule,
    Scheduler,
    TaskHandle,
    VirtualClock,
    Weekly,
)
from panther_schedule.events import ClockStepped, Event
from panther_schedule.occurrences.compiler import clear_caches
from panther_schedule.planning import rule

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def hours(handle: TaskHandle) -> list[float]:
    """List for which hours after the start a task ran."""
    return [seconds(run.scheduled_at) / 3600 for run in runs(handle)]


# ---- jitter ------------------------------------------------------------------------------------------------------


def test_due_times_are_those_of_the_preview_and_runs_come_in_their_order() -> None:
    clock, calls = VirtualClock(START), list[tuple[datetime, str]]()

    def work(name: str) -> None:
        calls.append((clock.now(), name))

    daily = Daily(time(8), n=5, tz="UTC")
    tasks = [
        BackgroundTask(work, name).with_schedule(daily).with_name(name).with_policy(jitter=HOUR) for name in ("a", "b")
    ]
    with Scheduler(clock=clock) as scheduler:
        for task in tasks:
            due = task.next_runs(1, after=START)[0]
            assert scheduler.add_task(task).next_run == due
        scheduler.join()

    expected = sorted((due, task.name or "") for task in tasks for due in task.next_runs(5, after=START))
    assert calls == expected
    assert len({due.time() for due, _name in calls}) == 10
    assert {name for _due, name in calls[::2]} == {"a", "b"}, "now one is first, now the other"


def test_jitter_is_longer_than_the_period_and_no_occurrence_is_lost() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(note).interval(15).interval_wait(SECOND).with_name("a").with_policy(jitter=HOUR)
        handle = scheduler.add_task(task)
        scheduler.join()

    assert [seconds(run.scheduled_at) for run in runs(handle)] == list(range(15))
    assert all(timedelta(0) <= run.lateness < SECOND for run in runs(handle) if run.lateness is not None)


# ---- the wall clock is set ---------------------------------------------------------------------------------------

MISSED = [
    pytest.param(Policy(), id="coalesce"),
    pytest.param(Policy(missed="skip", grace=SECOND), id="skip"),
    pytest.param(Policy(missed="catch_up", catch_up_limit=3), id="catch_up"),
]
HOURLY = Cron("0 * * * *", tz="UTC")


@pytest.mark.parametrize("policy", MISSED)
def test_three_hours_back_and_nothing_runs_twice(policy: Policy) -> None:
    clock, events = VirtualClock(START), list[Event]()
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_listener(events.append)
        handle = scheduler.add_task(BackgroundTask(note).with_schedule(HOURLY).with_policy(policy))
        clock.advance(5.5 * HOUR)
        clock.step(-3 * HOUR)
        assert handle.next_run == START + 6 * HOUR
        clock.advance(6 * HOUR)

    assert hours(handle) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [event for event in events if isinstance(event, ClockStepped)] == [ClockStepped(-3 * HOUR, 0)]


EVERY_MINUTE = Cron("* * * * *", tz="Europe/Berlin")
YEARS = timedelta(days=3652)
FAR: list[Any] = [
    # the schedule, the policy -> runs and missed occurrences at a jump of ten years
    pytest.param(EVERY_MINUTE, Policy(), 1, 3652 * 1440 - 1, id="each minute, coalesce"),
    pytest.param(EVERY_MINUTE, Policy(missed="skip", grace=SECOND), 1, 3652 * 1440 - 1, id="each minute, skip"),
    pytest.param(EVERY_MINUTE, Policy(missed="catch_up", catch_up_limit=3), 3, 3652 * 1440 - 3, id="each minute, late"),
    pytest.param(Daily(time(8), tz="UTC"), Policy(), 1, 3651, id="daily, coalesce"),
    pytest.param(Daily(time(8), tz="UTC"), Policy(missed="skip", grace=SECOND), 0, 3652, id="daily, skip"),
    pytest.param(
        Daily(time(8), tz="UTC"), Policy(missed="catch_up", catch_up_window=2.5 * DAY), 2, 3650, id="daily, two late"
    ),
    pytest.param(Weekly("mon", time(8), tz="UTC"), Policy(), 1, 521, id="weekly, coalesce"),
]


@pytest.mark.parametrize(("schedule", "policy", "ran", "missed"), FAR)
def test_ten_years_forward_and_back(schedule: Any, policy: Policy, ran: int, missed: int) -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(note).with_schedule(schedule).with_policy(policy)
        handle = scheduler.add_task(task)
        first = handle.next_run
        clock.step(YEARS)
        assert outcomes(handle) == {"succeeded": ran, "missed": missed} if ran else {"missed": missed}
        far = handle.next_run
        assert far is not None
        assert far > START + YEARS

        clock.step(-YEARS)
        assert handle.next_run == first
        assert first is not None
        clock.advance(first - clock.now() + HOUR)
        assert outcomes(handle)["missed"] == missed, "what comes next runs in its time"
    assert outcomes(handle)["succeeded"] > ran


def test_an_outage_of_ten_years_is_one_record_also_after_some_runs() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).with_schedule(EVERY_MINUTE))
        clock.advance(150 * SECOND)
        clock.suspend(YEARS)

    missed = [record for record in handle.runs if isinstance(record, Passed)]
    assert [record.count for record in missed] == [3652 * 1440 - 1]


# ---- the rules of a zone change ----------------------------------------------------------------------------------


@pytest.fixture
def ahead(tmp_path: Path) -> Iterator[Callable[[int], None]]:
    """Let the zone X/Test be so many hours ahead of UTC."""
    zoneinfo.reset_tzpath(to=[tmp_path])
    (tmp_path / "X").mkdir()

    def set_rules(hours_ahead: int) -> None:
        with resources.as_file(resources.files("tzdata") / "zoneinfo" / "Etc" / f"GMT-{hours_ahead}") as source:
            shutil.copy(source, tmp_path / "X" / "Test")

    set_rules(1)
    yield set_rules
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()
    clear_caches()
    rule.clear_caches()


CHANGED = [
    # hours ahead before and after, the hour (UTC) of the change -> when Daily(08:00) runs in the two days around it
    pytest.param(1, 2, 3, [7, 30, 54], id="earlier, before both"),
    pytest.param(1, 2, 8, [7, 30, 54], id="earlier, after both"),
    pytest.param(2, 1, 3, [6, 31, 55], id="later, after the run"),
    pytest.param(1, 1, 8, [7, 31, 55], id="as it was"),
]


@pytest.mark.parametrize(("before", "after", "change", "expected"), CHANGED)
def test_new_rules_hold_from_the_next_occurrence_on(
    ahead: Callable[[int], None], before: int, after: int, change: int, expected: list[float]
) -> None:
    ahead(before)
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).with_schedule(Daily(time(8), tz="X/Test")))
        clock.advance(24 * HOUR if change == 3 else 8 * HOUR)
        ahead(after)
        scheduler.reload_tz()
        scheduler.reload_tz()
        clock.advance(50 * HOUR)

    assert hours(handle)[:3] == expected


def test_what_is_over_by_the_old_rules_does_not_run_again_and_over_by_the_new_not_at_all(
    ahead: Callable[[int], None],
) -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).with_schedule(Cron("0 8-20 * * *", tz="X/Test")))
        clock.advance(10.5 * HOUR)
        assert hours(handle) == [7, 8, 9, 10]
        ahead(2)
        scheduler.reload_tz()
        assert handle.next_run == START + 11 * HOUR
        clock.advance(HOUR)
        ahead(1)
        scheduler.reload_tz()
        clock.advance(HOUR)

    assert hours(handle) == [7, 8, 9, 10, 11, 12]


def test_an_occurrence_that_waits_for_its_jitter_is_not_lost(ahead: Callable[[int], None]) -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(note).with_schedule(Cron("0 * * * *", tz="X/Test")).with_policy(jitter=HOUR / 2)
        handle = scheduler.add_task(task)
        due = handle.next_run
        assert due is not None
        assert due - SECOND > START + HOUR
        clock.advance(due - SECOND - clock.now())
        ahead(2)
        scheduler.reload_tz()
        assert handle.next_run == due
        clock.advance(SECOND)

    (run,) = runs(handle)
    assert (run.scheduled_at, run.started_at) == (START + HOUR, due)


def test_what_is_due_at_the_moment_of_new_rules_still_runs(ahead: Callable[[int], None]) -> None:
    clock = VirtualClock(START)

    def reload_other() -> None:
        ahead(2)
        other.reload_tz()

    with Scheduler(clock=clock) as first, Scheduler(clock=clock) as other:
        first.add_task(BackgroundTask(reload_other).with_schedule(Once(START + 7 * HOUR)))
        handle = other.add_task(BackgroundTask(note).with_schedule(Daily(time(8), tz="X/Test")))
        clock.advance(50 * HOUR)

    assert hours(handle) == [7, 30]


def test_tasks_that_name_no_zone_of_the_files_are_left_alone(ahead: Callable[[int], None]) -> None:
    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
    kinds: list[Schedule] = [Daily(time(8), tz="UTC"), HOURLY]
    with Scheduler(clock=clock) as scheduler:
        handles = [scheduler.add_task(BackgroundTask(note).interval(9).interval_wait(HOUR))]
        handles += [scheduler.add_task(BackgroundTask(note).with_schedule(kind)) for kind in kinds]  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - one of any kind
        clock.advance(HOUR / 2)
        before = [handle.next_run for handle in handles]
        ahead(2)
        scheduler.reload_tz()

        assert [handle.next_run for handle in handles] == before
