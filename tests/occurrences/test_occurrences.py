"""When a schedule happens: tables, laws, and each zone of the IANA data against an oracle written here."""

from __future__ import annotations

from calendar import isleap
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import repeats, walk

from panther_schedule.clock import SECOND, microseconds, moment
from panther_schedule.models.schedules import AnyOf, AnySchedule, Cron, Daily, Monthly, Once, Repeat, Weekly
from panther_schedule.occurrences import compiler
from panther_schedule.occurrences.compiler import compile_schedule
from panther_schedule.occurrences.queries import between, next_after

DAY = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAR = 1 << 70


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# ---------------------------------------------------------------- tables

CLOCK_CHANGES = [
    # The gap of spring: 02:30 happens at 03:00, and the days around it are whole.
    ("America/New_York", "02:30", ["2026-03-07 07:30", "2026-03-08 07:00", "2026-03-09 06:30"]),
    ("America/New_York", "03:00", ["2026-03-07 08:00", "2026-03-08 07:00", "2026-03-09 07:00"]),
    # The day after it is not lost (APScheduler loses 00:00 to 00:59).
    ("America/New_York", "00:00", ["2026-03-08 05:00", "2026-03-09 04:00", "2026-03-10 04:00"]),
    # The fold of autumn: 01:30 happens once, the first time.
    ("America/New_York", "01:30", ["2026-10-31 05:30", "2026-11-01 05:30", "2026-11-02 06:30"]),
    # A day without midnight begins at one (schedule ran Santiago's 64 times).
    ("America/Sao_Paulo", "00:00", ["2018-11-03 03:00", "2018-11-04 03:00", "2018-11-05 02:00"]),
    ("Africa/Cairo", "00:00", ["2025-04-23 22:00", "2025-04-24 22:00", "2025-04-25 21:00"]),
    ("America/Santiago", "00:00", ["2026-09-05 04:00", "2026-09-06 04:00", "2026-09-07 03:00"]),
    # A gap that ends on the next date (Quartz and systemd lose it).
    ("America/Nuuk", "23:30", ["2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"]),
    # Half an hour.
    ("Australia/Lord_Howe", "02:15", ["2026-10-02 15:45", "2026-10-03 15:30", "2026-10-04 15:15"]),
    # A date that does not exist has no occurrence, and none takes its place.
    ("Pacific/Apia", "12:00", ["2011-12-29 22:00", "2011-12-30 22:00", "2011-12-31 22:00"]),
    ("Pacific/Apia", "00:00", ["2011-12-29 10:00", "2011-12-30 10:00", "2011-12-31 10:00"]),
]


@pytest.mark.parametrize(("zone", "at", "expected"), CLOCK_CHANGES)
def test_where_the_clock_is_set_a_daily_time_still_happens_once_a_date(zone: str, at: str, expected: list[str]) -> None:
    wanted = [utc(text) for text in expected]
    assert between(Daily(time.fromisoformat(at), tz=zone), wanted[0] - timedelta(seconds=1), wanted[-1]) == wanted


