"""The field types of the calendar kinds: weekdays, days of a month, exclusions, and the rules for a set clock.

Collections are kept as tuples in one order without repetitions, so that equal settings are equal values with equal
JSON. In JSON a date is "2026-12-25" and a collection an array.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, NoReturn, TypedDict, cast, get_args

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from ..errors import type_name
from .cron import CronError, parse
from .days import WEEKDAYS, Weekday

Nth = Literal[1, 2, 3, 4, 5, -1]
"""Which of a month's equal weekdays; -1 is the last."""
MonthDay = int | tuple[Nth, Weekday]
"""A day of a month: 1 to 31, -1 for the last, or the nth of a weekday, such as (2, "tue")."""
Gap = Literal["next_valid", "shift", "skip"]
"""What becomes of a time that the clock skips."""
Fold = Literal["first", "last", "both"]
"""Which one counts of a time that the clock passes twice."""

_NTH: Final = frozenset(get_args(Nth))
_LONGEST_MONTH: Final = 31
_DATE: Final = r"^\d{4}-\d{2}-\d{2}$"
_MOST_EVERY: Final = 1000


def _refuse(type_: Any, info: ValidationInfo, rule: str, value: object, remedy: str) -> NoReturn:
    got = repr(value) if isinstance(value, (str, int, float)) or value is None else f"{type_name(value)} {value!r}"
    raise PydanticCustomError(
        type_,
        "{field} must be {rule}, got {got}; {remedy}",
        {"field": info.field_name, "rule": rule, "got": got, "remedy": remedy},
    )


def _items(value: object) -> list[object] | None:
    """Return what a collection holds; None for what is no collection."""
    return list(cast(Sequence[object], value)) if isinstance(value, (tuple, list, set, frozenset)) else None


def _weekdays(value: object, info: ValidationInfo) -> tuple[Weekday, ...]:
    given = value
    items = [given] if isinstance(given, str) else _items(given)
    for item in items or [given]:
        if item not in WEEKDAYS:
            _refuse("weekday", info, f"of {', '.join(WEEKDAYS)}", item, 'write "mon" or ("mon", "fri")')
    return tuple(name for name in WEEKDAYS if name in (items or ()))


def _month_day(value: object, info: ValidationInfo) -> MonthDay:
    given = value
    if type(value) is int and (value == -1 or 1 <= value <= _LONGEST_MONTH):
        return value
    pair = None if isinstance(value, (set, frozenset)) else _items(given)
    if pair is not None and len(pair) == 2:
        nth, weekday = pair
        if type(nth) is int and nth in _NTH and weekday in WEEKDAYS:
            return cast(tuple[Nth, Weekday], (nth, weekday))
    _refuse(
        "month_day",
        info,
        "a day from 1 to 31, -1 for the last day, or the nth (1 to 5, -1 for the last) of a weekday",
        given,
        'write 15, -1 or (2, "tue")',
    )


def _months(value: object, info: ValidationInfo) -> tuple[int, ...] | None:
    if value is None:
        return None
    items = _items(value)
    for item in [value] if items is None else items:
        if type(item) is not int or not 1 <= item <= 12:
            _refuse("month", info, "a collection of months from 1 to 12", item, "write (1, 7), or leave it out")
    if not items:
        _refuse("month", info, "a collection of months from 1 to 12", value, "leave it out for each month")
    return tuple(sorted(cast(set[int], set(items)))) if len(set(items)) < 12 else None


def _excluding(value: object, info: ValidationInfo) -> tuple[date | Weekday, ...]:
    rule = "a collection of dates and weekdays"
    remedy = 'write ["2026-12-25", "sat"]' if info.mode == "json" else 'write {date(2026, 12, 25), "sat"}'
    items = _items(value)
    if items is None:
        _refuse("excluding", info, rule, value, remedy)
    dates: set[date] = set()
    names: set[str] = set()
    for item in items:
        if isinstance(item, str) and item in WEEKDAYS:
            names.add(item)
        else:
            found = _date_of(item, info)
            if found is None:
                _refuse("excluding", info, rule, item, remedy)
            dates.add(found)
    return (*sorted(dates), *(name for name in WEEKDAYS if name in names))


def _date(value: object, info: ValidationInfo) -> date | None:
    found = None if value is None else _date_of(value, info)
    if found is None and value is not None:
        remedy = 'write "2026-01-05"' if info.mode == "json" else "write date(2026, 1, 5)"
        _refuse("date", info, "a date without a time", value, remedy)
    return found


def _date_of(value: object, info: ValidationInfo) -> date | None:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if info.mode == "json" and isinstance(value, str) and len(value) == len("2026-01-05"):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return None


def _every(value: object, info: ValidationInfo) -> int:
    if type(value) is int and 1 <= value <= _MOST_EVERY:
        return value
    _refuse("every", info, f"an int from 1 to {_MOST_EVERY}", value, "write every=2 for every other one")


def _choice(type_: str, literal: Any) -> Callable[[object, ValidationInfo], object]:
    choices = get_args(literal)

    def check(value: object, info: ValidationInfo) -> object:
        if value is None or (isinstance(value, str) and value in choices):
            return value
        _refuse(type_, info, " or ".join(repr(each) for each in choices), value, f"leave it out for {choices[0]!r}")

    return check


