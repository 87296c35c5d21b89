"""A count is the length of the list, for every schedule, zone and span.

The list is made here, date by date, from the offsets of `zoneinfo` alone; where it would be too long, the number is
known by arithmetic.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from math import lcm
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import walker
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import count, slow

from panther_schedule import BackgroundTask, Passed, Scheduler, VirtualClock
from panther_schedule.models.schedules import AnyOf, AnySchedule, Cron, Daily, Monthly, Once, Repeat, Weekly
from panther_schedule.occurrences import compiler, zones
from panther_schedule.occurrences.queries import between

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
STEADY = ["UTC", "Asia/Tokyo", "Asia/Kolkata", "America/Caracas", "Asia/Ho_Chi_Minh", "Asia/Samarkand"]
SET_EACH_YEAR = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/Nuuk"]
ODD = ["Pacific/Apia", "Pacific/Kwajalein", "Asia/Manila", "America/Goose_Bay", "Africa/Monrovia"]
ZONES = st.sampled_from(STEADY + SET_EACH_YEAR + ODD)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# ---------------------------------------------------------------- against a list


def instants(local: datetime, info: ZoneInfo, gap: str, fold: str) -> list[datetime]:
    """The instants at which a zone's clock shows this, or what becomes of it in a gap."""
    first, second = (local.replace(tzinfo=info, fold=number).utcoffset() for number in (0, 1))
    assert first is not None
    assert second is not None
    shown = [(local - offset).replace(tzinfo=UTC) for offset in (first, second)]
    if first == second:
        return shown[:1]
    if first > second:
        return shown if fold == "both" else shown[:1] if fold == "first" else shown[1:]
    low, high = shown[1], shown[0]  # the clock is set between them
    while high - low > SECOND:
        middle = low + (high - low) // SECOND // 2 * SECOND
        low, high = (middle, high) if middle.astimezone(info).utcoffset() == first else (low, middle)
    midnight = local.replace(hour=0, minute=0, second=0).replace(tzinfo=UTC)
    if gap == "skip" or (high + first <= midnight and midnight + DAY <= high + second):
        return []  # by its rule, or because the whole date does not exist
    return [high] if gap == "next_valid" else shown[:1]


def listed(schedule: AnySchedule, after: datetime, until: datetime, zone: str) -> list[datetime]:
    """All occurrences in (after, until], date by date."""
    found: set[datetime] = set()
    if isinstance(schedule, AnyOf):
        for part in schedule.of:
            assert not schedule.excluding
            found.update(listed(part, after, until, zone))
    elif isinstance(schedule, Once):
        found.update([] if schedule.at is None else [schedule.at])
    else:
        assert not isinstance(schedule, Repeat)
        info, (gap, fold), seconds = ZoneInfo(schedule.tz or zone), walker.rules(schedule), walker.times(schedule)
        for number in range((until - after).days + 5):
            midnight = datetime.combine(after.date(), time()) + (number - 2) * DAY
            if walker.names(schedule, midnight.date()):
                for second in seconds:
                    found.update(instants(midnight + second * SECOND, info, gap, fold))
    start, end = getattr(schedule, "start_at", None), getattr(schedule, "end_at", None)
    return sorted(
        at for at in found if after < at <= until and (start is None or start <= at) and (end is None or at <= end)
    )


