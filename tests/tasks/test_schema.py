"""The JSON Schema of a document, read by a validator that knows nothing of this package."""

from __future__ import annotations

import json
import random
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mutated_documents import mutated, registry, valid
from pydantic import ValidationError

from panther_schedule import spec

PUBLISHED = Path(str(files("panther_schedule"))) / "tasks.schema.json"


FULL = Draft202012Validator(spec.json_schema(registry))
GENERAL = Draft202012Validator(spec.json_schema())


def test_the_published_schema_is_that_of_the_models() -> None:
    assert json.loads(PUBLISHED.read_text()) == spec.json_schema(), (
        "write json.dumps(spec.json_schema(), indent=2) into it"
    )
    Draft202012Validator.check_schema(FULL.schema)
    Draft202012Validator.check_schema(GENERAL.schema)


@pytest.mark.parametrize("seed", range(100))
def test_it_takes_what_load_takes(seed: int) -> None:
    rng = random.Random(seed)
    for document in (valid(rng), mutated(rng)):
        try:
            text = spec.dump(spec.load(document, registry), registry)
        except ValidationError:
            continue
        for taken in (document, json.loads(text)):
            assert [*FULL.iter_errors(taken), *GENERAL.iter_errors(taken)] == []


@pytest.mark.parametrize(
    ("task", "path"),
    [
        ({"func": "send_opt", "kwargs": {"name": "Ali"}}, ["tasks", 0, "func"]),
        ({"func": "send_otp", "kwargs": {"name": 5}}, ["tasks", 0, "kwargs", "name"]),
        ({"func": "send_otp"}, ["tasks", 0]),
        ({"func": "anything", "name": " "}, ["tasks", 0, "name"]),
        ({"func": "anything", "polcy": {}}, ["tasks", 0]),
        ({"func": "anything", "policy": {"timeout": 5}}, ["tasks", 0, "policy", "timeout"]),
        ({"func": "anything", "schedule": {"kind": "dayly"}}, ["tasks", 0, "schedule"]),
        ({"func": "anything", "schedule": {"kind": "daily", "at": "8:00"}}, ["tasks", 0, "schedule"]),
        ({"func": "anything", "schedule": {"kind": "repeat", "n": 0}}, ["tasks", 0, "schedule"]),
    ],
)
def test_it_refuses_what_load_refuses(task: Any, path: list[str | int]) -> None:
    document = {"version": 1, "tasks": [task]}
    with pytest.raises(ValidationError):
        spec.load(document, registry)
    (fault,) = FULL.iter_errors(document)
    assert list(fault.absolute_path) == path
