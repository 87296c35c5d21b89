"""What a document of tasks holds, and how it is read: by pydantic, with every fault at once and in our words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from math import isinf
from typing import Annotated, Any, Final, Literal, LiteralString, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, ValidationInfo, WithJsonSchema, field_validator
from pydantic_core import ErrorDetails, InitErrorDetails, from_json

from ..errors import fault, refusal, refuse
from ..models.policy import DEFAULT_POLICY, Policy
from ..models.schedules import ONCE, SCHEDULES, AnySchedule
from .checks import check_name, check_policy
from .signature import inspect_function, json_type

VERSION: Final = 1
"""The version of the format that is written; a newer one is refused."""

_Path = tuple[str | int, ...]
_Model = TypeVar("_Model", bound=BaseModel)

_WANTED: Final[dict[str, tuple[LiteralString, str]]] = {
    "a document": ("document_type", "an object"),
    "$schema": ("schema_reference", "a string"),
    "version": ("unknown_version", str(VERSION)),
    "tasks": ("tasks_type", "an array"),
    "a task": ("task_type", "an object"),
    "func": ("func_type", "the name of a function"),
    "kwargs": ("kwargs_type", "an object"),
    "schedule": ("dict_type", "an object"),
    "policy": ("dict_type", "an object"),
}
"""What each place of a document must hold, and the type of the fault when it does not."""
_UNWANTED: Final = ("missing", "string_type", "list_type", "dict_type", "model_type", "literal_error")
_KINDS: Final = ", ".join(repr(model.model_fields["kind"].default) for model in SCHEDULES)


def _tidy(schema: dict[str, Any]) -> None:
    """Drop the titles, which repeat the names, and the defaults, which `dump` leaves out."""
    for field in schema["properties"].values():
        field.pop("title", None)
        field.pop("default", None)


class TaskLine(BaseModel, extra="forbid", strict=True, defer_build=True, json_schema_extra=_tidy):
    """A registered function by its name, its arguments, and when it runs."""

    func: str
    kwargs: dict[str, Any] = Field({}, validate_default=True)
    schedule: AnySchedule = ONCE
    policy: Policy = DEFAULT_POLICY
    name: Annotated[str | None, BeforeValidator(check_name), WithJsonSchema({"type": "string", "minLength": 1})] = None

    @field_validator("func")
    @classmethod
    def _is_registered(cls, name: str, info: ValidationInfo) -> str:
        info.context.function(name)
        return name

    @field_validator("kwargs")
    @classmethod
    def _read_arguments(cls, kwargs: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        func = info.data.get("func")
        return kwargs if func is None else inspect_function(info.context.function(func)).read(func, kwargs)

    @field_validator("policy")
    @classmethod
    def _goes_with_the_schedule(cls, policy: Policy, info: ValidationInfo) -> Policy:
        if "schedule" in info.data:
            check_policy(info.data["schedule"], policy)
        return policy


class Document(
    BaseModel, title="Scheduled tasks", extra="forbid", strict=True, defer_build=True, json_schema_extra=_tidy
):
    """Tasks for a scheduler."""

    schema_: str = Field("", alias="$schema")
    version: Literal[1]
    tasks: list[TaskLine]

    @field_validator("version", mode="before")
    @classmethod
    def _is_known(cls, version: object) -> object:
        if type(version) is not int:
            return None  # to Literal[1], true is 1
        if version > VERSION:
            refuse(
                "spec",
                "unknown_version",
                "version {version} is newer than this program reads, which is {known}; upgrade panther-schedule",
                version=version,
                known=VERSION,
            )
        return version


def read(model: type[_Model], text: str | bytes, registry: object) -> _Model:
    """Read a document or a task of it; raise a `ValidationError` that has every fault with its path."""
    data = _parsed(text)
    try:
        found, lines = model.model_validate_json(text, context=registry), []
    except ValidationError as error:  # it holds the values, so ours is raised outside of this block
        found, lines = None, error.errors(include_url=False, include_input=False)
    faults = [_worded(line, data, model) for line in lines]
    if model is Document:
        faults += duplicates(_names(data))
    if faults or found is None:
        raise refusal("spec", faults)
    return found


def duplicates(names: Iterable[object]) -> Iterator[InitErrorDetails]:
    """Give a fault for each task whose name an earlier one has."""
    first: dict[str, int] = {}
    for at, name in enumerate(names):
        if isinstance(name, str) and first.setdefault(name, at) != at:
            yield fault(
                "duplicate_name",
                "{name} is the name of tasks[{first}] already, and a name has one task; choose another",
                at=("tasks", at, "name"),
                name=repr(name),
                first=first[name],
            )


def said(type_: Any, message: str, at: _Path) -> InitErrorDetails:
    """Say at this path what another part has said."""
    return fault(type_, "{said}", at=at, said=message[:1].lower() + message[1:])


class _Pairs(list[tuple[str, Any]]):
    """An object of the text, with the keys that it gives twice."""


def _parsed(text: str | bytes) -> Any:
    """Read JSON without what parsers let pass: a key given twice, NaN, a number beyond a float."""
    message: LiteralString = "the text can't be read as JSON: {what}; {remedy}"
    try:
        raw = text.encode() if isinstance(text, str) else text
        data = from_json(raw, allow_inf_nan=False)  # its errors say where, and it limits the depth
        faults = list(_doubtful(json.loads(raw, object_pairs_hook=_Pairs), ()))
    except UnicodeError:
        refuse("spec", "json_invalid", message, what="it is not UTF-8", remedy="save it as UTF-8")
    except ValueError as error:
        refuse("spec", "json_invalid", message, what=error, remedy="mend it there")
    if faults:
        raise refusal("spec", faults)
    return data


def _doubtful(node: Any, path: _Path) -> Iterator[InitErrorDetails]:
    if isinstance(node, _Pairs):
        for key, times in Counter(key for key, _ in node).items():
            if times > 1:
                yield fault("duplicate_key", "{key} is given twice; leave out one", at=(*path, key), key=key)
        for key, item in node:
            yield from _doubtful(item, (*path, key))
    elif isinstance(node, list):
        for place, item in enumerate(node):
            yield from _doubtful(item, (*path, place))
    elif isinstance(node, float) and isinf(node):
        message: LiteralString = "the number is beyond what a float holds, 1.8e308; write one nearer to zero"
        yield fault("number_range", message, at=path)


def _names(data: Any) -> list[object]:
    tasks = data.get("tasks") if isinstance(data, dict) else None
    return [task.get("name") if isinstance(task, dict) else None for task in tasks] if isinstance(tasks, list) else []


def _worded(line: ErrorDetails, data: Any, model: type[BaseModel]) -> InitErrorDetails:
    """Say a fault of pydantic's in our words; those of our own validators are in them already."""
    kind, message = line["type"], line["msg"]
    path, value = _followed(line["loc"], data)
    got = repr(value) if path == ("version",) else json_type(value)
    if kind in ("missing", "missing_argument"):
        path, got = (*path, line["loc"][-1]), "none"
    if path[-2:-1] == ("tasks",) or (not path and model is not Document):
        place = "a task"
    else:
        place = str(path[-1]) if path else "a document"
    around = next((step for step in reversed(path[:-1]) if step in ("schedule", "policy", "retry")), None)
    if place in _WANTED and kind in _UNWANTED:
        kind, rule = _WANTED[place]
        message = f"{place} must be {rule}, got {got}"
    elif kind == "missing":
        message = f"{place} is missing; add it"
    elif kind == "extra_forbidden" and around:
        message = f"{place} is not a field of this {around}; leave it out"
    elif kind == "extra_forbidden":
        fields = (TaskLine if len(path) > 1 else model).model_fields
        known = ", ".join(field.alias or name for name, field in fields.items())
        kind, message = "unknown_key", f"{place} is not a key here; there are {known}"
    elif kind == "union_tag_invalid":
        path, message = (*path, "kind"), f"kind must be one of {line['ctx']['expected_tags']}, got {value['kind']!r}"
    elif kind == "union_tag_not_found":
        path, message = (*path, "kind"), f"kind is missing; add one of {_KINDS}"
    return said(kind, message, path)


def _followed(loc: _Path, data: Any) -> tuple[_Path, Any]:
    """Follow a path through the data, without the steps that name a part of a union or a field once more."""
    path: list[str | int] = []
    for step in loc:
        try:
            data = data[step]
        except (LookupError, TypeError):
            continue
        path.append(step)
    return tuple(path), data
