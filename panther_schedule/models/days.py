"""Which local dates a schedule names: masks of days, by the month and by blocks of 512 days.

A local date is counted in days since 1970-01-01; weekdays are counted from Monday, 0. The Gregorian calendar holds
for all years from 1 to 9999. Nothing here knows a zone, so all of it is exact arithmetic on integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import Final, Literal, NamedTuple

_EPOCH: Final = date(1970, 1, 1).toordinal()
FIRST_DATE: Final = date.min.toordinal() - _EPOCH
LAST_DATE: Final = date.max.toordinal() - _EPOCH
_BLOCK_BITS: Final = 9
_BLOCK: Final = 1 << _BLOCK_BITS  # days in a block: a year and a half
_KNOWN_BLOCKS: Final = 64
_LAST_YEAR: Final = date.max.year
_LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

ALL_DAYS: Final = (1 << 32) - 2
"""Bits 1 to 31: each day of a month."""
ALL_MONTHS: Final = (1 << 13) - 2
"""Bits 1 to 12: each month."""
ALL_WEEKDAYS: Final = (1 << 7) - 1
"""Bits 0 to 6: each weekday, from Monday."""


class DayRule(NamedTuple):
    """The local dates of a schedule, before its time of day and its zone.

    A date is named when its month is in `months`, its day by `days`, `last`, `last_workday` or `near_workdays`, and
    its weekday by `weekdays` or `nth`; `either` lets one of day and weekday be enough. Then it must lie on the grid
    of `every` and `unit` from `starting`, not before it, and be none of the excluded ones.
    """

    months: int = ALL_MONTHS
    days: int = ALL_DAYS
    last: bool = False
    """The last day of the month."""
    clamp: int = 0
    """A day of the month that becomes the last one where the month is shorter; 0 for none."""
    last_workday: bool = False
    """The last Monday to Friday of the month."""
    near_workdays: int = 0
    """Bits 1 to 31: the Monday to Friday next to this day, within the month."""
    weekdays: int = ALL_WEEKDAYS
    nth: tuple[tuple[int, int], ...] = ()
    """The nth (1 to 5, or -1 for the last) such weekday of the month."""
    either: bool = False
    every: int = 1
    unit: Literal["day", "week", "month"] = "day"
    starting: int | None = None
    excluded_weekdays: int = 0
    excluded: frozenset[int] = frozenset()

    def month(self, month: int, first_weekday: int, length: int) -> int:
        """Return the days, as bits 1 to 31, of a month that begins on this weekday; no grid, no excluded dates."""
        if not self.months >> month & 1:
            return 0
        whole = (2 << length) - 2
        days = self.days
        if self.last or self.clamp > length:
            days |= 1 << length
        if self.last_workday:
            days |= 1 << _near_workday(length, first_weekday, length)
        if self.near_workdays:
            for day in bits(self.near_workdays & whole):
                days |= 1 << _near_workday(day, first_weekday, length)
        named = _repeated(self.weekdays, first_weekday)
        for nth, weekday in self.nth:
            first = 1 + (weekday - first_weekday) % 7
            day = first + (nth - 1) * 7 if nth > 0 else first + (length - first) // 7 * 7
            named |= 1 << day  # a fifth that is not there lies beyond the month
        days = days | named if self.either else days & named
        if self.excluded_weekdays:
            days &= ~_repeated(self.excluded_weekdays, first_weekday)
        return days & whole

    def is_empty(self) -> bool:
        """Tell whether the fields show that there is no such date, whatever the year.

        The single dates in `excluded` are left to a search.
        """
        months, weekdays = self.months, ALL_WEEKDAYS
        if self.starting is not None:
            start = date.fromordinal(self.starting + _EPOCH)
            if self.unit == "month":
                months &= sum({2 << (start.month - 1 + self.every * step) % 12 for step in range(12)})
            elif self.unit == "day":
                weekdays = sum({1 << (start.weekday() + self.every * step) % 7 for step in range(7)})
        kept = self._replace(months=months)
        return not any(
            kept.month(month, first, length) & _repeated(weekdays, first)
            for month in bits(months)
            for first in range(7)
            for length in {_length(month, leap=False), _length(month, leap=True)}  # February
        )


class Dates(dict[int, int]):
    """The dates of one rule or more: a block's number gives its 512 days as bits. It forgets everything at 64 blocks.

    A search looks at each block between two dates at most once, so it takes at most 7,134 looks for all of time.
    """

    __slots__ = ("_first", "_rules", "_years")

    def __init__(self, rules: tuple[DayRule, ...]) -> None:
        super().__init__()
        self._rules = rules
        self._years: tuple[dict[tuple[int, bool], int], ...] = tuple({} for _ in rules)
        self._first = min(FIRST_DATE if rule.starting is None else rule.starting for rule in rules)

    def after(self, day: int, until: int = LAST_DATE) -> int | None:
        """Return the first date after `day`, and not after `until`."""
        day = max(day + 1, self._first)
        if day > until:
            return None
        number = day >> _BLOCK_BITS
        found = self[number] >> (day & _BLOCK - 1)
        while not found:
            number += 1
            day = number << _BLOCK_BITS
            if day > until:
                return None
            found = self[number]
        day += (found & -found).bit_length() - 1
        return day if day <= until else None

    def latest(self, day: int) -> int | None:
        """Return the last date at or before `day`."""
        day = min(day, LAST_DATE)
        if day < self._first:
            return None
        number = day >> _BLOCK_BITS
        found = self[number] & (2 << (day & _BLOCK - 1)) - 1
        while not found:
            number -= 1
            if number < self._first >> _BLOCK_BITS:
                return None
            found = self[number]
        return (number << _BLOCK_BITS) + found.bit_length() - 1

    def count(self, first: int, last: int) -> int:
        """Return how many dates there are from `first` to `last`."""
        first, last = max(first, self._first), min(last, LAST_DATE)
        if first > last:
            return 0
        low, high = first >> _BLOCK_BITS, last >> _BLOCK_BITS
        head, tail = -1 << (first & _BLOCK - 1), (2 << (last & _BLOCK - 1)) - 1
        if low == high:
            return (self[low] & head & tail).bit_count()
        whole = sum(self[number].bit_count() for number in range(low + 1, high))
        return (self[low] & head).bit_count() + whole + (self[high] & tail).bit_count()

    def __missing__(self, number: int) -> int:
        begin = number << _BLOCK_BITS
        if not FIRST_DATE - _BLOCK < begin <= LAST_DATE:
            return 0
        found = 0
        for rule, years in zip(self._rules, self._years, strict=True):
            days = _named(rule, years, begin)
            if rule.starting is not None:
                days &= _grid(rule, rule.starting, begin)
            for day in rule.excluded:
                if begin <= day < begin + _BLOCK:
                    days &= ~(1 << day - begin)
            found |= days
        if len(self) >= _KNOWN_BLOCKS:
            self.clear()
        self[number] = found
        return found


def day_number(day: date) -> int:
    """Return a date as days since 1970."""
    return day.toordinal() - _EPOCH


def bits(mask: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set, in order."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def mask_of(numbers: Iterable[int]) -> int:
    """Return the mask with these bits set."""
    mask = 0
    for number in numbers:
        mask |= 1 << number
    return mask


def _named(rule: DayRule, years: dict[tuple[int, bool], int], begin: int) -> int:
    """Return the dates of a rule among the 512 from `begin`, as bits, without grid and excluded dates.

    A year begins on one of seven weekdays and is leap or not, so there are fourteen masks to remember.
    """
    days = 0
    for shift, kind in _years(begin):
        mask = years.get(kind)
        if mask is None:
            mask = years[kind] = _year(rule, *kind)
        days |= mask << shift if shift >= 0 else mask >> -shift
    return days & (1 << _BLOCK) - 1


@lru_cache(maxsize=1024)
def _years(begin: int) -> tuple[tuple[int, tuple[int, bool]], ...]:
    """Return the years that touch the 512 days from `begin`: on which of the days each begins, and its kind."""
    found: list[tuple[int, tuple[int, bool]]] = []
    year = date.fromordinal(max(begin, FIRST_DATE) + _EPOCH).year
    while year <= _LAST_YEAR and (first := date(year, 1, 1).toordinal() - _EPOCH) < begin + _BLOCK:
        found.append((first - begin, ((first + 3) % 7, _is_leap(year))))  # 1970-01-01 was a Thursday
        year += 1
    return tuple(found)


def _year(rule: DayRule, first_weekday: int, leap: bool) -> int:
    """Return the dates of a rule in a year that begins on this weekday, as bits from 0."""
    days, first = 0, 0
    for month in range(1, 13):
        length = _length(month, leap=leap)
        days |= rule.month(month, (first_weekday + first) % 7, length) >> 1 << first
        first += length
    return days


def _months(begin: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield first day, year, number and length of each month that touches the 512 days from `begin`."""
    start = date.fromordinal(max(begin, FIRST_DATE) + _EPOCH)
    year, month = start.year, start.month
    first = start.toordinal() - _EPOCH - start.day + 1
    while first < begin + _BLOCK and year <= _LAST_YEAR:
        length = _length(month, leap=_is_leap(year))
        yield first, year, month, length
        first += length
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _length(month: int, *, leap: bool) -> int:
    return _LENGTHS[month - 1] + (leap and month == 2)


