"""What `add_task()` and `run_now()` return: views of one task, and of one run, in their scheduler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, Final, Literal, overload

from ..clock import instant, moment
from ..errors import SchedulerStateError, StoreError, refuse, type_name
from ..models.policy import Policy
from ..planning.control import backfill_runs, manual_run
from ..planning.due import has_ended, is_cancelled
from ..planning.records import Cause, Passed, Record, Run
from ..planning.rule import Plan, due_at
from ..tasks.task import BackgroundTask
from .entries import Entry, Flight, in_flight
from .hosts import DISABLED
from .life import Life, check_timeout

MOST_BACKFILLED: Final = 10_000  # occurrences of one backfill


class _Handle:
    __slots__ = ("_entry", "_life")

    def __init__(self, entry: Entry, life: Life) -> None:
        self._entry, self._life = entry, life

    def _alive(self) -> Life:
        """Return the life of the scheduler; refuse to in the child process of a fork."""
        if self._life.forked:
            message = f"the handle of {self._entry.name!r} is from before the fork; add the task in this process"
            raise SchedulerStateError(message)
        return self._life


class TaskHandle(_Handle):
    """One task in a scheduler: what it is, what happened to it, and how to end it.

    Two handles of one task are equal. In the child process of a fork, the parent's raise `SchedulerStateError`.
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """The task's name: its own, or a unique one such as `send_otp-00001f`."""
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
        """When the next run is due, aware, in UTC; None in a pause, at the end, and while it depends on a run."""
        engine, entry = self._alive().engine, self._entry
        due = due_at(entry.rule, entry.state)
        return None if due is None else moment(due + engine.offset_of(entry.rule))

    @property
    def runs(self) -> tuple[Run | Passed, ...]:
        """What happened to its latest due occurrences, oldest first: at most 20 records."""
        self._alive()
        return tuple(self._entry.history or ())

    @property
    def counts(self) -> Mapping[str, int]:
        """What happened to all its due occurrences: a number for each outcome and reason, and `in_flight`.

        Runs that wait for the one before are in flight; manual and backfill runs, which claim no occurrence, are not
        counted. So the sum is the number of occurrences that became due.
        """
        self._alive()
        return {**self._entry.counts(), "in_flight": in_flight(self._entry)}

    @property
    def paused(self) -> bool:
        """True from `pause()` to `resume()`."""
        return self.pause_reason is not None

    @property
    def pause_reason(self) -> str | None:
        """What `pause()` was given, which may be empty; None when it is not paused."""
        self._alive()
        return self._entry.state.held.paused

    @property
    def ended(self) -> bool:
        """True when no scheduled run is active and none will start; manual and backfill runs may go on."""
        self._alive()
        return has_ended(self._entry.rule, self._entry.state)

    def join(self, timeout: timedelta | None = None) -> bool:
        """Block until the task has ended; False when the timeout came first.

        A task that runs for ever ends only when it is cancelled or its scheduler stops.

        Raises:
            SchedulerStateError: it is called from a run of this task, or where an event loop runs.
        """
        return self._alive().join(self._entry, check_timeout("join", timeout))

    async def wait(self, timeout: timedelta | None = None) -> bool:
        """Wait as `join()` does, in a coroutine: the event loop goes on."""
        return await self._alive().wait(self._entry, check_timeout("wait", timeout))

    def cancel(self, *, running: bool = True) -> None:
        """Start no more runs, ask its active runs to end, and free the name.

        An async run is cancelled where it waits. A thread can't be stopped: a sync function sees
        `current_run().cancelled`, and its record says what it did. Runs that wait for their turn, for a worker or
        for another attempt are recorded as `cancelled`. A new task may take the name at once.

        With `running=False` active runs are not asked: they finish, with their further attempts, and are recorded as
        what they did. Only runs that wait for their turn are `cancelled`. So a task can end itself.
        """
        life = self._alive()
        _check_flag("cancel", "running", running, "write cancel(running=False) to let active runs finish")
        with life.names.lock:
            life.names.free(self._entry)
        before = [(flight, flight.asked) for flight in tuple(life.store.in_flight) if flight.entry is self._entry]
        for flight, _ in before if running else ():
            flight.asked = True  # at once, so that what waits for a worker or fails now is not called again
        try:
            life.do(partial(life.engine.cancel, self._entry, running))
        except StoreError:
            for flight, asked in before:
                flight.asked = asked
            raise

    def pause(self, reason: str = "") -> None:
        """Start no runs until `resume()`. Active runs continue, with their further attempts.

        The occurrences of the pause become one `skipped_paused` record, and none of the `n` runs is lost. A `Once` and
        a repeat without a wait, or measured from the end, wait. Nothing changes for a task that has ended.
        """
        life = self._alive()
        life.do(partial(life.engine.pause, self._entry, _checked_reason(reason)))

    def resume(self) -> None:
        """Continue after `pause()`; nothing changes for a task that is not paused."""
        life = self._alive()
        life.do(partial(life.engine.resume, self._entry))

    def run_now(self) -> RunHandle:
        """Run it once more, now, beside its active runs; it does not count towards `n`.

        The policy's retry and timeout apply to it; overlap and a pause do not.

        Raises:
            SchedulerStateError: the task was cancelled, or the scheduler has stopped.
        """
        life, entry = self._startable("run_now"), self._entry
        now, offset = entry.rule.now(life.clock.read()), life.engine.offset_of(entry.rule)
        (handle,) = self._start([manual_run(entry.state, now, life.next_number(), offset)])
        return handle

    @overload
    def backfill(self, start: datetime, end: datetime, *, dry_run: Literal[False] = ...) -> list[RunHandle]: ...
    @overload
    def backfill(self, start: datetime, end: datetime, *, dry_run: Literal[True]) -> list[datetime]: ...
    def backfill(self, start: datetime, end: datetime, *, dry_run: bool = False) -> list[RunHandle] | list[datetime]:
        """Run it once for each occurrence from `start` to `end`, both included, one after the other, oldest first.

        Whatever happened to these occurrences before, their records stay as they are. The runs have the cause
        `backfill`, do not count towards `n` and move nothing. With `dry_run` nothing runs, and the
        occurrences are returned. Both times are aware; `end` is not after now.

        Raises:
            ValidationError: a time is naive (`instant`), `end` lies before `start` or after now (`backfill_range`),
                there are more than 10,000 occurrences (`backfill_size`), or the schedule is a repeat without a wait
                or measured from the end, which has no occurrences of its own (`backfill_schedule`).
            SchedulerStateError: the task was cancelled, or the scheduler has stopped.
        """
        life, entry = self._startable("backfill"), self._entry
        _check_flag("backfill", "dry_run", dry_run, "leave it out to run what is found")
        found = _occurrences(entry, start, end, life)
        if dry_run:
            return [run.scheduled_at for run in found]
        return self._start([run._replace(number=life.next_number()) for run in found])

    def _pictured(self) -> tuple[Sequence[Record], Sequence[Run], Plan]:
        """Return what a timeline shows of it: records, runs in flight and what is to come."""
        life, entry = self._alive(), self._entry
        runs = [flight.run for flight in life.store.flights(entry)]
        return self.runs, runs, (entry.rule, entry.state, life.engine.offset_of(entry.rule))

    def _startable(self, method: str) -> Life:
        life, cancelled = self._alive(), is_cancelled(self._entry.state)
        if life.loop.off and life.shared is None:
            message = f"{method}() runs nothing here, since {DISABLED}=1 is set; call it in a process that runs tasks"
            raise SchedulerStateError(message)
        if cancelled or life.loop.stopping:
            what = "the task was cancelled" if cancelled else "the scheduler has stopped"
            raise SchedulerStateError(f"{method}() needs a task in a running scheduler, but {what}; add it again")
        return life

    def _start(self, runs: Sequence[Run]) -> list[RunHandle]:
        flights = [self._entry.fly(run) for run in runs]
        self._life.do(partial(self._life.engine.start_more, self._entry, flights))
        return [RunHandle(flight, self._life) for flight in flights]

    def __eq__(self, other: object) -> bool:
        return self._entry is other._entry if isinstance(other, TaskHandle) else NotImplemented

    def __hash__(self) -> int:
        return hash(id(self._entry))

    def __repr__(self) -> str:
        return f"<TaskHandle {self.name!r}: {self._entry.task.explain()}>"


