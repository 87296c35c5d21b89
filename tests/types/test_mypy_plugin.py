"""The mypy plugin: what it refuses and what it leaves alone, in whole runs, in incremental ones and in the daemon."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from mypy_runs import CONFIG, Finding, Project, findings
from pydantic import ValidationError

from panther_schedule.mypy.options import read_options
from panther_schedule.mypy.refusals import Attempt

FILES = Path(__file__).parent / "plugin"
WRONG = (FILES / "wrong.py").read_text().splitlines()
IGNORE = "# type: " + "ignore[panther-schedule]"
MARKS = {line: mark for line, text in enumerate(WRONG, 1) if (mark := re.search(r"  # E (\d+): (.+)", text))}


def shown(found: Iterable[Finding]) -> list[str]:
    return [*map(str, found)]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all projects, since mypy needs most of its time for pydantic."""
    return tmp_path_factory.mktemp("mypy")


@pytest.fixture
def project(tmp_path: Path, cache: Path) -> Project:
    return Project(tmp_path, cache)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> list[Finding]:
    """What mypy finds in the two files of many lines."""
    both = Project(tmp_path_factory.mktemp("files"), cache)
    for name in ("wrong.py", "right.py"):
        both.write(name, (FILES / name).read_text())
    return both.check("wrong.py", "right.py")


def test_each_wrong_line_is_refused_once_at_its_column(found: list[Finding]) -> None:
    """A refusal is an error at its argument, with one code."""
    assert len(MARKS) >= 60
    assert [(one.line, one.column, one.kind, one.code) for one in found if one.file == "wrong"] == [
        (line, int(mark[1]), "error", "panther-schedule") for line, mark in MARKS.items()
    ]


def test_each_refusal_is_in_the_words_of_the_library(found: list[Finding]) -> None:
    """What mypy says is what the call says when it runs."""
    program: dict[str, Any] = {}
    exec(compile("\n".join(WRONG[: min(MARKS) - 1]), "wrong.py", "exec"), program)  # noqa: S102 - a file of ours
    for one in found:
        if one.file == "wrong":
            assert MARKS[one.line][2] in one.said
            assert one.said in raised(WRONG[one.line - 1], program)
    program["scheduler"].stop()


def raised(text: str, program: dict[str, Any]) -> list[str]:
    """Return the first lines of what a line of the program is refused for."""
    try:
        made = eval(text, program)  # noqa: S307 - as above
        if callable(made):  # a decorator
            made(lambda: None)
    except ValidationError as error:
        return [line["msg"].split("\n")[0] for line in error.errors()]
    except (ValueError, KeyError) as error:
        return [error.args[0]]
    return []


def test_what_is_right_or_unknown_is_left_alone(found: list[Finding]) -> None:
    """There are no false alarms."""
    body = ast.parse((FILES / "right.py").read_text()).body
    assert sum(isinstance(statement, ast.Expr) for statement in body) >= 60
    assert shown(one for one in found if one.file == "right") == []


SETTINGS = 'from datetime import timedelta\n\nWAIT = timedelta(minutes={minutes})\nZONE = "Europe/{city}"\n'
DEEP = "from settings import WAIT\n\nTWICE = 2 * WAIT\n"
USES = """
from datetime import time

import deep
from panther_schedule import Daily, Repeat
from settings import ZONE

Repeat(5, deep.TWICE)
Daily(time(8), tz=ZONE)
"""
BOTH = ["uses:8:11 wait [panther-schedule]", "uses:9:19 tz [panther-schedule]"]


def write_settings(project: Project, minutes: int, city: str) -> None:
    project.write("settings.py", SETTINGS.format(minutes=minutes, city=city))


