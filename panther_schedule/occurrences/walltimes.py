"""Wall-clock seconds: the dates of a rule at some times of day, and what they are on a zone's clock."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from ..models.days import Dates, DayRule, bits
from .zones import DAY


class Walltimes:
    """The dates of a rule, each at the same times of day, as one increasing series of wall-clock seconds."""

    __slots__ = ("_dates", "times")

    def __init__(self, rule: DayRule, times: tuple[int, ...]) -> None:
        self.times = times
        self._dates = _dates(rule)

    def after(self, wall: int) -> int | None:
        """Return the first one strictly after `wall`."""
        times = self.times
        day, second = divmod(wall, DAY)
        if second < times[-1] and day in self._dates:
            return wall - second + times[bisect_right(times, second)]
        found = self._dates.after(day)
        return None if found is None else found * DAY + times[0]

    def latest(self, wall: int) -> int | None:
        """Return the last one at or before `wall`."""
        times = self.times
        day, second = divmod(wall, DAY)
        if second >= times[0] and day in self._dates:
            return wall - second + times[bisect_right(times, second) - 1]
        found = self._dates.latest(day - 1)
        return None if found is None else found * DAY + times[-1]

    def count(self, first: int, last: int) -> int:
        """Return how many there are from `first` to `last`, which is not before `first`."""
        times = self.times
        (first_day, begin), (last_day, end) = divmod(first, DAY), divmod(last, DAY)
        total = self._dates.count(first_day, last_day) * len(times)
        if self.has(first_day):
            total -= bisect_left(times, begin)
        if self.has(last_day):
            total -= len(times) - bisect_right(times, end)
        return total

    def has(self, day: int) -> bool:
        """Tell whether a date is one of the series."""
        return day in self._dates


class Piece(NamedTuple):
    """What happens of a series from `begin` to before `end` on a clock that is `offset` ahead of UTC; in seconds."""

    walltimes: Walltimes
    begin: int
    end: int
    offset: int

    def after(self, instant: int) -> int | None:
        """Return the first instant strictly after this one."""
        wall = self.walltimes.after(max(instant, self.begin - 1) + self.offset)
        return wall - self.offset if wall is not None and wall < self.end + self.offset else None

    def latest(self, instant: int) -> int | None:
        """Return the last instant at or before this one."""
        wall = self.walltimes.latest(min(instant, self.end - 1) + self.offset)
        return wall - self.offset if wall is not None and wall >= self.begin + self.offset else None


def count_pieces(pieces: Iterable[Piece]) -> int:
    """Return at how many instants one of the pieces, or several, has an occurrence."""
    ordered = sorted(pieces, key=attrgetter("begin"))
    edges = sorted({edge for piece in ordered for edge in (piece.begin, piece.end)})
    total, opened = 0, 0
    active: list[Piece] = []
    for low, high in pairwise(edges):
        active = [piece for piece in active if piece.end > low]
        while opened < len(ordered) and ordered[opened].begin == low:
            active.append(ordered[opened])
            opened += 1
        if len(active) == 1:
            walltimes, _, _, offset = active[0]
            total += walltimes.count(low + offset, high - 1 + offset)
        elif active:
            total += _count_together(active, low, high - 1)
    return total


def _count_together(pieces: list[Piece], first: int, last: int) -> int:
    """Count the instants from `first` to `last` that several pieces have, by the days of UTC."""
    parts = [
        (piece.walltimes, ahead, seconds)
        for piece in pieces
        for ahead, seconds in _seconds_in_utc(piece.walltimes.times, piece.offset)
    ]
    total = 0
    for day in range(first // DAY, last // DAY + 1):
        seconds = _merged(tuple(seconds for walltimes, ahead, seconds in parts if walltimes.has(day - ahead)))
        low, high = first - day * DAY, last - day * DAY
        whole = low <= 0 and high >= DAY - 1
        total += len(seconds) if whole else sum(low <= second <= high for second in seconds)
    return total


@lru_cache(maxsize=256)
def _seconds_in_utc(times: tuple[int, ...], offset: int) -> tuple[tuple[int, frozenset[int]], ...]:
    """Return the seconds of UTC's day that these times of day are, by how many days its date is ahead of theirs."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for time in times:
        ahead, second = divmod(time - offset, DAY)
        found[ahead].add(second)
    return tuple((ahead, frozenset(seconds)) for ahead, seconds in found.items())


@lru_cache(maxsize=256)
def _merged(parts: tuple[frozenset[int], ...]) -> frozenset[int]:
    return frozenset[int]().union(*parts)


@lru_cache(maxsize=1024)
def _dates(rule: DayRule) -> Dates:
    return Dates(rule)


@lru_cache(maxsize=128)
def times_of_day(minutes: int, hours: int) -> tuple[int, ...]:
    """Return the seconds of a day at which these minutes of these hours begin; both are masks of bits."""
    return tuple((hour * 60 + minute) * 60 for hour in bits(hours) for minute in bits(minutes))
