"""Processes that run tasks from one file, and are killed or stopped: started, watched, and called to account."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from signal import SIGCONT, SIGKILL
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from ledger_law import Calls, Ledger

PROGRAM: Final = Path(__file__).with_name("crashing.py")
ROOT: Final = Path(__file__).parents[2]
PATIENCE_S: Final = 120  # a busy machine is no fault
LOOK_S: Final = 0.02

Point: TypeAlias = Literal[
    "before the commit",
    "after the commit",
    "in the function",
    "after the function",
    "in the transaction",
    "in the migration",
]
POINTS: Final[tuple[Point, ...]] = get_args(Point)[:-1]
"""Where a process may die while tasks run."""


class Orders(NamedTuple):
    """What a process is told to do, besides running the tasks."""

    point: Point | None = None
    """Where it dies, for the nth time that it gets there."""
    nth: int = 1
    stops: bool = False
    """It is stopped there instead, until somebody lets it go on."""
    lease_s: float = 10
    ahead_s: float = 0
    """How far its clock is ahead."""
    tasks: tuple[str, ...] = ()
    """The names of those it adds; all, if empty."""
    keep_records: int = 1_000_000
    migrates: bool = False
    """It is of a later version, which makes another file of the present one."""
    unseen: bool = False
    """The others can't look whether it lives, as if it were in another container; they see its lease."""
    meddles: bool = False
    """It pauses, resumes, replaces and calls tasks at random."""
    pauses: bool = False
    """It pauses all tasks, so that only what is in flight goes on."""


class Campaign:
    """One file, its processes, what they log, and what their functions write down."""

    def __init__(self, folder: Path, **orders: Any) -> None:
        self.file, self.log, self.errors = folder / "tasks.db", folder / "calls", folder / "errors"
        self.full = folder / "tasks.db.full"
        """While this file is there, the disk is full to SQLite."""
        self.log.touch()
        self.orders = Orders(**orders)
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, **orders: Any) -> subprocess.Popen[bytes]:
        """Start a process; its orders are those of all, but for these."""
        told = json.dumps(self.orders._replace(**orders)._asdict())
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("COV_")}
        with self.errors.open("a") as errors:
            process = subprocess.Popen(
                [sys.executable, PROGRAM, self.file, self.log, told],
                env={**inherited, "PYTHONPATH": str(ROOT), "PYTHONTZPATH": ""},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        self.processes.append(process)
        return process

    def run(self, **orders: Any) -> subprocess.Popen[bytes]:
        """Start a process, and wait until it runs the tasks."""
        process = self.start(**orders)
        self.until(lambda: self.wrote("ready", process), "it runs")
        return process

    def dies(self, point: Point, nth: int, **orders: Any) -> None:
        """Start a process that dies at a point, and wait for its death."""
        code = self.code(self.start(point=point, nth=nth, **orders))
        assert code == -SIGKILL, f"{code} instead of a death {point}\n{self.said()[-5000:]}"

    def stops(self, point: Point, nth: int, **orders: Any) -> subprocess.Popen[bytes]:
        """Start a process that is stopped at a point, and wait for that."""
        process = self.start(point=point, nth=nth, stops=True, **orders)
        self.until(lambda: self.wrote("stopped", process), f"it is stopped {point}")
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        self.code(process)

    def code(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for the end of a process, and return its exit code; minus a signal's number if that killed it."""
        code = process.wait(PATIENCE_S)
        self.processes.remove(process)
        assert process.stdin is not None
        process.stdin.close()
        return code

    def until(self, over: Callable[[], object], what: str) -> None:
        """Wait until something is so."""
        end = time.monotonic() + PATIENCE_S
        while not over():
            assert time.monotonic() < end, f"never: {what}\n{self.said()[-5000:]}"
            for process in self.processes:
                assert process.poll() is None, f"{process.pid} ended with {process.returncode}\n{self.said()[-5000:]}"
            time.sleep(LOOK_S)

    def wrote(self, what: str, process: subprocess.Popen[bytes]) -> bool:
        """Tell whether a process has written a line of two words."""
        return f"{what} {process.pid}\n" in self.log.read_text()

    def said(self) -> str:
        """All that the processes have logged."""
        return self.errors.read_text()

    def query(self, sql: str, *values: int) -> list[tuple[Any, ...]]:
        """Ask the file."""
        with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=PATIENCE_S)) as db:
            return db.execute(sql, values).fetchall()

    def number(self, what: str, *values: int) -> int:
        """Count what there is in the file: rows of a table, where something is so."""
        ((number,),) = self.query(f"SELECT count(*) FROM {what}", *values)  # noqa: S608 - of a test's own words
        return int(number)

    def more_runs(self, number: int = 20) -> None:
        """Wait until so many more runs have succeeded."""
        succeeded = "run WHERE outcome = 'succeeded'"
        wanted = self.number(succeeded) + number
        self.until(lambda: self.number(succeeded) >= wanted, "more runs")

    def end(self) -> None:
        """Let all processes end in an orderly way."""
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.close()
        codes = {self.code(process) for process in tuple(self.processes)}
        assert codes <= {0}, f"ended with {codes}\n{self.said()[-5000:]}"

    def settle(self) -> None:
        """End all processes, and let another one see to what is in flight, while no occurrence starts."""
        self.end()
        self.run(pauses=True)
        self.until(lambda: not self.number("run WHERE outcome IS NULL"), "all runs end")
        self.end()

    def faults(self) -> list[str]:
        """Say where the law does not hold, by the file alone."""
        found = [f"a process ended with {each.returncode}" for each in self.processes if each.poll() is not None]
        if self.file.exists() and self.query("SELECT 1 FROM sqlite_master"):
            found += Ledger(self.file).faults()
        return found

    def account(self) -> tuple[list[str], Counter[str]]:
        """Say where the law does not hold by the file and the functions' own log, and count what happened."""
        ledger = Ledger(self.file)
        calls = Calls(self.log)
        return ledger.faults() + calls.faults(ledger), ledger.account() + calls.account(ledger)

    def close(self) -> None:
        """Kill what is left."""
        for process in tuple(self.processes):
            process.send_signal(SIGCONT)
            self.kill(process)


@contextmanager
def campaign(folder: Path, **orders: Any) -> Generator[Campaign]:
    """Begin a campaign; none of its processes outlives it."""
    found = Campaign(folder, **orders)
    try:
        yield found
    finally:
        found.close()
