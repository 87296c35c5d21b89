"""Tells listeners what happens, on a thread of their own: a slow one delays no run, one that raises hurts nothing."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final, TypeAlias

from ..errors import refuse, type_name
from ..events import Event
from ..planning.records import make
from ..tasks.signature import function_name, is_of_kind
from .logs import log
from .process import generation, leave_child

MOST_UNTOLD: Final = 100_000  # events that wait for slow listeners; further ones are dropped and counted

Listener: TypeAlias = Callable[[Event], None]


def check_listener(listener: object) -> None:
    """Refuse what can't be called, and what runs none of its code when it is called (`listener_type`)."""
    kinds = inspect.iscoroutinefunction, inspect.isasyncgenfunction, inspect.isgeneratorfunction
    if not callable(listener) or any(is_of_kind(listener, kind) for kind in kinds):
        got = f"{function_name(listener)}, which is async or a generator" if callable(listener) else type_name(listener)
        message = "listener must be a plain function that takes an event, got {got}; write def tell(event): ..."
        refuse("add_listener", "listener_type", message, at=("listener",), got=got)


class Listeners:
    """The listeners of one life of a scheduler; those of the life before stay."""

    def __init__(self, *, inline: bool, before: Listeners | None = None) -> None:
        self._generation = generation()
        self.dropped = 0  # events that no listener was told, because too many waited
        self.subscriptions: dict[object, Listener] = {}  # one listener may have two
        self._before: threading.Thread | None = None  # which may still tell what happened in the life before
        if before is not None:
            self.subscriptions = before.subscriptions
            self._before = before._thread or before._before if before._generation == self._generation else None
        self._queue: SimpleQueue[Event | None] = SimpleQueue()
        self._inline = inline
        self._thread: threading.Thread | None = None

    def __bool__(self) -> bool:
        return bool(self.subscriptions)

    def add(self, listener: Listener) -> Callable[[], None]:
        """Subscribe; the result unsubscribes."""
        subscription = object()
        self.subscriptions[subscription] = listener

        def remove() -> None:
            self.subscriptions.pop(subscription, None)

        return remove

    def start(self) -> None:
        """Start the thread that calls listeners, if there are any."""
        if self.subscriptions and self._thread is None and not self._inline:
            thread = threading.Thread(target=self._run, name="panther_schedule-listeners", daemon=True)
            thread.start()
            self._thread = thread  # only now: Ctrl+C may have kept it from starting

    def put(self, kind: type[Any], *details: object) -> None:
        if not self.subscriptions:  # the last one was removed
            return
        if self._queue.qsize() < MOST_UNTOLD:
            self._queue.put(make(kind, details))
        else:
            self.dropped += 1

    def flush(self) -> None:
        """On a virtual clock, where no thread does it, deliver pending events in the calling thread."""
        while self._inline and self._queue.qsize():
            self._tell_next()

    def stop(self, timeout_s: float) -> None:
        """Deliver pending events, for at most `timeout_s` seconds, and end the thread."""
        self.flush()
        if self._thread is not None:
            self._queue.put(None)
            if self._thread is not threading.current_thread():
                self._thread.join(timeout_s)

    def _run(self) -> None:
        if self._before is not None:
            self._before.join()
            self._before = None
        while self._tell_next():
            pass

    def _tell_next(self) -> bool:
        """Tell one event; False once stopped."""
        event = self._queue.get()
        if event is None:
            return False
        for listener in tuple(self.subscriptions.values()):
            failed: BaseException | None = None
            try:
                listener(event)
            except BaseException as error:  # noqa: BLE001 - a listener's SystemExit is its own affair
                failed = error
            if generation() != self._generation:
                leave_child(failed)
            if failed is not None:
                log("a listener failed", error=failed)
        return True