CALENDARS: list[tuple[AnySchedule, str, list[str]]] = [
    # 29 February: 2100 is no leap year.
    (Cron("0 0 29 2 *"), "UTC", ["2092-02-29", "2096-02-29", "2104-02-29", "2108-02-29"]),
    (Monthly(29, time(0), months=(2,)), "UTC", ["2092-02-29", "2096-02-29", "2104-02-29", "2108-02-29"]),
    # On a Monday it is the fifth one of its month, 40 years apart over 2100.
    (Monthly((5, "mon"), time(0), months=(2,)), "UTC", ["2016-02-29", "2044-02-29", "2072-02-29", "2112-02-29"]),
    # Months without a day 31 have none, or their last day; nothing drifts to the 28th (Quartz).
    (Monthly(31, time(0)), "UTC", ["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31"]),
    (Monthly(31, time(0), missing="clamp"), "UTC", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
    (
        Monthly(30, time(0), every=2, starting=date(2026, 8, 1)),
        "UTC",
        ["2026-08-30", "2026-10-30", "2026-12-30", "2027-04-30"],
    ),
    (Monthly(-1, time(0)), "UTC", ["2028-01-31", "2028-02-29", "2028-03-31"]),
    # Every other week is counted by weeks from Monday, and nothing is before the starting date.
    (
        Weekly(("mon", "sun"), time(0), every=2, starting=date(2026, 1, 8)),
        "UTC",
        ["2026-01-11", "2026-01-19", "2026-01-25"],
    ),
    (Daily(time(0), every=3, starting=date(2026, 2, 27)), "UTC", ["2026-02-27", "2026-03-02", "2026-03-05"]),
    # A cron line is its daily twin: the end of the gap, and the first pass of the fold.
    (Cron("30 2 * * *"), "America/New_York", ["2026-03-07 07:30", "2026-03-08 07:00", "2026-03-09 06:30"]),
    (Cron("30 1 * * *"), "America/New_York", ["2026-10-31 05:30", "2026-11-01 05:30", "2026-11-02 06:30"]),
    # APScheduler loses the midnight after the change.
    (Cron("0 0 * * *"), "America/New_York", ["2026-03-08 05:00", "2026-03-09 04:00", "2026-03-10 04:00"]),
    (Cron("0 0 * * *"), "Africa/Cairo", ["2025-04-23 22:00", "2025-04-24 22:00", "2025-04-25 21:00"]),
    (Cron("0 0 * * *"), "America/Santiago", ["2026-09-05 04:00", "2026-09-06 04:00", "2026-09-07 03:00"]),
    # Both minutes of the gap are one occurrence at its end (APScheduler runs twice there, cron-converter goes back).
    (Cron("0,30 2,3 * * *"), "America/New_York", ["2026-03-08 07:00", "2026-03-08 07:30", "2026-03-09 06:00"]),
    # Debian: a star in minute or hour follows real minutes. Nothing in the gap, both passes of the fold (Celery's
    # hourly loses the second one, systemd and Quartz the first).
    (Cron("*/20 2 * * *"), "America/New_York", ["2026-03-07 07:40", "2026-03-09 06:00"]),
    (Cron("0 * * * *"), "America/New_York", ["2026-11-01 05:00", "2026-11-01 06:00", "2026-11-01 07:00"]),
    (Cron("30 1 * * *", fold="last"), "America/New_York", ["2026-10-31 05:30", "2026-11-01 06:30", "2026-11-02 06:30"]),
    (Cron("30 1 * * *", fold="both"), "America/New_York", ["2026-11-01 05:30", "2026-11-01 06:30", "2026-11-02 06:30"]),
    (Daily(time(2, 30), gap="shift"), "America/New_York", ["2026-03-07 07:30", "2026-03-08 07:30", "2026-03-09 06:30"]),
    (Daily(time(2, 30), gap="skip"), "America/New_York", ["2026-03-07 07:30", "2026-03-09 06:30"]),
    # A gap that ends on the next date (Quartz and systemd lose it, others run at 00:30).
    (Weekly("sat", time(23, 30)), "America/Nuuk", ["2026-03-22 01:30", "2026-03-29 01:00", "2026-04-05 00:30"]),
    (Daily(time(23, 45)), "Asia/Pyongyang", ["2018-05-03 15:15", "2018-05-04 15:00", "2018-05-05 14:45"]),
    # Half an hour.
    (Cron("15 2 * * *"), "Australia/Lord_Howe", ["2026-10-02 15:45", "2026-10-03 15:30", "2026-10-04 15:15"]),
    # The clock is set at 00:01: cronsim walks for ever (21,44 */3), here it is both passes of the 23rd hour.
    (Cron("21,44 */3 * * *"), "America/Goose_Bay", ["2006-10-29 00:44", "2006-10-29 04:21", "2006-10-29 04:44"]),
    # A date that does not exist has nothing, and nothing takes its place (cronsim and croniter run on the 31st).
    (Weekly("fri", time(12)), "Pacific/Apia", ["2011-12-23 22:00", "2012-01-05 22:00"]),
    (Cron("0 12 * * *"), "Pacific/Apia", ["2011-12-29 22:00", "2011-12-30 22:00"]),
    (Monthly(30, time(12), gap="shift"), "Pacific/Apia", ["2011-11-30 22:00", "2012-01-29 22:00"]),
]


@pytest.mark.parametrize(("schedule", "zone", "expected"), CALENDARS)
def test_calendars(schedule: AnySchedule, zone: str, expected: list[str]) -> None:
    wanted = [utc(text) for text in expected]
    assert between(schedule, wanted[0] - timedelta(seconds=1), wanted[-1], zone=zone) == wanted


def test_a_start_in_the_second_pass_of_a_fold_is_followed_by_what_is_later() -> None:
    # cronsim answers at or before its start there
    second = utc("2026-11-01 06:10")  # 01:10, the second time
    for schedule in (Daily(time(1, 30)), Cron("30 1 * * *")):
        assert next_after(schedule, second, zone="America/New_York") == utc("2026-11-02 06:30")
    assert next_after(Cron("*/30 * * * *"), second, zone="America/New_York") == utc("2026-11-01 06:30")


def test_four_days_of_midnight_in_santiago_are_four_runs_and_an_hour_has_no_more_than_its_minutes() -> None:
    # schedule ran 64 times in these days, AioClock 361 times in an hour
    start, end = utc("2026-09-04 12:00"), utc("2026-09-08 12:00")
    assert len(between(Daily(time(0)), start, end, zone="America/Santiago")) == 4
    assert len(between(Cron("* * * * *"), start, start + timedelta(hours=1), zone="America/Santiago")) == 60


@pytest.mark.parametrize(
    ("line", "first", "last"),
    [
        ("* * * * *", "0001-01-01 00:00", "9999-12-31 23:59"),
        ("59 23 31 12 *", "0001-12-31 23:59", "9999-12-31 23:59"),
        ("0 0 29 2 *", "0004-02-29", "9996-02-29"),
    ],
)
def test_cron_from_year_1_to_9999(line: str, first: str, last: str) -> None:
    cron = compile_schedule(Cron(line), ZoneInfo("UTC"))
    assert cron.next_after(-FAR, 0) == microseconds(utc(first))
    assert cron.latest(FAR, 0) == microseconds(utc(last))
    assert cron.latest(microseconds(utc(first)) - 1, 0) is cron.next_after(microseconds(utc(last)), 0) is None


def test_when_midnight_happens_twice_the_second_one_belongs_to_the_first() -> None:
    # Goose Bay set its clock back from 00:01 on the 29th to 23:01 on the 28th, where cronsim loops without end
    daily = compile_schedule(Daily(time(0)), ZoneInfo("America/Goose_Bay"))
    midnight, again = microseconds(utc("2006-10-29T03:00")), microseconds(utc("2006-10-29T04:00"))
    assert daily.next_after(midnight - 1, 0) == midnight
    assert daily.next_after(midnight, 0) == daily.next_after(again, 0) == microseconds(utc("2006-10-30T04:00"))
    assert daily.latest(again - 1, 0) == daily.latest(again, 0) == midnight
    assert daily.count(midnight, again, 0) == 0


def test_daily_at_eight_covers_each_of_366_days() -> None:
    found = between(Daily(time(8), tz="Europe/Paris"), utc("2027-12-31T12:00"), utc("2028-12-31T12:00"))
    local = [instant.astimezone(ZoneInfo("Europe/Paris")) for instant in found]
    assert [each.date() for each in local] == [date(2028, 1, 1) + timedelta(days=day) for day in range(366)]
    assert {each.time() for each in local} == {time(8)}


ENDS_OF_TIME = [
    # At both ends there is what UTC can say.
    ("UTC", "00:00", "0001-01-01 00:00", "9999-12-31 00:00", 3_652_059),
    ("UTC", "23:59:59", "0001-01-01 23:59:59", "9999-12-31 23:59:59", 3_652_059),
    # East of Greenwich the first date begins before time, west of it the last one ends after.
    ("Asia/Tokyo", "00:00", "0001-01-01 14:41:01", "9999-12-30 15:00", 3_652_058),
    ("America/New_York", "23:30", "0001-01-02 04:26:02", "9999-12-31 04:30", 3_652_058),
    # Two dates less, one at the end and one that does not exist.
    ("Pacific/Apia", "00:00", "0001-01-01 11:26:56", "9999-12-30 11:00", 3_652_057),
]


@pytest.mark.parametrize(("zone", "at", "first", "last", "count"), ENDS_OF_TIME)
def test_from_year_1_to_9999_there_is_no_error(zone: str, at: str, first: str, last: str, count: int) -> None:
    daily = compile_schedule(Daily(time.fromisoformat(at)), ZoneInfo(zone))
    first_at, last_at = microseconds(utc(first)), microseconds(utc(last))
    assert daily.next_after(-FAR, 0) == daily.next_after(first_at - 1, 0) == first_at
    assert daily.latest(first_at, 0) == first_at
    assert daily.latest(first_at - 1, 0) is daily.latest(-FAR, 0) is None
    assert daily.latest(FAR, 0) == daily.latest(last_at, 0) == last_at
    assert daily.next_after(last_at - 1, 0) == last_at
    assert daily.next_after(last_at, 0) is daily.next_after(FAR, 0) is None
    assert daily.count(-FAR, FAR, 0) == daily.count(first_at - 1, last_at, 0) == count
    assert daily.count(first_at, last_at - 1, 0) == count - 2


def test_once_is_the_moment_given_or_that_of_adding() -> None:
    utc_zone = ZoneInfo("UTC")
    for once, anchor in ((Once(), 7), (Once(moment(7)), 99)):
        single = compile_schedule(once, utc_zone)
        assert [single.next_after(t, anchor) for t in (6, 7, 8)] == [7, None, None]
        assert [single.latest(t, anchor) for t in (6, 7, 8)] == [None, 7, 7]
        assert [single.count(6, 7, anchor), single.count(7, 8, anchor), single.count(8, 6, anchor)] == [1, 0, 0]


def test_repeat_is_a_grid_from_the_anchor_and_its_n_is_no_business_of_the_grid() -> None:
    grid = compile_schedule(Repeat(2, timedelta(microseconds=10)), ZoneInfo("UTC"))
    assert [grid.next_after(t, 7) for t in (-FAR, 6, 7, 16, 17, 1007)] == [7, 7, 17, 17, 27, 1017]
    assert [grid.latest(t, 7) for t in (6, 7, 16, 17)] == [None, 7, 7, 17]
    assert [grid.count(*span, 7) for span in ((-FAR, 6), (6, 7), (7, 17), (0, 1007), (17, 7))] == [0, 1, 1, 101, 0]


def test_a_grid_ends_with_the_year_9999() -> None:
    grid = compile_schedule(Repeat(-1, timedelta(days=1)), ZoneInfo("UTC"))
    last = microseconds(utc("9999-12-31"))
    assert grid.latest(FAR, 0) == last
    assert grid.next_after(last, 0) is None
    assert grid.count(last - 1, FAR, 0) == 1


def test_back_to_back_only_the_first_occurrence_is_known() -> None:
    repeat = compile_schedule(Repeat(5), ZoneInfo("UTC"))
    assert [repeat.next_after(6, 7), repeat.next_after(7, 7), repeat.count(0, 9, 7)] == [7, None, 1]


def test_equal_schedules_share_an_evaluator_and_the_schedules_own_zone_wins() -> None:
    paris, tokyo = ZoneInfo("Europe/Paris"), ZoneInfo("Asia/Tokyo")
    assert compile_schedule(Daily(time(8)), paris) is compile_schedule(Daily(time(8), 3), paris)
    assert compile_schedule(Daily(time(8)), paris) is compile_schedule(Daily(time(8), tz="Europe/Paris"), tokyo)
    assert compile_schedule(Daily(time(8)), paris) is not compile_schedule(Daily(time(8)), tokyo)
    before = compile_schedule(Daily(time(8)), paris)
    compiler.clear_caches()
    assert compile_schedule(Daily(time(8)), paris) is not before


# ---------------------------------------------------------------- what a program may ask


def test_next_after_is_strictly_after_and_aware_in_utc() -> None:
    daily = Daily(time(8))
    eight = datetime(2026, 7, 1, 8, tzinfo=ZoneInfo("Europe/Paris"))
    assert next_after(daily, eight, zone="Europe/Paris") == utc("2026-07-02T06:00")
    found = next_after(daily, eight - timedelta(microseconds=1), zone=ZoneInfo("Europe/Paris"))
    assert found == eight
    assert found is not None
    assert found.tzinfo is UTC
    assert next_after(daily, utc("9999-12-31T08:00"), zone="UTC") is None


def test_the_anchor_is_where_a_repeat_begins() -> None:
    repeat, start = Repeat(3, timedelta(minutes=5)), utc("2026-07-01T08:00")
    assert next_after(repeat, start) == utc("2026-07-01T08:05")
    assert next_after(repeat, start, anchor=utc("2026-07-01T07:58")) == utc("2026-07-01T08:03")
    assert next_after(Once(), start) is None
    assert next_after(Once(), start, anchor=utc("2026-07-01T09:00")) == utc("2026-07-01T09:00")


def test_a_delay_is_counted_from_the_anchor() -> None:
    begun, start, hour = utc("2026-07-01T07:58"), utc("2026-07-01T08:00"), timedelta(hours=1)
    once, repeat = Once(after=hour), Repeat(3, timedelta(minutes=5), after=hour)
    assert [next_after(once, start), next_after(once, start, anchor=begun)] == [start + hour, begun + hour]
    assert next_after(once, begun + hour, anchor=begun) is None
    assert next_after(repeat, begun + hour, anchor=begun) == utc("2026-07-01T09:03")
    assert between(repeat, start, utc("2026-07-01T09:05"), anchor=begun) == [
        utc("2026-07-01T08:58"),
        utc("2026-07-01T09:03"),
    ]
    assert next_after(Once(after=timedelta.max), start) is None


def test_from_the_end_only_the_first_occurrence_is_known() -> None:
    start, minute = utc("2026-07-01T08:00"), timedelta(minutes=1)
    repeat = Repeat(-1, minute, after=minute, measured_from="end")
    assert between(repeat, start, start + 9 * minute) == [start + minute]


def test_without_a_zone_it_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "machine_zone", lambda: ZoneInfo("Asia/Tokyo"))
    assert next_after(Daily(time(8)), utc("2026-07-01T00:00")) == utc("2026-07-01T23:00")
    assert next_after(Daily(time(8), tz="UTC"), utc("2026-07-01T00:00")) == utc("2026-07-01T08:00")


