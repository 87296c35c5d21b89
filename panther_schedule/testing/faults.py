"""What may go wrong in a simulation, as values."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from typing import Final, TypeAlias, cast

from ..clock import duration, instant
from ..errors import check_number, nearest, refuse, refuse_value, type_name

Raised: TypeAlias = Exception | type[Exception]
"""An error, or its class."""
_NONE: Final = timedelta(0)


class Fault:
    """What may go wrong in a simulation: `Suspend`, `ClockStep`, `SlowTask` or `FailingTask`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Suspend(Fault):
    """From `at` on the machine is suspended, or the process stands still, for `by`."""

    at: datetime
    by: timedelta

    def __post_init__(self) -> None:
        instant("Suspend", "at", self.at)
        _check_positive("Suspend", "by", self.by)


@dataclass(frozen=True, slots=True)
class ClockStep(Fault):
    """At `at` the wall clock is set forward by `by`, or back; steady time does not move."""

    at: datetime
    by: timedelta

    def __post_init__(self) -> None:
        instant("ClockStep", "at", self.at)
        duration("ClockStep", "by", self.by)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFault(Fault):
    """A fault of one task's calls."""

    task: str = field(kw_only=False)
    start_at: datetime | None = None
    end_at: datetime | None = None

    def __post_init__(self) -> None:
        title = type(self).__name__
        if not isinstance(cast(object, self.task), str):
            refuse_value(title, "task_name", "task", "the name of a task", type_name(self.task), 'write "digest"')
        first, last = self._bounds(title)
        if last < first:
            refuse_value(title, "bounds", "end_at", "at or after start_at", f"{self.end_at}", "swap them")

    def _holds(self, at: int) -> bool:
        """Tell whether a call at this moment, in microseconds, has it."""
        first, last = self._bounds(type(self).__name__)
        return first <= at <= last

    def _bounds(self, title: str) -> tuple[float, float]:
        first = -inf if self.start_at is None else instant(title, "start_at", self.start_at)
        return first, inf if self.end_at is None else instant(title, "end_at", self.end_at)


@dataclass(frozen=True, slots=True)
class SlowTask(TaskFault):
    """Each call of this task's function takes this long; `start_at` and `end_at`, both included, limit which calls.

    A task that was given no name has the one that a scheduler gives it, such as `send_otp-000001`.
    """

    takes: timedelta

    def __post_init__(self) -> None:
        TaskFault.__post_init__(self)
        _check_positive("SlowTask", "takes", self.takes)


@dataclass(frozen=True, slots=True)
class FailingTask(TaskFault):
    """Each call of this task's function raises this error; with `times`, only the first calls do.

    `start_at` and `end_at` are as in `SlowTask`. A retry is another call.
    """

    error: Raised
    times: int | None = None

    def __post_init__(self) -> None:
        TaskFault.__post_init__(self)
        raised("FailingTask", self.error)
        if self.times is not None:
            check_number("FailingTask", "times", "times", self.times, 1, "leave it out for each call")


def raised(title: str, error: object) -> Exception:
    """Return an error, or an instance of its class; refuse anything else (`error_type`)."""
    try:
        made = cast("type[object]", error)() if isinstance(error, type) else error
    except Exception:  # noqa: BLE001 - it may be anything
        made = None
    if not isinstance(made, Exception):
        rule, got = "an Exception, or an Exception class that needs no argument", type_name(error)
        refuse_value(title, "error_type", "error", rule, got, "write ConnectionError('no mail server')")
    return made


def check_task_name(title: str, name: object, names: Collection[str]) -> None:
    """Refuse a name that no task has (`unknown_task`)."""
    if name not in names:
        hint = nearest(f"{name}", names) or f"there are {', '.join(map(repr, sorted(names)[:10])) or 'none'}"
        refuse(title, "unknown_task", "no task is named {name}; {hint}", at=("task",), name=repr(name), hint=hint)


def _check_positive(title: str, field: str, value: object) -> None:
    if duration(title, field, value) <= _NONE:
        refuse_value(title, "duration_range", field, "longer than zero", f"{value}", "write timedelta(minutes=5)")
