"""Time zones in integer seconds: how far a zone's clock is ahead of UTC, and when it is set.

An instant is counted from 1970-01-01T00:00Z. A wall-clock second is counted like one, but on the zone's own clock.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from ..clock import SECOND
from ..models.days import FIRST_DATE, LAST_DATE

DAY: Final = 86_400  # seconds
FIRST_SECOND: Final = FIRST_DATE * DAY
LAST_SECOND: Final = (LAST_DATE + 1) * DAY - 1
FIRST: Final = FIRST_SECOND * SECOND  # the first and the last microsecond of all time
LAST: Final = LAST_SECOND * SECOND + SECOND - 1
BEFORE_ALL: Final = -(1 << 80)

_SAFE_FIRST: Final = FIRST_SECOND + 2 * DAY
_SAFE_LAST: Final = LAST_SECOND - 2 * DAY
_from_timestamp: Final = datetime.fromtimestamp
_FIRST_CHANGE: Final = int(datetime(1800, 1, 1, tzinfo=UTC).timestamp())  # no clock was set before
_YEARLY: Final = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())  # from then on each zone has one yearly rule
_CYCLE: Final = 146_097 * DAY  # 400 years, in which dates, weekdays and the yearly rules of all zones come round
_SAMPLE: Final = 5 * DAY  # shorter than the time between two changes of any zone
_SPAN: Final = 240 * _SAMPLE


class Stretch(NamedTuple):
    """The time from `begin` to before `end`, in which a zone's clock is not set.

    A long one is cut into pieces, at least five days from any change; what two calls return may overlap.
    """

    begin: int
    end: int
    offset: int
    before: int  # the offset of the stretch before
    after: int  # the offset of the stretch after

    @property
    def after_gap(self) -> bool:
        return self.before < self.offset

    def skipped_or_repeated(self) -> tuple[int, int]:
        """Return the wall-clock seconds from the first to before the second, which are empty at a cut."""
        before, offset = self.before, self.offset
        return self.begin + min(before, offset), self.begin + max(before, offset)

    def gaps(self) -> list[tuple[int, int]]:
        """Return the wall-clock seconds that are skipped at `begin`, without whole dates, as 2011-12-30 in Apia."""
        low, high = self.skipped_or_repeated()
        first, last = -(-low // DAY) * DAY, high // DAY * DAY  # midnights
        return [] if not self.after_gap else [(low, first), (last, high)] if first < last else [(low, high)]


class Zone(dict[int, int | None]):
    """One zone's clock; indexed by a UTC day, counted from 1970, it gives that day's offset, or None near a change.

    No zone of the IANA data ever set its clock twice within six days, or by more than 24 hours. So two equal offsets
    five days apart hold between them, and within a day of a known day each wall-clock second happens exactly once.
    """

    __slots__ = ("_changes", "info")

    def __init__(self, info: ZoneInfo) -> None:
        super().__init__()
        self.info = info
        self._changes: dict[int, list[tuple[int, int, int]]] = {}

    def __missing__(self, day: int) -> int | None:
        before, after = self.offset((day - 2) * DAY), self.offset((day + 3) * DAY)
        known = before == after and FIRST_DATE + 3 < day < LAST_DATE - 3
        if len(self) >= 4096:
            self.clear()
        found = self[day] = before if known else None
        return found

    def offset(self, instant: int) -> int:
        """Return how many seconds the zone's clock is ahead of UTC at this second since 1970."""
        # no clock is set in the first or last two days of time, and within them the local date may be unrepresentable
        if not _SAFE_FIRST <= instant <= _SAFE_LAST:
            instant = _SAFE_FIRST if instant < _SAFE_FIRST else _SAFE_LAST
        offset = _from_timestamp(instant, self.info).utcoffset()
        return offset.days * DAY + offset.seconds if offset else 0

    def stretch(self, instant: int) -> Stretch:
        """Return the stretch around an instant."""
        if instant < _FIRST_CHANGE:
            offset = self.offset(instant)
            return Stretch(BEFORE_ALL, _FIRST_CHANGE, offset, offset, offset)
        shift = max(0, (instant - _YEARLY) // _CYCLE) * _CYCLE
        changes = self._changes_around((instant - shift) // _SPAN)
        place = bisect_right(changes, instant - shift, key=itemgetter(0))
        begin, before, offset = changes[place - 1]
        end, _, after = changes[place]
        return Stretch(begin + shift, end + shift, offset, before, after)

    def _changes_around(self, span: int) -> list[tuple[int, int, int]]:
        """Return each change around a span of 1,200 days, as its instant and the offsets before it and from then on.

        The first and the last one change nothing: there, five days from the span, a longer stretch is cut.
        """
        known = self._changes.get(span)
        if known is None:
            low, end = span * _SPAN - 2 * _SAMPLE, (span + 1) * _SPAN + 2 * _SAMPLE
            before = self.offset(low)
            known = self._changes[span] = [(low + _SAMPLE, before, before)]
            for high in range(low + _SAMPLE, end + 1, _SAMPLE):
                after = self.offset(high)
                if after != before:
                    known.append((self._change(high - _SAMPLE, high), before, after))
                before = after
            # beside the cuts the order may be wrong, which to a bisection from within the span makes no difference
            known.append((end - _SAMPLE, before, before))
        return known

    def _change(self, low: int, high: int) -> int:
        before, seconds = self.offset(low), range(low + 1, high)
        return low + 1 + bisect_left(seconds, True, key=lambda instant: self.offset(instant) != before)


zone: Final = lru_cache(maxsize=256)(Zone)
