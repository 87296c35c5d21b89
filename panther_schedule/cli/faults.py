"""What was wrong, and where: for the eye and for `--json`."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import pydantic
from pydantic import BaseModel, ValidationError

_OURS = str(Path(__file__).parents[1]), str(Path(pydantic.__file__).parent)
_IMPORTS = importlib.__file__, "<frozen "


class Impossible(Exception):  # noqa: N818 - it names what an exit code of 3 says
    """What was asked is not possible here: a file, a module, an object or an extra is missing."""


class Usage(Exception):  # noqa: N818 - it names what an exit code of 2 says
    """The command was not called as it must be."""


class Fault(BaseModel, frozen=True, defer_build=True):
    """One thing that is wrong in a document or a module; its place is as exact as the format allows."""

    type: str
    message: str
    path: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return ": ".join(part for part in (place, self.path, self.message) if part)


class Faulty(Exception):  # noqa: N818 - it names what an exit code of 1 says
    """A document, a module or a schedule has faults."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(*faults)
        self.faults = faults


def faults_of(error: ValidationError) -> list[Fault]:
    """Return all faults that an error holds."""
    found: list[Fault] = []
    for line in error.errors(include_url=False):
        context = line.get("ctx", {})
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in line["loc"]).lstrip(".")
        fault = Fault(type=line["type"], message=line["msg"], path=path)
        found.append(fault.model_copy(update=context) if "file" in context else fault)
    return found


def faults_at_import(error: BaseException) -> list[Fault]:
    """Return the faults of a module that could not be imported, at the last line of its own that was reached."""
    if isinstance(error, SyntaxError):
        fault = Fault(type="syntax", message=error.msg, file=error.filename, line=error.lineno, column=error.offset)
        return [fault]
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_IMPORTS)]
    own = list(takewhile(lambda frame: not frame.filename.startswith(_OURS), frames[1:]))  # the first one imports
    file, line = (own[-1].filename, own[-1].lineno) if own else (None, None)
    if isinstance(error, ValidationError):
        return [Fault(type=it.type, message=it.message, file=file, line=line) for it in faults_of(error)]
    return [Fault(type="import", message=f"{type(error).__name__}: {error}", file=file, line=line)]
