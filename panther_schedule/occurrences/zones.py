"""Time zones in integer seconds: the offset at an instant, and the instant of a wall-clock second.

A wall-clock second is counted like an instant, from 1970-01-01T00:00, but on the zone's own clock. The two rules
for the days when that clock is set: a second that it skips happens at the end of the gap (`next_valid`), and one
that it passes twice happens the first time (`first`). A local date that is skipped whole, as 2011-12-30 was in
Apia, has no seconds at all.

All of it is total: beyond the years 1 to 9999 there is nothing, and no OverflowError.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

DAY: Final = 86_400  # seconds
FIRST_DAY: Final = date.min.toordinal() - date(1970, 1, 1).toordinal()
"""The local date 0001-01-01, in days since 1970."""
LAST_DAY: Final = date.max.toordinal() - date(1970, 1, 1).toordinal()
"""The local date 9999-12-31, in days since 1970."""
FIRST_SECOND: Final = FIRST_DAY * DAY
LAST_SECOND: Final = (LAST_DAY + 1) * DAY - 1

_KNOWN_DAYS: Final = 4096
_SAFE_FIRST: Final = FIRST_SECOND + 2 * DAY
_SAFE_LAST: Final = LAST_SECOND - 2 * DAY
_from_timestamp: Final = datetime.fromtimestamp
_DATE_LINE: Final = 20 * 3600  # a clock set on by more than this crossed the date line; all else is below 8 hours
# The only stretch of history in which a zone may cross it: local mean time before, one yearly rule for ever after.
_CROSSINGS: Final = range(
    int(datetime(1800, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()), 90 * DAY
)
_FIRST_CHANGE: Final = _CROSSINGS.start
_CYCLE: Final = 146_097 * DAY  # 400 years, in which dates, weekdays and the yearly rules of all zones come round
_CYCLES: Final = _CROSSINGS.stop + _CYCLE  # later changes are those of a cycle before
_SPAN: Final = 400 * DAY
_SAMPLE: Final = 5 * DAY  # shorter than the time between two changes of any zone
_BEFORE_ALL: Final = -(1 << 80)
_instant_of: Final = itemgetter(0)


class Stretch(NamedTuple):
    """The time from `begin` to before `end`, in which a zone's clock is not set."""

    begin: int
    end: int
    offset: int
    before: int
    """The offset of the stretch before; the same one where a long stretch is cut into pieces."""
    after: int
    """The offset of the stretch after."""


