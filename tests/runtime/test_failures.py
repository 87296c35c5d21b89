"""What a record keeps of an exception: its text, not its frames; however hostile it is to being looked at."""

from __future__ import annotations

import gc
import logging
import weakref
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from telling import SECOND, runs

from panther_schedule import BackgroundTask, Retry, Scheduler, VirtualClock
from panther_schedule.planning.records import Failure
from panther_schedule.runtime.failures import failure_of

LONG = timedelta(seconds=30)


class Payload(bytearray):
    """Something large."""


def test_a_record_keeps_type_text_and_traceback(clock: VirtualClock) -> None:
    def load() -> None:
        raise ConnectionResetError("no disk")

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(load))
        scheduler.join()

    error = runs(handle)[0].error
    assert error is not None
    assert (error.type, error.text, str(error)) == ("ConnectionResetError", "no disk", "ConnectionResetError: no disk")
    assert error.is_a(OSError)
    assert not error.is_a(ValueError)
    assert error.traceback.startswith("Traceback (most recent call last):")
    assert 'raise ConnectionResetError("no disk")' in error.traceback


@pytest.mark.parametrize("attempts", [1, 2])
def test_it_keeps_nothing_alive_that_the_function_held(
    clock: VirtualClock, attempts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither while it waits for its next attempt, nor when it has ended."""
    kept: list[weakref.ref[Payload]] = []
    monkeypatch.setattr(logging.getLogger("panther_schedule"), "disabled", True)  # pytest keeps the log's exceptions

    def load() -> None:
        data = Payload(1000)
        kept.append(weakref.ref(data))
        raise ConnectionError("no disk")

    task = BackgroundTask(load)
    if attempts > 1:
        task = task.with_policy(retry=Retry(attempts, delay=SECOND))
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(task)
        clock.advance(SECOND / 2)
        gc.collect()
        assert [ref() for ref in kept] == [None]
        manual = handle.run_now()
        scheduler.join()
        gc.collect()

        assert manual.join().outcome == "failed"
        assert [ref() for ref in kept] == [None] * 2 * attempts


def test_long_texts_are_cut() -> None:
    failure = failure_of(ValueError("x" * 10_000_000))

    assert failure is not None
    assert len(failure.text) == 2_000
    assert len(failure.traceback) <= 20_000


# ---- hostile exceptions ------------------------------------------------------------------------------------------


METHODS = ["__str__", "__repr__", "__eq__", "__hash__", "__bool__", "__len__", "__getattribute__"]
ATTRIBUTES = ["__traceback__", "__class__", "__cause__", "__context__", "__notes__", "__dict__", "args"]


def hostile(name: str, raised: type[BaseException]) -> type[BaseException]:
    """Make an exception class of which one attribute raises."""

    def raises(*_: object) -> NoReturn:
        raise raised(name)

    method = name in METHODS
    return type(f"Hostile{name}", (Exception,), {name: raises if method else property(raises)})


def no_module(_cls: type) -> NoReturn:
    """Be the module of a class."""
    raise SystemExit("module")


META = type("Meta", (type,), {"__module__": property(no_module)})
NOWHERE: Any = META("Nowhere", (Exception,), {})  # its module can't be asked for


HOSTILE = [
    hostile(name, raised) for name in METHODS + ATTRIBUTES for raised in (ValueError, SystemExit, KeyboardInterrupt)
]


def raises(cls: type[BaseException]) -> NoReturn:
    raise cls("x")


async def raises_async(cls: type[BaseException]) -> NoReturn:
    raise cls("x")


@pytest.mark.real_clock
@pytest.mark.parametrize("func", [raises, raises_async])
def test_no_exception_hurts_whoever_looks_at_it(func: Any) -> None:
    """Each is recorded as failed, with and without another attempt, and the next run goes on."""
    with Scheduler(max_workers=1) as scheduler:
        for cls in [*HOSTILE, NOWHERE]:
            task = BackgroundTask(func, cls)
            for each in (task, task.with_policy(retry=Retry(2, delay=timedelta(0)))):
                handle = scheduler.add_task(each)
                assert handle.join(LONG)
                (run,) = runs(handle)
                assert run.outcome == "failed", cls
                assert len(run.attempts) == (1 if each is task else 2), cls
                assert isinstance(run.error, Failure)
                assert repr(run)
        assert scheduler.add_task(BackgroundTask(int)).join(LONG)
        assert scheduler.health().alive


class _Mixin:
    """No exception."""


class _MixedError(_Mixin, LookupError):
    """One that has a base class beside the exceptions."""


def test_names_are_those_of_exceptions() -> None:
    failure = failure_of(_MixedError())
    assert failure is not None
    assert failure.names == (f"{__name__}._MixedError", "LookupError", "Exception", "BaseException")
