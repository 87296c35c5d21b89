"""What can go wrong, and in which words.

A *value* that is refused is refused by pydantic's `ValidationError`, with a stable `type` and a message that
names the field, the value (settings only, never a task's arguments), the rule and the remedy. The classes here
are for the runtime:

    PantherScheduleError
    ├─ SchedulerStateError      also a RuntimeError: the scheduler is stopped, forked or on the wrong thread
    └─ StoreError               the file that keeps the tasks can't be read or written
    PantherScheduleWarning      also a UserWarning
    └─ BusyLoopWarning          an endless task without a wait
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, Final, LiteralString, NoReturn

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError


class PantherScheduleError(Exception):
    """The base of every error of the runtime; never raised itself."""


class SchedulerStateError(PantherScheduleError, RuntimeError):
    """The scheduler can't do this now: it has stopped, or it belongs to the process before a fork."""


class StoreError(PantherScheduleError):
    """The file that keeps a scheduler's tasks can't be read or written; nothing was changed."""


class PantherScheduleWarning(UserWarning):
    """The base of every warning of this package."""


class BusyLoopWarning(PantherScheduleWarning):
    """A task repeats for ever without a wait, so it keeps one worker busy all the time."""


def fault(
    type_: LiteralString, message: LiteralString, /, *, at: tuple[str | int, ...] = (), **words: object
) -> InitErrorDetails:
    """One line of a refusal; `{name}` in the message is filled from `words`."""
    shown = {name: str(value) for name, value in words.items()}
    return InitErrorDetails(type=PydanticCustomError(type_, message, shown), loc=at, input=None)


def refusal(title: str, faults: Sequence[InitErrorDetails]) -> ValidationError:
    """Make a `ValidationError` of these faults that shows no input: an argument's value may be a secret."""
    return ValidationError.from_exception_data(title, list(faults), hide_input=True)


def refuse(
    title: str, type_: LiteralString, message: LiteralString, /, *, at: tuple[str | int, ...] = (), **words: object
) -> NoReturn:
    """Raise a `ValidationError` of one fault; see `fault` and `refusal`."""
    raise refusal(title, [fault(type_, message, at=at, **words)])


def refuse_value(
    title: str, type_: LiteralString, field: str, rule: str, got: str, remedy: str, *, at: tuple[str, ...] | None = None
) -> NoReturn:
    """Refuse an argument's value, as `refuse` does."""
    message = "{field} must be {rule}, got {got}; {remedy}"
    refuse(title, type_, message, at=(field,) if at is None else at, field=field, rule=rule, got=got, remedy=remedy)


MOST_SHOWN: Final = 200
"""How many characters of a value a message shows."""


def brief(value: object) -> str:
    """Show a value, and of a long one its beginning."""
    try:
        text = repr(value[:MOST_SHOWN] if isinstance(value, str) else value)
    except ValueError:  # Python's limit on the digits of an int
        return f"an {type_name(value)} of countless digits"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def type_name(value: Any) -> str:
    """Name a value's type for a message, without the value."""
    return type(value).__qualname__


def check_number(title: str, type_: LiteralString, field: str, value: object, least: int, remedy: str) -> int:
    """Return an int that is not too small, without its subclass; refuse anything else."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        refuse_value(title, type_, field, f"an int of at least {least}", repr(value), remedy)
    return int(value)


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Ask whether the most similar word was meant; empty when none is similar."""
    near = difflib.get_close_matches(word[:MOST_SHOWN], tuple(known), 1, cutoff)
    return f"did you mean {near[0]!r}?" if near else ""
