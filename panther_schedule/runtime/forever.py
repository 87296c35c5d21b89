"""What `run_forever()` does: it waits for a signal, drains, and says what became of the runs."""

from __future__ import annotations

import logging
import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import timedelta
from queue import Empty, SimpleQueue

from .life import Life
from .logs import log
from .process import Hosted


def drain_on_signal(scheduler: Hosted, life: Life, timeout: timedelta) -> int | None:
    """Wait for SIGTERM or SIGINT, in the main thread, and drain; return the second one, which ends the drain."""
    with _signals() as arrived:
        if (first := _next(arrived, life)) is None:
            return None
        before = life.counts()
        message = "%s: finishing what is active or due, for at most %s; a second signal ends this at once"
        log(message, first.name, timeout, level=logging.INFO)
        finish = scheduler._begin_stop(timeout)
        if (second := _next(arrived, life)) is not None:
            scheduler._begin_stop(timedelta(0))
        finish()
        ended = {what: count - before[what] for what, count in life.counts().items() if count > before[what]}
        said = ", ".join(f"{count} {what}" for what, count in ended.items()) or "nothing was active or due"
        level = logging.WARNING if life.loop.dropped or "abandoned" in ended else logging.INFO
        later = f"of {len(life.loop.dropped)} task(s) are dropped" if life.shared is None else "stay stored"
        log("%s: the scheduler has stopped: %s; later occurrences %s", first.name, said, later, level=level)
        return second


@contextmanager
def _signals() -> Generator[SimpleQueue[signal.Signals]]:
    """Collect SIGTERM and SIGINT; at the end their handlers are put back."""
    arrived: SimpleQueue[signal.Signals] = SimpleQueue()  # a signal handler may call put() within a get()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        for number in before:
            signal.signal(number, lambda number, _frame: arrived.put(signal.Signals(number)))
        yield arrived
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: it was not Python's


def _next(arrived: SimpleQueue[signal.Signals], life: Life) -> signal.Signals | None:
    """Wait for a signal; None when the scheduler has stopped first, which is noticed within a second."""
    while not life.loop.over:
        with suppress(Empty):
            return arrived.get(timeout=1)
    return None
