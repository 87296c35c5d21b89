"""A run that fails fails the test, unless that expected it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from mornings import add, fail, work

from panther_schedule import BackgroundTask, Once, Retry, Scheduler
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


def unexpected(scheduler: Scheduler, act: Callable[[ScheduleClock], object]) -> str:
    """Return what a test fails with that does this."""
    with pytest.raises(AssertionError) as failed, ScheduleClock(scheduler) as on:
        act(on)
    return str(failed.value)


def test_a_run_that_fails_fails_the_test_and_is_shown(scheduler: Scheduler) -> None:
    def act(on: ScheduleClock) -> None:
        add(scheduler, fail, retry=Retry(2, delay=MINUTE))
        on.advance(days=1)

    said = unexpected(scheduler, act)

    assert said.startswith("a run failed, and no raises= expected it\n\ndigest, due at 2026-01-01T07:00:00+00:00, ")
    assert "failed in attempt 2 at 2026-01-01T07:01:00+00:00\nTraceback (most" in said
    assert said.endswith("ConnectionError: no mail server")


def test_each_run_that_fails_is_shown(scheduler: Scheduler) -> None:
    def act(on: ScheduleClock) -> None:
        add(scheduler, lambda: on.clock.sleep(HOUR), name="slow", timeout=MINUTE)
        add(scheduler, fail)
        on.advance(days=2)

    said = unexpected(scheduler, act)

    assert said.startswith("4 runs failed")
    assert said.count("timed_out at 2026-01-01T07:01:00+00:00\nTimeoutError: the run took longer") == 1
    assert said.count("ConnectionError: no mail server\n") == 2


def test_a_run_that_fails_outside_of_a_move_fails_the_test_too(scheduler: Scheduler) -> None:
    def act(_on: ScheduleClock) -> None:
        add(scheduler, fail)
        scheduler["digest"].run_now()

    assert "ConnectionError" in unexpected(scheduler, act)


def test_a_run_that_fails_after_an_injected_error_fails_the_test(scheduler: Scheduler) -> None:
    def act(on: ScheduleClock) -> None:
        add(scheduler, fail, retry=Retry(2, delay=MINUTE))
        on.fail_next("digest", TimeoutError)
        on.advance(days=1)

    assert unexpected(scheduler, act).endswith("ConnectionError: no mail server")


@pytest.mark.parametrize("raises", [ConnectionError, OSError, (ValueError, OSError)])
def test_a_move_may_expect_an_error(on: ScheduleClock, scheduler: Scheduler, raises: type[Exception]) -> None:
    add(scheduler, fail)
    runs = on.advance(days=2, raises=raises)

    assert [run.outcome for run in runs] == ["failed", "failed"]


@pytest.mark.parametrize("awaited", [False, True])
def test_every_move_may_expect_an_error(on: ScheduleClock, scheduler: Scheduler, awaited: bool) -> None:
    add(scheduler, fail)
    scheduler.add_task(BackgroundTask(work).with_schedule(Once(after=DAY)))
    if awaited:
        asyncio.run(on.wait_until_idle(raises=ConnectionError))
        asyncio.run(on.wait(days=1, raises=ConnectionError))
    else:
        on.run_until_idle(raises=ConnectionError)


def test_a_timeout_is_expected_as_a_timeout_error(on: ScheduleClock, scheduler: Scheduler) -> None:
    async def poll() -> None:
        await asyncio.sleep(60)

    add(scheduler, poll, timeout=timedelta(seconds=30))
    (run,) = on.advance(days=1, raises=TimeoutError)

    assert run.outcome == "timed_out"


def test_an_injected_error_can_be_expected_and_need_not_be(on: ScheduleClock, scheduler: Scheduler) -> None:
    add(scheduler, work)
    on.fail_next("digest", ConnectionError)
    on.advance(days=1, raises=ConnectionError)
    on.fail_next("digest", ConnectionError)
    on.advance(days=1)


def test_an_expected_error_that_no_run_raises_fails_the_test(on: ScheduleClock, scheduler: Scheduler) -> None:
    add(scheduler, work)
    with pytest.raises(
        AssertionError, match=r"no run failed with TimeoutError; the latest that ended:\n  digest/.*: s"
    ):
        on.advance(days=1, raises=TimeoutError)
    with pytest.raises(AssertionError, match=r"no run failed with TimeoutError or OSError$"):
        on.advance(hours=1, raises=(TimeoutError, OSError))


def test_an_expected_error_excuses_no_other_one(scheduler: Scheduler) -> None:
    def act(on: ScheduleClock) -> None:
        add(scheduler, fail)
        on.advance(days=1)
        on.advance(days=1, raises=ConnectionError)
        on.clock.advance(DAY)

    said = unexpected(scheduler, act)

    assert said.startswith("2 runs failed")
    assert "digest, due at 2026-01-02" not in said


def test_a_whole_test_may_expect_an_error(scheduler: Scheduler) -> None:
    with ScheduleClock(scheduler, raises=ConnectionError) as on:
        add(scheduler, fail)
        on.advance(days=2)
    with (
        pytest.raises(AssertionError, match="no run failed with ConnectionError"),
        ScheduleClock(scheduler, raises=ConnectionError),
    ):
        pass


def test_a_test_that_fails_by_itself_is_told_nothing_else(scheduler: Scheduler) -> None:
    def act(on: ScheduleClock) -> None:
        add(scheduler, fail)
        on.advance(days=1)
        pytest.fail("the test's own words")

    with pytest.raises(pytest.fail.Exception, match="the test's own words"), ScheduleClock(scheduler) as on:
        act(on)


def test_runs_that_were_cancelled_or_abandoned_have_not_failed(on: ScheduleClock, scheduler: Scheduler) -> None:
    cancelled = scheduler.add_task(BackgroundTask(asyncio.sleep, 3600))
    scheduler.add_task(BackgroundTask(asyncio.sleep, 3600))
    on.advance(minutes=1)
    cancelled.cancel()
    scheduler.stop(timedelta(0))

    assert [run.outcome for run in on.runs] == ["cancelled", "abandoned"]
