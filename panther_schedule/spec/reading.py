"""From a source to tasks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from ..errors import brief, refuse
from ..models.faults import worded
from ..tasks.registry import TaskRegistry
from ..tasks.task import BackgroundTask, restore
from .document import MOST_TASKS, PLACES, TAKEN, VERSION, Document, Known, Task, checked_registry
from .sources import Fault, Source, read_source

_Model = TypeVar("_Model", bound=BaseModel)
_MOST_FAULTS: Final = 100
_SLICE: Final = 100  # tasks that are validated at once: each may have many faults


def load(
    source: str | bytes | Mapping[str, Any] | Path,
    registry: TaskRegistry | None = None,
    *,
    allow: Collection[str] = (),
) -> list[BackgroundTask]:
    """Read the tasks of a document: JSON text, a dict, or a file that ends in .json, .toml, .yaml or .yml.

    Functions are those of `registry` by their names, or those that the modules in `allow` define, by their dotted
    paths: "app.tasks.send_otp". These modules are imported, and nothing that a document says imports another. YAML is
    that of version 1.2, and needs `panther-schedule[yaml]`.

    Raises:
        ValidationError: the source is not such a document. Each fault has its path, such as `("tasks", 3, "kwargs",
            "day")`, and in text and files its message begins with `file:line:column: path: `. There are at most 100.
        OSError: the file can't be read.
        ModuleNotFoundError: the library that reads YAML is not installed.
    """
    known = _functions("load", registry, allow)
    return _tasks(read_source("load", source), known)


def load_task(
    item: str | bytes | Mapping[str, JsonValue] | Path,
    registry: TaskRegistry | None = None,
    *,
    allow: Collection[str] = (),
) -> BackgroundTask:
    """Read one task of a document; it takes what `load` does, and raises what `load` does."""
    known = _functions("load_task", registry, allow)
    source = read_source("load_task", item)
    task, faults = _validated(Task, source.data, known)
    if task is None:
        raise source.refusal(faults)
    return _restored(task, known)


def _functions(title: str, registry: object, allow: Collection[str]) -> Known:
    if registry is not None and allow:
        refuse(title, "registry_or_allow", "a registry and allow exclude each other; leave out one", at=("allow",))
    return Known(TaskRegistry.of_modules(allow) if allow else checked_registry(title, registry))


def _tasks(source: Source, known: Known) -> list[BackgroundTask]:
    """Validate a document slice by slice, so that one with countless faults costs little."""
    slices: list[Any] = [source.data]
    if (given := _given(source.data)) is not None:
        if len(given) > MOST_TASKS:
            message = f"tasks must be at most {MOST_TASKS:,}, got {len(given):,}; split the document"
            raise source.refusal([("too_large", message, ("tasks",))])
        slices = [{**source.data, "tasks": given[at : at + _SLICE]} for at in range(0, len(given) or 1, _SLICE)]
    tasks: list[BackgroundTask] = []
    faults: list[Fault] = []
    for number, part in enumerate(slices):
        document, found = _validated(Document, part, known)
        found += _taken(part, known.names)
        if document is not None and not found:
            tasks += [_restored(task, known) for task in document.tasks]
            continue
        if newer := [fault for fault in found if fault[0] == "newer_version"]:  # the others may be right there
            raise source.refusal(newer)
        faults += [_moved(fault, number * _SLICE) for fault in found if not number or fault[2][:1] == ("tasks",)]
        if len(faults) > _MOST_FAULTS:
            faults[_MOST_FAULTS:] = [("more_faults", "further faults are left out; mend these first", ())]
            break
    if faults:
        raise source.refusal(faults)
    return tasks


def _given(document: Any) -> list[Any] | None:
    """Return the tasks of a document that may be anything."""
    tasks: Any = document.get("tasks") if isinstance(document, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - it may hold anything
    return tasks if isinstance(tasks, list) else None  # pyright: ignore[reportUnknownVariableType] - as above


def _taken(document: object, names: set[str]) -> list[Fault]:
    """Find the names that two tasks have, also where a task has other faults."""
    faults: list[Fault] = []
    for at, item in enumerate(_given(document) or ()):
        if isinstance(item, dict) and isinstance(name := cast(dict[str, Any], item).get("name"), str):
            if name in names:
                faults.append(("duplicate_name", TAKEN.format(name=brief(name)), ("tasks", at, "name")))
            names.add(name)
    return faults


def _moved(fault: Fault, by: int) -> Fault:
    kind, message, path = fault
    return (kind, message, ("tasks", path[1] + by, *path[2:])) if len(path) > 1 and isinstance(path[1], int) else fault


def _validated(model: type[_Model], data: object, known: Known) -> tuple[_Model | None, list[Fault]]:
    try:
        return model.model_validate(data, context=known), []
    except ValidationError as error:  # it holds the values, so ours is made of its words alone
        return None, [_worded(line, model) for line in error.errors(include_url=False)[: _MOST_FAULTS + 1]]


def _worded(line: ErrorDetails, root: type[BaseModel]) -> Fault:
    """Say a fault of pydantic's in our words; what our own validators say is in them already."""
    kind, message, path = worded(line, root, PLACES)
    if kind == "unknown_version" and type(given := line["input"]) is int and given > VERSION:
        from importlib.metadata import version  # noqa: PLC0415 - it takes long to import

        message = f"version {given} needs a panther-schedule newer than {version('panther-schedule')}; update it"
        kind = "newer_version"
    if kind == "extra_forbidden" and (len(path) == 1 or (isinstance(path[-2], int) and path[:-2] == ("tasks",))):
        kind = "unknown_key"
    return kind, message, path


def _restored(task: Task, known: Known) -> BackgroundTask:
    return restore(*known.functions[task.func], task.kwargs, task.schedule, task.name, task.policy)
