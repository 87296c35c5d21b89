"""Two schedulers that share a file, and the model: now one of them is asked for something, now the other."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from model import Model
from model_of_two import SharedModel
from model_parts import Task
from pair import START, FaultError, HeldWorkers, us
from pair_of_a_file import FilePair

from panther_schedule import Scheduler
from panther_schedule.runtime.entries import Flight
from panther_schedule.runtime.handles import RunHandle, TaskHandle
from panther_schedule.runtime.life import Life
from panther_schedule.runtime.shared_loop import SharedLoop
from panther_schedule.sqlite.entries import StoredEntry, StoredFlight
from panther_schedule.sqlite.store import SQLite


class Side(NamedTuple):
    """One of the schedulers."""

    scheduler: Scheduler
    life: Life
    workers: HeldWorkers
    store: SQLite


class SharedPair(FilePair):
    """Two real schedulers, the model, and what was done to both."""

    def __init__(self, file: Path) -> None:
        self.sides: list[Side] = []
        self.open: list[Flight] = []
        super().__init__(file)
        self.begin(self.made_scheduler())
        self.ask(0)

    def made_model(self) -> Model:
        """Make the model."""
        return SharedModel(START)

    def begin(self, scheduler: Scheduler) -> None:
        """Start one of the real ones."""
        super().begin(scheduler)
        self.workers.open = self.open
        self.sides.append(Side(scheduler, self.life, self.workers, self.store))

    # ---- what is done to both --------------------------------------------------------------------------------

    def switch(self) -> None:
        """Ask the other one from now on."""
        self.note("switch")
        self.ask(1 - self.sides.index(Side(self.scheduler, self.life, self.workers, self.store)))

    def ask(self, at: int) -> None:
        """Ask this one from now on."""
        assert isinstance(self.model, SharedModel)
        self.scheduler, self.life, self.workers, _store = self.sides[at]
        self.handles = [TaskHandle(self.again(handle), self.life) for handle in self.handles]
        self.manual = [(RunHandle(self.run_again(run), self.life), call) for run, call in self.manual]
        self.model.here = self.model.order[at]

    def has_failed(self) -> None:
        """Let the model know that a turn has failed, after which the other has looked."""
        assert isinstance(self.model, SharedModel)
        self.model.let_look(self.model.order)

    def restart(self, by: int, *, killed: bool) -> None:  # noqa: ARG002 - a kill is seen by the machine's time
        """Stop the one that is asked, and start another after the clock was set by so much."""
        self.note("restart", by)
        assert isinstance(self.model, SharedModel)
        full = self.workers.full
        self.scheduler.stop(timedelta(0))
        self.open[:] = [flight for flight in self.open if self.workers_of(flight) is not self.workers]
        self.sides.remove(Side(self.scheduler, self.life, self.workers, self.store))
        if by:
            self.clock.step(us(by))
        self.begin(self.made_scheduler())
        self.workers.full = full
        self.clock.advance(timedelta(0))
        self.model.restart(by)
        self.ask(1)

    def fill(self, full: bool) -> None:
        """Let there be no free worker, or free ones again."""
        for side in self.sides:
            side.workers.full = full

    def workers_of(self, flight: Flight) -> HeldWorkers:
        """Return the workers that have a run."""
        assert isinstance(flight, StoredFlight)
        return next(side.workers for side in self.sides if side.store is flight._shelf)

    def stop(self) -> None:
        """Stop both."""
        for side in self.sides:
            side.scheduler.stop(timedelta(0))

    # ---- what can be seen ------------------------------------------------------------------------------------

    def check(self) -> None:
        """Compare all that can be seen."""
        for side in self.sides:
            loop = side.life.loop
            if not isinstance(loop, SharedLoop) or loop.failing or loop._put_off:
                raise FaultError(f"a turn has failed after{self.told()}")
        super().check()
        assert isinstance(self.model, SharedModel)
        workers = [side.workers for side in self.sides]
        owners = [workers.index(self.workers_of(flight)) for flight in self.open]
        self.same("who runs them", owners, [self.model.order.index(call.owner) for call in self.model.open])

    def check_task(self, handle: TaskHandle, task: Task) -> None:
        """Compare a task; of one that the other has cancelled, and that was pruned, only its end is known."""
        assert isinstance(handle._entry, StoredEntry)
        if self.store.task_row(handle._entry.id) is None:
            self.same(f"task {task.order}: ended", handle.ended, True)
        else:
            super().check_task(handle, task)
