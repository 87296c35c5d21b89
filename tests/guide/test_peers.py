"""Compared with others: what happens here where other programs were seen to go wrong."""

# mypy: disable-error-code="panther-schedule"

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from panther_schedule import (
    BackgroundTask,
    Cron,
    Daily,
    Run,
    Schedule,
    Scheduler,
    VirtualClock,
    Weekly,
    between,
    next_after,
    preview,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def work() -> None:
    """Stand for a function of the program."""


def local(schedule: Schedule, zone: str, first: date, days: int) -> list[str]:
    """Show the occurrences from midnight UTC of a date on, by the zone's clock."""
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    found = between(schedule, start, start + days * DAY, zone=zone)
    return [f"{at.astimezone(ZoneInfo(zone)):%a %d %H:%M}" for at in found]


def test_the_day_after_the_clock_goes_forward_is_not_left_out() -> None:
    """Midnight by cron comes once on each date, also on the one after New York's clock goes forward."""
    assert local(Cron("0 0 * * *"), "America/New_York", date(2026, 3, 7), 4) == [
        "Sat 07 00:00",
        "Sun 08 00:00",
        "Mon 09 00:00",
        "Tue 10 00:00",
    ]


def test_a_late_run_is_not_dropped(clock: VirtualClock) -> None:
    """A run that is due while the machine is suspended takes place when it wakes up, however late."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work).on_time(time(8), tz="UTC"))
        clock.suspend(20 * HOUR)

    (record,) = handle.runs
    assert isinstance(record, Run)
    assert (record.outcome, record.lateness) == ("succeeded", 12 * HOUR)


def test_a_clock_set_years_forward_is_not_gone_through_one_by_one(clock: VirtualClock) -> None:
    """Ten years of missed minutes are counted at once, and catching up has a limit."""
    every_minute = BackgroundTask(work).with_schedule(Cron("* * * * *", tz="Europe/Berlin"))
    with Scheduler(clock=clock) as scheduler:
        late = scheduler.add_task(every_minute)
        caught_up = scheduler.add_task(every_minute.with_policy(missed="catch_up", catch_up_limit=5))
        clock.step(3652 * DAY)

        minutes = 3652 * 24 * 60
        assert (late.counts["missed"], late.counts["succeeded"]) == (minutes - 1, 1)
        assert (caught_up.counts["missed"], caught_up.counts["succeeded"]) == (minutes - 5, 5)


def test_a_gap_moves_one_day_and_not_all_days_after_it() -> None:
    """Each occurrence comes from the calendar, never from the run before, so 23:30 stays 23:30 after a gap."""
    assert local(Daily(time(23, 30)), "America/Nuuk", date(2026, 3, 28), 4) == [
        "Fri 27 23:30",
        "Sun 29 00:00",
        "Sun 29 23:30",
        "Mon 30 23:30",
    ]


def test_midnight_in_a_gap_is_one_run_a_day() -> None:
    """Four days in Santiago, one of which has no midnight, are four runs."""
    assert local(Daily(time(0)), "America/Santiago", date(2026, 9, 5), 4) == [
        "Sat 05 00:00",
        "Sun 06 01:00",
        "Mon 07 00:00",
        "Tue 08 00:00",
    ]


def test_a_year_of_a_daily_task_is_365_runs(clock: VirtualClock) -> None:
    """A daily task runs on every single day of a year."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work).interval(-1).on_time(time(8), tz="UTC"))
        clock.advance(365 * DAY)

    assert handle.counts["succeeded"] == 365


def test_every_wait_is_kept(clock: VirtualClock) -> None:
    """Five runs with a wait of 300 seconds start at 0, 300, 600, 900 and 1200 seconds."""
    start = clock.now()
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work).interval(5).interval_wait(timedelta(seconds=300)))
        scheduler.join()

    starts = [record.started_at for record in handle.runs if isinstance(record, Run)]
    assert starts == [start + timedelta(seconds=300 * k) for k in range(5)]


