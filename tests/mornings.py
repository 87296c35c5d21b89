"""A task that runs each morning, as the tests of testing use it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta

from panther_schedule import BackgroundTask, Retry, Scheduler


def work() -> None:
    """Stand for a function of the program."""


def fail() -> None:
    raise ConnectionError("no mail server")


def add(scheduler: Scheduler, func: Callable[[], object], name: str = "digest", **policy: timedelta | Retry) -> None:
    """Add a daily task at 08:00 in Paris."""
    task = BackgroundTask(func).interval(-1).on_time(time(8), tz="Europe/Paris").with_name(name)
    scheduler.add_task(task.with_policy(**policy))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - each field has its own type
