"""Where async functions run: on an event loop of the scheduler's own, or on the one it was entered in."""

from __future__ import annotations

import asyncio
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from .current import flying
from .entries import Flight

_Coroutine: TypeAlias = Coroutine[Any, Any, Any]
_End: TypeAlias = Callable[[Flight, BaseException | None, bool], None]


class Coroutines:
    """The async runs of one scheduler, called and reported as sync ones are."""

    def __init__(self, call: Callable[[Flight], _Coroutine | None], end: _End, loop: AbstractEventLoop | None) -> None:
        self.running: dict[asyncio.Task[None], tuple[Flight, _Coroutine]] = {}  # an event loop keeps tasks only weakly
        self._call_function, self._end, self._loop = call, end, loop
        self._thread: threading.Thread | None = None  # of our own loop
        self._lock = threading.Lock()  # workers may start the loop too
        self._stopped = False

    def event_loop(self) -> AbstractEventLoop:
        """Return the event loop; it is started before the first run, since at exit no thread can be (Python 3.12)."""
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                name = "panther_schedule-loop"
                self._thread = threading.Thread(target=self._run_loop, args=(loop,), name=name, daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:
                    loop.close()
                    raise
                self._loop = loop
            return self._loop

    def start(self, flights: list[Flight]) -> None:
        """Call async functions, and see their coroutines through to the end."""
        try:
            self.event_loop().call_soon_threadsafe(self._call, flights)
        except RuntimeError as error:  # the app has closed its event loop
            for flight in flights:
                flight.started = None
                self._end(flight, error, False)

    def adopt(self, flight: Flight, coroutine: _Coroutine) -> None:
        """See through the coroutine that a function returned on a worker."""
        try:
            loop = self.event_loop()
        except RuntimeError:  # the interpreter is ending, and the event loop was not needed before
            asyncio.run(self._see_through(flight, coroutine))
            return
        try:
            loop.call_soon_threadsafe(self._begin, [(flight, coroutine)])
        except RuntimeError as error:  # the app has closed its event loop
            coroutine.close()
            self._end(flight, error, False)

    def run(self, flight: Flight, coroutine: _Coroutine) -> None:
        asyncio.run_coroutine_threadsafe(self._see_through(flight, coroutine), self.event_loop()).result()

    def ask(self, flight: Flight) -> None:
        """Cancel a run; a sync one sees for itself in `current_run().cancelled` that it is to end."""
        run: asyncio.Task[None] | None = flight.aio
        if self._loop is not None and run is not None:
            try:
                self._loop.call_soon_threadsafe(run.cancel)
            except RuntimeError:  # the app has closed its event loop, and with it the run
                pass

    def is_here(self) -> bool:
        return self._loop is not None and asyncio._get_running_loop() is self._loop

    def stop(self) -> None:
        """Cancel what is still active on our own loop, and end the loop."""
        self._stopped = True
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            if self._thread is not threading.current_thread():
                self._thread.join(timeout=1)

    # ---- on the event loop ---------------------------------------------------------------------------------------

    def _call(self, flights: list[Flight]) -> None:
        if not self._stopped:
            called = [(flight, self._call_function(flight)) for flight in flights]
            self._begin([(flight, coroutine) for flight, coroutine in called if coroutine is not None])

    def _begin(self, called: list[tuple[Flight, _Coroutine]]) -> None:
        loop = asyncio.get_running_loop()
        for flight, coroutine in called:
            run = loop.create_task(self._see_through(flight, coroutine))
            self.running[run] = flight, coroutine
            flight.aio = run
            if flight.asked:  # meanwhile
                run.cancel()
        flying.set(None)
        loop.call_soon(self._report_cancelled, [flight.aio for flight, _ in called])  # after their first steps

    def _report_cancelled(self, begun: list[asyncio.Task[None]]) -> None:
        """Report runs that were cancelled before their first step, of which `_see_through` knows nothing.

        One look at a batch costs next to nothing; a done callback adds a quarter to the cost of each run.
        """
        for run in begun:
            if run.done() and run in self.running:
                flight, coroutine = self.running.pop(run)
                coroutine.close()
                flight.aio = flight.started = None
                self._end(flight, None, True)

    async def _see_through(self, flight: Flight, coroutine: _Coroutine) -> None:
        flying.set(flight)
        error: BaseException | None = None
        try:
            await coroutine
            obeyed = flight.seen
        except asyncio.CancelledError as cancelled:
            task, error = asyncio.current_task(), cancelled
            obeyed = task is not None and task.cancelling() > 0  # else the function raised it by itself
        except BaseException as raised:  # noqa: BLE001 - a run's SystemExit ends the run, not the loop
            error, obeyed = raised, False
        if flight.aio is not None:
            self.running.pop(flight.aio, None)
            flight.aio = None
        self._end(flight, error, obeyed)

    def _run_loop(self, loop: AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.run_forever()
        for run in tuple(self.running):
            run.cancel()
        loop.run_until_complete(asyncio.gather(*self.running, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
