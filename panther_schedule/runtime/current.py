"""`current_run()`: what a function can know of the run it is called for."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import datetime
from typing import Final

from ..clock import moment
from ..errors import SchedulerStateError
from ..planning.records import Cause
from .entries import Flight

flying: Final[ContextVar[Flight | None]] = ContextVar("panther_schedule.run", default=None)
"""The run whose function is called in this context."""


class CurrentRun:
    """The run that is active in this thread or asyncio task."""

    __slots__ = ("_flight",)

    def __init__(self, flight: Flight) -> None:
        self._flight = flight

    @property
    def id(self) -> str:
        """The run's id, the same for each attempt: an idempotency key."""
        return self._flight.named.id

    @property
    def task(self) -> str:
        """The task's name in its scheduler."""
        return self._flight.entry.name

    @property
    def scheduled_at(self) -> datetime:
        """The occurrence that the run covers, aware, in UTC; of a manual run, the moment of `run_now()`."""
        return self._flight.run.scheduled_at

    @property
    def previous_at(self) -> datetime | None:
        """The occurrence of the scheduled run before it, aware, in UTC; None for the first.

        The spans from `previous_at` to `scheduled_at` of a task's scheduled runs follow each other without a gap,
        even where occurrences between them were missed or skipped. In a backfill it is the occurrence before.
        """
        previous = self._flight.run.previous
        return None if previous is None else moment(previous)

    @property
    def attempt(self) -> int:
        """1 for the first call of the function in this run."""
        return self._flight.run.attempt

    @property
    def cause(self) -> Cause:
        """Why the run exists: `schedule`, `manual` or `backfill`."""
        return self._flight.run.cause

    @property
    def cancelled(self) -> bool:
        """True when the run was asked to end: by `cancel()`, its timeout, or a newer run (`cancel_running`).

        A thread can't be stopped from outside, so a function that takes long looks here and returns. A run whose
        function returns after it saw True is recorded as `cancelled`; one that never looked, as what it did.
        """
        if self._flight.asked:
            self._flight.seen = True
        return self._flight.asked

    def __repr__(self) -> str:
        return f"<CurrentRun {self.id!r}, attempt {self.attempt}>"


def current_run() -> CurrentRun:
    """Return the run that calls the function which asks.

    Raises:
        SchedulerStateError: no scheduler called it; `task.run()` and a direct call are no runs.
    """
    flight = flying.get()
    if flight is None:
        raise SchedulerStateError("current_run() is for a function that a scheduler calls; add a task with it")
    return CurrentRun(flight)
