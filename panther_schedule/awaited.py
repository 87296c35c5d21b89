"""Blocking calls that an event loop awaits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context


def on_a_thread(func: Callable[[], None]) -> Future[None]:
    """Call a function on a thread of its own: those of the event loop's executor may all be taken."""
    done: Future[None] = Future()
    done.set_running_or_notify_cancel()  # so that it can't be cancelled
    context = copy_context()

    def call() -> None:
        try:
            done.set_result(context.run(func))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
            done.set_exception(error)

    threading.Thread(target=call, name="panther_schedule-awaited", daemon=True).start()
    return done
