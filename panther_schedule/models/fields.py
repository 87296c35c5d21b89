"""The types of the fields: what each takes in Python, in JSON and in JSON Schema.

In Python a field takes its own type and nothing else. In JSON a time is "08:00:00", a date "2026-12-25", a collection
an array and a duration ISO 8601; a number is refused for a time and a duration, since nobody can say whether 5 means
seconds or minutes. Collections are kept as tuples in one order without repetitions, so that equal settings are equal
values with equal JSON.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final, Literal, TypedDict, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, Strict, ValidationInfo, WithJsonSchema

from .cron import CronError, parse
from .days import WEEKDAYS, Weekday
from .values import choice, invalid, refused, said, shown

Nth = Literal[1, 2, 3, 4, 5, -1]
"""Which of a month's equal weekdays; -1 is the last."""
MonthDay = int | tuple[Nth, Weekday]
"""A day of a month: 1 to 31, -1 for the last, or the nth of a weekday, such as (2, "tue")."""
Gap = Annotated[Literal["next_valid", "shift", "skip"], choice("next_valid")]
"""What becomes of a time that the clock skips."""
Fold = Annotated[Literal["first", "last", "both"], choice("first")]
"""Which one counts of a time that the clock passes twice."""
Missing = Annotated[Literal["skip", "clamp"], choice("skip")]
"""What becomes of a month without the day."""

_DURATION: Final = re.compile(r"^P(?!$)(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d{1,6})?S)?)?$")
_CLOCK_TIME: Final = re.compile(r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$")
_DATE: Final = re.compile(r"^\d{4}-\d{2}-\d{2}$")


def _text(pattern: re.Pattern[str], *examples: str, **more: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern.pattern, "examples": list(examples), **more})


def _duration(value: object, info: ValidationInfo) -> object:
    # pydantic would read "P1M" as 30 days, "1 days" and bare numbers too; and what a before-validator returns is
    # checked in Python mode, so the field is not strict and this function is
    if info.mode == "json":
        if not (isinstance(value, str) and _DURATION.match(value)):
            rule = "an ISO 8601 duration of weeks to seconds"
            raise invalid("duration_format", info, rule, shown(value), "write PT5M or P1DT12H")
    elif not isinstance(value, timedelta):
        raise invalid("duration_type", info, "a timedelta", shown(value), "write timedelta(minutes=5)")
    return value


