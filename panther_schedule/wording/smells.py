"""Likely mistakes in a schedule, with fixes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from ..clock import SECOND, SystemClock
from ..models.cron import open_steps
from ..models.days import ALL_DAYS, ALL_WEEKDAYS, bits
from ..models.fields import TimeZone
from ..models.schedules import AnyOf, Cron, Daily, Monthly, Repeat, Schedule, Weekly
from ..occurrences.compiler import UTC_ZONE, calendar_of, check_schedule, checked_zone
from ..occurrences.evaluators import Calendar
from .sentence import DAY_NAMES, Task, clock_change, clock_time, duration, is_short, local, numbered

Code = Literal[
    "short_month", "day_and_weekday", "uneven_step", "skipped_time", "doubled_time",
    "busy_loop", "single_run", "short_wait", "no_zone",
]  # fmt: skip
_FIVE_YEARS: Final = timedelta(days=5 * 366) // timedelta(seconds=1)
_STEPS: Final = {  # the length of a cron field, its unit, what it is a part of, and how to repeat evenly
    "second": (60, "second", "minute", "Repeat(-1, timedelta(seconds={}))"),
    "minute": (60, "minute", "hour", "Repeat(-1, timedelta(minutes={}))"),
    "hour": (24, "hour", "day", "Repeat(-1, timedelta(hours={}))"),
    "day-of-month": (1, "day", "month", "Daily(..., every={}, starting=...)"),  # no step divides each month
    "month": (12, "month", "year", "Monthly(..., every={}, starting=...)"),
    "day-of-week": (7, "day", "week", "Daily(..., every={}, starting=...)"),
}


@dataclass(frozen=True, slots=True)
class Smell:
    """A likely mistake in a schedule."""

    code: Code
    """The kind of mistake; codes stay the same between releases."""
    message: str
    """What happens, and what to write instead."""


def lint(schedule: Schedule | Task, zone: TimeZone | None = None) -> list[Smell]:
    """Return likely mistakes in a schedule, or in that of a task, with fixes.

    Times are checked against the zone's clock changes of the next five years. `zone` is the zone of a schedule that
    names none; by default its times are not checked.
    """
    of_task = schedule.schedule if isinstance(schedule, Task) else schedule
    known = check_schedule("lint", of_task, or_a=" or a BackgroundTask")
    info = None if zone is None else checked_zone(zone)
    union = known if isinstance(known, AnyOf) else None
    parts = union.of if union else (known,)
    return list(dict.fromkeys(smell for part in parts for smell in _smells(part, info, union)))


def _smells(part: Schedule, zone: ZoneInfo | None, union: AnyOf | None) -> Iterator[Smell]:
    if isinstance(part, Repeat):
        yield from _of_waits(part)
    if not isinstance(part, (Daily, Weekly, Monthly, Cron)):
        return
    yield from _of_dates(part)
    if part.tz is None and zone is None:
        yield Smell("no_zone", 'it runs in the machine\'s zone, whatever that is; name one, as in tz="Europe/Berlin"')
    else:
        yield from _of_clock_changes(part, calendar_of(part, zone or UTC_ZONE, union))


def _of_waits(part: Repeat) -> Iterator[Smell]:
    wait = duration(part.wait)
    if part.n == -1 and not part.wait:
        yield Smell("busy_loop", "it runs back to back for ever; add a wait, as in Repeat(-1, timedelta(minutes=5))")
    elif part.n == 1 and part.wait:
        yield Smell("single_run", f"it runs once, without the wait of {wait}; write n=-1, or interval(-1), for no end")
    elif timedelta(0) < part.wait < timedelta(milliseconds=1):
        remedy = "write timedelta(milliseconds=1) or more"
        yield Smell("short_wait", f"a wait of {wait} is shorter than the scheduler can keep, 1 millisecond; {remedy}")


def _of_dates(part: Daily | Weekly | Monthly | Cron) -> Iterator[Smell]:
    rule, months = part.dates, part.dates.narrowed().months
    days = list(bits(rule.days))
    other = rule.last or rule.clamp or rule.last_workday or rule.near_workdays or (rule.either and rule.weekdays)
    without = "it does not run in months without"
    if isinstance(part, Monthly) and isinstance(part.day, tuple) and part.day[0] == 5:
        fifth = f"a fifth {DAY_NAMES[rule.nth[0][1]]}"
        yield Smell("short_month", f"{without} {fifth}; write day=(-1, {part.day[1]!r}) for the last one")
    elif days and not other and all(is_short(day, months) for day in days):
        remedy = "L for the last day" if isinstance(part, Cron) else "day=-1 for the last day, or missing='clamp'"
        yield Smell("short_month", f"{without} day {days[0]}; write {remedy}")
    both_days = rule.days != ALL_DAYS and rule.weekdays != ALL_WEEKDAYS
    if isinstance(part, Cron) and both_days:
        either = "it runs when either day-of-month or day-of-week matches; write * for one, or join two Crons with |"
        both = "it runs when day-of-month and day-of-week both match, as one starts with a star; write * for one"
        yield Smell("day_and_weekday", either if rule.either else both)
    for field, item, values, step in open_steps(part.expression, part.seconds) if isinstance(part, Cron) else ():
        if not (both_days and field.startswith("day-")):
            size, unit, whole, remedy = _STEPS[field]
            if size % step:
                often = item.partition("/")[2]
                means = f"{item} is {numbered(unit, list(bits(values)))} of each {whole}, not every {often} {unit}s"
                yield Smell("uneven_step", f"{means}; write {remedy.format(often)} for that")


def _of_clock_changes(part: Daily | Weekly | Monthly | Cron, calendar: Calendar) -> Iterator[Smell]:
    now = SystemClock().read().wall // SECOND
    end = min(now + _FIVE_YEARS, calendar.end // SECOND)
    elapsed = isinstance(part, Cron) and part.fields.elapsed  # it follows the real minutes: gaps and folds suit it
    seen: set[Code] = set()
    stretch = calendar.zone.stretch(max(now, calendar.start // SECOND))
    while stretch.end < end:
        stretch = calendar.zone.stretch(stretch.end)
        rule = part.gap if stretch.after_gap else part.fold
        code: Code = "skipped_time" if stretch.after_gap else "doubled_time"
        if code not in seen and not (elapsed and rule is None) and (change := clock_change(calendar, stretch)):
            seen.add(code)
            low, high = map(local, stretch.skipped_or_repeated())
            remedy = f"choose a time outside {clock_time(low)} to {clock_time(high)}, or tz='UTC'"
            yield Smell(code, f"{change[0]} {low.year} in {calendar.zone.info.key}: {change[1]}; {remedy}")
