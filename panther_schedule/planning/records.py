"""What is known of a task while it runs: its state, its runs, and the record of each occurrence.

Inside, these are tuples of integer microseconds, because one is made for each run; `Run` and `Passed` show them
to people, with datetimes, when somebody asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias, TypeVar, cast, get_args

from ..clock import moment

Outcome: TypeAlias = Literal["succeeded", "failed", "timed_out", "cancelled", "abandoned"]
"""How a run ended. `abandoned`: it was still going when the scheduler's drain ran out of time."""

Reason: TypeAlias = Literal["missed", "skipped_overlap", "skipped_paused"]
"""Why an occurrence did not become a run."""

Cause: TypeAlias = Literal["schedule", "manual", "backfill"]
"""Why a run exists; only a scheduled one claims its occurrence and counts towards `n`."""

OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)


_T = TypeVar("_T", bound=tuple[Any, ...])


class _Make(Protocol):
    def __call__(self, cls: type[_T], values: tuple[Any, ...], /) -> _T: ...


make: Final = cast(_Make, tuple.__new__)  # pyright: ignore[reportUnknownMemberType] - typed by the protocol
"""Makes a named tuple of all its values, in a third of the time of its own constructor: for what each run needs."""


class Held(NamedTuple):
    """What holds a task's runs back; most tasks have nothing of it, and share one value."""

    waiting: tuple[int, ...] = ()
    """Due occurrences whose runs wait for the one before to end, oldest first; each holds its place in `n`."""
    catching_up: bool = False
    """The waiting ones are late, and new ones wait behind them whatever overlap says."""
    lingering: int = 0
    """Runs that timed out, but whose functions still go on."""
    paused: str | None = None
    """The reason of a pause."""
    older: int = 0
    """How many waiting ones, the first, are of a schedule that was replaced, and hold no place in the new `n`."""
    released: bool = False
    """A `Once` was due in a pause that is over, and is not decided yet; it waited, so it is not missed."""


NOTHING_HELD: Final = Held()


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
    """Scheduled runs that were handed over and have no outcome yet."""
    failures: int = 0
    """Failures in a row of a back-to-back task, which wait longer each time."""
    latest: int | None = None
    """The occurrence whose run was handed over last."""
    held: Held = NOTHING_HELD


class AttemptRecord(NamedTuple):
    """One call of a run's function that ended."""

    started_at: int | None
    finished_at: int
    outcome: Outcome
    error: BaseException | None


class RunRecord(NamedTuple):
    """One run that ended; the times, the outcome and the error are those of its last attempt."""

    scheduled_at: int
    started_at: int | None
    finished_at: int
    outcome: Outcome
    error: BaseException | None
    cause: Cause = "schedule"
    number: int = 0
    """Tells runs of one moment apart; 0 for a scheduled one."""
    earlier: tuple[AttemptRecord, ...] = ()
    """The attempts before the last."""


class PassedRecord(NamedTuple):
    """A range of occurrences that did not become runs."""

    reason: Reason
    first: int
    last: int
    number: int


Record: TypeAlias = RunRecord | PassedRecord


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of a run's function; all times are aware, in UTC."""

    started_at: datetime | None
    """When the function was called; None when it never was."""
    finished_at: datetime
    """When it ended, or timed out."""
    outcome: Outcome
    """How it ended."""
    error: BaseException | None
    """What the function raised."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a task, as its handle shows it; all times are aware, in UTC."""

    scheduled_at: datetime
    """The occurrence that the run covers; of a manual run the moment of `run_now()`."""
    started_at: datetime | None
    """When the function was called the last time; None when it never was, and of an abandoned run."""
    finished_at: datetime
    """When it ended."""
    outcome: Outcome
    """How it ended."""
    error: BaseException | None
    """What the function raised, at the last attempt."""
    id: str = ""
    """Its own name, the same for each of its attempts; see `run_id`."""
    cause: Cause = "schedule"
    """Why it exists."""
    attempts: tuple[Attempt, ...] = ()
    """Its calls, one after the other; more than one where the policy has a `Retry`."""

    @property
    def lateness(self) -> timedelta | None:
        """The time from the occurrence to the first call; None when the function was never called."""
        first = self.attempts[0].started_at if self.attempts else self.started_at
        return None if first is None else first - self.scheduled_at


@dataclass(frozen=True, slots=True)
class Passed:
    """Occurrences in a row that did not become runs, and why."""

    reason: Reason
    """`missed`: the scheduler did not get there in time. `skipped_overlap`: a run was still going.
    `skipped_paused`: the task was paused."""
    first_at: datetime
    """The first of them, aware, in UTC."""
    last_at: datetime
    """The last of them, aware, in UTC."""
    count: int
    """How many there are."""


def run_id(name: str, scheduled_at: int, cause: Cause, number: int) -> str:
    """Return a run's id, such as `digest/2026-01-01T08:00:00+00:00` or, of a manual one, `.../manual-1`.

    A scheduled run's id is its occurrence, so it is the same after a restart: an idempotency key.
    """
    occurrence = f"{name}/{moment(scheduled_at).isoformat()}"
    return occurrence if cause == "schedule" else f"{occurrence}/{cause}-{number}"


def shown_run(record: RunRecord, name: str) -> Run:
    """Return the record of a run of the task `name` as its handle shows it."""
    last = AttemptRecord(record.started_at, record.finished_at, record.outcome, record.error)
    return Run(
        moment(record.scheduled_at),
        _moment(record.started_at),
        moment(record.finished_at),
        record.outcome,
        record.error,
        run_id(name, record.scheduled_at, record.cause, record.number),
        record.cause,
        tuple(shown_attempt(attempt) for attempt in (*record.earlier, last)),
    )


def shown_attempt(attempt: AttemptRecord) -> Attempt:
    """Return an attempt as a run shows it."""
    return Attempt(_moment(attempt.started_at), moment(attempt.finished_at), attempt.outcome, attempt.error)


def shown_passed(record: PassedRecord) -> Passed:
    """Return the record of occurrences without a run as a handle shows it."""
    return Passed(record.reason, moment(record.first), moment(record.last), record.number)


def shown(record: Record, name: str) -> Run | Passed:
    """Return a record of the task `name` as its handle shows it."""
    return shown_run(record, name) if isinstance(record, RunRecord) else shown_passed(record)


def _moment(instant: int | None) -> datetime | None:
    return None if instant is None else moment(instant)
