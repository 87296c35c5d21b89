"""The files that `init` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..spec.schema import json_schema
from ..tasks.registry import TaskRegistry
from .faults import Impossible

_FUNCTIONS: Final = '''"""The functions that tasks.json may name."""

from panther_schedule import TaskRegistry

registry = TaskRegistry()


@registry.register
def greet(name: str) -> None:
    """Replace this by a function of your own."""
    print("hello", name)
'''
_DOCUMENT: Final = """{
  "$schema": "tasks.schema.json",
  "version": 1,
  "tasks": [
    {
      "name": "greeting",
      "func": "greet",
      "kwargs": {"name": "Ali"},
      "schedule": {"kind": "cron", "expression": "*/5 9-17 * * mon-fri", "tz": "Europe/Paris"}
    }
  ]
}
"""


def greet(name: str) -> None:
    """Stand for the function of the same name, in the schema."""


def write_starter(folder: Path) -> Iterator[str]:
    """Write the files, none over one that is there, and yield what to tell.

    Raises:
        Impossible: one of them is there already.
    """
    registry = TaskRegistry()
    registry.register(greet)
    files = {
        folder / "scheduled.py": _FUNCTIONS,
        folder / "tasks.json": _DOCUMENT,
        folder / "tasks.schema.json": json.dumps(json_schema(registry), indent=2) + "\n",
    }
    if there := [str(file) for file in files if file.exists()]:
        raise Impossible(f"{' and '.join(there)} already there, and nothing was written; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        file.write_text(text)
        yield f"wrote {file}"
    yield "now try:"
    yield f"  panther-schedule next {folder / 'tasks.json'} --registry scheduled"
