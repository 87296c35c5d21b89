"""The commands on a file of tasks, while a scheduler in another process runs them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from shell import Call, calls, environment, piped, stored_files

pytestmark = pytest.mark.real_clock

WORKER = """
import sys
from functions import registry
from panther_schedule import Scheduler
from panther_schedule.sqlite import SQLiteStore

with Scheduler(store=SQLiteStore("tasks.db"), registry=registry):
    print("started", flush=True)
    sys.stdin.read()
"""
PATIENCE_S = 60


class Worker(NamedTuple):
    """A process that runs the tasks of a file, and prints a line for each run."""

    folder: Path
    process: subprocess.Popen[str]

    def says(self, line: str) -> None:
        """Wait for a line."""
        assert self.process.stdout is not None
        while (said := self.process.stdout.readline().strip()) != line:
            assert said, f"the process ended before {line!r}"

    def ran(self, run: str) -> None:
        """Wait for a run in this process."""
        self.says(f"{self.process.pid} {run}")


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """A process that runs the tasks of `live.json`: one that ticks, and two that somebody has to trigger."""
    folder = tmp_path_factory.mktemp("live")
    stored_files(folder)
    assert piped("apply", "tasks.db", "live.json", "--registry", "functions:registry", folder=folder).code == 0
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", WORKER],
        cwd=folder,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        running = Worker(folder, process)
        running.says("started")
        yield running
        process.communicate()
    assert process.returncode == 0


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], worker: Worker) -> Iterator[Call]:
    """Call the command line in this process."""
    yield from calls(monkeypatch, capsys, worker.folder)


def history(call: Call, name: str, enough: Callable[[list[Any]], bool]) -> list[Any]:
    """Return the records of a task once there are enough."""
    records: list[Any] = []
    for _ in range(PATIENCE_S * 20):
        records = json.loads(call("history", "tasks.db", name, "-n", "1000", "--json").out)["records"]
        if enough(records):
            return records
        time.sleep(0.05)
    raise AssertionError(records)


def runs(records: list[Any]) -> list[datetime]:
    """Return when the runs were due."""
    return [datetime.fromisoformat(record["scheduled_at"]) for record in records if record["kind"] == "run"]


def pauses(records: list[Any]) -> list[Any]:
    """Return the records of pauses."""
    return [record for record in records if record.get("reason") == "skipped_paused"]


def test_a_pause_holds_in_the_process_that_runs_the_task(call: Call) -> None:
    history(call, "tick", lambda records: len(runs(records)) > 1)
    call("pause", "tasks.db", "tick", "--reason", "the shop moves")
    time.sleep(0.3)  # six occurrences
    call("resume", "tasks.db", "tick")

    def goes_on(records: list[Any]) -> bool:
        return bool(pauses(records)) and records[-1]["kind"] == "run"

    records = history(call, "tick", goes_on)
    (pause,) = pauses(records)
    assert pause["count"] >= 5
    first, last = (datetime.fromisoformat(pause[field]) for field in ("first_at", "last_at"))
    assert [at for at in runs(records) if first <= at <= last] == []


def test_what_is_triggered_runs_in_the_process_that_runs_the_tasks(call: Call, worker: Worker) -> None:
    run = json.loads(call("trigger", "tasks.db", "digest", "--json").out)["run"]["id"]
    worker.ran(run)

    records = history(call, "digest", lambda records: run in [record["id"] for record in records])
    (record,) = [record for record in records if record["id"] == run]
    assert (record["cause"], record["outcome"], record["attempts"]) == ("manual", "succeeded", 1)


def test_a_backfill_runs_there_one_after_the_other(call: Call, worker: Worker) -> None:
    asked = json.loads(call("backfill", "tasks.db", "prices", "2026-01-01", "2026-01-04", "--json").out)["runs"]
    for run in asked:
        worker.ran(run["id"])

    records = history(call, "prices", lambda records: len(records) == 3)
    assert runs(records) == [datetime(2026, 1, day, 9, tzinfo=UTC) for day in (1, 2, 3)]
    assert {record["cause"] for record in records} == {"backfill"}


def test_history_says_in_a_line_what_a_function_raised(call: Call) -> None:
    call("trigger", "tasks.db", "shaky")
    (record,) = history(call, "shaky", bool)

    assert record["error"]["text"] == "no answer\nat all"
    (line,) = call("history", "tasks.db", "shaky").out.splitlines()
    assert line.endswith("manual, ConnectionError: no answer")
    assert "failed" in line


def test_the_history_of_all_tasks_names_them(call: Call) -> None:
    for name in ("tick", "hourly"):
        history(call, name, bool)
    records = json.loads(call("history", "tasks.db", "-n", "1000", "--json").out)["records"]

    assert {"tick", "hourly"} <= {record["task"] for record in records}


def test_what_is_applied_runs_there_too(call: Call, worker: Worker) -> None:
    call("apply", "tasks.db", "functions:tasks", "--registry", "functions:registry", "--source", "more")
    worker.ran(history(call, "one", bool)[0]["id"])


def test_a_backup_is_made_while_tasks_run(worker: Worker) -> None:
    assert piped("backup", "tasks.db", "copy.db", folder=worker.folder).code == 0

    said = piped("status", "copy.db", folder=worker.folder)
    assert (said.code, said.err) == (0, "")
    assert {"tick", "digest", "shaky"} <= {line.split()[0] for line in said.out.splitlines()}
