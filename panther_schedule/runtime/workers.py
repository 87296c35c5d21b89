"""Where functions run: sync ones in a bounded pool of threads, async ones on an event loop.

A worker gets one run a hand-over, so a slow function delays no neighbour but those that wait for a free worker. All
threads are daemons: a function that never returns can't hold the process.
"""

from __future__ import annotations

import os
import threading
from queue import SimpleQueue
from typing import Protocol

from typing_extensions import override

from ..tasks.task import BackgroundTask
from .calls import Caller
from .coroutines import Coroutines
from .current import flying
from .entries import Flight


class Workers(Protocol):
    """Where the functions of one scheduler run; each run is reported when its function has ended."""

    def prepare(self, task: BackgroundTask) -> None:
        """Start what the task needs, while threads can still be started."""

    def start(self, flights: list[Flight]) -> None:
        """Call the functions of these runs."""

    def ended(self, flight: Flight) -> None:
        """Take note that a report has arrived."""

    def ask(self, flight: Flight) -> None:
        """Ask a run to end: an async one is cancelled, a sync one sees it in `current_run().cancelled`."""

    def waiting(self) -> int:
        """Count the runs that wait for a worker."""
        ...

    def runs_here(self) -> bool:
        """Tell whether the caller is where runs need to be called, so that it must not wait for them."""
        ...

    def stop(self) -> None:
        """Let the threads go: what was not started never is, and a function that goes on is left to end."""


class Pool(Workers):
    """Worker threads, started when they are needed, and an event loop."""

    def __init__(self, caller: Caller, coroutines: Coroutines, size: int | None) -> None:
        self._caller, self._coroutines = caller, coroutines
        self._size = size or min(32, (os.cpu_count() or 1) + 4)
        self._threads = 0
        self._open: set[Flight] = set()  # sync functions that were handed over and have not ended
        self._queue: SimpleQueue[Flight | None] = SimpleQueue()
        self._stopped = False
        self._add_worker()  # at exit none can be started (from Python 3.12 on)

    @override
    def prepare(self, task: BackgroundTask) -> None:
        if task._known.is_async:
            self._coroutines.prepare()

    @override
    def start(self, flights: list[Flight]) -> None:
        coroutines: list[Flight] = []
        for flight in flights:
            if flight.task._known.is_async:
                coroutines.append(flight)
                continue
            self._queue.put(flight)
            self._open.add(flight)
            if len(self._open) > self._threads < self._size:
                try:
                    self._add_worker()
                except RuntimeError:  # the interpreter ends, or has no thread left: the run waits for a worker
                    pass
        if coroutines:
            self._coroutines.start(coroutines)

    @override
    def ended(self, flight: Flight) -> None:
        self._open.discard(flight)

    @override
    def ask(self, flight: Flight) -> None:
        self._coroutines.ask(flight)

    @override
    def waiting(self) -> int:
        # a sync function whose coroutine went on to the event loop keeps no worker
        moved_on = sum(not flight.task._known.is_async for flight, _ in tuple(self._coroutines.running.values()))
        return max(0, len(self._open) - moved_on - self._threads)

    @override
    def runs_here(self) -> bool:
        return self._coroutines.is_here()

    @override
    def stop(self) -> None:
        self._stopped = True
        for _ in range(self._threads):
            self._queue.put(None)
        self._coroutines.stop()

    def _add_worker(self) -> None:
        name = f"panther_schedule-worker-{self._threads + 1}"
        threading.Thread(target=self._work, name=name, daemon=True).start()
        self._threads += 1

    def _work(self) -> None:
        get, call = self._queue.get, self._caller.call
        while (flight := get()) is not None:
            if self._stopped:
                continue
            coroutine = call(flight)
            if coroutine is not None:
                self._coroutines.adopt(flight, coroutine)
            flying.set(None)
            del flight, coroutine  # an idle worker keeps nobody's arguments alive
