"""What a terminal may show: colour, and how far long work is."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Collection, Iterator
from typing import Final, TextIO, TypeVar

from ..clock import SECOND, SystemClock

_T = TypeVar("_T")
BOLD, DIM, RED, GREEN, YELLOW = (f"\x1b[{code}m" for code in (1, 2, 31, 32, 33))
_PLAIN: Final = "\x1b[0m"
_CONTROL: Final = re.compile(r"(?!\x1b\[(?:[0-2]|3[1-3])m)[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def painted(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Return the text in a colour, where `stream`, by default stdout, shows colours.

    A terminal does, unless `NO_COLOR` is set; anything does with `FORCE_COLOR`.
    """
    shows = (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"
    if os.environ.get("NO_COLOR") or not (shows or os.environ.get("FORCE_COLOR")):
        return text
    return f"{colour}{text}{_PLAIN}"


def harmless(text: str) -> str:
    """Replace control characters but our colours: names and keys of a document must not command the terminal."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def width() -> int:
    """Return how many columns there are for a picture."""
    return max(40, shutil.get_terminal_size().columns)


def is_plain() -> bool:
    """Tell whether a picture has to do with ASCII."""
    return "utf" not in (sys.stdout.encoding or "").lower() or os.environ.get("TERM") == "dumb"


def progress(items: Collection[_T], what: str) -> Iterator[_T]:
    """Yield the items; on a terminal, once this has taken a second, stderr says how far it is."""
    clock, shown = SystemClock(), False
    if not sys.stderr.isatty():
        yield from items
        return
    told = clock.read().steady
    try:
        for number, item in enumerate(items):
            yield item
            if clock.read().steady - told >= SECOND:
                told, shown = clock.read().steady, True
                sys.stderr.write(f"\r{what}: {number + 1:,} of {len(items):,}")
                sys.stderr.flush()
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")
