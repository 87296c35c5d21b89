"""Ten thousand tasks due in one instant, beside a hundred that sleep 20 ms: python bench/crowd.py [--rounds 11].

Both sides have as many workers, and take turns. A round tells how late the quick tasks were called, in the middle
and at worst. The bare loop records nothing; the scheduler's round ends when each run is recorded.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bare import Bare

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from panther_schedule import BackgroundTask, Once, Scheduler

QUICK, SLEEPERS = 10_000, 100
AHEAD_S = 2.0  # adding is over by then
SLEEP_S = 0.02

Lateness = tuple[float, float]
"""Of the quick tasks of one round: the median and the greatest, in seconds."""


def sleeper() -> None:
    """Keep a worker."""
    time.sleep(SLEEP_S)


def crowd(add: Callable[[Callable[[], object], float], object], finish: Callable[[], object]) -> Lateness:
    """Add the tasks, let them run, and tell how late the quick ones were."""
    at = time.time() + AHEAD_S
    late: list[float] = []

    def quick() -> None:
        late.append(time.time() - at)

    for number in range(QUICK + SLEEPERS):
        add(sleeper if number % (QUICK // SLEEPERS + 1) == 0 else quick, at)
    assert time.time() < at, "adding took too long; make AHEAD_S longer"
    finish()
    assert len(late) == QUICK
    return median(late), max(late)


def bare(workers: int) -> Lateness:
    """Take one round with the bare loop."""
    loop = Bare(workers)
    return crowd(loop.add, loop.finish)


def ours(workers: int) -> Lateness:
    """Take one round with a scheduler."""
    with Scheduler(max_workers=workers) as scheduler:

        def add(func: Callable[[], Any], at: float) -> None:
            scheduler.add_task(BackgroundTask(func).with_schedule(Once(datetime.fromtimestamp(at, UTC))))

        lateness = crowd(add, scheduler.join)
    assert scheduler.counts["succeeded"] == QUICK + SLEEPERS
    return lateness


def main() -> None:
    """Take the rounds, and print the figures of both sides and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args()
    workers = min(32, (os.cpu_count() or 1) + 4)  # our default
    rounds: list[tuple[Lateness, Lateness]] = []
    for number in range(options.rounds):
        first, second = (bare, ours) if number % 2 else (ours, bare)  # neither is always the first
        taken: dict[Callable[[int], Lateness], Lateness] = {}
        for side in (first, second):
            gc.collect()
            taken[side] = side(workers)
        rounds.append((taken[bare], taken[ours]))
    print(f"{QUICK:,} quick tasks beside {SLEEPERS} sleepers, {workers} workers, {options.rounds} rounds")
    for at, what in enumerate(("median", "worst")):
        theirs, own = [one[at] for one, _ in rounds], [one[at] for _, one in rounds]
        ratio = median(two[at] / one[at] for one, two in rounds)
        print(f"{what} lateness: bare {median(theirs) * 1e3:.0f} ms, ours {median(own) * 1e3:.0f} ms, x{ratio:.2f}")


if __name__ == "__main__":
    main()
