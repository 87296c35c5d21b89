"""A file of the first schema is opened by each later version, which goes on with what it finds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import first_schema
import pytest
from ledger_law import Ledger

from panther_schedule import Run, Scheduler, TaskRegistry, VirtualClock
from panther_schedule.sqlite import SQLiteStore
from panther_schedule.sqlite.file import MIGRATIONS

registry = TaskRegistry()
calls: list[int] = []


@registry.register
def work(number: int = 0) -> None:
    """Write down that it was called."""
    calls.append(number)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Such a file."""
    calls.clear()
    file = tmp_path / "tasks.db"
    first_schema.write(file)
    return file


def ask(file: Path, sql: str) -> list[Any]:
    """Ask a file."""
    with closing(sqlite3.connect(file)) as db:
        return db.execute(sql).fetchall()


def schema(file: Path) -> list[tuple[str, str]]:
    """Return the tables and indexes of a file, without their comments and spaces."""
    found = ask(file, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
    lines = [(name, [line.partition("--")[0] for line in sql.splitlines()]) for name, sql in found]
    return [(name, " ".join(" ".join(text).split())) for name, text in lines]


def test_the_first_schema_never_changes(file: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "made.db")) as db:
        db.executescript(MIGRATIONS[0])

    assert schema(tmp_path / "made.db") == schema(file)


def test_the_law_holds_for_what_the_first_version_left(file: Path) -> None:
    assert Ledger(file).faults() == []


def test_this_version_goes_on_with_it(file: Path) -> None:
    """What was cut off is lost, what waits runs, and what was counted stays counted."""
    clock = VirtualClock(datetime.fromtimestamp(first_schema.AT + 66, UTC))
    with Scheduler(store=SQLiteStore(file), registry=registry, clock=clock) as scheduler:
        clock.advance(timedelta(seconds=64))
        handles = {handle.name: handle for handle in scheduler}
        found = {name: {k: n for k, n in handle.counts.items() if n} for name, handle in handles.items()}
        counts, unregistered = dict(scheduler.counts), scheduler.health().unregistered

    assert ask(file, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert found == {
        "grid": {"succeeded": 10, "failed": 1, "missed": 3},
        "queue": {"succeeded": 14},
        "paused": {"cancelled": 1, "skipped_overlap": 1},
        "ended": {"timed_out": 1},
        "set-back": {"succeeded": 9},
        "back-to-back": {"succeeded": 2, "failed": 1, "lost": 1},
        "filled-again": {"succeeded": 1},
        "timed-out": {"succeeded": 8, "timed_out": 1},
        "not-known": {"succeeded": 5, "missed": 2},
    }
    assert counts["succeeded"] == 41 + 1 + sum(count.get("succeeded", 0) for count in found.values())
    assert list(unregistered) == ["not-known"]
    assert handles["paused"].pause_reason == "a reason"
    assert {handle.name for handle in handles.values() if handle.ended} == {"ended", "back-to-back", "filled-again"}
    assert attempts(file, 4) == ["lost", "succeeded"]
    assert attempts(file, 6) == ["failed", "succeeded"]
    assert attempts(file, 18) == ["timed_out", "succeeded"]
    assert ask(file, "SELECT cause, outcome FROM run WHERE id IN (5, 15, 16) ORDER BY id") == [
        ("manual", "succeeded"),
        ("backfill", "succeeded"),
        ("backfill", "succeeded"),
    ]
    assert calls.count(3) == 9, "with the arguments that it was kept with"
    assert ask(file, "SELECT count(*) FROM run WHERE outcome IS NULL OR phase != 'ended'") == [(0,)]
    assert Ledger(file).faults() == []


def attempts(file: Path, run: int) -> list[str]:
    """Return how the attempts of a run have ended."""
    ((outcomes,),) = ask(file, f"SELECT group_concat(value -> 2) FROM run, json_each(attempts) WHERE run.id = {run}")  # noqa: S608 - of this file
    return [each.strip('"') for each in outcomes.split(",")]


def test_what_was_recorded_is_read(file: Path) -> None:
    runs = [record for _, record in SQLiteStore(file).records("grid") if isinstance(record, Run)]

    assert [run.outcome for run in runs] == ["succeeded", "failed", "succeeded"]
    assert runs[1].error is not None
    assert str(runs[1].error) == "ValueError: a failure"
    assert runs[1].error.is_a(ValueError)
    assert runs[2].attempt == 2
