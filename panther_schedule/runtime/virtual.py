"""The scheduler on a virtual clock: it takes its turns, and calls functions, in the thread that moves the clock."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from datetime import timedelta

from ..clock import MICROSECOND, VirtualClock
from ..errors import SchedulerStateError
from ..planning.due import has_ended
from .engine import Engine
from .entries import Entry, Flight
from .listeners import Listeners
from .loop import PATIENCE_S, Loop
from .workers import Post, Workers


class Inline(Workers):
    """Calls functions one after the other; coroutines are awaited on an event loop."""

    def __init__(self, clock: VirtualClock, engine: Engine, post: Post) -> None:
        super().__init__(clock, engine, post)
        self._pending: deque[Flight] = deque()
        self._thread: threading.Thread | None = None  # that calls a function now
        self._awaited: tuple[Flight, threading.Event] | None = None

    def start(self, flights: list[Flight]) -> None:
        self._pending.extend(flights)

    def runs_here(self) -> bool:
        return self._thread is threading.current_thread() or super().runs_here()

    def stop(self) -> None:
        self._pending.clear()
        super().stop()

    def call_next(self) -> bool:
        """Call the next function; False when there is none. A function that moves the clock comes back here."""
        if not self._pending:
            return False
        flight = self._pending.popleft()
        outer, self._thread = self._thread, threading.current_thread()
        try:
            begun = self.call(flight)
            if begun is not None:
                self._awaited = flight, threading.Event()
                self.coroutines.adopt(flight, begun)
                self._awaited[1].wait()
        finally:
            self._thread = outer
        return True

    def end(self, flight: Flight, error: BaseException | None, obeyed: bool) -> None:
        super().end(flight, error, obeyed)
        if self._awaited is not None and self._awaited[0] is flight:
            self._awaited[1].set()


class Mover:
    """The driver on a virtual clock: it takes turns whenever the clock moves."""

    def __init__(self, loop: Loop, clock: VirtualClock, workers: Inline, listeners: Listeners) -> None:
        self._loop, self._clock, self._workers, self._listeners = loop, clock, workers, listeners

    def start(self) -> None:
        self._clock._drives.append(self)

    def is_alive(self) -> bool:
        return self in self._clock._drives

    def acknowledge(self, _done: threading.Event) -> None:
        """Do a command at once, or later if another thread moves the clock: it may wait for the coroutine that asks."""
        patience = PATIENCE_S if asyncio._get_running_loop() is None else 0
        if not self._loop.over and self._clock._moving.acquire(timeout=patience):
            try:
                self.run_due()
            finally:
                self._clock._moving.release()

    def join(self, over: Callable[[], bool], timeout: timedelta | None, tasks: Callable[[], list[Entry]]) -> bool:
        """Move the clock until something about these tasks is over; False when the timeout comes first."""
        end = None if timeout is None else self._clock.read().steady + timeout // MICROSECOND
        self.run_due()
        while not (over() or self._loop.over):
            counts = [entry.rule.n for entry in tasks() if not has_ended(entry.rule, entry.state)]
            if end is None and counts and set(counts) == {-1}:
                raise SchedulerStateError(
                    "join() would move the virtual clock for ever: these tasks have no last run; "
                    "give join() a timeout, or use the clock's advance()"
                )
            wait = self._clock._wait()
            if wait is None or (end is not None and self._clock.read().steady + wait > end):
                return False
            self._clock.advance(MICROSECOND * wait)
        return True

    def finish(self) -> None:
        if self.is_alive():
            self.run_due()
            while not self._loop.over:
                self._clock.advance(MICROSECOND * (self.wait() or 0))
            self._clock._drives.remove(self)

    def wait(self) -> int | None:
        return self._loop.wait(self._clock.read())

    def run_due(self) -> int | None:
        """Take turns until nothing is due; return the microseconds until the next one."""
        loop, call_next, read = self._loop, self._workers.call_next, self._clock.read
        with self._clock._moving:  # so that another thread, such as the event loop's, can't move it meanwhile
            while not loop.over:
                wait = loop.turn(loop.take(), read())
                if call_next():
                    continue
                if self._listeners:  # which may have something done
                    self._listeners.flush()
                    wait = self.wait()
                if wait != 0:
                    return wait
        return None
