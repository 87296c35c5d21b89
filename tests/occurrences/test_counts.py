"""A count is the length of the list, for every schedule, zone and span, and all other answers agree with the list.

The list is that of `lists`; where it would be too long, the number is known by arithmetic.
"""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from math import lcm
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import cron_lines
import lists
import pytest
import walker
from hypothesis import example, given
from hypothesis import strategies as st
from lists import DAY, SECOND, Question
from strategies import CHANGES, FOLDS, GAPS, SCHEDULES, changes, count, slow

from panther_schedule.models.schedules import AnyOf, AnySchedule, Cron, Daily, Monthly, Once, Repeat, Weekly
from panther_schedule.occurrences import compiler, zones
from panther_schedule.occurrences.queries import between

STEADY = ["UTC", "Asia/Tokyo", "Asia/Kolkata", "America/Caracas", "Asia/Ho_Chi_Minh", "Asia/Samarkand"]
SET_EACH_YEAR = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/Nuuk"]
ODD = ["Pacific/Apia", "Pacific/Kwajalein", "Asia/Manila", "America/Goose_Bay", "Africa/Monrovia", "Antarctica/Troll"]
ZONES = st.sampled_from(STEADY + SET_EACH_YEAR + ODD)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# ---------------------------------------------------------------- against a list

ANY_ZONE = ZONES | st.sampled_from(sorted(zoneinfo.available_timezones()))
SPARSE = st.sampled_from([1, 1, 1, 2, 3, 5, 12, 50, 400, 1000])
LINES = st.integers(0, 1 << 32).map(lambda seed: cron_lines.line(Random(seed), faults=0, specials=0.3))
RARE_LINES = st.sampled_from(["0 12 29 2 *", "@yearly", "30 1,2 * 3 sun", "15 0 31 10 *", "0 0 LW 11 *", "5 2 * 4 1#2"])
TIMES = st.builds(
    time, st.sampled_from([0, 0, 1, 2, 3, 8, 12, 23]), st.sampled_from([0, 30, 59]), st.sampled_from([0, 0, 1, 59])
)
LOOKS = 1_000
"""So many times of day are looked at for a list, at most: the denser a schedule, the shorter its span."""
LONGEST = 4_000 * 365 * DAY


@st.composite
def calendars(draw: st.DrawFn, day: date) -> walker.Kind:
    """A schedule of any calendar kind with any options; those that name dates name some about a day."""
    kind = draw(st.sampled_from(["daily", "weekly", "monthly", "monthly", "cron"]))
    document: dict[str, Any] = {"kind": kind, "excluding": draw(excluded(day)), "tz": draw(st.none() | ANY_ZONE)}
    document |= draw(bounds(day))
    if draw(st.booleans()):
        document |= {"gap": draw(GAPS), "fold": draw(FOLDS)}
    if kind == "cron":
        document["expression"] = draw(LINES | RARE_LINES)
        document["seconds"] = draw(st.sampled_from(["0", "0", "0", "30", "1,59", "*/20", "*"]))
    else:
        document |= {"at": draw(TIMES), "every": draw(SPARSE)}
        if document["every"] > 1 or draw(st.booleans()):
            document["starting"] = day + draw(st.integers(-800, 40)) * DAY
    if kind == "weekly":
        document["days"] = draw(st.sets(st.sampled_from(walker.WEEKDAYS), min_size=1, max_size=3))
    elif kind == "monthly":
        nth = st.tuples(st.sampled_from([1, 2, 4, 5, -1]), st.sampled_from(walker.WEEKDAYS))
        document["day"] = draw(st.sampled_from([1, 29, 30, 31, -1]) | nth)
        document["missing"] = draw(st.sampled_from(["skip", "clamp"]))
        document["months"] = draw(st.none() | st.sets(st.integers(1, 12), min_size=1, max_size=3))
    try:
        return SCHEDULES.validate_python(document)  # type: ignore[return-value]  # pyright: ignore[reportReturnType] - of a kind above
    except ValueError:  # the fields show that it never happens
        return Daily(document.get("at", time(0)))


def excluded(day: date) -> st.SearchStrategy[frozenset[date | str]]:
    some = st.sampled_from(walker.WEEKDAYS) | st.integers(-9, 9).map(lambda by: day + by * DAY)
    return st.just(frozenset[date | str]()) | st.frozensets(some, max_size=3)


@st.composite
def bounds(draw: st.DrawFn, day: date) -> dict[str, datetime]:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    chosen = draw(st.sampled_from([(), (), ("start_at",), ("end_at",), ("start_at", "end_at")]))
    minutes = {"start_at": st.integers(-9_000, 9_000), "end_at": st.integers(9_000, 900_000)}
    return {name: noon + draw(minutes[name]) * timedelta(minutes=1) for name in chosen}


