"""A task: a function, its arguments, a schedule and a policy, as one immutable value.

The class of a task says what is set, so that a type checker refuses two settings that exclude each other:

    BackgroundTask           nothing
    ├─ CountedTask           interval()
    │  ├─ SpacedTask         interval_wait(), with or without interval()
    │  └─ DailyTask          on_time(), with or without interval()
    └─ ScheduledTask         with_schedule()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Final, Generic, NoReturn, Self, cast, final

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, InitErrorDetails, core_schema
from typing_extensions import ParamSpec, TypeVar, Unpack

from ..errors import check_number, fault, refusal, refuse, refuse_value, type_name
from ..models.fields import TimeZone
from ..models.policy import DEFAULT_POLICY, Policy, PolicyChanges
from ..models.schedules import ONCE, AnySchedule, Daily, Repeat
from ..occurrences.compiler import check_schedule
from ..occurrences.queries import ever_happens
from ..wording.previews import preview
from ..wording.sentence import explain
from .checks import changed_policy, check_name, check_policy
from .signature import KnownFunction, function_name, inspect_function

P = ParamSpec("P", default=...)
R = TypeVar("R", covariant=True, default=Any)  # noqa: PLC0105 - an editor shows the name: R reads better than R_co
_Task = TypeVar("_Task", bound="AnyTask")

_NO_KWARGS: Final[dict[str, Any]] = {}
"""Shared by all tasks without keyword arguments; nobody changes it."""
_put = object.__setattr__


@final
class OnTimeExcludesIntervalWait:
    """No value has this type: a task has `on_time()` or `interval_wait()`, not both."""


@final
class WithScheduleExcludesOtherSetters:
    """No value has this type: `with_schedule()` stands alone, without interval(), interval_wait() and on_time()."""


class AnyTask:
    """What every task has, whatever its function: the type of the items of a mixed list."""

    __slots__ = ("__weakref__", "_args", "_func", "_known", "_kwargs", "_name", "_policy", "_schedule")
    _func: Callable[..., Any]
    _args: tuple[Any, ...]
    _kwargs: dict[str, Any]
    _schedule: AnySchedule
    _name: str | None
    _policy: Policy
    _known: KnownFunction

    def __init_subclass__(cls, *, only_setters_make_subclasses: str) -> None:
        """Refuse further subclasses: the name of the missing argument says why, at run time and to type checkers."""
        super().__init_subclass__()

    @property
    def args(self) -> tuple[Any, ...]:
        """The positional arguments, as given."""
        return self._args

    @property
    def kwargs(self) -> MappingProxyType[str, Any]:
        """The keyword arguments, as given."""
        return MappingProxyType(self._kwargs)

    @property
    def schedule(self) -> AnySchedule:
        """When the task runs."""
        return self._schedule

    @property
    def name(self) -> str | None:
        """The name under which a scheduler keeps the task; None for a task without one."""
        return self._name

    @property
    def policy(self) -> Policy:
        """What happens to its runs that overlap, are missed, fail or take too long."""
        return self._policy

    def with_name(self, name: str) -> Self:
        """Name the task: a scheduler keeps one task of a name, and adding an equal one again changes nothing.

        Raises:
            ValidationError: `name` is not a str, or is blank (`task_name`).
        """
        return self._changed(type(self), self._schedule, name=check_name(name))

    def with_policy(self, policy: Policy = DEFAULT_POLICY, /, **fields: Unpack[PolicyChanges]) -> Self:
        """Change some fields of the task's policy: those that `policy` was given, and then `fields`.

        The other fields stay; only what belongs to a replaced `overlap` or `missed`, such as `grace`, goes with it.

        Raises:
            ValidationError: `policy` is not a policy (`policy_type`), a field is None (`policy_none`), its value is
                refused or does not go with another, or the task repeats without a wait or by one measured from the
                end, which takes no overlap but "skip" (`overlap_without_wait`, `overlap_from_end`) and no jitter
                (`jitter_without_wait`, `jitter_from_end`).
        """
        changed = changed_policy(self._policy, policy, fields)
        return self._changed(type(self), self._schedule, policy=changed)

    def explain(self) -> str:
        """Say in one line when the task runs, such as "every 5 minutes, 5 times", and its policy where it has one."""
        return explain(self)

    def next_runs(self, n: int, after: datetime | None = None) -> list[datetime]:
        """Return the first `n` times, in UTC, of the task if it were added `after`; without it, now.

        There are fewer when the schedule has fewer. Of a repeat without a wait, or measured from the end, only the
        first is known. Jitter is in them: they are when the runs are due.

        Raises:
            ValidationError: `n` is not a positive int (`preview_count`), or `after` is not an aware datetime
                (`instant`).
        """
        n = check_number("next_runs", "preview_count", "n", n, 1, "write next_runs(5)")
        return [each.utc for each in preview(self, n, after=after)]

    def _changed(self, cls: type[_Task], schedule: AnySchedule, name: str = "", policy: Policy | None = None) -> _Task:
        """Return a copy of this class and schedule, with another name and policy where they are given."""
        policy = policy or self._policy
        if policy is not DEFAULT_POLICY and cls in (SpacedTask, ScheduledTask):  # others may get a wait yet
            check_policy(schedule, policy)
        task = object.__new__(cls)
        _fill(task, self._func, self._args, self._kwargs, self._known, schedule, name or self._name, policy)
        return task

    @property
    def _jitter_key(self) -> str:
        """What tells its jitter from another task's: its name, or else its function's, with the module."""
        return self._name if self._name is not None else self._known.path

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a task is immutable, so {name} can't be set; its setters return a new task")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a task is immutable, so {name} can't be deleted")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BackgroundTask):
            return NotImplemented
        settings = self._name, self._schedule, self._policy, self._func
        if settings != (other._name, other._schedule, other._policy, other._func):
            return False
        if (self._args, self._kwargs) == (other._args, other._kwargs):
            return True
        canonical = self._known.canonical
        return canonical(self._args, self._kwargs) == canonical(other._args, other._kwargs)

    def __hash__(self) -> int:
        try:
            func = hash(self._func)
        except TypeError:  # a callable object; arguments need not be hashable either, so they stay out
            func = hash(type(self._func))
        return hash((func, self._schedule, self._name, self._policy))

    def __copy__(self) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        fields = self._func, self._args, self._kwargs, self._schedule, self._name, self._policy
        return _remade, (type(self), *fields)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take a task as it is, in a field of a model; JSON goes through `spec`."""
        return core_schema.is_instance_schema(cls)

    def __repr__(self) -> str:
        given = [f"<{type_name(value)}>" for value in self._args]
        given += [f"{name}=<{type_name(value)}>" for name, value in self._kwargs.items()]
        given.append(f"schedule={self._schedule!r}")
        if self._policy != DEFAULT_POLICY:
            given.append(f"policy={self._policy!r}")
        shown = ", ".join([self._known.name, *given])
        return f"BackgroundTask({shown})" + (f".with_name({self._name!r})" if self._name is not None else "")


