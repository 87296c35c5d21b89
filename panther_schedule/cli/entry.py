"""The console script: an exit code for each end, and one clear block on stderr for what went wrong."""

from __future__ import annotations

import os
import sys

from pydantic import ValidationError

from ..errors import PantherScheduleError
from .faults import Faulty, Impossible, Usage, faults_of
from .terminal import RED, harmless, painted


def main() -> None:
    """Run the command that the arguments name, and leave with its exit code.

    0: all is well. 1: there are faults, or differences. 2: wrong usage. 3: not possible, as where a file, a module or
    an extra is missing. 130: Ctrl+C.
    """
    try:
        from .commands import app  # noqa: PLC0415 - Typer is an extra
    except ModuleNotFoundError as error:
        if error.name != "typer":
            raise
        sys.exit(_told('the command line needs Typer; run pip install "panther-schedule[cli]"', code=3))
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # the shell has closed it
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - until the process ends
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")  # a document may have characters that the terminal lacks
    debug = "--debug" in sys.argv
    try:
        app([one for one in sys.argv[1:] if one != "--debug"], prog_name="panther-schedule")
    except (Faulty, Usage, Impossible, ValidationError, PantherScheduleError, OSError, ImportError) as error:
        if debug:
            raise
        match error:
            case Faulty():
                sys.exit(_told(*map(str, error.faults), code=1))
            case ValidationError():  # of an option's value: what is read has none but the above
                sys.exit(_told(*(fault.message for fault in faults_of(error)), code=2))
            case OSError(filename=str(name)):
                sys.exit(_told(f"{name}: {error.strerror}", code=3))
            case _:
                sys.exit(_told(str(error), code=2 if isinstance(error, Usage) else 3))


def _told(*lines: str, code: int) -> int:
    sys.stderr.writelines(f"{painted('error:', RED, sys.stderr)} {harmless(line)}\n" for line in lines)
    return code
