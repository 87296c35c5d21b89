"""Which local dates a schedule names, as masks of days.

A local date is counted in days since 1970-01-01, a weekday from Monday, 0. The Gregorian calendar holds for all years
from 1 to 9999. Nothing here knows a zone, so everything is exact arithmetic on integers.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import Final, Literal, NamedTuple, get_args

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)
ALL_DAYS: Final = (1 << 32) - 2  # bits 1 to 31
ALL_MONTHS: Final = (1 << 13) - 2  # bits 1 to 12
ALL_WEEKDAYS: Final = (1 << 7) - 1  # bits 0 to 6, from Monday

_EPOCH: Final = date(1970, 1, 1).toordinal()
FIRST_DATE: Final = date.min.toordinal() - _EPOCH
LAST_DATE: Final = date.max.toordinal() - _EPOCH


class DayRule(NamedTuple):
    """The local dates of a schedule, before its time of day and its zone.

    A date is named when its month is in `months`, its day by `days`, `last`, `last_workday` or `near_workdays`, and
    its weekday by `weekdays` or `nth`; `either` lets one of day and weekday be enough. Then it must lie on the grid
    of `every` and `unit` from `starting`, not before it, and must not be excluded.
    """

    months: int = ALL_MONTHS
    days: int = ALL_DAYS
    last: bool = False  # the last day of the month
    clamp: int = 0  # a day that becomes the last one where the month is shorter; 0 for none
    last_workday: bool = False  # the last working day (Mon-Fri) of the month
    near_workdays: int = 0  # bits 1 to 31: the working day nearest to this day, within the month
    weekdays: int = ALL_WEEKDAYS
    nth: tuple[tuple[int, int], ...] = ()  # the nth (1 to 5, or -1 for the last) such weekday of the month
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
        near = self.near_workdays & whole | self.last_workday << length
        for day in bits(near):
            days |= 1 << _near_workday(day, first_weekday, length)
        named = _repeated(self.weekdays, first_weekday)
        for nth, weekday in self.nth:
            first = 1 + (weekday - first_weekday) % 7
            day = first + (nth - 1) * 7 if nth > 0 else first + (length - first) // 7 * 7
            named |= 1 << day  # a fifth that is not there lies beyond the month
        days = days | named if self.either else days & named
        return days & whole & ~_repeated(self.excluded_weekdays, first_weekday)

    def without(self, excluding: Iterable[date | Weekday]) -> DayRule:
        """Take out dates and weekdays."""
        if not excluding:
            return self
        weekdays = mask_of(WEEKDAYS.index(name) for name in excluding if isinstance(name, str))
        dates = frozenset(day_number(day) for day in excluding if isinstance(day, date))
        return self._replace(excluded_weekdays=self.excluded_weekdays | weekdays, excluded=self.excluded | dates)

    def excludes(self, day: int) -> bool:
        """Tell whether a date was taken out."""
        return day in self.excluded or self.excluded_weekdays >> (day + 3) % 7 & 1 == 1

    def narrowed(self) -> DayRule:
        """Take out the months or weekdays that the grid never meets."""
        if self.starting is None:
            return self
        start = date.fromordinal(self.starting + _EPOCH)
        if self.unit == "month":
            months = mask_of((start.month - 1 + self.every * step) % 12 + 1 for step in range(12))
            return self._replace(months=self.months & months)
        met = mask_of((start.weekday() + self.every * step) % 7 for step in range(7)) if self.unit == "day" else -1
        return self._replace(excluded_weekdays=self.excluded_weekdays | ALL_WEEKDAYS & ~met)

    def is_empty(self) -> bool:
        """Tell whether no year has such a date; the single dates in `excluded` are left to a search."""
        rule = self.narrowed()
        return not any(_of_kind(rule, first, leap) for first in range(7) for leap in (False, True))


class Dates(dict[int, int]):
    """The dates of a rule in each year, as bits from 0; it forgets all of them at 128 years.

    A search looks at each year at most once.
    """

    __slots__ = ("_first", "_rule")

    def __init__(self, rule: DayRule) -> None:
        super().__init__()
        self._first = FIRST_DATE if rule.starting is None else rule.starting
        self._rule = rule

    def __missing__(self, year: int) -> int:
        if len(self) >= 128:
            self.clear()
        found = self[year] = _in_year(self._rule, year)
        return found

    def has(self, day: int) -> bool:
        if not self._first <= day <= LAST_DATE:
            return False
        year, begin = _year_of(day)
        return self[year] >> day - begin & 1 == 1

    def after(self, day: int) -> int | None:
        """Return the first date after `day`."""
        day = max(day + 1, self._first)
        if day > LAST_DATE:
            return None
        year, begin = _year_of(day)
        found = self[year] >> day - begin
        while not found:
            if year == date.max.year:
                return None
            year += 1
            day, found = _new_year(year), self[year]
        return day + (found & -found).bit_length() - 1

    def latest(self, day: int) -> int | None:
        """Return the last date at or before `day`."""
        day = min(day, LAST_DATE)
        if day < self._first:
            return None
        year, begin = _year_of(day)
        found = self[year] & (2 << day - begin) - 1
        while not found:
            if begin <= self._first:
                return None
            year -= 1
            begin, found = _new_year(year), self[year]
        return begin + found.bit_length() - 1

    def count(self, first: int, last: int) -> int:
        """Return how many dates there are from `first` to `last`."""
        first, last = max(first, self._first), min(last, LAST_DATE)
        if first > last:
            return 0
        (low, first_begin), (high, last_begin) = _year_of(first), _year_of(last)
        before = self[low] & (1 << first - first_begin) - 1
        after = self[high] >> last - last_begin + 1
        whole = sum(self[year].bit_count() for year in range(low, high + 1))
        return whole - before.bit_count() - after.bit_count()


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
    mask = 0
    for number in numbers:
        mask |= 1 << number
    return mask


@lru_cache(maxsize=1024)  # 0.2 us less for each question about a date of the same days
def _year_of(day: int) -> tuple[int, int]:
    year = date.fromordinal(day + _EPOCH).year
    return year, _new_year(year)


def _new_year(year: int) -> int:
    return date(year, 1, 1).toordinal() - _EPOCH


def _in_year(rule: DayRule, year: int) -> int:
    """Return the dates of a rule in a year, as bits from 0."""
    begin, start = _new_year(year), rule.starting
    grid = -1
    if start is not None:
        if rule.unit == "day" and rule.every > 1:
            grid = mask_of(range((start - begin) % rule.every, 366, rule.every))
        elif rule.unit == "week":
            monday, step = start - (start + 3) % 7, rule.every * 7  # 1970-01-01 was a Thursday
            # a week may have begun in the year before, so each is written one step later at first
            grid = sum(ALL_WEEKDAYS << later for later in range((monday - begin) % step, 366 + step, step)) >> step
        elif rule.unit == "month":
            started = date.fromordinal(start + _EPOCH)
            ahead = (year - started.year) * 12 - started.month
            months = mask_of(month for month in range(1, 13) if (ahead + month) % rule.every == 0)
            rule = rule._replace(months=rule.months & months)
        grid &= -1 << min(max(0, start - begin), 366)
    excluded = mask_of(day - begin for day in rule.excluded if 0 <= day - begin < 366)
    return _of_kind(rule, (begin + 3) % 7, isleap(year)) & grid & ~excluded


@lru_cache(maxsize=1024)
def _of_kind(rule: DayRule, first_weekday: int, leap: bool) -> int:
    """Return the dates of a rule in a year that begins on this weekday, as bits; no grid, no excluded dates."""
    days, begin = 0, 0
    for month, length in enumerate((31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1):
        days |= rule.month(month, (first_weekday + begin) % 7, length) >> 1 << begin
        begin += length
    return days


def _repeated(weekdays: int, first_weekday: int) -> int:
    """Return the days, as bits 1 to 35, that fall on these weekdays in a month that begins on `first_weekday`."""
    week = (weekdays >> first_weekday | weekdays << 7 - first_weekday) & ALL_WEEKDAYS
    return (week | week << 7 | week << 14 | week << 21 | week << 28) << 1


def _near_workday(day: int, first_weekday: int, length: int) -> int:
    """Return the working day of the month that is nearest to a day."""
    weekday = (first_weekday + day - 1) % 7
    if weekday == 5:  # Saturday
        return day - 1 if day > 1 else day + 2
    if weekday == 6:  # Sunday
        return day + 1 if day < length else day - 2
    return day
