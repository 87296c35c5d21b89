"""`Scheduler`: names tasks, starts the thread, and ends it in an orderly way."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401  # pyright: ignore[reportUnusedImport] - its exit hook must be registered before ours, which then runs first
import itertools
import os
import threading
import warnings
import weakref
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, Final, ParamSpec, Self

from ..clock import Clock, SystemClock, VirtualClock
from ..errors import BusyLoopWarning, SchedulerStateError, refusal
from ..events import Event
from ..models.policy import DEFAULT_POLICY, Policy
from ..models.schedules import ONCE, AnySchedule
from ..occurrences.queries import UTC_ZONE, clear_caches, zone_for
from ..planning.machine import first_state
from ..planning.records import State
from ..planning.rule import Rule, rule_of, under
from ..tasks.checks import check_policy
from ..tasks.task import BackgroundTask, jitter_key
from .admission import equal, is_task, name_in_use, no_name, no_occurrence, no_task, no_worker
from .entries import Entry, keys_of
from .handles import TaskHandle
from .health import Health, counts_in, health_of
from .listeners import Listeners
from .loop import Loop
from .messages import check_timeout
from .virtual import VirtualLoop
from .workers import Workers

P = ParamSpec("P")
_DRAIN: Final = timedelta(seconds=10)
_UNTOLD_S: Final = 1.0  # how long the end waits for listeners
_NO_NAMES: Final[Mapping[str, Entry]] = {}


class Scheduler:
    """Runs tasks in the background: sync functions in worker threads, async ones on one event loop.

    The first `add_task()` starts it. When the main thread ends, it drains for at most ten seconds what runs or is
    due, and drops later occurrences with one log line. `with Scheduler() as s:` stops it at the end of the block;
    inside `async with`, async functions run on the event loop of the block. A child process after a fork has an
    empty, unstarted scheduler.

    `max_workers` bounds the threads for sync functions, by default `min(32, cpus + 4)`; a run that waits for a
    worker is late, never skipped. `clock` is the machine's, or a `VirtualClock` for tests.
    """

    def __init__(self, *, max_workers: int | None = None, clock: Clock | None = None) -> None:
        if max_workers is not None and (type(max_workers) is not int or max_workers < 1):
            raise refusal("Scheduler", [no_worker(max_workers)])
        self._max_workers = max_workers
        self._clock: Clock = clock if clock is not None else SystemClock()
        self._reset()
        _all.add(self)

    def _reset(self) -> None:
        self._lock = threading.RLock()  # a signal handler, or a __del__, may add a task in the midst of adding one
        self._tasks: dict[int | str, Entry] = {}
        self._orders = itertools.count(1)
        self._event_loop: asyncio.AbstractEventLoop | None = None
        self._latest: tuple[AnySchedule, Policy, Rule] = ONCE, DEFAULT_POLICY, rule_of(ONCE, UTC_ZONE)
        self._loop: Loop | None = None
        self._listeners = Listeners(inline=isinstance(self._clock, VirtualClock))
        self._stopped = False

    # ---- tasks -----------------------------------------------------------------------------------------------

    def add_task(self, task: BackgroundTask[P, Any]) -> TaskHandle:  # P, since mypy infers no lambda against `...`
        """Run the task in the background by its schedule, and return its handle.

        Without a name each call makes a new task. With a name it is a declaration: adding an equal task again
        changes nothing and returns the handle.

        Raises:
            ValidationError: it is no `BackgroundTask` (`not_a_task`), its name is in use by a different one
                (`name_in_use`), or its schedule has no occurrence (`no_occurrence`).
            SchedulerStateError: the scheduler has stopped.
        """
        if not is_task(task):
            raise refusal("add_task", [no_task(task)])
        with self._lock:
            loop = self._running()
            entry = self._entry(task, loop, _NO_NAMES)
            if entry.key not in self._tasks:
                if task._is_async or entry.rule.back_to_back:
                    self._prepare(entry, loop, entry.task, entry.rule)
                self._post(entry, loop)
        return TaskHandle(entry)

    def add_tasks(self, tasks: Iterable[BackgroundTask[..., Any]]) -> list[TaskHandle]:
        """Add each task of an iterable, such as a whole `TaskRegistry`: all of them or, if one is refused, none."""
        wanted = list(tasks)
        others: list[tuple[int, object]] = [(at, task) for at, task in enumerate(wanted) if not is_task(task)]
        faults = [no_task(value, at) for at, value in others]
        if faults:
            raise refusal("add_tasks", faults)
        with self._lock:
            loop, new = self._running(), dict[str, Entry]()
            entries: list[Entry] = []
            for task in wanted:
                entry = self._entry(task, loop, new)
                entries.append(entry)
                if task._name is not None:
                    new[task._name] = entry
            added = [entry for entry in dict.fromkeys(entries) if entry.key not in self._tasks]
            for entry in added:
                self._prepare(entry, loop, entry.task, entry.rule)
            for entry in added:
                self._post(entry, loop)
        return [TaskHandle(entry) for entry in entries]

    def _entry(self, task: BackgroundTask[..., Any], loop: Loop, new: Mapping[str, Entry]) -> Entry:
        name = task._name
        if name is not None:
            known = new.get(name) or self._find(name)
            if known is not None:
                if equal(known.task, task):
                    return known
                raise refusal("add_task", [name_in_use(known.task, task)])
        rule = self._rule(task)
        return Entry(task, rule, self._first_state(task, rule), next(self._orders), loop)

    def _rule(self, task: BackgroundTask[..., Any]) -> Rule:
        schedule, policy, rule = self._latest
        if task._schedule is schedule and task._policy is policy:  # both may well be the shared defaults
            return rule
        schedule, policy = task._schedule, task._policy
        rule = rule_of(schedule, zone_for(schedule))
        if policy is not DEFAULT_POLICY:
            check_policy(schedule, policy)
            rule = under(rule, policy, partial(jitter_key, task))
            if rule.terms is not None and rule.terms.key:  # this task's alone
                return rule
        self._latest = schedule, policy, rule
        return rule

    def _first_state(self, task: BackgroundTask[..., Any], rule: Rule) -> State:
        state = first_state(task._schedule, rule, self._clock.read())
        if state is None:
            raise refusal("add_task", [no_occurrence(task)])
        return state

    def replace(self, task: BackgroundTask[P, Any]) -> TaskHandle:
        """Put a task in the place of the one of its name, and return the handle; without such a one, add it.

        Another schedule starts afresh, with `n` whole. Other arguments, another function or policy leave the times
        and the count as they are, also of a task that has ended. Runs that are going keep
        the function and arguments they began with; whether they are tried again or take too long is by the new policy.

        Raises:
            ValidationError: as `add_task()`, or the task has no name (`name_missing`).
            SchedulerStateError: the scheduler has stopped.
        """
        if not is_task(task):
            raise refusal("replace", [no_task(task)])
        if task._name is None:
            raise refusal("replace", [no_name()])
        with self._lock:
            loop, known = self._running(), self._find(task._name)
            if known is None:
                return self.add_task(task)
            if not equal(known.task, task):
                rule = self._rule(task)
                afresh = known.task._schedule != task._schedule
                fresh = self._first_state(task, rule) if afresh else None
                self._prepare(known, loop, task, rule)
                known.task = task
                loop.replace(known, rule, fresh)
        loop.do(lambda _reading: None)  # it comes after the posted change, so the handle tells of the new task
        return TaskHandle(known)

    def _prepare(self, entry: Entry, loop: Loop, task: BackgroundTask[..., Any], rule: Rule) -> None:
        if rule.back_to_back and rule.n == -1:
            warnings.warn(
                f"{entry.name} repeats for ever without a wait and keeps a worker busy; give it interval_wait(...)",
                BusyLoopWarning,
                stacklevel=3,
            )
        loop.workers.prepare(task)

    def _post(self, entry: Entry, loop: Loop) -> None:
        self._tasks[entry.key] = entry
        loop.post(entry)

    # ---- listening and asking --------------------------------------------------------------------------------

    def add_listener(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Tell a listener each event from now on, and return what ends that.

        Listeners are called on one thread of their own, in the order of what happened; on a `VirtualClock` in the
        thread that moves it. One that raises is logged and told the next event; one so slow that 100,000 events
        wait misses some, which `health()` counts.
        """
        with self._lock:
            remove = self._listeners.add(listener)
            if self._loop is not None:
                self._loop.tell()
        return remove

    def health(self) -> Health:
        """Tell how the scheduler gets along: what is overdue, when it last looked, how its workers are used.

        It reads what the scheduler's thread wrote last, so it answers even when that thread is stuck.
        """
        entries = list(self._tasks.values())
        return health_of(self._loop or self._new_loop(), entries, started=self._loop is not None)

    @property
    def counts(self) -> Mapping[str, int]:
        """What became of all due occurrences of all tasks: a number for each outcome and reason, and `in_flight`."""
        return counts_in(self._loop or self._new_loop(), list(self._tasks.values()))

    def reload_tz(self) -> None:
        """Read the time zones' rules again, as is needed after their files were updated.

        The next occurrences are found anew; what is over, by the old rules or the new, does not run again.
        """
        zoneinfo.ZoneInfo.clear_cache()
        clear_caches()
        rule_of.cache_clear()
        with self._lock:
            self._latest = ONCE, DEFAULT_POLICY, rule_of(ONCE, UTC_ZONE)
            loop = self._loop
            if loop is not None:
                entries = [entry for entry in self._tasks.values() if entry.rule.on_wall]
                loop.do_soon(partial(loop.store.reload, [(entry, self._rule(entry.task)) for entry in entries]))
        if loop is not None:
            loop.do(lambda _reading: None)  # until that is done, and outside of the lock

    # ---- looking tasks up ------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> TaskHandle:
        """Return the handle of a task by its name; KeyError when there is none."""
        entry = self._find(name)
        if entry is None:
            raise KeyError(name)
        return TaskHandle(entry)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not None

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[TaskHandle]:
        with self._lock:
            entries = list(self._tasks.values())
        return iter([TaskHandle(entry) for entry in entries])

    def _find(self, name: str) -> Entry | None:
        for key in keys_of(name):
            entry = self._tasks.get(key)
            if entry is not None and entry.name == name:
                return entry
        return None

    # ---- beginning and end -----------------------------------------------------------------------------------

    def start(self) -> Self:
        """Start it, as the first `add_task()` does; once started, this changes nothing."""
        with self._lock:
            self._running()
        return self

    def join(self, timeout: timedelta | None = None) -> bool:
        """Wait until no task is left; False when the timeout came first.

        A task that runs for ever is left until it is cancelled, so a script with one waits here for ever. On a
        `VirtualClock` this moves the clock.
        """
        return True if self._loop is None else self._loop.join(None, timeout)

    def stop(self, timeout: timedelta = _DRAIN) -> None:
        """Drain and stop: what runs or is due is finished, later occurrences are dropped.

        After `timeout` the runs that still go on are recorded as `abandoned`. A stopped scheduler takes no tasks;
        stopping it again changes nothing.

        Raises:
            SchedulerStateError: it is called from one of the runs it would wait for.
        """
        check_timeout("stop", timeout)
        if self._loop is not None:
            self._loop.refuse_to_wait_for_itself("stop", None)
        self._begin_stop(timeout, at_exit=False)
        if self._loop is not None:
            self._loop.finish_stop()
        self._listeners.stop(_UNTOLD_S)

    def _begin_stop(self, timeout: timedelta, *, at_exit: bool) -> None:
        with self._lock:
            stops, self._stopped = not self._stopped, True
            _started.discard(self)
            if stops and self._loop is not None:
                self._loop.begin_stop(timeout, at_exit=at_exit)

    def _running(self) -> Loop:
        loop = self._loop
        if loop is not None and not self._stopped and loop.broken is None:
            return loop
        if self._stopped:
            raise SchedulerStateError("the scheduler has stopped and takes no tasks; make a new Scheduler()")
        if loop is not None:
            raise SchedulerStateError("the scheduler's thread died, see the log; make a new Scheduler()")
        loop = self._new_loop()
        try:
            _watch_exit(self)
            loop.start()
        except RuntimeError as error:  # the interpreter ends, or no thread can be had
            _started.discard(self)
            raise SchedulerStateError(
                f"the scheduler can't start: {error}; add tasks before the program ends"
            ) from error
        self._loop = loop
        return loop

    def _new_loop(self) -> Loop:
        if isinstance(self._clock, VirtualClock):
            return VirtualLoop(self._clock, self._workers, self._listeners, self._tasks, self._lock)
        return Loop(self._clock, self._workers, self._listeners, self._tasks, self._lock)

    def _workers(self, report: Callable[[Any], None]) -> Workers:
        inline = isinstance(self._clock, VirtualClock)
        return Workers(self._clock, report, self._max_workers, self._event_loop, inline=inline)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        if self._loop is None and not isinstance(self._clock, VirtualClock):
            self._event_loop = asyncio.get_running_loop()
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)


