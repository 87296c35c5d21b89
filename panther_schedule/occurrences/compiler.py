"""From a schedule and a zone to its evaluator."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Final, assert_never, cast
from zoneinfo import ZoneInfo

from ..clock import MICROSECOND, machine_zone, microseconds
from ..models.days import WEEKDAYS, DayRule, Weekday
from ..models.fields import Fold, Gap
from ..models.schedules import AnyOf, AnySchedule, Cron, Daily, Monthly, Once, Repeat, Schedule, Weekly
from . import zones
from .evaluators import Calendar, Evaluator, EveryDay, Grid, Union
from .walltimes import Walltimes, times_of_day
from .zones import BEFORE_ALL, FIRST, LAST

UTC_ZONE: Final = ZoneInfo("UTC")
_EVERY_DAY: Final = DayRule()
_FOREVER: Final = 1 << 80  # a wait after which nothing comes

_Part = tuple[DayRule, tuple[int, ...]]  # the dates and the times of day
_Rules = tuple[ZoneInfo, Gap, Fold, int, int]  # the last two are the first and last microsecond


def compile_schedule(schedule: Schedule, zone: ZoneInfo) -> Evaluator:
    """Return the evaluator of a schedule; `zone` is for one that names none. Equal schedules share an evaluator.

    What can't be known without the runs is left out: `n`, and all but the first occurrence of a repeat without a wait.
    """
    known = cast(AnySchedule, schedule)
    match known:
        case Once():
            return _grid(_FOREVER, None if known.at is None else microseconds(known.at))
        case Repeat():
            return _grid(known.wait // MICROSECOND or _FOREVER)
        case Daily() | Weekly() | Monthly() | Cron():
            return _calendar(_part(known), _rules(known, zone))
        case AnyOf():
            return _union_of(known, zone)
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
    return FIRST if start_at is None else microseconds(start_at), LAST if end_at is None else microseconds(end_at)


def _union_of(union: AnyOf, zone: ZoneInfo) -> Evaluator:
    """Give the exclusions and bounds of a union to its parts, and drop what is left without a date."""
    start, end = _span(union)
    calendars: dict[Calendar, None] = {}
    moments: set[int] = set()
    for part in union.of:
        if not isinstance(part, Once):
            dates, times = _part(part, union.excluding)
            info, gap, fold, first, last = _rules(part, zone)
            if not (union.excluding and dates.is_empty()):
                calendars[_calendar((dates, times), (info, gap, fold, max(start, first), min(end, last)))] = None
        elif part.at is not None and not _is_excluded(part.at, zone, union.excluding):
            moments.add(microseconds(part.at))
    within = tuple(sorted(at for at in moments if start <= at <= end))
    return next(iter(calendars)) if len(calendars) == 1 and not within else _union(tuple(calendars), within)


def _is_excluded(at: datetime, zone: ZoneInfo, excluding: tuple[date | Weekday, ...]) -> bool:
    try:
        local = at.astimezone(zone)
    except OverflowError:  # its local date lies beyond the year 9999, where nothing is excluded
        return False
    return local.date() in excluding or WEEKDAYS[local.weekday()] in excluding


@lru_cache(maxsize=1024)
def _calendar(part: _Part, rules: _Rules) -> Calendar:
    dates, times = part
    info, gap, fold, start, end = rules
    plain = dates == _EVERY_DAY and len(times) == 1 and rules[1:] == ("next_valid", "first", FIRST, LAST)
    return (EveryDay if plain else Calendar)(Walltimes(dates, times), zones.zone(info), gap, fold, start, end)


_grid: Final = lru_cache(maxsize=1024)(Grid)
_union: Final = lru_cache(maxsize=1024)(Union)


def clear_caches() -> None:
    """Forget every evaluator and zone, so that new time zone data holds; those that are in use keep what they know."""
    for cached in (_grid, _calendar, _union, zones.zone):
        cached.cache_clear()


def begins_after(schedule: Schedule, now: int) -> int:
    """Return after which instant a task added `now` happens first; a `Once` or `Repeat` does so even in the past."""
    return BEFORE_ALL if isinstance(schedule, (Once, Repeat)) else now


def zone_for(schedule: Schedule, zone: ZoneInfo | str | None = None) -> ZoneInfo:
    """Return the zone for a schedule that names none: the given one, or else the machine's.

    The machine's zone, which may be misconfigured, is not read for a schedule that does not depend on it.
    """
    if isinstance(zone, ZoneInfo):
        return zone
    if zone is not None:
        return ZoneInfo(zone)
    return machine_zone() if _needs_zone(schedule) else UTC_ZONE


def _needs_zone(schedule: Schedule) -> bool:
    if isinstance(schedule, AnyOf):
        return any(_needs_zone(part) or (bool(schedule.excluding) and isinstance(part, Once)) for part in schedule.of)
    return isinstance(schedule, (Daily, Weekly, Monthly, Cron)) and schedule.tz is None
