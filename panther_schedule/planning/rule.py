"""The rule of a task: its schedule compiled and its policy in integers, all the machine needs to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from ..clock import MICROSECOND, Reading
from ..models.policy import CATCH_UP_LIMIT, CATCH_UP_WINDOW, MOST_QUEUED, Missed, OnLost, Overlap, Policy, Retry
from ..models.schedules import ONCE, Once, Repeat, Schedule
from ..occurrences.compiler import UTC_ZONE, compile_schedule, zone_for
from ..occurrences.evaluators import Evaluator
from ..occurrences.queries import spread
from ..occurrences.zones import LAST
from .state import State

_EVER: Final = 1 << 62  # microseconds, longer than the years 1 to 9999


@dataclass(frozen=True, slots=True)
class Terms:
    """A task's policy in integers."""

    overlap: Overlap = "skip"
    most: int = 0  # runs at a time (allow), or waiting (queue_one, queue_all)
    missed: Missed = "coalesce"
    tolerance: int = _EVER  # how late an occurrence may be and still run: the grace (skip), the window (catch_up)
    most_late: int = CATCH_UP_LIMIT  # late occurrences that run after an outage (catch_up)
    retry: Retry | None = None
    timeout: int | None = None
    jitter: int = 0
    on_lost: OnLost = "again"
    key: str = ""  # tells the jitter of one task from another's; empty where there is none


DEFAULT_TERMS: Final = Terms()


@dataclass(frozen=True, slots=True)
class Rule:
    """What the machine needs to know of a task."""

    occurrences: Evaluator
    n: int  # how many runs; -1 is for ever
    once: bool  # a `Once`: its one occurrence waits while the task is paused
    wait_from_end: int | None  # from the end of a run to the next, where there is no grid; zero is back to back
    on_wall: bool  # it follows the wall clock, else steady time
    terms: Terms = DEFAULT_TERMS
    later: int = 0  # by how much its first occurrence comes after the moment at which it was added

    @property
    def endless(self) -> bool:
        return self.n == -1

    @property
    def busy(self) -> bool:
        """It keeps a worker busy for ever, as a repeat without end and without a wait does."""
        return self.n == -1 and self.wait_from_end == 0

    def now(self, reading: Reading) -> int:
        return reading.wall if self.on_wall else reading.steady


Plan: TypeAlias = tuple[Rule, State, int]  # what is to come of a task, and how far the wall is ahead of its clock

_ONE: Final = compile_schedule(ONCE, UTC_ZONE)
_AT_ONCE: Final = Rule(_ONE, 1, once=True, wait_from_end=None, on_wall=False)
_AT_A_MOMENT: Final = Rule(_ONE, 1, once=True, wait_from_end=None, on_wall=True)


def rule_of(schedule: Schedule, zone: ZoneInfo | None = None) -> Rule:
    """Compile a schedule; `zone`, or else the machine's, counts where it names none."""
    if isinstance(schedule, Once):  # its moment or delay is in the anchor, so all of them share a rule
        return _AT_ONCE if schedule.at is None else _AT_A_MOMENT
    return _compiled(schedule, zone or zone_for(schedule))


@lru_cache(maxsize=4096)
def _compiled(schedule: Schedule, zone: ZoneInfo) -> Rule:
    occurrences, n = compile_schedule(schedule, zone), schedule.run_count
    if not isinstance(schedule, Repeat):
        return Rule(occurrences, n, once=False, wait_from_end=None, on_wall=True)
    wait, later = None if schedule.has_grid else schedule.wait // MICROSECOND, schedule.after // MICROSECOND
    return Rule(occurrences, n, once=False, wait_from_end=wait, on_wall=False, later=later)


def clear_caches() -> None:
    """Forget every rule, as is needed after new time zone data was read."""
    _compiled.cache_clear()


def under(rule: Rule, policy: Policy, key: Callable[[], str]) -> Rule:
    """Return the rule under a policy; `key` is asked for only where there is jitter."""
    terms = _terms_of(policy)
    if terms.jitter or (terms.retry is not None and terms.retry.jitter):
        terms = replace(terms, key=key())
    return replace(rule, terms=terms)


@lru_cache(maxsize=1024)
def _terms_of(policy: Policy) -> Terms:
    """Return a policy in integers, once for all equal ones."""
    most = {"queue_one": 1, "cancel_running": 1, "queue_all": MOST_QUEUED, "allow": policy.max_running or MOST_QUEUED}
    tolerance = {"skip": policy.grace, "catch_up": policy.catch_up_window or CATCH_UP_WINDOW}.get(policy.missed)
    return Terms(
        overlap=policy.overlap,
        most=most.get(policy.overlap, 0),
        missed=policy.missed,
        tolerance=_EVER if tolerance is None else tolerance // MICROSECOND,
        most_late=policy.catch_up_limit or CATCH_UP_LIMIT,
        retry=policy.retry,
        timeout=None if policy.timeout is None else policy.timeout // MICROSECOND,
        jitter=policy.jitter // MICROSECOND,
        on_lost=policy.on_lost,
    )


def due_at(rule: Rule, state: State) -> int | None:
    """Return when the next occurrence is due, jitter added; None when there is none, and in a pause."""
    at = state.next_at
    return None if at is None or state.held.paused is not None else jittered(rule, at, state.anchor)


def jittered(rule: Rule, at: int, anchor: int) -> int:
    """Return when an occurrence is due: later than it by its jitter, and before the next one."""
    terms = rule.terms
    if not terms.jitter:
        return at
    following = rule.occurrences.next_after(at, anchor)
    room = (LAST if following is None else following) - at
    return at + spread(terms.key, at, min(terms.jitter, room))
