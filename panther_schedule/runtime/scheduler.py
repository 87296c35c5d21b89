"""`Scheduler`: takes tasks, starts on the first of them, and ends in an orderly way."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # pyright: ignore[reportUnusedImport] - its exit hook must be registered before ours, which then runs first
import logging
import os
import threading
import warnings
import weakref
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import copy_context
from datetime import timedelta
from functools import partial
from typing import Any, Final, ParamSpec, Self

from ..clock import MICROSECOND, Clock, SystemClock, VirtualClock, check_clock, duration, now_by
from ..errors import BusyLoopWarning, SchedulerStateError, check_number, refuse
from ..models.policy import DEFAULT_POLICY, Policy
from ..models.schedules import ONCE, AnySchedule
from ..occurrences import compiler
from ..planning import rule as rules
from ..planning.due import begin
from ..planning.rule import Rule, rule_of, under
from ..planning.state import State
from ..tasks.checks import check_policy
from ..tasks.task import BackgroundTask, check_task, check_tasks
from .current import context_seen
from .entries import Entry
from .handles import TaskHandle, in_flight
from .health import Health, health_of
from .hosts import warn_of_copies
from .ledger import no_counts
from .life import Life, check_timeout
from .listeners import Listener, Listeners, check_listener
from .logs import log
from .names import Names, equal

P = ParamSpec("P")
_DRAIN: Final = timedelta(seconds=10)
_UNTOLD_S: Final = 1.0  # how long the end waits for listeners


class Scheduler:
    """Runs tasks in the background: sync functions in worker threads, async ones on one event loop.

    The first `add_task()` starts it. When the main thread ends, it drains for at most ten seconds what is active or
    due, and drops later occurrences with one log line. `with Scheduler() as s:` stops it at the end of the block;
    inside `async with`, async functions run on the event loop of the block. A child process after a fork has an
    empty, unstarted scheduler.

    `max_workers` bounds the threads for sync functions, by default `min(32, cpus + 4)`; a run that waits for a
    worker is late, never skipped. `clock` is the machine's, or a `VirtualClock` for tests.
    """

    def __init__(self, *, max_workers: int | None = None, clock: Clock | None = None) -> None:
        if max_workers is not None:
            remedy = "leave it out for the default"
            max_workers = check_number("Scheduler", "max_workers", "max_workers", max_workers, 1, remedy)
        self._max_workers = max_workers or min(32, (os.cpu_count() or 1) + 4)
        self._clock: Clock = SystemClock() if clock is None else check_clock(clock)
        self._now = now_by(self._clock)
        self._reset()
        _all.add(self)

    def _reset(self) -> None:
        self._names = Names()
        self._life: Life | None = None
        self._event_loop: asyncio.AbstractEventLoop | None = None
        self._listeners = Listeners(inline=isinstance(self._clock, VirtualClock))
        self._latest: tuple[AnySchedule, Policy, Rule] = ONCE, DEFAULT_POLICY, rule_of(ONCE)
        self._stopped = self._forked = False

    def add_task(self, task: BackgroundTask[P, Any]) -> TaskHandle:  # P, since mypy infers no lambda against `...`
        """Run the task in the background by its schedule, and return its handle.

        Without a name each call makes a new task. With a name it is a declaration: adding an equal task again
        changes nothing and returns the handle.

        Raises:
            ValidationError: it is not a `BackgroundTask` (`not_a_task`), its name is in use by a different one
                (`name_in_use`), or its schedule has no occurrence (`no_occurrence`).
            SchedulerStateError: the scheduler has stopped.
        """
        check_task("add_task", task)
        with self._names.lock:
            life = self._running()
            entry, is_new = self._entry(life, task)
            return self._post(life, entry) if is_new else TaskHandle(entry, life)

    def add_tasks(self, tasks: Iterable[BackgroundTask[..., Any]]) -> list[TaskHandle]:
        """Add each task of an iterable, such as a whole `TaskRegistry`: all of them or, if one is refused, none."""
        wanted = check_tasks("add_tasks", tasks)
        with self._names.lock:
            life, entries = self._running(), list[tuple[Entry, bool]]()
            try:
                for task in wanted:
                    entries.append(self._entry(life, task))
            except BaseException:
                for entry, is_new in entries:
                    if is_new:
                        self._names.free(entry)
                raise
            for entry, is_new in entries:
                if is_new:
                    self._post(life, entry)
            return [TaskHandle(entry, life) for entry, _ in entries]

    def replace(self, task: BackgroundTask[P, Any]) -> TaskHandle:
        """Replace the task of the same name, and return the handle; if there is none, add this one.

        Another schedule starts afresh, with `n` whole. Other arguments, another function or policy leave the times
        and the count as they are, even if the task has ended. Active runs keep the function and arguments they
        began with; an attempt that was already to come still comes, and what follows it goes by the new policy.

        Raises:
            ValidationError: as `add_task()`, or the task has no name (`name_missing`).
            SchedulerStateError: the scheduler has stopped.
        """
        check_task("replace", task)
        if task._name is None:
            message = "replace() needs a task with a name, to find the one it replaces; write task.with_name('digest')"
            refuse("replace", "name_missing", message, at=("name",))
        with self._names.lock:
            life = self._running()
            while (entry := self._names.find(task._name)) is None:
                if (entry := self._new(life, task, stacklevel=4)) is not None:
                    return self._post(life, entry)
            if equal(entry.task, task):
                return TaskHandle(entry, life)
            rule = self._rule(task)
            fresh = self._first_state(task, rule, entry.name) if entry.task._schedule != task._schedule else None
            self._prepare(life, entry.name, task, rule, stacklevel=3)
            self._names.revive(entry)
            entry.task, entry.context = task, context_seen()
            replaced = life.loop.send(partial(life.engine.replace, entry, rule, fresh))
        life.driver.acknowledge(replaced)  # outside of the lock, which the loop may need
        return TaskHandle(entry, life)

    def _entry(self, life: Life, task: BackgroundTask[..., Any]) -> tuple[Entry, bool]:
        """Return the entry of a task, and whether it is new; then it has the name."""
        while (entry := self._names.known(task)) is None:
            if (entry := self._new(life, task, stacklevel=5)) is not None:
                return entry, True
        return entry, False

    def _new(self, life: Life, task: BackgroundTask[..., Any], *, stacklevel: int) -> Entry | None:
        """Give a new task its name; None when a signal handler, or a `__del__`, has just taken it."""
        rule = self._rule(task)
        name, order = self._names.next(task)
        entry = Entry(name, task, rule, self._first_state(task, rule, name), order, context_seen())
        if task._known.is_async or rule.wait_from_end == 0:
            self._prepare(life, name, task, rule, stacklevel=stacklevel)
        if task._name is not None and not isinstance(self._clock, VirtualClock):
            warn_of_copies(task._name)
        return entry if self._names.take(entry) else None

    def _post(self, life: Life, entry: Entry) -> TaskHandle:
        life.loop.post(entry)
        if life.loop.closed:  # a signal handler has just stopped the scheduler
            life.loop.settle(self._clock.read())
        return TaskHandle(entry, life)

    def _rule(self, task: BackgroundTask[..., Any]) -> Rule:
        schedule, policy, rule = self._latest
        if task._schedule is schedule and task._policy is policy:  # spares 0.8 us of 2.8, under a policy 3.5 of 5.4
            return rule
        schedule, policy = task._schedule, task._policy
        rule = rule_of(schedule)
        if policy is not DEFAULT_POLICY:
            check_policy(schedule, policy)
            rule = under(rule, policy, lambda: task._jitter_key)
            if rule.terms.key:  # this task's alone
                return rule
        self._latest = schedule, policy, rule
        return rule

    def _first_state(self, task: BackgroundTask[..., Any], rule: Rule, name: str) -> State:
        state = begin(task._schedule, rule, self._now(rule.on_wall), name)
        if state is None:
            message = "the schedule never happens, got {got}; give it an occurrence after now"
            refuse("add_task", "no_occurrence", message, at=("schedule",), got=task.explain())
        return state

    def _prepare(self, life: Life, name: str, task: BackgroundTask[..., Any], rule: Rule, *, stacklevel: int) -> None:
        if rule.wait_from_end == 0 and rule.endless:
            message = f"{name} repeats for ever without a wait and keeps a worker busy; give it interval_wait(...)"
            warnings.warn(message, BusyLoopWarning, stacklevel=stacklevel)
        if task._known.is_async:
            life.workers.coroutines.event_loop()

    def add_listener(self, listener: Listener) -> Callable[[], None]:
        """Subscribe to all events from now on; the result unsubscribes.

        Listeners are called on one thread of their own, in the order of what happened; on a `VirtualClock` in the
        thread that moves it. One that raises is logged and told the next event; one so slow that 100,000 events
        wait misses some, which `health()` counts.

        Raises:
            ValidationError: it can't be called, or is async or a generator function (`listener_type`).
        """
        check_listener(listener)
        with self._names.lock:
            remove = self._listeners.add(listener)
            if self._life is not None:
                self._life.engine.emit = self._listeners.put
        return remove

    def health(self) -> Health:
        """Report the scheduler's health: what is overdue, when it last looked, whether runs wait for workers.

        It reads what the scheduler's thread wrote last, so it answers even when that thread is stuck.
        """
        return health_of(self._life, self._names, self._listeners.dropped)

    @property
    def counts(self) -> Mapping[str, int]:
        """What happened to all due occurrences of all tasks: a number for each outcome and reason, and `in_flight`."""
        if self._life is None:
            return {**no_counts(), "in_flight": 0}
        return {**self._life.store.ledger.counts, "in_flight": sum(map(in_flight, self._life.loop.tasks()))}

    def reload_tz(self) -> None:
        """Read the time zones' rules and the machine's zone again, as is needed after either was changed.

        The next occurrences are found anew; what is over by either set of rules does not run again.

        Raises:
            ValidationError: a task needs the machine's zone, which is misconfigured (`machine_zone`). Every task keeps
                its times then.
        """
        zoneinfo.ZoneInfo.clear_cache()
        compiler.clear_caches()
        rules.clear_caches()
        with self._names.lock:
            self._latest = ONCE, DEFAULT_POLICY, rule_of(ONCE)
            if (life := self._life) is None:
                return
            found = [(entry, self._rule(entry.task)) for entry in self._names if entry.rule.on_wall]
            reloaded = life.loop.send(partial(life.engine.reload_zones, found))
        life.driver.acknowledge(reloaded)

    def __getitem__(self, name: str) -> TaskHandle:
        """Return the handle of a task by its name; KeyError when there is none."""
        entry = self._names.find(name)
        if entry is None or self._life is None:
            raise KeyError(name)
        return TaskHandle(entry, self._life)

    def __contains__(self, name: object) -> bool:
        return self._names.find(name) is not None

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[TaskHandle]:
        life = self._life
        return iter([] if life is None else [TaskHandle(entry, life) for entry in self._names])

    def start(self) -> Self:
        """Start it, as the first `add_task()` does; once started, this changes nothing."""
        with self._names.lock:
            self._running()
        return self

    def join(self, timeout: timedelta | None = None) -> bool:
        """Wait until no task is left; False when the timeout came first.

        A task that runs for ever is left until it is cancelled, so a script with one waits here for ever. On a
        `VirtualClock` this moves the clock.
        """
        timeout = check_timeout("join", timeout)
        return True if self._life is None else self._life.join(None, timeout)

    def stop(self, timeout: timedelta = _DRAIN) -> None:
        """Drain and stop: what is active or due is finished, later occurrences are dropped.

        After `timeout` the runs that are still active are recorded as `abandoned`. A stopped scheduler takes no
        tasks; stopping it again changes nothing.

        Raises:
            SchedulerStateError: it is called from one of the runs it would wait for.
        """
        timeout = duration("stop", "timeout", timeout)
        if self._life is not None:
            self._life.check_wait("stop", None)
        self._begin_stop(timeout, at_exit=False)
        self._finish_stop()

    def _begin_stop(self, timeout: timedelta, *, at_exit: bool) -> None:
        with self._names.lock:
            stops, self._stopped, life = not self._stopped, True, self._life
            _started.discard(self)
            if stops and life is not None:
                life.loop.post(partial(life.loop.begin_drain, timeout // MICROSECOND, at_exit))

    def _finish_stop(self) -> None:
        if self._life is not None:
            self._life.driver.finish()
        self._listeners.stop(_UNTOLD_S)

    def _running(self) -> Life:
        life = self._life
        if self._stopped:
            raise SchedulerStateError("the scheduler has stopped and takes no tasks; make a new Scheduler()")
        if life is not None:
            if life.loop.broken is not None:
                raise SchedulerStateError("the scheduler's thread died, see the log; make a new Scheduler()")
            return life
        if not isinstance(self._clock, VirtualClock):
            _started.add(self)
        try:
            if _program_ends.is_set():
                raise RuntimeError("the interpreter shuts down")
            made = Life(self._clock, self._names, self._listeners, self._max_workers, self._event_loop)
            self._life = life = self._life or made  # in one step, which no signal handler or __del__ can part
            if life is not made:  # one of them has added a task meanwhile, and so started the scheduler
                made.workers.stop()
                return life
            if self._listeners:
                life.engine.emit = self._listeners.put
            life.driver.start()
        except RuntimeError as error:  # no thread can be started, as at exit on Python 3.12
            _started.discard(self)
            self._life = None if self._life is life else self._life
            message = f"the scheduler can't start: {error}; add tasks before the program ends"
            raise SchedulerStateError(message) from error
        if self._forked:
            self._forked = False
            message = (
                "this is a child process: its scheduler starts empty, and the parent's tasks run only in the parent"
            )
            log(message, level=logging.WARNING)
        return life

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        if self._life is None and not isinstance(self._clock, VirtualClock):
            self._event_loop = asyncio.get_running_loop()
        return self.start()

    async def __aexit__(self, *_error: object) -> None:
        await _on_a_thread(self.stop)


async def _on_a_thread(func: Callable[[], None]) -> None:
    """Call a function on a thread of its own: those of the event loop's executor may all be taken."""
    done: concurrent.futures.Future[None] = concurrent.futures.Future()
    done.set_running_or_notify_cancel()  # so that it can't be cancelled
    context = copy_context()

    def call() -> None:
        try:
            done.set_result(context.run(func))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
            done.set_exception(error)

    threading.Thread(target=call, name="panther_schedule-stop", daemon=True).start()
    await asyncio.wrap_future(done)


# ---- the process ends, or forks ----------------------------------------------------------------------------------

_all: weakref.WeakSet[Scheduler] = weakref.WeakSet()
_started: set[Scheduler] = set()  # on the machine's clock
_program_ends = threading.Event()


def _drain_all() -> None:
    _program_ends.set()
    schedulers = tuple(_started)
    for scheduler in schedulers:
        scheduler._begin_stop(_DRAIN, at_exit=True)
    for scheduler in schedulers:
        scheduler._finish_stop()


def _after_fork() -> None:
    _started.clear()
    _program_ends.clear()
    for scheduler in tuple(_all):
        if scheduler._life is not None:
            scheduler._life.forked = scheduler._life.loop.over = True
        was_started = scheduler._life is not None
        scheduler._reset()
        scheduler._forked = was_started


# atexit runs when no thread can be started any more, too late for async functions
threading._register_atexit(_drain_all)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType] - private, the same on 3.11 to 3.13
os.register_at_fork(after_in_child=_after_fork)
