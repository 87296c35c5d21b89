"""One life of a scheduler, from its start to its stop: its parts, put together, and how to wait for them."""

from __future__ import annotations

import itertools
import os
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeAlias

from ..clock import Clock, Reading, VirtualClock, duration, now_by
from ..errors import SchedulerStateError
from ..planning.due import has_ended
from ..tasks.registry import TaskRegistry
from .admission import Admission
from .current import flying
from .engine import Command, Engine
from .entries import Entry, Flight, in_flight
from .hosts import is_disabled, say_disabled
from .listeners import Listeners
from .loop import Loop, Message
from .memory import Memory
from .names import MemoryNames
from .process import generation
from .shared_loop import Call, SharedLoop
from .sleeper import Sleeper
from .stores import Intake, Keeper, Names, SharedStore, Store
from .virtual import Inline, Mover
from .workers import Pool, Workers

Awaited: TypeAlias = Entry | Flight | None  # a task, one of its runs, or all tasks


@dataclass(frozen=True)
class Settings:
    """What a scheduler was made with."""

    clock: Clock
    size: int  # of the pool of workers; 0 runs nothing
    store: Keeper | None
    registry: TaskRegistry


class Life:
    """The parts of a started scheduler."""

    def __init__(
        self, settings: Settings, lock: threading.RLock, listeners: Listeners, event_loop: AbstractEventLoop | None
    ) -> None:
        inbox, clock = SimpleQueue[Message](), settings.clock
        self.clock = clock
        self.next_number = itertools.count(1).__next__  # of a run that claims no occurrence; any thread may ask
        self._generation = generation()
        self.in_real_time = not isinstance(clock, VirtualClock) and not is_disabled(os.environ)
        self.store: Store
        self.shared: SharedStore | None = None
        self.names: Names
        self.intake: Intake
        if settings.store is None:
            self.store = self.memory = Memory()
            self.names = names = MemoryNames(lock)
            self.intake = Admission(names, now_by(clock), self)
        else:
            self.shared, self.names, self.intake, self.reconcile = settings.store._open(self, settings.registry, lock)
            self.store = self.shared
        self.engine = Engine(self.store, self.names, self.shared)
        make: Callable[..., Loop] = Loop if self.shared is None else partial(SharedLoop, self.shared)
        self.workers: Workers
        self.driver: Sleeper | Mover
        if isinstance(clock, VirtualClock):
            self.workers = inline = Inline(clock, self.engine, inbox.put, event_loop)
            self.loop = make(inbox, self.engine, inline, clock.read(), off=not settings.size)
            self.driver = Mover(self.loop, clock, inline, listeners)
        else:
            size = settings.size if self.in_real_time else 0
            self.workers = Pool(clock, self.engine, inbox.put, event_loop, size)
            self.loop = make(inbox, self.engine, self.workers, clock.read(), off=not size)
            self.driver = Sleeper(self.loop, clock)

    def start(self) -> None:
        if self.loop.off and is_disabled(os.environ):
            say_disabled(generation())
        if not self.loop.over:
            self.driver.start()

    def discard(self) -> None:
        """Let go of it before it has begun."""
        self.loop.over = True
        self.workers.stop()
        if self.shared is not None:
            self.shared.close()

    @property
    def forked(self) -> bool:
        """True in a child process: the threads stayed with the parent."""
        return generation() != self._generation

    def counts(self) -> dict[str, int]:
        """Return the number of due occurrences for each outcome and reason, and of those in flight."""
        if self.shared is not None:
            return self.shared.counts()
        return {**self.memory.ledger.counts, "in_flight": sum(map(in_flight, self.loop.tasks()))}

    def post(self, message: Message) -> None:
        """Give the loop something to do; after the drain it is done here."""
        self.loop.post(message)
        if self.loop.closed:
            self.loop.settle(self.clock.read())

    def send(self, command: Command) -> Callable[[], None]:
        """Post a command; return what waits until it is done, up to a second."""
        done = threading.Event()

        def run(reading: Reading) -> None:
            command(reading)
            done.set()

        self.post(run)
        return partial(self.driver.acknowledge, done)

    def do(self, command: Command) -> None:
        """Run a command on the loop; wait up to a second, or until a shared store has kept it."""
        if self.shared is None:
            self.send(command)()
        else:
            self.call(command)

    def call(self, command: Command) -> Any:
        """Run a command in a turn of a shared store; return its answer when that is kept.

        Raises:
            StoreError: the store failed, and nothing was changed.
            SchedulerStateError: the scheduler has stopped, or this is its own thread.
        """
        call = Call(command)
        if self.driver.is_here():
            raise SchedulerStateError("the scheduler's thread can't wait for itself; ask in another thread")
        self.post(call)
        self.driver.acknowledge(call.done)
        while not call.done.wait(0 if self.loop.over else 1):
            if self.loop.over:
                raise SchedulerStateError("the scheduler has stopped; call start() to go on")
        if call.error is not None:
            raise call.error
        return call.answer

    def prepare_coroutines(self) -> None:
        """Start the event loop, which a task will need."""
        if not self.loop.over:
            self.workers.coroutines.event_loop()

    def join(self, what: Awaited, timeout: timedelta | None) -> bool:
        """Block until a task or a run has ended, or all tasks have; False when the timeout came first."""
        self.check_stop("join", what, "await wait() instead")
        if self.in_real_time and self.workers.coroutines.is_another_here():
            raise SchedulerStateError("join() would block this thread's event loop; await wait() instead")
        over, tasks = self._end_of(what)
        return self.driver.join(over, timeout, tasks)

    async def wait(self, what: Awaited, timeout: timedelta | None) -> bool:
        """Wait as `join()` does, without blocking the event loop."""
        self._check_wait("wait", what)
        over, tasks = self._end_of(what)
        return await self.driver.wait(over, timeout, tasks)

    def _end_of(self, what: Awaited) -> tuple[Callable[[], bool], Callable[[], list[Entry]]]:
        """Return what tells whether this is over, and which tasks that depends on."""
        if what is None:
            self.loop.joined = True
            return self.loop.is_idle, self.loop.tasks
        if isinstance(what, Flight):
            return lambda: what.record is not None, list
        return lambda: has_ended(what.rule, what.state), lambda: [what]

    def check_stop(self, method: str, what: Awaited, remedy: str) -> None:
        """Refuse to block a run that is waited for, or the event loop that runs need."""
        self._check_wait(method, what)
        if self.workers.runs_here():
            message = f"{method}() waits for runs to end, and would block the event loop that they need"
            raise SchedulerStateError(f"{message}; {remedy}")

    def _check_wait(self, method: str, what: Awaited) -> None:
        flight = flying.get()  # also where a run waits in another thread, as asyncio.to_thread() does
        entry = what.entry if isinstance(what, Flight) else what
        own = flight is not None and flight.run.phase != "ended" and entry in {None, flight.entry}
        if flight is not None and own and self.loop.has(flight):  # else it is a run of another scheduler
            message = f"{method}() waits for runs to end, and is called from one of them; call it elsewhere"
            raise SchedulerStateError(message)


def check_timeout(method: str, timeout: object) -> timedelta | None:
    """Return a timeout, without its subclass; refuse what is not a timedelta, before anything is done."""
    return None if timeout is None else duration(method, "timeout", timeout)
