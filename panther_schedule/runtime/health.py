"""`scheduler.health()`: whether the scheduler gets along, told from outside its thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..clock import MICROSECOND, SECOND, moment
from ..planning.rule import due_at
from .entries import Entry
from .loop import Loop

_OVERDUE = SECOND  # a task that is due and not planned for longer than this


@dataclass(frozen=True, slots=True)
class Health:
    """How a scheduler gets along at one moment."""

    alive: bool
    """Its thread runs; on a virtual clock, it is attached to the clock."""
    tasks: int
    """Tasks that have neither ended nor been cancelled."""
    in_flight: int
    """Runs that were handed over and have no outcome yet."""
    workers: int
    """Threads for sync functions that were started."""
    max_workers: int
    """The most there may be."""
    busy: int
    """Workers that run a function."""
    waiting: int
    """Runs that wait for a worker."""
    overdue: tuple[str, ...]
    """Tasks that have been due for more than a second and were not looked at, the longest due first."""
    lag: timedelta
    """For how long the first of them has been due; zero when none is."""
    last_turn_at: datetime | None
    """When the thread last looked at its tasks, by wall time, aware, in UTC; at least once a second if all is well.

    None before the start.
    """
    since_last_turn: timedelta
    """The time since then."""
    events_dropped: int
    """Events that listeners were not told, because they were too slow."""


def health_of(loop: Loop, entries: Sequence[Entry], *, started: bool) -> Health:
    """Look at a scheduler without asking its thread, which may be stuck."""
    now, workers = loop.clock.read(), loop.workers
    late: list[tuple[int, Entry]] = []
    for entry in entries:
        due = due_at(entry.rule, entry.state)  # its place in the timetable is empty while the thread looks at it
        if due is not None and entry.rule.now(now) - due > _OVERDUE:
            late.append((entry.rule.now(now) - due, entry))
    late.sort(key=lambda one: -one[0])
    last = loop.reading
    occupied = workers.occupied
    threads = workers.threads or occupied  # on a virtual clock there is no thread, and none is waited for
    return Health(
        alive=loop.alive,
        tasks=sum(not entry.ended for entry in entries),
        in_flight=len(loop.store.in_flight),
        workers=workers.threads,
        max_workers=workers.max,
        busy=min(occupied, threads),
        waiting=max(0, occupied - threads),
        overdue=tuple(entry.name for _late, entry in late),
        lag=MICROSECOND * late[0][0] if late else timedelta(0),
        last_turn_at=moment(last.wall) if started else None,
        since_last_turn=MICROSECOND * (now.steady - last.steady),
        events_dropped=loop.listeners.dropped,
    )


def counts_in(loop: Loop, entries: Sequence[Entry]) -> dict[str, int]:
    """Return what became of all due occurrences; runs that go on or wait for the one before are in flight."""
    known = {*entries, *(flight.entry for flight in tuple(loop.store.in_flight))}
    in_flight = sum(entry.state.running + len(entry.state.held.waiting) for entry in known)
    return {**loop.store.ledger.counts, "in_flight": in_flight}
