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
def one(tmp_path: Path) -> Scheduler:
    """A scheduler with a file."""
    return Scheduler(tmp_path)


def claims(folder: Path) -> list[tuple[float, str | None]]:
    """List the scheduled runs, by their occurrences in hours, and their outcomes."""
    return [((at - us(0)) / HOUR, outcome) for at, outcome in rows(folder, "SELECT at, outcome FROM run ORDER BY id")]


def set_back(one: Scheduler) -> Do:
    """See to a clock that was set back, as a one does that starts."""
    return one.engine.check_clock


def give(one: Scheduler, schedule: AnySchedule) -> Do:
    """Give a task another schedule."""

    def act(reading: Reading) -> None:
        rule, state = added(schedule, QUEUES, reading=reading)
        one.engine.replace(one.task("a"), rule, state._replace(task="a"), reading)

    return act


def test_a_run_waits_from_a_time_that_comes_again(one: Scheduler, tmp_path: Path) -> None:
    one.turn(0, one.add("a", HOURLY, QUEUES))
    for hour in (60, 61):  # the clock is days ahead; the second waits for the first
        one.turn(hour * 3600)
    one.turn(1, set_back(one))
    one.turn(2, one.end("a"))
    one.turn(3, one.end("a"))
    for hour in range(1, 63):
        one.turn(hour * 3600)
        one.turn(hour * 3600 + 1, one.end("a"))

    hours = [hour for hour, _outcome in claims(tmp_path)]
    assert hours == [60, 61, *range(1, 63)]
    assert one.task("a").counts()["succeeded"] == 64


def test_runs_of_two_schedules_wait_that_had_an_instant_in_common(one: Scheduler, tmp_path: Path) -> None:
    one.turn(0, one.add("a", HOURLY, QUEUES))
    one.turn(3600)
    one.turn(7200)  # waits
    for schedule in (Cron("0 */2 * * *", tz="UTC"), HOURLY):
        one.turn(5400, give(one, schedule))  # the clock was set back by half an hour
        one.turn(7200)  # waits as well
    for k in range(4):
        one.turn(7201 + k, one.end("a"))

    assert claims(tmp_path) == [(1, "succeeded"), *[(2, "succeeded")] * 3]


def test_instants_come_again_and_again(one: Scheduler, tmp_path: Path) -> None:
    """A run that does not end while the clock goes to and fro makes several wait from one instant."""
    one.turn(0, one.add("a", HOURLY, QUEUES))
    one.turn(3600)
    for _ in range(3):
        one.turn(50 * 3600)
        one.turn(7000, set_back(one))
    while one.store.own():
        one.turn(7001, one.end("a"))

    assert [hour for hour, _ in claims(tmp_path)] == [1, 50, 50, 50]
    assert {outcome for _, outcome in claims(tmp_path)} == {"succeeded"}
