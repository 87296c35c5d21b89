"""What the commands that read say, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from shell import Call, calls

from panther_schedule.cli.faults import Fault
from panther_schedule.cli.reports import REPORTS


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Call]:
    """Call the command line in this process."""
    yield from calls(monkeypatch, capsys, tmp_path)


READ = {
    "check": ("check", "broken.json", "--registry", "shop"),
    "next": ("next", "tasks.json", "--registry", "shop", "--after", "2026-12-24"),
    "explain": ("explain", "shop", "--after", "2026-12-24"),
    "timeline": ("timeline", "tasks.json", "--registry", "shop", "--after", "2026-12-24"),
    "diff": ("diff", "tasks.json", "new.json", "--registry", "shop", "--after", "2026-12-24"),
}


@pytest.mark.parametrize("command", READ)
def test_json_is_of_the_published_form(command: str, call: Call) -> None:
    plain, as_json = call(*READ[command]), call(*READ[command], "--json")
    schema = json.loads(call("schema", "--report", command).out)
    found = json.loads(as_json.out)

    assert as_json.code == plain.code
    assert found["report"] == f"{command}/1"
    assert set(found) == set(schema["properties"])
    assert TypeAdapter(REPORTS[command]).validate_json(as_json.out).model_dump(mode="json") == found


def test_the_next_occurrences_of_all_tasks_are_in_order_of_time(call: Call) -> None:
    found = json.loads(call(*READ["next"], "-n", "4", "--json").out)

    assert [(run["task"], run["at"]) for run in found["runs"]] == [
        ("prices", "2026-12-24T04:30:00+01:00"),
        ("digest", "2026-12-24T09:00:00+01:00"),
        ("prices", "2026-12-25T04:30:00+01:00"),
        ("digest", "2026-12-25T09:00:00+01:00"),
    ]
    assert {run["timezone"] for run in found["runs"]} == {"Europe/Paris"}


def test_a_schedule_that_has_ended_runs_no_more(call: Call) -> None:
    said = call("next", '{"kind": "daily", "at": "08:00", "end_at": "2026-01-01T00:00:00Z"}', "--after", "2026-12-24")

    assert said == (0, "every day at 08:00, not after 2026-01-01 00:00:00 UTC\nnothing will run\n", "")


@pytest.mark.parametrize(
    ("after", "first"),
    [
        ("2026-12-24", "Thu 2026-12-24 00:30 CET"),
        ("2026-12-23T23:30:00+00:00", "Thu 2026-12-24 01:00 CET"),
        ("2026-12-24T00:30+01:00", "Thu 2026-12-24 01:00 CET"),
    ],
)
def test_a_time_without_an_offset_is_on_the_clock_of_the_zone(after: str, first: str, call: Call) -> None:
    said = call("next", "*/30 * * * *", "--tz", "Europe/Paris", "--after", after, "-n", "1")

    assert said.out.splitlines()[1].startswith(first)


def test_how_far_off_it_is_has_the_two_largest_units(call: Call) -> None:
    said = call("next", "15 10 24,26 12 *", "--tz", "UTC", "--after", "2026-12-24T10:14:30", "-n", "3")

    assert [line.partition("UTC  ")[2] for line in said.out.splitlines()[1:]] == ["in 30 s", "in 2 days", "in 365 days"]


def test_what_begins_at_once_is_now(call: Call) -> None:
    said = call("next", '{"kind": "repeat", "n": 2, "wait": "PT90S"}', "--after", "2026-12-24T00:00Z")

    assert [line.partition("UTC")[2].strip() for line in said.out.splitlines()[1:]] == ["now", "in 1 min 30 s"]


def test_every_fault_has_its_place_and_its_type(call: Call) -> None:
    said = call("check", "broken.json", "--registry", "shop", "--json")
    found = json.loads(said.out)
    lines: list[str] = Path("broken.json").read_text().splitlines()

    assert said.code == 1
    assert [(it["type"], it["path"]) for it in found["faults"]] == [
        ("unknown_function", "tasks[0].func"),
        ("extra_forbidden", "tasks[0].schedule.timezone"),
        ("unknown_argument", "tasks[1].kwargs.to"),
        ("clock_time", "tasks[1].schedule.at"),
        ("time_zone", "tasks[1].schedule.tz"),
    ]
    for place in found["faults"]:
        fault = Fault.model_validate(place)
        line, column = lines[(fault.line or 0) - 1], fault.column or 0
        assert line[column - 1 :].startswith(f'"{fault.path.rpartition(".")[2]}"')


def test_warnings_are_no_faults_unless_they_are_to_be(call: Call) -> None:
    line = "check", "*/45 * * * *", "--tz", "UTC"

    assert call(*line).code == 0
    assert call(*line, "--strict").code == 1
    assert "[uneven_step]" in call(*line).out


def test_equal_sources_do_not_differ(call: Call) -> None:
    said = call("diff", "tasks.json", "tasks.json", "--registry", "shop")

    assert said == (0, "0 added, 0 gone, 0 moved\n", "")


def test_occurrences_are_added_gone_or_moved(call: Call) -> None:
    said = call("diff", "0 9 * * mon,tue", "0 9,10 * * tue,wed", "--tz", "UTC", "--after", "2026-12-21", "--days", "3")

    assert said.code == 1
    assert said.out.splitlines() == [
        "-  Mon 2026-12-21 09:00 UTC",
        "+  Tue 2026-12-22 10:00 UTC",
        "+  Wed 2026-12-23 09:00 UTC",
        "+  Wed 2026-12-23 10:00 UTC",
        "3 added, 1 gone, 0 moved",
    ]


def test_a_task_of_one_side_alone_is_added_or_gone(call: Call) -> None:
    said = call("diff", "shop", "tasks.json", "--registry", "shop", "--after", "2026-12-24", "--days", "1")

    assert said.out.splitlines() == [
        "-  clean_up  Thu 2026-12-24 03:00 CET",
        "+  prices    Thu 2026-12-24 04:30 CET",
        "+  digest    Thu 2026-12-24 09:00 CET",
        "2 added, 1 gone, 0 moved",
    ]


def test_too_many_occurrences_to_compare_are_refused(call: Call) -> None:
    said = call("diff", "* * * * *", "*/2 * * * *", "--days", "30")

    assert said == (2, "", "error: the schedule has more than 10,000 occurrences in this span; choose fewer --days\n")


def test_a_document_cannot_command_the_terminal(call: Call, tmp_path: Path) -> None:
    """Its names and keys are shown without control characters, and are as they were in JSON."""
    item = {"func": "app.greet", "name": "\x1b]0;title\x07", "kwargs": {}, "schedule": {"kind": "daily", "at": "08:00"}}
    (tmp_path / "app.py").write_text("def greet() -> None: ...\n")
    (tmp_path / "right.json").write_text(json.dumps({"version": 1, "tasks": [item]}))
    (tmp_path / "wrong.json").write_text(json.dumps({"version": 1, "tasks": [{**item, "kwargs": {"\x1b[2J": 1}}]}))

    for command in ("next", "explain", "check", "timeline"):
        assert "\x1b" not in call(command, "right.json", "--allow", "app").out
        said = call(command, "wrong.json", "--allow", "app")
        assert said.code == 1
        assert "\x1b" not in said.out + said.err
    assert json.loads(call("next", "right.json", "--allow", "app", "--json").out)["runs"][0]["task"] == item["name"]


def test_json_can_hold_any_name(call: Call, tmp_path: Path) -> None:
    """JSON is ASCII, whatever the name and the encoding of the terminal."""
    (tmp_path / "odd.py").write_text(
        "from panther_schedule import BackgroundTask\n"
        "tasks = [BackgroundTask(print).with_name(name) for name in ('\\U0001f40e', '\\u4e16\\u754c')]\n"
    )
    for command in ("next", "explain", "timeline"):
        said = call(command, "odd", "--json")
        assert said.out.isascii()
        assert "\\ud83d\\udc0e" in said.out
        assert "\\u4e16\\u754c" in said.out
        json.loads(said.out)
