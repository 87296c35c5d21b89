"""The store in memory: keeps what the steps say, and finds what is due and what is in flight.

The scheduler's thread owns it; other threads read single fields, which are replaced and never changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from ..clock import Reading, soonest
from ..planning.control import extended, is_new
from ..planning.ends import is_queued
from ..planning.records import Passed, Run
from ..planning.rule import Rule, due_at
from ..planning.state import Step
from .entries import Entry, Flight
from .ledger import History, Ledger
from .stores import Store
from .timetable import Timetable


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
            self._timetable(entry).move(entry, at, entry.order)

    def save(
        self, entry: Entry, flight: Flight | None, step: Step, starts: Sequence[Flight] = (), rule: Rule | None = None
    ) -> None:
        state, run, record, _starts, passed, given_up, _asks, _next, _hand_over, ended, _retry_in, _interrupts = step
        at = due_at(rule or entry.rule, state)  # first what may raise
        ranges = _ranges(entry, step) if passed else ()
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
        for each, longer in ranges:
            history = entry.history = History() if entry.history is None else entry.history
            if longer is None:
                self.ledger.record(history, each)
            else:
                self.ledger.lengthen(history, longer, each)
        for started in starts:
            self.in_flight[started] = None
        entry.state = state
        if entry.history and is_new(state):
            entry.sealed = entry.history[-1]
        if rule is not None:
            self._timetable(entry).move(entry, None, entry.order)
            entry.rule = rule
        if at is not None or entry.place is not None:
            self._timetable(entry).move(entry, at, entry.order)

    def flights(self, entry: Entry) -> list[Flight]:
        return [flight for flight in self.in_flight if flight.entry is entry]

    def first_queued(self, entry: Entry) -> Flight | None:
        return next((flight for flight in self.in_flight if flight.entry is entry and is_queued(flight.run)), None)

    def due(self, reading: Reading, limit: int) -> list[Entry]:
        found = self._wall.take(reading.wall, limit) + self._steady.take(reading.steady, limit)
        new, self._new = self._new, []
        return found + new

    def timers(self, reading: Reading) -> list[Flight]:
        return self._timers.take(reading.steady)

    def until_next(self, reading: Reading) -> int | None:
        if self._new:
            return 0
        wall, steady = reading
        return soonest(self._wall.first(wall), self._steady.first(steady), self._timers.first(steady))

    def _timetable(self, entry: Entry) -> Timetable[Entry]:
        return self._wall if entry.rule.on_wall else self._steady

    def _record(self, entry: Entry, record: Run, leaves: bool) -> None:
        if entry.history is None:
            entry.history = History()
            if leaves and entry.task._name is None:
                self.ledger.record_last(entry.history, record)
                return
        self.ledger.record(entry.history, record)


def _ranges(entry: Entry, step: Step) -> list[tuple[Passed, Passed | None]]:
    """Return the ranges that a step passes, each with the longer one that it makes of the record before it."""
    latest = entry.history[-1] if entry.history and step.record is None and not step.given_up else None
    latest, ranges = None if latest is entry.sealed else latest, list[tuple[Passed, Passed | None]]()
    for each in step.passed:
        longer = extended(entry.rule, entry.state, latest, each) if isinstance(latest, Passed) else None
        ranges.append((each, longer))
        latest = longer or each
    return ranges
