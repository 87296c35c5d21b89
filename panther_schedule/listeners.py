"""Tells listeners what happens, on a thread of their own: a slow one delays no run, one that raises hurts nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from queue import SimpleQueue
from typing import Any, Final, TypeAlias

from .clock import moment
from .entries import Entry
from .events import (
    ClockStepped,
    Event,
    OccurrencesPassed,
    RunFinished,
    RunRetried,
    RunStarted,
    TaskEnded,
    TaskPaused,
)
from .logs import log_safely
from .runs import shown_attempt, shown_passed, shown_run

MOST_UNTOLD: Final = 100_000
"""Events that wait for slow listeners; further ones are dropped and counted."""

Listener: TypeAlias = Callable[[Event], object]
Happening: TypeAlias = tuple[type[Any], Entry | None, Any]
"""What happened, as plain values: its class, its task and its details. Events are made of it for listeners only."""


class Listeners:
    """The listeners of one scheduler."""

    def __init__(self, *, inline: bool) -> None:
        self.dropped = 0
        """Events that no listener was told, because too many waited."""
        self._listeners: tuple[Listener, ...] = ()
        self._queue: SimpleQueue[Happening | None] = SimpleQueue()
        self._inline = inline
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def add(self, listener: Listener) -> Callable[[], None]:
        """Tell a listener all that happens from now on; return what ends that."""
        with self._lock:
            self._listeners = (*self._listeners, listener)
            if self._thread is None and not self._inline:
                self._thread = threading.Thread(target=self._run, name="panther_schedule-listeners", daemon=True)
                self._thread.start()

        def remove() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return remove

    def put(self, kind: type[Any], entry: Entry | None, details: Any) -> None:
        """Take note of something that happened."""
        if not self._listeners:  # the last one was removed
            return
        if self._queue.qsize() < MOST_UNTOLD:
            self._queue.put((kind, entry, details))
        else:
            self.dropped += 1

    def flush(self) -> None:
        """Tell what is untold, in the calling thread; on a virtual clock, where nobody else does."""
        while self._inline and self._queue.qsize():
            self._tell(self._queue.get())

    def stop(self, timeout_s: float) -> None:
        """Tell what is untold, wait for that at most `timeout_s` seconds, and let the thread go."""
        self.flush()
        if self._thread is not None:
            self._queue.put(None)
            if self._thread is not threading.current_thread():
                self._thread.join(timeout_s)

    def _run(self) -> None:
        while (happening := self._queue.get()) is not None:
            self._tell(happening)
            del happening

    def _tell(self, happening: Happening | None) -> None:
        if happening is None:
            return
        event = _event(*happening)
        for listener in self._listeners:
            try:
                listener(event)
            except BaseException as error:  # noqa: BLE001 - a listener's SystemExit is its own affair
                log_safely("a listener failed", error=error)


def _event(kind: type[Any], entry: Entry | None, details: Any) -> Event:
    if kind is ClockStepped or entry is None:
        by, reset = details
        return ClockStepped(timedelta(microseconds=by), reset)
    name = entry.name
    if kind is RunFinished:
        return RunFinished(name, shown_run(details, name))
    if kind is RunStarted:
        flight, started_at, attempt = details
        return RunStarted(name, flight.id, moment(flight.scheduled_at), moment(started_at), flight.cause, attempt)
    if kind is OccurrencesPassed:
        return OccurrencesPassed(name, shown_passed(details))
    if kind is RunRetried:
        run, attempt, delay = details
        return RunRetried(name, run, shown_attempt(attempt), timedelta(microseconds=delay))
    if kind is TaskEnded or kind is TaskPaused:
        told: Event = kind(name, details)
        return told
    plain: Event = kind(name)
    return plain
