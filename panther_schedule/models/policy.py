"""What happens to runs that overlap, are missed, fail or take too long."""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from types import ModuleType
from typing import Annotated, Final, Generic, Literal, Never, Self, TypedDict, TypeVar, Unpack, cast

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from ..errors import nearest, refuse_value, type_name
from .fields import CONSTRUCTED, Duration, Wait, at_least, choice, invalid, is_data, refused, said, shown
from .value import Value

Overlap = Annotated[Literal["skip", "queue_one", "queue_all", "allow", "cancel_running"], choice("skip")]
Missed = Annotated[Literal["coalesce", "skip", "catch_up"], choice("coalesce")]
OnLost = Annotated[Literal["again", "record"], choice("again")]

MOST_QUEUED: Final = 1000  # how many runs wait under queue_all, and are active at once under allow without max_running
CATCH_UP_LIMIT: Final = 100  # of missed occurrences, without catch_up_limit
CATCH_UP_WINDOW: Final = timedelta(days=1)  # for how old they may be, without catch_up_window

_is_path = re.compile(r"[^\W\d]\w*(\.([^\W\d]\w*|<locals>))+").fullmatch


def exception_name(cls: type[BaseException]) -> str:
    """Name an exception class as policies do: "ConnectionError", or "httpx.HTTPError" with its module."""
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def exception_names(cls: type[BaseException], name: Callable[..., str] = exception_name) -> tuple[str, ...]:
    """Name an exception class and those of its base classes that are exceptions."""
    return tuple(name(base) for base in type.mro(cls) if issubclass(base, BaseException))


def _exceptions(value: object, info: ValidationInfo) -> tuple[str, ...]:
    remedy = 'write ["ConnectionError"]' if is_data(info) else "write on=(ConnectionError,)"
    if value and isinstance(value, (tuple, list)):
        return tuple(dict.fromkeys(_exception(item, info, remedy) for item in cast(Sequence[object], value)))
    raise invalid("retry_on", info, "a tuple of one exception or more", shown(value), remedy)


def _exception(item: object, info: ValidationInfo, remedy: str) -> str:
    found = item
    if isinstance(item, str):
        name = str.__str__(item).removeprefix("builtins.")
        found, known = _named(name) if _is_path(name) else (vars(builtins).get(name), vars(builtins))
        if found is _UNKNOWN:
            return name
        if found is None:
            errors = [each for each, cls in known.items() if isinstance(cls, type) and issubclass(cls, Exception)]
            remedy = "there is none" if "." in name else 'name its module too, as in "httpx.HTTPError"'
            remedy = nearest(name.rpartition(".")[2], errors, 0.8) or remedy
    if isinstance(found, type) and issubclass(found, Exception):
        return exception_name(found)
    rule = f"{info.field_name} must hold Exception subclasses or their names, got {shown(item)}"
    raise refused("retry_on", f"{rule}; {remedy}")


_UNKNOWN: Final = object()


def _named(path: str) -> tuple[object, Mapping[str, object]]:
    """Return what a path names, and the names beside it; `_UNKNOWN` if only an import, which is not made, could tell.

    A class may have several paths, as "asyncio.TimeoutError", of which it knows one.
    """
    module = path
    while module not in sys.modules:
        module = module.rpartition(".")[0]
        if not module:
            return _UNKNOWN, {}
    found: object = sys.modules[module]
    names: Mapping[str, object] = {}
    steps = path.removeprefix(module).split(".")[1:]
    for name in steps:
        names = vars(found) if isinstance(found, (type, ModuleType)) else {}
        if name not in names:
            unknown = name == "<locals>" or _may_get(found, in_it=name is not steps[-1])
            return (_UNKNOWN if unknown else None), names
        found = names[name]
    return found, names


def _own_name(path: str) -> str:
    """Return the name that the class of a path knows itself by; the path, while it names no class."""
    found = _named(path)[0]
    return exception_name(found) if isinstance(found, type) and issubclass(found, BaseException) else path


def _may_get(holder: object, *, in_it: bool) -> bool:
    """Tell whether a module may get a name later: it is being imported, has a `__getattr__`, or `in_it` are modules."""
    if not isinstance(holder, ModuleType):
        return False
    importing = holder.__spec__ is None or getattr(holder.__spec__, "_initializing", False)
    return importing or "__getattr__" in vars(holder) or (in_it and "__path__" in vars(holder))


