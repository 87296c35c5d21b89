"""What `add_task()` returns: a view of one task in its scheduler."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from .clock import moment
from .errors import SchedulerStateError
from .loop import Loop
from .runs import Passed, Run, shown
from .store import Entry
from .task import BackgroundTask


class TaskHandle:
    """One task in a scheduler: what it is, what became of it, and how to end it.

    Handles are made by `add_task()` and by looking a task up; two handles of one task are equal. After a fork, the
    parent's handles raise `SchedulerStateError` in the child.
    """

    __slots__ = ("_entry",)

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    @property
    def name(self) -> str:
        """The task's name: its own, or a unique one such as `send_otp-1f3a9c`."""
        return self._entry.name

    @property
    def task(self) -> BackgroundTask[..., Any]:
        """The task, as it was added."""
        return self._entry.task

    @property
    def next_run(self) -> datetime | None:
        """When the next run is due, aware, in UTC; None when nothing is to come or the run before decides it."""
        loop, state = self._loop(), self._entry.state
        if state.next_at is None or self._entry.dropped:
            return None
        if self._entry.rule.on_wall:
            return moment(state.next_at)
        reading = loop.clock.read()
        return moment(state.next_at + reading.wall - reading.steady)

    @property
    def runs(self) -> tuple[Run | Passed, ...]:
        """What became of its latest due occurrences, oldest first: at most 20 records.

        A `Run` is one run that ended; a `Passed` is one or more occurrences in a row that did not become runs.
        """
        self._loop()
        return tuple(shown(record) for record in tuple(self._entry.recent or ()))

    @property
    def ended(self) -> bool:
        """True when nothing of it runs or is to come; soon after `cancel()`, and after the run that still goes on."""
        self._loop()
        return self._entry.ended is True

    def join(self, timeout: timedelta | None = None) -> bool:
        """Wait until the task has ended; False when the timeout came first.

        A task that runs for ever ends only when it is cancelled or its scheduler stops.

        Raises:
            SchedulerStateError: it is called from a run of this task, or on the event loop that runs need.
        """
        return self._loop().join(self._entry, timeout)

    def cancel(self) -> None:
        """Let nothing more of it start and free the name; a run whose function was called is left alone.

        A run that waits for a worker is recorded as `cancelled`, without a start. A new task may take the name at
        once, beside a last run of this one.
        """
        self._loop().cancel(self._entry)

    def _loop(self) -> Loop:
        loop: Loop = self._entry.owner
        if loop.forked:
            raise SchedulerStateError(
                f"the handle of {self.name!r} belongs to the process before the fork; add the task in this process"
            )
        return loop

    def __eq__(self, other: object) -> bool:
        return self._entry is other._entry if isinstance(other, TaskHandle) else NotImplemented

    def __hash__(self) -> int:
        return hash(id(self._entry))

    def __repr__(self) -> str:
        return f"<TaskHandle {self.name!r}: {self._entry.task.explain()}>"