class BackgroundTask(AnyTask, Generic[P, R], only_setters_make_subclasses=""):
    """A function, its arguments and a schedule; without a schedule it runs once, when it is added.

    Every method returns a new task and leaves this one as it is. Tasks are equal when function, arguments,
    schedule, policy and name are. The function gets the very objects given here.

    Raises:
        ValidationError: the function is not one (`not_callable`: it was called already) or is a generator function
            (`generator_function`: calling it runs none of its code), or the arguments don't fit it: `missing_argument`,
            `unknown_argument`, `surplus_argument`, `argument_type`.
    """

    __slots__ = ()

    def __init__(self, func: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> None:
        if hasattr(self, "_func"):
            raise AttributeError(
                "a task is immutable, so it can't be initialised twice; write a new BackgroundTask(...)"
            )
        if type(self) is not BackgroundTask:
            raise TypeError(f"{type(self).__name__} can't be called; write BackgroundTask(...) and call its setters")
        known = inspect_function(func)
        if known.wrapper is not None:
            known = known.taking(args, kwargs)
        known.check(args, kwargs)
        _fill(self, func, args, kwargs or _NO_KWARGS, known, ONCE, None, DEFAULT_POLICY)

    @property
    def func(self) -> Callable[P, R]:
        """The function, as given."""
        return self._func

    def interval(self, n: int) -> CountedTask[P, R]:
        """Run `n` times, -1 for ever; without a wait or a time, back to back.

        Raises:
            ValidationError: `n` is neither -1 nor at least 1, or not an int.
        """
        return self._changed(CountedTask, _counted(n))

    def interval_wait(self, wait: timedelta) -> SpacedTask[P, R]:
        """Wait this long from one start to the next; zero is back to back.

        Raises:
            ValidationError: `wait` is negative or not a timedelta, or on_time() is set (`schedule_conflict`).
        """
        return self._changed(SpacedTask, Repeat(self._schedule.run_count, wait))

    def on_time(self, at: time, tz: TimeZone | None = None) -> DailyTask[P, R]:
        """Run each day at this wall-clock time; as often as interval() says, and once without it.

        Without `tz` the time is that of the machine's zone.

        Raises:
            ValidationError: `at` is not a naive time in whole seconds, `tz` is not an IANA zone, or interval_wait() is
                set (`schedule_conflict`).
        """
        return self._changed(DailyTask, Daily(at, self._schedule.run_count, tz))

    def with_schedule(self, schedule: AnySchedule) -> ScheduledTask[P, R]:
        """Run by this schedule.

        Raises:
            ValidationError: `schedule` is not a schedule (`schedule_type`) or has no occurrence at all
                (`never_happens`), or interval(), interval_wait() or on_time() is set (`schedule_conflict`).
        """
        check_schedule("with_schedule", schedule)
        if not ever_happens(schedule):
            message = "schedule must happen, got {got}, which never happens; exclude less, or widen its bounds"
            refuse("with_schedule", "never_happens", message, at=("schedule",), got=repr(schedule))
        return self._changed(ScheduledTask, schedule)

    def run(self) -> R:
        """Call the function now, here, and return what it returns; for an async one that is to be awaited."""
        return cast(R, self._func(*self._args, **self._kwargs))


class CountedTask(BackgroundTask[P, R], only_setters_make_subclasses="interval"):
    """A task with interval(), or one that may have it; it takes no with_schedule()."""

    __slots__ = ()

    def interval(self, n: int) -> Self:
        schedule = _counted(n) if type(self) is CountedTask else self._schedule.model_copy(update={"n": n})
        return self._changed(type(self), schedule)

    def with_schedule(self, schedule: WithScheduleExcludesOtherSetters) -> ScheduledTask[P, R]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride] - narrower, so that a type checker sees the conflict
        _conflict(self, f"with_schedule({schedule!r})")


