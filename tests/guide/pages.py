"""The pages of the docs, as the guide looks at them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    """Read a page."""
    return (ROOT / "docs" / f"{name}.md").read_text()


def table(name: str, heading: str) -> list[list[str]]:
    """Read the rows of the table of a page whose first column has this heading, without the heading."""
    _before, _heading, after = page(name).partition(f"\n| {heading} |")
    rows = after.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def quoted(text: str) -> list[str]:
    """List what stands between backticks."""
    return re.findall(r"`([^`]+)`", text)
