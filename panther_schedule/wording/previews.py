"""The next occurrences of a schedule, with a note where the zone's clock is set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ..clock import MICROSECOND, SECOND, SystemClock, moment
from ..models.schedules import Schedule
from ..occurrences.compiler import begins_after, compile_schedule, zone_for
from ..occurrences.jitter import spread
from ..occurrences.queries import instant
from ..occurrences.zones import BEFORE_ALL, DAY, LAST, Zone
from .clock_changes import NamedWalls, Skipped, calendar_parts, local, named_said
from .english import clock_time, short_date

_MOST_STRETCHES: Final = 64  # how far back a skipped time is looked for: about thirty years of a zone with summer time


@dataclass(frozen=True, slots=True)
class Preview:
    """One occurrence of a schedule, before it happens."""

    local: datetime
    """The time in the schedule's zone, aware."""
    utc: datetime
    """The same moment in UTC."""
    note: str | None = None
    """What setting the clock did to it, or to one that would have come before it; None for nothing."""


def preview(
    schedule: Schedule, n: int, *, after: datetime | None = None, zone: ZoneInfo | str | None = None
) -> list[Preview]:
    """Return the first `n` occurrences after `after`, and at most as many as the schedule's own `n`.

    `after` is aware, and now when it is left out; a `Once()` or `Repeat` begins with it. `zone` is for a schedule that
    names none; without it that is the machine's own, and UTC for one that follows no zone's clock. Of a union each
    occurrence is shown in the zone of the part that has it. A naive `after` or a negative `n` raises ValueError.
    """
    if n < 0:
        raise ValueError(f"n must not be negative, got {n}; write preview(schedule, 5)")
    begun = SystemClock().read().wall if after is None else instant("after", after)
    info = zone_for(schedule, zone)
    parts = calendar_parts(schedule, info)
    found = first_runs(schedule, n, after=begun, zone=info, anchor=begun)
    return [_shown(at, parts, begun, info) for at in found]


def first_runs(schedule: Schedule, n: int, *, after: int, zone: ZoneInfo, anchor: int) -> list[int]:
    """Return the first `n` occurrences after `after`, and at most as many as the schedule's own `n`.

    All times are in microseconds since 1970; `anchor` is when the task was added, or would be. A task that is not
    older than `after` begins as a new task does: `Once` and `Repeat` with their first occurrence, even when it is
    over. A repeat without a wait shows the first only, since the others depend on how long the runs take.
    """
    occurrences = compile_schedule(schedule, zone)
    if after <= anchor:
        after = begins_after(schedule, after)
    limit = n if schedule.run_count == -1 else min(n, schedule.run_count)
    found: list[int] = []
    while len(found) < limit and (following := occurrences.next_after(after, anchor)) is not None:
        found.append(following)
        after = following
    return found


def first_due(
    schedule: Schedule, n: int, *, after: int, zone: ZoneInfo, anchor: int, key: str, jitter: timedelta
) -> list[int]:
    """Return when the first `n` runs after `after` are due: as `first_runs`, each moved by the jitter of `key`.

    None is moved to the next occurrence or beyond it.
    """
    found = first_runs(schedule, n, after=after, zone=zone, anchor=anchor)
    most = jitter // MICROSECOND
    if not most:
        return found
    occurrences = compile_schedule(schedule, zone)
    due: list[int] = []
    for at in found:
        following = occurrences.next_after(at, anchor)
        due.append(at + spread(key, at, min(most, (LAST if following is None else following) - at)))
    return due


def _shown(at: int, parts: list[NamedWalls], after: int, zone: ZoneInfo) -> Preview:
    having = [part for part in parts if part.occurrences.latest(at, at) == at]
    notes = [note for part in having if (note := _note(part, at, after)) is not None]
    info = having[0].zone.info if having else zone
    utc = moment(at)
    try:
        local = utc.astimezone(info)
    except OverflowError:  # beyond the years 1 to 9999 on that clock
        local = utc.astimezone(UTC)
    return Preview(local, utc, notes[0] if notes else None)


def _note(part: NamedWalls, at: int, after: int) -> str | None:
    """Say what setting the clock did to this occurrence, or to what would have come between it and the one before."""
    before = part.occurrences.latest(at - 1, at)
    since = max(after, part.start - 1, BEFORE_ALL if before is None else before) // SECOND
    instant = at // SECOND
    stretch = part.zone.stretch(instant)
    wall = instant + stretch.offset
    for _ in range(_MOST_STRETCHES):
        gap = Skipped(stretch.begin, stretch.begin + stretch.before, stretch.begin + stretch.offset - 1)
        if gap.at <= since and (part.gap != "shift" or instant > gap.at + gap.last - gap.first):
            break
        note = _gap_note(part, gap, instant, wall)
        if note is not None:
            return note
        stretch = part.zone.stretch(stretch.begin - 1)
    return _fold_note(part.zone, instant)


def _gap_note(part: NamedWalls, gap: Skipped, instant: int, wall: int) -> str | None:
    """Say what became of the times that the clock skipped here; None when none of them was named."""
    first, last = gap.first, gap.last
    begin = part.walls.after(first - 1)
    if begin is None or begin > last:
        return None
    day = local(begin)
    midnight = begin - begin % DAY
    if first <= midnight and midnight + DAY - 1 <= last:
        return f"{short_date(day.date())} does not exist: skipped"
    if part.gap == "shift":
        first = last = wall - (last + 1 - first)  # the one that was moved to here
        if not part.walls.count(first, last):
            return None
    named = named_said(part.walls, first, last)
    if part.gap == "skip":
        return f"{named}: skipped"
    if part.gap == "next_valid" and instant != gap.at:
        return None
    to = local(wall)
    elsewhere = "" if to.date() == day.date() else f" on {short_date(to.date())}"
    return f"{named}: moved to {clock_time(to.time())}{elsewhere}"


def _fold_note(zone: Zone, instant: int) -> str | None:
    stretch = zone.stretch(instant)
    wall = instant + stretch.offset
    if wall < stretch.begin + stretch.before:
        which = "second"
    elif wall >= stretch.end + stretch.after:
        which = "first"
    else:
        return None
    at = local(wall)
    return f"{clock_time(at.time())} happens twice on {short_date(at.date())}: the {which}"