@final
class SpacedTask(CountedTask[P, R], only_setters_make_subclasses="interval_wait"):
    """A task with interval_wait(); it takes no on_time()."""

    __slots__ = ()

    def on_time(self, at: OnTimeExcludesIntervalWait, tz: TimeZone | None = None) -> DailyTask[P, R]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride] - as above  # noqa: ARG002 - the setter's signature
        _conflict(self, f"on_time({at})")


@final
class DailyTask(CountedTask[P, R], only_setters_make_subclasses="on_time"):
    """A task with on_time(); it takes no interval_wait()."""

    __slots__ = ()

    def interval_wait(self, wait: OnTimeExcludesIntervalWait) -> SpacedTask[P, R]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride] - as above
        _conflict(self, f"interval_wait({wait})")


@final
class ScheduledTask(BackgroundTask[P, R], only_setters_make_subclasses="with_schedule"):
    """A task with with_schedule(), which stands alone."""

    __slots__ = ()

    def interval(self, n: WithScheduleExcludesOtherSetters) -> CountedTask[P, R]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride] - as above
        _conflict(self, f"interval({n})")

    def interval_wait(self, wait: WithScheduleExcludesOtherSetters) -> SpacedTask[P, R]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride] - as above
        _conflict(self, f"interval_wait({wait})")

    def on_time(self, at: WithScheduleExcludesOtherSetters, tz: TimeZone | None = None) -> DailyTask[P, R]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride] - as above  # noqa: ARG002 - the setter's signature
        _conflict(self, f"on_time({at})")


