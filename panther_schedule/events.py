"""What a listener is told: an immutable value for each thing that happens in a scheduler."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias, TypeVar

from .clock import moment
from .planning.records import Attempt, Passed, Run

_Kind = TypeVar("_Kind")


def _event(cls: type[_Kind]) -> type[_Kind]:
    """Make events of different kinds unequal; as plain tuples, those with the same values would be equal."""

    def equal(self: Any, other: Any) -> bool:
        return type(self) is type(other) and (*self,) == (*other,)

    kind: Any = cls
    kind.__eq__, kind.__ne__ = equal, object.__ne__  # it negates `__eq__`
    return cls


@_event
class TaskAdded(NamedTuple):
    """A task was added."""

    task: str


@_event
class TaskEnded(NamedTuple):
    """A task has ended: no run is active and none will start."""

    task: str
    cancelled: bool
    """It was ended by `cancel()`."""


@_event
class TaskPaused(NamedTuple):
    """A task was paused."""

    task: str
    reason: str
    """What `pause()` was given."""


@_event
class TaskResumed(NamedTuple):
    """A task goes on after a pause."""

    task: str


@_event
class TaskReplaced(NamedTuple):
    """A task was replaced by another of the same name."""

    task: str


@_event
class RunStarted(NamedTuple):
    """A run's function is called."""

    task: str
    run: Run
    """The run."""
    started: int

    @property
    def started_at(self) -> datetime:
        """When it is called, aware, in UTC."""
        return moment(self.started + self.run.offset)


@_event
class RunRetried(NamedTuple):
    """An attempt of a run has ended, and there will be another one."""

    task: str
    run: Run
    """The run, with its attempts so far; the last of them has just ended."""
    delay: timedelta
    """The time until the next one; after a timeout, counted from the end of the function."""

    @property
    def attempt(self) -> Attempt:
        """The attempt that has ended."""
        return self.run.attempts[-1]


@_event
class RunFinished(NamedTuple):
    """A run has ended, and its outcome is recorded."""

    task: str
    run: Run
    """The run, with its outcome and its attempts."""


@_event
class OccurrencesPassed(NamedTuple):
    """Occurrences were recorded that did not become runs."""

    task: str
    passed: Passed
    """Which, and why."""


@_event
class ClockStepped(NamedTuple):
    """The machine's wall clock was set, by more than 100 ms; nothing runs twice because of it."""

    by: timedelta
    """How far; negative for a clock that was set back."""
    reset: int
    """How many tasks go on by the new time, since the clock was more than 24 hours ahead before."""


_TaskEvent: TypeAlias = TaskAdded | TaskEnded | TaskPaused | TaskResumed | TaskReplaced
_RunEvent: TypeAlias = RunStarted | RunRetried | RunFinished
Event: TypeAlias = _TaskEvent | _RunEvent | OccurrencesPassed | ClockStepped
"""Whatever a listener is told; a `match` over it can be closed with `assert_never`."""
