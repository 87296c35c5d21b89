"""A stored task and a stored run, as the runtime sees them: what they are is what the file says."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from pydantic import ValidationError

from ..errors import SchedulerStateError
from ..planning.records import Run
from ..planning.rule import Rule
from ..planning.state import State
from ..runtime.entries import EMPTY, Entry, Flight
from ..runtime.ledger import Counts, History
from ..spec import load_task
from ..tasks.registry import TaskRegistry
from ..tasks.task import BackgroundTask
from .rows import Seen


class Shelf(Protocol):
    """The store, as its tasks and runs need it."""

    registry: TaskRegistry

    def seen(self, entry: StoredEntry) -> Seen: ...  # as it is now
    def rule_of(self, entry: StoredEntry) -> Rule: ...
    def history(self, entry: StoredEntry) -> History: ...
    def counts_of(self, entry: StoredEntry) -> Counts: ...
    def run_of(self, flight: StoredFlight) -> Run: ...  # as it is now
    def record_of(self, flight: StoredFlight) -> Run | None: ...


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
        self.named = True  # of one that is to be added, as the next
        self.source: str | None = None  # which `apply()` makes it
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
                self._known = seen.version, load_task(json.loads(seen.spec.text), self._shelf.registry)
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
    history: History | None = _looked_up(lambda entry: entry._shelf.history(entry))
    task: BackgroundTask[..., Any] = _looked_up(_load)

    def counts(self) -> Counts:
        return self._shelf.counts_of(self)

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
        return partial(self._put_back, self.kept, self.owner, self.taken_at, self.here, self.fenced, self._task)

    def _put_back(self, kept: Run, owner: int | None, taken_at: int | None, here: bool, *rest: Any) -> None:
        self.entry.flying += here - self.here
        self.kept, self.owner, self.taken_at, self.here, self.epoch = kept, owner, taken_at, here, -1
        self.fenced, self._task = rest

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
