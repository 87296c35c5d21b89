"""From tasks to a document."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, LiteralString

from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, to_jsonable_python

from ..errors import fault, refusal, type_name
from ..models.faults import Path
from ..models.policy import DEFAULT_POLICY
from ..tasks.checks import check_policy
from ..tasks.registry import TaskRegistry
from ..tasks.task import BackgroundTask, check_task, check_tasks
from .document import TAKEN, VERSION, check_bounds, checked_registry


def dump(tasks: Iterable[BackgroundTask], registry: TaskRegistry) -> str:
    """Write tasks as a JSON document that `load()` reads back as equal tasks.

    Raises:
        ValidationError: a task's function is not registered (`unregistered_function`), an argument would not come
            back equal (`argument_json`), two tasks have one name (`duplicate_name`), or a repeat without a wait or
            measured from the end has an overlap or a jitter (`overlap_without_wait`, `jitter_from_end`, ...). Each
            fault has its path.
    """
    faults: list[InitErrorDetails] = []
    written: list[dict[str, JsonValue]] = []
    names: set[str] = set()
    for at, task in enumerate(check_tasks("dump", tasks)):
        try:
            written.append(dump_task(task, registry))
        except ValidationError as error:
            faults += [_said(line, ("tasks", at, *line["loc"])) for line in error.errors()]
        if task.name in names:
            faults.append(fault("duplicate_name", TAKEN, at=("tasks", at, "name"), name=repr(task.name)))
        elif task.name is not None:
            names.add(task.name)
    if faults:
        raise refusal("spec", faults)
    return json.dumps({"version": VERSION, "tasks": written}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def dump_task(task: BackgroundTask, registry: TaskRegistry) -> dict[str, JsonValue]:
    """Write one task as `dump` does, as a JSON object; raises a `ValidationError` as `dump` does."""
    func = checked_registry("dump_task", registry).name_of(check_task("dump_task", task).func)
    check_policy(task.schedule, task.policy)
    item: dict[str, JsonValue] = {
        "func": func,
        "kwargs": _written(task),
        "schedule": task.schedule.model_dump(mode="json", exclude_none=True),
    }
    if task.policy != DEFAULT_POLICY:
        item["policy"] = task.policy.model_dump(mode="json", exclude_defaults=True)
    if task.name is not None:
        item["name"] = task.name
    return item


def _said(line: ErrorDetails, at: Path) -> InitErrorDetails:
    kind: Any = line["type"]
    return fault(kind, "{said}", at=at, said=line["msg"])


def _written(task: BackgroundTask) -> dict[str, JsonValue]:
    """Write a task's arguments by name; refuse those that would not survive a round trip through JSON."""
    known = task._known
    given = known.by_name(task.args, task.kwargs)
    written: dict[str, JsonValue] = {}
    lost: set[str | int] = set()
    for name, value in given.items():
        try:
            written[name] = _plain(value)
            check_bounds(written[name], (name,))
            json.dumps(written[name])
        except (ValueError, TypeError):  # pydantic_core's PydanticSerializationError is a ValueError
            written[name] = None
            lost.add(name)
    try:
        back = known.read(known.name, written)
        lost |= {name for name, value in given.items() if not (value is back[name] or value == back[name])}
    except ValidationError as error:
        lost |= {line["loc"][0] for line in error.errors()}
    message: LiteralString = (
        "{name} ({got}) would not survive a round trip through JSON; pass plain data that fits {rule}"
    )
    rule = known.signature_text(known.name)
    faults = [
        fault("argument_json", message, at=("kwargs", name), name=name, got=type_name(value), rule=rule)
        for name, value in given.items()
        if name in lost
    ]
    if faults:
        raise refusal(f"BackgroundTask({known.name})", faults)
    return written


def _plain(value: Any) -> Any:
    items: Any = value  # isinstance() would leave its type half known
    if isinstance(value, dict):
        return to_jsonable_python({key: _plain(item) for key, item in items.items()})  # the keys too
    if isinstance(value, (set, frozenset)):
        return sorted(map(_plain, items), key=json.dumps)
    return list(map(_plain, items)) if isinstance(value, (list, tuple)) else to_jsonable_python(value)
