"""What `run_forever()` does: it waits for a signal, drains, and says what became of the runs."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import TypeAlias

from .life import Life
from .logs import log
from .process import Hosted

Next: TypeAlias = Callable[[], signal.Signals | None]


@contextmanager
def signals(life: Life) -> Generator[Next]:
    """Catch SIGTERM and SIGINT, in the main thread; at the end their handlers are put back.

    The result waits for the next one: None when the scheduler has stopped first, which is noticed within a second.
    """
    arrived: SimpleQueue[signal.Signals] = SimpleQueue()  # a signal handler may call put() within a get()

    def wait() -> signal.Signals | None:
        while not life.loop.over:
            try:
                return arrived.get(timeout=1)
            except Empty:
                pass
        return None

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        for number in before:
            signal.signal(number, lambda number, _frame: arrived.put(signal.Signals(number)))
        yield wait
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: it was not Python's


def drain_on_signal(wait: Next, scheduler: Hosted, life: Life, timeout: timedelta) -> int | None:
    """Drain after the first signal; return the second one, which ends the drain."""
    if (first := wait()) is None:
        return None
    message = "%s: finishing what is active or due, for at most %s; a second signal ends this at once"
    before = life.counts()  # first, since runs may end meanwhile
    log(message, first.name, timeout, level=logging.INFO)
    finish = scheduler._begin_stop(timeout)
    if (second := wait()) is not None:
        scheduler._begin_stop(timedelta(0))
    finish()
    ended = {what: count - before[what] for what, count in life.counts().items() if count > before[what]}
    said = ", ".join(f"{count} {what}" for what, count in ended.items()) or "nothing was active or due"
    level = logging.WARNING if life.loop.dropped or "abandoned" in ended else logging.INFO
    message = "%s: the scheduler has stopped: %s; later occurrences of %d task(s) are dropped"
    log(message, first.name, said, len(life.loop.dropped), level=level)
    return second
