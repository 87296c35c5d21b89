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
from typing import Any, Final, NamedTuple, cast

from ..clock import Clock, moment
from ..events import RunStarted
from ..planning.records import Outcome
from ..tasks.task import BackgroundTask
from .current import flying
from .entries import Entry, Finished, Flight
from .logs import log_safely

_WORDS: Final = {
    "timed_out": "took longer than its timeout",
    "abandoned": "was still going when the drain ended: abandoned",
}


class Started(NamedTuple):
    """A run with a timeout whose function is called now."""

    flight: Flight
    started_at: int
    """By the task's clock."""
    steady: int


class Workers:
    """Runs functions and reports each outcome, whatever the function did."""

    def __init__(
        self,
        clock: Clock,
        report: Callable[[Finished | Started], None],
        max_workers: int | None,
        loop: asyncio.AbstractEventLoop | None,
        *,
        inline: bool = False,
    ) -> None:
        self.inline = inline
        """Runs are called by the store's owner, in its own thread."""
        self.max = max_workers or min(32, (os.cpu_count() or 1) + 4)
        self.threads = 0
        """Threads that were started."""
        self.busy = 0
        """Sync functions that were handed over and have not ended."""
        self.emit: Callable[[type[Any], Entry | None, Any], None] | None = None
        """Takes what listeners are told; None when there is no listener."""
        self._wall, self._steady, self._report = clock.wall, clock.steady, report
        self._loop = loop
        self._own_loop: threading.Thread | None = None
        self._queue: SimpleQueue[Flight | None] = SimpleQueue()
        # the async runs; an event loop keeps its tasks only weakly
        self._running: dict[asyncio.Task[Finished], tuple[Flight, int, Coroutine[Any, Any, Any]]] = {}
        self._stopped = False
        self._inline_thread: threading.Thread | None = None
        self._lock = threading.Lock()  # of the event loop, which workers may start too

    def add_worker(self) -> None:
        """Start one more worker: the first at once, since none can be started at exit (from Python 3.12 on)."""
        _thread(self._work, f"worker-{self.threads + 1}").start()
        self.threads += 1

    def prepare(self, task: BackgroundTask[..., Any]) -> None:
        """Start the event loop for the first async task: none can be started at exit (from Python 3.12 on)."""
        if task._is_async and self._loop is None:
            self._event_loop()

    def start(self, flights: list[Flight]) -> None:
        """Hand runs over; called by the store's owner only."""
        coroutines: list[Flight] = []
        put = self._queue.put
        for flight in flights:
            if flight.task._is_async:
                coroutines.append(flight)
                continue
            put(flight)
            self.busy += 1
            if self.busy > self.threads < self.max:
                try:
                    self.add_worker()
                except RuntimeError:  # the interpreter ends, or has no thread left: the run waits for a worker
                    pass
        if coroutines:
            try:
                self._event_loop().call_soon_threadsafe(self._start_coroutines, coroutines)
            except RuntimeError as error:  # the app has closed its event loop
                for flight in coroutines:
                    self._report(self._finished(flight, None, "failed", error))

    @property
    def occupied(self) -> int:
        """Sync functions that keep a worker or wait for one: not those whose coroutine went on to the event loop."""
        return self.busy - sum(not flight.task._is_async for flight, *_ in tuple(self._running.values()))

    def ended(self, flight: Flight) -> None:
        """Take note that a run's function has ended; called by the store's owner only."""
        if not flight.task._is_async:
            self.busy -= 1

    def cancel(self, flight: Flight) -> None:
        """Ask a run to end: an async one is cancelled, a sync one sees it in `current_run().cancelled`."""
        flight.asked = True
        loop = self._loop
        if loop is not None and flight.aio is not None:
            try:
                loop.call_soon_threadsafe(self._cancel, flight, flight.attempt)
            except RuntimeError:  # the app has closed its event loop, and with it the run
                pass

    def run_inline(self, flight: Flight) -> Finished:
        """Run a function in the calling thread and a coroutine on the event loop, and wait for it."""
        if not flight.task._is_async:
            self.busy += 1
        outer, self._inline_thread = self._inline_thread, threading.current_thread()
        outer_flight = flying.get()
        try:
            started_at = self._now(flight)
            finished = self._call(flight, started_at)
            if isinstance(finished, tuple):
                return finished
            waiting = self._await(flight, started_at, finished)
            return asyncio.run_coroutine_threadsafe(waiting, self._event_loop()).result()
        finally:
            self._inline_thread = outer
            flying.set(outer_flight)

    def waits_for_itself(self, entry: Entry | None) -> bool:
        """Tell whether the caller, if it waited for the runs of an entry or for all, would wait for itself."""
        if self._loop is not None and asyncio._get_running_loop() is self._loop:
            return True
        if self._inline_thread is threading.current_thread():
            return True
        flight = flying.get()  # also where a run waits in another thread, as asyncio.to_thread() does
        if flight is None or flight.record is not None or flight.entry.owner.workers is not self:
            return False
        return entry is None or entry is flight.entry

    def stop(self) -> None:
        """Let the threads go; what was not started never is, and a function that goes on is left to end."""
        self._stopped = True
        for _ in range(self.threads):
            self._queue.put(None)
        thread, loop = self._own_loop, self._loop
        if thread is not None and loop is not None:
            loop.call_soon_threadsafe(loop.stop)
            if thread is not threading.current_thread():
                thread.join(timeout=1)

    def _work(self) -> None:
        get, report = self._queue.get, self._report
        while (flight := get()) is not None:
            if self._stopped:
                continue
            started_at = self._now(flight)
            finished = self._call(flight, started_at)
            if isinstance(finished, tuple):
                report(finished)
            else:
                self._pass_on(flight, started_at, finished)
            flying.set(None)
            del flight, finished  # an idle worker keeps nobody's arguments alive

    def _call(self, flight: Flight, started_at: int) -> Finished | Coroutine[Any, Any, Any]:
        if flight.asked or flight.entry.cancelled:
            return flight, "cancelled", None, started_at, None
        task, terms = flight.task, flight.entry.rule.terms
        if terms is not None and terms.timeout is not None:
            self._report(Started(flight, started_at, self._steady()))
        if self.emit is not None:
            details = (flight, flight.scheduled_at, started_at, flight.cause, flight.attempt)
            self.emit(RunStarted, flight.entry, details)
        flying.set(flight)
        try:
            result = task._func(*task._args, **task._kwargs)  # task.kwargs would make a view for each run
        except BaseException as error:  # noqa: BLE001 - a run's SystemExit ends the run, not the worker
            return self._finished(flight, started_at, "failed", error)
        if type(result) is CoroutineType:  # of an async function, or of a lambda that calls one
            return cast("Coroutine[Any, Any, Any]", result)
        return flight, "cancelled" if flight.seen else "succeeded", started_at, self._now(flight), None

    def _pass_on(self, flight: Flight, started_at: int, coroutine: Coroutine[Any, Any, Any]) -> None:
        try:
            loop = self._event_loop()
        except RuntimeError:  # the interpreter ends before the event loop was needed
            self._report(asyncio.run(self._await(flight, started_at, coroutine)))
            return
        try:
            loop.call_soon_threadsafe(self._start, flight, started_at, coroutine)
        except RuntimeError as error:  # the app has closed its event loop
            coroutine.close()
            self._report(self._finished(flight, started_at, "failed", error))

    def _start_coroutines(self, flights: list[Flight]) -> None:
        if self._stopped:
            return
        for flight in flights:
            started_at = self._now(flight)
            finished = self._call(flight, started_at)
            if isinstance(finished, tuple):
                self._report(finished)
            else:
                self._start(flight, started_at, finished)
        flying.set(None)

    def _start(self, flight: Flight, started_at: int, coroutine: Coroutine[Any, Any, Any]) -> None:
        run = asyncio.get_running_loop().create_task(self._await(flight, started_at, coroutine))
        self._running[run] = flight, started_at, coroutine
        flight.aio = run
        run.add_done_callback(self._done)
        if flight.asked:  # meanwhile
            run.cancel()

    def _cancel(self, flight: Flight, attempt: int) -> None:
        if flight.attempt == attempt and flight.aio is not None:
            flight.aio.cancel()

    def _done(self, run: asyncio.Task[Finished]) -> None:
        flight, _started_at, coroutine = self._running.pop(run)
        flight.aio = None
        if not run.cancelled():
            self._report(run.result())
        else:  # before its first step
            coroutine.close()
            self._report((flight, "cancelled", None, self._now(flight), None))

    async def _await(self, flight: Flight, started_at: int, coroutine: Coroutine[Any, Any, Any]) -> Finished:
        flying.set(flight)
        try:
            await coroutine
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            asked = task is not None and task.cancelling() > 0  # else the function raised it by itself
            return self._finished(flight, started_at, "cancelled" if asked else "failed", error)
        except BaseException as error:  # noqa: BLE001 - a run's SystemExit ends the run, not the loop
            return self._finished(flight, started_at, "failed", error)
        return self._finished(flight, started_at, "cancelled" if flight.seen else "succeeded", None)

    def _finished(
        self, flight: Flight, started_at: int | None, outcome: Outcome, error: BaseException | None
    ) -> Finished:
        finished_at = self._now(flight)
        if outcome == "failed" and flight.phase == "going" and flight.retry_delay(error) is None:
            log_run(flight, outcome, error)
        return flight, outcome, started_at, finished_at, error

    def _now(self, flight: Flight) -> int:
        return self._wall() if flight.entry.rule.on_wall else self._steady()

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


def log_run(flight: Flight, outcome: Outcome, error: BaseException | None = None) -> None:
    """Log how a run ended, once, with the fields `task`, `run_id`, `scheduled_at`, `attempt` and `outcome`."""
    log_safely(
        "task %s " + _WORDS.get(outcome, outcome),
        flight.entry.name,
        error=error,
        level=logging.ERROR if error is not None else logging.WARNING,
        task=flight.entry.name,
        run_id=flight.id,
        scheduled_at=moment(flight.scheduled_at).isoformat(),
        attempt=flight.attempt,
        outcome=outcome,
    )


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
