"""Policies in virtual time: the policy, and how long a function takes, to the starts and records of its runs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import JsonValue, ValidationError
from telling import SECOND, START, at, note, outcomes, runs, seconds, starts, told

from panther_schedule import (
    BackgroundTask,
    Policy,
    Repeat,
    Retry,
    Scheduler,
    TaskRegistry,
    VirtualClock,
    current_run,
    spec,
)

# ---- overlap -----------------------------------------------------------------------------------------------------

OVERLAP = [
    # overlap, length of a run -> the starts of Repeat(5, 1 s), and what happened to the occurrences
    ("skip", 0.5, [0, 1, 2, 3, 4], {"succeeded": 5}),
    ("skip", 1.5, [0, 2, 4, 6, 8], {"succeeded": 5, "skipped_overlap": 4}),
    ("skip", 2.5, [0, 3, 6, 9, 12], {"succeeded": 5, "skipped_overlap": 8}),
    ("queue_one", 0.5, [0, 1, 2, 3, 4], {"succeeded": 5}),
    ("queue_one", 1.5, [0, 1.5, 3, 4.5, 6], {"succeeded": 5, "skipped_overlap": 1}),
    ("queue_one", 2.5, [0, 2.5, 5, 7.5, 10], {"succeeded": 5, "skipped_overlap": 4}),
    ("queue_all", 0.5, [0, 1, 2, 3, 4], {"succeeded": 5}),
    ("queue_all", 1.5, [0, 1.5, 3, 4.5, 6], {"succeeded": 5}),
    ("queue_all", 2.5, [0, 2.5, 5, 7.5, 10], {"succeeded": 5}),
    ("allow", 0.5, [0, 1, 2, 3, 4], {"succeeded": 5}),
    ("allow", 1.5, [0, 1, 2, 3, 4], {"succeeded": 5}),
    ("allow", 2.5, [0, 1, 2, 3, 4], {"succeeded": 5}),
    ("cancel_running", 0.5, [0, 1, 2, 3, 4], {"succeeded": 5}),
    # a function that never looks ends by itself: the newcomer waits, and a newer one takes its place
    ("cancel_running", 1.5, [0, 1.5, 3, 4.5, 6], {"succeeded": 5, "skipped_overlap": 1}),
    ("cancel_running", 2.5, [0, 2.5, 5, 7.5, 10], {"succeeded": 5, "skipped_overlap": 4}),
]


@pytest.mark.parametrize(("overlap", "length", "expected", "became"), OVERLAP)
def test_overlap(overlap: Any, length: float, expected: list[float], became: dict[str, int]) -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(clock.sleep, length * SECOND).interval(5).interval_wait(SECOND)
        handle = scheduler.add_task(task.with_policy(overlap=overlap))
        scheduler.join()

        assert handle.ended
    assert starts(handle) == expected
    assert outcomes(handle) == became


@pytest.mark.parametrize(("most", "expected"), [(1, [0, 3, 6]), (2, [0, 1, 3]), (3, [0, 1, 2])])
def test_allow_runs_so_many_at_a_time(most: int, expected: list[float]) -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(clock.sleep, 2.5 * SECOND).interval(3).interval_wait(SECOND)
        handle = scheduler.add_task(task.with_policy(overlap="allow", max_running=most))
        scheduler.join()

    assert starts(handle) == expected


# ---- n and missed ------------------------------------------------------------------------------------------------

SKIP = Policy(missed="skip", grace=SECOND)
CATCH_UP = Policy(missed="catch_up", catch_up_limit=3)
OUTAGES = [
    # policy, suspended from 15 to 42.5 s -> the records of Repeat(5, 10 s)
    pytest.param(Policy(), [0, 10, ("missed", 20, 30, 2), 42.5, 50, 60], id="coalesce"),
    pytest.param(SKIP, [0, 10, ("missed", 20, 40, 3), 50, 60, 70], id="skip: late by more than grace"),
    pytest.param(Policy(missed="skip", grace=3 * SECOND), [0, 10, ("missed", 20, 30, 2), 42.5, 50, 60], id="skip"),
    pytest.param(CATCH_UP, [0, 10, 42.5, 42.5, 42.5], id="catch_up: all three, and n ends it"),
    pytest.param(
        Policy(missed="catch_up", catch_up_limit=2), [0, 10, ("missed", 20, 20, 1), 42.5, 42.5, 50], id="catch_up: two"
    ),
    pytest.param(
        Policy(missed="catch_up", catch_up_window=13 * SECOND),
        [0, 10, ("missed", 20, 20, 1), 42.5, 42.5, 50],
        id="catch_up: what is younger than 13 s",
    ),
    pytest.param(
        Policy(missed="catch_up", catch_up_window=2 * SECOND),
        [0, 10, ("missed", 20, 40, 3), 50, 60, 70],
        id="catch_up: nothing is so young",
    ),
]


@pytest.mark.parametrize(("policy", "expected"), OUTAGES)
def test_no_run_of_n_is_lost_by_an_outage(policy: Policy, expected: list[object]) -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(5).interval_wait(10 * SECOND).with_policy(policy))
        clock.advance(15 * SECOND)
        clock.suspend(27.5 * SECOND)
        scheduler.join()

        assert handle.ended
    assert told(handle) == expected
    assert handle.counts["succeeded"] == 5


def test_late_runs_wait_for_each_other_also_with_allow() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(clock.sleep, 6 * SECOND).interval(5).interval_wait(10 * SECOND)
        handle = scheduler.add_task(task.with_policy(CATCH_UP, overlap="allow"))
        clock.suspend(25 * SECOND)
        scheduler.join()

    assert [seconds(run.scheduled_at) for run in runs(handle)] == [0, 10, 20, 30, 40]
    assert starts(handle) == [25, 31, 37, 43, 49], "30 and 40 wait behind those that are late"


def test_no_more_late_runs_wait_than_are_caught_up() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(clock.sleep, 25 * SECOND).interval(5).interval_wait(10 * SECOND)
        handle = scheduler.add_task(task.with_policy(CATCH_UP))
        clock.suspend(25 * SECOND)
        scheduler.join()

    assert [seconds(run.scheduled_at) for run in runs(handle)] == [0, 10, 20, 30, 60]
    assert starts(handle) == [25, 50, 75, 100, 125]
    assert outcomes(handle) == {"succeeded": 5, "skipped_overlap": 2}, "40 and 50 s, when three waited"


def test_a_cancelled_task_with_n_left_ends() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(clock.sleep, 3 * SECOND).interval(9).interval_wait(SECOND).with_name("slow")
        handle = scheduler.add_task(task.with_policy(overlap="queue_all"))
        at(scheduler, 2.5, handle.cancel)
        scheduler.join()

        assert handle.ended
        assert "slow" not in scheduler
        again = scheduler.add_task(task.with_policy(overlap="queue_all"))
        assert again.counts["in_flight"] == 0, "the name is free, for a new task"
        again.cancel()
    assert outcomes(handle) == {"succeeded": 1, "cancelled": 2}


# ---- wait 0 ------------------------------------------------------------------------------------------------------

counted = BackgroundTask(note).interval(5)
REFUSED: list[tuple[str, Callable[[Any], object]]] = [
    ("interval_wait, first", lambda overlap: counted.interval_wait(timedelta(0)).with_policy(overlap=overlap)),
    ("interval_wait, last", lambda overlap: counted.with_policy(overlap=overlap).interval_wait(timedelta(0))),
    ("with_schedule", lambda overlap: BackgroundTask(note).with_policy(overlap=overlap).with_schedule(Repeat(5))),
    ("add_task", lambda overlap: in_scheduler(lambda s: s.add_task(counted.with_policy(overlap=overlap)))),
    ("add_tasks", lambda overlap: in_scheduler(lambda s: s.add_tasks([counted.with_policy(overlap=overlap)]))),
    (
        "replace",
        lambda overlap: in_scheduler(lambda s: s.replace(counted.with_policy(overlap=overlap).with_name("a"))),
    ),
    ("json", lambda overlap: from_json({"overlap": overlap})),
]


def in_scheduler(act: Callable[[Scheduler], object]) -> None:
    """Do something with a scheduler that has a task of the name `a`."""
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        scheduler.add_task(BackgroundTask(note).with_name("a"))
        act(scheduler)


def from_json(policy: JsonValue) -> None:
    """Read a repeat without a wait."""
    tasks = TaskRegistry()
    tasks.register(note)
    spec.load_task({"func": "note", "schedule": {"kind": "repeat", "n": 5}, "policy": policy}, tasks)


@pytest.mark.parametrize("overlap", ["queue_one", "queue_all", "allow", "cancel_running"])
@pytest.mark.parametrize("refused", REFUSED, ids=[name for name, _act in REFUSED])
def test_a_repeat_without_a_wait_takes_no_overlap(refused: tuple[str, Callable[[Any], object]], overlap: str) -> None:
    with pytest.raises(ValidationError, match="overlap must be 'skip' for a repeat without a wait") as caught:
        refused[1](overlap)

    (fault,) = caught.value.errors()
    assert fault["type"] == "overlap_without_wait"


@pytest.mark.parametrize("act", [act for _name, act in REFUSED], ids=[name for name, _act in REFUSED])
def test_the_default_said_aloud_is_no_overlap(act: Callable[[Any], object]) -> None:
    act("skip")


# ---- retry, timeout ----------------------------------------------------------------------------------------------


def failing(clock: VirtualClock, calls: list[float], fails: int) -> Callable[[], None]:
    """Give a function that fails the first `fails` times of each run."""

    def work() -> None:
        calls.append(seconds(clock.now()))
        if current_run().attempt <= fails:
            raise LookupError

    return work


ACROSS = [
    # overlap -> calls and records of Repeat(3, 1 s), whose first attempts fail, tried again after 1.5 s
    pytest.param(
        "skip", [0, 1.5, 2, 3.5, 4, 5.5],
        [("skipped_overlap", 1, 1, 1), 1.5, ("skipped_overlap", 3, 3, 1), 3.5, 5.5],
        id="skip: the occurrence between attempts passes",
    ),
    pytest.param("queue_one", [0, 1.5, 1.5, 3, 3, 4.5], [1.5, 3, 4.5], id="queue_one: it waits for the last attempt"),
    pytest.param("queue_all", [0, 1.5, 1.5, 3, 3, 4.5], [1.5, 3, 4.5], id="queue_all"),
    pytest.param("allow", [0, 1, 1.5, 2, 2.5, 3.5], [1.5, 2.5, 3.5], id="allow: it runs beside"),
    pytest.param(
        "cancel_running", [0, 1, 2, 3.5], ["cancelled", "cancelled", 3.5], id="cancel_running: no second attempt"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("overlap", "called", "expected"), ACROSS)
def test_a_run_between_attempts_is_going(overlap: Any, called: list[float], expected: list[object]) -> None:
    clock, calls = VirtualClock(START), list[float]()
    retry = Retry(2, delay=1.5 * SECOND)
    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(failing(clock, calls, 1)).interval(3).interval_wait(SECOND)
        handle = scheduler.add_task(task.with_policy(overlap=overlap, retry=retry))
        scheduler.join()

    assert calls == called
    assert told(handle) == expected


def test_all_attempts_are_one_run_with_one_outcome_and_one_place_in_n() -> None:
    clock, calls = VirtualClock(START), list[float]()
    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(failing(clock, calls, 3)).interval(2).interval_wait(SECOND * 60)
        handle = scheduler.add_task(task.with_policy(retry=Retry(3, on=(LookupError,))))
        scheduler.join()

    assert calls == [0, 1, 3, 60, 61, 63]
    assert outcomes(handle) == {"failed": 2}
    first, _second = runs(handle)
    assert [seconds(attempt.started_at) for attempt in first.attempts] == [0, 1, 3]
    assert {attempt.error.type for attempt in first.attempts if attempt.error} == {"LookupError"}
    assert first.lateness == timedelta(0)


def test_the_next_attempt_comes_only_after_the_function_has_returned() -> None:
    clock, calls = VirtualClock(START), list[float]()

    def work() -> None:
        calls.append(seconds(clock.now()))
        clock.sleep(5 * SECOND if current_run().attempt == 1 else SECOND)

    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(work).with_policy(timeout=2 * SECOND, retry=Retry(2, delay=SECOND))
        handle = scheduler.add_task(task)
        scheduler.join()

    (run,) = runs(handle)
    assert calls == [0, 6], "2 s of timeout, 5 s of function, then the delay"
    assert [(attempt.outcome, seconds(attempt.finished_at)) for attempt in run.attempts] == [
        ("timed_out", 2),
        ("succeeded", 7),
    ]
    assert run.outcome == "succeeded"


def test_an_attempt_does_not_know_that_the_one_before_saw_its_end() -> None:
    clock, seen = VirtualClock(START), list[bool]()

    def work() -> None:
        if current_run().attempt == 1:
            clock.sleep(5 * SECOND)
        seen.append(current_run().cancelled)

    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(work).with_policy(timeout=2 * SECOND, retry=Retry(2, delay=SECOND))
        handle = scheduler.add_task(task)
        scheduler.join()

    (run,) = runs(handle)
    assert seen == [True, False]
    assert [attempt.outcome for attempt in run.attempts] == ["timed_out", "succeeded"]


@pytest.mark.parametrize(("on", "called"), [((TimeoutError,), [0, 6]), ((LookupError,), [0])])
def test_a_timeout_is_a_timeout_error(on: tuple[type[Exception]], called: list[float]) -> None:
    clock, calls = VirtualClock(START), list[float]()

    def work() -> None:
        calls.append(seconds(clock.now()))
        clock.sleep(5 * SECOND)

    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(work).with_policy(timeout=2 * SECOND, retry=Retry(2, delay=SECOND, on=on))
        handle = scheduler.add_task(task)
        scheduler.join()

    assert calls == called
    assert outcomes(handle) == {"timed_out": 1}


# ---- asked to end ------------------------------------------------------------------------------------------------


def looking(clock: VirtualClock) -> None:
    """Sleep for 9 s in pieces, and return when asked to end."""
    for _ in range(18):
        if current_run().cancelled:
            return
        clock.sleep(SECOND / 2)


def test_a_function_that_looks_ends_for_the_newcomer() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(looking, clock).interval(3).interval_wait(SECOND * 2)
        handle = scheduler.add_task(task.with_policy(overlap="cancel_running"))
        scheduler.join()

    assert starts(handle) == [0, 2, 4]
    assert [run.outcome for run in runs(handle)] == ["cancelled", "cancelled", "succeeded"]
    assert seconds(runs(handle)[-1].finished_at) == 13


def test_a_function_that_never_looks_is_recorded_as_what_it_did() -> None:
    clock = VirtualClock(START)

    def fails() -> None:
        clock.sleep(3 * SECOND)
        raise LookupError

    with Scheduler(clock=clock) as scheduler:
        handles = [
            scheduler.add_task(BackgroundTask(work).with_name(name))
            for name, work in [("sleeps", lambda: clock.sleep(3 * SECOND)), ("looks", lambda: looking(clock))]
        ]
        handles.append(scheduler.add_task(BackgroundTask(fails).with_name("fails")))
        for handle in handles:
            at(scheduler, 1, handle.cancel)
        clock.advance(20 * SECOND)

    assert [run.outcome for handle in handles for run in runs(handle)] == ["succeeded", "cancelled", "failed"]


def test_a_run_between_attempts_is_cancelled_at_once() -> None:
    clock, calls = VirtualClock(START), list[float]()
    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(failing(clock, calls, 9)).with_policy(retry=Retry(5, delay=10 * SECOND))
        handle = scheduler.add_task(task)
        clock.advance(5 * SECOND)
        handle.cancel()
        assert handle.ended
        clock.advance(60 * SECOND)

    assert calls == [0]
    (run,) = runs(handle)
    assert run.outcome == "cancelled"
    assert len(run.attempts) == 2
