"""What an expression is, as far as it is known while mypy runs.

Known are literals, the values of `datetime` and `zoneinfo`, this package's models and tasks, and constants: names that
are assigned once, at the top level of a module. No code of the program is run or imported.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from mypy.checker import TypeChecker
from mypy.nodes import (
    ARG_NAMED,
    ARG_POS,
    CallExpr,
    DictExpr,
    Expression,
    FloatExpr,
    IntExpr,
    ListExpr,
    MemberExpr,
    MypyFile,
    NameExpr,
    OpExpr,
    SetExpr,
    StrExpr,
    SymbolNode,
    TupleExpr,
    TypeAlias,
    TypeInfo,
    UnaryExpr,
    Var,
)
from mypy.types import Instance, get_proper_type

from ..models.policy import Policy, Retry
from ..models.schedules import SCHEDULES, Schedule
from ..models.value import Value
from ..tasks.task import BackgroundTask
from .constants import constants

Node = Expression | ast.expr


class UnknownError(Exception):
    """What an expression is, only the running program knows."""


class BrokenError(Exception):
    """Making the value raises; the text says why."""


def stand_in() -> None:
    """Stand for the function of a task: the program's own is never touched, and mypy itself checks its arguments."""


def full_name(made: Any) -> str:
    """Name a class or function of Python's as mypy does."""
    return f"{made.__module__}.{made.__qualname__}"


_MODELS: Final[tuple[type[Value], ...]] = (*SCHEDULES, Policy, Retry)
MODELS: Final[dict[str, Callable[..., Any]]] = {full_name(model): model for model in _MODELS}
SETTERS: Final = ("interval", "interval_wait", "on_time", "with_schedule", "with_name", "with_policy")
_TASK: Final = full_name(BackgroundTask)
_PLAIN: Final[dict[str, Callable[..., Any]]] = {
    **{full_name(cls): cls for cls in (date, datetime, time, timedelta, timezone, ZoneInfo)},
    **{f"{full_name(cls)}.fromisoformat": cls.fromisoformat for cls in (date, datetime, time)},
    **{full_name(cls): cls for cls in (tuple, list, set, frozenset)},
}
_NAMED: Final = {
    "builtins.True": True,
    "builtins.False": False,
    "builtins.None": None,
    "datetime.UTC": UTC,
    "datetime.timezone.utc": UTC,
}
_OPERATORS: Final[dict[object, Callable[[Any, Any], Any]]] = {
    **dict.fromkeys(("+", ast.Add), lambda left, right: left + right),
    **dict.fromkeys(("-", ast.Sub), lambda left, right: left - right),
    **dict.fromkeys(("*", ast.Mult), lambda left, right: left * right),
    **dict.fromkeys(("/", ast.Div), lambda left, right: left / right),
    **dict.fromkeys(("|", ast.BitOr), lambda left, right: left | right),
}
_OPERANDS: Final = (int, float, timedelta, date, set, Schedule)
_LARGEST: Final = 10**18  # of an int that is calculated: no constants may keep mypy busy