def _duration_text(value: timedelta) -> str:
    """Write it as pydantic does, but in days where pydantic writes years, which `_duration` does not take."""
    seconds = f"{value.seconds % 60}.{value.microseconds:06d}".rstrip("0").rstrip(".")
    amounts = ((value.seconds // 3600, "H"), (value.seconds // 60 % 60, "M"), (seconds, "S"))
    rest = "".join(f"{amount}{unit}" for amount, unit in amounts if str(amount) != "0")
    days = f"{value.days}D" if value.days else ""
    return f"P{days}T{rest}" if rest else f"P{days or 'T0S'}"


def at_least(least: timedelta, type_: str, rule: str, remedy: str) -> AfterValidator:
    """Refuse a shorter duration."""

    def check(value: timedelta, info: ValidationInfo) -> timedelta:
        if value < least:
            raise invalid(type_, info, rule, shown(value), remedy)
        return value

    return AfterValidator(check)


def _clock_time(value: object, info: ValidationInfo) -> time:
    if info.mode == "json" and isinstance(value, str) and _CLOCK_TIME.match(value):
        return time.fromisoformat(value)
    if isinstance(value, time) and value.tzinfo is None and not value.microsecond:
        return value.replace(fold=0)
    if info.mode == "json":
        remedy = 'write "08:00" or "08:00:30"'
    elif isinstance(value, datetime):
        remedy = "write time(8, 0) for each day, or Once(at=...) for one moment"
    elif isinstance(value, time) and value.tzinfo is not None:
        remedy = "write the time without tzinfo, and the zone as tz='Europe/Paris'"
    else:
        remedy = "write time(8, 0)"
    raise invalid("clock_time", info, "a wall-clock time in whole seconds", shown(value), remedy)


def _date(value: object, info: ValidationInfo) -> object:
    if info.mode == "json" and isinstance(value, str) and _DATE.match(value):
        return date.fromisoformat(value)
    return value


def _instant(value: object, info: ValidationInfo) -> datetime:
    instant = value
    if info.mode == "json" and isinstance(value, str):
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            pass  # refused below
    if isinstance(instant, datetime) and instant.tzinfo is not None:
        try:
            return instant if instant.tzinfo is UTC else instant.astimezone(UTC)
        except OverflowError:
            rule = "within the years 1 to 9999 in UTC"
            raise invalid("instant_range", info, rule, str(instant), "choose one of them") from None
    got = "a naive one" if isinstance(value, datetime) else shown(value)
    example = '"2026-12-24T18:00:00+01:00"' if info.mode == "json" else "datetime(2026, 12, 24, 18, 0, tzinfo=UTC)"
    raise invalid("instant", info, "an aware datetime", got, f"write {example}")


def _zone(value: object, info: ValidationInfo) -> str:
    remedy = "write tz='Europe/Paris'"
    if isinstance(value, str):
        try:
            ZoneInfo(value)
            return value
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder such as "Europe"
            for near in difflib.get_close_matches(value, sorted(available_timezones()), 1):
                remedy = f"did you mean {near!r}?"
    raise invalid("time_zone", info, "the IANA name of a zone", shown(value), remedy)


def _expression(value: str, info: ValidationInfo) -> str:
    try:
        parse(value)
    except CronError as error:
        raise refused("cron_expression", f"{info.field_name}: {error}") from None
    return value


def _collected(value: object) -> object:
    return tuple(cast(Iterable[object], value)) if isinstance(value, (list, set, frozenset)) else value


def _weekdays(value: object) -> object:
    return (value,) if isinstance(value, str) else _collected(value)


def _month_day(value: object) -> object:
    return tuple(cast(list[object], value)) if isinstance(value, list) else value


def _in_order(items: tuple[Any, ...]) -> tuple[Any, ...]:
    """Sort numbers or dates, then weekdays from Monday, without repetitions."""
    return tuple(sorted(set(items), key=lambda item: (1, WEEKDAYS.index(item)) if isinstance(item, str) else (0, item)))


def _some_months(months: tuple[int, ...] | None) -> tuple[int, ...] | None:
    return None if months is None or len(months) == 12 else months


RunCount = Annotated[
    Literal[-1] | Annotated[int, Field(ge=1)],
    said("an int of at least 1, or -1 for ever", "write n=1 for one run, n=-1 for no end", type_="run_count"),
    Field(description="How many runs; -1 is for ever."),
]

Duration = Annotated[
    timedelta,
    Strict(strict=False),
    BeforeValidator(_duration),
    PlainSerializer(_duration_text, return_type=str, when_used="json"),
    _text(_DURATION, "PT30S", "PT5M", "P1DT12H"),
]
"""A duration of any length."""

Wait = Annotated[Duration, at_least(timedelta(0), "negative_duration", "zero or longer", "leave out the minus sign")]
"""A duration, zero or longer."""

ClockTime = Annotated[
    time,
    BeforeValidator(_clock_time),
    _text(_CLOCK_TIME, "08:00", "23:59:30"),
    Field(description="The wall-clock time, without a zone."),
]

_ZoneKey = Annotated[
    str, BeforeValidator(_zone), WithJsonSchema({"type": "string", "examples": ["UTC", "Europe/Paris"]})
]
Zone = Annotated[_ZoneKey | None, Field(description="The zone's IANA name; null is the machine's own zone.")]

Instant = Annotated[datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
"""An aware date and time, kept in UTC."""

_LocalDate = Annotated[date, BeforeValidator(_date), _text(_DATE, "2026-01-05", format="date")]

Starting = Annotated[
    _LocalDate | None,
    said("a date without a time", "write date(2026, 1, 5)", type_="date", in_json='write "2026-01-05"'),
]
"""The local date from which days, weeks or months are counted."""

Every = Annotated[int, Field(ge=1, le=1000), said("an int from 1 to 1000", "write every=2 for every other one")]

_Weekdays = Annotated[tuple[Weekday, ...], Field(min_length=1)]
Weekdays = Annotated[
    _Weekdays,
    AfterValidator(_in_order),
    BeforeValidator(_weekdays, json_schema_input_type=Weekday | _Weekdays),
    said(f"of {', '.join(WEEKDAYS)}", 'write "mon" or ("mon", "fri")', type_="weekday"),
    Field(examples=["mon", ["mon", "fri"]]),
]
"""One weekday or more, from Monday."""

DayOfMonth = Annotated[
    Literal[-1] | Annotated[int, Field(ge=1, le=31)] | tuple[Nth, Weekday],
    BeforeValidator(_month_day),
    said(
        "a day from 1 to 31, -1 for the last day, or the nth (1 to 5, -1 for the last) of a weekday",
        'write 15, -1 or (2, "tue")',
        type_="month_day",
    ),
    Field(examples=[15, -1, [2, "tue"]]),
]

_Months = Annotated[tuple[Annotated[int, Field(ge=1, le=12)], ...], Field(min_length=1), AfterValidator(_in_order)]
Months = Annotated[
    _Months | None,
    AfterValidator(_some_months),
    BeforeValidator(_collected),
    said("a collection of months from 1 to 12", "write (1, 7), or leave it out", type_="month"),
    Field(examples=[[1, 7]]),
]

Excluding = Annotated[
    tuple[Weekday | _LocalDate, ...],
    AfterValidator(_in_order),
    BeforeValidator(_collected),
    said(
        "a collection of dates and weekdays",
        'write {date(2026, 12, 25), "sat"}',
        in_json='write ["2026-12-25", "sat"]',
    ),
    Field(examples=[["2026-12-25", "sat", "sun"]]),
]
"""Local dates and weekdays without an occurrence."""

CronExpression = Annotated[
    str,
    said("a str of five fields", 'write "0 9 * * mon-fri"', type_="cron_expression"),
    AfterValidator(_expression),
    _text(re.compile(r"^\s*(@[A-Za-z]+|\S+(\s+\S+){4})\s*$"), "0 9 * * mon-fri", "*/5 * * * *", "@daily"),
]


def optional(default: Any, description: str) -> Any:
    """Declare a field that JSON leaves out when it has its default."""
    return Field(default, description=description, exclude_if=lambda value: value == default)


class NoKeywords(TypedDict):
    """Keyword arguments of `Once` and `Repeat`; like those below, for editors and type checkers."""


class CalendarKeywords(TypedDict, total=False):
    """Those of each calendar kind."""

    excluding: Collection[date | Weekday]
    start_at: datetime | None
    end_at: datetime | None


class DailyKeywords(CalendarKeywords, total=False):
    """Those of `Daily`."""

    every: int
    starting: date | None
    gap: Gap
    fold: Fold


class WeeklyKeywords(DailyKeywords, total=False):
    """Those of `Weekly`."""

    n: int
    tz: str | None


class MonthlyKeywords(WeeklyKeywords, total=False):
    """Those of `Monthly`."""

    months: Collection[int] | None
    missing: Missing


class AnyOfKeywords(CalendarKeywords, total=False):
    """Those of `AnyOf`."""

    n: int


class CronKeywords(AnyOfKeywords, total=False):
    """Those of `Cron`."""

    tz: str | None
    gap: Gap | None
    fold: Fold | None