def test_constants_of_other_modules_are_known_and_followed_by_the_cache(project: Project) -> None:
    """A warm cache gives the same errors, and a changed constant is checked where it is used."""
    write_settings(project, -5, "Berln")
    project.write("deep.py", DEEP)
    project.write("uses.py", USES)
    files = ("uses.py", "deep.py", "settings.py")
    assert shown(project.check(*files)) == BOTH
    assert shown(project.check(*files)) == BOTH
    project.write("uses.py", f"{USES}Repeat(0)\n")  # the others come from the cache, without their code
    assert shown(project.check(*files)) == [*BOTH, "uses:10:8 n [panther-schedule]"]
    project.write("uses.py", USES)
    write_settings(project, 5, "Berln")
    assert shown(project.check(*files)) == BOTH[1:]
    write_settings(project, 5, "Berlin")
    assert shown(project.check(*files)) == []
    write_settings(project, -5, "Berlin")
    assert shown(project.check(*files)) == BOTH[:1]
    project.write("settings.py", f"{SETTINGS.format(minutes=-5, city='Berlin')}if ZONE:\n    WAIT = 5 * WAIT\n")
    assert shown(project.check(*files)) == []


def test_constants_of_constants_are_followed_by_the_cache(project: Project) -> None:
    """A module is checked again when a constant changes that it knows only through others."""
    project.write("uses.py", "from deep import TWICE\nfrom panther_schedule import Repeat\n\nRepeat(5, TWICE)\n")
    project.write("deep.py", DEEP)
    files = ("uses.py", "deep.py", "settings.py")
    for minutes, wanted in ((5, []), (-5, ["uses:4:11 wait [panther-schedule]"]), (6, [])):
        write_settings(project, minutes, "Berlin")
        assert shown(project.check(*files)) == wanted


def test_what_mypy_refuses_by_its_type_is_not_said_again(project: Project) -> None:
    """A fault is one error; the other arguments of the call are checked."""
    project.write(
        "uses.py",
        "from panther_schedule import BackgroundTask, Daily, Repeat, Weekly\n\n"
        'Daily("08:00")\n'
        'Daily("08:00", tz="Mars/Base")\n'
        "Repeat(0, 300)\n"
        "Repeat(0, weight=5)\n"
        'BackgroundTask(print).interval("5")\n'
        "Daily(8) | Repeat(5)\n"
        'Weekly("monday", None, every=0)\n',
    )
    found = project.check("uses.py")
    assert shown(one for one in found if one.code == "panther-schedule") == [
        "uses:4:19 tz [panther-schedule]",
        "uses:5:8 n [panther-schedule]",
        "uses:6:8 n [panther-schedule]",
        "uses:9:30 every [panther-schedule]",
    ]
    assert {one.line for one in found} == {3, 4, 5, 6, 7, 8, 9}


def test_an_ignore_names_the_code(project: Project) -> None:
    """An error is silenced as any other of mypy's."""
    project.write(
        "uses.py",
        "from panther_schedule import Cron, Repeat\n\n"
        f"Repeat(0)  {IGNORE}\nRepeat(1)  {IGNORE}\n"
        'Cron("61 * * * *", tz="Mars/Base")\n',
    )
    assert shown(project.check("uses.py")) == [
        "uses:4:0 Unused [unused-ignore]",
        "uses:5:7 expression: [panther-schedule]",
        "uses:5:23 tz [panther-schedule]",
    ]


LINTED = """
from datetime import time, timedelta

from panther_schedule import BackgroundTask, Daily, Monthly, Repeat, background_tasks

NIGHT = Daily(time(2, 30), tz="Europe/Berlin")
Monthly(31, time(8), tz="UTC")
background_tasks.add_task(BackgroundTask(print).interval(-1))
background_tasks.add_task(BackgroundTask(print).interval(-1).interval_wait(timedelta(minutes=5)))
background_tasks.add_task(BackgroundTask(print).with_schedule(NIGHT))
"""


def test_likely_mistakes_are_notes_when_asked_for(project: Project) -> None:
    """With `lint = true` each schedule is linted where it is made, and a task where it is added."""
    project.write("uses.py", LINTED)
    assert shown(project.check("uses.py")) == []
    project.write("pyproject.toml", f"{CONFIG}\n[tool.panther_schedule]\nlint = true\n")
    noted = project.check("uses.py")
    assert shown(noted) == [
        "uses:6:9 02:30 [note]",
        "uses:6:9 02:30 [note]",
        "uses:7:1 it [note]",
        "uses:8:1 it [note]",
    ]
    assert noted[-1].said == "it runs back to back for ever; add a wait, as in Repeat(-1, timedelta(minutes=5))"
    project.write("pyproject.toml", CONFIG)
    assert shown(project.check("uses.py")) == []