class RunHandle(_Handle):
    """One run that was asked for, by `run_now()` or `backfill()`."""

    __slots__ = ("_flight",)

    def __init__(self, flight: Flight, life: Life) -> None:
        super().__init__(flight.entry, life)
        self._flight = flight

    @property
    def id(self) -> str:
        """Its id, which no other run has."""
        return self._flight.run.id

    @property
    def scheduled_at(self) -> datetime:
        """The occurrence it is for, aware, in UTC; of a manual run, the moment of `run_now()`."""
        return self._flight.run.scheduled_at

    @property
    def cause(self) -> Cause:
        """`manual` or `backfill`."""
        return self._flight.run.cause

    @property
    def run(self) -> Run | None:
        """What happened to it; None until it has ended."""
        return self._flight.record

    def join(self, timeout: timedelta | None = None) -> Run:
        """Block until it has ended, and return what happened to it; on a `VirtualClock` this moves the clock.

        Raises:
            TimeoutError: the timeout came first.
            SchedulerStateError: it is called from a run of this task, or where an event loop runs, or its record was
                pruned.
        """
        self._alive().join(self._flight, check_timeout("join", timeout))
        return self._ended()

    async def wait(self, timeout: timedelta | None = None) -> Run:
        """Wait as `join()` does, in a coroutine: the event loop goes on."""
        await self._alive().wait(self._flight, check_timeout("wait", timeout))
        return self._ended()

    def _ended(self) -> Run:
        if self._flight.record is None:
            if self._life.loop.over:
                raise SchedulerStateError(f"the scheduler has stopped, and the run {self.id!r} never started")
            raise TimeoutError(f"the run {self.id!r} has not ended; wait longer, or cancel() it")
        return self._flight.record

    def cancel(self) -> None:
        """Ask it to end, as `TaskHandle.cancel()` does."""
        life = self._alive()
        life.do(partial(life.engine.ask, self._flight))

    def __repr__(self) -> str:
        return f"<RunHandle {self.id!r}>"


