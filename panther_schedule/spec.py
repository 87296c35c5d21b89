"""Tasks as JSON, and back.

    {"version": 1, "tasks": [{"func": "send_otp", "kwargs": {"name": "Ali"}, "schedule": {"kind": "once"}}]}

A document names functions of a registry and nothing else; nothing is imported. The arguments are checked by the
function's hints, every fault is reported at once with its path, and no argument's value is shown. The same tasks
give the same bytes, `load(dump(tasks))` equals the tasks, and `dump(load(text))` equals what `dump` wrote.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from math import isinf
from typing import Annotated, Any, Final, Literal, LiteralString, TypeVar, cast

from pydantic import BaseModel, Field, JsonValue, TypeAdapter, ValidationError, ValidationInfo, field_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, WithJsonSchema
from pydantic_core import ErrorDetails, InitErrorDetails, from_json, to_jsonable_python

from .errors import fault, refusal, refuse, refuse_value, type_name
from .models.faults import MODELS, WANTED, Path, worded
from .models.policy import DEFAULT_POLICY, Policy
from .models.schedules import ONCE, AnySchedule
from .tasks.checks import check_name, check_policy
from .tasks.registry import TaskRegistry
from .tasks.signature import inspect_function
from .tasks.task import BackgroundTask, check_task, check_tasks, restore

VERSION: Final = 1
"""The version of the format that is written; a newer one is refused."""

_Model = TypeVar("_Model", bound=BaseModel)
_Info = ValidationInfo[tuple[TaskRegistry, set[str]]]  # the names are those of the tasks before

_WANTED: Final[dict[str, tuple[str, str]]] = {
    "document": ("document_type", "an object"),
    "$schema": ("schema_reference", "a string"),
    "version": ("unknown_version", f"{VERSION} (a newer one needs a newer panther-schedule)"),
    "tasks": ("tasks_type", "an array"),
    "task": ("task_type", "an object"),
    "func": ("func_type", "the name of a function"),
    "kwargs": ("kwargs_type", "an object"),
    **WANTED,
}
"""What each place of a document holds, and the type of the fault when it holds something else."""
_TAKEN: Final[LiteralString] = "{name} already names an earlier task; choose another name"


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
    name: Annotated[str | None, WithJsonSchema({"type": "string", "minLength": 1})] = None

    @field_validator("func")
    @classmethod
    def _is_registered(cls, func: str, info: _Info) -> str:
        registry, _ = info.context
        registry.function(func)
        return func

    @field_validator("kwargs")
    @classmethod
    def _read_arguments(cls, kwargs: dict[str, Any], info: _Info) -> dict[str, Any]:
        if "func" not in info.data:
            return kwargs
        registry, _ = info.context
        known = inspect_function(registry.function(info.data["func"]))
        return known.taking((), kwargs).read(info.data["func"], kwargs)

    @field_validator("policy")
    @classmethod
    def _goes_with_schedule(cls, policy: Policy, info: _Info) -> Policy:
        if "schedule" in info.data:
            check_policy(info.data["schedule"], policy, at=())
        return policy

    @field_validator("name", mode="before")
    @classmethod
    def _is_free(cls, given: object, info: _Info) -> str:
        name, (_, names) = check_name(given, at=()), info.context
        if name in names:
            refuse("spec", "duplicate_name", _TAKEN, name=repr(name))
        names.add(name)
        return name


MODELS["task"] = Task


class Document(
    BaseModel, title="Scheduled tasks", extra="forbid", strict=True, defer_build=True, json_schema_extra=_tidy
):
    """Tasks for a scheduler."""

    schema_: str = Field("", alias="$schema")
    version: Annotated[int, Field(ge=VERSION, le=VERSION), WithJsonSchema({"type": "integer", "const": VERSION})]
    tasks: list[Task]


def load(text: str | bytes, registry: TaskRegistry) -> list[BackgroundTask]:
    """Read the tasks of a JSON document.

    Raises:
        ValidationError: the text is not such a document. Each fault has its path, such as `("tasks", 3, "kwargs",
            "day")`.
    """
    if not isinstance(cast(object, text), (str, bytes)):
        remedy = "write load(path.read_text(), tasks)"
        refuse_value("load", "text_type", "text", "a str or bytes of JSON", type_name(text), remedy)
    known = _checked("load", registry)
    return _restored(known, _read(Document, text, known).tasks)


def load_task(item: JsonValue, registry: TaskRegistry) -> BackgroundTask:
    """Read one task of a document; raises a `ValidationError` as `load` does."""
    try:
        text = json.dumps(item)
    except (TypeError, ValueError):  # its message may hold a secret, so ours is raised outside of this block
        text = None
    if text is None:
        message = "item must be JSON data; write load_task(json.loads(text), tasks)"
        refuse("load_task", "item_type", message, at=("item",))
    known = _checked("load_task", registry)
    return _restored(known, [_read(Task, text, known)])[0]


def dump(tasks: Iterable[BackgroundTask], registry: TaskRegistry) -> str:
    """Write tasks as a JSON document that `load` reads back as equal tasks.

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
            faults += [_said(line["type"], line["msg"], ("tasks", at, *line["loc"])) for line in error.errors()]
        if task.name in names:
            faults.append(fault("duplicate_name", _TAKEN, at=("tasks", at, "name"), name=repr(task.name)))
        elif task.name is not None:
            names.add(task.name)
    if faults:
        raise refusal("spec", faults)
    return json.dumps({"version": VERSION, "tasks": written}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def dump_task(task: BackgroundTask, registry: TaskRegistry) -> dict[str, JsonValue]:
    """Write one task as `dump` does, as a JSON object; raises a `ValidationError` as `dump` does."""
    func = _checked("dump_task", registry).name_of(check_task("dump_task", task).func)
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


def json_schema(registry: TaskRegistry) -> dict[str, Any]:
    """Return the JSON Schema of a document, with the arguments of each registered function, for an editor."""
    registered = _checked("json_schema", registry).functions
    functions = {name: inspect_function(func) for name, func in registered.items()}
    parts: list[tuple[str, Literal["validation"], TypeAdapter[Any]]] = [
        (name, "validation", known.adapter) for name, known in functions.items()
    ]
    parts.append(("", "validation", TypeAdapter(Document)))  # no function has this name: one is not blank
    schemas, shared = TypeAdapter.json_schemas(parts, schema_generator=_TolerantSchema)
    definitions = shared["$defs"]
    document = definitions.pop(schemas["", "validation"]["$ref"].rpartition("/")[2])
    task = definitions.pop(document["properties"]["tasks"]["items"]["$ref"].rpartition("/")[2])
    document["properties"]["tasks"]["items"] = task
    task["properties"]["func"] = {"enum": list(functions)} if functions else False
    for name, known in functions.items():
        required = ["kwargs"] if known.needs_arguments else []
        arguments = {"properties": {"kwargs": schemas[name, "validation"]}, "required": required}
        rule = {"if": {"properties": {"func": {"const": name}}, "required": ["func"]}, "then": arguments}
        task.setdefault("allOf", []).append(rule)
    return {"$schema": GenerateJsonSchema.schema_dialect, **document, "$defs": definitions}


def _checked(title: str, registry: object) -> TaskRegistry:
    if not isinstance(registry, TaskRegistry):
        remedy = "write tasks = TaskRegistry(), and register functions"
        refuse_value(title, "registry_type", "registry", "a TaskRegistry", type_name(registry), remedy)
    return registry


class _TolerantSchema(GenerateJsonSchema):
    """Let a hint that has no JSON form stand for anything."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - pydantic's own form

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:  # noqa: ARG002 - pydantic's signature
        return {}


def _restored(registry: TaskRegistry, lines: list[Task]) -> list[BackgroundTask]:
    return [restore(registry.function(one.func), one.kwargs, one.schedule, one.name, one.policy) for one in lines]


def _read(model: type[_Model], text: str | bytes, registry: TaskRegistry) -> _Model:
    _check_json(text)
    try:
        return model.model_validate_json(text, context=(registry, set[str]()))
    except ValidationError as error:  # it holds the values, so ours is raised outside of this block
        lines = error.errors(include_url=False)
    raise refusal("spec", [_worded(line, model) for line in lines])


def _check_json(text: str | bytes) -> None:
    """Refuse what is not JSON, and what parsers let pass: a key given twice, NaN, a number beyond a float."""
    message: LiteralString = "the text can't be read as JSON: {what}; {remedy}"
    try:
        raw = text.encode() if isinstance(text, str) else text
        from_json(raw, allow_inf_nan=False)  # its errors say where, and it limits the depth
        faults = list(_doubtful(json.loads(raw, object_pairs_hook=tuple), ()))
    except UnicodeError:
        refuse("spec", "json_invalid", message, what="it is not UTF-8", remedy="save it as UTF-8")
    except ValueError as error:
        refuse("spec", "json_invalid", message, what=error, remedy="mend it there")
    if faults:
        raise refusal("spec", faults)


def _doubtful(node: Any, path: Path) -> Iterator[InitErrorDetails]:
    """Go through data whose objects are tuples of their keys and values."""
    kind = type(cast(object, node))
    if kind is float and isinf(node):
        message: LiteralString = "the number is beyond what a float holds, 1.8e308; write one nearer to zero"
        yield fault("number_range", message, at=path)
    items: Any = node if kind is tuple else enumerate(node) if kind is list else ()
    seen: set[str | int] = set()
    for step, item in items:
        if step in seen:
            yield fault("duplicate_key", "{key} is given twice; leave out one", at=(*path, step), key=step)
        seen.add(step)
        yield from _doubtful(item, (*path, step))


def _worded(line: ErrorDetails, root: type[BaseModel]) -> InitErrorDetails:
    """Say a fault of pydantic's in our words; what our own validators say is in them already."""
    kind, message, path = worded(line, root, _WANTED)
    if kind == "extra_forbidden" and (len(path) == 1 or (isinstance(path[-2], int) and path[:-2] == ("tasks",))):
        kind = "unknown_key"
    return _said(kind, message, path)


def _said(type_: Any, message: str, at: Path) -> InitErrorDetails:
    return fault(type_, "{said}", at=at, said=message)


def _written(task: BackgroundTask) -> dict[str, JsonValue]:
    """Write a task's arguments by name; refuse those that would not survive a round trip through JSON."""
    known = task._known
    given = known.by_name(task.args, task.kwargs)
    written: dict[str, JsonValue] = {}
    lost: set[str | int] = set()
    for name, value in given.items():
        try:
            written[name] = _plain(value)
            json.dumps(written[name], allow_nan=False)
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
