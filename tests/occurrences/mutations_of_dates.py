"""Mutations of which dates a schedule names."""

# The wrong variants are lambdas, of whatever the real functions take.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import asked
from asked import by
from mutations import Mutation, instead, of, then

from panther_schedule.models import days
from panther_schedule.models.days import ALL_WEEKDAYS, Dates, DayRule


def other(**changes: Any) -> Any:
    """Let a function of a rule see another one; what changes is worked out from the rule."""
    return of(lambda rule, *rest: (rule._replace(**{name: change(rule) for name, change in changes.items()}), *rest))


def on_grid(unit: str, steps: Callable[[date, date], int]) -> Any:
    """Let the grid of a unit be counted otherwise: `steps` gets a date and the first one."""

    def wrong(real: Any) -> Any:
        def in_year(rule: Any, year: int) -> int:
            if rule.unit != unit or rule.starting is None:
                found: int = real(rule, year)
                return found
            begin, start = date(year, 1, 1), date(1970, 1, 1) + timedelta(days=rule.starting)
            each = days.bits(real(rule._replace(every=1), year))
            return days.mask_of(day for day in each if steps(begin + timedelta(days=day), start) % rule.every == 0)

        return in_year

    return wrong


def rotated(mask: int, by: int) -> int:
    """Move weekdays on by so many."""
    return (mask << by | mask >> 7 - by) & ALL_WEEKDAYS


def day_31_is_last(rule: Any) -> Any:
    """Give the days of a rule, with the 31st for the last one."""
    return rule.days | rule.last << 31


def saturday_goes_back(day: int, first_weekday: int, length: int) -> int:
    """Take the Friday before a Saturday, in whatever month."""
    return day - 1 if (first_weekday + day - 1) % 7 == 5 else REAL_WORKDAY(day, first_weekday, length)


def sunday_goes_on(day: int, first_weekday: int, length: int) -> int:
    """Take the Monday after a Sunday, in whatever month."""
    return day + 1 if (first_weekday + day - 1) % 7 == 6 else REAL_WORKDAY(day, first_weekday, length)


REAL_WORKDAY = days._near_workday

