"""Hints as a type checker reads them, where pydantic's strict mode is stricter."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

from typing_extensions import TypeAliasType, is_typeddict

_DATA: Final = (NoneType, bool, int, str, bytes, date, datetime, time, timedelta)
_WIDER: Final[dict[Any, tuple[type, ...]]] = {None: (NoneType,), float: (int, float), complex: (int, float, complex)}
_TAKES: Final = {cls: (cls,) for cls in _DATA} | _WIDER  # the other classes are left to the type checkers


def accepts(hint: Any, value: Any) -> bool:
    """Tell whether a type checker takes the value: True for int, datetime for date, range for Sequence[int]."""
    origin, inner = get_origin(hint) or hint, get_args(hint)
    if origin in _TAKES:
        return isinstance(value, _TAKES[origin])
    if origin is Literal:
        return any(type(value) is type(item) and value == item for item in inner)
    if origin in (Union, UnionType):
        return any(accepts(item, value) for item in inner)
    if origin is Annotated:
        return accepts(inner[0], value)
    if isinstance(hint, NewType):
        return accepts(hint.__supertype__, value)
    if isinstance(hint, TypeAliasType):
        return accepts(hint.__value__, value)
    if isinstance(hint, TypeVar):
        return hint.__bound__ is None or accepts(hint.__bound__, value)
    if is_typeddict(hint):
        hints = get_type_hints(hint)
        return _is(value, dict) and all(accepts(hints.get(key, Any), item) for key, item in value.items())
    if origin is Callable:
        return callable(value)
    return not _is_container(origin) or (_is(value, origin) and _accepts_items(origin, inner, value))


def _accepts_items(origin: Any, inner: tuple[Any, ...], value: Any) -> bool:
    if not inner or not _is(value, Collection):  # an iterator must not be consumed
        return True
    if issubclass(origin, Mapping):
        return len(inner) < 2 or all(accepts(inner[0], key) and accepts(inner[1], item) for key, item in value.items())
    if origin is tuple and inner[-1] is not ...:
        return len(value) == len(inner) and all(map(accepts, inner, value))
    return all(accepts(inner[0], item) for item in value)


def _is(value: object, cls: type[Any]) -> bool:
    return isinstance(value, cls)  # apart, so that pyright keeps the value's type as Any


def _is_container(hint: object) -> bool:
    """Tell the containers that pydantic knows from a class of one's own, which may be iterable too."""
    known = ("builtins", "collections", "collections.abc")
    return inspect.isclass(hint) and hint.__module__ in known and issubclass(hint, Iterable)


def hint_text(hint: Any) -> str:
    """Write a hint as its author did, as far as it can be told."""
    return hint if isinstance(hint, str) else inspect.formatannotation(hint)
