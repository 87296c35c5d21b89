"""Prints the durable store's figures and bars: python bench/durable.py [--rounds 11] [ROW ...].

Each figure is measured in a process of its own, on a fresh file. The sides of a row take turns, every other round in
reverse; a ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
from statistics import median

from table import Bar, Rounds, Row, machine, measure, ratio, value

SYNC_SIDES = (
    "apscheduler",
    "huey",
    "huey+results",
    "ours",
    "ours, 64 workers",
    "apscheduler, 1 worker",
    "huey, 1 worker",
    "ours, 1 worker",
)
RUNS = {"runs": ",.0f", "cpu": ".0f"}


def to(other: str, side: str = "ours", least: float | None = None) -> Bar:
    """Compare the runs a second of one of our sides with those of another."""
    limit = "" if least is None else f", at least {least}"
    return Bar(f"{side}, to {other}{limit}", ratio("runs", other, side=side), least, at_least=True)


ONE_COMMIT_A_RUN = "ours, 1 worker"
RATIOS = (
    to("huey+results"),
    *(to(other, "ours, 64 workers") for other in ("apscheduler", "huey", "huey+results")),
    to("huey, 1 worker"),
    to("apscheduler", ONE_COMMIT_A_RUN),
    to("huey, 1 worker", ONE_COMMIT_A_RUN),
)
ROWS = {
    "NORMAL": Row(
        "durable no-op runs a second, process-safe / CPU a run, µs",
        SYNC_SIDES,
        RUNS,
        (
            to("apscheduler", least=2.2),
            to("huey", least=1.3),
            to("apscheduler, 1 worker", ONE_COMMIT_A_RUN, 1.0),
            *RATIOS,
        ),
    ),
    "FULL": Row(
        "durable no-op runs a second, power-safe / CPU a run, µs",
        SYNC_SIDES,
        RUNS,
        (to("apscheduler"), to("huey"), to("apscheduler, 1 worker", ONE_COMMIT_A_RUN), *RATIOS),
    ),
    "crowd": Row("4,000 tasks due in one instant: runs a second, by processes", ("1", "2", "4"), {"runs": ",.0f"}),
    "opening": Row(
        "open a file of so many tasks, to the end of the first turn, ms / memory, MB / beyond that of the imports, MB",
        ("100000", "0"),
        {"ms": ".0f", "mb": ".0f", "beyond": ".1f"},
        rounds=5,
    ),
    "turn": Row(
        "a turn beside so many tasks, ms: takes the one run that is due / records its end",
        ("100000", "0"),
        {"takes": ".2f", "records": ".2f"},
        (Bar("takes one of 100,000, at most 2", value("takes", "100000"), 2),),
        rounds=5,
    ),
    "idle": Row(
        "% of a core that the busiest process takes, idle with 2,000 tasks far off, by processes",
        ("1", "2"),
        {"core": ".2f"},
        tuple(Bar(f"{side}, at most 2", value("core", side), 2) for side in ("1", "2")),
        rounds=3,
    ),
    "seen": Row(
        "a task that another process adds starts here after ms, p50 / max of 50",
        ("ours",),
        {"p50": ".0f", "max": ".0f"},
        (Bar("max, at most 1,000", value("max"), 1_000),),
        rounds=3,
    ),
}


def play(name: str, wanted: int) -> Rounds:
    """Let the sides of a row take turns."""
    row = ROWS[name]
    rounds: Rounds = {side: [] for side in row.sides}
    for turn in range(min(wanted, row.rounds or wanted)):
        for side in row.sides if turn % 2 else row.sides[::-1]:
            rounds[side].append(measure(name, side, "durable_rows.py"))
    return rounds


def spread(row: Row, figures: list[dict[str, float]]) -> str:
    """Show the medians of one side, each with the lowest and the highest figure."""
    shown: list[str] = []
    for key, shape in row.figures.items():
        values = [one[key] for one in figures]
        shown.append(f"{median(values):{shape}} ({min(values):{shape}} to {max(values):{shape}})")
    return " / ".join(shown)


def main() -> None:
    """Measure the rows asked for, and print them with their bars."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    print(machine("huey", "SQLAlchemy"), flush=True)
    for name in options.rows or ROWS:
        row, rounds = ROWS[name], play(name, options.rounds)
        print(f"\n{row.title}; medians of {len(rounds[row.sides[0]])} rounds")
        for side, figures in rounds.items():
            print(f"- {side}: {spread(row, figures)}")
        for bar in row.bars:
            print(f"- {bar.verdict(rounds)}", flush=True)


if __name__ == "__main__":
    main()
