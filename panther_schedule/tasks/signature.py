"""Check a call against a function's signature and hints, without calling it.

The check is one call of a validator that pydantic builds from the signature and that is kept as long as the
function lives. What it returns is kept for JSON only: the caller's own objects are passed on, never copies. It
refuses what a type checker would, and leaves class mismatches to the type checkers, so that a `Mock()` passes.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property, partial
from inspect import Parameter
from itertools import takewhile
from types import MethodType
from typing import Any, Final, LiteralString, get_args, get_origin, get_type_hints
from weakref import WeakKeyDictionary

import typing_extensions
from pydantic import ConfigDict, JsonValue, TypeAdapter, ValidationError
from pydantic_core import ArgsKwargs, ErrorDetails, InitErrorDetails, to_json

from ..errors import MOST_SHOWN, fault, nearest, refusal, refuse, refuse_value, type_name
from ..models.faults import json_type
from .hints import accepts, hint_text

_MISSING: Final = ("missing_argument", "{name} is missing; add it: {rule}")
_CALLS: Final[dict[str, tuple[LiteralString, LiteralString]]] = {
    "missing_argument": _MISSING,
    "missing_keyword_only_argument": _MISSING,
    "missing_positional_only_argument": _MISSING,
    "unexpected_keyword_argument": ("unknown_argument", "{name} is not an argument; {remedy}: {rule}"),
    "multiple_argument_values": ("surplus_argument", "{name} is given twice; leave out one: {rule}"),
    "unexpected_positional_argument": ("surplus_argument", "{name} ({got}) is one too many; leave it out: {rule}"),
}
"""Pydantic's faults of a call's names and number, as our types and messages."""

_STRICT: Final = ConfigDict(strict=True, extra="forbid", arbitrary_types_allowed=True)
_UNPACK: Final[Any] = (typing.Unpack, typing_extensions.Unpack)
UNKNOWN_SIGNATURE: Final = inspect.signature(lambda *_args, **_kwargs: None)
"""That of a builtin which shows none; every call fits it."""


class _Words(str):
    """A text that a signature shows as it is."""

    __slots__ = ()
    __repr__ = str.__str__


_LEFT_OUT: Final[Any] = _Words("...")
"""Stands for each default value: it may be a secret, or hold the function, which would never be freed then."""


class KnownFunction:
    """What is known of one function: its names, its signature, whether it is async, and how to check a call.

    `name` is for people, `path` has the module too. `is_async` looks through partials, methods and callable objects; a
    synchronous wrapper of an async function is what it is, a function that may block. `wrapper` is there for what
    `functools.wraps` made: the wrapper by its own signature, and not by that of the wrapped function.
    """

    def __init__(self, func: Callable[..., Any], *, as_wrapped: bool = True) -> None:
        called = _inner(func)
        self.name = function_name(func)
        self.path = f"{getattr(called, '__module__', None) or type(called).__module__}.{self.name}"
        self.is_async = is_of_kind(func, inspect.iscoroutinefunction)
        try:
            parameters = inspect.signature(func, follow_wrapped=as_wrapped).parameters.values()
            self.signature = inspect.Signature(
                [one if one.default is one.empty else one.replace(default=_LEFT_OUT) for one in parameters]
            )
        except (ValueError, TypeError):  # some builtins have none
            self.signature = UNKNOWN_SIGNATURE
        self.wrapper: KnownFunction | None = None
        if as_wrapped and (hasattr(called, "__wrapped__") or hasattr(type(called).__call__, "__wrapped__")):
            self.wrapper = KnownFunction(func, as_wrapped=False)
        self._parameters = self.signature.parameters
        parameters = self._parameters.values()
        self._hints = _own_hints(called, self._parameters)
        self._places = dict(enumerate(one.name for one in parameters if one.kind <= one.POSITIONAL_OR_KEYWORD))
        self._rest = {one.kind: one.name for one in parameters if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD)}
        self.needs_arguments = any(one.default is one.empty and one.kind not in self._rest for one in parameters)

    def taking(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> KnownFunction:
        """Return what is known of the one that takes such arguments: the wrapped function, or else its wrapper."""
        wrapper = self.wrapper
        return self if wrapper is None or self._fits(args, kwargs) or not wrapper._fits(args, kwargs) else wrapper

    def _fits(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        try:
            return bool(self.signature.bind(*args, **kwargs))
        except TypeError:
            return False

    def is_lasting(self) -> bool:
        """Tell whether no hint has a class that was made in a function: it could hold the one that is known here."""
        annotations = [one.annotation for one in self._parameters.values()]
        return not any(map(_is_local, [*annotations, *self._hints.values()])) and (
            self.wrapper is None or self.wrapper.is_lasting()
        )

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raise a `ValidationError` that names every fault of the call, and no argument's value."""
        if not (args or kwargs or self.needs_arguments):
            return
        try:
            self.adapter.validator.validate_python(ArgsKwargs(args, kwargs))
            return
        except ValidationError as error:  # it holds the values, so ours is raised outside of this block
            lines = error.errors(include_url=False)
        given = {self._argument(at): value for at, value in enumerate(args)} | kwargs

        @cache
        def fits(argument: str | int) -> bool:
            return accepts(self._hint(argument), given[argument])

        lines = [line for line in lines if not (_says_type(line["type"]) and fits(self._argument(line["loc"][0])))]
        if lines:
            raise refusal(f"BackgroundTask({self.name})", self._faults(lines, given, self.name, in_json=False))

    def read(self, name: str, kwargs: dict[str, JsonValue]) -> dict[str, Any]:
        """Read JSON data as arguments by name; raise a `ValidationError` that shows no value."""
        try:
            arguments = self.adapter.validator.validate_json(to_json(kwargs))
            return {key: value for key, value in arguments.items() if value is not _LEFT_OUT}
        except ValidationError as error:  # as in check()
            lines = error.errors(include_url=False)
        raise refusal(name, self._faults(lines, kwargs, name, in_json=True))

    def _faults(
        self, lines: Sequence[ErrorDetails], given: Mapping[Any, Any], name: str, *, in_json: bool
    ) -> list[InitErrorDetails]:
        """Say pydantic's faults in our words: one an argument, or an item of an array."""
        rule = self.signature_text(name)
        faults: dict[tuple[str | int, ...], InitErrorDetails] = {}
        for line in lines:
            step, *inside = line["loc"]
            argument, kind = self._argument(step), line["type"]
            named = argument[:MOST_SHOWN] if isinstance(argument, str) else f"positional argument {argument + 1}"
            path: tuple[str | int, ...] = (argument,)
            if not inside and kind in _CALLS:
                type_, message = _CALLS[kind]
                remedy = nearest(named, self._parameters.keys() - given) or "leave it out"
                got = type_name(line["input"])
                faults[path] = fault(type_, message, at=path, name=named, got=got, rule=rule, remedy=remedy)
                continue
            hint, value = hint_text(self._hint(argument)), given[argument]
            if in_json:
                inside = inside[:-1] if kind == "missing" else inside  # nothing is there
                path += tuple(takewhile(lambda step: isinstance(step, int), inside))  # a key below may be a value
                hint = f"{hint} in JSON"
            if path not in faults:
                got = json_type(value) if in_json else _described(value)
                got = got if _says_type(kind) else f"{got} ({kind})"
                message = "{name} must be {hint}, got {got}; {rule}"
                faults[path] = fault("argument_type", message, at=path, name=named, hint=hint, got=got, rule=rule)
        return list(faults.values())

    @cached_property
    def adapter(self) -> TypeAdapter[dict[str, Any]]:
        """What pydantic builds of the signature, from the hints that it can check."""
        try:
            return self._adapter()
        except Exception:  # noqa: BLE001 - pydantic has many ways to say that it can't check a hint
            self._hints = {name: hint for name, hint in self._hints.items() if _is_usable(hint)}
            return self._adapter()

    def _adapter(self) -> TypeAdapter[dict[str, Any]]:
        def take(*_args: object, **kwargs: object) -> dict[str, object]:
            return kwargs

        likeness: Any = take
        likeness.__annotations__ = self._hints
        likeness.__signature__ = self._likeness(lambda one: self._hints.get(one.name, one.empty))
        return TypeAdapter(likeness, config=_STRICT)

    def canonical(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments in a form that is equal for equal calls, however they are written."""
        return self.signature.bind(*args, **kwargs).arguments

    def by_name(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by name, in the order of the signature; the rest by the order of the alphabet."""
        named = dict(self.canonical(args, kwargs))
        rest = named.pop(self._rest.get(Parameter.VAR_KEYWORD, ""), {})
        return named | dict(sorted(rest.items()))

    def signature_text(self, name: str) -> str:
        """Write the signature without its default values, which may be secrets."""

        def hint(one: Parameter) -> object:
            return one.empty if one.annotation is one.empty else _Words(hint_text(one.annotation))

        return f"{name}{self._likeness(hint)}"

    def _likeness(self, hint: Callable[[Parameter], object]) -> inspect.Signature:
        """Return the signature with other hints."""
        return inspect.Signature([one.replace(annotation=hint(one)) for one in self._parameters.values()])

    def _argument(self, step: str | int) -> str | int:
        """Return the name of the argument at a place; the place, if `*args` takes it."""
        return self._places.get(step, step) if isinstance(step, int) else step

    def _hint(self, argument: str | int) -> Any:
        kind = Parameter.VAR_KEYWORD if isinstance(argument, str) else Parameter.VAR_POSITIONAL
        name = argument if argument in self._parameters else self._rest.get(kind)
        return self._hints.get(str(name), Any)


_functions: WeakKeyDictionary[Any, KnownFunction] = WeakKeyDictionary()
_methods: WeakKeyDictionary[Any, KnownFunction] = WeakKeyDictionary()  # by function: a bound one has another signature


def inspect_function(func: Callable[..., Any]) -> KnownFunction:
    """Return what is known of a function; the answer is kept as long as the function lives, and keeps nothing alive.

    Raises:
        ValidationError: it is not a function (`not_callable`), or it is a generator function (`generator_function`).
    """
    # a bound method is a new object at each access
    key, known = (func.__func__, _methods) if isinstance(func, MethodType) else (func, _functions)
    try:
        return known[key]
    except (KeyError, TypeError):  # TypeError: it can't be a key
        pass
    _refuse_unfit(func)
    found = KnownFunction(func)
    try:
        if found.is_lasting():
            known[key] = found
    except TypeError:  # it can't be a key, or not weakly
        pass
    return found


def function_name(func: object) -> str:
    """Name a function for people, without the values that a partial or an object holds."""
    func = _inner(func)
    name = getattr(func, "__qualname__", None)
    return (name if isinstance(name, str) else type_name(func)).rpartition("<locals>.")[2]


def _refuse_unfit(func: object) -> None:
    if not callable(func):
        got, name = type_name(func), "send_otp"
        if inspect.iscoroutine(func):
            func.close()  # else Python warns that it was never awaited
            got, name = f"a coroutine of {function_name(func)}", function_name(func)
        remedy = f"write BackgroundTask({name}, ...) without calling it"
        refuse_value("BackgroundTask", "not_callable", "func", "a function", got, remedy)
    is_async = is_of_kind(func, inspect.isasyncgenfunction)
    if is_async or is_of_kind(func, inspect.isgeneratorfunction):
        message = (
            "func must do its work when it is called, got the generator function {name}: calling it runs none of its "
            "code; write a function that loops over it: {loop} in {name}(...): pass"
        )
        loop = "async for _" if is_async else "for _"
        refuse("BackgroundTask", "generator_function", message, at=("func",), name=function_name(func), loop=loop)


def _inner(func: Any) -> Any:
    while isinstance(func, partial):
        func = func.func
    return func


def is_of_kind(func: Any, is_kind: Callable[[Any], bool]) -> bool:
    """Ask a predicate of `inspect` about a function, and about what a partial, a method or an object calls."""
    func = _inner(func)
    return is_kind(func) or is_kind(type(func).__call__)


def _own_hints(func: Any, parameters: Mapping[str, object]) -> dict[str, Any]:
    if inspect.isclass(func):
        func = func.__init__
    elif not inspect.isroutine(func):
        func = func.__call__
    try:
        hints = get_type_hints(func, include_extras=True)
    except Exception:  # noqa: BLE001 - resolving a hint runs its author's code; what can't be resolved is not checked
        return {}
    # of **kwargs: Unpack[...] pydantic writes a wrong JSON Schema
    return {name: hints[name] for name in parameters if name in hints and get_origin(hints[name]) not in _UNPACK}


def _is_local(hint: Any) -> bool:
    if hint.__class__ is list:  # of a Callable
        return any(map(_is_local, hint))
    return "<locals>" in f"{getattr(hint, '__qualname__', '')}" or any(map(_is_local, get_args(hint)))


def _is_usable(hint: Any) -> bool:
    listed: Any = list  # pydantic takes no config for a model alone
    try:
        TypeAdapter(listed[hint], config=_STRICT)
    except Exception:  # noqa: BLE001 - as above
        return False
    return True


def _described(value: Any) -> str:
    """Name a value's type, and for a list, set or tuple those inside it."""
    if type(value) not in (list, tuple, set, frozenset) or not value:
        return type_name(value)
    return f"{type_name(value)} of {' and '.join(sorted({type_name(item) for item in value}))}"


def _says_type(kind: str) -> bool:
    others = ("is_instance_of", "is_subclass_of", "literal_error", "sequence_str", "extra_forbidden")
    return kind.endswith("_type") or kind in others
