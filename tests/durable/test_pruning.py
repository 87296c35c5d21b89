"""History that is pruned: the oldest records go, their counts stay, and each occurrence is still accounted for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from scene import Scheduler, rows
from tables import AT, DAY, S, finished, now, us

from panther_schedule import Once, Passed, Policy, Repeat, Run
from panther_schedule.planning.control import manual_run
from panther_schedule.sqlite.entries import StoredEntry

MOST = 20
SECONDS = timedelta(seconds=1)
AT_A_TIME = 50
"""Records of a task that are pruned at a time, so that not each record costs a look."""
OLD = 31 * DAY // S


@pytest.fixture
def scheduler(tmp_path: Path) -> Scheduler:
    """A scheduler that keeps few records."""
    return Scheduler(tmp_path, most=MOST)


def counted(entry: StoredEntry) -> dict[str, int]:
    """Return what is counted, without what never happened."""
    return {what: number for what, number in entry.counts().items() if number}


def due(entry: StoredEntry) -> int:
    """Count the occurrences that are decided, by the grid of ten seconds."""
    state = entry.state
    assert state.cursor is not None
    return (state.cursor - state.anchor) // (10 * S) + 1


def kept(folder: Path, what: str = "seq IS NOT NULL") -> tuple[list[Any], list[Any]]:
    """Return the numbers of the records that are kept: those of runs, and those of ranges."""
    runs = rows(folder, f"SELECT seq FROM run WHERE {what} ORDER BY 1")  # noqa: S608 - of this file
    return [row[0] for row in runs], [row[0] for row in rows(folder, "SELECT seq FROM passed ORDER BY 1")]


def test_a_task_keeps_its_latest_records_and_counts_all(scheduler: Scheduler, tmp_path: Path) -> None:
    scheduler.turn(0, scheduler.add("a"))
    for k in range(1, 121):  # each run takes too long, so that every other occurrence is skipped
        scheduler.turn(20 * k - 10)
        scheduler.turn(20 * k - 5, scheduler.end("a", "failed" if k % 4 else "succeeded"))
        scheduler.turn(20 * k)

    task = scheduler.task("a")
    runs, ranges = kept(tmp_path)
    pruned = 240 // AT_A_TIME * AT_A_TIME - MOST
    assert sorted(runs + ranges) == list(range(pruned + 1, 241))
    assert counted(task) == {"failed": 90, "succeeded": 30, "skipped_overlap": 120}
    assert due(task) == 240 + task.state.running
    assert [record.at for record in task.history or () if isinstance(record, Run)][-2:] == [us(2360), us(2380)]
    assert [record.first for record in task.history or () if isinstance(record, Passed)][-2:] == [us(2370), us(2390)]
    assert scheduler.store.counts() == {**task.counts(), "in_flight": 1}


def test_old_records_go_and_their_counts_stay(scheduler: Scheduler, tmp_path: Path) -> None:
    scheduler.turn(0, scheduler.add("a", Repeat(-1, 10 * SECONDS), Policy(missed="skip", grace=SECONDS)))
    scheduler.turn(45, scheduler.end("a"))
    scheduler.turn(50)
    before = counted(scheduler.task("a"))
    assert before == {"succeeded": 1, "missed": 4}
    assert kept(tmp_path) == ([1], [2])

    scheduler.turn(OLD, scheduler.end("a"))
    scheduler.turn(OLD + 61)

    task = scheduler.task("a")
    runs, ranges = kept(tmp_path)
    assert sorted(runs + ranges) == list(range(3, rows(tmp_path, "SELECT records FROM task")[0][0] + 1))
    assert sum(counted(task).values()) + task.state.running == due(task)
    assert counted(task)["succeeded"] == 2
    assert task.history
    assert isinstance(task.history[0], Run)


def test_a_run_that_goes_on_is_kept_however_old_it_is(scheduler: Scheduler, tmp_path: Path) -> None:
    policy = Policy(timeout=5 * SECONDS)
    scheduler.turn(0, scheduler.add("active", Once()), scheduler.add("lingers", Once(), policy))
    flight = scheduler.run("lingers")
    scheduler.turn(0, lambda reading: scheduler.engine.begin(flight, reading.wall, reading))
    scheduler.turn(6)
    assert flight.run.phase == "lingering"
    scheduler.turn(OLD + 60)

    assert rows(tmp_path, "SELECT phase FROM run ORDER BY id") == [("active",), ("lingering",)]
    scheduler.turn(OLD + 61, scheduler.end("lingers"), scheduler.end("active"))
    scheduler.turn(OLD + 140)
    assert rows(tmp_path, "SELECT phase, gone FROM run, task WHERE task.id = task") == [("ended", None)]


def test_what_claims_no_occurrence_is_not_counted_when_it_goes(scheduler: Scheduler, tmp_path: Path) -> None:
    scheduler.turn(0, scheduler.add("a", Once()))
    entry = scheduler.task("a")
    run = entry.fly(manual_run(entry.state, AT, 0, 0))
    scheduler.turn(0, lambda reading: scheduler.engine.start_more(entry, [run], reading))
    scheduler.turn(1, scheduler.end("a"))
    scheduler.turn(1, scheduler.end("a"))
    assert kept(tmp_path) == ([1, 2], [])
    scheduler.turn(OLD)

    assert kept(tmp_path) == ([], [])
    assert counted(entry) == {"succeeded": 1}


def test_a_task_that_has_left_goes_with_its_last_record(scheduler: Scheduler, tmp_path: Path) -> None:
    """A named one that has ended stays, so that adding it again does not start it again."""
    scheduler.turn(0, scheduler.add(None, Once()), scheduler.add("named", Once()), scheduler.add("cancelled"))
    unnamed = next(iter(scheduler.names))
    scheduler.turn(1, *[scheduler.end(name) for name in (unnamed.name, "named", "cancelled")])
    cancelled = scheduler.task("cancelled")
    scheduler.turn(35)
    scheduler.turn(40, lambda reading: scheduler.engine.cancel(cancelled, True, reading), scheduler.end("cancelled"))
    before = scheduler.store.counts()
    assert before["succeeded"] == 4
    scheduler.turn(OLD)
    scheduler.turn(OLD + 61)

    assert rows(tmp_path, "SELECT name FROM task") == [("named",)]
    assert scheduler.store.counts() == before
    assert unnamed.name not in [entry.name for entry in scheduler.names]
    assert unnamed.state.task == unnamed.name, "its handles still tell what it was"


def test_many_old_records_go_soon(scheduler: Scheduler, tmp_path: Path) -> None:
    """Not all in one turn, which would keep others waiting."""
    scheduler.turn(0, *[scheduler.add(f"task-{k}", Once()) for k in range(900)], room=1000)
    with scheduler.store.turn(now(1), None):
        for flight in scheduler.store.own():
            flight.attempt = finished("succeeded", 1)
            scheduler.engine.end(flight, now(1))
    scheduler.turn(OLD)
    left = len(kept(tmp_path)[0])
    assert 0 < left < 900
    for k in range(1, 5):
        scheduler.turn(OLD + k)

    assert kept(tmp_path) == ([], [])
    assert scheduler.store.counts()["succeeded"] == 900
