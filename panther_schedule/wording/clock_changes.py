"""What becomes of the times that a calendar schedule names where its zone's clock is set."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ..clock import EPOCH
from ..occurrences.evaluators import Calendar
from ..occurrences.zones import DAY, Stretch
from .sentence import clock_time, duration, short_date

_FOLDS: Final = {"first": "it runs the first time", "last": "it runs the second time", "both": "it runs both times"}


def clock_change(calendar: Calendar, stretch: Stretch, only: int | None = None) -> tuple[str, str] | None:
    """Say what setting the clock as a stretch begins does to the named times, or to `only` one; None if nothing.

    In two parts, such as "02:30 does not exist on 29 Mar" and "moved to 03:00".
    """
    low, high = stretch.skipped_or_repeated()
    first = calendar.walltimes.after((low if only is None else max(low, only)) - 1)
    last = calendar.walltimes.latest((high if only is None else min(high, only + 1)) - 1)
    if first is None or last is None or first > last:
        return None
    times, day, one = clock_time(local(first)), short_date(local(first)), first == last
    if not one:
        times = f"{calendar.walltimes.count(first, last)} times from {times} to {clock_time(local(last))}"
    if not stretch.after_gap:
        return f"{times} {'happens' if one else 'happen'} twice on {day}", _FOLDS[calendar.fold]
    if low <= first - first % DAY <= high - DAY:
        return f"{day} does not exist", "skipped"
    named = f"{times} {'does' if one else 'do'} not exist on {day}"
    if calendar.gap == "skip":
        return named, "skipped"
    if calendar.gap == "shift" and not one:
        return named, f"moved by {duration(timedelta(seconds=high - low))}"
    to = local(high if calendar.gap == "next_valid" else first + high - low)
    return named, f"moved to {clock_time(to)}{'' if short_date(to) == day else f' on {short_date(to)}'}"


def local(wall: int) -> datetime:
    """Return a wall-clock second as a datetime without a zone."""
    return EPOCH.replace(tzinfo=None) + timedelta(seconds=wall)
