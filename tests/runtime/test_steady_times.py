"""How people see steady time: with one offset to the wall, which only a step of the wall clock changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from telling import SECOND, START, note, runs

from panther_schedule import (
    BackgroundTask,
    Passed,
    Policy,
    Scheduler,
    VirtualClock,
    clock,
    current_run,
)
from panther_schedule.clock import SystemClock
from panther_schedule.events import ClockStepped, Event, RunStarted

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STEPS = [20_000 * DAY, HOUR, -HOUR, -10_000 * DAY]
MINUTELY = BackgroundTask(note).interval(-1).interval_wait(MINUTE).with_name("a")
JITTERED = MINUTELY.with_policy(jitter=30 * SECOND)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("task", [MINUTELY, JITTERED, MINUTELY.with_policy(overlap="queue_one")])
def test_next_run_and_the_run_agree_and_its_record_stays(step: timedelta, task: BackgroundTask[[]]) -> None:
    virtual, events = VirtualClock(START), list[Event]()
    with Scheduler(clock=virtual) as scheduler:
        scheduler.add_listener(events.append)
        handle = scheduler.add_task(task)
        virtual.advance(31 * SECOND)
        virtual.step(step)
        next_run = handle.next_run
        virtual.advance(29 * SECOND)  # to the second occurrence
        assert handle.next_run == next_run or task.policy.jitter == timedelta(0), "one value, however long it waits"
        virtual.advance(30 * SECOND)
        run = runs(handle)[-1]
        assert run.started_at == next_run
        assert run.scheduled_at == START + step + MINUTE
        assert run.id == f"a/{run.scheduled_at.isoformat()}"
        assert (run.started_at, run.finished_at) == (run.attempts[0].started_at, run.attempts[0].finished_at)
        assert [event.started_at for event in events if isinstance(event, RunStarted)][-1] == run.started_at
        assert run.lateness is not None
        assert timedelta(0) <= run.lateness <= task.policy.jitter

        shown = repr(handle.runs)
        virtual.step(-step)
        assert repr(handle.runs) == shown


def test_a_run_sees_the_times_that_its_record_shows() -> None:
    virtual, seen = VirtualClock(datetime(1970, 1, 1, tzinfo=UTC)), list[Any]()

    def sample() -> None:
        run = current_run()
        virtual.step(HOUR)  # in the midst of the run
        seen.append((run.id, run.scheduled_at, run.previous_at))

    with Scheduler(clock=virtual) as scheduler:
        handle = scheduler.add_task(BackgroundTask(sample).interval(3).interval_wait(MINUTE))
        scheduler.join()

    assert seen == [(run.id, run.scheduled_at, run.previous_at) for run in runs(handle)]
    assert [(at.hour, at.minute) for _id, at, _before in seen] == [(0, 0), (1, 1), (2, 2)]


@pytest.mark.parametrize("step", STEPS)
def test_the_window_of_a_run_begins_with_the_run_before_as_it_is_recorded(step: timedelta) -> None:
    virtual = VirtualClock(START)
    with Scheduler(clock=virtual) as scheduler:
        handle = scheduler.add_task(MINUTELY)
        virtual.advance(SECOND)
        virtual.step(step)
        manual = handle.run_now().join()
        virtual.advance(2 * MINUTE)

    first, _, second, third = runs(handle)
    before = first.scheduled_at if step > timedelta(0) else None  # else it would end before it begins
    assert manual.previous_at == before
    assert second.previous_at == before
    assert third.previous_at == second.scheduled_at


ONES: dict[str, Callable[[BackgroundTask[[]]], Any]] = {
    "once": lambda task: task,
    "back to back": lambda task: task.interval(2),
    "a grid": lambda task: task.interval(2).interval_wait(MINUTE),
}


@pytest.mark.parametrize("of", ONES.values(), ids=ONES)
@pytest.mark.parametrize("step", STEPS)
def test_a_task_that_is_added_after_a_step_is_seen_on_the_wall(
    of: Callable[[BackgroundTask[[]]], Any], step: timedelta
) -> None:
    virtual = VirtualClock(START)
    virtual.step(step)  # before there is a scheduler, and after
    with Scheduler(clock=virtual) as scheduler:
        virtual.step(HOUR)
        scheduler.start()
        virtual.step(HOUR)
        handle = scheduler.add_task(of(BackgroundTask(note)))
        assert handle.next_run == virtual.now()
        scheduler.join()

    assert runs(handle)[0].scheduled_at == START + step + 2 * HOUR
    assert all(run.started_at == run.scheduled_at for run in runs(handle))


def test_what_passes_and_what_waits_is_seen_on_the_wall() -> None:
    virtual = VirtualClock(START)

    def work() -> None:
        virtual.sleep(90 * SECOND)

    with Scheduler(clock=virtual) as scheduler:
        waits = scheduler.add_task(
            BackgroundTask(work).interval(3).interval_wait(MINUTE).with_policy(missed="catch_up")
        )
        skips = scheduler.add_task(MINUTELY)
        virtual.step(DAY)
        skips.pause()
        scheduler.join(10 * MINUTE)
        skips.resume()
        virtual.suspend(5 * MINUTE)
        virtual.step(DAY)
        virtual.suspend(5 * MINUTE)

    assert all(DAY <= run.scheduled_at - START < 2 * DAY for run in runs(waits))
    passed = [record for record in skips.runs if isinstance(record, Passed)]
    assert [(one.reason, (one.first_at - START).days, (one.last_at - START).days) for one in passed] == [
        ("skipped_paused", 1, 1),
        ("missed", 1, 1),
        ("missed", 2, 2),
    ]


@pytest.mark.parametrize("step", STEPS)
def test_a_backfill_reads_its_span_by_the_offset_as_it_is_now(step: timedelta) -> None:
    """So the records since the latest step find their occurrences, and the earlier ones have moved with the wall."""
    virtual = VirtualClock(START)
    with Scheduler(clock=virtual) as scheduler:
        handle = scheduler.add_task(MINUTELY)
        virtual.advance(150 * SECOND)
        virtual.step(step)
        virtual.advance(2 * MINUTE)
        known = [run.scheduled_at for run in runs(handle)]
        assert known == [START + MINUTE * nth + (step if nth > 2 else timedelta()) for nth in range(5)]
        moved = [START + MINUTE * nth + step for nth in range(5)]
        assert handle.backfill(moved[0], moved[-1], dry_run=True) == moved
        assert [one.join().scheduled_at for one in handle.backfill(known[-2], known[-1])] == known[-2:]


def test_a_clock_that_is_corrected_slowly_changes_nothing() -> None:
    virtual, events = VirtualClock(START), list[Event]()
    with Scheduler(clock=virtual) as scheduler:
        scheduler.add_listener(events.append)
        handle = scheduler.add_task(MINUTELY)
        for _ in range(60):
            virtual.advance(SECOND)
            virtual.step(SECOND / 100)

    assert [run.scheduled_at for run in runs(handle)] == [START, START + MINUTE]
    assert not [event for event in events if isinstance(event, ClockStepped)]


@pytest.mark.real_clock
def test_next_run_is_one_value_on_the_real_clock() -> None:
    with Scheduler() as scheduler:
        handle = scheduler.add_task(MINUTELY)
        handle.pause()
        handle.resume()
        handle.cancel()
        waiting = scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(DAY).with_policy(Policy()))
        waiting.run_now().join()
        assert len({waiting.next_run for _ in range(200)}) == 1
        waiting.cancel()


def test_a_machine_that_is_busy_between_two_looks_at_its_clocks_sees_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([10, 900, 1000, 1001, *range(1002, 1010)])

    def look(_which: int) -> int:
        return int(next(looks)) * 1_000_000  # milliseconds

    monkeypatch.setattr(clock, "_clock_ns", look)
    monkeypatch.setattr(clock, "_wall_ns", lambda: 77_000)
    system = SystemClock()
    system._base = 0

    assert system.read() == clock.Reading(77, 1_000_000)
