"""Where the faults of a document of tasks are, and how its arguments are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Annotated, Any

import documents
import pytest
from annotated_types import Gt
from documents import SECRET, refusals
from pydantic import JsonValue, ValidationError
from typing_extensions import TypedDict, Unpack

from panther_schedule import BackgroundTask, TaskRegistry, spec
from panther_schedule.tasks.signature import inspect_function

tasks = TaskRegistry()


@dataclass
class Mail:
    to: str


class Options(TypedDict, total=False):
    tries: int


@tasks.register
def send_otp(name: str, *, tries: int = 3) -> None: ...


@tasks.register
def typed(mail: Mail, pair: tuple[int, str], either: int | list[str] = 1) -> None: ...


@tasks.register
def clean() -> None: ...


DAILY = "at, n, tz, every, starting, gap, fold, excluding, start_at, end_at"
load, load_task = partial(documents.load, tasks), partial(documents.load_task, tasks)


def test_a_part_of_a_schedule_is_refused_with_its_place() -> None:
    parts: list[object] = [
        "daily",
        {"kind": "repeat"},
        {},
        {"kind": "daily"},
        {"kind": "daily", "at": "08:00", "daily": 1},
    ]
    with pytest.raises(ValidationError) as caught:
        load_task(func="clean", schedule={"kind": "any_of", "of": parts})
    of = ("tasks", 0, "schedule", "of")
    kinds = "'once', 'repeat', 'daily', 'weekly', 'monthly', 'cron', 'any_of'"
    parts_only = "'once', 'daily', 'weekly', 'monthly', 'cron'"
    assert [(fault["loc"], fault.get("ctx", {})["message"]) for fault in caught.value.errors()] == [
        ((*of, 0), "schedule must be an object, got a string"),
        ((*of, 1, "kind"), f"kind must be one of {parts_only}, got 'repeat'"),
        ((*of, 2, "kind"), f"kind is missing; add one of {kinds}"),
        ((*of, 3, "at"), "at is missing; add it"),
        ((*of, 4, "daily"), f"unknown field 'daily'; known fields: {DAILY}"),
    ]


def test_arguments_are_checked_where_they_are_left_out_or_hold_others() -> None:
    assert refusals(lambda: load_task(func="send_otp")) == {("tasks", 0, "kwargs", "name"): "missing_argument"}
    given = {"mail": {"to": "a", SECRET: 1}, "pair": [], "either": [SECRET, 1]}
    at = ("tasks", 0, "kwargs")
    assert refusals(lambda: load_task(func="typed", kwargs=given)) == {
        (*at, "mail"): "argument_type",
        (*at, "pair"): "argument_type",
        (*at, "either"): "argument_type",
    }


def test_a_function_not_known_hides_no_other_fault() -> None:
    assert refusals(lambda: load_task(func="nobody", kwargs=[SECRET], name=" ", policy=1)) == {
        ("tasks", 0, "func"): "unknown_function",
        ("tasks", 0, "kwargs"): "kwargs_type",
        ("tasks", 0, "policy"): "dict_type",
        ("tasks", 0, "name"): "task_name",
    }


def test_a_key_named_as_a_kind_or_a_field_keeps_its_place() -> None:
    assert refusals(
        lambda: load_task(func="clean", daily=1, policy={"policy": 1}, schedule={"kind": "once", "once": 1})
    ) == {
        ("tasks", 0, "daily"): "unknown_key",
        ("tasks", 0, "policy", "policy"): "extra_forbidden",
        ("tasks", 0, "schedule", "once"): "extra_forbidden",
    }

    def take(kwargs: int, schedule: list[int]) -> None: ...

    registry = TaskRegistry()
    registry.register(take)
    task: dict[str, JsonValue] = {"func": "take", "kwargs": {"kwargs": "a", "schedule": [1, "once"]}}
    assert refusals(lambda: spec.load_task(task, registry)) == {
        ("kwargs", "kwargs"): "argument_type",
        ("kwargs", "schedule", 1): "argument_type",
    }


def test_names_are_compared_in_what_is_no_task_too() -> None:
    assert refusals(lambda: load({"version": 1, "tasks": [{"name": "a"}, "a", {"name": "a", "func": 1}]})) == {
        ("tasks", 0, "func"): "func_type",
        ("tasks", 1): "task_type",
        ("tasks", 2, "func"): "func_type",
        ("tasks", 2, "name"): "duplicate_name",
    }
    assert refusals(lambda: load([{"name": "a"}, {"name": "a"}])) == {(): "document_type"}


def test_the_hints_of_unpacked_keyword_arguments_are_left_to_the_type_checkers() -> None:
    def take(**options: Unpack[Options]) -> None: ...

    made: Any = BackgroundTask
    for given in ({}, {"tries": True}, {"other": 1}):
        assert made(take, **given).kwargs == given
    assert refusals(lambda: made(take, 1)) == {(0,): "surplus_argument"}


def test_what_fits_but_for_one_rule_is_refused_by_that_rule() -> None:
    def take(values: list[Annotated[int, Gt(0)]], rest: list[int]) -> None: ...

    with pytest.raises(ValidationError) as caught:
        inspect_function(take).check(([True, -7], [True] * 3), {})
    (fault,) = caught.value.errors()
    assert fault["loc"] == ("values",)
    assert ", got list of bool and int (greater_than); take(" in fault["msg"]


def test_a_hint_that_pydantic_can_not_check_hides_no_other() -> None:
    class Odd:
        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
            raise NotImplementedError

    def take(odd: Any, mail: Mail, age: int) -> None: ...

    take.__annotations__["odd"] = Odd
    take.__annotations__["mail"] = Mail
    take.__annotations__["age"] = int
    made: Any = BackgroundTask
    assert refusals(lambda: made(take, "anything", Mail("a"), "a")) == {("age",): "argument_type"}


def test_json_is_read_into_the_types_of_the_hints() -> None:
    def take(day: date, *, tries: int = 3, **rest: float) -> None: ...

    known = inspect_function(take)
    assert known.read("take", {"day": "2026-01-01", "rate": 1}) == {"day": date(2026, 1, 1), "rate": 1.0}
    with pytest.raises(ValidationError) as caught:
        known.read("take", {"tries": SECRET, "rate": [SECRET]})
    assert SECRET not in str(caught.value)
    assert [(fault["type"], fault["loc"]) for fault in caught.value.errors()] == [
        ("missing_argument", ("day",)),
        ("argument_type", ("tries",)),
        ("argument_type", ("rate",)),
    ]


def test_a_name_of_any_length_makes_a_short_message() -> None:
    with pytest.raises(ValidationError) as caught:
        spec.load({"version": 1, "tasks": [{"func": "f" * 1_000_000}]}, tasks)

    assert len(caught.value.errors()[0]["msg"]) < 500
