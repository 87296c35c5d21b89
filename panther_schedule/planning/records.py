"""What is known of a task's occurrences and runs.

Times are integer microseconds since 1970 by the task's clock, because several are written for each run; properties
show them as datetimes. `offset` is how far the wall was ahead of that clock when the record began.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias, TypeVar, cast, get_args

from ..clock import moment
from ..models.policy import exception_name

Outcome: TypeAlias = Literal["succeeded", "failed", "timed_out", "cancelled", "lost", "abandoned"]
"""How a run ended. `abandoned`: its scheduler or event loop ended first. `lost`: its process died or fell silent."""
Phase: TypeAlias = Literal["queued", "resting", "active", "outrun", "lingering", "ended"]
"""Where a run stands: waiting for its turn in a backfill; waiting for its next attempt; handed over; its attempt timed
out, and another one follows when the function returns; recorded as timed out, while the function goes on; recorded."""
Reason: TypeAlias = Literal["missed", "skipped_overlap", "skipped_paused"]
"""Why an occurrence did not become a run."""
Cause: TypeAlias = Literal["schedule", "manual", "backfill"]
"""Why a run exists. Only a scheduled one claims its occurrence and counts towards `n`."""

COUNTED: Final[tuple[str, ...]] = (*get_args(Outcome), *get_args(Reason))  # what an occurrence can become

_ErrorClass: TypeAlias = type[BaseException]
_T = TypeVar("_T", bound=tuple[Any, ...])


class _Make(Protocol):
    def __call__(self, cls: type[_T], values: tuple[Any, ...], /) -> _T: ...


# makes a named tuple of all its values in a third of the time that its constructor takes, for the path of each run
make: Final = cast(_Make, tuple.__new__)  # pyright: ignore[reportUnknownMemberType] - typed by the protocol


class Failure(NamedTuple):
    """What a function raised, as text: without its frames, a record keeps nothing else alive."""

    names: tuple[str, ...]
    """Its class and base classes, as `Retry(on=...)` names them."""
    text: str
    """Its `str()`; at most 2,000 characters."""
    traceback: str
    """The formatted traceback; at most the last 20,000 characters."""

    @property
    def type(self) -> str:
        """Its class: "ConnectionError", or with the module "httpx.HTTPError"."""
        return self.names[0]

    def is_a(self, cls: _ErrorClass) -> bool:
        """Tell whether it was of this class or a subclass."""
        return exception_name(cls) in self.names

    def __str__(self) -> str:
        return f"{self.type}: {self.text}" if self.text else self.type

    def __repr__(self) -> str:
        return f"Failure({str(self)!r})"


class Attempt(NamedTuple):
    """One call of a run's function that ended or timed out."""

    started: int | None
    finished: int
    outcome: Outcome
    """How it ended."""
    error: Failure | None
    """What the function raised."""
    offset: int = 0

    @property
    def started_at(self) -> datetime | None:
        """When the function was called, aware, in UTC; None when it never was."""
        return None if self.started is None else moment(self.started + self.offset)

    @property
    def finished_at(self) -> datetime:
        """When it ended or timed out, aware, in UTC."""
        return moment(self.finished + self.offset)

    def __repr__(self) -> str:
        return f"Attempt({self.started_at}, {self.finished_at}, {self.outcome!r}, {self.error!r})"


class Run(NamedTuple):
    """One run of a task. Its times are aware, in UTC.

    A run that has not ended, as in `current_run()` and some events, raises AttributeError when asked how it did.
    """

    task: str
    """The task's name."""
    at: int
    previous: int | None  # as the run before shows it
    cause: Cause = "schedule"
    """Why it exists."""
    number: int = 0
    attempts: tuple[Attempt, ...] = ()
    """The calls of its function that have ended, oldest first: more than one where the policy has a `Retry`."""
    phase: Phase = "active"
    asked: bool = False
    wake_at: int | None = None
    offset: int = 0

    @property
    def id(self) -> str:
        """Its name, the same for each attempt: `digest/2026-01-01T08:00:00+00:00`, or `.../manual-1`.

        A scheduled run's id is its occurrence, so it is the same after a restart: an idempotency key.
        """
        occurrence = f"{self.task}/{self.scheduled_at.isoformat()}"
        return occurrence if self.cause == "schedule" else f"{occurrence}/{self.cause}-{self.number}"

    @property
    def scheduled_at(self) -> datetime:
        """The occurrence that the run covers; of a manual run, the moment of `run_now()`."""
        return moment(self.at + self.offset)

    @property
    def previous_at(self) -> datetime | None:
        """The `scheduled_at` of the scheduled run before it; None for the first. In a backfill, the occurrence before.

        The spans from `previous_at` to `scheduled_at` of a task's scheduled runs follow each other without a gap,
        even where occurrences between them were missed or skipped. None too where a clock that was set back puts the
        run before it after it.
        """
        previous = self.previous
        return None if previous is None or previous > self.at + self.offset else moment(previous)

    @property
    def attempt(self) -> int:
        """The number of the attempt that is active or comes next, or was the last; 1 is the first."""
        return len(self.attempts) + (self.phase in {"queued", "resting", "active"})

    @property
    def started_at(self) -> datetime | None:
        """When the function was last called; None if it never was, and for an abandoned run."""
        return self._last("started_at").started_at

    @property
    def finished_at(self) -> datetime:
        """When it ended."""
        return self._last("finished_at").finished_at

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return self._last("outcome").outcome

    @property
    def error(self) -> Failure | None:
        """What the function raised at the last attempt."""
        return self._last("error").error

    @property
    def lateness(self) -> timedelta | None:
        """The time from the occurrence to the first call; None if the function was never called."""
        self._last("lateness")
        first = self.attempts[0].started_at
        return None if first is None else first - self.scheduled_at

    def _last(self, name: str) -> Attempt:
        if self.phase != "ended":
            raise AttributeError(f"the run {self.id!r} has not ended, so it has no {name}")
        return self.attempts[-1]

    def __repr__(self) -> str:
        return f"Run({self.id!r}, {self.phase}, attempts={self.attempts})"


@dataclass(frozen=True, slots=True)
class Passed:
    """Consecutive occurrences that did not become runs, and why."""

    reason: Reason
    """`missed`: the scheduler was too late. `skipped_overlap`: a run was active. `skipped_paused`: in a pause."""
    first: int
    last: int
    count: int
    """How many there are."""
    offset: int = 0

    @property
    def first_at(self) -> datetime:
        """The first of them, aware, in UTC."""
        return moment(self.first + self.offset)

    @property
    def last_at(self) -> datetime:
        """The last of them, aware, in UTC."""
        return moment(self.last + self.offset)

    def __repr__(self) -> str:
        return f"Passed({self.reason!r}, {self.first_at}, {self.last_at}, {self.count})"


def claims(run: Run) -> bool:
    """Tell whether a run claims its occurrence, and so is counted; manual and backfill runs do not."""
    return run.cause == "schedule"


Record: TypeAlias = Run | Passed  # what happened to one occurrence or more


def is_clean_exit(error: BaseException) -> bool:
    """Tell whether a function left by `sys.exit(0)` or `sys.exit()`, which is a success."""
    code = error.code if type(error) is SystemExit else 1
    return code is None or (type(code) in {int, bool} and not code)


def attempted(started: int | None, finished: int, error: Failure | None, obeyed: bool, offset: int) -> Attempt:
    """Return the record of a call; `obeyed` when it ended, or never began, because it was asked to."""
    outcome: Outcome = "cancelled" if obeyed else "succeeded" if error is None else "failed"
    return make(Attempt, (started, finished, outcome, error, offset))
