"""An event loop on virtual time: `asyncio.sleep()` and timeouts take as much of it as they say, all else takes none."""

from __future__ import annotations

import asyncio
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar, TypeVarTuple, cast

from ..clock import SECOND, VirtualClock

_T = TypeVar("_T")
_Args = TypeVarTuple("_Args")
Events: TypeAlias = list[Any]  # what a selector has found


class VirtualLoop:
    """The event loop of a scheduler on a virtual clock; it runs in whatever thread moves the clock."""

    def __init__(self, clock: VirtualClock, loop: AbstractEventLoop | None = None, *, began_at: float = 0) -> None:
        self.loop = cast(Any, asyncio.SelectorEventLoop() if loop is None else loop)  # with its insides
        self.clock = clock
        self._offset = round(began_at * SECOND) - clock.read().steady  # from the clock's time to the loop's
        self._idle = False  # it waits for a timer, or for nothing that it knows of
        self._next_at: int | None = None  # when its next timer is due, by the clock
        self._threads = 0  # that work for it
        self._select: Callable[[float | None], Events] = self.loop._selector.select
        self._run_in_executor: Callable[..., asyncio.Future[Any]] = self.loop.run_in_executor
        self._replaced: list[tuple[object, str, object]] = []
        self._replace(self.loop, "time", self.time)
        self._replace(self.loop, "run_in_executor", self.run_in_executor)
        self._replace(self.loop, "_clock_resolution", 0.6 / SECOND)  # what is further away, is a microsecond away
        self._replace(self.loop._selector, "select", self.select)

    def start(self) -> None:
        """Do nothing: it needs no thread."""

    def is_here(self) -> bool:
        return asyncio._get_running_loop() is self.loop

    def run_ready(self) -> None:
        """Run it, if anything is to be done, until it waits for a timer, or for nothing that it knows of."""
        if self.loop._ready or not self._idle or self.until_next() == 0:  # in this order
            self._run_until_idle()

    def _run_until_idle(self) -> None:
        self._idle = False
        while not self._idle:  # else a coroutine has stopped it
            with suppress(SystemExit):  # of an asyncio task that a run started
                self.loop.run_forever()

    def until_next(self) -> int | None:
        """Return the microseconds until its next timer; None when there is none."""
        return None if self._next_at is None else max(0, self._next_at - self.clock.read().steady)

    def stop(self) -> None:
        """Cancel what is still active, give it as much time as it needs to clean up, and close the loop."""
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        while any(not task.done() for task in tasks):
            self._run_until_idle()
            if (wait := self.until_next()) is None:
                break
            self._offset += wait  # ahead of the clock
        self.loop.call_soon(asyncio.ensure_future, self.loop.shutdown_asyncgens())
        self.run_ready()
        self.loop.close()

    # ---- in the place of the loop's own methods ------------------------------------------------------------------

    def time(self) -> float:
        return (self.clock.read().steady + self._offset) / SECOND

    def select(self, timeout: float | None = None) -> Events:
        """Look for events; where the loop would wait for a timer, or for nothing that it knows of, it is idle."""
        if timeout is not None and timeout <= 0:
            return self._select(0)
        events = self._select(None if self._threads else 0)  # a thread reports through a socket
        if events:
            return events
        self._next_at = None if timeout is None else self.clock.read().steady + round(timeout * SECOND)
        self._idle = True
        return self._rest()

    def _rest(self) -> Events:
        self.loop.stop()
        return []

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Args], _T], *args: *_Args
    ) -> asyncio.Future[_T]:
        """Let time stand still while the thread works."""
        helpers = self.clock._relay.helpers

        def help_with() -> _T:
            helpers.add(threading.current_thread())
            try:
                return func(*args)
            finally:
                helpers.discard(threading.current_thread())

        future = self._run_in_executor(executor, help_with)
        self._threads += 1
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _future: object) -> None:
        self._threads -= 1

    def _replace(self, owner: object, name: str, stand_in: object) -> None:
        self._replaced.append((owner, name, vars(owner).get(name)))
        setattr(owner, name, stand_in)

    def _put_back(self) -> None:
        for owner, name, own in self._replaced:
            if own is None:  # its class has it
                delattr(owner, name)
            else:
                setattr(owner, name, own)
