"""`Daily` in each IANA zone, around each change of its clock, against an oracle of its own."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from strategies import walk

from panther_schedule.clock import SECOND
from panther_schedule.models.schedules import Daily
from panther_schedule.occurrences.compiler import compile_schedule

DAY = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAR = 1 << 70


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


Stretch = tuple[int, int, int]
"""From this second, to this one, the zone's clock is so many seconds ahead of UTC."""


@cache
def stretches(key: str, first_year: int = 1970, last_year: int = 2037) -> tuple[Stretch, ...]:
    """Walk through time in steps of six days, and find each change of the offset by halving."""
    shown, info = datetime.fromtimestamp, ZoneInfo(key)
    start, end = (int(utc(f"{year}-01-01").timestamp()) for year in (first_year, last_year + 1))
    found: list[tuple[int, timedelta | None]] = [(start, shown(start, info).utcoffset())]
    for u in range(start, end, 6 * DAY):
        ahead, later = found[-1][1], shown(u + 6 * DAY, info).utcoffset()
        if later == ahead:
            continue
        low, high = u, u + 6 * DAY
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if shown(middle, info).utcoffset() == ahead else (low, middle)
        found.append((high, later))
    ends = [begin for begin, _ in found[1:]] + [end]
    return tuple(
        (begin, end, ahead // timedelta(seconds=1))
        for (begin, ahead), end in zip(found, ends, strict=True)
        if ahead is not None
    )


def reached(around: tuple[Stretch, ...], day: int, second: int) -> int | None:
    """The first second at which the zone's clock shows this time of this date, or a later one.

    None when the clock never shows the date at all.
    """
    target = day * DAY + second
    if not any(begin + ahead < (day + 1) * DAY and end + ahead > day * DAY for begin, end, ahead in around):
        return None
    return next(u for begin, end, ahead in around if (u := max(begin, target - ahead)) < end)


def changes(key: str) -> list[tuple[int, tuple[Stretch, ...]]]:
    """Each change of the offset, with the stretches around it."""
    whole = stretches(key)
    return [(whole[i][0], whole[max(0, i - 2) : i + 2]) for i in range(1, len(whole))]


@pytest.mark.parametrize("key", ["America/New_York", "America/Nuuk", "Africa/Cairo", "Australia/Lord_Howe"])
def test_the_oracle_agrees_with_a_look_at_every_minute(key: str) -> None:
    info, minutes = ZoneInfo(key), 17 * 60
    for change, around in [each for each in changes(key) if each[0] > utc("2025-01-01").timestamp()][:2]:
        shown = [
            (u, datetime.fromtimestamp(u, info).replace(tzinfo=None))
            for u in range(change - 2 * DAY, change + 2 * DAY, 60)
        ]
        today = datetime.fromtimestamp(change, info).date()
        for day in (today - timedelta(days=1), today, today + timedelta(days=1)):
            for second in range(0, DAY, minutes):
                wanted = datetime.combine(day, time()) + timedelta(seconds=second)
                first = next(u for u, local in shown if local >= wanted)
                assert reached(around, (day - date(1970, 1, 1)).days, second) == first


def times_of_interest(change: int, before: int, after: int) -> tuple[int, ...]:
    """Seconds of the day around a change: in the middle of the gap or fold, at its ends, beside them, and any."""
    low, high = change + min(before, after), change + max(before, after)
    return tuple(second % DAY for second in ((low + high) // 2, low, high - 1, low - 1, high, change // 7))


def check_daily(key: str, change: int, around: tuple[Stretch, ...], second: int) -> None:
    daily = compile_schedule(Daily((EPOCH + timedelta(seconds=second)).time()), ZoneInfo(key))
    today = (change + around[-2][2]) // DAY
    expected = [u for day in range(today - 2, today + 3) if (u := reached(around, day, second)) is not None]
    t, until = (expected[0] - 1) * SECOND, expected[-1] * SECOND
    assert [found // SECOND for found in walk(daily, t, until, 0, 9)] == expected
    assert daily.count(t, until, 0) == len(expected)
    for u in (change - 1, change, change + 1800, expected[-1] - 1):
        assert daily.latest(u * SECOND, 0) == max(e for e in expected if e <= u) * SECOND


def test_daily_in_every_zone_around_its_changes_from_1970_to_2037() -> None:
    # Zones with the same data are one; in a zone, changes at the same time of day between the same offsets are one,
    # and each has two of the times of interest by turns.
    data = files("tzdata.zoneinfo")
    distinct = {data.joinpath(*key.split("/")).read_bytes(): key for key in sorted(zoneinfo.available_timezones())}
    assert len(distinct) > 300
    checked = 0
    for key in distinct.values():
        kinds = {(change % DAY, around[-2][2], around[-1][2]): (change, around) for change, around in changes(key)}
        for (_, before, after), (change, around) in kinds.items():
            for second in times_of_interest(change, before, after)[checked % 3 :: 3]:
                check_daily(key, change, around, second)
            checked += 1
    assert checked > 1_000
