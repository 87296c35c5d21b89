"""Calls the functions of runs, and tells how each call ended, whatever the function did."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from types import CoroutineType
from typing import Any, TypeAlias, cast

from ..clock import Clock, Reading, now_by
from ..events import RunStarted
from ..planning.records import attempted
from .current import flying
from .engine import Engine
from .entries import Flight

Post: TypeAlias = Callable[[Flight | Callable[[Reading], object]], None]
"""Takes messages for the loop."""


class Caller:
    """Calls functions for one scheduler, and posts to its loop what became of them."""

    def __init__(self, clock: Clock, engine: Engine, post: Post) -> None:
        self.post = post
        self._now, self._engine = now_by(clock), engine

    def call(self, flight: Flight) -> Coroutine[Any, Any, Any] | None:
        """Call a run's function and report it; the coroutine of an async one is returned instead."""
        if flight.asked:
            flight.started = None
            self.end(flight, None, True)
            return None
        entry, task, engine = flight.entry, flight.task, self._engine
        rule = entry.rule
        flight.started = self._now(rule.on_wall)
        if rule.terms is not None and rule.terms.timeout is not None:
            self.post(partial(engine.begin, flight, self._now(False)))
        if engine.emit is not None:
            engine.emit(RunStarted, entry.name, flight.run, flight.started)
        flying.set(flight)
        try:
            result = task._func(*task._args, **task._kwargs)  # task.kwargs would make a view for each run
        except BaseException as error:  # noqa: BLE001 - a run's SystemExit ends the run, not the worker
            self.end(flight, error, False)
            return None
        if type(result) is CoroutineType:  # of an async function, or of a lambda that calls one
            return cast("Coroutine[Any, Any, Any]", result)
        self.end(flight, None, flight.seen)
        return None

    def end(self, flight: Flight, error: BaseException | None, obeyed: bool) -> None:
        """Report how a call ended; `obeyed` when it ended, or never began, because it was asked to."""
        flight.attempt = attempted(flight.started, self._now(flight.entry.rule.on_wall), error, obeyed)
        self.post(flight)
