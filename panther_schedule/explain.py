"""What a schedule means: in one English sentence, and as its next occurrences."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Final, assert_never, cast
from zoneinfo import ZoneInfo

from .occurrences import compile as compile_schedule
from .schedules import AnySchedule, Daily, Once, Repeat, Schedule

_BEFORE_ALL: Final = -(1 << 62)  # before year 1, in microseconds


def explain(schedule: Schedule, zone: str | None = None) -> str:
    """Say in one line what a schedule does, such as "every 5 minutes, 5 times".

    `zone` is the name to show for a wall-clock schedule that names no zone itself; without it none is shown.
    """
    known = cast(AnySchedule, schedule)
    match known:
        case Once():
            return "once, now" if known.at is None else f"once, at {known.at.replace(tzinfo=None).isoformat(' ')} UTC"
        case Repeat():
            if known.n == 1:
                return "once, now"
            if not known.wait:
                return f"{_times(known.n)}, back to back"
            return f"every {_duration(known.wait)}, {_times(known.n)}"
        case Daily():
            at = _clock_time(known.at, known.tz or zone)
            if known.n == 1:
                return f"once, at the next {at}"
            return f"every day at {at}" if known.n == -1 else f"every day at {at}, {_times(known.n)}"
        case _:
            assert_never(known)


def preview(schedule: Schedule, n: int, *, after: int, zone: ZoneInfo, anchor: int) -> list[int]:
    """Return the first `n` occurrences after `after`, and at most as many as the schedule's own `n`.

    All times are in microseconds since 1970; `anchor` is when the task was added, or would be. A task that is not
    older than `after` begins as a new task does: `Once` and `Repeat` with their first occurrence, even when it is
    over. A repeat without a wait shows the first only, since the others depend on how long the runs take.
    """
    occurrences = compile_schedule(schedule, zone)
    if after <= anchor and (not schedule.on_wall or isinstance(schedule, Once)):
        after = _BEFORE_ALL
    limit = n if schedule.run_count == -1 else min(n, schedule.run_count)
    found: list[int] = []
    while len(found) < limit and (following := occurrences.next_after(after, anchor)) is not None:
        found.append(following)
        after = following
    return found


def _times(n: int) -> str:
    return "for ever" if n == -1 else f"{n} times"


def _clock_time(at: time, zone: str | None) -> str:
    shown = at.isoformat("seconds" if at.second else "minutes")
    return f"{shown} in {zone}" if zone else shown


def _duration(wait: timedelta) -> str:
    """Say a duration exactly, from days to microseconds; one whole unit goes without its number."""
    minutes, seconds = divmod(wait.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    exact = f"{seconds}.{wait.microseconds:06d}".rstrip("0") if wait.microseconds else str(seconds)
    amounts = (str(wait.days), "day"), (str(hours), "hour"), (str(minutes), "minute"), (exact, "second")
    parts = [(amount, unit) for amount, unit in amounts if amount != "0"]
    if len(parts) == 1 and parts[0][0] == "1":
        return parts[0][1]
    return " ".join(f"{amount} {unit}" if amount == "1" else f"{amount} {unit}s" for amount, unit in parts)
