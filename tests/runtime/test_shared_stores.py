"""What a store promises besides, that outlives its scheduler and that others share: turns, and what others see."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from failing import Failing
from kept import nothing, nothing_async
from scene import Do, Scheduler, everything, kill, rows
from tables import DAILY, GRID, added, now, us

from panther_schedule import Policy, Repeat, Retry
from panther_schedule.errors import StoreError
from panther_schedule.planning.control import backfill_runs, manual_run
from panther_schedule.planning.records import Run
from panther_schedule.runtime.entries import Flight

SECOND = timedelta(seconds=1)


# ---- a turn that fails -------------------------------------------------------------------------------------------

Turn = tuple[float, Callable[[Scheduler], Sequence[Do]]]
RETRIED = Policy(overlap="queue_all", retry=Retry(2, delay=2 * SECOND), timeout=60 * SECOND)


def backfill(scheduler: Scheduler, name: str) -> Do:
    entry = scheduler.task(name)
    runs = list(backfill_runs(entry.rule, entry.state, us(0), us(20), 0))
    return lambda reading: scheduler.engine.start_more(entry, [entry.fly(run) for run in runs], reading)


def replace(scheduler: Scheduler, name: str) -> Do:
    return lambda reading: scheduler.engine.replace(scheduler.task(name), *added(DAILY, reading=reading), reading)


TURNS: list[Turn] = [
    (0, lambda one: [one.add("a", GRID, RETRIED), one.add("b"), one.add(None, Repeat(3, 7 * SECOND)), one.add("c")]),
    (1, lambda one: [lambda reading: one.engine.begin(one.run("a"), reading.wall, reading), one.end("b")]),
    (2, lambda one: [one.end("a", "failed", OSError())]),
    (4, lambda _one: []),  # it is tried again
    (10, lambda one: [lambda reading: one.engine.pause(one.task("b"), "why", reading)]),  # another waits
    (11, lambda one: [one.end("a"), one.end("c")]),
    (31, lambda one: [backfill(one, "b")]),
    (32, lambda one: [one.end("b"), lambda reading: one.engine.resume(one.task("b"), reading)]),
    (33, lambda one: [replace(one, "c")]),
    (71, lambda _one: []),  # a timeout
    (72, lambda one: [lambda reading: one.engine.cancel(one.task("a"), True, reading)]),
    (73, lambda one: [lambda reading: one.engine.cancel(one.task("b"), False, reading)]),
]


def seen(scheduler: Scheduler) -> list[Any]:
    """Return what the objects say that the scheduler has in its hands."""
    flights = [(flight.id, flight.run, flight.here, flight.asked, flight.started) for flight in scheduler.store.own()]
    tasks = [(entry.id, entry.state, entry.counts(), entry.history) for entry in scheduler.names]
    return [*flights, *tasks, scheduler.store.processes.me, scheduler.store.until_next(now(99))]


@pytest.mark.parametrize("at", range(len(TURNS)), ids=lambda at: f"turn_{at}")
def test_a_turn_that_fails_anywhere_keeps_nothing_and_succeeds_when_done_again(tmp_path: Path, at: int) -> None:
    """And what it comes to is what it would have come to at once."""
    (tmp_path / "whole").mkdir()
    whole, scheduler = Scheduler(tmp_path / "whole"), Scheduler(tmp_path)
    for after, acts in TURNS[:at]:
        whole.turn(after, *acts(whole))
        scheduler.turn(after, *acts(scheduler))
    after, acts = TURNS[at]
    before = everything(tmp_path), seen(scheduler)

    statement, failed = 0, True
    while failed:
        with Failing(scheduler.store.file, statement) as failing:
            try:
                scheduler.turn(after, *acts(scheduler))
            except StoreError:
                assert (everything(tmp_path), seen(scheduler)) == before, f"statement {statement}"
        failed, statement = failing.failed, statement + 1

    whole.turn(after, *acts(whole))
    assert statement > 5
    assert everything(tmp_path) == everything(tmp_path / "whole")
    assert seen(scheduler) == seen(whole)
    assert [flight.run for flight in scheduler.started] == [flight.run for flight in whole.started]
