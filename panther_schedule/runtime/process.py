"""What the end of the process, and a fork, mean for its schedulers, and for the functions that they call."""

from __future__ import annotations

import os
import sys
import threading
import traceback
import weakref
from collections.abc import Callable
from datetime import timedelta
from typing import Final, NoReturn, Protocol

from .logs import log

DRAIN: Final = timedelta(seconds=10)


class Hosted(Protocol):
    """A scheduler, as the process sees it."""

    def _begin_stop(self, timeout: timedelta, *, at_exit: bool = False) -> Callable[[], None]: ...  # that waits
    def _leave_behind(self) -> None: ...  # in a child process


schedulers: Final[weakref.WeakSet[Hosted]] = weakref.WeakSet()
started: Final[set[Hosted]] = set()  # on the machine's clock
ends: Final = threading.Event()
_forks = 0  # that led to this process


def generation() -> int:
    """Return a number that differs in a child process."""
    return _forks


def leave_child(error: BaseException | None) -> NoReturn:
    """End a child process whose function has returned or raised, as the end of a program would, without exit hooks.

    It must not carry on as one of our threads.
    """
    code = 0
    if error is not None:
        code = 1
        try:
            if isinstance(error, SystemExit):
                code = int(error.code or 0)
            else:
                traceback.print_exception(error)
        except BaseException:  # noqa: BLE001, S110 - nothing may keep the child
            pass
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _drain_all() -> None:
    ends.set()
    timeout, left = DRAIN, tuple(started)
    while left:
        try:
            finishes = [scheduler._begin_stop(timeout, at_exit=True) for scheduler in left]
            for finish in finishes:
                finish()
            return
        except KeyboardInterrupt:
            timeout = timedelta(0)
            log("interrupted: what is still active is abandoned")


def _after_fork() -> None:
    global _forks  # noqa: PLW0603 - a process has one
    _forks += 1
    started.clear()
    ends.clear()
    for scheduler in tuple(schedulers):
        scheduler._leave_behind()


# atexit runs when no thread can be started any more, too late for async functions
threading._register_atexit(_drain_all)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType] - private, the same on 3.11 to 3.13
os.register_at_fork(after_in_child=_after_fork)
