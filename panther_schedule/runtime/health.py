"""`scheduler.health()`: whether the scheduler keeps up, seen from outside its thread."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ..clock import MICROSECOND, SECOND, moment
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
    unregistered: tuple[str, ...] = ()
    """Stored tasks that can't run here, since their functions are not registered."""


def health_of(life: Life | None, events_dropped: int) -> Health:
    """Look at a scheduler without asking its thread, which may be stuck."""
    if life is None:
        return Health(False, None, (), timedelta(0), 0, events_dropped)
    late = life.names.late(life.clock.read(), _OVERDUE)
    return Health(
        alive=life.driver.is_alive(),
        last_turn_at=moment(life.loop.reading.wall),
        overdue=tuple(name for _late, name in late),
        lag=MICROSECOND * late[0][0] if late else timedelta(0),
        waiting=life.workers.waiting(),
        events_dropped=events_dropped,
        unregistered=() if life.shared is None else tuple(life.shared.unregistered()),
    )
