"""Check a call against a function's signature and hints, without calling it.

The check is one call of a validator that pydantic builds from the signature and that is kept as long as the
function lives. What it returns is thrown away: the caller's own objects are passed on, never copies. It refuses
what a type checker would refuse; class mismatches are left to the type checkers, so that a `Mock()` passes.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any, LiteralString, get_origin, get_type_hints
from weakref import WeakKeyDictionary

import typing_extensions
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from pydantic_core import ArgsKwargs, InitErrorDetails

from ..errors import fault, refusal, type_name
from .hints import accepts, hint_text

_CONFIG = ConfigDict(strict=True, arbitrary_types_allowed=True)
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_MISSING: tuple[LiteralString, LiteralString] = ("missing_argument", "{name} is missing; add it: {rule}")
_CALLS: dict[str, tuple[LiteralString, LiteralString]] = {  # pydantic's faults of a call, in our words
    "missing_argument": _MISSING,
    "missing_keyword_only_argument": _MISSING,
    "missing_positional_only_argument": _MISSING,
    "unexpected_keyword_argument": ("unknown_argument", "{name} is not an argument; leave it out: {rule}"),
    "multiple_argument_values": ("surplus_argument", "{name} is given twice; leave out one: {rule}"),
    "unexpected_positional_argument": ("surplus_argument", ""),
}
_COLLECTIONS: Any = (list, tuple, set, frozenset)
_typing: Any = typing_extensions  # for types made while running, which type checkers can't follow


class _Words(str):
    """A text that a signature shows as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Checked:
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
        self.hints: dict[str, Any] = {}
        self._plain = _plain_names(self.signature)
        self._validate: Callable[[ArgsKwargs], object] | None = None
        if self.signature is not None and (hints := _own_hints(func, self.signature)):
            self.hints, self._validate = _built(self.signature, hints)

    def check(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Raise a `ValidationError` that names every fault of the call, and no argument's value."""
        if self.signature is None:
            return
        try:
            if self._validate is not None:
                self._validate(ArgsKwargs(args, dict(kwargs)))
            elif not self._is_plain_call(args, kwargs):
                self.signature.bind(*args, **kwargs)
            return
        except (ValidationError, TypeError):
            pass  # what they say holds the values
        name = function_name(func)
        if faults := _faults(self.signature, self.hints, args, kwargs, self.signature_text(name)):
            raise refusal(f"BackgroundTask({name})", faults)

    def _is_plain_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Tell quickly whether a call of a plain function has the names and the number; False is "look closer"."""
        if self._plain is None:
            return False
        names, required = self._plain
        given = len(args)
        rest = names[given:]
        return (
            given <= len(names)
            and all(name in rest for name in kwargs)
            and all(name in kwargs for name in names[given:required])
        )

    def canonical(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> object:
        """Return the arguments in a form that is equal for equal calls, however they are written."""
        return (args, kwargs) if self.signature is None else self.signature.bind(*args, **kwargs).arguments

    def by_name(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by name, in the order of the signature; the rest by the order of the alphabet."""
        if self.signature is None:
            return dict(kwargs)
        arguments: dict[str, Any] = self.signature.bind(*args, **kwargs).arguments
        named = {name: value for name, value in arguments.items() if name in self.names}
        for name in arguments.keys() - named.keys():  # what **rest holds
            named.update(sorted(arguments[name].items()))
        return named

    def hint(self, name: str) -> Any:
        """Return the hint of an argument given by name."""
        return self.hints.get(name, Any) if self.signature is None else _parameter(self.signature, self.hints, name)[1]

    @property
    def names(self) -> dict[str, bool]:
        """The arguments that can be given by name, and whether they must be."""
        return {
            parameter.name: parameter.default is parameter.empty
            for parameter in (self.signature.parameters.values() if self.signature else ())
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        }

    def signature_text(self, name: str) -> str:
        """Write the signature without its default values, which may be secrets."""
        if self.signature is None:
            return name
        parameters = [
            parameter.replace(
                default=parameter.default if parameter.default is parameter.empty else _Words("..."),
                annotation=parameter.empty
                if parameter.annotation is parameter.empty
                else _Words(hint_text(parameter.annotation)),
            )
            for parameter in self.signature.parameters.values()
        ]
        return f"{name}{inspect.Signature(parameters)}"

    @functools.cached_property
    def keywords(self) -> TypeAdapter[dict[str, Any]]:
        """Validate and write all arguments by name, in JSON too; the defaults are left to the function."""
        fields: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for parameter in self.signature.parameters.values() if self.signature else ():
            if parameter.kind is parameter.VAR_KEYWORD:
                hint = self.hints.get(parameter.name, Any)
                rest = {"extra_items": Any if get_origin(hint) is _typing.Unpack else hint}
                continue
            hint = self.hints.get(parameter.name, Any)
            wrap = _typing.Required if parameter.default is parameter.empty else _typing.NotRequired
            fields[parameter.name] = wrap[hint]
        config = _CONFIG if rest else _CONFIG | {"extra": "forbid"}
        adapter: TypeAdapter[dict[str, Any]] = TypeAdapter(
            with_config(config)(_typing.TypedDict("Arguments", fields, **rest))
        )
        return adapter


_functions: WeakKeyDictionary[Any, Checked] = WeakKeyDictionary()
_methods: WeakKeyDictionary[Any, Checked] = WeakKeyDictionary()  # by function: a bound one has another signature


def inspect_function(func: Callable[..., Any]) -> Checked:
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
    checked = Checked(func)
    try:
        known[key] = checked
    except TypeError:  # it can't be a key, or not weakly
        pass
    return checked


def function_name(func: object) -> str:
    """Name a function for people, without the values that a partial or an object holds."""
    while isinstance(func, functools.partial):
        func = func.func
    name = getattr(func, "__qualname__", None)
    return (name if isinstance(name, str) else type_name(func)).rpartition("<locals>.")[2]


def function_path(func: object) -> str:
    """Name a function in a program, with its module."""
    while isinstance(func, functools.partial):
        func = func.func
    return f"{getattr(func, '__module__', None) or type(func).__module__}.{function_name(func)}"


def _refuse_uncallable(func: object) -> None:
    if callable(func):
        return
    if inspect.iscoroutine(func):
        func.close()  # else Python warns that it was never awaited
        name = function_name(func)
        got, remedy = f"a coroutine of {name}", f"BackgroundTask({name}, ...)"
    else:
        got, remedy = type_name(func), "BackgroundTask(send_otp, ...)"
    line = fault(
        "not_callable",
        "func must be a function, got {got}; write {remedy} without calling it",
        at=("func",),
        got=got,
        remedy=remedy,
    )
    raise refusal("BackgroundTask", [line])


def _refuse_generator(func: object) -> None:
    is_async = _is_of_kind(func, inspect.isasyncgenfunction)
    if not is_async and not _is_of_kind(func, inspect.isgeneratorfunction):
        return
    line = fault(
        "generator_function",
        "func must do its work when it is called, got the generator function {name}, of which a call runs no line; "
        "write a function that goes through it: {loop} in {name}(...): pass",
        at=("func",),
        name=function_name(func),
        loop="async for _" if is_async else "for _",
    )
    raise refusal("BackgroundTask", [line])


def _is_of_kind(func: Any, is_kind: Callable[[Any], bool]) -> bool:
    """Ask a predicate of `inspect` about a function, and about what a partial, a method or an object calls."""
    while True:
        if is_kind(func):
            return True
        if isinstance(func, functools.partial):
            func = func.func
        elif isinstance(func, MethodType):
            func = func.__func__
        elif inspect.isroutine(func) or inspect.isclass(func):
            return False
        else:
            func = type(func).__call__


def _hinted(func: Any) -> Any:
    """Find what carries the hints."""
    while isinstance(func, functools.partial):
        func = func.func
    if inspect.isclass(func):
        return func.__init__
    return func if inspect.isroutine(func) else func.__call__


def _own_hints(func: Callable[..., Any], signature: inspect.Signature) -> dict[str, Any]:
    try:
        hints = get_type_hints(_hinted(func), include_extras=True)
    except Exception:  # noqa: BLE001 - resolving a hint runs its author's code; what can't be resolved is not checked
        return {}
    return {name: hint for name, hint in hints.items() if name in signature.parameters and hint is not Any}


def _built(
    signature: inspect.Signature, hints: dict[str, Any]
) -> tuple[dict[str, Any], Callable[[ArgsKwargs], object] | None]:
    """Build the validator, and leave out the hints that pydantic can't check."""
    try:
        return hints, _validator(signature, hints)
    except Exception:  # noqa: BLE001 - pydantic has many ways to say it
        usable = {name: hint for name, hint in hints.items() if _is_usable(signature.parameters[name], hint)}
        return usable, _validator(signature, usable) if usable else None


def _plain_names(signature: inspect.Signature | None) -> tuple[tuple[str, ...], int] | None:
    """Return the names of the parameters, and how many have no default; None when some are not plain ones."""
    parameters = () if signature is None else tuple(signature.parameters.values())
    if any(parameter.kind is not parameter.POSITIONAL_OR_KEYWORD for parameter in parameters):
        return None
    names = tuple(parameter.name for parameter in parameters)
    return names, sum(parameter.default is parameter.empty for parameter in parameters)


def _is_usable(parameter: inspect.Parameter, hint: Any) -> bool:
    try:
        _validator(inspect.Signature([parameter]), {parameter.name: hint})
    except Exception:  # noqa: BLE001 - as above
        return False
    return True


def _validator(signature: inspect.Signature, hints: dict[str, Any]) -> Callable[[ArgsKwargs], object]:
    def stub(*_args: object, **_kwargs: object) -> None:
        """Take a call and do nothing."""

    likeness: Any = stub
    parameters = [
        parameter if parameter.name in hints else parameter.replace(annotation=parameter.empty)
        for parameter in signature.parameters.values()
    ]
    likeness.__signature__ = signature.replace(parameters=parameters)
    likeness.__annotations__ = hints
    adapter: TypeAdapter[None] = TypeAdapter(likeness, config=_CONFIG)
    return adapter.validator.validate_python


def _faults(
    signature: inspect.Signature,
    hints: dict[str, Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    rule: str,
) -> list[InitErrorDetails]:
    try:
        _validator(signature, hints)(ArgsKwargs(args, dict(kwargs)))
        return []
    except ValidationError as error:
        lines = error.errors(include_url=False)
    places = [p.name for p in signature.parameters.values() if p.kind in _POSITIONAL]
    faults: dict[str | int, InitErrorDetails] = {}  # by argument
    broken: dict[str | int, list[str]] = {}  # the rules of its hint that an argument breaks
    for line in lines:
        name, kind = line["loc"][0], line["type"]
        if isinstance(name, int) and name < len(places):
            name = places[name]
        if len(line["loc"]) > 1 or kind not in _CALLS:
            broken.setdefault(name, []).append(kind)
        elif kind == "unexpected_positional_argument":
            faults[name] = fault(
                "surplus_argument",
                "positional argument {place} of type {got} is one too many; leave it out: {rule}",
                at=(name,),
                place=int(name) + 1,
                got=type_name(args[int(name)]),
                rule=rule,
            )
        else:
            type_, message = _CALLS[kind]
            faults[name] = fault(type_, message, at=(name,), name=name, rule=rule)
    for name, kinds in broken.items():
        value = args[name] if isinstance(name, int) else kwargs[name] if name in kwargs else args[places.index(name)]
        parameter, hint = _parameter(signature, hints, name)
        if name not in faults and (got := _wrong(value, hint, kinds)):
            faults[name] = fault(
                "argument_type",
                "{name} must be {hint}, got {got}; {rule}",
                at=(name,),
                name=parameter,
                hint=hint_text(hint),
                got=got,
                rule=rule,
            )
    return list(faults.values())


def _parameter(signature: inspect.Signature, hints: dict[str, Any], name: str | int) -> tuple[str, Any]:
    if name in signature.parameters:
        return str(name), hints.get(str(name), Any)
    kind = inspect.Parameter.VAR_KEYWORD if isinstance(name, str) else inspect.Parameter.VAR_POSITIONAL
    starred = next((p.name for p in signature.parameters.values() if p.kind is kind), "")
    return (name if isinstance(name, str) else f"positional argument {name + 1} (*{starred})"), hints.get(starred, Any)


def _wrong(value: Any, hint: Any, kinds: list[str]) -> str:
    """Say what is wrong by type only; nothing when a type checker would take the value."""
    own = [kind for kind in kinds if not _says_type(kind)]
    if own:  # a rule that the hint carries, such as Annotated[int, Gt(0)]
        return f"{type_name(value)} ({own[0]})"
    return "" if accepts(hint, value) else described(value)


def described(value: Any) -> str:
    """Name a value's type, and for a list, set or tuple those inside it."""
    if inside := sorted({type_name(item) for item in value} if isinstance(value, _COLLECTIONS) else ()):
        return f"{type_name(value)} of {' and '.join(inside)}"
    return type_name(value)


def _says_type(kind: str) -> bool:
    return kind.endswith("_type") or kind in ("is_instance_of", "is_subclass_of", "literal_error", "sequence_str")
