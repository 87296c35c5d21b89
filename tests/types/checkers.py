"""Runs type checkers over the files in `lines`, where `# E` marks the lines that must be errors."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).parents[2]
FILES = sorted((Path(__file__).parent / "lines").glob("*.py"))
_PLACE = re.compile(r"^(?=ERROR|.*\berror\b).*?(\w+\.py):(\d+):(.*)$", re.MULTILINE)

Line: TypeAlias = tuple[str, int]
Checker: TypeAlias = Callable[[Path], dict[Line, str]]


def wanted(checker: str = "all") -> set[Line]:
    """The lines with an error: those with `# E`, unless `: not` names this checker; and those with its `# alarm`."""
    found: set[Line] = set()
    for path in FILES:
        for at, line in enumerate(path.read_text().splitlines(), 1):
            _code, _, mark = line.partition("  # ")
            kind, _, names = mark.partition(": ")
            named = checker in names.removeprefix("not ").split(", ")
            if (kind == "E" and not named) or (kind == "alarm" and named):
                found.add((path.name, at))
    return found


def _printed(place: Path, *command: str) -> dict[Line, str]:
    """Run a checker that prints a line for each fault."""
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    found = {(match[1], int(match[2])): match[3] for match in _PLACE.finditer(done.stdout)}
    assert found, done.stdout + done.stderr
    return found


def mypy(*options: str) -> Checker:
    return lambda place: _printed(
        place, sys.executable, "-m", "mypy", "--config-file=", f"--cache-dir={place}", *options, *map(str, FILES)
    )


def pyright(mode: str, module: str = "pyright") -> Checker:
    return partial(_pyright, mode, module)


def _pyright(mode: str, module: str, place: Path) -> dict[Line, str]:
    for path in FILES:  # it takes no file outside its project
        shutil.copy(path, place)
    settings = {"typeCheckingMode": mode, "extraPaths": [str(ROOT)]}
    (place / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", module, "--outputjson", "-p", str(place), "--pythonpath", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found: list[dict[str, Any]] = json.loads(done.stdout)["generalDiagnostics"]
    return {
        (Path(fault["file"]).name, fault["range"]["start"]["line"] + 1): fault["message"]
        for fault in found
        if fault["severity"] == "error"
    }


def ty(place: Path) -> dict[Line, str]:
    options = ["check", "--python", sys.prefix, "--extra-search-path", str(ROOT), "--output-format", "concise"]
    return _printed(place, "ty", *options, *map(str, FILES))


def pyrefly(place: Path) -> dict[Line, str]:
    options = ["check", "--output-format", "min-text", "--python-interpreter-path", sys.executable]
    return _printed(place, "pyrefly", *options, *map(str, FILES))


TESTED: dict[str, Checker] = {
    "mypy": mypy(),
    "mypy --strict": mypy("--strict"),
    "pyright": pyright("standard"),
    "pyright strict": pyright("strict"),
    "basedpyright": pyright("standard", "basedpyright"),
}
REPORTED: dict[str, Checker] = {"ty": ty, "pyrefly": pyrefly}
"""These change from week to week, so bench/type_checkers.py only counts what they miss."""
