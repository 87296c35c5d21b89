"""The rule of a task: its schedule compiled and its policy in integers, all that planning needs to know of it."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple, assert_never
from zoneinfo import ZoneInfo

from .clock import MICROSECOND, Reading
from .jitter import spread
from .occurrences import Evaluator
from .occurrences import compile as compile_schedule
from .policies import CATCH_UP_LIMIT, CATCH_UP_WINDOW, DEFAULT_POLICY, MOST_QUEUED, Missed, Overlap, Policy, Retry
from .runs import State
from .schedules import Once, Repeat, Schedule


class Terms(NamedTuple):
    """A task's policy in integers; a task with the default policy has none."""

    overlap: Overlap
    most: int
    """The most runs at a time (allow), or waiting (queue_one, queue_all)."""
    missed: Missed
    grace: int
    """How late an occurrence may be and still run (skip)."""
    most_late: int
    """The most late occurrences that run after an outage (catch_up)."""
    window: int
    """How old the oldest of them may be (catch_up)."""
    retry: Retry | None
    timeout: int | None
    jitter: int
    key: str
    """What tells the jitter of tasks apart."""


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


DEFAULT_TERMS: Final = Terms("skip", 0, "coalesce", 1, CATCH_UP_LIMIT, 1, None, None, 0, "")
"""What holds where no terms are said."""


@lru_cache(maxsize=4096)
def rule_of(schedule: Schedule, zone: ZoneInfo) -> Rule:
    """Compile a schedule, once for all equal ones; `zone` counts where it names none."""
    back_to_back = isinstance(schedule, Repeat) and not schedule.wait
    once = isinstance(schedule, Once)
    return Rule(compile_schedule(schedule, zone), schedule.run_count, once, back_to_back, schedule.on_wall)


def under(rule: Rule, policy: Policy, key: str) -> Rule:
    """Return the rule under a policy; `key` tells the jitter of tasks apart."""
    if policy == DEFAULT_POLICY:
        return rule
    return rule._replace(
        terms=Terms(
            policy.overlap,
            _most(policy),
            policy.missed,
            (policy.grace or MICROSECOND) // MICROSECOND,
            policy.catch_up_limit or CATCH_UP_LIMIT,
            (policy.catch_up_window or CATCH_UP_WINDOW) // MICROSECOND,
            policy.retry,
            None if policy.timeout is None else policy.timeout // MICROSECOND,
            policy.jitter // MICROSECOND,
            key,
        )
    )


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
