"""Testing: a test moves the clock itself."""

import asyncio
from datetime import UTC, datetime, time, timedelta

import pytest

from panther_schedule import (
    BackgroundTask,
    Passed,
    Repeat,
    Retry,
    Run,
    Scheduler,
    SchedulerStateError,
    VirtualClock,
    background_tasks,
    current_run,
    events,
)
from panther_schedule.testing import FailingTask, ScheduleClock, SlowTask, Suspend, simulate

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def work() -> None:
    """Stand for a function of the program."""


def test_the_fixture_moves_background_tasks_through_time(schedule_clock: ScheduleClock) -> None:
    """With `schedule_clock`, `background_tasks` is empty at first, and `advance()` returns the runs that ended."""
    assert len(background_tasks) == 0
    background_tasks.add_task(BackgroundTask(work).interval(-1).on_time(time(8), tz="UTC").with_name("digest"))

    runs = schedule_clock.advance(days=7)

    assert [run.task for run in runs] == ["digest"] * 7
    assert schedule_clock.now() == START + 7 * DAY
    schedule_clock.assert_next("digest", "2026-01-08T08:00Z")


def test_run_until_idle_leaves_out_tasks_without_an_end(schedule_clock: ScheduleClock) -> None:
    """`run_until_idle()` lets time pass until only endless tasks are left."""
    background_tasks.add_task(BackgroundTask(work).interval(-1).interval_wait(DAY))
    background_tasks.add_task(BackgroundTask(work).interval(3).interval_wait(HOUR).with_name("three"))

    schedule_clock.run_until_idle()

    assert background_tasks["three"].ended
    assert schedule_clock.now() == START + 2 * HOUR


def test_a_failing_run_is_expected_as_with_pytest_raises(schedule_clock: ScheduleClock) -> None:
    """A run that fails fails the test, unless `raises=` expects it; then a run has to fail with that error."""

    async def poll() -> None:
        await asyncio.sleep(60)

    task = BackgroundTask(poll).with_policy(timeout=timedelta(seconds=30))
    background_tasks.add_task(task)
    (run,) = schedule_clock.advance(hours=1, raises=TimeoutError)
    assert run.outcome == "timed_out"

    with pytest.raises(AssertionError, match="no run failed with TimeoutError"):
        schedule_clock.advance(hours=1, raises=TimeoutError)


def test_the_next_call_of_a_task_can_be_made_to_fail(schedule_clock: ScheduleClock) -> None:
    """`fail_next()` raises an error in the place of a task's function, and its policy tries again."""
    patient = Retry(2, delay=timedelta(minutes=1))
    background_tasks.add_task(BackgroundTask(work).with_name("digest").with_policy(retry=patient))
    schedule_clock.fail_next("digest", ConnectionError("no mail server"))

    (run,) = schedule_clock.run_until_idle()

    assert [attempt.outcome for attempt in run.attempts] == ["failed", "succeeded"]


@pytest.mark.schedule_clock(start=datetime(2026, 3, 29, 0, 30, tzinfo=UTC), raises=ConnectionError)
def test_the_marker_says_when_time_starts_and_what_a_run_raises(schedule_clock: ScheduleClock) -> None:
    """`@pytest.mark.schedule_clock(start=..., raises=...)` holds for the whole test."""

    def fail() -> None:
        raise ConnectionError("no mail server")

    background_tasks.add_task(BackgroundTask(fail).on_time(time(2, 30), tz="Europe/Paris"))
    (run,) = schedule_clock.run_until_idle()

    assert run.started_at == datetime(2026, 3, 29, 1, tzinfo=UTC), "02:30 is skipped"


def test_a_coroutine_waits_instead(schedule_clock: ScheduleClock) -> None:
    """An async test writes `await schedule_clock.wait(...)`, and `await schedule_clock.wait_until_idle()`."""

    async def test() -> None:
        background_tasks.add_task(BackgroundTask(asyncio.sleep, 3600))
        assert await schedule_clock.wait(minutes=1) == []
        (run,) = await schedule_clock.wait_until_idle()
        assert run.finished_at == START + HOUR

    asyncio.run(test())


def test_simulate_tells_what_would_run_without_running_it() -> None:
    """`simulate()` takes tasks, a span of time and what is to go wrong, and returns records."""

    def fail() -> None:
        raise AssertionError("it is not called")

    task = BackgroundTask(fail).interval(4).interval_wait(HOUR).with_name("poll")
    faults = [
        SlowTask("poll", timedelta(minutes=90), end_at=START),
        Suspend(START + timedelta(minutes=150), HOUR),
        FailingTask("poll", ConnectionError, start_at=START + 4 * HOUR),
    ]
    simulation = simulate([task], START, START + DAY, faults)

    records = simulation["poll"].records
    assert [it.outcome if isinstance(it, Run) else it.reason for it in records] == [
        "succeeded",
        "skipped_overlap",
        "succeeded",
        "succeeded",
        "failed",
    ]


def test_a_virtual_clock_stands_still_until_it_is_moved() -> None:
    """`VirtualClock(start)` begins at an aware time, and only a test moves it."""
    clock = VirtualClock(START)

    assert clock.now() == START
    clock.advance(HOUR)
    assert clock.now() == START + HOUR
    with pytest.raises(ValueError, match="start must be an aware datetime"):
        VirtualClock(datetime(2026, 1, 1))  # noqa: DTZ001 - a naive time is what is refused


