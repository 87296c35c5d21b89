"""The store in memory: keeps what the steps say, and finds what is due and what is in flight.

The scheduler's thread owns it; other threads read single fields, which are replaced and never changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
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

    @property
    def in_flight(self) -> Collection[Flight]:
        """The runs without an outcome, oldest first."""
        ...

    def add(self, entry: Entry, reading: Reading) -> None:
        """Keep a new task."""
        ...

    def save(self, entry: Entry, flight: Flight | None, step: Step, starts: Iterable[Flight] = ()) -> None:
        """Keep all that a step says about a task, the event's run and the runs that start; or nothing of it."""
        ...

    def flights(self, entry: Entry) -> list[Flight]:
        """Find the runs of a task that have no outcome, oldest first."""
        ...

    def first_queued(self, entry: Entry) -> Flight | None:
        """Find the queued run of a task that comes first."""
        ...

    def due(self, reading: Reading, limit: int) -> list[Entry]:
        """Take out about `limit` tasks that are due; one that is not saved afterwards is lost."""
        ...

    def timers(self, reading: Reading) -> list[Flight]:
        """Take out the runs whose timeout or next attempt has come."""
        ...

    def replace(self, entry: Entry, rule: Rule) -> None:
        """Keep another rule, and the task that the entry has by now; a step about it follows."""
        ...

    def wait(self, reading: Reading) -> int | None:
        """Return the microseconds until the next task or timer is due; None when nothing is to come."""
        ...


class Memory:
    """The tasks in order of time, the runs in flight, their timers, and the ledger."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.in_flight: dict[Flight, None] = {}
        """The runs without an outcome, oldest first."""
        self._new: list[Entry] = []  # due when they were added: they skip the heap
        self._wall: Timetable[Entry] = Timetable()
        self._steady: Timetable[Entry] = Timetable()
        self._timers: Timetable[Flight] = Timetable()
        self._timer = count().__next__

    def add(self, entry: Entry, reading: Reading) -> None:
        """Keep a new task."""
        due = due_at(entry.rule, entry.state)
        if due is not None and due <= entry.rule.now(reading):
            self._new.append(entry)
        else:
            self._place(entry)

    def save(self, entry: Entry, flight: Flight | None, step: Step, starts: Iterable[Flight] = ()) -> None:
        """Keep all that a step says."""
        state, run, record, _starts, passed, given_up, _asks, _next, _hand_over, ended, _retry_in = step
        entry.state = state
        if flight is not None:
            if record is not None:
                del self.in_flight[flight]
                flight.run = flight.record = record = record.named(entry.name)
                self._record(entry, record, leaves=ended)
            if run is not None:
                flight.run = run
            wake_at = None if run is None else run.wake_at
            if wake_at != flight.due:
                if wake_at is None:
                    self._timers.remove(flight)
                else:
                    self._timers.put(flight, wake_at, self._timer())
        for given in given_up:
            self._record(entry, given.named(entry.name))
        for each in passed:
            self._pass(entry, each)
        for started in starts:
            self.in_flight[started] = None
        self._place(entry)

    def flights(self, entry: Entry) -> list[Flight]:
        """Find the runs of a task that have no outcome."""
        return [flight for flight in self.in_flight if flight.entry is entry]

    def first_queued(self, entry: Entry) -> Flight | None:
        """Find the queued run of a task that comes first."""
        return next((flight for flight in self.in_flight if flight.entry is entry and is_queued(flight.run)), None)

    def due(self, reading: Reading, limit: int) -> list[Entry]:
        """Take out the tasks that are due."""
        found = self._wall.take(reading.wall, limit) + self._steady.take(reading.steady, limit)
        if self._new:
            new, self._new = self._new, []
            found += new
        return found

    def timers(self, reading: Reading) -> list[Flight]:
        """Take out the runs whose timeout or next attempt has come."""
        return self._timers.take(reading.steady, len(self._timers))

    def wait(self, reading: Reading) -> int | None:
        """Return the microseconds until something is due, never below zero."""
        if self._new:
            return 0
        firsts = (
            (self._wall.first(), reading.wall),
            (self._steady.first(), reading.steady),
            (self._timers.first(), reading.steady),
        )
        return min((max(0, at - now) for at, now in firsts if at is not None), default=None)

    def replace(self, entry: Entry, rule: Rule) -> None:
        """Keep another rule; the task is under no time until it is saved."""
        if entry.due is not None:
            self._of(entry).remove(entry)
        entry.rule = rule

    def _of(self, entry: Entry) -> Timetable[Entry]:
        return self._wall if entry.rule.on_wall else self._steady

    def _place(self, entry: Entry) -> None:
        due = due_at(entry.rule, entry.state)
        if due == entry.due:
            return
        if due is not None:
            self._of(entry).put(entry, due, entry.order)
        else:
            self._of(entry).remove(entry)

    def _record(self, entry: Entry, record: Run, *, leaves: bool = False) -> None:
        history = entry.history
        if history is None:
            history = entry.history = History()
            if leaves and entry.task._name is None:
                self.ledger.record_last(history, record)
                return
        self.ledger.record(history, record)

    def _pass(self, entry: Entry, passed: Passed) -> None:
        history = entry.history
        if history is None:
            history = entry.history = History()
        latest = history[-1] if history else None
        longer = extended(entry.rule, entry.state, latest, passed) if isinstance(latest, Passed) else None
        if longer is None:
            self.ledger.record(history, passed)
        else:
            self.ledger.lengthen(history, longer, passed)
