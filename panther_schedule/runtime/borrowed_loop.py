"""The event loop that a scheduler on a virtual clock was entered in: a test's, or that of an app on another thread.

While the clock is moved, by any thread but its own, the loop is in the clock's time, and that thread waits whenever
the loop has something to do. In between, real time goes on for all that is awaited there, except for runs.
"""

from __future__ import annotations

import asyncio
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from heapq import heapify
from typing import Any, Final, TypeAlias, TypeVar, TypeVarTuple

from ..clock import VirtualClock
from ..errors import SchedulerStateError, type_name
from ..threads import taken_lock
from .current import flying
from .entries import Flight
from .virtual_loop import Events, VirtualLoop

_LOOK_S: Final = 0.05  # whether the loop has ended

_T = TypeVar("_T")
_Args = TypeVarTuple("_Args")
Active: TypeAlias = Callable[[Flight], bool]


def borrow(clock: VirtualClock, loop: AbstractEventLoop, is_active: Active) -> BorrowedLoop:
    """Put a loop on a clock's time for one more scheduler; refuse one that can't be, or that follows another clock."""
    if not hasattr(loop, "_selector"):
        raise SchedulerStateError(
            f"a VirtualClock can't move the time of {type_name(loop)}; run the test on asyncio's own event loop, "
            "or enter by `with`, so that async functions run on a loop of the scheduler's own"
        )
    borrowed = getattr(loop.time, "__self__", None)
    if not isinstance(borrowed, BorrowedLoop):
        borrowed = BorrowedLoop(clock, loop)
    if borrowed.clock is not clock:
        raise SchedulerStateError("this event loop follows another VirtualClock; give both schedulers the same one")
    borrowed.users.append(is_active)
    return borrowed


class BorrowedLoop(VirtualLoop):
    """An event loop that is not ours; several schedulers on one clock may share it."""

    def __init__(self, clock: VirtualClock, loop: AbstractEventLoop) -> None:
        self._real_time = loop.time
        self._flows_since: float | None = loop.time()  # by real time; None while the clock is moved
        self._home = threading.current_thread()
        self._runs_here = False
        self._set_aside: list[Any] = []  # timers of runs, while real time goes on
        self._settled: threading.Lock | None = None  # to release as soon as the loop is idle
        self.users: list[Active] = []  # of each scheduler, what tells its active runs
        super().__init__(clock, loop, began_at=loop.time())
        self._relay = clock._relay
        self._relay.loops.append(self)
        if self._relay.is_led():
            self.hold()

    def is_for_a_run(self) -> bool:
        """Tell whether the caller is a run on this loop."""
        return self.is_here() and flying.get() is not None

    def hold(self) -> None:
        """Let real time stand still, since somebody moves the clock."""
        self._post(self._hold)

    def release(self) -> None:
        """Let real time go on."""
        self._post(self._release)

    def _run_until_idle(self) -> None:
        """Wait for the loop's thread; a loop that stands still, and whose thread moves the clock, is run here."""
        if self.loop.is_running():
            self._wait_until_idle()
        elif self._can_run_here():
            self._runs_here = True
            try:
                super()._run_until_idle()
            finally:
                self._runs_here = self._idle = False

    def until_next(self) -> int | None:
        return super().until_next() if self.loop.is_running() or self._can_run_here() else None

    def leave(self, is_active: Active) -> None:
        """Give the loop back, if this was the last scheduler."""
        self.users.remove(is_active)
        if self.users:
            return
        self._relay.loops.remove(self)
        if self.is_here() or not self.loop.is_running():
            self._put_back()
            return
        self.run_ready()  # what was cancelled
        done = taken_lock()
        self._post(partial(self._put_back, done))
        self._wait_for(done)

    def _can_run_here(self) -> bool:
        return self._home in self._relay.members and not self.loop.is_closed()

    def _wait_until_idle(self) -> None:
        if super().until_next() == 0:
            self._post(_wake)
        while True:
            self._settled = settled = taken_lock()
            if not self.loop._ready and self._idle:  # in this order, the other way round of the loop's
                break
            if not self._wait_for(settled):
                break

    def _wait_for(self, lock: threading.Lock) -> bool:
        """Wait for the loop's thread; False when the loop has ended."""
        while not lock.acquire(timeout=_LOOK_S):
            if not self.loop.is_running():
                return False
        return True

    def _post(self, callback: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # it is closed
            self.loop.call_soon_threadsafe(callback)

    # ---- on the loop's thread ------------------------------------------------------------------------------------

    def _hold(self) -> None:
        self._flows_since = None

    def _release(self) -> None:
        self._flows_since = self._real_time()

    def time(self) -> float:
        since = self._flows_since
        return super().time() + (0 if since is None or flying.get() is not None else self._real_time() - since)

    def select(self, timeout: float | None = None) -> Events:
        if self._flows_since is not None:
            self._set_timers_aside()
            return self._select(timeout)
        if self._set_aside:
            self._bring_timers_back()
            return self._select(0)
        return super().select(timeout)

    def _rest(self) -> Events:
        if self._runs_here:
            return super()._rest()
        if (settled := self._settled) is not None:
            self._settled = None
            settled.release()
        try:
            return self._select(None)
        finally:
            self._idle = False

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Args], _T], *args: *_Args
    ) -> asyncio.Future[_T]:
        """Let time stand still while a thread works for a run; one of the test's may move it."""
        run = super().run_in_executor if flying.get() is not None else self._run_in_executor
        return run(executor, func, *args)

    def _set_timers_aside(self) -> None:
        """Keep timers of runs from the loop, whose time they do not share while that is real."""
        timers = self.loop._scheduled
        of_runs = [timer for timer in timers if self._is_of_a_run(timer)]
        if of_runs:
            self._set_aside += of_runs
            timers[:] = [timer for timer in timers if not self._is_of_a_run(timer)]
            heapify(timers)

    def _is_of_a_run(self, timer: Any) -> bool:
        flight = timer._context.get(flying)
        return flight is not None and any(is_active(flight) for is_active in self.users)

    def _bring_timers_back(self) -> None:
        self.loop._scheduled += self._set_aside
        self._set_aside.clear()
        heapify(self.loop._scheduled)

    def _put_back(self, done: threading.Lock | None = None) -> None:
        """Put the loop back into real time, with its timers."""
        self._bring_timers_back()
        ahead = self.time() - self._real_time()
        for timer in self.loop._scheduled:
            timer._when -= ahead
        super()._put_back()
        if done is not None:
            done.release()


def _wake() -> None:
    """Do nothing, so that the loop looks at its timers."""
