"""What a calendar schedule names on a zone's clock, beside what becomes of it where that clock is set."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ..clock import EPOCH
from ..models.calendar_fields import Fold, Gap
from ..models.schedules import AnyOf, Cron, Daily, Monthly, Schedule, Weekly
from ..occurrences import zones
from ..occurrences.compiler import _part, _rules, _span, compile_schedule
from ..occurrences.evaluators import Evaluator
from ..occurrences.walltimes import Walltimes
from ..occurrences.zones import Zone
from .english import clock_time, short_date


class NamedWalls(NamedTuple):
    """What one calendar part names on the clock of its zone, and its rules."""

    occurrences: Evaluator
    walls: Walltimes
    zone: Zone
    gap: Gap
    fold: Fold
    start: int
    end: int


class Skipped(NamedTuple):
    """A gap: the instant of it, and the first and last wall-clock second that the clock skips."""

    at: int
    first: int
    last: int


def named_walls(part: Daily | Weekly | Monthly | Cron, zone: ZoneInfo, whole: Schedule | None = None) -> NamedWalls:
    """Return what a part names; `whole` is the union that it belongs to, whose exclusions and bounds hold too."""
    dates, times = _part(part, whole.excluding if isinstance(whole, AnyOf) else ())
    info, gap, fold, start, end = _rules(part, zone)
    if isinstance(whole, AnyOf):
        first, last = _span(whole)
        start, end = max(start, first), min(end, last)
    return NamedWalls(compile_schedule(part, zone), Walltimes(dates, times), zones.zone(info), gap, fold, start, end)


def calendar_parts(schedule: Schedule, zone: ZoneInfo) -> list[NamedWalls]:
    """Return what each calendar part of a schedule names."""
    known = schedule.of if isinstance(schedule, AnyOf) else (schedule,)
    calendars = [part for part in known if isinstance(part, (Daily, Weekly, Monthly, Cron))]
    return [named_walls(part, zone, schedule) for part in calendars]


def named_said(walls: Walltimes, first: int, last: int) -> str:
    """Say which of the named times do not exist, and on which date."""
    begin, end = walls.after(first - 1), walls.latest(last)
    if begin is None or end is None:
        return ""
    on = f"on {short_date(local(begin).date())}"
    if begin == end:
        return f"{clock_time(local(begin).time())} does not exist {on}"
    total = walls.count(first, last)
    return f"{total} times from {clock_time(local(begin).time())} to {clock_time(local(end).time())} do not exist {on}"


def local(wall: int) -> datetime:
    """Return a wall-clock second as a datetime without a zone."""
    return EPOCH.replace(tzinfo=None) + timedelta(seconds=wall)
