"""Compares this version with an earlier one: python bench/compare.py REVISION [--walks 200] [--steps 60] [--seed 0].

Both live the same random walks through the public API (`lives.py`), each in a process of its own; what they print is
compared line by line, and the first difference of each walk is shown.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
HANGS = 3  # the exit code of a walk that does not end


def main() -> int:
    """Compare; return 1 when there was a difference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", help="of the version to compare with")
    parser.add_argument("--walks", type=int, default=200)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the first walk; each further one has the next")
    given = parser.parse_args()
    covered: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        git = ["git", "archive", given.revision, "panther_schedule"]
        archive = subprocess.run(git, cwd=HERE.parent, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own text
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)  # noqa: S603, S607 - as above
        for seed in range(given.seed, given.seed + given.walks):
            before, now = (walk(root, seed, given.steps) for root in (folder, str(HERE.parent)))
            covered["lines"] += len(now)
            if before[-1:] == now[-1:] == ["step hangs"]:
                covered["walks that hang in both"] += 1
            elif before == now:
                covered["walks that are equal"] += 1
            else:
                covered["walks that differ"] += 1
                show(seed, before, now)
    print(", ".join(f"{number:,} {what}" for what, number in covered.items()))
    return 1 if covered["walks that differ"] else 0


def walk(root: str, seed: int, steps: int) -> list[str]:
    """Live one walk with the package in this folder, and return what it prints."""
    command = [sys.executable, str(HERE / "lives.py"), str(seed), "1", str(steps)]
    done = subprocess.run(  # noqa: S603 - our own script
        command, env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True, check=False
    )
    if done.returncode not in {0, HANGS}:  # equal in both versions, it would pass for a walk that was compared
        raise RuntimeError(f"walk {seed} fails with {root}: {done.stderr[-1000:]}")
    return done.stdout.splitlines()


def show(seed: int, before: list[str], now: list[str]) -> None:
    """Print the first difference of a walk, with the step that led to it."""
    at = next((at for at, (one, other) in enumerate(zip(before, now, strict=False)) if one != other), len(now))
    step = next((line for line in reversed(now[:at]) if line.startswith("step")), "")
    print(f"walk {seed}, {step}", f"  before {before[at:][:1]}", f"  now    {now[at:][:1]}", sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
