"""What keeps the tasks of a scheduler: the contract of a store, and of one that outlives the scheduler."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ..clock import Clock, Reading
from ..errors import refuse, refuse_value, type_name
from ..planning.rule import Rule
from ..planning.state import Step
from ..tasks.registry import TaskRegistry
from ..tasks.task import BackgroundTask
from .entries import Entry, Flight
from .plans import Plan


class Store(Protocol):
    """What keeps the tasks of a scheduler. It decides nothing, and a method that raises has changed nothing."""

    in_flight: Collection[Flight]
    """The runs without an outcome, oldest first; of a shared store, those of this scheduler."""

    def add(self, entry: Entry, reading: Reading) -> None:
        """Keep a new task."""

    def save(
        self, entry: Entry, flight: Flight | None, step: Step, starts: Sequence[Flight] = (), rule: Rule | None = None
    ) -> None:
        """Keep all that a step says about a task, the event's run and the runs that start, or none of it.

        With another rule, keep that too, and the task that the entry has by now.
        """

    def flights(self, entry: Entry) -> list[Flight]:
        """Find the runs of a task that have no outcome, oldest first."""
        ...

    def first_queued(self, entry: Entry) -> Flight | None:
        """Find the first queued run of a task."""

    def due(self, reading: Reading, limit: int) -> list[Entry]:
        """Take out tasks that are due, about `limit` of them; a step about each follows."""
        ...

    def timers(self, reading: Reading) -> list[Flight]:
        """Take out the runs whose `wake_at` has come; a step about each follows."""
        ...

    def until_next(self, reading: Reading) -> int | None:
        """Return the microseconds until the next task or timer is due; None when nothing is left to do."""


class SharedStore(Store, Protocol):
    """A store that outlives the scheduler and is shared with other processes. It goes by the wall clock alone.

    Unless said otherwise, its methods are called within a `turn()`.
    """

    def turn(self, reading: Reading, room: int | None) -> AbstractContextManager[None]:
        """Keep all that is saved meanwhile, or none of it.

        `room` is how many more sync runs can start here; with None, nothing starts here.

        Raises:
            StoreError: nothing was kept.
        """
        ...

    def lost(self) -> Iterable[Flight]:
        """Take out the runs of processes that died, or were silent for too long; a step about each follows."""
        ...

    def own(self) -> Iterable[Flight]:
        """List the runs of this scheduler, also those whose functions go on after a timeout."""
        ...

    def asked(self) -> Iterable[Flight]:
        """Find the runs of this scheduler that others have asked to end since the last turn."""
        ...

    def note(self, kind: type, details: tuple[Any, ...]) -> None:
        """Leave an event for the listeners of others."""

    def news(self, *, listens: bool) -> Iterable[tuple[type, tuple[Any, ...]]]:
        """Find the events of others since the last turn: the class and the fields of each; none if nobody `listens`."""
        ...

    def ahead_of(self, reading: Reading) -> Iterable[Entry]:
        """Find the tasks that a clock which was ahead may have carried along."""
        ...

    def is_idle(self) -> bool:
        """Tell, at any time, whether every task has ended and no run is in flight."""
        ...

    def counts(self) -> dict[str, int]:
        """Count, at any time, what happened to all due occurrences, and those in flight."""
        ...

    def unregistered(self) -> Sequence[str]:
        """List, at any time, the tasks whose functions are not registered here."""
        ...

    def close(self) -> None:
        """Leave the store to others; not in a turn."""


class Host(Protocol):
    """The life of a scheduler, as intake and a shared store need it."""

    clock: Clock
    engine: Any
    in_real_time: bool

    def post(self, message: Any) -> None: ...
    def send(self, command: Callable[[Reading], object]) -> Callable[[], None]: ...  # which waits for it
    def call(self, command: Callable[[Reading], Any]) -> Any: ...  # in a turn of a shared store
    def prepare_coroutines(self) -> None: ...  # their event loop, which will be needed


class Names(Protocol):
    """The tasks of a scheduler by name."""

    lock: RLock

    def find(self, name: object) -> Entry | None: ...
    def free(self, entry: Entry) -> None: ...  # let another task have the name
    def leave(self, entry: Entry) -> None: ...  # the task has ended
    def late(self, reading: Reading, by: int) -> list[tuple[int, str]]: ...  # due for longer: how long, and the name
    def __iter__(self) -> Iterator[Entry]: ...
    def __len__(self) -> int: ...


class Intake(Protocol):
    """How tasks come into a scheduler."""

    def add(self, task: BackgroundTask[..., Any]) -> Entry: ...
    def add_all(self, tasks: Sequence[BackgroundTask[..., Any]]) -> list[Entry]: ...
    def replace(self, task: BackgroundTask[..., Any]) -> Entry: ...
    def reload(self) -> None: ...  # after new time zone data was read


class Opened(NamedTuple):
    """The parts of a store that a scheduler has opened."""

    store: SharedStore
    names: Names
    intake: Intake
    reconcile: Callable[[Sequence[BackgroundTask[..., Any]], str, bool], Plan]  # of a source; with False, only tells


@runtime_checkable
class Keeper(Protocol):
    """What keeps the tasks of any number of schedulers, one after the other or at the same time."""

    def _open(self, host: Host, registry: TaskRegistry, lock: RLock) -> Opened: ...
    def _in(self, folder: Path) -> Keeper: ...  # an empty one of the same kind


def check_registry(store: object, registry: object) -> TaskRegistry:
    """Return the functions that a store may name; refuse a store without them, and them without a store."""
    if store is not None and not isinstance(store, Keeper):
        refuse_value("Scheduler", "store_type", "store", "a store", type_name(store), 'write SQLiteStore("tasks.db")')
    if store is not None and not isinstance(registry, TaskRegistry):
        got, remedy = type_name(registry), "write registry=tasks, of the functions that the store may name"
        refuse_value("Scheduler", "registry_type", "registry", "a TaskRegistry", got, remedy)
    if store is None and registry is not None:
        message = "a registry is for a store; leave it out, or write store=SQLiteStore({path})"
        refuse("Scheduler", "registry_without_store", message, at=("registry",), path='"tasks.db"')
    return registry if isinstance(registry, TaskRegistry) else TaskRegistry()
