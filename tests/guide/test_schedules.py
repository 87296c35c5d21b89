"""Schedules: values that say when, and that you can ask before anything runs."""

# mypy: disable-error-code="panther-schedule"

from datetime import UTC, date, datetime, time, timedelta

import pytest
from pydantic import ValidationError

from panther_schedule import (
    AnyOf,
    BackgroundTask,
    Cron,
    Daily,
    Monthly,
    Once,
    Repeat,
    Run,
    Schedule,
    Scheduler,
    VirtualClock,
    Weekly,
    between,
    explain,
    lint,
    next_after,
    preview,
)

MINUTE = timedelta(minutes=1)


def open_shop() -> None:
    """Stand for a function of the program."""


def first(n: int, schedule: Schedule, after: datetime = datetime(2026, 1, 1, 0, 2, tzinfo=UTC)) -> list[str]:
    """Show the first occurrences after two minutes past midnight of 1 January 2026, a Thursday."""
    return [f"{each.local:%a %d %b %H:%M}" for each in preview(schedule, n, after=after, zone="UTC")]


def test_once_is_now_or_at_one_moment() -> None:
    """`Once()` runs when the task is added, and `Once(at)` at that moment."""
    assert first(2, Once()) == ["Thu 01 Jan 00:02"]
    assert first(2, Once(datetime(2026, 12, 24, 18, tzinfo=UTC))) == ["Thu 24 Dec 18:00"]


def test_repeat_counts_from_the_moment_it_is_added() -> None:
    """`Repeat(n, wait)` runs at once and then after each wait; added at 00:02, it runs at 00:02, 00:07 and so on."""
    assert first(3, Repeat(-1, 5 * MINUTE)) == ["Thu 01 Jan 00:02", "Thu 01 Jan 00:07", "Thu 01 Jan 00:12"]


def test_after_is_a_first_delay() -> None:
    """`after` is how long after it is added a `Once` runs, or a `Repeat` begins."""
    assert first(2, Once(after=10 * MINUTE)) == ["Thu 01 Jan 00:12"]
    assert first(2, Repeat(-1, 5 * MINUTE, after=60 * MINUTE)) == ["Thu 01 Jan 01:02", "Thu 01 Jan 01:07"]
    with pytest.raises(ValidationError, match="after must be left out with at"):
        Once(datetime(2026, 12, 24, 18, tzinfo=UTC), after=MINUTE)


def test_measured_from_the_end_there_is_a_rest_between_two_runs(clock: VirtualClock) -> None:
    """With `measured_from="end"` the next run is due `wait` after the one before has ended; only the first is known."""
    rested = Repeat(3, 5 * MINUTE, measured_from="end")

    assert first(3, rested) == ["Thu 01 Jan 00:02"]
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, 7 * MINUTE).with_schedule(rested))
        begun = clock.now()
        scheduler.join()
    assert [(run.scheduled_at - begun) / MINUTE for run in handle.runs if isinstance(run, Run)] == [0, 12, 24]


def test_cron_goes_by_the_clock() -> None:
    """A `Cron` keeps to the clock: every five minutes is 00:05, 00:10 and so on."""
    assert first(3, Cron("*/5 * * * *")) == ["Thu 01 Jan 00:05", "Thu 01 Jan 00:10", "Thu 01 Jan 00:15"]


def test_daily_keeps_to_the_clock_of_its_zone() -> None:
    """`Daily(time(8), tz="Europe/Paris")` is 08:00 in Paris, wherever the program runs."""
    paris = Daily(time(8), tz="Europe/Paris")

    (winter,) = preview(paris, 1, after=datetime(2026, 1, 1, tzinfo=UTC))
    (summer,) = preview(paris, 1, after=datetime(2026, 7, 1, tzinfo=UTC))
    assert (f"{winter.local:%H:%M}", f"{winter.utc:%H:%M}") == ("08:00", "07:00")
    assert (f"{summer.local:%H:%M}", f"{summer.utc:%H:%M}") == ("08:00", "06:00")


def test_weekly_takes_one_weekday_or_several() -> None:
    """`Weekly(("mon", "thu"), time(8))` runs each Monday and each Thursday."""
    assert first(3, Weekly(("mon", "thu"), time(8))) == ["Thu 01 Jan 08:00", "Mon 05 Jan 08:00", "Thu 08 Jan 08:00"]


def test_excluding_takes_dates_and_weekdays_out() -> None:
    """`excluding` holds the dates and weekdays that have no occurrence."""
    workdays = Daily(time(8), excluding={date(2026, 1, 2), "sat", "sun"})

    assert first(3, workdays) == ["Thu 01 Jan 08:00", "Mon 05 Jan 08:00", "Tue 06 Jan 08:00"]


def test_every_other_one_is_counted_from_a_date() -> None:
    """`every=2` with a `starting` date is every other day, week or month, with no occurrence before that date."""
    fridays = Weekly("fri", time(16), every=2, starting=date(2026, 1, 9))

    assert first(3, fridays) == ["Fri 09 Jan 16:00", "Fri 23 Jan 16:00", "Fri 06 Feb 16:00"]


