"""Summer time: each wall-clock rule happens once for each local date that it names."""

from datetime import UTC, datetime, time, timedelta

from panther_schedule import (
    BackgroundTask,
    Cron,
    Daily,
    Repeat,
    Schedule,
    Scheduler,
    VirtualClock,
    Weekly,
    lint,
    preview,
)

BERLIN = "Europe/Berlin"
SPRING = datetime(2026, 3, 28, 12, tzinfo=UTC)
"""The clock in Berlin goes from 02:00 to 03:00 on the next day."""
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)
"""It goes from 03:00 back to 02:00 on the next day."""


def work() -> None:
    """Stand for a function of the program."""


def first(n: int, schedule: Schedule, after: datetime) -> list[str]:
    """Show the first occurrences, by the clock of the schedule's zone."""
    return [f"{each.local:%a %d %b %H:%M %z}" for each in preview(schedule, n, after=after)]


def test_a_skipped_time_runs_at_the_end_of_the_gap() -> None:
    """02:30 does not exist where the clock goes from 02:00 to 03:00, so that day's run is at 03:00."""
    daily = Daily(time(2, 30), tz=BERLIN)

    assert first(2, daily, SPRING) == ["Sun 29 Mar 03:00 +0200", "Mon 30 Mar 02:30 +0200"]


def test_gap_shift_runs_as_much_later_as_the_clock_is_set() -> None:
    """With `gap="shift"`, as in RFC 5545, 02:30 becomes 03:30."""
    daily = Daily(time(2, 30), tz=BERLIN, gap="shift")

    assert first(2, daily, SPRING) == ["Sun 29 Mar 03:30 +0200", "Mon 30 Mar 02:30 +0200"]


def test_gap_skip_leaves_the_day_out() -> None:
    """With `gap="skip"` a skipped time has no run that day."""
    daily = Daily(time(2, 30), tz=BERLIN, gap="skip")

    assert first(2, daily, SPRING) == ["Mon 30 Mar 02:30 +0200", "Tue 31 Mar 02:30 +0200"]


def test_a_time_that_is_passed_twice_runs_the_first_time() -> None:
    """02:30 occurs twice where the clock goes from 03:00 back to 02:00, and the first one counts."""
    daily = Daily(time(2, 30), tz=BERLIN)

    assert first(2, daily, AUTUMN) == ["Sun 25 Oct 02:30 +0200", "Mon 26 Oct 02:30 +0100"]


def test_fold_last_runs_the_second_time() -> None:
    """With `fold="last"` the second 02:30 counts."""
    daily = Daily(time(2, 30), tz=BERLIN, fold="last")

    assert first(2, daily, AUTUMN) == ["Sun 25 Oct 02:30 +0100", "Mon 26 Oct 02:30 +0100"]


def test_fold_both_runs_twice() -> None:
    """With `fold="both"` each 02:30 is an occurrence."""
    daily = Daily(time(2, 30), tz=BERLIN, fold="both")

    assert first(2, daily, AUTUMN) == ["Sun 25 Oct 02:30 +0200", "Sun 25 Oct 02:30 +0100"]


def test_a_preview_notes_where_the_clock_is_set() -> None:
    """A preview has a note wherever a clock change affects an occurrence."""
    daily = Daily(time(2, 30), tz=BERLIN)

    assert [each.note for each in preview(daily, 2, after=SPRING)] == [
        "02:30 does not exist on 29 Mar: moved to 03:00",
        None,
    ]
    assert preview(daily, 1, after=AUTUMN)[0].note == "02:30 happens twice on 25 Oct: the first"


def test_a_cron_with_a_star_in_minute_or_hour_follows_the_real_minutes() -> None:
    """Every half hour stays half an hour: no run in a gap, and runs in both passes of a fold."""
    half_hours = Cron("*/30 * * * *", tz=BERLIN)

    assert first(2, half_hours, datetime(2026, 3, 29, 0, tzinfo=UTC)) == [
        "Sun 29 Mar 01:30 +0100",
        "Sun 29 Mar 03:00 +0200",
    ]
    assert first(4, half_hours, datetime(2026, 10, 24, 23, 30, tzinfo=UTC)) == [
        "Sun 25 Oct 02:00 +0200",
        "Sun 25 Oct 02:30 +0200",
        "Sun 25 Oct 02:00 +0100",
        "Sun 25 Oct 02:30 +0100",
    ]


