"""Threads of which one runs at a time, so that functions can sleep side by side in virtual time.

One thread leads: it moves a clock from one event to the next and calls functions. A function that sleeps keeps its
thread; if that is the leader's, a new thread leads on. The leader wakes each sleeper at its time, and waits until it
sleeps again or its function has ended. The thread that asked for time to pass leads unless one of its functions sleeps.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Protocol

from .errors import SchedulerStateError
from .threads import taken_lock


class Follower(Protocol):
    """An event loop on a thread of its own, whose time is that of a clock while somebody moves it."""

    def hold(self) -> None: ...  # somebody moves the clock from now on
    def release(self) -> None: ...  # nobody does any more
    def is_here(self) -> bool: ...  # the caller runs on it
    def is_for_a_run(self) -> bool: ...  # it does, and a scheduler called it


class _Leader:
    """A thread that leads, or that led until a function slept on it."""

    def __init__(self, *, is_caller: bool) -> None:
        self.is_caller = is_caller  # that asked for time to pass, and returns when it has
        self.thread = threading.current_thread()
        self.back = taken_lock()  # the sleeper that it woke sleeps again, or its function has ended
        self.dismissed = False


class _Sleeper:
    """A function that sleeps."""

    def __init__(self) -> None:
        self.wakes = taken_lock()
        self.woken = False
        self.error: BaseException | None = None  # to raise where it slept


class Relay:
    """The threads of one clock, whose times are in microseconds."""

    def __init__(
        self,
        steady: Callable[[], int],
        move: Callable[[int], None],
        run_due: Callable[[], int | None],
        hear: Callable[[], None],
    ) -> None:
        self._steady, self._move = steady, move
        self._run_due = run_due  # calls functions; returns the time until the next event
        self._hear = hear  # records what has ended, and calls none
        self.loops: list[Follower] = []
        self._asking = threading.Lock()
        self._leader: _Leader | None = None  # None unless somebody asks
        self.members: set[threading.Thread] = set()  # which may have functions on their stacks
        self.helpers: set[threading.Thread] = set()  # which a function waits for, so that they can't wait for time
        self._sleepers: list[tuple[int, int, _Sleeper]] = []
        self._number = count().__next__
        self._error: BaseException | None = None  # that a function raised on another thread than the asker's
        self._refusal: BaseException | None = None  # what sleepers are told instead of being woken

    def is_inside(self) -> bool:
        """Tell whether this is one of its threads, so that it calls or is called by a function."""
        return threading.current_thread() in self.members or any(loop.is_for_a_run() for loop in self.loops)

    def is_led(self) -> bool:
        return self._leader is not None

    def leads_here(self) -> bool:
        return self._leader is not None and self._leader.thread is threading.current_thread()

    def next_wake(self) -> int | None:
        return self._sleepers[0][0] if self._sleepers else None

    @contextmanager
    def asks(self, patience_s: float = -1) -> Generator[bool]:
        """Let this thread lead; False when another one does for longer than the patience."""
        if not self._asking.acquire(timeout=patience_s):
            yield False
            return
        me = self._leader = _Leader(is_caller=True)
        self.members.add(me.thread)
        for loop in tuple(self.loops):
            loop.hold()
        try:
            yield True
        finally:
            for loop in tuple(self.loops):
                loop.release()
            self.members.discard(me.thread)
            self._leader = None
            self._asking.release()

    def lead(self, until: int, called_off: threading.Event | None = None) -> None:
        """Let time pass until then, or until it is called off; only within `asks()`."""
        assert self._leader is not None  # noqa: S101 - within asks()
        self._lead(self._leader, until, called_off)

    def sleep(self, until: int) -> None:
        """Let the function that calls this sleep; only inside."""
        leader = self._leader
        assert leader is not None  # noqa: S101 - a function runs only while somebody leads
        if self._refusal is not None:
            raise self._refusal
        sleeper = _Sleeper()
        place = until, self._number(), sleeper
        heappush(self._sleepers, place)
        if leader.thread is threading.current_thread():
            try:
                self._begin_to_lead()
            except RuntimeError as error:
                self._leader = leader
                self._sleepers.remove(place)
                heapify(self._sleepers)
                message = f"no thread is left for this function to sleep beside {len(self._sleepers)} others: {error}"
                raise SchedulerStateError(message) from error
        else:
            leader.back.release()
        try:
            sleeper.wakes.acquire()
        except BaseException:  # Ctrl+C: go on as soon as the leader lets it
            heappush(self._sleepers, (0, self._number(), sleeper))
            sleeper.wakes.acquire()
            raise
        if sleeper.error is not None:
            raise sleeper.error

    def wake_all(self, error: BaseException) -> None:
        """Raise an error in every function that sleeps; only within `asks()`."""
        leader, self._refusal = self._leader, error
        assert leader is not None  # noqa: S101 - within asks()
        while self._sleepers:
            self._sleepers[0][2].error = error
            self._wake(leader)
        self._refusal = None

    def _lead(self, me: _Leader, until: int | None, called_off: threading.Event | None = None) -> None:
        wait: int | None = None
        while not me.dismissed:
            try:
                wait = self._run_due()
            except BaseException as error:  # noqa: BLE001 - it is the asker's
                self._error = error
            leader = self._leader
            assert leader is not None  # noqa: S101 - as above
            if leader is not me:  # one of its functions slept, and has ended now
                if not me.is_caller:
                    leader.back.release()
                    return
                leader.dismissed, self._leader = True, me
                leader.back.release()
            if me.is_caller and self._error is not None:
                raised, self._error = self._error, None
                raise raised
            if called_off is not None and called_off.is_set():
                return
            now = self._steady()
            if leader is not me:
                if until is not None and now > until:
                    self._hear()  # what is due now is called when more time is asked for
                    return
                continue
            if self._sleepers:
                until_wake = self._sleepers[0][0] - now
                if until_wake <= 0:
                    self._wake(me)
                    continue
                wait = until_wake if wait is None else min(wait, until_wake)
            if wait is None or (until is not None and now + wait > until):
                break
            self._move(wait)
        if until is not None:
            self._move(max(0, until - self._steady()))

    def _begin_to_lead(self) -> None:
        """Let a new thread lead."""
        self._leader = leader = _Leader(is_caller=False)
        target, name = partial(self._lead_on, leader), "panther_schedule-virtual"
        leader.thread = threading.Thread(target=target, name=name, daemon=True)
        self.members.add(leader.thread)
        try:
            leader.thread.start()
        except RuntimeError:  # as many as the machine allows
            self.members.discard(leader.thread)
            raise

    def _lead_on(self, me: _Leader) -> None:
        try:
            self._lead(me, None)
        finally:
            self.members.discard(me.thread)

    def _wake(self, me: _Leader) -> None:
        sleeper = heappop(self._sleepers)[2]
        if not sleeper.woken:
            sleeper.woken = True
            sleeper.wakes.release()
            try:
                me.back.acquire()
            except BaseException:  # Ctrl+C: the function comes first
                me.back.acquire()
                raise