def test_between_includes_its_end_but_not_its_start() -> None:
    repeat, start = Repeat(-1, timedelta(hours=1)), utc("2026-07-01T08:00")
    end = utc("2026-07-01T10:00")
    assert between(repeat, start, end) == [utc("2026-07-01T09:00"), end]
    assert between(repeat, start, end, limit=1) == [utc("2026-07-01T09:00")]
    assert between(repeat, start, end, limit=0) == between(repeat, end, start) == []
    assert between(repeat, start, end, anchor=end) == [end]


def test_between_refuses_to_fill_the_memory() -> None:
    repeat, start = Repeat(-1, timedelta(seconds=1)), utc("2026-01-01")
    with pytest.raises(ValueError, match=r"31,536,000 occurrences lie between these times; pass limit="):
        between(repeat, start, utc("2027-01-01"))
    assert len(between(repeat, start, utc("2027-01-01"), limit=3)) == 3
    with pytest.raises(ValueError, match=r"limit must be an int of at least 0, got -1"):
        between(repeat, start, start, limit=-1)


def test_naive_times_are_refused_with_the_remedy() -> None:
    naive, aware = datetime(2026, 7, 1), utc("2026-07-01")  # noqa: DTZ001 - what is refused
    remedy = r"must be an aware datetime, got a naive one; write datetime\(2026, 12, 24, 18, 0, tzinfo=UTC\)"
    with pytest.raises(ValueError, match="after " + remedy):
        next_after(Daily(time(8)), naive)
    with pytest.raises(ValueError, match="anchor " + remedy):
        next_after(Once(), aware, anchor=naive)
    with pytest.raises(ValueError, match="until " + remedy):
        between(Daily(time(8)), aware, naive)


