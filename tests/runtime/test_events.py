"""What listeners are told: each class of event, its exact fields, the order, and when it begins and ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any, assert_never, get_args

import pytest
from telling import attempt, passed, run

from panther_schedule import BackgroundTask, Policy, Retry, Scheduler, VirtualClock
from panther_schedule.clock import microseconds
from panther_schedule.events import (
    ClockStepped,
    Event,
    OccurrencesPassed,
    RunFinished,
    RunRetried,
    RunStarted,
    TaskAdded,
    TaskEnded,
    TaskPaused,
    TaskReplaced,
    TaskResumed,
)
from panther_schedule.runtime import listeners

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def note() -> None:
    """Do nothing."""


class Heard:
    """A scheduler on a virtual clock, and what its listener was told."""

    def __init__(self, clock: VirtualClock, scheduler: Scheduler) -> None:
        self.clock, self.scheduler = clock, scheduler
        self.events: list[Event] = []
        self.remove = scheduler.add_listener(self.events.append)

    def take(self) -> list[Event]:
        """Give what was told since the last time."""
        taken = self.events[:]
        self.events.clear()
        return taken


@pytest.fixture
def heard(clock: VirtualClock) -> Iterator[Heard]:
    with Scheduler(clock=clock) as scheduler:
        yield Heard(clock, scheduler)


# ---- runs --------------------------------------------------------------------------------------------------------


def test_the_life_of_a_task_in_events(heard: Heard) -> None:
    heard.scheduler.add_task(BackgroundTask(note).interval(2).interval_wait(MINUTE).with_name("digest"))
    heard.scheduler.join()

    first, second = START, START + MINUTE
    assert heard.take() == [
        TaskAdded("digest"),
        RunStarted("digest", run("digest", first)._replace(phase="active"), microseconds(first)),
        RunFinished("digest", run("digest", first, attempt(first, first, "succeeded"))),
        RunStarted("digest", run("digest", second, previous=first)._replace(phase="active"), microseconds(second)),
        RunFinished("digest", run("digest", second, attempt(second, second, "succeeded"), previous=first)),
        TaskEnded("digest", cancelled=False),
    ]


def test_each_attempt_is_told(heard: Heard) -> None:
    errors = [OSError("first"), OSError("second")]

    def fails_twice() -> None:
        heard.clock.sleep(SECOND)
        if errors:
            raise errors.pop(0)

    first, second = errors
    retry = Retry(3, delay=MINUTE, factor=2)
    handle = heard.scheduler.add_task(BackgroundTask(fails_twice).with_name("digest").with_policy(retry=retry))
    heard.scheduler.join()

    starts = [START, START + 61 * SECOND, START + 182 * SECOND]
    attempts = (
        attempt(starts[0], starts[0] + SECOND, "failed", first),
        attempt(starts[1], starts[1] + SECOND, "failed", second),
        attempt(starts[2], starts[2] + SECOND, "succeeded"),
    )
    told = heard.take()
    assert [type(event) for event in told[1:-1]] == [RunStarted, RunRetried] * 2 + [RunStarted, RunFinished]
    assert [
        (event.run.id, event.run.scheduled_at, event.started_at, event.run.cause, event.run.attempt)
        for event in told
        if isinstance(event, RunStarted)
    ] == [(f"digest/{START.isoformat()}", START, starts[k], "schedule", k + 1) for k in range(3)]
    assert [(event.run.id, event.attempt, event.delay) for event in told if isinstance(event, RunRetried)] == [
        (f"digest/{START.isoformat()}", attempts[k], (k + 1) * MINUTE) for k in range(2)
    ]
    last = run("digest", START, *attempts)
    assert told[-2:] == [RunFinished("digest", last), TaskEnded("digest", cancelled=False)]
    assert handle.runs == (last,)


def test_an_attempt_that_times_out_is_told_when_its_time_is_over(heard: Heard) -> None:
    policy = Policy(timeout=SECOND, retry=Retry(2, delay=0 * SECOND, on=(TimeoutError,)))
    heard.scheduler.add_task(BackgroundTask(heard.clock.sleep, 3 * SECOND).with_name("slow").with_policy(policy))
    heard.scheduler.join()

    told = heard.take()
    assert [type(event) for event in told[1:-1]] == [RunStarted, RunRetried, RunStarted, RunFinished]
    retried, finished = told[2], told[4]
    assert isinstance(retried, RunRetried)
    assert (retried.attempt.outcome, retried.attempt.finished_at) == ("timed_out", START + SECOND)
    assert isinstance(finished, RunFinished)
    assert (finished.run.outcome, finished.run.finished_at) == ("timed_out", START + 4 * SECOND)


def test_runs_that_were_asked_for_have_their_cause_and_number(heard: Heard) -> None:
    task = BackgroundTask(note).interval(-1).interval_wait(HOUR).with_name("digest")
    handle = heard.scheduler.add_task(task)
    heard.clock.advance(MINUTE)
    heard.take()
    manual = handle.run_now()
    filled = handle.backfill(START, START + MINUTE)

    told = heard.take()
    assert [type(event) for event in told] == [RunStarted, RunFinished] * 2
    starts = [event for event in told if isinstance(event, RunStarted)]
    assert [(event.run.id, event.run.cause) for event in starts] == [
        (f"digest/{(START + MINUTE).isoformat()}/manual-1", "manual"),
        (f"digest/{START.isoformat()}/backfill-2", "backfill"),
    ]
    assert [event.run for event in told if isinstance(event, RunFinished)] == [manual.run, filled[0].run]


def test_a_cancelled_task_says_so(heard: Heard) -> None:
    handle = heard.scheduler.add_task(BackgroundTask(note).interval(-1).on_time(time(8)).with_name("daily"))
    handle.cancel()

    assert heard.take() == [TaskAdded("daily"), TaskEnded("daily", cancelled=True)]


def test_runs_that_never_started_finish_without_a_start(heard: Heard) -> None:
    def works() -> None:
        heard.clock.sleep(1.5 * SECOND)
        heard.scheduler["works"].cancel()

    task = BackgroundTask(works).interval(-1).interval_wait(SECOND).with_name("works")
    heard.scheduler.add_task(task.with_policy(overlap="queue_one"))
    heard.clock.advance(MINUTE)

    told = [event for event in heard.take() if isinstance(event, RunStarted | RunFinished)]
    assert [type(event) for event in told] == [RunStarted, RunFinished, RunFinished]
    assert isinstance(told[1], RunFinished)
    assert (told[1].run.outcome, told[1].run.started_at) == ("cancelled", None)


# ---- occurrences without a run -----------------------------------------------------------------------------------


def test_missed_occurrences_are_one_event(heard: Heard) -> None:
    heard.scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(5 * MINUTE).with_name("a"))
    heard.clock.advance(9 * MINUTE)
    heard.take()
    heard.clock.suspend(22 * MINUTE)

    missed = passed("missed", START + 10 * MINUTE, START + 25 * MINUTE, 4)
    assert heard.take()[0] == OccurrencesPassed("a", missed)


def test_each_skipped_occurrence_is_told_though_one_record_has_them(heard: Heard) -> None:
    task = BackgroundTask(heard.clock.sleep, 2.5 * SECOND).interval(2).interval_wait(SECOND)
    handle = heard.scheduler.add_task(task.with_name("a"))
    heard.clock.advance(2.7 * SECOND)

    assert [event for event in heard.take() if isinstance(event, OccurrencesPassed)] == [
        OccurrencesPassed("a", passed("skipped_overlap", START + k * SECOND, START + k * SECOND, 1)) for k in (1, 2)
    ]
    assert passed("skipped_overlap", START + SECOND, START + 2 * SECOND, 2) in handle.runs


# ---- people ------------------------------------------------------------------------------------------------------


def test_pause_and_resume_are_told_with_the_reason_and_what_passed(heard: Heard) -> None:
    handle = heard.scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(MINUTE).with_name("a"))
    heard.clock.advance(0 * SECOND)
    heard.take()
    handle.pause("maintenance")
    heard.clock.advance(2.5 * MINUTE)
    handle.resume()
    handle.resume()

    skipped = passed("skipped_paused", START + MINUTE, START + 2 * MINUTE, 2)
    assert heard.take() == [TaskPaused("a", "maintenance"), TaskResumed("a"), OccurrencesPassed("a", skipped)]


def test_a_replaced_task_is_told_once(heard: Heard) -> None:
    task = BackgroundTask(note).interval(-1).interval_wait(MINUTE).with_name("a")
    heard.scheduler.add_task(task)
    heard.clock.advance(0 * SECOND)
    heard.take()
    heard.scheduler.replace(task)
    heard.scheduler.add_task(task)
    assert heard.take() == []

    heard.scheduler.replace(task.interval_wait(HOUR).interval(3))
    assert heard.take()[0] == TaskReplaced("a")


# ---- the clock ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [timedelta(milliseconds=101), timedelta(days=3), -timedelta(milliseconds=101), -HOUR])
def test_a_step_of_the_clock_is_told(heard: Heard, by: timedelta) -> None:
    heard.clock.step(by)
    heard.clock.advance(HOUR)

    assert heard.take() == [ClockStepped(by, 0)]


@pytest.mark.parametrize("by", [timedelta(milliseconds=100), -timedelta(milliseconds=100)])
def test_the_correction_of_a_clock_is_no_step(heard: Heard, by: timedelta) -> None:
    for _ in range(10):
        heard.clock.step(by)

    assert heard.take() == []


def test_a_suspend_is_no_step(heard: Heard) -> None:
    heard.clock.suspend(timedelta(days=3))

    assert heard.take() == []


@pytest.mark.parametrize(("back", "reset"), [(timedelta(hours=23), 0), (timedelta(hours=49), 2)])
def test_tasks_that_were_a_day_ahead_are_counted(heard: Heard, back: timedelta, reset: int) -> None:
    daily = BackgroundTask(note).interval(-1).on_time(time(8), tz="UTC")
    heard.scheduler.add_tasks([daily.with_name("a"), daily.with_name("b")])
    heard.scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(MINUTE))
    heard.clock.advance(8 * HOUR)
    heard.take()
    heard.clock.step(-back)

    assert heard.take() == [ClockStepped(-back, reset)]


# ---- listeners come and go ---------------------------------------------------------------------------------------


def test_a_listener_hears_from_now_on_until_it_is_removed(clock: VirtualClock) -> None:
    told: list[Event] = []
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(note).with_name("before"))
        scheduler.join()
        remove = scheduler.add_listener(told.append)
        scheduler.add_task(BackgroundTask(note).with_name("heard"))
        scheduler.join()
        remove()
        remove()
        scheduler.add_task(BackgroundTask(note).with_name("after"))
        scheduler.join()

    assert {event.task for event in told if not isinstance(event, ClockStepped)} == {"heard"}
    assert len(told) == 4


@pytest.mark.parametrize("was_there", [True, False])
def test_without_listeners_no_event_is_made(
    clock: VirtualClock, was_there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []

    def make(kind: object, _values: object) -> None:
        made.append(kind)

    monkeypatch.setattr(listeners, "make", make)
    with Scheduler(clock=clock) as scheduler:
        if was_there:
            scheduler.add_listener(made.append)()
        scheduler.add_task(BackgroundTask(note).interval(3).interval_wait(SECOND))
        scheduler.join()
        clock.step(HOUR)

    assert made == []


@pytest.mark.real_clock
def test_a_listener_is_called_on_a_thread_of_its_own() -> None:
    threads: list[threading.Thread] = []
    ran: list[threading.Thread] = []
    with Scheduler() as scheduler:
        scheduler.add_listener(lambda _event: threads.append(threading.current_thread()))
        scheduler.add_task(BackgroundTask(lambda: ran.append(threading.current_thread())))
        assert scheduler.join(10 * SECOND)

    (thread,) = set(threads)
    assert thread.name == "panther_schedule-listeners"
    assert thread not in ran
    assert len(threads) == 4  # the end of the scheduler waits for what is untold


# ---- types -------------------------------------------------------------------------------------------------------


def named(event: Event) -> str:
    """Name what an event is about; the type checkers hold that no class is left out."""
    match event:
        case TaskAdded() | TaskEnded() | TaskPaused() | TaskResumed() | TaskReplaced():
            return event.task
        case RunStarted() | RunRetried() | RunFinished():
            return event.run.id
        case OccurrencesPassed(passed=those):
            return those.reason
        case ClockStepped(by=by):
            return str(by)
        case _:
            assert_never(event)


def test_a_match_can_name_every_event(heard: Heard) -> None:
    handle = heard.scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(MINUTE).with_name("a"))
    heard.clock.suspend(2.5 * MINUTE)
    handle.pause()
    heard.clock.step(HOUR)
    told = heard.take()

    id_ = f"a/{(START + 2 * MINUTE).isoformat()}"
    assert [named(event) for event in told] == ["a", "missed", id_, id_, "a", "1:00:00"]


@pytest.mark.parametrize("kind", get_args(Event))
def test_events_are_frozen_values_without_a_dict(kind: type[Any]) -> None:
    values = dict.fromkeys(kind.__match_args__, "x")
    event = kind(**values)

    assert event == kind(**values)
    assert not hasattr(event, "__dict__")
    with pytest.raises(AttributeError):
        setattr(event, next(iter(values)), "y")
