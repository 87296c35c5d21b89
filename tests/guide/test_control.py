"""Watching and control: the handle of a task, what a run knows about itself, events, health and logs."""

import logging
from datetime import UTC, datetime, time, timedelta

import pytest

from panther_schedule import (
    BackgroundTask,
    Passed,
    Retry,
    Run,
    Scheduler,
    SchedulerStateError,
    VirtualClock,
    current_run,
    events,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def send_digest(to: str) -> None:
    """Stand for a function of the program."""


DIGEST = BackgroundTask(send_digest, "all").interval(-1).on_time(time(8), tz="UTC").with_name("digest")


def test_next_run_is_an_aware_datetime(clock: VirtualClock) -> None:
    """`next_run` is the time, in UTC, at which the task is due next."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(send_digest, "all").interval(2).interval_wait(MINUTE))

        assert handle.next_run == START
        clock.advance(timedelta(0))
        assert handle.next_run == START + MINUTE


def test_a_scheduler_holds_its_tasks_by_name(clock: VirtualClock) -> None:
    """`scheduler["digest"]` finds a handle again, and iterating over a scheduler gives all of them."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(DIGEST)

        assert scheduler["digest"] == handle
        assert "digest" in scheduler
        assert [each.name for each in scheduler] == ["digest"]
        assert handle.task == DIGEST


def test_counts_cover_every_occurrence_that_became_due(clock: VirtualClock) -> None:
    """`counts` has a number for each outcome and reason, and `in_flight`; a scheduler adds up its tasks."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(DIGEST)
        clock.advance(3 * DAY)
        clock.suspend(3 * DAY)

        assert (handle.counts["succeeded"], handle.counts["missed"], handle.counts["in_flight"]) == (4, 2, 0)
        assert sum(handle.counts.values()) == 6
        assert scheduler.counts == handle.counts


def test_a_handle_keeps_the_latest_20_records(clock: VirtualClock) -> None:
    """`runs` are the latest 20 records, oldest first, and `counts` count the older ones too."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(DIGEST)
        clock.advance(30 * DAY)

    records = [record for record in handle.runs if isinstance(record, Run)]
    assert [record.scheduled_at.day for record in records] == list(range(11, 31))
    assert handle.counts["succeeded"] == 30


def test_a_pause_becomes_one_record(clock: VirtualClock) -> None:
    """No run starts between `pause()` and `resume()`, and what was due meanwhile is one `skipped_paused` record."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(DIGEST)
        handle.pause("the mail server moves")
        assert (handle.paused, handle.pause_reason, handle.next_run) == (True, "the mail server moves", None)
        clock.advance(3 * DAY)
        handle.resume()

        (passed,) = handle.runs
        assert isinstance(passed, Passed)
        assert (passed.reason, passed.count) == ("skipped_paused", 3)
        assert handle.next_run == START + 3 * DAY + 8 * HOUR


def test_run_now_runs_it_once_more(clock: VirtualClock) -> None:
    """`run_now()` adds a run beside the schedule: it is in `runs`, but not in `counts`, and it moves nothing."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(DIGEST)
        run = handle.run_now().join()

        assert (run.cause, run.outcome) == ("manual", "succeeded")
        assert run.id == "digest/2026-01-01T00:00:00+00:00/manual-1"
        assert handle.runs == (run,)
        assert handle.counts["succeeded"] == 0
        assert handle.next_run == START + 8 * HOUR


def test_backfill_runs_it_for_occurrences_of_the_past(clock: VirtualClock) -> None:
    """`backfill()` runs a task for each occurrence of a span in the past; `dry_run` only lists them."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(DIGEST)
        clock.suspend(3 * DAY)

        days = [START + day * DAY + 8 * HOUR for day in range(2)]
        assert handle.backfill(START, START + 2 * DAY, dry_run=True) == days
        runs = [run.join() for run in handle.backfill(START, START + 2 * DAY)]
    assert [(run.scheduled_at, run.cause) for run in runs] == [(day, "backfill") for day in days]


def test_a_cancelled_task_does_not_run_again(clock: VirtualClock) -> None:
    """`cancel()` starts no more runs and frees the name."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(
            BackgroundTask(send_digest, "all").interval(-1).interval_wait(MINUTE).with_name("beat")
        )
        clock.advance(2 * MINUTE)
        handle.cancel()
        clock.advance(2 * MINUTE)

        assert handle.ended
        assert handle.next_run is None
        assert "beat" not in scheduler
    assert len(handle.runs) == 3


def test_a_task_ends_itself_and_its_run_finishes(clock: VirtualClock) -> None:
    """`cancel(running=False)` starts no more runs either, but lets the active ones finish."""
    reported = list[bool]()

    def poll() -> None:
        scheduler["poll"].cancel(running=False)
        reported.append(current_run().cancelled)

    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(poll).interval(-1).interval_wait(MINUTE).with_name("poll")
        handle = scheduler.add_task(task)
        clock.advance(HOUR)
        assert handle.ended
        assert "poll" not in scheduler
        with pytest.raises(SchedulerStateError, match="the task was cancelled"):
            handle.run_now()

    assert reported == [False]
    assert [run.outcome for run in handle.runs if isinstance(run, Run)] == ["succeeded"]


