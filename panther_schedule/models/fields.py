"""The types of the models' fields, and the words in which a value is refused.

In a constructor a field takes its own type and nothing else. Data may hold text too, from whatever source: a time is
"08:00:00", a date "2026-12-25", a duration ISO 8601. A number is refused for a time and a duration, since nobody can
say whether 5 means seconds or minutes. Collections are kept as tuples in one order without repetitions, so that equal
settings are equal values with equal JSON.

A refusal says `{field} must be {rule}, got {value}; {remedy}`, and has a stable type.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Annotated, Any, Final, Literal, TypeGuard, cast
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, Strict, ValidationError, ValidationInfo, WithJsonSchema, WrapSerializer
from pydantic.functional_validators import AfterValidator, BeforeValidator, WrapValidator
from pydantic_core import PydanticCustomError

from ..clock import AWARE, is_aware, plain_datetime, plain_timedelta
from ..errors import MOST_SHOWN, brief, type_name
from .cron import CronError, parse, parse_seconds
from .days import WEEKDAYS, Weekday

TimeZone = str | ZoneInfo | timezone  # an IANA name, or UTC or a zone of that name
CONSTRUCTED: Final = object()
"""The context in which constructors validate; in any other one a model's fields are data."""


def is_data(info: ValidationInfo) -> bool:
    """Tell data, such as JSON or a mapping in a user's model, from the arguments of a constructor."""
    return info.context is not CONSTRUCTED


def optional(default: Any, description: str) -> Any:
    """Declare a field that JSON leaves out when it has its default."""
    return Field(default, description=description, exclude_if=lambda value: value == default)


def refused(type_: str, message: str) -> PydanticCustomError:
    """Make a refusal; unlike a template of pydantic's, the message may hold braces."""
    return PydanticCustomError(cast(Any, type_), "{message}", {"message": message})


def invalid(type_: str, info: ValidationInfo, rule: str, got: str, remedy: str) -> PydanticCustomError:
    """Make the refusal of a field's value."""
    return refused(type_, f"{info.field_name} must be {rule}, got {got}; {remedy}")


def shown(value: object) -> str:
    """Show a value in a refusal, with its type unless it is plain."""
    if value is None or isinstance(value, (str, int, float)):
        return brief(value)
    return str(value) if isinstance(value, timedelta) else f"{type_name(value)} {brief(value)}"


def said(
    rule: str, remedy: str | Callable[[object], str], *, type_: str | None = None, in_data: str | None = None
) -> WrapValidator:
    """Refuse in our words what a type and its constraints refuse; the stable type is `type_`, or the field's name.

    `in_data` is the remedy in data, if it differs.
    """

    def check(value: object, handler: Callable[[object], object], info: ValidationInfo) -> object:
        try:
            return handler(value)
        except ValidationError as error:
            fault = error.errors()[0]
        told = in_data if in_data and is_data(info) else remedy if isinstance(remedy, str) else remedy(value)
        wanted = rule or fault.get("ctx", {}).get("expected", "one of its choices")
        raise invalid(type_ or f"{info.field_name}", info, wanted, shown(fault["input"]), told)

    return WrapValidator(check)


def choice(default: str) -> WrapValidator:
    """Refuse in our words what is none of a `Literal`'s choices."""
    return said("", f"leave it out for {default!r}")


def _text(pattern: re.Pattern[str], *examples: str, **more: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern.pattern, "examples": list(examples), **more})


_DURATION: Final = re.compile(r"^P(?!$)(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d{1,6})?S)?)?$")


def _duration(value: object, info: ValidationInfo) -> object:
    # pydantic would read "P1M" as 30 days, "1 days" and bare numbers too; and what a before-validator returns is
    # checked in Python mode, so the field is not strict and this function is
    if isinstance(value, timedelta):
        return plain_timedelta(value)
    if not is_data(info):
        raise invalid("duration_type", info, "a timedelta", shown(value), "write timedelta(minutes=5)")
    if not (isinstance(value, str) and _DURATION.match(value)):
        rule = "an ISO 8601 duration of weeks to seconds"
        raise invalid("duration_format", info, rule, shown(value), "write PT5M or P1DT12H")
    return value


def _in_days(value: timedelta, handler: Callable[[timedelta], str]) -> str:
    """Write days where pydantic writes years, which `_duration` does not take."""
    return re.sub(r"^P\d+Y(\d+D)?", f"P{value.days}D", handler(value))


def at_least(least: timedelta, rule: str, remedy: str, type_: str = "duration_range") -> AfterValidator:
    """Refuse a shorter duration."""

    def check(value: timedelta, info: ValidationInfo) -> timedelta:
        if value < least:
            raise invalid(type_, info, rule, shown(value), remedy)
        return value

    return AfterValidator(check)


