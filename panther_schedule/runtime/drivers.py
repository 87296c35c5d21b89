"""What takes a loop's turns: a thread that sleeps until the next one, or a virtual clock that is moved to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from ..clock import MICROSECOND, SECOND, Clock, Drive, VirtualClock
from ..errors import SchedulerStateError
from .entries import Entry
from .listeners import Listeners
from .loop import LONGEST_SLEEP, Command, Loop
from .workers import Inline

_PATIENCE_S = 1.0  # a stuck loop does not hold a caller for longer


class Driver(Protocol):
    """What takes a loop's turns."""

    @property
    def alive(self) -> bool:
        """It takes turns."""
        ...

    def start(self) -> None:
        """Begin."""
        ...

    def do(self, command: Command | threading.Event) -> None:
        """Run a command, or wait for one that was sent, at most a second; a loop that is stuck runs it later."""
        ...

    def wait(self, over: Callable[[], bool], timeout: timedelta | None, tasks: Callable[[], list[Entry]]) -> bool:
        """Wait until something is over, or the loop has ended; tell whether that came before the timeout.

        `tasks` are those that are waited for.
        """
        ...

    def finish(self) -> None:
        """Wait until the drain has ended."""
        ...

    def forget(self) -> None:
        """Take no more turns: the process was forked."""
        ...


class Sleeper:
    """A thread that sleeps until the next turn."""

    def __init__(self, loop: Loop, clock: Clock) -> None:
        self._loop, self._clock = loop, clock
        self._thread = threading.Thread(target=self._run, name="panther_schedule", daemon=True)

    @property
    def alive(self) -> bool:
        """Its thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def do(self, command: Command | threading.Event) -> None:
        """Run a command on the thread, and wait for it."""
        done = command if isinstance(command, threading.Event) else self._loop.send(command)
        if not self._loop.over and threading.current_thread() is not self._thread:
            done.wait(_PATIENCE_S)

    def wait(self, over: Callable[[], bool], timeout: timedelta | None, tasks: Callable[[], list[Entry]]) -> bool:  # noqa: ARG002 - a protocol's signature
        """Wait until the thread finds something over."""
        told = self._loop.watch(over)
        deadline = None if timeout is None else self._clock.read().steady + timeout // MICROSECOND
        while not self._loop.over:
            left = SECOND if deadline is None else min(SECOND, deadline - self._clock.read().steady)
            if told.wait(max(0, left) / SECOND):
                return True
            if left <= 0:
                return False
        return True

    def finish(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join()

    def forget(self) -> None:
        """Do nothing: the thread stayed with the parent."""

    def _run(self) -> None:
        loop, read, wait = self._loop, self._clock.read, None
        try:
            while not loop.over:
                messages = loop.take(LONGEST_SLEEP if wait is None else min(LONGEST_SLEEP, wait))
                wait = loop.turn(messages, read())
        except BaseException as error:
            loop.fail(error)
            raise


class Mover:
    """A virtual clock: turns are taken whenever it moves, in the thread that moves it."""

    def __init__(self, loop: Loop, clock: VirtualClock, workers: Inline, listeners: Listeners) -> None:
        self._loop, self._clock, self._workers, self._listeners = loop, clock, workers, listeners
        self._drive = Drive(self._wait, self._run_due)
        self.alive = False

    def start(self) -> None:
        """Begin."""
        self._clock.attach(self._drive)
        self.alive = True

    def do(self, command: Command | threading.Event) -> None:
        """Run a command at once, or later if another thread moves the clock: it may wait for a coroutine that asks."""
        if not isinstance(command, threading.Event):
            self._loop.send(command)
        patience = _PATIENCE_S if asyncio._get_running_loop() is None else 0
        if not self._loop.over and self._clock.moving.acquire(timeout=patience):
            try:
                self._run_due()
            finally:
                self._clock.moving.release()

    def wait(self, over: Callable[[], bool], timeout: timedelta | None, tasks: Callable[[], list[Entry]]) -> bool:
        """Move the clock until something is over."""
        end = None if timeout is None else self._clock.read().steady + timeout // MICROSECOND
        self._run_due()
        while not (over() or self._loop.over):
            waited_for = tasks()
            if end is None and waited_for and all(entry.rule.n == -1 for entry in waited_for):
                raise SchedulerStateError(
                    "join() would move the virtual clock for ever: these tasks have no last run; "
                    "give join() a timeout, or use the clock's advance()"
                )
            wait = self._clock.next_wait()
            if wait is None or (end is not None and self._clock.read().steady + wait > end):
                return False
            self._clock.advance(MICROSECOND * wait)
        return True

    def finish(self) -> None:
        """Move the clock until the drain has ended."""
        if self.alive:
            self._run_due()
            while not self._loop.over:
                self._clock.advance(MICROSECOND * (self._wait() or 0))
            self.forget()

    def forget(self) -> None:
        """Leave the clock."""
        if self.alive:
            self._clock.detach(self._drive)
            self.alive = False

    def _wait(self) -> int | None:
        return self._loop.wait(self._clock.read())

    def _run_due(self) -> int | None:
        """Take turns until nothing is due; return the microseconds until the next one."""
        loop, workers, read = self._loop, self._workers, self._clock.read
        with self._clock.moving:  # so that another thread, such as the event loop's, can't move it meanwhile
            while not loop.over:
                wait = loop.turn(loop.take(), read())
                if not workers.call_next():
                    if self._listeners:  # which may have something done
                        self._listeners.flush()
                        wait = self._wait()
                    if wait != 0:
                        return wait
        return None
