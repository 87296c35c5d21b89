"""Calls the functions of runs, and tells how each call ended, whatever the function did."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import CoroutineType
from typing import Any, NamedTuple, cast

from ..clock import Clock, Reading
from ..events import RunStarted
from ..planning.ends import deadline
from ..planning.records import attempted
from .current import flying
from .entries import Flight


class Began(NamedTuple):
    """A run with a timeout was called at this steady time."""

    flight: Flight
    steady: int


class Caller:
    """Calls functions for one scheduler."""

    def __init__(self, clock: Clock, report: Callable[[Flight | Began], None]) -> None:
        self.report = report
        """Takes each run whose function has ended."""
        self.emit: Callable[..., None] | None = None
        """Takes what listeners are told; None when there is no listener."""
        self._read = clock.read

    def call(self, flight: Flight) -> Coroutine[Any, Any, Any] | None:
        """Call a run's function and report it; the coroutine of an async one is returned instead."""
        if flight.asked:
            flight.started = None
            self.end(flight, obeyed=True)
            return None
        entry, task, reading = flight.entry, flight.task, self._read()
        rule = entry.rule
        flight.started = started = reading.wall if rule.on_wall else reading.steady
        if rule.terms is not None and deadline(rule, reading.steady) is not None:
            self.report(Began(flight, reading.steady))
        if self.emit is not None:
            self.emit(RunStarted, entry.name, flight.named, started)
        flying.set(flight)
        try:
            result = task._func(*task._args, **task._kwargs)  # task.kwargs would make a view for each run
        except BaseException as error:  # noqa: BLE001 - a run's SystemExit ends the run, not the worker
            self.end(flight, error)
            return None
        if type(result) is CoroutineType:  # of an async function, or of a lambda that calls one
            return cast("Coroutine[Any, Any, Any]", result)
        self.end(flight, obeyed=flight.seen)
        return None

    def end(self, flight: Flight, error: BaseException | None = None, *, obeyed: bool = False) -> None:
        """Report how a call ended; `obeyed` when it ended, or never began, because it was asked to."""
        reading: Reading = self._read()
        finished = reading.wall if flight.entry.rule.on_wall else reading.steady
        flight.attempt = attempted(flight.started, finished, error, obeyed=obeyed)
        self.report(flight)
