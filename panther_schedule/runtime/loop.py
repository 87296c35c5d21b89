"""The scheduler's loop: it takes messages, and in each turn sees to all that is due.

A message is an entry that was added, a flight whose function has ended, or a command. All come through one queue, so
the store needs no lock. A driver takes the turns: a thread that sleeps, or a virtual clock.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import Final, TypeAlias

from ..clock import SECOND, Reading, soonest
from ..errors import StoreError
from ..planning.rule import jittered
from .engine import Command, Engine
from .entries import Entry, Flight
from .logs import log, named
from .workers import Workers

PATIENCE_S: Final = 1.0  # a stuck loop does not hold a caller for longer
_TURN: Final = 256  # messages, and due tasks, a turn: neither floods the other
_STEP: Final = SECOND // 10  # less is the slow correction of a clock, not a step
AGAIN: Final = SECOND  # after an error

Message: TypeAlias = Entry | Flight | Command


class Drain(partial[None]):
    """The command to drain a loop: its `begin_drain()`, with all but the reading."""


class Loop:
    """One scheduler's loop. Other threads may call `post`, `watch`, `is_idle`, `has` and `tasks`."""

    def __init__(
        self, inbox: SimpleQueue[Message], engine: Engine, workers: Workers, reading: Reading, *, off: bool = False
    ) -> None:
        self.post = inbox.put
        self.off = off  # nothing is to run: it is over before it begins, and what is added ends at once
        self.reading = reading  # of the latest turn
        self.closed = off  # the drain has ended, and whoever posts a message then settles it
        self.over = off  # the drain has ended and all is settled, the loop broke, or this is a child process
        self.broken: BaseException | None = None  # what broke it
        self.joined = False  # somebody has waited for all tasks
        self._inbox, self._engine, self._workers = inbox, engine, workers
        engine.attempt = self._try
        if abs(reading.wall - reading.steady) > _STEP:
            engine.offset = reading.wall - reading.steady
        self._settling = threading.RLock()
        self._put_off: list[Message] = []  # by an error
        self._again_at: int | None = None  # when they are tried again, by steady time
        self._drain_ends_at: int | None = None  # by steady time; None before the drain
        self._watches: list[tuple[Callable[[], bool], Future[None]]] = []
        self.dropped: list[str] = []  # the names of tasks whose later occurrences the drain has dropped

    @property
    def stopping(self) -> bool:
        return self._drain_ends_at is not None or self.over

    def watch(self, over: Callable[[], bool]) -> Future[None]:
        """Return what is done as soon as something is over, or the loop is; cancel it to stop watching."""
        told: Future[None] = Future()
        if not self.over:
            self.post(lambda _reading: self._watches.append((over, told)))
        return told

    def is_idle(self) -> bool:
        return not (self._engine.live or self._engine.store.in_flight)

    def tasks(self) -> list[Entry]:
        """List the tasks; a cancelled one has left the names while its last run goes on."""
        named = (entry for entry in self._engine.names if entry.added)
        return list(dict.fromkeys((*named, *(flight.entry for flight in tuple(self._engine.store.in_flight)))))

    def has(self, flight: Flight) -> bool:
        """Tell whether this scheduler has called a run that goes on."""
        return flight.entry in self.tasks()

    # ---- turns ---------------------------------------------------------------------------------------------------

    def take(self, sleep: int = 0) -> list[Message]:
        """Return the messages that have arrived; wait at most this many microseconds for the first."""
        inbox, messages = self._inbox, list[Message]()
        try:
            if sleep > 0:
                messages.append(inbox.get(timeout=sleep / SECOND))
            while len(messages) < _TURN and inbox.qsize():
                messages.append(inbox.get())
        except Empty:
            pass
        return messages

    def turn(self, messages: Iterable[Message], reading: Reading) -> int | None:
        """See to the messages and to all that is due; return the microseconds until the next turn, None for never."""
        ahead = (reading.wall - reading.steady) - (self.reading.wall - self.reading.steady)
        if abs(ahead) > _STEP:
            self._engine.stepped += ahead
            self._engine.offset = reading.wall - reading.steady
        self.reading = reading
        if not self._see_to(messages, reading):
            return self.until_next(reading)
        self._hand_over()
        self._workers.coroutines.abandon_orphans()
        ends_at = self._drain_ends_at
        if ends_at is not None and (reading.steady >= ends_at or (self._is_drained() and not self._put_off)):
            self._end_drain(reading)
        if self._watches:
            self._tell()
        return self.until_next(reading)

    def _see_to(self, messages: Iterable[Message], reading: Reading) -> bool:
        """See to the messages and to all that is due; False where there was no need to look."""
        for message in messages:
            self._try(message, reading)
        if self._again_at is not None and self._again_at <= self.reading.steady:
            self._try_again(reading)
        if self._engine.stepped:
            self._engine.clock_stepped(reading)
        if self._look not in self._put_off:
            self._try(self._look, reading)
        if len(self._engine.starts) > 1:  # here, where it costs a shared store no query
            self._engine.starts.sort(key=_order)
        return True

    def until_next(self, reading: Reading) -> int | None:
        """Return the microseconds until the next turn; None when nothing is left to do."""
        if self.over:
            return None
        if self._inbox.qsize():
            return 0
        wait = self._until_due(reading)  # first, since a fault of the store sets when it is tried again
        own = (max(0, at - reading.steady) for at in (self._again_at, self._drain_ends_at) if at is not None)
        return soonest(wait, *own)

    def _until_due(self, reading: Reading) -> int | None:
        if self._look in self._put_off:
            return None
        try:
            return self._engine.store.until_next(reading)
        except Exception as error:  # noqa: BLE001 - as below
            self._put_off_by(error, self._look)
            return None

    def _try(self, message: Message, reading: Reading) -> object:
        """Do what a message asks for, and return the answer; an error puts it off."""
        try:  # two kinds apart: as partials of the engine's methods they would cost a fifth more a run
            if isinstance(message, Flight):
                self._engine.end(message, reading)
            elif isinstance(message, Entry):
                self._engine.add(message, reading)
            else:
                return message(reading)
        except StoreError:  # the whole turn is taken back
            raise
        except Exception as error:  # noqa: BLE001 - an error about one task must not stop the others
            self._put_off_by(error, message)
        return None

    def _put_off_by(self, error: Exception, message: Message) -> None:
        log("an error in the scheduler; trying again in 1 s", error=error)
        self._put_off.append(message)
        if self._again_at is None:
            self._again_at = self.reading.steady + AGAIN

    def _try_again(self, reading: Reading) -> None:
        messages, self._put_off, self._again_at = self._put_off, [], None
        for message in messages:
            self._try(message, reading)

    def _look(self, reading: Reading) -> bool:
        """Decide about what is due; tell whether a task was."""
        due = self._engine.store.due(reading, _TURN)
        for entry in due:
            try:  # here, since a partial for each would cost a run 2% more
                self._engine.plan(entry, reading)
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - as above
                self._put_off_by(error, partial(self._engine.plan, entry))
        for flight in self._engine.store.timers(reading):
            self._try(partial(self._engine.wake, flight), reading)
        return bool(due)

    def _hand_over(self) -> None:
        engine, workers = self._engine, self._workers
        for flight in engine.asked:
            workers.coroutines.ask(flight)
        engine.asked.clear()
        if engine.starts:
            starts, engine.starts = engine.starts, []
            workers.start(starts)

    def _tell(self) -> None:
        watches, self._watches = self._watches, []
        for over, told in watches:
            try:
                if not (self.over or told.cancelled() or over()):
                    self._watches.append((over, told))
                elif told.set_running_or_notify_cancel():
                    told.set_result(None)
            except StoreError:  # the next turn may succeed
                self._watches.append((over, told))
            except Exception as error:  # noqa: BLE001 - whoever waits raises it
                told.set_exception(error)

    # ---- the drain -----------------------------------------------------------------------------------------------

    def begin_drain(self, timeout: int, at_exit: bool, reading: Reading) -> None:
        """Start what is due and drop what comes later, then end within this many microseconds, or as said before."""
        ends_at = self.reading.steady + timeout
        self._drain_ends_at = ends_at if self._drain_ends_at is None else min(ends_at, self._drain_ends_at)
        self._drop(at_exit, reading)

    def _drop(self, at_exit: bool, reading: Reading) -> None:
        self._try_again(reading)  # it may hold what is due
        while self._until_due(reading) == 0:
            self._try(self._look, reading)
        dropped = [entry.name for entry in self.tasks() if self._try(partial(self._engine.drain, entry), reading)]
        self.dropped += dropped
        if dropped and at_exit:
            message = "the program is ending: later occurrences of %d task(s) are dropped: %s%s"
            remedy = "" if self.joined else "; call join() to wait"  # else Ctrl+C has ended the wait
            log(message, len(dropped), named(dropped), remedy, level=logging.WARNING)

    def _is_drained(self) -> bool:
        return self.is_idle()

    def _end_drain(self, reading: Reading) -> None:
        self.closed = True
        self.settle(reading)  # first, so that what the end of the workers cuts short is abandoned
        self._workers.stop()
        self.over = True

    def settle(self, reading: Reading) -> None:
        """After the drain, do what messages ask for, and abandon what starts or still runs."""
        with self._settling:
            self._try_again(reading)
            while self._inbox.qsize():
                for message in self.take():
                    self._try(message, reading)
                    if self.off:  # before anything is due
                        self._end([message] if isinstance(message, Entry) else self.tasks(), reading)
            while self._try(self._look, reading):
                pass
            if not self.off:
                self._end(self.tasks(), reading)
            self._try_again(reading)  # for the last time
            self._engine.starts.clear()
            self._hand_over()  # to their coroutines, that they are to end
            if self._put_off:
                runs = len(self._engine.store.in_flight)
                log("the store failed until the end; %d run(s) stay without a record", runs)

    def _end(self, entries: Iterable[Entry], reading: Reading) -> None:
        for entry in entries:
            self._try(partial(self._engine.end_drain, entry), reading)


def _order(flight: Flight) -> tuple[int, bool, int]:
    """Order runs by time, wall-clock kinds first, then by when the task was added."""
    entry = flight.entry
    due_at = jittered(entry.rule, flight.run.at, entry.state.anchor) + flight.run.offset
    return due_at, not entry.rule.on_wall, entry.order
