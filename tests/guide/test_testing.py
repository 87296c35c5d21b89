"""Testing: a test moves the clock itself."""

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
    current_run,
    events,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def work() -> None:
    """Stand for a function of the program."""


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


def test_async_functions_run_to_their_end_before_the_clock_moves_on(clock: VirtualClock) -> None:
    """An async function takes no virtual time and never times out."""

    async def send() -> None:
        """Do nothing."""

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(send).interval(2).interval_wait(HOUR).with_policy(timeout=HOUR))
        clock.advance(HOUR)

    assert [(record.finished_at, record.outcome) for record in handle.runs if isinstance(record, Run)] == [
        (START, "succeeded"),
        (START + HOUR, "succeeded"),
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


def test_policies_hold_on_a_virtual_clock_too(clock: VirtualClock) -> None:
    """Delays between attempts take virtual time, so a mail server that is down for minutes costs a test nothing."""

    def send() -> None:
        if clock.now() < START + timedelta(minutes=3):
            raise ConnectionError("no mail server")

    with Scheduler(clock=clock) as scheduler:
        patient = Retry(5, delay=timedelta(minutes=1), factor=1)
        handle = scheduler.add_task(BackgroundTask(send).with_policy(retry=patient))
        scheduler.join()

    (record,) = handle.runs
    assert isinstance(record, Run)
    assert (len(record.attempts), record.outcome) == (4, "succeeded")


def test_a_function_without_a_schedule_is_called() -> None:
    """`task.run()` calls the function with the task's own arguments, at once and without a scheduler."""
    assert BackgroundTask(len, "four").run() == 4
    with pytest.raises(SchedulerStateError):
        BackgroundTask(current_run).run()
