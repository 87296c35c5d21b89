"""Tasks as JSON, and back.

    {"version": 1, "tasks": [{"func": "send_otp", "kwargs": {"name": "Ali"}, "schedule": {"kind": "once"}}]}

A document names functions of a registry and nothing else; nothing is imported. The arguments are checked by the
function's hints, every fault is reported at once with its path, and no argument's value is shown. The same tasks
give the same bytes, `load(dump(tasks))` equals the tasks, and `dump(load(text))` equals what `dump` wrote.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final, LiteralString, TypeVar, cast

from pydantic import JsonValue, ValidationError
from pydantic_core import InitErrorDetails

from .errors import fault, refusal, type_name
from .models.policy import DEFAULT_POLICY, Policy
from .models.schedules import SCHEDULES, AnySchedule, Once
from .tasks.hints import hint_text
from .tasks.refusals import checked_name, refuse_policy
from .tasks.registry import TaskRegistry
from .tasks.signature import Checked, function_name, inspect_function
from .tasks.spec_schema import SCHEDULE, document_schema
from .tasks.strict_json import json_type, parse, plain, steps_through
from .tasks.task import BackgroundTask, restore

VERSION: Final = 1
"""The version of the format that is written; a newer one is refused."""

_Path = tuple[str | int, ...]
_Object = dict[str, JsonValue]
_Model = TypeVar("_Model")


def load(text: str | bytes, registry: TaskRegistry) -> list[BackgroundTask]:
    """Read the tasks of a JSON document.

    Raises:
        ValidationError: the text is no such document. Each fault has its path, such as `("tasks", 3, "kwargs",
            "day")`.
    """
    document = parse(text)
    faults: list[InitErrorDetails] = []
    loaded: list[BackgroundTask] = []
    names: dict[str, int] = {}
    for at, item in enumerate(_tasks(document, faults)):
        before = len(faults)
        path = ("tasks", at)
        task = _task(item, path, registry, faults)
        if isinstance(item, dict) and isinstance(name := item.get("name"), str):
            first = names.setdefault(name, at)
            if first != at:
                faults.append(_duplicate(name, first, path))
        if task is not None and len(faults) == before:
            loaded.append(task)
    if faults:
        raise refusal("spec", faults)
    return loaded


def dump(tasks: Iterable[BackgroundTask], registry: TaskRegistry) -> str:
    """Write tasks as a JSON document that `load` reads back as equal tasks.

    Raises:
        ValidationError: a task's function is not registered (`unregistered_function`), an argument would not come
            back equal (`argument_json`), two tasks have one name (`duplicate_name`), or a repeat without a wait has a
            policy that needs one (`overlap_without_wait`, `jitter_without_wait`). Each fault has its path.
    """
    faults: list[InitErrorDetails] = []
    written: list[JsonValue] = []
    names: dict[str, int] = {}
    for at, task in enumerate(tasks):
        path = ("tasks", at)
        try:
            written.append(cast(JsonValue, dump_task(task, registry)))
        except ValidationError as error:
            faults += _moved(error, path)
        if task.name is not None and names.setdefault(task.name, at) != at:
            faults.append(_duplicate(task.name, names[task.name], path))
    if faults:
        raise refusal("spec", faults)
    return json.dumps({"version": VERSION, "tasks": written}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def load_task(item: JsonValue, registry: TaskRegistry) -> BackgroundTask:
    """Read one task of a document; raises a `ValidationError` as `load` does."""
    faults: list[InitErrorDetails] = []
    task = _task(item, (), registry, faults)
    if task is None or faults:
        raise refusal("spec", faults)
    return task


def dump_task(task: BackgroundTask, registry: TaskRegistry) -> _Object:
    """Write one task as `dump` does, as a JSON object; raises a `ValidationError` as `dump` does."""
    func = registry.name_of(task.func)
    refuse_policy(task.schedule, task.policy)
    checked = inspect_function(task.func)
    item: _Object = {
        "func": func,
        "kwargs": _written_arguments(task, checked),
        "schedule": task.schedule.model_dump(mode="json", exclude_none=True),
    }
    if task.policy != DEFAULT_POLICY:
        item["policy"] = task.policy.model_dump(mode="json", exclude_defaults=True)
    if task.name is not None:
        item["name"] = task.name
    return item


def json_schema(registry: TaskRegistry) -> dict[str, Any]:
    """Return the JSON Schema of a document, with the arguments of each registered function, for an editor."""
    return document_schema(registry, VERSION)


def _tasks(document: JsonValue, faults: list[InitErrorDetails]) -> list[JsonValue]:
    if not isinstance(document, dict):
        _add(faults, (), "document_type", "a document must be an object, got {got}", got=json_type(document))
        return []
    _refuse_surplus(document, ("$schema", "version", "tasks"), (), faults)
    if "$schema" in document and not isinstance(document["$schema"], str):
        got = json_type(document["$schema"])
        _add(faults, ("$schema",), "schema_reference", "$schema must be a string, got {got}", got=got)
    version = document.get("version")
    if type(version) is int and version > VERSION:
        _add(
            faults,
            ("version",),
            "unknown_version",
            "version {version} is newer than this program reads, which is {known}; upgrade panther-schedule",
            version=version,
            known=VERSION,
        )
    elif type(version) is not int or version != VERSION:
        got = repr(version) if "version" in document else "none"
        _add(faults, ("version",), "unknown_version", "version must be {known}, got {got}", known=VERSION, got=got)
    tasks = document.get("tasks")
    if not isinstance(tasks, list):
        got = json_type(tasks) if "tasks" in document else "none"
        _add(faults, ("tasks",), "tasks_type", "tasks must be an array, got {got}", got=got)
        return []
    return tasks


def _task(
    item: JsonValue, path: _Path, registry: TaskRegistry, faults: list[InitErrorDetails]
) -> BackgroundTask | None:
    if not isinstance(item, dict):
        _add(faults, path, "task_type", "a task must be an object, got {got}", got=json_type(item))
        return None
    _refuse_surplus(item, ("func", "kwargs", "schedule", "policy", "name"), path, faults)
    schedule: AnySchedule | None = Once()
    if "schedule" in item:
        schedule = _model(SCHEDULE.validate_json, item["schedule"], (*path, "schedule"), faults)
    policy: Policy | None = DEFAULT_POLICY
    if "policy" in item:
        policy = _model(Policy.model_validate_json, item["policy"], (*path, "policy"), faults)
    if schedule is not None and policy is not None:
        try:
            refuse_policy(schedule, policy)
        except ValidationError as error:
            faults += _moved(error, path)
    name: str | None = None
    if "name" in item:
        try:
            name = checked_name(item["name"])
        except ValidationError as error:
            faults += _moved(error, path)
    func = item.get("func")
    if not isinstance(func, str):
        got = json_type(func) if "func" in item else "none"
        _add(faults, (*path, "func"), "func_type", "func must be the name of a function, got {got}", got=got)
        return None
    try:
        function = registry.function(func)
    except ValidationError as error:
        faults += _moved(error, (*path, "func"))
        return None
    kwargs = _arguments(item.get("kwargs", {}), func, inspect_function(function), (*path, "kwargs"), faults)
    if kwargs is None or schedule is None or policy is None:
        return None
    return restore(function, kwargs, schedule, name, policy)


def _model(
    read: Callable[[str], _Model], value: JsonValue, path: _Path, faults: list[InitErrorDetails]
) -> _Model | None:
    """Read a schedule or a policy, and say its faults in our words."""
    try:
        return read(json.dumps(value))
    except ValidationError as error:
        lines = error.errors(include_url=False)
    for line in lines:
        steps, kind, message = steps_through(line["loc"], value), line["type"], line["msg"]
        if kind == "union_tag_invalid":
            steps, message = (*steps, "kind"), f"kind must be one of {_kinds()}, got {_kind_of(value)!r}"
        elif kind == "union_tag_not_found":
            steps, message = (*steps, "kind"), f"kind is missing; add one of {_kinds()}"
        elif kind == "missing":
            message = f"{steps[-1]} is missing; add it"
        elif kind in ("dict_type", "model_type"):
            kind, message = "dict_type", f"{path[-1]} must be an object, got {json_type(value)}"
        elif kind == "extra_forbidden":
            within = (*path, *steps)[-2]
            message = f"{steps[-1]} is not a field of this {within}; leave it out"
        _add(faults, (*path, *steps), _stable(kind), "{said}", said=message[:1].lower() + message[1:])
    return None


def _kind_of(value: JsonValue) -> JsonValue:
    return value.get("kind") if isinstance(value, dict) else None


def _kinds() -> str:
    return ", ".join(repr(model.model_fields["kind"].default) for model in SCHEDULES)


def _arguments(
    value: JsonValue, func: str, checked: Checked, path: _Path, faults: list[InitErrorDetails]
) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        _add(faults, path, "kwargs_type", "kwargs must be an object, got {got}", got=json_type(value))
        return None
    try:
        return dict(checked.keywords.validate_json(json.dumps(value)))
    except ValidationError as error:
        lines = error.errors(include_url=False, include_input=False)
    rule = checked.signature_text(func)
    seen: set[_Path] = set()
    for line in lines:
        steps = _shallow(steps_through(line["loc"], value))
        if steps in seen:
            continue
        seen.add(steps)
        if not steps:
            _add(faults, path, "kwargs_json", "kwargs can't be read ({kind})", kind=line["type"])
            continue
        at, name = (*path, *steps), steps[0]
        if line["type"] == "missing" and name not in value:
            _add(faults, at, "missing_argument", "{name} is missing; add it: {rule}", name=name, rule=rule)
        elif line["type"] == "extra_forbidden" and name not in checked.names:
            _add(
                faults, at, "unknown_argument", "{name} is not an argument; leave it out: {rule}", name=name, rule=rule
            )
        else:
            _add(
                faults,
                at,
                "argument_type",
                "{name} must be the JSON of {hint}, got {got} ({kind}); {rule}",
                name=name,
                hint=hint_text(checked.hint(str(name))),
                got=json_type(value[str(name)]),
                kind=line["type"],
                rule=rule,
            )
    return None


def _written_arguments(task: BackgroundTask, checked: Checked) -> _Object:
    given = checked.by_name(task.args, task.kwargs)
    title = f"BackgroundTask({function_name(task.func)})"
    faults: list[InitErrorDetails] = []
    written: _Object = {}
    for name, value in given.items():
        try:
            written[name] = plain(value)
        except (ValueError, TypeError):  # pydantic_core's PydanticSerializationError is a ValueError
            _add(
                faults,
                ("kwargs", name),
                "argument_json",
                "{name} has no JSON form, being of type {got}; give the task data",
                name=name,
                got=type_name(value),
            )
    if faults:
        raise refusal(title, faults)
    back: dict[str, Any] = {}
    try:
        back = dict(checked.keywords.validate_json(json.dumps(written)))
    except ValidationError as error:
        broken = {line["loc"][0] for line in error.errors(include_url=False, include_input=False) if line["loc"]}
    else:
        broken = {name for name, value in given.items() if not (value is back[name] or value == back[name])}
    for name in given:
        if name in broken:
            _add(
                faults,
                ("kwargs", name),
                "argument_json",
                "{name} would not come back from JSON as the {got} it is; hint it in {rule}",
                name=name,
                got=type_name(given[name]),
                rule=checked.signature_text(function_name(task.func)),
            )
    if faults:
        raise refusal(title, faults)
    return written


def _shallow(steps: _Path) -> _Path:
    """Keep an argument's name and the places in its arrays; a key below may be a value itself."""
    end = next((place for place, step in enumerate(steps) if place and isinstance(step, str)), len(steps))
    return steps[:end]


def _refuse_surplus(item: _Object, known: tuple[str, ...], path: _Path, faults: list[InitErrorDetails]) -> None:
    for key in item:
        if key not in known:
            words = ", ".join(known)
            _add(
                faults, (*path, key), "unknown_key", "{key} is not a key here; there are {known}", key=key, known=words
            )


def _duplicate(name: str, first: int, path: _Path) -> InitErrorDetails:
    message: LiteralString = "{name} is the name of tasks[{first}] already, and a name has one task; choose another"
    return fault("duplicate_name", message, at=(*path, "name"), name=repr(name), first=first)


def _moved(error: ValidationError, path: _Path) -> list[InitErrorDetails]:
    """Put one part's own faults at their path in the document."""
    faults: list[InitErrorDetails] = []
    for line in error.errors(include_url=False):
        _add(faults, (*path, *line["loc"]), _stable(line["type"]), "{said}", said=line["msg"])
    return faults


def _add(
    faults: list[InitErrorDetails], at: _Path, type_: LiteralString, message: LiteralString, **words: object
) -> None:
    faults.append(fault(type_, message, at=at, **words))


def _stable(type_: str) -> Any:
    return type_  # a type of pydantic's or ours, so as good as the literal that `fault` asks for
