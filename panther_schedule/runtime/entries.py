"""A task in a scheduler, and a run of it, as the scheduler's threads pass them on."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

from ..planning.machine import next_attempt
from ..planning.records import AttemptRecord, Cause, Outcome, RunRecord, State, run_id
from ..planning.rule import Rule
from ..tasks.signature import function_name
from ..tasks.task import BackgroundTask
from .ledger import Account

_LOW: Final = 1 << 24
_SHUFFLE: Final = 0x9E3779B1  # odd, so multiplying by it permutes the numbers below 2**24
_ELAPSED: Final = 1 << 48  # added to the order of elapsed tasks: wall-clock kinds come first among equal times


class Entry:
    """One task that was added."""

    __slots__ = (
        "account", "cancelled", "dropped", "due", "ended", "owner", "rank", "rule", "state", "task",
    )  # fmt: skip

    def __init__(self, task: BackgroundTask[..., Any], rule: Rule, state: State, order: int, owner: Any) -> None:
        self.task, self.rule, self.state, self.owner = task, rule, state, owner
        self.rank = rank_of(order, rule)
        self.due: int | None = None
        """The time by which it lies in a heap; None when it lies in none."""
        self.account: Account | None = None
        self.dropped = False
        """No further occurrence is handed over."""
        self.cancelled = False
        """Nothing of it starts any more, not even what was handed over."""
        self.ended = False
        """Nothing of it runs, and nothing is to come."""

    @property
    def name(self) -> str:
        """The task's own name, or a unique one made of the function's and the order of adding."""
        return self.task.name or unnamed(self.task, self.order)

    @property
    def key(self) -> int | str:
        """What a scheduler finds it by: its own name or, if it has none, its rank."""
        return self.task._name or self.rank

    @property
    def order(self) -> int:
        """Its number in the order of adding."""
        return self.rank % _ELAPSED


class Flight:
    """One run, from the moment it is handed over until its outcome is recorded and its function has ended."""

    # defaults on the class: most runs change none of them, and one is made for each run
    attempt: int = 1
    earlier: tuple[AttemptRecord, ...] = ()
    """The attempts that have ended."""
    phase: Literal["going", "lingering", "resting"] = "going"
    """Lingering: its attempt has timed out, and the function goes on. Resting: another attempt is to come."""
    asked: bool = False
    """It was asked to end."""
    seen: bool = False
    """Its function has looked, and knows that."""
    started_at: int | None = None
    """When its attempt began; kept only where a timeout needs it."""
    aio: Any = None
    """The asyncio.Task of an async run."""
    record: RunRecord | None = None

    def __init__(
        self, entry: Entry, scheduled_at: int, previous: int | None, cause: Cause = "schedule", number: int = 0
    ) -> None:
        self.entry, self.task = entry, entry.task
        self.scheduled_at, self.previous, self.number = scheduled_at, previous, number
        self.cause: Cause = cause

    @property
    def id(self) -> str:
        """The run's id."""
        return run_id(self.entry.name, self.scheduled_at, self.cause, self.number)

    def retry_delay(self, error: BaseException | None) -> int | None:
        """Return the microseconds from the end of its attempt to the next; None when there is no other."""
        asked = self.asked or self.entry.cancelled
        return next_attempt(self.entry.rule, self.scheduled_at, self.attempt, error, asked=asked)


Finished: TypeAlias = tuple[Flight, Outcome, int | None, int, BaseException | None]
"""A run whose function has ended: its outcome, when it was called, when it ended, and what it raised."""


def rank_of(order: int, rule: Rule) -> int:
    """Return a task's place among tasks that are due at the same time: wall-clock kinds first, then by order."""
    return order if rule.on_wall else order + _ELAPSED


def unnamed(task: BackgroundTask[..., Any], order: int) -> str:
    """Return the name of a task that has none: unique in its scheduler, and computed only when somebody asks."""
    high, low = divmod(order, _LOW)
    return f"{function_name(task.func)}-{high * _LOW + low * _SHUFFLE % _LOW:06x}"


def keys_of(name: str) -> tuple[int | str, ...]:
    """Return the keys that a task of this name may have: an unnamed one's name tells its order of adding."""
    try:
        high, low = divmod(int(name.rpartition("-")[2], 16), _LOW)
    except ValueError:
        return (name,)
    order = high * _LOW + low * pow(_SHUFFLE, -1, _LOW) % _LOW
    return name, order, order + _ELAPSED
