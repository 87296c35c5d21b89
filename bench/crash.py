"""The long form of test_crashes.py: python bench/crash.py [--kills 32] [--random 100] [--seed N] [--keep FOLDER].

Processes that run tasks from one file are killed at each named point and at random, while others go on. After each
death the law of the ledger is checked by SQL alone, at the end also against what the functions themselves wrote down.
It prints the account, and exits with 1 where the law did not hold. The files are kept in FOLDER.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from signal import SIGKILL

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "durable"))

from campaign import POINTS, Point, campaign

MOST = 4  # processes at a time
STATEMENTS = 17  # that make a file
MEDDLERS = 0.4  # of all processes: they pause, resume, replace, call and backfill tasks
LATEST = 40  # a process dies at a point for the nth time at most that it gets there
ROWS = (
    *POINTS,
    "in the migration",
    "at random",
    "law faults",
    "due",
    "succeeded",
    "failed",
    "timed_out",
    "cancelled",
    "lost",
    "missed",
    "skipped_overlap",
    "skipped_paused",
    "waiting",
    "in flight",
    "other runs",
    "runs with a lost attempt",
    "lost attempts",
    "lost before the call",
    "lost in the function",
    "lost after the function",
    "calls",
    "called again",
)


def main() -> int:
    """Kill; return 1 when the law did not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=32, help="at each named point")
    parser.add_argument("--random", type=int, default=100, help="kills at any moment")
    parser.add_argument("--seed", type=int, default=time.time_ns() % (1 << 30))
    parser.add_argument("--keep", type=Path, help="a folder for the files; without it they are removed")
    given = parser.parse_args()
    print(f"seed {given.seed}")
    accounts: list[Counter[str]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(1, MOST + 1):
            chance = random.Random(given.seed + number)  # noqa: S311 - deaths that can be died again
            folder = (given.keep or Path(scratch)) / str(number)
            folder.mkdir(parents=True)
            plan: list[Point | None] = [None] * (given.random // MOST)
            plan += [point for point in POINTS for _ in range(given.kills // MOST)]
            chance.shuffle(plan)
            accounts.append(
                kill_all(folder, number, plan, chance) + make_files(folder, given.kills // MOST, number, chance)
            )
    width = max(map(len, ROWS))
    print(f"{'processes':{width}} {'1':>9} {'2':>9} {'3':>9} {'4':>9} {'all':>9}")
    for what in ROWS:
        numbers = [account[what] for account in accounts]
        print(f"{what:{width}} " + " ".join(f"{number:>9,}" for number in (*numbers, sum(numbers))))
    return 1 if any(account["law faults"] for account in accounts) else 0


def kill_all(folder: Path, number: int, plan: list[Point | None], chance: random.Random) -> Counter[str]:
    """Let one process after the other die, each beside others; return the account.

    If their number is even, they see no more of each other than a lease of a second; else old records are pruned.
    """
    deaths: Counter[str] = Counter()
    orders = {"lease_s": 1, "unseen": True} if number % 2 == 0 else {"keep_records": 200}
    with campaign(folder, **orders) as processes:
        for point in plan:
            while len(processes.processes) < number - 1:
                processes.start(meddles=chance.random() < MEDDLERS)
            if point is None:
                processes.start(meddles=chance.random() < MEDDLERS)
                time.sleep(chance.uniform(0.1, 1.5))
                processes.kill(chance.choice(processes.processes))
            else:
                processes.dies(point, chance.randint(1, LATEST), meddles=chance.random() < MEDDLERS)
            deaths[point or "at random"] += 1
            deaths["law faults"] += report(processes.faults())
        processes.settle()
        faults, account = processes.account()
    return deaths + account + Counter({"law faults": report(faults)})


def make_files(folder: Path, kills: int, number: int, chance: random.Random) -> Counter[str]:
    """Let processes die while they make a new file, all of them at once; return the account."""
    deaths: Counter[str] = Counter()
    while deaths["in the migration"] < kills:
        place = folder / f"made{deaths.total()}"
        place.mkdir()
        with campaign(place, tasks=("plain0",)) as processes:
            for _ in range(number):
                processes.start(point="in the migration", nth=chance.randint(1, STATEMENTS))
            for dying in tuple(processes.processes):
                assert processes.code(dying) == -SIGKILL, processes.said()
                deaths["in the migration"] += 1
            processes.run()
            processes.more_runs(1)
            processes.settle()
            deaths["law faults"] += report(processes.account()[0])
    return deaths


def report(faults: list[str]) -> int:
    for fault in faults:
        print(fault, flush=True)
    return len(faults)


if __name__ == "__main__":
    sys.exit(main())
