"""The field types of the models, and what all models are: what each takes in Python, in JSON and in JSON Schema.

In Python a field takes its own type and nothing else. In JSON a time is "08:00:00" and a duration ISO 8601; a
number is refused for both, since nobody can say whether 5 means seconds or minutes.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, NoReturn, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, PlainSerializer, Strict, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from ..errors import type_name

_DURATION = r"^P(?!$)(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d{1,6})?S)?)?$"
_CLOCK_TIME = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"
_Function = TypeVar("_Function", bound=Callable[..., None])
_is_duration = re.compile(_DURATION).match
_is_clock_time = re.compile(_CLOCK_TIME).match


def _run_count(value: object) -> int:
    if type(value) is not int:  # bool is an int to isinstance
        raise PydanticCustomError(
            "run_count",
            "n must be an int, -1 for ever or at least 1, got {type} {value}",
            {"type": type_name(value), "value": repr(value)},
        )
    if value == -1 or value >= 1:
        return value
    raise PydanticCustomError(
        "run_count",
        "n must be -1 (for ever) or at least 1, got {value}; leave out the task if it is never to run",
        {"value": value},
    )


def _duration(value: object, info: ValidationInfo) -> object:
    # pydantic would read "P1M" as 30 days, "1 days" and bare numbers too; and what a before-validator returns is
    # checked in Python mode, so the field is not strict and this function is
    if info.mode == "json":
        if isinstance(value, str) and _is_duration(value):
            return value
        raise PydanticCustomError(
            "duration_format",
            "{field} must be an ISO 8601 duration of weeks to seconds, such as PT5M or P1DT12H, got {value}",
            {"field": info.field_name, "value": repr(value)},
        )
    if isinstance(value, timedelta):
        return value
    raise PydanticCustomError(
        "duration_type",
        "{field} must be a timedelta, got {type} {value}; write timedelta(minutes=5)",
        {"field": info.field_name, "type": type_name(value), "value": repr(value)},
    )


def _not_negative(value: timedelta, info: ValidationInfo) -> timedelta:
    if value < timedelta(0):
        raise PydanticCustomError(
            "negative_duration",
            "{field} must not be negative, got {value}; zero means back to back",
            {"field": info.field_name, "value": str(value)},
        )
    return value


def _duration_text(value: timedelta) -> str:
    """Write it as pydantic does, but in days where pydantic writes years, which `_duration` does not take."""
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    exact = f"{seconds}.{value.microseconds:06d}".rstrip("0") if value.microseconds else str(seconds)
    days = f"{value.days}D" if value.days else ""
    rest = "".join(
        f"{amount}{unit}" for amount, unit in ((hours, "H"), (minutes, "M"), (exact, "S")) if str(amount) != "0"
    )
    return f"P{days}T{rest}" if rest else f"P{days or 'T0S'}"


def _clock_time(value: object, info: ValidationInfo) -> object:
    if info.mode == "json" and isinstance(value, str):
        if _is_clock_time(value):
            return time.fromisoformat(value)
        _refuse_time(info, repr(value), 'write "08:00" or "08:00:30"')
    if isinstance(value, datetime):
        _refuse_time(info, "a datetime", "write time(8, 0) for each day, or Once(at=...) for one moment")
    if not isinstance(value, time):
        _refuse_time(info, f"{type_name(value)} {value!r}", "write time(8, 0)")
    if value.tzinfo is not None:
        _refuse_time(info, "an aware time", "write the time without tzinfo, and the zone as tz='Europe/Paris'")
    if value.microsecond:
        _refuse_time(info, str(value), "leave out the microseconds")
    return value.replace(fold=0)


def _refuse_time(info: ValidationInfo, got: str, remedy: str) -> NoReturn:
    raise PydanticCustomError(
        "clock_time",
        "{field} must be a wall-clock time in whole seconds, got {got}; {remedy}",
        {"field": info.field_name, "got": got, "remedy": remedy},
    )


def _zone(value: object) -> object:
    if not isinstance(value, str):
        raise PydanticCustomError(
            "time_zone",
            "tz must be an IANA name such as 'Europe/Paris', got {type} {value}",
            {"type": type_name(value), "value": repr(value)},
        )
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder such as "Europe"
        near = difflib.get_close_matches(value, sorted(available_timezones()), 1)
        raise PydanticCustomError(
            "time_zone",
            "tz must be an IANA name such as 'Europe/Paris', got {value}{hint}",
            {"value": repr(value), "hint": f"; did you mean {near[0]!r}?" if near else ""},
        ) from None
    return value


def _instant(value: datetime, info: ValidationInfo) -> datetime:
    if value.tzinfo is UTC:
        return value
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError(
            "instant_range",
            "{field} must lie within the years 1 to 9999 in UTC, got {value}",
            {"field": info.field_name, "value": str(value)},
        ) from None


def _instant_input(value: object, info: ValidationInfo) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return value
        got = "a naive one"
    elif info.mode == "json" and isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            parsed = None
        if parsed is not None and parsed.tzinfo is not None:
            return parsed
        got = repr(value)
    else:
        got = f"{type_name(value)} {value!r}"
    raise PydanticCustomError(
        "instant",
        "{field} must be an aware datetime, got {got}; write {example}",
        {
            "field": info.field_name,
            "got": got,
            "example": '"2026-12-24T18:00:00+01:00"'
            if info.mode == "json"
            else "datetime(2026, 12, 24, 18, 0, tzinfo=UTC)",
        },
    )


def _text(schema_type: str, pattern: str, *examples: str) -> WithJsonSchema:
    schema: dict[str, Any] = {"type": schema_type, "pattern": pattern, "examples": list(examples)}
    return WithJsonSchema(schema)


RunCount = Annotated[
    int,
    BeforeValidator(_run_count),
    WithJsonSchema({"type": "integer", "minimum": -1, "not": {"const": 0}}),
]
"""How many runs: -1 is for ever, otherwise at least 1."""

Duration = Annotated[
    timedelta,
    Strict(strict=False),
    BeforeValidator(_duration),
    PlainSerializer(_duration_text, return_type=str, when_used="json"),
    _text("string", _DURATION, "PT30S", "PT5M", "P1DT12H"),
]
"""A duration of any length."""

Wait = Annotated[Duration, AfterValidator(_not_negative)]
"""A duration, zero or longer."""

ClockTime = Annotated[
    time,
    BeforeValidator(_clock_time),
    _text("string", _CLOCK_TIME, "08:00", "23:59:30"),
]
"""A wall-clock time in whole seconds, without a zone."""

ZoneKey = Annotated[
    str,
    BeforeValidator(_zone),
    WithJsonSchema({"type": "string", "examples": ["UTC", "Europe/Paris"]}),
]
"""The IANA name of a time zone."""

Instant = Annotated[
    datetime,
    BeforeValidator(_instant_input),
    AfterValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An aware date and time, kept in UTC."""


def base_init(init: _Function) -> _Function:
    """Mark a model's own `__init__` as one that only names its arguments.

    Without the mark pydantic would call it while it validates JSON, and check what JSON says as Python values.
    """
    init.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess] - pydantic's own mark
    return init


def drop_titles(schema: dict[str, Any]) -> None:
    """Drop the titles of a JSON Schema's fields, which only repeat the names."""
    for field in schema["properties"].values():
        field.pop("title", None)


class Value(BaseModel, frozen=True, extra="forbid", strict=True, defer_build=True, json_schema_extra=drop_titles):
    """A frozen value, as schedules and policies are."""

    @base_init
    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:  # noqa: ARG002 - pydantic's signature
        """Return a copy with some fields changed; unlike pydantic's own, the changes are validated."""
        return type(self).model_validate({**self._given(), **(update or {})})

    def _given(self) -> dict[str, Any]:
        """Return the fields that were given, with their values; the others keep their defaults."""
        return {name: value for name, value in self if name in self.model_fields_set}

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Show the fields that differ from their defaults, so that a repr reads as it would be written."""
        fields = type(self).model_fields
        return [(name, value) for name, value in self if value != fields[name].default]
