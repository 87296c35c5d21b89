"""What an argument may name, and what is said when it names nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from shell import Call, calls


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Call]:
    """Call the command line in this process."""
    yield from calls(monkeypatch, capsys, tmp_path)


MODULE = """
from datetime import time, timedelta
from panther_schedule import BackgroundTask, Daily, Once, Repeat, Scheduler, TaskRegistry

def greet() -> None: ...

nightly = Daily(time(3), tz="UTC")
tasks = [BackgroundTask(greet), BackgroundTask(greet).with_schedule(Daily(time(4), tz="UTC"))]
one = tasks[1].with_name("one")
numbers = [1, 2]
scheduler = Scheduler()
print("this is no answer")
"""


@pytest.mark.parametrize(
    ("source", "out"),
    [
        ("app", "greet: once, now\ngreet#2: every day at 04:00 in UTC\n"),
        ("app:tasks", "greet: once, now\ngreet#2: every day at 04:00 in UTC\n"),
        ("app:one", "one: every day at 04:00 in UTC\n"),
        ("app:nightly", "every day at 03:00 in UTC\n"),
        ("0 3 * * *", "every day at 03:00\n"),
        ("@hourly", "every hour\n"),
        ('{"kind": "repeat", "n": 2, "wait": "PT5M"}', "every 5 minutes, 2 times\n"),
    ],
)
def test_a_source_is_a_module_an_object_of_one_or_a_schedule(source: str, out: str, call: Call, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(MODULE)
    said = call("explain", source, "--after", "2026-12-24")

    assert said.code == 0
    assert "".join(line + "\n" for line in said.out.splitlines() if line[0] not in " w") == out


@pytest.mark.parametrize("name", ["tasks.toml", "tasks.yaml"])
def test_a_document_may_be_toml_or_yaml(name: str, call: Call, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(MODULE)
    (tmp_path / "tasks.toml").write_text('version = 1\n[[tasks]]\nfunc = "app.greet"\n')
    (tmp_path / "tasks.yaml").write_text("version: 1\ntasks:\n  - func: app.greet\n")
    said = call("explain", name, "--allow", "app")

    assert (said.code, said.out.splitlines()[0]) == (0, "greet: once, now")


@pytest.mark.parametrize(
    ("arguments", "code", "err"),
    [
        (("next", "tasks.json"), 2, "tasks.json names functions; say where: --registry app.tasks:tasks, or ..."),
        (("next", "tasks.json", "--registry", "shop", "--allow", "shop"), 2, "--registry and --allow exclude ..."),
        (("next", "tasks.json", "--registry", "twenty:tasks"), 2, "--registry twenty:tasks must be ..."),
        (("next", "tasks.json", "--registry", "twenty"), 3, "twenty has no TaskRegistry"),
        (("next", "none.json", "--registry", "shop"), 3, "none.json: No such file or directory"),
        (("next", "nowhere.tasks"), 3, "there is no module 'nowhere' in {folder} or on Python's path"),
        (("next", "shop.tasks"), 3, "there is no module 'shop.tasks' in {folder} or on Python's path"),
        (("next", "shop:regist"), 3, "shop has no 'regist'; did you mean 'registry'?"),
        (("next", "json"), 3, "json has no TaskRegistry and no list of tasks"),
        (("next", "a/b"), 2, "'a/b' is no document (.json, .toml, .yaml), no module (app.tasks:tasks) and no schedule"),
        (("next", "@daily", "--tz", "Europe/Pariss"), 2, "zone must be a ZoneInfo or the IANA name of a zone, ..."),
        (("next", "@daily", "--after", "noon"), 2, "'noon' is no time; write 2026-12-24, ..."),
        (("next", '{"kind": "daily", "at": "8"}'), 1, 'at must be a wall-clock time in whole seconds, ...'),
        (("next", '{"kind" "daily"}'), 1, "Expecting ':' delimiter: line 1 column 9 (char 8)"),
        (("timeline", "@daily", "--days", "inf"), 2, "--days inf ends after the year 9999; choose fewer"),
        (("timeline", "@daily", "--after", "9999-12-31"), 2, "--days 1 ends after the year 9999; choose fewer"),
        (("diff", "@daily", "@weekly", "--days", "9" * 20), 2, "--days 1e+20 ends after the year 9999; ..."),
        (("run", "@daily"), 2, "a schedule has no function to run; name a document or a module of tasks"),
    ],
)  # fmt: skip
def test_what_names_nothing_is_refused_in_one_line(arguments: tuple[str, ...], code: int, err: str, call: Call) -> None:
    said = call(*arguments)

    assert (said.code, said.out) == (code, "")
    assert fnmatchcase(said.err, f"error: {err.format(folder=Path.cwd()).replace('...', '*')}\n".replace("[", "[[]"))
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "code", "err"),
    [
        ("1 / 0", 3, "{file}:1: ZeroDivisionError: division by zero"),
        ("import nowhere", 3, "{file}:1: ModuleNotFoundError: No module named 'nowhere'"),
        ("def (", 3, "{file}:1:5: invalid syntax"),
        ("raise SystemExit('no')", 3, "{file}:1: SystemExit: no"),
        ("from panther_schedule import Cron\n\nCron('0 9 * *')", 1, "{file}:3: expression: must have five fields"),
        ("from panther_schedule import *\na, b = TaskRegistry(), TaskRegistry()", 2, "faulty has a and b; write"),
        ("from panther_schedule import *\ns = Scheduler()", 2, "faulty has background_tasks and s; write"),
        ("from panther_schedule import Scheduler\ns = Scheduler()", 2, "faulty is a scheduler, which has tasks only"),
        ("tasks = 3", 3, "faulty has no TaskRegistry and no list of tasks"),
    ],
)  # fmt: skip
def test_a_fault_of_a_module_has_its_line(text: str, code: int, err: str, call: Call, tmp_path: Path) -> None:
    (tmp_path / "faulty.py").write_text(text)
    said = call("next", "faulty")

    assert (said.code, said.out) == (code, "")
    assert said.err.startswith(f"error: {err.format(file=tmp_path / 'faulty.py')}")


def test_a_traceback_is_shown_on_request_alone(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    from panther_schedule.cli.entry import main
    from panther_schedule.cli.faults import Impossible

    monkeypatch.setattr(sys, "argv", ["panther-schedule", "next", "nowhere", "--debug"])
    with pytest.raises(Impossible):
        main()


def test_reading_starts_no_scheduler_and_keeps_stdout_for_the_answer(call: Call, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(MODULE)
    said = call("explain", "app:one")

    assert "this is no answer" not in said.out
    assert said.err == "this is no answer\n"


def test_the_schema_has_the_functions_of_a_registry(call: Call) -> None:
    assert '"send_digest"' in call("schema", "--registry", "shop").out
    assert '"send_digest"' not in call("schema").out
    assert call("schema", "--report", "nothing").code == 2


def test_a_first_document_is_right_and_never_written_over(call: Call, tmp_path: Path) -> None:
    made = call("init", str(tmp_path / "new"))
    (tmp_path / "new" / "tasks.json").rename(tmp_path / "tasks.json")
    (tmp_path / "new" / "scheduled.py").rename(tmp_path / "scheduled.py")
    again = call("init", str(tmp_path))

    assert made.out.splitlines()[-1].endswith("--registry scheduled")
    assert call("check", "tasks.json", "--registry", "scheduled").out == "1 task, 0 faults, 0 warnings\n"
    assert again.code == 3
    assert "nothing was written" in again.err
