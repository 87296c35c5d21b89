"""The dates of a rule, against a look at every day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

import pytest

from panther_schedule.models.days import WEEKDAYS, Dates, DayRule, day_number, mask_of

FIRST, LAST = date(2019, 12, 1), date(2026, 2, 1)
EVERY_DAY = [FIRST + timedelta(days) for days in range((LAST - FIRST).days + 1)]
STARTING = date(2019, 12, 18)  # a Wednesday


def on_grid(day: date, every: int, unit: str) -> bool:
    monday = STARTING - timedelta(STARTING.weekday())
    steps = {
        "day": (day - STARTING).days,
        "week": (day - monday).days // 7,
        "month": (day.year - STARTING.year) * 12 + day.month - STARTING.month,
    }
    return day >= STARTING and steps[unit] % every == 0


@pytest.mark.parametrize("unit", ["day", "week", "month"])
@pytest.mark.parametrize("every", [1, 2, 3, 53, 366, 1000])
def test_the_grid_goes_on_over_the_turn_of_the_year(unit: Literal["day", "week", "month"], every: int) -> None:
    dates = Dates(DayRule(every=every, unit=unit, starting=day_number(STARTING)))
    named = [day for day in EVERY_DAY if on_grid(day, every, unit)]

    assert [day for day in EVERY_DAY if dates.has(day_number(day))] == named
    assert dates.count(day_number(FIRST), day_number(LAST)) == len(named)


MONDAYS = DayRule(days=mask_of([1, 29]), weekdays=mask_of([WEEKDAYS.index("mon")]), months=mask_of([2, 12]))
FIRSTS = DayRule(days=mask_of([1]), starting=day_number(date(2021, 6, 2)))
RULES: list[tuple[DayRule, Callable[[date], bool]]] = [
    (MONDAYS, lambda day: day.month in (2, 12) and day.day in (1, 29) and day.weekday() == 0),
    (
        FIRSTS.without(["sun", date(2021, 10, 1)]),
        lambda day: day.day == 1 and day >= date(2021, 6, 2) and day.weekday() != 6 and day != date(2021, 10, 1),
    ),
]


@pytest.mark.parametrize(("rule", "is_named"), RULES)
def test_the_next_and_the_last_date_and_how_many(rule: DayRule, is_named: Callable[[date], bool]) -> None:
    dates, named = Dates(rule), [day for day in EVERY_DAY if is_named(day)]
    numbers = [day_number(day) for day in named]

    for day in range(day_number(FIRST), day_number(LAST) + 1):
        assert dates.has(day) == (day in numbers)
    for before, after in pairwise(numbers):
        assert dates.after(before) == dates.after(after - 1) == after
        assert dates.latest(after - 1) == dates.latest(before) == before
    for first, last in zip(numbers[::3], numbers[::2], strict=False):
        assert dates.count(first, last) == sum(first <= number <= last for number in numbers)


def test_the_first_and_the_last_day_of_the_calendar() -> None:
    dates, first, last = Dates(DayRule()), day_number(date.min), day_number(date.max)

    assert dates.after(-(10**9)) == first
    assert dates.latest(10**9) == last
    assert dates.after(last) is dates.latest(first - 1) is None
    assert [dates.has(day) for day in (first, last, first - 1, last + 1)] == [True, True, False, False]
    assert dates.count(first - 5, last + 5) == last - first + 1
