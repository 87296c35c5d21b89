"""`pause()` and `resume()` in virtual time: each kind of schedule, twice, at the end, under each overlap."""

from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any

import pytest
from telling import SECOND, START, at, note, told

from panther_schedule import (
    BackgroundTask,
    Cron,
    Daily,
    Once,
    Passed,
    Repeat,
    Schedule,
    Scheduler,
    VirtualClock,
)
from panther_schedule.clock import Reading, SystemClock

HOUR = 3600


def skipped(first: float, last: float, count: int) -> tuple[str, float, float, int]:
    """Tell the record of a pause."""
    return "skipped_paused", first, last, count


def passed(first: float, last: float, count: int) -> tuple[str, float, float, int]:
    """Tell the record of occurrences that a run stood in the way of."""
    return "skipped_overlap", first, last, count


PAUSED = [
    # the schedule, paused from and until (s) -> its records one day later
    pytest.param(Once(), 0, 9, [0], id="once: due when it was added, so it runs"),
    pytest.param(Once(START + 5 * SECOND), 2, 9, [9], id="once at: waits"),
    pytest.param(Once(START + 5 * SECOND), 2, 4, [5], id="once at: over before it"),
    pytest.param(Repeat(1), 0, 9, [0], id="back to back: all over before it"),
    pytest.param(Once(after=5 * SECOND), 2, 9, [9], id="once after a delay: waits"),
    pytest.param(Repeat(3, SECOND * 10, measured_from="end"), 5, 35, [0, 35, 45], id="from the end: waits"),
    pytest.param(Repeat(3, SECOND * 10, measured_from="end"), 5, 8, [0, 10, 20], id="from the end: over before it"),
    pytest.param(
        Repeat(2, SECOND * 10, after=5 * SECOND), 2, 9, [skipped(5, 5, 1), 15, 25], id="repeat: its first one passed"
    ),
    pytest.param(Repeat(3, SECOND * 10), 5, 8, [0, 10, 20], id="repeat: between two occurrences"),
    pytest.param(Repeat(3, SECOND * 10), 5, 10, [0, skipped(10, 10, 1), 20, 30], id="repeat: until one, which passed"),
    pytest.param(Repeat(3, SECOND * 10), 5, 35, [0, skipped(10, 30, 3), 40, 50], id="repeat: one range, and no n lost"),
    pytest.param(
        Repeat(3, SECOND * 10),
        0,
        35,
        [0, skipped(10, 30, 3), 40, 50],
        id="repeat: what is due when the pause begins runs",
    ),
    pytest.param(
        Daily(time(1), n=1, tz="UTC"), 0, 2 * HOUR, [skipped(HOUR, HOUR, 1), 25 * HOUR], id="daily: one passed"
    ),
    pytest.param(Daily(time(1), n=1, tz="UTC"), 0, HOUR - 1, [HOUR], id="daily: over before it"),
]


@pytest.mark.parametrize(("schedule", "start", "end", "expected"), PAUSED)
def test_a_pause_of_each_kind(schedule: Schedule, start: float, end: float, expected: list[object]) -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).with_schedule(schedule))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - one of any kind
        if start:
            clock.advance(start * SECOND)
        handle.pause("maintenance")
        clock.advance((end - start) * SECOND)
        assert handle.pause_reason == "maintenance"
        assert handle.next_run is None
        handle.resume()
        clock.advance(timedelta(days=2))

        assert handle.ended
    assert told(handle) == expected


OVERLAPPING = [
    # the overlap of Repeat(3, 1 s) with runs of 2.5 s, paused from 1.25 to 6.25 s -> its records as they are written
    pytest.param("skip", [passed(1, 1, 1), 0, skipped(2, 6, 5), passed(8, 9, 2), 7, 10], id="skip"),
    pytest.param("queue_one", [0, skipped(2, 6, 5), 6.25, 8.75], id="queue_one: what waits starts at the end"),
    pytest.param("queue_all", [0, skipped(2, 6, 5), 6.25, 8.75], id="queue_all: as well"),
    pytest.param("allow", [0, 1, skipped(2, 6, 5), 7], id="allow"),
]


