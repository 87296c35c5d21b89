"""An event loop on another thread, and how much virtual time has passed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any, TypeAlias

from telling import SECOND, START

from panther_schedule import VirtualClock

Call: TypeAlias = Callable[[Coroutine[Any, Any, Any]], Any]


def at(clock: VirtualClock) -> float:
    """Give the seconds that have passed."""
    return (clock.now() - START) / SECOND


@contextmanager
def portal() -> Generator[Call]:
    """Run an event loop on another thread, as Starlette's `TestClient` does, and give what calls coroutines there."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
