"""How a scheduler with a store ends: it leaves to others what it can't finish, and says so."""

from __future__ import annotations

import logging
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from panther_schedule import BackgroundTask, Run, Scheduler, TaskRegistry
from panther_schedule.sqlite import SQLiteStore

pytestmark = pytest.mark.real_clock

tasks = TaskRegistry()
began, may_end = threading.Event(), threading.Event()


@tasks.register
def work() -> None:
    began.set()
    may_end.wait(60)


@pytest.fixture
def scheduler(tmp_path: Path) -> Scheduler:
    """A scheduler on a file of its own, and a function that goes on until it may end."""
    began.clear()
    may_end.clear()
    return Scheduler(store=SQLiteStore(tmp_path / "tasks.db"), registry=tasks)


def test_a_run_that_outlasts_the_drain_is_lost_and_runs_again(
    scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    with scheduler:
        scheduler.add_task(BackgroundTask(work).with_name("work"))
        assert began.wait(60)
        scheduler.stop(timedelta(0))
    assert caplog.messages == ["the scheduler ends before 1 of its runs, whose attempts are lost: work"]

    may_end.set()
    with scheduler:
        handle = scheduler["work"]
        handle.join()
    (record,) = handle.runs
    assert isinstance(record, Run)
    assert [attempt.outcome for attempt in record.attempts] == ["lost", "succeeded"]


def raise_sigterm(before: object) -> None:
    """Wait until the signal has another handler, and raise it."""
    while signal.getsignal(signal.SIGTERM) is before:
        time.sleep(0.01)
    signal.raise_signal(signal.SIGTERM)


def test_run_forever_says_that_later_occurrences_stay(scheduler: Scheduler, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    later = BackgroundTask(work).interval(-1).interval_wait(timedelta(hours=1)).with_name("work")
    may_end.set()
    scheduler.add_task(later)
    assert began.wait(60)
    threading.Thread(target=raise_sigterm, args=[signal.getsignal(signal.SIGTERM)]).start()
    scheduler.run_forever()

    assert caplog.messages[-1].endswith("; later occurrences stay stored")
