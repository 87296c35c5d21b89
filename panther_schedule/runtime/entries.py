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

    __slots__ = ("added", "history", "name", "order", "place", "rule", "state", "task")

    def __init__(self, name: str, task: BackgroundTask[..., Any], rule: Rule, state: State, order: int) -> None:
        self.name = name
        self.task = task
        self.rule = rule
        self.state = state
        self.order = order  # of adding
        self.place: tuple[int, int, Entry] | None = None  # in a timetable
        self.added = False  # the scheduler's thread has it, not only the names
        self.history: History | None = None


class Flight:
    """One run, from the moment it is in flight until it is recorded and its function has returned."""

    __slots__ = ("aio", "asked", "attempt", "entry", "place", "record", "run", "seen", "started", "task")
    attempt: Attempt  # how its function ended, written by whoever called it before reporting it

    def __init__(self, entry: Entry, run: Run) -> None:
        self.entry = entry
        self.task = entry.task  # as it was then: `replace()` changes the entry's
        self.run = run
        self.asked = run.asked
        self.seen = False  # its function has looked, and knows that it was asked to end
        self.started: int | None = None  # when the function was called for this attempt
        self.aio: Any = None  # the asyncio.Task of an async run
        self.place: tuple[int, int, Flight] | None = None  # in a timetable, under its `wake_at`
        self.record: Run | None = None
