"""An occurrence is claimed once, and the index that would refuse a second claim never has to.

An instant may come again: after a fresh start, or by a clock that was days ahead and was set back. It is another
occurrence then, also while a run for the first one still waits.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from scene import Do, Scheduler, rows
from tables import HOUR, added, us

from panther_schedule import AnySchedule, Cron, Policy
from panther_schedule.clock import Reading

HOURLY = Cron("0 * * * *", tz="UTC")
QUEUES = Policy(overlap="queue_all")


@pytest.fixture
def scheduler(tmp_path: Path) -> Scheduler:
    """A scheduler with a file."""
    return Scheduler(tmp_path)


def claims(folder: Path) -> list[tuple[float, str | None]]:
    """List the scheduled runs, by their occurrences in hours, and their outcomes."""
    return [((at - us(0)) / HOUR, outcome) for at, outcome in rows(folder, "SELECT at, outcome FROM run ORDER BY id")]


def set_back(scheduler: Scheduler) -> Do:
    """See to a clock that was set back, as a scheduler does that starts."""
    return scheduler.engine.check_clock


def give(scheduler: Scheduler, schedule: AnySchedule) -> Do:
    """Give a task another schedule."""

    def act(reading: Reading) -> None:
        rule, state = added(schedule, QUEUES, reading=reading)
        scheduler.engine.replace(scheduler.task("a"), rule, state._replace(task="a"), reading)

    return act


def test_a_run_waits_from_a_time_that_comes_again(scheduler: Scheduler, tmp_path: Path) -> None:
    scheduler.turn(0, scheduler.add("a", HOURLY, QUEUES))
    for hour in (60, 61):  # the clock is days ahead; the second waits for the first
        scheduler.turn(hour * 3600)
    scheduler.turn(1, set_back(scheduler))
    scheduler.turn(2, scheduler.end("a"))
    scheduler.turn(3, scheduler.end("a"))
    for hour in range(1, 63):
        scheduler.turn(hour * 3600)
        scheduler.turn(hour * 3600 + 1, scheduler.end("a"))

    hours = [hour for hour, _outcome in claims(tmp_path)]
    assert hours == [60, 61, *range(1, 63)]
    assert scheduler.task("a").counts()["succeeded"] == 64


def test_runs_of_two_schedules_wait_that_had_an_instant_in_common(scheduler: Scheduler, tmp_path: Path) -> None:
    scheduler.turn(0, scheduler.add("a", HOURLY, QUEUES))
    scheduler.turn(3600)
    scheduler.turn(7200)  # waits
    for schedule in (Cron("0 */2 * * *", tz="UTC"), HOURLY):
        scheduler.turn(5400, give(scheduler, schedule))  # the clock was set back by half an hour
        scheduler.turn(7200)  # waits as well
    for k in range(4):
        scheduler.turn(7201 + k, scheduler.end("a"))

    assert claims(tmp_path) == [(1, "succeeded"), *[(2, "succeeded")] * 3]


def test_instants_come_again_and_again(scheduler: Scheduler, tmp_path: Path) -> None:
    """A run that does not end while the clock goes to and fro makes several wait from one instant."""
    scheduler.turn(0, scheduler.add("a", HOURLY, QUEUES))
    scheduler.turn(3600)
    for _ in range(3):
        scheduler.turn(50 * 3600)
        scheduler.turn(7000, set_back(scheduler))
    while scheduler.store.own():
        scheduler.turn(7001, scheduler.end("a"))

    assert [hour for hour, _ in claims(tmp_path)] == [1, 50, 50, 50]
    assert {outcome for _, outcome in claims(tmp_path)} == {"succeeded"}
