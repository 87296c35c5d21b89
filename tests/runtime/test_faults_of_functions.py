"""What a run's function may do wrong, and what happens to it, of its neighbours and of the scheduler."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from telling import is_a, note

from panther_schedule import (
    BackgroundTask,
    Passed,
    Policy,
    Retry,
    Run,
    Scheduler,
    SchedulerStateError,
    VirtualClock,
    current_run,
)

SECOND = timedelta(seconds=1)
SHORT = timedelta(milliseconds=20)
LONG = 10 * SECOND  # far longer than anything here takes


def only(records: tuple[Run | Passed, ...]) -> Run:
    """Give the one record there is."""
    (record,) = records
    assert isinstance(record, Run)
    return record


def outcomes(run: Run) -> list[str]:
    """List how its attempts ended."""
    return [attempt.outcome for attempt in run.attempts]


# ---- it raises what is no Exception ------------------------------------------------------------------------------

ERRORS = [BaseException("own"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError()]
RAISED = pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)


def raises(error: BaseException) -> None:
    raise error


async def raises_async(error: BaseException) -> None:
    await asyncio.sleep(0)
    raise error


@RAISED
@pytest.mark.parametrize("func", [raises, raises_async])
def test_what_a_function_raises_fails_its_run_alone(
    clock: VirtualClock, func: Callable[[BaseException], Any], error: BaseException
) -> None:
    task = BackgroundTask(func, error).with_policy(retry=Retry(3, delay=SECOND, on=(Exception,)))  # covers none
    with Scheduler(clock=clock) as scheduler:
        handle, after = scheduler.add_tasks([task, BackgroundTask(note)])
        with suppress(type(error)):  # some reach the test, too: test_virtual_time.py
            scheduler.join()
        assert scheduler.join()

    run = only(handle.runs)
    assert is_a(run.error, type(error))
    assert [outcomes(run), outcomes(only(after.runs))] == [["failed"], ["succeeded"]]


@pytest.mark.real_clock
def test_no_error_ends_the_only_worker_or_the_event_loop() -> None:
    with Scheduler(max_workers=1) as scheduler:
        handles = [scheduler.add_task(BackgroundTask(func, e)) for e in ERRORS for func in (raises, raises_async)]
        after = scheduler.add_task(BackgroundTask(note))
        assert scheduler.join(LONG)

    assert [only(handle.runs).outcome for handle in handles] == ["failed"] * 10
    assert only(after.runs).outcome == "succeeded"


# ---- it never returns --------------------------------------------------------------------------------------------


@pytest.mark.real_clock
def test_a_sync_function_that_never_returns_keeps_its_worker_and_no_neighbour() -> None:
    release, ran = threading.Event(), threading.Event()
    with Scheduler(max_workers=2) as scheduler:
        stuck = scheduler.add_task(BackgroundTask(release.wait, 60).with_policy(timeout=SHORT))
        assert stuck.join(LONG)
        scheduler.add_task(BackgroundTask(ran.set))
        assert ran.wait(10)
        assert scheduler.join(LONG)

        assert scheduler.health().waiting == 0
        release.set()
    assert only(stuck.runs).outcome == "timed_out"


@pytest.mark.real_clock
def test_its_next_attempt_waits_for_it_and_is_abandoned_with_it(caplog: pytest.LogCaptureFixture) -> None:
    release, over = threading.Event(), threading.Event()
    policy = Policy(timeout=SHORT, retry=Retry(3, delay=0 * SECOND, on=(TimeoutError,)))
    scheduler = Scheduler()
    scheduler.add_listener(lambda event: over.set() if "RunRetried" in repr(event) else None)
    stuck = scheduler.add_task(BackgroundTask(release.wait, 60).with_name("stuck").with_policy(policy))
    assert over.wait(10)
    scheduler.stop(SHORT)
    release.set()

    run = only(stuck.runs)
    assert run.outcome == "abandoned"
    assert outcomes(run) == ["timed_out", "abandoned"]
    assert [line.getMessage() for line in caplog.records] == [
        "task stuck abandoned: its scheduler or its event loop ended first"
    ]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.real_clock
def test_a_pool_full_of_sleepers_is_abandoned_run_by_run(workers: int, caplog: pytest.LogCaptureFixture) -> None:
    release, started = threading.Event(), threading.Semaphore(0)

    def sleeps() -> None:
        started.release()
        release.wait(60)

    scheduler = Scheduler(max_workers=workers)
    names = {f"sleeper-{number}" for number in range(5)}
    handles = [scheduler.add_task(BackgroundTask(sleeps).with_name(name)) for name in sorted(names)]
    for _ in range(workers):
        assert started.acquire(timeout=10)
    scheduler.stop(SHORT)
    release.set()

    assert [only(handle.runs).outcome for handle in handles] == ["abandoned"] * 5
    assert scheduler.counts["abandoned"] == sum(scheduler.counts.values()) == 5
    assert {getattr(line, "task", "") for line in caplog.records} == names
    assert len(caplog.records) == 5


# ---- it is async, and does wrong by the event loop ---------------------------------------------------------------


@pytest.mark.real_clock
def test_an_async_function_that_never_returns_is_cancelled_by_its_timeout() -> None:
    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    with Scheduler() as scheduler:
        handle = scheduler.add_task(
            BackgroundTask(waits).with_policy(
                timeout=SHORT, retry=Retry(2, delay=timedelta(milliseconds=1), on=(TimeoutError,))
            )
        )
        assert handle.join(LONG)

    assert outcomes(only(handle.runs)) == ["timed_out", "timed_out"]
    assert is_a(only(handle.runs).error, TimeoutError)
    assert ended == ["cancelled"] * 2


@pytest.mark.real_clock
def test_an_async_function_that_is_quick_has_no_timeout() -> None:
    with Scheduler() as scheduler:
        handle = scheduler.add_task(BackgroundTask(asyncio.sleep, 0).with_policy(timeout=LONG))
        assert handle.join(LONG)

    assert only(handle.runs).outcome == "succeeded"


@pytest.mark.real_clock
def test_an_async_function_that_blocks_the_event_loop_delays_async_ones_only() -> None:
    release, blocks, ran = threading.Event(), threading.Event(), threading.Event()

    async def blocked() -> None:
        blocks.set()
        release.wait(60)

    scheduler = Scheduler()
    blocking = scheduler.add_task(BackgroundTask(blocked))
    assert blocks.wait(10)
    scheduler.add_task(BackgroundTask(ran.set))
    assert ran.wait(10)
    behind = scheduler.add_task(BackgroundTask(asyncio.sleep, 0))

    assert scheduler.health().alive
    scheduler.stop(SHORT)
    release.set()
    assert [only(handle.runs).outcome for handle in (blocking, behind)] == ["abandoned"] * 2


class Stubborn:
    """An async function that swallows its cancellation, and goes on until it is released."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.waits, self.swallowed, self.release = threading.Event(), threading.Event(), threading.Event()

    async def run(self) -> None:
        self.said.append(f"begins {current_run().attempt}")
        if current_run().attempt > 1:
            return
        try:
            self.waits.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.swallowed.set()
        await asyncio.to_thread(self.release.wait, 60)
        self.said.append("ends")


