"""The pure core: what is due now, and what becomes of it.

`plan` decides about the occurrences that are due, `settle` about a run that ended. Both get everything as values
and return everything as values: they know no clock, no store, no thread and no function.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from .clock import SECOND, Reading
from .occurrences import Evaluator, begins_after
from .occurrences import compile as compile_schedule
from .runs import Outcome, PassedRecord, State
from .schedules import Repeat, Schedule

_FIRST_RETRY: Final = SECOND
_LONGEST_RETRY: Final = 60 * SECOND
_TRUSTED: Final = 24 * 3600 * SECOND


class Rule(NamedTuple):
    """What planning needs to know of a task."""

    occurrences: Evaluator
    n: int
    """How many runs; -1 is for ever."""
    back_to_back: bool
    """A repeat without a wait: the next run starts when the one before has ended."""
    on_wall: bool
    """Which of a reading's two times it follows."""

    def now(self, reading: Reading) -> int:
        """Return the time it follows."""
        return reading.wall if self.on_wall else reading.steady


class Plan(NamedTuple):
    """What to do now, and what to remember."""

    state: State
    start: int | None
    """The occurrence to run, if any."""
    passed: tuple[PassedRecord, ...]
    """The occurrences that were due and do not run."""


@lru_cache(maxsize=4096)
def rule_of(schedule: Schedule, zone: ZoneInfo) -> Rule:
    """Compile a schedule, once for all equal ones; `zone` counts where it names none."""
    back_to_back = isinstance(schedule, Repeat) and not schedule.wait
    return Rule(compile_schedule(schedule, zone), schedule.run_count, back_to_back, schedule.on_wall)


def first_state(schedule: Schedule, rule: Rule, reading: Reading) -> State | None:
    """Return the state of a task that is added now; None when its schedule has no occurrence.

    Wall-clock kinds begin with the next occurrence strictly after now; `Once` and `Repeat` with their first one,
    even when that is over.
    """
    if not rule.on_wall:
        now = reading.steady
        return State(now, None, now)
    now = reading.wall
    first = rule.occurrences.next_after(begins_after(schedule, now), now)
    return None if first is None else State(now, None, first)


def plan(rule: Rule, state: State, now: int) -> Plan:
    """Decide about all occurrences up to `now`: at most one runs, the others are recorded as passed.

    Those the scheduler came too late for are `missed`, and the latest runs in their place (coalesce). A run that
    is still going makes the latest `skipped_overlap`; `n` counts runs, so none is lost by that.
    """
    due = state.next_at
    if due is None or due > now:
        return Plan(state, None, ())
    if rule.back_to_back:
        return Plan(State(state.anchor, due, None, state.handed + 1, 1, state.failures), due, ())
    passed: tuple[PassedRecord, ...] = ()
    following = rule.occurrences.next_after(due, state.anchor)
    latest = due
    if following is not None and following <= now:
        latest, following, passed = _coalesce(rule, state, due, now)
    if state.running:
        passed += (PassedRecord("skipped_overlap", latest, latest, 1),)
        return Plan(State(state.anchor, latest, following, state.handed, state.running), None, passed)
    handed = state.handed + 1
    if handed == rule.n:
        following = None
    return Plan(State(state.anchor, latest, following, handed, 1), latest, passed)


def _coalesce(rule: Rule, state: State, due: int, now: int) -> tuple[int, int | None, tuple[PassedRecord, ...]]:
    """Return the latest occurrence up to now, the one after it, and the record of those before it."""
    occurrences, anchor = rule.occurrences, state.anchor
    latest = occurrences.latest(now, anchor)
    assert latest is not None  # noqa: S101 - `due` itself is one
    last_missed = occurrences.latest(latest - 1, anchor)
    assert last_missed is not None  # noqa: S101 - `due` lies before `latest`
    count = occurrences.count(due - 1, last_missed, anchor)
    following = occurrences.next_after(latest, anchor)
    return latest, following, (PassedRecord("missed", due, last_missed, count),)


def settle(rule: Rule, state: State, outcome: Outcome, finished_at: int) -> State:
    """Return the state after a run ended at `finished_at`, which names the next run of a back-to-back task."""
    next_at, failures = state.next_at, 0
    if rule.back_to_back and state.handed != rule.n:
        next_at = finished_at if state.cursor is None else max(finished_at, state.cursor + 1)
        if outcome != "succeeded":
            next_at += min(_FIRST_RETRY << min(state.failures, 6), _LONGEST_RETRY)
            failures = state.failures + 1
    return State(state.anchor, state.cursor, next_at, state.handed, state.running - 1, failures)


def continues(rule: Rule, state: State) -> bool:
    """Tell whether an occurrence is to come, now or when the run before has ended."""
    return state.next_at is not None or (rule.back_to_back and state.handed != rule.n)


def drains(rule: Rule) -> bool:
    """Tell whether a drain lets a task go on with what is not due yet: a back-to-back one that has an end."""
    return rule.back_to_back and rule.n != -1


def extended(rule: Rule, state: State, latest: object, passed: PassedRecord) -> PassedRecord | None:
    """Return the latest record lengthened by occurrences that follow it for the same reason; None if they don't."""
    if not isinstance(latest, PassedRecord) or latest.reason != passed.reason:
        return None
    if rule.occurrences.next_after(latest.last, state.anchor) != passed.first:
        return None  # a run that is still going lies between them
    return PassedRecord(passed.reason, latest.first, passed.last, latest.number + passed.number)


def has_ended(state: State) -> bool:
    """Tell whether nothing is left to run and nothing runs."""
    return state.next_at is None and not state.running


def after_step_back(rule: Rule, state: State, now: int) -> State:
    """Return the state of a wall-clock task after the wall clock was set back to `now`.

    What ran does not run again, so nothing changes within a day. A clock that was more than 24 hours ahead was
    wrong: the task goes on with its next occurrence by the new time.
    """
    covered = state.anchor if state.cursor is None else state.cursor
    following = rule.occurrences.next_after(now, now)
    if covered - now <= _TRUSTED or state.next_at is None or following is None:
        return state
    return state._replace(anchor=now, cursor=None, next_at=following)
