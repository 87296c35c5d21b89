"""100,000 tasks loaded, and 100,000 changed documents refused: `PYTHONPATH=tests python bench/specs.py [number]`.

The first figure is the time of `spec.load()` over that of pydantic alone for the same models, in processor time, as a
median of rounds that take turns. The second part runs each changed document and counts what came of it.
"""

from __future__ import annotations

import collections
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import mutated_documents  # from tests: PYTHONPATH=tests
from pydantic import BaseModel, ValidationError

from panther_schedule import AnySchedule, Policy, spec

SEEN: list[tuple[str, str]] = []


class PlainTask(BaseModel):
    func: str
    kwargs: dict[str, Any] = {}
    schedule: AnySchedule
    policy: Policy = Policy()
    name: str | None = None


class PlainDocument(BaseModel):
    version: int
    tasks: list[PlainTask]


def document(tasks: int) -> str:
    """Write a document of tasks that differ."""
    rng = random.Random(1)  # noqa: S311 - the same document each time
    items = [
        {
            "func": "send_otp",
            "kwargs": {"name": f"user {at}"},
            "schedule": rng.choice(mutated_documents.SCHEDULES[:6]),
            "name": f"task {at}",
        }
        for at in range(tasks)
    ]
    return json.dumps({"version": 1, "tasks": items}, separators=(",", ":"))


def taken(act: Callable[[], object]) -> float:
    begin = time.process_time()
    act()
    return time.process_time() - begin


def compare(tasks: int, rounds: int) -> None:
    text = document(tasks)
    ratios: list[float] = []
    for _ in range(rounds):
        alone = taken(lambda: PlainDocument.model_validate_json(text))
        ours = taken(lambda: spec.load(text, mutated_documents.registry))
        ratios.append(ours / alone)
    print(f"{tasks:,} tasks, {len(text):,} bytes: {median(ratios):.2f} times pydantic alone, {rounds} rounds")


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Note each module that is imported, and code that is run; a zone is a file of the package tzdata."""
    if event not in {"import", "exec", "compile", "os.system", "subprocess.Popen"}:
        return
    if arguments[0] not in sys.modules and "tzdata" not in str(arguments):
        SEEN.append((event, str(arguments)[:100]))


def change(documents: int) -> None:
    found: collections.Counter[str] = collections.Counter()
    import email.parser  # noqa: F401 - importlib.metadata needs it where a newer version is refused

    with tempfile.TemporaryDirectory() as name:
        for seed in range(documents + 200):
            if seed == 200:  # what reading imports by itself is there
                sys.addaudithook(watch)
            _, load = mutated_documents.call(random.Random(seed), Path(name))  # noqa: S311 - the same ones each time
            try:
                load()
                found["read"] += 1
            except ValidationError as error:
                found["refused" if all(fault["msg"] for fault in error.errors()) else "without words"] += 1
            except Exception as error:
                found[f"{type(error).__name__} at {seed}"] += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{dict(found)}, imports and code: {SEEN}, at most {peak:.0f} MB")


if __name__ == "__main__":
    change(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
    compare(100_000, 11)
