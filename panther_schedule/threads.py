"""Waits for another thread: an event loop by awaiting, a thread by a lock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


def taken_lock() -> threading.Lock:
    """Return a lock that another thread is to release."""
    lock = threading.Lock()
    lock.acquire()
    return lock


async def on_a_thread(func: Callable[[], T], call_off: Callable[[], object] | None = None) -> T:
    """Call a function on a thread of its own: those of the event loop's executor may all be taken.

    If this is cancelled, `call_off` makes the function end, which is waited for; without it, the function goes on.
    """
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()  # so that it can't be cancelled
    context = copy_context()

    def call() -> None:
        try:
            done.set_result(context.run(func))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
            done.set_exception(error)

    threading.Thread(target=call, name="panther_schedule-waits", daemon=True).start()
    cancelled: asyncio.CancelledError | None = None
    while not done.done():
        try:
            await asyncio.wrap_future(done)
        except asyncio.CancelledError as error:
            if call_off is None:
                raise
            cancelled = error
            call_off()
    if cancelled is not None:
        raise cancelled
    return done.result()
