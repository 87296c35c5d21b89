"""The only module that reads the time and the machine's zone. Instants are microseconds since 1970-01-01T00:00Z."""

from __future__ import annotations

import asyncio
import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, Protocol, TypeGuard, cast, runtime_checkable
from zoneinfo import ZoneInfo

from .errors import SchedulerStateError, fault, refusal, refuse, refuse_value, type_name
from .relay import Relay
from .threads import on_a_thread

SECOND = 1_000_000  # microseconds
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
AWARE = "datetime(2026, 12, 24, 18, 0, tzinfo=UTC)"  # an example for messages
_wall_ns, _clock_ns = time.time_ns, time.clock_gettime_ns
_PATIENCE_S = 60.0  # with another thread that moves a virtual clock
_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # MONOTONIC stands still in a suspend
_APART_NS = 10_000_000  # two looks further apart would seem to be a step of the wall clock


class Reading(NamedTuple):
    """What a clock says at one moment, in microseconds since 1970."""

    wall: int
    """What the machine's clock says; it may be set forward or back."""
    steady: int
    """It starts at the wall's value, never steps, and counts the time that a machine is suspended."""


@runtime_checkable
class Clock(Protocol):
    """Where a scheduler gets its time from."""

    def read(self) -> Reading:
        """Return wall and steady time of this moment."""
        ...


