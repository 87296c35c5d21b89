"""`scheduler.health()`: whether the scheduler keeps up, seen from outside its thread."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ..clock import MICROSECOND, SECOND, moment
from ..planning.rule import due_at
from .entries import Entry
from .life import Life

_OVERDUE: Final = SECOND  # a task that is due and not planned for longer than this


@dataclass(frozen=True, slots=True)
class Health:
    """The state of a scheduler at one moment."""

    alive: bool
    """Its thread runs; on a virtual clock, the clock drives it."""
    last_turn_at: datetime | None
    """When it last looked at its tasks, by wall time, aware, in UTC: at least once a second if all is well.

    None before the start.
    """
    overdue: tuple[str, ...]
    """Tasks that have been due for more than a second and were not looked at, the longest due first."""
    lag: timedelta
    """How long the first of them has been due; zero when none is."""
    waiting: int
    """Runs that wait for a worker."""
    events_dropped: int
    """Events that listeners were not told, because they were too slow."""


def health_of(life: Life | None, entries: Iterable[Entry], events_dropped: int) -> Health:
    """Look at a scheduler without asking its thread, which may be stuck."""
    if life is None:
        return Health(False, None, (), timedelta(0), 0, events_dropped)
    now = life.clock.read()
    lags = [(one.rule.now(now) - at, one.name) for one in entries if (at := due_at(one.rule, one.state)) is not None]
    late = sorted((lag for lag in lags if lag[0] > _OVERDUE), key=lambda lag: -lag[0])
    return Health(
        alive=life.driver.is_alive(),
        last_turn_at=moment(life.loop.reading.wall),
        overdue=tuple(name for _late, name in late),
        lag=MICROSECOND * late[0][0] if late else timedelta(0),
        waiting=life.workers.waiting(),
        events_dropped=events_dropped,
    )
