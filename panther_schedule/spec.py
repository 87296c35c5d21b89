"""Tasks as JSON, and back.

    {"version": 1, "tasks": [{"func": "send_otp", "kwargs": {"name": "Ali"}, "schedule": {"kind": "once"}}]}

A document names functions of a registry and nothing else; nothing is imported. The arguments are checked by the
function's hints, every fault is reported at once with its path, and no argument's value is shown. The same tasks
give the same bytes, `load(dump(tasks))` equals the tasks, and `dump(load(text))` equals what `dump` wrote.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import InitErrorDetails, to_jsonable_python

from .errors import fault, refusal, type_name
from .models.policy import DEFAULT_POLICY
from .tasks.checks import check_policy
from .tasks.document import VERSION, Document, TaskLine, duplicates, read, said
from .tasks.registry import TaskRegistry
from .tasks.signature import KnownFunction, function_name, inspect_function
from .tasks.task import BackgroundTask, restore

__all__ = ["VERSION", "dump", "dump_task", "json_schema", "load", "load_task"]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def load(text: str | bytes, registry: TaskRegistry) -> list[BackgroundTask]:
    """Read the tasks of a JSON document.

    Raises:
        ValidationError: the text is no such document. Each fault has its path, such as `("tasks", 3, "kwargs",
            "day")`.
    """
    return [_task(line, registry) for line in read(Document, text, registry).tasks]


def load_task(item: JsonValue, registry: TaskRegistry) -> BackgroundTask:
    """Read one task of a document; raises a `ValidationError` as `load` does."""
    return _task(read(TaskLine, json.dumps(item), registry), registry)


def dump(tasks: Iterable[BackgroundTask], registry: TaskRegistry) -> str:
    """Write tasks as a JSON document that `load` reads back as equal tasks.

    Raises:
        ValidationError: a task's function is not registered (`unregistered_function`), an argument would not come
            back equal (`argument_json`), two tasks have one name (`duplicate_name`), or a repeat without a wait has a
            policy that needs one (`overlap_without_wait`, `jitter_without_wait`). Each fault has its path.
    """
    given = list(tasks)
    faults: list[InitErrorDetails] = []
    written: list[dict[str, JsonValue]] = []
    for at, task in enumerate(given):
        try:
            written.append(dump_task(task, registry))
        except ValidationError as error:
            faults += [said(line["type"], line["msg"], ("tasks", at, *line["loc"])) for line in error.errors()]
    faults += duplicates(task.name for task in given)
    if faults:
        raise refusal("spec", faults)
    return json.dumps({"version": VERSION, "tasks": written}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def dump_task(task: BackgroundTask, registry: TaskRegistry) -> dict[str, JsonValue]:
    """Write one task as `dump` does, as a JSON object; raises a `ValidationError` as `dump` does."""
    func = registry.name_of(task.func)
    check_policy(task.schedule, task.policy)
    item: dict[str, JsonValue] = {
        "func": func,
        "kwargs": _arguments(task),
        "schedule": task.schedule.model_dump(mode="json", exclude_none=True),
    }
    if task.policy != DEFAULT_POLICY:
        item["policy"] = task.policy.model_dump(mode="json", exclude_defaults=True)
    if task.name is not None:
        item["name"] = task.name
    return item


def json_schema(registry: TaskRegistry) -> dict[str, Any]:
    """Return the JSON Schema of a document, with the arguments of each registered function, for an editor."""
    functions = {name: inspect_function(func) for name, func in registry.functions.items()}
    parts: dict[str, TypeAdapter[Any]] = {name: known.adapter for name, known in functions.items()}
    parts[""] = TypeAdapter(Document)  # no function has this name, since a name is not blank
    schemas, shared = TypeAdapter.json_schemas(
        [(name, "validation", part) for name, part in parts.items()], schema_generator=_TolerantSchema
    )
    definitions = shared["$defs"]
    document = definitions.pop(_referred(schemas["", "validation"]))
    task = definitions.pop(_referred(document["properties"]["tasks"]["items"]))
    task["properties"]["func"] = {"enum": list(functions)} if functions else False
    rules: list[JsonSchemaValue] = []
    for name, known in functions.items():
        then: JsonSchemaValue = {"properties": {"kwargs": schemas[name, "validation"]}}
        if known.needs_arguments():
            then["required"] = ["kwargs"]
        rules.append({"if": {"properties": {"func": {"const": name}}, "required": ["func"]}, "then": then})
    document["properties"]["tasks"]["items"] = task | ({"allOf": rules} if rules else {})
    return {"$schema": _DIALECT, **document, "$defs": definitions}


class _TolerantSchema(GenerateJsonSchema):
    """Let a hint that has no JSON form stand for anything."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - pydantic's own form

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:  # noqa: ARG002 - pydantic's signature
        return {}


def _referred(schema: JsonSchemaValue) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _task(line: TaskLine, registry: TaskRegistry) -> BackgroundTask:
    return restore(registry.function(line.func), line.kwargs, line.schedule, line.name, line.policy)


def _arguments(task: BackgroundTask) -> dict[str, JsonValue]:
    known, func = inspect_function(task.func), function_name(task.func)
    given = known.by_name(task._args, task._kwargs)
    faults: list[InitErrorDetails] = []
    written: dict[str, JsonValue] = {}
    for name, value in given.items():
        try:
            written[name] = _plain(value)
            json.dumps(written[name], allow_nan=False)
        except (ValueError, TypeError):  # pydantic_core's PydanticSerializationError is a ValueError
            message = "{name} has no JSON form, being of type {got}; give the task data"
            faults.append(fault("argument_json", message, at=("kwargs", name), name=name, got=type_name(value)))
    if not faults:
        lost = _lost(func, known, given, written)
        faults = [
            fault(
                "argument_json",
                "{name} would not come back from JSON as the {got} it is; hint it in {rule}",
                at=("kwargs", name),
                name=name,
                got=type_name(given[name]),
                rule=known.signature_text(func),
            )
            for name in given
            if name in lost
        ]
    if faults:
        raise refusal(f"BackgroundTask({func})", faults)
    return written


def _lost(func: str, known: KnownFunction, given: dict[str, Any], written: dict[str, JsonValue]) -> set[str | int]:
    """Name the arguments that would not come back from JSON as they are."""
    try:
        back = known.read(func, written)
    except ValidationError as error:
        return {line["loc"][0] for line in error.errors()}
    return {name for name, value in given.items() if not (value is back[name] or value == back[name])}


def _plain(value: Any) -> Any:
    """Write a value as JSON data, and a set in a fixed order."""
    if isinstance(value, dict):
        return to_jsonable_python({key: _plain(item) for key, item in value.items()})  # the keys too
    if isinstance(value, (set, frozenset)):
        return sorted(map(_plain, value), key=json.dumps)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return to_jsonable_python(value)
