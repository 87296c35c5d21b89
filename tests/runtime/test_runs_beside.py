"""Runs that claim no occurrence, by `run_now()` and `backfill()`, and what a run knows of itself, in virtual time."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError
from telling import SECOND, START, at, note, outcomes, runs, seconds, starts, told

from panther_schedule import (
    BackgroundTask,
    Daily,
    Repeat,
    Retry,
    Run,
    Scheduler,
    SchedulerStateError,
    TaskHandle,
    VirtualClock,
    current_run,
)

HOUR = timedelta(hours=1)
GRID = BackgroundTask(note).interval(3).interval_wait(10 * SECOND)


def kept(handle: TaskHandle) -> object:
    """Give what no manual run or backfill may change."""
    state = handle._entry.state
    return state.anchor, state.cursor, state.next_at, state.handed, state.latest, dict(handle.counts)


# ---- run_now -----------------------------------------------------------------------------------------------------


def test_two_in_one_microsecond_are_two_runs_with_two_ids() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(GRID.with_name("grid"))
        clock.advance(5 * SECOND)
        before = kept(handle)
        one, other = handle.run_now(), handle.run_now()
        assert [one.join().outcome, other.join().outcome] == ["succeeded", "succeeded"]

        assert one.scheduled_at == other.scheduled_at == START + 5 * SECOND
        assert [one.id, other.id] == [f"grid/2026-01-01T00:00:05+00:00/manual-{number}" for number in (1, 2)]
        assert kept(handle) == before
        scheduler.join()
    assert told(handle) == [0, 5, 5, 10, 20]
    assert [run.cause for run in runs(handle)] == ["schedule", "manual", "manual", "schedule", "schedule"]
    assert outcomes(handle) == {"succeeded": 3}


def test_a_manual_run_knows_the_occurrence_of_the_latest_scheduled_run() -> None:
    clock, windows = VirtualClock(START), list[datetime | None]()

    def work() -> None:
        if current_run().cause == "manual":
            windows.append(current_run().previous_at)
        else:
            clock.sleep(15 * SECOND)

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(work).interval(-1).on_time(time(8), tz="UTC")).run_now()
        handle = scheduler.add_task(BackgroundTask(work).interval(-1).interval_wait(10 * SECOND))
        for second in (5, 12, 22):  # the occurrence of 10 is skipped
            at(scheduler, second, handle.run_now)
        clock.advance(25 * SECOND)

    assert windows == [None, START, START, START + 20 * SECOND]


def test_a_pause_holds_no_manual_run_back() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(GRID)
        clock.advance(5 * SECOND)
        handle.pause("why")
        handle.run_now()

        assert starts(handle) == [0, 5]
        assert handle.pause_reason == "why"


def test_a_named_task_that_has_ended_can_be_run_again() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(GRID.with_name("grid"))
        scheduler.join()
        assert handle.ended
        before = kept(handle)
        assert handle.run_now().join().cause == "manual"

        assert handle.ended
        assert kept(handle) == before
        assert scheduler.join()


def test_it_runs_beside_what_is_going_whatever_overlap_says() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, 4 * SECOND).interval(2).interval_wait(3 * SECOND))
        at(scheduler, 1, handle.run_now)
        scheduler.join()

    manual, first, _second = sorted(runs(handle), key=lambda run: run.cause)
    assert (seconds(manual.started_at), seconds(first.started_at)) == (1, 0)
    assert outcomes(handle) == {"succeeded": 2, "skipped_overlap": 1}, "a manual run is in nobody's way"


def test_retry_and_timeout_hold_for_it() -> None:
    clock = VirtualClock(START)

    def work() -> None:
        if current_run().cause == "manual":
            clock.sleep(5 * SECOND)

    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(work).with_name("a").with_policy(timeout=2 * SECOND, retry=Retry(2))
        handle = scheduler.add_task(task)
        scheduler.join()
        run = handle.run_now().join()

    assert [attempt.outcome for attempt in run.attempts] == ["timed_out", "timed_out"]
    assert [seconds(attempt.started_at) for attempt in run.attempts] == [0, 6]
    assert outcomes(handle) == {"succeeded": 1}


@pytest.mark.parametrize("method", ["run_now", "backfill"])
def test_they_are_refused_after_the_end(method: str) -> None:
    arguments = (START, START) if method == "backfill" else ()
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        cancelled, stopped = scheduler.add_task(GRID), scheduler.add_task(GRID)
        cancelled.cancel()
        with pytest.raises(SchedulerStateError, match=rf"{method}\(\) .* the task was cancelled; add it again"):
            getattr(cancelled, method)(*arguments)

    with pytest.raises(SchedulerStateError, match=rf"{method}\(\) .* the scheduler has stopped; add it again"):
        getattr(stopped, method)(*arguments)


def test_one_manual_run_can_be_cancelled_between_its_attempts() -> None:
    clock = VirtualClock(START)

    def fails() -> None:
        raise LookupError

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(fails).with_name("a").with_policy(retry=Retry(2, delay=9 * SECOND)))
        scheduler.join()
        one, other = handle.run_now(), handle.run_now()
        clock.advance(SECOND)
        assert one.run is None
        one.cancel()
        assert one.join().outcome == "cancelled"
        one.cancel()
        with pytest.raises(TimeoutError, match="has not ended; wait longer"):
            other.join(SECOND)
        assert other.join().outcome == "failed"

    assert outcomes(handle) == {"failed": 1}


# ---- backfill ----------------------------------------------------------------------------------------------------


def test_a_backfill_runs_each_occurrence_again_oldest_first_one_after_the_other() -> None:
    clock, calls = VirtualClock(START), list[tuple[float, float, Any]]()

    def work() -> None:
        run = current_run()
        previous = None if run.previous_at is None else seconds(run.previous_at)
        calls.append((seconds(run.scheduled_at), seconds(clock.now()), previous))
        if run.cause == "backfill":
            clock.sleep(4 * SECOND)

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work).interval(-1).interval_wait(10 * SECOND).with_name("a"))
        clock.advance(5 * SECOND)
        clock.suspend(40 * SECOND)
        counts, records = dict(handle.counts), handle.runs
        calls.clear()
        asked = START + 10 * SECOND, START + 30 * SECOND
        assert [seconds(one) for one in handle.backfill(*asked, dry_run=True)] == [10, 20, 30]
        assert handle.runs == records
        filled = handle.backfill(*asked)
        assert [one.cause for one in filled] == ["backfill"] * 3
        assert len({one.id for one in filled}) == 3
        filled[-1].join()

        assert calls == [(10, 45, 0), (20, 49, 10), (50, 50, 40), (30, 53, 20)]
        assert handle.runs[: len(records)] == records, "the records of before stay"
        assert dict(handle.counts) == {**counts, "succeeded": 3}, "only that of 50 s is new"


def test_a_backfill_leaves_n_cursor_and_windows_alone() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(GRID)
        clock.advance(15 * SECOND)
        before = kept(handle)
        handle.backfill(START, START + 15 * SECOND)[-1].join()
        assert kept(handle) == before
        scheduler.join()

    assert [run.cause for run in runs(handle)] == ["schedule"] * 2 + ["backfill"] * 2 + ["schedule"]


def test_a_backfill_of_a_calendar_goes_back_before_the_task_was_added() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).with_schedule(Daily(time(8), tz="Europe/Berlin")))
        found = handle.backfill(START - timedelta(days=2), START, dry_run=True)

        assert found == [datetime(2025, 12, 30, 7, tzinfo=UTC), datetime(2025, 12, 31, 7, tzinfo=UTC)]
        assert handle.backfill(START - HOUR, START) == []


@pytest.mark.parametrize("step", [-HOUR, SECOND / 1_000_000, HOUR])
def test_the_occurrences_of_steady_time_move_with_the_wall_clock(step: timedelta) -> None:
    """They are named by the offset as it is now, which a step of less than 100 ms leaves alone."""
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(GRID)
        scheduler.join()
        clock.step(step)
        times = [run.scheduled_at for run in handle.runs if isinstance(run, Run)]

        moved = [at + (step if abs(step) > SECOND else 0 * SECOND) for at in times]
        assert handle.backfill(moved[0], moved[-1], dry_run=True) == moved
        assert handle.backfill(moved[0], clock.now(), dry_run=True) == moved


def test_one_of_a_backfill_fails_and_the_others_go_on_and_one_is_cancelled() -> None:
    clock = VirtualClock(START)

    def work() -> None:
        if current_run().cause == "backfill" and current_run().scheduled_at == START:
            raise LookupError

    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(work).interval(4).interval_wait(SECOND).with_policy(retry=Retry(2))
        handle = scheduler.add_task(task.with_name("a"))
        scheduler.join()
        filled = handle.backfill(START, START + 3 * SECOND)
        assert [one.run for one in filled] == [None] * 4, "the first one waits for its second attempt"
        filled[2].cancel()
        last = filled[-1].join()

        assert [one.run.outcome for one in filled if one.run] == ["failed", "succeeded", "cancelled", "succeeded"]
        assert isinstance(last, Run)


def test_the_runs_of_a_second_backfill_wait_for_those_of_the_first() -> None:
    clock, calls = VirtualClock(START), list[tuple[float, float]]()

    def work() -> None:
        run = current_run()
        if run.cause == "backfill":
            calls.append((seconds(run.scheduled_at), seconds(clock.now())))
            clock.sleep(4 * SECOND)

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work).interval(3).interval_wait(SECOND).with_name("a"))
        at(scheduler, 5, lambda: handle.backfill(START + SECOND, START + 2 * SECOND))
        clock.advance(3 * SECOND)
        handle.backfill(START, START + SECOND)
        clock.advance(20 * SECOND)
        assert calls == [(0, 3), (1, 7), (1, 11), (2, 15)]
        handle.backfill(START, START)[0].join()
        assert calls[4:] == [(0, 27)]


FROM_END = Repeat(3, SECOND, measured_from="end")
FILLED = BackgroundTask(note).interval_wait(SECOND).interval(-1)
REFUSED: list[tuple[str, BackgroundTask[[]], Any, Any, str]] = [
    ("naive start", FILLED, START.replace(tzinfo=None), START, "instant"),
    ("naive end", FILLED, START, START.replace(tzinfo=None), "instant"),
    ("no datetime", FILLED, "2026-01-01", START, "instant"),
    ("a date", FILLED, START.date(), START, "instant"),
    ("end before start", FILLED, START, START - SECOND, "backfill_range"),
    ("a future end", FILLED, START, START + timedelta(days=1), "backfill_range"),
    ("too many", FILLED, START, START + 10_000 * SECOND, "backfill_size"),
    ("no wait", BackgroundTask(note).interval(3), START, START, "backfill_schedule"),
    ("from the end", BackgroundTask(note).with_schedule(FROM_END), START, START, "backfill_schedule"),
]


@pytest.mark.parametrize(("task", "start", "end", "kind"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_a_backfill_is_refused(task: BackgroundTask[[]], start: Any, end: Any, kind: str) -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(task)
        clock.suspend(20_000 * SECOND)
        for fill in (lambda: handle.backfill(start, end), lambda: handle.backfill(start, end, dry_run=True)):
            with pytest.raises(ValidationError, match="backfill") as caught:
                fill()
            assert [fault["type"] for fault in caught.value.errors()] == [kind]


def test_ten_thousand_occurrences_can_be_filled_at_a_time() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(FILLED)
        clock.suspend(20_000 * SECOND)
        assert len(handle.backfill(START, START + 9_999 * SECOND, dry_run=True)) == 10_000


# ---- current_run -------------------------------------------------------------------------------------------------


def test_outside_of_a_run_there_is_no_current_run() -> None:
    for ask in (current_run, BackgroundTask(current_run).run):
        with pytest.raises(SchedulerStateError, match="works only in a function that a scheduler called"):
            ask()
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        handle = scheduler.add_task(BackgroundTask(current_run))
        scheduler.join()
        with pytest.raises(SchedulerStateError, match="works only in a function that a scheduler called"):
            current_run()
    assert outcomes(handle) == {"succeeded": 1}


@pytest.mark.parametrize("name", ["outcome", "error", "started_at", "finished_at", "lateness"])
def test_a_run_that_has_not_ended_has_no_end(name: str) -> None:
    said: list[str] = []

    def work() -> None:
        with pytest.raises(AttributeError) as caught:
            getattr(current_run(), name)
        said.append(str(caught.value))
        raise ConnectionError  # at the next attempt, what the last one was like says nothing of the run

    with Scheduler(clock=VirtualClock(START)) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work).with_name("work").with_policy(retry=Retry(2)))
        scheduler.join()
    assert said == [f"the run 'work/{START.isoformat()}' has not ended, so it has no {name}"] * 2
    assert outcomes(handle) == {"failed": 1}


def test_a_run_knows_itself() -> None:
    clock, seen = VirtualClock(START), list[Any]()

    def work() -> None:
        run = current_run()
        seen.append((run.task, run.id, seconds(run.scheduled_at), run.attempt, run.cause, run.cancelled))
        if run.attempt == 1:
            raise LookupError

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work).with_name("a").with_policy(retry=Retry(2)))
        scheduler.join()

    name = "a/2026-01-01T00:00:00+00:00"
    assert seen == [("a", name, 0, attempt, "schedule", False) for attempt in (1, 2)]
    assert [run.id for run in runs(handle)] == [name]


async def look() -> None:
    """Give what an async function sees."""
    assert current_run().cause == "schedule"


def test_an_async_run_knows_itself_too() -> None:
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        handle = scheduler.add_task(BackgroundTask(look))
        scheduler.join()

    assert outcomes(handle) == {"succeeded": 1}


OVERLAPS = ["skip", "queue_one", "queue_all", "allow", "cancel_running"]


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_the_windows_of_scheduled_runs_tile_time(overlap: Any) -> None:
    clock, windows = VirtualClock(START), list[tuple[datetime | None, datetime]]()

    def work() -> None:
        run = current_run()
        if run.cause == "schedule":
            windows.append((run.previous_at, run.scheduled_at))
        clock.sleep(1.5 * SECOND)

    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(work).interval(8).interval_wait(SECOND).with_policy(overlap=overlap)
        handle = scheduler.add_task(task)
        at(scheduler, 2.25, handle.run_now)
        at(scheduler, 3.25, handle.pause)
        at(scheduler, 5.25, handle.resume)
        clock.advance(6 * SECOND)
        clock.suspend(3.5 * SECOND)
        scheduler.join()

    windows += [(run.previous_at, run.scheduled_at) for run in runs(handle) if run.started_at is None]  # superseded
    assert len(windows) == 8
    assert windows[0][0] is None
    assert all(one[1] == other[0] for one, other in pairwise(sorted(windows, key=lambda window: window[1])))
