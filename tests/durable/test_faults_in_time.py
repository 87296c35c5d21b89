"""A file that fails once, at whatever it is asked: the turn is taken again, nothing runs twice, and nothing is lost."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TypeVar

import pytest
from failing import VERBS

from panther_schedule import (
    BackgroundTask,
    Cron,
    Once,
    Passed,
    Repeat,
    Retry,
    Run,
    Scheduler,
    TaskRegistry,
    VirtualClock,
    current_run,
)
from panther_schedule.errors import StoreError
from panther_schedule.sqlite import SQLiteStore
from panther_schedule.sqlite.file import File

T = TypeVar("T")
START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FAULT = "the store failed, so runs wait; trying again each second: the disk is full"
LAST = "the store failed until the end; the runs that were active will be found lost"
AT_THE_END = "the disk is full; others will find that this process has ended"
registry = TaskRegistry()
calls: Counter[str] = Counter()


@registry.register
def work() -> None:
    """Write down the call; the first attempt of a run of the grid fails."""
    run = current_run()
    calls[f"{run.id} {run.attempt}"] += 1
    if run.task == "grid" and run.attempt == 1:
        raise ConnectionError


class Day(NamedTuple):
    """What a day came to."""

    calls: Counter[str]
    """Each call of a function: the run and its attempt."""
    records: list[list[str]]
    counts: dict[str, int]


class Faults:
    """Counts what files are asked in their turns, and lets one of that fail."""

    def __init__(self, patch: pytest.MonkeyPatch, fails: int = -1) -> None:
        self.count, self.fails = 0, fails
        for verb in VERBS:
            patch.setattr(File, verb, self.counting(getattr(File, verb)))

    def counting(self, verb: Any) -> Any:
        """Return a method that fails when it is time."""

        def method(file: File, sql: str, *values: Any) -> Any:
            if sql == "BEGIN IMMEDIATE" or file.is_turn():
                self.count += 1
                if self.count == self.fails + 1:
                    raise StoreError("the disk is full")
            return verb(file, sql, *values)

        return method


def a_day(file: Path) -> Day:
    """Let a scheduler do all that it can; whoever is told that the file failed asks again."""
    clock = VirtualClock(START)
    calls.clear()

    def again(act: Callable[[], T]) -> T:
        try:
            return act()
        except StoreError:
            return act()

    grid = BackgroundTask(work).with_schedule(Repeat(-1, 10 * SECOND)).with_policy(retry=Retry(2, delay=2 * SECOND))
    minutely = BackgroundTask(work).with_schedule(Cron("* * * * *", tz="UTC")).with_name("minutes")
    later = BackgroundTask(work).with_schedule(Once(after=3 * SECOND)).with_name("once")
    with Scheduler(store=SQLiteStore(file), registry=registry, clock=clock) as scheduler:
        task, minutes = again(lambda: scheduler.add_tasks([grid.with_name("grid"), minutely]))
        clock.advance(25 * SECOND)
        again(lambda: task.backfill(START, START + 20 * SECOND))
        clock.advance(8 * SECOND)
        again(task.pause)
        clock.advance(22 * SECOND)
        again(task.resume)
        clock.advance(2 * SECOND)
        again(lambda: scheduler.replace(grid.with_schedule(Repeat(2, 20 * SECOND)).with_name("grid")))
        clock.advance(30 * SECOND)
        again(minutes.pause)
        clock.advance(timedelta(minutes=3))
        again(minutes.resume)
        once = again(lambda: scheduler.add_task(later))
        again(once.pause)
        clock.advance(5 * SECOND)
        again(once.resume)
        again(minutes.cancel)
        clock.advance(5 * SECOND)
        handles = (task, minutes, once)
        records = [sorted(map(said, handle.runs)) for handle in handles]
        assert all(handle.ended for handle in handles)
        return Day(Counter(calls), records, dict(scheduler.counts))


def made(file: Path) -> Path:
    """Make a file; one that fails when it is opened lets nothing start."""
    File(file).close()
    return file


def said(record: Run | Passed) -> str:
    """Say what is the same whenever it was written; a backfill that is asked for again has other numbers."""
    if isinstance(record, Run):
        return f"{record.cause} {record.scheduled_at} {[attempt.outcome for attempt in record.attempts]}"
    return f"{record.reason} {record.first_at} to {record.last_at}: {record.count}"


def test_a_file_that_fails_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = made(tmp_path / "whole.db")
    with pytest.MonkeyPatch.context() as patch:
        known = Faults(patch)
        whole, number = a_day(file), known.count
    assert number > 400
    assert set(whole.calls.values()) == {1}
    for at in sorted(Random(number).sample(range(number), 25)):
        caplog.clear()
        file = made(tmp_path / f"{at}.db")
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, at)
            day = a_day(file)
        assert day == whole, f"statement {at} of {number}"
        first, *rest = [line.getMessage() for line in caplog.records if line.levelno == logging.ERROR]
        assert first in {FAULT, AT_THE_END}
        assert rest in ([], [LAST])


def test_a_clock_that_is_set_while_the_file_fails(tmp_path: Path) -> None:
    """What was days ahead goes on by the new time, as soon as that can be kept."""
    clock = VirtualClock(START)
    hourly = BackgroundTask(work).with_schedule(Cron("0 * * * *", tz="UTC")).with_name("hourly")
    with Scheduler(store=SQLiteStore(tmp_path / "tasks.db"), registry=registry, clock=clock) as scheduler:
        handle = scheduler.add_task(hourly)
        clock.step(timedelta(days=3))
        assert handle.next_run == START + timedelta(days=3, hours=1)
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, 3)
            clock.step(-timedelta(days=3))
            assert handle.next_run == START + timedelta(days=3, hours=1)
        clock.advance(SECOND)
        assert handle.next_run == START + timedelta(hours=1)
