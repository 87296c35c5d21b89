"""Security: a document names registered functions with well-typed arguments, and does nothing else."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from panther_schedule import TaskRegistry, spec


def send_otp(name: str) -> None:
    """Stand for a function of the program."""


@pytest.fixture
def registry() -> TaskRegistry:
    """A registry with one function."""
    registry = TaskRegistry()
    registry.register(send_otp)
    return registry


def refused(source: str | Path, registry: TaskRegistry) -> list[str]:
    """List the types of the faults of a document."""
    with pytest.raises(ValidationError) as caught:
        spec.load(source, registry)
    return [fault["type"] for fault in caught.value.errors()]


@pytest.mark.parametrize("func", ["os.system", "builtins.eval", "send_otp.__globals__", "__import__"])
def test_a_name_is_looked_up_in_a_table(func: str, registry: TaskRegistry) -> None:
    """Only registered names are known: no module, no attribute, no builtin."""
    document = {"version": 1, "tasks": [{"func": func, "kwargs": {"name": "Ali"}}]}

    assert refused(json.dumps(document), registry) == ["unknown_function"]


@pytest.mark.parametrize("text", ["a: !!python/object/apply:os.system [ls]", "[&a [1], *a]"])
def test_yaml_has_no_tags_and_no_aliases(text: str, registry: TaskRegistry, tmp_path: Path) -> None:
    """A tag could make an object, and a few aliases any amount of data."""
    (file := tmp_path / "tasks.yaml").write_text(text)

    assert refused(file, registry) == ["yaml_invalid"]


def test_a_key_that_is_given_twice_is_refused(registry: TaskRegistry) -> None:
    """Two programs might read it differently."""
    assert refused('{"version": 1, "tasks": [], "tasks": []}', registry) == ["duplicate_key"]


def test_size_depth_and_numbers_have_limits(registry: TaskRegistry) -> None:
    """What is too large, too deep or beyond a number is refused before it costs much."""
    task = '{"version": 1, "tasks": [{"func": "send_otp", "kwargs": {"name": %s}}]}'

    assert refused(" " * (1 << 24) + "{}", registry) == ["too_large"]
    assert refused(task % ("[" * 40 + "]" * 40), registry) == ["nesting"]
    assert refused(task % "1e999", registry) == ["number_range"]
    assert refused("[" * 100_000, registry) == ["json_invalid"]