# ---------------------------------------------------------------- laws

ZONES = st.one_of(
    st.sampled_from(
        ["UTC", "America/New_York", "America/Nuuk", "Africa/Cairo", "Africa/Casablanca", "Africa/Monrovia"]
    ),
    st.sampled_from(["Australia/Lord_Howe", "America/Goose_Bay"]),
    st.sampled_from(["Pacific/Apia", "Pacific/Kwajalein", "Asia/Manila", "America/Juneau"]),  # crossed the date line
)
TIMES = st.builds(time, st.integers(0, 23), st.integers(0, 59), st.sampled_from([0, 0, 0, 1, 59]))
SCHEDULES: st.SearchStrategy[AnySchedule] = st.one_of(
    st.builds(Daily, TIMES),
    st.builds(Weekly, st.sampled_from(["mon", ("tue", "sun")]), TIMES),
    st.builds(Monthly, st.sampled_from([1, 31, -1, (5, "fri")]), TIMES),
    repeats(st.timedeltas(timedelta(0), timedelta(days=3)), st.just(-1)),
    st.builds(Once, st.none() | st.datetimes(timezones=st.just(UTC))),
)
CHANGES = [
    *("0001-01-01", "1844-12-31", "1867-10-18", "1892-07-04", "1969-09-30", "1972-01-07", "1993-08-21", "2006-10-29"),
    *("2011-12-30", "2025-04-25", "2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-11-01", "9999-12-31"),
]


