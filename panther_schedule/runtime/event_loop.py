"""An event loop of the scheduler's own, on a thread, that goes on whatever its coroutines do to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .logs import log


class OwnLoop:
    """An event loop on a thread of its own. One that breaks is told to `broke`, and a new one takes its place."""

    def __init__(self, broke: Callable[[BaseException], None]) -> None:
        self.loop = asyncio.new_event_loop()
        self._broke, self._stopped = broke, False
        self._thread = threading.Thread(target=self._run, name="panther_schedule-loop", daemon=True)
        self.start = self._thread.start

    def stop(self) -> None:
        """Cancel what is still active on the loop, and end the thread; wait for it up to a second."""
        self._stopped = True
        with suppress(Exception):  # it has ended, or a run has broken this very method
            self.loop.call_soon_threadsafe(self.loop.stop)
        if not self.is_here():
            self._thread.join(timeout=1)

    def is_here(self) -> bool:
        return self._thread is threading.current_thread()  # under gevent, all greenlets see one running loop

    def _run(self) -> None:
        while not self._stopped:
            asyncio.set_event_loop(self.loop)
            try:
                self.loop.run_forever()  # it returns when a coroutine stops it
            except (SystemExit, KeyboardInterrupt):
                pass  # of an asyncio task that a run started; the task has it too, and the loop can go on
            except BaseException as error:  # noqa: BLE001 - its selector was closed, or the like
                log("the event loop broke; its runs failed, and a new loop takes its place", error=error)
                _discard(self.loop)  # first: its descriptors may be those of the next one
                self.loop = asyncio.new_event_loop()
                self._broke(error)
        self._close()

    def _close(self) -> None:
        loop = self.loop
        tasks = asyncio.all_tasks(loop)  # also those that runs left behind
        for task in tasks:
            task.cancel()
        loop.set_task_factory(None)  # a run may have set a broken one
        for ending in (_ended(tasks), loop.shutdown_asyncgens()):
            with suppress(BaseException):  # such as a task's SystemExit
                loop.run_until_complete(ending)
        loop.close()


def _discard(loop: Any) -> None:
    """Close a broken event loop, with what its own `close()` leaves open when it fails halfway."""
    with suppress(BaseException):
        loop.close()
    for part in ("_selector", "_ssock", "_csock"):
        with suppress(BaseException):
            getattr(loop, part).close()
    loop._closed = True


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    if tasks:
        await asyncio.wait(tasks)
