"""JSON as data, without what the standard parser lets pass: a key given twice, NaN, a number beyond a float."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from math import isfinite, isinf
from typing import Any, NoReturn, cast

from pydantic import JsonValue
from pydantic_core import InitErrorDetails, from_json, to_jsonable_python

from ..errors import fault, refusal


class _Twice(dict[str, Any]):
    """An object of the text that gives keys twice."""

    keys_twice: tuple[str, ...] = ()


def parse(text: str | bytes) -> JsonValue:
    """Read JSON; raise a `ValidationError` that gives every fault with its path, or the place of a syntax error."""
    suspicious: list[object] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) == len(items):
            return found
        names = [name for name, _ in items]
        twice = _Twice(found)
        twice.keys_twice = tuple(name for name in found if names.count(name) > 1)
        suspicious.append(twice)
        return twice

    def number(digits: str) -> float:
        value = float(digits)
        if isinf(value):
            suspicious.append(value)
        return value

    try:
        raw = text.encode() if isinstance(text, str) else text
        from_json(raw, allow_inf_nan=False)  # its errors say where, and it limits the depth
        data: JsonValue = json.loads(raw, object_pairs_hook=pairs, parse_float=number)
    except UnicodeError:
        _refuse("it is not UTF-8", "save it as UTF-8")
    except ValueError as error:
        _refuse(str(error), "mend it there")
    if suspicious:
        raise refusal("spec", list(_faults(data, ())))
    return data


def plain(value: Any) -> JsonValue:
    """Write a value as JSON data, and a set in a fixed order."""
    if isinstance(value, dict):
        return {next(iter(to_jsonable_python({key: None}))): plain(item) for key, item in _pairs(cast(Any, value))}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in cast("set[Any]", value)), key=json.dumps)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in cast("list[Any]", value)]
    if isinstance(value, float) and not isfinite(value):
        raise ValueError("no JSON number")
    data: JsonValue = to_jsonable_python(value)
    return data


def steps_through(loc: tuple[str | int, ...], value: JsonValue) -> tuple[str | int, ...]:
    """Keep the steps of a fault's path that lead through the data, and drop those that name a part of a union."""
    steps: list[str | int] = []
    node = value
    for place, step in enumerate(loc):
        if _leads(node, step):
            node = _child(node, step)
        elif not (isinstance(node, dict) and isinstance(step, str) and place == len(loc) - 1):  # a missing key
            continue
        steps.append(step)
    return tuple(steps)


def json_type(value: JsonValue) -> str:
    """Name what the JSON is, without its value."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case list():
            return "an array"
        case _:
            return "an object"


def _faults(node: JsonValue, path: tuple[str | int, ...]) -> Iterator[InitErrorDetails]:
    if isinstance(node, dict):
        if isinstance(node, _Twice):
            for name in node.keys_twice:
                yield fault("duplicate_key", "{key} is given twice; leave out one", at=(*path, name), key=name)
        for name in node:
            yield from _faults(node[name], (*path, name))
    elif isinstance(node, list):
        for place in range(len(node)):
            yield from _faults(node[place], (*path, place))
    elif isinstance(node, float) and isinf(node):
        yield fault(
            "number_range", "the number is beyond what a float holds, 1.8e308; write one nearer to zero", at=path
        )


def _refuse(what: str, remedy: str) -> NoReturn:
    line = fault("json_invalid", "the text can't be read as JSON: {what}; {remedy}", what=what, remedy=remedy)
    raise refusal("spec", [line])


def _leads(node: JsonValue, step: str | int) -> bool:
    if isinstance(node, dict):
        return step in node
    return isinstance(node, list) and isinstance(step, int) and step < len(node)


def _child(node: Any, step: str | int) -> JsonValue:
    child: JsonValue = node[step]
    return child


def _pairs(mapping: dict[Any, Any]) -> Iterable[tuple[Any, Any]]:
    return mapping.items()