def check_task(title: str, value: object) -> BackgroundTask[..., Any]:
    """Return a task; refuse anything else (`not_a_task`)."""
    if not isinstance(value, BackgroundTask):
        raise refusal(title, [_not_a_task(value)])
    return cast(BackgroundTask[..., Any], value)


def check_tasks(title: str, values: object) -> list[BackgroundTask[..., Any]]:
    """Return tasks as a list; refuse a task alone (`tasks_type`), and all else in it (`not_a_task`)."""
    if not isinstance(values, Iterable) or isinstance(values, (str, bytes)):
        rule, remedy = "a list, a tuple or a TaskRegistry of tasks", f"write {title}([task])"
        refuse_value(title, "tasks_type", "tasks", rule, type_name(values), remedy)
    tasks = [*cast(list[Any], values)]
    if faults := [_not_a_task(it, at) for at, it in enumerate(tasks) if not isinstance(it, BackgroundTask)]:
        raise refusal(title, faults)
    return tasks


def _not_a_task(value: object, *at: int) -> InitErrorDetails:
    got = "a function is not a task" if callable(value) else f"a task must be a BackgroundTask, got {type_name(value)}"
    name = function_name(value) if callable(value) else "func"
    return fault("not_a_task", "{got}; write add_task(BackgroundTask({name}, ...))", at=at, got=got, name=name)


def restore(func: Any, known: KnownFunction, kwargs: Any, schedule: AnySchedule, *named: Any) -> BackgroundTask:
    """Make a task of data; its arguments have been checked."""
    cls: type[BackgroundTask] = ScheduledTask
    if schedule.kind == "once" and schedule.at is None and not schedule.after:  # isinstance() is slow for a model
        cls = BackgroundTask
    elif schedule.kind == "repeat" and not schedule.after and (schedule.has_grid or not schedule.wait):
        cls = SpacedTask if schedule.wait else CountedTask
    elif schedule.kind == "daily" and (
        schedule.model_fields_set <= {"kind", "at", "n", "tz"}
        or schedule == Daily(schedule.at, schedule.n, schedule.tz)
    ):
        cls = DailyTask
    task = object.__new__(cls)
    _fill(task, func, (), kwargs or _NO_KWARGS, known.taking((), kwargs), schedule, *named)
    return task


def _remade(cls: type[_Task], func: Any, args: Any, kwargs: Any, *settings: Any) -> _Task:
    """Make a copied task again; its arguments were checked before."""
    task = object.__new__(cls)
    _fill(task, func, args, kwargs or _NO_KWARGS, inspect_function(func).taking(args, kwargs), *settings)
    return task


def _fill(task: Any, func: Any, args: Any, kwargs: Any, known: Any, schedule: Any, name: Any, policy: Any) -> None:
    _put(task, "_func", func)  # one by one: a loop over names and values doubles the cost of a setter
    _put(task, "_args", args)
    _put(task, "_kwargs", kwargs)
    _put(task, "_known", known)
    _put(task, "_schedule", schedule)
    _put(task, "_name", name)
    _put(task, "_policy", policy)


def _counted(n: int) -> AnySchedule:
    repeat = Repeat(n)
    return ONCE if repeat.n == 1 else repeat


def _conflict(task: BackgroundTask[..., Any], added: str) -> NoReturn:
    """Refuse a setter that excludes the one before; the message is the same in either order."""
    schedule = task._schedule
    if isinstance(task, ScheduledTask):
        set_ = f"with_schedule({schedule!r})"
    elif isinstance(schedule, Daily):
        set_ = f"on_time({schedule.at})"
    elif isinstance(schedule, Repeat) and isinstance(task, SpacedTask):
        set_ = f"interval_wait({schedule.wait})"
    else:
        set_ = f"interval({schedule.run_count})"
    first, second = sorted((added, set_), reverse=True)  # with_schedule, on_time, interval_wait, interval
    if first.startswith("on_time"):
        why = "and on_time() has the higher priority; remove interval_wait(), or remove on_time() to repeat by the wait"
    else:
        why = "since a schedule says it all; remove one of the two"
    message = "{first} and {second} exclude each other, {why}"
    refuse("BackgroundTask", "schedule_conflict", message, first=first, second=second, why=why)
