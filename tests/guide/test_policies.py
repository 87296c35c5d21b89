"""Policies: what happens to runs that overlap, are missed, fail or take too long."""

# mypy: disable-error-code="panther-schedule"

from datetime import UTC, datetime, time, timedelta

import pytest
from pydantic import ValidationError

from panther_schedule import (
    BackgroundTask,
    Policy,
    Repeat,
    Retry,
    Run,
    Scheduler,
    TaskHandle,
    VirtualClock,
    current_run,
    explain,
)

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def load() -> None:
    """Stand for a function of the program."""


def told(handle: TaskHandle) -> list[str]:
    """Show the records of a task: a run by its occurrence, start and outcome, what passed by its reason."""
    return [
        f"{record.scheduled_at:%H:%M} at {record.started_at:%H:%M} {record.outcome}"
        if isinstance(record, Run)
        else f"{record.first_at:%H:%M} {record.reason}"
        for record in handle.runs
    ]


# ---- overlap: a run each hour that takes longer than an hour -----------------------------------------------------


def run_hourly(clock: VirtualClock, policy: Policy, *, minutes: int = 100) -> list[str]:
    """Run a report three times, once an hour, that takes so many minutes."""
    report = BackgroundTask(clock.sleep, minutes * MINUTE).interval(3).interval_wait(HOUR)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(report.with_policy(policy))
        scheduler.join()
    return told(handle)


def test_by_default_an_occurrence_passes_while_a_run_is_going(clock: VirtualClock) -> None:
    """With `overlap="skip"` it is recorded as `skipped_overlap`, and no run of the `n` is lost."""
    assert run_hourly(clock, Policy()) == [
        "01:00 skipped_overlap",
        "00:00 at 00:00 succeeded",
        "03:00 skipped_overlap",
        "02:00 at 02:00 succeeded",
        "04:00 at 04:00 succeeded",
    ]


def test_a_waiting_run_begins_when_the_one_before_has_ended(clock: VirtualClock) -> None:
    """With `overlap="queue_all"` each occurrence waits its turn."""
    assert run_hourly(clock, Policy(overlap="queue_all")) == [
        "00:00 at 00:00 succeeded",
        "01:00 at 01:40 succeeded",
        "02:00 at 03:20 succeeded",
    ]


def test_one_run_at_a_time_may_wait(clock: VirtualClock) -> None:
    """With `overlap="queue_one"` an occurrence is skipped if another one waits already."""
    assert run_hourly(clock, Policy(overlap="queue_one"), minutes=150) == [
        "02:00 skipped_overlap",
        "00:00 at 00:00 succeeded",
        "01:00 at 02:30 succeeded",
        "03:00 at 05:00 succeeded",
    ]


def test_runs_may_go_side_by_side(clock: VirtualClock) -> None:
    """With `overlap="allow"` a run starts beside the active ones; `max_running` limits how many."""
    assert sorted(run_hourly(clock, Policy(overlap="allow"))) == [
        "00:00 at 00:00 succeeded",
        "01:00 at 01:00 succeeded",
        "02:00 at 02:00 succeeded",
    ]


def test_a_newer_run_may_take_the_place_of_the_older(clock: VirtualClock) -> None:
    """With `overlap="cancel_running"` the active run is asked to end, and the new one starts when it has."""

    def report() -> None:
        for _minute in range(100):
            if current_run().cancelled:
                return
            clock.sleep(MINUTE)

    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(report).interval(2).interval_wait(HOUR).with_policy(overlap="cancel_running")
        handle = scheduler.add_task(task)
        scheduler.join()

    assert told(handle) == ["00:00 at 00:00 cancelled", "01:00 at 01:00 succeeded"]


# ---- missed: a run every five minutes, on a machine that sleeps from minute 2 to minute 22 -----------------------


