"""`ScheduleClock`: it moves a scheduler through virtual time, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from mornings import add, work
from pydantic import ValidationError

from panther_schedule import BackgroundTask, Daily, Once, Retry, Scheduler, TaskRegistry, VirtualClock, current_run
from panther_schedule.clock import SystemClock
from panther_schedule.sqlite import SQLiteStore
from panther_schedule.testing import ScheduleClock

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def scheduler() -> Scheduler:
    """A scheduler on the machine's clock."""
    return Scheduler()


@pytest.fixture
def on(scheduler: Scheduler) -> Iterator[ScheduleClock]:
    """The clock of a test that fails no run, or expects it."""
    with ScheduleClock(scheduler) as schedule_clock:
        yield schedule_clock


# ---- moving time -----------------------------------------------------------------------------------------------------


MOVES: list[tuple[Callable[[ScheduleClock], object], timedelta]] = [
    (lambda on: on.advance(3 * HOUR), 3 * HOUR),
    (lambda on: on.advance(days=1), DAY),
    (lambda on: on.advance(HOUR, hours=1.5, minutes=3, seconds=7), 2.5 * HOUR + timedelta(seconds=187)),
    (lambda on: on.advance(until=START + DAY), DAY),
    (lambda on: on.advance(until=START), timedelta(0)),
    (lambda on: on.advance(), timedelta(0)),
    (lambda on: asyncio.run(on.wait(hours=3)), 3 * HOUR),
    (lambda on: asyncio.run(on.wait(until=START + DAY)), DAY),
]


@pytest.mark.parametrize(("move", "moved"), MOVES)
def test_time_passes_by_a_duration_or_until_a_moment(
    on: ScheduleClock, move: Callable[[ScheduleClock], object], moved: timedelta
) -> None:
    assert move(on) == []
    assert on.now() - START == moved


def test_until_is_a_moment_of_the_wall_clock(on: ScheduleClock) -> None:
    on.clock.step(HOUR)
    on.advance(until=START + 3 * HOUR)

    assert on.now() == START + 3 * HOUR


def test_a_move_returns_the_runs_that_ended_meanwhile(on: ScheduleClock, scheduler: Scheduler) -> None:
    add(scheduler, work)
    first, second = on.advance(days=2)
    (third,) = on.advance(days=1)

    assert [run.task for run in (first, second, third)] == ["digest"] * 3
    assert on.runs == [first, second, third]


def test_a_run_that_has_not_ended_is_returned_by_the_move_in_which_it_does(
    on: ScheduleClock, scheduler: Scheduler
) -> None:
    scheduler.add_task(BackgroundTask(asyncio.sleep, 5400))

    assert on.advance(hours=1) == []
    (run,) = on.advance(hours=1)
    assert run.finished_at == START + 1.5 * HOUR


@pytest.mark.parametrize("awaited", [False, True])
def test_it_runs_until_only_endless_and_paused_tasks_are_left(
    on: ScheduleClock, scheduler: Scheduler, awaited: bool
) -> None:
    add(scheduler, work)
    scheduler.add_task(BackgroundTask(work).with_name("paused")).pause()
    scheduler.add_task(BackgroundTask(work).interval(3).interval_wait(DAY).with_name("three"))
    scheduler.add_task(BackgroundTask(asyncio.sleep, 60).with_schedule(Once(START + 4 * DAY)).with_name("last"))

    runs = asyncio.run(on.wait_until_idle()) if awaited else on.run_until_idle()

    assert [run.task for run in runs if run.task != "digest"] == ["three", "three", "three", "last"]
    assert on.now() == START + 4 * DAY + MINUTE
    assert on.run_until_idle() == []


def test_a_task_whose_function_waits_for_ever_holds_up_no_other_task(on: ScheduleClock, scheduler: Scheduler) -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    scheduler.add_task(BackgroundTask(wait))
    scheduler.add_task(BackgroundTask(work).with_schedule(Once(after=DAY)).with_name("other"))

    assert [run.task for run in on.run_until_idle()] == ["other"]


# ---- what is next, and what is made to fail --------------------------------------------------------------------------


def test_when_a_task_is_due_next_can_be_told_in_any_zone(on: ScheduleClock, scheduler: Scheduler) -> None:
    add(scheduler, work)

    on.assert_next("digest", datetime(2026, 1, 1, 7, tzinfo=UTC))
    on.assert_next("digest", "2026-01-01T08:00+01:00")
    on.assert_next("digest", "2026-01-01T07:00Z")


def test_a_wrong_next_run_is_told_with_the_right_one(on: ScheduleClock, scheduler: Scheduler) -> None:
    add(scheduler, work)
    once = scheduler.add_task(BackgroundTask(work).with_name("once"))

    with pytest.raises(AssertionError, match=r"'digest' is due at 2026-01-01T08:00:00\+01:00, not at .*T09:00:00\+01"):
        on.assert_next("digest", "2026-01-01T09:00+01:00")
    once.pause()
    with pytest.raises(AssertionError, match="'once' has no next run: it is paused, not at 2026-01-01T09"):
        on.assert_next("once", "2026-01-01T09:00Z")
    once.resume()
    on.advance()
    with pytest.raises(AssertionError, match="'once' has no next run: it has ended"):
        on.assert_next("once", "2026-01-01T09:00Z")


