"""The next occurrences of a schedule, with notes on clock changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ..clock import MICROSECOND, SECOND, SystemClock, moment
from ..models.schedules import AnyOf, Cron, Daily, Monthly, Schedule, Weekly
from ..occurrences.compiler import begins_after, compile_schedule, zone_for
from ..occurrences.jitter import spread
from ..occurrences.queries import instant
from ..occurrences.zones import BEFORE_ALL, LAST
from .clock_changes import CalendarPart


@dataclass(frozen=True, slots=True)
class Preview:
    """One occurrence to come."""

    local: datetime
    """The time in the schedule's zone, aware."""
    utc: datetime
    """The same moment in UTC."""
    note: str | None = None
    """How a clock change affects it, or skipped one just before it; None if none does."""


def preview(
    schedule: Schedule, n: int, *, after: datetime | None = None, zone: ZoneInfo | str | None = None
) -> list[Preview]:
    """Return the first `n` occurrences after `after`, or fewer if the schedule has fewer.

    `after` is an aware datetime, by default now; `Once()` and `Repeat` start then. `zone` is for a schedule without
    one; by default that is the machine's zone, or UTC where no zone matters. An occurrence of a union is shown in the
    zone of its part. A naive `after` or a negative `n` raises ValueError.
    """
    if n < 0:
        raise ValueError(f"n must not be negative, got {n}; write preview(schedule, 5)")
    start = SystemClock().read().wall if after is None else instant("after", after)
    info = zone_for(schedule, zone)
    union = schedule if isinstance(schedule, AnyOf) else None
    known = union.of if union else (schedule,)
    parts = [CalendarPart(part, info, union) for part in known if isinstance(part, (Daily, Weekly, Monthly, Cron))]
    due = first_due(schedule, n, after=start, zone=info, anchor=start, key="", jitter=timedelta(0))
    return [_shown(at, parts, start, info) for at in due]


def first_due(
    schedule: Schedule, n: int, *, after: int, zone: ZoneInfo, anchor: int, key: str, jitter: timedelta
) -> list[int]:
    """Return when the first `n` runs after `after` are due, or fewer if there are fewer; in microseconds since 1970.

    `anchor` is when the task was added, or would be. Unless `after` is later, `Once` and `Repeat` begin with their
    first occurrence, even one in the past. Of a repeat without a wait only the first is known. `key` draws the jitter.
    """
    occurrences = compile_schedule(schedule, zone)
    limit = n if schedule.run_count == -1 else min(n, schedule.run_count)
    at = occurrences.next_after(begins_after(schedule, after) if after <= anchor else after, anchor)
    due: list[int] = []
    while at is not None and len(due) < limit:
        following = occurrences.next_after(at, anchor)
        room = (LAST if following is None else following) - at
        due.append(at + spread(key, at, min(jitter // MICROSECOND, room)))
        at = following
    return due


def _shown(at: int, parts: list[CalendarPart], after: int, zone: ZoneInfo) -> Preview:
    having = [part for part in parts if part.occurrences.latest(at, at) == at]
    info = having[0].zone.info if having else zone
    utc = moment(at)
    try:
        local = utc.astimezone(info)
    except OverflowError:  # beyond the years 1 to 9999 on that clock
        local = utc.astimezone(UTC)
    notes = (_note(part, at, after) for part in having)
    return Preview(local, utc, next(filter(None, notes), None))


def _note(part: CalendarPart, at: int, after: int) -> str | None:
    """Say how a clock change affects an occurrence, or skipped one between it and the occurrence before."""
    second = at // SECOND
    here = part.zone.stretch(second)
    wall = second + here.offset
    if part.gap == "shift" and (shifted := part.change(here, only=second + here.before)):
        return f"{shifted.named}: {shifted.fate}"
    before = part.occurrences.latest(at - 1, at)
    since = max(after, part.start - 1, BEFORE_ALL if before is None else before) // SECOND
    gap = part.gap_before(wall)
    if gap and gap.at > since:
        return f"{gap.named}: {gap.fate}"
    fold = part.change(here, only=wall) or part.change(part.zone.stretch(here.end), only=wall)
    return f"{fold.named}: the {'first' if second < fold.at else 'second'}" if fold else None
