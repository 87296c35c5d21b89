"""Mutations of how a cron expression is read."""

# The wrong variants are lambdas, of whatever the real functions take.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asked
from asked import by
from mutations import Mutation, of, then
from mutations_of_dates import day_31_is_last, rotated

from panther_schedule.models import cron, days
from panther_schedule.models.cron import _Reader


def with_dates(**changes: Any) -> Any:
    """Let an expression say something else about dates."""
    return then(
        lambda found, _line: found._replace(
            dates=found.dates._replace(**{name: change(found.dates) for name, change in changes.items()})
        )
    )


def read(change: Callable[[Any, Any, str, str | None, str | None], int]) -> Any:
    """Read the numbers of an item wrongly; `change` gets the reader, the values before, and the item's parts."""

    def wrong(real: Any) -> Any:
        def item(reader: Any, found: Any) -> None:
            before = reader.values
            real(reader, found)
            if reader.values != before:
                reader.values = change(reader, before, *found.group("low", "high", "step"))

        return item

    return wrong


def without_its_end(reader: Any, before: int, _low: str, high: str | None, _step: str | None) -> int:
    """Read a range as `range()` does."""
    values: int = reader.values
    return values & ~(1 << reader._value(high, 0)) | before if high is not None else values


def steps_from_zero(reader: Any, before: int, _low: str, _high: str | None, step: str | None) -> int:
    """Keep what the step divides."""
    values: int = reader.values
    return values if step is None else before | sum(1 << v for v in days.bits(values) if v % int(step) == 0)


def alone(reader: Any, before: int, low: str, high: str | None, step: str | None) -> int:
    """Let a/n be a."""
    values: int = reader.values
    return before | 1 << reader._value(low, 0) if step and not high and low != "*" else values


def whole_star(real: Any) -> Any:
    """See a star only where it is alone."""

    def init(reader: Any, expression: str, place: tuple[int, int], field: Any) -> None:
        real(reader, expression, place, field)
        reader.star = expression[slice(*place)] == "*"

    return init


def sunday_is_none(reader: Any, before: int, *_parts: Any) -> int:
    """Forget that 7 is Sunday."""
    values: int = reader.values
    return (values | before) & ~(1 << 7) if reader._field.name == "day-of-week" else values


def nth_from_sunday(none: Any, reader: Any, item: str, _at: int) -> Any:
    """Count the weekdays of 2#3 and 5L from Sunday."""
    if reader._field.name == "day-of-week":
        reader.nth = {(nth, (weekday + 1) % 7) for nth, weekday in reader.nth}
    return none


OF_CRON = [
    Mutation(
        "cron's weekdays begin with Monday",
        cron,
        "parse",
        with_dates(weekdays=lambda dates: rotated(dates.weekdays, 1)),
        by(asked.EITHER_DAY),
    ),
    Mutation("7 is no Sunday", _Reader, "_item", read(sunday_is_none), by(asked.SUNDAYS)),
    Mutation(
        "names begin with 0",
        _Reader,
        "_value",
        then(lambda found, reader, word, _at: found - reader._field.first * (not word.isdigit())),
        by(asked.NAMED),
    ),
    Mutation("a range does without its end", _Reader, "_item", read(without_its_end), by(asked.FROM_TO)),
    Mutation("steps are counted from 0", _Reader, "_item", read(steps_from_zero), by(asked.FROM_TO)),
    Mutation("a/n is a", _Reader, "_item", read(alone), by(asked.FROM_ON)),
    Mutation("a star with a step is none", _Reader, "__init__", whole_star, by(asked.BOTH_DAYS)),
    Mutation(
        "only a star in the minutes follows the real ones",
        cron,
        "parse",
        then(lambda found, line: found._replace(elapsed=line.startswith("*"))),
        by(asked.STAR_OF_HOURS),
    ),
    Mutation(
        "a star without a step follows the clock",
        cron,
        "parse",
        then(lambda found, _line: found._replace(elapsed=False)),
        by(asked.STARS_IN_AUTUMN),
    ),
    Mutation(
        "L is the 31st", cron, "parse", with_dates(days=day_31_is_last, last=lambda _: False), by(asked.LAST_OF_CRON)
    ),
    Mutation("2#3 is counted from Sunday", _Reader, "_special", then(nth_from_sunday), by(asked.NTH_OF_CRON)),
    Mutation(
        "5L is 5",
        cron,
        "parse",
        with_dates(
            weekdays=lambda dates: dates.weekdays | days.mask_of(day for nth, day in dates.nth if nth == -1),
            nth=lambda dates: tuple(each for each in dates.nth if each[0] != -1),
        ),
        by(asked.LAST_OF_WEEKDAYS),
    ),
    Mutation(
        "a macro's week begins on Monday",
        cron,
        "parse",
        of(lambda line: ("0 0 * * 1" if line == "@weekly" else line,)),
        by(asked.MACRO),
    ),
]
