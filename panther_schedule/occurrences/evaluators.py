"""The evaluators: each answers when one schedule happens. They remember nothing but what they learned of calendars.

Every time is in microseconds since 1970-01-01T00:00Z; `anchor` is when the task was added. All of them have

- `next_after`: the first occurrence strictly after `t`; None when there is none before year 10000,
- `latest`: the last occurrence at or before `t`,
- `count`: how many occurrences lie in (after, until].

All are exact and defined for any int, and take a bounded number of steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from ..clock import SECOND
from ..models.days import DayRule
from ..models.fields import Fold, Gap
from .walltimes import Piece, Walltimes, count_pieces
from .zones import DAY, FIRST, LAST, Stretch, zone

_EVERY_DAY: Final = DayRule()


class Grid:
    """The moments anchor + k * wait, for k = 0, 1, 2..."""

    __slots__ = ("_wait",)

    def __init__(self, wait: int) -> None:
        self._wait = wait

    def next_after(self, t: int, anchor: int) -> int | None:
        found = anchor if t < anchor else t + self._wait - (t - anchor) % self._wait
        return found if found <= LAST else None

    def latest(self, t: int, anchor: int) -> int | None:
        t = min(t, LAST)
        return None if t < anchor else t - (t - anchor) % self._wait

    def count(self, after: int, until: int, anchor: int) -> int:
        first, last = (max(-1, (min(t, LAST) - anchor) // self._wait) for t in (after, until))
        return max(0, last - first)


class Calendar:
    """A series of wall-clock seconds in a zone, by the rules for gaps and folds, from `start` to `end`.

    Away from the days when the clock is set, the zone's known offset gives the instant. Near them the days around a
    wall-clock second of the series are searched, piece by piece.
    """

    __slots__ = ("_daily", "end", "fold", "gap", "start", "walltimes", "zone")

    def __init__(
        self, rule: DayRule, times: Sequence[int], info: ZoneInfo, gap: Gap, fold: Fold, start: int, end: int
    ) -> None:
        self.walltimes = Walltimes(rule, times)
        self.zone = zone(info)
        self.gap = gap
        self.fold = fold
        self.start = start
        self.end = end
        self._daily = times[0] if rule == _EVERY_DAY and len(times) == 1 else None

    def next_after(self, t: int, _anchor: int) -> int | None:
        instant = (t if t >= self.start else self.start - 1) // SECOND
        offset = self.zone[instant // DAY]
        if offset is not None:
            if self._daily is not None:  # one modulo, in a third of the time
                found = (instant + DAY - (instant + offset - self._daily) % DAY) * SECOND
                return found if found <= self.end else None
            wall = self.walltimes.after(instant + offset)
            if wall is not None and (ahead := self.zone[(wall - offset) // DAY]) is not None:
                found = (wall - ahead) * SECOND
                return found if found <= self.end else None
        while instant * SECOND < self.end and (wall := self.walltimes.after(instant - DAY)) is not None:
            instant = max(instant, wall - DAY)  # it happens within a day of `wall`, if at all
            firsts = [piece.first() for piece in self.pieces(instant * SECOND, (instant + 3 * DAY) * SECOND)]
            if known := [first for first in firsts if first is not None]:
                return min(known) * SECOND
            instant += 3 * DAY
        return None

    def latest(self, t: int, _anchor: int) -> int | None:
        instant = min(t, self.end) // SECOND
        offset = self.zone[instant // DAY]
        if offset is not None and (wall := self.walltimes.latest(instant + offset)) is not None:
            ahead = self.zone[(wall - offset) // DAY]
            if ahead is not None:
                found = (wall - ahead) * SECOND
                return found if found >= self.start else None
        while instant * SECOND >= self.start and (wall := self.walltimes.latest(instant + DAY)) is not None:
            instant = min(instant, wall + DAY)
            lasts = [piece.last() for piece in self.pieces((instant - 3 * DAY) * SECOND, instant * SECOND)]
            if known := [last for last in lasts if last is not None]:
                return max(known) * SECOND
            instant -= 3 * DAY
        return None

    def count(self, after: int, until: int, _anchor: int) -> int:
        return count_pieces(self.pieces(after, until))

    def pieces(self, after: int, until: int) -> Iterator[Piece]:
        """Yield what happens in (after, until], as pieces of whole seconds."""
        at, last = max(after, self.start - 1) // SECOND + 1, min(until, self.end) // SECOND
        while at <= last:
            stretch = self.zone.stretch(at)
            for piece in self._pieces_of(stretch):
                begin, end = max(piece.begin, at), min(piece.end, stretch.end, last + 1)
                if begin < end:
                    yield Piece(self.walltimes, begin, end, piece.offset)
            at = stretch.end

    def _pieces_of(self, stretch: Stretch) -> Iterator[Piece]:
        """Yield what happens in a stretch, without what another pass of a fold has, and with what a gap moves."""
        begin, end, offset, before, after = stretch
        if self.fold == "first" and before > offset:
            begin += before - offset
        elif self.fold == "last" and after < offset:
            end -= offset - after
        yield Piece(self.walltimes, begin, end, offset)
        for low, high in stretch.gaps() if self.gap != "skip" else ():
            if self.gap == "shift":
                yield Piece(self.walltimes, low - before, high - before, before)
            elif self.walltimes.count(low, high - 1) and (wall := self.walltimes.after(low - 1)) is not None:
                yield Piece(self.walltimes, begin, begin + 1, wall - begin)  # as if the clock showed this second then


class Union:
    """The occurrences of several calendars, and single moments; those that coincide are one.

    It remembers between which two occurrences of each calendar the last question lay, and searches none again there.
    """

    __slots__ = ("_known", "_moments", "calendars")

    def __init__(self, calendars: tuple[Calendar, ...], moments: tuple[int, ...]) -> None:
        self.calendars = calendars
        self._moments = moments
        self._known = [(0, 0)] * len(calendars)

    def next_after(self, t: int, _anchor: int) -> int | None:
        found = (*self._moments, *(after for _, after in self._neighbours(t)))
        return min((at for at in found if t < at <= LAST), default=None)

    def latest(self, t: int, _anchor: int) -> int | None:
        found = (*self._moments, *(latest for latest, _ in self._neighbours(t)))
        return max((at for at in found if FIRST <= at <= t), default=None)

    def count(self, after: int, until: int, _anchor: int) -> int:
        alone = [at for at in self._moments if not any(part.latest(at, at) == at for part in self.calendars)]
        pieces = (piece for part in self.calendars for piece in part.pieces(after, until))
        return count_pieces(pieces) + sum(after < at <= until for at in alone)

    def _neighbours(self, t: int) -> list[tuple[int, int]]:
        """Return each calendar's latest occurrence and the one after `t`; beyond all time where there is none."""
        found: list[tuple[int, int]] = []
        for place, part in enumerate(self.calendars):
            known = self._known[place]
            if not known[0] <= t < known[1]:
                latest = t if t == known[1] <= LAST else part.latest(t, t)
                after = part.next_after(t, t)
                known = FIRST - 1 if latest is None else latest, LAST + 1 if after is None else after
                self._known[place] = known
            found.append(known)
        return found


Evaluator: TypeAlias = Grid | Calendar | Union
