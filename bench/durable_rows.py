"""Measures one row for one side in a process of its own: python bench/durable_rows.py ROW SIDE prints a line of JSON.

`durable.py` calls this; by hand it is the place to hang a profiler on. Files are made in the folder of temporary files:
set TMPDIR to measure another disk.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

from durable_sides import SIDES, noop, started

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from panther_schedule import BackgroundTask, Daily, Once, Scheduler, TaskRegistry
from panther_schedule.clock import Reading
from panther_schedule.runtime.loop import Loop, Message
from panther_schedule.sqlite import SQLiteStore

Figures = dict[str, float]
Part = Callable[..., object]
PARTS: dict[str, Part] = {}
"""What a row does in further processes."""

tasks = TaskRegistry()
tasks.register(noop)


def part(func: Part) -> Part:
    """Let a row do this in a process of its own."""
    PARTS[func.__name__] = func
    return func


@contextmanager
def fresh_file() -> Generator[str]:
    """Give a path in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        yield str(Path(folder) / "tasks.db")


def start(name: str, *given: str) -> subprocess.Popen[str]:
    """Start a part in a process of its own."""
    return subprocess.Popen([sys.executable, __file__, name, *given], stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own script


def answer(process: subprocess.Popen[str]) -> Any:
    """Wait for a part, and return what it tells."""
    told, _ = process.communicate(timeout=300)
    assert not process.returncode
    return json.loads(told)


def scheduler(file: str, workers: int = 8) -> Scheduler:
    """Make a scheduler on this file."""
    return Scheduler(store=SQLiteStore(file), registry=tasks, max_workers=workers)


# ---- throughput ------------------------------------------------------------------------------------------------------


def runs(side: str, synchronous: str, n: int = 1_500) -> Figures:
    """Tell the runs a second, from the first start to the last acknowledged outcome; and the CPU a run."""
    with fresh_file() as file:
        peer = SIDES[side](file, synchronous)
        peer.store(n)
        assert not started
        ended = peer.run(n)
    seconds, cpu = (end - begin for begin, end in zip(started[0], ended, strict=True))
    return {"runs": n / seconds, "cpu": cpu / n * 1e6}


def crowd(side: str, n: int = 4_000) -> Figures:
    """Let some processes share tasks that are due in one instant; count up to the last outcome in the file."""
    with fresh_file() as file:
        at = time.time() + 10  # by then all tasks are stored and all processes wait
        once = Once(datetime.fromtimestamp(at, UTC))
        with scheduler(file, 0) as adding:
            adding.add_tasks([BackgroundTask(noop).with_schedule(once).with_name(f"task {i}") for i in range(n)])
        processes = [start("share", file) for _ in range(int(side))]
        shares = [answer(process) for process in processes]
        assert max(share["ready_at"] for share in shares) < at
        select = "SELECT count(*), count(DISTINCT task), max(finished_at) FROM run WHERE outcome = 'succeeded'"
        connection = sqlite3.connect(file)
        total, distinct, ended = connection.execute(select).fetchone()
        connection.close()
        assert total == distinct == n
    return {"runs": n / (ended / 1e6 - at)}


@part
def share(file: str) -> Figures:
    """Run what is due until all has run."""
    with scheduler(file) as running:
        ready_at = time.time()
        running.join()
    return {"ready_at": ready_at}


# ---- a large file ----------------------------------------------------------------------------------------------------


def fill(file: str, number: int) -> None:
    """Store tasks far off, half of them daily ones; in another process, since this one's memory is measured."""
    if number:
        answer(start("waiting", file, str(number)))


@part
def waiting(file: str, number: str) -> None:
    base = datetime.now(UTC) + timedelta(hours=6)
    with scheduler(file, 0) as adding:
        adding.add_tasks(BackgroundTask(noop).with_schedule(far_off(base, i)) for i in range(int(number)))


def far_off(base: datetime, i: int) -> Once | Daily:
    """Return one of many schedules of the twelve hours from a time on."""
    at = base + timedelta(seconds=i * 7 % 43_200)
    return Once(at) if i % 2 else Daily(at.time().replace(microsecond=0), tz="UTC")


@contextmanager
def timed_turns() -> Generator[list[tuple[float, int]]]:
    """Time the turns of the schedulers made meanwhile: the seconds, and by how many runs more are active after it."""
    turns, untimed = list[tuple[float, int]](), Loop.turn

    def timed(loop: Loop, messages: Iterable[Message], reading: Reading) -> int | None:
        before, begin = len(loop._engine.store.in_flight), time.perf_counter()
        wait = untimed(loop, messages, reading)
        turns.append((time.perf_counter() - begin, len(loop._engine.store.in_flight) - before))
        return wait

    with patch.object(Loop, "turn", timed):
        yield turns


def wait_for(turns: list[tuple[float, int]]) -> None:
    """Wait for the end of the first turn."""
    while not turns:
        time.sleep(0.001)


def opening(side: str) -> Figures:
    """Open a file of so many tasks, up to the end of the first turn; tell the greatest memory, too."""
    with fresh_file() as file, timed_turns() as turns:
        fill(file, int(side))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begin = time.perf_counter()
        with scheduler(file):
            wait_for(turns)
            ms = (time.perf_counter() - begin) * 1_000
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"ms": ms, "mb": after / 1_024, "beyond": (after - before) / 1_024}