# ---- the process ends, or forks ----------------------------------------------------------------------------------

_all: weakref.WeakSet[Scheduler] = weakref.WeakSet()
_started: set[Scheduler] = set()


def _watch_exit(scheduler: Scheduler) -> None:
    global _watching  # noqa: PLW0603 - one hook a process
    if isinstance(scheduler._clock, VirtualClock):
        return
    if not _watching:
        # atexit runs when no thread can be started any more, too late for async functions
        threading._register_atexit(_drain_all)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType] - private, the same on 3.11 to 3.13
        _watching = True
    _started.add(scheduler)


def _drain_all() -> None:
    schedulers = tuple(_started)
    for scheduler in schedulers:
        scheduler._begin_stop(_DRAIN, at_exit=True)
    for scheduler in schedulers:
        if scheduler._loop is not None:
            scheduler._loop.finish_stop()
        scheduler._listeners.stop(_UNTOLD_S)


def _after_fork() -> None:
    global _watching  # noqa: PLW0603 - one hook a process
    _watching = False
    _started.clear()
    for scheduler in tuple(_all):
        if scheduler._loop is not None:
            scheduler._loop.forked = True
            scheduler._loop.detach()
        scheduler._reset()


_watching = False
os.register_at_fork(after_in_child=_after_fork)
