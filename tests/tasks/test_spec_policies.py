"""A task's policy as JSON, and back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError
from test_policy_properties import policies

from panther_schedule import BackgroundTask, TaskRegistry, spec
from panther_schedule.models.policy import Policy, Retry

W = timedelta(minutes=5)
tasks = TaskRegistry()


@tasks.register
def clean() -> None: ...


def spaced(policy: Policy) -> BackgroundTask:
    return BackgroundTask(clean).interval_wait(W).with_policy(policy)


@given(st.lists(st.builds(spaced, policies)))
def test_json_of_policies_is_a_round_trip(made: list[BackgroundTask]) -> None:
    text = spec.dump(made, tasks)
    loaded = spec.load(text, tasks)
    assert loaded == made
    assert spec.dump(loaded, tasks) == text
    assert text.count('"policy"') == sum(task.policy != Policy() for task in made)


def test_a_policy_is_written_without_its_defaults() -> None:
    retry = Retry(3, factor=2, on=(OSError,))
    made = BackgroundTask(clean).with_policy(overlap="allow", max_running=3, retry=retry, timeout=W, on_lost="record")
    item = spec.dump_task(made.with_name("a"), tasks)
    assert list(item) == ["func", "kwargs", "schedule", "policy", "name"]
    assert json.dumps(item["policy"]) == (
        '{"overlap": "allow", "max_running": 3, "retry": {"attempts": 3, "on": ["OSError"]}, "timeout": "PT5M", '
        '"on_lost": "record"}'
    )
    assert spec.load_task(item, tasks) == made.with_name("a")
    assert "policy" not in spec.dump_task(
        made.with_policy(Policy(timeout=None, retry=None), overlap="skip", on_lost="again"), tasks
    )


@pytest.mark.parametrize(
    ("policy", "where", "kind", "message"),
    [
        ("skip", (), "dict_type", "policy must be an object, got a string"),
        (None, (), "dict_type", "policy must be an object, got null"),
        (
            {"wait": 1},
            ("wait",),
            "extra_forbidden",
            "unknown field 'wait'; known fields: overlap, max_running, missed, grace, catch_up_limit, catch_up_window, "
            "retry, timeout, jitter, on_lost",
        ),
        ({"retry": {}}, ("retry", "attempts"), "missing", "attempts is missing; add it"),
        (
            {"retry": {"attempts": 2, "n": 1}},
            ("retry", "n"),
            "extra_forbidden",
            "unknown field 'n'; did you mean 'on'?",
        ),
        ({"missed": "skip"}, (), "missing_grace", None),
        ({"grace": "PT5M"}, (), "policy_conflict", None),
        (
            {"on_lost": "retry"},
            ("on_lost",),
            "on_lost",
            "on_lost must be 'again' or 'record', got 'retry'; leave it out for 'again'",
        ),
        ({"timeout": 5}, ("timeout",), "duration_format", None),
        ({"overlap": "allow"}, ("overlap",), "overlap_without_wait", None),
        ({"jitter": "PT5S"}, ("jitter",), "jitter_without_wait", None),
    ],
)
def test_a_policy_is_refused_with_its_path(
    policy: JsonValue, where: tuple[str, ...], kind: str, message: str | None
) -> None:
    with pytest.raises(ValidationError) as caught:
        spec.load_task({"func": "clean", "schedule": {"kind": "repeat", "n": 5}, "policy": policy}, tasks)
    (fault,) = caught.value.errors()
    assert (fault["loc"], fault["type"]) == (("policy", *where), kind)
    assert message in (None, fault["msg"])


def test_dump_refuses_a_policy_that_needs_a_wait() -> None:
    counted = BackgroundTask(clean).interval(5).with_policy(overlap="allow")
    with pytest.raises(ValidationError) as caught:
        spec.dump([counted], tasks)
    (fault,) = caught.value.errors()
    assert (fault["loc"], fault["type"]) == (("tasks", 0, "policy", "overlap"), "overlap_without_wait")
