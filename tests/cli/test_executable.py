"""The real executable, piped and on a terminal: colours, help, exit codes, a missing extra."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from shell import COMMAND, EXAMPLES, environment, on_terminal, piped

import panther_schedule

pytestmark = pytest.mark.real_clock

BROKEN = "check", "broken.json", "--registry", "shop"


def test_colours_are_for_terminals() -> None:
    plain = piped(*BROKEN)

    assert plain.code == 1
    assert "\x1b" not in plain.out + plain.err
    assert on_terminal(*BROKEN).out.startswith("\x1b[31merror:\x1b[0m broken.json:6:7")


@pytest.mark.parametrize(("setting", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_may_want_none(setting: str, value: str) -> None:
    assert "\x1b" not in on_terminal(*BROKEN, folder=EXAMPLES, **{setting: value}).out


def test_a_pipe_may_want_them() -> None:
    assert "\x1b[31m" in piped(*BROKEN, FORCE_COLOR="1").out


def test_a_terminal_and_a_pipe_say_the_same() -> None:
    said = piped("next", "0 9 * * *", "--after", "2026-12-24", "--tz", "Europe/Paris")

    assert said.code == 0
    assert (
        on_terminal("next", "0 9 * * *", "--after", "2026-12-24", "--tz", "Europe/Paris", NO_COLOR="1").out == said.out
    )


def test_it_says_its_version() -> None:
    assert piped("--version") == (0, f"{panther_schedule.__version__}\n", "")


def test_the_help_names_every_command_and_every_exit_code() -> None:
    said = piped("--help")

    assert said.code == 0
    reading = "check", "next", "explain", "timeline", "diff", "run", "schema", "init"
    operating = "status", "history", "pause", "resume", "trigger", "backfill", "apply", "backup"
    for word in (*reading, *operating, "130 Ctrl+C"):
        assert word in said.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nex",), "Did you mean 'next'?"),
        (("next",), "Missing argument 'SOURCE'"),
        (("next", "@daily", "-n", "0"), "-n"),
        (("next", "@daily", "-n", "1000000000"), "-n"),
        (("run", "greetings", "--grace", "inf"), "--grace"),
    ],
)
def test_wrong_usage_ends_with_two(arguments: tuple[str, ...], words: str) -> None:
    said = piped(*arguments)

    assert (said.code, said.out) == (2, "")
    assert words in said.err


def test_a_reader_that_leaves_early_is_no_error() -> None:
    line = f"{COMMAND} next '* * * * *' -n 5000 | head -n 1"
    done = subprocess.run(
        ["bash", "-c", line], cwd=EXAMPLES, env=environment(), capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("every minute\n", "")


def test_ctrl_c_ends_with_130(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n")
    said = piped("next", "slow", folder=tmp_path)

    assert (said.code, said.out, said.err) == (130, "", "")


def test_a_missing_extra_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise ModuleNotFoundError(\"No module named 'typer'\", name='typer')\n")
    said = piped("--help", PYTHONPATH=str(tmp_path))

    assert said.code == 3
    assert said.err == 'error: the command line needs Typer; run pip install "panther-schedule[cli]"\n'


def test_neither_rich_nor_what_a_command_does_not_need_is_imported() -> None:
    line = (
        "import sys, panther_schedule.cli.commands; print({'rich', 'ruamel', 'starlette', 'sqlite3'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=False)

    assert done.stdout == "set()\n"


def test_long_work_says_how_far_it_is_on_a_terminal_alone(tmp_path: Path) -> None:
    (tmp_path / "many.py").write_text(
        "from panther_schedule import BackgroundTask, Cron\n"
        "def greet() -> None: ...\n"
        "rare = Cron('0 0 29 2 sun', tz='Europe/Paris')\n"
        "tasks = [BackgroundTask(greet).with_schedule(rare)] * 20_000\n"
    )
    arguments = "next", "many", "-n", "1"

    assert "\rlooking ahead: " in on_terminal(*arguments, folder=tmp_path).out
    assert piped(*arguments, folder=tmp_path).err == ""


def test_a_closed_stdout_is_no_error() -> None:
    done = subprocess.run(
        ["bash", "-c", f"{COMMAND} next @daily >&-"], cwd=EXAMPLES, env=environment(), capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")


def test_an_svg_is_utf8_in_any_locale(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "from panther_schedule import BackgroundTask\ntasks = [BackgroundTask(print).with_name('\\u4e16')]\n"
    )
    ascii_alone = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    assert piped("timeline", "app", "--svg", "app.svg", folder=tmp_path, **ascii_alone) == (0, "", "")
    assert "\u4e16" in (tmp_path / "app.svg").read_text(encoding="utf-8")
