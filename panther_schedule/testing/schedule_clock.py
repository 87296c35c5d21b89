"""`ScheduleClock`: a scheduler in virtual time for one test, in which a run that fails fails the test."""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self, TypeAlias, cast

from ..clock import MICROSECOND, VirtualClock, duration, instant
from ..errors import refuse, refuse_value, type_name
from ..events import Event, RunFinished
from ..planning.records import Run
from ..runtime.current import current_run
from ..runtime.handles import TaskHandle
from ..runtime.scheduler import Scheduler
from .faults import Raised, check_task_name, raised

Raises: TypeAlias = type[BaseException] | tuple[type[BaseException], ...]
"""As in `pytest.raises()`; a run that took longer than its timeout has failed with TimeoutError."""

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_NONE: Final = timedelta(0)


class ScheduleClock:
    """Moves a scheduler through virtual time, and tells what ran.

    The fixture `schedule_clock` is one for `background_tasks`; `with ScheduleClock(scheduler) as schedule_clock:` does
    the same for another scheduler, or without pytest. The scheduler is empty and unstarted before and after; one with
    a store keeps its tasks in a file of the test's own. Listeners that were added meanwhile are removed.

    A run that fails or times out fails the test, by an AssertionError at its end, unless the test expected it:
    `raises` of a method says that a run must fail with this error meanwhile, and `raises` here, that one must at any
    time. A run that is `abandoned`, because the test has stopped the scheduler, is no failure.
    """

    def __init__(self, scheduler: Scheduler, *, start: datetime = _START, raises: Raises = ()) -> None:
        self.clock = VirtualClock(start)
        """The clock itself, for `step()` and `suspend()`."""
        self._raises = _check_raises("ScheduleClock", raises)
        if not isinstance(cast(object, scheduler), Scheduler):
            remedy = "write ScheduleClock(background_tasks)"
            refuse_value("ScheduleClock", "scheduler_type", "scheduler", "a Scheduler", type_name(scheduler), remedy)
        self._scheduler, self._before, self._store = scheduler, scheduler._clock, scheduler._store
        self._runs: list[Run] = []
        self._failed: list[Run] = []  # and were not expected
        self._errors: dict[str, deque[Exception]] = {}  # by task: for its next calls
        self._injected: set[tuple[str, int]] = set()  # ids and attempts of runs that such an error has ended

    def __enter__(self) -> Self:
        store, self._files = self._store, ExitStack()
        if store is not None:
            store = store._in(Path(self._files.enter_context(TemporaryDirectory(prefix="panther_schedule-"))))
        self._scheduler._begin_anew(self.clock, store)
        self._subscriptions = dict(self._scheduler._listeners.subscriptions)
        self._scheduler.add_listener(self._hear)
        return self

    def __exit__(self, error_type: object, *_error: object) -> None:
        subscriptions = self._scheduler._listeners.subscriptions
        subscriptions.clear()
        subscriptions.update(self._subscriptions)
        if self._scheduler._life is not None:
            self._scheduler._life.engine.quiet = True  # what the end of the test cuts short is no news
        self._scheduler._begin_anew(self._before, self._store)
        self._files.close()
        if error_type is None:
            self._check()

    def now(self) -> datetime:
        """Return the wall time of this moment, aware, in UTC."""
        return self.clock.now()

    @property
    def runs(self) -> list[Run]:
        """All runs that have ended, in the order of their ends."""
        return self._runs.copy()

    def advance(
        self,
        by: timedelta = _NONE,
        /,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        until: datetime | None = None,
        raises: Raises = (),
    ) -> list[Run]:
        """Let time pass, or go on `until` a moment; return the runs that ended meanwhile.

        In a coroutine, write `await wait(...)`.

        Raises:
            AssertionError: none of these runs failed with `raises`.
            ValidationError: `until` is not aware (`instant`) or is past (`until_past`), or the time is negative.
        """
        __tracebackhide__ = True
        span = self._span("advance", by, until, days=days, hours=hours, minutes=minutes, seconds=seconds)
        errors, first = _check_raises("advance", raises), len(self._runs)
        self.clock.advance(span)
        return self._checked(self._runs[first:], errors)

    async def wait(
        self,
        by: timedelta = _NONE,
        /,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        until: datetime | None = None,
        raises: Raises = (),
    ) -> list[Run]:
        """Let time pass as `advance()` does, in a coroutine: its event loop goes on."""
        __tracebackhide__ = True
        span = self._span("wait", by, until, days=days, hours=hours, minutes=minutes, seconds=seconds)
        errors, first = _check_raises("wait", raises), len(self._runs)
        await self.clock.wait(span)
        return self._checked(self._runs[first:], errors)

    def run_until_idle(self, *, raises: Raises = ()) -> list[Run]:
        """Let time pass until only endless or paused tasks are left; return the runs that ended meanwhile.

        In a coroutine, write `await wait_until_idle()`.
        """
        __tracebackhide__ = True
        errors, first = _check_raises("run_until_idle", raises), len(self._runs)
        self.clock.advance(_NONE)
        while any(handle.join() for handle in self._unended()):
            pass
        return self._checked(self._runs[first:], errors)

    async def wait_until_idle(self, *, raises: Raises = ()) -> list[Run]:
        """Let time pass as `run_until_idle()` does, in a coroutine: its event loop goes on."""
        __tracebackhide__ = True
        errors, first = _check_raises("wait_until_idle", raises), len(self._runs)
        await self.clock.wait(_NONE)
        while any([await handle.wait() for handle in self._unended()]):
            pass
        return self._checked(self._runs[first:], errors)

    def assert_next(self, name: str, when: datetime | str) -> None:
        """Check when the next run of a task is due: an aware datetime, or "2026-01-02T08:00+01:00".

        Raises:
            AssertionError: it is due at another time, or there is none.
            ValidationError: there is no such task (`unknown_task`), or `when` is no aware moment (`instant`).
        """
        __tracebackhide__ = True
        handle, wanted = self._handle("assert_next", name), _moment(when)
        due = handle.next_run
        if due == wanted:
            return
        if due is not None:
            found = f"the next run of {name!r} is due at {due.astimezone(wanted.tzinfo).isoformat()}"
        else:
            found = f"{name!r} has no next run: {_why_none(handle)}"
        raise AssertionError(f"{found}, not at {wanted.isoformat()}")

    def fail_next(self, name: str, error: Raised) -> None:
        """Let the next call of a task raise this error instead of calling the function.

        Write it twice to fail two calls; a retry is another call. A run that ends by such an error does not fail the
        test.

        Raises:
            ValidationError: there is no such task (`unknown_task`), or `error` is no exception (`error_type`).
        """
        self._handle("fail_next", name)
        errors = self._errors.setdefault(name, deque())
        errors.append(raised("fail_next", error))

        def fail() -> None:
            run, error = current_run(), errors.popleft()
            self._injected.add((run.id, run.attempt))
            if not errors:
                del self.clock._stand_ins[name]
            raise error

        self.clock._stand_ins[name] = fail

    def _hear(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            run = event.run
            self._runs.append(run)
            if run.outcome in {"failed", "timed_out"} and (run.id, run.attempt) not in self._injected:
                self._failed.append(run)

    def _checked(self, ended: list[Run], errors: tuple[type[BaseException], ...]) -> list[Run]:
        """Return runs that have ended; if errors are given, one run must have failed with one of them."""
        __tracebackhide__ = True
        found = {id(run) for run in ended if run.error is not None and any(map(run.error.is_a, errors))}
        self._failed = [run for run in self._failed if id(run) not in found]
        if errors and not found:
            names = " or ".join(error.__qualname__ for error in errors)
            shown = "".join(f"\n  {run.id}: {run.error or run.outcome}" for run in ended[-10:])
            raise AssertionError(f"no run failed with {names}" + (f"; the latest that ended:{shown}" if shown else ""))
        return ended

    def _check(self) -> None:
        """Raise AssertionError for runs that failed unexpectedly, once for each."""
        errors, self._raises = self._raises, ()
        self._checked(self._runs, errors)
        failed, self._failed = self._failed, []
        if failed:
            many = "a run" if len(failed) == 1 else f"{len(failed)} runs"
            raise AssertionError("\n\n".join([f"{many} failed, and no raises= expected it", *map(_report, failed)]))

    def _span(self, method: str, by: timedelta, until: datetime | None, **units: float) -> timedelta:
        """Return how far to go: a duration, or what is left `until` a moment."""
        try:
            span = duration(method, "by", by) + timedelta(**units)
        except TypeError:
            got = ", ".join(f"{name}={type_name(value)}" for name, value in units.items())
            refuse_value(method, "duration_type", "days to seconds", "numbers", got, "write days=1")
        if until is None:
            return span
        left = MICROSECOND * (instant(method, "until", until) - self.clock.read().wall)
        if span or left < _NONE:
            message = "until must be after {now}, without a duration, got {got}; clock.step() sets the clock back"
            refuse(method, "until_past", message, at=("until",), now=self.now().isoformat(), got=until.isoformat())
        return left

    def _unended(self) -> list[TaskHandle]:
        return [it for it in self._scheduler if not (it.ended or it.paused or it._entry.rule.endless)]

    def _handle(self, method: str, name: str) -> TaskHandle:
        check_task_name(method, name, [handle.name for handle in self._scheduler])
        return self._scheduler[name]


def _check_raises(method: str, raises: object) -> tuple[type[BaseException], ...]:
    errors = cast("tuple[object, ...]", raises) if isinstance(raises, tuple) else (raises,)
    for error in errors:
        if not (isinstance(error, type) and issubclass(error, BaseException)):
            rule = "an exception class, or a tuple of them"
            refuse_value(method, "raises_type", "raises", rule, type_name(error), "write raises=TimeoutError")
    return cast("tuple[type[BaseException], ...]", errors)


def _moment(when: object) -> datetime:
    if isinstance(when, str):
        try:
            when = datetime.fromisoformat(when)
        except ValueError:
            remedy = 'write "2026-01-02T08:00+01:00"'
            refuse_value("assert_next", "instant", "when", "a moment in ISO 8601", repr(when), remedy)
    instant("assert_next", "when", when)
    return cast(datetime, when)


def _why_none(handle: TaskHandle) -> str:
    if handle.paused:
        return "it is paused"
    return "it has ended" if handle.ended else "that depends on the run in flight"


def _report(run: Run) -> str:
    error = run.error
    attempt = f" in attempt {run.attempt}" if run.attempt > 1 else ""
    head = f"{run.task}, due at {run.scheduled_at.isoformat()}, {run.outcome}{attempt} at {run.finished_at.isoformat()}"
    return f"{head}\n{(error.traceback or error) if error else ''}".rstrip()
