"""Passes what happens to the machine, and its answers to the store.

What is left to do outside, once the store has kept a step, is in two lists.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeAlias

from .. import events
from ..clock import MICROSECOND, Reading
from ..planning import control, ends
from ..planning.due import continues, due, has_ended, is_cancelled
from ..planning.records import Run
from ..planning.rule import Rule, due_at
from ..planning.state import State, Step, shown
from .entries import Entry, Flight
from .logs import LOGGED, log, log_run
from .stores import Names, SharedStore, Store

Command: TypeAlias = Callable[[Reading], object]
Emit: TypeAlias = Callable[..., None]  # takes what listeners are told: the class of an event and its fields


class Engine:
    """The events of a scheduler, a method each."""

    def __init__(self, store: Store, names: Names, shared: SharedStore | None = None) -> None:
        self.store, self.names = store, names
        self.shared = shared  # the same store, if others have a part in it
        self.after: list[Callable[[], object]] = []  # what to do when a turn of a shared store is kept
        self.starts: list[Flight] = []  # to hand over
        self.asked: list[Flight] = []  # active runs to ask to end
        self.live = 0  # tasks that have not ended
        self.emit: Emit | None = None  # None when there is no listener
        self.attempt: Callable[[Command, Reading], object] = lambda command, reading: command(reading)  # or puts it off
        self.stepped = 0  # by how much the wall clock was set since the turn before
        self.quiet = False  # True where nothing is to be logged, as in a simulation
        self.offset = 0  # of the wall to steady time, as it is shown; a step of the clock changes it

    def offset_of(self, rule: Rule) -> int:
        """Return what to add to a task's times to show them."""
        return 0 if rule.on_wall else self.offset

    def add(self, entry: Entry, reading: Reading) -> None:
        self.store.add(entry, reading)
        self.live += 1
        entry.added = True
        self._tell(events.TaskAdded, entry.name)

    def plan(self, entry: Entry, reading: Reading) -> None:
        self._do(entry, None, due(entry.rule, entry.state, entry.rule.now(reading)), reading)

    def end(self, flight: Flight, reading: Reading) -> None:
        entry, run = flight.entry, flight.run
        if flight.asked and not run.asked:  # the cancel is on its way
            flight.run = run = run._replace(asked=True)
        self._do(entry, flight, ends.ended(entry.rule, entry.state, run, flight.attempt, reading), reading)
        if flight.error is not None:
            self._then(setattr, flight, "error", None)  # it was logged, if it was the last

    def begin(self, flight: Flight, steady: int, reading: Reading) -> None:
        """Note that a run's function was called at this steady time."""
        entry = flight.entry
        self._do(entry, flight, ends.began(entry.rule, entry.state, flight.run, steady), reading)

    def wake(self, flight: Flight, reading: Reading) -> None:
        entry = flight.entry
        self._do(entry, flight, ends.wake(entry.rule, entry.state, flight.run, flight.started, reading), reading)

    def ask(self, flight: Flight, reading: Reading) -> None:
        entry = flight.entry
        self._do(entry, flight, ends.ask(entry.rule, entry.state, flight.run, reading), reading)

    def start_more(self, entry: Entry, flights: Sequence[Flight], reading: Reading) -> None:
        step = control.more_runs(entry.state, tuple(flight.run for flight in flights))
        for flight, run in zip(flights, step.starts, strict=True):
            flight.run, flight.asked = run, run.asked
        self._do(entry, None, step, reading, flights)

    def pause(self, entry: Entry, reason: str, reading: Reading) -> None:
        self._look(entry, reading)
        if (step := control.pause(entry.rule, entry.state, reason)) is not None:
            self._do(entry, None, step, reading)
            self._tell(events.TaskPaused, entry.name, reason)

    def resume(self, entry: Entry, reading: Reading) -> None:
        self._reset(entry, self.stepped, reading)  # first, since messages come before a step of the clock
        if (step := control.resume(entry.rule, entry.state, entry.rule.now(reading))) is not None:
            self._do(entry, None, step, reading, told=events.TaskResumed)

    def replace(self, entry: Entry, rule: Rule, fresh: State | None, reading: Reading) -> None:
        """Give a task another rule and, with another schedule, a fresh state."""
        self._look(entry, reading)  # it may end the task by the schedule before
        now, moved = entry.rule.now(reading), self.offset_of(entry.rule) - self.offset_of(rule)
        if (step := control.replaced(entry.rule, entry.state, fresh, now, moved)) is None:
            return
        had_ended = has_ended(entry.rule, entry.state)
        self._do(entry, None, step, reading, rule=rule, told=events.TaskReplaced)
        if has_ended(rule, entry.state):
            self.names.leave(entry)
        else:
            self.live += had_ended

    def cancel(self, entry: Entry, running: bool, reading: Reading) -> None:
        step = control.cancel(entry.rule, entry.state, entry.rule.now(reading), running=running)
        self._do(entry, None, step, reading)

    def clock_stepped(self, reading: Reading) -> None:
        by, self.stepped = self.stepped, 0
        if not self.quiet:
            direction = "back" if by < 0 else "forward"
            log("the wall clock was set %s by %s", direction, MICROSECOND * abs(by), level=logging.WARNING)
        tasks = self.names if self.shared is None else self.shared.ahead_of(reading)
        resets = [self.attempt(partial(self._reset, entry, by), reading) for entry in tasks if by < 0]
        self._tell(events.ClockStepped, MICROSECOND * by, len(resets) - resets.count(False))  # or None: put off

    def check_clock(self, reading: Reading) -> None:
        """Find the tasks of a shared store that a clock has carried ahead, before anything else is decided."""
        for entry in () if self.shared is None else self.shared.ahead_of(reading):
            if self._reset(entry, 0, reading):
                log("the task %s goes on by the clock as it is now: it was more than 24 hours ahead", entry.name)

    def _reset(self, entry: Entry, by: int, reading: Reading) -> bool:
        step = control.clock_set_back(entry.rule, entry.state, reading.wall, reading.wall - by)
        if step is not None:
            self._do(entry, None, step, reading)
        return step is not None

    def reload_zones(self, rules: Iterable[tuple[Entry, Rule]], reading: Reading) -> None:
        for entry, rule in rules:
            self.attempt(partial(self._reload_zone, entry, rule), reading)

    def _reload_zone(self, entry: Entry, rule: Rule, reading: Reading) -> None:
        self._look(entry, reading)
        if (step := control.zones_reloaded(rule, entry.state, rule.now(reading))) is not None:
            self._do(entry, None, step, reading, rule=rule)

    def drain(self, entry: Entry, reading: Reading) -> bool:
        """Drop a task's later occurrences, unless it may go on; tell whether there were any."""
        comes = continues(entry.rule, entry.state)
        step = control.drain(entry.rule, entry.state, entry.rule.now(reading))
        if step is not None:
            self._do(entry, None, step, reading)
        return comes and step is not None

    def end_drain(self, entry: Entry, reading: Reading) -> None:
        """End a task whose drain is over, and abandon its runs."""
        self._do(entry, None, control.end_drain(entry.rule, entry.state, entry.rule.now(reading)), reading)
        for flight in self.store.flights(entry):
            flight.asked = True  # else its coroutine would go on, on an event loop that outlives us
            self.asked.append(flight)
            self.attempt(partial(self.abandon, flight), reading)

    def abandon(self, flight: Flight, reading: Reading) -> None:
        """Give up a run whose function does not end, or can't."""
        entry = flight.entry
        self._do(entry, flight, ends.abandon(entry.rule, entry.state, flight.run, reading), reading)

    def lose(self, flight: Flight, reading: Reading) -> None:
        """See to an attempt whose process died, or leaves it behind."""
        entry = flight.entry
        self._do(entry, flight, ends.lost(entry.rule, entry.state, flight.run, flight.started, reading), reading)

    def _look(self, entry: Entry, reading: Reading) -> None:
        """Decide about what is due, by the rule and the state before they change.

        In a pause nothing is due, so to resume needs no look; after a cancel nothing starts, also what is due by then.
        """
        at = due_at(entry.rule, entry.state)
        if at is not None and at <= entry.rule.now(reading):
            self.plan(entry, reading)

    def _do(
        self,
        entry: Entry,
        flight: Flight | None,
        step: Step,
        reading: Reading,
        flights: Sequence[Flight] = (),
        *,
        rule: Rule | None = None,
        told: type | None = None,
    ) -> None:
        """Keep what a step says, and another rule, then do what it asks for.

        `flights` are the runs that start, if made before; `told` is what listeners are told first.
        """
        if self.offset and not entry.rule.on_wall:
            step = shown(step, self.offset)
        _state, run, record, starts, passed, given_up, asks, next_queued, _, ended, _retry_in, _interrupts = step
        begun = flights
        if starts and not flights:
            (start,) = starts  # several at once are only those that were asked for, of which some may be queued
            begun = (entry.fly(start),)
        self.store.save(entry, flight, step, begun, rule)
        if begun:
            alone = self.shared is None and not flights
            self.starts += begun if alone else [new for new in begun if new.here and not ends.is_queued(new.run)]
        if told is not None:
            self._tell(told, entry.name)
        if record is not None:
            self._finished(entry, record, None if flight is None else flight.error)
        if run is not None and flight is not None:
            self._go_on(entry, flight, step)
        for unstarted in given_up:
            self._finished(entry, unstarted)
        for each in passed:
            self._tell(events.OccurrencesPassed, entry.name, each)
        if asks or next_queued:
            self.attempt(partial(self._follow, entry, step), reading)
        if ended:
            self.live -= 1
            self.names.leave(entry)
            self._tell(events.TaskEnded, entry.name, is_cancelled(entry.state))

    def _go_on(self, entry: Entry, flight: Flight, step: Step) -> None:
        if step.retry_in is not None:
            self._tell(events.RunRetried, entry.name, flight.run, MICROSECOND * step.retry_in)
        if step.hand_over:
            self._then(flight.begin_anew, flight.run.asked)
            if flight.here:
                self.starts.append(flight)
        elif step.interrupts:
            self._then(setattr, flight, "asked", True)
            self.asked.append(flight)

    def _follow(self, entry: Entry, step: Step, reading: Reading) -> None:
        for other in self.store.flights(entry) if step.asks else ():
            if ends.is_asked(step.asks, other.run):
                self.attempt(partial(self.ask, other), reading)
        if step.next_queued and (queued := self.store.first_queued(entry)) is not None:
            self.attempt(partial(self.wake, queued), reading)

    def _finished(self, entry: Entry, record: Run, error: BaseException | None = None) -> None:
        if record.attempts[-1].outcome in LOGGED and not self.quiet:
            self._then(log_run, record, error)
        self._tell(events.RunFinished, entry.name, record)

    def _tell(self, kind: type, *details: object) -> None:
        if self.emit is not None:
            self._then(self.emit, kind, *details)
        if self.shared is not None:
            self.shared.note(kind, details)

    def hear(self, _reading: Reading) -> None:
        """Tell listeners what other processes did."""
        for kind, details in () if self.shared is None else self.shared.news(listens=self.emit is not None):
            if self.emit is not None:
                self._then(self.emit, kind, *details)

    def _then(self, act: Callable[..., object], *details: object) -> None:
        """Do what can't be taken back: at once, or when the turn of a shared store is kept."""
        if self.shared is None:
            act(*details)
        else:
            self.after.append(partial(act, *details))
