"""The JSON Schema of a document, for editors and validators."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from ..models.faults import MODELS
from ..tasks.registry import TaskRegistry
from ..tasks.signature import inspect_function
from .document import Document, checked_registry


def json_schema(registry: TaskRegistry | None = None) -> dict[str, Any]:
    """Return the JSON Schema of a document, with the arguments of each registered function, for an editor.

    Without a registry it says nothing of functions; `tasks.schema.json` in the folder of the package is that one.
    """
    known = TaskRegistry() if registry is None else checked_registry("json_schema", registry)
    functions = {name: inspect_function(func) for name, func in known.functions.items()}
    parts: list[tuple[str, Literal["validation"], TypeAdapter[Any]]] = [
        (name, "validation", one.adapter) for name, one in functions.items()
    ]
    parts.append(("", "validation", TypeAdapter(Document)))  # no function has this name: one is not blank
    for model in MODELS.values():  # pydantic 2.12 can't write a default whose class it has not built yet
        model.model_rebuild()
    schemas, shared = TypeAdapter.json_schemas(parts, schema_generator=_TolerantSchema)
    definitions = shared["$defs"]
    document = definitions.pop(schemas["", "validation"]["$ref"].rpartition("/")[2])
    task = definitions.pop(document["properties"]["tasks"]["items"]["$ref"].rpartition("/")[2])
    document["properties"]["tasks"]["items"] = task
    if registry is not None:
        task["properties"]["func"] = {"enum": list(functions)} if functions else False
    for name, one in functions.items():
        required = ["kwargs"] if one.needs_arguments else []
        arguments = {"properties": {"kwargs": schemas[name, "validation"]}, "required": required}
        rule = {"if": {"properties": {"func": {"const": name}}, "required": ["func"]}, "then": arguments}
        task.setdefault("allOf", []).append(rule)
    return {"$schema": GenerateJsonSchema.schema_dialect, **document, "$defs": definitions}


class _TolerantSchema(GenerateJsonSchema):
    """Let a hint that has no JSON form stand for anything."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - pydantic's own form

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:  # noqa: ARG002 - pydantic's signature
        return {}
