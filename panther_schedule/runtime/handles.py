"""What `add_task()` and `run_now()` return: views of one task, and of one run, in their scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, overload

from ..clock import moment
from ..errors import SchedulerStateError
from ..models.policy import Policy
from ..planning.records import Cause, Passed, Run, shown, shown_run
from ..planning.rule import due_at
from ..tasks.task import BackgroundTask
from .backfills import occurrences_to_fill
from .entries import Entry, Flight
from .ledger import counts_of
from .loop import Loop


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
    def policy(self) -> Policy:
        """The policy that holds for it, with every field that was not set at its default."""
        return self._entry.task.policy

    @property
    def next_run(self) -> datetime | None:
        """When the next run is due, aware, in UTC.

        None when nothing is to come, while it is paused, and while a run that is still going decides it.
        """
        loop = self._loop()
        due = due_at(self._entry.rule, self._entry.state)
        if due is None or self._entry.rule.on_wall:
            return None if due is None else moment(due)
        reading = loop.clock.read()
        return moment(due + reading.wall - reading.steady)

    @property
    def runs(self) -> tuple[Run | Passed, ...]:
        """What became of its latest due occurrences, oldest first: at most 20 records.

        A `Run` is one run that ended; a `Passed` is one or more occurrences in a row that did not become runs.
        """
        self._loop()
        name = self.name
        return tuple(shown(record, name) for record in tuple(self._entry.account or ()))

    @property
    def counts(self) -> Mapping[str, int]:
        """What became of all its due occurrences: a number for each outcome and reason, and `in_flight`.

        Their sum is the number of occurrences that became due. Runs that wait for the one before are in flight;
        manual and backfill runs, which claim no occurrence, are not counted.
        """
        self._loop()
        state = self._entry.state
        return {**counts_of(self._entry.account), "in_flight": state.running + len(state.held.waiting)}

    @property
    def paused(self) -> bool:
        """True from `pause()` to `resume()`."""
        return self.pause_reason is not None

    @property
    def pause_reason(self) -> str | None:
        """What `pause()` was given, which may be empty; None when it is not paused."""
        self._loop()
        return self._entry.state.held.paused

    @property
    def ended(self) -> bool:
        """True when no occurrence runs or is to come; soon after `cancel()`, and after the run that still goes on.

        Manual and backfill runs are no occurrences: they may go on, and `RunHandle.wait()` waits for them.
        """
        self._loop()
        return self._entry.ended

    def join(self, timeout: timedelta | None = None) -> bool:
        """Wait until the task has ended; False when the timeout came first.

        A task that runs for ever ends only when it is cancelled or its scheduler stops.

        Raises:
            SchedulerStateError: it is called from a run of this task, or on the event loop that runs need.
        """
        return self._loop().join(self._entry, timeout)

    def cancel(self) -> None:
        """Let nothing more of it start, ask its runs to end, and free the name.

        An async run is cancelled where it waits. A thread can't be stopped: a sync function sees
        `current_run().cancelled`, and its record says what it did. Runs that wait for their turn, for a worker or
        for another attempt are recorded as `cancelled`. A new task may take the name at once.
        """
        self._loop().cancel(self._entry)

    def pause(self, reason: str = "") -> None:
        """Let nothing of it start until `resume()`; what runs goes on, with its further attempts.

        The occurrences of the pause become one `skipped_paused` record; no run of the `n` is lost by that. A `Once`
        and a repeat without a wait have no other occurrence: they wait. Nothing changes for a task that has ended.
        """
        loop = self._loop()
        loop.do(lambda reading: loop.store.pause(self._entry, reason, reading))

    def resume(self) -> None:
        """Let it go on after `pause()`; nothing changes for a task that is not paused."""
        loop = self._loop()
        loop.do(lambda reading: loop.store.resume(self._entry, reading))

    def run_now(self) -> RunHandle:
        """Run it once more, now, beside whatever runs of it are going; it does not count towards `n`.

        Retry and timeout of the policy hold for it; a pause does not.

        Raises:
            SchedulerStateError: the task was cancelled, or the scheduler has stopped.
        """
        loop = self._startable("run_now")
        now = self._entry.rule.now(loop.clock.read())
        (flight,) = loop.start_beside(self._entry, [(now, self._entry.state.latest)], "manual")
        return RunHandle(flight)

    @overload
    def backfill(self, start: datetime, end: datetime, *, dry_run: Literal[False] = ...) -> list[RunHandle]: ...
    @overload
    def backfill(self, start: datetime, end: datetime, *, dry_run: Literal[True]) -> list[datetime]: ...
    def backfill(self, start: datetime, end: datetime, *, dry_run: bool = False) -> list[RunHandle] | list[datetime]:
        """Run it once for each occurrence from `start` to `end`, both included, one after the other, oldest first.

        It does not matter what became of these occurrences before: their records stay as they are, and the runs
        have the cause `backfill`, count towards no `n` and move nothing. With `dry_run` nothing runs, and the
        occurrences are returned. Both times are aware; `end` is not after now.

        Raises:
            ValidationError: a time is naive (`instant`), `end` lies before `start` or after now (`backfill_range`),
                there are more than 10,000 occurrences (`backfill_size`), or the schedule is a repeat without a wait,
                which has no occurrences of its own (`backfill_schedule`).
            SchedulerStateError: the task was cancelled, or the scheduler has stopped.
        """
        loop = self._startable("backfill")
        found = occurrences_to_fill(self._entry, start, end, loop.clock.read())
        if dry_run:
            return [moment(at) for at, _before in found]
        return [RunHandle(flight) for flight in loop.start_beside(self._entry, found, "backfill")]

    def _startable(self, method: str) -> Loop:
        loop = self._loop()
        if self._entry.cancelled or loop.stopping:
            what = "the task was cancelled" if self._entry.cancelled else "the scheduler has stopped"
            raise SchedulerStateError(f"{method}() needs a task in a scheduler that runs, and {what}; add it again")
        return loop

    def _loop(self) -> Loop:
        return _loop_of(self._entry)

    def __eq__(self, other: object) -> bool:
        return self._entry is other._entry if isinstance(other, TaskHandle) else NotImplemented

    def __hash__(self) -> int:
        return hash(id(self._entry))

    def __repr__(self) -> str:
        return f"<TaskHandle {self.name!r}: {self._entry.task.explain()}>"


class RunHandle:
    """One run that was asked for, by `run_now()` or `backfill()`."""

    __slots__ = ("_flight",)

    def __init__(self, flight: Flight) -> None:
        self._flight = flight

    @property
    def id(self) -> str:
        """Its id, which no other run has."""
        return self._flight.id

    @property
    def scheduled_at(self) -> datetime:
        """The occurrence it is for, aware, in UTC; of a manual run the moment of `run_now()`."""
        return moment(self._flight.scheduled_at)

    @property
    def cause(self) -> Cause:
        """`manual` or `backfill`."""
        return self._flight.cause

    @property
    def run(self) -> Run | None:
        """What became of it; None until it has ended."""
        record = self._flight.record
        return None if record is None else shown_run(record, self._flight.entry.name)

    def wait(self, timeout: timedelta | None = None) -> Run:
        """Wait until it has ended, and return what became of it; on a `VirtualClock` this moves the clock.

        Raises:
            TimeoutError: the timeout came first.
            SchedulerStateError: it is called from a run of this task, or on the event loop that runs need.
        """
        if self._flight.record is None:
            _loop_of(self._flight.entry).wait(self._flight, timeout)
        run = self.run
        if run is None:
            raise TimeoutError(f"the run {self.id!r} has not ended; wait longer, or cancel() it")
        return run

    def cancel(self) -> None:
        """Ask it to end, as `TaskHandle.cancel()` does."""
        loop = _loop_of(self._flight.entry)
        loop.do(lambda reading: loop.store.cancel_run(self._flight, reading))

    def __repr__(self) -> str:
        return f"<RunHandle {self.id!r}>"


def _loop_of(entry: Entry) -> Loop:
    loop: Loop = entry.owner
    if loop.forked:
        raise SchedulerStateError(
            f"the handle of {entry.name!r} belongs to the process before the fork; add the task in this process"
        )
    return loop