Duration = Annotated[
    timedelta,
    Strict(strict=False),
    BeforeValidator(_duration),
    WrapSerializer(_in_days, when_used="json"),
    _text(_DURATION, "PT30S", "PT5M", "P1DT12H"),
]
Wait = Annotated[Duration, at_least(timedelta(0), "zero or longer", "leave out the minus sign", "negative_duration")]


def _run_count(value: object) -> str:
    if isinstance(value, timedelta):
        return "write interval_wait(...) for the time between two runs, or Repeat(-1, ...)"
    return "write n=1 for one run, n=-1 for no end"


def _delay(after: timedelta, info: ValidationInfo) -> timedelta:
    if after and info.data.get("at") is not None:
        raise invalid("at_and_after", info, "left out with at", shown(after), "give one of the two")
    return after


def _measured_from(end: Literal["start", "end"], info: ValidationInfo) -> Literal["start", "end"]:
    return end if info.data.get("wait") else "start"  # without a wait both are the same


Delay = Annotated[Wait, AfterValidator(_delay)]
MeasuredFrom = Annotated[Literal["start", "end"], choice("start"), AfterValidator(_measured_from)]
RunCount = Annotated[
    Literal[-1] | Annotated[int, Field(ge=1)],
    said("an int of at least 1, or -1 for ever", _run_count, type_="run_count"),
    Field(description="How many runs; -1 is for ever."),
]

Gap = Annotated[Literal["next_valid", "shift", "skip"], choice("next_valid")]  # for a time that the clock skips
Fold = Annotated[Literal["first", "last", "both"], choice("first")]  # for a time that the clock passes twice