SPANS = st.tuples(  # from a second to sixty years
    st.datetimes(datetime(1890, 1, 1), datetime(2110, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
    st.sampled_from([10, 10**5, 10**7, 10**8, 19 * 10**8]).flatmap(lambda most: st.integers(1, most)),
)
TIMES = st.builds(time, st.sampled_from([0, 0, 1, 2, 3, 8, 12, 23]), st.sampled_from([0, 30, 59]))


@st.composite
def single(draw: st.DrawFn) -> Daily | Weekly | Monthly | Cron:
    """A schedule of any calendar kind, with a few times of day at most."""
    fields: dict[str, Any] = {
        "gap": draw(st.sampled_from(["next_valid", "shift", "skip"])),
        "fold": draw(st.sampled_from(["first", "last", "both"])),
    }
    if draw(st.integers(0, 3)) == 0:
        fields["start_at"] = draw(st.datetimes(datetime(1900, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds are naive
    if draw(st.booleans()):
        fields["tz"] = draw(ZONES)
    if draw(st.integers(0, 3)) == 0:
        line = draw(st.sampled_from(["0 0,12 * * *", "30 1,2 * * 1-5", "*/20 0-3 1 * *", "0 0 29 2 *", "15 10 13 * 5"]))
        return Cron(line, **fields)
    at = draw(TIMES)
    if draw(st.booleans()):
        fields["excluding"] = draw(st.frozensets(st.sampled_from(["sat", "sun"])))
        kind = draw(st.sampled_from(["daily", "weekly"]))
        return Daily(at, **fields) if kind == "daily" else Weekly(("wed", "fri"), at, **fields)
    return Monthly(draw(st.sampled_from([1, 31, -1])), at, **fields)


APART = Daily(time(0), tz="UTC") | Cron("30 2 * * *", tz="Europe/Berlin")
UNION = st.lists(single(), min_size=2, max_size=3).map(AnyOf)


@slow
@given(single() | UNION, ZONES, SPANS)
@example(Cron("0 0,12 * * *", tz="UTC"), "UTC", (utc("2016-01-01"), 14 * 366 * 86_400))
@example(Weekly(("wed", "fri"), time(0, 59), gap="shift"), "Asia/Samarkand", (utc("1937-02-24 19:00"), 717_121_140))
@example(APART | Once(utc("2020-01-01")) | Once(utc("2020-01-01 12:00")), "UTC", (utc("2016-01-01"), 4 * 366 * 86_400))
def test_a_count_is_the_length_of_the_list(schedule: AnySchedule, zone: str, span: tuple[datetime, int]) -> None:
    after, until = span[0], span[0] + span[1] * SECOND
    expected = listed(schedule, after, until, zone)
    assert count(schedule, after, until, zone=zone) == len(expected)
    assert between(schedule, after, until, zone=zone, limit=100) == expected[:100]


@pytest.mark.parametrize("samples", [1, 7])
@pytest.mark.parametrize("zone", ["America/New_York", "Africa/Casablanca", "Pacific/Apia", "UTC"])
def test_where_a_long_stretch_is_cut_makes_no_difference(
    zone: str, samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zones, "_SPAN", samples * zones._SAMPLE)
    compiler.clear_caches()
    after, until = utc("2010-02-01"), utc("2012-02-01")
    for gap in ("next_valid", "shift", "skip"):
        for fold in ("first", "last", "both"):
            rules: Any = {"gap": gap, "fold": fold}
            for schedule in (Cron("*/30 0-3 * * *", **rules), Daily(time(1, 30), **rules), Daily(time(2, 30), **rules)):
                expected = listed(schedule, after, until, zone)
                assert count(schedule, after, until, zone=zone) == len(expected), schedule
                assert between(schedule, after, until, zone=zone) == expected, schedule
    compiler.clear_caches()


# ---------------------------------------------------------------- by arithmetic


@slow
@given(
    st.sampled_from(["UTC", "Asia/Tokyo", "Europe/Berlin", "America/New_York", "America/Caracas", "Africa/Casablanca"]),
    st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
    st.sampled_from([10, 10**6, 10**9, 126_230_400_000]).flatmap(lambda most: st.integers(1, most)),  # 4,000 years
    st.sampled_from([10, 15, 30]),
)
def test_half_hours_are_those_of_utc(zone: str, after: datetime, seconds: int, minutes: int) -> None:
    until = after + seconds * SECOND

    def until_then(t: datetime) -> int:
        return (t - datetime.min.replace(tzinfo=UTC)) // timedelta(minutes=minutes)

    expected = until_then(until) - until_then(after)
    assert count(Cron(f"*/{minutes} * * * *"), after, until, zone=zone) == expected


@slow
@given(
    ZONES.filter(lambda zone: zone not in {"Pacific/Apia", "Pacific/Kwajalein", "Asia/Manila"}),  # each lost a date
    st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    st.integers(0, 1_460_000),
    TIMES,
    st.sampled_from(["next_valid", "shift"]),
    st.sampled_from(["first", "last"]),
)
def test_a_time_of_day_is_once_on_each_date(zone: str, day: date, days: int, at: time, gap: Any, fold: Any) -> None:
    info = ZoneInfo(zone)
    after, until = (datetime.combine(each, time(17, 17), tzinfo=info) for each in (day, day + days * DAY))
    for times in (1, 2):
        schedule = Daily(at, gap=gap, fold=fold) if times == 1 else Cron("0 6,18 * * *", gap=gap, fold=fold)
        assert count(schedule, after, until, zone=zone) == days * times


def test_leap_days_of_four_thousand_years() -> None:
    for zone in STEADY + SET_EACH_YEAR:
        found = between(Cron("0 12 29 2 *"), utc("2000-01-01"), utc("6000-01-01"), zone=zone)
        assert len(found) == count(Cron("0 12 29 2 *"), utc("2000-01-01"), utc("6000-01-01"), zone=zone) == 970


@pytest.mark.parametrize(("one", "other"), [(5, 5), (20, 30), (12, 15)])
@pytest.mark.parametrize("years", [1, 40, 400])
def test_a_union_over_several_zones_counts_what_coincides_once(one: int, other: int, years: int) -> None:
    union = Cron(f"*/{one} * * * *", tz="Europe/Berlin") | Cron(f"*/{other} * * * *", tz="America/New_York")
    after, until = utc("2000-01-01"), utc("2000-01-01").replace(year=2000 + years)
    minutes = (until - after) // timedelta(minutes=1)
    assert count(union, after, until) == minutes // one + minutes // other - minutes // lcm(one, other)


def test_an_outage_in_a_zone_whose_clock_is_never_set_is_counted_once() -> None:
    clock = VirtualClock(utc("2016-01-01"))
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(print).with_schedule(Cron("0 0,12 * * *", tz="UTC")))
        clock.suspend(timedelta(days=5_000))
        passed, _ = handle.runs
        assert isinstance(passed, Passed)
        assert passed.count == 9_999  # and the latest one runs


# ---------------------------------------------------------------- a union's steps


@pytest.mark.parametrize(
    "union",
    [
        AnyOf((Daily(time(8), tz="UTC"), Weekly("sun", time(10), tz="UTC")), excluding={"sun"}),
        Daily(time(8), tz="UTC") | Monthly(31, time(9), tz="UTC", every=999, starting=date(2026, 1, 1)),
        Daily(time(8), tz="UTC") | Daily(time(9), tz="UTC", end_at=utc("2020-01-01")),
    ],
)
@pytest.mark.parametrize("ask", ["next_after", "latest"])
def test_what_a_part_of_a_union_does_not_have_is_not_searched_again(union: AnyOf, ask: str, looks: list[int]) -> None:
    compiler.clear_caches()
    evaluator = compiler.compile_schedule(union, ZoneInfo("UTC"))
    t = 1_780_300_800_000_000
    for _ in range(100):
        found = getattr(evaluator, ask)(t, 0)
        assert found is not None
        t = found if ask == "next_after" else found - 1
    assert len(looks) < 1_000
