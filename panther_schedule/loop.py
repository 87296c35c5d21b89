"""The one thread that owns the store: it takes messages, plans what is due and hands runs to the workers.

Everything reaches it through one queue, so the store needs no lock. It reads the clock once a turn and touches only
the tasks that are due.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Any, Final, NamedTuple, cast

from .clock import MICROSECOND, SECOND, Clock, Driver, Reading, VirtualClock
from .errors import SchedulerStateError, fault, refusal, type_name
from .planning import drains, has_ended
from .runs import RunRecord
from .store import Entry, MemoryStore
from .workers import Workers, log_safely

_LONGEST_SLEEP_S: Final = 1.0  # within this time a suspended machine or a stepped clock is noticed
_TURN: Final = 256  # messages, and due tasks, a turn: neither floods the other
_STEP_BACK: Final = SECOND // 10  # less is the slow correction of a clock, not a step


class Dropped(NamedTuple):
    """A task that was cancelled."""

    entry: Entry


class Watch(NamedTuple):
    """Somebody waits until no task is left."""

    idle: threading.Event


class Stop(NamedTuple):
    """Drain, for at most `timeout_us`, and end; `at_exit` says aloud what is dropped."""

    timeout_us: int
    at_exit: bool


class Loop:
    """Owns a store; its `run()` is the body of the scheduler's thread."""

    def __init__(
        self,
        clock: Clock,
        workers: Callable[[Callable[[Any], None]], Workers],
        tasks: dict[int | str, Entry],
        lock: AbstractContextManager[Any],
    ) -> None:
        self.clock, self.store = clock, MemoryStore()
        self.forked = False
        """True in a child process: the thread stayed with the parent."""
        self.broken: BaseException | None = None
        """What ended the thread, if it died."""
        self._inbox: SimpleQueue[Any] = SimpleQueue()
        self.post = self._inbox.put
        self.workers = workers(self.post)
        self._tasks, self._lock = tasks, lock  # the names, which the scheduler's callers take under the lock
        self._live = 0
        first = clock.read()
        self._ahead = first.wall - first.steady  # how far the wall clock is ahead of steady time
        self._pending: deque[tuple[Entry, int]] = deque()  # runs on a virtual clock, which have only one thread
        self._watchers: list[threading.Event] = []
        self._stop: Stop | None = None
        self._done = False
        self._driver: Driver | None = None
        self._thread: threading.Thread | None = None

    # ---- for other threads -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin: a thread on the machine's clock, or a place among what a virtual clock drives."""
        if isinstance(self.clock, VirtualClock):
            self._driver = Driver(self._wait, self._run_inline)
            self.clock.attach(self._driver)
        else:
            self.workers.prepare(None)
            self._thread = threading.Thread(target=self._run, name="panther_schedule", daemon=True)
            self._thread.start()

    def join(self, entry: Entry | None, timeout: timedelta | None) -> bool:
        """Wait until a task has ended, or all have; tell whether that came before the timeout."""
        check_timeout("join", timeout)
        if self.workers.waits_for_itself(entry):
            raise SchedulerStateError(
                "join() waits for runs to end, and is called from one of them, or on the event loop they need; "
                "call it from another thread"
            )
        limit = None if timeout is None else timeout // MICROSECOND
        if isinstance(self.clock, VirtualClock):
            return self._join_virtual(self.clock, entry, limit)
        waiting = threading.Event()
        if entry is None:
            self.post(Watch(waiting))
        else:
            with self._lock:
                if entry.ended is True:
                    return True
                waiting = entry.ended = entry.ended or waiting
        deadline = None if limit is None else self.clock.steady() + limit
        while not self._done:
            left = SECOND if deadline is None else min(SECOND, deadline - self.clock.steady())
            if waiting.wait(max(0, left) / SECOND) or (entry is not None and entry.ended is True):
                return True
            if left <= 0:
                return False
        return True

    def cancel(self, entry: Entry) -> None:
        """Let no more occurrences of a task start, and free its name at once."""
        entry.dropped = entry.cancelled = True
        with self._lock:
            if self._tasks.get(entry.key) is entry:
                del self._tasks[entry.key]
        self.post(Dropped(entry))

    def begin_stop(self, timeout: timedelta, *, at_exit: bool) -> None:
        """Tell it to drain; `finish_stop` waits for the end."""
        self.post(Stop(timeout // MICROSECOND, at_exit))

    def finish_stop(self) -> None:
        """Wait until the drain has ended, and with it the thread."""
        if self._thread is not None:
            self._thread.join()
        if self._driver is not None and isinstance(self.clock, VirtualClock):
            self._run_inline()
            while not self._done:
                self.clock.advance(MICROSECOND * (self._wait(self.clock.read()) or 0))
            self.detach()

    def detach(self) -> None:
        """Leave the virtual clock that drives it, if one does."""
        if self._driver is not None and isinstance(self.clock, VirtualClock):
            self.clock.detach(self._driver)
            self._driver = None

    # ---- the thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        reading = self.clock.read()
        try:
            while not self._done:
                reading = self._take(reading)
                self._turn(reading)
        except BaseException as error:
            log_safely(logging.CRITICAL, "the scheduler's thread died; no task runs any more", error=error)
            self.broken = error
            self._done = True
            raise

    def _turn(self, reading: Reading) -> None:
        ahead = reading.wall - reading.steady
        if ahead < self._ahead - _STEP_BACK:
            log_safely(logging.WARNING, "the wall clock was set back by %s", MICROSECOND * (self._ahead - ahead))
            self.store.set_back(reading)
        self._ahead = ahead
        runs: list[tuple[int, int, Entry]] = []
        for entry in self.store.due(reading, _TURN):
            start = self.store.plan(entry, reading).start
            if start is not None:
                runs.append((start, entry.rank, entry))
        if runs:
            runs.sort()
            self._hand_over([(entry, start) for start, _rank, entry in runs])
        if self._stop is not None and self._drained(reading):
            self._finish_drain(reading)
        if self._watchers and not self._live:
            self._tell_watchers()

    def _hand_over(self, runs: list[tuple[Entry, int]]) -> None:
        if self._thread is not None:
            self.workers.start(runs)
        else:
            self._pending.extend(runs)
            self._run_pending()

    def _run_pending(self) -> None:
        while self._pending:  # a run that takes virtual time comes back here, and lets its neighbours begin
            finished = self.workers.run_inline(*self._pending.popleft())
            self._handle(finished, self.clock.read())

    def _take(self, reading: Reading) -> Reading:
        """Sleep until something is due or arrives, then take what has arrived; return the time after it."""
        wait = self.store.wait(reading)
        sleep = _LONGEST_SLEEP_S if wait is None else min(_LONGEST_SLEEP_S, wait / SECOND)
        get = self._inbox.get
        try:
            message = get(True, sleep) if sleep > 0 else get(False)
            reading = self.clock.read()
            for left in reversed(range(_TURN)):
                self._handle(message, reading)
                if left:  # else the message taken last would be lost
                    message = get(False)
        except Empty:
            pass
        return self.clock.read()

    def _handle(self, message: Any, reading: Reading) -> None:
        kind = cast("type[object]", type(message))
        if kind is Entry:
            self._live += 1
            self.store.add(message, reading)
        elif kind is tuple:  # a run that ended
            entry, record = message
            self.workers.ended(entry)
            if self.store.finish(entry, record):
                self._end(entry)
        elif kind is Dropped:
            self.store.drop(message.entry)
            if has_ended(message.entry.state):
                self._end(message.entry)
        elif kind is Watch:
            self._watchers.append(message.idle)
        else:
            self._begin_drain(message, reading)

    def _end(self, entry: Entry) -> None:
        if entry.ended is True:
            return
        self._live -= 1
        waiting, entry.ended = entry.ended, True
        if waiting is not False:
            waiting.set()
        if entry.task._name is None:  # a named one stays: adding it again must not start it again
            self._tasks.pop(entry.rank, None)

    def _tell_watchers(self) -> None:
        for idle in self._watchers:
            idle.set()
        self._watchers.clear()

    # ---- the drain -------------------------------------------------------------------------------------------

    def _begin_drain(self, stop: Stop, reading: Reading) -> None:
        """Start what is due now, and let only runs in flight and finite back-to-back tasks go on."""
        while self.store.wait(reading) == 0:
            self._turn(reading)
        dropped: list[str] = []
        for entry in self._unended():
            if drains(entry.rule):
                continue
            if self.store.drop(entry):
                dropped.append(entry.name)
            if has_ended(entry.state):
                self._end(entry)
        if dropped and stop.at_exit:
            log_safely(
                logging.WARNING,
                "the program ends, so %d task(s) with later occurrences are dropped: %s%s; call join() to wait",
                len(dropped),
                ", ".join(dropped[:10]),
                ", ..." if len(dropped) > 10 else "",
            )
        self._stop = stop._replace(timeout_us=reading.steady + stop.timeout_us)

    def _unended(self) -> list[Entry]:
        """Return the tasks that have not ended; a cancelled one has left the names while its last run goes on."""
        known = dict.fromkeys((*self._tasks.values(), *self.store.in_flight))
        return [entry for entry in known if entry.ended is not True]

    def _drained(self, reading: Reading) -> bool:
        return not self._live or (self._stop is not None and reading.steady >= self._stop.timeout_us)

    def _finish_drain(self, reading: Reading) -> None:
        self.workers.stop()
        for entry, scheduled_at in tuple(self.store.in_flight.items()):
            ended = RunRecord(scheduled_at, None, entry.rule.now(reading), "abandoned", None)
            self.store.finish(entry, ended)
            log_safely(logging.WARNING, "task %s was still going when the drain ended: abandoned", entry.name)
        for entry in self._unended():
            self.store.drop(entry)
            self._end(entry)
        self._done = True

    # ---- on a virtual clock ----------------------------------------------------------------------------------

    def _wait(self, reading: Reading) -> int | None:
        return 0 if self._inbox.qsize() else self.store.wait(reading)

    def _run_inline(self) -> None:
        if not isinstance(self.clock, VirtualClock):
            return
        with self.clock.moving:  # so that another thread, such as the event loop's, can't move it meanwhile
            self._run_until_quiet()

    def _run_until_quiet(self) -> None:
        self._run_pending()
        while not self._done:
            reading = self.clock.read()
            while self._inbox.qsize():
                self._handle(self._inbox.get(), reading)
            self._turn(reading)
            if self._wait(self.clock.read()) != 0:
                return

    def _join_virtual(self, clock: VirtualClock, entry: Entry | None, limit: int | None) -> bool:
        end = None if limit is None else clock.steady() + limit
        self._run_inline()
        while (self._live if entry is None else entry.ended is not True) and not self._done:
            waited_for = self._unended() if entry is None else [entry]
            if end is None and all(one.rule.n == -1 for one in waited_for):
                raise SchedulerStateError(
                    "join() would move the virtual clock for ever: these tasks have no last run; "
                    "give join() a timeout, or use the clock's advance()"
                )
            wait = clock.next_wait()
            if wait is None or (end is not None and clock.steady() + wait > end):
                return False
            clock.advance(MICROSECOND * wait)
        return True


def check_timeout(method: str, timeout: object) -> None:
    """Refuse a timeout that is no timedelta, before anything is done."""
    if timeout is not None and not isinstance(timeout, timedelta):
        raise refusal(
            method,
            [
                fault(
                    "duration_type",
                    "timeout must be a timedelta, got {got}; write timedelta(seconds=5)",
                    at=("timeout",),
                    got=f"{type_name(timeout)} {timeout!r}",
                )
            ],
        )
