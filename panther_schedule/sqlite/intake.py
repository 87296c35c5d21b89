"""How tasks come into a file, and are found there by their names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from threading import RLock
from typing import Any

from ..clock import Reading
from ..errors import SchedulerStateError, refuse
from ..occurrences.compiler import zone_for
from ..runtime.admission import first_state, warn_of_busy_loop
from ..runtime.entries import Entry
from ..runtime.names import equal, refuse_name
from ..runtime.stores import Host, Intake, Names
from ..spec import dump_task
from ..tasks.checks import is_text
from ..tasks.task import BackgroundTask
from .entries import StoredEntry
from .rows import TASK, Seen, Spec, follows_zone, rule_for
from .store import SQLite

_THERE = "freed = 0 AND (named = 1 OR ended = 0)"  # what a scheduler shows of the tasks in the file


class StoredNames(Names):
    """The tasks of a file by name: the file itself knows when one is free, or has left."""

    def __init__(self, store: SQLite, lock: RLock) -> None:
        self._store, self.lock = store, lock

    def find(self, name: object) -> StoredEntry | None:
        if not isinstance(name, str) or not is_text(name):
            return None
        sql = f"SELECT {TASK} FROM task WHERE name = ? AND {_THERE}"
        row = self._store.file.row(sql, (str.__str__(name),))
        return None if row is None else self._store.entry_of(row)

    def free(self, entry: Entry) -> None:
        pass

    def leave(self, entry: Entry) -> None:
        pass

    def late(self, reading: Reading, by: int) -> list[tuple[int, str]]:
        sql = "SELECT ? - due_at, name FROM task WHERE due_at < ? ORDER BY due_at LIMIT 1000"
        return self._store.file.rows(sql, (reading.wall, reading.wall - by))

    def __iter__(self) -> Iterator[StoredEntry]:
        rows = self._store.file.rows(f"SELECT {TASK} FROM task WHERE {_THERE} ORDER BY id")
        return iter(self._store.entries_of(rows))

    def __len__(self) -> int:
        return int(self._store.file.row(f"SELECT count(*) FROM task WHERE {_THERE}")[0])


class StoredIntake(Intake):
    """Takes tasks into a file; what can be refused is refused before it is written."""

    def __init__(self, store: SQLite, names: StoredNames, host: Host) -> None:
        self._store, self._names, self._host = store, names, host

    def add(self, task: BackgroundTask[..., Any]) -> Entry:
        return self._add([task], stacklevel=5)[0]

    def add_all(self, tasks: Sequence[BackgroundTask[..., Any]]) -> list[Entry]:
        return self._add(tasks, stacklevel=5)

    def replace(self, task: BackgroundTask[..., Any]) -> Entry:
        new = self.new_entry(task, stacklevel=4)
        entry: Entry = self._host.call(partial(self._replace, task, new))
        return entry

    def reload(self) -> None:
        rule_for.cache_clear()
        self._host.call(self._reload)

    def new_entry(
        self, task: BackgroundTask[..., Any], *, source: str | None = None, stacklevel: int | None = None
    ) -> StoredEntry:
        """Make an entry of a task, as it would be added now; refuse one that can't be kept."""
        text = json.dumps(dump_task(task, self._store.registry), ensure_ascii=False, separators=(",", ":"))
        zone = zone_for(task._schedule).key
        rule = rule_for(text, zone)
        state = first_state(task, rule, self._host.clock.read().wall, task._name or "")
        if rule.busy and stacklevel is not None:
            warn_of_busy_loop(task._name or task._known.name, stacklevel=stacklevel + 1)
        if task._known.is_async:
            self._host.prepare_coroutines()
        spec = Spec(self._store.registry.name_of(task._func), text, zone)
        new = StoredEntry(self._store, 0, task._name or "", Seen(1, spec, rule, state, 0, 0), -1)
        new.named, new.source = task._name is not None, source
        return new

    def _add(self, tasks: Sequence[BackgroundTask[..., Any]], *, stacklevel: int) -> list[Entry]:
        new = [self.new_entry(task, stacklevel=stacklevel) for task in tasks]
        entries: list[Entry] = self._host.call(partial(self._keep, tasks, new))
        return entries

    # ---- in a turn -----------------------------------------------------------------------------------------------

    def _keep(
        self, tasks: Sequence[BackgroundTask[..., Any]], new: Sequence[StoredEntry], reading: Reading
    ) -> list[Entry]:
        """Keep the tasks that are not there, if none is refused."""
        wanted: list[StoredEntry] = []
        by_name: dict[str, StoredEntry] = {}
        for task, entry in zip(tasks, new, strict=True):
            there = (by_name.get(entry.name) or self._names.find(entry.name)) if entry.named else None
            if there is None:
                by_name[entry.name] = entry
            elif not is_equal(there, entry, task):
                refuse_stored(there, task)
            wanted.append(there or entry)
        for entry in dict.fromkeys(wanted):
            if not entry.id:
                self._host.engine.add(entry, reading)
        return [*wanted]

    def _replace(self, task: BackgroundTask[..., Any], new: StoredEntry, reading: Reading) -> Entry:
        there = self._names.find(new.name)
        if there is None:
            self._host.engine.add(new, reading)
            return new
        if not is_same(there, new, task):
            self.change(there, new, reading)
        return there

    def change(self, there: StoredEntry, new: StoredEntry, reading: Reading) -> None:
        """Give a stored task another spec."""
        afresh = schedule_of(there) != schedule_of(new)
        rule, state = new.kept.rule, new.kept.state if afresh else None
        self._host.engine.replace(there, rule, state, reading)
        if there.rule is rule:  # else it was stopped, and stays as it is
            self._store.put_spec(there, new.kept.spec)

    def _reload(self, reading: Reading) -> None:
        specs = [(entry, entry.kept.spec) for entry in self._names]
        found = [(entry, rule_for(spec.text, spec.zone)) for entry, spec in specs if follows_zone(spec.text)]
        self._host.engine.reload_zones(found, reading)


def is_equal(there: StoredEntry, new: StoredEntry, task: BackgroundTask[..., Any]) -> bool:
    """Tell whether a stored task and one that is to be added are equal values."""
    if there.kept.spec.text == new.kept.spec.text:
        return True
    try:
        return equal(there.task, task)
    except SchedulerStateError:  # its function is not registered here
        return False


def is_same(there: StoredEntry, new: StoredEntry, task: BackgroundTask[..., Any]) -> bool:
    """Tell whether it makes no difference to replace a stored task by an equal one: that is in the same zone."""
    return is_equal(there, new, task) and there.kept.spec.zone == new.kept.spec.zone


def schedule_of(entry: StoredEntry) -> Any:
    """Return what decides when a task is due: its schedule, and the zone where that names none."""
    return json.loads(entry.kept.spec.text)["schedule"], entry.kept.spec.zone


def refuse_stored(there: StoredEntry, task: BackgroundTask[..., Any]) -> None:
    """Refuse a task whose name another one has in the file."""
    try:
        known = there.task
    except SchedulerStateError:
        message = "the name {name} is in use by a stored task of {func}; write replace(task), or choose another name"
        refuse("add_task", "name_in_use", message, at=("name",), name=repr(there.name), func=there.kept.spec.func)
    refuse_name(known, task)
