"""The times that a calendar schedule names where its zone's clock is set, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from ..clock import EPOCH, SECOND
from ..models.schedules import AnyOf, Cron, Daily, Monthly, Weekly
from ..occurrences import zones
from ..occurrences.compiler import _part, _rules, _span
from ..occurrences.evaluators import Calendar
from ..occurrences.walltimes import Walltimes
from ..occurrences.zones import DAY, Stretch
from .english import clock_time, duration, short_date

_FOLDS: Final = {"first": "it runs the first time", "last": "it runs the second time", "both": "it runs both times"}


class ClockChange(NamedTuple):
    """A gap or a fold of a zone's clock in which a schedule names some times."""

    at: int  # the instant, in seconds since 1970
    is_gap: bool
    first: datetime  # the first local time that the clock skips or repeats
    end: datetime  # the first local time after those
    named: str  # "02:30 does not exist on 29 Mar"
    fate: str  # "moved to 03:00"


class CalendarPart:
    """One calendar schedule in its zone, or a part of a union, with the union's exclusions and bounds."""

    def __init__(self, part: Daily | Weekly | Monthly | Cron, zone: ZoneInfo, union: AnyOf | None) -> None:
        whole = union or part
        info, self.gap, self.fold, start, end = _rules(part, zone)
        first, last = _span(whole)
        self.start, self.end = max(start, first), min(end, last)
        dates, times = _part(part, whole.excluding)
        self.walls, self.zone = Walltimes(dates, times), zones.zone(info)
        self.occurrences = Calendar(self.walls, self.zone, self.gap, self.fold, self.start, self.end)

    def changes(self, after: int, before: int) -> Iterator[ClockChange]:
        """Yield the clock changes between two instants, in seconds, that touch a named time within the bounds."""
        stretch = self.zone.stretch(max(after, self.start // SECOND))
        while stretch.end < min(before, self.end // SECOND):
            stretch = self.zone.stretch(stretch.end)
            if change := self.change(stretch):
                yield change

    def gap_before(self, wall: int) -> ClockChange | None:
        """Return the gap that skips the named time before this wall-clock second, if one does."""
        named = self.walls.latest(wall - 1)
        if named is None:
            return None
        stretch = self.zone.stretch(named - DAY)  # before the gap, since no zone is a day ahead of UTC
        change = self.change(self.zone.stretch(stretch.end))
        return change if change and change.is_gap and change.first <= _local(named) < change.end else None

    def change(self, stretch: Stretch, only: int | None = None) -> ClockChange | None:
        """Return what setting the clock as a stretch begins does to the named times, or to `only` one, if anything."""
        before, after = stretch.begin + stretch.before, stretch.begin + stretch.offset
        low, high = sorted((before, after))
        first = self.walls.after((low if only is None else max(low, only)) - 1)
        last = self.walls.latest((high if only is None else min(high, only + 1)) - 1)
        if first is None or last is None or first > last:
            return None
        times, day, one = clock_time(_local(first)), short_date(_local(first)), first == last
        if not one:
            times = f"{self.walls.count(first, last)} times from {times} to {clock_time(_local(last))}"
        if after < before:
            named, fate = f"{times} {'happens' if one else 'happen'} twice on {day}", _FOLDS[self.fold]
        elif low <= first - first % DAY <= high - DAY:
            named, fate = f"{day} does not exist", "skipped"
        else:
            named = f"{times} {'does' if one else 'do'} not exist on {day}"
            if self.gap == "skip":
                fate = "skipped"
            elif self.gap == "shift" and not one:
                fate = f"moved by {duration(timedelta(seconds=after - before))}"
            else:
                to = _local(after if self.gap == "next_valid" else first + after - before)
                fate = f"moved to {clock_time(to)}{'' if short_date(to) == day else f' on {short_date(to)}'}"
        return ClockChange(stretch.begin, after > before, _local(low), _local(high), named, fate)


def _local(wall: int) -> datetime:  # without a zone
    return EPOCH.replace(tzinfo=None) + timedelta(seconds=wall)
