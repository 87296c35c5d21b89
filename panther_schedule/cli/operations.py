"""The commands on a file of tasks: they work while schedulers in other processes run its tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option, Typer

from . import stored
from .answers import moment_of
from .options import Allow, Json, Registry, say
from .sources import Source, read_to_keep

app = Typer()

_File = Annotated[Path, Argument(metavar="FILE", help="The file of a SQLiteStore, such as tasks.db.")]
_Name = Annotated[str, Argument(metavar="NAME", help="The name of a task.")]
_DryRun = Annotated[bool, Option("--dry-run", help="Change nothing, and show what would be.")]


@app.command()
def status(file: _File, as_json: Json = False) -> None:
    """Show each task of a file: when it runs next, its pause, its last record, its counts."""
    say(stored.status(file), as_json)


@app.command()
def history(
    file: _File,
    name: Annotated[str | None, Argument(metavar="[NAME]", help="The name of a task; all of them without it.")] = None,
    n: Annotated[int, Option("-n", min=1, max=100_000, help="How many.")] = 20,
    as_json: Json = False,
) -> None:
    """Show what happened: the latest records, the oldest first."""
    say(stored.history(file, name, n), as_json)


@app.command()
def pause(
    file: _File,
    name: _Name,
    reason: Annotated[str, Option(metavar="TEXT", help="Why; `status` shows it.")] = "",
    as_json: Json = False,
) -> None:
    """Start no runs of a task until `resume`, in any process; active ones continue."""
    say(stored.pause(file, name, reason), as_json)


@app.command()
def resume(file: _File, name: _Name, as_json: Json = False) -> None:
    """Continue a task after `pause`."""
    say(stored.resume(file, name), as_json)


@app.command()
def trigger(file: _File, name: _Name, as_json: Json = False) -> None:
    """Run a task once more, now, in a process that runs tasks."""
    say(stored.trigger(file, name), as_json)


@app.command()
def backfill(
    file: _File,
    name: _Name,
    start: Annotated[str, Argument(metavar="START", help="A time, such as 2026-12-24 or 2026-12-24T18:00.")],
    end: Annotated[str, Argument(metavar="END", help="Likewise; both are included, and it is not after now.")],
    tz: Annotated[str | None, Option(metavar="ZONE", help="The zone of times without an offset.")] = None,
    dry_run: _DryRun = False,
    as_json: Json = False,
) -> None:
    """Run a task for each occurrence of a span in the past, one after the other."""
    found = stored.backfill(file, name, moment_of(start, tz), moment_of(end, tz), dry_run=dry_run)
    say(found, as_json)


@app.command()
def apply(
    file: _File,
    tasks: Annotated[str, Argument(metavar="TASKS", help="A document or a module; each task needs a name.")],
    source: Annotated[
        str, Option(metavar="NAME", help="Whose tasks they are: what this source has no more is removed.")
    ] = "app",
    dry_run: _DryRun = False,
    registry: Registry = None,
    allow: Allow = None,
    as_json: Json = False,
) -> None:
    """Add, change and remove tasks until the file has those of a document or a module.

    With --dry-run it ends with 1 if anything would change.
    """
    found = stored.apply(file, *read_to_keep(Source(tasks, registry, allow or ())), source, dry_run=dry_run)
    say(found, as_json)
    if dry_run and found.differs:
        raise Exit(1)


@app.command()
def backup(
    file: _File,
    to: Annotated[Path, Argument(metavar="TO", help="The copy; it is not there yet.")],
    as_json: Json = False,
) -> None:
    """Copy the file, as it is at one moment."""
    say(stored.backup(file, to), as_json)
