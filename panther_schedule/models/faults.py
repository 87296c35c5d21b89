"""What pydantic says of a model's fields, in our words: without its links, and with a remedy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from ..errors import brief, nearest, type_name

Path = tuple[str | int, ...]

MODELS: Final[dict[str, type[BaseModel]]] = {}
"""The models of this package by their kind, or else by their name: what paths call them."""
WANTED: Final = {
    "of": ("tuple_type", "an array"),
    "schedule": ("dict_type", "an object"),
    "policy": ("dict_type", "an object"),
}
_SAYS_SO: Final = re.compile(r"missing|\w+_type|\w+_than_equal|string_\w+")  # what pydantic says of a place in `WANTED`
_JSON_TYPES: Final[dict[type, str]] = {
    type(None): "null", bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array",
    dict: "an object",
}  # fmt: skip
_ALSO_CALLED: Final = {
    "timezone": ("tz",), "zone": ("tz",), "time": ("at",), "on": ("days", "day"), "weekday": ("days", "day"),
    "interval": ("wait",),
}  # fmt: skip
"""Fields by names that are often tried, and spelled too differently to be guessed."""


def in_our_words(root: type[BaseModel], error: ValidationError) -> ValidationError:
    """Return a model's error with pydantic's own messages replaced; what our validators say is kept."""
    lines: list[InitErrorDetails] = []
    for line in error.errors(include_url=False):
        kind, message, path = worded(line, root)
        said: Any = PydanticCustomError(kind, "{said}", {"said": message})
        lines.append(InitErrorDetails(type=said, loc=path, input=line["input"]))
    return ValidationError.from_exception_data(error.title, lines)


def worded(
    line: ErrorDetails, root: type[BaseModel], wanted: Mapping[str, tuple[str, str]] = WANTED
) -> tuple[Any, str, Path]:
    """Return the type, the message and the path of a fault in data for the model `root`.

    `wanted` says what places hold, and the type of the fault when they do not.
    """
    loc, kind, message, value = line["loc"], line["type"], line["msg"], line["input"]
    context: dict[str, Any] = line.get("ctx", {})
    kinds = [name for name, model in MODELS.items() if "kind" in model.model_fields]
    # pydantic adds a schedule's kind to the path of the schedule
    path = tuple(step for at, step in enumerate(loc) if not (step in kinds and _place(loc[:at]) == "schedule"))
    where = _place(path) or root.__name__.lower()
    if "kwargs" in path[:-1]:
        pass
    elif where in wanted and _SAYS_SO.fullmatch(kind):
        got = "none" if kind == "missing" else brief(value) if where in ("version", "name") else json_type(value)
        kind, rule = wanted[where]
        message = f"{where} must be {rule}, got {got}"
    elif kind == "too_long":
        message = f"{where} must have at most {context['max_length']:,} items, got more; leave some out"
    elif kind == "missing" and message == "Field required":  # `Monthly` has a field of this name
        message = f"{where} is missing; add it"
    elif kind == "extra_forbidden":
        owner = MODELS.get(str(loc[-2])) or MODELS.get(_place(path[:-1])) if len(loc) > 1 else root
        message = _unknown(where, owner or root)
    elif kind in ("union_tag_invalid", "union_tag_not_found"):
        path, known = (*path, "kind"), context.get("expected_tags") or ", ".join(map(repr, kinds))
        message = f"kind is missing; add one of {known}"
        if "kind" in value:
            message = f"kind must be one of {known}, got {brief(value['kind'])}"
    elif where == "kind":
        message = (
            f"kind must be {context['expected']}, got {brief(value)}; leave it out, or choose the model of that kind"
        )
    elif kind == "json_invalid":
        message = f"the text can't be read as JSON: {context['error']}; mend it there"
    elif kind == "model_type":
        message = f"{where} must be an object, got {json_type(value)}; give its fields by name"
    return kind, message, path


def _place(path: Path) -> str:
    """Name what is at a path; in a list, that is a task or a part of a schedule."""
    if not path:
        return ""
    step = path[-1]
    if isinstance(step, str):
        return step
    return "task" if path[:-1] == ("tasks",) else "schedule"


def json_type(value: object) -> str:
    """Name a value's type as JSON does."""
    return _JSON_TYPES.get(type(value)) or type_name(value)


def _unknown(name: str, owner: type[BaseModel]) -> str:
    fields = [field.alias or own for own, field in owner.model_fields.items()]
    also = next((field for field in _ALSO_CALLED.get(name, ()) if field in fields), None)
    hint = f"did you mean {also!r}?" if also else nearest(name, fields)
    known = ", ".join(field for field in fields if field != "kind")
    return f"unknown field {brief(name)}; {hint or f'known fields: {known}'}"
