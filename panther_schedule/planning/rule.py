"""The rule of a task: its schedule compiled and its policy in integers, all that planning needs to know of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple, assert_never
from zoneinfo import ZoneInfo

from ..clock import MICROSECOND, Reading
from ..models.policy import CATCH_UP_LIMIT, CATCH_UP_WINDOW, DEFAULT_POLICY, MOST_QUEUED, Missed, Overlap, Policy, Retry
from ..models.schedules import Once, Repeat, Schedule
from ..occurrences.compiler import compile_schedule
from ..occurrences.evaluators import Evaluator
from ..occurrences.jitter import spread
from .records import State


class Terms(NamedTuple):
    """A task's policy in integers; a task with the default policy has none."""

    overlap: Overlap
    most: int
    """The most runs at a time (allow), or waiting (queue_one, queue_all)."""
    missed: Missed
    tolerance: int
    """How late an occurrence may be and still run: the grace (skip), the window (catch_up), or without end."""
    most_late: int
    """The most late occurrences that run after an outage (catch_up)."""
    retry: Retry | None
    timeout: int | None
    jitter: int
    key: str
    """What tells the jitter of tasks apart; empty where there is none."""


class Rule(NamedTuple):
    """What planning needs to know of a task."""

    occurrences: Evaluator
    n: int
    """How many runs; -1 is for ever."""
    once: bool
    """A `Once`: its one occurrence waits while the task is paused."""
    back_to_back: bool
    """A repeat without a wait: the next run starts when the one before has ended."""
    on_wall: bool
    """Which of a reading's two times it follows."""
    terms: Terms | None = None

    def now(self, reading: Reading) -> int:
        """Return the time it follows."""
        return reading.wall if self.on_wall else reading.steady


_EVER: Final = 1 << 62  # microseconds, longer than the years 1 to 9999
DEFAULT_TERMS: Final = Terms("skip", 0, "coalesce", _EVER, CATCH_UP_LIMIT, None, None, 0, "")
"""What holds where no terms are said."""


@lru_cache(maxsize=4096)
def rule_of(schedule: Schedule, zone: ZoneInfo) -> Rule:
    """Compile a schedule, once for all equal ones; `zone` counts where it names none."""
    back_to_back = isinstance(schedule, Repeat) and not schedule.wait
    once = isinstance(schedule, Once)
    return Rule(compile_schedule(schedule, zone), schedule.run_count, once, back_to_back, schedule.on_wall)


def under(rule: Rule, policy: Policy, key: Callable[[], str]) -> Rule:
    """Return the rule under a policy; `key` says what tells the jitter of tasks apart, where there is any."""
    terms = terms_of(policy)
    if terms is not None and (terms.jitter or (terms.retry is not None and terms.retry.jitter)):
        terms = terms._replace(key=key())
    return rule if terms is None else rule._replace(terms=terms)


@lru_cache(maxsize=1024)
def terms_of(policy: Policy) -> Terms | None:
    """Return a policy in integers, once for all equal ones; None for the default policy."""
    if policy == DEFAULT_POLICY:
        return None
    return Terms(
        policy.overlap,
        _most(policy),
        policy.missed,
        _tolerance(policy),
        policy.catch_up_limit or CATCH_UP_LIMIT,
        policy.retry,
        None if policy.timeout is None else policy.timeout // MICROSECOND,
        policy.jitter // MICROSECOND,
        "",
    )


def _tolerance(policy: Policy) -> int:
    match policy.missed:
        case "coalesce":
            return _EVER
        case "skip":
            return (policy.grace or MICROSECOND) // MICROSECOND
        case "catch_up":
            return (policy.catch_up_window or CATCH_UP_WINDOW) // MICROSECOND
        case _:
            assert_never(policy.missed)


def _most(policy: Policy) -> int:
    match policy.overlap:
        case "skip":
            return 0
        case "queue_one" | "cancel_running":
            return 1
        case "queue_all":
            return MOST_QUEUED
        case "allow":
            return policy.max_running or MOST_QUEUED
        case _:
            assert_never(policy.overlap)


def due_at(rule: Rule, state: State) -> int | None:
    """Return when the next occurrence is due, jitter added; None when there is none, and in a pause."""
    at = state.next_at
    if at is None or state.held.paused is not None:
        return None
    return at if rule.terms is None else jittered(rule, rule.terms, at, state.anchor)


def jittered(rule: Rule, terms: Terms, at: int, anchor: int) -> int:
    """Return when an occurrence is due: later than it by its jitter, and before the next one."""
    if not terms.jitter:
        return at
    following = rule.occurrences.next_after(at, anchor)
    room = terms.jitter if following is None else min(terms.jitter, following - at)
    return at + spread(terms.key, at, room)