def near(text: str, seconds: int, more: int) -> int:
    return microseconds(utc(text)) + seconds * SECOND + more


INSTANTS = st.one_of(
    st.integers(microseconds(utc("0001-01-01")), microseconds(utc("9999-12-31"))),
    st.builds(  # near a date on which one of these clocks was set
        near,
        st.sampled_from(CHANGES),
        st.integers(-3 * DAY, 3 * DAY) | st.sampled_from(range(-3 * DAY, 3 * DAY, 1800)),
        st.sampled_from([0, 0, -1, 1]),
    ),
)


@given(SCHEDULES, ZONES, INSTANTS, INSTANTS)
def test_occurrences_increase_latest_inverts_next_after_and_count_is_their_number(
    schedule: AnySchedule, zone: str, t: int, anchor: int
) -> None:
    evaluator = compile_schedule(schedule, ZoneInfo(zone))
    found = walk(evaluator, t, FAR, anchor, 8)
    assert found == sorted(set(found))
    for before, after in zip([t, *found], found, strict=False):
        assert before < after
        assert evaluator.latest(after, anchor) == after
        earlier = evaluator.latest(after - 1, anchor)
        assert earlier is None or earlier <= before
        assert before == t or earlier == before
    for number, after in enumerate(found, 1):
        assert evaluator.count(t, after, anchor) == number
        assert evaluator.count(t, after - 1, anchor) == number - 1
    assert evaluator.count(t, t, anchor) == 0
    if not found:
        assert evaluator.count(t, FAR, anchor) == 0


