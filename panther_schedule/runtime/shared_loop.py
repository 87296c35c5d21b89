"""The loop of a shared store: each turn is kept as a whole, or not at all, and tried again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import Any, TypeAlias

from ..clock import Reading
from ..errors import SchedulerStateError, StoreError
from .engine import Command, Engine
from .entries import Flight
from .logs import log, named
from .loop import AGAIN, Drain, Loop, Message
from .stores import SharedStore
from .workers import Workers

Do: TypeAlias = Callable[[list[Message], Reading], object]  # what a turn does with its messages


class Call:
    """A command whose caller waits until it is kept, and is told what went wrong."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self.done = threading.Event()
        self.error: Exception | None = None
        self.answer: Any = None

    def __call__(self, reading: Reading) -> None:
        try:
            self.answer = self._command(reading)
        except StoreError:  # of the whole turn
            raise
        except Exception as error:  # noqa: BLE001 - the caller raises it
            self.error = error

    def fail(self, error: Exception) -> None:
        self.error = error
        self.done.set()


class SharedLoop(Loop):
    """The loop of one scheduler among those that share a store; it goes by the wall clock.

    What it does not run itself is left to the others: off, it goes on, and at its end it drops nothing.
    """

    def __init__(
        self, store: SharedStore, inbox: SimpleQueue[Message], engine: Engine, workers: Workers, now: Reading, off: bool
    ) -> None:
        super().__init__(inbox, engine, workers, now, off=off)
        self.closed = self.over = False
        self._store = store
        self._kept: list[Message] = []  # of turns that failed
        self.failing = False  # the store has failed, and the turn is to be tried again
        self._left = False
        self.post(engine.check_clock)

    def is_idle(self) -> bool:
        return self._store.is_idle()

    def has(self, flight: Flight) -> bool:
        return flight in self._store.own()

    # ---- turns ---------------------------------------------------------------------------------------------------

    def _see_to(self, messages: Iterable[Message], reading: Reading) -> bool:
        messages = [*messages]
        if not messages and not self._engine.stepped and self.until_next(reading) != 0:
            return False
        for message in messages:
            if isinstance(message, Drain):  # even while the store fails
                message(reading)
        room = None if self.off or self.stopping else self._workers.room()
        put_off, stepped = [*self._put_off], self._engine.stepped
        self._keep(self._turn, messages, room)
        if self.failing:
            self._put_off, self._engine.stepped = put_off, stepped
            self._again_at = reading.steady + AGAIN
        return True

    def _turn(self, messages: Iterable[Message], reading: Reading) -> None:
        if self._engine.hear not in self._put_off:
            self._try(self._engine.hear, reading)  # first, since it happened before
        super()._see_to(messages, reading)

    def _keep(self, do: Do, messages: list[Message], room: int | None) -> None:
        """Do this with the messages in one transaction, at the time when no other process is in a turn.

        When the store fails, calls are told so, and the other messages stay for the next turn.
        """
        messages = [*self._kept, *messages]
        try:
            with self._store.turn(self._now(), room):
                do(messages, self._now())
        except Exception as error:  # noqa: BLE001 - one that is no StoreError, too: as of a file that was damaged
            self._take_back(error, messages)
            return
        if self.failing:
            log("the store works again", level=logging.WARNING)
        self._kept, self.failing = [], False
        after, self._engine.after = self._engine.after, []
        for act in after:
            act()
        for message in messages:
            if isinstance(message, Call):
                message.done.set()

    def _now(self) -> Reading:
        wall = self._workers._now(True)
        return Reading(wall, wall)

    def _take_back(self, error: Exception, messages: list[Message]) -> None:
        for undone in (self._engine.after, self._engine.starts, self._engine.asked):
            undone.clear()
        if not self.failing:
            message = "the store failed, so runs wait; trying again each second: %s"
            log(message, error, error=None if isinstance(error, StoreError) else error)
        self.failing = True
        self._kept = _without_calls(messages, error)

    def _until_due(self, reading: Reading) -> int | None:
        return None if self.failing else super()._until_due(reading)

    def _look(self, reading: Reading) -> bool:
        found = super()._look(reading)
        for flight in self._store.lost():
            self._engine.lose(flight, reading)
        self._engine.asked += self._store.asked()
        return found

    # ---- the drain -----------------------------------------------------------------------------------------------

    def _drop(self, at_exit: bool, reading: Reading) -> None:
        """Leave what is due, and what comes later, to others."""

    def _is_drained(self) -> bool:
        return not self._store.in_flight

    def settle(self, reading: Reading) -> None:  # noqa: ARG002 - the time is read when the store is locked
        """Take the last turn, and leave the store; whoever asks later is told so."""
        with self._settling:
            messages = list[Message]()
            while self._inbox.qsize():
                messages += self.take()
            messages = _without_calls(messages, SchedulerStateError("the scheduler has stopped; call start() to go on"))
            if not self._left:
                self._left = True
                self._keep(self._leave, messages, None)
                if self.failing:
                    log("the store failed until the end; the runs that were active will be found lost")
                self._store.close()
            self._engine.starts.clear()
            self._hand_over()

    def _leave(self, messages: Iterable[Message], reading: Reading) -> None:
        """Keep how functions have ended, and leave the runs of the others to other processes."""
        engine = self._engine
        for message in messages:
            self._try(message, reading)
        if cut := [flight.entry.name for flight in self._store.in_flight]:
            words = "the scheduler ends before %d of its runs, whose attempts are lost: %s"
            log(words, len(cut), named(cut), level=logging.WARNING)
        for flight in self._store.own():
            engine.lose(flight, reading)
            flight.asked = True  # else its coroutine would go on, on an event loop that outlives us
            engine.asked.append(flight)


def _without_calls(messages: list[Message], error: Exception) -> list[Message]:
    """Return the messages that nobody waits for; the callers of the others are told of this error."""
    for message in messages:
        if isinstance(message, Call):
            message.fail(error)
    return [message for message in messages if not isinstance(message, Call)]
