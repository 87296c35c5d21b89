"""The evaluators: each answers when one schedule happens, in integer microseconds since 1970-01-01T00:00Z.

They know no clock and remember nothing but what they learned of zones and dates.
"""

from __future__ import annotations

from typing import Final, Literal, Protocol

from typing_extensions import override

from ..clock import SECOND
from .walltimes import Walls
from .zones import DAY, FIRST_DAY, FIRST_SECOND, LAST_DAY, LAST_SECOND, Stretch, Zone

BEFORE_ALL: Final = -(1 << 80)
LAST: Final = LAST_SECOND * SECOND + SECOND - 1
"""The last microsecond of the year 9999."""
_EXACT: Final = 100_000


class Evaluator(Protocol):
    """When one schedule happens in one zone; every time is in microseconds since 1970.

    `anchor` is when the task was added. All of it is exact, total for any int, and takes a bounded number of steps
    however far the times lie apart.
    """

    __slots__ = ()

    def next_after(self, t: int, anchor: int) -> int | None:
        """Return the first occurrence strictly after `t`; None when there is none before year 10000."""
        ...

    def latest(self, t: int, anchor: int) -> int | None:
        """Return the last occurrence at or before `t`."""
        ...

    def count(self, after: int, until: int, anchor: int) -> int:
        """Return how many occurrences lie in (after, until]."""
        ...


class Single(Evaluator):
    """One moment; None is the anchor."""

    __slots__ = ("_at",)

    def __init__(self, at: int | None) -> None:
        self._at = at

    @override
    def next_after(self, t: int, anchor: int) -> int | None:
        at = anchor if self._at is None else self._at
        return at if at > t else None

    @override
    def latest(self, t: int, anchor: int) -> int | None:
        at = anchor if self._at is None else self._at
        return at if at <= t else None

    @override
    def count(self, after: int, until: int, anchor: int) -> int:
        at = anchor if self._at is None else self._at
        return int(after < at <= until)


class Grid(Evaluator):
    """The moments anchor + k * wait, for k = 0, 1, 2..."""

    __slots__ = ("_wait",)

    def __init__(self, wait: int) -> None:
        self._wait = wait

    @override
    def next_after(self, t: int, anchor: int) -> int | None:
        found = anchor if t < anchor else t + self._wait - (t - anchor) % self._wait
        return found if found <= LAST else None

    @override
    def latest(self, t: int, anchor: int) -> int | None:
        t = min(t, LAST)
        return None if t < anchor else t - (t - anchor) % self._wait

    @override
    def count(self, after: int, until: int, anchor: int) -> int:
        return max(0, self._until(until, anchor) - self._until(after, anchor))

    def _until(self, t: int, anchor: int) -> int:
        t = min(t, LAST)
        return 0 if t < anchor else (t - anchor) // self._wait + 1


