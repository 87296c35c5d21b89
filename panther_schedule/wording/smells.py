"""What in a schedule may not be what was meant, each with a remedy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from ..clock import SECOND, SystemClock
from ..models.days import ALL_DAYS, ALL_MONTHS, ALL_WEEKDAYS, bits, mask_of
from ..models.schedules import AnyOf, Cron, Daily, Monthly, Once, Repeat, Schedule, Weekly
from .clock_changes import NamedWalls, local, named_said, named_walls
from .english import clock_time, is_short, short_date

_YEARS: Final = timedelta(days=5 * 366) // timedelta(seconds=1)  # of clock changes to come

Code = Literal["short_month", "day_and_weekday", "skipped_time", "doubled_time", "busy_loop", "no_zone"]


@dataclass(frozen=True, slots=True)
class Smell:
    """Something in a schedule that may not be what was meant."""

    code: Code
    """Which kind it is; it stays the same between releases."""
    message: str
    """What happens, and what to write instead."""


def lint(schedule: Schedule, zone: ZoneInfo | str | None = None) -> list[Smell]:
    """Return what in a schedule may not be what was meant; an empty list is nothing.

    `zone` is the one that a schedule without a zone will run in. Without either, the zone's clock is not looked at.
    A time is looked for in the zone's clock changes of the next five years.
    """
    info = ZoneInfo(zone) if isinstance(zone, str) else zone
    smells: dict[Smell, None] = {}
    for part in schedule.of if isinstance(schedule, AnyOf) else (schedule,):
        for smell in _of_part(part, schedule, info):
            smells[smell] = None
    return list(smells)


def _of_part(part: Schedule, whole: Schedule, zone: ZoneInfo | None) -> list[Smell]:
    match part:
        case Repeat(n=-1) if not part.wait:
            return [
                Smell(
                    "busy_loop", "it runs back to back for ever; give it a wait, as in Repeat(-1, timedelta(minutes=5))"
                )
            ]
        case Once() | Repeat():
            return []
        case Daily() | Weekly() | Monthly() | Cron():
            found = _short_months(part) + (_day_and_weekday(part) if isinstance(part, Cron) else [])
            info = ZoneInfo(part.tz) if part.tz else zone
            if info is None:
                remedy = 'name one, as in tz="Europe/Berlin" or tz="UTC"'
                return [*found, Smell("no_zone", f"it follows whatever zone the machine is set to; {remedy}")]
            return found + _set_clock(part, named_walls(part, info, whole))
        case _:
            return []


def _short_months(part: Daily | Weekly | Monthly | Cron) -> list[Smell]:
    if isinstance(part, Monthly):
        if isinstance(part.on, tuple):
            if part.on[0] == 5:
                message = (
                    f"a month without a fifth {part.on[1]} has no run; write on=(-1, {part.on[1]!r}) for the last one"
                )
                return [Smell("short_month", message)]
            return []
        months = ALL_MONTHS if part.months is None else mask_of(part.months)
        if part.starting is not None:
            months &= mask_of((part.starting.month - 1 + part.every * step) % 12 + 1 for step in range(12))
        if part.missing == "skip" and is_short(part.on, months):
            remedy = "write on=-1 for the last day, or missing='clamp'"
            return [Smell("short_month", f"a month without day {part.on} has no run; {remedy}")]
        return []
    if isinstance(part, Cron):
        rule = part.fields.dates
        days = list(bits(rule.days))
        other = rule.last or rule.last_workday or rule.near_workdays or (rule.either and rule.weekdays)
        if days and not other and all(is_short(day, rule.months) for day in days):
            message = f"a month without day {days[0]} has no run; write L for the last day of the month"
            return [Smell("short_month", message)]
    return []


def _day_and_weekday(part: Cron) -> list[Smell]:
    rule = part.fields.dates
    if rule.days == ALL_DAYS or rule.weekdays == ALL_WEEKDAYS:
        return []
    if rule.either:
        message = (
            "day-of-month and day-of-week are both given, so a date needs to match only one of them; "
            "write * for one, or one Cron for each and join them by |"
        )
    else:
        message = (
            "day-of-month and day-of-week are both given and one begins with a star, so a date must match both; "
            "write * for one if one should be enough"
        )
    return [Smell("day_and_weekday", message)]


def _set_clock(part: Daily | Weekly | Monthly | Cron, named: NamedWalls) -> list[Smell]:
    """Find the first gap and the first fold that a time of the schedule falls into."""
    now = SystemClock().read().wall // SECOND
    begin, end = max(now, named.start // SECOND), min(now + _YEARS, named.end // SECOND)
    elapsed = isinstance(part, Cron) and part.fields.elapsed  # it follows the real minutes, which a gap or fold suits
    gap = elapsed and part.gap is None
    fold = elapsed and part.fold is None
    smells: list[Smell] = []
    at = begin
    while at < end and not (gap and fold):
        stretch = named.zone.stretch(at)
        at = stretch.end
        first, last = sorted((at + stretch.offset, at + stretch.after))
        if at >= end or not named.walls.count(first, last - 1):
            continue
        if stretch.after > stretch.offset and not gap:
            smells.append(_skipped(named, first, last - 1))
            gap = True
        elif stretch.after < stretch.offset and not fold:
            smells.append(_doubled(named, first, last - 1))
            fold = True
    return smells


def _skipped(named: NamedWalls, first: int, last: int) -> Smell:
    year = local(first).year
    becomes = {
        "next_valid": f"it runs at the end of the gap, {clock_time(local(last + 1).time())}",
        "shift": "it runs later by the length of the gap",
        "skip": "it does not run",
    }[named.gap]
    what = named_said(named.walls, first, last)
    return Smell("skipped_time", f"{what} {year} in {named.zone.info.key}: {becomes}; {_elsewhere(first, last)}")


def _doubled(named: NamedWalls, first: int, last: int) -> Smell:
    at = local(named.walls.after(first - 1) or first)
    becomes = {"first": "it runs the first time", "last": "it runs the second time", "both": "it runs both times"}
    what = f"{clock_time(at.time())} happens twice on {short_date(at.date())} {at.year} in {named.zone.info.key}"
    return Smell("doubled_time", f"{what}: {becomes[named.fold]}; {_elsewhere(first, last)}")


def _elsewhere(first: int, last: int) -> str:
    begin, end = (clock_time(local(at).time()) for at in (first, last + 1))
    return f"choose a time outside {begin} to {end}, or tz='UTC'"
