"""What pydantic would say of a model's fields is said in our words, in Python and in JSON, without links."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from panther_schedule import AnyOf, BackgroundTask, Cron, Daily, Monthly, Once, Policy, Repeat, Retry, Weekly

T = time(8)
DAILY = "at, n, tz, every, starting, gap, fold, excluding, start_at, end_at"
POLICY = "overlap, max_running, missed, grace, catch_up_limit, catch_up_window, retry, timeout, jitter, on_lost"
KINDS = "'once', 'daily', 'weekly', 'monthly', 'cron'"


class Nightly(Daily, frozen=True):
    """A model of a user's own."""


nightly: Any = Nightly


def wrong(given: object) -> Any:
    """Hide what is wrong from the type checkers."""
    return given


@pytest.mark.parametrize(
    ("act", "faults"),
    [
        (
            lambda: Daily(T, **wrong({"timezone": "UTC"})),
            [("timezone", "unknown field 'timezone'; did you mean 'tz'?")],
        ),
        (lambda: nightly(T, **wrong({"timezone": 1})), [("timezone", "unknown field 'timezone'; did you mean 'tz'?")]),
        (lambda: Daily(T, **wrong({"evry": 2})), [("evry", "unknown field 'evry'; did you mean 'every'?")]),
        (lambda: Daily(T, **wrong({"x": 2})), [("x", f"unknown field 'x'; known fields: {DAILY}")]),
        (lambda: Once(**wrong({"when": T})), [("when", "unknown field 'when'; known fields: at, after")]),
        (lambda: Repeat(5, **wrong({"wiat": T})), [("wiat", "unknown field 'wiat'; did you mean 'wait'?")]),
        (
            lambda: Weekly("mon", T, **wrong({"weekday": 1})),
            [("weekday", "unknown field 'weekday'; did you mean 'days'?")],
        ),
        (lambda: Monthly(1, T, **wrong({"month": 1})), [("month", "unknown field 'month'; did you mean 'months'?")]),
        (lambda: Cron("@daily", **wrong({"zone": "UTC"})), [("zone", "unknown field 'zone'; did you mean 'tz'?")]),
        (
            lambda: AnyOf((Daily(T),), **wrong({"tz": 1})),
            [("tz", "unknown field 'tz'; known fields: of, n, excluding, start_at, end_at")],
        ),
        (
            lambda: Policy(**wrong({"timout": 1, "x": 2})),
            [
                ("timout", "unknown field 'timout'; did you mean 'timeout'?"),
                ("x", f"unknown field 'x'; known fields: {POLICY}"),
            ],
        ),
        (lambda: Retry(3, **wrong({"dely": 1})), [("dely", "unknown field 'dely'; did you mean 'delay'?")]),
        (
            lambda: BackgroundTask(print).with_policy(**wrong({"jiter": timedelta(1)})),
            [("jiter", "unknown field 'jiter'; did you mean 'jitter'?")],
        ),
        (lambda: Daily(T).model_copy(update={"att": T}), [("att", "unknown field 'att'; did you mean 'at'?")]),
        (
            lambda: Daily.model_validate({"time": T}),
            [("at", "at is missing; add it"), ("time", "unknown field 'time'; did you mean 'at'?")],
        ),
        (
            lambda: Policy.model_validate_json('{"retry": {"attempts": 3, "dealy": "PT1S"}}'),
            [("retry.dealy", "unknown field 'dealy'; did you mean 'delay'?")],
        ),
        (
            lambda: AnyOf.model_validate_json(
                '{"of": [{"kind": "daily"}, {"kind": "dayly"}, {"kind": "cron", "line": 1}]}'
            ),
            [
                ("of.0.at", "at is missing; add it"),
                ("of.1.kind", f"kind must be one of {KINDS}, got 'dayly'"),
                ("of.2.expression", "expression is missing; add it"),
                (
                    "of.2.line",
                    "unknown field 'line'; known fields: "
                    "expression, seconds, n, tz, gap, fold, excluding, start_at, end_at",
                ),
            ],
        ),
        (
            lambda: Daily.model_validate_json('{"kind": "weekly", "at": "08:00"}'),
            [("kind", "kind must be 'daily', got 'weekly'; leave it out, or choose the model of that kind")],
        ),
        (lambda: Daily.model_validate(5), [("", "daily must be an object, got a number; give its fields by name")]),
        (
            lambda: Daily.model_validate_json("{"),
            [("", "the text can't be read as JSON: EOF while parsing an object at line 1 column 1; mend it there")],
        ),
        (
            lambda: Monthly(1, T, missing=wrong("last")),  # the field has the name of one of pydantic's types
            [("missing", "missing must be 'skip' or 'clamp', got 'last'; leave it out for 'skip'")],
        ),
    ],
)
def test_a_fault_names_the_field_and_the_remedy(act: Callable[[], object], faults: list[tuple[str, str]]) -> None:
    with pytest.raises(ValidationError) as caught:
        act()

    assert "pydantic.dev" not in str(caught.value)
    assert [(".".join(map(str, line["loc"])), line["msg"]) for line in caught.value.errors()] == faults


@pytest.mark.parametrize("value", [Once(), Repeat(5), Daily(T), AnyOf((Daily(T),)), Policy(), Retry(3), nightly(T)])
def test_a_value_says_what_to_write_instead_of_an_assignment(value: Any) -> None:
    name, kind = next(iter(value))[0], type(value).__name__

    with pytest.raises(AttributeError) as caught:
        setattr(value, name, 1)
    assert (
        str(caught.value)
        == f'a {kind} is immutable, so {name} can\'t be set; write model_copy(update={{"{name}": ...}})'
    )
    with pytest.raises(AttributeError, match="can't be deleted; write model_copy"):
        delattr(value, name)
    with pytest.raises(AttributeError, match="so nonsense can't be set; write model_copy"):
        value.nonsense = 1
