"""Which local dates a schedule names: masks of days, by the month and by the year.

A local date is counted in days since 1970-01-01; weekdays are counted from Monday, 0. The Gregorian calendar holds
for all years from 1 to 9999. Nothing here knows a zone, so all of it is exact arithmetic on integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import Final, Literal, NamedTuple, get_args

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"""A weekday's name."""

WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)
MONTH_LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""The days of each month in a common year."""
ALL_DAYS: Final = (1 << 32) - 2
"""Bits 1 to 31: each day of a month."""
ALL_MONTHS: Final = (1 << 13) - 2
"""Bits 1 to 12: each month."""
ALL_WEEKDAYS: Final = (1 << 7) - 1
"""Bits 0 to 6: each weekday, from Monday."""

_EPOCH: Final = date(1970, 1, 1).toordinal()
FIRST_DATE: Final = date.min.toordinal() - _EPOCH
LAST_DATE: Final = date.max.toordinal() - _EPOCH
_KNOWN_YEARS: Final = 128


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

    def without(self, excluding: Iterable[date | Weekday]) -> DayRule:
        """Take dates and weekdays out."""
        if not excluding:
            return self
        weekdays = mask_of(WEEKDAYS.index(name) for name in excluding if isinstance(name, str))
        dates = frozenset(day_number(day) for day in excluding if isinstance(day, date))
        return self._replace(excluded_weekdays=self.excluded_weekdays | weekdays, excluded=self.excluded | dates)

    def is_empty(self) -> bool:
        """Tell whether the fields show that there is no such date, whatever the year.

        The single dates in `excluded` are left to a search.
        """
        rule = self
        if self.starting is not None:
            start = date.fromordinal(self.starting + _EPOCH)
            if self.unit == "month":
                months = mask_of((start.month - 1 + self.every * step) % 12 + 1 for step in range(12))
                rule = rule._replace(months=rule.months & months)
            elif self.unit == "day":
                weekdays = mask_of((start.weekday() + self.every * step) % 7 for step in range(7))
                rule = rule._replace(excluded_weekdays=rule.excluded_weekdays | ~weekdays & ALL_WEEKDAYS)
        return not any(_of_kind(rule, first, leap) for first in range(7) for leap in (False, True))


class Dates:
    """The dates of one rule or more. A search looks at each year at most once."""

    __slots__ = ("_first", "_years")

    def __init__(self, rules: tuple[DayRule, ...]) -> None:
        self._first = min(FIRST_DATE if rule.starting is None else rule.starting for rule in rules)
        self._years = Years(rules)

    def __contains__(self, day: int) -> bool:
        if not self._first <= day <= LAST_DATE:
            return False
        year, begin = _year_of(day)
        return self._years[year] >> day - begin & 1 == 1

    def after(self, day: int) -> int | None:
        """Return the first date after `day`."""
        day = max(day + 1, self._first)
        if day > LAST_DATE:
            return None
        year, begin = _year_of(day)
        found = self._years[year] >> day - begin
        while not found:
            if year == date.max.year:
                return None
            year += 1
            day = _new_year(year)
            found = self._years[year]
        return day + (found & -found).bit_length() - 1

    def latest(self, day: int) -> int | None:
        """Return the last date at or before `day`."""
        day = min(day, LAST_DATE)
        if day < self._first:
            return None
        year, begin = _year_of(day)
        found = self._years[year] & (2 << day - begin) - 1
        while not found:
            if begin <= self._first:
                return None
            year -= 1
            begin = _new_year(year)
            found = self._years[year]
        return begin + found.bit_length() - 1

    def count(self, first: int, last: int) -> int:
        """Return how many dates there are from `first` to `last`."""
        first, last = max(first, self._first), min(last, LAST_DATE)
        if first > last:
            return 0
        (low, first_begin), (high, last_begin) = _year_of(first), _year_of(last)
        before = self._years[low] & (1 << first - first_begin) - 1
        after = self._years[high] >> last - last_begin + 1
        whole = sum(self._years[year].bit_count() for year in range(low, high + 1))
        return whole - before.bit_count() - after.bit_count()


class Years(dict[int, int]):
    """The dates of one rule or more in each year, as bits from 0; it forgets all of them at 128 years."""

    def __init__(self, rules: tuple[DayRule, ...]) -> None:
        super().__init__()
        self._rules = rules

    def __missing__(self, year: int) -> int:
        if len(self) >= _KNOWN_YEARS:
            self.clear()
        found = 0
        for rule in self._rules:
            found |= _in_year(rule, year)
        self[year] = found
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


@lru_cache(maxsize=1024)  # 0.2 us less for each question about a date of the same days
def _year_of(day: int) -> tuple[int, int]:
    """Return the year of a date, and its first day."""
    year = date.fromordinal(day + _EPOCH).year
    return year, _new_year(year)


def _new_year(year: int) -> int:
    before = year - 1
    return before * 365 + before // 4 - before // 100 + before // 400 + 1 - _EPOCH


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
    days = _of_kind(rule, (begin + 3) % 7, _new_year(year + 1) - begin == 366) & grid
    for day in rule.excluded:
        if 0 <= day - begin < 366:
            days &= ~(1 << day - begin)
    return days


@lru_cache(maxsize=1024)
def _of_kind(rule: DayRule, first_weekday: int, leap: bool) -> int:
    """Return the dates of a rule in a year that begins on this weekday, as bits; no grid, no excluded dates."""
    days, begin = 0, 0
    for month, length in enumerate(MONTH_LENGTHS, 1):
        length += leap and month == 2
        days |= rule.month(month, (first_weekday + begin) % 7, length) >> 1 << begin
        begin += length
    return days


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
