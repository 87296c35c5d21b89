"""The package's one logger, and a way to use it that can't hurt the thread that does."""

from __future__ import annotations

import logging
from typing import Any, Final

_log: Final = logging.getLogger("panther_schedule")


def log_safely(
    message: str, *args: object, level: int = logging.ERROR, error: BaseException | None = None, **fields: Any
) -> None:
    """Log a line with these fields on its record; a handler that raises must not hurt the thread that runs tasks."""
    try:
        _log.log(level, message, *args, exc_info=error, extra=fields)
    except Exception:  # noqa: BLE001, S110 - there is nowhere else to say it
        pass