def test_a_long_function_checks_whether_it_was_asked_to_end(clock: VirtualClock) -> None:
    """A thread can't be stopped, so a sync function checks `current_run().cancelled` and returns."""

    def export() -> None:
        while not current_run().cancelled:
            clock.sleep(MINUTE)

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(export))
        scheduler.add_task(BackgroundTask(handle.cancel).on_time(time(0, 30), tz="UTC"))
        scheduler.join()

    (record,) = handle.runs
    assert isinstance(record, Run)
    assert (record.outcome, record.finished_at) == ("cancelled", START + 30 * MINUTE)


def test_a_run_knows_its_occurrence_and_the_one_before(clock: VirtualClock) -> None:
    """The time from `previous_at` to `scheduled_at` is a run's data window, without gaps from one run to the next."""
    windows: list[tuple[datetime | None, datetime]] = []

    def load_orders() -> None:
        windows.append((current_run().previous_at, current_run().scheduled_at))

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(load_orders).interval(3).interval_wait(HOUR))
        clock.advance(HOUR)
        clock.suspend(3 * HOUR)

    assert windows == [(None, START), (START, START + HOUR), (START + HOUR, START + 4 * HOUR)]


def test_the_id_of_a_run_is_an_idempotency_key(clock: VirtualClock) -> None:
    """A run's id is the task's name and the occurrence, so each attempt has the same one."""
    ids: list[str] = []

    def load_orders() -> None:
        ids.append(current_run().id)
        if current_run().attempt == 1:
            raise ConnectionError("no answer")

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(load_orders).with_name("orders").with_policy(retry=Retry(2)))
        scheduler.join()

    assert ids == ["orders/2026-01-01T00:00:00+00:00"] * 2


def test_replace_changes_a_named_task(clock: VirtualClock) -> None:
    """`replace()` swaps the task of that name for another one, and its handle stays valid."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(DIGEST)

        assert scheduler.replace(DIGEST.on_time(time(9), tz="UTC")) == handle
        assert handle.next_run == START + 9 * HOUR


def test_a_listener_is_told_each_event(clock: VirtualClock) -> None:
    """A listener is called with each event in order, from `add_listener()` until it is removed."""
    heard: list[str] = []

    def tell(event: events.Event) -> None:
        match event:
            case events.RunRetried():
                heard.append(f"{event.task} {event.attempt.outcome}, again in {event.delay}")
            case events.RunFinished():
                heard.append(f"{event.task} {event.run.outcome}")
            case _:
                heard.append(type(event).__name__)

    def sync_mail() -> None:
        if current_run().attempt == 1:
            raise ConnectionError("no mail server")

    with Scheduler(clock=clock) as scheduler:
        remove = scheduler.add_listener(tell)
        scheduler.add_task(BackgroundTask(sync_mail).with_name("mail").with_policy(retry=Retry(2))).join()
        remove()
        scheduler.add_task(DIGEST)

    assert heard == [
        "TaskAdded",
        "RunStarted",
        "mail failed, again in 0:00:01",
        "RunStarted",
        "mail succeeded",
        "TaskEnded",
    ]


def test_a_listener_that_raises_hurts_nothing(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    """If a listener raises, that is logged, it is still called with the next event, and no run suffers."""

    def tell(event: events.Event) -> None:
        raise LookupError(type(event).__name__)

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_listener(tell)
        handle = scheduler.add_task(BackgroundTask(send_digest, "all"))
        handle.join()

    assert handle.counts["succeeded"] == 1
    assert len(caplog.records) == len(["TaskAdded", "RunStarted", "RunFinished", "TaskEnded"])


def test_new_time_zone_files_are_read_on_request(clock: VirtualClock) -> None:
    """After an update of the zone files `reload_tz()` finds the next occurrences again, and nothing runs twice."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(DIGEST)
        clock.advance(DAY)
        scheduler.reload_tz()

        assert handle.next_run == START + DAY + 8 * HOUR
        assert handle.counts["succeeded"] == 1


def test_health_says_whether_the_scheduler_gets_along(clock: VirtualClock) -> None:
    """A healthy scheduler is alive and has no overdue tasks."""
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(DIGEST)
        clock.advance(DAY)
        health = scheduler.health()

    assert (health.alive, health.overdue, health.lag, health.waiting) == (True, (), timedelta(0), 0)
    assert not scheduler.health().alive


def test_a_run_that_fails_is_logged_once(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    """The logger `panther_schedule` gets one line for a run that failed, with fields for a structured log."""
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(int, "no number").with_name("parse")).join()

    (line,) = caplog.records
    assert (line.name, line.levelno) == ("panther_schedule", logging.ERROR)
    assert line.__dict__["run_id"] == "parse/2026-01-01T00:00:00+00:00"
    assert line.__dict__["outcome"] == "failed"


def test_outside_of_a_run_there_is_no_current_run() -> None:
    """`current_run()` is for functions that a scheduler calls, and raises elsewhere."""
    with pytest.raises(SchedulerStateError, match="works only in a function that a scheduler called"):
        current_run()
