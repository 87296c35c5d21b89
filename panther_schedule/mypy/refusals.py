"""What a call refuses: found by making, of the arguments that are known, the value that it would make.

An argument that is not known is replaced by an object that every field refuses, and what is said of it is dropped. So
each field is checked alone, and the fields together only when all are known: as by the models, which look at them
together only when each is right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, cast

from mypy.checker import TypeChecker
from mypy.nodes import CallExpr, Context, Expression, StrExpr
from mypy.plugin import FunctionContext, MethodContext
from mypy.subtypes import is_subtype
from mypy.types import CallableType, get_proper_type
from pydantic import ValidationError

from .values import BrokenError, Node, UnknownError, arguments, values_of

Refusal = tuple[str, Context]
"""A sentence, and the place that it is about."""


class Attempt:
    """A call that mypy checks, and the value that it makes, once `refusals()` has found none."""

    def __init__(self, ctx: FunctionContext | MethodContext) -> None:
        self.ctx, self._call = ctx, cast(CallExpr, ctx.context)
        self._checker = cast(TypeChecker, ctx.api)  # mypy has no other
        self.values = values_of(self._checker)
        self._whole = False
        self.made: Any = None

    def refusals(self, make: Callable[..., Any], *, certain: bool = True) -> Iterator[Refusal]:
        """Yield what `make` refuses of the arguments; unless it is `certain`, only what each alone is refused for."""
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        unknown: set[Node] = set()
        for name, node in arguments(self._call):
            try:
                value = self.values.of(node)
            except (UnknownError, BrokenError) as error:
                if isinstance(error, BrokenError):
                    yield f"{error}", cast(Expression, node)
                value = object()
                unknown.add(node)
            if name is None:
                args.append(value)
            else:
                kwargs[name] = value
        try:
            self.made = make(*args, **kwargs)
        except ValidationError as error:
            yield from self._placed(error, unknown | self._misfits(), certain=certain)
        else:
            self._whole = certain and not unknown

    def keep(self) -> None:
        """Keep what was made as the value of the call, for the call that it is an argument of."""
        if self._whole:
            self.values.keep(self._call, self.made)

    def _placed(self, error: ValidationError, left_out: set[Node], *, certain: bool) -> Iterator[Refusal]:
        names = self._names()
        for line in error.errors(include_url=False, include_context=False, include_input=False):
            alone = next((names[step] for step in line["loc"] if step in names), None)
            counts = certain and not left_out if alone is None else alone not in left_out
            if counts:
                yield _told(line["msg"], alone or self._place(line["msg"], names))

    def _place(self, message: str, names: Mapping[str | int, Expression]) -> Context:
        """Return the place of a refusal of several arguments: the first that is named, as in `every=2`, or the call.

        A call of a method begins with its task, so there it is the first argument.
        """
        first = self._call.args[:1] if isinstance(self.ctx, MethodContext) else ()
        named = (names[word] for word in re.findall(r"^\w+|\w+(?==)", message) if word in names)
        return next(chain(named, first), self._call)

    def _names(self) -> dict[str | int, Expression]:
        """Return the arguments by the names of their parameters."""
        formals = zip(self.ctx.callee_arg_names, self.ctx.arg_names, self.ctx.args, strict=True)
        return {
            name: node
            for formal, given, nodes in formals
            for name, node in zip((name or formal for name in given), nodes, strict=True)
            if name is not None
        }

    def _misfits(self) -> set[Node]:
        """Return the arguments that mypy itself refuses, by their type or their name."""
        callee = get_proper_type(self._checker.lookup_type(self._call.callee))
        fit: set[Node] = set()
        if isinstance(callee, CallableType) and len(callee.arg_types) == len(self.ctx.args):
            for wanted, types, nodes in zip(callee.arg_types, self.ctx.arg_types, self.ctx.args, strict=True):
                fit.update(node for node, given in zip(nodes, types, strict=True) if is_subtype(given, wanted))
        return {node for node in self._call.args if node not in fit}


def _told(message: str, place: Context) -> Refusal:
    """Return the first line of a message; one of cron points at a character below it, which is then the place."""
    sentence, *pointer = message.split("\n")
    if pointer and isinstance(place, StrExpr) and place.end_column == place.column + len(place.value) + 2:
        offset = pointer[-1].index("^") - pointer[0].index(place.value)
        place = Context(place.line, place.column + 1 + offset)
    return sentence, place