@pytest.mark.parametrize(("overlap", "expected"), OVERLAPPING)
def test_what_runs_goes_on_and_what_waits_waits_on(overlap: Any, expected: list[object]) -> None:
    clock = VirtualClock(START)

    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(clock.sleep, 2.5 * SECOND).interval(3).interval_wait(SECOND)
        handle = scheduler.add_task(task.with_policy(overlap=overlap))
        at(scheduler, 1.25, handle.pause)
        at(scheduler, 6.25, handle.resume)
        scheduler.join()

    assert told(handle) == expected


def test_of_sixty_tasks_those_that_are_not_paused_run_in_time() -> None:
    clock, minutes = VirtualClock(START), list(range(60))
    Random(60).shuffle(minutes)
    with Scheduler(clock=clock) as scheduler:
        tasks = {m: BackgroundTask(note).with_schedule(Cron(f"{m} * * * *", tz="UTC")) for m in minutes}
        handles = {m: scheduler.add_task(task) for m, task in tasks.items()}
        clock.advance(30 * SECOND)
        Random(35).shuffle(minutes)
        for m in minutes[:35]:
            handles[m].pause()
        clock.advance(60 * 60 * SECOND)
        ran = {m: told(handle) for m, handle in handles.items()}

    assert ran == {m: [] if m in minutes[:35] else [m * 60 or HOUR] for m in minutes}


def test_a_second_pause_gives_another_reason_and_a_second_resume_changes_nothing() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(2).interval_wait(SECOND))
        handle.resume()
        clock.advance(0 * SECOND)
        handle.pause("one")
        clock.advance(2 * SECOND)
        handle.pause("two")
        assert handle.pause_reason == "two"
        clock.advance(2 * SECOND)
        handle.resume()
        handle.resume()
        scheduler.join()

    assert told(handle) == [0, skipped(1, 4, 4), 5]


def test_a_pause_without_a_reason_is_one() -> None:
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(SECOND))
        assert not handle.paused
        handle.pause()
        assert handle.pause_reason == ""


def test_a_back_to_back_task_waits_between_two_runs() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, 2 * SECOND).interval(3))
        at(scheduler, 3, handle.pause)
        clock.advance(20 * SECOND)
        assert not handle.ended
        handle.resume()
        scheduler.join()

    assert told(handle) == [0, 2, 20], "the run that went on when the pause began ended as it would"


def test_two_pauses_with_no_run_between_are_one_range() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(2).interval_wait(SECOND))
        clock.advance(0 * SECOND)
        for _ in range(2):
            handle.pause()
            clock.advance(2 * SECOND)
            handle.resume()
        scheduler.join()

    assert told(handle) == [0, skipped(1, 4, 4), 5]


def test_a_pause_at_the_stop_is_recorded_to_its_end() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(SECOND))
        once = scheduler.add_task(BackgroundTask(note).with_schedule(Once(START + 2 * SECOND)))
        once.pause()
        clock.advance(1.5 * SECOND)
        handle.pause()
        clock.advance(3 * SECOND)

    assert told(handle) == [0, 1, skipped(2, 4, 3)]
    assert told(once) == [skipped(2, 2, 1)], "it waited in vain"
    assert handle.ended
    assert once.ended


def test_a_pause_of_a_task_that_has_ended_changes_nothing() -> None:
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).with_name("once"))
        scheduler.join()
        handle.pause("late")

        assert not handle.paused


def test_a_paused_task_can_be_cancelled() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(3).interval_wait(SECOND))
        clock.advance(0 * SECOND)
        handle.pause()
        clock.advance(2 * SECOND)
        handle.cancel()

        assert handle.ended
    assert told(handle) == [0, skipped(1, 2, 2)]


