"""The functions that a program lets data name, and the tasks that its decorators declare."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Any, TypeVar, cast, overload

from pydantic import ValidationError

from ..errors import brief, nearest, refuse, refuse_value, type_name
from ..models.policy import DEFAULT_POLICY, Policy
from ..models.schedules import AnySchedule, Schedule
from ..occurrences.compiler import check_schedule
from .checks import changed_policy, check_name
from .signature import UNKNOWN_SIGNATURE, function_name, inspect_function
from .task import BackgroundTask

_Function = TypeVar("_Function", bound=Callable[..., object])
_Plain = TypeVar("_Plain", bound=Callable[[], object])  # callable without an argument
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)


class TaskRegistry:
    """A closed set of functions by name, and the tasks declared for them.

    JSON and durable stores name functions, and only those of a registry can be named: nothing is imported. The
    decorators give the function back unchanged and start nothing; a scheduler takes the whole registry.
    Iterating over a registry, and `len()`, go over its tasks.
    """

    def __init__(self) -> None:
        self._functions: dict[str, Callable[..., Any]] = {}
        self._names: dict[Callable[..., Any], str] = {}
        self._tasks: dict[str, BackgroundTask] = {}

    @classmethod
    def of_modules(cls, modules: Collection[str]) -> TaskRegistry:
        """Import modules, and register the functions that they define by their dotted paths, "app.tasks.send_otp".

        What they import from elsewhere, what begins with an underscore, and what JSON can't call is left out.

        Raises:
            ValidationError: `modules` is not a collection of dotted names (`modules_type`).
            ImportError: a module can't be imported.
        """
        given = cast(object, modules)
        if (
            isinstance(given, str)
            or not isinstance(given, Collection)
            or not all(map(_is_module_name, cast(Collection[object], given)))
        ):
            remedy = 'write ["app.tasks"]'
            refuse_value("of_modules", "modules_type", "modules", "a collection of module names", f"{given!r}", remedy)
        registry = cls()
        for module in map(import_module, modules):
            for name, func in vars(module).items():
                if inspect.isfunction(func) and func.__module__ == module.__name__ and not name.startswith("_"):
                    with suppress(ValidationError):  # JSON can't call it
                        registry._add(func, f"{module.__name__}.{name}")
        return registry

    @property
    def functions(self) -> Mapping[str, Callable[..., Any]]:
        """The functions by name, in the order of registering; a view."""
        return MappingProxyType(self._functions)

    def function(self, name: str) -> Callable[..., Any]:
        """Return the function of this name.

        Raises:
            ValidationError: there is none (`unknown_function`).
        """
        found = self._functions.get(str.__str__(name)) if isinstance(cast(object, name), str) else None
        if found is None:
            hint = nearest(f"{name}", self._functions) or "none is registered, so put @tasks.register on it"
            if self._functions and not hint.startswith("did"):
                hint = f"there are {', '.join(map(repr, sorted(self._functions)[:10]))}"
            _refuse("unknown_function", "{name} is not a registered function; {hint}", name=brief(name), hint=hint)
        return found

    def name_of(self, func: Callable[..., Any]) -> str:
        """Return the name of this function.

        Raises:
            ValidationError: it is not registered (`unregistered_function`).
        """
        try:
            name = self._names.get(func)
        except TypeError:  # it is not hashable, so it is not registered
            name = None
        if name is None:
            message = "{func} is not registered, so data can't name it; put @tasks.register on a function of your own"
            _refuse("unregistered_function", message, func=function_name(func))
        return name

    @overload
    def register(self, func: _Function, /) -> _Function: ...

    @overload
    def register(self, func: None = None, /, *, name: str) -> Callable[[_Function], _Function]: ...

    def register(self, func: Any = None, /, *, name: str | None = None) -> Any:
        """Let data name this function, by its `__name__` or the name given; a decorator.

        Raises:
            ValidationError: the name is in use by another function (`duplicate_name`), a function without a name of
                its own is given none (`task_name`), it is registered already by another name
                (`already_registered`), it is a classmethod (`class_method`: register it below the class), or JSON
                can't call it (`not_by_name`).
        """
        key = None if name is None else check_name(name)
        return partial(self._add, name=key) if func is None else self._add(func, key)

    def scheduled(
        self, schedule: AnySchedule, name: str | None = None, *, policy: Policy = DEFAULT_POLICY
    ) -> Callable[[_Plain], _Plain]:
        """Declare a task of this function, which takes no argument; a decorator.

        The function is registered too. The task has the name given, or else the function's, so a scheduler
        keeps it once, however often it is added.

        Raises:
            ValidationError: `schedule` is not a schedule (`schedule_type`), the function needs an argument
                (`missing_argument`), two tasks would have one name (`duplicate_name`), or it can't be registered (see
                `register`).
        """
        bare = cast(object, schedule)
        if callable(bare) and not isinstance(bare, Schedule):
            message = "scheduled() needs a schedule, got {got}; write {remedy} above the function"
            got, remedy = function_name(bare), "@tasks.scheduled(Daily(time(8, 0)))"
            refuse("scheduled", "schedule_type", message, at=("schedule",), got=got, remedy=remedy)
        check_schedule("scheduled", schedule)
        changed_policy(DEFAULT_POLICY, policy, {})
        if name is not None:
            check_name(name)

        def add(given: _Plain, /) -> _Plain:
            func = _in_class(given)
            task = BackgroundTask(func).with_schedule(schedule).with_policy(policy)
            _refuse_unnameable(func)
            own = self._names.get(func)
            title = check_name(name if name is not None else own or _own_name(func))
            if title in self._tasks:
                message = "two tasks are named {name}; write scheduled(..., name=...) on one of them"
                _refuse("duplicate_name", message, name=repr(title))
            self._add(func, own)
            self._tasks[title] = task.with_name(title)
            return given

        return add

    def __iter__(self) -> Iterator[BackgroundTask]:
        return iter(tuple(self._tasks.values()))

    def __len__(self) -> int:
        return len(self._tasks)

    def __repr__(self) -> str:
        return f"TaskRegistry({len(self._functions)} functions, {len(self._tasks)} tasks)"

    def _add(self, given: _Function, name: str | None) -> _Function:
        func = _in_class(given)
        _refuse_unnameable(func)
        key = check_name(_own_name(func) if name is None else name)
        if self._functions.get(key, func) != func:
            message = "two functions are named {name}; write register(name=...) on one of them"
            _refuse("duplicate_name", message, name=repr(key))
        known = self._names.get(func, key)
        if known != key:
            message = "{func} is registered as {name} already, and a function has one name; use that one"
            _refuse("already_registered", message, func=function_name(func), name=repr(known))
        self._functions[key] = func
        self._names[func] = key
        return given


def _is_module_name(name: object) -> bool:
    return isinstance(name, str) and all(map(str.isidentifier, name.split(".")))


def _in_class(func: Any) -> Any:
    """Return the function of a staticmethod; refuse a classmethod, which only its class can call."""
    if isinstance(func, classmethod):
        message = "a classmethod needs its class; write tasks.register(Class.{name}) below the class"
        _refuse("class_method", message, name=func.__name__)
    return func.__func__ if isinstance(func, staticmethod) else func


def _own_name(func: Callable[..., object]) -> str:
    name = getattr(func, "__name__", None)
    if not isinstance(name, str) or not name.isidentifier():  # a lambda's is not
        got = "lambda" if name == "<lambda>" else type_name(func)
        _refuse("task_name", "a {got} has no name of its own; write register(name=...)", got=got)
    return name


def _refuse_unnameable(func: Callable[..., object]) -> None:
    """Refuse what JSON can't call: it gives arguments by name, and the function is looked up by hash."""
    known = inspect_function(func)
    by_place = [one.name for one in known.signature.parameters.values() if one.kind not in _BY_NAME]
    if type(func).__hash__ is None:  # Python's mark of what is not hashable
        _refuse("not_by_name", "{func} is not hashable, so it can't be looked up; write a function", func=known.name)
    if known.signature is UNKNOWN_SIGNATURE:
        _refuse("not_by_name", "{func} shows no signature; write a function that calls it", func=known.name)
    if by_place:
        message = "{rule} can't be called from JSON, which gives arguments by name; give {parameter} a name there"
        _refuse("not_by_name", message, rule=known.signature_text(known.name), parameter=by_place[0])


_refuse = partial(refuse, "TaskRegistry")
