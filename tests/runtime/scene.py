"""Schedulers that share a file, without their threads: the engine and the store of each, a turn at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import RLock
from typing import Any

from kept import REGISTRY, ROOM, InAFile, nothing
from tables import GRID, added, finished, now

from panther_schedule import AnySchedule, BackgroundTask, Policy, TaskRegistry
from panther_schedule.clock import Reading
from panther_schedule.planning.records import Outcome
from panther_schedule.runtime.engine import Engine
from panther_schedule.runtime.entries import Flight
from panther_schedule.sqlite.entries import StoredEntry, StoredFlight
from panther_schedule.sqlite.intake import StoredNames

Do = Callable[[Reading], Any]


class Scheduler:
    """The store and the engine of one scheduler."""

    def __init__(self, folder: Path, *, most: int = 1000, registry: TaskRegistry = REGISTRY) -> None:
        self.kept = InAFile(folder, most=most, registry=registry)
        self.store = self.kept.sqlite
        self.names = StoredNames(self.store, RLock())
        self.engine = Engine(self.store, self.names, self.store)
        self.started: list[Flight] = []
        """What was handed over, and when it was kept."""

    def turn(self, after: float, *acts: Do, room: int | None = ROOM) -> None:
        """Do something, and look at what is due; what that starts is handed over when it is kept."""
        reading, engine = now(after), self.engine
        try:
            with self.store.turn(reading, room):
                for act in (*acts, self.look):
                    act(reading)
        except BaseException:
            for undone in (engine.after, engine.starts, engine.asked):
                undone.clear()
            raise
        for done in engine.after:
            done()
        self.started += engine.starts
        for flight in engine.starts:
            flight.started = reading.wall
        for undone in (engine.after, engine.starts, engine.asked):
            undone.clear()

    def judge(self) -> None:
        """Let it be time to see which processes are dead."""
        self.store.processes.take_back(self.store.processes.me)

    def look(self, reading: Reading) -> None:
        """See to all that is due, as the loop does."""
        for entry in self.store.due(reading, ROOM):
            self.engine.plan(entry, reading)
        for flight in self.store.timers(reading):
            self.engine.wake(flight, reading)
        for flight in self.store.lost():
            self.engine.lose(flight, reading)
        self.engine.asked += self.store.asked()

    def task(self, name: str) -> StoredEntry:
        """Find a task."""
        found = self.names.find(name)
        assert found is not None
        return found

    def run(self, name: str) -> StoredFlight:
        """Find the oldest run of a task that is active here."""
        return next(flight for flight in self.store.own() if flight.entry.name == name)

    def add(self, name: str | None, schedule: AnySchedule = GRID, policy: Policy | None = None, **how: Any) -> Do:
        """Add a task."""
        task = BackgroundTask(how.get("func", nothing)).with_schedule(schedule).with_policy(policy or Policy())
        task = task if name is None else task.with_name(name)

        def act(reading: Reading) -> None:
            rule, state = added(schedule, policy, key=name or "nothing", reading=reading)
            self.engine.add(self.kept.made(task, rule, state._replace(task=name or "")), reading)

        return act

    def end(self, name: str, outcome: Outcome = "succeeded", error: BaseException | None = None) -> Do:
        """Let the function of a run end."""

        def act(reading: Reading) -> None:
            flight = self.run(name)
            flight.attempt = finished(outcome, (reading.wall - now(0).wall) / 1e6, error)
            self.engine.end(flight, reading)

        return act


def rows(folder: Path, sql: str) -> list[Any]:
    """Return what is kept."""
    with closing(sqlite3.connect(folder / "tasks.db")) as db:
        return db.execute(sql).fetchall()


def everything(folder: Path) -> dict[str, list[Any]]:
    """Return all that is kept, but for the leases."""
    tables = [name for (name,) in rows(folder, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: rows(folder, f"SELECT * FROM {name}") for name in tables}  # noqa: S608 - names of tables
    found["process"] = [row[:5] + row[6:] for row in found["process"]]
    return found


def kill(folder: Path) -> None:
    """Let all processes that use a file be dead: they are of the time before the machine was started."""
    with closing(sqlite3.connect(folder / "tasks.db")) as db, db:
        db.execute("UPDATE process SET boot = 'the one before'")
