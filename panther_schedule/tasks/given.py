"""What a caller gives as a task, or as several."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from pydantic_core import InitErrorDetails

from ..errors import fault, refusal, refuse, type_name
from .signature import function_name
from .task import BackgroundTask


def check_task(title: str, value: object) -> BackgroundTask[..., Any]:
    """Return a task; refuse anything else (`not_a_task`)."""
    if not isinstance(value, BackgroundTask):
        raise refusal(title, [_not_a_task(value)])
    return cast(BackgroundTask[..., Any], value)


def check_tasks(title: str, values: object) -> list[BackgroundTask[..., Any]]:
    """Return tasks as a list; refuse what can't be gone over, a task alone (`tasks_type`), and all else in it."""
    if not isinstance(values, Iterable) or isinstance(values, (str, bytes)):
        message = "tasks must be a list, a tuple or a TaskRegistry of tasks, got {got}; write {title}([task])"
        refuse(title, "tasks_type", message, at=("tasks",), got=type_name(values), title=title)
    tasks = [*cast(list[Any], values)]
    faults = [_not_a_task(it, at) for at, it in enumerate(tasks) if not isinstance(it, BackgroundTask)]
    if faults:
        raise refusal(title, faults)
    return tasks


def _not_a_task(value: object, *at: int) -> InitErrorDetails:
    got = "a function is not a task" if callable(value) else f"a task must be a BackgroundTask, got {type_name(value)}"
    name = function_name(value) if callable(value) else "func"
    return fault("not_a_task", "{got}; write add_task(BackgroundTask({name}, ...))", at=at, got=got, name=name)
