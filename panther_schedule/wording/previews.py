"""The next occurrences of a schedule, with notes on clock changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ..clock import SECOND, SystemClock, instant, moment
from ..errors import check_number
from ..models.fields import TimeZone
from ..models.schedules import Schedule
from ..occurrences.compiler import check_schedule, compile_schedule, zone_for
from ..occurrences.evaluators import Calendar, Evaluator, Union
from ..occurrences.queries import first_due
from ..occurrences.zones import BEFORE_ALL, DAY
from .sentence import Task, clock_change


@dataclass(frozen=True, slots=True)
class Preview:
    """A coming occurrence."""

    local: datetime
    """The time in the schedule's zone, aware."""
    utc: datetime
    """The same moment in UTC."""
    note: str | None = None
    """How a clock change affects it, or skipped one just before it; None if none does."""


def preview(
    schedule: Schedule | Task, n: int, *, after: datetime | None = None, zone: TimeZone | None = None
) -> list[Preview]:
    """Return the first `n` occurrences of a schedule or a task after `after`, or fewer if there are fewer.

    `after` is an aware datetime, by default now; `Once()` and `Repeat` start then. `zone` is for a schedule without
    one; by default that is the machine's zone, or UTC where no zone matters. An occurrence of a union is shown in the
    zone of its part. A task's jitter is in its times, as in those of `next_runs()`.

    Raises:
        ValidationError: an argument has another type, `n` is negative, `after` is naive, or the zone is not known.
    """
    key, jitter = "", timedelta(0)
    if isinstance(schedule, Task):
        key, jitter, schedule = schedule._jitter_key, schedule.policy.jitter, schedule.schedule
    known = check_schedule("preview", schedule, or_a=" or a BackgroundTask")
    n = check_number("preview", "preview_count", "n", n, 0, "write preview(schedule, 5)")
    start = SystemClock().read().wall if after is None else instant("preview", "after", after)
    info = zone_for(known, zone)
    calendars = calendars_of(compile_schedule(known, info))
    plain = first_due(known, n, start, info)
    due = first_due(known, n, start, info, key=key, jitter=jitter) if jitter else plain
    return [_shown(at, then, calendars, start, info) for at, then in zip(plain, due, strict=True)]


def calendars_of(occurrences: Evaluator) -> list[Calendar]:
    """List the parts of a schedule that follow the clock of a zone."""
    parts = occurrences.calendars if isinstance(occurrences, Union) else (occurrences,)
    return [part for part in parts if isinstance(part, Calendar)]


def clock_note(calendars: list[Calendar], at: int, after: int) -> str | None:
    """Say how a clock change affects an occurrence, or skipped one just before it but after `after`."""
    notes = (_note(calendar, at, after) for calendar in _having(calendars, at))
    return next(filter(None, notes), None)


def _having(calendars: list[Calendar], at: int) -> list[Calendar]:
    return [calendar for calendar in calendars if calendar.latest(at, at) == at]


def _shown(at: int, due: int, calendars: list[Calendar], after: int, zone: ZoneInfo) -> Preview:
    having = _having(calendars, at)
    utc = moment(due)
    try:
        local = utc.astimezone(having[0].zone.info if having else zone)
    except OverflowError:  # beyond the years 1 to 9999 on that clock
        local = utc
    return Preview(local, utc, clock_note(having, at, after))


def _note(calendar: Calendar, at: int, after: int) -> str | None:
    """Say how a clock change affects an occurrence, or skipped one between it and the occurrence before."""
    second = at // SECOND
    here = calendar.zone.stretch(second)
    wall = second + here.offset
    if calendar.gap == "shift" and (shifted := clock_change(calendar, here, only=second + here.before)):
        return ": ".join(shifted)
    before = calendar.latest(at - 1, at)
    since = max(after, calendar.start - 1, BEFORE_ALL if before is None else before) // SECOND
    named = calendar.walltimes.latest(wall - 1)
    if named is not None:
        # the stretch before a gap at this time, since no zone is a day ahead of UTC, and the one after
        ahead = calendar.zone.stretch(calendar.zone.stretch(named - DAY).end)
        low, high = ahead.skipped_or_repeated()
        if ahead.begin > since and ahead.after_gap and low <= named < high and (gap := clock_change(calendar, ahead)):
            return ": ".join(gap)
    if fold := clock_change(calendar, here, only=wall):
        return f"{fold[0]}: the second"
    fold = clock_change(calendar, calendar.zone.stretch(here.end), only=wall)
    return f"{fold[0]}: the first" if fold else None
