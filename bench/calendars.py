"""The next occurrence, compiled, beside four peers: all in one run, round by round, in microseconds.

    python bench/calendars.py [rounds]

Each round asks each side for the same number of next occurrences in America/New_York, one after the other; a figure
is the median of the rounds and a ratio the median of the rounds' ratios. The peers are used as their documentation
says: an iterator is made once and walked on. APScheduler reads
`15 10 13 * 5` as Friday the 13th. At the end 100,000 lines of the tests' grammar are read and asked.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time as clock
from collections.abc import Callable
from datetime import UTC, datetime, time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from panther_schedule.clock import microseconds
from panther_schedule.models.schedules import AnySchedule, Cron, Daily
from panther_schedule.occurrences.compiler import compile_schedule

NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
STEPS = 200
ROUNDS = 11
BARS = {"30 2 * * *": 4, "*/5 * * * *": 4, "0 9 * * 1-5": 4, "15 10 13 * 5": 4, "0 0 1,15 * *": 4, "0 0 29 2 *": 20}
PEERS = ("cronsim", "croniter", "crondst", "apscheduler")


def ours(schedule: AnySchedule, steps: int) -> float:
    """Return microseconds for each next occurrence."""
    evaluator, t = compile_schedule(schedule, NEW_YORK), microseconds(START)
    begin = clock.perf_counter()
    for _ in range(steps):
        following = evaluator.next_after(t, 0)
        assert following is not None
        t = following
    return (clock.perf_counter() - begin) / steps * 1e6


def walked(step: Callable[[], Any], steps: int) -> float:
    begin = clock.perf_counter()
    for _ in range(steps):
        step()
    return (clock.perf_counter() - begin) / steps * 1e6


def peer(name: str, line: str, steps: int) -> float:
    """Return the same for a peer."""
    local = START.astimezone(NEW_YORK)
    if name == "cronsim":
        from cronsim import CronSim

        return walked(CronSim(line, local).__next__, steps)
    if name == "croniter":
        from croniter import croniter

        walker = croniter(line, local)
        return walked(lambda: walker.get_next(datetime), steps)
    if name == "crondst":
        from crondst import CronDst

        return walked(CronDst(line).iter(local).__next__, steps)
    from apscheduler.triggers.cron import CronTrigger

    weekdays = {"1-5": "mon-fri", "5": "fri"}  # its weekdays are counted from Monday
    *fields, weekday = line.split()
    trigger = CronTrigger.from_crontab(" ".join([*fields, weekdays.get(weekday, weekday)]), NEW_YORK)
    at = local
    begin = clock.perf_counter()
    for _ in range(steps):
        following = trigger.get_next_fire_time(at, at)
        assert following is not None
        at = following
    return (clock.perf_counter() - begin) / steps * 1e6


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    print(f"Python {sys.version.split()[0]}, " + ", ".join(f"{name} {version(name)}" for name in PEERS))
    daily = [ours(Daily(time(2, 30)), 20 * STEPS) for _ in range(rounds)]
    print(f"{'Daily(02:30)':16} {median(daily):6.2f} us (bar 1.5)")
    for line, bar in BARS.items():
        mine: list[float] = []
        theirs: dict[str, list[float]] = {name: [] for name in PEERS}
        for _ in range(rounds):
            steps = 50 if line == "0 0 29 2 *" else STEPS  # 200 years
            mine.append(ours(Cron(line), steps))
            for name in PEERS:
                theirs[name].append(peer(name, line, steps))
        shown = [
            f"{name} {median(took):6.1f} ({median(one / own for one, own in zip(took, mine, strict=True)):5.1f}x)"
            for name, took in theirs.items()
        ]
        print(f"{line:16} {median(mine):6.2f} us (bar {bar:2})  " + "  ".join(shown))
    tests = Path(__file__).parent.parent / "tests"
    fuzz = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-k",
        "any_line_and_document",
        str(tests / "occurrences" / "test_calendars.py"),
    ]
    subprocess.run(fuzz, check=True, env={**os.environ, "CASES": "100000"})  # noqa: S603 - our own tests


if __name__ == "__main__":
    main()