class Values:
    """Evaluates the expressions of one module, and keeps their values."""

    def __init__(self, checker: TypeChecker, module: MypyFile, others: dict[str, Values]) -> None:
        self._checker, self._module = checker, module
        self._of_modules = others
        self._of_modules[module.fullname] = self
        self._kept: dict[Node, Any] = {}
        self._begun: set[Node] = set()

    def of(self, node: Node) -> Any:
        """Return the value of an expression.

        Raises:
            UnknownError: it is not known.
            BrokenError: a class of the standard library refuses to make it.
        """
        if node not in self._kept:
            self.keep(node, self._value(node))
        return self._kept[node]

    def keep(self, node: Node, value: Any) -> None:
        """Let an expression have this value."""
        self._kept[node] = value

    def _value(self, node: Node) -> Any:
        match node:
            case StrExpr(value=value) | IntExpr(value=value) | FloatExpr(value=value) | ast.Constant(value=value):
                return value
            case NameExpr() | MemberExpr() | ast.Name() | ast.Attribute():
                return self._named(self._symbol(node))
            case CallExpr(callee=callee) | ast.Call(func=callee):
                return self._called(callee, node)
            case TupleExpr(items=items) | ast.Tuple(elts=items):
                return tuple(map(self.of, items))
            case ListExpr(items=items) | ast.List(elts=items):
                return list(map(self.of, items))
            case SetExpr(items=items) | ast.Set(elts=items):
                return self._made(set, [*map(self.of, items)])
            case DictExpr(items=items):
                return self._made(dict, [*map(self._item, items)])
            case ast.Dict(keys=keys, values=values):
                return self._made(dict, [*map(self._item, zip(keys, values, strict=True))])
            case UnaryExpr(op="-", expr=operand) | ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._calculated(_OPERATORS["*"], -1, self.of(operand))
            case OpExpr(op=op, left=left, right=right) if op in _OPERATORS:
                return self._calculated(_OPERATORS[op], self.of(left), self.of(right))
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _OPERATORS:
                return self._calculated(_OPERATORS[type(op)], self.of(left), self.of(right))
            case _:
                raise UnknownError

    def task(self, node: Node) -> BackgroundTask:
        """Return the value of an expression that is a task."""
        value = self.of(node)
        if not isinstance(value, BackgroundTask):
            raise UnknownError
        return cast(BackgroundTask, value)

    def _item(self, item: tuple[Node | None, Node]) -> tuple[Any, Any]:
        key, value = item
        if key is None:  # **others
            raise UnknownError
        return self.of(key), self.of(value)

    def _calculated(self, calculate: Callable[[Any, Any], Any], left: object, right: object) -> Any:
        if not (isinstance(left, _OPERANDS) and isinstance(right, _OPERANDS)):
            raise UnknownError
        value = self._made(calculate, left, right)
        if isinstance(value, int) and abs(value) > _LARGEST:
            raise UnknownError
        return value

    def _called(self, callee: Node, call: Any) -> Any:
        name = self._full_name(callee)
        if name == _TASK:
            return BackgroundTask(stand_in)
        if name in _PLAIN:
            args, kwargs = self._arguments(call)
            try:
                return _PLAIN[name](*args, **kwargs)
            except (ValueError, OverflowError, KeyError) as error:  # KeyError: of a zone
                raise BrokenError(error.args[0]) from None
            except Exception:  # noqa: BLE001 - mypy refuses it by its type
                raise UnknownError from None
        if name in MODELS:
            made = MODELS[name]
        else:
            match callee:
                case MemberExpr(expr=receiver, name=method) | ast.Attribute(value=receiver, attr=method) if (
                    method in SETTERS
                ):
                    made = getattr(self.task(receiver), method)
                case _:
                    raise UnknownError
        try:
            args, kwargs = self._arguments(call)
        except BrokenError:
            raise UnknownError from None  # reported where mypy checks this call
        return self._made(made, *args, **kwargs)

    def _made(self, make: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Make a value; what is refused is reported where mypy checks that call, and has no value here."""
        try:
            return make(*args, **kwargs)
        except Exception:  # noqa: BLE001 - of any kind
            raise UnknownError from None

    def _arguments(self, call: Any) -> tuple[list[Any], dict[str, Any]]:
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for name, node in arguments(call):
            if name is None:
                args.append(self.of(node))
            else:
                kwargs[name] = self.of(node)
        return args, kwargs

    def _symbol(self, node: Node) -> SymbolNode | None:
        match node:
            case NameExpr(node=SymbolNode() as found) | MemberExpr(node=SymbolNode() as found):
                return found
            case ast.Name(id=name):
                symbol = self._module.names.get(name) or self._checker.modules["builtins"].names.get(name)
                return symbol.node if symbol else None
            case MemberExpr(expr=owner, name=name) | ast.Attribute(value=owner, attr=name):
                match self._symbol(owner):
                    case MypyFile(names=names) | TypeInfo(names=names):
                        symbol = names.get(name)
                        return symbol.node if symbol else None
                    case _:
                        return None
            case _:
                return None

    def _full_name(self, node: Node) -> str:
        symbol = self._symbol(node)
        if isinstance(symbol, TypeAlias) and isinstance(target := get_proper_type(symbol.target), Instance):
            symbol = target.type
        return symbol.fullname if symbol else ""

    def _named(self, symbol: SymbolNode | None) -> Any:
        match symbol:
            case TypeInfo(fullname=name) if name.startswith("builtins."):
                return vars(builtins).get(symbol.name)  # an exception of Retry(on=...)
            case Var(fullname=name) if name in _NAMED:
                return _NAMED[name]
            case Var(final_value=value) if value is not None:
                return value
            case Var(fullname=name):
                return self._constant(name)
            case _:
                raise UnknownError

    def _constant(self, full_name: str) -> Any:
        owner, _, name = full_name.rpartition(".")
        module = self._checker.modules.get(owner)
        node = constants(module.path).get(name) if module else None
        if not module or not node or node in self._begun:  # begun: it is made of itself
            raise UnknownError
        self._checker.module_refs.add(owner)  # when it changes, this module is checked again
        values = self._of_modules.get(owner) or Values(self._checker, module, self._of_modules)
        self._begun.add(node)
        try:
            return values.of(node)
        finally:
            self._begun.remove(node)


@lru_cache(maxsize=1)
def values_of(checker: TypeChecker) -> Values:
    """Return the values of the module that is being checked; each check of a module has a checker of its own."""
    return Values(checker, checker.tree, {})


def arguments(call: CallExpr | ast.Call) -> Iterator[tuple[str | None, Node]]:
    """Return the arguments of a call with their names, or None for the positional ones.

    Raises:
        UnknownError: it has `*` or `**`, so it is not known what each argument is.
    """
    if isinstance(call, CallExpr):
        if any(kind not in (ARG_POS, ARG_NAMED) for kind in call.arg_kinds):
            raise UnknownError
        yield from zip(call.arg_names, call.args, strict=True)
    else:
        yield from ((None, node) for node in call.args)  # a starred one has no value
        for keyword in call.keywords:
            if keyword.arg is None:
                raise UnknownError
            yield keyword.arg, keyword.value
