"""What planning remembers of a task, and what it answers: the state, and the step that leads to the next one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from .records import Passed, Run

Stopped: TypeAlias = Literal["", "dropped", "finishing", "cancelled"]
Asks: TypeAlias = Literal["", "scheduled", "queued", "all"]


class Held(NamedTuple):
    """Why runs are delayed; usually empty."""

    waiting: tuple[int, ...] = ()  # occurrences that wait for a run to end, oldest first
    catching_up: bool = False  # the waiting ones are late: whatever comes waits behind them
    lingering: int = 0  # functions that go on after the run timed out
    paused: str | None = None  # the reason given to `pause()`
    older: int = 0  # how many of the waiting ones belong to the schedule before the last `replace()`
    released: bool = False  # a `Once` that was paused when it was due runs, however late
    stopped: Stopped = ""  # no further occurrence starts; if finishing, no other run; if cancelled, no attempt
    backfilling: int = 0  # backfill runs that have not ended; one of them at a time is active
    failures: int = 0  # consecutive failures of a back-to-back task


NOTHING_HELD: Final = Held()


class State(NamedTuple):
    """All that the next decision about a task depends on, besides its rule and the run that an event is about."""

    anchor: int  # when the task was added, or later by `after`, or the one moment of a `Once`
    cursor: int | None  # the last occurrence that was decided about
    next_at: int | None  # the next occurrence to decide about
    handed: int = 0  # scheduled runs handed over so far, of `n`
    running: int = 0  # scheduled runs without an outcome
    latest: int | None = None  # the occurrence of the latest scheduled run, as its record shows it
    held: Held = NOTHING_HELD
    task: str = ""  # the task's name


class Step(NamedTuple):
    """What an event makes of a task; it is kept as a whole or not at all."""

    state: State
    run: Run | None = None  # the event's run from now on; None once it is over
    record: Run | None = None  # the event's run with its outcome
    starts: tuple[Run, ...] = ()  # runs that are in flight from now on
    passed: tuple[Passed, ...] = ()  # occurrences that do not become runs
    given_up: tuple[Run, ...] = ()  # waiting runs that never start, with their outcome
    asks: Asks = ""  # which other runs of the task to ask to end
    next_queued: bool = False  # wake the first queued run of the task
    hand_over: bool = False  # hand the event's run over: it was queued or resting
    ended: bool = False  # from now on no scheduled run is active and none will start
    retry_in: int | None = None  # an attempt ended, and the next one follows after this many microseconds
    interrupts: bool = False  # ask the function of the event's run to end; twice would cut its cleanup short


def with_held(state: State, **changes: Any) -> State:
    """Return the state with other holds."""
    held = state.held._replace(**changes)
    if not held.waiting:
        held = held._replace(catching_up=False, older=0)
    return state._replace(held=NOTHING_HELD if held == NOTHING_HELD else held)


def shown(step: Step, offset: int) -> Step:
    """Fix the offset of what a step makes, where steady time and the wall have come apart."""
    state, starts = step.state, step.starts
    if starts and starts[-1].cause == "schedule":  # others have theirs
        starts = tuple(run._replace(offset=offset) for run in starts)
        state = state._replace(latest=starts[-1].at + offset)
    passed = tuple(replace(each, offset=offset) for each in step.passed)
    given_up = tuple(
        run._replace(offset=offset, attempts=tuple(attempt._replace(offset=offset) for attempt in run.attempts))
        for run in step.given_up
    )
    return step._replace(state=state, starts=starts, passed=passed, given_up=given_up)
