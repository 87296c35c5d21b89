"""Tasks as data, and back: JSON, TOML, YAML or a mapping.

    {"version": 1, "tasks": [{"func": "send_otp", "kwargs": {"name": "Ali"}, "schedule": {"kind": "once"}}]}

A document names functions of a registry and nothing else; reading it imports nothing. The arguments are checked by
the function's hints, faults are reported at once with their places, and no argument's value is shown. The same tasks
give the same bytes, `load(dump(tasks))` equals the tasks, and `dump(load(text))` equals what `dump` wrote.
"""

from .document import VERSION
from .reading import load, load_task
from .schema import json_schema
from .writing import dump, dump_task

__all__ = ["VERSION", "dump", "dump_task", "json_schema", "load", "load_task"]
