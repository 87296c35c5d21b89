"""The store: keeps what the steps say, and finds what is due and what is in flight; here, in memory.

The scheduler's thread owns it; other threads read single fields, which are replaced and never changed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import count
from typing import Protocol

from ..clock import Reading
from ..planning.control import extended
from ..planning.ends import is_queued
from ..planning.records import Passed, Run
from ..planning.rule import Rule, due_at
from ..planning.state import Step
from .entries import Entry, Flight
from .ledger import History, Ledger
from .timetable import Timetable


class Store(Protocol):
    """What keeps the tasks of a scheduler. It decides nothing."""

    in_flight: Collection[Flight]
    """The runs without an outcome, oldest first."""

    def add(self, entry: Entry, reading: Reading) -> None:
        """Keep a new task."""

    def save(self, entry: Entry, flight: Flight | None, step: Step, starts: Sequence[Flight] = ()) -> None:
        """Keep all that a step says about a task, the event's run and the runs that start; or none of it."""

    def replace(self, entry: Entry, rule: Rule) -> None:
        """Keep another rule, and the task that the entry has by now; a step about it follows."""

    def flights(self, entry: Entry) -> list[Flight]:
        """Find the runs of a task that have no outcome, oldest first."""
        ...

    def first_queued(self, entry: Entry) -> Flight | None:
        """Find the first queued run of a task."""

    def due(self, reading: Reading, limit: int) -> list[Entry]:
        """Take out tasks that are due, about `limit` of them; a step about each follows."""
        ...

    def timers(self, reading: Reading) -> list[Flight]:
        """Take out the runs whose `wake_at` has come; a step about each follows."""
        ...

    def wait(self, reading: Reading) -> int | None:
        """Return the microseconds until the next task or timer is due; None when nothing is left to do."""


class Memory(Store):
    """The tasks in order of time, the runs in flight, their timers, and the ledger."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.in_flight: dict[Flight, None] = {}  # pyright: ignore[reportIncompatibleVariableOverride] - others only read it
        self._new: list[Entry] = []  # due when they were added; without the heap a run costs 0.6 us less of 13
        self._wall: Timetable[Entry] = Timetable()
        self._steady: Timetable[Entry] = Timetable()
        self._timers: Timetable[Flight] = Timetable()
        self._timer = count().__next__

    def add(self, entry: Entry, reading: Reading) -> None:
        at = due_at(entry.rule, entry.state)
        if at is not None and at <= entry.rule.now(reading):
            self._new.append(entry)
        else:
            self._place(entry)

    def save(self, entry: Entry, flight: Flight | None, step: Step, starts: Sequence[Flight] = ()) -> None:
        state, run, record, _starts, passed, given_up, _asks, _next, _hand_over, ended, _retry_in, _interrupts = step
        entry.state = state
        if flight is not None:
            if record is not None:
                del self.in_flight[flight]
                flight.run = flight.record = record
                self._record(entry, record, ended)
            if run is not None:
                flight.run = run
            wake_at = None if run is None else run.wake_at
            if wake_at is not None or flight.place is not None:
                self._timers.move(flight, wake_at, self._timer())
        for unstarted in given_up:
            self._record(entry, unstarted, False)
        for each in passed:
            self._pass(entry, each)
        for started in starts:
            self.in_flight[started] = None
        if state.next_at is not None or entry.place is not None:
            self._place(entry)

    def replace(self, entry: Entry, rule: Rule) -> None:
        if entry.place is not None:
            self._timetable(entry).remove(entry)
        entry.rule = rule

    def flights(self, entry: Entry) -> list[Flight]:
        return [flight for flight in self.in_flight if flight.entry is entry]

    def first_queued(self, entry: Entry) -> Flight | None:
        return next((flight for flight in self.in_flight if flight.entry is entry and is_queued(flight.run)), None)

    def due(self, reading: Reading, limit: int) -> list[Entry]:
        found = self._wall.take(reading.wall, limit) + self._steady.take(reading.steady, limit)
        new, self._new = self._new, []
        return found + new

    def timers(self, reading: Reading) -> list[Flight]:
        return self._timers.take(reading.steady, len(self._timers))

    def wait(self, reading: Reading) -> int | None:
        if self._new:
            return 0
        wall, steady = reading
        firsts = self._wall.first(wall), self._steady.first(steady), self._timers.first(steady)
        return min((wait for wait in firsts if wait is not None), default=None)

    def _timetable(self, entry: Entry) -> Timetable[Entry]:
        return self._wall if entry.rule.on_wall else self._steady

    def _place(self, entry: Entry) -> None:
        self._timetable(entry).move(entry, due_at(entry.rule, entry.state), entry.order)

    def _record(self, entry: Entry, record: Run, leaves: bool) -> None:
        if entry.history is None:
            entry.history = History()
            if leaves and entry.task._name is None:
                self.ledger.record_last(entry.history, record)
                return
        self.ledger.record(entry.history, record)

    def _pass(self, entry: Entry, passed: Passed) -> None:
        history = entry.history = History() if entry.history is None else entry.history
        latest = history[-1] if history else None
        longer = extended(entry.rule, entry.state, latest, passed) if isinstance(latest, Passed) else None
        if longer is None:
            self.ledger.record(history, passed)
        else:
            self.ledger.lengthen(history, longer, passed)
