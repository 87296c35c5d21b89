"""`simulate()`: what would run, by a scheduler in virtual time that calls stand-ins instead of the functions."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from typing import Any, cast

from ..clock import MICROSECOND, VirtualClock, instant, microseconds
from ..errors import BusyLoopWarning, nearest, refuse, refuse_value, type_name
from ..planning.records import Passed, Record, Run
from ..planning.rule import Plan
from ..runtime.entries import Flight
from ..runtime.handles import TaskHandle
from ..runtime.ledger import History, Ledger, count
from ..runtime.scheduler import Scheduler
from ..tasks.task import AnyTask, check_tasks
from .faults import ClockStep, FailingTask, Fault, SlowTask, Suspend, TaskFault, check_task_name, raised


@dataclass(frozen=True, slots=True)
class SimulatedTask:
    """What would happen to one task."""

    name: str
    """The task's name: its own, or one such as `send_otp-000001`."""
    records: tuple[Run | Passed, ...]
    """What would happen to its occurrences, in their order."""
    in_flight: tuple[Run, ...]
    """The runs that have not ended by then."""
    _plan: Plan = field(repr=False, compare=False)

    @property
    def runs(self) -> tuple[Run, ...]:
        """The records of runs alone."""
        return tuple(record for record in self.records if isinstance(record, Run))

    def _pictured(self) -> tuple[Sequence[Record], Sequence[Run], Plan]:
        """Return what a timeline shows of it."""
        return self.records, self.in_flight, self._plan


@dataclass(frozen=True, slots=True)
class Simulation:
    """What `simulate()` found: what would happen to each task, in their order; `simulation["digest"]` is one."""

    start: datetime
    end: datetime
    tasks: tuple[SimulatedTask, ...]

    def __iter__(self) -> Iterator[SimulatedTask]:
        return iter(self.tasks)

    def __getitem__(self, name: str) -> SimulatedTask:
        """Return what would happen to a task, by its name; KeyError when there is none."""
        for task in self.tasks:
            if task.name == name:
                return task
        raise KeyError(name, nearest(name, [task.name for task in self.tasks]))


def simulate(tasks: Iterable[AnyTask], start: datetime, end: datetime, faults: Iterable[Fault] = ()) -> Simulation:
    """Tell what would run from `start` to `end`, both included, if these tasks were added at `start`.

    No function is called, nothing is logged, and it takes no time: a `Scheduler` on a `VirtualClock` of its own calls
    stand-ins, which succeed at once unless a fault says otherwise. Async ones are cancelled by a timeout,
    sync ones go on, as the functions would. The moments of faults, and `end`, are those of a clock that is never set.

    Raises:
        ValidationError: `tasks` holds something else (`tasks_type`, `not_a_task`) or what `add_task()` refuses, a time
            is not aware (`instant`), `end` is not after `start` (`simulation_span`), a task would run endlessly at one
            moment (`simulation_endless`), `faults` holds something else (`fault_type`), or a fault names no task
            (`unknown_task`), lies outside the simulation or falls within a suspend (`fault_at`).
    """
    wanted, given = check_tasks("simulate", tasks), _check_faults(faults)
    first, last = instant("simulate", "start", start), instant("simulate", "end", end)
    if last <= first:
        got = f"{start.isoformat()} to {end.isoformat()}"
        refuse_value("simulate", "simulation_span", "end", "after start", got, "write start + timedelta(days=7)")
    moments = sorted((it for it in given if isinstance(it, Suspend | ClockStep)), key=lambda fault: fault.at)
    _check_moments(moments, first, last)
    clock = VirtualClock(start)
    with Scheduler(clock=clock) as scheduler:
        life = scheduler._running()
        life.engine.quiet, life.memory.ledger = True, _Whole()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BusyLoopWarning)  # no worker is busy here
            handles = list(dict.fromkeys(scheduler.add_tasks(wanted)))
        _stand_in(clock, handles, [it for it in given if isinstance(it, TaskFault)])
        for fault in moments:
            clock.advance(MICROSECOND * (microseconds(fault.at) - clock.read().steady))
            (clock.suspend if isinstance(fault, Suspend) else clock.step)(fault.by)
        clock.advance(MICROSECOND * (last - clock.read().steady))
        found = [_simulated(handle, life.store.flights(handle._entry)) for handle in handles]
        scheduler.stop(timedelta(0))
    return Simulation(start, end, tuple(found))


