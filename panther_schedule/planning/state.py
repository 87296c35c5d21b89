"""What planning remembers of a task, and what it answers: the state, and the step that leads to the next one."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

from .records import Passed, Run

Stopped: TypeAlias = Literal["", "dropped", "cancelled"]
Asks: TypeAlias = Literal["", "scheduled", "all"]


class Held(NamedTuple):
    """Why runs are delayed; usually empty."""

    waiting: tuple[int, ...] = ()
    """Occurrences that wait for a run to end, oldest first."""
    catching_up: bool = False
    """The waiting ones are late: whatever comes waits behind them."""
    lingering: int = 0
    """Functions that go on after the run timed out."""
    paused: str | None = None
    """The reason given to `pause()`."""
    older: int = 0
    """How many of the waiting ones belong to the schedule before the last `replace()`."""
    released: bool = False
    """A `Once` that was paused when it was due runs, however late."""
    stopped: Stopped = ""
    """No further occurrence starts; if cancelled, no further attempt either."""
    backfilling: int = 0
    """Backfill runs that have not ended; one of them at a time is active."""
    failures: int = 0
    """Consecutive failures of a back-to-back task."""


NOTHING_HELD: Final = Held()


class State(NamedTuple):
    """All that the next decision about a task depends on, besides its rule and the run that an event is about."""

    anchor: int
    """When the task was added, or the one moment of a `Once`."""
    cursor: int | None
    """The last occurrence that was decided about."""
    next_at: int | None
    """The next occurrence to decide about."""
    handed: int = 0
    """Scheduled runs handed over so far, of `n`."""
    running: int = 0
    """Scheduled runs without an outcome."""
    latest: int | None = None
    """The occurrence of the latest scheduled run."""
    held: Held = NOTHING_HELD
    task: str = ""
    """The task's name."""


class Step(NamedTuple):
    """What an event makes of a task, all of it or nothing."""

    state: State
    run: Run | None = None
    """The event's run from now on; None when nothing of it is left."""
    record: Run | None = None
    """The event's run with its outcome."""
    starts: tuple[Run, ...] = ()
    """Runs that are in flight from now on."""
    passed: tuple[Passed, ...] = ()
    """Occurrences that do not become runs."""
    given_up: tuple[Run, ...] = ()
    """Waiting runs that never start, with their outcome."""
    asks: Asks = ""
    """Which other runs of the task to ask for their end."""
    next_queued: bool = False
    """Wake the first queued run of the task."""
    hand_over: bool = False
    """Hand the event's run over: it was queued or resting."""
    ended: bool = False
    """From now on no scheduled run is active and none will start."""
    retry_in: int | None = None
    """An attempt ended, and the next one follows after so many microseconds."""