class SystemClock:
    """The machine's clock."""

    __slots__ = ("_base",)

    def __init__(self) -> None:
        self._base = time.time_ns() - time.clock_gettime_ns(_BOOTTIME)

    def read(self) -> Reading:
        while True:
            steady, wall = _clock_ns(_BOOTTIME), _wall_ns()
            if _clock_ns(_BOOTTIME) - steady < _APART_NS:
                return Reading(wall // 1000, (steady + self._base) // 1000)

    def now(self, on_wall: bool) -> int:
        """Return one of the two; a run takes three looks at the clock, and a reading of both costs three times this."""
        return _wall_ns() // 1000 if on_wall else (_clock_ns(_BOOTTIME) + self._base) // 1000


def since_boot() -> int:
    """Return the microseconds since the machine was started: the same in all its processes, and never set."""
    return _clock_ns(_BOOTTIME) // 1000


class Drive(Protocol):
    """How a virtual clock drives one scheduler."""

    def until_next(self) -> int | None: ...  # the microseconds until the next occurrence, if any
    def run_due(self) -> int | None: ...  # call what is due; return the same
    def hear(self) -> None: ...  # take a turn, and call nothing


class VirtualClock:
    """A clock that moves only when a test moves it.

    A `Scheduler(clock=VirtualClock(...))` starts no thread that waits for time: `advance()` moves the clock from
    one due occurrence to the next and runs what is due, in a fixed order and in the thread that calls it. A task's
    function may call `sleep()` to take virtual time; while it sleeps, the others run on other threads, one at a time.
    """

    def __init__(self, start: datetime) -> None:
        at = instant("VirtualClock", "start", start)
        self._reading = Reading(at, at)
        self._drives: list[Drive] = []
        self._stand_ins: dict[str, Callable[[], object]] = {}  # by task: what a test has called instead
        self._relay = Relay(lambda: self._reading.steady, self._move, self._run_due, self._hear)

    def read(self) -> Reading:
        """Return wall and steady time of this moment."""
        return self._reading

    def now(self) -> datetime:
        """Return the wall time of this moment, aware, in UTC."""
        return moment(self._reading.wall)

    def advance(self, by: timedelta) -> None:
        """Move both clocks on by `by`, running every occurrence that becomes due on the way.

        It returns when the functions that it called in this thread have returned, so one that sleeps for longer
        moves the clock further.
        """
        self._pass("advance", by)

    async def wait(self, by: timedelta) -> None:
        """Do what `advance()` does, on another thread, while the event loop of the caller goes on.

        So what runs on this event loop, in virtual time too, can be tested. If this is cancelled, the clock stops.

        Raises:
            SchedulerStateError: it is called in a run, which would wait for itself; await `asyncio.sleep()` there.
        """
        by_us = _forward("wait", by)
        if self._relay.is_inside():
            raise SchedulerStateError("wait() in a run would wait for that run; await asyncio.sleep() instead")
        called_off = threading.Event()
        await on_a_thread(lambda: self._lead("wait", by_us, called_off=called_off), called_off.set)

    def sleep(self, by: timedelta) -> None:
        """Let a task's function take `by` of virtual time; other functions run meanwhile, and wake at their own times.

        Raises:
            SchedulerStateError: it is called in an async function, whose event loop it would block; await
                `asyncio.sleep()` there, which takes virtual time too.
        """
        self._pass("sleep", by)

    def step(self, by: timedelta) -> None:
        """Set the wall clock forward or back, as an administrator would; steady time does not move."""
        by_us = duration("step", "by", by) // MICROSECOND

        def step() -> None:
            self._reading = Reading(self._reading.wall + by_us, self._reading.steady)

        self._change("step", step)

    def suspend(self, by: timedelta) -> None:
        """Let `by` pass with nothing running, as a suspended machine or a blocked process does, then wake up."""
        by_us = _forward("suspend", by)
        self._change("suspend", lambda: self._move(by_us))

    def _pass(self, method: str, by: timedelta) -> None:
        by_us = _forward(method, by)
        if not self._relay.is_inside():
            self._lead(method, by_us)
        elif asyncio._get_running_loop() is None:
            self._relay.sleep(self._reading.steady + by_us)
        else:
            raise SchedulerStateError(f"{method}() would block the event loop; await asyncio.sleep() instead")

    def _change(self, method: str, change: Callable[[], None]) -> None:
        """Change the time, and run what is due then; within a function, when that has returned."""
        if self._relay.is_inside():
            change()
        else:
            self._lead(method, 0, change)

    def _lead(
        self,
        method: str,
        by: int,
        first: Callable[[], None] | None = None,
        called_off: threading.Event | None = None,
    ) -> None:
        if any(loop.is_here() for loop in self._relay.loops):
            remedy = "clock.wait(...)" if first is None else f"asyncio.to_thread(clock.{method}, ...)"
            raise SchedulerStateError(f"{method}() would block the event loop that runs need; await {remedy} instead")
        if threading.current_thread() in self._relay.helpers:
            raise SchedulerStateError(
                "a thread that works for a coroutine takes no virtual time; await asyncio.sleep() instead"
            )

        def lead() -> None:
            with self._relay.asks(_PATIENCE_S) as leads:
                if not leads:
                    raise SchedulerStateError("another thread is moving this clock, and may be waiting for this one")
                if first is not None:
                    first()
                self._relay.lead(self._reading.steady + by, called_off)

        if asyncio._get_running_loop() is None:
            lead()
            return
        with ThreadPoolExecutor(1) as thread:  # where no loop runs, so that the one of virtual time can
            thread.submit(lead).result()

    def _move(self, by: int) -> None:
        self._reading = Reading(self._reading.wall + by, self._reading.steady + by)

    def _run_due(self) -> int | None:
        """Run what is due, and return what `_wait` would."""
        waits: list[int | None] = []
        for drive in tuple(self._drives):
            waits.append(drive.run_due())
            if not self._relay.leads_here():  # one of its functions slept, and another thread sees to the others
                return None
        return waits[0] if len(waits) == len(self._drives) == 1 else self._wait()  # one may have given another work

    def _hear(self) -> None:
        for drive in tuple(self._drives):
            drive.hear()

    def _wait(self) -> int | None:
        return soonest(*(drive.until_next() for drive in self._drives))

    def _next(self) -> int | None:
        """Return the microseconds until something happens: an occurrence, or the end of a function's sleep."""
        wake = self._relay.next_wake()
        return soonest(self._wait(), None if wake is None else wake - self._reading.steady)


def _forward(method: str, by: object) -> int:
    by_us = duration(method, "by", by) // MICROSECOND
    if by_us < 0:
        message = "{method}() moves forward, got {by}; use step() to set the wall clock back"
        refuse(method, "negative_duration", message, at=("by",), method=method, by=by)
    return by_us


def soonest(*waits: int | None) -> int | None:
    """Return the shortest of these waits, of which None never ends."""
    found: int | None = None
    for wait in waits:  # min() of a generator takes three times as long, and a virtual run asks often
        if wait is not None and (found is None or wait < found):
            found = wait
    return found


def now_by(clock: Clock) -> Callable[[bool], int]:
    """Return what gives the time of a clock: True for the wall's, False for steady time."""
    return clock.now if type(clock) is SystemClock else lambda on_wall: clock.read()[not on_wall]


def check_clock(clock: object) -> Clock:
    """Return a clock; refuse anything else (`clock_type`)."""
    if isinstance(clock, type) or not isinstance(clock, Clock) or not isinstance(cast(object, clock.read()), Reading):
        remedy = "write VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))"
        refuse_value("Scheduler", "clock_type", "clock", "a Clock", type_name(clock), remedy)
    return clock


def instant(title: str, field: str, value: object) -> int:
    """Return an aware datetime as microseconds since 1970; refuse anything else by a `ValidationError` (`instant`)."""
    if not is_aware(value):
        got = "a naive one" if isinstance(value, datetime) else type_name(value)
        refuse_value(title, "instant", field, "an aware datetime", got, f"write {AWARE}")
    return microseconds(value)


def is_aware(value: object) -> TypeGuard[datetime]:
    """Tell a datetime with an offset from UTC; that of a `tzinfo` may be None."""
    return isinstance(value, datetime) and value.utcoffset() is not None


def duration(title: str, field: str, value: object) -> timedelta:
    """Return a timedelta, without its subclass; refuse anything else (`duration_type`)."""
    if not isinstance(value, timedelta):
        got = f"{type_name(value)} {value!r}"
        refuse_value(title, "duration_type", field, "a timedelta", got, "write timedelta(seconds=5)")
    return plain_timedelta(value)


def plain_timedelta(value: timedelta) -> timedelta:
    """Return the same duration without its subclass, which may divide or compare otherwise."""
    return value if type(value) is timedelta else timedelta.__pos__(value)


def plain_datetime(value: datetime) -> datetime:
    """Return the same moment without its subclass, which may subtract or compare otherwise."""
    return value if type(value) is datetime else datetime.combine(datetime.date(value), datetime.timetz(value))


def local(instant: datetime) -> datetime:
    """Return the same moment on the machine's own clock, as its log lines show it."""
    return instant.astimezone()


def microseconds(instant: datetime) -> int:
    """Return an aware datetime as microseconds since 1970."""
    since = plain_datetime(instant) - EPOCH  # a division by a timedelta takes twice as long
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def moment(instant: int) -> datetime:
    """Return microseconds since 1970 as an aware datetime in UTC; beyond the years 1 to 9999, their first or last."""
    try:
        return EPOCH + timedelta(microseconds=instant)
    except OverflowError:
        return _LAST if instant > 0 else _FIRST


@lru_cache(maxsize=1)
def machine_zone() -> ZoneInfo:
    """Return the machine's own zone, as its settings name it; UTC when they name none.

    It is read once, until the cache is cleared. Settings that name no zone are refused (`machine_zone`).
    """
    import tzlocal  # noqa: PLC0415 - not needed by a program whose schedules name their zones

    try:
        return tzlocal.reload_localzone()
    except (KeyError, ValueError, OSError) as error:
        got = f"TZ={os.environ['TZ']!r}" if os.environ.get("TZ") else str(error).partition("\n")[0]
    offset = re.fullmatch(r"TZ='[A-Za-z]+([+-]?)0?(\d{1,2})'", got)  # as POSIX counts it: west of UTC
    zone = f"Etc/GMT{offset[1] or '+'}{offset[2]}" if offset else "Europe/Paris"
    message = "the machine's zone must be the IANA name of a zone, got {got}; set TZ to one, or write tz={zone}"
    raise refusal("tz", [fault("machine_zone", message, at=("tz",), got=got, zone=repr(zone))])
