"""Wall-clock seconds: the dates of a rule at some times of day, as one increasing series of integers.

A wall-clock second is counted from 1970-01-01T00:00 on a clock that is never set; zones come later.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import Final, Protocol

from typing_extensions import override

from ..models.days import Dates, DayRule, bits

_DAY: Final = 86_400


class Walls(Protocol):
    """A series of wall-clock seconds."""

    __slots__ = ()

    def after(self, wall: int) -> int | None:
        """Return the first one strictly after `wall`."""
        ...

    def latest(self, wall: int) -> int | None:
        """Return the last one at or before `wall`."""
        ...

    def count(self, first: int, last: int) -> int:
        """Return how many there are from `first` to `last`."""
        ...


class DatesAtTimes(Walls):
    """The dates of one rule or more, each at the same times of day."""

    __slots__ = ("_dates", "_times")

    def __init__(self, rules: tuple[DayRule, ...], times: tuple[int, ...]) -> None:
        self._dates = Dates(rules)
        self._times = times

    @override
    def after(self, wall: int) -> int | None:
        times = self._times
        day, second = divmod(wall, _DAY)
        if second < times[-1] and day in self._dates:
            return wall - second + times[bisect_right(times, second)]
        found = self._dates.after(day)
        return None if found is None else found * _DAY + times[0]

    @override
    def latest(self, wall: int) -> int | None:
        times = self._times
        day, second = divmod(wall, _DAY)
        if second >= times[0] and day in self._dates:
            return wall - second + times[bisect_right(times, second) - 1]
        found = self._dates.latest(day - 1)
        return None if found is None else found * _DAY + times[-1]

    @override
    def count(self, first: int, last: int) -> int:
        if last < first:
            return 0
        first_day, last_day = (first - 1) // _DAY, last // _DAY
        whole = self._dates.count(first_day, last_day) * len(self._times)
        return whole - self._rest(last) - self._begun(first - 1)

    def _begun(self, wall: int) -> int:
        """Return how many of the date of `wall` lie at or before it."""
        day, second = divmod(wall, _DAY)
        return bisect_right(self._times, second) if day in self._dates else 0

    def _rest(self, wall: int) -> int:
        """Return how many of the date of `wall` lie after it."""
        day, second = divmod(wall, _DAY)
        return len(self._times) - bisect_right(self._times, second) if day in self._dates else 0


class Disjoint(Walls):
    """Several series that have nothing in common, as one."""

    __slots__ = ("_parts",)

    def __init__(self, parts: tuple[Walls, ...]) -> None:
        self._parts = parts

    @override
    def after(self, wall: int) -> int | None:
        return min((found for part in self._parts if (found := part.after(wall)) is not None), default=None)

    @override
    def latest(self, wall: int) -> int | None:
        return max((found for part in self._parts if (found := part.latest(wall)) is not None), default=None)

    @override
    def count(self, first: int, last: int) -> int:
        return sum(part.count(first, last) for part in self._parts)


@lru_cache(maxsize=128)
def times_of_day(minutes: int, hours: int) -> tuple[int, ...]:
    """Return the seconds of a day at which these minutes of these hours begin; both are masks of bits."""
    return tuple((hour * 60 + minute) * 60 for hour in bits(hours) for minute in bits(minutes))
