"""Tasks that can't run here: their functions are not registered, or what the file says of them can't be read.

They stay as they are, are named, and keep nobody else waiting.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from kept import REGISTRY, spec_of
from scene import Scheduler, everything, kill, rows
from tables import DAY, GRID, S, now, us

from panther_schedule import BackgroundTask, Policy, TaskRegistry
from panther_schedule.errors import SchedulerStateError
from panther_schedule.planning.records import Run
from panther_schedule.sqlite.entries import StoredEntry

SECOND = timedelta(seconds=1)
QUEUES = Policy(overlap="queue_one")
FEW = TaskRegistry()
"""The functions of a program that has fewer than the others."""


@FEW.register
def known() -> None:
    """Do nothing."""


@REGISTRY.register
def unknown() -> None:
    """Do nothing; only some programs know it."""


REGISTRY.register(known)
UNKNOWN = BackgroundTask(unknown).with_schedule(GRID).with_policy(QUEUES).with_name("bad")
DAMAGES = [
    "spec = '{'",
    "spec = replace(spec, 'repeat', 'fortnightly')",  # of a later version
    """spec = replace(spec, '"kind"', '"pace": 3, "kind"')""",
    "zone = 'Atlantis/Capital'",
    "held = '['",
]


@pytest.fixture
def one(tmp_path: Path) -> Scheduler:
    """A scheduler with a file, that knows all functions."""
    return Scheduler(tmp_path)


@pytest.fixture
def other(one: Scheduler, tmp_path: Path) -> Scheduler:
    """Another one, that knows few."""
    one.turn(-1)
    return Scheduler(tmp_path, registry=FEW)


def change(folder: Path, what: str, name: str = "bad") -> None:
    """Change what the file says of a task, as another program may."""
    with closing(sqlite3.connect(folder / "tasks.db")) as db, db:
        db.execute(f"UPDATE task SET {what} WHERE name = ?", (name,))  # noqa: S608 - of this file


def outcomes(entry: StoredEntry) -> list[list[str]]:
    """Return how the attempts of its runs have ended."""
    return [[each.outcome for each in run.attempts] for run in entry.history or () if isinstance(run, Run)]


# ---- functions that are not registered ---------------------------------------------------------------------------


def test_a_task_stays_whose_function_is_not_registered(
    one: Scheduler, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one.turn(-1, one.add("bad", func=unknown), one.add("good", func=known), room=0)
    before = rows(tmp_path, "SELECT * FROM task WHERE name = 'bad'")
    other = Scheduler(tmp_path, registry=FEW)
    other.turn(60)

    assert "1 task(s) stay in the file, but can't run here" in caplog.text
    assert "their functions are not registered: bad" in caplog.text
    assert other.store.unregistered() == ["bad"]
    assert [flight.entry.name for flight in other.started] == ["good"]
    assert rows(tmp_path, "SELECT * FROM task WHERE name = 'bad'") == before
    assert other.store.until_next(now(60)) == 9_000_000, "of the good one"
    with pytest.raises(SchedulerStateError, match="the task 'bad' can't be called here: 'unknown' is not a registered"):
        _ = other.task("bad").task
    one.turn(60)
    assert [(flight.entry.name, flight.run.at) for flight in one.started] == [("bad", us(59))]


def test_a_run_is_left_to_who_knows_its_function(one: Scheduler, other: Scheduler) -> None:
    """Also one that is to start when another one ends, here, whose function was replaced meanwhile."""
    one.turn(0, one.add("bad", GRID, QUEUES, func=known), room=0)
    other.turn(0)
    other.turn(10)
    (run,) = other.started
    assert isinstance(run.entry, StoredEntry)
    one.turn(11, lambda _reading: one.store.put_spec(one.task("bad"), spec_of(UNKNOWN)), room=0)
    other.turn(12, other.end("bad"))

    assert outcomes(other.task("bad")) == [["succeeded"]]
    assert other.store.in_flight == []
    assert other.task("bad").state.running == 1
    one.turn(13)
    assert [flight.run.at for flight in one.started] == [us(10)]


# ---- what can't be read ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_task_that_cannot_be_read_keeps_nobody_waiting(
    one: Scheduler, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    one.turn(-1, one.add("bad"), one.add("good"), room=0)
    change(tmp_path, damage)
    before = everything(tmp_path)["task"][0]
    other = Scheduler(tmp_path)
    for after in (0, 1, 60):
        other.turn(after)

    assert [flight.entry.name for flight in other.started] == ["good"]
    assert everything(tmp_path)["task"][0] == before
    assert [entry.name for entry in other.names] == ["good"]
    said = [line.getMessage() for line in caplog.records]
    assert len(said) == 1
    assert said[0].startswith("the task 'bad' (row 1) can't be read, so it does not run")
    assert said[0].endswith("it is left alone until it is replaced, or the next start")
    with pytest.raises(SchedulerStateError, match="the task 'bad'"):
        other.names.find("bad")


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_a_dead_one_had_is_left_to_who_can_read_it(
    one: Scheduler, other: Scheduler, tmp_path: Path, damage: str
) -> None:
    one.turn(0, one.add("bad", func=known), one.add("good", func=known))
    spec, zone, held = rows(tmp_path, "SELECT spec, zone, held FROM task WHERE name = 'bad'")[0]
    change(tmp_path, damage)
    kill(tmp_path)
    other.judge()
    for after in (1, 2):
        other.turn(after)

    assert [flight.entry.name for flight in other.started] == ["good"]
    with closing(sqlite3.connect(tmp_path / "tasks.db")) as db, db:
        db.execute("UPDATE task SET spec = ?, zone = ?, held = ? WHERE name = 'bad'", (spec, zone, held))
    third = Scheduler(tmp_path)
    for after in (3, 4):
        third.turn(after)
    assert [flight.entry.name for flight in third.started] == ["bad"]
    assert third.started[0].run.attempt == 2


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_clock_that_was_ahead_is_set_right_for_those_that_can_be_read(
    one: Scheduler, tmp_path: Path, damage: str
) -> None:
    ahead = 3 * DAY // S
    one.turn(0, one.add("bad"), one.add("good"))
    one.turn(ahead, one.end("bad"), one.end("good"))
    change(tmp_path, damage)
    other = Scheduler(tmp_path)
    other.turn(1, other.engine.check_clock)

    assert other.task("good").state.next_at == us(11)


@pytest.mark.parametrize("damage", DAMAGES[:-1])
def test_a_run_ends_that_began_before_its_task_became_unreadable(
    one: Scheduler, other: Scheduler, tmp_path: Path, damage: str
) -> None:
    """As by a program of a later version, which has replaced it meanwhile."""
    one.turn(0, one.add("bad", GRID, Policy(timeout=50 * SECOND, overlap="queue_one")))
    run = one.run("bad")
    one.turn(1, lambda reading: one.engine.begin(run, reading.wall, reading))
    one.turn(10)
    change(tmp_path, f"{damage}, version = 2")
    one.turn(11, one.end("bad"))

    assert rows(tmp_path, "SELECT outcome, phase FROM run") == [("succeeded", "ended"), (None, "resting")]
    assert one.store.in_flight == []
    assert rows(tmp_path, "SELECT running, records FROM task") == [(1, 1)]