def run_around_an_outage(clock: VirtualClock, policy: Policy) -> list[str]:
    """Run a task every five minutes while the machine sleeps from minute 2 to minute 22."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(load).interval(3).interval_wait(5 * MINUTE).with_policy(policy))
        clock.advance(2 * MINUTE)
        clock.suspend(20 * MINUTE)
        scheduler.join()
    return told(handle)


def test_by_default_an_outage_gives_one_late_run(clock: VirtualClock) -> None:
    """With `missed="coalesce"` the latest missed occurrence runs late, and the ones before it are one record."""
    assert run_around_an_outage(clock, Policy()) == [
        "00:00 at 00:00 succeeded",
        "00:05 missed",
        "00:20 at 00:22 succeeded",
        "00:25 at 00:25 succeeded",
    ]


def test_a_late_run_may_be_unwanted(clock: VirtualClock) -> None:
    """With `missed="skip"` an occurrence that is late by more than `grace` does not run."""
    assert run_around_an_outage(clock, Policy(missed="skip", grace=MINUTE)) == [
        "00:00 at 00:00 succeeded",
        "00:05 missed",
        "00:25 at 00:25 succeeded",
        "00:30 at 00:30 succeeded",
    ]


def test_missed_occurrences_can_be_caught_up(clock: VirtualClock) -> None:
    """With `missed="catch_up"` each of the latest `catch_up_limit` occurrences runs late, oldest first."""
    assert run_around_an_outage(clock, Policy(missed="catch_up", catch_up_limit=2)) == [
        "00:00 at 00:00 succeeded",
        "00:05 missed",
        "00:15 at 00:22 succeeded",
        "00:20 at 00:22 succeeded",
    ]


# ---- retry, timeout and jitter -----------------------------------------------------------------------------------


def test_all_attempts_are_one_run(clock: VirtualClock) -> None:
    """`Retry(3)` makes up to three attempts, and all of them are one run with one outcome."""
    called: list[str] = []

    def fetch() -> None:
        called.append(f"{clock.now():%M:%S}")
        if current_run().attempt < 3:
            raise ConnectionError("no answer")

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(fetch).with_policy(retry=Retry(3, delay=10 * SECOND, factor=3)))
        scheduler.join()

    assert called == ["00:00", "00:10", "00:40"]
    (record,) = handle.runs
    assert isinstance(record, Run)
    assert record.outcome == "succeeded"
    assert [attempt.outcome for attempt in record.attempts] == ["failed", "failed", "succeeded"]


def test_a_retry_may_be_for_some_exceptions_only() -> None:
    """`on` names the exceptions that are tried again, with their subclasses, as classes or as text."""
    retry = Retry(3, on=(ConnectionError, "httpx.HTTPError"))

    assert retry.on == ("ConnectionError", "httpx.HTTPError")
    assert retry.covers(ConnectionResetError())
    assert not retry.covers(ValueError())


def test_a_timeout_is_recorded_when_the_time_is_over(clock: VirtualClock) -> None:
    """A thread can't be stopped, so a sync run is `timed_out` at once while its function goes on."""
    ended: list[datetime] = []

    def export() -> None:
        clock.sleep(HOUR)
        ended.append(clock.now())

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(export).with_policy(timeout=10 * MINUTE))
        scheduler.join()

    (record,) = handle.runs
    assert isinstance(record, Run)
    assert record.outcome == "timed_out"
    assert record.finished_at == datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
    assert ended == [datetime(2026, 1, 1, 1, 0, tzinfo=UTC)]


def test_jitter_is_the_same_in_every_process() -> None:
    """Jitter delays a run by an amount that follows from the task's name and the occurrence, not from chance."""
    task = (
        BackgroundTask(load).on_time(time(8), tz="UTC").interval(-1).with_name("digest").with_policy(jitter=5 * MINUTE)
    )

    due = task.next_runs(2, after=datetime(2026, 1, 1, tzinfo=UTC))
    assert [f"{at:%d %H:%M:%S}" for at in due] == ["01 08:00:16", "02 08:02:58"]


def test_a_run_whose_process_dies_is_tried_again_or_recorded() -> None:
    """With `on_lost="record"` a run whose process dies is recorded as `lost` instead of being tried again."""
    task = BackgroundTask(load)

    assert task.policy.on_lost == "again"
    assert task.with_policy(on_lost="record").explain() == "once, now; a run whose process dies is not tried again"


# ---- policies as values ------------------------------------------------------------------------------------------


def test_a_policy_says_what_it_means() -> None:
    """`explain()` gives every rule of a policy in one line."""
    assert explain(Policy()) == (
        "an occurrence is skipped while a run is active; one late run for the latest missed occurrence; "
        "no second attempt; no timeout; no jitter"
    )


def test_with_policy_changes_what_it_is_given() -> None:
    """`with_policy()` takes a `Policy`, fields or both, and keeps the fields it is not given."""
    nightly = Policy(missed="skip", grace=30 * MINUTE, retry=Retry(3))
    task = BackgroundTask(load).with_policy(nightly, timeout=2 * HOUR)

    assert task.policy == Policy(missed="skip", grace=30 * MINUTE, retry=Retry(3), timeout=2 * HOUR)
    assert task.with_policy(Policy(timeout=None)).policy == nightly


def test_what_belongs_to_a_replaced_value_goes_with_it() -> None:
    """`grace` belongs to `missed="skip"`, so another value of `missed` drops it."""
    task = BackgroundTask(load).with_policy(missed="skip", grace=MINUTE)

    assert task.with_policy(missed="coalesce").policy == Policy()
    with pytest.raises(ValidationError, match="grace"):
        Policy(grace=MINUTE)


def test_a_policy_is_part_of_the_task_s_value() -> None:
    """Tasks are equal only if their policies are."""
    assert BackgroundTask(load).with_policy(timeout=HOUR) == BackgroundTask(load).with_policy(Policy(timeout=HOUR))
    assert BackgroundTask(load).with_policy(timeout=HOUR) != BackgroundTask(load)


def test_back_to_back_runs_never_overlap() -> None:
    """A repeat without a wait starts each run after the one before, so it takes no `overlap` and no `jitter`."""
    task = BackgroundTask(load).with_policy(overlap="allow")

    with pytest.raises(ValidationError, match="overlap must be 'skip'"):
        task.with_schedule(Repeat(3))
