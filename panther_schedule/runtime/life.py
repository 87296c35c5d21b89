"""One life of a scheduler, from its start to its stop: its parts, joined, and how one waits for them."""

from __future__ import annotations

import itertools
import os
from asyncio import AbstractEventLoop
from collections.abc import Callable
from datetime import timedelta
from queue import SimpleQueue

from ..clock import Clock, VirtualClock, duration
from ..errors import SchedulerStateError
from ..planning.due import has_ended
from .current import flying
from .engine import Command, Engine
from .entries import Entry, Flight, in_flight
from .forks import generation
from .hosts import is_disabled
from .idle import Idle, Nobody
from .listeners import Listeners
from .loop import Loop, Message
from .memory import Memory
from .names import Names
from .sleeper import Sleeper
from .virtual import Inline, Mover
from .workers import Pool, Workers


class Life:
    """The parts of a scheduler that was started, joined."""

    def __init__(
        self, clock: Clock, names: Names, listeners: Listeners, size: int, event_loop: AbstractEventLoop | None
    ) -> None:
        inbox = SimpleQueue[Message]()
        self.clock, self.names = clock, names
        self.store = Memory()
        self.engine = Engine(self.store, names)
        self.next_number = itertools.count(1).__next__  # of a run that claims no occurrence; any thread may ask
        self._generation = generation()
        self.workers: Workers
        self.loop: Loop
        self.driver: Sleeper | Mover | Idle
        if isinstance(clock, VirtualClock):
            self.workers = inline = Inline(clock, self.engine, inbox.put, event_loop)
            self.loop = Loop(inbox, self.engine, inline, clock.read())
            self.driver = Mover(self.loop, clock, inline, listeners)
        elif is_disabled(os.environ):
            self.workers = Nobody(clock, self.engine, inbox.put)
            self.loop = self.driver = Idle(inbox, self.engine, self.workers, clock)
        else:
            self.workers = Pool(clock, self.engine, inbox.put, event_loop, size)
            self.loop = Loop(inbox, self.engine, self.workers, clock.read())
            self.driver = Sleeper(self.loop, clock)

    @property
    def forked(self) -> bool:
        """True in a child process: the threads stayed with the parent."""
        return generation() != self._generation

    def counts(self) -> dict[str, int]:
        """Return the number of due occurrences for each outcome and reason, and of those in flight."""
        return {**self.store.ledger.counts, "in_flight": sum(map(in_flight, self.loop.tasks()))}

    def do(self, command: Command) -> None:
        """Run a command on the loop; wait up to a second."""
        done = self.loop.send(command)
        if self.loop.closed:
            self.loop.settle(self.clock.read())
        else:
            self.driver.acknowledge(done)

    def join(self, entry: Entry | None, timeout: timedelta | None) -> bool:
        """Wait until a task has ended, or all have; False when the timeout came first."""
        self.check_join(entry)
        return self.driver.join(*self._end_of(entry, timeout))

    async def wait(self, entry: Entry | None, timeout: timedelta | None) -> bool:
        """Wait as `join()` does, without blocking the event loop."""
        self.check_wait("wait", entry)
        return await self.driver.wait_for(*self._end_of(entry, timeout))

    def join_run(self, flight: Flight, timeout: timedelta | None) -> None:
        self.check_join(flight.entry)
        self.driver.join(lambda: flight.record is not None, timeout, list)

    async def wait_for_run(self, flight: Flight, timeout: timedelta | None) -> None:
        self.check_wait("wait", flight.entry)
        await self.driver.wait_for(lambda: flight.record is not None, timeout, list)

    def _end_of(
        self, entry: Entry | None, timeout: timedelta | None
    ) -> tuple[Callable[[], bool], timedelta | None, Callable[[], list[Entry]]]:
        if entry is None:
            self.loop.joined = True
            return self.loop.is_idle, timeout, self.loop.tasks
        return lambda: has_ended(entry.rule, entry.state), timeout, lambda: [entry]

    def check_join(self, entry: Entry | None) -> None:
        """Refuse to block an event loop, or a run that is waited for."""
        self.check_stop("join", entry, "write await ....wait() there")
        if isinstance(self.driver, Sleeper) and self.workers.coroutines.is_another_here():
            raise SchedulerStateError("join() would block this thread's event loop; write await ....wait() instead")

    def check_stop(self, method: str, entry: Entry | None, remedy: str) -> None:
        """Refuse to wait in a run that is waited for, or on the event loop that runs need."""
        self.check_wait(method, entry)
        if self.workers.runs_here():
            message = f"{method}() waits for runs to end, and would block the event loop that they need"
            raise SchedulerStateError(f"{message}; {remedy}")

    def check_wait(self, method: str, entry: Entry | None) -> None:
        """Refuse to wait in a run that is waited for."""
        flight = flying.get()  # also where a run waits in another thread, as asyncio.to_thread() does
        own = flight is not None and flight.run.phase != "ended" and entry in {None, flight.entry}
        if flight is not None and own and flight.entry in self.loop.tasks():  # else it is a run of another scheduler
            message = f"{method}() waits for runs to end, and is called from one of them; call it elsewhere"
            raise SchedulerStateError(message)


def check_timeout(method: str, timeout: object) -> timedelta | None:
    """Return a timeout, without its subclass; refuse what is not a timedelta, before anything is done."""
    return None if timeout is None else duration(method, "timeout", timeout)
