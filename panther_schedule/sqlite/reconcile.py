"""Makes the stored tasks of one source those that a program or a document declares, or tells what that would change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

from ..clock import Reading, moment
from ..errors import refuse
from ..planning.control import replaced
from ..planning.rule import Rule, due_at
from ..planning.state import State
from ..runtime.plans import Change, Plan
from ..runtime.stores import Host
from ..tasks.task import BackgroundTask
from .entries import StoredEntry
from .intake import StoredIntake, StoredNames, is_same, schedule_of
from .store import SQLite

_FIELDS: Final = {"func": "func", "kwargs": "arguments", "schedule": "schedule", "policy": "policy"}
_Task: TypeAlias = BackgroundTask[..., Any]


class _Move(NamedTuple):
    """A change, the stored task that it is about, and the one that is declared."""

    change: Change
    there: StoredEntry | None
    new: StoredEntry | None


class Reconciler:
    """Compares what is declared with a file."""

    def __init__(self, store: SQLite, names: StoredNames, intake: StoredIntake, host: Host) -> None:
        self._store, self._names, self._intake, self._host = store, names, intake, host

    def __call__(self, tasks: Sequence[_Task], source: str, apply: bool) -> Plan:
        """Return what changes; `apply` it too, in the same turn."""
        declared = [(task, self._intake.new_entry(task, source=source)) for task in tasks]
        plan: Plan = self._host.call(partial(self._reconcile, declared, source, apply))
        return plan

    def _reconcile(
        self, declared: Sequence[tuple[_Task, StoredEntry]], source: str, apply: bool, reading: Reading
    ) -> Plan:
        moves = [self._move(task, new, source, reading) for task, new in declared]
        names = {new.name for _, new in declared}
        sql = "SELECT name FROM task WHERE source = ? AND freed = 0 ORDER BY id"
        for (name,) in self._store.file.rows(sql, (source,)):
            gone = None if name in names else self._names.find(name)
            if gone is not None:
                change = Change(name, "removed", (), _next(gone.rule, gone.state), None, gone.state.handed)
                moves.append(_Move(change, gone, None))
        for move in moves if apply else ():
            self._do(move, source, reading)
        return Plan(tuple(move.change for move in moves))

    def _move(self, task: _Task, new: StoredEntry, source: str, reading: Reading) -> _Move:
        there = self._names.find(new.name)
        if there is None:
            return _Move(Change(new.name, "added", (), None, _next(new.rule, new.kept.state)), None, new)
        (owner,) = self._store.file.row("SELECT source FROM task WHERE id = ?", (there.id,))
        if owner not in {None, source}:
            message = "the name {name} belongs to the source {owner}; choose another name, or remove it there"
            refuse("apply", "name_in_use", message, at=("name",), name=repr(new.name), owner=repr(owner))
        return _Move(_compared(there, new, task, reading.wall), there, new)

    def _do(self, move: _Move, source: str, reading: Reading) -> None:
        change, there, new = move
        if there is None and new is not None:
            self._host.engine.add(new, reading)
        elif there is not None and new is None:
            self._host.engine.cancel(there, False, reading)
        elif there is not None and new is not None:
            if change.fields:
                self._intake.change(there, new, reading)
            self._store.file.run("UPDATE task SET source = ? WHERE id = ? AND source IS NULL", (source, there.id))


def _compared(there: StoredEntry, new: StoredEntry, task: _Task, now: int) -> Change:
    state = there.state
    before = _next(there.rule, state)
    if is_same(there, new, task):
        return Change(new.name, "unchanged", (), before, before, state.handed)
    old, wanted = json.loads(there.kept.spec.text), json.loads(new.kept.spec.text)
    afresh = schedule_of(there) != schedule_of(new)
    fields = tuple(
        shown
        for field, shown in _FIELDS.items()
        if old.get(field) != wanted.get(field) or (afresh and field == "schedule")
    )
    fresh = new.kept.state if afresh else None
    step = replaced(there.rule, state, fresh, now)
    after = state if step is None else step.state
    return Change(new.name, "changed", fields, before, _next(new.kept.rule, after), after.handed)


def _next(rule: Rule, state: State) -> datetime | None:
    at = due_at(rule, state)
    return None if at is None else moment(at)