def _expression(value: object, info: ValidationInfo) -> str:
    if not isinstance(value, str):
        _refuse("cron_expression", info, "a str of five fields", value, 'write "0 9 * * mon-fri"')
    try:
        parse(value)
    except CronError as error:
        raise PydanticCustomError(
            "cron_expression", "{field}: {error}", {"field": info.field_name, "error": str(error)}
        ) from None
    return value


_WEEKDAY_SCHEMA: Final[dict[str, Any]] = {"enum": list(WEEKDAYS)}
_DATE_SCHEMA: Final[dict[str, Any]] = {"type": "string", "format": "date", "pattern": _DATE}

Weekdays = Annotated[
    tuple[Weekday, ...],
    BeforeValidator(_weekdays),
    WithJsonSchema(
        {
            "anyOf": [
                _WEEKDAY_SCHEMA,
                {"type": "array", "items": _WEEKDAY_SCHEMA, "minItems": 1},
            ],
            "examples": ["mon", ["mon", "fri"]],
        }
    ),
]
"""One weekday or more, from Monday."""

DayOfMonth = Annotated[
    MonthDay,
    BeforeValidator(_month_day),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": -1, "maximum": 31, "not": {"const": 0}},
                {
                    "type": "array",
                    "prefixItems": [{"enum": list(get_args(Nth))}, _WEEKDAY_SCHEMA],
                    "minItems": 2,
                    "maxItems": 2,
                },
            ],
            "examples": [15, -1, [2, "tue"]],
        }
    ),
]
"""A day of a month."""

Months = Annotated[
    tuple[int, ...] | None,
    BeforeValidator(_months),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 12}, "minItems": 1},
                {"type": "null"},
            ],
            "examples": [[1, 7]],
        }
    ),
]
"""The months that count; None is each one."""

Excluding = Annotated[
    tuple[date | Weekday, ...],
    BeforeValidator(_excluding),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"anyOf": [_WEEKDAY_SCHEMA, _DATE_SCHEMA]},
            "examples": [["2026-12-25", "sat", "sun"]],
        }
    ),
]
"""Local dates and weekdays without an occurrence."""

Every = Annotated[
    int, BeforeValidator(_every), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _MOST_EVERY})
]
"""Each one, each second one..."""

Starting = Annotated[
    date | None,
    BeforeValidator(_date),
    WithJsonSchema({"anyOf": [_DATE_SCHEMA, {"type": "null"}], "examples": ["2026-01-05"]}),
]
"""A local date."""

GapRule = Annotated[Gap, BeforeValidator(_choice("gap", Gap))]
FoldRule = Annotated[Fold, BeforeValidator(_choice("fold", Fold))]
MissingRule = Annotated[Literal["skip", "clamp"], BeforeValidator(_choice("missing", Literal["skip", "clamp"]))]

CronExpression = Annotated[
    str,
    BeforeValidator(_expression),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\s*(@[A-Za-z]+|\S+(\s+\S+){4})\s*$",
            "examples": ["0 9 * * mon-fri", "*/5 * * * *", "@daily"],
        }
    ),
]
"""A cron expression of five fields, or a macro."""

# The fields that the calendar kinds share: each declares them itself, so that they stand behind its own in JSON.

COUNT: Final[Any] = Field(-1, description="How many runs; -1 is for ever.")
TZ: Final[Any] = Field(None, description="The zone's IANA name; null is the machine's own zone.")
EVERY: Final[Any] = Field(
    1, description="2 is every other day, week or month, counted from `starting`.", exclude_if=lambda value: value == 1
)
STARTING: Final[Any] = Field(
    None, description="The first local date that counts.", exclude_if=lambda value: value is None
)
EXCLUDING: Final[Any] = Field(
    (),
    description="Dates and weekdays without an occurrence, on the local calendar.",
    exclude_if=lambda value: not value,
)
START_AT: Final[Any] = Field(
    None, description="Nothing happens before this moment; null is no bound.", exclude_if=lambda value: value is None
)
END_AT: Final[Any] = Field(
    None, description="Nothing happens after this moment; null is no bound.", exclude_if=lambda value: value is None
)
GAP: Final[Any] = Field(
    "next_valid",
    description="A time that the clock skips happens at the end of the gap, as far after it, or not.",
    exclude_if=lambda value: value == "next_valid",
)
FOLD: Final[Any] = Field(
    "first",
    description="A time that the clock passes twice happens the first time, the last time, or both times.",
    exclude_if=lambda value: value == "first",
)
CRON_RULE: Final[Any] = Field(
    None, description="As for the others; null is Debian's star rule.", exclude_if=lambda value: value is None
)


class SpanFields(TypedDict, total=False):
    """Keyword arguments of each calendar kind."""

    excluding: Collection[date | Weekday]
    start_at: datetime | None
    end_at: datetime | None


class WallFields(SpanFields, total=False):
    """Those of a kind with a time of day."""

    gap: Gap
    fold: Fold


class GridFields(WallFields, total=False):
    """Those of a kind that counts days, weeks or months."""

    every: int
    starting: date | None
