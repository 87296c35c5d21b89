"""What a listener is told: an immutable value for each thing that happens in a scheduler."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias, get_args

from .clock import moment
from .planning.records import Attempt, Passed, Run


class TaskAdded(NamedTuple):
    """A task was added."""

    task: str


class TaskEnded(NamedTuple):
    """A task has ended: no run is active and none will start."""

    task: str
    cancelled: bool
    """It was ended by `cancel()`."""


class TaskPaused(NamedTuple):
    """A task was paused."""

    task: str
    reason: str
    """What `pause()` was given."""


class TaskResumed(NamedTuple):
    """A task continues after a pause."""

    task: str


class TaskReplaced(NamedTuple):
    """A task was replaced by another of the same name."""

    task: str


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


class RunRetried(NamedTuple):
    """An attempt of a run has ended, and another one will follow."""

    task: str
    run: Run
    """The run, with its attempts so far; the last of them has just ended."""
    delay: timedelta
    """The time until the next one; after a timeout, counted from the end of the function."""

    @property
    def attempt(self) -> Attempt:
        """The attempt that has ended."""
        return self.run.attempts[-1]


class RunFinished(NamedTuple):
    """A run has ended, and its outcome is recorded."""

    task: str
    run: Run
    """The run, with its outcome and its attempts."""


class OccurrencesPassed(NamedTuple):
    """Occurrences were recorded that did not become runs."""

    task: str
    passed: Passed
    """Which, and why."""


class ClockStepped(NamedTuple):
    """The machine's wall clock was set, by more than 100 ms; nothing runs twice because of it."""

    by: timedelta
    """How far; negative for a clock that was set back."""
    reset: int
    """How many tasks continue by the new time, because the clock had been more than 24 hours ahead."""


_TaskEvent: TypeAlias = TaskAdded | TaskEnded | TaskPaused | TaskResumed | TaskReplaced
_RunEvent: TypeAlias = RunStarted | RunRetried | RunFinished
Event: TypeAlias = _TaskEvent | _RunEvent | OccurrencesPassed | ClockStepped
"""Whatever a listener is told; a `match` over it can be closed with `assert_never`."""


def _equal(self: Any, other: Any) -> bool:
    return type(self) is type(other) and (*self,) == (*other,)


for _kind in get_args(Event):  # as plain tuples, events of different kinds with the same values would be equal
    _kind.__eq__, _kind.__ne__ = _equal, object.__ne__  # it negates `__eq__`