OF_DAYS = [
    Mutation(
        "no year has a leap day",
        days,
        "_of_kind",
        of(lambda rule, first, _leap: (rule, first, False)),
        by(asked.LEAP_DAYS),
    ),
    Mutation("each century has a leap day", days, "isleap", instead(lambda year: year % 4 == 0), by(asked.LEAP_DAYS)),
    Mutation(
        "the year begins on the day before", days, "_new_year", then(lambda found, *_: found - 1), by(asked.NEW_YEAR)
    ),
    Mutation(
        "the last day is the 31st",
        DayRule,
        "month",
        other(days=day_31_is_last, last=lambda _: False),
        by(asked.LAST_DAYS),
    ),
    Mutation("nothing is clamped", DayRule, "month", other(clamp=lambda _: 0), by(asked.CLAMPED)),
    Mutation(
        "the months begin with 0",
        DayRule,
        "month",
        of(lambda rule, month, *rest: (rule, month - 1, *rest)),
        by(asked.TWO_MONTHS),
    ),
    Mutation(
        "a short month goes on into the next",
        DayRule,
        "month",
        of(lambda rule, month, first, _length: (rule, month, first, 31)),
        by(asked.THE_31ST),
    ),
    Mutation(
        "the nth weekday is a week late",
        DayRule,
        "month",
        other(nth=lambda rule: tuple((nth + (nth > 0), day) for nth, day in rule.nth)),
        by(asked.SECOND_TUESDAYS),
    ),
    Mutation(
        "the fifth is the last",
        DayRule,
        "month",
        other(nth=lambda rule: tuple((-1 if nth == 5 else nth, day) for nth, day in rule.nth)),
        by(asked.FIFTH_FRIDAYS),
    ),
    Mutation(
        "the last is the fourth",
        DayRule,
        "month",
        other(nth=lambda rule: tuple((4 if nth == -1 else nth, day) for nth, day in rule.nth)),
        by(asked.LAST_FRIDAYS),
    ),
    Mutation(
        "one of day and weekday is always enough", DayRule, "month", other(either=lambda _: True), by(asked.BOTH_DAYS)
    ),
    Mutation(
        "day and weekday must always match", DayRule, "month", other(either=lambda _: False), by(asked.EITHER_DAY)
    ),
    Mutation(
        "the last workday is the last day",
        DayRule,
        "month",
        other(last=lambda rule: rule.last or rule.last_workday, last_workday=lambda _: False),
        by(asked.LAST_WORKDAYS),
    ),
    Mutation(
        "the workday near a Saturday lies before",
        days,
        "_near_workday",
        instead(saturday_goes_back),
        by(asked.NEAR_1ST),
    ),
    Mutation(
        "the workday near a Sunday lies after", days, "_near_workday", instead(sunday_goes_on), by(asked.NEAR_31ST)
    ),
    Mutation(
        "a weekend has no near workday",
        days,
        "_near_workday",
        instead(lambda day, first, _length: day if (first + day - 1) % 7 < 5 else 40),
        by(asked.NEAR_15TH),
    ),
    Mutation(
        "weekdays turn the wrong way", days, "_repeated", of(lambda mask, first: (mask, -first % 7)), by(asked.WEEKDAYS)
    ),
    Mutation(
        "excluded weekdays are counted from Sunday",
        DayRule,
        "month",
        other(excluded_weekdays=lambda rule: rotated(rule.excluded_weekdays, 1)),
        by(asked.EXCLUDED),
    ),
    Mutation(
        "excluded dates are forgotten", days, "_in_year", other(excluded=lambda _: frozenset()), by(asked.EXCLUDED)
    ),
    Mutation(
        "each year begins a grid of days",
        days,
        "_in_year",
        on_grid("day", lambda day, _start: day.timetuple().tm_yday),
        by(asked.OTHER_DAYS),
    ),
    Mutation(
        "weeks begin on the first date's weekday",
        days,
        "_in_year",
        on_grid("week", lambda day, start: (day - start).days // 7),
        by(asked.OTHER_WEEKS),
    ),
    Mutation(
        "weeks are those of the ISO year",
        days,
        "_in_year",
        on_grid("week", lambda day, start: day.isocalendar().week - start.isocalendar().week),
        by(asked.OTHER_WEEKS),
    ),
    Mutation(
        "each year begins a grid of months",
        days,
        "_in_year",
        on_grid("month", lambda day, start: day.month - start.month),
        by(asked.OTHER_MONTHS),
    ),
    Mutation(
        "the grid goes back beyond its start",
        days,
        "_in_year",
        of(
            lambda rule, year: (
                rule
                if rule.starting is None or rule.unit != "week"
                else rule._replace(starting=rule.starting - 350 * rule.every),
                year,
            )
        ),
        by(asked.OTHER_WEEKS),
    ),
    Mutation(
        "the start of a grid is not its first date",
        Dates,
        "after",
        of(lambda dates, day: (dates, max(day, dates._first))),
        by(asked.OTHER_DAYS),
    ),
    Mutation(
        "the months that a grid never meets are left in",
        DayRule,
        "narrowed",
        instead(lambda rule: rule),
        asked.no_february,
    ),
    Mutation(
        "the weekdays that a grid never meets are left in",
        DayRule,
        "narrowed",
        then(lambda found, rule: rule if rule.unit == "day" else found),
        asked.no_monday,
    ),
    Mutation(
        "the next date may be the same", Dates, "after", of(lambda dates, day: (dates, day - 1)), by(asked.WEEKDAYS)
    ),
    Mutation(
        "the latest date is a date before",
        Dates,
        "latest",
        of(lambda dates, day: (dates, day - 1)),
        by(asked.LAST_DAYS),
    ),
    Mutation(
        "no next date lies in another year",
        Dates,
        "after",
        then(lambda found, _dates, day: found if found and days._year_of(found)[0] == days._year_of(day)[0] else None),
        by(asked.LEAP_DAYS),
    ),
    Mutation(
        "the last date is not counted",
        Dates,
        "count",
        of(lambda dates, first, last: (dates, first, last - 1)),
        by(asked.THE_31ST, asked.WEEKDAYS),
    ),
    Mutation(
        "all dates of the first year are counted",
        Dates,
        "count",
        of(lambda dates, first, last: (dates, days._year_of(first)[1], last)),
        by(asked.OTHER_WEEKS),
    ),
    Mutation(
        "the years between are not counted",
        Dates,
        "count",
        then(lambda found, _dates, first, last: found if last - first < 800 else 0),
        by(asked.LEAP_DAYS),
    ),
]