def test_a_cron_of_fixed_times_does_as_daily_does() -> None:
    """All the times that fall into one gap become one run at its end."""
    assert first(2, Cron("10,40 2 * * *", tz=BERLIN), SPRING) == ["Sun 29 Mar 03:00 +0200", "Mon 30 Mar 02:10 +0200"]


def test_a_gap_or_fold_that_is_given_wins() -> None:
    """With a `gap` or `fold` of its own, a cron expression's stars no longer matter."""
    hourly = Cron("30 * * * *", tz=BERLIN, fold="first")

    assert first(2, hourly, datetime(2026, 10, 25, 0, tzinfo=UTC)) == [
        "Sun 25 Oct 02:30 +0200",
        "Sun 25 Oct 03:30 +0100",
    ]


def test_a_gap_need_not_be_an_hour() -> None:
    """On Lord Howe Island the clock is set by half an hour."""
    daily = Daily(time(2, 15), tz="Australia/Lord_Howe")

    assert first(1, daily, datetime(2026, 10, 3, tzinfo=UTC)) == ["Sun 04 Oct 02:30 +1100"]


def test_a_run_that_moves_to_the_next_date_still_belongs_to_its_own() -> None:
    """In Nuuk the gap ends on Sunday; the run is still Saturday's, so excluding Sundays does not remove it."""
    saturdays = Weekly("sat", time(23, 30), tz="America/Nuuk", excluding={"sun"})

    assert first(2, saturdays, datetime(2026, 3, 22, 12, tzinfo=UTC)) == [
        "Sun 29 Mar 00:00 -0100",
        "Sat 04 Apr 23:30 -0100",
    ]


def test_midnight_need_not_exist() -> None:
    """In Santiago one day of the year begins at 01:00, and its midnight run comes then."""
    daily = Daily(time(0), tz="America/Santiago")

    assert first(2, daily, datetime(2026, 9, 6, tzinfo=UTC)) == ["Sun 06 Sep 01:00 -0300", "Mon 07 Sep 00:00 -0300"]


def test_a_date_that_does_not_exist_has_no_occurrence() -> None:
    """Samoa skipped 30 December 2011, and that day has no run."""
    daily = Daily(time(12), tz="Pacific/Apia")

    assert first(2, daily, datetime(2011, 12, 29, tzinfo=UTC)) == ["Thu 29 Dec 12:00 -1000", "Sat 31 Dec 12:00 +1400"]


def test_lint_tells_whether_a_time_is_affected() -> None:
    """`lint()` warns of a time that a clock change of the next five years skips or repeats."""
    assert [smell.code for smell in lint(Daily(time(2, 30), tz=BERLIN))] == ["skipped_time", "doubled_time"]
    assert lint(Daily(time(4), tz=BERLIN)) == lint(Daily(time(2, 30), tz="UTC")) == []


def test_repeat_knows_no_summer_time() -> None:
    """A wait of 24 hours is not always a day: after the clock goes forward, the run is an hour later on the wall."""
    in_berlin = preview(Repeat(2, timedelta(hours=24)), 2, after=SPRING, zone=BERLIN)

    assert [f"{each.local:%H:%M}" for each in in_berlin] == ["13:00", "14:00"]


def test_a_year_of_a_skipped_and_doubled_time_is_365_runs() -> None:
    """A daily task runs once on each date of the year, also at 02:30 in Berlin."""
    clock = VirtualClock(datetime(2025, 12, 31, 23, tzinfo=UTC))
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work).with_schedule(Daily(time(2, 30), tz=BERLIN)))
        clock.advance(timedelta(days=365))

    assert handle.counts["succeeded"] == 365