class Zone:
    """One zone's clock, with what was learned of it."""

    __slots__ = ("_changes", "_epoch", "_missing", "_near", "days", "info")

    def __init__(self, info: ZoneInfo) -> None:
        self.info = info
        self.days = Days(info)
        self._epoch = datetime(1970, 1, 1, tzinfo=info)
        self._missing: tuple[int, ...] | None = None
        self._changes: dict[int, tuple[tuple[int, int, int], ...]] = {}
        self._near: dict[int, tuple[tuple[int, int, int], ...]] = {}

    def offset(self, instant: int) -> int:
        """Return how many seconds the zone's clock is ahead of UTC at this second since 1970."""
        return _offset(self.info, instant)

    def resolve(self, wall: int) -> tuple[int, ...]:
        """Return the instants, in seconds since 1970, at which this wall-clock second happens: one, or none.

        There is none when its local date does not exist, or when the instant lies beyond the years 1 to 9999.
        """
        day = wall // DAY
        if not FIRST_DAY <= day <= LAST_DAY:
            return ()
        local = self._epoch + timedelta(seconds=wall)  # of one zone, so this is wall-clock arithmetic
        before = _seconds(local.utcoffset())
        after = _seconds(local.replace(fold=1).utcoffset())
        instant = wall - before  # the only one, or the first of two
        if after > before:
            instant = self._gap_end(wall - after, wall - before)
            if instant + before <= day * DAY and instant + after >= (day + 1) * DAY:
                return ()
        return (instant,) if FIRST_SECOND <= instant <= LAST_SECOND else ()

    def stretch(self, instant: int) -> Stretch:
        """Return the stretch around an instant; a long one may be cut into pieces of some years."""
        if instant < _FIRST_CHANGE:
            offset = self.offset(instant)
            return Stretch(_BEFORE_ALL, _FIRST_CHANGE, offset, offset, offset)
        shift = max(0, (instant - _CYCLES) // _CYCLE + 1) * _CYCLE
        near = self._changes_near((instant - shift - 1) // _SPAN)
        place = bisect_right(near, instant - shift, key=_instant_of)
        begin, before, offset = near[place - 1]
        end, _, after = near[place]
        return Stretch(begin + shift, end + shift, offset, before, after)

    def missing(self, first: int, last: int) -> int:
        """Count the local dates from `first` to `last`, in days since 1970, that do not exist.

        The first call for a zone takes about two milliseconds.
        """
        return len(self.missing_dates(first, last))

    def missing_dates(self, first: int, last: int) -> tuple[int, ...]:
        """Return those dates."""
        if self._missing is None:
            self._missing = self._find_missing()
        missing = self._missing
        return missing[bisect_right(missing, first - 1) : bisect_right(missing, last)]

    def _changes_near(self, span: int) -> tuple[tuple[int, int, int], ...]:
        """Return the changes of a span and its neighbours, between two that change nothing."""
        near = self._near.get(span)
        if near is None:
            begin, end = (span - 1) * _SPAN, (span + 2) * _SPAN
            first, last = self.offset(begin), self.offset(end)
            inner = (change for part in (span - 1, span, span + 1) for change in self._changes_of(part))
            near = self._near[span] = ((begin, first, first), *inner, (end + 1, last, last))
        return near

    def _changes_of(self, span: int) -> tuple[tuple[int, int, int], ...]:
        """Return each change after the begin of a span and up to its end: the instant, the offsets before and after."""
        known = self._changes.get(span)
        if known is None:
            found: list[tuple[int, int, int]] = []
            low, before = span * _SPAN, self.offset(span * _SPAN)
            for high in range(low + _SAMPLE, low + _SPAN + 1, _SAMPLE):
                after = self.offset(high)
                if after != before:
                    found.append((self._gap_end(high - _SAMPLE, high), before, after))
                before = after
            known = self._changes[span] = tuple(found)
        return known

    def _gap_end(self, low: int, high: int) -> int:
        """Return the first instant in (low, high] whose offset is not that of `low`."""
        before = self.offset(low)
        while high - low > 1:
            middle = (low + high) // 2
            if self.offset(middle) == before:
                low = middle
            else:
                high = middle
        return high

    def _find_missing(self) -> tuple[int, ...]:
        days: list[int] = []
        east = self.offset(_CROSSINGS.start)
        for low in _CROSSINGS:
            high, west = low + _CROSSINGS.step, east
            east = self.offset(high)
            if east - west < _DATE_LINE:
                continue
            while high - low > 1:
                middle = (low + high) // 2
                if self.offset(middle) - west < _DATE_LINE:
                    low = middle
                else:
                    high = middle
            first = -(-(high + self.offset(low)) // DAY)
            days.extend(range(first, (high + self.offset(high)) // DAY))
        return tuple(days)


class Days(dict[int, int | None]):
    """The offset of a UTC day, counted from 1970; None when the clock is set within two days of it.

    No zone of the IANA data ever set its clock twice within six days, or by more than 24 hours, so two equal
    offsets five days apart are the offset of all days between them, and within a day of a known one each
    wall-clock second happens exactly once. It forgets everything when it holds 4096 days.
    """

    __slots__ = ("_info",)

    def __init__(self, info: ZoneInfo) -> None:
        super().__init__()
        self._info = info

    def __missing__(self, day: int) -> int | None:
        offset: int | None = None
        if FIRST_DAY + 3 < day < LAST_DAY - 3:
            offset = _offset(self._info, (day - 2) * DAY)
            if offset != _offset(self._info, (day + 3) * DAY):
                offset = None
        if len(self) >= _KNOWN_DAYS:
            self.clear()
        self[day] = offset
        return offset


@lru_cache(maxsize=256)
def zone(info: ZoneInfo) -> Zone:
    """Return the zone's clock; the same object for the same `ZoneInfo`."""
    return Zone(info)


def clear_caches() -> None:
    """Forget every zone, as is needed after `ZoneInfo.clear_cache()` has read new time zone data."""
    zone.cache_clear()


def _offset(info: ZoneInfo, instant: int) -> int:
    # no clock is set in the first or last two days of time, and within them the local date may be unrepresentable
    if not _SAFE_FIRST <= instant <= _SAFE_LAST:
        instant = _SAFE_FIRST if instant < _SAFE_FIRST else _SAFE_LAST
    return _seconds(_from_timestamp(instant, info).utcoffset())


def _seconds(offset: timedelta | None) -> int:
    return offset.days * DAY + offset.seconds if offset else 0
