"""What may go wrong in a simulation, as values."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias, cast

from ..clock import duration, instant
from ..errors import check_number, nearest, refuse, refuse_value, type_name

Raised: TypeAlias = Exception | type[Exception]
"""An error, or its class."""
_NONE: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class Suspend:
    """From `at` on the machine is suspended, or the process stands still, for `by`."""

    at: datetime
    by: timedelta

    def __post_init__(self) -> None:
        instant("Suspend", "at", self.at)
        _check_positive("Suspend", "by", self.by)


@dataclass(frozen=True, slots=True)
class ClockStep:
    """At `at` the wall clock is set forward by `by`, or back; steady time does not move."""

    at: datetime
    by: timedelta

    def __post_init__(self) -> None:
        instant("ClockStep", "at", self.at)
        duration("ClockStep", "by", self.by)


@dataclass(frozen=True, slots=True)
class SlowTask:
    """Each call of this task's function takes so long; `start_at` and `end_at`, both included, limit which calls.

    A task that was given no name has the one that a scheduler gives it, such as `send_otp-000001`.
    """

    task: str
    takes: timedelta
    start_at: datetime | None = None
    end_at: datetime | None = None

    def __post_init__(self) -> None:
        _check_bounds(self)
        _check_positive("SlowTask", "takes", self.takes)


@dataclass(frozen=True, slots=True)
class FailingTask:
    """Each call of this task's function raises this error; with `times`, only the first ones.

    `start_at` and `end_at` are as in `SlowTask`. A retry is another call.
    """

    task: str
    error: Raised
    times: int | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None

    def __post_init__(self) -> None:
        _check_bounds(self)
        raised("FailingTask", self.error)
        if self.times is not None:
            check_number("FailingTask", "times", "times", self.times, 1, "leave it out for each call")


Fault: TypeAlias = Suspend | ClockStep | SlowTask | FailingTask


def holds(fault: SlowTask | FailingTask, at: int) -> bool:
    """Tell whether a fault of a task is there at this moment, in microseconds; its bounds are included."""
    first = at if fault.start_at is None else instant("", "", fault.start_at)
    last = at if fault.end_at is None else instant("", "", fault.end_at)
    return first <= at <= last


def raised(title: str, error: object) -> Exception:
    """Return an error; of a class that is given, an instance. Refuse anything else (`error_type`)."""
    try:
        made = cast("type[object]", error)() if isinstance(error, type) else error
    except Exception:  # noqa: BLE001 - it may be anything
        made = None
    if not isinstance(made, Exception):
        rule, got = "an Exception, or a class of them that needs no argument", type_name(error)
        refuse_value(title, "error_type", "error", rule, got, "write ConnectionError('no mail server')")
    return made


def check_task_name(title: str, name: object, names: Collection[str]) -> None:
    """Refuse the name of no task (`unknown_task`)."""
    if name not in names:
        hint = nearest(f"{name}", names) or f"there are {', '.join(map(repr, sorted(names)[:10])) or 'none'}"
        refuse(title, "unknown_task", "{name} is the name of no task; {hint}", at=("task",), name=repr(name), hint=hint)


def _check_bounds(fault: SlowTask | FailingTask) -> None:
    title = type(fault).__name__
    if not isinstance(cast(object, fault.task), str):
        refuse_value(title, "task_name", "task", "the name of a task", type_name(fault.task), 'write "digest"')
    first, last = (
        None if at is None else instant(title, field, at)
        for field, at in (("start_at", fault.start_at), ("end_at", fault.end_at))
    )
    if first is not None and last is not None and last < first:
        refuse_value(title, "bounds", "end_at", "at or after start_at", f"{fault.end_at}", "swap them")


def _check_positive(title: str, field: str, value: object) -> None:
    if duration(title, field, value) <= _NONE:
        refuse_value(title, "duration_range", field, "longer than zero", f"{value}", "write timedelta(minutes=5)")
