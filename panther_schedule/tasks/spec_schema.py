"""The JSON Schema of a document of tasks."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from ..models.policy import Policy
from ..models.schedules import AnySchedule
from .registry import TaskRegistry
from .signature import inspect_function

SCHEDULE: Final[TypeAdapter[AnySchedule]] = TypeAdapter(AnySchedule, config=ConfigDict(defer_build=True))
"""Reads any schedule from JSON."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SCHEDULE: Final = ""  # no function has such a name, since a name is not blank
_POLICY: Final = " "


def document_schema(registry: TaskRegistry, version: int) -> dict[str, Any]:
    """Return the schema of a document of this version, with the arguments of each registered function."""
    checked = {name: inspect_function(func) for name, func in registry.functions.items()}
    inputs: list[tuple[str, Any, TypeAdapter[Any]]] = [
        (name, "validation", one.keywords) for name, one in checked.items()
    ]
    parts: list[tuple[str, Any, TypeAdapter[Any]]] = [
        (_SCHEDULE, "validation", SCHEDULE),
        (_POLICY, "validation", TypeAdapter(Policy)),
    ]
    schemas, shared = TypeAdapter.json_schemas([*inputs, *parts], schema_generator=_TolerantSchema)
    rules: list[Any] = []
    for name, one in checked.items():
        kwargs: dict[str, Any] = {"properties": {"kwargs": schemas[name, "validation"]}}
        if any(one.names.values()):
            kwargs["required"] = ["kwargs"]
        rules.append({"if": {"properties": {"func": {"const": name}}, "required": ["func"]}, "then": kwargs})
    task: dict[str, Any] = {
        "type": "object",
        "properties": {
            "func": {"enum": list(checked)} if checked else False,
            "kwargs": {"type": "object"},
            "schedule": schemas[_SCHEDULE, "validation"],
            "policy": schemas[_POLICY, "validation"],
            "name": {"type": "string", "minLength": 1},
        },
        "required": ["func"],
        "additionalProperties": False,
        "allOf": rules,
    }
    if not rules:
        del task["allOf"]
    return {
        "$schema": _DIALECT,
        "title": "Scheduled tasks",
        "type": "object",
        "properties": {
            "$schema": {"type": "string"},
            "version": {"const": version},
            "tasks": {"type": "array", "items": task},
        },
        "required": ["version", "tasks"],
        "additionalProperties": False,
        **({"$defs": shared["$defs"]} if "$defs" in shared else {}),
    }


class _TolerantSchema(GenerateJsonSchema):
    """Let a hint that has no JSON form stand for anything."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - pydantic's own form

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:  # noqa: ARG002 - pydantic's signature
        return {}
