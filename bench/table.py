"""Prints what users compare, and our bars: python bench/table.py [--rounds 11] [--write] [--slow] [ROW ...].

Each figure is measured in a process of its own. The sides of a row take turns, in a new order each round. A ratio is
the median of the rounds' ratios, so it compares figures measured within seconds of each other on one machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from peers import DISTRIBUTIONS

HERE = Path(__file__).resolve().parent
PERFORMANCE, BARS = HERE.parent / "docs" / "performance.md", HERE / "README.md"
"""The page of each table."""
START, END = "<!-- table -->", "<!-- end of table -->"
COLUMNS = {
    "ours": "panther_schedule",
    "bare": "bare loop",
    "asyncio": "asyncio",
    "sched": "sched",
    "apscheduler": "APScheduler",
    "schedule": "schedule",
    "panther": "Panther",
}

EXTRA = {
    "ours+build": "with the build",
    "ours+many": "by add_tasks",
    "ours+policy": "under a policy",
    "ours+listener": "under a policy with a listener",
}
"""Our other sides, shown beside the default one."""

Rounds = dict[str, list[dict[str, float]]]
"""The figures of each round, by side; empty dicts for a side that isn't installed."""


@dataclass(frozen=True)
class Bar:
    """A limit that a row must keep to."""

    text: str
    measured: Callable[[Rounds], float]
    limit: float | None = None
    at_least: bool = False

    def verdict(self, rounds: Rounds) -> str:
        """Return the figure, and whether it keeps to the limit."""
        try:
            value = self.measured(rounds)
        except KeyError:
            return f"{self.text}: not measured"
        if self.limit is None:
            return f"{self.text}: {value:.3g}"
        held = value >= self.limit if self.at_least else value <= self.limit
        return f"{self.text}: **{value:.3g}**, {'held' if held else 'NOT HELD'}"


def ratio(key: str, other: str, *, side: str = "ours") -> Callable[[Rounds], float]:
    """Return the median ratio of our figure to another side's, over the rounds."""
    return lambda rounds: median(our[key] / their[key] for our, their in zip(rounds[side], rounds[other], strict=True))


def value(key: str, side: str = "ours") -> Callable[[Rounds], float]:
    """Return the median of our own figure, of the default side or another."""
    return lambda rounds: median(our[key] for our in rounds[side])


@dataclass(frozen=True)
class Row:
    """One row, with the figures that `measure.py` prints for its name."""

    title: str
    sides: tuple[str, ...]
    figures: dict[str, str]
    """Which figures are shown, each with its format."""
    bars: tuple[Bar, ...] = ()
    rounds: int | None = None
    """How many rounds, where more would not change the figure; None for as many as asked for."""


