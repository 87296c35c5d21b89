"""An event loop on virtual time: `asyncio.sleep()` and timeouts take as much of it as they say, all else takes none."""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import TypeVar, TypeVarTuple

from ..clock import SECOND, VirtualClock

_T = TypeVar("_T")
_Args = TypeVarTuple("_Args")


class _Selector(selectors.DefaultSelector):
    """Stops its event loop where that would wait for a timer."""

    loop: _Loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        idle = timeout is None or timeout > 0
        events = super().select(None if self.loop.threads and idle else 0)  # a thread reports through a socket
        if not events and idle:
            self.loop.idle_for = timeout
            self.loop.stop()
        return events


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, steady: Callable[[], int], helpers: set[threading.Thread]) -> None:
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)
        self._steady, self._start, self._helpers = steady, steady(), helpers
        self._clock_resolution = 1 / SECOND
        self.ahead = 0  # of the clock, while it ends
        self.threads = 0  # that work for it
        self.idle_for: float | None = None  # seconds until the next timer

    def time(self) -> float:
        return (self._steady() - self._start + self.ahead) / SECOND

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Args], _T], *args: *_Args
    ) -> asyncio.Future[_T]:
        def help_with() -> _T:
            self._helpers.add(threading.current_thread())
            try:
                return func(*args)
            finally:
                self._helpers.discard(threading.current_thread())

        future = super().run_in_executor(executor, help_with)
        self.threads += 1
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _future: object) -> None:
        self.threads -= 1


class VirtualLoop:
    """The event loop of a scheduler on a virtual clock; it runs in whatever thread moves the clock."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.loop = _Loop(self._steady, clock._relay.helpers)
        self._next_at: int | None = None

    def _steady(self) -> int:
        return self._clock.read().steady

    def start(self) -> None:
        """Do nothing: it needs no thread."""

    def is_here(self) -> bool:
        return asyncio._get_running_loop() is self.loop

    def run_ready(self) -> None:
        """Run it until it waits for a timer, or for nothing that it knows of."""
        loop, idle = self.loop, False
        while not idle:
            loop.idle_for = -1
            with suppress(SystemExit):  # of an asyncio task that a run started
                loop.run_forever()
            idle = loop.idle_for != -1  # else a coroutine has stopped it
        self._next_at = None if loop.idle_for is None else self._steady() + round(loop.idle_for * SECOND)

    def wait(self) -> int | None:
        """Return the microseconds until its next timer; None when there is none."""
        return None if self._next_at is None else max(0, self._next_at - self._steady())

    def stop(self) -> None:
        """Cancel what is still active, give it as much time as it needs to clean up, and close the loop."""
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        while any(not task.done() for task in tasks):
            self.run_ready()
            if self.loop.idle_for is None:
                break
            self.loop.ahead += round(self.loop.idle_for * SECOND)
        self.loop.call_soon(asyncio.ensure_future, self.loop.shutdown_asyncgens())
        self.run_ready()
        self.loop.close()
