"""The scheduler on a virtual clock: it takes its turns, and calls functions, in the thread that moves the clock."""

from __future__ import annotations

import asyncio
import threading
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Final

from ..clock import MICROSECOND, VirtualClock, soonest
from ..errors import SchedulerStateError
from ..planning.due import has_ended
from ..threads import on_a_thread
from .borrowed_loop import borrow
from .current import flying
from .engine import Engine
from .entries import Entry, Flight
from .listeners import Listeners
from .loop import PATIENCE_S, Loop
from .virtual_loop import VirtualLoop
from .workers import Post, Workers

_A_RUNS_OWN: Final = (Exception, SystemExit, GeneratorExit, asyncio.CancelledError)  # all else is for the test


class Inline(Workers):
    """Calls functions one after the other; coroutines run side by side on an event loop of virtual time."""

    def __init__(self, clock: VirtualClock, engine: Engine, post: Post, loop: AbstractEventLoop | None = None) -> None:
        self._clock = clock
        super().__init__(clock, engine, post, loop)
        self._borrowed = None if loop is None else borrow(clock, loop, self.coroutines.is_active)
        self._pending: deque[Flight] = deque()
        self._interrupt: BaseException | None = None  # Ctrl+C, or a test's failure, for whoever moves the clock

    def make_loop(self, _broke: object) -> VirtualLoop:
        return VirtualLoop(self._clock)

    def start(self, flights: list[Flight]) -> None:
        self._pending.extend(flights)

    def runs_here(self) -> bool:
        return self._clock._relay.is_inside() or super().runs_here()

    def stop(self) -> None:
        self._pending.clear()
        super().stop()
        if self._borrowed is not None:
            self._borrowed.leave(self.coroutines.is_active)

    @property
    def loop(self) -> VirtualLoop | None:
        """The event loop, once it was needed."""
        own = self.coroutines.own
        return own if isinstance(own, VirtualLoop) else self._borrowed

    def call_next(self) -> bool:
        """Call the next function, or several async ones; False when there is none."""
        if not self._pending:
            return False
        flight = self._pending.popleft()
        if flight.task._known.is_async:
            flights = [flight]
            while self._pending and self._pending[0].task._known.is_async:
                flights.append(self._pending.popleft())
            self.coroutines.start(flights)
            self.run_loop()
        elif (begun := self.call(flight)) is not None:
            self.coroutines.adopt(flight, begun)
        self._pass_on()
        return True

    def run_loop(self) -> None:
        """Run what is ready on the event loop, if it was needed yet."""
        if (loop := self.loop) is not None and self._clock._relay.leads_here():
            loop.run_ready()
            self._pass_on()

    def _pass_on(self) -> None:
        if self._interrupt is not None:
            interrupt, self._interrupt = self._interrupt, None
            raise interrupt

    def until_next(self) -> int | None:
        """Return the microseconds until the next call, or the event loop's next timer."""
        if self._pending:
            return 0
        return None if self.loop is None else self.loop.until_next()

    def invoke(self, flight: Flight) -> Any:
        stand_in = self._clock._stand_ins.get(flight.entry.name)
        if stand_in is None:
            return super().invoke(flight)
        flying.set(flight)
        return stand_in()

    def end(self, flight: Flight, error: BaseException | None, obeyed: bool) -> None:
        super().end(flight, error, obeyed)
        if error is not None and not issubclass(type(error), _A_RUNS_OWN):
            self._interrupt = error


class Mover:
    """The driver on a virtual clock: it takes turns whenever the clock moves."""

    def __init__(self, loop: Loop, clock: VirtualClock, workers: Inline, listeners: Listeners) -> None:
        self._loop, self._clock, self._workers, self._listeners = loop, clock, workers, listeners

    def start(self) -> None:
        self._clock._drives.append(self)

    def is_alive(self) -> bool:
        return self in self._clock._drives

    def is_here(self) -> bool:
        return False

    def acknowledge(self, done: threading.Event) -> None:
        """Do a command at once; later if another thread moves the clock, or when a coroutine asks."""
        if done.is_set() or self._loop.over:
            return
        relay = self._clock._relay
        if asyncio._get_running_loop() is not None:
            with relay.asks(0) as leads:
                if leads:
                    self.hear()
            return
        if relay.is_inside():
            self._loop.turn(self._loop.take(), self._clock.read())  # the functions it starts come after this one
            return
        with relay.asks(PATIENCE_S) as leads:
            if leads:
                relay.lead(self._clock.read().steady)

    def join(self, over: Callable[[], bool], timeout: timedelta | None, tasks: Callable[[], list[Entry]]) -> bool:
        """Move the clock until something about these tasks is over; False when the timeout comes first."""
        end = None if timeout is None else self._clock.read().steady + timeout // MICROSECOND
        self._clock.advance(timedelta(0))
        last: Entry | None = None  # that ends by itself: until it has, nobody looks at the others
        while not (over() or self._loop.over):
            if end is None and (last is None or last.rule.endless or has_ended(last.rule, last.state)):
                left = [entry for entry in tasks() if not has_ended(entry.rule, entry.state)]
                last = next((entry for entry in reversed(left) if not entry.rule.endless), None)
                if left and last is None:
                    raise SchedulerStateError(
                        "join() would move the virtual clock for ever: these tasks have no last run; "
                        "give join() a timeout, or use the clock's advance()"
                    )
            time_left = None if end is None else end - self._clock.read().steady
            wait = soonest(self._clock._next(), time_left)
            if wait is None or (time_left is not None and time_left <= 0):
                return False
            self._clock.advance(MICROSECOND * wait)
        return True

    async def wait(self, over: Callable[[], bool], timeout: timedelta | None, tasks: Callable[[], list[Entry]]) -> bool:
        called_off = threading.Event()
        join = partial(self.join, lambda: called_off.is_set() or over(), timeout, tasks)
        return await on_a_thread(join, called_off.set)

    def finish(self) -> None:
        if self.is_alive():
            self._clock.advance(timedelta(0))
            while not self._loop.over:
                self._clock.advance(MICROSECOND * (self._clock._next() or 0))
            self._clock._drives.remove(self)
            if not self._clock._drives:
                with self._clock._relay.asks():
                    self._clock._relay.wake_all(SchedulerStateError("the scheduler stopped while this function slept"))

    def hear(self) -> None:
        if not self._loop.over:
            self._loop.turn(self._loop.take(), self._clock.read())
        self._listeners.flush()

    def until_next(self) -> int | None:
        return soonest(self._loop.until_next(self._clock.read()), self._workers.until_next())

    def run_due(self) -> int | None:
        """Take turns until nothing is due; return the microseconds until the next one."""
        loop, call_next, read = self._loop, self._workers.call_next, self._clock.read
        while not loop.over:
            wait = loop.turn(loop.take(), read())
            if call_next():
                if not self._clock._relay.leads_here():  # the function slept, and another thread leads now
                    return None
                continue
            if not loop.over:
                self._workers.run_loop()
            if self._listeners:  # which may have something done
                self._listeners.flush()
            if self._listeners or self._workers.loop is not None:
                wait = loop.until_next(read())
            wait = soonest(wait, self._workers.until_next())
            if wait != 0:
                return wait
        return None
