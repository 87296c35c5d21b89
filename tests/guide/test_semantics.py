"""Semantics: what happens when, exactly."""

import logging
from datetime import UTC, datetime, time, timedelta

import pytest
from telling import is_a

from panther_schedule import (
    BackgroundTask,
    BusyLoopWarning,
    Passed,
    Repeat,
    Retry,
    Run,
    Scheduler,
    TaskHandle,
    VirtualClock,
    current_run,
    events,
)

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def work() -> None:
    """Stand for a function of the program."""


def runs(handle: TaskHandle) -> list[Run]:
    """List the runs among the records of a task."""
    return [record for record in handle.runs if isinstance(record, Run)]


def passed(handle: TaskHandle) -> list[Passed]:
    """List the records of occurrences that did not become runs."""
    return [record for record in handle.runs if isinstance(record, Passed)]


def test_the_first_run_of_a_repeat_is_at_once_and_of_a_calendar_strictly_later(clock: VirtualClock) -> None:
    """A repeat begins when it is added; a daily task added exactly at its time begins the next day."""
    with Scheduler(clock=clock) as scheduler:
        repeat = scheduler.add_task(BackgroundTask(work).interval(2).interval_wait(HOUR))
        daily = scheduler.add_task(BackgroundTask(work).on_time(time(0), tz="UTC"))

        assert repeat.next_run == START
        assert daily.next_run == START + DAY


def test_a_repeat_is_a_grid_that_does_not_drift(clock: VirtualClock) -> None:
    """Runs are due a whole number of waits after the task was added, however long a run takes."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, 0.9 * SECOND).interval(3).interval_wait(SECOND))
        scheduler.join()

    assert [run.started_at for run in runs(handle)] == [START, START + SECOND, START + 2 * SECOND]


def test_without_a_wait_the_next_run_starts_when_the_one_before_has_ended(clock: VirtualClock) -> None:
    """A repeat without a wait has no grid: it runs back to back."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, 1.5 * SECOND).interval(3))
        scheduler.join()

    assert [run.scheduled_at for run in runs(handle)] == [START, START + 1.5 * SECOND, START + 3 * SECOND]


def test_measured_from_the_end_nothing_is_missed(clock: VirtualClock) -> None:
    """A repeat measured from the end knows only its next occurrence, so a late one runs and a pause delays it."""
    with Scheduler(clock=clock) as scheduler:
        schedule = Repeat(4, MINUTE, after=MINUTE, measured_from="end")
        handle = scheduler.add_task(BackgroundTask(clock.sleep, SECOND).with_schedule(schedule))
        clock.suspend(HOUR)
        handle.pause()
        clock.advance(HOUR)
        handle.resume()
        scheduler.join()

    assert [run.scheduled_at - START for run in runs(handle)] == [
        MINUTE,
        HOUR + MINUTE + SECOND,
        2 * (HOUR + SECOND) + MINUTE,
        2 * (HOUR + SECOND) + MINUTE + SECOND + MINUTE,
    ]
    assert passed(handle) == []


def test_a_timed_out_function_ends_when_it_returns(clock: VirtualClock) -> None:
    """Measured from the end, the wait after a timeout begins when the function has returned."""
    schedule = Repeat(2, MINUTE, measured_from="end")
    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(clock.sleep, 10 * SECOND).with_schedule(schedule).with_policy(timeout=SECOND)
        handle = scheduler.add_task(task)
        scheduler.join()

    assert [(run.outcome, (run.scheduled_at - START) / SECOND) for run in runs(handle)] == [
        ("timed_out", 0),
        ("timed_out", 70),
    ]


def test_an_endless_task_without_a_wait_is_warned_of(clock: VirtualClock) -> None:
    """An endless task without a wait keeps a worker busy, so adding it warns with `BusyLoopWarning`."""
    with Scheduler(clock=clock) as scheduler:
        with pytest.warns(BusyLoopWarning, match="give it interval_wait"):
            handle = scheduler.add_task(BackgroundTask(work).interval(-1))
        handle.cancel()


def test_n_counts_runs_and_not_attempts(clock: VirtualClock) -> None:
    """`n` counts the scheduled runs that were handed over; further attempts and `run_now()` do not count."""

    def flaky() -> None:
        if current_run().attempt == 1:
            raise ConnectionError("no answer")

    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(flaky).interval(3).interval_wait(MINUTE).with_policy(retry=Retry(2))
        handle = scheduler.add_task(task)
        handle.run_now()
        scheduler.join()

    assert [run.cause for run in runs(handle)].count("schedule") == 3
    assert handle.counts["succeeded"] == 3


