"""The document as pydantic models, from which its JSON Schema is made too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from typing import Annotated, Any, Final, LiteralString, cast

from pydantic import BaseModel, Field, ValidationInfo, field_validator
from pydantic.json_schema import WithJsonSchema
from pydantic_core import to_json

from ..errors import refuse, refuse_value, type_name
from ..models.faults import MODELS, WANTED, Path
from ..models.policy import DEFAULT_POLICY, Policy
from ..models.schedules import ONCE, AnySchedule
from ..tasks.checks import check_policy
from ..tasks.registry import TaskRegistry
from ..tasks.signature import KnownFunction, inspect_function

VERSION: Final = 1
"""The version of the format that is written; a newer one is refused."""
MOST_TASKS: Final = 100_000
MOST_DEPTH: Final = 32
"""How deeply an argument may be nested."""

TAKEN: Final[LiteralString] = "{name} already names an earlier task; choose another name"
PLACES: Final[dict[str, tuple[str, str]]] = {
    "document": ("document_type", "an object"),
    "$schema": ("schema_reference", "a string"),
    "version": ("unknown_version", f"{VERSION}"),
    "tasks": ("tasks_type", "an array"),
    "task": ("task_type", "an object"),
    "func": ("func_type", "the name of a function"),
    "kwargs": ("kwargs_type", "an object"),
    "name": ("task_name", "a string that is not blank"),
    **WANTED,
}
"""What each place of a document holds, and the type of the fault when it holds something else."""


class Known:
    """What is known while a document is read: the functions it has named, and the names of its tasks so far."""

    def __init__(self, registry: TaskRegistry) -> None:
        self.registry = registry
        self.functions: dict[str, tuple[Callable[..., Any], KnownFunction]] = {}
        self.names: set[str] = set()


_Info = ValidationInfo[Known]


_Name = Annotated[str, Field(pattern=r"\S")]


def _tidy(schema: dict[str, Any]) -> None:
    """Drop the titles, which repeat the names, and the defaults, which `dump` leaves out."""
    for one in schema["properties"].values():
        one.pop("title", None)
        one.pop("default", None)


class Task(BaseModel, extra="forbid", strict=True, defer_build=True, json_schema_extra=_tidy):
    """A registered function by its name, its arguments, and when it runs."""

    func: str
    kwargs: dict[str, Any] = Field({}, validate_default=True)
    schedule: AnySchedule = ONCE
    policy: Policy = DEFAULT_POLICY
    name: Annotated[_Name | None, WithJsonSchema({"type": "string", "pattern": r"\S"})] = None

    @field_validator("func")
    @classmethod
    def _is_registered(cls, func: str, info: _Info) -> str:
        if func not in info.context.functions:
            found = info.context.registry.function(func)
            info.context.functions[func] = found, inspect_function(found)
        return func

    @field_validator("kwargs")
    @classmethod
    def _read_arguments(cls, kwargs: dict[str, Any], info: _Info) -> dict[str, Any]:
        check_bounds(kwargs, ())
        func = info.data.get("func")
        if func is None:
            return kwargs
        _, known = info.context.functions[func]
        if known.wrapper is not None:
            known = known.taking((), kwargs)
        return known.read(func, kwargs) if kwargs or known.needs_arguments else kwargs

    @field_validator("policy")
    @classmethod
    def _goes_with_schedule(cls, policy: Policy, info: _Info) -> Policy:
        if "schedule" in info.data:
            check_policy(info.data["schedule"], policy, at=())
        return policy


MODELS["task"] = Task


class Document(
    BaseModel, title="Scheduled tasks", extra="forbid", strict=True, defer_build=True, json_schema_extra=_tidy
):
    """Tasks for a scheduler."""

    schema_: str = Field("", alias="$schema")
    version: Annotated[int, Field(ge=VERSION, le=VERSION), WithJsonSchema({"type": "integer", "const": VERSION})]
    tasks: list[Task] = Field(max_length=MOST_TASKS)


def checked_registry(title: str, registry: object) -> TaskRegistry:
    """Return a registry; refuse anything else (`registry_type`)."""
    if not isinstance(registry, TaskRegistry):
        remedy = "write tasks = TaskRegistry(), and register functions"
        refuse_value(title, "registry_type", "registry", "a TaskRegistry", type_name(registry), remedy)
    return registry


def check_bounds(node: Any, path: Path) -> None:
    """Refuse what JSON can't hold, and what is nested so deeply that reading it would take too much."""
    match node:
        case dict() | list() | tuple():
            if len(path) > MOST_DEPTH:
                message: LiteralString = "the argument is nested more than {most} deep; pass a flatter one"
                refuse("spec", "nesting", message, at=path[:1], most=MOST_DEPTH)
            for step, item in _items(cast(Any, node)):
                if isinstance(step, str) and not step.isascii():
                    check_bounds(step, path)
                if type(item) is not str or not item.isascii():
                    check_bounds(item, (*path, step))
        case float() if not isfinite(node):
            message = "the number must be finite and at most 1.8e308; write one nearer to zero"
            refuse("spec", "number_range", message, at=path)
        case bool() | int() | None:
            pass
        case _:
            try:
                to_json(node)
            except ValueError:
                message = "{got} can't be written as JSON; pass plain data"
                refuse("spec", "not_data", message, at=path, got=type_name(node))


def _items(held: dict[Any, Any] | Sequence[Any]) -> Iterable[tuple[Any, Any]]:
    return held.items() if isinstance(held, dict) else enumerate(held)
