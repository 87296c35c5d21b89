"""What the type checkers find in two configurations: nothing in the good one, each line of its broken twin."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from mypy import api

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
BROKEN = EXAMPLES / "config_broken.py"

FILES = ["config.py", "config_broken.py"]

FAULTS = {  # a part of the line: mypy's code, pyright's rule
    "(send_otp),": ("call-arg", "reportCallIssue"),
    "nmae": ("call-arg", "reportCallIssue"),
    "name=7": ("arg-type", "reportArgumentType"),
    'send_otp("Ali")': ("arg-type", "reportArgumentType reportCallIssue"),  # what it returned is no function
    'day="2026-01-01"': ("arg-type", "reportArgumentType"),
    ", 3)": ("call-arg", "reportCallIssue"),
    "interval(2.5)": ("arg-type", "reportArgumentType"),
    "interval_wait(300)": ("arg-type", "reportArgumentType"),
    'on_time("08:00")': ("arg-type", "reportArgumentType"),
    "on_time(time(8)).interval_wait": ("arg-type", "reportArgumentType"),
    "interval_wait(timedelta(minutes=5)).on_time": ("arg-type", "reportArgumentType"),
}


def expected(checker: int) -> set[tuple[int, str]]:
    lines = BROKEN.read_text().splitlines()
    return {
        (number, code)
        for part, codes in FAULTS.items()
        for code in codes[checker].split()
        for number, line in enumerate(lines, 1)
        if part in line
    }


@pytest.fixture(scope="module")
def mypy_errors(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    options = ["--strict", "--config-file=", f"--cache-dir={tmp_path_factory.mktemp('mypy')}", "--no-error-summary"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(EXAMPLES)
        out, err, _ = api.run([*options, *FILES])
    assert not err
    return [line for line in out.splitlines() if ": error: " in line]


@pytest.fixture(scope="module")
def pyright_errors(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    project = tmp_path_factory.mktemp("pyright")
    for name in FILES:  # pyright takes no file outside its project
        shutil.copy(EXAMPLES / name, project)
    settings = {"include": FILES, "typeCheckingMode": "strict", "extraPaths": [str(ROOT)]}
    (project / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "-p", str(project), "--pythonpath", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["summary"]["filesAnalyzed"] == len(FILES)
    return cast("list[dict[str, Any]]", result["generalDiagnostics"])


def test_every_fault_has_its_line() -> None:
    assert len({line for line, _ in expected(0)}) == len(FAULTS)


def test_mypy_names_each_broken_line_and_no_other(mypy_errors: list[str]) -> None:
    found = [re.fullmatch(r"config_broken\.py:(\d+): error: .*\[(.+)\]", error) for error in mypy_errors]
    assert all(found), mypy_errors
    assert {(int(match[1]), match[2]) for match in found if match} == expected(0)


def test_mypy_says_which_two_settings_exclude_each_other(mypy_errors: list[str]) -> None:
    assert sum('expected "OnTimeExcludesIntervalWait"' in error for error in mypy_errors) == 2


def test_pyright_names_each_broken_line_and_no_other(pyright_errors: list[dict[str, Any]]) -> None:
    assert {Path(fault["file"]).name for fault in pyright_errors} == {BROKEN.name}
    assert {(fault["range"]["start"]["line"] + 1, fault["rule"]) for fault in pyright_errors} == expected(1)
