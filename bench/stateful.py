"""The long form of test_stateful.py: bench/stateful.py [--store shared] [--steps 100000] [--seed N] [--length 100].

A scheduler and its model walk side by side, and all that can be seen is compared after each step. It prints what was
covered; when the two differ, it prints the seed of that walk with all its steps, and exits with 1.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "planning"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "runtime"))

from model_parts import PassedLine, RunLine
from pair import DivergenceError, Pair
from pair_of_a_file import FilePair
from pair_of_two import SharedPair
from walk import walk

PAIRS = {"memory": lambda _file: Pair(), "sqlite": FilePair, "shared": SharedPair}


def main() -> int:
    """Walk; return 1 when the two differed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000, help="how many, at least")
    parser.add_argument("--seed", type=int, default=None, help="of the first walk; each further one has the next")
    parser.add_argument("--length", type=int, default=100, help="steps of one walk, with a scheduler of its own")
    parser.add_argument("--store", choices=[*PAIRS], default="memory", help="a file, or one of two schedulers")
    given = parser.parse_args()
    first: int = time.time_ns() % (1 << 30) if given.seed is None else given.seed
    logging.disable(logging.CRITICAL)
    covered: Counter[str] = Counter()
    begun = time.monotonic()
    print(f"seed {first}")
    while covered["steps"] < given.steps:
        seed = first + covered["walks"]
        with TemporaryDirectory() as folder:
            pair = PAIRS[given.store](Path(folder) / "tasks.db")
            try:
                walk(pair, given.length, random.Random(seed))  # noqa: S311 - a walk that can be walked again
            except DivergenceError as error:
                print(f"they differ: --store {given.store} --seed {seed} --steps 1 --length {given.length}\n{error}")
                return 1
            finally:
                pair.stop()
        covered += cover(pair)
        covered.update(steps=given.length, walks=1)
    for what, number in covered.items():
        print(f"{what:>16} {number:>12,}")
    print(f"{'divergences':>16} {0:>12}\n{'seconds':>16} {time.monotonic() - begun:>12.1f}")
    return 0


def cover(pair: Pair) -> Counter[str]:
    """Count what a walk has covered."""
    covered: Counter[str] = Counter(tasks=len(pair.model.tasks))
    for task in pair.model.tasks:
        covered["occurrences"] += task.occurred()
        for line in task.lines:
            match line:
                case RunLine(_, cause, calls):
                    covered[f"{cause} runs"] += 1
                    covered["attempts"] += len(calls)
                    covered[calls[-1].outcome] += 1
                case PassedLine(reason, _, _, number):
                    covered[reason] += number
    return covered


if __name__ == "__main__":
    sys.exit(main())
