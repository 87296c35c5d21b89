"""The commands, with their arguments and options; those on a file of tasks are in `operations`."""

from __future__ import annotations

import json
import signal
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

from typer import Argument, BadParameter, Exit, Option, Typer, echo

from .. import __version__, pictures
from ..spec.schema import json_schema
from . import answers, operations
from .options import After, Allow, From, Json, Registry, Zone, say
from .reports import REPORTS, Drawn
from .running import interrupt, run_tasks
from .sources import Source, read, read_to_run, registry_of
from .starter import write_starter
from .stored_reports import STORED_REPORTS

app = Typer(
    no_args_is_help=True,
    rich_markup_mode=None,  # plain text: the same in a pipe, and rich is never imported
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 all is well, 1 faults or differences, 2 wrong usage, 3 not possible, 130 Ctrl+C.",
)
app.add_typer(operations.app)
_REPORTS: Final = {**REPORTS, **STORED_REPORTS}


def _print_version(wanted: bool) -> None:
    if wanted:
        echo(__version__)
        raise Exit


@app.callback()
def start(
    version: Annotated[
        bool, Option("--version", callback=_print_version, is_eager=True, help="Print the version, and end.")
    ] = False,
    debug: Annotated[bool, Option("--debug", help="Show tracebacks; it may stand anywhere.")] = False,
) -> None:
    """Check, preview, draw, compare and run scheduled tasks, and operate those in a file."""


@app.command()
def check(
    source: From,
    registry: Registry = None,
    allow: Allow = None,
    tz: Zone = None,
    strict: Annotated[bool, Option("--strict", help="End with 1 for warnings too.")] = False,
    as_json: Json = False,
) -> None:
    """Find faults, each with its place, and likely mistakes."""
    found = answers.checked(Source(source, registry, allow or ()), tz)
    say(found, as_json)
    if found.faults or (strict and found.warnings):
        raise Exit(1)


@app.command("next")
def next_(
    source: From,
    n: Annotated[int, Option("-n", min=1, max=100_000, help="How many.")] = 5,
    after: After = None,
    tz: Zone = None,
    registry: Registry = None,
    allow: Allow = None,
    as_json: Json = False,
) -> None:
    """Show what runs next."""
    tasks = read(Source(source, registry, allow or ()))
    say(answers.next_of(tasks, n, answers.moment_of(after, tz), tz), as_json)


@app.command()
def explain(
    source: From,
    after: After = None,
    tz: Zone = None,
    registry: Registry = None,
    allow: Allow = None,
    as_json: Json = False,
) -> None:
    """Say in a sentence when each task runs."""
    tasks = read(Source(source, registry, allow or ()))
    say(answers.explained(tasks, answers.moment_of(after, tz), tz), as_json)


@app.command()
def timeline(
    source: From,
    days: Annotated[float, Option(min=0.001, help="The length of the span.")] = 1,
    after: After = None,
    tz: Zone = None,
    svg: Annotated[Path | None, Option(metavar="FILE", help="Write an SVG instead.")] = None,
    registry: Registry = None,
    allow: Allow = None,
    as_json: Json = False,
) -> None:
    """Draw what will run."""
    tasks = read(Source(source, registry, allow or ()))
    drawn = pictures.timeline([*tasks.values()], *answers.span_of(days, after, tz), zone=tz)
    if svg is None:
        say(Drawn(timeline=drawn), as_json)
    else:
        svg.write_text(drawn.svg(), encoding="utf-8")


@app.command()
def diff(
    old: Annotated[str, Argument(metavar="OLD", help="What was: a document, a module or a schedule.")],
    new: Annotated[str, Argument(metavar="NEW", help="What is, likewise.")],
    days: Annotated[int, Option(min=1, help="The length of the span.")] = 7,
    after: After = None,
    tz: Zone = None,
    registry: Registry = None,
    allow: Allow = None,
    as_json: Json = False,
) -> None:
    """Show which occurrences of a span are added, gone or moved; end with 1 if any is."""
    was, now = (read(Source(one, registry, allow or ())) for one in (old, new))
    found = answers.differences(was, now, *answers.span_of(days, after, tz), tz)
    say(found, as_json)
    if found.differs:
        raise Exit(1)


@app.command()
def run(
    source: Annotated[str, Argument(metavar="SOURCE", help="A document, or a module of tasks or with a Scheduler.")],
    grace: Annotated[
        float, Option(min=0, max=86_400, metavar="SECONDS", help="How long active runs may take to finish.")
    ] = 10,
    quiet: Annotated[bool, Option("--quiet", "-q", help="Log problems only.")] = False,
    registry: Registry = None,
    allow: Allow = None,
) -> None:
    """Run tasks until SIGTERM or Ctrl+C, finish what is active, and account for every occurrence."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt)  # until run_forever() takes both: a drain even so
    given = read_to_run(Source(source, registry, allow or ()))
    run_tasks(given, timedelta(seconds=grace), echo, quiet=quiet)


@app.command()
def schema(
    registry: Registry = None,
    allow: Allow = None,
    report: Annotated[str | None, Option(metavar="COMMAND", help="That of what a command prints with --json.")] = None,
) -> None:
    """Print the JSON Schema of a document, for editors."""
    if report is None:
        found = json_schema(registry_of(Source("", registry, allow or ())))
    elif report in _REPORTS:
        found = _REPORTS[report].model_json_schema(mode="serialization")
    else:
        raise BadParameter(f"there are {', '.join(_REPORTS)}", param_hint="--report")
    echo(json.dumps(found, indent=2))


@app.command()
def init(folder: Annotated[Path, Argument(help="Where to; it is made if it is not there.")] = Path()) -> None:
    """Write a first module of functions, a document that names them, and its schema."""
    for line in write_starter(folder):
        echo(line)
