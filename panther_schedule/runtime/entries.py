"""A task in a scheduler, and a run of it that is in flight, as the scheduler's threads pass them on."""

from __future__ import annotations

from typing import Any

from ..planning.records import Attempt, Run
from ..planning.rule import Rule
from ..planning.state import State
from ..tasks.task import BackgroundTask
from .ledger import History


class Entry:
    """One task that was added."""

    __slots__ = ("due", "history", "name", "order", "rule", "state", "task")

    def __init__(self, name: str, task: BackgroundTask[..., Any], rule: Rule, state: State, order: int) -> None:
        self.name = name
        self.task = task
        self.rule = rule
        self.state = state
        self.order = order
        """Its number in the order of adding."""
        self.due: int | None = None
        """The time under which the store keeps it; None when it keeps it under none."""
        self.history: History | None = None


class Flight:
    """One run, from the moment it is in flight until it is recorded and its function has returned."""

    __slots__ = ("aio", "asked", "attempt", "due", "entry", "record", "run", "seen", "started", "task")
    attempt: Attempt
    """How its function ended, written by whoever called it before reporting it."""

    def __init__(self, entry: Entry, run: Run) -> None:
        self.entry = entry
        self.task = entry.task
        """The task as it was then: `replace()` changes the entry's."""
        self.run = run
        self.asked = False
        """It was asked to end."""
        self.seen = False
        """Its function has looked, and knows that."""
        self.started: int | None = None
        """When the function was called for this attempt."""
        self.aio: Any = None
        """The asyncio.Task of an async run."""
        self.due: int | None = None
        """The steady time of its timeout or next attempt."""
        self.record: Run | None = None

    @property
    def named(self) -> Run:
        """Its run, with the task's name."""
        return self.run.named(self.entry.name)
