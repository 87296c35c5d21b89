"""`Scheduler`: takes tasks, starts on the first of them, and ends in an orderly way."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import zoneinfo
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Final, Self

from ..clock import MICROSECOND, Clock, SystemClock, VirtualClock, check_clock, duration
from ..errors import SchedulerStateError, check_number, refuse
from ..occurrences import compiler
from ..planning import rule as rules
from ..tasks.registry import TaskRegistry
from ..tasks.task import AnyTask, check_task, check_tasks
from ..threads import on_a_thread, running_loop
from . import process
from .forever import drain_on_signal
from .handles import TaskHandle
from .health import Health, health_of
from .ledger import no_counts
from .life import Life, Settings, check_timeout
from .listeners import Listener, Listeners, check_listener
from .logs import log
from .loop import Drain
from .plans import Plan, check_declared
from .stores import Keeper, check_registry

_UNTOLD_S: Final = 1.0  # how long the end waits for listeners


class Scheduler:
    """Runs tasks in the background: sync functions in worker threads, async ones on one event loop.

    The first `add_task()` starts it. When the main thread ends, it drains for at most ten seconds what is active or
    due, and drops later occurrences with one log line. `with Scheduler() as s:` stops it at the end of the block;
    inside `async with`, async functions run on the event loop of the block. A child process after a fork has an
    empty, unstarted scheduler. With `PANTHER_SCHEDULE_DISABLED=1` in the environment, tasks are checked when they are
    added, but never run.

    `max_workers` bounds the threads for sync functions, by default `min(32, cpus + 4)`; a run that waits for a
    worker is late, never skipped. `clock` is the machine's, or a `VirtualClock` for tests.

    With a `store`, `SQLiteStore("tasks.db")`, tasks outlive the process and are shared by all that have the same store;
    `registry` has the functions that it may name. Such a scheduler starts with what is stored, a change returns once
    it is kept, and nothing is dropped at the end. With `max_workers=0` it runs nothing itself.
    """

    def __init__(
        self,
        *,
        max_workers: int | None = None,
        clock: Clock | None = None,
        store: Keeper | None = None,
        registry: TaskRegistry | None = None,
    ) -> None:
        if max_workers is None:
            max_workers = min(32, (os.cpu_count() or 1) + 4)
        else:
            remedy, least = "leave it out for the default", 1 if store is None else 0
            max_workers = check_number("Scheduler", "max_workers", "max_workers", max_workers, least, remedy)
        self._max_workers = max_workers
        self._store, self._registry = store, check_registry(store, registry)
        self._clock: Clock = SystemClock() if clock is None else check_clock(clock)
        self._lock = threading.RLock()  # a signal handler, or a __del__, may add a task while one is being added
        self._listeners = Listeners(inline=isinstance(self._clock, VirtualClock))
        self._begin_empty(self._clock)
        process.schedulers.add(self)

    def _begin_empty(self, clock: Clock) -> None:
        """Begin without tasks, unstarted, on this clock; the listeners stay."""
        self._clock = clock
        self._life: Life | None = None
        self._listeners = Listeners(inline=isinstance(clock, VirtualClock), before=self._listeners)
        self._stopped = self._forked = False

    def add_task(self, task: AnyTask) -> TaskHandle:
        """Run the task in the background by its schedule, and return its handle.

        Without a name each call makes a new task. With a name it is a declaration: adding an equal task again
        changes nothing and returns the handle.

        Raises:
            ValidationError: it is not a `BackgroundTask` (`not_a_task`), its name is in use by a different one
                (`name_in_use`), its schedule has no occurrence (`no_occurrence`), or it can't be stored
                (`unregistered_function`, `argument_json`).
            SchedulerStateError: the scheduler has stopped.
            StoreError: the store failed, and nothing was changed.
        """
        task = check_task("add_task", task)
        with self._lock:
            life = self._running()
        return TaskHandle(life.intake.add(task), life)

    def add_tasks(self, tasks: Iterable[AnyTask]) -> list[TaskHandle]:
        """Add each task of an iterable, such as a whole `TaskRegistry`: all of them or, if one is refused, none."""
        wanted = check_tasks("add_tasks", tasks)
        with self._lock:
            life = self._running()
        return [TaskHandle(entry, life) for entry in life.intake.add_all(wanted)]

    def replace(self, task: AnyTask) -> TaskHandle:
        """Replace the task of the same name, and return the handle; if there is none, add this one.

        Another schedule starts afresh, with `n` whole. Other arguments, another function or policy leave the times
        and the count as they are, even if the task has ended. Active runs keep the function and arguments they
        began with; an attempt that was already to come still comes, and what follows it goes by the new policy.

        Raises:
            ValidationError: as `add_task()`, or the task has no name (`name_missing`).
            SchedulerStateError: the scheduler has stopped.
        """
        task = check_task("replace", task)
        if task._name is None:
            message = "replace() needs a task with a name, to find the one it replaces; write task.with_name('digest')"
            refuse("replace", "name_missing", message, at=("name",))
        with self._lock:
            life = self._running()
        return TaskHandle(life.intake.replace(task), life)

    def plan(self, tasks: Iterable[AnyTask], *, source: str = "app") -> Plan:
        """Tell what `apply()` would change, and change nothing; it raises what `apply()` does."""
        return self._reconcile("plan", tasks, source, apply=False)

    def apply(self, tasks: Iterable[AnyTask], *, source: str = "app") -> Plan:
        """Make the stored tasks of one source those of an iterable, such as a whole `TaskRegistry`; return the changes.

        In one transaction, tasks are added, replaced as `replace()` does, and those of this source that are no longer
        there removed: what is active finishes, later occurrences are dropped. Doing it again changes nothing. What
        `add_task()` or another source has added is never removed; a task of `add_task()` that has the name of one of
        these belongs to the source from then on.

        Raises:
            ValidationError: as `add_task()`; a task has no name (`name_missing`), two have one name
                (`duplicate_name`), or the name belongs to another source (`name_in_use`). Nothing is changed then.
            SchedulerStateError: the scheduler has no store, or has stopped.
            StoreError: the store failed, and nothing was changed.
        """
        return self._reconcile("apply", tasks, source, apply=True)

    def _reconcile(self, method: str, tasks: Iterable[AnyTask], source: str, *, apply: bool) -> Plan:
        wanted = check_declared(method, tasks, source)
        with self._lock:
            life = self._running()
        if life.shared is None:
            remedy = "write Scheduler(store=SQLiteStore(...)), or add_tasks()"
            raise SchedulerStateError(f"{method}() is for tasks that are stored; {remedy}")
        return life.reconcile(wanted, source, apply)

    def add_listener(self, listener: Listener) -> Callable[[], None]:
        """Subscribe to all events from now on; the result unsubscribes.

        Listeners are called on one thread of their own, in the order of what happened; on a `VirtualClock` in the
        thread that moves it. One that raises is logged and told the next event; one so slow that 100,000 events
        wait misses some, which `health()` counts.

        Raises:
            ValidationError: it can't be called, or is async or a generator function (`listener_type`).
        """
        check_listener(listener)
        with self._lock:
            remove = self._listeners.add(listener)
            if self._life is not None and not self._life.loop.over:
                self._listeners.start()
                self._life.engine.emit = self._listeners.put
        return remove

    def health(self) -> Health:
        """Report the scheduler's health: what is overdue, when it last looked, whether runs wait for workers.

        It reads what the scheduler's thread wrote last, so it answers even when that thread is stuck.
        """
        return health_of(self._look(), self._listeners.dropped)

    @property
    def counts(self) -> Mapping[str, int]:
        """What happened to all due occurrences of all tasks: a number for each outcome and reason, and `in_flight`."""
        return {**no_counts(), "in_flight": 0} if (life := self._known()) is None else life.counts()

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
        if (life := self._life) is not None:
            life.intake.reload()

    def __getitem__(self, name: str) -> TaskHandle:
        """Return the handle of a task by its name; KeyError when there is none."""
        life = self._known()
        entry = None if life is None else life.names.find(name)
        if entry is None or life is None:
            raise KeyError(name)
        return TaskHandle(entry, life)

    def __contains__(self, name: object) -> bool:
        return (life := self._known()) is not None and life.names.find(name) is not None

    def __len__(self) -> int:
        return 0 if (life := self._known()) is None else len(life.names)

    def __iter__(self) -> Iterator[TaskHandle]:
        life = self._known()
        return iter([] if life is None else [TaskHandle(entry, life) for entry in life.names])

    def start(self) -> Self:
        """Start it, as the first `add_task()` does; after `stop()` it begins afresh, empty or with what is stored.

        Raises:
            SchedulerStateError: it is still stopping.
            StoreError: what is stored can't be read or written.
        """
        self._start()
        return self

    def join(self, timeout: timedelta | None = None) -> bool:
        """Block until no task is left; False when the timeout came first.

        A task that runs for ever is left until it is cancelled, so a script with one waits here for ever;
        `run_forever()` waits for SIGTERM too. On a `VirtualClock` this moves the clock.

        Raises:
            SchedulerStateError: it is called from a run, or where an event loop runs.
        """
        timeout = check_timeout("join", timeout)
        return True if (life := self._known()) is None else life.join(None, timeout)

    async def wait(self, timeout: timedelta | None = None) -> bool:
        """Wait as `join()` does, in a coroutine: the event loop goes on."""
        timeout = check_timeout("wait", timeout)
        return True if (life := self._known()) is None else await life.wait(None, timeout)

    def run_forever(self, timeout: timedelta = process.DRAIN) -> None:
        """Start, and block the main thread until SIGTERM or Ctrl+C; then drain for at most `timeout`, and stop.

        A second signal ends it at once, and the program by `SystemExit` with 128 + the signal's number. Meanwhile
        the two signals have no other handler. It returns, too, when another thread calls `stop()`.

        Raises:
            SchedulerStateError: this is not the main thread, an event loop runs in it, or the clock is virtual.
        """
        timeout = duration("run_forever", "timeout", timeout)
        if isinstance(self._clock, VirtualClock):
            raise SchedulerStateError("run_forever() needs the machine's clock; move a virtual one by its advance()")
        if threading.current_thread() is not threading.main_thread():
            raise SchedulerStateError("only the main thread gets signals; call run_forever() there, or join() here")
        if asyncio._get_running_loop() is not None:
            message = "run_forever() would block the event loop of this thread; write `async with scheduler:` instead"
            raise SchedulerStateError(message)
        if (second := drain_on_signal(self, self._start(), timeout)) is not None:
            raise SystemExit(128 + second)

    def stop(self, timeout: timedelta = process.DRAIN) -> None:
        """Drain and stop: what is active or due is finished, later occurrences are dropped.

        After `timeout` the runs that are still active are recorded as `abandoned`. A stopped scheduler takes no
        tasks until `start()`; stopping it again can only shorten the drain. With a store nothing is dropped or
        abandoned: what is not active is left to others, and an attempt that is still active after `timeout` is lost.

        Raises:
            SchedulerStateError: it is called from one of the runs it would wait for.
        """
        timeout = duration("stop", "timeout", timeout)
        if self._life is not None:
            self._life.check_stop("stop", None, "leave the `async with` block")
        self._begin_stop(timeout)()

    def _begin_stop(self, timeout: timedelta, *, at_exit: bool = False) -> Callable[[], None]:
        """Begin to drain; return what waits for the end of this life, whatever begins afterwards."""
        with self._lock:
            self._stopped, life = True, self._life
            if life is not None and not life.loop.over:
                life.loop.post(Drain(life.loop.begin_drain, timeout // MICROSECOND, at_exit))
            return partial(self._finish_stop, life, self._listeners)

    def _finish_stop(self, life: Life | None, listeners: Listeners) -> None:
        if life is not None:
            life.driver.finish()
        listeners.stop(_UNTOLD_S)
        with self._lock:
            if self._life is life:
                process.started.discard(self)  # only now: if Ctrl+C ends the wait, the end of the program takes it up

    def _begin_anew(self, clock: Clock, store: Keeper | None) -> None:
        """Stop at once, and begin on this clock with what this store keeps, or without tasks."""
        self.stop(timedelta(0))
        with self._lock:
            self._store = store
            self._begin_empty(clock)

    def _leave_behind(self) -> None:
        """In a child process, begin without what stayed with the parent."""
        life, self._lock = self._life, threading.RLock()
        self._listeners.subscriptions = {}
        self._begin_empty(self._clock)
        if life is not None:
            life.loop.over, self._forked = True, life.shared is None

    def _start(self, event_loop: asyncio.AbstractEventLoop | None = None) -> Life:
        """Return its life as `_running()` does, but begin afresh after a stop."""
        with self._lock:
            if self._stopped:
                if self._life is not None and not self._life.loop.over:
                    raise SchedulerStateError("the scheduler is still stopping; start it when stop() has returned")
                self._begin_empty(self._clock)
            return self._running(event_loop)

    def _running(self, event_loop: asyncio.AbstractEventLoop | None = None) -> Life:
        """Return its life; start one if there is none, with async functions on this event loop."""
        life = self._look()
        if self._stopped:
            raise SchedulerStateError("the scheduler has stopped and takes no tasks; call start() to begin afresh")
        if life is not None:
            if life.loop.broken is not None:
                raise SchedulerStateError("the scheduler's thread died, see the log; make a new Scheduler()")
            return life
        made: Life | None = None
        if not isinstance(self._clock, VirtualClock):
            process.started.add(self)
        try:
            if process.ends.is_set():
                raise RuntimeError("the interpreter is shutting down")
            settings = Settings(self._clock, self._max_workers, self._store, self._registry)
            made = Life(settings, self._lock, self._listeners, event_loop)
            self._life = life = self._life or made  # in one step, which no signal handler or __del__ can part
            if life is not made:  # one of them has added a task meanwhile, and so started the scheduler
                made.discard()
                return life
            if self._listeners and not life.loop.over:
                self._listeners.start()
                life.engine.emit = self._listeners.put
            life.start()
        except BaseException as error:
            process.started.discard(self)
            if self._life is made:
                self._life = None
            if made is not None:
                made.discard()
            if isinstance(error, SchedulerStateError) or not isinstance(error, RuntimeError):
                raise  # of an event loop that can't be used, or Ctrl+C
            message = f"the scheduler can't start: {error}; add tasks before the program ends"
            raise SchedulerStateError(message) from error  # no thread can be started, as at exit on Python 3.12
        return life

    def _look(self) -> Life | None:
        """Return its life, if there is one; in a child process, say once that the tasks stayed with the parent."""
        if self._forked:
            self._forked = False
            message = "this is a child process: its scheduler starts empty; the parent's tasks stay with the parent"
            log(message, level=logging.WARNING)
        return self._life

    def _known(self) -> Life | None:
        """Return its life as `_look()` does; refuse before the start, if it has a store, which is not read yet."""
        life = self._look()
        if life is None and self._store is not None:
            raise SchedulerStateError("stored tasks are known once the scheduler has started; call start()")
        return life

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        event_loop = running_loop("`async with`", "write `with scheduler:` instead")
        with self._lock:
            if self._life is not None and not self._stopped:
                message = "the scheduler has started without this event loop; enter `async with` before its first task"
                raise SchedulerStateError(message)
            self._start(event_loop)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await on_a_thread(self.stop)

    @asynccontextmanager
    async def lifespan(self, _app: object = None) -> AsyncGenerator[None]:
        """Run for as long as an ASGI app does: `FastAPI(lifespan=background_tasks.lifespan)`; Starlette, Litestar too.

        Inside your own lifespan, write `async with background_tasks.lifespan(app):`. It does what `async with` the
        scheduler does: async functions run on the app's event loop, and the end drains for at most ten seconds.
        """
        async with self:
            yield
