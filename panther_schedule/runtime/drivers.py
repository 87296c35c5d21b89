"""What takes a loop's turns; here, a thread that sleeps until the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Final, Protocol

from ..clock import MICROSECOND, SECOND, Clock
from .entries import Entry
from .loop import LONGEST_SLEEP, Loop

PATIENCE_S: Final = 1.0  # a stuck loop does not hold a caller for longer


class Driver(Protocol):
    """What takes a loop's turns; `Sleeper` says what each method does."""

    def start(self) -> None: ...
    def is_alive(self) -> bool: ...
    def acknowledge(self, done: threading.Event) -> None: ...
    def wait(self, over: Callable[[], bool], timeout: timedelta | None, tasks: Callable[[], list[Entry]]) -> bool: ...
    def finish(self) -> None: ...
    def forget(self) -> None: ...


class Sleeper:
    """A thread that sleeps until the next turn."""

    def __init__(self, loop: Loop, clock: Clock) -> None:
        self._loop, self._clock = loop, clock
        self._thread = threading.Thread(target=self._run, name="panther_schedule", daemon=True)
        self.start, self.is_alive, self.finish = self._thread.start, self._thread.is_alive, self._thread.join

    def acknowledge(self, done: threading.Event) -> None:
        """Wait until a command is done, up to a second; a stuck loop runs it later."""
        if not self._loop.over and threading.current_thread() is not self._thread:
            done.wait(PATIENCE_S)

    def wait(self, over: Callable[[], bool], timeout: timedelta | None, tasks: Callable[[], list[Entry]]) -> bool:  # noqa: ARG002 - a virtual clock needs them
        """Wait until something about these tasks is over, or the loop has ended; False when the timeout came first."""
        told = self._loop.watch(over)
        deadline = None if timeout is None else self._clock.read().steady + timeout // MICROSECOND
        while not self._loop.over:
            left = SECOND if deadline is None else min(SECOND, deadline - self._clock.read().steady)
            if told.wait(max(0, left) / SECOND):
                return True
            if left <= 0:
                return False
        return True

    def forget(self) -> None:
        """Take no more turns, as the process was forked: the thread stayed with the parent."""

    def _run(self) -> None:
        loop, read, wait = self._loop, self._clock.read, None
        try:
            while not loop.over:
                messages = loop.take(LONGEST_SLEEP if wait is None else min(LONGEST_SLEEP, wait))
                wait = loop.turn(messages, read())
        except BaseException as error:
            loop.fail(error)
            raise
