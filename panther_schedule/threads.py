"""Waits for a blocking call without blocking the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


async def on_a_thread(func: Callable[[], T]) -> T:
    """Call a function on a thread of its own: those of the event loop's executor may all be taken."""
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()  # so that it can't be cancelled
    context = copy_context()

    def call() -> None:
        try:
            done.set_result(context.run(func))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
            done.set_exception(error)

    threading.Thread(target=call, name="panther_schedule-waits", daemon=True).start()
    return await asyncio.wrap_future(done)
