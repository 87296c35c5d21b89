"""What goes wrong around the scheduler, and must not hurt it: loops, loggers, exits, clocks, re-entry."""

import asyncio
import signal
import threading
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from telling import is_a

from panther_schedule import BackgroundTask, BusyLoopWarning, Run, Scheduler, SchedulerStateError, VirtualClock

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def note() -> None:
    """Do nothing."""


async def note_async() -> None:
    """Do nothing, on an event loop."""


def only(records: tuple[Any, ...]) -> Run:
    """Give the one record there is."""
    (record,) = records
    assert isinstance(record, Run)
    return record


# ---- the wall clock is set ---------------------------------------------------------------------------------------

DAILY = BackgroundTask(note).interval(-1).on_time(time(13), tz="UTC")


def days_of(handle: Any) -> list[int]:
    """List the days of January on which it ran."""
    return [run.scheduled_at.day for run in handle.runs if isinstance(run, Run)]


def test_what_ran_does_not_run_again_when_the_clock_is_set_back() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(DAILY)
        clock.advance(2 * HOUR)
        clock.step(-3 * HOUR)
        clock.advance(25 * HOUR)

    assert days_of(handle) == [1]
    assert handle.ended


def test_a_clock_set_forward_gives_one_late_run() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(DAILY)
        clock.step(timedelta(days=3, hours=2))

        assert days_of(handle) == [4]
        assert handle.next_run == datetime(2026, 1, 5, 13, tzinfo=UTC)


def test_a_clock_that_was_years_ahead_is_not_believed(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock(datetime(2036, 1, 1, 12, tzinfo=UTC))
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(DAILY)
        clock.advance(2 * HOUR)
        clock.step(START - clock.now())
        clock.advance(timedelta(days=2))

    assert days_of(handle) == [1, 1, 2]
    assert caplog.text.count("set back") == 1


@pytest.mark.parametrize("step", [-5 * HOUR, 5 * HOUR])
def test_a_step_of_the_wall_clock_is_nothing_to_a_repeat(step: timedelta) -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(3).interval_wait(HOUR))
        clock.advance(HOUR)
        clock.step(step)

        assert handle.next_run == clock.now() + HOUR
        clock.advance(HOUR)
        assert handle.ended
    assert len(handle.runs) == 3


# ---- runs on a virtual clock -------------------------------------------------------------------------------------


def test_a_run_that_takes_virtual_time_lets_its_neighbours_begin() -> None:
    clock, calls = VirtualClock(START), list[datetime]()
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(clock.sleep, 10 * SECOND))
        scheduler.add_task(BackgroundTask(lambda: calls.append(clock.now())).interval(3).interval_wait(SECOND))
        scheduler.join()

    assert calls == [START, START + SECOND, START + 2 * SECOND]


def test_virtual_time_is_refused_where_it_would_block_an_event_loop() -> None:
    clock = VirtualClock(START)

    async def sleeps() -> None:
        clock.sleep(SECOND)

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(sleeps))
        scheduler.join()

    assert is_a(only(handle.runs).error, SchedulerStateError)


def test_a_run_can_not_stop_the_scheduler_on_a_virtual_clock() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(scheduler.stop))
        scheduler.join()

    assert is_a(only(handle.runs).error, SchedulerStateError)


@pytest.mark.parametrize("move", ["advance", "suspend"])
def test_a_virtual_clock_moves_forward(move: str) -> None:
    with pytest.raises(ValueError, match=r"moves forward, got .*use step\(\)"):
        getattr(VirtualClock(START), move)(-SECOND)


def test_many_cancelled_tasks_leave_no_trace() -> None:
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        for _ in range(1_000):
            scheduler.add_task(DAILY).cancel()
        scheduler.join(SECOND)

        assert len(scheduler) == 0
        assert scheduler._life is not None
        assert len(scheduler._life.memory._wall) == 0


# ---- refusals that leave nothing half done -----------------------------------------------------------------------


def test_a_timeout_is_a_timedelta() -> None:
    number: Any = 5
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note))
        for wait in (scheduler.stop, scheduler.join, handle.join):
            with pytest.raises(ValidationError, match=r"timeout must be a timedelta, got int 5; write timedelta"):
                wait(number)
        scheduler.join()

    assert len(handle.runs) == 1


@pytest.mark.filterwarnings("error::panther_schedule.BusyLoopWarning")
def test_a_warning_that_is_an_error_adds_nothing() -> None:
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        with pytest.raises(BusyLoopWarning):
            scheduler.add_tasks([BackgroundTask(note), BackgroundTask(note).interval(-1)])

        assert len(scheduler) == 0


def test_an_unnamed_tasks_name_can_not_be_taken() -> None:
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        name = scheduler.add_task(BackgroundTask(note)).name

        with pytest.raises(ValidationError, match="in use"):
            scheduler.add_task(BackgroundTask(note_async).with_name(name))


def test_arguments_that_can_not_be_compared_are_different() -> None:
    class Array:
        def __eq__(self, other: object) -> bool:
            raise ValueError("the truth value of an array is ambiguous")

        __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType] - as an array has none

    with Scheduler(clock=VirtualClock(START)) as scheduler:
        scheduler.add_task(BackgroundTask(print, Array()).with_name("a"))

        with pytest.raises(ValidationError, match="in use"):
            scheduler.add_task(BackgroundTask(print, Array()).with_name("a"))


# ---- real threads, loops and signals -----------------------------------------------------------------------------