class EachDay(Evaluator):
    """One wall-clock second of each local date.

    Away from the days when the clock is set, one look into the zone's known days gives the offset, and the rest is
    one modulo. Near them the few local dates around are resolved one by one.
    """

    __slots__ = ("_days", "_second", "_zone")

    def __init__(self, second: int, zone: Zone) -> None:
        self._second = second
        self._zone = zone
        self._days = zone.days

    @override
    def next_after(self, t: int, anchor: int) -> int | None:
        instant = t // SECOND
        offset = self._days[instant // DAY]
        if offset is not None:
            return (instant + DAY - (instant + offset - self._second) % DAY) * SECOND
        today = self._local_day(instant)
        for day in range(max(FIRST_DAY, today), min(LAST_DAY, today + 3) + 1):  # earlier dates had theirs
            found = self._instant(day)
            if found is not None and found > instant:
                return found * SECOND
        return None

    @override
    def latest(self, t: int, anchor: int) -> int | None:
        instant = t // SECOND
        offset = self._days[instant // DAY]
        if offset is not None:
            return (instant - (instant + offset - self._second) % DAY) * SECOND
        found = self._instant(self._latest_day(instant))
        return None if found is None else found * SECOND

    @override
    def count(self, after: int, until: int, anchor: int) -> int:
        if until <= after:
            return 0
        first = self._latest_day(after // SECOND) + 1
        last = self._latest_day(until // SECOND)
        return last - first + 1 - self._zone.missing(first, last)

    def _latest_day(self, instant: int) -> int:
        """Return the local date of the last occurrence at or before an instant; one before the first if none."""
        offset = self._days[instant // DAY]
        if offset is not None:
            return (instant + offset - self._second) // DAY
        today = self._local_day(instant)
        for day in range(min(LAST_DAY, today + 1), max(FIRST_DAY, today - 3) - 1, -1):
            found = self._instant(day)
            if found is not None and found <= instant:
                return day
        return FIRST_DAY - 1 if self._instant(FIRST_DAY) is not None else FIRST_DAY

    def _local_day(self, instant: int) -> int:
        instant = min(max(instant, FIRST_SECOND - DAY), LAST_SECOND + DAY)
        return (instant + self._zone.offset(instant)) // DAY

    def _instant(self, day: int) -> int | None:
        for instant in self._zone.resolve(day * DAY + self._second):
            return instant
        return None


class EachWall(Evaluator):
    """A series of wall-clock seconds in a zone, by the rules for the days when the clock is set.

    Away from those days the zone's known offset gives the instant. Near them the stretches between two changes are
    looked at one by one: each has its own wall-clock seconds, without those that another pass of a fold has, and at
    its begin what became of a gap. An empty stretch is left for the one of the next wall-clock second, so a search
    takes a few steps, and never more than there are stretches.
    """

    __slots__ = ("_days", "_end", "_fold", "_gap", "_once_a_date", "_start", "_walls", "_zone")

    def __init__(
        self,
        walls: Walls,
        zone: Zone,
        gap: Literal["next_valid", "shift", "skip"],
        fold: Literal["first", "last", "both"],
        start: int = BEFORE_ALL,
        end: int = LAST,
        *,
        once_a_date: bool = False,
    ) -> None:
        self._walls = walls
        self._zone = zone
        self._days = zone.days
        self._gap = gap
        self._fold = fold
        self._start = start
        self._end = min(end, LAST)
        self._once_a_date = once_a_date and gap == "next_valid" and fold == "first"

    @override
    def next_after(self, t: int, anchor: int) -> int | None:
        instant = (t if t >= self._start else self._start - 1) // SECOND
        days = self._days
        offset = days[instant // DAY]
        if offset is not None:
            wall = self._walls.after(instant + offset)
            if wall is None:
                return None
            ahead = days[(wall - offset) // DAY]
            if ahead is not None:
                wall = (wall - ahead) * SECOND
                return wall if wall <= self._end else None
        found = self._search(max(instant, FIRST_SECOND - 1))
        return None if found is None or found * SECOND > self._end else found * SECOND

    @override
    def latest(self, t: int, anchor: int) -> int | None:
        instant = min(t, self._end) // SECOND
        days = self._days
        offset = days[instant // DAY]
        if offset is not None:
            wall = self._walls.latest(instant + offset)
            if wall is None:
                return None
            ahead = days[(wall - offset) // DAY]
            if ahead is not None:
                wall = (wall - ahead) * SECOND
                return wall if wall >= self._start else None
        found = self._search_back(instant)
        return None if found is None or found * SECOND < self._start else found * SECOND

    @override
    def count(self, after: int, until: int, anchor: int) -> int:
        first = max(after, self._start - 1, FIRST_SECOND * SECOND - 1) // SECOND
        last = min(until, self._end) // SECOND
        if first >= last:
            return 0
        if self._once_a_date:
            return self._count_dates(first, last)
        total, at = 0, first
        while at <= last:
            stretch = self._zone.stretch(at)
            total += self._count_in(stretch, first, last)
            at = stretch.end
        return total

    def _search(self, instant: int) -> int | None:
        """Return the first second with an occurrence strictly after this one."""
        at = instant
        while True:
            stretch = self._zone.stretch(at)
            found = self._first_in(stretch, instant)
            if found is not None:
                return found if FIRST_SECOND <= found <= LAST_SECOND else None
            wall = self._walls.after(stretch.end + min(stretch.offset, stretch.after) - 1)
            if wall is None:
                return None
            at = max(stretch.end, wall - stretch.after - 2 * DAY)  # no clock is set by more than a day

    def _search_back(self, instant: int) -> int | None:
        """Return the last second with an occurrence at or before this one."""
        at = instant
        while True:
            stretch = self._zone.stretch(at)
            found = self._last_in(stretch, instant)
            if found is not None:
                return found if FIRST_SECOND <= found <= LAST_SECOND else None
            wall = self._walls.latest(stretch.begin + max(stretch.offset, stretch.before))
            if wall is None:
                return None
            at = min(stretch.begin - 1, wall - stretch.before + 2 * DAY)

    def _first_in(self, stretch: Stretch, instant: int) -> int | None:
        begin, offset = stretch.begin, stretch.offset
        low, high = self._bounds(stretch)
        wall = self._walls.after(max(instant + offset, low - 1))
        found = wall - offset if wall is not None and wall < high else None
        if offset <= stretch.before or self._gap == "skip":
            return found
        if self._gap == "next_valid":
            return begin if begin > instant and self._names_gap(stretch) else found
        before = stretch.before
        for gap_low, gap_high in _gap(stretch):
            wall = self._walls.after(max(instant + before, gap_low - 1))
            if wall is not None and wall < gap_high:
                return wall - before if found is None else min(found, wall - before)
        return found

    def _last_in(self, stretch: Stretch, instant: int) -> int | None:
        begin, offset = stretch.begin, stretch.offset
        low, high = self._bounds(stretch)
        wall = self._walls.latest(min(instant + offset, high - 1))
        found = wall - offset if wall is not None and wall >= low else None
        if offset <= stretch.before or self._gap == "skip":
            return found
        if self._gap == "next_valid":
            return begin if found is None and begin <= instant and self._names_gap(stretch) else found
        before = stretch.before
        for gap_low, gap_high in reversed(_gap(stretch)):
            wall = self._walls.latest(min(instant + before, gap_high - 1))
            if wall is not None and wall >= gap_low:
                return wall - before if found is None else max(found, wall - before)
        return found

    def _count_in(self, stretch: Stretch, after: int, until: int) -> int:
        begin, offset, before = stretch.begin, stretch.offset, stretch.before
        low, high = self._bounds(stretch)
        total = self._walls.count(max(low, after + offset + 1), min(high - 1, until + offset))
        if offset <= before or self._gap == "skip":
            return total
        if self._gap == "next_valid":
            return total + int(after < begin <= until and not self._names(begin + offset) and self._names_gap(stretch))
        for gap_low, gap_high in _gap(stretch):
            wall = self._walls.after(max(gap_low, after + before + 1) - 1)
            while wall is not None and wall < gap_high and wall - before <= until:
                total += not self._names(wall - before + offset)  # otherwise it coincides with that one
                wall = self._walls.after(wall)
        return total

    def _count_dates(self, after: int, until: int) -> int:
        """Count what happens once for each date that exists, without a look at each stretch."""
        first, last = self._passed(after) + 1, self._passed(until)
        total = self._walls.count(first, last)
        for day in self._zone.missing_dates(first // DAY, last // DAY):
            total -= self._walls.count(max(first, day * DAY), min(last, day * DAY + DAY - 1))
        return total

    def _passed(self, instant: int) -> int:
        """Return the last wall-clock second that the zone's clock has shown, or skipped, up to this instant."""
        stretch = self._zone.stretch(instant)
        return max(instant + stretch.offset, stretch.begin + stretch.before - 1)

    def _bounds(self, stretch: Stretch) -> tuple[int, int]:
        """Return the first wall-clock second that happens in a stretch, and the first one that doesn't any more."""
        low, high = stretch.begin + stretch.offset, stretch.end + stretch.offset
        if self._fold == "first" and stretch.before > stretch.offset:
            low = stretch.begin + stretch.before
        elif self._fold == "last" and stretch.after < stretch.offset:
            high = stretch.end + stretch.after
        return low, high

    def _names(self, wall: int) -> bool:
        return self._walls.after(wall - 1) == wall

    def _names_gap(self, stretch: Stretch) -> bool:
        """Tell whether a wall-clock second of the gap at the begin of a stretch is named, of a date that exists."""
        return any((wall := self._walls.after(low - 1)) is not None and wall < high for low, high in _gap(stretch))


def _gap(stretch: Stretch) -> tuple[tuple[int, int], ...]:
    """Return the wall-clock seconds that are skipped at the begin of a stretch, without whole dates."""
    low, high = stretch.begin + stretch.before, stretch.begin + stretch.offset
    first, last = -(-low // DAY) * DAY, high // DAY * DAY
    return ((low, first), (last, high)) if first < last else ((low, high),)


class Union(Evaluator):
    """The occurrences of several evaluators; those that coincide are one."""

    __slots__ = ("_end", "_parts", "_start")

    def __init__(self, parts: tuple[Evaluator, ...], start: int = BEFORE_ALL, end: int = LAST) -> None:
        self._parts = parts
        self._start = start
        self._end = end

    @override
    def next_after(self, t: int, anchor: int) -> int | None:
        t = max(t, self._start - 1)
        found = min((at for part in self._parts if (at := part.next_after(t, anchor)) is not None), default=None)
        return None if found is None or found > self._end else found

    @override
    def latest(self, t: int, anchor: int) -> int | None:
        t = min(t, self._end)
        found = max((at for part in self._parts if (at := part.latest(t, anchor)) is not None), default=None)
        return None if found is None or found < self._start else found

    @override
    def count(self, after: int, until: int, anchor: int) -> int:
        """Return how many occurrences lie in (after, until]: exact up to 100,000, and never too few."""
        after, until = max(after, self._start - 1), min(until, self._end)
        counted = sorted(((part.count(after, until, anchor), place) for place, part in enumerate(self._parts)))[::-1]
        total, looks = counted[0][0], _EXACT
        for rank, (count, place) in enumerate(counted[1:], 1):
            total += count
            others = [self._parts[other] for _, other in counted[:rank]]
            at = self._parts[place].next_after(after, anchor)
            while at is not None and at <= until and looks:
                total -= any(other.latest(at, anchor) == at for other in others)
                at = self._parts[place].next_after(at, anchor)
                looks -= 1
        return total
