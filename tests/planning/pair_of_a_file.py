"""A scheduler whose tasks are in a file, and the model: besides what others do, it is stopped, killed and started.

Where it is told to, the file fails once in the next act, which is then done again: that must be as if it had been
done once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from failing import Failing
from model import Model
from model_of_a_file import FileModel
from model_parts import PassedLine, RunLine
from pair import REGISTRY, START, FaultError, Pair, line_of, us

from panther_schedule import Scheduler
from panther_schedule.clock import Reading
from panther_schedule.errors import StoreError
from panther_schedule.runtime.entries import Entry, Flight
from panther_schedule.runtime.handles import RunHandle, TaskHandle
from panther_schedule.runtime.loop import Message
from panther_schedule.runtime.shared_loop import SharedLoop
from panther_schedule.sqlite import SQLiteStore
from panther_schedule.sqlite.entries import StoredEntry, StoredFlight
from panther_schedule.sqlite.rows import RUN
from panther_schedule.sqlite.store import SQLite

T = TypeVar("T")
MOST_TURNS = 2000
"""In which an act is done; an hour of a task every ten seconds takes 360."""
KEPT = 1000
"""How many records of a task are kept, by default."""
BROKEN = """
    SELECT 'running of task ' || id FROM task WHERE running !=
      (SELECT count(*) FROM run WHERE task = task.id AND cause = 'schedule' AND outcome IS NULL)
    UNION ALL SELECT 'records of task ' || id FROM task WHERE gone IS NULL AND records !=
      (SELECT count(seq) FROM run WHERE task = task.id) + (SELECT count(*) FROM passed WHERE task = task.id)
    UNION ALL SELECT 'owner of run ' || id FROM run
      WHERE (owner IS NULL) != (phase NOT IN ('active', 'outrun', 'lingering'))
    UNION ALL SELECT 'outcome of run ' || id FROM run WHERE (outcome IS NULL) = (phase IN ('lingering', 'ended'))
    UNION ALL SELECT 'an event' FROM event
    UNION ALL SELECT 'a foreign key of ' || "table" FROM pragma_foreign_key_check
    UNION ALL SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check != 'ok'
"""
"""What must never be in a file that one scheduler uses, with nobody listening."""


class FilePair(Pair):
    """A real scheduler with a store, the model, and what was done to both."""

    history = KEPT

    def __init__(self, file: Path) -> None:
        self.file = file
        self.fails_at: int | None = None
        """At which statement of the next act the file fails."""
        super().__init__()

    def made_model(self) -> Model:
        """Make the model."""
        return FileModel(START)

    def made_scheduler(self) -> Scheduler:
        """Make the real one; equal settings each time."""
        return Scheduler(clock=self.clock, store=SQLiteStore(self.file), registry=REGISTRY)

    def begin(self, scheduler: Scheduler) -> None:
        """Start the real one; one that looks again and again differs from the model."""
        super().begin(scheduler)
        self.turns, turn = 0, self.life.loop.turn

        def counted(messages: Iterable[Message], reading: Reading) -> int | None:
            self.turns += 1
            if self.turns > MOST_TURNS:
                raise self.diverged("turns", "no end", "few")
            return turn(messages, reading)

        vars(self.life.loop)["turn"] = counted  # of this one alone

    def note(self, what: str, *details: object) -> None:
        """Remember what is done; each act may take some turns."""
        super().note(what, *details)
        self.turns = 0

    @property
    def store(self) -> SQLite:
        """The file, as the scheduler has it open."""
        assert isinstance(self.life.shared, SQLite)
        return self.life.shared

    # ---- what is done to both --------------------------------------------------------------------------------

    def fail(self, at: int) -> None:
        """Let the file fail at this statement of the next act."""
        self.note("fail", at)
        self.fails_at = at

    def do(self, act: Callable[[], T]) -> T:
        """Do something to the real one; again, when the file has failed."""
        if self.fails_at is None:
            return act()
        with Failing(self.store.file, self.fails_at):
            self.fails_at = None
            try:
                return act()
            except StoreError:
                self.has_failed()
                return act()

    def has_failed(self) -> None:
        """Let the model know that a turn has failed."""

    def reload(self) -> None:
        """Read the zones' rules again, which are the same."""
        self.note("reload")
        self.scheduler.reload_tz()
        self.model.hear()
        self.model.look()

    def restart(self, by: int, *, killed: bool) -> None:
        """Stop the scheduler, or kill it, and start another, after the clock was set by so much."""
        self.note("restart", by, killed)
        assert isinstance(self.model, FileModel)
        full = self.workers.full
        if killed:
            self.kill()
        else:
            self.scheduler.stop(timedelta(0))
        self.clock.step(us(by))
        self.begin(self.made_scheduler())
        self.workers.full = full
        self.handles = [TaskHandle(self.again(handle), self.life) for handle in self.handles]
        self.manual = [(RunHandle(self.run_again(run), self.life), call) for run, call in self.manual]
        self.clock.advance(timedelta(0))
        self.model.restart(by, killed=killed)

    def again(self, handle: TaskHandle) -> StoredEntry:
        """Find a task for the scheduler of now; one that was pruned is as it was."""
        old, store = handle._entry, self.store
        assert isinstance(old, StoredEntry)
        if store.file.row("SELECT 1 FROM task WHERE id = ?", (old.id,)) is None:
            return StoredEntry(store, old.id, old.name, old.kept, -1)
        return store.entry(old.id)

    def run_again(self, handle: RunHandle) -> Flight:
        """Find a run for the scheduler of now."""
        assert isinstance(handle._flight, StoredFlight)
        sql = f"SELECT {RUN} FROM run WHERE id = ?"  # noqa: S608 - of names of columns
        return self.store.flight_of(self.store.file.row(sql, (handle._flight.id,)))

    def kill(self) -> None:
        """Leave the file as a process does that is killed; that it is dead is seen by the boot of its machine."""
        self.store.file.close()
        self.clock._drives.remove(self.life.driver)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - of a virtual clock
        self.life.loop.over = self.scheduler._stopped = True
        with closing(sqlite3.connect(self.file)) as db, db:
            db.execute("UPDATE process SET boot = 'the one before'")

    # ---- what can be seen ------------------------------------------------------------------------------------

    def check(self) -> None:
        """Compare all that can be seen."""
        if not isinstance(self.life.loop, SharedLoop) or self.life.loop.failing:
            raise FaultError(f"a turn has failed after{self.told()}")
        super().check()
        idle = all(task.ended and not task.calls for task in self.model.tasks)
        self.same("idle", self.store.is_idle(), idle)

    def records_of(self, entry: Entry) -> list[RunLine | PassedLine]:
        """Return all of a task's records that are kept."""
        assert isinstance(entry, StoredEntry)
        return [line_of(record) for record in self.store.records.latest(entry.id, KEPT)]

    def check_law(self) -> None:
        """Look at the law in whole, and at the file by SQL alone."""
        super().check_law()
        with closing(sqlite3.connect(self.file)) as db:
            self.same("the file", [what for (what,) in db.execute(BROKEN)], [])