def test_a_slow_run_makes_the_next_occurrence_pass_but_no_run_is_lost(clock: VirtualClock) -> None:
    """Five runs, one a second, of a function that takes 1.5 seconds start at 0, 2, 4, 6 and 8 seconds."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, 1.5 * SECOND).interval(5).interval_wait(SECOND))
        scheduler.join()

    assert [(run.scheduled_at - START) / SECOND for run in runs(handle)] == [0, 2, 4, 6, 8]
    assert [(record.first_at - START) / SECOND for record in passed(handle)] == [1, 3, 5, 7]
    assert {record.reason for record in passed(handle)} == {"skipped_overlap"}


def test_an_outage_gives_one_late_run_and_a_record_of_the_rest(clock: VirtualClock) -> None:
    """If the machine is suspended from minute 9 to 31, five runs 5 minutes apart start at 0, 5, 31 (for 30), 35, 40."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work).interval(5).interval_wait(5 * MINUTE))
        clock.advance(9 * MINUTE)
        clock.suspend(22 * MINUTE)
        scheduler.join()

    assert [(run.scheduled_at - START) / MINUTE for run in runs(handle)] == [0, 5, 30, 35, 40]
    assert runs(handle)[2].lateness == MINUTE
    (missed,) = passed(handle)
    assert (missed.reason, missed.count) == ("missed", 4)
    assert ((missed.first_at - START) / MINUTE, (missed.last_at - START) / MINUTE) == (10, 25)


def test_each_occurrence_is_in_exactly_one_record(clock: VirtualClock) -> None:
    """The law of the ledger: each due occurrence has an outcome, has passed or is in flight, exactly once."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work).interval(-1).interval_wait(MINUTE))
        clock.advance(2 * MINUTE)
        handle.pause()
        clock.advance(2 * MINUTE)
        handle.resume()
        clock.suspend(4 * MINUTE)

        assert {what: number for what, number in handle.counts.items() if number} == {
            "succeeded": 4,
            "skipped_paused": 2,
            "missed": 3,
        }


def test_setting_the_clock_moves_no_repeat(clock: VirtualClock) -> None:
    """`Once()` and `Repeat` follow steady time, and only wall-clock tasks follow a clock that is set."""
    with Scheduler(clock=clock) as scheduler:
        repeat = scheduler.add_task(BackgroundTask(work).interval(-1).interval_wait(HOUR))
        daily = scheduler.add_task(BackgroundTask(work).interval(-1).on_time(time(8), tz="UTC"))
        clock.step(12 * HOUR)

        assert repeat.counts["succeeded"] == 1
        assert daily.counts["succeeded"] == 1
        clock.advance(HOUR)
        assert repeat.counts["succeeded"] == 2


def test_nothing_runs_twice_because_the_clock_was_set_back(clock: VirtualClock) -> None:
    """Setting the clock back makes no occurrence due again; the step is one `ClockStepped` event."""
    heard: list[events.Event] = []
    with Scheduler(clock=clock) as scheduler:
        daily = scheduler.add_task(BackgroundTask(work).interval(-1).on_time(time(8), tz="UTC"))
        clock.advance(9 * HOUR)
        scheduler.add_listener(heard.append)
        clock.step(-3 * HOUR)
        clock.advance(3 * HOUR)

        assert daily.counts["succeeded"] == 1
        assert heard == [events.ClockStepped(-3 * HOUR, 0)]


def test_what_is_due_at_one_instant_runs_by_time_of_day_first(clock: VirtualClock) -> None:
    """Due together, an `on_time()` task goes before an `interval_wait()` task, whichever was added first."""
    order: list[str] = []
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(order.append, "wait").interval(2).interval_wait(HOUR))
        scheduler.add_task(BackgroundTask(order.append, "time").on_time(time(1), tz="UTC"))
        clock.advance(2 * HOUR)

    assert order == ["wait", "time", "wait"]


def test_a_run_that_raises_is_recorded_and_logged_once(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    """The schedule goes on after a failure, and the record keeps the exception."""

    def fail() -> None:
        raise LookupError("no such user")

    with Scheduler(clock=clock) as scheduler, caplog.at_level(logging.ERROR, "panther_schedule"):
        handle = scheduler.add_task(BackgroundTask(fail).interval(2).interval_wait(SECOND))
        scheduler.join()

    assert [run.outcome for run in runs(handle)] == ["failed", "failed"]
    assert is_a(runs(handle)[0].error, LookupError)
    assert len(caplog.records) == 2


def test_replace_keeps_the_count_unless_the_schedule_is_another(clock: VirtualClock) -> None:
    """Another function keeps the times and the count; another schedule starts afresh, with `n` whole."""
    beat = BackgroundTask(work).interval(3).interval_wait(HOUR).with_name("beat")
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(beat)
        clock.advance(HOUR)
        scheduler.replace(BackgroundTask(print, end="").with_schedule(beat.schedule).with_name("beat"))
        clock.advance(10 * HOUR)
        assert handle.counts["succeeded"] == 3

        scheduler.replace(beat.interval(2))
        clock.advance(10 * HOUR)
        assert handle.counts["succeeded"] == 5


def test_the_end_finishes_what_runs_is_due_or_is_back_to_back(clock: VirtualClock) -> None:
    """A scheduler that stops finishes active runs, including back-to-back ones, and drops later occurrences."""
    with Scheduler(clock=clock) as scheduler:
        back_to_back = scheduler.add_task(BackgroundTask(clock.sleep, SECOND).interval(3))
        hourly = scheduler.add_task(BackgroundTask(work).interval(3).interval_wait(HOUR))

    assert back_to_back.counts["succeeded"] == 3
    assert hourly.counts["succeeded"] == 1


def test_what_outlives_the_end_is_abandoned(clock: VirtualClock) -> None:
    """The drain takes at most 10 seconds, and a run that is still active then is recorded as `abandoned`."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, MINUTE))

    assert [run.outcome for run in runs(handle)] == ["abandoned"]
