"""When a schedule happens: the evaluators, and the questions a program may ask.

Inside, instants are integer microseconds since 1970-01-01T00:00Z. An evaluator is compiled from a schedule and a
zone, knows no clock and remembers nothing; `n` is none of its business, since it counts runs and not occurrences.
What a schedule can't know without its runs is left out: a repeat without a wait has its first occurrence only.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, assert_never, cast
from zoneinfo import ZoneInfo

from ..clock import machine_zone, microseconds, moment
from ..models.days import WEEKDAYS, DayRule, Weekday
from ..models.fields import Fold, Gap
from ..models.schedules import AnyOf, AnySchedule, Cron, Daily, Monthly, Once, Repeat, Schedule, Weekly
from . import zones
from .evaluators import BEFORE_ALL, LAST, EachDay, EachWall, Evaluator, Grid, Single, Union
from .walltimes import DatesAtTimes, Disjoint, Walls, times_of_day

__all__ = [
    "Evaluator",
    "begins_after",
    "between",
    "clear_caches",
    "compile",
    "count",
    "ever_happens",
    "latest",
    "next_after",
    "previous",
]

_MICROSECOND: Final = timedelta(microseconds=1)
_MOST: Final = 100_000
_NARROWING: Final = frozenset({"excluding", "start_at", "end_at", "starting", "gap", "of"})
_EVERY_DAY: Final = DayRule()

_Part = tuple[DayRule, tuple[int, ...]]
"""The dates and the times of day of one calendar schedule."""
_Rules = tuple[ZoneInfo, Gap, Fold, int, int]
"""The zone, what its gaps and folds are for, and the first and last microsecond."""


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
        case Daily() | Weekly() | Monthly() | Cron():
            return _each_wall((_part(known),), _rules(known, zone))
        case AnyOf():
            return _union(known, zone)
        case _:
            assert_never(known)


def _part(schedule: Daily | Weekly | Monthly | Cron, excluding: tuple[date | Weekday, ...] = ()) -> _Part:
    dates = schedule.dates.without(excluding)
    if isinstance(schedule, Cron):
        return dates, times_of_day(schedule.fields.minutes, schedule.fields.hours)
    at = schedule.at
    return dates, ((at.hour * 60 + at.minute) * 60 + at.second,)


def _rules(schedule: Daily | Weekly | Monthly | Cron, zone: ZoneInfo) -> _Rules:
    gap, fold = schedule.gap, schedule.fold
    elapsed = isinstance(schedule, Cron) and schedule.fields.elapsed
    gap = gap or ("skip" if elapsed else "next_valid")
    fold = fold or ("both" if elapsed else "first")
    return ZoneInfo(schedule.tz) if schedule.tz else zone, gap, fold, *_span(schedule)


def _span(schedule: Daily | Weekly | Monthly | Cron | AnyOf) -> tuple[int, int]:
    start_at, end_at = schedule.start_at, schedule.end_at
    return (
        BEFORE_ALL if start_at is None else microseconds(start_at),
        LAST if end_at is None else microseconds(end_at),
    )


def _union(union: AnyOf, zone: ZoneInfo) -> Evaluator:
    """Merge the parts that share zone and rules on the wall clock, and the rest as they are."""
    shared: defaultdict[_Rules, list[_Part]] = defaultdict(list)
    moments: list[Evaluator] = []
    for part in union.of:
        if not isinstance(part, Once):
            shared[_rules(part, zone)].append(_part(part, union.excluding))
        elif part.at is not None and not _is_excluded(part.at, zone, union.excluding):
            moments.append(_single(microseconds(part.at)))
    evaluators = [_each_wall(tuple(parts), rules) for rules, parts in shared.items()]
    start, end = _span(union)
    if len(evaluators) == 1 and not moments and (start, end) == (BEFORE_ALL, LAST):
        return evaluators[0]
    return _merged((*evaluators, *moments), start, end)


def _is_excluded(at: datetime, zone: ZoneInfo, excluding: tuple[date | Weekday, ...]) -> bool:
    if not excluding:
        return False
    try:
        local = at.astimezone(zone)
    except OverflowError:  # its local date lies beyond the year 9999, where nothing is excluded
        return False
    return local.date() in excluding or WEEKDAYS[local.weekday()] in excluding


@lru_cache(maxsize=1024)
def _single(at: int | None) -> Single:
    return Single(at)


@lru_cache(maxsize=1024)
def _grid(wait: int) -> Grid:
    return Grid(wait)


@lru_cache(maxsize=1024)
def _merged(parts: tuple[Evaluator, ...], start: int, end: int) -> Union:
    return Union(parts, start, end)


@lru_cache(maxsize=1024)
def _each_wall(parts: tuple[_Part, ...], rules: _Rules) -> Evaluator:
    info, gap, fold, start, end = rules
    zone = zones.zone(info)
    ((dates, times), *others) = parts
    if not others:
        if dates == _EVERY_DAY and len(times) == 1 and rules[1:] == ("next_valid", "first", BEFORE_ALL, LAST):
            return EachDay(times[0], zone)
        once_a_date = len(times) == 1
        return EachWall(DatesAtTimes((dates,), times), zone, gap, fold, start, end, once_a_date=once_a_date)
    # what several parts name is named once: each time of day gets the dates of all parts that have it
    named: defaultdict[int, list[DayRule]] = defaultdict(list)
    for dates, times in parts:
        for time in times:
            named[time].append(dates)
    groups: defaultdict[tuple[DayRule, ...], list[int]] = defaultdict(list)
    for time, dates_of_time in sorted(named.items()):
        groups[tuple(dates_of_time)].append(time)
    walls: tuple[Walls, ...] = tuple(DatesAtTimes(named_by, tuple(times)) for named_by, times in groups.items())
    return EachWall(walls[0] if len(walls) == 1 else Disjoint(walls), zone, gap, fold, start, end)


def clear_caches() -> None:
    """Forget every evaluator and zone; those that are in use keep what they know."""
    for cached in (_single, _grid, _merged, _each_wall):
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


def latest(
    schedule: Schedule, until: datetime, *, zone: ZoneInfo | str | None = None, anchor: datetime | None = None
) -> datetime | None:
    """Return the last occurrence at or before `until`, aware, in UTC; None when there is none.

    All else is as in `next_after()`.
    """
    t = _instant("until", until)
    found = compile(schedule, zone_for(schedule, zone)).latest(t, t if anchor is None else _instant("anchor", anchor))
    return None if found is None else moment(found)


def previous(
    schedule: Schedule, before: datetime, *, zone: ZoneInfo | str | None = None, anchor: datetime | None = None
) -> datetime | None:
    """Return the last occurrence strictly before `before`, aware, in UTC; None when there is none.

    It inverts `next_after()`: the previous of an occurrence's next one is that occurrence. All else is as there.
    """
    t = _instant("before", before)
    begun = t if anchor is None else _instant("anchor", anchor)
    found = compile(schedule, zone_for(schedule, zone)).latest(t - 1, begun)
    return None if found is None else moment(found)


def count(
    schedule: Schedule,
    after: datetime,
    until: datetime,
    *,
    zone: ZoneInfo | str | None = None,
    anchor: datetime | None = None,
) -> int:
    """Return how many occurrences lie after `after` and up to and including `until`, without a look at each.

    Of a union of schedules with several zones or bounds it is exact up to 100,000, and never too few. All else is as
    in `between()`.
    """
    t, last = _instant("after", after), _instant("until", until)
    begun = t if anchor is None else _instant("anchor", anchor)
    return compile(schedule, zone_for(schedule, zone)).count(t, last, begun)


def ever_happens(schedule: Schedule) -> bool:
    """Tell whether there is an occurrence in any year; without a zone of its own, in the machine's."""
    if not schedule.model_fields_set & _NARROWING:  # what the fields alone show, the model has refused
        return True
    return compile(schedule, zone_for(schedule, None)).next_after(BEFORE_ALL, 0) is not None


