"""The memory store: does and remembers what planning decides about the tasks of one scheduler.

One thread owns it, the scheduler's; other threads read single fields, which are replaced and never changed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from ..clock import Reading
from ..events import OccurrencesPassed, RunFinished, RunRetried, TaskPaused, TaskReplaced, TaskResumed
from ..planning import machine as planning
from ..planning.machine import Plan, plan, settle
from ..planning.records import AttemptRecord, Outcome, RunRecord, State, make
from ..planning.rule import Rule
from .entries import Entry, Finished, Flight, rank_of
from .ledger import Account, Ledger
from .timetable import Timetable


class MemoryStore:
    """The tasks in order of time, the runs in flight, their timers, and the ledger.

    What is to be done outside is left in three lists, for the owner to take: `starts`, `cancels` and `over`.
    """

    def __init__(self) -> None:
        self.timetable = Timetable()
        self.ledger = Ledger()
        self.in_flight: dict[Flight, None] = {}
        """The runs that were handed over, or wait for another attempt, and have no outcome yet."""
        self.starts: list[Flight] = []
        """Runs to hand over."""
        self.cancels: list[Flight] = []
        """Runs to ask for their end."""
        self.over: list[Entry] = []
        """Tasks of which nothing runs and nothing is to come."""
        self.emit: Callable[[type[Any], Entry | None, Any], None] | None = None
        """Takes what listeners are told; None when there is no listener."""
        self.next_number = count(1).__next__
        """Gives a run that claims no occurrence its number; any thread may ask."""
        self._backfills: dict[Entry, deque[Flight]] = {}  # runs of a backfill that wait for the one before

    # ---- runs ------------------------------------------------------------------------------------------------

    def plan(self, entry: Entry, reading: Reading) -> None:
        """Plan a due task, record what passed and wait for its next occurrence."""
        entry.due = None
        self._apply(entry, plan(entry.rule, entry.state, entry.rule.now(reading)), reading)

    def finish(self, finished: Finished, reading: Reading) -> None:
        """Take note that a run's function has ended: the run is recorded, or another attempt is to come."""
        flight, outcome, started_at, finished_at, error = finished
        if flight.phase == "going":
            if flight.entry.rule.terms is not None:
                delay = flight.retry_delay(error)
                if delay is not None:
                    self._end_attempt(flight, AttemptRecord(started_at, finished_at, outcome, error), delay)
                    self._rest(flight, delay, reading)
                    return
            self._record_run(flight, outcome, started_at, finished_at, error, reading)
            return
        if flight.record is None:  # its attempt had timed out, and another one was to come
            last = flight.earlier[-1]
            delay = planning.next_attempt(flight.entry.rule, flight.scheduled_at, flight.attempt, last.error)
            self._rest(flight, delay or 0, reading)
        elif flight.cause == "schedule":
            entry = flight.entry
            self._apply(entry, planning.freed(entry.rule, entry.state, entry.rule.now(reading)), reading)
        elif flight.cause == "backfill":
            self._next_of_backfill(flight)

    def time_out(self, flight: Flight, reading: Reading) -> None:
        """Let a run's attempt be over, while its function goes on; it is asked to end."""
        entry, error = flight.entry, TimeoutError("the run took longer than its timeout")
        now = entry.rule.now(reading)
        delay = flight.retry_delay(error)
        flight.phase = "lingering"
        flight.asked = True
        self.cancels.append(flight)
        if delay is None:
            self._record_run(flight, "timed_out", flight.started_at, now, error, reading)
        else:
            self._end_attempt(flight, AttemptRecord(flight.started_at, now, "timed_out", error), delay)

    def try_again(self, flight: Flight) -> None:
        """Start the next attempt of a run."""
        flight.phase, flight.asked, flight.seen = "going", False, False
        flight.attempt += 1
        flight.aio = flight.started_at = None
        self.starts.append(flight)

    def start_beside(self, flights: Iterable[Flight]) -> None:
        """Start runs that claim no occurrence: a manual one at once, those of a backfill one after the other."""
        for flight in flights:
            self.in_flight[flight] = None
            if flight.cause == "manual":
                self.starts.append(flight)
                continue
            waiting = self._backfills.get(flight.entry)
            if waiting is None:
                self._backfills[flight.entry] = deque()
                self.starts.append(flight)
            else:
                waiting.append(flight)

    def cancel_run(self, flight: Flight, reading: Reading) -> None:
        """Ask a run to end; one that does not run now ends at once."""
        if flight.record is not None:
            return
        flight.asked = True
        waiting = self._backfills.get(flight.entry, ())
        if flight.phase != "going" or flight in waiting:
            self._record_run(flight, "cancelled", None, flight.entry.rule.now(reading), None, reading)
        else:
            self.cancels.append(flight)

    def abandon(self, flight: Flight, reading: Reading) -> None:
        """Record a run that is still going as abandoned."""
        self._record_run(flight, "abandoned", None, flight.entry.rule.now(reading), None, reading)

    def give_up_waiting(self, entry: Entry, outcome: Outcome, reading: Reading) -> None:
        """Record the runs that wait for the one before as ended without a start."""
        state, now = entry.state, entry.rule.now(reading)
        entry.state = planning.without_waiting(state)
        for at in state.held.waiting:
            record = RunRecord(at, None, now, outcome, None)
            self.ledger.record(self._account(entry), record)
            self._emit(RunFinished, entry, record)

    # ---- people and clocks -----------------------------------------------------------------------------------

    def pause(self, entry: Entry, reason: str, reading: Reading) -> None:
        """Let nothing of a task start."""
        self._look(entry, reading)
        if entry.dropped or planning.has_ended(entry.rule, entry.state):
            return
        self.timetable.overtake(entry)
        entry.state = planning.pause(entry.state, reason)
        self._emit(TaskPaused, entry, reason)

    def resume(self, entry: Entry, reading: Reading) -> None:
        """Let a task go on after a pause."""
        if entry.state.held.paused is not None and not entry.dropped:
            self._emit(TaskResumed, entry, None)
            self._apply(entry, planning.resume(entry.rule, entry.state, entry.rule.now(reading)), reading)

    def replace(self, entry: Entry, rule: Rule, fresh: State | None, reading: Reading) -> None:
        """Give a task another rule and, with another schedule, a fresh state."""
        if entry.dropped:
            return
        self._emit(TaskReplaced, entry, None)
        self._look(entry, reading)
        self.timetable.overtake(entry)
        entry.rule = rule
        entry.rank = rank_of(entry.order, rule)
        if fresh is not None:
            entry.ended = False
            self.over = [other for other in self.over if other is not entry]
            entry.state = planning.replaced(entry.state, fresh)
        self.timetable.place(entry)

    def drop(self, entry: Entry, reading: Reading) -> bool:
        """Let no more occurrences of a task start; tell whether there were any to come."""
        comes = planning.continues(entry.rule, entry.state)
        entry.dropped = True
        self.timetable.overtake(entry)
        self._apply(entry, planning.drop(entry.rule, entry.state, entry.rule.now(reading)), reading)
        return comes

    def cancel(self, entry: Entry, reading: Reading) -> None:
        """Drop a task, and ask its runs to end."""
        self.give_up_waiting(entry, "cancelled", reading)
        self.drop(entry, reading)
        for flight in self._flights(entry):
            self.cancel_run(flight, reading)

    def set_back(self, entries: Iterable[Entry], reading: Reading) -> int:
        """Look at wall-clock tasks again, after the wall clock was set back; return how many were reset."""
        reset = 0
        for entry in entries:
            state = planning.after_step_back(entry.rule, entry.state, reading.wall)
            if state is not None:
                reset += 1
                self.timetable.overtake(entry)
                entry.state = state
                self.timetable.place(entry)
        return reset

    def reload(self, rules: Iterable[tuple[Entry, Rule]], reading: Reading) -> None:
        """Give tasks their rules by new time zone data."""
        for entry, rule in rules:
            if entry.ended or entry.dropped:
                continue
            self._look(entry, reading)
            self.timetable.overtake(entry)
            entry.rule = rule
            entry.state = planning.after_reload(rule, entry.state, rule.now(reading))
            self.timetable.place(entry)
            self._check_end(entry)

    # ---- inside ----------------------------------------------------------------------------------------------

    def _emit(self, kind: type[Any], entry: Entry, details: Any) -> None:
        if self.emit is not None:
            self.emit(kind, entry, details)

    def _look(self, entry: Entry, reading: Reading) -> None:
        """Decide about what is due before the task is changed."""
        if entry.due is not None and entry.due <= entry.rule.now(reading):
            self.plan(entry, reading)

    def _apply(self, entry: Entry, done: Plan, reading: Reading) -> None:
        """Do and remember what was decided about a task."""
        previous, state = entry.state.latest, done.state
        if entry.dropped and state.next_at is not None:
            state = state._replace(next_at=None)
        entry.state = state
        for passed in done.passed:
            account = entry.account
            longer = planning.extended(entry.rule, state, account[-1], passed) if account else None
            if longer is None or account is None:
                self.ledger.record(self._account(entry), passed)
            else:
                self.ledger.lengthen(account, longer, passed)
            self._emit(OccurrencesPassed, entry, passed)
        if done.start is not None:
            flight = Flight(entry, done.start, previous)
            self.in_flight[flight] = None
            self.starts.append(flight)
            self.timetable.place(entry)
            return
        self.timetable.place(entry)
        if done.cancel:
            for flight in self._flights(entry):
                asked = flight.asked and flight.phase == "going"  # once is enough: a second time would cut its cleanup
                if flight.cause == "schedule" and not asked:
                    self.cancel_run(flight, reading)
        self._check_end(entry)

    def _record_run(
        self,
        flight: Flight,
        outcome: Outcome,
        started_at: int | None,
        finished_at: int,
        error: BaseException | None,
        reading: Reading,
    ) -> None:
        """Record a run that has ended, and decide what follows it."""
        entry = flight.entry
        cause = flight.cause
        record = flight.record = make(
            RunRecord,
            (flight.scheduled_at, started_at, finished_at, outcome, error, cause, flight.number, flight.earlier),
        )
        del self.in_flight[flight]
        if cause == "schedule":
            done = settle(entry.rule, entry.state, outcome, finished_at, lingers=flight.phase == "lingering")
            ends = planning.has_ended(entry.rule, done.state)
            if ends and entry.account is None and entry.task._name is None:
                entry.account = Account()
                self.ledger.record_last(entry.account, record)
            else:
                self.ledger.record(self._account(entry), record)
            if self.emit is not None:
                self.emit(RunFinished, entry, record)
            if ends:
                entry.state = done.state
                self.over.append(entry)
            elif done.start is None and done.state.next_at == entry.state.next_at and not entry.dropped:
                entry.state = done.state  # its place in time is what it was
            else:
                self._apply(entry, done, reading)
        else:
            self.ledger.record(self._account(entry), record)
            self._emit(RunFinished, entry, record)
            if cause == "backfill" and flight.phase != "lingering":
                self._next_of_backfill(flight)

    def _end_attempt(self, flight: Flight, attempt: AttemptRecord, delay: int) -> None:
        flight.earlier += (attempt,)
        if self.emit is not None:
            self.emit(RunRetried, flight.entry, (flight, attempt, delay))

    def _rest(self, flight: Flight, delay: int, reading: Reading) -> None:
        flight.phase = "resting"
        self.timetable.set_timer(flight, reading.steady + delay)

    def _next_of_backfill(self, flight: Flight) -> None:
        waiting = self._backfills[flight.entry]
        if flight in waiting:
            waiting.remove(flight)
        elif waiting:
            self.starts.append(waiting.popleft())
        else:
            del self._backfills[flight.entry]

    def _flights(self, entry: Entry) -> list[Flight]:
        return [flight for flight in self.in_flight if flight.entry is entry]

    def _account(self, entry: Entry) -> Account:
        account = entry.account
        if account is None:
            account = entry.account = Account()
        return account

    def _check_end(self, entry: Entry) -> None:
        state = entry.state
        if planning.has_ended(entry.rule, state) or (entry.dropped and not state.running and not state.held.waiting):
            self.over.append(entry)
