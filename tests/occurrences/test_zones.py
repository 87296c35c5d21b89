"""Zones: the instant of a wall-clock second, and the offset of a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panther_schedule.clock import SECOND
from panther_schedule.models.days import DayRule
from panther_schedule.occurrences import compiler
from panther_schedule.occurrences.evaluators import Calendar
from panther_schedule.occurrences.zones import DAY, FIRST, FIRST_SECOND, LAST, LAST_SECOND, Zone, zone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAMES = st.sampled_from(
    [
        "UTC",
        "America/New_York",
        "America/Nuuk",
        "America/Santiago",
        "Africa/Cairo",
        "Africa/Casablanca",
        "Africa/Monrovia",
        "Asia/Kolkata",
        "Asia/Pyongyang",
        "Australia/Lord_Howe",
        "Europe/Dublin",
        "Pacific/Apia",
        "Pacific/Kiritimati",
    ]
)


def clock(name: str) -> Zone:
    return zone(ZoneInfo(name))


def wall(text: str) -> int:
    """The wall-clock second, counted from 1970 on the zone's own clock."""
    return int((datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH).total_seconds())


def resolve(here: Zone, wall: int) -> list[int]:
    """The instants at which a schedule of this wall-clock second alone happens: by default one, or none."""
    day, second = divmod(wall, DAY)
    once = Calendar(DayRule(starting=day, every=10_000_000), (second,), here.info, "next_valid", "first", FIRST, LAST)
    low, high = (wall - 3 * DAY) * SECOND, (wall + 3 * DAY) * SECOND
    found = once.next_after(low, 0)
    assert once.latest(high, 0) == found
    assert once.count(low, high, 0) == (found is not None)
    return [] if found is None else [found // SECOND]


def instants(name: str, text: str) -> list[str]:
    return [f"{EPOCH + timedelta(seconds=found):%Y-%m-%dT%H:%M:%SZ}" for found in resolve(clock(name), wall(text))]


ONCE_EACH: list[tuple[str, str, list[str]]] = [
    # An ordinary second happens once.
    ("UTC", "2026-07-01 08:00:00", ["2026-07-01T08:00:00Z"]),
    ("America/New_York", "2026-07-01 08:00:00", ["2026-07-01T12:00:00Z"]),
    ("Asia/Kathmandu", "2026-07-01 08:00:00", ["2026-07-01T02:15:00Z"]),
    # The first and the last second of a gap, and every one in it, are its end; the seconds around it are themselves.
    ("America/New_York", "2026-03-08 01:59:59", ["2026-03-08T06:59:59Z"]),
    ("America/New_York", "2026-03-08 02:00:00", ["2026-03-08T07:00:00Z"]),
    ("America/New_York", "2026-03-08 02:30:00", ["2026-03-08T07:00:00Z"]),
    ("America/New_York", "2026-03-08 02:59:59", ["2026-03-08T07:00:00Z"]),
    ("America/New_York", "2026-03-08 03:00:00", ["2026-03-08T07:00:00Z"]),
    ("America/New_York", "2026-03-08 03:00:01", ["2026-03-08T07:00:01Z"]),
    # A second that happens twice is the first one.
    ("America/New_York", "2026-11-01 00:59:59", ["2026-11-01T04:59:59Z"]),
    ("America/New_York", "2026-11-01 01:00:00", ["2026-11-01T05:00:00Z"]),
    ("America/New_York", "2026-11-01 01:59:59", ["2026-11-01T05:59:59Z"]),
    ("America/New_York", "2026-11-01 02:00:00", ["2026-11-01T07:00:00Z"]),
    # No midnight: the day begins at one.
    ("America/Sao_Paulo", "2018-11-04 00:00:00", ["2018-11-04T03:00:00Z"]),
    ("Africa/Cairo", "2025-04-25 00:00:00", ["2025-04-24T22:00:00Z"]),
    ("America/Santiago", "2026-09-06 00:00:00", ["2026-09-06T04:00:00Z"]),
    # A gap may end on the next date.
    ("America/Nuuk", "2026-03-28 23:30:00", ["2026-03-29T01:00:00Z"]),
    # Half an hour, and 44 minutes and 30 seconds.
    ("Australia/Lord_Howe", "2026-10-04 02:15:00", ["2026-10-03T15:30:00Z"]),
    ("Africa/Monrovia", "1972-01-07 00:10:00", ["1972-01-07T00:44:30Z"]),
    # A date that the clock skips whole has no second at all; its neighbours are complete.
    ("Pacific/Apia", "2011-12-29 23:59:59", ["2011-12-30T09:59:59Z"]),
    ("Pacific/Apia", "2011-12-30 00:00:00", []),
    ("Pacific/Apia", "2011-12-30 23:59:59", []),
    ("Pacific/Apia", "2011-12-31 00:00:00", ["2011-12-30T10:00:00Z"]),
    # A date that happened twice: the first.
    ("Pacific/Apia", "1892-07-04 12:00:00", ["1892-07-03T23:26:56Z"]),
    # The ends of time: what UTC can't say does not happen.
    ("UTC", "0001-01-01 00:00:00", ["0001-01-01T00:00:00Z"]),
    ("Asia/Tokyo", "0001-01-01 00:00:00", []),
    ("Asia/Tokyo", "9999-12-31 23:59:59", ["9999-12-31T14:59:59Z"]),
    ("America/New_York", "9999-12-31 23:59:59", []),
]


@pytest.mark.parametrize(("name", "text", "expected"), ONCE_EACH)
def test_a_wall_clock_second_happens_at(name: str, text: str, expected: list[str]) -> None:
    found = instants(name, text)
    assert [text.replace("Z", "").zfill(19) for text in found] == [text.replace("Z", "") for text in expected]


def test_before_year_1_and_after_9999_there_is_nothing_and_no_error() -> None:
    for name in ("UTC", "America/New_York", "Pacific/Kiritimati"):
        here = clock(name)
        every_second = Calendar(DayRule(), tuple(range(DAY)), here.info, "next_valid", "first", FIRST, LAST)
        for far in (-(1 << 80), FIRST_SECOND - 1, LAST_SECOND + 1, 1 << 80):
            assert every_second.count(far * SECOND - 1, far * SECOND, 0) == 0
            assert here[far // DAY] is None
        assert here.offset(-(1 << 80)) == here.offset(FIRST_SECOND)
        assert here.offset(1 << 80) == here.offset(LAST_SECOND)


@given(NAMES, st.integers(FIRST_SECOND + 2 * DAY, LAST_SECOND - 2 * DAY))
def test_the_offset_is_zoneinfos(name: str, instant: int) -> None:
    expected = (EPOCH + timedelta(seconds=instant)).astimezone(ZoneInfo(name)).utcoffset()
    assert expected is not None
    assert clock(name).offset(instant) == expected.total_seconds()


@given(NAMES, st.integers(wall("1840-01-01"), wall("2100-01-01")))
def test_a_known_day_has_one_offset_and_an_unknown_one_is_near_a_change(name: str, instant: int) -> None:
    here, day = clock(name), instant // DAY
    around = {here.offset(day * DAY + hours * 3600) for hours in range(-48, 73)}
    assert around == {here[day]} or (here[day] is None and len(around) > 1)


@given(NAMES, st.integers(wall("1840-01-01"), wall("2100-01-01")), st.integers(0, 3 * DAY))
def test_later_on_the_wall_is_never_earlier_in_time(name: str, earlier: int, by: int) -> None:
    here = clock(name)
    first, second = resolve(here, earlier), resolve(here, earlier + by)
    assert not (first and second) or first <= second


@given(NAMES, st.integers(wall("1840-01-01"), wall("2100-01-01")))
def test_each_instant_is_the_instant_of_its_own_wall_clock_or_of_the_copy_before(name: str, instant: int) -> None:
    here = clock(name)
    (found,) = resolve(here, instant + here.offset(instant))
    assert found == instant or (found < instant and here.offset(found) > here.offset(instant))


MISSING: list[tuple[str, list[str]]] = [
    ("Pacific/Apia", ["2011-12-30"]),
    ("Pacific/Fakaofo", ["2011-12-30"]),
    ("Pacific/Kiritimati", ["1994-12-31"]),
    ("Pacific/Kanton", ["1994-12-31"]),
    ("Pacific/Kwajalein", ["1993-08-21"]),
    ("Asia/Manila", ["1844-12-31"]),
    ("Africa/Cairo", []),  # it has lost many midnights, but no date
]


@pytest.mark.parametrize(("name", "dates"), MISSING)
def test_a_daily_time_happens_on_all_dates_but_those_that_do_not_exist(name: str, dates: list[str]) -> None:
    here = clock(name)
    noon = Calendar(DayRule(), (DAY // 2,), here.info, "next_valid", "first", FIRST, LAST)
    begin, end = wall("1800-01-01"), wall("2300-01-01")
    after, until = ((midnight - here.offset(midnight)) * SECOND for midnight in (begin, end))
    assert noon.count(after, until, 0) == (end - begin) // DAY - len(dates)
    for text in dates:
        day = (date.fromisoformat(text) - date(1970, 1, 1)).days
        assert [len(resolve(here, each * DAY + DAY // 2)) for each in (day - 1, day, day + 1)] == [1, 0, 1]


def test_the_caches_are_bounded_and_can_be_cleared() -> None:
    here = clock("Europe/Paris")
    for day in range(10_000):
        here[day]
    assert len(here) <= 4096
    assert clock("Europe/Paris") is here
    compiler.clear_caches()
    assert clock("Europe/Paris") is not here
