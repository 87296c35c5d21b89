"""What hosts this process: one of a server's workers, a reloader's child, or a program that is to run no tasks."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from functools import cache
from types import FrameType
from typing import Any, Final

from ..errors import refuse_value
from .logs import log
from .process import generation

DISABLED: Final = "PANTHER_SCHEDULE_DISABLED"
_PARENT: Final = "PANTHER_SCHEDULE_PARENT"  # the process that has named tasks, for the children it starts
_RELOADERS: Final = {"django": "RUN_MAIN", "werkzeug": "WERKZEUG_RUN_MAIN"}  # each sets its variable in its child

_WORKERS: Final[Mapping[tuple[str, str], Callable[[Mapping[str, Any]], int]]] = {
    ("gunicorn.arbiter", "spawn_worker"): lambda local: local["self"].cfg.workers,
    ("uvicorn._subprocess", "subprocess_started"): lambda local: (
        1 if local["config"].should_reload else local["config"].workers
    ),
}
"""The calls that a worker lives in, and where each has the number of workers, wherever that was set."""

_looked = -1  # the generation of the process that looked last


def is_disabled(environ: Mapping[str, str]) -> bool:
    """Tell whether this process is to run no tasks on the machine's clock."""
    value = environ.get(DISABLED, "")
    if value not in {"", "0", "1"}:
        refuse_value(DISABLED, "disabled_value", DISABLED, "1, 0 or empty", repr(value), "set it to 1 to run no tasks")
    return value == "1"


@cache
def say_disabled(_generation: int) -> None:
    """Log, once a process, that it runs no tasks."""
    log("%s=1 is set: this process runs no tasks", DISABLED, level=logging.WARNING)


def copies(main: FrameType | None, environ: Mapping[str, str], parent: int) -> str | None:
    """Say which other processes run the same tasks, and what to do; None when none is known.

    `main` is what the main thread is doing, `parent` the id of the process that started this one.
    """
    while main is not None:
        module = str(main.f_globals.get("__name__"))
        if (number := _WORKERS.get((module, main.f_code.co_name))) and (workers := number(main.f_locals)) > 1:
            server = module.partition(".")[0]
            return (
                f"each of {server}'s {workers} workers runs its own; "
                "add it in one process only, such as a script that calls run_forever()"
            )
        main = main.f_back
    for variable in _RELOADERS.values():
        if environ.get(variable) == "true" and environ.get(_PARENT) == str(parent):
            return (
                "the process that reloads this one runs its own; turn the reloader off, "
                f"or add tasks only where {variable} is set"
            )
    return None


def warn_of_copies(name: str) -> None:
    """Log, once a process, that other processes run a named task too, since each keeps it in its own memory."""
    global _looked  # noqa: PLW0603 - a process has one
    if _looked == generation():
        return
    _looked = generation()
    try:
        found = copies(sys._current_frames().get(threading.main_thread().ident or 0), os.environ, os.getppid())
    except (AttributeError, KeyError, TypeError):  # a server of another version
        found = None
    if found is not None:
        log("task %r is in memory, and %s", name, found, level=logging.WARNING)
    elif any(module in sys.modules and variable not in os.environ for module, variable in _RELOADERS.items()):
        os.environ[_PARENT] = str(os.getpid())
