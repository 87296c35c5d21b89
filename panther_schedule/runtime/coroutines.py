"""Where async functions run: on an event loop of the scheduler's own, or on the one it was entered in."""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from typing import Any, TypeAlias, cast

from .entries import Flight
from .event_loop import OwnLoop
from .virtual_loop import VirtualLoop

_Coroutine: TypeAlias = Coroutine[Any, Any, Any]
Begun: TypeAlias = tuple[_Coroutine, Context]  # what a run's function returned, and the context of the run
_Broke: TypeAlias = Callable[[BaseException], None]
_End: TypeAlias = Callable[[Flight, BaseException | None, bool], None]


class Coroutines:
    """The async runs of one scheduler, called and reported as sync ones are."""

    def __init__(
        self,
        call: Callable[[Flight], Begun | None],
        end: _End,
        abandon: Callable[[Flight], None],
        loop: AbstractEventLoop | None,
        make_own: Callable[[_Broke], OwnLoop | VirtualLoop],
    ) -> None:
        self._call, self._end, self._abandon, self._apps, self._make_own = call, end, abandon, loop, make_own
        self._own: dict[str, OwnLoop | VirtualLoop] = {}  # one at most
        self._handed: deque[tuple[Flight, Begun | None]] = deque()  # on their way to the event loop
        self.running: dict[Flight, tuple[asyncio.Task[None], _Coroutine]] = {}  # an event loop keeps tasks only weakly
        self._stopped = False

    def event_loop(self) -> AbstractEventLoop:
        """Return the event loop; it is started before the first run, since at exit no thread can be (Python 3.12)."""
        if self._apps is not None:
            return self._apps
        own = self._own.get("loop")
        if own is None:
            made = self._make_own(self._fail)
            own = self._own.setdefault("loop", made)  # atomic: another thread, or a signal handler, may be here too
            if own is not made:
                made.loop.close()
                return own.loop
            try:
                own.start()
            except RuntimeError:
                del self._own["loop"]
                made.loop.close()
                raise
        return own.loop

    @property
    def own(self) -> OwnLoop | VirtualLoop | None:
        """Our own event loop, once it was needed."""
        return self._own.get("loop")

    def start(self, flights: list[Flight]) -> None:
        """Call async functions, and see their coroutines through to the end."""
        self._hand_over([(flight, None) for flight in flights])

    def adopt(self, flight: Flight, begun: Begun) -> None:
        """See through the coroutine that a function returned on a worker."""
        try:
            self.event_loop()
        except RuntimeError:  # the interpreter is ending, and the event loop was not needed before
            with asyncio.Runner() as runner:
                runner.run(self._see_through(flight, begun[0]), context=begun[1])
        else:
            self._hand_over([(flight, begun)])

    def ask(self, flight: Flight) -> None:
        """Cancel a run; a sync one sees for itself in `current_run().cancelled` that it is to end."""
        run, _ = self.running.get(flight, (None, None))
        if run is not None:
            with suppress(Exception):  # the event loop is closed, and with it the run; or a run broke it
                run.get_loop().call_soon_threadsafe(run.cancel)

    def is_active(self, flight: Flight) -> bool:
        """Tell whether a run is active here, and not being cancelled."""
        run, _ = self.running.get(flight, (None, None))
        return run is not None and not run.cancelling()

    def abandon_orphans(self) -> None:
        """Abandon what the app's event loop has not begun or ended, once that is closed."""
        if self._apps is not None and self._apps.is_closed() and (self._handed or self.running):
            for flight in self._take_running():
                self._abandon(flight)
            while self._handed:
                flight, begun = self._handed.popleft()
                _close(begun)
                self._abandon(flight)

    def is_here(self) -> bool:
        if self._apps is not None:
            return asyncio._get_running_loop() is self._apps
        return any(own.is_here() for own in self._own.values())

    def is_another_here(self) -> bool:
        """Tell whether the caller's thread runs an event loop of somebody else's."""
        running = asyncio._get_running_loop()
        return running not in {None, self._apps, *(own.loop for own in self._own.values())}

    def stop(self) -> None:
        """End our own event loop, and cancel what is still active there."""
        self._stopped = True
        for own in self._own.values():
            own.stop()

    def _hand_over(self, handed: list[tuple[Flight, Begun | None]]) -> None:
        self._handed += handed
        while not self._stopped:
            try:
                self.event_loop().call_soon_threadsafe(self._begin)
                return
            except Exception as error:  # noqa: BLE001 - it is closed, or a run has broken this very method
                if self._apps is not None or not self.event_loop().is_closed():  # else the next one takes its place
                    for flight, begun in handed:
                        self._handed.remove((flight, begun))
                        _close(begun)
                        self._end(flight, error, False)
                    return

    def _take_running(self) -> list[Flight]:
        """Return the runs whose event loop is closed or broken, and let them go."""
        flights: list[Flight] = []
        for flight in tuple(self.running):
            run, _ = self.running.pop(flight)
            flights.append(flight)
            with suppress(BaseException):  # what its `finally` blocks raise
                cast("_Coroutine", run.get_coro()).close()
            run._log_destroy_pending = False  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue] - it says that no loop will end it, as we know
        return flights

    def _fail(self, error: BaseException) -> None:
        """Fail the runs of our own event loop, which broke; the next one begins those on their way."""
        for flight in self._take_running():
            self._end(flight, error, False)
        self.event_loop().call_soon(self._begin)  # it does not run yet

    # ---- on the event loop ---------------------------------------------------------------------------------------

    def _begin(self) -> None:
        loop, begun = asyncio.get_running_loop(), list[Flight]()
        while self._handed and not self._stopped:
            flight, called = self._handed.popleft()
            if called is None and (called := self._call(flight)) is None:
                continue
            coroutine, context = called
            seen_through = self._see_through(flight, coroutine)
            try:
                run = loop.create_task(seen_through, context=context)
            except BaseException as error:  # noqa: BLE001 - of a task factory that a function has set
                seen_through.close()
                coroutine.close()
                self._end(flight, error, False)
                continue
            self.running[flight] = run, coroutine
            if flight.asked:  # meanwhile
                run.cancel()
            begun.append(flight)
        loop.call_soon(self._report_cancelled, begun)  # after their first steps

    def _report_cancelled(self, begun: list[Flight]) -> None:
        """Report runs that were cancelled before their first step, of which `_see_through` knows nothing.

        One look at a batch costs next to nothing; a done callback adds a quarter to the cost of each run.
        """
        for flight in begun:
            if flight in self.running and self.running[flight][0].done():
                _, coroutine = self.running.pop(flight)
                coroutine.close()
                if flight.task._known.is_async:  # no line of it has run
                    flight.started = None
                self._end(flight, None, True)

    async def _see_through(self, flight: Flight, coroutine: _Coroutine) -> None:
        error: BaseException | None = None
        try:
            await coroutine
            obeyed = flight.seen
        except asyncio.CancelledError as cancelled:
            task, error = asyncio.current_task(), cancelled
            obeyed = task is not None and task.cancelling() > 0  # else the function raised it by itself
        except GeneratorExit as closed:
            if asyncio._get_running_loop() is None:  # the event loop is gone, and the run was reported with it
                raise
            error, obeyed = closed, False
        except BaseException as raised:  # noqa: BLE001 - a run's SystemExit ends the run, not the loop
            error, obeyed = raised, False
        self.running.pop(flight, None)
        self._end(flight, error, obeyed)


def _close(begun: Begun | None) -> None:
    if begun is not None:
        begun[0].close()
