"""What a scheduler can do next: tasks that are due and runs that wait, of functions that are registered here."""

from __future__ import annotations

import json
import logging
from typing import Any, Final

from ..clock import soonest
from ..runtime.logs import log, named
from ..tasks.registry import TaskRegistry
from ..tasks.signature import inspect_function
from .file import File
from .rows import RUN, TASK

_MOST_READY: Final = 256  # runs that are looked at in a turn
_FIRST_DUE: Final = """
    SELECT func, is_async, (
      SELECT due_at FROM task WHERE task.func = known.func AND due_at IS NOT NULL
      AND (id, version) NOT IN temp.parked ORDER BY due_at LIMIT 1
    ) AS at FROM temp.known
"""
_DUE: Final = f"""
    SELECT due_at, {TASK} FROM task WHERE func = ? AND due_at <= ? AND (id, version) NOT IN temp.parked
    ORDER BY due_at LIMIT ?
"""
_OPEN_RUNS: Final = """
    FROM run JOIN task ON task.id = run.task JOIN temp.known USING (func)
    WHERE run.wake_at {rule} AND run.owner IS NULL AND (task.id, version) NOT IN temp.parked
"""
_READY: Final = f"""
    SELECT {", ".join(f"run.{name}" for name in RUN.split(", "))} {_OPEN_RUNS.format(rule="<= ?")}
    AND is_async >= ? ORDER BY run.wake_at, run.id LIMIT ?
"""
_FIRST_READY: Final = f"SELECT min(run.wake_at) {_OPEN_RUNS.format(rule='IS NOT NULL')} AND is_async >= ?"


class Agenda:
    """Finds what is due in a file.

    One look-up a function: however many tasks of other functions are due, which others run, they cost nothing.
    """

    def __init__(self, file: File, registry: TaskRegistry) -> None:
        self._file, self._registry = file, registry
        self.is_async: dict[str, bool] = {}  # by function, of those that can be called here
        file.prepare(self._make_tables)
        if names := self.unregistered():
            message = "%d task(s) stay in the file, but can't run here, since their functions are not registered: %s"
            log(f"{message}; register them, or cancel the tasks", len(names), named(names), level=logging.WARNING)

    def _make_tables(self) -> None:
        """Make the tables that only this connection sees."""
        self._file.run("CREATE TEMP TABLE known (func TEXT PRIMARY KEY, is_async INTEGER NOT NULL) WITHOUT ROWID")
        sql = "CREATE TEMP TABLE parked (id INTEGER, version INTEGER, PRIMARY KEY (id, version)) WITHOUT ROWID"
        self._file.run(sql)  # tasks that can't be read or called here
        self.is_async.clear()
        self.know()

    def know(self) -> None:
        """Note which functions can be called here; more may be registered at any time."""
        if len(self.is_async) != len(self._registry.functions):
            for name, function in self._registry.functions.items():
                self.is_async[name] = inspect_function(function).is_async
            self._file.run_each("INSERT OR IGNORE INTO known VALUES (?, ?)", [*self.is_async.items()])

    def unregistered(self) -> list[str]:
        """List tasks whose functions are not registered here."""
        sql = "SELECT name FROM task WHERE ended = 0 AND func NOT IN (SELECT value FROM json_each(?)) LIMIT 1000"
        return [name for (name,) in self._file.rows(sql, (json.dumps([*self._registry.functions]),))]

    def park(self, task: int, version: int) -> None:
        """Leave a task alone until it is replaced, for as long as this scheduler lives."""
        self._file.run("INSERT OR IGNORE INTO temp.parked VALUES (?, ?)", (task, version))

    def due(self, now: int, most_async: int, most_sync: int) -> list[Any]:
        """Return the tasks that are due, the earliest first: the time, and the columns `TASK`."""
        rows: list[Any] = []
        for func, is_async, _at in self._file.rows(_FIRST_DUE + " WHERE at <= ?", (now,)):
            if (most := most_async if is_async else most_sync) > 0:
                rows += self._file.rows(_DUE, (func, now, most))
        return sorted(rows)

    def ready(self, now: int, room: int) -> list[Any]:
        """Return the runs that anybody may start: the columns `RUN`; without room, of async functions."""
        return self._file.rows(_READY, (now, room <= 0, _MOST_READY))

    def first(self, me: int, room: int | None) -> int | None:
        """Return when the next task or run is due that can start with so much room; with None, only timers are."""
        (own,) = self._file.first("SELECT min(wake_at) FROM run WHERE owner = ?", (me,))
        if room is None:
            return None if own is None else int(own)
        full = room <= 0  # then only async functions can start
        (due,) = self._file.first(f"SELECT min(at) FROM ({_FIRST_DUE} WHERE is_async >= ?)", (full,))
        (ready,) = self._file.first(_FIRST_READY, (full,))
        return soonest(own, due, ready)