_CLOCK_TIME: Final = re.compile(r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$")
_DATE: Final = re.compile(r"^\d{4}-\d{2}-\d{2}$")


def _clock_time(value: object, info: ValidationInfo) -> time:
    in_data = is_data(info)
    if in_data and isinstance(value, str) and _CLOCK_TIME.match(value):
        return time.fromisoformat(value)
    if isinstance(value, time) and value.tzinfo is None and not value.microsecond:
        return time(value.hour, value.minute, value.second)
    example = '"08:00" or "08:00:30"' if in_data else "time(8, 0)"
    remedy = f"write {example}"
    if isinstance(value, datetime):
        remedy += " for each day, or Once(at=...) for one moment"
    elif isinstance(value, time) and value.tzinfo is not None:
        remedy = "write the time without tzinfo, and the zone as tz='Europe/Paris'"
    raise invalid("clock_time", info, "a wall-clock time in whole seconds", shown(value), remedy)


def _date(value: object, info: ValidationInfo) -> object:
    if is_data(info) and isinstance(value, str) and _DATE.match(value):
        return date.fromisoformat(value)
    return date.fromordinal(date.toordinal(value)) if is_date(value) else value


def is_date(value: object) -> TypeGuard[date]:
    """Tell a date from a datetime, which is a date too."""
    return isinstance(value, date) and not isinstance(value, datetime)


def _instant(value: object, info: ValidationInfo) -> datetime:
    in_data, instant = is_data(info), value
    try:
        instant = datetime.fromisoformat(value) if in_data and isinstance(value, str) else value
        if is_aware(instant):
            return plain_datetime(instant).astimezone(UTC)
    except ValueError:
        pass  # refused below
    except OverflowError:
        rule = "within the years 1 to 9999 in UTC"
        raise invalid("instant_range", info, rule, str(instant), "choose one of them") from None
    got = "a naive one" if isinstance(value, datetime) else shown(value)
    example = '"2026-12-24T18:00:00+01:00"' if in_data else AWARE
    raise invalid("instant", info, "an aware datetime", got, f"write {example}")


def is_zone(value: object) -> TypeGuard[str]:
    """Tell whether this is the IANA name of a zone."""
    try:
        return isinstance(value, str) and bool(ZoneInfo(value))
    except (KeyError, ValueError, OSError):  # OSError: a folder such as "Europe"
        return False


def zone_name(value: object) -> object:
    """Return the IANA name of UTC or of a zone that has one; anything else as it is."""
    if isinstance(value, ZoneInfo):
        return cast(str | None, value.key) or value
    return "UTC" if isinstance(value, timezone) and value == UTC else value


def right_zone(value: object) -> str:
    """Return the remedy for what names no zone: a city, never another fixed offset, which has no summer time."""
    if not isinstance(value, (str, tzinfo)):
        return "write tz='Europe/Paris'"
    if isinstance(value, str) and not value.isupper():
        cities = {key.lower(): key for key in available_timezones() if "/" in key and not key.startswith("Etc/")}
        cities |= {key.rpartition("/")[2]: name for key, name in sorted(cities.items(), reverse=True)} | {"utc": "UTC"}
        near = difflib.get_close_matches(value[:MOST_SHOWN].lower().replace(" ", "_"), cities, 1, 0.8)
        if near:
            return f"did you mean {cities[near[0]]!r}?"
    return "write the zone of a city, such as tz='Europe/Paris'; an abbreviation or an offset does not say which it is"


def _zone(value: object, info: ValidationInfo) -> str:
    name = zone_name(value)
    if not is_zone(name):
        raise invalid("time_zone", info, "the IANA name of a zone", shown(value), right_zone(value))
    return name


ClockTime = Annotated[
    time,
    BeforeValidator(_clock_time),
    _text(_CLOCK_TIME, "08:00", "23:59:30"),
    Field(description="The wall-clock time, without a zone."),
]
Instant = Annotated[datetime, BeforeValidator(_instant)]
_ZoneKey = Annotated[str, BeforeValidator(_zone), Field(examples=["UTC", "Europe/Paris"])]
Zone = Annotated[_ZoneKey | None, Field(description="The zone's IANA name; null means the machine's own zone.")]

Nth = Literal[1, 2, 3, 4, 5, -1]
MonthDay = int | tuple[Nth, Weekday]  # 1 to 31, -1 for the last, or the nth of a weekday, such as (2, "tue")
Missing = Annotated[Literal["skip", "clamp"], choice("skip")]  # for a month without the day


def _month_day(day: object) -> object:
    return tuple(cast(list[object], day)) if isinstance(day, list) else day


def _in_order(items: tuple[Any, ...]) -> tuple[Any, ...]:
    """Sort numbers or dates, then weekdays from Monday, without repetitions."""
    return tuple(sorted(set(items), key=lambda item: (1, WEEKDAYS.index(item)) if isinstance(item, str) else (0, item)))


def _cron(value: str, info: ValidationInfo) -> str:
    try:
        (parse_seconds if info.field_name == "seconds" else parse)(value)
    except CronError as error:
        raise refused("cron_expression", f"{info.field_name}: {error}") from None
    return value


_LocalDate = Annotated[date, BeforeValidator(_date), _text(_DATE, "2026-01-05", format="date")]
Starting = Annotated[
    _LocalDate | None,
    said("a date without a time", "write date(2026, 1, 5)", type_="date", in_data='write "2026-01-05"'),
]
Every = Annotated[int, Field(ge=1, le=1000), said("an int from 1 to 1000", "write every=2 for every other one")]

_AnyCollection = Strict(strict=False)  # of a tuple: its items stay strict
_Weekdays = Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=1000), _AnyCollection]
Weekdays = Annotated[
    _Weekdays,
    AfterValidator(_in_order),
    BeforeValidator(
        lambda days: (days,) if isinstance(days, str) else days, json_schema_input_type=Weekday | _Weekdays
    ),
    said(f"one or more of {', '.join(WEEKDAYS)}", 'write "mon" or ("mon", "fri")', type_="weekday"),
    Field(examples=["mon", ["mon", "fri"]]),
]
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
_Months = Annotated[
    tuple[Annotated[int, Field(ge=1, le=12)], ...],
    Field(min_length=1, max_length=1000),
    _AnyCollection,
    AfterValidator(_in_order),
    AfterValidator(lambda months: months if len(months) < 12 else None),
]
Months = Annotated[
    _Months | None,
    said("a collection of months from 1 to 12", "write (1, 7), or leave it out", type_="month"),
    Field(examples=[[1, 7]]),
]
Excluding = Annotated[
    tuple[Weekday | _LocalDate, ...],
    Field(max_length=10_000),
    _AnyCollection,
    AfterValidator(_in_order),
    said(
        "a collection of dates and weekdays, at most 10,000",
        'write {date(2026, 12, 25), "sat"}',
        in_data='write ["2026-12-25", "sat"]',
    ),
    Field(examples=[["2026-12-25", "sat", "sun"]]),
]
CronExpression = Annotated[
    str,
    Field(max_length=1000),
    said("a str of five fields", 'write "0 9 * * mon-fri"', type_="cron_expression"),
    AfterValidator(_cron),
    _text(re.compile(r"^\s*(@[A-Za-z]+|\S+(\s+\S+){4})\s*$"), "0 9 * * mon-fri", "*/5 * * * *", "@daily"),
]
CronSeconds = Annotated[
    str,
    said("a str of one field", 'write "0", "*/15" or "0,30"', type_="cron_expression"),
    AfterValidator(_cron),
    _text(re.compile(r"^\s*[^\s]+\s*$"), "0", "*/15", "0,30"),
]