def _retry(value: object, info: ValidationInfo) -> object:
    in_data = is_data(info)
    if isinstance(value, (Retry, dict) if in_data else Retry):
        return cast(object, value)
    rule, remedy = ("an object or null", 'write {"attempts": 3}') if in_data else ("a Retry", "write Retry(3)")
    raise invalid("retry_type", info, rule, shown(value), remedy)


_Limit = Annotated[Duration, at_least(timedelta.resolution, "longer than zero", "give it a length, or leave it out")]
_Grace = Annotated[
    Duration, at_least(timedelta(seconds=1), "at least 1 second", "write timedelta(seconds=1) or longer")
]
_MaxRunning = Annotated[int, Field(ge=1), said("an int of at least 1", f"leave it out for {MOST_QUEUED}")]
_MostLate = Annotated[int, Field(ge=1, le=1000), said("an int from 1 to 1000", f"leave it out for {CATCH_UP_LIMIT}")]
_Attempts = Annotated[int, Field(ge=2), said("an int of at least 2", "the first one counts; write Retry(3)")]
_Factor = Annotated[
    float,
    Field(ge=1, allow_inf_nan=False),
    said("a finite number of at least 1", "write 1 for equal delays, 2 to double them", type_="retry_factor"),
]
_Exceptions = Annotated[
    tuple[str, ...],
    Field(min_length=1, examples=[["ConnectionError", "httpx.HTTPError"]]),
    BeforeValidator(_exceptions),
]


class _RetryKeywords(TypedDict, total=False):
    delay: timedelta
    factor: float
    max_delay: timedelta
    jitter: timedelta
    on: tuple[type[Exception] | str, ...]


class Retry(Value, frozen=True):
    """Try again after a failure: at most `attempts` times in all, the first included.

    The second attempt begins `delay` after the first has ended, and each further delay is `factor` times as long, but
    at most `max_delay`; `jitter` adds less than itself to each. All attempts are one run, which keeps its place until
    the last has ended.

    `on` are the exceptions that it covers, with their subclasses, as classes or as names: "ConnectionError", or with
    a module that has it "httpx.HTTPError". They are kept as the names of their classes, so "asyncio.TimeoutError" is
    "TimeoutError"; nothing is imported to find out. A timeout is a `TimeoutError`. Anything that isn't an
    `Exception`, such as a cancellation, is never retried.
    """

    attempts: _Attempts = Field(description="How many attempts at most, the first included.")
    delay: Wait = Field(timedelta(seconds=1), description="From the end of the first attempt to the second.")
    factor: _Factor = Field(2.0, description="Each further delay is this many times as long.")
    max_delay: Wait = Field(timedelta(hours=1), description="No delay is longer, apart from jitter.")
    jitter: Wait = Field(timedelta(0), description="Each delay is longer by less than this.")
    on: _Exceptions = Field(("Exception",), description="The exceptions that are tried again, with their subclasses.")

    def __init__(self, attempts: int, **fields: Unpack[_RetryKeywords]) -> None:
        """Try at most `attempts` times in all, the first included."""
        self._validate(attempts=attempts, **fields)

    def covers(self, error: BaseException) -> bool:
        """Tell whether this error's class, or one of its base classes, is named in `on`."""
        if not isinstance(cast(object, error), BaseException):
            refuse_value("covers", "error_type", "error", "an exception", type_name(error), "write covers(OSError())")
        return self.covers_names(exception_names(type(error)))

    def covers_names(self, names: Collection[str]) -> bool:
        """Tell it by the names of these classes."""
        return "Exception" in names and any(name in names or _own_name(name) in names for name in self.on)

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.max_delay < self.delay:
            got = f"max_delay={self.max_delay} and delay={self.delay}"
            rule = "max_delay must be at least as long as delay"
            raise refused("max_delay", f"{rule}, got {got}; make max_delay longer")
        return self


_Retry = Annotated[Retry, BeforeValidator(_retry)]
_Unset = TypeVar("_Unset")


