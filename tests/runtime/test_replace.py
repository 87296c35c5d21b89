"""`replace()` in virtual time: what begins afresh, what goes on, and what happens to runs that wait."""

import threading
from datetime import time
from typing import Any

import pytest
from pydantic import ValidationError
from telling import SECOND, START, at, note, runs, seconds, starts, told

from panther_schedule import (
    BackgroundTask,
    BusyLoopWarning,
    Daily,
    Once,
    Policy,
    Repeat,
    Retry,
    Scheduler,
    SchedulerStateError,
    VirtualClock,
)

# ---- what waits of the old schedule ------------------------------------------------------------------------------

QUEUED = [
    # the new n and wait, and its overlap -> when runs of 4 s start; those of 0, 1 and 2 s are of the old schedule
    pytest.param(2, 20, "queue_all", [0, 4, 8, 12, 22.5], id="another wait"),
    pytest.param(2, 20, "skip", [0, 4, 8, 22.5, 42.5], id="another overlap"),
    pytest.param(1, 20, "queue_all", [0, 4, 8, 12], id="one more run"),
    pytest.param(2, 0, "skip", [0, 4, 8, 12, 16], id="no wait: the first when all that waited have ended"),
    pytest.param(2, 20, "cancel_running", [0, 4, 22.5], id="the newcomer takes the place of those that wait"),
]


@pytest.mark.parametrize(("n", "wait", "overlap", "expected"), QUEUED)
def test_what_waits_keeps_its_turn_and_takes_none_of_the_new_n(
    n: int, wait: int, overlap: Any, expected: list[float]
) -> None:
    clock = VirtualClock(START)
    task = BackgroundTask(clock.sleep, 4 * SECOND).with_name("slow")
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(task.interval(9).interval_wait(SECOND).with_policy(overlap="queue_all"))
        new = task.interval(n).interval_wait(wait * SECOND).with_policy(overlap=overlap)
        at(scheduler, 2.5, lambda: scheduler.replace(new))
        scheduler.join()

        assert handle.ended
    assert starts(handle) == expected


LEFT = [
    # the new schedule, put in place at second 2 of a run of 4 s -> its starts
    (Repeat(2), [4, 8]),
    (Repeat(2, 5 * SECOND, measured_from="end"), [9, 18]),
    (Repeat(2, 5 * SECOND, after=SECOND, measured_from="end"), [9, 18]),
    (Repeat(2, 5 * SECOND, after=20 * SECOND, measured_from="end"), [22, 31]),
    (Repeat(2, after=SECOND), [4, 8]),
    (Repeat(2, after=20 * SECOND), [22, 26]),
    (Once(after=SECOND), [4]),
]


@pytest.mark.parametrize(("schedule", "expected"), LEFT)
def test_without_a_grid_the_first_run_waits_for_the_delay_and_for_the_run_before(
    schedule: Once | Repeat, expected: list[float]
) -> None:
    clock = VirtualClock(START)
    task = BackgroundTask(clock.sleep, 4 * SECOND).with_name("slow")
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(task)
        at(scheduler, 2, lambda: scheduler.replace(task.with_schedule(schedule)))
        scheduler.join()

    assert starts(handle) == [0, *expected]


# ---- what begins afresh, and what stays --------------------------------------------------------------------------

