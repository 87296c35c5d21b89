"""What takes a loop's turns; here, a thread that sleeps until the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Final, Protocol

from typing_extensions import override

from ..clock import MICROSECOND, SECOND, Clock
from .entries import Entry
from .loop import LONGEST_SLEEP, Command, Loop

PATIENCE_S: Final = 1.0  # a stuck loop does not hold a caller for longer


class Driver(Protocol):
    """What takes a loop's turns."""

    alive: bool
    """It takes turns."""

    def start(self) -> None:
        """Begin."""

    def do(self, command: Command | threading.Event) -> None:
        """Run a command, or wait for one that was sent, up to a second; a stuck loop runs it later."""

    def wait(self, over: Callable[[], bool], timeout: timedelta | None, tasks: Callable[[], list[Entry]]) -> bool:
        """Wait until something about these tasks is over, or the loop has ended; False when the timeout came first."""
        ...

    def finish(self) -> None:
        """Wait until the drain has ended."""

    def forget(self) -> None:
        """Take no more turns: the process was forked."""


class Sleeper(Driver):
    """A thread that sleeps until the next turn."""

    def __init__(self, loop: Loop, clock: Clock) -> None:
        self._loop, self._clock = loop, clock
        self._thread = threading.Thread(target=self._run, name="panther_schedule", daemon=True)

    @property
    def alive(self) -> bool:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride] - only read
        """Its thread runs."""
        return self._thread.is_alive()

    @override
    def start(self) -> None:
        self._thread.start()

    @override
    def do(self, command: Command | threading.Event) -> None:
        done = command if isinstance(command, threading.Event) else self._loop.send(command)
        if not self._loop.over and threading.current_thread() is not self._thread:
            done.wait(PATIENCE_S)

    @override
    def wait(self, over: Callable[[], bool], timeout: timedelta | None, tasks: Callable[[], list[Entry]]) -> bool:
        told = self._loop.watch(over)
        deadline = None if timeout is None else self._clock.read().steady + timeout // MICROSECOND
        while not self._loop.over:
            left = SECOND if deadline is None else min(SECOND, deadline - self._clock.read().steady)
            if told.wait(max(0, left) / SECOND):
                return True
            if left <= 0:
                return False
        return True

    @override
    def finish(self) -> None:
        self._thread.join()

    @override
    def forget(self) -> None:
        pass  # the thread stayed with the parent

    def _run(self) -> None:
        loop, read, wait = self._loop, self._clock.read, None
        try:
            while not loop.over:
                messages = loop.take(LONGEST_SLEEP if wait is None else min(LONGEST_SLEEP, wait))
                wait = loop.turn(messages, read())
        except BaseException as error:
            loop.fail(error)
            raise
