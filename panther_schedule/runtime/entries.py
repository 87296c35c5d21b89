"""A task in a scheduler, and one of its runs in flight, as the scheduler's threads pass them on."""

from __future__ import annotations

from contextvars import Context
from typing import Any, Final

from ..planning.records import Attempt, Record, Run
from ..planning.rule import Rule
from ..planning.state import State
from ..tasks.task import BackgroundTask
from .ledger import Counts, History, counts_of

EMPTY: Final = Context()  # one for all tasks that were added in an empty one: 72 bytes less a task


class Entry:
    """One task that was added."""

    __slots__ = ("added", "context", "history", "name", "order", "place", "rule", "sealed", "state", "task")

    def __init__(
        self, name: str, task: BackgroundTask[..., Any], rule: Rule, state: State, order: int, context: Context = EMPTY
    ) -> None:
        self.name = name
        self.task = task
        self.context = context  # as `add_task()` saw it; each call gets a copy
        self.rule = rule
        self.state = state
        self.order = order  # of adding
        self.place: tuple[int, int, Entry] | None = None  # in a timetable
        self.added = False  # the scheduler's thread has it, not only the names
        self.history: History | None = None
        self.sealed: Record | None = None  # the latest record of the schedule before: it gets no longer

    def counts(self) -> Counts:
        """Count what happened to its occurrences, by outcome and reason."""
        return counts_of(self.history)

    def fly(self, run: Run) -> Flight:
        """Make a run of this task."""
        return Flight(self, run)


class Flight:
    """One run, from the moment it is in flight until it is recorded and its function has returned."""

    __slots__ = ("asked", "attempt", "context", "entry", "error", "place", "record", "run", "seen", "started", "task")
    attempt: Attempt  # how its function ended, written by whoever called it before reporting it
    here = True  # it was handed over here; others share a store, and may have it

    def __init__(self, entry: Entry, run: Run) -> None:
        self.entry = entry
        self.task, self.context = entry.task, entry.context  # as they were then: `replace()` changes the entry's
        self.run = run
        self.asked = run.asked
        self.seen = False  # its function has looked, and knows that it was asked to end
        self.started: int | None = None  # when the function was called for this attempt
        self.error: BaseException | None = None  # what the function raised, until it is logged
        self.place: tuple[int, int, Flight] | None = None  # in a timetable, under its `wake_at`
        self.record: Run | None = None

    def begin_anew(self, asked: bool) -> None:
        """Forget the attempt before."""
        self.asked, self.seen, self.started = asked, False, None


def in_flight(entry: Entry) -> int:
    return entry.state.running + len(entry.state.held.waiting)
