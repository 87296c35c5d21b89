"""Faults that were found once: one test each, so that they do not come back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta

import pytest
from telling import is_a

from panther_schedule import BackgroundTask, Run, Scheduler, SchedulerStateError, VirtualClock, current_run

SECOND = timedelta(seconds=1)


def test_a_run_that_ended_is_not_kept_until_its_timeout(clock: VirtualClock) -> None:
    def work() -> None:
        pass

    with Scheduler(clock=clock) as scheduler:
        for _ in range(1000):
            scheduler.add_task(BackgroundTask(work).with_policy(timeout=timedelta(hours=1))).join()
        assert scheduler._life is not None
        assert len(scheduler._life.memory._timers) == 0


def test_a_coroutine_may_control_tasks_on_a_virtual_clock(clock: VirtualClock) -> None:
    async def control() -> None:
        for name in "paused", "cancelled", "run":
            handle = scheduler[name]
            match name:
                case "paused":
                    handle.pause("by a coroutine")
                case "cancelled":
                    handle.cancel()
                case _:
                    handle.run_now()

    async def work() -> None:
        pass

    hourly = BackgroundTask(work).interval(-1).interval_wait(timedelta(hours=1))
    with Scheduler(clock=clock) as scheduler:
        paused, cancelled, run = scheduler.add_tasks(
            [hourly.with_name(name) for name in ("paused", "cancelled", "run")]
        )
        scheduler.add_task(BackgroundTask(control))
        clock.advance(timedelta(minutes=1))
        assert paused.pause_reason == "by a coroutine"
        assert cancelled.ended
        assert [record.cause for record in run.runs if isinstance(record, Run)] == ["schedule", "manual"]


def test_a_run_that_outlasts_the_drain_in_virtual_time_stays_abandoned(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    called: list[str] = []

    def sleep() -> None:
        called.append("sleep")
        clock.sleep(timedelta(minutes=1))
        called.append("awake")

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(sleep))
    assert called == ["sleep", "awake"]
    (record,) = handle.runs
    assert isinstance(record, Run)
    assert record.outcome == "abandoned"
    assert ["abandoned" in line.getMessage() for line in caplog.records] == [True]


def test_the_data_window_begins_afresh_when_a_wrong_clock_is_set_right(clock: VirtualClock) -> None:
    windows: list[tuple[datetime | None, datetime]] = []

    def load() -> None:
        run = current_run()
        windows.append((run.previous_at, run.scheduled_at))

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(load).interval(-1).on_time(time(8), tz="UTC"))
        for years in 10, -10:
            clock.step(timedelta(days=365 * years))
        clock.advance(timedelta(days=2))
    assert [start for start, _end in windows[1:]] == [None, windows[1][1]]
    assert windows[1][1] == datetime(2026, 1, 1, 8, tzinfo=UTC)


@pytest.mark.real_clock
def test_newcomers_ask_a_run_to_end_only_once_and_let_it_clean_up() -> None:
    ends: list[str] = []

    async def serve() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            if not ends:
                await clean_up()

    async def clean_up() -> None:
        try:
            while handle.counts["skipped_overlap"] < 3:  # noqa: ASYNC110 - an event would say nothing of newcomers that took the place of newcomers
                await asyncio.sleep(0.001)
            ends.append("cleaned up")
        except asyncio.CancelledError:
            ends.append("cut")
            raise

    with Scheduler() as scheduler:
        task = BackgroundTask(serve).interval(-1).interval_wait(timedelta(milliseconds=20))
        handle = scheduler.add_task(task.with_policy(overlap="cancel_running"))
        while not ends:
            handle.join(timeout=timedelta(milliseconds=20))
        handle.cancel()
    assert ends == ["cleaned up"]


def test_the_place_of_a_cancelled_task_is_not_kept_until_its_time(clock: VirtualClock) -> None:
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(int).interval(-1).on_time(time(8), tz="UTC")).cancel()
        assert scheduler._life is not None
        assert len(scheduler._life.memory._wall) == 0


def test_an_async_function_can_not_move_the_clock_that_waits_for_it(clock: VirtualClock) -> None:
    async def moves() -> None:
        clock.advance(SECOND)

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(moves))
        clock.advance(SECOND)

        (run,) = handle.runs
        assert isinstance(run, Run)
        assert is_a(run.error, SchedulerStateError)


@pytest.mark.real_clock
def test_a_run_that_waits_for_itself_in_another_thread_is_refused() -> None:
    async def waits() -> None:
        await asyncio.to_thread(scheduler.join)

    with Scheduler() as scheduler:
        handle = scheduler.add_task(BackgroundTask(waits))
        assert handle.join(10 * SECOND)

        (run,) = handle.runs
        assert isinstance(run, Run)
        assert is_a(run.error, SchedulerStateError)


def test_runs_of_a_backfill_wait_for_a_function_that_has_timed_out(clock: VirtualClock) -> None:
    starts: list[float] = []

    def takes_long() -> None:
        starts.append((clock.now() - begin) / SECOND)
        clock.sleep(100 * SECOND)

    with Scheduler(clock=clock) as scheduler:
        task = (
            BackgroundTask(takes_long).interval(-1).interval_wait(timedelta(hours=1)).with_policy(timeout=10 * SECOND)
        )
        handle = scheduler.add_task(task)
        begin = clock.now()
        clock.advance(timedelta(hours=2, minutes=30))
        starts.clear()
        first, begin = begin, clock.now()
        runs = handle.backfill(first, begin)
        clock.advance(timedelta(minutes=20))

        assert [run.join().outcome for run in runs] == ["timed_out"] * 3
        assert starts == [0, 100, 200]