RACE = ("bare", "sched", "apscheduler", "schedule", "ours", "ours+build", "ours+many", "ours+policy", "ours+listener")
ROWS = {
    "add": Row(
        "build and add a task, µs, at 1k / 10k / 100k waiting",
        tuple(COLUMNS),
        {"1k": ".1f", "10k": ".1f", "100k": ".1f"},
        (
            Bar("of APScheduler's at 1k, at most 0.18", ratio("1k", "apscheduler"), 0.18),
            Bar("at 10k, at most 0.18", ratio("10k", "apscheduler"), 0.18),
            Bar(
                "at 100k over that at 1k, at most 1.5",
                lambda rounds: median(our["100k"] / our["1k"] for our in rounds["ours"]),
                1.5,
            ),
        ),
    ),
    "million": Row(
        "add 1,000,000 tasks, s in all / longest pause, ms",
        ("bare", "ours"),
        {"total": ".1f", "pause": ".0f"},
        rounds=1,
    ),
    "memory": Row(
        "bytes a waiting task, beyond the value / the value's own",
        tuple(COLUMNS),
        {"beyond": ".0f", "value": ".0f"},
        (
            Bar("beyond the value, at most 400", value("beyond"), 400),
            Bar("the value, at most 650", value("value"), 650),
        ),
        rounds=1,
    ),
    "noop": Row(
        "sync no-op runs a second, adding included / CPU a run, µs",
        RACE,
        {"runs": ",.0f", "cpu": ".1f"},
        (
            Bar("runs of the bare loop's, at least 1.5", ratio("runs", "bare"), 1.5, at_least=True),
            Bar("CPU, at most 0.9", ratio("cpu", "bare"), 0.9),
            Bar("runs by add_tasks, at least 1.8", ratio("runs", "bare", side="ours+many"), 1.8, at_least=True),
            Bar("CPU by add_tasks, at most 0.8", ratio("cpu", "bare", side="ours+many"), 0.8),
            Bar("runs with the build", ratio("runs", "bare", side="ours+build")),
            Bar("runs under a policy", ratio("runs", "bare", side="ours+policy")),
            Bar(
                "runs with policy and listener, at least 1",
                ratio("runs", "bare", side="ours+listener"),
                1,
                at_least=True,
            ),
            Bar("CPU with policy and listener, at most 1.3", ratio("cpu", "bare", side="ours+listener"), 1.3),
        ),
    ),
    "sleepers": Row(
        "median lateness beside 1 % sleepers of 20 ms, ms",
        ("bare", "apscheduler", "ours", "ours+listener"),
        {"p50": ".0f"},
        (
            Bar("of the bare loop's, at most 1", ratio("p50", "bare"), 1),
            Bar("under a policy and with a listener", ratio("p50", "bare", side="ours+listener"), 1),
        ),
    ),
    "async": Row(
        "async no-op runs a second, adding included / CPU a run, µs",
        ("asyncio", "ours", "ours+build", "ours+many", "ours+listener"),
        {"runs": ",.0f", "cpu": ".1f"},
        (
            Bar("runs of create_task one by one, at least 0.6", ratio("runs", "asyncio"), 0.6, at_least=True),
            Bar("runs by add_tasks, at least 0.9", ratio("runs", "asyncio", side="ours+many"), 0.9, at_least=True),
            Bar("runs with the build", ratio("runs", "asyncio", side="ours+build")),
            Bar(
                "runs with policy and listener, at least 0.5",
                ratio("runs", "asyncio", side="ours+listener"),
                0.5,
                at_least=True,
            ),
        ),
    ),
    "lateness": Row(
        "lateness p50 / p99, ms",
        ("bare", "asyncio", "sched", "apscheduler", "schedule", "ours", "ours+listener"),
        {"p50": ".2f", "p99": ".2f"},
        (
            Bar("p50 of the bare loop's, at most 1.2", ratio("p50", "bare"), 1.2),
            Bar("under a policy and with a listener", ratio("p50", "bare", side="ours+listener"), 1.2),
        ),
    ),
    "lost": Row("runs lost of 200, one a second", ("panther", "ours"), {"lost": ".0f"}, rounds=1),
    "idle": Row(
        "wakes a second with 2,000 tasks far off / % of a core",
        tuple(COLUMNS),
        {"wakes": ",.1f", "core": ".1f"},
        (Bar("wakes a second, at most 1", value("wakes"), 1.05),),  # the count's window is not exact
        rounds=3,
    ),
    "daily": Row(
        "next occurrence of a compiled daily time, µs, on known days / on new days",
        ("bare", "apscheduler", "ours"),
        {"again": ".2f", "first": ".2f"},
        (Bar("on known days, at most 1.5", value("again"), 1.5),),
    ),
    "import": Row(
        "import, on top of asyncio and a pydantic model, ms of CPU",
        ("ours",),
        {"ms": ".1f"},
        (Bar("median ms, at most 30", value("ms"), 30),),
        rounds=15,
    ),
    "command line": Row(
        "the command line, on top of an interpreter with pydantic, ms of CPU: --help / next",
        ("ours",),
        {"help": ".0f", "next": ".0f"},
        (
            Bar("--help, at most 400", value("help"), 400),
            Bar("next, at most 300", value("next"), 300),
            Bar("all of next over the interpreter with pydantic", value("ratio")),
        ),
        rounds=11,
    ),
    "ten years": Row(
        "ten virtual years of 100 daily tasks in five zones, with policies, s / runs",
        ("ours",),
        {"seconds": ".1f", "runs": ",.0f"},
        (Bar("s", value("seconds")),),
        rounds=3,
    ),
    "year": Row(
        "a virtual year of 525,965 runs, s",
        ("ours",),
        {"seconds": ".1f"},
        (Bar("s, at most 7", value("seconds"), 7),),
        rounds=3,
    ),
    "test": Row(
        "a virtual year in one test: daily and each five minutes, async functions that sleep, s / runs",
        ("ours",),
        {"seconds": ".1f", "runs": ",.0f"},
        (Bar("s", value("seconds")),),
        rounds=3,
    ),
}
SLOW = {"lost"}


