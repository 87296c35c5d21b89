"""Turns what a function raised into text, even if looking at the exception raises another one."""

from __future__ import annotations

import traceback
from typing import Final

from ..models.policy import exception_name, exception_names
from ..planning.records import Failure, is_clean_exit

_MOST_TEXT: Final = 2_000
_MOST_TRACEBACK: Final = 20_000


def failure_of(error: BaseException | None) -> Failure | None:
    """Return what a record keeps of an error; None for one that is no failure."""
    if error is None or is_clean_exit(error):
        return None
    cls = type(error)
    names = exception_names(cls, _name)
    try:
        text = str(error)[:_MOST_TEXT]
    except BaseException as raised:  # noqa: BLE001 - it must not end the worker
        text = f"(its str() raised {_name(type(raised))})"
    try:
        lines = "".join(traceback.format_exception(cls, error, error.__traceback__))[-_MOST_TRACEBACK:]
    except BaseException:  # noqa: BLE001 - as above
        lines = ""
    return Failure(names, text, lines)


def _name(cls: type[BaseException]) -> str:
    try:
        return str(exception_name(cls))
    except BaseException:  # noqa: BLE001 - as above
        return "an exception without a name"
