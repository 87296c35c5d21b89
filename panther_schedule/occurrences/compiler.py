"""From a schedule and a zone to its evaluator."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, assert_never, cast
from zoneinfo import ZoneInfo

from ..clock import MICROSECOND, SECOND, machine_zone, microseconds
from ..errors import refuse_value, type_name
from ..models.days import bits
from ..models.fields import TimeZone, is_zone, right_zone, zone_name
from ..models.schedules import SCHEDULES, AnyOf, AnySchedule, Cron, Daily, Monthly, Once, Repeat, Schedule, Weekly
from . import zones
from .evaluators import Calendar, Evaluator, Grid, Union
from .walltimes import Seconds
from .zones import DAY, FIRST, LAST

UTC_ZONE: Final = ZoneInfo("UTC")
_FOREVER: Final = 1 << 80  # a wait after which nothing comes


def compile_schedule(schedule: Schedule, zone: ZoneInfo) -> Evaluator:
    """Return the evaluator of a schedule; `zone` is for one that names none. Equal schedules share an evaluator.

    What can't be known without the runs is left out: `n`, and all but the first occurrence of a repeat without a grid.
    """
    known = cast(AnySchedule, schedule)
    match known:
        case Once():
            return _grid(_FOREVER) if known.at is None else _union((), (microseconds(known.at),))
        case Repeat():
            return _grid(known.wait // MICROSECOND if known.has_grid else _FOREVER)
        case Daily() | Weekly() | Monthly() | Cron():
            return calendar_of(known, zone)
        case AnyOf():
            return _union_of(known, zone)
        case _:
            assert_never(known)


def anchor_of(schedule: Schedule, added: int) -> int:
    """Return where a task's occurrences begin: when it was added, later by `after`, or at the moment of a `Once`."""
    known = cast(AnySchedule, schedule)
    if known.kind != "once" and known.kind != "repeat":  # isinstance() is slow for a model
        return added
    if known.kind == "once" and known.at is not None:
        return microseconds(known.at)
    return added + known.after // MICROSECOND if known.after else added


def calendar_of(part: Daily | Weekly | Monthly | Cron, zone: ZoneInfo, union: AnyOf | None = None) -> Calendar:
    """Compile a schedule, or a part of a union with the exclusions and bounds of the whole."""
    rule, (start, end) = part.dates, _bounds(part)
    if union is not None:
        first, last = _bounds(union)
        rule, start, end = rule.without(union.excluding), max(start, first), min(end, last)
    if isinstance(part, Cron):
        fields = part.fields
        times = _times_of_day(fields.minutes, fields.hours, fields.seconds)
        gap = part.gap or ("skip" if fields.elapsed else "next_valid")
        fold = part.fold or ("both" if fields.elapsed else "first")
    else:
        times = ((part.at.hour * 60 + part.at.minute) * 60 + part.at.second,)
        gap, fold = part.gap, part.fold
    return _calendar(rule, times, ZoneInfo(part.tz) if part.tz else zone, gap, fold, start, end)


def _bounds(schedule: Daily | Weekly | Monthly | Cron | AnyOf) -> tuple[int, int]:
    start, end = schedule.start_at, schedule.end_at
    return FIRST if start is None else microseconds(start), LAST if end is None else microseconds(end)


def _union_of(union: AnyOf, zone: ZoneInfo) -> Evaluator:
    parts = [calendar_of(part, zone, union) for part in union.of if not isinstance(part, Once)]
    calendars = tuple(dict.fromkeys(part for part in parts if not part.walltimes.rule.is_empty()))
    start, end = _bounds(union)
    dates, offset = union.dates, zones.zone(zone).offset
    named = (microseconds(part.at) for part in union.of if isinstance(part, Once) and part.at)
    within = (at for at in named if start <= at <= end)
    moments = tuple(at for at in within if not dates.excludes((at // SECOND + offset(at // SECOND)) // DAY))
    return calendars[0] if len(calendars) == 1 and not moments else _union(calendars, moments)


@lru_cache(maxsize=128)
def _times_of_day(minutes: int, hours: int, seconds: int) -> Sequence[int]:
    times = tuple((hour * 60 + minute) * 60 for hour in bits(hours) for minute in bits(minutes))
    return times if seconds == 1 else Seconds(times, tuple(bits(seconds)))


_grid: Final = lru_cache(maxsize=1024)(Grid)
_calendar: Final = lru_cache(maxsize=1024)(Calendar)
_union: Final = lru_cache(maxsize=1024)(Union)


def clear_caches() -> None:
    """Forget every evaluator and zone, the machine's too; those that are in use keep what they know."""
    for cached in (_grid, _calendar, _union, zones.zone, machine_zone):
        cached.cache_clear()


def check_schedule(title: str, value: object, *, or_a: str = "") -> AnySchedule:
    """Return a schedule; refuse anything else (`schedule_type`). `or_a` names what else may be given."""
    if not isinstance(value, SCHEDULES):
        rule = f"one of {', '.join(cls.__name__ for cls in SCHEDULES)}{or_a}"
        remedy = "write Daily(time(8, 0)), for example"
        refuse_value(title, "schedule_type", "schedule", rule, type_name(value), remedy)
    return cast(AnySchedule, value)


def zone_for(schedule: Schedule, zone: TimeZone | None = None) -> ZoneInfo:
    """Return the zone for a schedule that names none: the given one, or else the machine's.

    The machine's zone, which may be misconfigured, is not read for a schedule that does not depend on it.
    """
    if zone is None:
        return machine_zone() if _needs_zone(schedule) else UTC_ZONE
    return checked_zone(zone)


def checked_zone(zone: object) -> ZoneInfo:
    """Return a zone that was given as such or by its name; refuse anything else (`time_zone`)."""
    if isinstance(zone, ZoneInfo):
        return zone if type(zone) is ZoneInfo or not is_zone(zone.key) else ZoneInfo(zone.key)  # not its subclass
    name = zone_name(zone)
    if not is_zone(name):
        got, remedy = repr(zone) if isinstance(zone, str) else type_name(zone), right_zone(zone).replace("tz=", "zone=")
        refuse_value("zone", "time_zone", "zone", "a ZoneInfo or the IANA name of a zone", got, remedy)
    return ZoneInfo(name)


def _needs_zone(schedule: Schedule) -> bool:
    if isinstance(schedule, AnyOf):
        return any(_needs_zone(part) or (bool(schedule.excluding) and isinstance(part, Once)) for part in schedule.of)
    return isinstance(schedule, (Daily, Weekly, Monthly, Cron)) and schedule.tz is None
