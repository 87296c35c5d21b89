"""What an argument of a command names: a document, a module of tasks, or a schedule written on the line."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple, cast

from pydantic import ValidationError

from ..errors import nearest, type_name
from ..models.schedules import Cron, Schedule
from ..runtime.scheduler import Scheduler
from ..spec.reading import load, load_task
from ..tasks.registry import TaskRegistry
from ..tasks.signature import function_name
from ..tasks.task import BackgroundTask, check_tasks
from .faults import Fault, Faulty, Impossible, Usage, faults_at_import, faults_of

_SUFFIXES: Final = {".json", ".toml", ".yaml", ".yml"}
_NAME: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*(:[^\W\d]\w*(\.[^\W\d]\w*)*)?")


class Source(NamedTuple):
    """An argument, and where the functions are that a document names."""

    text: str
    registry: str | None = None
    allow: Collection[str] = ()


def read(source: Source) -> Mapping[str, BackgroundTask]:
    """Return the tasks of a document or a module, or one of a schedule, by names that differ; no scheduler starts.

    Raises:
        Faulty: what it names has faults, each with its place.
        Impossible: there is no such module or object.
        OSError: there is no such file.
        Usage: it names nothing of this kind.
    """
    os.environ["PANTHER_SCHEDULE_DISABLED"] = "1"  # a module may add tasks when it is imported
    if _is_schedule(source.text):
        return {"": _scheduled(source.text.strip())}
    found = _found(source)
    if isinstance(found, Schedule):
        return {"": BackgroundTask(_nothing).with_schedule(cast(Any, found)).with_name(source.text)}
    return _named(_tasks(source, found))


def read_to_run(source: Source) -> list[BackgroundTask] | Scheduler:
    """Return the tasks of a document or a module, or a scheduler that has its tasks; it raises what `read` does."""
    found = _with_functions(source)
    return found if isinstance(found, Scheduler) else _tasks(source, found)


def read_to_keep(source: Source) -> tuple[list[BackgroundTask], TaskRegistry]:
    """Return the named tasks of a document or a module, and the registry of their functions; it raises as `read`."""
    os.environ["PANTHER_SCHEDULE_DISABLED"] = "1"
    found, registry = _with_functions(source), registry_of(source)
    if registry is None and isinstance(found, TaskRegistry):
        registry = found
    if registry is None:
        raise Usage(
            f"{source.text} does not say by which names to keep its functions; add --registry app.tasks:registry"
        )
    tasks = _tasks(source, found)
    if unnamed := [at for at, task in enumerate(tasks) if task.name is None]:
        message = "name must be set, for a task in a file is found again by it; add one, such as 'digest'"
        raise Faulty([Fault(type="name_missing", message=message, path=f"tasks[{at}].name") for at in unnamed])
    return tasks, registry


def registry_of(source: Source) -> TaskRegistry | None:
    """Return the functions that a document may name; None when the options name none."""
    if source.registry and source.allow:
        raise Usage("--registry and --allow exclude each other; leave out one")
    for module in source.allow:
        _module(module)
    if source.registry is None:
        return TaskRegistry.of_modules(source.allow) if source.allow else None
    found = _object(source.registry, TaskRegistry)
    if not isinstance(found, TaskRegistry):
        raise Usage(f"--registry {source.registry} must be a TaskRegistry, got {type_name(found)}")
    return found


def _is_schedule(text: str) -> bool:
    return text.lstrip().startswith(("{", "@")) or " " in text.strip()


def _nothing() -> None:
    """Stand for a function, where only the schedule counts."""


def _scheduled(text: str) -> BackgroundTask:
    try:
        if not text.startswith("{"):
            return BackgroundTask(_nothing).with_schedule(Cron(text)).with_name(text)
        functions = TaskRegistry()
        functions.register(_nothing)
        item = {"func": "_nothing", "schedule": json.loads(text), "name": text}
        return load_task(item, functions)  # its faults are in our words
    except json.JSONDecodeError as error:
        raise Faulty([Fault(type="json_invalid", message=str(error))]) from error
    except ValidationError as error:
        raise Faulty([Fault(type=it.type, message=it.message) for it in faults_of(error)]) from error


def _found(source: Source) -> object:
    if Path(source.text).suffix.lower() not in _SUFFIXES:
        return _object(source.text, TaskRegistry, list, tuple, Scheduler)
    if (registry := registry_of(source)) is None:
        raise Usage(f"{source.text} names functions; say where: --registry app.tasks:tasks, or --allow app.tasks")
    try:
        return load(Path(source.text), registry)
    except ValidationError as error:
        raise Faulty(faults_of(error)) from error


def _with_functions(source: Source) -> object:
    if _is_schedule(source.text) or isinstance(found := _found(source), Schedule):
        raise Usage("a schedule has no function to run; name a document or a module of tasks")
    return found


def _tasks(source: Source, found: object) -> list[BackgroundTask]:
    if isinstance(found, Scheduler):
        raise Usage(f"{source.text} is a scheduler, which has tasks only while it runs; name a list or a TaskRegistry")
    try:
        return check_tasks("tasks", [cast(object, found)] if isinstance(found, BackgroundTask) else found)
    except ValidationError as error:
        raise Faulty(faults_of(error)) from error


def _named(tasks: list[BackgroundTask]) -> Mapping[str, BackgroundTask]:
    """Name each task: by its own name, or by its function's, with a number where several have it."""
    seen: Counter[str] = Counter()
    found: dict[str, BackgroundTask] = {}
    for task in tasks:
        name = function_name(task.func) if task.name is None else task.name
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name}#{seen[name]}"] = task
    return found


def _object(text: str, *kinds: type) -> object:
    """Import `module:object`; of a module alone, return its only object of the first kind that it has."""
    if not _NAME.fullmatch(text):
        raise Usage(f"{text!r} is no document (.json, .toml, .yaml), no module (app.tasks:tasks) and no schedule")
    name, _, path = text.partition(":")
    module = _module(name)
    found: object = module
    for step in filter(None, path.split(".")):
        if not hasattr(found, step):
            hint = nearest(step, getattr(found, "__dict__", ()))
            raise Impossible(f"{name} has no {path!r}" + (f"; {hint}" if hint else ""))
        found = getattr(found, step)
    if path:
        return found
    public = {one: it for one, it in vars(module).items() if not one.startswith("_") and _may_have_tasks(it)}
    for kind in kinds:
        having: dict[int, str] = {id(it): one for one, it in public.items() if isinstance(it, kind)}
        if len(having) > 1:
            names = sorted(having.values())
            raise Usage(f"{name} has {' and '.join(names)}; write {name}:{names[0]}")
        for one in having.values():
            return public[one]
    raise Impossible(f"{name} has no {kinds[0].__name__}" + (" and no list of tasks" if len(kinds) > 1 else ""))


def _may_have_tasks(value: Any) -> bool:
    return not isinstance(value, (list, tuple)) or isinstance(next(iter(cast(Any, value)), None), BackgroundTask)


def _module(name: str) -> ModuleType:
    if (here := os.getcwd()) not in sys.path:
        sys.path.insert(0, here)
    try:
        with redirect_stdout(sys.stderr):  # stdout is for what the command says
            return import_module(name)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
            raise Impossible(f"there is no module {error.name!r} in {here} or on Python's path") from error
        faults = faults_at_import(error)
        raise (Faulty(faults) if isinstance(error, ValidationError) else Impossible(str(faults[0]))) from error