def measure(row: str, side: str, script: str = "measure.py") -> dict[str, float]:
    """Measure one row and side in a fresh process."""
    command = [sys.executable, str(HERE / script), row, side]
    with tempfile.TemporaryDirectory() as elsewhere:  # Panther makes a directory for logs where it is imported
        answer = subprocess.run(command, cwd=elsewhere, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - this directory's own script
    if answer.returncode:
        raise SystemExit(f"{row} of {side} failed")
    figures: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return figures


def play(name: str, wanted: int) -> Rounds:
    """Let the sides of a row take turns."""
    row = ROWS[name]
    count = wanted if row.rounds is None or (wanted < row.rounds and name != "import") else row.rounds
    rounds: Rounds = {side: [] for side in row.sides}
    for turn in range(count):
        shift = turn % len(row.sides)
        for side in row.sides[shift:] + row.sides[:shift]:
            rounds[side].append(measure(name, side))
    return rounds


def cell(row: Row, rounds: list[dict[str, float]]) -> str:
    """Show the medians of one side."""
    if not all(rounds):
        return "not installed"
    return " / ".join(
        format(median(figures[key] for figures in rounds), shape)
        for key, shape in row.figures.items()
        if key in rounds[0]
    )


def compared(name: str, rounds: Rounds) -> str:
    """Show one row of what users compare."""
    row = ROWS[name]
    cells = [cell(row, rounds[side]) if side in rounds else "-" for side in COLUMNS]
    return f"| {' | '.join([row.title, *cells])} |"


def held(name: str, rounds: Rounds) -> str:
    """Show one row of the bars, with the figures of all our sides."""
    row = ROWS[name]
    ours = [cell(row, rounds["ours"])]
    ours += [f"{cell(row, rounds[side])} {words}" for side, words in EXTRA.items() if side in rounds]
    if name == "import":
        ours.append(f"best {min(figures['ms'] for figures in rounds['ours']):.1f}")
    bars = "; ".join(bar.verdict(rounds) for bar in row.bars) or "-"
    return f"| {row.title} | {', '.join(ours)} | {bars} | {len(rounds['ours'])} |"


def table(*headings: str) -> list[str]:
    """Begin a table."""
    return [machine(), "", f"| {' | '.join(headings)} |", "|---" * len(headings) + "|"]


def write(page: Path, lines: list[str]) -> None:
    """Put a table into its page."""
    before, start, after = page.read_text().partition(START)
    rest = after.partition(END)[2]
    page.write_text("\n".join([before + start, "", *lines, "", END]) + rest)


def machine(*more: str) -> str:
    """Describe the machine and the versions, also of more distributions, as a Markdown paragraph."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next(
        (text.partition(":")[2].strip() for text in lines if text.startswith("model name")), platform.machine()
    )
    packages = []
    for name in ("pydantic", *DISTRIBUTIONS.values(), *more):
        try:
            packages.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            packages.append(f"{name} not installed")
    return f"{os.cpu_count()} cores ({model}), Python {platform.python_version()}, {', '.join(packages)}."


def main() -> None:
    """Measure the rows asked for, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument(
        "--write", action="store_true", help="put the tables into docs/performance.md and bench/README.md"
    )
    parser.add_argument("--slow", action="store_true", help="also count Panther's lost runs, which takes a while")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    if options.write and options.rows:
        parser.error("--write needs the whole table; leave out the rows")
    print(machine(), flush=True)
    users, bars = table("work", *COLUMNS.values()), table("work", "our figures", "bar: measured", "rounds")
    for name in options.rows or [name for name in ROWS if options.slow or name not in SLOW]:
        rounds = play(name, options.rounds)
        users.append(compared(name, rounds))
        bars.append(held(name, rounds))
        print(users[-1], bars[-1], sep="\n", flush=True)
    if options.write:
        write(PERFORMANCE, users)
        write(BARS, bars)


if __name__ == "__main__":
    main()
