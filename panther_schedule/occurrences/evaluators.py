"""The evaluators: each answers when one schedule happens. They remember nothing but what they learned of calendars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from typing_extensions import override

from ..clock import SECOND
from ..models.fields import Fold, Gap
from .walltimes import Piece, Walltimes, count_pieces
from .zones import DAY, FIRST, LAST, Stretch, Zone


class Evaluator(Protocol):
    """When one schedule happens in one zone; every time is in microseconds since 1970-01-01T00:00Z.

    `anchor` is when the task was added. All is exact, total for any int, and takes a bounded number of steps.
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


class Grid(Evaluator):
    """The moments begin + k * wait, for k = 0, 1, 2...; without a begin of its own it begins with the anchor."""

    __slots__ = ("_begin", "_wait")

    def __init__(self, wait: int, begin: int | None = None) -> None:
        self._wait = wait
        self._begin = begin

    @override
    def next_after(self, t: int, anchor: int) -> int | None:
        begin = anchor if self._begin is None else self._begin
        found = begin if t < begin else t + self._wait - (t - begin) % self._wait
        return found if found <= LAST else None

    @override
    def latest(self, t: int, anchor: int) -> int | None:
        begin = anchor if self._begin is None else self._begin
        t = min(t, LAST)
        return None if t < begin else t - (t - begin) % self._wait

    @override
    def count(self, after: int, until: int, anchor: int) -> int:
        begin = anchor if self._begin is None else self._begin
        first, last = (max(-1, (min(t, LAST) - begin) // self._wait) for t in (after, until))
        return max(0, last - first)


class Calendar(Evaluator):
    """A series of wall-clock seconds in a zone, by the rules for gaps and folds, from `start` to `end`.

    Away from the days when the clock is set, the zone's known offset gives the instant. Near them the stretches
    between two changes are searched one by one; those without a wall-clock second of the series are passed over.
    """

    __slots__ = ("end", "fold", "gap", "start", "walltimes", "zone")

    def __init__(self, walltimes: Walltimes, zone: Zone, gap: Gap, fold: Fold, start: int, end: int) -> None:
        self.walltimes = walltimes
        self.zone = zone
        self.gap = gap
        self.fold = fold
        self.start = start
        self.end = end

    @override
    def next_after(self, t: int, anchor: int) -> int | None:
        instant = (t if t >= self.start else self.start - 1) // SECOND
        offset = self.zone[instant // DAY]
        if offset is not None and (wall := self.walltimes.after(instant + offset)) is not None:
            ahead = self.zone[(wall - offset) // DAY]
            if ahead is not None:
                found = (wall - ahead) * SECOND
                return found if found <= self.end else None
        searched = self._search(instant)
        return None if searched is None or searched * SECOND > self.end else searched * SECOND

    @override
    def latest(self, t: int, anchor: int) -> int | None:
        instant = min(t, self.end) // SECOND
        offset = self.zone[instant // DAY]
        if offset is not None and (wall := self.walltimes.latest(instant + offset)) is not None:
            ahead = self.zone[(wall - offset) // DAY]
            if ahead is not None:
                found = (wall - ahead) * SECOND
                return found if found >= self.start else None
        searched = self._search_back(instant)
        return None if searched is None or searched * SECOND < self.start else searched * SECOND

    @override
    def count(self, after: int, until: int, anchor: int) -> int:
        time, *others = self.walltimes.times
        if others or self.gap != "next_valid" or self.fold != "first":
            return count_pieces(self.pieces(after, until))
        # once on each date that exists: no need to look at each stretch, which takes 0.1 s for all of time
        begin = self._passed(max(after, self.start - 1) // SECOND) + 1
        end = self._passed(min(until, self.end) // SECOND)
        if begin > end:
            return 0
        missing = [
            day for day in self.zone.missing_dates() if begin <= day * DAY + time <= end and self.walltimes.has(day)
        ]
        return self.walltimes.count(begin, end) - len(missing)

    def _passed(self, instant: int) -> int:
        """Return the last wall-clock second that the zone's clock has shown, or skipped, up to this instant."""
        stretch = self.zone.stretch(instant)
        return max(instant + stretch.offset, stretch.begin + stretch.before - 1)

    def pieces(self, after: int, until: int) -> Iterator[Piece]:
        """Yield what happens in (after, until], as pieces of whole seconds."""
        at = max(after, self.start - 1) // SECOND + 1
        last = min(until, self.end) // SECOND
        while at <= last:
            stretch = self.zone.stretch(at)
            for piece in self._pieces_of(stretch):
                begin, end = max(piece.begin, at), min(piece.end, stretch.end, last + 1)
                if begin < end:
                    yield Piece(self.walltimes, begin, end, piece.offset)
            at = stretch.end

    def _search(self, instant: int) -> int | None:
        """Return the first second with an occurrence strictly after this one."""
        at = instant
        while True:
            stretch = self.zone.stretch(at)
            found = [following for piece in self._pieces_of(stretch) if (following := piece.after(instant)) is not None]
            if found:
                return min(found)
            wall = self.walltimes.after(stretch.end + min(stretch.offset, stretch.after) - 1)
            if wall is None:
                return None
            at = max(stretch.end, wall - stretch.after - 2 * DAY)  # no clock is set by more than a day

    def _search_back(self, instant: int) -> int | None:
        """Return the last second with an occurrence at or before this one."""
        at = instant
        while True:
            stretch = self.zone.stretch(at)
            found = [latest for piece in self._pieces_of(stretch) if (latest := piece.latest(instant)) is not None]
            if found:
                return max(found)
            wall = self.walltimes.latest(stretch.begin + max(stretch.offset, stretch.before))
            if wall is None:
                return None
            at = min(stretch.begin - 1, wall - stretch.before + 2 * DAY)

    def _pieces_of(self, stretch: Stretch) -> Iterator[Piece]:
        """Yield what happens in a stretch, without what another pass of a fold has, and what became of a gap."""
        begin, end, offset, before, after = stretch
        if self.fold == "first" and before > offset:
            begin += before - offset
        elif self.fold == "last" and after < offset:
            end -= offset - after
        yield Piece(self.walltimes, begin, end, offset)
        for low, high in _gap(stretch) if before < offset and self.gap != "skip" else ():
            if self.gap == "shift":
                yield Piece(self.walltimes, low - before, high - before, before)
            elif (wall := self.walltimes.after(low - 1)) is not None and wall < high:
                yield Piece(self.walltimes, begin, begin + 1, wall - begin)  # as if the clock showed this second then


class EveryDay(Calendar):
    """One wall-clock second of each date; away from the days when the clock is set, one modulo finds it."""

    __slots__ = ()

    @override
    def next_after(self, t: int, anchor: int) -> int | None:
        instant = t // SECOND
        offset = self.zone[instant // DAY]
        if offset is None:
            return super().next_after(t, anchor)
        return (instant + DAY - (instant + offset - self.walltimes.times[0]) % DAY) * SECOND


class Union(Evaluator):
    """The occurrences of several calendars, and single moments; those that coincide are one.

    It remembers between which two occurrences of each calendar the last question lay, and searches none again there.
    """

    __slots__ = ("_calendars", "_known", "_moments")

    def __init__(self, calendars: tuple[Calendar, ...], moments: tuple[int, ...]) -> None:
        self._calendars = calendars
        self._moments = moments
        self._known = [(0, 0)] * len(calendars)

    @override
    def next_after(self, t: int, anchor: int) -> int | None:
        found = [after for _, after in self._neighbours(t)] + [at for at in self._moments if at > t]
        first = min(found, default=LAST + 1)
        return first if first <= LAST else None

    @override
    def latest(self, t: int, anchor: int) -> int | None:
        found = [latest for latest, _ in self._neighbours(t)] + [at for at in self._moments if at <= t]
        last = max(found, default=FIRST - 1)
        return last if last >= FIRST else None

    @override
    def count(self, after: int, until: int, anchor: int) -> int:
        alone = [at for at in self._moments if not any(part.latest(at, at) == at for part in self._calendars)]
        pieces = (piece for part in self._calendars for piece in part.pieces(after, until))
        return count_pieces(pieces) + sum(after < at <= until for at in alone)

    def _neighbours(self, t: int) -> list[tuple[int, int]]:
        """Return of each calendar the latest occurrence and the one after `t`; where there is none, beyond all time."""
        found: list[tuple[int, int]] = []
        for place, part in enumerate(self._calendars):
            known = self._known[place]
            if not known[0] <= t < known[1]:
                latest = t if t == known[1] <= LAST else part.latest(t, t)
                after = part.next_after(t, t)
                known = FIRST - 1 if latest is None else latest, LAST + 1 if after is None else after
                self._known[place] = known
            found.append(known)
        return found


def _gap(stretch: Stretch) -> tuple[tuple[int, int], ...]:
    """Return the wall-clock seconds that are skipped at the begin of a stretch, without whole dates."""
    low, high = stretch.begin + stretch.before, stretch.begin + stretch.offset
    dates = stretch.skipped_dates()
    return ((low, dates.start * DAY), (dates.stop * DAY, high)) if dates else ((low, high),)