PLAIN = BackgroundTask(note).with_name("a")
NAMED = PLAIN.interval(4).interval_wait(10 * SECOND)
CHANGED = [
    # the new task, put in place at second 15 -> its starts; those of 0 and 10 s are of the old one
    pytest.param(NAMED, [0, 10, 20, 30], id="an equal one: nothing changes"),
    pytest.param(NAMED.interval(2), [0, 10, 15, 25], id="another n: a new grid, and n whole"),
    pytest.param(NAMED.interval_wait(3 * SECOND), [0, 10, 15, 18, 21, 24], id="another wait"),
    pytest.param(PLAIN, [0, 10, 15], id="another kind: once"),
    pytest.param(PLAIN.with_schedule(Daily(time(1), n=2, tz="UTC")), [0, 10, 3600, 90_000], id="another kind: daily"),
    pytest.param(NAMED.interval(3).interval_wait(0 * SECOND), [0, 10, 15, 15, 15], id="another kind: back to back"),
    pytest.param(
        PLAIN.with_schedule(Repeat(3, 3 * SECOND, measured_from="end")),
        [0, 10, 15, 18, 21],
        id="another kind: measured from the end",
    ),
    pytest.param(PLAIN.with_schedule(Once(after=3 * SECOND)), [0, 10, 18], id="another kind: once, after a delay"),
    pytest.param(
        PLAIN.with_schedule(Repeat(2, 10 * SECOND, after=3 * SECOND)),
        [0, 10, 18, 28],
        id="a delay: a new grid after it",
    ),
    pytest.param(NAMED.with_policy(overlap="allow"), [0, 10, 20, 30], id="another policy: grid and count stay"),
    pytest.param(NAMED.with_policy(timeout=SECOND), [0, 10, 20, 30], id="another timeout"),
    pytest.param(
        BackgroundTask(int).interval(4).interval_wait(10 * SECOND).with_name("a"), [0, 10, 20, 30], id="function"
    ),
]


@pytest.mark.parametrize(("task", "expected"), CHANGED)
def test_only_another_schedule_begins_afresh(task: BackgroundTask[[]], expected: list[float]) -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(NAMED)
        clock.advance(15 * SECOND)
        assert scheduler.replace(task) == handle
        assert handle.task == task
        scheduler.join()

    assert starts(handle) == pytest.approx(expected)
    assert handle.counts["succeeded"] == len(expected), "the records of before stay"


def test_new_arguments_are_those_of_the_next_run() -> None:
    clock, calls = VirtualClock(START), list[tuple[str, float]]()

    def work(what: str) -> None:
        calls.append((what, seconds(clock.now())))
        clock.sleep(SECOND)
        calls.append((what, seconds(clock.now())))

    def task(what: str) -> BackgroundTask[[str]]:
        return BackgroundTask(work, what).interval(2).interval_wait(10 * SECOND).with_name("a")

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(task("old"))
        at(scheduler, 0.5, lambda: scheduler.replace(task("new")))
        scheduler.join()

    assert calls == [("old", 0), ("old", 1), ("new", 10), ("new", 11)], "the run that was going went on"