def _check_flag(method: str, field: str, value: object, remedy: str) -> None:
    if not isinstance(value, bool):
        message = "{field} must be True or False, got {got}; {remedy}"
        refuse(method, "flag", message, at=(field,), field=field, got=repr(value), remedy=remedy)


def _checked_reason(reason: object) -> str:
    if not isinstance(reason, str):
        message = "reason must be a str, got {got}; write pause('maintenance')"
        refuse("pause", "pause_reason", message, at=("reason",), got=type_name(reason))
    return str.__str__(reason)


def _occurrences(entry: Entry, start: datetime, end: datetime, life: Life) -> list[Run]:
    """Return a backfill's runs for the occurrences from `start` to `end`; refuse what can't be filled.

    Of a schedule on steady time, both are read by the offset to the wall as it is now.
    """
    rule, now, offset = entry.rule, life.clock.read(), life.engine.offset_of(entry.rule)
    if rule.wait_from_end is not None:
        message = "backfill() needs a schedule with occurrences of its own, got {got}; use run_now()"
        refuse("backfill", "backfill_schedule", message, at=("schedule",), got=entry.task.explain())
    first, last = instant("backfill", "start", start), instant("backfill", "end", end)
    got = f"{start.isoformat()} to {end.isoformat()}"
    if last < first or last > max(now.wall, now.steady + offset):
        message = "end must lie between start and now, got {got}; later occurrences run by themselves"
        refuse("backfill", "backfill_range", message, at=("end",), got=got)
    runs = backfill_runs(rule, entry.state, first - offset, min(last - offset, rule.now(now)), offset)
    found = list(islice(runs, MOST_BACKFILLED + 1))
    if len(found) > MOST_BACKFILLED:
        message = "backfill() takes at most {most} occurrences at a time, got more in {got}; take a shorter span"
        refuse("backfill", "backfill_size", message, at=("end",), got=got, most=f"{MOST_BACKFILLED:,}")
    return found
