"""The one thread that owns the store: it takes messages, plans what is due and hands runs to the workers.

Everything reaches it through one queue, so the store needs no lock. It reads the clock once a turn and touches only
the tasks that are due.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Final, cast

from ..clock import MICROSECOND, SECOND, Clock, Reading
from ..errors import SchedulerStateError
from ..events import ClockStepped, TaskAdded, TaskEnded
from ..planning.machine import drains
from ..planning.records import Cause, State
from ..planning.rule import Rule, jittered
from .entries import Entry, Flight
from .listeners import Listeners
from .logs import log_safely
from .memory import MemoryStore
from .messages import Command, Do, Stop, Watch, check_timeout
from .workers import Started, Workers, log_run

_LONGEST_SLEEP_S: Final = 1.0  # within this time a suspended machine or a stepped clock is noticed
_TURN: Final = 256  # messages, and due tasks, a turn: neither floods the other
_STEP: Final = SECOND // 10  # less is the slow correction of a clock, not a step
_AGAIN: Final = SECOND  # after a fault of the store
ACKNOWLEDGED_S: Final = 1.0  # a stuck thread does not hold a caller for longer


class Loop:
    """Owns a store; its `run()` is the body of the scheduler's thread."""

    def __init__(
        self,
        clock: Clock,
        workers: Callable[[Callable[[Any], None]], Workers],
        listeners: Listeners,
        tasks: dict[int | str, Entry],
        lock: AbstractContextManager[Any],
    ) -> None:
        self.clock, self.store, self.listeners = clock, MemoryStore(), listeners
        self.forked = False
        """True in a child process: the thread stayed with the parent."""
        self.broken: BaseException | None = None
        """What ended the thread, if it died."""
        self.reading = clock.read()
        """The time of the latest turn."""
        self._inbox: SimpleQueue[Any] = SimpleQueue()
        self.post = self._inbox.put
        self.workers = workers(self.post)
        self._tasks, self._lock = tasks, lock  # the names, which the scheduler's callers take under the lock
        self._live = 0
        self._ahead = self.reading.wall - self.reading.steady  # how far the wall clock is ahead of steady time
        self._later: list[tuple[int, Command]] = []  # what a fault of the store has put off
        self._watchers: list[Watch] = []
        self._drain_ends_at: int | None = None  # by steady time; None before the drain
        self._done = False
        self._thread: threading.Thread | None = None
        if listeners:
            self.tell()

    # ---- for other threads -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin."""
        self.workers.add_worker()
        self._thread = threading.Thread(target=self._run, name="panther_schedule", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        """It drains, or has ended."""
        return self._drain_ends_at is not None or self._done

    def tell(self) -> None:
        """Tell the listeners what happens."""
        self.store.emit = self.workers.emit = self.listeners.put

    def join(self, entry: Entry | None, timeout: timedelta | None) -> bool:
        """Wait until a task has ended, or all have; tell whether that came before the timeout."""
        check_timeout("join", timeout)
        self.refuse_to_wait_for_itself("join", entry)
        if entry is None:
            return self._await(self._is_idle, timeout, self._unended)
        return self._await(lambda: entry.ended, timeout, lambda: [entry])

    def wait(self, flight: Flight, timeout: timedelta | None) -> None:
        """Wait until a run is recorded, at most for the timeout."""
        check_timeout("wait", timeout)
        self.refuse_to_wait_for_itself("wait", flight.entry)
        self._await(lambda: flight.record is not None, timeout, list)

    def refuse_to_wait_for_itself(self, method: str, entry: Entry | None) -> None:
        """Refuse to wait in a run that is waited for, or on the event loop that runs need."""
        if self.workers.waits_for_itself(entry):
            raise SchedulerStateError(
                f"{method}() waits for runs to end, and is called from one of them, or on the event loop they need; "
                "call it from another thread, or leave the `async with` block"
            )

    def do(self, command: Command) -> None:
        """Let the thread do something, and wait until it has; a thread that is stuck does it later."""
        done = threading.Event()
        self.post(Do(command, done))
        if not self._done and threading.current_thread() is not self._thread:
            done.wait(ACKNOWLEDGED_S)

    def do_soon(self, command: Command) -> None:
        """Let the thread do something, without a wait; the caller may hold the lock of the names."""
        self.post(Do(command, threading.Event()))

    def cancel(self, entry: Entry) -> None:
        """Let nothing more of a task start, ask its runs to end, and free its name at once."""
        entry.cancelled = True
        with self._lock:
            if self._tasks.get(entry.key) is entry:
                del self._tasks[entry.key]
        self.do(lambda reading: self.store.cancel(entry, reading))

    def replace(self, entry: Entry, rule: Rule, fresh: State | None) -> None:
        """Give a task, which has changed, its new rule; a fresh state is one that starts from the beginning."""

        def command(reading: Reading) -> None:
            self._live += entry.ended and fresh is not None
            self.store.replace(entry, rule, fresh, reading)

        self.do_soon(command)

    def start_beside(self, entry: Entry, occurrences: list[tuple[int, int | None]], cause: Cause) -> list[Flight]:
        """Start runs that claim no occurrence, each given as an occurrence and the one before."""
        flights = [Flight(entry, at, before, cause, self.store.next_number()) for at, before in occurrences]
        self.do(lambda _reading: self.store.start_beside(flights))
        return flights

    def begin_stop(self, timeout: timedelta, *, at_exit: bool) -> None:
        """Tell it to drain; `finish_stop` waits for the end."""
        self.post(Stop(timeout // MICROSECOND, at_exit))

    def finish_stop(self) -> None:
        """Wait until the drain has ended, and with it the thread."""
        if self._thread is not None:
            self._thread.join()

    def detach(self) -> None:
        """Leave what drives it."""

    def _await(self, over: Callable[[], bool], timeout: timedelta | None, _tasks: Callable[[], list[Entry]]) -> bool:
        """Wait until the thread finds something over, or ends; tell whether that came before the timeout."""
        told = threading.Event()
        self.post(Watch(over, told))
        deadline = None if timeout is None else self.clock.steady() + timeout // MICROSECOND
        while not self._done:
            left = SECOND if deadline is None else min(SECOND, deadline - self.clock.steady())
            if told.wait(max(0, left) / SECOND):
                return True
            if left <= 0:
                return False
        return True

    # ---- the thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._done:
                self._take()
                self._turn(self.reading)
        except BaseException as error:
            log_safely("the scheduler's thread died; no task runs any more", level=logging.CRITICAL, error=error)
            self.broken = error
            self._done = True
            raise

    def _turn(self, reading: Reading) -> None:
        """Plan what is due, hand over what starts, and see to what has ended."""
        ahead = reading.wall - reading.steady
        if abs(ahead - self._ahead) > _STEP:
            self._step(ahead - self._ahead, reading)
        self._ahead = ahead
        store = self.store
        for entry in store.timetable.due(reading, _TURN):
            try:
                store.plan(entry, reading)
            except Exception as error:  # noqa: BLE001 - one task's fault must not stop the others
                self._put_off(partial(store.plan, entry), reading, error)
        for flight in store.timetable.timers(reading):
            if flight.phase == "resting":
                store.try_again(flight)
            else:
                store.time_out(flight, reading)
                if flight.record is not None:
                    log_run(flight, "timed_out")
        if self._later:
            self._do_put_off(reading)
        self._flush()
        if self._drain_ends_at is not None and self._drained(reading, self._drain_ends_at):
            self._finish_drain(reading)
        if self._watchers:
            self._tell_watchers()

    def _flush(self) -> None:
        """Do outside what the store wants to be done."""
        store = self.store
        if store.cancels:
            cancels, store.cancels = store.cancels, []
            for flight in cancels:
                self.workers.cancel(flight)
        if store.over:
            over, store.over = store.over, []
            for entry in over:
                self._end(entry)
        if store.starts:
            starts, store.starts = store.starts, []
            if len(starts) > 1:
                starts.sort(key=_turn_order)
            self._hand_over(starts)

    def _hand_over(self, flights: list[Flight]) -> None:
        self.workers.start(flights)

    def _take(self) -> None:
        """Sleep until something is due or arrives, then take what has arrived."""
        wait = self.store.timetable.wait(self.reading)
        sleep = _LONGEST_SLEEP_S if wait is None else min(_LONGEST_SLEEP_S, wait / SECOND)
        if self._drain_ends_at is not None:
            sleep = min(sleep, (self._drain_ends_at - self.reading.steady) / SECOND)
        get = self._inbox.get
        try:
            message = get(True, sleep) if sleep > 0 else get(False)
            reading = self.clock.read()
            for left in reversed(range(_TURN)):
                self._handle(message, reading)
                if left:  # else the message taken last would be lost
                    message = get(False)
        except Empty:
            pass
        self.reading = self.clock.read()

    def _handle(self, message: Any, reading: Reading) -> None:
        kind = cast("type[object]", type(message))
        if kind is Entry:
            self._live += 1
            self.store.timetable.add(message, reading)
            if self.store.emit is not None:
                self.store.emit(TaskAdded, message, None)
        elif kind is tuple:  # a function that has ended
            self.workers.ended(message[0])
            try:
                self.store.finish(message, reading)
            except Exception as error:  # noqa: BLE001 - as above
                self._put_off(partial(self.store.finish, message), reading, error)
        elif kind is Started:
            flight, flight.started_at, steady = message
            terms = flight.entry.rule.terms  # None where the task was replaced meanwhile
            if terms is not None and terms.timeout is not None:
                self.store.timetable.set_timer(flight, steady + terms.timeout)
        elif kind is Do:
            self._try(message.command, reading)
            message.done.set()
        elif kind is Watch:
            self._watchers.append(message)
        else:
            self._begin_drain(message, reading)

    def _step(self, by: int, reading: Reading) -> None:
        direction = "back" if by < 0 else "forward"
        log_safely("the wall clock was set %s by %s", direction, MICROSECOND * abs(by), level=logging.WARNING)
        reset = 0
        if by < 0:
            tasks = list(self._tasks.values())
            reset = self.store.set_back([entry for entry in tasks if entry.rule.on_wall], reading)
        if self.store.emit is not None:
            self.store.emit(ClockStepped, None, (by, reset))

    def _try(self, command: Command, reading: Reading) -> None:
        try:
            command(reading)
        except Exception as error:  # noqa: BLE001 - as above
            self._put_off(command, reading, error)

    def _put_off(self, command: Command, reading: Reading, error: Exception) -> None:
        log_safely("the store failed; what it was to do is tried again in a second", error=error)
        self._later.append((reading.steady + _AGAIN, command))

    def _do_put_off(self, reading: Reading) -> None:
        later, self._later = self._later, []
        for at, command in later:
            if at > reading.steady:
                self._later.append((at, command))
            else:
                self._try(command, reading)

    def _end(self, entry: Entry) -> None:
        if entry.ended:
            return
        self._live -= 1
        entry.ended = True
        if entry.task._name is None:  # a named one stays: adding it again must not start it again
            self._tasks.pop(entry.rank, None)
        if self.store.emit is not None:
            self.store.emit(TaskEnded, entry, entry.cancelled)

    def _tell_watchers(self) -> None:
        watchers, self._watchers = self._watchers, []
        for watch in watchers:
            if self._done or watch.over():
                watch.told.set()
            else:
                self._watchers.append(watch)

    def _is_idle(self) -> bool:
        return not self._live and not self.store.in_flight

    # ---- the drain -------------------------------------------------------------------------------------------

    def _begin_drain(self, stop: Stop, reading: Reading) -> None:
        """Start what is due now, and let only runs in flight, waiting runs and finite back-to-back tasks go on."""
        self._later = [(reading.steady, command) for _at, command in self._later]  # among it may be what is due
        self._do_put_off(reading)
        while self.store.timetable.wait(reading) == 0 or self.store.starts:
            self._turn(reading)
        dropped: list[str] = []
        for entry in self._unended():
            if drains(entry.rule, entry.state):
                continue
            if entry.state.held.paused is not None:
                self.store.give_up_waiting(entry, "cancelled", reading)
            if self.store.drop(entry, reading):
                dropped.append(entry.name)
        self._flush()
        if dropped and stop.at_exit:
            log_safely(
                "the program ends, so %d task(s) with later occurrences are dropped: %s%s; call join() to wait",
                len(dropped),
                ", ".join(dropped[:10]),
                ", ..." if len(dropped) > 10 else "",
                level=logging.WARNING,
            )
        self._drain_ends_at = reading.steady + stop.timeout_us

    def _unended(self) -> list[Entry]:
        """Return the tasks that have not ended; a cancelled one has left the names while its last run goes on."""
        flying = [flight.entry for flight in self.store.in_flight]
        return [entry for entry in dict.fromkeys((*self._tasks.values(), *flying)) if not entry.ended]

    def _drained(self, reading: Reading, ends_at: int) -> bool:
        return reading.steady >= ends_at or (self._is_idle() and not self._later)

    def _finish_drain(self, reading: Reading) -> None:
        self.workers.stop()
        for entry in self._unended():
            self.store.give_up_waiting(entry, "abandoned", reading)
        for flight in tuple(self.store.in_flight):
            self.workers.cancel(flight)  # on an event loop that goes on it would go on, too
            self.store.abandon(flight, reading)
            log_run(flight, "abandoned")
        for entry in self._unended():
            self.store.drop(entry, reading)
            self._end(entry)
        self.store.starts.clear()
        self._done = True
        self._tell_watchers()


def _turn_order(flight: Flight) -> tuple[int, int]:
    entry, due = flight.entry, flight.scheduled_at
    if entry.rule.terms is not None:
        due = jittered(entry.rule, entry.rule.terms, due, entry.state.anchor)
    return due, entry.rank
