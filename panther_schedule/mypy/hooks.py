"""The plugin: which calls are made, and how mypy is told what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Final, cast

import mypy.options
from mypy.checker import TypeChecker
from mypy.errorcodes import ErrorCode
from mypy.nodes import CallExpr, Expression, MemberExpr, OpExpr
from mypy.plugin import FunctionContext, MethodContext, MethodSigContext, Plugin, ReportConfigContext
from mypy.types import FunctionLike, Type
from pydantic import ValidationError

from ..models.schedules import SCHEDULES, AnyOf, Repeat, Schedule
from ..runtime.scheduler import Scheduler
from ..tasks.checks import check_name, check_policy
from ..tasks.registry import TaskRegistry
from ..tasks.task import BackgroundTask, CountedTask, DailyTask, ScheduledTask, SpacedTask, check_task
from ..wording.smells import lint
from .constants import digest
from .options import read_options
from .refusals import Attempt, Refusal
from .values import MODELS, SETTERS, BrokenError, UnknownError, arguments, full_name, stand_in, values_of

REFUSED: Final = ErrorCode("panther-schedule", "Check that schedules, policies and tasks can be made", "Plugins")
SMELL: Final = ErrorCode("panther-lint", "Note likely mistakes in schedules", "Plugins")

_REGISTER: Final = full_name(TaskRegistry.register)
_TASKS: Final = (BackgroundTask, CountedTask, SpacedTask, DailyTask, ScheduledTask)
_Check = Callable[[Attempt], Iterator[Refusal]]


class SchedulePlugin(Plugin):
    """Makes the calls that it knows, and tells mypy what they refuse."""

    def __init__(self, options: mypy.options.Options) -> None:
        super().__init__(options)
        self._options = read_options(options.config_file)

    def get_function_hook(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        """Check the calls of models."""
        model = MODELS.get(fullname)
        return None if model is None else partial(self._checked, partial(_model, model))

    def get_method_hook(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        """Check the calls of methods, and `a | b`."""
        check = _METHODS.get(fullname)
        return None if check is None else partial(self._checked, check)

    def get_method_signature_hook(self, fullname: str) -> Callable[[MethodSigContext], FunctionLike] | None:
        """Check `register(name=...)` before mypy tries its overloads, which it does where no error counts."""
        return self._registered if fullname == _REGISTER else None

    def report_config_data(self, ctx: ReportConfigContext) -> Any:
        """Return what a module's results depend on besides its code: here, and in what imports its constants."""
        constants = digest(ctx.path)
        return None if constants is None else [constants, self._options.lint]

    def _checked(self, check: _Check, ctx: FunctionContext | MethodContext) -> Type:
        with suppress(Exception):  # whatever can't be made is not known, and a fault of ours must not end mypy
            self._check(check, ctx)
        return ctx.default_return_type

    def _check(self, check: _Check, ctx: FunctionContext | MethodContext) -> None:
        attempt = Attempt(ctx)
        for sentence, place in check(attempt):
            ctx.api.fail(sentence, place, code=REFUSED)
        if self._options.lint and isinstance(attempt.made, Schedule):
            for smell in lint(attempt.made):
                ctx.api.msg.note(smell.message, ctx.context, code=SMELL)

    def _registered(self, ctx: MethodSigContext) -> FunctionLike:
        with suppress(Exception):  # as above
            for name, node in arguments(cast(CallExpr, ctx.context)):
                if name == "name" and isinstance(value := values_of(cast(TypeChecker, ctx.api)).of(node), str):
                    try:
                        check_name(value)
                    except ValidationError as error:
                        ctx.api.fail(error.errors()[0]["msg"], cast(Expression, node), code=REFUSED)
        return ctx.default_signature


def _model(model: Callable[..., Any], attempt: Attempt) -> Iterator[Refusal]:
    yield from attempt.refusals(model)
    attempt.keep()


def _set(attempt: Attempt) -> Iterator[Refusal]:
    """Call a setter on its task; on one that has no settings, if that is not known."""
    callee = cast(MemberExpr, cast(CallExpr, attempt.ctx.context).callee)
    try:
        task, certain = attempt.values.task(callee.expr), True
    except (UnknownError, BrokenError):
        task, certain = BackgroundTask(stand_in), False
    yield from attempt.refusals(getattr(task, callee.name), certain=certain)
    attempt.keep()


def _added(task: object) -> Schedule | None:
    """Check what `add_task()` checks without a clock; return the schedule, unless the call of a model has shown it."""
    known = check_task("add_task", task)
    check_policy(known.schedule, known.policy)
    return None if isinstance(known, ScheduledTask) else known.schedule


def _all_added(tasks: Iterable[object]) -> list[Schedule | None]:
    return [_added(task) for task in tasks]


def _declared(*args: Any, **kwargs: Any) -> object:
    return TaskRegistry().scheduled(*args, **kwargs)(stand_in)


def _unite(attempt: Attempt) -> Iterator[Refusal]:
    """Check each part of `a | b` alone: what a union refuses is a part."""
    union = cast(OpExpr, attempt.ctx.context)
    with suppress(UnknownError, BrokenError):
        attempt.values.of(union)
        return
    for node in (union.left, union.right):
        with suppress(UnknownError, BrokenError):
            part = attempt.values.of(node)
            try:
                if isinstance(part, Schedule) and not isinstance(part, Repeat):  # else mypy refuses it by its type
                    AnyOf((cast(Any, part),))
            except ValidationError as error:
                yield error.errors()[0]["msg"], node


def _making(make: Callable[..., Any]) -> _Check:
    return lambda attempt: attempt.refusals(make)


_METHODS: Final[dict[str, _Check]] = {
    **{f"{full_name(task)}.{setter}": _set for task in _TASKS for setter in SETTERS},
    **{f"{full_name(kind)}.{name}": _unite for kind in SCHEDULES for name in ("__or__", "__ror__")},
    **{f"{full_name(Scheduler)}.{name}": _making(_added) for name in ("add_task", "replace")},
    f"{full_name(Scheduler)}.add_tasks": _making(_all_added),
    f"{full_name(TaskRegistry)}.scheduled": _making(_declared),
}
