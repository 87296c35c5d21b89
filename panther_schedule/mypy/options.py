"""The plugin's own options, from the file that configures mypy."""

from __future__ import annotations

import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Any, NamedTuple


class Options(NamedTuple):
    """What may be set in `[tool.panther_schedule]` of a TOML file, or in `[panther_schedule]` of an INI file."""

    lint: bool = False
    """Whether likely mistakes are noted, as `lint()` finds them."""


def read_options(path: str | None) -> Options:
    """Read the options; of one that is wrong, stderr says so, and it keeps its default."""
    given: dict[str, Any] = {}
    if path and path.endswith(".toml"):
        given = tomllib.loads(Path(path).read_text("utf-8")).get("tool", {}).get("panther_schedule", {})
    elif path:
        parser = ConfigParser(interpolation=None)
        parser.read(path, "utf-8")
        given = dict(parser["panther_schedule"]) if "panther_schedule" in parser else {}
        given = {name: parser.BOOLEAN_STATES.get(value.lower(), value) for name, value in given.items()}
    wrong = {name: value for name, value in given.items() if name != "lint" or not isinstance(value, bool)}
    for name, value in wrong.items():
        rule = "lint must be true or false" if name == "lint" else f"unknown option {name!r}; the only one is lint"
        sys.stderr.write(f"{path}: panther_schedule: {rule}, got {value!r}\n")
    return Options(**{name: value for name, value in given.items() if name not in wrong})