class _Whole(Ledger):
    """A ledger that forgets nothing."""

    def record(self, history: History, record: Record) -> None:
        count(self.counts, record)
        history.append(record)


def _simulated(handle: TaskHandle, in_flight: Sequence[Flight]) -> SimulatedTask:
    records = sorted(handle.runs, key=lambda it: it.scheduled_at if isinstance(it, Run) else it.first_at)
    return SimulatedTask(handle.name, tuple(records), tuple(flight.run for flight in in_flight), handle._pictured()[2])


def _stand_in(clock: VirtualClock, handles: Sequence[TaskHandle], faults: Sequence[TaskFault]) -> None:
    """Let stand-ins with these faults be called for the functions of tasks."""
    names = [handle.name for handle in handles]
    clock._stand_ins.update(dict.fromkeys(names, lambda: None))  # first, since a refusal ends the scheduler
    for fault in faults:
        check_task_name(type(fault).__name__, fault.task, names)
    for handle in handles:
        own = [fault for fault in faults if fault.task == handle.name]
        always_slow = any(isinstance(it, SlowTask) and it.start_at is it.end_at is None for it in own)
        if handle._entry.rule.busy and not always_slow:
            message = "{name} would run endlessly at one moment; say how long a run takes: SlowTask({name}, takes)"
            refuse("simulate", "simulation_endless", message, at=("tasks",), name=repr(handle.name))
        calls = _Calls(clock, own, cancellable=handle.task._known.is_async)
        clock._stand_ins[handle.name] = calls.call


class _Calls:
    """The calls of one task's stand-in."""

    def __init__(self, clock: VirtualClock, faults: Sequence[TaskFault], *, cancellable: bool) -> None:
        self._clock, self._cancellable = clock, cancellable
        self._slow = [fault for fault in faults if isinstance(fault, SlowTask)]
        self._failing = [fault for fault in faults if isinstance(fault, FailingTask)]
        self._times_left = [inf if fault.times is None else fault.times for fault in self._failing]

    def call(self) -> Coroutine[Any, Any, None] | None:
        """Stand for the function: take time and raise, as the faults say."""
        at = self._clock.read().steady
        takes = next((fault.takes for fault in self._slow if fault._holds(at)), None)
        failing = self._next_failing(at)
        if takes is not None:
            return self._take(takes / timedelta(seconds=1), failing)
        _finish(failing)
        return None

    def _next_failing(self, at: int) -> FailingTask | None:
        for index, fault in enumerate(self._failing):  # two may be equal
            if fault._holds(at) and self._times_left[index]:
                self._times_left[index] -= 1
                return fault
        return None

    async def _take(self, seconds: float, failing: FailingTask | None) -> None:
        """Take virtual time; sync functions too are coroutines here, which no cancel reaches."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + seconds
        while (left := round(ends_at - loop.time(), 6)) > 0:  # less than a microsecond is noise, and never passes
            try:
                await asyncio.sleep(left)
            except asyncio.CancelledError:
                if self._cancellable:
                    raise
        _finish(failing)


def _finish(failing: FailingTask | None) -> None:
    if failing is not None:
        raise raised("FailingTask", failing.error).with_traceback(None)


def _check_faults(faults: object) -> list[Fault]:
    given: list[object] = [*cast("Iterable[object]", faults)] if isinstance(faults, Iterable) else []
    wrong = [fault for fault in given if not isinstance(fault, Fault)] if isinstance(faults, Iterable) else [faults]
    if wrong:
        rule = "a list of Suspend, ClockStep, SlowTask and FailingTask values"
        refuse_value("simulate", "fault_type", "faults", rule, type_name(wrong[0]), "write [Suspend(at, by)]")
    return cast("list[Fault]", given)


def _check_moments(moments: Sequence[Suspend | ClockStep], first: int, last: int) -> None:
    """Refuse a fault that lies outside the simulation, or begins while the machine is suspended."""
    free_from = first
    for fault in moments:
        at = microseconds(fault.at)
        ends = at + fault.by // MICROSECOND if isinstance(fault, Suspend) else at
        if at < free_from or ends > last:
            message = "a fault must lie between start and end, and not in a suspend, got {got}; move it"
            refuse("simulate", "fault_at", message, at=("faults",), got=repr(fault))
        free_from = ends