def _instant(name: str, value: datetime) -> int:
    if value.utcoffset() is None:
        raise ValueError(
            f"{name} must be an aware datetime, got a naive one; write datetime(2026, 12, 24, 18, 0, tzinfo=UTC)"
        )
    return microseconds(value)


def begins_after(schedule: Schedule, now: int) -> int:
    """Return the moment after which the first occurrence of a task added `now` lies, in microseconds since 1970.

    Wall-clock kinds begin strictly after now; `Once` and `Repeat` with their first occurrence, even when it is over.
    """
    return now if schedule.on_wall and not isinstance(schedule, Once) else BEFORE_ALL


def zone_for(schedule: Schedule, zone: ZoneInfo | str | None = None) -> ZoneInfo:
    """Return the zone that a schedule is evaluated in: the given one, or else the machine's; UTC if it needs none.

    A zone that the schedule names itself wins over both, in `compile`. The machine's zone, which may be
    misconfigured, is not read for a schedule that does not depend on it.
    """
    if isinstance(zone, ZoneInfo):
        return zone
    if zone is not None:
        return ZoneInfo(zone)
    # the machine's zone may be misconfigured, which is nothing to a schedule that does not depend on it
    return machine_zone() if _needs_zone(schedule) else UTC_ZONE


def _needs_zone(schedule: Schedule) -> bool:
    if isinstance(schedule, AnyOf):
        return any(_needs_zone(part) or (bool(schedule.excluding) and isinstance(part, Once)) for part in schedule.of)
    return isinstance(schedule, (Daily, Weekly, Monthly, Cron)) and schedule.tz is None
