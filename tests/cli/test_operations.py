"""The commands on a file of tasks, while nobody runs them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from shell import Call, calls, piped, stored_files

from panther_schedule.cli.stored_reports import STORED_REPORTS, Skipped, Stored


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Call]:
    """Call the command line in this process, in a folder with functions and documents."""
    stored_files(tmp_path)
    yield from calls(monkeypatch, capsys, tmp_path)


APPLY = "apply", "tasks.db", "tasks.json", "--registry", "functions:registry"
CHANGE = "apply", "tasks.db", "new.json", "--registry", "functions:registry"


def kinds(out: str) -> dict[str, tuple[str, list[str]]]:
    """Return what becomes of each task, and which of its parts change, of a report in JSON."""
    return {change["task"]: (change["kind"], change["fields"]) for change in json.loads(out)["changes"]}


def dates_hidden(text: str) -> str:
    """Hide which day it is: a test may run on any."""
    return re.sub(r"\w{3} \d{4}-\d\d-\d\d", "DAY", text)


def test_apply_makes_the_file_and_says_so(call: Call, tmp_path: Path) -> None:
    said = call(*APPLY)

    assert (said.code, said.err) == (0, "")
    assert dates_hidden(said.out).splitlines() == [
        "made tasks.db",
        "+  digest  DAY 09:00 UTC",
        "+  prices  DAY 09:00 UTC",
        "2 added, 0 changed, 0 removed, 0 unchanged",
    ]
    assert (tmp_path / "tasks.db").exists()


def test_applying_the_same_again_changes_nothing(call: Call) -> None:
    call(*APPLY)

    assert call(*APPLY) == (0, "0 added, 0 changed, 0 removed, 2 unchanged\n", "")
    assert call(*APPLY, "--dry-run") == (0, "dry run: 0 added, 0 changed, 0 removed, 2 unchanged\n", "")


def test_a_change_is_shown_before_it_is_made(call: Call) -> None:
    call(*APPLY)
    before = call("status", "tasks.db").out
    dry = call(*CHANGE, "--dry-run")

    assert (dry.code, dry.err) == (1, "")
    assert call("status", "tasks.db").out == before
    assert dates_hidden(dry.out).splitlines() == [
        "~  digest  schedule  DAY 09:00 UTC -> DAY 10:00 UTC  starts afresh",
        "+  extra             DAY 09:00 UTC",
        "-  prices            DAY 09:00 UTC",
        "dry run: 1 added, 1 changed, 1 removed, 0 unchanged",
    ]
    made = call(*CHANGE, "--json")
    assert made.code == 0
    assert kinds(made.out) == {
        "digest": ("changed", ["schedule"]),
        "extra": ("added", []),
        "prices": ("removed", []),
    }
    assert call(*CHANGE, "--dry-run").code == 0


def test_a_dry_run_makes_no_file(call: Call, tmp_path: Path) -> None:
    said = call(*APPLY, "--dry-run")

    assert said.code == 1
    assert said.out.splitlines()[0] == "would make tasks.db"
    assert not (tmp_path / "tasks.db").exists()


def test_what_is_refused_makes_no_file(call: Call, tmp_path: Path) -> None:
    said = call("apply", "tasks.db", "unnamed.json", "--registry", "functions:registry")

    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: tasks[0].name: name must be set")
    assert not (tmp_path / "tasks.db").exists()


def test_a_source_removes_only_what_it_has_made(call: Call) -> None:
    call(*APPLY)
    other = call("apply", "tasks.db", "extra.json", "--registry", "functions:registry", "--source", "other", "--json")
    none = call("apply", "tasks.db", "none.json", "--registry", "functions:registry", "--source", "other")

    assert kinds(other.out) == {"extra": ("added", [])}
    assert none.out.splitlines()[-1] == "0 added, 0 changed, 1 removed, 0 unchanged"
    assert [task["task"] for task in json.loads(call("status", "tasks.db", "--json").out)["tasks"]] == [
        "digest",
        "prices",
    ]


def test_a_registry_is_applied_as_it_is(call: Call) -> None:
    assert kinds(call("apply", "tasks.db", "functions:declared", "--json").out) == {"hourly": ("added", [])}


def test_status_shows_each_task(call: Call) -> None:
    call(*APPLY)
    call("pause", "tasks.db", "prices", "--reason", "the shop moves")
    said = call("status", "tasks.db")
    digest, prices = said.out.splitlines()

    assert re.fullmatch(r"digest  \w{3} \d{4}-\d\d-\d\d 09:00 UTC  in .*", digest)
    assert re.fullmatch(r"prices  paused: the shop moves", prices)


NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIRST, LAST = NOW - timedelta(hours=5), NOW - timedelta(hours=2)
MISSED = Skipped(task="digest", reason="missed", first_at=FIRST, last_at=LAST, count=3)


@pytest.mark.parametrize(
    ("known", "cells"),
    [
        ({"next": NOW + timedelta(minutes=5)}, ["Thu 2026-01-01 12:05 UTC", "in 5 min", "", ""]),
        ({"next": NOW - timedelta(days=1, hours=2)}, ["Wed 2025-12-31 10:00 UTC", "due 1 day 2 h ago", "", ""]),
        ({"next": NOW}, ["Thu 2026-01-01 12:00 UTC", "now", "", ""]),
        ({"paused": True, "reason": ""}, ["paused", "", "", ""]),
        ({"paused": True, "reason": "the shop moves"}, ["paused: the shop moves", "", "", ""]),
        ({"ended": True, "last": MISSED}, ["ended", "", "missed 2 h ago", ""]),
        (
            {"counts": {"succeeded": 1_000, "failed": 0, "in_flight": 1}},
            ["after its run", "", "", "1,000 succeeded, 1 in_flight"],
        ),
    ],
)
def test_a_task_is_a_row(known: dict[str, Any], cells: list[str], call: Call) -> None:
    plain: dict[str, Any] = {"next": None, "paused": False, "reason": None, "ended": False, "last": None, "counts": {}}
    task = Stored.model_validate({"task": "digest", **plain, **known})

    assert task.cells(NOW) == ["digest", *cells]


def test_a_range_of_occurrences_is_a_row(call: Call) -> None:
    one = MISSED.model_copy(update={"count": 1})

    assert MISSED.cells() == ["Thu 2026-01-01 07:00 UTC", "digest", "3 missed", "", "until Thu 2026-01-01 10:00 UTC"]
    assert one.cells() == ["Thu 2026-01-01 07:00 UTC", "digest", "1 missed", "", ""]


@pytest.mark.real_clock
def test_people_read_times_in_the_machines_zone(tmp_path: Path) -> None:
    stored_files(tmp_path)
    said = piped(*APPLY, folder=tmp_path, TZ="Europe/Paris")

    assert re.search(r"^\+  digest  \w{3} \d{4}-\d\d-\d\d (10:00 CET|11:00 CEST)$", said.out, re.MULTILINE)


def test_a_pause_ends_with_resume(call: Call) -> None:
    call(*APPLY)
    paused = call("pause", "tasks.db", "digest", "--reason", "the shop moves", "--json")
    resumed = call("resume", "tasks.db", "digest", "--json")
    (before,), (after,) = (json.loads(said.out)["tasks"] for said in (paused, resumed))

    assert (before["paused"], before["reason"], before["next"]) == (True, "the shop moves", None)
    assert (after["paused"], after["reason"], after["next"][10:]) == (False, None, "T09:00:00Z")


def test_a_backfill_is_shown_before_it_is_asked_for(call: Call) -> None:
    call(*APPLY)
    backfill = "backfill", "tasks.db", "digest", "2026-01-01", "2026-01-03T09:00"
    shown = ["Thu 2026-01-01 09:00 UTC", "Fri 2026-01-02 09:00 UTC", "Sat 2026-01-03 09:00 UTC"]

    assert call(*backfill, "--dry-run").out.splitlines() == [*shown, "would ask for 3 runs"]
    assert call("history", "tasks.db", "digest").out == "nothing has happened yet\n"
    assert call(*backfill).out.splitlines() == [*shown, "asked for 3 runs, one after the other"]
    assert call(*backfill, "--dry-run", "--tz", "Europe/Paris").out.splitlines() == [*shown[:2], "would ask for 2 runs"]


def test_a_backup_is_a_file_of_tasks(call: Call) -> None:
    call(*APPLY)

    assert call("backup", "tasks.db", "copy.db") == (0, "wrote copy.db\n", "")
    assert call("status", "copy.db").out == call("status", "tasks.db").out
    assert call("backup", "tasks.db", "copy.db") == (
        3,
        "",
        "error: copy.db: there is a file already; name another one\n",
    )


COMMANDS = {
    "status": ("status", "tasks.db"),
    "history": ("history", "tasks.db"),
    "pause": ("pause", "tasks.db", "digest"),
    "resume": ("resume", "tasks.db", "digest"),
    "trigger": ("trigger", "tasks.db", "digest"),
    "backfill": ("backfill", "tasks.db", "digest", "2026-01-01", "2026-01-03"),
    "backup": ("backup", "tasks.db", "copy.db"),
}


@pytest.mark.parametrize("command", [*COMMANDS, "apply"])
def test_json_is_of_the_published_form(command: str, call: Call) -> None:
    call(*APPLY)
    said = call(*(COMMANDS | {"apply": CHANGE})[command], "--json")
    schema = json.loads(call("schema", "--report", command).out)
    found: dict[str, Any] = json.loads(said.out)

    assert said.code == 0
    assert found["report"] == f"{command}/1"
    assert set(found) == set(schema["properties"])
    assert TypeAdapter(STORED_REPORTS[command]).validate_json(said.out).model_dump(mode="json") == found


@pytest.mark.parametrize("command", COMMANDS)
def test_only_apply_makes_a_file(command: str, call: Call, tmp_path: Path) -> None:
    said = call(*COMMANDS[command])

    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("error: there is no file tasks.db; ")
    assert not (tmp_path / "tasks.db").exists()


@pytest.mark.parametrize("command", [*COMMANDS, "apply"])
@pytest.mark.parametrize("kind", ["text", "another program's"])
def test_a_file_of_something_else_is_refused_and_left_alone(
    kind: str, command: str, call: Call, tmp_path: Path
) -> None:
    file = tmp_path / "tasks.db"
    if kind == "text":
        file.write_text("digest daily 09:00\n" * 100)
    else:
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE task (name TEXT)")
        connection.close()
    before = file.read_bytes()
    said = call(*(COMMANDS | {"apply": APPLY})[command])

    assert (said.code, said.out) == (3, "")
    assert said.err.startswith(f"error: {file}: ")
    assert said.err.count("\n") == 1
    assert file.read_bytes() == before


@pytest.mark.parametrize("command", ["history", "pause", "resume", "trigger", "backfill"])
def test_an_unknown_name_is_refused_with_the_nearest(command: str, call: Call) -> None:
    call(*APPLY)
    line = [{"digest": "digets"}.get(word, word) for word in COMMANDS[command]]
    said = call(*line, *(["digets"] if command == "history" else []))

    assert said == (3, "", "error: tasks.db has no task 'digets'; did you mean 'digest'?\n")


@pytest.mark.parametrize(
    ("arguments", "code", "err"),
    [
        (("backfill", "tasks.db", "digest", "noon", "2026-01-02"), 2, "'noon' is no time; write "),
        (("backfill", "tasks.db", "digest", "2026-01-02", "2026-01-01"), 2, "end must lie between start and now, got"),
        (("backfill", "tasks.db", "digest", "2026-01-02", "9000-01-01"), 2, "end must lie between start and now, got"),
        (("apply", "tasks.db", "0 9 * * *"), 2, "a schedule has no function to run; name a document or a module"),
        (("apply", "tasks.db", "new.json"), 2, "new.json names functions; say where: --registry app.tasks:tasks, or"),
        (("apply", "tasks.db", "functions:tasks"), 2, "functions:tasks does not say by which names"),
        (("apply", "nowhere/tasks.db", "functions:declared"), 3, "{folder}/nowhere/tasks.db: it can't be opened; see"),
        (("backup", "tasks.db", "nowhere/copy.db"), 3, "nowhere/copy.db: No such file or directory"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments: tuple[str, ...], code: int, err: str, call: Call) -> None:
    call(*APPLY)
    said = call(*arguments)

    assert (said.code, said.out) == (code, "")
    assert said.err.startswith(f"error: {err.format(folder=Path.cwd())}")
    assert said.err.count("\n") == 1
