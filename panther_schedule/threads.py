"""Waits for another thread: an event loop by awaiting, a thread by a lock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import Final, TypeVar

from .errors import SchedulerStateError

T = TypeVar("T")
NO_LOOP: Final = "call the blocking method, join() or advance(), on a thread: await trio.to_thread.run_sync(...)"


def running_loop(what: str, remedy: str) -> asyncio.AbstractEventLoop:
    """Return the event loop that runs here; refuse where there is none."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        message = f"{what} needs an asyncio event loop, which trio's is not; {remedy}"
        raise SchedulerStateError(message) from None


def taken_lock() -> threading.Lock:
    """Return a lock that another thread is to release."""
    lock = threading.Lock()
    lock.acquire()
    return lock


async def on_a_thread(func: Callable[[], T], call_off: Callable[[], object] | None = None) -> T:
    """Call a function on a thread of its own: those of the event loop's executor may all be taken.

    If this is cancelled, `call_off` makes the function end, which is waited for; without it, the function goes on.
    """
    running_loop("wait()", NO_LOOP)
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
