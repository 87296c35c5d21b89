"""The command line, called in this process or as the real executable, piped or on a terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from panther_schedule.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples" / "cli"
COMMAND = str(Path(sys.executable).parent / "panther-schedule")


class Said(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


Call = Callable[..., Said]


def calls(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Call]:
    """Call `main()` in the folder of the examples, or in `tmp_path` once the test has put a file there."""
    before = set(sys.modules)
    monkeypatch.setenv("PANTHER_SCHEDULE_DISABLED", "1")  # as the command does; it is taken back here
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(sys, "path", [*sys.path])

    def run(*arguments: str) -> Said:
        monkeypatch.chdir(tmp_path if any(tmp_path.iterdir()) else EXAMPLES)
        monkeypatch.setattr(sys, "argv", ["panther-schedule", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        assert isinstance(code, int)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    yield run
    for name in set(sys.modules) - before:
        if not name.startswith(("panther_schedule", "typer")):
            del sys.modules[name]
    monkeypatch.undo()
    time.tzset()


FUNCTIONS = """
import os
from datetime import timedelta
from panther_schedule import BackgroundTask, Repeat, TaskRegistry, current_run

registry = TaskRegistry()

@registry.register
def note() -> None:
    print(os.getpid(), current_run().id, flush=True)

@registry.register
def fail() -> None:
    raise ConnectionError("no answer\\nat all")

@registry.register
def look() -> None: ...

declared = TaskRegistry()

@declared.scheduled(Repeat(-1, timedelta(hours=1)))
def hourly() -> None: ...

tasks = [BackgroundTask(note).with_name("one")]
"""


def stored_files(folder: Path) -> None:
    """Write a module with functions, and documents that name them."""

    def item(name: str, hour: int) -> dict[str, object]:
        return {"name": name, "func": "note", "schedule": {"kind": "daily", "at": f"{hour:02}:00", "tz": "UTC"}}

    documents = {
        "tasks": [item("digest", 9), item("prices", 9)],
        "new": [item("digest", 10), item("extra", 9)],
        "extra": [item("extra", 9)],
        "none": [],
        "unnamed": [{"func": "note"}],
        "live": [
            item("digest", 9),
            item("prices", 9),
            item("shaky", 9) | {"func": "fail"},
            item("hourly", 9) | {"func": "look", "schedule": {"kind": "repeat", "n": -1, "wait": "PT1H"}},
            item("tick", 9) | {"func": "look", "schedule": {"kind": "repeat", "n": -1, "wait": "PT0.05S"}},
        ],
    }
    (folder / "functions.py").write_text(FUNCTIONS)
    for name, items in documents.items():
        (folder / f"{name}.json").write_text(json.dumps({"version": 1, "tasks": items}))


def environment(**settings: str) -> dict[str, str]:
    """Return the environment of a command, without what would colour it."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    return inherited | {"TZ": "UTC", "TERM": "xterm", "COLUMNS": "80"} | settings


def piped(*arguments: str, folder: Path = EXAMPLES, **settings: str) -> Said:
    """Call the executable with pipes."""
    done = subprocess.run(
        [COMMAND, *arguments], cwd=folder, env=environment(**settings), capture_output=True, text=True, check=False
    )
    return Said(done.returncode, done.stdout, done.stderr)


def on_terminal(*arguments: str, folder: Path = EXAMPLES, **settings: str) -> Said:
    """Call the executable on a terminal of its own, which shows stdout and stderr together."""
    ours, its = pty.openpty()
    with subprocess.Popen(
        [COMMAND, *arguments], cwd=folder, env=environment(**settings), stdin=its, stdout=its, stderr=its
    ) as process:
        os.close(its)
        shown = bytearray()
        while chunk := _read(ours):
            shown += chunk
        os.close(ours)
    return Said(process.returncode, shown.decode().replace("\r\n", "\n"), "")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is closed
        return b""
