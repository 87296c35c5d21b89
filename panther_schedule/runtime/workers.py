"""Where functions run: sync ones in a bounded pool of threads, async ones on an event loop.

A worker gets one run a hand-over, so a slow function delays no neighbour but those that wait for a free worker. All
threads are daemons: a function that never returns can't hold the process.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from inspect import isawaitable
from queue import SimpleQueue
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Final, TypeAlias, cast

from ..clock import Clock, Reading, now_by
from ..errors import type_name
from ..events import RunStarted
from ..planning.records import attempted
from .coroutines import Begun, Coroutines
from .current import flying
from .engine import Engine
from .entries import Flight
from .event_loop import OwnLoop
from .failures import failure_of
from .process import generation, leave_child
from .virtual_loop import VirtualLoop

Post: TypeAlias = Callable[[Flight | Callable[[Reading], object]], None]  # takes messages for the loop


_ANY: Final = 1 << 30  # where nothing bounds the room


class Workers(ABC):
    """Calls functions for one scheduler, and posts to its loop what happened to them."""

    make_loop: Callable[[Callable[[BaseException], None]], OwnLoop | VirtualLoop] = OwnLoop

    def __init__(self, clock: Clock, engine: Engine, post: Post, loop: AbstractEventLoop | None = None) -> None:
        self.post = post
        self.coroutines = Coroutines(self.call, self.end, self.abandon, loop, self.make_loop)
        self._now, self._engine, self._generation = now_by(clock), engine, generation()

    @abstractmethod
    def start(self, flights: list[Flight]) -> None:
        """Hand runs over to be called."""

    def call(self, flight: Flight) -> Begun | None:
        """Call a run's function and report it; the coroutine of an async one is returned instead."""
        if flight.asked:
            flight.started = None
            self.end(flight, None, True)
            return None
        entry, engine = flight.entry, self._engine
        rule = entry.rule
        flight.started = self._now(rule.on_wall)
        if rule.terms.timeout is not None:
            on_wall = engine.shared is not None  # which knows no steady time
            self.post(partial(engine.begin, flight, self._now(on_wall)))
        if engine.emit is not None:
            engine.emit(RunStarted, entry.name, flight.run, flight.started)
        context = flight.context.copy()
        try:
            result = context.run(self.invoke, flight)
            coroutine = None if result is None else _coroutine(result)
        except BaseException as error:  # noqa: BLE001 - a run's SystemExit ends the run, not the worker
            self.end(flight, error, False)
            return None
        if coroutine is not None and generation() == self._generation:
            return coroutine, context
        self.end(flight, None, flight.seen)
        return None

    def invoke(self, flight: Flight) -> Any:
        """Call a run's function with its arguments, in the run's context."""
        flying.set(flight)
        task = flight.task
        return task._func(*task._args, **task._kwargs)  # task.kwargs would make a view for each run

    def end(self, flight: Flight, error: BaseException | None, obeyed: bool) -> None:
        """Report how a call ended; `obeyed` when it ended, or never began, because it was asked to."""
        if generation() != self._generation:
            leave_child(error)
        now, offset = self._now(flight.entry.rule.on_wall), flight.run.offset
        flight.attempt = attempted(flight.started, now, failure_of(error), obeyed, offset)
        flight.error = error
        self.post(flight)

    def abandon(self, flight: Flight) -> None:
        """Report a run whose event loop has ended before it."""
        self.post(partial(self._engine.abandon, flight))

    def waiting(self) -> int:
        return 0

    def room(self) -> int:
        """Return how many more sync runs can be called at once."""
        return _ANY

    def runs_here(self) -> bool:
        """Tell whether the caller is where runs need to be called, so that it must not wait for them."""
        return self.coroutines.is_here()

    def stop(self) -> None:
        """End the threads: what has not started never does, and a function that is still running is left to itself."""
        self.coroutines.stop()


class Pool(Workers):
    """Worker threads, started when they are needed."""

    def __init__(self, clock: Clock, engine: Engine, post: Post, loop: AbstractEventLoop | None, size: int) -> None:
        super().__init__(clock, engine, post, loop)
        self._size = size
        self._threads = 0
        self._open: set[Flight] = set()  # sync functions that were handed over and have not ended
        self._queue: SimpleQueue[Flight | None] = SimpleQueue()
        self._stopped = False
        if size:
            self._add_worker()  # at exit none can be started (Python 3.12)

    def start(self, flights: list[Flight]) -> None:
        coroutines: list[Flight] = []
        for flight in flights:
            if flight.task._known.is_async:
                coroutines.append(flight)
                continue
            self._open.add(flight)
            self._queue.put(flight)
            if len(self._open) > self._threads < self._size:
                try:
                    self._add_worker()
                except RuntimeError:  # the interpreter ends, or has no thread left: the run waits for a worker
                    pass
        if coroutines:
            self.coroutines.start(coroutines)

    def end(self, flight: Flight, error: BaseException | None, obeyed: bool) -> None:
        self._open.discard(flight)
        super().end(flight, error, obeyed)

    def waiting(self) -> int:
        return max(0, len(self._open) - self._threads)

    def room(self) -> int:
        return self._size - len(self._open)

    def stop(self) -> None:
        self._stopped = True
        for _ in range(self._threads):
            self._queue.put(None)
        super().stop()

    def _add_worker(self) -> None:
        name = f"panther_schedule-worker-{self._threads + 1}"
        threading.Thread(target=self._work, name=name, daemon=True).start()
        self._threads += 1

    def _work(self) -> None:
        get, call = self._queue.get, self.call
        while (flight := get()) is not None:
            if self._stopped:
                continue
            begun = call(flight)
            if begun is not None:
                self._open.discard(flight)
                self.coroutines.adopt(flight, begun)
            del flight, begun  # an idle worker keeps nobody's arguments alive


def _coroutine(result: object) -> Coroutine[Any, Any, Any] | None:
    """Return what is to be awaited of a function's result; refuse a generator, whose lines nobody would run."""
    kind: object = type(result)
    if kind is CoroutineType:  # of an async function, or of a lambda that calls one
        return cast("Coroutine[Any, Any, Any]", result)
    if hasattr(kind, "__await__") or (kind is GeneratorType and isawaitable(result)):
        return _awaited(cast("Awaitable[Any]", result))
    if kind in {GeneratorType, AsyncGeneratorType}:
        raise TypeError(f"the function returned {type_name(result)}, which runs only if it is iterated; iterate it")
    return None


async def _awaited(result: Awaitable[Any]) -> None:
    await result