def test_a_slow_task_does_not_run_in_copies(clock: VirtualClock) -> None:
    """Runs of a task never overlap unless its policy allows it."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, 90 * MINUTE).interval(3).interval_wait(HOUR))
        scheduler.join()

    first, second, third = (record for record in handle.runs if isinstance(record, Run))
    assert second.started_at is not None
    assert third.started_at is not None
    assert first.finished_at < second.started_at < second.finished_at < third.started_at


def test_a_negative_number_of_runs_is_refused() -> None:
    """Only -1 is for ever."""
    with pytest.raises(ValidationError, match="-7"):
        BackgroundTask(work).interval(-7)


def test_a_range_of_one_value_is_that_value() -> None:
    """`3-3` as day-of-week is Wednesday, and `55-55/4` as minute is minute 55."""
    assert Cron("55-55/4 * * * 3-3") == Cron("55 * * * wed")


def test_a_daily_time_runs_in_one_pass_of_a_fold() -> None:
    """02:30 occurs twice in Berlin on 25 October 2026, and runs the first time."""
    assert local(Daily(time(2, 30)), "Europe/Berlin", date(2026, 10, 25), 1) == ["Sun 25 02:30"]


def test_the_next_occurrence_is_strictly_after_the_start() -> None:
    """From a start within the second pass of a fold, the next occurrence is still strictly later."""
    second_pass = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)

    assert next_after(Daily(time(2, 30), tz="Europe/Berlin"), second_pass) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
    assert next_after(Cron("30 * * * *", tz="Europe/Berlin"), second_pass) == second_pass + HOUR


def test_a_search_ends_where_midnight_is_in_a_fold() -> None:
    """Goose Bay set its clock back at 00:01 in 2006, and the next occurrence is found there too."""
    cron = Cron("21,44 */3 * * *", tz="America/Goose_Bay")

    found = preview(cron, 4, after=datetime(2006, 10, 29, 2, tzinfo=UTC))
    assert [f"{each.local:%a %d %H:%M}" for each in found] == [
        "Sun 29 00:21",
        "Sun 29 00:44",
        "Sun 29 03:21",
        "Sun 29 03:44",
    ]


def test_gaps_and_folds_have_any_length() -> None:
    """Half an hour on Lord Howe Island and two hours at Troll in Antarctica are gaps like any other."""
    assert local(Daily(time(2, 15)), "Australia/Lord_Howe", date(2026, 10, 3), 2) == ["Sun 04 02:30", "Mon 05 02:15"]
    assert local(Daily(time(1, 30)), "Antarctica/Troll", date(2026, 3, 29), 1) == ["Sun 29 03:00", "Mon 30 01:30"]


def test_a_daily_task_runs_once_around_a_fold() -> None:
    """A daily task runs once, however often the clock shows its time."""
    clock = VirtualClock(datetime(2026, 10, 24, 22, tzinfo=UTC))
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work).interval(-1).on_time(time(2, 30), tz="Europe/Berlin"))
        for _minute in range(6 * 60):
            clock.advance(MINUTE)

    assert handle.counts["succeeded"] == 1


def test_an_hourly_cron_runs_in_both_passes_of_a_fold() -> None:
    """An hour is an hour: the 25 hours of that day in Berlin are 25 runs."""
    hourly = Cron("0 * * * *", tz="Europe/Berlin")
    midnight, next_midnight = (datetime(2026, 10, day, tzinfo=ZoneInfo("Europe/Berlin")) for day in (25, 26))

    assert len(list(between(hourly, midnight, next_midnight))) == 25


def test_a_time_before_midnight_is_not_lost_in_a_gap() -> None:
    """Saturday's 23:30 in Nuuk runs at the end of the gap, at 00:00."""
    assert local(Weekly("sat", time(23, 30)), "America/Nuuk", date(2026, 3, 22), 14) == ["Sat 21 23:30", "Sun 29 00:00"]


def test_two_times_at_one_instant_are_one_occurrence() -> None:
    """When a time moves to the end of a gap and meets another one there, both are one occurrence."""
    both = Daily(time(2, 30)) | Daily(time(3))

    assert local(both, "Europe/Berlin", date(2026, 3, 29), 1) == ["Sun 29 03:00"]
    assert local(Daily(time(12)), "Pacific/Apia", date(2011, 12, 29), 3) == [
        "Thu 29 12:00",
        "Sat 31 12:00",
        "Sun 01 12:00",
    ]
