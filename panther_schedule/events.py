"""What a listener is told: one frozen value for each thing that happens in a scheduler."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from .runs import Attempt, Cause, Passed, Run


@dataclass(frozen=True, slots=True)
class TaskAdded:
    """A task was added."""

    task: str
    """Its name in the scheduler, as in each event."""


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """Nothing of a task runs any more, and nothing is to come."""

    task: str
    cancelled: bool
    """It was ended by `cancel()`."""


@dataclass(frozen=True, slots=True)
class TaskPaused:
    """A task was paused."""

    task: str
    reason: str


@dataclass(frozen=True, slots=True)
class TaskResumed:
    """A task goes on after a pause."""

    task: str


@dataclass(frozen=True, slots=True)
class TaskReplaced:
    """A task was replaced by another one of its name."""

    task: str


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run's function is called."""

    task: str
    run_id: str
    scheduled_at: datetime
    """The occurrence, aware, in UTC."""
    started_at: datetime
    """The moment of the call, aware, in UTC."""
    cause: Cause
    attempt: int
    """1 for the first call."""


@dataclass(frozen=True, slots=True)
class RunRetried:
    """An attempt of a run has ended, and there will be another one."""

    task: str
    run_id: str
    attempt: Attempt
    """The one that has ended."""
    delay: timedelta
    """The time until the next one."""


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run has ended, and its outcome is recorded."""

    task: str
    run: Run


@dataclass(frozen=True, slots=True)
class OccurrencesPassed:
    """Occurrences were recorded that did not become runs."""

    task: str
    passed: Passed


@dataclass(frozen=True, slots=True)
class ClockStepped:
    """The machine's wall clock was set, by more than 100 ms; nothing runs twice for that."""

    by: timedelta
    """How far; negative for a clock that was set back."""
    reset: int
    """Tasks whose clock was more than 24 hours ahead, and which go on by the new time."""


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