def test_a_clock_that_was_years_ahead_is_not_believed_after_a_pause() -> None:
    clock = VirtualClock(datetime(2036, 1, 1, 12, tzinfo=UTC))
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(-1).on_time(time(13), tz="UTC"))
        clock.advance(7200 * SECOND)
        handle.pause()
        clock.step(START - clock.now())
        handle.resume()

        assert handle.next_run == datetime(2026, 1, 1, 13, tzinfo=UTC)
    assert all(not isinstance(record, Passed) for record in handle.runs)


LOST = [
    # the schedule, and its record when the pause, from 5 s on, can't end
    pytest.param(Once(after=SECOND * 30), [skipped(30, 30, 1)], id="once"),
    pytest.param(Once(START + 30 * SECOND), [skipped(30, 30, 1)], id="once at"),
    pytest.param(Once(after=SECOND * 99), [], id="once, not yet due"),
    pytest.param(Repeat(3, SECOND * 10, measured_from="end"), [0, skipped(10, 10, 1)], id="from the end"),
    pytest.param(Repeat(-1, SECOND * 10), [0, skipped(10, 60, 6)], id="repeat"),
    pytest.param(Daily(time(0, 0, 30), tz="UTC"), [skipped(30, 30, 1)], id="daily"),
]


@pytest.mark.parametrize("ending", ["cancel", "stop", "replace"])
@pytest.mark.parametrize(("schedule", "records"), LOST)
def test_what_fell_due_in_a_pause_that_can_not_end_is_recorded(
    schedule: Any, records: list[object], ending: str
) -> None:
    clock, task = VirtualClock(START), BackgroundTask(note).with_name("a")
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(task.with_schedule(schedule))
        clock.advance(5 * SECOND)
        handle.pause()
        clock.advance(60 * SECOND)
        if ending == "cancel":
            handle.cancel()
        if ending == "replace":
            scheduler.replace(task.interval(-1).interval_wait(SECOND * 20))
            handle.pause("a pause goes on, whatever is replaced")
            clock.advance(25 * SECOND)
            handle.resume()
            clock.advance(20 * SECOND)
            records = [*records, skipped(65, 85, 2), 105]

    assert told(handle) == records


def test_the_pause_of_a_wrong_clock_is_recorded() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).with_schedule(Cron("0 * * * *", tz="UTC")))
        clock.advance(1.5 * HOUR * SECOND)
        handle.pause()
        clock.advance(5 * HOUR * SECOND)
        clock.step(-72 * HOUR * SECOND)
        assert told(handle) == [HOUR, skipped(2 * HOUR, 6 * HOUR, 5)]
        clock.advance(HOUR * SECOND)
        handle.resume()

        assert handle.next_run == START - 64 * HOUR * SECOND
    assert told(handle) == [HOUR, skipped(2 * HOUR, 6 * HOUR, 5), skipped(-65 * HOUR, -65 * HOUR, 1)]


class Settable(SystemClock):
    """The machine's clock, with a wall that can be set and that nobody is told of."""

    __slots__ = ("ahead",)

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0

    def read(self) -> Reading:
        wall, steady = super().read()
        return Reading(wall + self.ahead, steady)


@pytest.mark.real_clock
def test_a_pause_that_ends_when_the_clock_has_just_been_set_back() -> None:
    clock, hour = Settable(), 3600 * 1_000_000
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).with_schedule(Cron("0 * * * *", tz="UTC")))
        first = handle.next_run
        assert first is not None
        handle.pause()
        clock.ahead += 5 * hour
        handle.pause()  # it looks now, and the clock is five hours ahead
        clock.ahead -= 77 * hour
        handle.resume()

        (record,) = handle.runs
        assert isinstance(record, Passed)
        assert (record.reason, record.first_at) == ("skipped_paused", first)
        assert record.count in {5, 6}
        assert handle.next_run is not None
        assert handle.next_run <= first - timedelta(hours=71)
