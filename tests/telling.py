"""Tells what a scheduler did in virtual time, in seconds after the start of 2026, for tables to compare with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from panther_schedule import BackgroundTask, Once, Passed, Run, Scheduler, TaskHandle
from panther_schedule.clock import microseconds
from panther_schedule.planning.records import Attempt, Failure, Outcome, Reason
from panther_schedule.runtime.failures import failure_of

SECOND = timedelta(seconds=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def note() -> None:
    """Do nothing."""


def seconds(at: datetime | None) -> float:
    """Give a time in seconds after the start."""
    assert at is not None
    return (at - START).total_seconds()


def runs(handle: TaskHandle) -> list[Run]:
    """List the runs of a task."""
    return [record for record in handle.runs if isinstance(record, Run)]


def starts(handle: TaskHandle) -> list[float]:
    """List when the function was called the last time in each run."""
    return [seconds(run.started_at) for run in sorted(runs(handle), key=lambda run: run.scheduled_at)]


def told(handle: TaskHandle) -> list[object]:
    """Tell a task's records as they were written: a run by its start, other occurrences by reason, range and count."""
    return [
        (seconds(record.started_at) if record.started_at is not None else record.outcome)
        if isinstance(record, Run)
        else (record.reason, seconds(record.first_at), seconds(record.last_at), record.count)
        for record in handle.runs
    ]


def outcomes(handle: TaskHandle) -> dict[str, int]:
    """Count what happened to a task's occurrences, without zeros."""
    return {what: number for what, number in handle.counts.items() if number}


def is_a(failure: Failure | None, cls: type[BaseException]) -> bool:
    """Tell whether a function raised this."""
    return failure is not None and failure.is_a(cls)


def attempt(
    started: datetime | None, finished: datetime, outcome: Outcome, error: BaseException | None = None
) -> Attempt:
    """Make the record of a call."""
    return Attempt(
        None if started is None else microseconds(started), microseconds(finished), outcome, failure_of(error)
    )


def run(task: str, scheduled_at: datetime, *attempts: Attempt, previous: datetime | None = None) -> Run:
    """Make the record of a scheduled run."""
    before = None if previous is None else microseconds(previous)
    return Run(task, microseconds(scheduled_at), before, attempts=attempts, phase="ended")


def passed(reason: Reason, first: datetime, last: datetime, count: int) -> Passed:
    """Make the record of occurrences without a run."""
    return Passed(reason, microseconds(first), microseconds(last), count)


def at(scheduler: Scheduler, second: float, act: Callable[[], object]) -> None:
    """Let something happen then."""
    scheduler.add_task(BackgroundTask(act).with_schedule(Once(START + second * SECOND)))