def turn(side: str) -> Figures:
    """Time the turns that take the one run that is due, and those that record its end, beside so many tasks."""
    n = 50
    with fresh_file() as file, timed_turns() as turns:
        fill(file, int(side))
        with scheduler(file) as running:
            wait_for(turns)
            base = datetime.now(UTC) + timedelta(seconds=1)
            moments = [base + timedelta(milliseconds=50 * i) for i in range(n)]
            handles = running.add_tasks(BackgroundTask(noop).with_schedule(Once(at)) for at in moments)
            for handle in handles:
                handle.join()
        takes, records = ([seconds for seconds, more in turns if more == wanted] for wanted in (1, -1))
        assert min(len(takes), len(records)) > n / 2  # on a busy machine some are late, and share a turn
    return {"takes": median(takes) * 1_000, "records": median(records) * 1_000}


# ---- several processes -----------------------------------------------------------------------------------------------


def idle(side: str) -> Figures:
    """Tell the share of a core that the busiest of some idle processes takes."""
    with fresh_file() as file:
        base = datetime.now(UTC) + timedelta(hours=6)
        with scheduler(file, 0) as adding:
            adding.add_tasks(
                BackgroundTask(noop).with_schedule(Once(base + timedelta(seconds=i))) for i in range(2_000)
            )
        shares = [answer(process) for process in [start("rest", file) for _ in range(int(side))]]
    return {"core": max(shares)}


@part
def rest(file: str) -> float:
    """Wait for what is far off."""
    with scheduler(file):
        time.sleep(1.5)
        used = time.process_time()
        time.sleep(10)
        return (time.process_time() - used) / 10 * 100


seen_after: list[float] = []


@tasks.register
def note(asked_at: float) -> None:
    """Note how long ago another process began to add this."""
    seen_after.append(time.time() - asked_at)


def seen(_side: str) -> Figures:
    """Add tasks in another process, and tell after how long they start here, from before they are added."""
    with fresh_file() as file, scheduler(file):
        n = answer(start("ask", file))
        time.sleep(2)
    assert len(seen_after) == n
    return {"p50": median(seen_after) * 1_000, "max": max(seen_after) * 1_000}


@part
def ask(file: str) -> int:
    """Add tasks that are due at once, now and then."""
    n = 50
    with scheduler(file, 0) as adding:
        for _ in range(n):
            time.sleep(random.uniform(0.1, 0.4))  # noqa: S311 - the phase of whatever looks for changes
            adding.add_task(BackgroundTask(note, time.time()))
    return n


ROWS: dict[str, Callable[[str], Figures]] = {
    "NORMAL": lambda side: runs(side, "NORMAL"),
    "FULL": lambda side: runs(side, "FULL"),
    "crowd": crowd,
    "opening": opening,
    "turn": turn,
    "idle": idle,
    "seen": seen,
}

if __name__ == "__main__":
    what, *given = sys.argv[1:]
    print(json.dumps((ROWS | PARTS)[what](*given)), flush=True)
    os._exit(0)  # the peers' threads need not be waited for