def test_constants_of_constants_keep_mypy_from_nothing(project: Project) -> None:
    """A circle has no value, and a long chain is no work."""
    chain = "".join(f"W{n + 1} = W{n} + W{n}\n" for n in range(60))
    project.write("circle.py", "A = B\nB = A\n")
    project.write(
        "uses.py",
        "from datetime import timedelta\n\nfrom circle import A\n"
        f"from panther_schedule import Repeat\n\nW0 = timedelta(microseconds=1)\n{chain}"
        "Repeat(5, -W20)\nRepeat(A)\nRepeat(5, -W60)\nC = (D,)\nD = (C,)\nRepeat(C)\n",
    )
    assert "uses:67:11 wait [panther-schedule]" in shown(project.check("uses.py"))


def test_a_fault_of_the_plugin_does_not_end_mypy(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What raises in the plugin is not known, and the rest is checked."""

    def fail(*_args: object, **_options: object) -> None:
        raise RecursionError

    monkeypatch.setattr(Attempt, "refusals", fail)
    project.write("uses.py", "from panther_schedule import Repeat\n\nRepeat(0)\nRepeat()\n")
    assert [one.code for one in project.check("uses.py")] == ["call-arg"]


def test_only_the_plugin_imports_mypy() -> None:
    """A program that does not check itself needs no mypy."""
    program = "import sys, panther_schedule; print([name for name in sys.modules if 'mypy' in name])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("name", "text", "lint", "said"),
    [
        ("pyproject.toml", "[tool.panther_schedule]\nlint = true\n", True, ""),
        ("pyproject.toml", "[tool.other]\nlint = true\n", False, ""),
        ("pyproject.toml", "[tool.panther_schedule]\nlint = 1\n", False, "lint must be true or false, got 1"),
        (
            "pyproject.toml",
            "[tool.panther_schedule]\nlin = true\n",
            False,
            "unknown option 'lin'; the only one is lint",
        ),
        ("mypy.ini", "[panther_schedule]\nlint = True\n", True, ""),
        ("mypy.ini", "[mypy]\n", False, ""),
        ("setup.cfg", "[panther_schedule]\nlint = perhaps\n", False, "lint must be true or false, got 'perhaps'"),
    ],
)
def test_the_options_stand_in_the_file_that_configures_mypy(
    name: str, text: str, lint: bool, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong option is told on stderr, and has its default."""
    path = tmp_path / name
    path.write_text(text)
    assert read_options(str(path)).lint is lint
    err = capsys.readouterr().err
    assert said in err
    assert bool(said) == bool(err)


def test_without_a_file_the_options_have_their_defaults() -> None:
    assert not read_options(None).lint


@pytest.mark.real_clock
def test_the_daemon_finds_the_same(project: Project) -> None:
    """A daemon that lives on sees what changed, as a whole run does."""
    write_settings(project, -5, "Berln")
    project.write("deep.py", DEEP)
    project.write("uses.py", USES)
    status = project.folder / "dmypy.json"

    def daemon(*command: str) -> str:
        line = [sys.executable, "-m", "mypy.dmypy", "--status-file", str(status), *command]
        return subprocess.run(line, cwd=project.folder, capture_output=True, text=True, check=False).stdout

    def check() -> list[str]:
        names = ("uses.py", "deep.py", "settings.py")
        out = daemon("run", "--timeout", "60", "--", *project.options, "--no-error-summary", *names)
        return shown(findings(out.removeprefix("Daemon started\n")))

    try:
        assert check() == BOTH
        assert check() == BOTH
        project.write("uses.py", f"{USES}Repeat(0)\n")
        assert check() == [*BOTH, "uses:10:8 n [panther-schedule]"]
        project.write("uses.py", USES)
        write_settings(project, 5, "Berln")
        assert check() == BOTH[1:]
        write_settings(project, 5, "Berlin")
        assert check() == []
    finally:
        daemon("kill")
