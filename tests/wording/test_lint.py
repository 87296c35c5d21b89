"""lint: likely mistakes in a schedule, with fixes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Case, cases, slow

from panther_schedule.models.schedules import AnyOf, Cron, Daily, Monthly, Once, Repeat, Schedule, Weekly
from panther_schedule.wording.smells import Smell, lint

AT = time(8)
NIGHT = time(2, 30)
BERLIN = "Europe/Berlin"
SMELLS: list[tuple[Schedule, list[str]]] = [
    # Nothing to say.
    (Once(), []),
    (Once(datetime(2026, 1, 1, tzinfo=UTC)), []),
    (Repeat(5), []),
    (Repeat(-1, timedelta(seconds=1)), []),
    (Daily(AT, tz=BERLIN), []),
    (Daily(NIGHT, tz="UTC"), []),
    (Daily(NIGHT, tz="Asia/Tokyo"), []),
    (Monthly(28, AT, tz="UTC"), []),
    (Monthly(-1, AT, tz="UTC"), []),
    (Monthly(31, AT, tz="UTC", missing="clamp"), []),
    (Monthly(31, AT, tz="UTC", months=(1, 12)), []),
    (Monthly(31, AT, tz="UTC", every=12, starting=date(2026, 1, 1)), []),
    (Monthly((-1, "fri"), AT, tz="UTC"), []),
    (Cron("0 9 1,31 * *", tz="UTC"), []),
    (Cron("0 9 31,L * *", tz="UTC"), []),
    (Cron("0 9 1-31/2 * *", tz="UTC"), []),
    (Cron("0 9 * * mon", tz="UTC"), []),
    # Real minutes suit a clock that is set.
    (Cron("*/5 * * * *", tz=BERLIN), []),
    # Without a wait, without a zone.
    (Repeat(-1), ["busy_loop"]),
    (Repeat(-1, measured_from="end"), ["busy_loop"]),
    (Repeat(-1, timedelta(seconds=1), measured_from="end"), []),
    # A wait for nothing.
    (Repeat(1), []),
    (Repeat(1, timedelta(seconds=1)), ["single_run"]),
    (Repeat(2, timedelta(seconds=1)), []),
    # A wait that is too short.
    (Repeat(5, timedelta(milliseconds=1)), []),
    (Repeat(5, timedelta(microseconds=999)), ["short_wait"]),
    (Repeat(-1, timedelta(microseconds=1), measured_from="end"), ["short_wait"]),
    (Repeat(1, timedelta(microseconds=1)), ["single_run"]),
    # Steps that come out even.
    (Cron("*/1 */1 */1 */1 */1", tz="UTC"), []),
    (Cron("*/15 */6 * */3 *", tz="UTC"), []),
    (Cron("*/60 */24 * */12 */7", tz="UTC"), []),
    (Cron("5/20 1/2 * 2/3 *", tz="UTC"), []),
    # Steps of a range, which say where they end.
    (Cron("0-50/45 9-17/5 1-20/7 * *", tz="UTC"), []),
    # Steps that begin anew in each hour, day, month, year, week.
    (Cron("*/45 * * * *", tz="UTC"), ["uneven_step"]),
    (Cron("*/90 * * * *", tz="UTC"), ["uneven_step"]),
    (Cron("10,*/7 * * * *", tz="UTC"), ["uneven_step"]),
    (Cron("5/45 * * * *", tz="UTC"), ["uneven_step"]),
    (Cron("0 */5 * * *", tz="UTC"), ["uneven_step"]),
    (Cron("0 */36 * * *", tz="UTC"), ["uneven_step"]),
    (Cron("0 9 */2 * *", tz="UTC"), ["uneven_step"]),
    (Cron("0 9 */7 * *", tz="UTC"), ["uneven_step"]),
    (Cron("0 9 1 */5 *", tz="UTC"), ["uneven_step"]),
    (Cron("0 9 * * mon/2", tz="UTC"), ["uneven_step"]),
    (Cron("*/100 */100 */100 * *", tz="UTC"), ["uneven_step"] * 3),
    (Cron("*/100000000 * * * *", tz="UTC"), ["uneven_step"]),
    (Cron("*/45 9 */2 * fri", tz="UTC"), ["day_and_weekday", "uneven_step"]),
    (Daily(AT), ["no_zone"]),
    (Daily(AT) | Weekly("mon", time(9)), ["no_zone"]),
    # Not in each month.
    (Monthly(31, AT, tz="UTC"), ["short_month"]),
    (Monthly(29, AT, tz="UTC", months=(2,)), ["short_month"]),
    (Monthly((5, "fri"), AT, tz="UTC"), ["short_month"]),
    (Cron("0 9 30,31 * *", tz="UTC"), ["short_month"]),
    # Day and weekday: one of them, or both.
    (Cron("0 9 13 * fri", tz="UTC"), ["day_and_weekday"]),
    (Cron("0 9 */2 * fri", tz="UTC"), ["day_and_weekday"]),
    # Times that a zone's clock skips or passes twice.
    (Daily(NIGHT, tz=BERLIN), ["skipped_time", "doubled_time"]),
    (Daily(time(0), tz="America/Havana"), ["doubled_time", "skipped_time"]),
    (Daily(time(3), tz=BERLIN), []),
    (Weekly("mon", NIGHT, tz=BERLIN), []),
    (Daily(NIGHT, tz=BERLIN, excluding={"sun"}), []),
    (Daily(NIGHT, tz=BERLIN, end_at=datetime(2020, 1, 1, tzinfo=UTC)), []),
    (Cron("30 2 * * *", tz=BERLIN), ["skipped_time", "doubled_time"]),
    (Cron("*/5 * * * *", tz=BERLIN, gap="next_valid"), ["skipped_time"]),
    (Cron("*/5 * * * *", tz=BERLIN, fold="first"), ["doubled_time"]),
    (AnyOf((Daily(NIGHT, tz=BERLIN),), excluding={"sun"}), []),
    (AnyOf((Daily(NIGHT, tz=BERLIN),), end_at=datetime(2020, 1, 1, tzinfo=UTC)), []),
    # Of each part of a union.
    (AnyOf((Monthly(31, AT, tz="UTC"), Cron("0 9 13 * fri", tz="UTC"))), ["day_and_weekday", "short_month"]),
]


@pytest.mark.parametrize(("schedule", "codes"), SMELLS)
def test_what_smells(schedule: Schedule, codes: list[str]) -> None:
    assert sorted(smell.code for smell in lint(schedule)) == sorted(codes)


MESSAGES: list[tuple[Schedule, str]] = [
    (Repeat(-1), "add a wait, as in Repeat(-1, timedelta(minutes=5))"),
    (Daily(AT), 'name one, as in tz="Europe/Berlin"'),
    (Repeat(1, timedelta(minutes=5)), "it runs once, without the wait of 5 minutes; write n=-1, or interval(-1), for"),
    (
        Repeat(-1, timedelta(microseconds=1)),
        "a wait of 0.000001 seconds is shorter than the scheduler can keep, 1 millisecond; "
        "write timedelta(milliseconds=1) or more",
    ),
    (
        Cron("*/45 * * * *", tz="UTC"),
        "*/45 is minutes 0 and 45 of each hour, not every 45 minutes; write Repeat(-1, timedelta(minutes=45)) for that",
    ),
    (Cron("*/90 * * * *", tz="UTC"), "*/90 is minute 0 of each hour, not every 90 minutes; "),
    (Cron("5/45 * * * *", tz="UTC"), "5/45 is minutes 5 and 50 of each hour, not every 45 minutes; "),
    (
        Cron("0 */5 * * *", tz="UTC"),
        "*/5 is hours 0, 5, 10, ... 20 of each day, not every 5 hours; write Repeat(-1, timedelta(hours=5)) for that",
    ),
    (
        Cron("0 9 */2 * *", tz="UTC"),
        "*/2 is days 1, 3, 5, ... 31 of each month, not every 2 days; write Daily(..., every=2, starting=...) for that",
    ),
    (
        Cron("0 9 1 */5 *", tz="UTC"),
        "*/5 is months 1, 6 and 11 of each year, not every 5 months; write Monthly(..., every=5, starting=...) for",
    ),
    (Cron("0 9 * * MON/2", tz="UTC"), "mon/2 is days 1, 3, 5 and 7 of each week, not every 2 days; "),
    (Monthly(31, AT, tz="UTC"), "write day=-1 for the last day, or missing='clamp'"),
    (Monthly((5, "fri"), AT, tz="UTC"), "months without a fifth Friday; write day=(-1, 'fri') for the last one"),
    (Cron("0 9 31 * *", tz="UTC"), "write L for the last day"),
    (Cron("0 9 13 * fri", tz="UTC"), "either day-of-month or day-of-week matches; write * for one"),
    (
        Cron("0 9 */2 * fri", tz="UTC"),
        "day-of-month and day-of-week both match, as one starts with a star; write * for one",
    ),
    (
        Daily(NIGHT, tz=BERLIN),
        "in Europe/Berlin: moved to 03:00; choose a time outside 02:00 to 03:00, or tz='UTC'",
    ),
    (Daily(NIGHT, tz=BERLIN, gap="shift"), "in Europe/Berlin: moved to 03:30; "),
    (Cron("15,30 2 * * *", tz=BERLIN, gap="shift"), "in Europe/Berlin: moved by 1 hour; "),
    (Daily(NIGHT, tz=BERLIN, gap="skip"), "in Europe/Berlin: skipped; "),
    (Cron("*/5 * * * *", tz=BERLIN, gap="next_valid"), "12 times from 02:00 to 02:55 do not exist on "),
    (Cron("*/5 * * * *", tz=BERLIN, fold="first"), "12 times from 02:00 to 02:55 happen twice on "),
    (Cron("*/5 * * * *", tz=BERLIN, fold="first"), "in Europe/Berlin: it runs the first time; "),
    (Cron("*/5 * * * *", tz=BERLIN, fold="last"), "in Europe/Berlin: it runs the second time; "),
    (Cron("30 2 * 10 *", tz=BERLIN, fold="both"), "in Europe/Berlin: it runs both times; "),
]


@pytest.mark.parametrize(("schedule", "message"), MESSAGES)
def test_a_smell_has_a_remedy(schedule: Schedule, message: str) -> None:
    assert message in lint(schedule)[0].message


def test_a_zone_is_for_a_schedule_that_names_none() -> None:
    assert lint(Daily(NIGHT), "UTC") == []
    assert lint(Daily(NIGHT), ZoneInfo(BERLIN)) == lint(Daily(NIGHT, tz=BERLIN)) != []
    assert lint(Daily(NIGHT, tz="UTC"), BERLIN) == []


def test_a_smell_is_a_value() -> None:
    (smell,) = lint(Repeat(-1))
    assert smell == Smell("busy_loop", smell.message)
    assert hash(smell)


@slow
@given(cases(), st.booleans())
def test_any_schedule_can_be_looked_at(case: Case, zoned: bool) -> None:
    (key, _), schedule = case
    for smell in lint(schedule, key if zoned else None):
        assert smell.message.isprintable()