@pytest.mark.real_clock
def test_a_swallowed_cancellation_is_no_cancellation() -> None:
    stubborn = Stubborn()
    with Scheduler() as scheduler:
        handle = scheduler.add_task(BackgroundTask(stubborn.run))
        assert stubborn.waits.wait(10)
        handle.cancel()
        assert stubborn.swallowed.wait(10)
        assert not handle.ended
        stubborn.release.set()
        assert handle.join(LONG)

    assert only(handle.runs).outcome == "succeeded"


@pytest.mark.real_clock
def test_a_swallowed_timeout_holds_up_the_next_attempt() -> None:
    stubborn, over = Stubborn(), threading.Event()
    with Scheduler() as scheduler:
        scheduler.add_listener(lambda event: over.set() if "RunRetried" in repr(event) else None)
        policy = Policy(timeout=SHORT, retry=Retry(2, delay=0 * SECOND, on=(TimeoutError,)))
        handle = scheduler.add_task(BackgroundTask(stubborn.run).with_policy(policy))
        assert over.wait(10)
        assert stubborn.swallowed.wait(10)
        assert stubborn.said == ["begins 1"]
        stubborn.release.set()
        assert handle.join(LONG)

    assert stubborn.said == ["begins 1", "ends", "begins 2"]
    assert outcomes(only(handle.runs)) == ["timed_out", "succeeded"]


# ---- it is asked to end ------------------------------------------------------------------------------------------


@pytest.mark.real_clock
def test_a_running_async_function_is_cancelled_where_it_waits() -> None:
    waits = threading.Event()

    async def waiting() -> None:
        waits.set()
        await asyncio.Event().wait()

    with Scheduler() as scheduler:
        handle = scheduler.add_task(BackgroundTask(waiting))
        assert waits.wait(10)
        handle.cancel()
        assert handle.join(LONG)

    assert only(handle.runs).outcome == "cancelled"
    assert only(handle.runs).started_at is not None