def test_the_next_calls_of_a_task_fail_instead_of_calling_its_function(on: ScheduleClock, scheduler: Scheduler) -> None:
    called: list[int] = []
    add(scheduler, lambda: called.append(current_run().attempt), retry=Retry(3, delay=MINUTE))
    on.fail_next("digest", ConnectionError("down"))
    on.fail_next("digest", TimeoutError)

    first, second = on.advance(days=2)

    assert called == [3, 1]
    assert [str(attempt.error) for attempt in first.attempts] == ["ConnectionError: down", "TimeoutError", "None"]
    assert [first.outcome, second.outcome] == ["succeeded", "succeeded"]


def test_an_async_function_can_be_made_to_fail_too(on: ScheduleClock, scheduler: Scheduler) -> None:
    async def send() -> None:
        raise AssertionError("it is not called")

    add(scheduler, send)
    on.fail_next("digest", ConnectionError)
    (run,) = on.advance(days=1)

    assert (run.outcome, str(run.error)) == ("failed", "ConnectionError")


# ---- before and after ------------------------------------------------------------------------------------------------


@pytest.mark.real_clock
def test_the_scheduler_is_empty_and_unstarted_before_and_after(scheduler: Scheduler) -> None:
    scheduler.add_task(BackgroundTask(work).with_schedule(Once(after=DAY)).with_name("digest"))
    with ScheduleClock(scheduler):
        assert (len(scheduler), scheduler.health().alive) == (0, False)
        add(scheduler, work)

    assert (len(scheduler), scheduler.health().alive) == (0, False)
    assert type(scheduler._clock) is SystemClock


def test_a_scheduler_keeps_its_own_virtual_clock(clock: VirtualClock) -> None:
    scheduler = Scheduler(clock=clock)
    with ScheduleClock(scheduler, start=START + DAY) as on:
        assert on.now() == START + DAY

    assert scheduler._clock is clock


def test_listeners_of_a_test_leave_with_it_and_the_others_stay(scheduler: Scheduler) -> None:
    heard: list[str] = []
    remove = scheduler.add_listener(lambda _event: heard.append("own"))
    with ScheduleClock(scheduler) as on:
        scheduler.add_listener(lambda _event: heard.append("test's"))
        scheduler.add_task(BackgroundTask(work))
        on.advance()
    with ScheduleClock(scheduler) as on:
        heard.clear()
        scheduler.add_task(BackgroundTask(work))
        on.advance()

    assert set(heard) == {"own"}
    remove()


def test_what_the_end_of_a_test_cuts_short_is_no_failure(
    scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    with ScheduleClock(scheduler) as on:
        scheduler.add_task(BackgroundTask(asyncio.sleep, 3600))
        on.advance(minutes=1)

    assert on.runs == []
    assert caplog.records == []


def test_an_injected_error_does_not_reach_the_next_test(scheduler: Scheduler) -> None:
    with ScheduleClock(scheduler) as on:
        add(scheduler, work)
        on.fail_next("digest", ConnectionError)
    with ScheduleClock(scheduler) as on:
        add(scheduler, work)
        (run,) = on.advance(days=1)

    assert run.outcome == "succeeded"


# ---- what is refused -------------------------------------------------------------------------------------------------

NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - what is refused


REFUSED: list[tuple[Callable[[Any], object], str]] = [
    (lambda on: on.advance(5), "by must be a timedelta, got int 5; write timedelta"),
    (lambda on: on.advance(days="1"), "days to seconds must be numbers, got days=str, hours=int"),
    (lambda on: on.advance(-HOUR), "moves forward"),
    (lambda on: on.advance(until=NAIVE), "until must be an aware datetime, got a naive one"),
    (lambda on: on.advance(until=START - HOUR), r"until must be after 2026-01-01T00:00:00\+00:00, without a dur"),
    (lambda on: on.advance(days=1, until=START + DAY), "until must be after"),
    (lambda on: on.advance(raises="OSError"), "raises must be an exception class, or a tuple of them, got str"),
    (lambda on: on.run_until_idle(raises=OSError()), "raises must be an exception class"),
    (lambda on: on.assert_next("digets", START), "no task is named 'digets'; did you mean 'digest'?"),
    (lambda on: on.assert_next("digest", NAIVE), "when must be an aware datetime"),
    (lambda on: on.assert_next("digest", "08:00"), "when must be a moment in ISO 8601, got '08:00'; write"),
    (lambda on: on.fail_next("xyz", OSError), "no task is named 'xyz'; there are 'digest'"),
    (lambda on: on.fail_next("digest", "OSError"), "error must be an Exception, or an Exception class that needs no"),
    (lambda on: on.fail_next("digest", KeyboardInterrupt), "error must be an Exception"),
    (lambda on: on.fail_next("digest", UnicodeDecodeError), "error must be an Exception"),
]


@pytest.mark.parametrize(("act", "said"), REFUSED)
def test_what_is_wrong_is_refused(
    on: ScheduleClock, scheduler: Scheduler, act: Callable[[ScheduleClock], object], said: str
) -> None:
    add(scheduler, work)
    with pytest.raises(ValidationError, match=said):
        act(on)
    with contextlib.suppress(ValidationError):
        asyncio.run(on.wait(-HOUR))
    assert on.now() == START


def test_a_stored_scheduler_keeps_its_tasks_in_a_file_of_the_test(tmp_path: Path) -> None:
    tasks, path = TaskRegistry(), tmp_path / "tasks.db"
    tasks.register(work)
    scheduler = Scheduler(store=SQLiteStore(path), registry=tasks)

    with ScheduleClock(scheduler) as schedule_clock:
        scheduler.apply([BackgroundTask(work).with_schedule(Daily(time(8))).with_name("digest")])
        schedule_clock.advance(days=3)
        assert [run.task for run in schedule_clock.runs] == ["digest"] * 3
        assert scheduler["digest"].counts["succeeded"] == 3

    assert not path.exists()
