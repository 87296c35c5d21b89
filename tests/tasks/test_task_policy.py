"""A task's policy: the setter, what it refuses, and a repeat without a wait."""

# mypy: disable-error-code="panther-schedule"

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from panther_schedule import BackgroundTask, Daily, Once, Repeat
from panther_schedule.models.policy import DEFAULT_POLICY, Policy, Retry, merged
from panther_schedule.tasks.checks import check_policy

S = timedelta(seconds=1)
M = timedelta(minutes=1)
NIGHTLY = Policy(missed="skip", grace=5 * M, retry=Retry(3))


def send_otp(name: str = "Ali") -> None: ...


task = BackgroundTask(send_otp)


def wrong(value: object) -> Any:
    return value


def refusals(act: Callable[[], object]) -> list[tuple[str, str, str]]:
    with pytest.raises(ValidationError) as caught:
        act()
    return [(fault["type"], ".".join(map(str, fault["loc"])), fault["msg"]) for fault in caught.value.errors()]


def test_with_policy_changes_field_by_field() -> None:
    assert task.policy is DEFAULT_POLICY
    made = task.with_policy(timeout=M).with_policy(NIGHTLY).with_policy(overlap="queue_one")
    assert made.policy == Policy(timeout=M, missed="skip", grace=5 * M, retry=Retry(3), overlap="queue_one")
    assert made.with_policy(NIGHTLY, timeout=S).policy.timeout == S
    assert made.with_policy(Policy(timeout=None)).policy.timeout is None  # it was given
    assert made.with_policy(Policy()).policy == made.policy
    assert made.with_policy() == made
    assert task.policy is DEFAULT_POLICY
    assert task.with_policy(NIGHTLY, missed="coalesce").policy == Policy(retry=Retry(3))


def test_what_belongs_to_a_replaced_value_goes_with_it() -> None:
    many = task.with_policy(overlap="allow", max_running=3)
    assert many.with_policy(overlap="skip") == task
    assert many.with_policy(overlap="allow") == many
    assert many.with_policy(max_running=4).policy == Policy(overlap="allow", max_running=4)
    caught = task.with_policy(missed="catch_up", catch_up_limit=3, catch_up_window=M)
    assert caught.with_policy(NIGHTLY).policy == NIGHTLY
    assert merged(NIGHTLY, {"missed": "coalesce"}) == Policy(retry=Retry(3))


@pytest.mark.parametrize("value", [None, "skip", {"overlap": "skip"}, Retry(3), Daily(time(8))])
def test_with_policy_refuses_what_is_no_policy(value: Any) -> None:
    ((kind, where, message),) = refusals(lambda: task.with_policy(value))
    assert (kind, where) == ("policy_type", "policy")
    assert message == (
        f"policy must be a Policy, got {type(value).__name__}; "
        "write with_policy(Policy(...)) or with_policy(timeout=...)"
    )


@pytest.mark.parametrize("name", ["max_running", "grace", "catch_up_limit", "catch_up_window", "retry", "timeout"])
def test_no_field_takes_none(name: str) -> None:
    assert refusals(lambda: task.with_policy(**wrong({name: None}))) == [
        (
            "policy_none",
            f"policy.{name}",
            f"{name} must have a value, got None; leave it out, or clear it with with_policy(Policy({name}=None))",
        )
    ]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"overlap": None}, "overlap"),
        ({"missed": None}, "missed"),
        ({"on_lost": None}, "on_lost"),
        ({"jitter": None}, "duration_type"),
        ({"timeout": 5}, "duration_type"),
        ({"retry": 3}, "retry_type"),
        ({"overlap": "quue_one"}, "overlap"),
        ({"max_running": 3}, "policy_conflict"),
        ({"missed": "skip"}, "missing_grace"),
        ({"jiter": M}, "extra_forbidden"),
    ],
)
def test_with_policy_refuses_as_the_model_does(fields: Any, kind: str) -> None:
    assert [fault[0] for fault in refusals(lambda: task.with_policy(**fields))] == [kind]


def test_it_is_part_of_the_value() -> None:
    made = task.with_policy(timeout=M)
    assert made != task
    assert len({made, task, task.with_policy(timeout=M)}) == 2
    assert made.interval(3).interval_wait(M).with_name("a").policy == made.policy
    assert made.on_time(time(8)).policy == made.with_schedule(Daily(time(8))).policy == made.policy
    assert type(task.interval(2).with_policy(timeout=M)) is type(task.interval(2))
    assert repr(made) == (
        "BackgroundTask(send_otp, schedule=Once(), policy=Policy(timeout=datetime.timedelta(seconds=60)))"
    )


# ---------------------------------------------------------------- a repeat without a grid

OVERLAP = (
    "overlap_without_wait",
    "policy.overlap",
    "overlap must be 'skip' for a repeat without a wait, whose runs never overlap, got 'allow'; "
    "add interval_wait(), or leave out overlap",
)
JITTER = (
    "jitter_without_wait",
    "policy.jitter",
    "jitter must be zero for a repeat without a wait, which starts when the run before has ended, got 0:01:00; "
    "add interval_wait(), or leave out jitter",
)
OVERLAP_FROM_END = (
    "overlap_from_end",
    "policy.overlap",
    "overlap must be 'skip' for a repeat measured from the end, whose runs never overlap, got 'allow'; "
    "write measured_from='start', or leave out overlap",
)
JITTER_FROM_END = (
    "jitter_from_end",
    "policy.jitter",
    "jitter must be zero for a repeat measured from the end, which waits from the end of the run before, got 0:01:00; "
    "write measured_from='start', or leave out jitter",
)
NONE = timedelta(0)
FROM_END = Repeat(2, M, measured_from="end")


@pytest.mark.parametrize(
    ("act", "faults"),
    [
        (lambda: task.with_schedule(Repeat(5)).with_policy(overlap="allow"), [OVERLAP]),
        (lambda: task.with_policy(overlap="allow").with_schedule(Repeat(-1)), [OVERLAP]),
        (lambda: task.interval(5).interval_wait(NONE).with_policy(jitter=M), [JITTER]),
        (lambda: task.interval(5).with_policy(jitter=M).interval_wait(NONE), [JITTER]),
        (lambda: task.with_policy(jitter=M).interval_wait(NONE).interval(5), [JITTER]),
        (lambda: task.with_schedule(Repeat(2)).with_policy(overlap="allow", jitter=M), [OVERLAP, JITTER]),
        (lambda: check_policy(Repeat(5), Policy(overlap="allow")), [OVERLAP]),
        (lambda: task.with_schedule(FROM_END).with_policy(overlap="allow"), [OVERLAP_FROM_END]),
        (
            lambda: task.with_policy(overlap="allow", jitter=M).with_schedule(FROM_END),
            [OVERLAP_FROM_END, JITTER_FROM_END],
        ),
    ],
)
def test_a_repeat_without_a_grid_takes_no_overlap_and_no_jitter(
    act: Callable[[], object], faults: list[tuple[str, str, str]]
) -> None:
    assert refusals(act) == faults


def test_a_task_that_may_get_a_wait_yet_takes_any_policy() -> None:
    policy = Policy(overlap="allow", jitter=M)
    counted = task.interval(5).with_policy(policy)
    assert counted.interval_wait(M).policy == policy
    assert counted.on_time(time(8)) == task.with_policy(policy).on_time(time(8)).interval(5)
    for once in (task, task.interval(1), task.interval_wait(NONE), task.with_schedule(Once())):
        assert once.with_policy(policy).policy == policy
    assert refusals(lambda: check_policy(counted.schedule, policy))[0][0] == "overlap_without_wait"
