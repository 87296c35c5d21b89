"""What becomes of runs: that overlap, that are missed, that fail, and that take too long.

A policy is a value as a schedule is. It says nothing of when, and no run is decided here: `planning` does that.
"""

from __future__ import annotations

import builtins
import difflib
import math
import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, NoReturn, Self, TypedDict, cast, get_args

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import Unpack

from ..errors import type_name
from .fields import Duration, Value, base_init

Overlap = Literal["skip", "queue_one", "queue_all", "allow", "cancel_running"]
"""What becomes of an occurrence that is due while a run of the task is going."""
Missed = Literal["coalesce", "skip", "catch_up"]
"""What becomes of occurrences that the scheduler did not get to in time."""

MOST_QUEUED: Final = 1000
"""How many runs wait under `queue_all`, and how many go at a time under `allow` without `max_running`."""
CATCH_UP_LIMIT: Final = 100
"""How many missed occurrences are caught up without `catch_up_limit`."""
CATCH_UP_WINDOW: Final = timedelta(days=1)
"""How old a missed occurrence may be to be caught up without `catch_up_window`."""

_MOST_CAUGHT_UP: Final = 1000
_SHORTEST_GRACE: Final = timedelta(seconds=1)
_ZERO: Final = timedelta(0)
_is_path = re.compile(r"[^\W\d]\w*(\.([^\W\d]\w*|<locals>))+").fullmatch


def _refuse(type_: Any, info: ValidationInfo, rule: str, value: object, remedy: str) -> NoReturn:
    plain = isinstance(value, (str, int, float)) or value is None
    got = str(value) if isinstance(value, timedelta) else repr(value) if plain else type_name(value)
    raise PydanticCustomError(
        type_,
        "{field} must be {rule}, got {got}; {remedy}",
        {"field": info.field_name, "rule": rule, "got": got, "remedy": remedy},
    )


def _choice(type_: str, literal: Any) -> Callable[[object, ValidationInfo], object]:
    choices = get_args(literal)

    def check(value: object, info: ValidationInfo) -> object:
        if isinstance(value, str) and value in choices:
            return value
        words = " or ".join(repr(each) for each in choices)
        _refuse(type_, info, words, value, f"leave it out for {choices[0]!r}")

    return check


def _whole(type_: str, least: int, most: int | None, remedy: str) -> Callable[[object, ValidationInfo], int]:
    rule = f"an int of at least {least}" if most is None else f"an int from {least} to {most}"

    def check(value: object, info: ValidationInfo) -> int:
        if type(value) is int and value >= least and (most is None or value <= most):
            return value
        _refuse(type_, info, rule, value, remedy)

    return check


def _not_negative(value: timedelta, info: ValidationInfo) -> timedelta:
    if value < _ZERO:
        _refuse("negative_duration", info, "zero or longer", value, "leave out the minus sign")
    return value


def _positive(value: timedelta, info: ValidationInfo) -> timedelta:
    if value <= _ZERO:
        _refuse("duration_range", info, "longer than zero", value, "give it a length, or leave it out")
    return value


def _grace(value: timedelta, info: ValidationInfo) -> timedelta:
    if value < _SHORTEST_GRACE:
        _refuse("duration_range", info, "at least 1 second", value, "write timedelta(seconds=1) or longer")
    return value


def _factor(value: object, info: ValidationInfo) -> float:
    if type(value) in (int, float):
        try:
            number = float(cast(float, value))
        except OverflowError:
            number = math.inf
        if math.isfinite(number) and number >= 1:
            return number
    _refuse("retry_factor", info, "a finite number of at least 1", value, "write 1 for equal delays, 2 to double them")


def exception_name(cls: type[BaseException]) -> str:
    """Name an exception class as policies do: "ConnectionError", or "httpx.HTTPError" with its module."""
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _exceptions(value: object, info: ValidationInfo) -> tuple[str, ...]:
    remedy = 'write ["ConnectionError"]' if info.mode == "json" else "write on=(ConnectionError,)"
    items = list(cast(Collection[object], value)) if isinstance(value, (tuple, list)) else []
    if not items:
        got = "an empty one" if isinstance(value, (tuple, list)) else type_name(value)
        raise PydanticCustomError(
            "retry_on",
            "{field} must be a tuple of one exception or more, got {got}; {remedy}",
            {"field": info.field_name, "got": got, "remedy": remedy},
        )
    return tuple(dict.fromkeys(_exception(item, info, remedy) for item in items))