@pytest.mark.real_clock
@pytest.mark.usefixtures("broken_logging")
def test_a_failing_log_handler_hurts_no_run() -> None:
    with Scheduler(max_workers=1) as scheduler:
        failed = scheduler.add_task(BackgroundTask(divmod, 1, 0))
        after = scheduler.add_task(BackgroundTask(note))
        assert scheduler.join(5 * SECOND)

    assert only(failed.runs).outcome == "failed"
    assert only(after.runs).outcome == "succeeded"


@pytest.mark.real_clock
def test_async_runs_fail_and_sync_ones_go_on_when_the_app_has_closed_its_loop() -> None:
    scheduler = Scheduler()

    async def enter() -> None:
        await scheduler.__aenter__()

    asyncio.run(enter())
    lost = scheduler.add_task(BackgroundTask(note_async))
    after = scheduler.add_task(BackgroundTask(note))
    assert scheduler.join(5 * SECOND)
    scheduler.stop()

    assert "closed" in str(only(lost.runs).error)
    assert only(after.runs).outcome == "succeeded"


@pytest.mark.real_clock
def test_an_async_run_cancelled_before_its_first_step_is_recorded() -> None:
    ended: list[Run] = []

    async def main() -> None:
        async with Scheduler() as scheduler:
            loop = asyncio.get_running_loop()

            def make(_: Any, coroutine: Any, **kwargs: Any) -> Any:
                task = asyncio.Task(coroutine, loop=loop, **kwargs)
                if coroutine.__qualname__ == "Coroutines._see_through":
                    task.cancel()  # as an app does that cancels everything when it ends
                return task

            loop.set_task_factory(make)
            handle = scheduler.add_task(BackgroundTask(note_async))
            assert await asyncio.to_thread(handle.join, 5 * SECOND)
            loop.set_task_factory(None)
            ended.append(only(handle.runs))

    asyncio.run(main())
    assert ended[0].outcome == "cancelled"
    assert ended[0].started_at is None


@pytest.mark.real_clock
def test_a_cancelled_error_of_the_functions_own_is_a_failure() -> None:
    async def gives_up() -> None:
        raise asyncio.CancelledError

    with Scheduler() as scheduler:
        handle = scheduler.add_task(BackgroundTask(gives_up))
        assert handle.join(5 * SECOND)

    assert only(handle.runs).outcome == "failed"


@pytest.mark.real_clock
def test_a_run_that_waits_for_a_worker_is_cancelled_or_abandoned_but_not_started() -> None:
    release, started, called = threading.Event(), threading.Event(), list[str]()

    def hold() -> None:
        started.set()
        release.wait(10)

    scheduler = Scheduler(max_workers=1)
    holder = scheduler.add_task(BackgroundTask(hold))
    assert started.wait(5)
    cancelled = scheduler.add_task(BackgroundTask(called.append, "cancelled"))
    abandoned = scheduler.add_task(BackgroundTask(called.append, "abandoned"))
    cancelled.cancel()
    assert cancelled.next_run is None
    scheduler.stop(timedelta(milliseconds=100))
    release.set()

    assert [only(handle.runs).outcome for handle in (holder, abandoned)] == ["abandoned"] * 2
    assert cancelled.ended
    for thread in threading.enumerate():
        if thread.name.startswith("panther_schedule-worker"):
            thread.join(5)
    assert not called


@pytest.mark.real_clock
def test_a_run_that_is_cancelled_while_it_waits_for_a_worker_says_so() -> None:
    release, started, called = threading.Event(), threading.Event(), list[str]()

    def hold() -> None:
        started.set()
        release.wait(10)

    with Scheduler(max_workers=1) as scheduler:
        scheduler.add_task(BackgroundTask(hold))
        assert started.wait(5)
        waiting = scheduler.add_task(BackgroundTask(called.append, "ran"))
        waiting.cancel()
        release.set()
        assert waiting.join(5 * SECOND)

    assert not called
    assert all(isinstance(record, Run) and record.outcome == "cancelled" for record in waiting.runs)


@pytest.mark.real_clock
def test_a_run_can_not_join_its_own_task() -> None:
    handles: list[Any] = []
    go = threading.Event()

    def joins() -> None:
        go.wait(5)
        handles[0].join()

    with Scheduler() as scheduler:
        handles.append(scheduler.add_task(BackgroundTask(joins)))
        go.set()
        assert handles[0].join(5 * SECOND)

    assert is_a(only(handles[0].runs).error, SchedulerStateError)


@pytest.mark.real_clock
def test_a_signal_handler_may_add_a_task_while_one_is_added() -> None:
    added: list[Any] = []

    class Meddler:
        """An argument whose comparison, in the midst of add_task(), brings a signal."""

        def __eq__(self, other: object) -> bool:
            signal.raise_signal(signal.SIGUSR1)
            return True

        __hash__ = object.__hash__

    with Scheduler() as scheduler:

        def meddle(_number: int, _frame: object) -> None:
            added.append(scheduler.add_task(BackgroundTask(note)))

        before = signal.signal(signal.SIGUSR1, meddle)
        try:
            for _ in range(2):
                scheduler.add_task(BackgroundTask(print, Meddler(), sep="", end="").with_name("a"))
        finally:
            signal.signal(signal.SIGUSR1, before)
        assert scheduler.join(5 * SECOND)

    assert [only(handle.runs).outcome for handle in added] == ["succeeded"]


@pytest.mark.real_clock
def test_a_second_stop_waits_for_the_first() -> None:
    release = threading.Event()
    scheduler = Scheduler()
    handle = scheduler.add_task(BackgroundTask(release.wait, 10))
    first = threading.Thread(target=scheduler.stop)
    first.start()
    second = threading.Thread(target=scheduler.stop)
    second.start()
    second.join(0.1)
    assert second.is_alive()
    release.set()
    first.join()
    second.join()

    assert only(handle.runs).outcome == "succeeded"