@given(SCHEDULES, ZONES, INSTANTS, INSTANTS, INSTANTS, INSTANTS)
def test_counts_of_adjoining_spans_add_up(
    schedule: AnySchedule, zone: str, first: int, second: int, third: int, anchor: int
) -> None:
    evaluator = compile_schedule(schedule, ZoneInfo(zone))
    first, second, third = sorted((first, second, third))
    whole = evaluator.count(first, third, anchor)
    assert whole == evaluator.count(first, second, anchor) + evaluator.count(second, third, anchor)
    assert evaluator.count(third, first, anchor) == 0


def test_a_moment_at_the_end_of_time_in_a_union_is_no_error() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    for excluding in ((), (last.date(),)):
        union = AnyOf((Once(last), Daily(time(1))), excluding=excluding)

        assert next_after(union, last - timedelta(days=1), zone="Asia/Tokyo") is not None


def test_29_february_is_in_each_leap_year_of_the_calendar_and_in_no_other() -> None:
    leap_days = compile_schedule(Cron("0 0 29 2 *"), ZoneInfo("UTC"))
    expected = [microseconds(datetime(year, 2, 29, tzinfo=UTC)) for year in range(1, 10_000) if isleap(year)]

    assert walk(leap_days, -FAR, FAR, 0, 10_000) == expected
    assert [leap_days.latest(at - 1, 0) for at in expected[1:]] == expected[:-1]
