"""Where functions run: sync ones in a bounded pool of threads, async ones on an event loop.

A worker gets one run a hand-over, so a slow function delays no neighbour but those that wait for a free worker. All
threads are daemons: a function that never returns can't hold the process.
"""

from __future__ import annotations

import asyncio
import os
import threading
from abc import ABC, abstractmethod
from queue import SimpleQueue

from typing_extensions import override

from ..clock import Clock
from ..tasks.task import BackgroundTask
from .calls import Caller, Post
from .coroutines import Coroutines
from .current import flying
from .engine import Engine
from .entries import Flight


class Workers(Caller, ABC):
    """Where the functions of one scheduler run."""

    def __init__(self, clock: Clock, engine: Engine, post: Post, event_loop: asyncio.AbstractEventLoop | None) -> None:
        super().__init__(clock, engine, post)
        self.coroutines = Coroutines(self, event_loop)

    def prepare(self, task: BackgroundTask) -> None:
        """Start what the task needs, while threads can still be started."""

    @abstractmethod
    def start(self, flights: list[Flight]) -> None:
        """Call the functions of these runs."""

    def waiting(self) -> int:
        """Count the runs that wait for a worker."""
        return 0

    def runs_here(self) -> bool:
        """Tell whether the caller is where runs need to be called, so that it must not wait for them."""
        return self.coroutines.is_here()

    def stop(self) -> None:
        """Let the threads go: what was not started never is, and a function that goes on is left to end."""
        self.coroutines.stop()


class Pool(Workers):
    """Worker threads, started when they are needed."""

    def __init__(
        self, clock: Clock, engine: Engine, post: Post, event_loop: asyncio.AbstractEventLoop | None, size: int | None
    ) -> None:
        super().__init__(clock, engine, post, event_loop)
        self._size = size or min(32, (os.cpu_count() or 1) + 4)
        self._threads = 0
        self._open: set[Flight] = set()  # sync functions that were handed over and have not ended
        self._queue: SimpleQueue[Flight | None] = SimpleQueue()
        self._stopped = False
        self._add_worker()  # at exit none can be started (from Python 3.12 on)

    @override
    def prepare(self, task: BackgroundTask) -> None:
        if task._is_async:
            self.coroutines.prepare()

    @override
    def start(self, flights: list[Flight]) -> None:
        coroutines: list[Flight] = []
        for flight in flights:
            if flight.task._is_async:
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

    @override
    def end(self, flight: Flight, error: BaseException | None, obeyed: bool) -> None:
        self._open.discard(flight)
        super().end(flight, error, obeyed)

    @override
    def waiting(self) -> int:
        return max(0, len(self._open) - self._threads)

    @override
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
            coroutine = call(flight)
            if coroutine is not None:
                self._open.discard(flight)
                self.coroutines.adopt(flight, coroutine)
            flying.set(None)
            del flight, coroutine  # an idle worker keeps nobody's arguments alive