def test_an_unknown_name_is_added_and_no_name_is_refused() -> None:
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        assert scheduler.replace(NAMED) == scheduler["a"]
        assert len(scheduler) == 1
        for value, kind in ((BackgroundTask(note), "name_missing"), (note, "not_a_task")):
            with pytest.raises(ValidationError) as caught:
                scheduler.replace(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - one is not a task
            assert [fault["type"] for fault in caught.value.errors()] == [kind]

    with pytest.raises(SchedulerStateError, match="has stopped"):
        scheduler.replace(NAMED)


ENDED = [
    pytest.param(NAMED.interval(2), [0, 10, 20, 30, 45, 55], id="another schedule begins"),
    pytest.param(NAMED.with_policy(overlap="allow"), [0, 10, 20, 30], id="another policy: it stays ended"),
]


@pytest.mark.parametrize(("task", "expected"), ENDED)
def test_a_task_that_has_ended(task: BackgroundTask[[]], expected: list[float]) -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(NAMED)
        clock.advance(45 * SECOND)
        assert handle.ended
        assert scheduler.add_task(NAMED).ended, "an equal one stays ended"
        scheduler.replace(task)
        assert scheduler.join()

    assert starts(handle) == expected


def test_a_cancelled_name_is_free_for_replace_as_for_add() -> None:
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        first = scheduler.add_task(NAMED)
        first.cancel()
        second = scheduler.replace(NAMED)
        assert second != first
        scheduler.join()

    assert [len(first.runs), len(second.runs)] == [0, 4]


@pytest.mark.parametrize("task", [NAMED.interval(2), NAMED.interval(2).interval_wait(0 * SECOND), NAMED])
def test_a_pause_outlives_another_schedule(task: BackgroundTask[[]]) -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(NAMED)
        clock.advance(5 * SECOND)
        handle.pause("why")
        scheduler.replace(task)
        clock.advance(50 * SECOND)
        assert handle.pause_reason == "why"
        assert starts(handle) == [0]
        handle.resume()
        scheduler.join()

    assert handle.counts["succeeded"] == 1 + (3 if task == NAMED else 2)


def test_an_occurrence_that_is_due_is_decided_before_the_task_changes() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(NAMED)
        clock.advance(5 * SECOND)
        clock._move(27_000_000)  # nothing looked yet
        scheduler.replace(NAMED.interval(1).interval_wait(SECOND))
        scheduler.join()

    assert told(handle) == [0, ("missed", 10, 20, 2), ("skipped_overlap", 32, 32, 1), 32, 33]
    assert [seconds(run.scheduled_at) for run in runs(handle)] == [0, 30, 33]


ONCE = [
    Policy(),
    Policy(timeout=SECOND * 60),
    Policy(overlap="queue_one"),
    Policy(overlap="allow", max_running=1),
    Policy(overlap="cancel_running"),
]


@pytest.mark.parametrize("policy", ONCE)
def test_a_once_waits_for_the_run_of_the_schedule_before(policy: Policy) -> None:
    clock = VirtualClock(START)
    slow = BackgroundTask(clock.sleep, 4 * SECOND).with_name("a")
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(slow.interval(3).interval_wait(20 * SECOND))
        at(scheduler, 1, lambda: scheduler.replace(slow.with_policy(policy)))
        scheduler.join()

        assert handle.ended
    assert starts(handle) == [0, 4]


def test_what_ends_a_task_in_the_turn_of_its_replacement_is_told_before_it() -> None:
    clock, found = VirtualClock(START), list[str]()
    task = BackgroundTask(note).with_name("note")
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_listener(lambda event: found.append(type(event).__name__))
        scheduler.add_task(task.with_schedule(Once(START - 60 * SECOND)).with_policy(missed="skip", grace=SECOND))
        handle = scheduler.replace(task.interval(2).interval_wait(SECOND))
        clock.advance(0 * SECOND)

        assert not handle.ended
    assert found[:4] == ["TaskAdded", "OccurrencesPassed", "TaskEnded", "TaskReplaced"]


def test_a_range_of_the_schedule_before_is_a_record_of_its_own() -> None:
    clock = VirtualClock(START)
    slow = BackgroundTask(clock.sleep, 100 * SECOND).with_name("a")
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(slow.interval(-1).interval_wait(10 * SECOND))
        at(scheduler, 30, lambda: scheduler.replace(slow.interval(-1).interval_wait(20 * SECOND)))
        clock.advance(80 * SECOND)
        handle.cancel()

    assert told(handle) == [("skipped_overlap", 10, 30, 3), ("skipped_overlap", 30, 90, 4), 0]


def test_an_attempt_that_was_decided_comes_and_the_new_policy_decides_about_the_next() -> None:
    clock = VirtualClock(START)

    def fails() -> None:
        raise ConnectionError

    task = BackgroundTask(fails).with_name("a")
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(task.with_policy(retry=Retry(5, delay=10 * SECOND)))
        clock.advance(5 * SECOND)
        scheduler.replace(task)
        scheduler.join()

    (run,) = runs(handle)
    assert [seconds(attempt.started_at) for attempt in run.attempts] == [0, 10]


def test_a_replacement_that_keeps_a_worker_busy_is_warned_of_where_it_is_written() -> None:
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).with_name("busy"))
        handle.pause()
        with pytest.warns(BusyLoopWarning, match="busy repeats for ever without a wait") as warned:
            scheduler.replace(handle.task.interval(-1))

    assert [line.filename for line in warned] == [__file__]


@pytest.mark.real_clock
def test_an_async_replacement_has_its_event_loop_before_its_first_run() -> None:
    """A thread for it could be had no more when the program ends."""

    async def note_later() -> None:
        pass

    with Scheduler() as scheduler:
        later = BackgroundTask(note).interval(2).interval_wait(SECOND * 3600).with_name("note")
        scheduler.add_task(later).pause()
        scheduler.replace(BackgroundTask(note_later).with_name("note"))

        assert "panther_schedule-loop" in [thread.name for thread in threading.enumerate()]
