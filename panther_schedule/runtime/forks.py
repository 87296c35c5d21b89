"""What happens when a function forks: the child must not carry on as one of our threads."""

from __future__ import annotations

import os
import sys
import traceback
from typing import NoReturn

_forks = 0  # that led to this process


def generation() -> int:
    """Return a number that differs in a child process."""
    return _forks


def leave_child(error: BaseException | None) -> NoReturn:
    """End a child process whose function has returned or raised, as the end of a program would, without exit hooks."""
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


def _count() -> None:
    global _forks  # noqa: PLW0603 - a process has one
    _forks += 1


os.register_at_fork(after_in_child=_count)