def _exception(item: object, info: ValidationInfo, remedy: str) -> str:
    rule = "of subclasses of Exception or their names"
    if isinstance(item, type):
        if issubclass(item, Exception):
            return exception_name(item)
        _refuse("retry_on", info, rule, item.__name__, remedy)
    if not isinstance(item, str):
        _refuse("retry_on", info, rule, item, remedy)
    name = item.removeprefix("builtins.")
    found = getattr(builtins, name, None)
    if isinstance(found, type) and issubclass(found, Exception):
        return exception_name(found)
    if _is_path(name):
        return name
    known = [each for each, cls in vars(builtins).items() if isinstance(cls, type) and issubclass(cls, Exception)]
    near = difflib.get_close_matches(name, known, 1, cutoff=0.8)
    hint = f"did you mean {near[0]!r}?" if near else 'one that is not built in has its module, as "httpx.HTTPError"'
    _refuse("retry_on", info, rule, item, hint)


def _retry(value: object, info: ValidationInfo) -> object:
    given = value
    if isinstance(value, Retry) or (info.mode == "json" and isinstance(value, dict)):
        return given
    if info.mode == "json":
        _refuse("retry_type", info, "an object or null", given, 'write {"attempts": 3}')
    _refuse("retry_type", info, "a Retry", given, "write Retry(3)")


_Delay = Annotated[Duration, AfterValidator(_not_negative)]
_Limit = Annotated[Duration, AfterValidator(_positive)]
_Grace = Annotated[Duration, AfterValidator(_grace)]
_OverlapRule = Annotated[Overlap, BeforeValidator(_choice("overlap", Overlap))]
_MissedRule = Annotated[Missed, BeforeValidator(_choice("missed", Missed))]
_Attempts = Annotated[
    int,
    BeforeValidator(_whole("attempts", 2, None, "the first one counts; write Retry(3)")),
    WithJsonSchema({"type": "integer", "minimum": 2}),
]
_Factor = Annotated[float, BeforeValidator(_factor), WithJsonSchema({"type": "number", "minimum": 1})]
_Exceptions = Annotated[
    tuple[str, ...],
    BeforeValidator(_exceptions),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "examples": [["ConnectionError", "httpx.HTTPError"]],
        }
    ),
]
_MaxRunning = Annotated[
    int,
    BeforeValidator(_whole("max_running", 1, None, f"leave it out for {MOST_QUEUED}")),
    WithJsonSchema({"type": "integer", "minimum": 1}),
]
_CatchUpLimit = Annotated[
    int,
    BeforeValidator(_whole("catch_up_limit", 1, _MOST_CAUGHT_UP, f"leave it out for {CATCH_UP_LIMIT}")),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _MOST_CAUGHT_UP}),
]


