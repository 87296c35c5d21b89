"""The tasks and runs of a file that are in use: one object each, and what the file says of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final
from weakref import WeakValueDictionary

from ..errors import SchedulerStateError
from ..planning.ends import is_over
from ..planning.records import Run
from ..planning.rule import Rule
from ..runtime.ledger import Counts, History
from ..tasks.registry import TaskRegistry
from .entries import StoredEntry, StoredFlight
from .file import File
from .records import Records
from .rows import RUN, TASK, Seen, run_of, seen_of

_CACHED: Final = 4096  # tasks that stay in mind, besides those in use


class Shelf:
    """What one scheduler has taken out of a file."""

    def __init__(self, file: File, registry: TaskRegistry, records: Records) -> None:
        self.file, self.registry, self.records = file, registry, records
        self.mine: dict[int, StoredFlight] = {}  # the runs that were handed over here, by row
        self.epoch: int = 0  # changes when what is kept in mind may be wrong
        self._making = threading.RLock()  # a signal handler may look, too
        self._entries: WeakValueDictionary[int, StoredEntry] = WeakValueDictionary()
        self._flights: WeakValueDictionary[int, StoredFlight] = WeakValueDictionary()
        self._recent: list[StoredEntry | None] = [None] * _CACHED

    # ---- tasks ---------------------------------------------------------------------------------------------------

    def entry_of(self, row: Any) -> StoredEntry:
        """Return the task of a row of the columns `TASK`, as it is there."""
        id_, name = row[:2]
        in_turn = self.file.is_turn()
        with self._making:  # any thread may look for a task, and each is one object
            entry = self._entries.get(id_)
            if entry is None:
                entry = StoredEntry(self, id_, name, seen_of(row), self.epoch if in_turn else -1)
                self.remember(entry)
                return entry
        if in_turn and entry.epoch != self.epoch:
            self._see(entry, row)
        return entry

    def entries_of(self, rows: Iterable[Any]) -> list[StoredEntry]:
        """Return the tasks of such rows, without those that can't be read."""
        found: list[StoredEntry] = []
        for row in rows:
            with suppress(SchedulerStateError):
                found.append(self.entry_of(row))
        return found

    def remember(self, entry: StoredEntry) -> None:
        self._entries[entry.id] = entry
        self._recent[entry.id % _CACHED] = entry

    def drop(self, entry: StoredEntry) -> None:
        """Forget a task that was not kept."""
        self._entries.pop(entry.id, None)
        self._recent[entry.id % _CACHED] = None

    def entry(self, id_: int) -> StoredEntry:
        """Return a task by its row."""
        entry = self._entries.get(id_)
        if entry is not None and (entry.epoch == self.epoch or not self.file.is_turn()):
            return entry
        return self.entry_of(self._task_row(id_))

    def seen(self, entry: StoredEntry) -> Seen:
        """Return a task as it is: in a turn with what the turn has made of it, else as it is kept."""
        if not self.file.is_turn():
            row = self._task_row(entry.id)
            return entry.kept if row is None else seen_of(row, entry.kept)
        if entry.epoch != self.epoch:
            self._see(entry, self._task_row(entry.id))
        return entry.kept

    def rule_of(self, entry: StoredEntry) -> Rule:
        """Return a task's rule: for those who call its function here, as it was when that was handed over."""
        return entry.kept.rule if entry.flying and not self.file.is_turn() else self.seen(entry).rule

    def _see(self, entry: StoredEntry, row: Any) -> None:
        if row is not None:  # else it was pruned, and is as it was
            entry.kept = seen_of(row, entry.kept)
        entry.epoch = self.epoch

    def _task_row(self, id_: int) -> Any:
        return self.file.row(f"SELECT {TASK} FROM task WHERE id = ?", (id_,))

    def history(self, entry: StoredEntry) -> History:
        return self.records.latest(entry.id, entry.name)

    def counts_of(self, entry: StoredEntry) -> Counts:
        return self.records.of_task(entry.id)

    # ---- runs ----------------------------------------------------------------------------------------------------

    def flight_of(self, row: Any) -> StoredFlight:
        """Return the run of a row of the columns `RUN`, as it is there."""
        flight = self._flights.get(row[0])
        if flight is None:
            entry = self.entry(row[1])
            flight = StoredFlight(entry, self, run_of(row, entry.name))
            flight.id = row[0]
            self._flights[row[0]] = flight
        if self.file.is_turn():  # the thread of turns alone may change it
            self._see_run(flight, row)
        return flight

    def run_of(self, flight: StoredFlight) -> Run:
        """Return a run as it is: in a turn what the file says, else as it was seen last."""
        if flight.id is not None and not flight.fenced and flight.epoch != self.epoch and self.file.is_turn():
            row = self.file.row(f"SELECT {RUN} FROM run WHERE id = ?", (flight.id,))
            if row is not None:
                self._see_run(flight, row)
        return flight.kept

    def _see_run(self, flight: StoredFlight, row: Any) -> None:
        flight.kept = run_of(row, flight.entry.name)
        flight.owner, flight.taken_at = row[10:12]
        if not flight.here:
            flight.started = flight.taken_at  # the nearest that is known of a call elsewhere
        flight.epoch = self.epoch

    def record_of(self, flight: StoredFlight) -> Run | None:
        """Return what is kept of a run that has ended; of one that was pruned, what was seen here."""
        if flight.id is None:
            return None
        row = self.file.row(f"SELECT {RUN} FROM run WHERE id = ?", (flight.id,))
        if row is None and not is_over(flight.kept):
            raise SchedulerStateError(f"the record of the run {flight.kept.id!r} was pruned; keep more of them")
        run = flight.kept if row is None else run_of(row, flight.entry.name)
        return run._replace(phase="ended") if row is None or row[-1] is not None else None