class _PolicyKeywords(TypedDict, Generic[_Unset], total=False):
    overlap: Overlap
    max_running: int | _Unset
    missed: Missed
    grace: timedelta | _Unset
    catch_up_limit: int | _Unset
    catch_up_window: timedelta | _Unset
    retry: Retry | _Unset
    timeout: timedelta | _Unset
    jitter: timedelta
    on_lost: OnLost


class PolicyChanges(_PolicyKeywords[Never], total=False):
    """The keyword arguments of `with_policy()`: the fields of a `Policy`, none of which may be None."""


class Policy(Value, frozen=True):
    """What happens to a task's runs; each field can be left out.

    - `overlap`: an occurrence is due while a run is active. It is skipped (`skip`), waits unless one waits already
      (`queue_one`), waits with at most 1,000 others (`queue_all`), runs beside it (`allow`, at most `max_running` at a
      time, or 1,000), or takes its place (`cancel_running`).
    - `missed`: the scheduler did not get to some occurrences, since the program or the machine stood still. One late
      run for the latest (`coalesce`), none for those that are late by more than `grace` (`skip`), or one for each of
      the latest `catch_up_limit` (100) of the last `catch_up_window` (1 day), oldest first (`catch_up`).
    - `retry`: further attempts after a failure; None means none.
    - `timeout`: how long an attempt may take; None means no limit.
    - `jitter`: each run is due later by less than this, and before the next occurrence; always by the same for the
      same occurrence of the same task.
    - `on_lost`: the process died during an attempt. The run is tried again, until three of its attempts are lost
      (`again`, at least once), or recorded as `lost` (`record`, at most once). Tasks kept in memory end with their
      process, so for them it has no effect.
    """

    overlap: Overlap = Field("skip", description="What happens to an occurrence that is due while a run is active.")
    max_running: _MaxRunning | None = Field(
        None, description=f"How many runs may be active at once; null means {MOST_QUEUED}."
    )
    missed: Missed = Field("coalesce", description="Missed occurrences are one late run, none, or one each.")
    grace: _Grace | None = Field(None, description="How late a run may be with missed skip, which needs it.")
    catch_up_limit: _MostLate | None = Field(
        None, description=f"How many are caught up at most; null means {CATCH_UP_LIMIT}."
    )
    catch_up_window: _Limit | None = Field(None, description="How old they may be to be caught up; null means one day.")
    retry: _Retry | None = Field(None, description="Further attempts after a failure; null means none.")
    timeout: _Limit | None = Field(None, description="How long an attempt may take; null means no limit.")
    jitter: Wait = Field(timedelta(0), description="Each run is due later by less than this.")
    on_lost: OnLost = Field("again", description="A run whose process died is tried again, or recorded as lost.")

    def __init__(self, **fields: Unpack[_PolicyKeywords[None]]) -> None:
        """Say what happens to runs that overlap, are missed, fail or take too long."""
        self._validate(**fields)

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        for name, (owner, mode) in _BELONGS_TO.items():
            value, chosen = getattr(self, name), getattr(self, owner)
            if value is not None and chosen != mode:
                rule = f"{name} must go with {owner}={mode!r}, got {name}={value} and {owner}={chosen!r}"
                raise refused("policy_conflict", f"{rule}; leave out {name}, or write {owner}={mode!r}")
        if self.missed == "skip" and self.grace is None:
            rule = "grace must be given with missed='skip', which leaves out what is later than that"
            raise refused("missing_grace", f"{rule}, got None; add grace=timedelta(minutes=5)")
        return self


# The fields that mean something only with one value of another field.
_BELONGS_TO: Final = {
    "max_running": ("overlap", "allow"),
    "grace": ("missed", "skip"),
    "catch_up_limit": ("missed", "catch_up"),
    "catch_up_window": ("missed", "catch_up"),
}
DEFAULT_POLICY: Final = Policy.model_construct()  # made without a validator, which would be built at import


def merged(policy: Policy, *changes: Mapping[str, object]) -> Policy:
    """Return the policy with some fields changed, by one mapping after the other.

    What belongs to a value of `overlap` or `missed` that is replaced, such as `grace`, goes with it.
    """
    if not any(changes):
        return policy
    fields = policy._given()
    for change in changes:
        for name, (owner, mode) in _BELONGS_TO.items():
            if change.get(owner, mode) != mode:
                fields.pop(name, None)
        fields.update(change)
    return Policy.model_validate(fields, context=CONSTRUCTED)