class _RetryFields(TypedDict, total=False):
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
    the module that defines it "httpx.HTTPError". They are kept as names. A timeout is a `TimeoutError`. What is no
    `Exception`, such as a cancellation, is never covered.
    """

    attempts: _Attempts = Field(description="How many attempts at most, the first included.")
    delay: _Delay = Field(timedelta(seconds=1), description="From the end of the first attempt to the second.")
    factor: _Factor = Field(2.0, description="Each further delay is this many times as long.")
    max_delay: _Delay = Field(timedelta(hours=1), description="No delay is longer, jitter aside.")
    jitter: _Delay = Field(_ZERO, description="Each delay is longer by less than this.")
    on: _Exceptions = Field(("Exception",), description="The exceptions that are tried again, with their subclasses.")

    @base_init
    def __init__(self, attempts: int, **fields: Unpack[_RetryFields]) -> None:
        super().__init__(attempts=attempts, **fields)

    def covers(self, error: BaseException) -> bool:
        """Tell whether this error, or one of its base classes, is named in `on`."""
        return isinstance(error, Exception) and any(exception_name(cls) in self.on for cls in type(error).__mro__)

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.max_delay < self.delay:
            raise PydanticCustomError(
                "max_delay",
                "max_delay must be at least as long as delay, got max_delay={max_delay} and delay={delay}; "
                "make max_delay longer",
                {"max_delay": str(self.max_delay), "delay": str(self.delay)},
            )
        return self


class _PolicyFields(TypedDict, total=False):
    overlap: Overlap
    max_running: int | None
    missed: Missed
    grace: timedelta | None
    catch_up_limit: int | None
    catch_up_window: timedelta | None
    retry: Retry | None
    timeout: timedelta | None
    jitter: timedelta


class PolicyChanges(TypedDict, total=False):
    """Keyword arguments of `with_policy()`: the fields of a `Policy`, none of them None."""

    overlap: Overlap
    max_running: int
    missed: Missed
    grace: timedelta
    catch_up_limit: int
    catch_up_window: timedelta
    retry: Retry
    timeout: timedelta
    jitter: timedelta


class Policy(Value, frozen=True):
    """What becomes of a task's runs; each field can be left out.

    - `overlap`: an occurrence is due while a run is going. It passes (`skip`), waits unless one waits already
      (`queue_one`), waits with at most 1,000 others (`queue_all`), runs beside it (`allow`, at most `max_running` at a
      time, or 1,000), or takes its place (`cancel_running`).
    - `missed`: the scheduler did not get to some occurrences, since the program or the machine stood still. One late
      run for the latest (`coalesce`), none for those that are late by more than `grace` (`skip`), or one for each of
      the latest `catch_up_limit` (100) of the last `catch_up_window` (1 day), oldest first (`catch_up`).
    - `retry`: what happens after a failure; None is nothing.
    - `timeout`: how long an attempt may take; None is no limit.
    - `jitter`: each run is due later by less than this, and before the next occurrence; always by the same for the
      same occurrence of the same task.
    """

    overlap: _OverlapRule = Field(
        "skip", description="An occurrence that is due while a run is going passes, waits, runs or takes its place."
    )
    max_running: _MaxRunning | None = Field(
        None, description="How many runs may go at a time with overlap allow; null is 1000."
    )
    missed: _MissedRule = Field("coalesce", description="Missed occurrences are one late run, none, or one each.")
    grace: _Grace | None = Field(None, description="How late a run may be with missed skip, which needs it.")
    catch_up_limit: _CatchUpLimit | None = Field(
        None, description="How many occurrences are caught up at most with missed catch_up; null is 100."
    )
    catch_up_window: _Limit | None = Field(
        None, description="How old an occurrence may be to be caught up with missed catch_up; null is one day."
    )
    retry: Annotated[Retry, BeforeValidator(_retry)] | None = Field(
        None, description="Further attempts after a failure; null is none."
    )
    timeout: _Limit | None = Field(None, description="How long an attempt may take; null is no limit.")
    jitter: _Delay = Field(_ZERO, description="Each run is due later by less than this.")

    @base_init
    def __init__(self, **fields: Unpack[_PolicyFields]) -> None:
        super().__init__(**fields)

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        for name, (owner, mode) in _BELONGS_TO.items():
            value, chosen = getattr(self, name), getattr(self, owner)
            if value is not None and chosen != mode:
                raise PydanticCustomError(
                    "policy_conflict",
                    "{field} must go with {owner}={mode}, got {field}={value} and {owner}={chosen}; "
                    "leave out {field}, or write {owner}={mode}",
                    {"field": name, "value": str(value), "owner": owner, "mode": repr(mode), "chosen": repr(chosen)},
                )
        if self.missed == "skip" and self.grace is None:
            raise PydanticCustomError(
                "missing_grace",
                "grace must be given with missed='skip', which leaves out what is later than that, got None; "
                "add grace=timedelta(minutes=5)",
            )
        return self


_BELONGS_TO: Final = {
    "max_running": ("overlap", "allow"),
    "grace": ("missed", "skip"),
    "catch_up_limit": ("missed", "catch_up"),
    "catch_up_window": ("missed", "catch_up"),
}
"""The fields that mean something with one value of another field only."""

DEFAULT_POLICY: Final = Policy.model_construct()
"""`Policy()`, the policy of a task without one; made without a validator, which would be built at import."""


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
    return Policy.model_validate(fields)
