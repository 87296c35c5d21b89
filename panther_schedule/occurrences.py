"""When a schedule happens: the evaluators, and the questions a program may ask.

Inside, instants are integer microseconds since 1970-01-01T00:00Z. An evaluator is compiled from a schedule and a
zone, knows no clock and remembers nothing; `n` is none of its business, since it counts runs and not occurrences.
What a schedule can't know without its runs is left out: a repeat without a wait has its first occurrence only.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Protocol, assert_never, cast
from zoneinfo import ZoneInfo

from typing_extensions import override

from . import zones
from .clock import SECOND, machine_zone, microseconds, moment
from .schedules import AnySchedule, Daily, Once, Repeat, Schedule
from .zones import DAY, FIRST_DAY, FIRST_SECOND, LAST_DAY, LAST_SECOND, Zone

_MICROSECOND: Final = timedelta(microseconds=1)
_LAST: Final = LAST_SECOND * SECOND + SECOND - 1
_MOST: Final = 100_000


class Evaluator(Protocol):
    """When one schedule happens in one zone; every time is in microseconds since 1970.

    `anchor` is when the task was added. All of it is exact, total for any int, and takes a bounded number of steps
    however far the times lie apart.
    """

    __slots__ = ()

    def next_after(self, t: int, anchor: int) -> int | None:
        """Return the first occurrence strictly after `t`; None when there is none before year 10000."""
        ...

    def latest(self, t: int, anchor: int) -> int | None:
        """Return the last occurrence at or before `t`."""
        ...

    def count(self, after: int, until: int, anchor: int) -> int:
        """Return how many occurrences lie in (after, until]."""
        ...


class _Single(Evaluator):
    """One moment; None is the anchor."""

    __slots__ = ("_at",)

    def __init__(self, at: int | None) -> None:
        self._at = at

    @override
    def next_after(self, t: int, anchor: int) -> int | None:
        at = anchor if self._at is None else self._at
        return at if at > t else None

    @override
    def latest(self, t: int, anchor: int) -> int | None:
        at = anchor if self._at is None else self._at
        return at if at <= t else None

    @override
    def count(self, after: int, until: int, anchor: int) -> int:
        at = anchor if self._at is None else self._at
        return int(after < at <= until)


class _Grid(Evaluator):
    """The moments anchor + k * wait, for k = 0, 1, 2..."""

    __slots__ = ("_wait",)

    def __init__(self, wait: int) -> None:
        self._wait = wait

    @override
    def next_after(self, t: int, anchor: int) -> int | None:
        found = anchor if t < anchor else t + self._wait - (t - anchor) % self._wait
        return found if found <= _LAST else None

    @override
    def latest(self, t: int, anchor: int) -> int | None:
        t = min(t, _LAST)
        return None if t < anchor else t - (t - anchor) % self._wait

    @override
    def count(self, after: int, until: int, anchor: int) -> int:
        return max(0, self._until(until, anchor) - self._until(after, anchor))

    def _until(self, t: int, anchor: int) -> int:
        t = min(t, _LAST)
        return 0 if t < anchor else (t - anchor) // self._wait + 1


class _EachDay(Evaluator):
    """One wall-clock second of each local date.

    Away from the days when the clock is set, one look into the zone's known days gives the offset, and the rest is
    one modulo. Near them the few local dates around are resolved one by one.
    """

    __slots__ = ("_days", "_second", "_zone")

    def __init__(self, second: int, zone: Zone) -> None:
        self._second = second
        self._zone = zone
        self._days = zone.days

    @override
    def next_after(self, t: int, anchor: int) -> int | None:
        instant = t // SECOND
        offset = self._days[instant // DAY]
        if offset is not None:
            return (instant + DAY - (instant + offset - self._second) % DAY) * SECOND
        today = self._local_day(instant)
        for day in range(max(FIRST_DAY, today), min(LAST_DAY, today + 3) + 1):  # earlier dates had theirs
            found = self._instant(day)
            if found is not None and found > instant:
                return found * SECOND
        return None

    @override
    def latest(self, t: int, anchor: int) -> int | None:
        instant = t // SECOND
        offset = self._days[instant // DAY]
        if offset is not None:
            return (instant - (instant + offset - self._second) % DAY) * SECOND
        found = self._instant(self._latest_day(instant))
        return None if found is None else found * SECOND

    @override
    def count(self, after: int, until: int, anchor: int) -> int:
        if until <= after:
            return 0
        first = self._latest_day(after // SECOND) + 1
        last = self._latest_day(until // SECOND)
        return last - first + 1 - self._zone.missing(first, last)

    def _latest_day(self, instant: int) -> int:
        """Return the local date of the last occurrence at or before an instant; one before the first if none."""
        offset = self._days[instant // DAY]
        if offset is not None:
            return (instant + offset - self._second) // DAY
        today = self._local_day(instant)
        for day in range(min(LAST_DAY, today + 1), max(FIRST_DAY, today - 3) - 1, -1):
            found = self._instant(day)
            if found is not None and found <= instant:
                return day
        return FIRST_DAY - 1 if self._instant(FIRST_DAY) is not None else FIRST_DAY

    def _local_day(self, instant: int) -> int:
        instant = min(max(instant, FIRST_SECOND - DAY), LAST_SECOND + DAY)
        return (instant + self._zone.offset(instant)) // DAY

    def _instant(self, day: int) -> int | None:
        for instant in self._zone.resolve(day * DAY + self._second):
            return instant
        return None


UTC_ZONE: Final = ZoneInfo("UTC")


def compile(schedule: Schedule, zone: ZoneInfo) -> Evaluator:  # noqa: A001 - what it does; the builtin is not needed here
    """Return the evaluator of a schedule; `zone` is for a schedule that names none.

    Equal schedules get the same evaluator, as long as the bounded cache remembers it.
    """
    known = cast(AnySchedule, schedule)
    match known:
        case Once():
            return _single(None if known.at is None else microseconds(known.at))
        case Repeat():
            wait = known.wait // _MICROSECOND
            return _grid(wait) if wait else _single(None)
        case Daily():
            at = known.at
            return _each_day((at.hour * 60 + at.minute) * 60 + at.second, ZoneInfo(known.tz) if known.tz else zone)
        case _:
            assert_never(known)


@lru_cache(maxsize=1024)
def _single(at: int | None) -> _Single:
    return _Single(at)


@lru_cache(maxsize=1024)
def _grid(wait: int) -> _Grid:
    return _Grid(wait)


@lru_cache(maxsize=1024)
def _each_day(second: int, zone: ZoneInfo) -> _EachDay:
    return _EachDay(second, zones.zone(zone))


def clear_caches() -> None:
    """Forget every evaluator and zone; those that are in use keep what they know."""
    for cached in (_single, _grid, _each_day):
        cached.cache_clear()
    zones.clear_caches()


def next_after(
    schedule: Schedule, after: datetime, *, zone: ZoneInfo | str | None = None, anchor: datetime | None = None
) -> datetime | None:
    """Return the first occurrence strictly after `after`, aware, in UTC; None when there is none.

    `zone` is for a schedule that names none; without it that is the machine's own. `anchor` is when the task was
    added, where `Once()` and `Repeat` begin; without it that is `after`, so that `Once()` is over. `n` is ignored.
    A naive datetime raises ValueError.
    """
    t = _instant("after", after)
    found = compile(schedule, zone_for(schedule, zone)).next_after(
        t, t if anchor is None else _instant("anchor", anchor)
    )
    return None if found is None else moment(found)


def between(
    schedule: Schedule,
    after: datetime,
    until: datetime,
    *,
    zone: ZoneInfo | str | None = None,
    anchor: datetime | None = None,
    limit: int | None = None,
) -> list[datetime]:
    """Return the occurrences after `after` and up to and including `until`, aware, in UTC, in order.

    `zone` and `anchor` are as in `next_after()`, and `n` is ignored. `limit` gives the first so many; without it,
    more than 100,000 occurrences raise ValueError, as does a naive datetime.
    """
    t, last = _instant("after", after), _instant("until", until)
    begun = t if anchor is None else _instant("anchor", anchor)
    occurrences = compile(schedule, zone_for(schedule, zone))
    total = occurrences.count(t, last, begun)
    if limit is None:
        limit = _MOST
        if total > limit:
            raise ValueError(f"{total:,} occurrences lie between these times; pass limit= for the first so many")
    elif limit < 0:
        raise ValueError(f"limit must not be negative, got {limit}; leave it out for all occurrences")
    found: list[datetime] = []
    while len(found) < limit and (following := occurrences.next_after(t, begun)) is not None and following <= last:
        found.append(moment(following))
        t = following
    return found


def _instant(name: str, value: datetime) -> int:
    if value.utcoffset() is None:
        raise ValueError(
            f"{name} must be an aware datetime, got a naive one; write datetime(2026, 12, 24, 18, 0, tzinfo=UTC)"
        )
    return microseconds(value)


def zone_for(schedule: Schedule, zone: ZoneInfo | str | None = None) -> ZoneInfo:
    """Return the zone that a schedule is evaluated in: the given one, or else the machine's; UTC if it needs none.

    A zone that the schedule names itself wins over both, in `compile`. The machine's zone, which may be
    misconfigured, is not read for a schedule that does not depend on it.
    """
    if isinstance(zone, ZoneInfo):
        return zone
    if zone is not None:
        return ZoneInfo(zone)
    return machine_zone() if isinstance(schedule, Daily) and schedule.tz is None else UTC_ZONE