def test_advance_runs_what_becomes_due_on_the_way(clock: VirtualClock) -> None:
    """`advance()` goes from one due occurrence to the next and runs each in the calling thread; a year is fast."""
    sent: list[str] = []
    with Scheduler(clock=clock) as scheduler:
        digest = scheduler.add_task(BackgroundTask(sent.append, "all").interval(-1).on_time(time(8), tz="UTC"))
        assert sent == []

        clock.advance(366 * DAY)

        assert len(sent) == 366
        assert digest.next_run == datetime(2027, 1, 2, 8, tzinfo=UTC)


def test_a_function_sees_the_time_that_it_is_due(clock: VirtualClock) -> None:
    """While a function runs, the clock stands at the moment of its occurrence."""
    called: list[datetime] = []
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(lambda: called.append(clock.now())).interval(3).interval_wait(HOUR))
        clock.advance(10 * HOUR)

    assert called == [START, START + HOUR, START + 2 * HOUR]


def test_sleep_lets_a_function_take_virtual_time(clock: VirtualClock) -> None:
    """To test a slow function, let it call `clock.sleep()`."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, HOUR))
        scheduler.join()

    (record,) = handle.runs
    assert isinstance(record, Run)
    assert record.started_at == START
    assert record.finished_at == START + HOUR


def test_step_sets_the_wall_clock_alone(clock: VirtualClock) -> None:
    """`step()` sets the clock forward or back, as an administrator would, and steady time does not move."""
    with Scheduler(clock=clock) as scheduler:
        daily = scheduler.add_task(BackgroundTask(work).on_time(time(8), tz="UTC"))
        hourly = scheduler.add_task(BackgroundTask(work).with_schedule(Repeat(2, HOUR)))
        clock.step(8 * HOUR)

        assert clock.now() == START + 8 * HOUR
        assert daily.counts["succeeded"] == 1
        assert hourly.counts["succeeded"] == 1


def test_suspend_lets_time_pass_while_nothing_runs(clock: VirtualClock) -> None:
    """After `suspend()`, as on a suspended machine, the records say what was missed."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work).interval(-1).on_time(time(8), tz="UTC"))
        clock.suspend(5 * DAY)

    missed, late = handle.runs
    assert isinstance(missed, Passed)
    assert (missed.reason, missed.count) == ("missed", 4)
    assert isinstance(late, Run)
    assert late.lateness == 16 * HOUR


def test_join_moves_the_clock_until_no_task_is_left(clock: VirtualClock) -> None:
    """On a virtual clock `join()` does not wait; it moves the clock."""
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(work).interval(3).interval_wait(HOUR))

        assert scheduler.join()
        assert clock.now() == START + 2 * HOUR


def test_an_endless_task_cannot_be_joined(clock: VirtualClock) -> None:
    """`join()` would move the clock for ever, so it raises; use `advance()`, or give `join()` a timeout."""
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(work).interval(-1).interval_wait(HOUR))

        with pytest.raises(SchedulerStateError, match="these tasks have no last run"):
            scheduler.join()
        assert not scheduler.join(timeout=DAY)


def test_async_functions_sleep_in_virtual_time(clock: VirtualClock) -> None:
    """What an async function awaits takes as much virtual time as it says, and nobody waits for it."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(asyncio.sleep, 1800).interval(2).interval_wait(HOUR))
        clock.advance(2 * HOUR)

    assert [record.finished_at for record in handle.runs if isinstance(record, Run)] == [
        START + HOUR / 2,
        START + 1.5 * HOUR,
    ]


def test_what_a_listener_saw_is_there_when_advance_returns(clock: VirtualClock) -> None:
    """Listeners are called by the thread that moves the clock."""
    heard: list[str] = []
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_listener(lambda event: heard.append(type(event).__name__))
        scheduler.add_task(BackgroundTask(work))
        clock.advance(HOUR)

        assert heard == ["TaskAdded", "RunStarted", "RunFinished", "TaskEnded"]


def test_a_listener_is_tested_with_an_event_that_the_test_makes() -> None:
    """Events are values, so a test can make one and pass it to the listener without a scheduler."""
    pauses: list[str] = []

    def tell(event: events.Event) -> None:
        if isinstance(event, events.TaskPaused):
            pauses.append(f"{event.task}: {event.reason}")

    tell(events.TaskAdded("digest"))
    tell(events.TaskPaused("digest", "the mail server moves"))

    assert pauses == ["digest: the mail server moves"]


def test_a_record_keeps_what_a_function_raised(clock: VirtualClock) -> None:
    """`advance()` does not raise what a function raises; the run's record keeps it."""

    def fail() -> None:
        raise ConnectionError("no mail server")

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(fail))
        scheduler.join()

    (record,) = handle.runs
    assert isinstance(record, Run)
    assert (record.outcome, str(record.error)) == ("failed", "ConnectionError: no mail server")


def test_a_function_without_a_schedule_is_called() -> None:
    """`task.run()` calls the function with the task's own arguments, at once and without a scheduler."""
    assert BackgroundTask(len, "four").run() == 4
    with pytest.raises(SchedulerStateError):
        BackgroundTask(current_run).run()
