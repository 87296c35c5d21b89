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
from typing import Final
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


class Zone:
    """One zone's clock, with what was learned of it."""

    __slots__ = ("_epoch", "_missing", "days", "info")

    def __init__(self, info: ZoneInfo) -> None:
        self.info = info
        self.days = Days(info)
        self._epoch = datetime(1970, 1, 1, tzinfo=info)
        self._missing: tuple[int, ...] | None = None

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

    def missing(self, first: int, last: int) -> int:
        """Count the local dates from `first` to `last`, in days since 1970, that do not exist.

        The first call for a zone takes about two milliseconds.
        """
        if self._missing is None:
            self._missing = self._find_missing()
        return bisect_right(self._missing, last) - bisect_right(self._missing, first - 1)

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
