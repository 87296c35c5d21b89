"""What a task's setters refuse, and in which words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from ..clock import microseconds
from ..errors import fault, refusal, type_name
from ..models.policy import DEFAULT_POLICY, Policy, merged
from ..models.schedules import SCHEDULES, AnySchedule, Repeat
from ..occurrences.queries import ever_happens


def checked_name(name: object) -> str:
    """Return a task's name; raise a `ValidationError` (`task_name`) when it is no str, or blank."""
    if isinstance(name, str) and name.strip():
        return name
    got = repr(name) if isinstance(name, str) else type_name(name)
    line = fault("task_name", "name must be a str that is not blank, got {got}; write 'digest'", at=("name",), got=got)
    raise refusal("with_name", [line])


def refuse_no_schedule(schedule: object) -> None:
    """Refuse what is none of the schedules' classes."""
    if isinstance(schedule, SCHEDULES):
        return
    line = fault(
        "schedule_type",
        "schedule must be one of {classes}, got {got}; write with_schedule(Daily(time(8, 0)))",
        at=("schedule",),
        classes=", ".join(cls.__name__ for cls in SCHEDULES),
        got=type_name(schedule),
    )
    raise refusal("with_schedule", [line])


def refuse_never(schedule: AnySchedule) -> None:
    """Refuse what only a search shows: no date is left between exclusions and bounds."""
    if ever_happens(schedule):
        return
    line = fault(
        "never_happens",
        "schedule must have an occurrence, got {got}, which never happens; exclude less, or widen its bounds",
        at=("schedule",),
        got=repr(schedule),
    )
    raise refusal("with_schedule", [line])


def refuse_policy(schedule: AnySchedule, policy: Policy) -> None:
    """Refuse what a repeat without a wait can't have: its runs never overlap, and none has a time to be moved from."""
    if not isinstance(schedule, Repeat) or schedule.wait or schedule.n == 1:
        return
    lines: list[InitErrorDetails] = []
    if policy.overlap != "skip":
        lines.append(
            fault(
                "overlap_without_wait",
                "overlap must be 'skip' for a repeat without a wait, whose runs never overlap, got {got}; "
                "add interval_wait(), or leave out overlap",
                at=("policy", "overlap"),
                got=repr(policy.overlap),
            )
        )
    if policy.jitter:
        lines.append(
            fault(
                "jitter_without_wait",
                "jitter must be zero for a repeat without a wait, which starts when the run before has ended, got "
                "{got}; add interval_wait(), or leave out jitter",
                at=("policy", "jitter"),
                got=policy.jitter,
            )
        )
    if lines:
        raise refusal("with_policy", lines)


def changed_policy(policy: Policy, given: object, fields: Mapping[str, object]) -> Policy:
    """Return a task's policy with what with_policy() was given; refuse what is no policy, and None."""
    if not isinstance(given, Policy):
        line = fault(
            "policy_type",
            "policy must be a Policy, got {got}; write with_policy(Policy(...)) or with_policy(timeout=...)",
            at=("policy",),
            got=type_name(given),
        )
        raise refusal("with_policy", [line])
    known = Policy.model_fields
    lines = [
        fault(
            "policy_none",
            "{field} must have a value, got None; leave it out to keep the task's, or write "
            "with_policy(Policy({field}=None)) to take it away",
            at=("policy", name),
            field=name,
        )
        for name, value in fields.items()
        if value is None and name in known and known[name].default is None
    ]
    if lines:
        raise refusal("with_policy", lines)
    if policy is DEFAULT_POLICY and not fields:
        return given  # shared by all tasks it is given to
    return merged(policy, given._given(), fields)


def checked_count(n: object) -> int:
    """Return how many runs to preview; refuse what is no positive int."""
    if type(n) is int and n > 0:
        return n
    line = fault(
        "preview_count", "n must be an int of at least 1, got {got}; write next_runs(5)", at=("n",), got=repr(n)
    )
    raise refusal("next_runs", [line])


def checked_instant(after: object) -> int:
    """Return an aware datetime in microseconds since 1970; refuse anything else."""
    if isinstance(after, datetime) and after.tzinfo is not None:
        return microseconds(after)
    line = fault(
        "instant",
        "after must be an aware datetime, got {got}; write datetime(2026, 12, 24, 18, 0, tzinfo=UTC)",
        at=("after",),
        got="a naive one" if isinstance(after, datetime) else type_name(after),
    )
    raise refusal("next_runs", [line])


def one_of_two(on_time: str, interval_wait: str) -> ValidationError:
    """Refuse a time of day together with a wait."""
    return _conflict(
        "{first} and {second} exclude each other, and on_time() has the higher priority; "
        "remove interval_wait(), or remove on_time() to repeat by the wait",
        on_time,
        interval_wait,
    )


def stands_alone(schedule: object, setting: str) -> ValidationError:
    """Refuse a whole schedule together with another setter."""
    return _conflict(
        "{first} and {second} exclude each other, since a schedule says it all; remove one of the two",
        f"with_schedule({schedule!r})",
        setting,
    )


def _conflict(message: LiteralString, first: str, second: str) -> ValidationError:
    return refusal("BackgroundTask", [fault("schedule_conflict", message, first=first, second=second)])
