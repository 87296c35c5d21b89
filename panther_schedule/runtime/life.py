"""One life of a scheduler, from its start to its stop: its parts, put together, and how to wait for them."""

from __future__ import annotations

import itertools
import os
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable
from datetime import timedelta
from queue import SimpleQueue
from typing import TypeAlias

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
from .names import Names
from .process import generation
from .sleeper import Sleeper
from .stores import Intake, SharedStore
from .turns import Call
from .virtual import Inline, Mover
from .workers import Pool, Workers

class Opener(Protocol):
    """What keeps tasks for any number of schedulers, one after the other or at a time."""

    def _open(self, host: Host, clock: Clock, registry: TaskRegistry, lock: threading.RLock) -> tuple[SharedStore, KnownNames, Intake]: ...


Awaited: TypeAlias = Entry | Flight | None  # a task, one of its runs, or all tasks


class Life:
    """The parts of a started scheduler."""

    def __init__(
        self, clock: Clock, names: Names, listeners: Listeners, size: int, event_loop: AbstractEventLoop | None
    ) -> None:
        inbox = SimpleQueue[Message]()
        self.clock, self.names = clock, names
        self.store = Memory()
        self.engine = Engine(self.store, names)
        self.next_number = itertools.count(1).__next__  # of a run that claims no occurrence; any thread may ask
        self._generation = generation()
        self.in_real_time = not isinstance(clock, VirtualClock) and not is_disabled(os.environ)
        self.workers: Workers
        self.driver: Sleeper | Mover
        if isinstance(clock, VirtualClock):
            self.workers = inline = Inline(clock, self.engine, inbox.put, event_loop)
            self.loop = Loop(inbox, self.engine, inline, clock.read())
            self.driver = Mover(self.loop, clock, inline, listeners)
        else:
            self.workers = Pool(clock, self.engine, inbox.put, event_loop, size if self.in_real_time else 0)
            self.loop = Loop(inbox, self.engine, self.workers, clock.read(), off=not self.in_real_time)
            self.driver = Sleeper(self.loop, clock)

    def start(self) -> None:
        if self.loop.off:
            say_disabled(generation())
        else:
            self.driver.start()

    @property
    def forked(self) -> bool:
        """True in a child process: the threads stayed with the parent."""
        return generation() != self._generation

    def counts(self) -> dict[str, int]:
        """Return the number of due occurrences for each outcome and reason, and of those in flight."""
        return {**self.store.ledger.counts, "in_flight": sum(map(in_flight, self.loop.tasks()))}

    def post(self, message: Message) -> None:
        """Give the loop something to do; after the drain it is done here."""
        self.loop.post(message)
        if self.loop.closed:
            self.loop.settle(self.clock.read())

    def send(self, command: Command) -> threading.Event:
        """Post a command; the event is set when it is done."""
        done = threading.Event()

        def run(reading: Reading) -> None:
            command(reading)
            done.set()

        self.post(run)
        return done

    def do(self, command: Command) -> None:
        """Run a command on the loop; wait up to a second."""
        self.driver.acknowledge(self.send(command))

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
        if flight is not None and own and flight.entry in self.loop.tasks():  # else it is a run of another scheduler
            message = f"{method}() waits for runs to end, and is called from one of them; call it elsewhere"
            raise SchedulerStateError(message)


def check_timeout(method: str, timeout: object) -> timedelta | None:
    """Return a timeout, without its subclass; refuse what is not a timedelta, before anything is done."""
    return None if timeout is None else duration(method, "timeout", timeout)
