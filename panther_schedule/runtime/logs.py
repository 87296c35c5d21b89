"""The package's one logger, used so that a broken handler can't hurt the thread that logs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from ..planning.records import Outcome, Run

_log: Final = logging.getLogger("panther_schedule")
LOGGED: Final[dict[Outcome, tuple[int, str]]] = {
    "failed": (logging.ERROR, "failed"),
    "timed_out": (logging.WARNING, "took longer than its timeout"),
    "lost": (logging.WARNING, "was lost: its process died"),
    "abandoned": (logging.WARNING, "abandoned: its scheduler or its event loop ended first"),
}


def log(
    message: str, *args: object, level: int = logging.ERROR, error: BaseException | None = None, **fields: object
) -> None:
    """Log a line with these fields on its record, and the traceback of an error."""
    try:
        info = None if error is None else (type(error), error, error.__traceback__)
        _log.log(level, message, *args, exc_info=info, extra=fields)
    except Exception:  # noqa: BLE001, S110 - there is nowhere else to say it
        pass


def named(tasks: Sequence[str]) -> str:
    """Name tasks in a log line: the first ten."""
    return ", ".join([*tasks[:10], *(["..."] if len(tasks) > 10 else [])])


def log_run(run: Run, error: BaseException | None) -> None:
    """Log a recorded run that did not succeed, once, with `task`, `run_id`, `scheduled_at`, `attempt` and `outcome`."""
    level, words = LOGGED[run.outcome]
    if level != logging.ERROR or (run.error is not None and not run.error.traceback):
        error = None  # there is none to show, or it can't be shown
    fields = {"task": run.task, "run_id": run.id, "attempt": run.attempt, "outcome": run.outcome}
    log("task %s " + words, run.task, level=level, error=error, scheduled_at=run.scheduled_at.isoformat(), **fields)
