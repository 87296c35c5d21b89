"""Hints as a type checker reads them, where pydantic's strict mode is stricter."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

from typing_extensions import TypeAliasType, is_typeddict

# What a hint takes; the classes that are not here are left to the type checkers
_TAKES: dict[Any, tuple[type, ...]] = {
    NoneType: (NoneType,),
    None: (NoneType,),
    bool: (bool,),
    int: (int,),
    float: (int, float),
    complex: (int, float, complex),
    str: (str,),
    bytes: (bytes,),
    date: (date,),
    datetime: (datetime,),
    time: (time,),
    timedelta: (timedelta,),
}
_WRAPPERS = (Annotated, Literal, Union, UnionType)


def accepts(hint: Any, value: Any) -> bool:
    """Tell whether a type checker takes the value: True for int, datetime for date, range for Sequence[int]."""
    if hint in _TAKES:
        return isinstance(value, _TAKES[hint])
    if isinstance(hint, NewType):
        return accepts(hint.__supertype__, value)
    if isinstance(hint, TypeAliasType):
        return accepts(hint.__value__, value)
    if isinstance(hint, TypeVar):
        return hint.__bound__ is None or accepts(hint.__bound__, value)
    if is_typeddict(hint):
        return _accepts_typed_dict(hint, value)
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return accepts(inner[0], value)
    if origin is Literal:
        return any(type(value) is type(item) and value == item for item in inner)
    if origin in (Union, UnionType):
        return any(accepts(item, value) for item in inner)
    return _accepts_class(origin or hint, inner, value)


def _accepts_class(origin: Any, inner: tuple[Any, ...], value: Any) -> bool:
    if origin is Callable:
        return callable(value)
    if not _is_container(origin):
        return True
    if not _is(value, origin):
        return False
    if not inner or not _is(value, Collection):  # an iterator must not be consumed
        return True
    if issubclass(origin, Mapping):
        return len(inner) < 2 or all(accepts(inner[0], key) and accepts(inner[1], item) for key, item in _pairs(value))
    items: Collection[Any] = value
    if origin is tuple and inner[-1] is not ...:
        return len(items) == len(inner) and all(map(accepts, inner, items))
    return all(accepts(inner[0], item) for item in items)


def _accepts_typed_dict(hint: Any, value: Any) -> bool:
    hints = get_type_hints(hint)
    return _is(value, dict) and all(accepts(hints.get(key, Any), item) for key, item in _pairs(value))


def _is(value: object, cls: type[Any]) -> bool:
    return isinstance(value, cls)  # apart, so that pyright keeps the value's type as Any


def _is_container(hint: object) -> bool:
    """Tell the containers that pydantic knows from a class of one's own, which may be iterable too."""
    known = ("builtins", "collections", "collections.abc")
    return inspect.isclass(hint) and hint.__module__ in known and issubclass(hint, Iterable)


def _pairs(mapping: Mapping[Any, Any]) -> Iterable[tuple[Any, Any]]:
    return mapping.items()


def hint_text(hint: Any) -> str:
    """Write a hint as its author did, as far as it can be told."""
    return hint if isinstance(hint, str) else inspect.formatannotation(hint)
