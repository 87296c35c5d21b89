"""Where functions run: sync ones in threads of a bounded pool, async ones on one event loop.

A worker gets one run a hand-over, so a slow function delays no neighbour but those that wait for a free worker.
All threads are daemons: a function that never returns can't hold the process.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Coroutine
from queue import SimpleQueue
from types import CoroutineType
from typing import Any, TypeAlias, cast

from .clock import Clock
from .runs import Outcome, RunRecord
from .store import Entry
from .task import BackgroundTask

_log = logging.getLogger("panther_schedule")


Finished: TypeAlias = tuple[Entry, RunRecord]
"""A run that ended, as the owner of the store gets to know it."""


class Workers:
    """Runs functions and reports each outcome, whatever the function did."""

    def __init__(
        self,
        clock: Clock,
        report: Callable[[Finished], None],
        max_workers: int | None,
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self._wall, self._steady, self._report = clock.wall, clock.steady, report
        self._max = max_workers or min(32, (os.cpu_count() or 1) + 4)
        self._loop = loop
        self._own_loop: threading.Thread | None = None
        self._queue: SimpleQueue[tuple[Entry, int] | None] = SimpleQueue()
        # the async runs; an event loop keeps its tasks only weakly
        self._running: dict[asyncio.Task[Finished], tuple[Entry, int, int, Coroutine[Any, Any, Any]]] = {}
        self._stopped = False
        self._inline_thread: threading.Thread | None = None
        self._lock = threading.Lock()  # of the event loop, which workers may start too
        self._threads = 0
        self._busy = 0

    def prepare(self, task: BackgroundTask[..., Any] | None) -> None:
        """Start what the drain at exit will need, since no thread can be started then (from Python 3.12 on).

        That is one worker, with None; and the event loop, when the first async task is added.
        """
        if task is None:
            self._add_worker()
        elif task._is_async and self._loop is None:
            self._event_loop()

    def start(self, runs: list[tuple[Entry, int]]) -> None:
        """Hand runs over, each an entry and its `scheduled_at`; called by the store's owner only."""
        coroutines: list[tuple[Entry, int]] = []
        put = self._queue.put
        for run in runs:
            if run[0].task._is_async:
                coroutines.append(run)
                continue
            put(run)
            self._busy += 1
            if self._busy > self._threads < self._max:
                try:
                    self._add_worker()
                except RuntimeError:  # the interpreter ends, or has no thread left: the run waits for a worker
                    pass
        if coroutines:
            try:
                self._event_loop().call_soon_threadsafe(self._start_coroutines, coroutines)
            except RuntimeError as error:  # the app has closed its event loop
                for entry, scheduled_at in coroutines:
                    self._report(self._finished(entry, scheduled_at, None, "failed", error))

    def ended(self, entry: Entry) -> None:
        """Take note that a run ended; called by the store's owner only."""
        if not entry.task._is_async:
            self._busy -= 1

    def run_inline(self, entry: Entry, scheduled_at: int) -> Finished:
        """Run a function in the calling thread and a coroutine on the event loop, and wait for it."""
        if not entry.task._is_async:
            self._busy += 1
        outer, self._inline_thread = self._inline_thread, threading.current_thread()
        try:
            started_at = self._now(entry)
            finished = self._call(entry, scheduled_at, started_at)
            if isinstance(finished, tuple):
                return finished
            waiting = self._await(entry, scheduled_at, started_at, finished)
            return asyncio.run_coroutine_threadsafe(waiting, self._event_loop()).result()
        finally:
            self._inline_thread = outer

    def waits_for_itself(self, entry: Entry | None) -> bool:
        """Tell whether the caller, if it waited for the runs of an entry or for all, would wait for itself."""
        if self._loop is not None and asyncio._get_running_loop() is self._loop:
            return True
        thread = threading.current_thread()
        if self._inline_thread is thread:
            return True
        return getattr(thread, "workers", None) is self and (entry is None or getattr(thread, "entry", None) is entry)

    def stop(self) -> None:
        """Let the threads go; what was not started never is, and a function that goes on is left to end."""
        self._stopped = True
        for _ in range(self._threads):
            self._queue.put(None)
        thread, loop = self._own_loop, self._loop
        if thread is not None and loop is not None:
            loop.call_soon_threadsafe(loop.stop)
            if thread is not threading.current_thread():
                thread.join(timeout=1)

    def _add_worker(self) -> None:
        _thread(self._work, f"worker-{self._threads + 1}").start()
        self._threads += 1

    def _work(self) -> None:
        thread: Any = threading.current_thread()  # with marks, for waits_for_itself
        thread.workers = self
        get, report = self._queue.get, self._report
        while (run := get()) is not None:
            if self._stopped:
                continue
            entry, scheduled_at = run
            thread.entry = entry
            started_at = self._now(entry)
            finished = self._call(entry, scheduled_at, started_at)
            if isinstance(finished, tuple):
                report(finished)
            else:
                self._pass_on(entry, scheduled_at, started_at, finished)
            del run, entry, finished, thread.entry  # an idle worker keeps nobody's arguments alive

    def _call(self, entry: Entry, scheduled_at: int, started_at: int) -> Finished | Coroutine[Any, Any, Any]:
        if entry.cancelled:
            return entry, RunRecord(scheduled_at, None, started_at, "cancelled", None)
        task = entry.task
        try:
            result = task._func(*task._args, **task._kwargs)  # task.kwargs would make a view for each run
        except BaseException as error:  # noqa: BLE001 - a run's SystemExit ends the run, not the worker
            return self._finished(entry, scheduled_at, started_at, "failed", error)
        if type(result) is CoroutineType:  # of an async function, or of a lambda that calls one
            return cast("Coroutine[Any, Any, Any]", result)
        return entry, RunRecord(scheduled_at, started_at, self._now(entry), "succeeded", None)

    def _pass_on(self, entry: Entry, scheduled_at: int, started_at: int, coroutine: Coroutine[Any, Any, Any]) -> None:
        try:
            loop = self._event_loop()
        except RuntimeError:  # the interpreter ends before the event loop was needed
            self._report(asyncio.run(self._await(entry, scheduled_at, started_at, coroutine)))
            return
        try:
            loop.call_soon_threadsafe(self._start, entry, scheduled_at, started_at, coroutine)
        except RuntimeError as error:  # the app has closed its event loop
            coroutine.close()
            self._report(self._finished(entry, scheduled_at, started_at, "failed", error))

    def _start_coroutines(self, runs: list[tuple[Entry, int]]) -> None:
        if self._stopped:
            return
        for entry, scheduled_at in runs:
            started_at = self._now(entry)
            finished = self._call(entry, scheduled_at, started_at)
            if isinstance(finished, tuple):
                self._report(finished)
            else:
                self._start(entry, scheduled_at, started_at, finished)

    def _start(self, entry: Entry, scheduled_at: int, started_at: int, coroutine: Coroutine[Any, Any, Any]) -> None:
        run = asyncio.get_running_loop().create_task(self._await(entry, scheduled_at, started_at, coroutine))
        self._running[run] = entry, scheduled_at, started_at, coroutine
        run.add_done_callback(self._done)

    def _done(self, run: asyncio.Task[Finished]) -> None:
        entry, scheduled_at, started_at, coroutine = self._running.pop(run)
        if not run.cancelled():
            self._report(run.result())
        else:  # before its first step
            coroutine.close()
            self._report((entry, RunRecord(scheduled_at, None, started_at, "cancelled", None)))

    async def _await(
        self, entry: Entry, scheduled_at: int, started_at: int, coroutine: Coroutine[Any, Any, Any]
    ) -> Finished:
        try:
            await coroutine
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            asked = task is not None and task.cancelling() > 0  # else the function raised it by itself
            return self._finished(entry, scheduled_at, started_at, "cancelled" if asked else "failed", error)
        except BaseException as error:  # noqa: BLE001 - a run's SystemExit ends the run, not the loop
            return self._finished(entry, scheduled_at, started_at, "failed", error)
        return self._finished(entry, scheduled_at, started_at, "succeeded", None)

    def _finished(
        self, entry: Entry, scheduled_at: int, started_at: int | None, outcome: Outcome, error: BaseException | None
    ) -> Finished:
        finished_at = self._now(entry)
        if outcome == "failed":
            log_safely(logging.ERROR, "task %s failed", entry.name, error=error)
        return entry, RunRecord(scheduled_at, started_at, finished_at, outcome, error)

    def _now(self, entry: Entry) -> int:
        return self._wall() if entry.rule.on_wall else self._steady()

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                thread = _thread(lambda: _run_loop(loop, self._running), "loop")
                try:
                    thread.start()
                except RuntimeError:
                    loop.close()
                    raise
                self._loop, self._own_loop = loop, thread
            return self._loop


def log_safely(level: int, message: str, *args: object, error: BaseException | None = None) -> None:
    """Log; a handler that raises must not hurt the thread that runs or plans the tasks."""
    try:
        _log.log(level, message, *args, exc_info=error)
    except Exception:  # noqa: BLE001, S110 - there is nowhere else to say it
        pass


def _run_loop(loop: asyncio.AbstractEventLoop, runs: dict[asyncio.Task[Finished], Any]) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    for running in tuple(runs):
        running.cancel()
    loop.run_until_complete(asyncio.gather(*runs, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def _thread(target: Callable[[], None], name: str) -> threading.Thread:
    return threading.Thread(target=target, name=f"panther_schedule-{name}", daemon=True)
