"""Runs of mypy with the plugin, and what they find."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mypy import api

CONFIG = """
[tool.mypy]
plugins = ["panther_schedule.mypy"]
strict = true
show_column_numbers = true
"""
_LINE = re.compile(r".*?(\w+)\.py:(\d+):(?:(\d+):)? (\w+): (.+?)(?:  \[([\w-]+)\])?")


class Finding(NamedTuple):
    """A line that mypy prints."""

    file: str
    line: int
    column: int
    kind: str
    said: str
    code: str

    def __str__(self) -> str:
        """Show the place, the first word and the code; notes show none."""
        return f"{self.file}:{self.line}:{self.column} {self.said.split()[0]} [{self.code or self.kind}]"


def findings(out: str) -> Iterator[Finding]:
    """Read all that mypy prints; older versions have notes without a line."""
    for line in out.splitlines():
        found = _LINE.fullmatch(line)
        if found is None and ": note: " in line:
            continue
        assert found, out
        file, number, column, kind, said, code = found.groups()
        yield Finding(file, int(number), int(column or 0), kind, said, code or "")


class Project:
    """A folder that mypy checks; its cache is kept from run to run."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self.options = ["--config-file", str(folder / "pyproject.toml"), "--cache-dir", str(cache)]
        self.options.append("--no-error-summary")
        self.write("pyproject.toml", CONFIG)

    def write(self, name: str, text: str) -> None:
        """Write a file of the project."""
        (self.folder / name).write_text(text)

    def check(self, *names: str) -> list[Finding]:
        """Return what mypy finds in these files."""
        out, err, _ = api.run([*self.options, *(str(self.folder / name) for name in names)])
        assert not err, err
        return [*findings(out)]