def _repeated(weekdays: int, first_weekday: int) -> int:
    """Return the days, as bits 1 to 35, that fall on these weekdays in a month that begins on `first_weekday`."""
    week = (weekdays >> first_weekday | weekdays << 7 - first_weekday) & ALL_WEEKDAYS
    return (week | week << 7 | week << 14 | week << 21 | week << 28) << 1


def _near_workday(day: int, first_weekday: int, length: int) -> int:
    """Return the Monday to Friday of the month that is next to a day of it."""
    weekday = (first_weekday + day - 1) % 7
    if weekday == 5:  # Saturday
        return day - 1 if day > 1 else day + 2
    if weekday == 6:  # Sunday
        return day + 1 if day < length else day - 2
    return day


def _grid(rule: DayRule, start: int, begin: int) -> int:
    """Return which of the 512 days from `begin` lie on the grid of a rule, and not before its start, as bits."""
    mask = (1 << _BLOCK) - 1
    if rule.every > 1:
        if rule.unit == "day":
            mask = mask_of(range((start - begin) % rule.every, _BLOCK, rule.every))
        elif rule.unit == "week":
            monday, step = start - (start + 3) % 7, rule.every * 7  # 1970-01-01 was a Thursday
            first = (monday - begin) % step - step
            mask = ALL_WEEKDAYS >> -first if first > -7 else 0
            for low in range(first + step, _BLOCK, step):
                mask |= ALL_WEEKDAYS << low
        else:
            mask, begun = 0, date.fromordinal(start + _EPOCH)
            for first, year, month, length in _months(begin):
                if ((year - begun.year) * 12 + month - begun.month) % rule.every == 0:
                    days = (1 << length) - 1
                    mask |= days << first - begin if first >= begin else days >> begin - first
    if start > begin:
        mask &= -1 << min(start - begin, _BLOCK)
    return mask
