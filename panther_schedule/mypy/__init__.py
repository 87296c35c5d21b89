"""A plugin for mypy that finds what types can't say: `plugins = ["panther_schedule.mypy"]`.

Calls of the models, of the setters of a task, of `add_task()`, `scheduled()` and `register()` are made while mypy runs,
with the arguments that are known then; what they refuse is an error at its argument. Nothing else of the package
imports mypy.
"""

from __future__ import annotations

from mypy.plugin import Plugin

from .. import __version__ as __version__  # mypy drops its cache when it changes
from .hooks import SchedulePlugin


def plugin(version: str) -> type[Plugin]:  # noqa: ARG001 - what mypy calls, with its version
    """Return the plugin."""
    return SchedulePlugin
