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


@pytest.mark.parametrize(
    ("zone", "remedy"),
    [
        ("UTC+3", "Etc/GMT+3"),
        ("UTC-03", "Etc/GMT-3"),
        ("EST5", "Etc/GMT+5"),
        ("CET-1CEST", "Europe/Paris"),
        ("Bogus/Zone", "Europe/Paris"),
    ],
)
@pytest.mark.parametrize(
    "act",
    [
        "task.on_time(time(8)).next_runs(1)",
        "scheduler.add_task(task.on_time(time(8)))",
        "scheduler.add_tasks([task, task.on_time(time(8))])",
        "preview(Daily(time(8)), 1)",
        "preview(task.on_time(time(8)), 1)",
        "next_after(Daily(time(8)), start)",
        "task.with_schedule(Daily(time(8), excluding=('sat',)))",
    ],
)
def test_a_zone_of_the_machine_without_an_iana_name_is_refused_where_it_is_needed(
    zone: str, remedy: str, act: str
) -> None:
    done = run(
        f"""
from panther_schedule import Daily, next_after, preview
with Scheduler(clock=VirtualClock(start)) as scheduler:
    try:
        {act}
    except ValueError as error:
        print(error.errors()[0]["type"], error.errors()[0]["msg"], len(scheduler), sep="\\n")
print(task.on_time(time(8)).explain(), task.interval(2).next_runs(1, start)[0].hour)
""",
        zone,
    )

    rule = "the machine's zone must be the IANA name of a zone"
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "machine_zone",
        f"{rule}, got TZ={zone!r}; set TZ to one, or write tz={remedy!r}",
        "0",
        "once, at the next 08:00 0",
    ]


RELOAD = """
import os
import time as machine

def move(zone: str) -> None:
    os.environ["TZ"] = zone
    machine.tzset()

with Scheduler(clock=VirtualClock(start)) as scheduler:
    daily, fixed = scheduler.add_tasks([task.on_time(time(8)), task.on_time(time(8), tz="UTC")])
    print(daily.next_run.hour)
"""


def test_reload_tz_reads_the_zone_of_the_machine_again() -> None:
    done = run(
        RELOAD
        + """
    move("America/New_York")
    print(daily.next_run.hour)
    scheduler.reload_tz()
    print(daily.next_run.hour, fixed.next_run.hour, scheduler.add_task(task.on_time(time(8))).next_run.hour)
    print(task.on_time(time(8)).next_runs(1, start)[0].hour)
""",
        "Europe/Berlin",
    )

    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["7", "7", "13", "8", "13", "13"], "")


def test_reload_tz_changes_nothing_where_the_new_zone_is_refused() -> None:
    done = run(
        RELOAD
        + """
    move("UTC+3")
    try:
        scheduler.reload_tz()
    except ValueError as error:
        print(error.errors()[0]["type"])
    print(daily.next_run.hour, fixed.next_run.hour)
    daily.cancel()
    scheduler.reload_tz()
    print(fixed.next_run.hour)
""",
        "Europe/Berlin",
    )

    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["7", "machine_zone", "7", "8", "8"], "")
