"""What a scheduler refuses to take, and in which words."""

from __future__ import annotations

from typing import Any, LiteralString

from pydantic_core import InitErrorDetails

from ..errors import fault, type_name
from ..tasks.signature import function_name, inspect_function
from ..tasks.task import BackgroundTask


def equal(one: object, other: object) -> bool:
    """Tell whether two values are equal, whatever their `==` does."""
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - an argument whose == raises, or gives no truth value: they differ
        return False


def is_task(value: object) -> bool:
    """Tell whether a value is a task."""
    return isinstance(value, BackgroundTask)


def no_task(value: object, *at: int) -> InitErrorDetails:
    """Refuse what is no task."""
    if callable(value):
        return fault(
            "not_a_task",
            "a function is no task; write add_task(BackgroundTask({name}, ...))",
            at=at,
            name=function_name(value),
        )
    return fault(
        "not_a_task",
        "a task must be a BackgroundTask, got {got}; write add_task(BackgroundTask(func, ...))",
        at=at,
        got=type_name(value),
    )


def name_in_use(known: BackgroundTask[..., Any], task: BackgroundTask[..., Any]) -> InitErrorDetails:
    """Refuse a second, different task of one name, and name the fields that differ."""
    fields = [name for name in ("func", "schedule", "policy") if getattr(known, name) != getattr(task, name)]
    if "func" not in fields:
        canonical = inspect_function(task.func).canonical
        if not equal(canonical(known.args, known.kwargs), canonical(task.args, task.kwargs)):
            fields.append("arguments")
    return fault(
        "name_in_use",
        "the name {name} is in use by a task with another {fields}; write replace(task), or choose another name",
        at=("name",),
        name=repr(task.name),
        fields=" and ".join(fields),
    )


def no_occurrence(task: BackgroundTask[..., Any]) -> InitErrorDetails:
    """Refuse a task that has nothing to run for."""
    return fault(
        "no_occurrence",
        "the schedule never happens, got {schedule}; give it an occurrence after now",
        at=("schedule",),
        schedule=task.explain(),
    )


def no_name() -> InitErrorDetails:
    """Refuse to replace a task that has no name."""
    return fault(
        "name_missing",
        "replace() needs a task with a name, since it replaces the task of that name; write task.with_name('digest')",
        at=("name",),
    )


def no_worker(max_workers: object) -> InitErrorDetails:
    """Refuse a pool that has no place for a worker."""
    message: LiteralString = "max_workers must be at least 1, got {got}"
    return fault("max_workers", message, at=("max_workers",), got=max_workers)
