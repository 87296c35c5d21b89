"""What a user would write in an afternoon: a heap, a thread and a pool; no model, zone, ledger or isolation."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

WALL_OVER_MONOTONIC = time.time() - time.monotonic()


class Bare:
    """The loop that the others are compared to."""

    def __init__(self, workers: int) -> None:
        self._heap: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._draining = False
        self._pool = ThreadPoolExecutor(workers)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, func: Callable[..., object], at: float | None = None, *args: Any) -> None:
        """Call `func` at this time, in seconds since 1970, or now."""
        due = time.monotonic() if at is None else at - WALL_OVER_MONOTONIC
        entry = (due, next(self._order), func, args)
        with self._changed:
            heapq.heappush(self._heap, entry)
            if self._heap[0] is entry:
                self._changed.notify()

    def finish(self) -> None:
        """Return when everything added has run: the pool counts, the functions need not."""
        with self._changed:
            self._draining = True
            self._changed.notify()
        self._thread.join()
        self._pool.shutdown()

    def _run(self) -> None:
        heap, submit = self._heap, self._pool.submit
        while True:
            with self._changed:
                while not heap or heap[0][0] > time.monotonic():
                    if self._draining and not heap:
                        return
                    self._changed.wait(heap[0][0] - time.monotonic() if heap else None)
                now, due = time.monotonic(), []
                while heap and heap[0][0] <= now:
                    due.append(heapq.heappop(heap))
            for _due, _order, func, args in due:
                submit(func, *args)
