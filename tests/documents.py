"""Documents of tasks that tests read, and what is refused in them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from panther_schedule import BackgroundTask, TaskRegistry, spec

SECRET = "hunter2"  # noqa: S105 - it stands for one, and must never be shown


def load(registry: TaskRegistry, document: object) -> list[BackgroundTask]:
    """Read a document."""
    return spec.load(json.dumps(document), registry)


def load_task(registry: TaskRegistry, **task: object) -> list[BackgroundTask]:
    """Read a document of one task."""
    return load(registry, {"version": 1, "tasks": [task]})


def refusals(act: Callable[[], object]) -> dict[tuple[int | str, ...], str]:
    """Give the type of each fault by its path; none of them shows the secret."""
    with pytest.raises(ValidationError) as caught:
        act()
    error = caught.value
    assert SECRET not in str(error) + repr(error.errors()) + error.json()
    found = {fault["loc"]: fault["type"] for fault in error.errors()}
    assert len(found) == error.error_count()
    return found
