"""What a task's name and policy must be.

`at` is the path of the faults; it is empty in a validator of pydantic's, which adds the field itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

from ..errors import fault, refusal, refuse_value, type_name
from ..models.fields import shown
from ..models.policy import DEFAULT_POLICY, Policy, merged
from ..models.schedules import AnySchedule, Repeat


def check_name(name: object, at: tuple[str, ...] = ("name",)) -> str:
    """Return a task's name; refuse what is not a str, or is blank (`task_name`)."""
    if not isinstance(name, str) or not name.strip():
        got = repr(name) if isinstance(name, str) else type_name(name)
        refuse_value("with_name", "task_name", "name", "a str that is not blank", got, "write 'digest'", at=at)
    if not is_text(name):
        rule = "a str without lone surrogates"
        refuse_value("with_name", "task_name", "name", rule, repr(name), "write 'digest'", at=at)
    return str.__str__(name)  # without its subclass, as that of an enum


def is_text(value: str) -> bool:
    """Tell whether a str can be written as UTF-8, which no file or JSON can do without."""
    return not any("\ud800" <= each <= "\udfff" for each in value)


def check_policy(schedule: AnySchedule, policy: Policy, at: tuple[str, ...] = ("policy",)) -> None:
    """Refuse what a repeat without a grid can't have: its runs never overlap, and none has a time to be moved from."""
    if not isinstance(schedule, Repeat) or schedule.has_grid or schedule.n == 1:
        return
    kind, which, starts = "without_wait", "without a wait", "starts when the run before has ended"
    remedy = "add interval_wait()"
    if schedule.wait:
        kind, which, starts = "from_end", "measured from the end", "waits from the end of the run before"
        remedy = "write measured_from='start'"
    rules: dict[LiteralString, str] = {
        "overlap": f"'skip' for a repeat {which}, whose runs never overlap",
        "jitter": f"zero for a repeat {which}, which {starts}",
    }
    message = "{field} must be {rule}, got {got}; {remedy}, or leave out {field}"
    faults = [
        fault(f"{field}_{kind}", message, at=(*at, field), field=field, rule=rule, got=shown(got), remedy=remedy)
        for field, rule in rules.items()
        if (got := getattr(policy, field)) != getattr(DEFAULT_POLICY, field)
    ]
    if faults:
        raise refusal("with_policy", faults)


def changed_policy(policy: Policy, given: object, fields: Mapping[str, object]) -> Policy:
    """Return a task's policy with what with_policy() was given; refuse what is not a policy, and None for a field."""
    if not isinstance(given, Policy):
        remedy = "write with_policy(Policy(...)) or with_policy(timeout=...)"
        refuse_value("with_policy", "policy_type", "policy", "a Policy", type_name(given), remedy)
    message = "{field} must have a value, got None; leave it out, or clear it with with_policy(Policy({field}=None))"
    optional = {name for name, field in Policy.model_fields.items() if field.default is None}
    cleared = [name for name, value in fields.items() if value is None and name in optional]
    if faults := [fault("policy_none", message, at=("policy", name), field=name) for name in cleared]:
        raise refusal("with_policy", faults)
    if policy is DEFAULT_POLICY and not fields:
        return given  # shared by all tasks it is given to
    return merged(policy, given._given(), fields)
