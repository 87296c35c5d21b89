"""The arguments and options that several commands share, and how their reports are printed."""

from __future__ import annotations

import json
from typing import Annotated

from typer import Argument, Option, echo

from .reports import Report
from .terminal import harmless

From = Annotated[
    str,
    Argument(
        metavar="SOURCE",
        help="A document (tasks.json, .toml, .yaml), a module (app.tasks, app.tasks:tasks), or a schedule: a cron "
        'line such as "0 9 * * mon-fri", or its JSON.',
    ),
]
Registry = Annotated[str | None, Option(metavar="MODULE:NAME", help="The functions that a document may name.")]
Allow = Annotated[
    list[str] | None, Option(metavar="MODULE", help="Instead: a module whose functions it may name; repeatable.")
]
Json = Annotated[bool, Option("--json", help="Print JSON; `schema --report` has its form.")]
Zone = Annotated[str | None, Option("--tz", metavar="ZONE", help="The zone of schedules that name none.")]
After = Annotated[str | None, Option(metavar="TIME", help="Instead of now, such as 2026-12-24T18:00.")]


def say(report: Report, as_json: bool) -> None:
    """Print a report: its lines, or one document of JSON."""
    if as_json:
        echo(json.dumps(report.model_dump(mode="json"), indent=2))  # ASCII: any stdout can have it unchanged
    else:
        for line in report.lines():
            echo(harmless(line), color=True)  # what is painted is so by the rules of `terminal`
