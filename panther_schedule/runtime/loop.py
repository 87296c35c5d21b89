"""The scheduler's loop: it takes messages, and in each turn sees to all that is due.

Everything reaches it through one queue, so the store needs no lock. A driver calls it: a thread that sleeps until the
time of the next turn, or a virtual clock that is moved to it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Any, Final, NamedTuple, TypeAlias

from ..clock import MICROSECOND, SECOND, Reading
from ..planning.rule import jittered
from .calls import Began
from .engine import Engine
from .entries import Entry, Flight
from .logs import log
from .workers import Workers

LONGEST_SLEEP: Final = SECOND  # within this time a suspended machine or a stepped clock is noticed
_TURN: Final = 256  # messages, and due tasks, a turn: neither floods the other
_STEP: Final = SECOND // 10  # less is the slow correction of a clock, not a step
_AGAIN: Final = SECOND  # after an error

Command: TypeAlias = Callable[[Reading], None]


class Due(NamedTuple):
    """A task that could not be planned when it was due."""

    entry: Entry


class Do(NamedTuple):
    """A command; `done` is set after it."""

    command: Command
    done: threading.Event


class Watch(NamedTuple):
    """Somebody waits until something is over; `told` is set then."""

    over: Callable[[], bool]
    told: threading.Event


class Stop(NamedTuple):
    """Drain for at most this many microseconds, then end; `at_exit` logs what is dropped."""

    timeout: int
    at_exit: bool


class Loop:
    """One scheduler's loop."""

    def __init__(
        self, inbox: SimpleQueue[Any], engine: Engine, workers: Workers, names: Iterable[Entry], reading: Reading
    ) -> None:
        self.engine, self.workers = engine, workers
        self.post = inbox.put
        self.reading = reading
        """The time of the latest turn."""
        self.over = False
        """The drain has ended, or the loop broke."""
        self.broken: BaseException | None = None
        """What ended the loop, if it broke."""
        self._inbox = inbox
        self._names = names
        self._ahead = reading.wall - reading.steady  # how far the wall clock is ahead of steady time
        self._put_off: list[tuple[int, Any]] = []  # steady time, and the message that an error put off
        self._watches: list[Watch] = []
        self._drain_ends_at: int | None = None  # the steady time; None before the drain
        self._handlers: dict[type, Callable[[Any, Reading], None]] = {
            Entry: engine.add,
            Flight: self._end,
            Began: lambda began, reading: engine.begin(began.flight, began.steady, reading),
            Due: lambda due, reading: engine.plan(due.entry, reading),
            Do: self._command,
            Watch: lambda watch, _reading: self._watches.append(watch),
            Stop: self._begin_drain,
        }

    # ---- for other threads ---------------------------------------------------------------------------------------

    @property
    def stopping(self) -> bool:
        """It drains, or has ended."""
        return self._drain_ends_at is not None or self.over

    def send(self, command: Command) -> threading.Event:
        """Let the loop run a command; the event is set after it."""
        done = threading.Event()
        self.post(Do(command, done))
        return done

    def stop(self, timeout: timedelta, *, at_exit: bool) -> None:
        """Drain for at most the timeout, then end."""
        self.post(Stop(timeout // MICROSECOND, at_exit))

    def watch(self, over: Callable[[], bool]) -> threading.Event:
        """Return an event that is set when something is over, or the loop has ended."""
        told = threading.Event()
        self.post(Watch(over, told))
        return told

    def is_idle(self) -> bool:
        """Tell whether no task is left and no run is in flight."""
        return not self.engine.live and not self.engine.store.in_flight

    def tasks(self) -> list[Entry]:
        """List the tasks; a cancelled one has left the names while its last run goes on."""
        return list(dict.fromkeys((*self._names, *(flight.entry for flight in tuple(self.engine.store.in_flight)))))

    # ---- for the driver ------------------------------------------------------------------------------------------

    def take(self, sleep: int = 0) -> list[Any]:
        """Return the messages that have arrived; wait for the first at most so many microseconds."""
        inbox, messages = self._inbox, list[Any]()
        try:
            if sleep > 0:
                messages.append(inbox.get(timeout=sleep / SECOND))
            while len(messages) < _TURN and inbox.qsize():
                messages.append(inbox.get())
        except Empty:
            pass
        return messages

    def turn(self, messages: list[Any], reading: Reading) -> int | None:
        """See to the messages and to all that is due; return the microseconds until the next turn, None for never."""
        self.reading = reading
        for message in messages:
            self._handle(message, reading)
        if self._put_off:
            self._try_again(reading)
        ahead = reading.wall - reading.steady
        if abs(ahead - self._ahead) > _STEP:
            self._clock_stepped(ahead - self._ahead, reading)
        self._ahead = ahead
        self._see_to_due(reading)
        if self._drain_ends_at is not None and (reading.steady >= self._drain_ends_at or self._is_drained()):
            self._end_drain(reading)
        if self._watches:
            self._tell()
        return self.wait(reading)

    def wait(self, reading: Reading) -> int | None:
        """Return the microseconds until the next turn; None when nothing is to come."""
        if self.over:
            return None
        if self._inbox.qsize():
            return 0
        wait = self.engine.store.wait(reading)
        if self._put_off or self._drain_ends_at is not None:
            ats = [at for at, _message in self._put_off] + (
                [] if self._drain_ends_at is None else [self._drain_ends_at]
            )
            until = max(0, min(ats) - reading.steady)
            wait = until if wait is None else min(wait, until)
        return wait

    def fail(self, error: BaseException) -> None:
        """End after an error in the loop itself."""
        log("the scheduler's thread died; no task runs any more", level=logging.CRITICAL, error=error)
        self.broken = error
        self.over = True

    # ---- inside --------------------------------------------------------------------------------------------------

    def _handle(self, message: Any, reading: Reading) -> None:
        try:
            self._handlers[type(message)](message, reading)
        except Exception as error:  # noqa: BLE001 - an error about one task must not stop the others
            self._put_aside(message, reading, error)

    def _put_aside(self, message: Any, reading: Reading, error: Exception) -> None:
        log("store error; retrying in 1 s", error=error)
        self._put_off.append((reading.steady + _AGAIN, message))

    def _try_again(self, reading: Reading) -> None:
        put_off, self._put_off = self._put_off, []
        for at, message in put_off:
            if at <= reading.steady:
                self._handle(message, reading)
            else:
                self._put_off.append((at, message))

    def _end(self, flight: Flight, reading: Reading) -> None:
        self.workers.ended(flight)
        self.engine.end(flight, reading)

    def _command(self, do: Do, reading: Reading) -> None:
        do.command(reading)
        do.done.set()

    def _see_to_due(self, reading: Reading) -> None:
        engine = self.engine
        for entry in engine.store.due(reading, _TURN):
            try:
                engine.plan(entry, reading)
            except Exception as error:  # noqa: BLE001 - as in _handle
                self._put_aside(Due(entry), reading, error)
        for flight in engine.store.timers(reading):
            engine.wake(flight, reading)
        if engine.asked:
            asked, engine.asked = engine.asked, []
            for flight in asked:
                self.workers.ask(flight)
        if engine.starts:
            starts, engine.starts = engine.starts, []
            if len(starts) > 1:
                starts.sort(key=_order)
            self.workers.start(starts)

    def _clock_stepped(self, by: int, reading: Reading) -> None:
        direction = "back" if by < 0 else "forward"
        log("the wall clock was set %s by %s", direction, MICROSECOND * abs(by), level=logging.WARNING)
        self.engine.clock_stepped(by, self._names if by < 0 else (), reading)

    def _tell(self) -> None:
        watches, self._watches = self._watches, []
        for watch in watches:
            if self.over or watch.over():
                watch.told.set()
            else:
                self._watches.append(watch)

    # ---- the drain -----------------------------------------------------------------------------------------------

    def _begin_drain(self, stop: Stop, reading: Reading) -> None:
        """Start what is due, then drop what comes later."""
        self._put_off = [(reading.steady, message) for _at, message in self._put_off]  # it may hold what is due
        self._try_again(reading)
        while self.engine.store.wait(reading) == 0:
            self._see_to_due(reading)
        dropped = [entry.name for entry in self.tasks() if self.engine.drain(entry, reading)]
        if dropped and stop.at_exit:
            log(
                "the program ends, so %d task(s) with later occurrences are dropped: %s%s; call join() to wait",
                len(dropped),
                ", ".join(dropped[:10]),
                ", ..." if len(dropped) > 10 else "",
                level=logging.WARNING,
            )
        self._drain_ends_at = reading.steady + stop.timeout

    def _is_drained(self) -> bool:
        return self.is_idle() and not self._put_off

    def _end_drain(self, reading: Reading) -> None:
        self.workers.stop()
        for flight in self.engine.end_drain(self.tasks(), reading):
            self.workers.ask(flight)  # on an event loop that goes on, it would go on too
        self.over = True


def _order(flight: Flight) -> tuple[int, bool, int]:
    """Order runs by time, wall-clock kinds first, then by when the task was added."""
    entry = flight.entry
    return jittered(entry.rule, flight.run.at, entry.state.anchor), not entry.rule.on_wall, entry.order
