"""The pages of the docs, as the guide looks at them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    """Read a page."""
    return (ROOT / "docs" / f"{name}.md").read_text()


def table(name: str, heading: str) -> list[list[str]]:
    """Read the rows of the tables of a page whose first column has this heading, without the headings."""
    return rows(page(name), heading)


def rows(text: str, heading: str) -> list[list[str]]:
    """Read the rows of the tables of a text whose first column has this heading, without the headings."""
    found: list[str] = []
    for paragraph in text.split("\n\n"):
        if paragraph.startswith(f"| {heading} |"):
            _heading, _line, *below = paragraph.splitlines()
            found += below
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in found]


def quoted(text: str) -> list[str]:
    """List what stands between backticks."""
    return re.findall(r"`([^`]+)`", text)


def reference() -> list[tuple[str, str]]:
    """List what the page of the API shows: the module below the package, if it is named, and the name."""
    return re.findall(r"^::: panther_schedule(?:\.([\w.]+))?\.(\w+)$", page("api"), re.MULTILINE)
