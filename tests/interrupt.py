"""Lets something happen in the midst of a call: at each line of the package that it runs, one after the other."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import panther_schedule

PACKAGE = str(Path(panther_schedule.__file__).parent)
PATIENCE_S = 20.0  # only an attempt that waits for ever takes this long


class Interrupted:
    """Makes a call, and another one in the midst of it, as a signal handler or a `__del__` does."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.reached = False

    def __call__(self, call: Callable[[], object], by: Callable[[], object]) -> None:
        """Call the one, and the other before its so-many-th line."""
        left = self.line

        def trace(frame: FrameType, event: str, _arg: Any) -> Any:
            nonlocal left
            if not frame.f_code.co_filename.startswith(PACKAGE):
                return None
            left -= event == "line"
            if left or self.reached:
                return trace
            self.reached = True
            sys.settrace(None)
            by()
            return None

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            call()
        finally:
            sys.settrace(before)


def at_each_line(attempt: Callable[[Interrupted], None]) -> int:
    """Make an attempt for each line of a call; return how many there were. One that waits for ever fails."""
    line, errors = 0, list[BaseException]()

    def attempts() -> None:
        nonlocal line
        try:
            reached = True
            while reached:
                line += 1
                interrupted = Interrupted(line)
                attempt(interrupted)
                reached = interrupted.reached
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=attempts, daemon=True)
    thread.start()
    before = -1
    while thread.is_alive():
        assert line > before, f"interrupted at line {line} of the call, it waits for ever"
        before = line
        thread.join(PATIENCE_S)
    if errors:
        raise AssertionError(f"interrupted at line {line} of the call: {errors[0]!r}") from errors[0]
    return line - 1
