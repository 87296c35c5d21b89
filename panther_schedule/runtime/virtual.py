"""The loop on a virtual clock: no thread, but a place among what the clock drives, and runs in the calling thread."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from ..clock import MICROSECOND, Driver, Reading, VirtualClock
from ..errors import SchedulerStateError
from .entries import Entry, Flight
from .listeners import Listeners
from .loop import ACKNOWLEDGED_S, Loop
from .messages import Command, Do
from .workers import Workers


class VirtualLoop(Loop):
    """Takes its turns whenever the clock moves, in the thread that moves it."""

    def __init__(
        self,
        clock: VirtualClock,
        workers: Callable[[Callable[[Any], None]], Workers],
        listeners: Listeners,
        tasks: dict[int | str, Entry],
        lock: AbstractContextManager[Any],
    ) -> None:
        super().__init__(clock, workers, listeners, tasks, lock)
        self._virtual = clock
        self._driver: Driver | None = None
        self._pending: deque[Flight] = deque()  # runs that start; there is only one thread for them

    def start(self) -> None:
        """Begin."""
        self._driver = Driver(self._wait, self._run_until_quiet)
        self._virtual.attach(self._driver)

    @property
    def alive(self) -> bool:
        """The clock drives it."""
        return self._driver is not None

    def do(self, command: Command) -> None:
        """Do something at once, or later if another thread moves the clock: it may wait for a coroutine that asks."""
        self.post(Do(command, threading.Event()))
        patience = ACKNOWLEDGED_S if asyncio._get_running_loop() is None else 0
        if not self._done and self._virtual.moving.acquire(timeout=patience):
            try:
                self._run_until_quiet()
            finally:
                self._virtual.moving.release()

    def finish_stop(self) -> None:
        """Move the clock until the drain has ended."""
        if self._driver is not None:
            self._run_until_quiet()
            while not self._done:
                self._virtual.advance(MICROSECOND * (self._wait(self.clock.read()) or 0))
            self.detach()

    def detach(self) -> None:
        """Leave the clock."""
        if self._driver is not None:
            self._virtual.detach(self._driver)
            self._driver = None

    def _hand_over(self, flights: list[Flight]) -> None:
        if self.workers.inline:
            self._pending.extend(flights)
        else:
            self.workers.start(flights)

    def _run_pending(self) -> None:
        # a run that takes virtual time comes back here, and lets its neighbours begin; or the drain ends meanwhile
        while self._pending and not self._done:
            finished = self.workers.run_inline(self._pending.popleft())
            if not self._done:  # else it was abandoned
                self._handle(finished, self.clock.read())
                self._flush()

    def _wait(self, reading: Reading) -> int | None:
        if self._done:
            return None
        if self._inbox.qsize() or self._pending:
            return 0
        wait = self.store.timetable.wait(reading)
        if self._drain_ends_at is None and not self._later:
            return wait
        waits = [at - reading.steady for at, _command in self._later]
        if wait is not None:
            waits.append(wait)
        if self._drain_ends_at is not None:
            waits.append(self._drain_ends_at - reading.steady)
        return max(0, min(waits)) if waits else None

    def _run_until_quiet(self) -> None:
        with self._virtual.moving:  # so that another thread, such as the event loop's, can't move it meanwhile
            self._run_pending()
            while not self._done:
                reading = self.clock.read()
                while self._inbox.qsize():
                    self._handle(self._inbox.get(), reading)
                self.reading = reading
                self._turn(reading)
                self._run_pending()
                self.listeners.flush()
                if self._wait(self.clock.read()) != 0:
                    return

    def _await(self, over: Callable[[], bool], timeout: timedelta | None, tasks: Callable[[], list[Entry]]) -> bool:
        """Move the clock until something is over; tell whether that came before the timeout."""
        end = None if timeout is None else self.clock.steady() + timeout // MICROSECOND
        self._run_until_quiet()
        while not (over() or self._done):
            waited_for = tasks()
            if end is None and waited_for and all(entry.rule.n == -1 for entry in waited_for):
                raise SchedulerStateError(
                    "join() would move the virtual clock for ever: these tasks have no last run; "
                    "give join() a timeout, or use the clock's advance()"
                )
            wait = self._virtual.next_wait()
            if wait is None or (end is not None and self.clock.steady() + wait > end):
                return False
            self._virtual.advance(MICROSECOND * wait)
        return True
