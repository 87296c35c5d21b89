"""What becomes of the times that a calendar schedule names where its zone's clock is set."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from ..clock import EPOCH
from ..occurrences.evaluators import Calendar
from ..occurrences.zones import DAY, Stretch
from .sentence import clock_time, duration, short_date

_FOLDS: Final = {"first": "it runs the first time", "last": "it runs the second time", "both": "it runs both times"}


class ClockChange(NamedTuple):
    """A gap or a fold of a zone's clock in which a schedule names some times."""

    at: int  # the instant, in seconds since 1970
    low: int  # the first wall-clock second that is skipped or repeated
    high: int  # the first one after those
    is_gap: bool
    named: str  # "02:30 does not exist on 29 Mar"
    fate: str  # "moved to 03:00"


def clock_change(calendar: Calendar, stretch: Stretch, only: int | None = None) -> ClockChange | None:
    """Return what setting the clock as a stretch begins does to the named times, or to `only` one, if anything."""
    before, after = stretch.begin + stretch.before, stretch.begin + stretch.offset
    low, high = sorted((before, after))
    first = calendar.walltimes.after((low if only is None else max(low, only)) - 1)
    last = calendar.walltimes.latest((high if only is None else min(high, only + 1)) - 1)
    if first is None or last is None or first > last:
        return None
    times, day, one = clock_time(local(first)), short_date(local(first)), first == last
    if not one:
        times = f"{calendar.walltimes.count(first, last)} times from {times} to {clock_time(local(last))}"
    if after < before:
        named, fate = f"{times} {'happens' if one else 'happen'} twice on {day}", _FOLDS[calendar.fold]
    elif low <= first - first % DAY <= high - DAY:
        named, fate = f"{day} does not exist", "skipped"
    else:
        named = f"{times} {'does' if one else 'do'} not exist on {day}"
        if calendar.gap == "skip":
            fate = "skipped"
        elif calendar.gap == "shift" and not one:
            fate = f"moved by {duration(timedelta(seconds=after - before))}"
        else:
            to = local(after if calendar.gap == "next_valid" else first + after - before)
            fate = f"moved to {clock_time(to)}{'' if short_date(to) == day else f' on {short_date(to)}'}"
    return ClockChange(stretch.begin, low, high, after > before, named, fate)


def local(wall: int) -> datetime:
    """Return a wall-clock second as a datetime without a zone."""
    return EPOCH.replace(tzinfo=None) + timedelta(seconds=wall)
