"""The stores, each as the tests of their contract use it: a call of a method is a turn of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tables import GRID, added, now, us

from panther_schedule import AnySchedule, BackgroundTask, Policy, TaskRegistry
from panther_schedule.clock import MICROSECOND, Reading
from panther_schedule.planning.due import due
from panther_schedule.planning.records import Run
from panther_schedule.planning.rule import Rule
from panther_schedule.planning.state import State, Step
from panther_schedule.runtime.entries import Entry, Flight
from panther_schedule.runtime.memory import Memory
from panther_schedule.runtime.stores import Store
from panther_schedule.spec import dump_task
from panther_schedule.sqlite.entries import StoredEntry
from panther_schedule.sqlite.file import File
from panther_schedule.sqlite.records import Records
from panther_schedule.sqlite.rows import Seen, Spec
from panther_schedule.sqlite.store import SQLite

REGISTRY = TaskRegistry()
ROOM = 1000
KEEP = timedelta(days=30) // MICROSECOND
LEASE = timedelta(seconds=10) // MICROSECOND


@REGISTRY.register
def nothing() -> None:
    """Do nothing."""


@REGISTRY.register
async def nothing_async() -> None:
    """Do nothing, on an event loop."""


class Kept:
    """A store; its methods are those of the store, each in a turn."""

    store: Store
    orders = 0

    def turn(self, reading: Reading, room: int | None = ROOM) -> AbstractContextManager[None]:
        """Begin a turn."""
        raise NotImplementedError

    def made(self, task: BackgroundTask[...], rule: Rule, state: State) -> Entry:
        """Make an entry of a task."""
        raise NotImplementedError

    def task(self, name: str, policy: Policy | None = None, first: float = 0, schedule: AnySchedule = GRID) -> Entry:
        """Add a task whose next occurrence is so many seconds after AT."""
        task = BackgroundTask(nothing).with_schedule(schedule).with_policy(policy or Policy()).with_name(name)
        rule, state = added(schedule, policy, key=name)
        entry = self.made(task, rule, state._replace(next_at=us(first), task=name))
        with self.turn(now(-1)):
            self.store.add(entry, now(-1))
        return entry

    def start(self, entry: Entry, after: float = 0) -> Flight:
        """Plan a due task, and keep the step."""
        with self.turn(now(after)):
            step = due(entry.rule, entry.state, us(after))
            flight = entry.fly(step.starts[0])
            self.store.save(entry, None, step, (flight,))
        return flight

    def fly(self, entry: Entry, run: Run) -> Flight:
        """Let a run be in flight that nobody has planned."""
        flight = entry.fly(run)
        self.save(entry, None, Step(entry.state), (flight,))
        return flight

    def save(
        self, entry: Entry, flight: Flight | None, step: Step, starts: Sequence[Flight] = (), after: float = 0
    ) -> None:
        with self.turn(now(after)):
            self.store.save(entry, flight, step, starts)

    def give_rule(self, entry: Entry, schedule: AnySchedule) -> State:
        """Give a task another schedule, with which it starts afresh; return its state."""
        raise NotImplementedError

    def due(self, reading: Reading, limit: int = 10) -> list[Entry]:
        with self.turn(reading):
            return self.store.due(reading, limit)

    def timers(self, reading: Reading) -> list[Flight]:
        with self.turn(reading):
            return self.store.timers(reading)

    def flights(self, entry: Entry) -> list[Flight]:
        with self.turn(now(0)):
            return self.store.flights(entry)

    def first_queued(self, entry: Entry) -> Flight | None:
        with self.turn(now(0)):
            return self.store.first_queued(entry)

    def until_next(self, reading: Reading) -> int | None:
        return self.store.until_next(reading)

    @property
    def in_flight(self) -> list[Flight]:
        return list(self.store.in_flight)


class InMemory(Kept):
    """The store in memory: a turn is nothing to it."""

    def __init__(self, _folder: Path) -> None:
        self.store = Memory()

    def turn(self, reading: Reading, room: int | None = ROOM) -> AbstractContextManager[None]:  # noqa: ARG002 - it has none
        return nullcontext()

    def made(self, task: BackgroundTask[...], rule: Rule, state: State) -> Entry:
        self.orders += 1
        return Entry(task.name or "", task, rule, state, self.orders)

    def give_rule(self, entry: Entry, schedule: AnySchedule) -> State:
        rule, state = added(schedule)
        self.store.save(entry, None, Step(state), rule=rule)
        return state


def spec_of(task: BackgroundTask[...]) -> Spec:
    """Return what a file keeps of a task."""
    return Spec(REGISTRY.name_of(task.func), json.dumps(dump_task(task, REGISTRY)), "UTC")


class InAFile(Kept):
    """A file: it has one time, the wall's."""

    def __init__(self, folder: Path, *, most: int = 1000, registry: TaskRegistry = REGISTRY) -> None:
        file = File(folder / "tasks.db")
        self.store = self.sqlite = SQLite(file, registry, Records(file, KEEP, most), LEASE, polls=False)

    def turn(self, reading: Reading, room: int | None = ROOM) -> AbstractContextManager[None]:
        return self.sqlite.turn(reading, room)

    def made(self, task: BackgroundTask[...], rule: Rule, state: State) -> Entry:
        seen = Seen(1, spec_of(task), replace(rule, on_wall=True), state, 0, 0)
        entry = StoredEntry(self.sqlite, 0, task.name or "", seen, -1)
        entry.named = task.name is not None
        return entry

    def give_rule(self, entry: Entry, schedule: AnySchedule) -> State:
        assert isinstance(entry, StoredEntry)
        rule, state = added(schedule)
        state = state._replace(task=entry.name)
        task = BackgroundTask(nothing).with_schedule(schedule).with_name(entry.name)
        with self.turn(now(0)):
            self.store.save(entry, None, Step(state), rule=replace(rule, on_wall=True))
            self.sqlite.put_spec(entry, spec_of(task))
        return state