def test_monthly_takes_a_day_or_the_last_one() -> None:
    """`Monthly(15, ...)` is day 15 of each month and `Monthly(-1, ...)` its last day."""
    assert first(2, Monthly(15, time(8))) == ["Thu 15 Jan 08:00", "Sun 15 Feb 08:00"]
    assert first(2, Monthly(-1, time(18))) == ["Sat 31 Jan 18:00", "Sat 28 Feb 18:00"]


def test_monthly_takes_the_nth_of_a_weekday() -> None:
    """`Monthly((2, "tue"), ...)` is the second Tuesday of each month and `(-1, "fri")` its last Friday."""
    assert first(2, Monthly((2, "tue"), time(10))) == ["Tue 13 Jan 10:00", "Tue 10 Feb 10:00"]
    assert first(2, Monthly((-1, "fri"), time(10))) == ["Fri 30 Jan 10:00", "Fri 27 Feb 10:00"]


def test_months_limits_it_to_some_months() -> None:
    """With `months=(1, 4, 7, 10)` a monthly schedule runs once a quarter."""
    assert first(3, Monthly(1, time(6), months=(1, 4, 7, 10))) == [
        "Thu 01 Jan 06:00",
        "Wed 01 Apr 06:00",
        "Wed 01 Jul 06:00",
    ]


def test_a_month_without_that_day_passes_unless_it_is_clamped() -> None:
    """Day 31 leaves shorter months out; with `missing="clamp"` their last day takes its place."""
    assert first(2, Monthly(31, time(8))) == ["Sat 31 Jan 08:00", "Tue 31 Mar 08:00"]
    assert first(2, Monthly(31, time(8), missing="clamp")) == ["Sat 31 Jan 08:00", "Sat 28 Feb 08:00"]


def test_start_at_and_end_at_are_included() -> None:
    """`start_at` and `end_at` are aware moments, and an occurrence at either of them counts."""
    first_noon, last_noon = datetime(2026, 1, 5, 12, tzinfo=UTC), datetime(2026, 1, 6, 12, tzinfo=UTC)

    assert first(9, Daily(time(12), start_at=first_noon, end_at=last_noon)) == ["Mon 05 Jan 12:00", "Tue 06 Jan 12:00"]


def test_n_is_the_number_of_runs() -> None:
    """Every schedule but `Once` takes an `n`, and -1 is for ever."""
    assert first(9, Daily(time(12), n=2)) == ["Thu 01 Jan 12:00", "Fri 02 Jan 12:00"]
    assert Daily(time(12)).n == Weekly("mon", time(12)).n == Monthly(1, time(12)).n == Cron("@daily").n == -1


def test_or_joins_two_schedules(clock: VirtualClock) -> None:
    """`a | b` happens when either does, and if both do at the same moment, that is one run."""
    mornings = Daily(time(8), tz="UTC") | Weekly("thu", time(8), tz="UTC") | Weekly("sat", time(10), tz="UTC")

    assert mornings == AnyOf(
        (Daily(time(8), tz="UTC"), Weekly("thu", time(8), tz="UTC"), Weekly("sat", time(10), tz="UTC"))
    )
    assert first(4, mornings) == ["Thu 01 Jan 08:00", "Fri 02 Jan 08:00", "Sat 03 Jan 08:00", "Sat 03 Jan 10:00"]
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(open_shop).with_schedule(mornings))
        clock.advance(timedelta(hours=9))
    assert handle.counts["succeeded"] == 1


def test_a_schedule_says_what_it_means() -> None:
    """`explain()` says in one line of plain English when a schedule happens."""
    assert explain(Repeat(-1, 5 * MINUTE)) == "every 5 minutes, for ever"
    assert explain(Weekly(("mon", "thu"), time(8))) == "every Monday and Thursday at 08:00"
    assert explain(Cron("0 8 * * mon-fri")) == "every Monday to Friday at 08:00"


def test_a_schedule_tells_its_single_occurrences() -> None:
    """`next_after()` gives the first occurrence after a moment, and `between()` all after it and up to another."""
    noon = Daily(time(12), tz="UTC")
    day_1, day_2, day_3 = (datetime(2026, 1, day, 12, tzinfo=UTC) for day in (1, 2, 3))

    assert next_after(noon, day_1) == day_2
    assert list(between(noon, day_1, day_3)) == [day_2, day_3]


def test_lint_names_what_may_not_be_meant() -> None:
    """`lint()` finds what is allowed but may surprise, and says what to write instead."""
    assert [smell.code for smell in lint(Repeat(-1))] == ["busy_loop"]
    assert [smell.code for smell in lint(BackgroundTask(open_shop).interval_wait(MINUTE).schedule)] == ["single_run"]
    assert [smell.code for smell in lint(Repeat(5, timedelta(microseconds=10)))] == ["short_wait"]
    assert [smell.code for smell in lint(Daily(time(8)))] == ["no_zone"]
    (smell,) = lint(Monthly(31, time(8), tz="UTC"))
    assert smell.code == "short_month"
    assert "day=-1" in smell.message
    assert lint(Monthly(-1, time(8), tz="UTC")) == []


def test_a_schedule_that_cannot_happen_is_refused() -> None:
    """30 February is refused when it is written; it does not become a task that never runs."""
    with pytest.raises(ValidationError, match="never names a date that exists"):
        Monthly(30, time(8), months=(2,))
