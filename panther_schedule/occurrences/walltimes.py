"""Wall-clock seconds: the dates of a rule at some times of day, and what they are on a zone's clock."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from operator import attrgetter
from typing import Any, Final, NamedTuple, cast

from ..models.days import Dates, DayRule
from .zones import DAY

_dates: Final = lru_cache(maxsize=1024)(Dates)


class Seconds(Sequence[int]):
    """The same seconds of each of these minutes of a day, up to 86,400 of them, which take no room."""

    __slots__ = ("_minutes", "_seconds")

    def __init__(self, minutes: tuple[int, ...], seconds: tuple[int, ...]) -> None:
        self._minutes, self._seconds = minutes, seconds

    def __len__(self) -> int:
        return len(self._minutes) * len(self._seconds)

    def __getitem__(self, index: Any) -> Any:
        minute, second = divmod(cast(int, index), len(self._seconds))
        return self._minutes[minute] + self._seconds[second]


class Walltimes:
    """The dates of a rule, each at the same times of day, as one increasing series of wall-clock seconds."""

    __slots__ = ("dates", "rule", "times")

    def __init__(self, rule: DayRule, times: Sequence[int]) -> None:
        self.rule = rule
        self.times = times
        self.dates = _dates(rule)

    def after(self, wall: int) -> int | None:
        """Return the first one strictly after `wall`."""
        times = self.times
        day, second = divmod(wall, DAY)
        if second < times[-1] and self.dates.has(day):
            return wall - second + times[bisect_right(times, second)]
        found = self.dates.after(day)
        return None if found is None else found * DAY + times[0]

    def latest(self, wall: int) -> int | None:
        """Return the last one at or before `wall`."""
        times = self.times
        day, second = divmod(wall, DAY)
        if second >= times[0] and self.dates.has(day):
            return wall - second + times[bisect_right(times, second) - 1]
        found = self.dates.latest(day - 1)
        return None if found is None else found * DAY + times[-1]

    def count(self, first: int, last: int) -> int:
        """Return how many there are from `first` to `last`, which is not before `first`."""
        times = self.times
        (first_day, begin), (last_day, end) = divmod(first, DAY), divmod(last, DAY)
        total = self.dates.count(first_day, last_day) * len(times)
        if self.dates.has(first_day):
            total -= bisect_left(times, begin)
        if self.dates.has(last_day):
            total -= len(times) - bisect_right(times, end)
        return total


class Piece(NamedTuple):
    """What happens of a series from `begin` to before `end` on a clock that is `offset` ahead of UTC; in seconds."""

    walltimes: Walltimes
    begin: int
    end: int
    offset: int

    def first(self) -> int | None:
        """Return its first instant."""
        wall = self.walltimes.after(self.begin + self.offset - 1)
        return wall - self.offset if wall is not None and wall < self.end + self.offset else None

    def last(self) -> int | None:
        """Return its last instant."""
        wall = self.walltimes.latest(self.end + self.offset - 1)
        return wall - self.offset if wall is not None and wall >= self.begin + self.offset else None


def count_pieces(pieces: Iterable[Piece]) -> int:
    """Return at how many instants one of the pieces, or several, has an occurrence."""
    waiting = sorted(pieces, key=attrgetter("begin"), reverse=True)
    total = 0
    active: list[Piece] = []
    for low, high in pairwise(sorted({edge for piece in waiting for edge in (piece.begin, piece.end)})):
        active = [piece for piece in active if piece.end > low]
        while waiting and waiting[-1].begin == low:
            active.append(waiting.pop())
        if len(active) == 1:
            walltimes, _, _, offset = active[0]
            total += walltimes.count(low + offset, high - 1 + offset)
        elif active:
            total += _count_together(active, low, high - 1)
    return total


def _count_together(pieces: list[Piece], first: int, last: int) -> int:
    """Count the instants from `first` to `last` that several pieces have, by the days of UTC."""
    total = 0
    for day in range(first // DAY, last // DAY + 1):
        seconds = _seconds_of_day(
            tuple(
                (walltimes, ahead * DAY - offset)
                for walltimes, _, _, offset in pieces
                for ahead in (-1, 0, 1)  # a local date shares seconds with no other day of UTC
                if walltimes.dates.has(day + ahead)
            )
        )
        low, high = first - day * DAY, last - day * DAY
        whole = low <= 0 and high >= DAY - 1
        total += len(seconds) if whole else sum(low <= second <= high for second in seconds)
    return total


@lru_cache(maxsize=32)
def _seconds_of_day(dates: tuple[tuple[Walltimes, int], ...]) -> frozenset[int]:
    """Return the seconds of a day with an occurrence, given when each local date begins, in seconds after the day."""
    return frozenset(at for walltimes, begin in dates for time in walltimes.times if 0 <= (at := begin + time) < DAY)