@pytest.mark.parametrize(("looks", "outcome"), [(True, "cancelled"), (False, "succeeded")])
def test_a_sync_function_is_cancelled_only_if_it_looks(clock: VirtualClock, looks: bool, outcome: str) -> None:
    start = clock.now()

    def works() -> None:
        for _ in range(5):
            clock.sleep(SECOND)
            if looks and current_run().cancelled:
                return

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(works))
        later = BackgroundTask(lambda: handle.cancel() if clock.now() > start else None)
        scheduler.add_task(later.interval(2).interval_wait(2.5 * SECOND))
        scheduler.join()

    run = only(handle.runs)
    assert run.outcome == outcome
    assert run.finished_at - start == (3 if looks else 5) * SECOND


def test_waiting_runs_are_cancelled_without_a_start(clock: VirtualClock) -> None:
    handles: list[Any] = []

    def works() -> None:
        clock.sleep(3.5 * SECOND)
        handles[0].cancel()

    with Scheduler(clock=clock) as scheduler:
        policy = Policy(overlap="queue_all")
        handles.append(scheduler.add_task(BackgroundTask(works).interval(-1).interval_wait(SECOND).with_policy(policy)))
        clock.advance(LONG)

    runs = [run for run in handles[0].runs if isinstance(run, Run)]
    assert sorted(run.outcome for run in runs) == ["cancelled"] * 3 + ["succeeded"]
    assert [run.started_at for run in runs if run.outcome == "cancelled"] == [None] * 3


def test_a_run_between_two_attempts_is_cancelled_at_once(clock: VirtualClock) -> None:
    with Scheduler(clock=clock) as scheduler:
        retry = Retry(3, delay=timedelta(minutes=1))
        handle = scheduler.add_task(BackgroundTask(divmod, 1, 0).with_policy(retry=retry))
        clock.advance(SECOND)
        handle.cancel()

        assert handle.ended
        assert outcomes(only(handle.runs)) == ["failed", "cancelled"]
        clock.advance(timedelta(hours=1))
    assert len(only(handle.runs).attempts) == 2


# ---- the handle of one run ---------------------------------------------------------------------------------------


def test_a_run_that_was_asked_for_is_waited_for(clock: VirtualClock) -> None:
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, LONG))
        scheduler.join()
        run = handle.run_now()
        assert run.join(LONG).outcome == "succeeded"
        run.cancel()

        assert run.run is not None
        assert (run.run.outcome, run.cause) == ("succeeded", "manual")


def test_a_wait_that_is_too_short_says_what_to_do(clock: VirtualClock) -> None:
    with Scheduler(clock=clock) as scheduler:
        retry = Retry(2, delay=timedelta(minutes=1))
        handle = scheduler.add_task(BackgroundTask(divmod, 1, 0).with_policy(retry=retry))
        run = handle.run_now()
        with pytest.raises(TimeoutError, match=r"has not ended; wait longer, or cancel\(\) it"):
            run.join(SECOND)
        run.cancel()

        assert outcomes(run.join()) == ["failed", "cancelled"]
        assert scheduler.join()
    assert [run.outcome for run in handle.runs if isinstance(run, Run)] == ["cancelled", "failed"]


@pytest.mark.real_clock
def test_a_manual_run_is_cancelled_beside_the_scheduled_one() -> None:
    release, manual = threading.Event(), threading.Event()

    def works() -> None:
        if current_run().cause == "manual":
            manual.set()
            while not current_run().cancelled:
                release.wait(0.001)
        else:
            release.wait(60)

    with Scheduler(max_workers=2) as scheduler:
        handle = scheduler.add_task(BackgroundTask(works))
        run = handle.run_now()
        assert manual.wait(10)
        run.cancel()
        assert run.join(LONG).outcome == "cancelled"
        assert not handle.ended
        release.set()

    assert [run.outcome for run in handle.runs if isinstance(run, Run)] == ["cancelled", "succeeded"]


def test_a_run_can_not_wait_for_another_of_its_task(clock: VirtualClock) -> None:
    handles: list[Any] = []

    def works() -> None:
        if current_run().cause == "manual":
            raise OSError
        handles.append(scheduler["works"].run_now())
        handles[0].join()

    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(works).with_name("works")
        handle = scheduler.add_task(task.with_policy(retry=Retry(2, delay=SECOND, on=(OSError,))))
        assert scheduler.join()

    errors = {run.cause: run.error for run in handle.runs if isinstance(run, Run)}
    assert is_a(errors["schedule"], SchedulerStateError)
    assert is_a(errors["manual"], OSError)
