"""The tasks and runs of a file that are in use: one object each, which is what the file says of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final
from weakref import WeakValueDictionary

from pydantic import ValidationError

from ..errors import SchedulerStateError
from ..planning.control import left
from ..planning.ends import is_over
from ..planning.records import Run
from ..planning.rule import Rule
from ..planning.state import State
from ..runtime.entries import EMPTY, Entry, Flight
from ..runtime.ledger import Counts, History
from ..spec import load_task
from ..tasks.registry import TaskRegistry
from ..tasks.task import BackgroundTask
from .file import File
from .records import Records
from .rows import RUN, TASK, Seen, run_of, seen_of

_CACHED: Final = 4096  # tasks that stay in mind, besides those in use


def _looked_up(look: Callable[[Any], object], put: Callable[[Any, Any], None] | None = None) -> Any:
    """Make a property of what is a field in memory."""
    return property(look, put)


class StoredEntry(Entry):
    """One task of the file. In a turn its fields are those of the turn, else what is kept."""

    __slots__ = ("__weakref__", "_known", "_shelf", "dirty", "epoch", "flying", "id", "kept", "named", "source")

    def __init__(self, shelf: Shelf, id_: int, name: str, kept: Seen, epoch: int) -> None:
        self.name, self.context, self.order, self.place, self.added, self.sealed = name, EMPTY, id_, None, True, None
        self._shelf = shelf
        self.flying = 0  # runs that were handed over here
        self.named = True  # by its own name; this and the source are of one that is to be added
        self.source: str | None = None  # of `apply()`
        self.id = id_
        self.kept = kept  # as this scheduler last saw it
        self.epoch: int = epoch  # when that was
        self.dirty = False  # a step about it is not written yet
        self._known: tuple[int, BackgroundTask[..., Any]] | None = None

    def _load(self) -> BackgroundTask[..., Any]:
        """Return the task with its function; SchedulerStateError where that is not registered, or does not fit."""
        seen = self._shelf.seen(self)
        if seen.fault:
            raise SchedulerStateError(seen.fault)
        if self._known is None or self._known[0] != seen.version:
            try:
                self._known = seen.version, self._shelf.task_of(seen.spec.text)
            except ValidationError as error:
                said = error.errors()[0]["msg"]
                raise SchedulerStateError(f"the task {self.name!r} can't be called here: {said}") from error
        return self._known[1]

    def is_callable(self) -> bool:
        """Tell whether its function can be called here."""
        with suppress(SchedulerStateError):
            return bool(self.task)
        return False

    rule: Rule = _looked_up(lambda entry: entry._shelf.rule_of(entry))
    state: State = _looked_up(lambda entry: entry._shelf.seen(entry).state)
    history: History | None = _looked_up(lambda entry: entry._shelf.records.latest(entry.id))
    task: BackgroundTask[..., Any] = _looked_up(_load)

    def counts(self) -> Counts:
        return self._shelf.records.of_task(self.id)

    def fly(self, run: Run) -> StoredFlight:
        return StoredFlight(self, self._shelf, run)


class StoredFlight(Flight):
    """One run of the file."""

    __slots__ = ("__weakref__", "_shelf", "_task", "epoch", "fenced", "here", "id", "kept", "owner", "taken_at")

    entry: StoredEntry

    def __init__(self, entry: StoredEntry, shelf: Shelf, run: Run) -> None:
        self.entry, self.context = entry, EMPTY
        self.asked, self.seen, self.started, self.error, self.place = run.asked, False, None, None, None
        self._shelf = shelf
        self.kept = run
        self._task: BackgroundTask[..., Any] | None = None
        self.id: int | None = None  # its row, once it has one
        self.epoch = -1
        self.here = False  # it was handed over in this scheduler
        self.owner: int | None = None  # the process that has it
        self.taken_at: int | None = None  # when it was handed over
        self.fenced = False  # another process was given it, since this one was silent for too long

    def undo(self) -> Callable[[], object]:
        """Return what puts it back to what it is now."""
        kept, owner, taken_at, here = self.kept, self.owner, self.taken_at, self.here
        fenced, task = self.fenced, self._task

        def put_back() -> None:
            self.entry.flying += here - self.here
            self.kept, self.owner, self.taken_at, self.here, self.epoch = kept, owner, taken_at, here, -1
            self.fenced, self._task = fenced, task

        return put_back

    def fence(self) -> None:
        """Let nothing more follow from it here."""
        self.let_go()
        self.fenced = True
        self.kept = self.kept._replace(phase="ended")

    def hold(self, now: int) -> None:
        """Hand it over here."""
        self.here, self.taken_at, self._task = True, now, self.entry.task
        self.entry.flying += 1

    def let_go(self) -> None:
        """Leave it to others, or to the ledger."""
        self.entry.flying -= self.here
        self.here, self.owner = False, None

    def _put(self, run: Run) -> None:
        self.kept = run

    run: Run = _looked_up(lambda flight: flight._shelf.run_of(flight), _put)
    record: Run | None = _looked_up(lambda flight: flight._shelf.record_of(flight))
    task: BackgroundTask[..., Any] = _looked_up(
        lambda flight: flight._task or flight.entry.task
    )  # as it was handed over


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
        self._alike = lru_cache(_CACHED)(self._loaded)

    # ---- tasks ---------------------------------------------------------------------------------------------------

    def task_of(self, text: str) -> BackgroundTask[..., Any]:
        """Read the spec of a task; those without arguments are equal values, which spares 40 us of 180 a run."""
        return self._alike(text) if '"kwargs":{}' in text else self._loaded(text)

    def _loaded(self, text: str) -> BackgroundTask[..., Any]:
        return load_task(json.loads(text), self.registry)

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
        return self.entry_of(self.task_row(id_))

    def seen(self, entry: StoredEntry) -> Seen:
        """Return a task as it is: in a turn with what the turn has made of it, else as it is kept."""
        if not self.file.is_turn():
            return self._found(entry, self.task_row(entry.id))
        if entry.epoch != self.epoch:
            self._see(entry, self.task_row(entry.id))
        return entry.kept

    def rule_of(self, entry: StoredEntry) -> Rule:
        """Return a task's rule; those who call its function here need not ask the file, unless others have written."""
        known = entry.flying and entry.epoch == self.epoch and not self.file.is_turn()
        return entry.kept.rule if known else self.seen(entry).rule

    def _see(self, entry: StoredEntry, row: Any) -> None:
        entry.kept, entry.epoch = self._found(entry, row), self.epoch

    def _found(self, entry: StoredEntry, row: Any) -> Seen:
        kept = entry.kept
        if row is None:  # it is not added yet, or it was pruned
            return kept._replace(state=left(kept.state)) if entry.id else kept
        return seen_of(row, kept)

    def task_row(self, id_: int) -> Any:
        return self.file.row(f"SELECT {TASK} FROM task WHERE id = ?", (id_,))

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
