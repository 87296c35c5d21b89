"""Tasks as JSON, and back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import documents
import pytest
from documents import SECRET, refusals
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from strategies import repeats

from panther_schedule import AnySchedule, BackgroundTask, Daily, Once, TaskRegistry, spec

W = timedelta(minutes=5)
tasks = TaskRegistry()


@tasks.register
def send_otp(name: str, *, tries: int = 3) -> None: ...


@tasks.register(name="report")
def write_report(day: date, mails: set[str], options: dict[str, list[int]] | None = None, **rates: float) -> None: ...


@dataclass
class Mail:
    to: str


@tasks.register
async def typed(at: datetime, wait: timedelta, cost: Decimal, key: UUID, mail: Mail, pair: tuple[int, str]) -> None: ...


@tasks.register
def untyped(value: Any) -> None: ...


@tasks.scheduled(Daily(time(3)))
def clean() -> None: ...


load, load_task = partial(documents.load, tasks), partial(documents.load_task, tasks)


def test_a_document_to_the_byte() -> None:
    made = [BackgroundTask(send_otp, "Zoë").interval(-1).on_time(time(8), "Europe/Paris").with_name("digest")]
    text = """{
  "version": 1,
  "tasks": [
    {
      "func": "send_otp",
      "kwargs": {
        "name": "Zoë"
      },
      "schedule": {
        "kind": "daily",
        "at": "08:00:00",
        "n": -1,
        "tz": "Europe/Paris"
      },
      "name": "digest"
    }
  ]
}
"""
    assert spec.dump(made, tasks) == text
    assert spec.load(text, tasks) == made
    assert spec.load(text.encode(), tasks) == made


def test_arguments_come_back_with_their_types() -> None:
    made = BackgroundTask(
        typed,
        datetime(2026, 1, 1, tzinfo=UTC),
        W,
        cost=Decimal("1.50"),
        key=UUID(int=7),
        mail=Mail("a"),
        pair=(1, "a"),
    )
    (task,) = spec.load(spec.dump([made], tasks), tasks)
    assert task == made
    assert isinstance(task.kwargs["mail"], Mail)


def test_what_may_be_left_out() -> None:
    assert load_task(func="clean") == [BackgroundTask(clean)]
    assert load({"$schema": "tasks.schema.json", "version": 1, "tasks": []}) == []


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda name: bool(name.strip()))
schedules: st.SearchStrategy[AnySchedule] = st.one_of(
    st.just(Once()),
    st.datetimes(timezones=st.just(UTC)).map(Once),
    repeats(st.timedeltas(timedelta(0))),
    st.builds(Once, after=st.timedeltas(timedelta(0))),
    st.builds(Daily, st.times().map(lambda t: t.replace(microsecond=0)), st.just(-1), st.sampled_from([None, "UTC"])),
)
days: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "day": st.dates(),
        "mails": st.sets(names),
        "options": st.none() | st.dictionaries(names, st.lists(st.integers())),
        "low": st.floats(allow_nan=False, allow_infinity=False),
    }
)


def otp(name: str, tries: int, schedule: AnySchedule) -> BackgroundTask:
    return BackgroundTask(send_otp, name, tries=tries).with_schedule(schedule)


def report_of(given: dict[str, Any], schedule: AnySchedule) -> BackgroundTask:
    return BackgroundTask(write_report, **given).with_schedule(schedule)


@given(st.lists(st.builds(otp, names, st.integers(), schedules) | st.builds(report_of, days, schedules)))
def test_json_is_a_round_trip(made: list[BackgroundTask]) -> None:
    text = spec.dump(made, tasks)
    loaded = spec.load(text, tasks)
    assert loaded == made
    assert spec.dump(loaded, tasks) == text


def test_a_loaded_task_knows_what_it_excludes() -> None:
    (daily,) = load_task(func="clean", schedule={"kind": "daily", "at": "08:00"})
    (spaced,) = load_task(func="clean", schedule={"kind": "repeat", "n": 2, "wait": "PT5M"})
    (counted,) = load_task(func="clean", schedule={"kind": "repeat", "n": 2})
    (moment,) = load_task(func="clean", schedule={"kind": "once", "at": "2026-01-01T00:00:00Z"})
    (later,) = load_task(func="clean", schedule={"kind": "once", "after": "PT5M"})
    (delayed,) = load_task(func="clean", schedule={"kind": "repeat", "n": 2, "wait": "PT5M", "after": "PT5M"})
    (from_end,) = load_task(func="clean", schedule={"kind": "repeat", "n": 2, "wait": "PT5M", "measured_from": "end"})
    acts: list[Callable[[], object]] = [
        lambda: daily.interval_wait(W),
        lambda: spaced.on_time(time(8)),
        lambda: counted.with_schedule(Once()),
        lambda: moment.interval(2),
        lambda: later.interval(2),
        lambda: delayed.interval_wait(W),
        lambda: from_end.interval(3),
    ]
    assert [refusals(act) for act in acts] == [{(): "schedule_conflict"}] * 7
    assert counted.on_time(time(8)).schedule == Daily(time(8), 2)


def test_every_fault_has_its_path_at_once() -> None:
    document: dict[str, Any] = {
        "version": 0,
        "extra": 1,
        "tasks": [
            {"func": "send_opt"},
            {"func": "send_otp", "kwargs": {"name": "Ali", "tries": SECRET}, "schedule": {"kind": "daily", "wait": 1}},
            {"func": "report", "kwargs": {"day": SECRET, "mails": ["a", 1], "options": {SECRET: [SECRET]}}},
            {"func": "report", "kwargs": {"day": "2026-01-01", "mails": [], "low": SECRET}, "name": "a"},
            {"func": "send_otp", "kwargs": {"nmae": SECRET}, "schedule": {"kind": "dayly"}, "name": "a"},
            {"func": "clean", "kwargs": [SECRET], "schedule": {}, "name": " "},
            {"func": "clean", "schedule": "daily", "wait": 5},
            {"func": 7},
            {},
            None,
        ],
    }
    assert refusals(lambda: load(document)) == {
        ("version",): "unknown_version",
        ("extra",): "unknown_key",
        ("tasks", 0, "func"): "unknown_function",
        ("tasks", 1, "kwargs", "tries"): "argument_type",
        ("tasks", 1, "schedule", "at"): "missing",
        ("tasks", 1, "schedule", "wait"): "extra_forbidden",
        ("tasks", 2, "kwargs", "day"): "argument_type",
        ("tasks", 2, "kwargs", "mails", 1): "argument_type",
        ("tasks", 2, "kwargs", "options"): "argument_type",
        ("tasks", 3, "kwargs", "low"): "argument_type",
        ("tasks", 4, "kwargs", "name"): "missing_argument",
        ("tasks", 4, "kwargs", "nmae"): "unknown_argument",
        ("tasks", 4, "schedule", "kind"): "union_tag_invalid",
        ("tasks", 4, "name"): "duplicate_name",
        ("tasks", 5, "kwargs"): "kwargs_type",
        ("tasks", 5, "schedule", "kind"): "union_tag_not_found",
        ("tasks", 5, "name"): "task_name",
        ("tasks", 6, "schedule"): "dict_type",
        ("tasks", 6, "wait"): "unknown_key",
        ("tasks", 7, "func"): "func_type",
        ("tasks", 8, "func"): "func_type",
        ("tasks", 9): "task_type",
    }


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (
            {"kind": "dayly"},
            "kind must be one of 'once', 'repeat', 'daily', 'weekly', 'monthly', 'cron', 'any_of', got 'dayly'",
        ),
        ({"kind": 5}, "kind must be one of 'once', 'repeat', 'daily', 'weekly', 'monthly', 'cron', 'any_of', got 5"),
        ({}, "kind is missing; add one of 'once', 'repeat', 'daily', 'weekly', 'monthly', 'cron', 'any_of'"),
        ({"kind": "daily"}, "at is missing; add it"),
        ({"kind": "once", "n": 2}, "unknown field 'n'; known fields: at, after"),
        ("daily", "schedule must be an object, got a string"),
    ],
)
def test_a_schedule_is_refused_in_our_words(schedule: object, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        load_task(func="clean", schedule=schedule)
    assert [fault.get("ctx", {})["message"] for fault in caught.value.errors()] == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "<text>:1:2: the text can't be read as JSON: Expecting value; mend it there"),
        ('\n"\ud800"', "<text>:2:1: the text can't be read as JSON: it is not UTF-8; save it as UTF-8"),
        ('{"a": 1, "a": 2}', "<text>:1:10: a: a is given twice; leave out one"),
        (
            '{"version": 1, "tasks": [{"func": "untyped", "kwargs": {"value": -1e999}}]}',
            "<text>:1:57: tasks[0].kwargs.value: "
            "the number must be finite and at most 1.8e308; write one nearer to zero",
        ),
    ],
)
def test_what_can_not_be_read_is_said_with_a_remedy(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        spec.load(text, tasks)
    assert [fault["msg"] for fault in caught.value.errors()] == [message]


def test_a_fault_names_the_type_the_rule_and_the_remedy() -> None:
    with pytest.raises(ValidationError) as caught:
        load({"version": 1, "tasks": [{"func": "send_opt"}, {"func": "send_otp", "kwargs": {"name": 7}}]})
    assert [fault.get("ctx", {})["message"] for fault in caught.value.errors()] == [
        "'send_opt' is not a registered function; did you mean 'send_otp'?",
        "name must be str in JSON, got a number; send_otp(name: str, *, tries: int = ...)",
    ]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", {(): "json_invalid"}),
        ('{"version": 1, "tasks": [', {(): "json_invalid"}),
        ('{"version": 1, "tasks": [NaN]}', {("tasks", 0): "task_type"}),
        (b"\xff", {(): "json_invalid"}),
        ('"\\ud800"', {(): "document_type"}),
        ("[" * 100_000, {(): "json_invalid"}),
        ("1" * 5_000, {(): "json_invalid"}),
        ("[]", {(): "document_type"}),
        ("{}", {("version",): "unknown_version", ("tasks",): "tasks_type"}),
        ('{"version": true, "tasks": {}}', {("version",): "unknown_version", ("tasks",): "tasks_type"}),
        (
            '{"$schema": 1, "version": 1.0, "tasks": []}',
            {("$schema",): "schema_reference", ("version",): "unknown_version"},
        ),
        (
            '{"version": 1, "version": 1, "tasks": [{"func": "a", "kwargs": {"x": 1, "x": 2}}]}',
            {("version",): "duplicate_key", ("tasks", 0, "kwargs", "x"): "duplicate_key"},
        ),
    ],
)
def test_what_is_no_document(text: str | bytes, faults: dict[tuple[int | str, ...], str]) -> None:
    assert refusals(lambda: spec.load(text, tasks)) == faults


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["version", "tasks", "func", "kwargs", "schedule", "name", "kind", "at"]), inner
            )
        ),
    )
)
def test_any_json_is_loaded_or_refused(document: object) -> None:
    try:
        load(document)
    except ValidationError as refused:
        error = refused
        assert error.error_count() > 0


def test_dump_refuses_what_would_not_come_back() -> None:
    made: list[BackgroundTask] = [
        BackgroundTask(load, None),
        BackgroundTask(untyped, (1, 2)),
        BackgroundTask(untyped, object()),
        BackgroundTask(untyped, float("nan")),
        BackgroundTask(untyped, date(2026, 1, 1)),
        BackgroundTask(untyped, [1, {"a": None}]).with_name("a"),
        BackgroundTask(clean).with_name("a"),
    ]
    assert refusals(lambda: spec.dump(made, tasks)) == {
        ("tasks", 0): "unregistered_function",
        ("tasks", 1, "kwargs", "value"): "argument_json",
        ("tasks", 2, "kwargs", "value"): "argument_json",
        ("tasks", 3, "kwargs", "value"): "argument_json",
        ("tasks", 4, "kwargs", "value"): "argument_json",
        ("tasks", 6, "name"): "duplicate_name",
    }


def test_the_order_of_a_set_is_fixed() -> None:
    program = (
        "from tests.tasks.test_spec import *\n"
        "print(spec.dump([BackgroundTask(write_report, date(2026, 1, 1), set('abcdefgh'), b=1, a=2)], tasks))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[1])},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_one_task() -> None:
    made = BackgroundTask(send_otp, name="Ali").interval(5).with_name("digest")
    assert spec.load_task(spec.dump_task(made, tasks), tasks) == made
    assert refusals(lambda: spec.load_task({"func": "clean", "kwargs": {"a": SECRET}}, tasks)) == {
        ("kwargs", "a"): "unknown_argument"
    }
    assert refusals(lambda: spec.load_task({"func": "untyped", "kwargs": {"value": float("nan")}}, tasks)) == {
        ("kwargs", "value"): "number_range"
    }


def test_the_schema_of_a_document() -> None:
    schema = spec.json_schema(tasks)
    task = schema["properties"]["tasks"]["items"]
    assert "Policy" in json.dumps(task["properties"]["policy"])
    assert task["properties"]["func"] == {"enum": ["send_otp", "report", "typed", "untyped", "clean"]}
    assert [rule["if"]["properties"]["func"]["const"] for rule in task["allOf"]] == list(tasks.functions)
    arguments = task["allOf"][0]["then"]["properties"]["kwargs"]
    assert arguments["required"] == ["name"]
    assert set(arguments["properties"]) == {"name", "tries"}
    assert arguments["additionalProperties"] is False
    assert arguments["properties"]["tries"] == {"title": "Tries", "type": "integer"}, "a default may be a secret"
    assert task["additionalProperties"] is False
    assert task["required"] == ["func"]
    assert task["properties"]["name"] == {"type": "string", "pattern": r"\S"}
    assert schema["properties"]["version"]["const"] == 1
    assert json.dumps(spec.json_schema(tasks)) == json.dumps(schema)
    assert "allOf" not in spec.json_schema(TaskRegistry())["properties"]["tasks"]["items"]


def test_a_hint_without_a_json_form_stands_for_anything_in_the_schema() -> None:
    registry = TaskRegistry()

    @registry.register
    def call(back: Callable[[], None]) -> None: ...

    assert call.__name__ in json.dumps(spec.json_schema(registry))
