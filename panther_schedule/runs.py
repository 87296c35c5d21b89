"""What is known of a task while it runs: its state, its runs, and the record of each occurrence.

Inside, these are tuples of integer microseconds, because one is made for each run; `Run` and `Passed` show them
to people, with datetimes, when somebody asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple, TypeAlias

from .clock import moment

Outcome: TypeAlias = Literal["succeeded", "failed", "cancelled", "abandoned"]
"""How a run ended. `abandoned`: it was still running when the scheduler's drain ran out of time."""

Reason: TypeAlias = Literal["missed", "skipped_overlap"]
"""Why an occurrence did not become a run."""

OUTCOMES: Final[tuple[Outcome, ...]] = ("succeeded", "failed", "cancelled", "abandoned")
REASONS: Final[tuple[Reason, ...]] = ("missed", "skipped_overlap")


class State(NamedTuple):
    """All that the next plan of a task depends on, besides the task."""

    anchor: int
    """When the task was added, by its schedule's clock."""
    cursor: int | None
    """The last occurrence that a record covers, or a run in flight; None at first."""
    next_at: int | None
    """The next occurrence to decide about; None when it waits for a run to end, or when there is none."""
    handed: int = 0
    """Scheduled runs handed over: what `n` counts."""
    running: int = 0
    """Runs in flight."""
    failures: int = 0
    """Failures in a row of a back-to-back task, which wait longer each time."""


class RunRecord(NamedTuple):
    """One run that ended."""

    scheduled_at: int
    started_at: int | None
    finished_at: int
    outcome: Outcome
    error: BaseException | None


class PassedRecord(NamedTuple):
    """A range of occurrences that did not become runs."""

    reason: Reason
    first: int
    last: int
    number: int


Record: TypeAlias = RunRecord | PassedRecord


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a task, as its handle shows it; all times are aware, in UTC."""

    scheduled_at: datetime
    """The occurrence that the run covers."""
    started_at: datetime | None
    """When the function was called; None when it never was, and of an abandoned run."""
    finished_at: datetime
    """When it ended."""
    outcome: Outcome
    """How it ended."""
    error: BaseException | None
    """What the function raised."""

    @property
    def lateness(self) -> timedelta | None:
        """The time from the occurrence to the call; None when the function was never called."""
        return None if self.started_at is None else self.started_at - self.scheduled_at


@dataclass(frozen=True, slots=True)
class Passed:
    """Occurrences in a row that did not become runs, and why."""

    reason: Reason
    """`missed`: the scheduler did not get there in time. `skipped_overlap`: the run before was still going."""
    first_at: datetime
    """The first of them, aware, in UTC."""
    last_at: datetime
    """The last of them, aware, in UTC."""
    count: int
    """How many there are."""


def shown(record: Record) -> Run | Passed:
    """Return a record as its handle shows it."""
    if isinstance(record, RunRecord):
        started_at = None if record.started_at is None else moment(record.started_at)
        return Run(moment(record.scheduled_at), started_at, moment(record.finished_at), record.outcome, record.error)
    return Passed(record.reason, moment(record.first), moment(record.last), record.number)
