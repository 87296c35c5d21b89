"""What other threads tell the scheduler's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple, TypeAlias

from ..clock import Reading
from ..errors import fault, refusal, type_name

Command: TypeAlias = Callable[[Reading], None]


class Do(NamedTuple):
    """Something to do on the thread; `done` is set after it."""

    command: Command
    done: threading.Event


class Watch(NamedTuple):
    """Somebody waits until something is over; `told` is set then."""

    over: Callable[[], bool]
    told: threading.Event


class Stop(NamedTuple):
    """Drain, for at most `timeout_us`, and end; `at_exit` says aloud what is dropped."""

    timeout_us: int
    at_exit: bool


def check_timeout(method: str, timeout: object) -> None:
    """Refuse a timeout that is no timedelta, before anything is done."""
    if timeout is not None and not isinstance(timeout, timedelta):
        raise refusal(
            method,
            [
                fault(
                    "duration_type",
                    "timeout must be a timedelta, got {got}; write timedelta(seconds=5)",
                    at=("timeout",),
                    got=f"{type_name(timeout)} {timeout!r}",
                )
            ],
        )
