"""Check a call against a function's signature and hints, without calling it.

The check is one call of a validator that pydantic builds from the signature and that is kept as long as the
function lives. What it returns is thrown away: the caller's own objects are passed on, never copies. It refuses
what a type checker would refuse; class mismatches are left to the type checkers, so that a `Mock()` passes.

The same validator reads arguments from JSON, and there what it returns is kept.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from itertools import takewhile
from types import MethodType
from typing import Any, Final, LiteralString, get_type_hints
from weakref import WeakKeyDictionary

from pydantic import ConfigDict, JsonValue, TypeAdapter, ValidationError
from pydantic_core import ArgsKwargs, ErrorDetails, InitErrorDetails

from ..errors import fault, refusal, refuse, type_name
from .hints import accepts, hint_text

_CONFIG: Final = ConfigDict(strict=True, arbitrary_types_allowed=True)
_BY_PLACE: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_MISSING: Final[tuple[LiteralString, LiteralString]] = "missing_argument", "{name} is missing; add it: {rule}"
_UNKNOWN: Final[tuple[LiteralString, LiteralString]] = (
    "unknown_argument",
    "{name} is not an argument; leave it out: {rule}",
)
_CALLS: Final[dict[str, tuple[LiteralString, LiteralString]]] = {
    "missing": _MISSING,  # this and the next are those of **kwargs: Unpack[...]
    "extra_forbidden": _UNKNOWN,
    "missing_argument": _MISSING,
    "missing_keyword_only_argument": _MISSING,
    "missing_positional_only_argument": _MISSING,
    "unexpected_keyword_argument": _UNKNOWN,
    "multiple_argument_values": ("surplus_argument", "{name} is given twice; leave out one: {rule}"),
    "unexpected_positional_argument": (
        "surplus_argument",
        "positional argument {place} of type {got} is one too many; leave it out: {rule}",
    ),
}
"""Pydantic's faults of a call's names and number, as our types and messages."""
_JSON_TYPES: Final[dict[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "an object",
}
_LEFT_OUT: Final[Any] = object()
"""Stands for every default value: those may be secrets, and pydantic would put them into a JSON Schema."""


class _Words(str):
    """A text that a signature shows as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class KnownFunction:
    """What is known of one function: its signature, whether it is async, and how to check a call of it.

    `signature` is None for a builtin that has none; then every call passes. `hints` holds the hints that could be
    resolved and that pydantic can check. `is_async` looks through partials, methods and callable objects; a
    synchronous wrapper of an async function is what it is, a function that may block.
    """

    def __init__(self, func: Callable[..., Any]) -> None:
        self.is_async = _is_of_kind(func, inspect.iscoroutinefunction)
        self.signature: inspect.Signature | None
        try:
            self.signature = inspect.signature(func)
        except (ValueError, TypeError):  # some builtins have none
            self.signature = None
        self._parameters = () if self.signature is None else tuple(self.signature.parameters.values())
        self.hints = _own_hints(func, {parameter.name for parameter in self._parameters})
        self._plain = None if self.hints else _plain_names(self._parameters)

    def check(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raise a `ValidationError` that names every fault of the call, and no argument's value."""
        if self.signature is None or self._is_plain_call(args, kwargs):
            return
        try:
            self.adapter.validator.validate_python(ArgsKwargs(args, kwargs))
            return
        except ValidationError as error:  # it holds the values, so ours is raised outside of this block
            lines = error.errors(include_url=False)
        rule = self.signature_text(function_name(func))
        places = dict(enumerate(parameter.name for parameter in self._parameters if parameter.kind in _BY_PLACE))
        given = {places.get(at, at): value for at, value in enumerate(args)} | kwargs
        faults: dict[str | int, InitErrorDetails] = {}  # by argument
        broken: dict[str | int, str] = {}  # the rule that an argument breaks; empty if it is of another type
        for line in lines:
            at = line["loc"][0]
            argument = places.get(at, at) if isinstance(at, int) else at
            if found := _fault_of_call(line, argument, rule):
                faults[argument] = found
            elif not broken.get(argument):
                broken[argument] = "" if _says_type(line["type"]) else line["type"]
        for argument, kind in broken.items():
            name, hint, value = *self._hint(argument), given[argument]
            if argument not in faults and (kind or not accepts(hint, value)):
                got = f"{type_name(value)} ({kind})" if kind else _described(value)
                faults[argument] = _mistyped((argument,), name, hint_text(hint), got, rule)
        if faults:
            raise refusal(f"BackgroundTask({function_name(func)})", list(faults.values()))

    def _is_plain_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Tell quickly whether a call without hints has the names and the number; False is "look closer"."""
        if self._plain is None:
            return False
        names, required = self._plain
        given = len(args)
        if not kwargs:
            return required <= given <= len(names)
        rest = names[given:]
        return (
            given <= len(names)
            and all(name in rest for name in kwargs)
            and all(name in kwargs for name in names[given:required])
        )

    def read(self, func: str, kwargs: dict[str, JsonValue]) -> dict[str, Any]:
        """Read JSON data as arguments by name; raise a `ValidationError` that shows no value."""
        try:
            arguments = self.adapter.validator.validate_json(json.dumps(kwargs))
            return {name: arguments[name] for name in kwargs}
        except ValidationError as error:  # as in check()
            lines = error.errors(include_url=False)
        rule = self.signature_text(func)
        faults: dict[tuple[str | int, ...], InitErrorDetails] = {}
        for line in lines:
            argument, *inside = line["loc"]
            path = (argument, *takewhile(_is_place, inside))  # a key below may be a value itself
            name, hint = self._hint(argument)
            if found := _fault_of_call(line, argument, rule):
                faults[path] = found
            elif path not in faults:
                got = f"{json_type(kwargs[name])} ({line['type']})"
                faults[path] = _mistyped(path, name, f"the JSON of {hint_text(hint)}", got, rule)
        raise refusal(func, list(faults.values()))

    @cached_property
    def adapter(self) -> TypeAdapter[dict[str, Any]]:
        """What pydantic builds of the signature; a default value is not in it."""
        try:
            return _adapter(self._parameters, self.hints)
        except Exception:  # noqa: BLE001 - pydantic has many ways to say that it can't check a hint
            self.hints = {name: hint for name, hint in self.hints.items() if self._is_usable(name)}
            return _adapter(self._parameters, self.hints)

    def _is_usable(self, name: str) -> bool:
        try:
            _adapter([parameter for parameter in self._parameters if parameter.name == name], self.hints)
        except Exception:  # noqa: BLE001 - as above
            return False
        return True

    def canonical(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        """Return the arguments in a form that is equal for equal calls, however they are written."""
        return (args, kwargs) if self.signature is None else self.signature.bind(*args, **kwargs).arguments

    def by_name(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments by name, in the order of the signature; the rest by the order of the alphabet."""
        if self.signature is None:
            return kwargs
        named = dict(self.signature.bind(*args, **kwargs).arguments)
        rest = next((one.name for one in self._parameters if one.kind is one.VAR_KEYWORD), "")
        return named | dict(sorted(named.pop(rest, {}).items()))

    def needs_arguments(self) -> bool:
        """Tell whether an argument has no default."""
        starred = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        return any(one.default is one.empty and one.kind not in starred for one in self._parameters)

    def signature_text(self, name: str) -> str:
        """Write the signature without its default values, which may be secrets."""
        if self.signature is None:
            return name
        shown = [
            one.replace(
                default=one.default if one.default is one.empty else _Words("..."),
                annotation=one.empty if one.annotation is one.empty else _Words(hint_text(one.annotation)),
            )
            for one in self._parameters
        ]
        return f"{name}{inspect.Signature(shown)}"

    def _hint(self, argument: str | int) -> tuple[str, Any]:
        """Return how an argument is called in a message, and its hint."""
        if isinstance(argument, str) and any(one.name == argument for one in self._parameters):
            return argument, self.hints.get(argument, Any)
        kind = inspect.Parameter.VAR_KEYWORD if isinstance(argument, str) else inspect.Parameter.VAR_POSITIONAL
        starred = next((one.name for one in self._parameters if one.kind is kind), "")
        name = argument if isinstance(argument, str) else f"positional argument {argument + 1} (*{starred})"
        return name, self.hints.get(starred, Any)


_functions: WeakKeyDictionary[Any, KnownFunction] = WeakKeyDictionary()
_methods: WeakKeyDictionary[Any, KnownFunction] = WeakKeyDictionary()  # by function: a bound one has another signature


def inspect_function(func: Callable[..., Any]) -> KnownFunction:
    """Return what is known of a function; the answer is kept as long as the function lives.

    Raises:
        ValidationError: it is none (`not_callable`), or one of which a call runs no line (`generator_function`).
    """
    if isinstance(func, MethodType):  # a new object at each access
        key, known = func.__func__, _methods
    else:
        key, known = func, _functions
    try:
        return known[key]
    except (KeyError, TypeError):  # TypeError: it can't be a key
        pass
    _refuse_uncallable(func)
    _refuse_generator(func)
    found = KnownFunction(func)
    try:
        known[key] = found
    except TypeError:  # it can't be a key, or not weakly
        pass
    return found


def function_name(func: object) -> str:
    """Name a function for people, without the values that a partial or an object holds."""
    func = _inner(func)
    name = getattr(func, "__qualname__", None)
    return (name if isinstance(name, str) else type_name(func)).rpartition("<locals>.")[2]


def function_path(func: object) -> str:
    """Name a function in a program, with its module."""
    func = _inner(func)
    return f"{getattr(func, '__module__', None) or type(func).__module__}.{function_name(func)}"


def json_type(value: JsonValue) -> str:
    """Name what the JSON is, without its value."""
    return _JSON_TYPES[type(value)]


def _refuse_uncallable(func: object) -> None:
    if callable(func):
        return
    got, name = type_name(func), "send_otp"
    if inspect.iscoroutine(func):
        func.close()  # else Python warns that it was never awaited
        name = function_name(func)
        got = f"a coroutine of {name}"
    refuse(
        "BackgroundTask",
        "not_callable",
        "func must be a function, got {got}; write BackgroundTask({name}, ...) without calling it",
        at=("func",),
        got=got,
        name=name,
    )


def _refuse_generator(func: object) -> None:
    is_async = _is_of_kind(func, inspect.isasyncgenfunction)
    if not is_async and not _is_of_kind(func, inspect.isgeneratorfunction):
        return
    refuse(
        "BackgroundTask",
        "generator_function",
        "func must do its work when it is called, got the generator function {name}, of which a call runs no line; "
        "write a function that goes through it: {loop} in {name}(...): pass",
        at=("func",),
        name=function_name(func),
        loop="async for _" if is_async else "for _",
    )


def _inner(func: Any) -> Any:
    """Look through partials."""
    while isinstance(func, partial):
        func = func.func
    return func


def _is_of_kind(func: object, is_kind: Callable[[Any], bool]) -> bool:
    """Ask a predicate of `inspect` about a function, and about what a partial, a method or an object calls."""
    func = _inner(func)
    return is_kind(func) or is_kind(type(func).__call__)


def _own_hints(func: Callable[..., Any], names: set[str]) -> dict[str, Any]:
    func = _inner(func)
    if inspect.isclass(func):
        func = func.__init__
    elif not inspect.isroutine(func):
        func = func.__call__
    try:
        hints = get_type_hints(func, include_extras=True)
    except Exception:  # noqa: BLE001 - resolving a hint runs its author's code; what can't be resolved is not checked
        return {}
    return {name: hint for name, hint in hints.items() if name in names and hint is not Any}


def _plain_names(parameters: tuple[inspect.Parameter, ...]) -> tuple[tuple[str, ...], int] | None:
    """Return the names of the parameters, and how many have no default; None when some are not plain ones."""
    if any(one.kind is not one.POSITIONAL_OR_KEYWORD for one in parameters):
        return None
    return tuple(one.name for one in parameters), sum(one.default is one.empty for one in parameters)


def _adapter(parameters: Iterable[inspect.Parameter], hints: dict[str, Any]) -> TypeAdapter[dict[str, Any]]:
    def stub(*_args: object, **kwargs: object) -> dict[str, object]:
        return kwargs

    likeness: Any = stub
    likeness.__annotations__ = hints
    likeness.__signature__ = inspect.Signature(
        [
            one.replace(
                default=one.default if one.default is one.empty else _LEFT_OUT,
                annotation=hints.get(one.name, one.empty),
            )
            for one in parameters
        ]
    )
    return TypeAdapter(likeness, config=_CONFIG)


def _fault_of_call(line: ErrorDetails, argument: str | int, rule: str) -> InitErrorDetails | None:
    """Say a fault of the names and the number in our words; None for one of a value."""
    if len(line["loc"]) > 1 or line["type"] not in _CALLS:
        return None
    type_, message = _CALLS[line["type"]]
    place = argument + 1 if isinstance(argument, int) else 0
    got = type_name(line["input"])
    return fault(type_, message, at=(argument,), name=argument, place=place, got=got, rule=rule)


def _mistyped(at: tuple[str | int, ...], name: str, hint: str, got: str, rule: str) -> InitErrorDetails:
    message: LiteralString = "{name} must be {hint}, got {got}; {rule}"
    return fault("argument_type", message, at=at, name=name, hint=hint, got=got, rule=rule)


def _described(value: Any) -> str:
    """Name a value's type, and for a list, set or tuple those inside it."""
    inside = {type_name(item) for item in value} if isinstance(value, (list, tuple, set, frozenset)) else ()
    return f"{type_name(value)} of {' and '.join(sorted(inside))}" if inside else type_name(value)


def _is_place(step: str | int) -> bool:
    return isinstance(step, int)


def _says_type(kind: str) -> bool:
    return kind.endswith("_type") or kind in ("is_instance_of", "is_subclass_of", "literal_error", "sequence_str")
