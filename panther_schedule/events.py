"""What a listener is told: one frozen value for each thing that happens in a scheduler.

Several may be made for each run, so they are tuples of the scheduler's own values, and show them as names, datetimes
and `Run`s only to a listener that looks.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol, Self, TypeAlias

from .clock import moment
from .planning.records import (
    Attempt,
    AttemptRecord,
    Cause,
    Passed,
    PassedRecord,
    Run,
    RunRecord,
    make,
    shown_attempt,
    shown_passed,
    shown_run,
)


class Named(Protocol):
    """A task in a scheduler, as an event keeps it."""

    @property
    def name(self) -> str:
        """Its name there."""
        ...


class _Happening(tuple[Any, ...]):
    """What happened: whose it was, and its details; equal when the fields are."""

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._fields() == other._fields()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((type(self), self._fields()))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"{type(self).__name__}({shown})"

    def _fields(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)


class _OfTask(_Happening):
    __slots__ = ()
    __match_args__ = ("task",)

    def __new__(cls, task: str) -> Self:
        """Make one, as a test of a listener needs it."""
        return make(cls, (task, None))

    @property
    def task(self) -> str:
        """The task's name in the scheduler."""
        source: str | Named = self[0]
        return source if isinstance(source, str) else source.name


class TaskAdded(_OfTask):
    """A task was added."""

    __slots__ = ()


class TaskEnded(_OfTask):
    """Nothing of a task runs any more, and nothing is to come."""

    __slots__ = ()
    __match_args__ = ("task", "cancelled")

    def __new__(cls, task: str, cancelled: bool) -> Self:
        """Make one, as a test of a listener needs it."""
        return make(cls, (task, cancelled))

    @property
    def cancelled(self) -> bool:
        """It was ended by `cancel()`."""
        cancelled: bool = self[1]
        return cancelled


class TaskPaused(_OfTask):
    """A task was paused."""

    __slots__ = ()
    __match_args__ = ("task", "reason")

    def __new__(cls, task: str, reason: str) -> Self:
        """Make one, as a test of a listener needs it."""
        return make(cls, (task, reason))

    @property
    def reason(self) -> str:
        """What `pause()` was given."""
        reason: str = self[1]
        return reason


class TaskResumed(_OfTask):
    """A task goes on after a pause."""

    __slots__ = ()


class TaskReplaced(_OfTask):
    """A task was replaced by another one of its name."""

    __slots__ = ()


class RunStarted(_OfTask):
    """A run's function is called."""

    __slots__ = ()
    __match_args__ = ("task", "run_id", "scheduled_at", "started_at", "cause", "attempt")

    def __new__(
        cls, task: str, run_id: str, scheduled_at: datetime, started_at: datetime, cause: Cause, attempt: int
    ) -> Self:
        """Make one, as a test of a listener needs it."""
        return make(cls, (task, (run_id, scheduled_at, started_at, cause, attempt)))

    @property
    def run_id(self) -> str:
        """The run's id, the same for each of its attempts."""
        return _text(self[1][0])

    @property
    def scheduled_at(self) -> datetime:
        """The occurrence, aware, in UTC; of a manual run the moment of `run_now()`."""
        return _moment(self[1][1])

    @property
    def started_at(self) -> datetime:
        """The moment of the call, aware, in UTC."""
        return _moment(self[1][2])

    @property
    def cause(self) -> Cause:
        """Why the run exists."""
        cause: Cause = self[1][3]
        return cause

    @property
    def attempt(self) -> int:
        """1 for the first call."""
        attempt: int = self[1][4]
        return attempt


class RunRetried(_OfTask):
    """An attempt of a run has ended, and there will be another one."""

    __slots__ = ()
    __match_args__ = ("task", "run_id", "attempt", "delay")

    def __new__(cls, task: str, run_id: str, attempt: Attempt, delay: timedelta) -> Self:
        """Make one, as a test of a listener needs it."""
        return make(cls, (task, (run_id, attempt, delay)))

    @property
    def run_id(self) -> str:
        """The run's id, the same for each of its attempts."""
        return _text(self[1][0])

    @property
    def attempt(self) -> Attempt:
        """The attempt that has ended."""
        attempt: Attempt | AttemptRecord = self[1][1]
        return shown_attempt(attempt) if isinstance(attempt, AttemptRecord) else attempt

    @property
    def delay(self) -> timedelta:
        """The time until the next one; after a timeout, counted from the end of the function."""
        return _duration(self[1][2])


class RunFinished(_OfTask):
    """A run has ended, and its outcome is recorded."""

    __slots__ = ()
    __match_args__ = ("task", "run")

    def __new__(cls, task: str, run: Run) -> Self:
        """Make one, as a test of a listener needs it."""
        return make(cls, (task, run))

    @property
    def run(self) -> Run:
        """The run, with its outcome and its attempts."""
        run: Run | RunRecord = self[1]
        return shown_run(run, self.task) if isinstance(run, RunRecord) else run


class OccurrencesPassed(_OfTask):
    """Occurrences were recorded that did not become runs."""

    __slots__ = ()
    __match_args__ = ("task", "passed")

    def __new__(cls, task: str, passed: Passed) -> Self:
        """Make one, as a test of a listener needs it."""
        return make(cls, (task, passed))

    @property
    def passed(self) -> Passed:
        """Which, and why."""
        passed: Passed | PassedRecord = self[1]
        return shown_passed(passed) if isinstance(passed, PassedRecord) else passed


class ClockStepped(_Happening):
    """The machine's wall clock was set, by more than 100 ms; nothing runs twice for that."""

    __slots__ = ()
    __match_args__ = ("by", "reset")

    def __new__(cls, by: timedelta, reset: int) -> Self:
        """Make one, as a test of a listener needs it."""
        return make(cls, (None, (by, reset)))

    @property
    def by(self) -> timedelta:
        """How far; negative for a clock that was set back."""
        return _duration(self[1][0])

    @property
    def reset(self) -> int:
        """How many tasks go on by the new time, since the clock was more than 24 hours ahead before."""
        reset: int = self[1][1]
        return reset


Event: TypeAlias = (
    TaskAdded
    | TaskEnded
    | TaskPaused
    | TaskResumed
    | TaskReplaced
    | RunStarted
    | RunRetried
    | RunFinished
    | OccurrencesPassed
    | ClockStepped
)
"""Whatever a listener is told; a `match` over it can be closed with `assert_never`."""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value.id)


def _moment(value: int | datetime) -> datetime:
    return moment(value) if isinstance(value, int) else value


def _duration(value: int | timedelta) -> timedelta:
    return timedelta(microseconds=value) if isinstance(value, int) else value
