"""The driver on the machine's clock: a thread that sleeps until the next turn, and those who wait for it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Final

from ..clock import MICROSECOND, SECOND, Clock
from ..threads import NO_LOOP, running_loop
from .entries import Entry
from .logs import log
from .loop import PATIENCE_S, Loop
from .process import generation

_LONGEST_SLEEP: Final = SECOND  # within this time a suspended machine or a stepped clock is noticed


class Sleeper:
    """Takes a loop's turns."""

    def __init__(self, loop: Loop, clock: Clock) -> None:
        self._loop, self._clock = loop, clock
        self._ended = threading.Event()  # Ctrl+C in is_alive() or join() makes them say that it has (Python 3.11)
        self._generation = generation()
        self._thread = threading.Thread(target=self._run, name="panther_schedule", daemon=True)
        self.start, self.is_alive = self._thread.start, self._thread.is_alive

    def is_here(self) -> bool:
        return threading.current_thread() is self._thread

    def acknowledge(self, done: threading.Event) -> None:
        """Wait until a command is done, up to a second; a stuck loop runs it later."""
        if not self._loop.over and not self.is_here():
            done.wait(PATIENCE_S)

    def join(self, over: Callable[[], bool], timeout: timedelta | None, _tasks: Callable[[], list[Entry]]) -> bool:
        """Wait until something is over, or the loop has ended; False when the timeout came first."""
        told = self._loop.watch(over)
        try:
            for seconds in self._spans(timeout):
                with suppress(TimeoutError):
                    told.result(seconds)
                    return True
            return self._loop.over
        finally:
            told.cancel()

    async def wait(
        self, over: Callable[[], bool], timeout: timedelta | None, _tasks: Callable[[], list[Entry]]
    ) -> bool:
        """Wait as `join()` does, without blocking the event loop."""
        running_loop("wait()", NO_LOOP)
        told = self._loop.watch(over)
        waiting = asyncio.wrap_future(told)
        try:
            for seconds in self._spans(timeout):
                done, _ = await asyncio.wait([waiting], timeout=seconds)
                if done:
                    waiting.result()
                    return True
            return self._loop.over
        finally:
            told.cancel()

    def _spans(self, timeout: timedelta | None) -> Iterator[float]:
        """Yield the seconds to wait next: one at most, since a loop may end without a word."""
        ends_at = None if timeout is None else self._clock.read().steady + timeout // MICROSECOND
        left = 1.0
        while left > 0 and not self._loop.over:
            left = 1 if ends_at is None else (ends_at - self._clock.read().steady) / SECOND
            yield max(0, min(1, left))

    def finish(self) -> None:
        """Wait until the thread has ended."""
        if self._thread.ident is not None and not self.is_here():
            while not self._ended.wait(1):
                if generation() != self._generation:  # in a child process it never ends
                    return
            self._thread.join()

    def _run(self) -> None:
        loop, read, wait = self._loop, self._clock.read, None
        try:
            while not loop.over:
                messages = loop.take(_LONGEST_SLEEP if wait is None else min(_LONGEST_SLEEP, wait))
                wait = loop.turn(messages, read())
        except BaseException as error:
            log("the scheduler's thread died; no task will run again", level=logging.CRITICAL, error=error)
            loop.broken, loop.over = error, True
            raise
        finally:
            self._ended.set()
