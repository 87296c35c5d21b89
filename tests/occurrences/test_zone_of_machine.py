"""A machine whose zone is set wrongly: what needs no zone of the machine works all the same."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAD = """
from datetime import UTC, datetime, time, timedelta
from panther_schedule import BackgroundTask, Once, Scheduler, VirtualClock

def note() -> None:
    print("run")

task = BackgroundTask(note)
start = datetime(2026, 1, 1, tzinfo=UTC)
"""


def run(program: str, zone: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", HEAD + program],
        env={**os.environ, "TZ": zone},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("made", "first"),
    [
        ("task.on_time(time(8), tz='UTC')", "2026-01-01 08:00:00+00:00"),
        ("task.on_time(time(8), tz='Asia/Tokyo')", "2026-01-01 23:00:00+00:00"),
        ("task.with_schedule(Once(datetime(2026, 5, 1, tzinfo=UTC)))", "2026-05-01 00:00:00+00:00"),
        ("task.interval(5).interval_wait(timedelta(minutes=5))", "2026-01-01 00:00:00+00:00"),
        ("task", "2026-01-01 00:00:00+00:00"),
    ],
)
def test_a_preview_does_not_read_the_zone_that_it_does_not_need(made: str, first: str) -> None:
    done = run(f"print({made}.next_runs(1, start)[0], len({made}.next_runs(1)))", "Bogus/Zone")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [*first.split(), "1"]


def test_a_preview_follows_the_zone_of_the_machine_where_it_names_none() -> None:
    done = run("print(task.on_time(time(8)).next_runs(1, start)[0])", "Asia/Tokyo")

    assert (done.returncode, done.stdout, done.stderr) == (0, "2026-01-01 23:00:00+00:00\n", "")


def test_a_task_is_added_where_the_zone_of_the_machine_is_wrong_and_not_needed() -> None:
    done = run(
        """
with Scheduler(clock=VirtualClock(start)) as scheduler:
    print(scheduler.add_task(task.on_time(time(8), tz="UTC")).next_run)
""",
        "Bogus/Zone",
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "2026-01-01 08:00:00+00:00\n", "")


def test_the_zone_of_the_machine_is_resolved_when_the_task_is_added_and_stays_none_in_its_value() -> None:
    done = run(
        """
with Scheduler(clock=VirtualClock(start)) as scheduler:
    handle = scheduler.add_task(task.on_time(time(8)))
    print(handle.next_run, handle.task.schedule.tz)
""",
        "Asia/Tokyo",
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "2026-01-01 23:00:00+00:00 None\n", "")