@st.composite
def schedules(draw: st.DrawFn, after: datetime) -> AnySchedule:
    """A schedule of any kind."""
    near = st.integers(-100, 10**7).map(lambda seconds: after + seconds * SECOND)
    kind = draw(st.sampled_from(["calendar", "calendar", "calendar", "union", "union", "once", "repeat"]))
    if kind == "once":
        return Once(draw(st.none() | near))
    if kind == "repeat":
        return Repeat(-1, draw(st.sampled_from([0, 1, 90, 3_600, 10**6])) * SECOND)
    if kind == "calendar":
        return draw(calendars(after.date()))
    parts: list[Any] = [draw(calendars(after.date())) for _ in range(draw(st.integers(1, 3)))]
    parts += [Once(draw(near)) for _ in range(draw(st.integers(0, 2)))]
    try:
        return AnyOf(parts, excluding=draw(excluded(after.date())), **draw(bounds(after.date())))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - dates and names of weekdays
    except ValueError:  # it excludes all that its parts name
        return AnyOf(parts)


def longest(schedule: AnySchedule) -> timedelta:
    """The longest span of which a list is short enough."""
    match schedule:
        case Once():
            return LONGEST
        case Repeat(wait=wait):
            return LOOKS * wait or LONGEST
        case AnyOf():
            return min(LONGEST / 10, *map(longest, schedule.of)) / len(schedule.of)  # it is counted day by day
        case Daily() | Weekly():
            return min(LONGEST, LOOKS * schedule.every * DAY)
        case _:
            of_a_year = len(set(lists.months_of(schedule))) * len(walker.times(schedule))
            return min(LONGEST, LOOKS * getattr(schedule, "every", 1) * 12 * DAY / of_a_year)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """A schedule of any kind, in any zone, asked for a span of a second up to 4,000 years."""
    recent = st.datetimes(datetime(1890, 1, 1), datetime(2110, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
    any_time = st.datetimes(datetime(2, 1, 1), datetime(5990, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
    zone, after = draw(ANY_ZONE), draw(recent | recent | any_time)
    if draw(st.booleans()):
        zone, instant = draw(CHANGES)
        after = datetime.fromtimestamp(instant - draw(st.integers(-1, 90_000)), UTC)
    schedule = draw(schedules(after))
    span = longest(schedule) // draw(st.sampled_from([1, 1, 1, 2, 30, 1_000, 10**6]))
    until = after + max(SECOND, span - draw(st.integers(0, 90_000)) * SECOND)
    return Question(schedule, zone, after, until, after - draw(st.sampled_from([0, 0, 1, 5_000])) * SECOND)


APART = Daily(time(0), tz="UTC") | Cron("30 2 * * *", tz="Europe/Berlin")
UNEVEN = Weekly(("wed", "fri"), time(0, 59), gap="shift")


@slow
@given(questions())
@example(Question(Cron("0 0,12 * * *", tz="UTC"), "UTC", utc("2016-01-01"), utc("2030-01-08")))
@example(Question(UNEVEN, "Asia/Samarkand", utc("1937-02-24 19:00"), utc("1959-11-18 19:39")))
@example(
    Question(
        APART | Once(utc("2020-01-01")) | Once(utc("2020-01-01 12:00")), "UTC", utc("2016-01-01"), utc("2020-01-04")
    )
)
def test_every_answer_is_that_of_the_list(question: Question) -> None:
    lists.check(question)


def test_the_next_occurrence_is_one_near_every_change_of_the_clock() -> None:
    rules = [
        {"gap": gap, "fold": fold} for gap in ("next_valid", "shift", "skip") for fold in ("first", "last", "both")
    ]
    half_hours = [Cron("*/30 * * * *", **rule) for rule in rules]  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - any gap and fold
    for place, (key, instant) in enumerate(changes()):
        evaluator = compiler.compile_schedule(half_hours[place % len(half_hours)], ZoneInfo(key))
        t = (instant - 1_801) * 1_000_000
        for _ in range(2):
            following = evaluator.next_after(t, t)
            assert following is not None
            assert evaluator.count(t, following, t) == 1, (key, instant)
            t = following


@pytest.mark.parametrize("zone", ["America/New_York", "Africa/Casablanca", "Pacific/Apia", "UTC"])
def test_where_a_long_stretch_is_cut_makes_no_difference(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for gap in ("next_valid", "shift", "skip"):
        for fold in ("first", "last", "both"):
            rules: Any = {"gap": gap, "fold": fold}
            for schedule in (Cron("*/30 0-3 * * *", **rules), Daily(time(1, 30), **rules), Daily(time(2, 30), **rules)):
                question = Question(schedule, zone, utc("2010-02-01"), utc("2012-02-01"))
                expected = lists.listed(question)
                for samples in (1, 7):
                    monkeypatch.setattr(zones, "_SPAN", samples * zones._SAMPLE)
                    compiler.clear_caches()
                    assert count(schedule, *question[2:4], zone=zone) == len(expected), schedule
                    assert between(schedule, *question[2:4], zone=zone) == expected, schedule
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
