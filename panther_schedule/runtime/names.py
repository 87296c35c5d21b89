"""The names of a scheduler's tasks."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from ..clock import Reading
from ..errors import refuse
from ..planning.due import has_ended
from ..planning.rule import due_at
from ..tasks.task import BackgroundTask
from .entries import Entry
from .stores import Names

MOST_ENDED: Final = 10_000  # named tasks that are kept after their end


class MemoryNames(Names):
    """The tasks of one scheduler by name; whoever changes more than one thing holds the lock."""

    def __init__(self, lock: threading.RLock) -> None:
        self.lock = lock
        self._entries: dict[str, Entry] = {}
        self._ended: dict[Entry, None] = {}  # named tasks, in the order in which they ended
        self._orders = itertools.count(1)

    def known(self, task: BackgroundTask[..., Any]) -> Entry | None:
        """Return the entry of an equal task of the same name; refuse a different one (`name_in_use`)."""
        entry = None if task._name is None else self._entries.get(task._name)
        if entry is not None and not equal(entry.task, task):
            refuse_name(entry.task, task)
        return entry

    def next(self, task: BackgroundTask[..., Any]) -> tuple[str, int]:
        """Return the name of a new task, its own or a unique one, and its number in the order of adding."""
        order = next(self._orders)
        return task._name or f"{task._known.name}-{order:06x}", order

    def take(self, entry: Entry) -> bool:
        """Give a new task its name; False when a signal handler, or a __del__, has just added one with this name."""
        return self._entries.setdefault(entry.name, entry) is entry

    def free(self, entry: Entry) -> None:
        """Let another task have the name."""
        self.revive(entry)
        if self._entries.get(entry.name) is entry:
            del self._entries[entry.name]

    def leave(self, entry: Entry) -> None:
        """Forget a task that has ended; a named one stays, so that adding it again does not start it again.

        When too many are kept, the one that ended first is forgotten. The scheduler's thread must not wait here, so
        while another one holds the lock, this is left to the next task that ends.
        """
        if entry.task._name is None:
            self._entries.pop(entry.name, None)
        elif self._entries.get(entry.name) is entry:
            self.revive(entry)
            self._ended[entry] = None
            if len(self._ended) > MOST_ENDED and self.lock.acquire(blocking=False):
                try:
                    self._forget()
                finally:
                    self.lock.release()

    def revive(self, entry: Entry) -> None:
        """Keep a task that may go on, however many others end."""
        self._ended.pop(entry, None)

    def _forget(self) -> None:
        while len(self._ended) > MOST_ENDED:
            oldest = next(iter(self._ended))
            self.revive(oldest)
            if has_ended(oldest.rule, oldest.state):  # else it was replaced
                self.free(oldest)

    def find(self, name: object) -> Entry | None:
        return self._entries.get(str.__str__(name)) if isinstance(name, str) else None

    def late(self, reading: Reading, by: int) -> list[tuple[int, str]]:
        due = ((one, at) for one in self if (at := due_at(one.rule, one.state)) is not None)
        lags = [(lag, one.name) for one, at in due if (lag := one.rule.now(reading) - at) > by]
        return sorted(lags, key=lambda lag: -lag[0])

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def __len__(self) -> int:
        return len(self._entries)


def equal(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - an argument whose == raises, or gives no truth value: they differ
        return False


def refuse_name(known: BackgroundTask[..., Any], task: BackgroundTask[..., Any]) -> NoReturn:
    fields = [name for name in ("func", "schedule", "policy") if getattr(known, name) != getattr(task, name)]
    if "func" not in fields:
        canonical = task._known.canonical
        if not equal(canonical(known._args, known._kwargs), canonical(task._args, task._kwargs)):
            fields.append("arguments")
    message = "the name {name} is in use by a task with another {fields}; write replace(task), or choose another name"
    refuse("add_task", "name_in_use", message, at=("name",), name=repr(task.name), fields=" and ".join(fields))
