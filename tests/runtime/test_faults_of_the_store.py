"""A store that fails once, at each place there is: nothing runs twice, and nothing is lost."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from panther_schedule import (
    BackgroundTask,
    Cron,
    Once,
    Passed,
    Repeat,
    Retry,
    Run,
    Scheduler,
    VirtualClock,
    current_run,
)
from panther_schedule.runtime.memory import Memory

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FAULT = "an error in the scheduler; trying again in 1 s"
METHODS = ("add", "save", "flights", "first_queued", "due", "timers", "until_next")


class Day(NamedTuple):
    """What a day came to."""

    calls: Counter[str]
    """Each call of a function: the run and its attempt."""
    records: list[list[str]]
    counts: dict[str, int]


class Faults:
    """Counts the calls of the store, and lets one of them raise before it has done anything."""

    def __init__(self, patch: pytest.MonkeyPatch, method: str = "", call: int = -1) -> None:
        self.calls: Counter[str] = Counter()
        for name in METHODS:
            patch.setattr(Memory, name, self.counting(name, getattr(Memory, name), call if name == method else -1))

    def counting(self, name: str, whole: Any, fails: int) -> Any:
        """Return a method that raises when it is called for that time."""

        def method(*given: Any) -> Any:
            self.calls[name] += 1
            if self.calls[name] - 1 == fails:
                raise OSError("disk full")
            return whole(*given)

        return method


def a_day() -> Day:
    """Let a scheduler do all that it can; what is put off by a second is still in time."""
    clock = VirtualClock(START)
    calls: Counter[str] = Counter()

    def work() -> None:
        run = current_run()
        calls[f"{run.id} {run.attempt}"] += 1
        if run.task == "task" and run.attempt == 1:
            raise ConnectionError

    grid = BackgroundTask(work).with_schedule(Repeat(-1, 10 * SECOND)).with_policy(retry=Retry(2, delay=2 * SECOND))
    with Scheduler(clock=clock) as scheduler:
        task = scheduler.add_task(grid.with_name("task"))
        minutes = scheduler.add_task(BackgroundTask(work).with_schedule(Cron("* * * * *", tz="UTC")).with_name("cron"))
        clock.advance(25 * SECOND)
        task.backfill(START, START + 20 * SECOND)
        clock.advance(8 * SECOND)
        task.pause()
        clock.advance(22 * SECOND)
        task.resume()
        clock.advance(2 * SECOND)
        scheduler.replace(grid.with_schedule(Repeat(2, 20 * SECOND)).with_name("task"))
        clock.advance(30 * SECOND)
        minutes.pause()
        clock.advance(timedelta(minutes=3))
        clock.step(-timedelta(days=3))
        clock.advance(5 * SECOND)
        minutes.resume()
        once = scheduler.add_task(BackgroundTask(work).with_schedule(Once(after=3 * SECOND)).with_name("once"))
        once.pause()
        clock.advance(5 * SECOND)
        minutes.cancel()
        minutes.join(5 * SECOND)
    handles = (task, minutes, once)
    records = [[said(record) for record in handle.runs] for handle in handles]
    assert all(handle.ended for handle in handles)
    return Day(calls, [sorted(lines) for lines in records], dict(scheduler.counts))


def said(record: Run | Passed) -> str:
    """Say what is the same whenever it was written."""
    if isinstance(record, Run):
        return f"{record.id} {[attempt.outcome for attempt in record.attempts]}"
    return f"{record.reason} {record.first_at} to {record.last_at}: {record.count}"


def test_a_store_that_fails_once(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.MonkeyPatch.context() as patch:
        known = Faults(patch).calls
        whole = a_day()
    assert set(known) == set(METHODS)
    assert set(whole.calls.values()) == {1}
    for method in METHODS:
        for call in range(known[method]):
            caplog.clear()
            with pytest.MonkeyPatch.context() as patch:
                Faults(patch, method, call)
                day = a_day()
            assert day == whole, f"{method}, call {call}"
            assert [line.getMessage() for line in caplog.records if line.levelno == logging.ERROR] == [FAULT]
