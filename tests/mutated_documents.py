# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
"""Documents of tasks that are nearly right: valid ones, changed where they have structure."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

from panther_schedule import BackgroundTask, TaskRegistry, spec

registry = TaskRegistry()


@registry.register
def send_otp(name: str, retries: int = 3) -> None: ...


@registry.register
def close_books(day: date, rates: dict[str, float], *, tags: list[str] | None = None) -> None: ...


@registry.register
def anything(value: Any = None, **rest: Any) -> None: ...


SCHEDULES: list[Any] = [
    {"kind": "once", "at": "2026-12-24T18:00:00+01:00"},
    {"kind": "repeat", "n": 5, "wait": "PT5M", "after": "PT1S", "measured_from": "end"},
    {"kind": "daily", "at": "08:00", "n": 3, "tz": "Europe/Paris", "excluding": ["2026-12-25", "sat"]},
    {"kind": "weekly", "days": ["mon", "fri"], "at": "08:00", "every": 2, "starting": "2026-01-05"},
    {"kind": "monthly", "day": [2, "tue"], "at": "08:00", "months": [1, 7], "gap": "skip", "fold": "both"},
    {"kind": "cron", "expression": "*/5 9 * * mon-fri", "start_at": "2026-01-01T00:00:00Z"},
    {"kind": "any_of", "of": [{"kind": "daily", "at": "08:00"}, {"kind": "cron", "expression": "@daily"}], "n": 2},
]
POLICIES: list[Any] = [
    {"overlap": "allow", "max_running": 3, "timeout": "PT1M"},
    {"missed": "skip", "grace": "PT1M", "jitter": "PT5S", "on_lost": "record"},
    {"missed": "catch_up", "catch_up_limit": 5, "retry": {"attempts": 3, "factor": 2.5, "on": ["OSError"]}},
]
ARGUMENTS: list[Any] = [
    {"func": "send_otp", "kwargs": {"name": "Ali", "retries": 5}},
    {"func": "close_books", "kwargs": {"day": "2026-12-31", "rates": {"a": 1.5}, "tags": ["x", "y"]}},
    {"func": "anything", "kwargs": {"value": [1, {"a": None}], "more": True}},
]
WORDS = ["", " ", "os.system", "subprocess.run", "__import__", "builtins.eval", "send_opt", "dayly", "08:00", "PT5M"]
WORDS.extend(
    ["2026-12-25", "Europe/Pariss", "../../etc/passwd", "\0", "\ud800", "é", "x" * 2_000, "{what}", "1e999", "on"]
)
KEYS = ["kind", "at", "n", "func", "kwargs", "schedule", "policy", "name", "tasks", "version", "tz", "of", "retry"]
NUMBERS: list[Any] = [
    0,
    -1,
    1,
    2**31,
    2**63,
    -(2**70),
    10**400,
    0.5,
    1e308,
    float("inf"),
    float("nan"),
    -0.0,
    True,
    False,
    None,
]


def valid(rng: random.Random) -> dict[str, Any]:
    """Make a document without a fault."""
    tasks: list[Any] = []
    for at in range(rng.randint(1, 3)):
        task = deepcopy(rng.choice(ARGUMENTS)) | {"name": f"task {at}"}
        if rng.random() < 0.8:
            task["schedule"] = deepcopy(rng.choice(SCHEDULES))
        if rng.random() < 0.4 and task.get("schedule", {}).get("measured_from") is None:
            task["policy"] = deepcopy(rng.choice(POLICIES))
        tasks.append(task)
    return {"version": 1, "tasks": tasks}


def mutated(rng: random.Random) -> Any:
    """Make a document, and change it in a few places."""
    holder = [valid(rng)]
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        _change(holder, rng)
    return holder[0]


def _change(holder: Any, rng: random.Random) -> None:
    places: list[tuple[Any, Any]] = []
    _find(holder, places)
    inside, step = rng.choice(places)
    change = rng.randrange(7)
    if change == 0 and (inside is not holder):
        del inside[step]
    elif change == 1 and isinstance(inside, dict):
        inside[rng.choice(KEYS + WORDS)] = inside.pop(step)
    elif change == 2 and isinstance(inside, dict):
        inside[rng.choice(KEYS + WORDS)] = rng.choice(NUMBERS + WORDS)
    elif change == 3:
        other, at = rng.choice(places)
        inside[step] = deepcopy(other[at])
    elif change == 4:
        inside[step] = _nested(rng.choice([1, 3, 40, 90]), rng)
    elif change == 5 and isinstance(inside, list) and inside is not holder:
        inside.extend(deepcopy(inside[step]) for _ in range(rng.choice([1, 200])))
    else:
        inside[step] = rng.choice([*NUMBERS, *WORDS, [], {}, [[]], [None], {"": 0}])


def _find(node: Any, places: list[tuple[Any, Any]]) -> None:
    """List each value by what holds it."""
    for step in list(node) if isinstance(node, dict) else range(len(node)):
        places.append((node, step))
        if isinstance(node[step], (dict, list)) and len(places) < 500:
            _find(node[step], places)


def _nested(depth: int, rng: random.Random) -> Any:
    node: Any = rng.choice([0, "x"])
    for _ in range(depth):
        node = [node] if rng.random() < 0.5 else {"a": node}
    return node


def as_json(data: Any, rng: random.Random) -> str:
    """Write it as JSON; now and then break the text, or give a key twice."""
    text = json.dumps(data, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 2]))
    chance, at = rng.random(), rng.randrange(len(text))
    if chance < 0.1:
        return text[:at]
    if chance < 0.2:
        return text[:at] + rng.choice('{}[]:,"\\\n0ae') + text[at + rng.randint(0, 1) :]
    if chance < 0.3:
        return text.replace('"name":', '"func": "send_otp", "name":', 1)
    return text


def as_toml(data: Any) -> str:
    """Write it as TOML, whose tables may stand on one line."""
    if isinstance(data, dict):
        return "\n".join(f"{json.dumps(key)} = {_inline(value)}" for key, value in data.items())
    return f"data = {_inline(data)}"


def _inline(node: Any) -> str:
    if isinstance(node, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_inline(value)}" for key, value in node.items()) + "}"
    if isinstance(node, list):
        return "[" + ", ".join(map(_inline, node)) + "]"
    return "''" if node is None else json.dumps(node).replace("Infinity", "inf").replace("NaN", "nan")


def as_yaml(data: Any, rng: random.Random) -> str:
    """Write it as YAML, of which JSON is a part; now and then with what only YAML has."""
    text = json.dumps(data, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 2]))
    if rng.random() < 0.2:
        new = rng.choice(
            ["*a", "&a [1]", "!!python/object:os.system x", "? [a]\n: b", "%YAML 1.1", "---\n", "- ", "\t"]
        )
        at = rng.randrange(len(text))
        return text[:at] + new + text[at:]
    return text.replace('"name": "task', 'name: "on') if rng.random() < 0.3 else text


def call(rng: random.Random, folder: Path) -> tuple[str, Callable[[], list[BackgroundTask]]]:
    """Choose a source, and return a call that loads a changed document from it."""
    data = mutated(rng)
    kind = rng.choice(["text", "dict", ".json", ".toml", ".yaml"])
    if kind == "dict":
        return kind, lambda: spec.load(data, registry)
    if kind == "text":
        text = as_json(data, rng)
        return kind, lambda: spec.load(text, registry)
    file = folder / f"tasks{kind}"
    text = as_toml(data) if kind == ".toml" else as_json(data, rng) if kind == ".json" else as_yaml(data, rng)
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    return kind, lambda: spec.load(file, registry)
