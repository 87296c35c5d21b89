"""A scheduler that runs nothing, since the process is told so: what is added to it ends at once."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from functools import partial
from queue import SimpleQueue

from ..clock import Clock, Reading
from .engine import Engine
from .entries import Entry, Flight
from .hosts import DISABLED
from .logs import log
from .loop import Loop, Message
from .workers import Workers


class Nobody(Workers):
    """Calls no functions."""

    def start(self, flights: list[Flight]) -> None:
        pass


class Idle(Loop):
    """A loop that is over before it begins, so that it needs no driver, and is its own."""

    def __init__(self, inbox: SimpleQueue[Message], engine: Engine, workers: Workers, clock: Clock) -> None:
        super().__init__(inbox, engine, workers, clock.read())
        self._clock = clock
        self.closed = self.over = True

    def settle(self, reading: Reading) -> None:
        """Do what messages ask for, and end the tasks that it is about before anything is due."""
        with self._settling:
            while messages := self.take():
                for message in messages:
                    self._try(message, reading)
                    for entry in [message] if isinstance(message, Entry) else self.tasks():
                        self._try(partial(self._engine.end_drain, entry), reading)

    def start(self) -> None:
        log("%s=1 is set: this process runs no tasks", DISABLED, level=logging.WARNING)

    def is_alive(self) -> bool:
        return False

    def acknowledge(self, _done: threading.Event) -> None:
        self.settle(self._clock.read())

    def join(self, _over: object, _timeout: timedelta | None, _tasks: object) -> bool:
        return True

    async def wait_for(self, _over: object, _timeout: timedelta | None, _tasks: object) -> bool:
        return True

    def finish(self) -> None:
        pass
