"""A turn of a shared store: all of it is kept, or none of it and it is tried again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

from ..clock import Reading
from ..errors import SchedulerStateError, StoreError
from .engine import Command, Engine
from .logs import log
from .stores import SharedStore

Do: TypeAlias = Callable[[list[Any], Reading], None]  # what a turn does with its messages
Now: TypeAlias = Callable[[], Reading]


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


class Turns:
    """Takes the turns of one scheduler with a shared store."""

    def __init__(self, store: SharedStore, engine: Engine) -> None:
        self._store, self._engine = store, engine
        self._kept: list[Any] = []  # messages of turns that failed
        self.failing = False  # the store has failed, and the turn is to be tried again
        self._left = False

    def take(self, do: Do, messages: list[Any], now: Now, room: int | None) -> None:
        """Do this with the messages in one transaction, at the time when no other process takes a turn any more.

        When the store fails, calls are told so, and the other messages are kept for the next turn.
        """
        messages = [*self._kept, *messages]
        try:
            with self._store.turn(now(), room):
                do(messages, now())
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

    def leave(self, do: Do, messages: list[Any], now: Now) -> None:
        """Take the last turn, and leave the store; whoever asks later is told so."""
        if not self._left:
            self._left = True
            self.take(do, [message for message in messages if not isinstance(message, Call)], now, None)
            if self.failing:
                log("the store failed until the end; the runs that were active will be found lost")
            self._store.close()
        for message in messages:
            if isinstance(message, Call):
                message.fail(SchedulerStateError("the scheduler has stopped; call start() to go on"))

    def _take_back(self, error: Exception, messages: list[Any]) -> None:
        for undone in (self._engine.after, self._engine.starts, self._engine.asked):
            undone.clear()
        if not self.failing:
            message = "the store failed, so runs wait; trying again each second: %s"
            log(message, error, error=None if isinstance(error, StoreError) else error)
        self.failing = True
        self._kept = [message for message in messages if not isinstance(message, Call)]
        for message in messages:
            if isinstance(message, Call):
                message.fail(error)
