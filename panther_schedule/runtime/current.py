"""`current_run()`: what a function can know about the run it is called for."""

from __future__ import annotations

from contextvars import Context, ContextVar, copy_context
from typing import Final

from ..errors import SchedulerStateError
from ..planning.records import Run
from .entries import EMPTY, Flight

flying: Final[ContextVar[Flight | None]] = ContextVar("panther_schedule.run", default=None)
"""The run whose function is called in this context."""


def context_seen() -> Context:
    """Return a copy of the caller's context; made in a run, it does not keep that run alive."""
    context = copy_context()
    if not context:
        return EMPTY
    if context.get(flying) is not None:
        context.run(flying.set, None)
    return context


class CurrentRun(Run):
    """The run that is active in this thread or asyncio task: a `Run` that has not ended."""

    _flight: Flight

    @property
    def cancelled(self) -> bool:
        """True when the run was asked to end: by `cancel()`, its timeout, or a newer run (`cancel_running`).

        A thread can't be stopped from outside, so a function that takes long looks here and returns. A run whose
        function returns after it saw True is recorded as `cancelled`; one that never looked, as what it did.
        """
        if self._flight.asked:
            self._flight.seen = True
        return self._flight.asked


def current_run() -> CurrentRun:
    """Return the run that this function is called for.

    Raises:
        SchedulerStateError: no scheduler called it; `task.run()` and a direct call are not runs.
    """
    flight = flying.get()
    if flight is None:
        raise SchedulerStateError("current_run() works only in a function that a scheduler called; add it as a task")
    current = CurrentRun(*flight.run)
    current._flight = flight
    return current
