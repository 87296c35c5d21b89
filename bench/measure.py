"""Measures one row for one side in a process of its own: python bench/measure.py ROW SIDE prints one line of JSON.

`table.py` calls this; by hand it is the place to hang a profiler on. Figures are in the unit of the row's title.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from zoneinfo import ZoneInfo

from peers import DISTRIBUTIONS, SIDES, OurSide

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

Figures = dict[str, float]
FAR = 12 * 3600.0  # seconds; below a day, for Panther knows times of day only

IMPORT = """
from pydantic import BaseModel, Field
import asyncio, concurrent.futures, inspect, zoneinfo, time

class Model(BaseModel):
    n: int = Field(ge=1)

begin = time.process_time()
import panther_schedule
print(time.process_time() - begin)
"""


def noop() -> None:
    """Do nothing."""


async def async_noop() -> None:
    """Do nothing."""


# ---- adding ----------------------------------------------------------------------------------------------------------


def add(side: str) -> Figures:
    """Time 1,000 adds (build included) beside 1,000, 10,000 and 100,000 waiting tasks."""
    sizes = {"1k": 1_000, "10k": 10_000}
    if side in {"bare", "apscheduler", "ours"}:
        sizes["100k"] = 100_000
    peer, base, waiting, figures = SIDES[side](), time.time() + FAR, 0, dict[str, float]()
    for label, size in sizes.items():
        for waiting in range(waiting, size):  # noqa: B020 - goes on where the size before ended
            peer.add(noop, base + waiting * 0.01)
        _settle(peer)
        at = base + waiting * 0.01
        begin = time.perf_counter()
        for i in range(1_000):
            peer.add(noop, at + i * 0.01)
        figures[label] = (time.perf_counter() - begin) * 1_000
    return figures


def million(side: str) -> Figures:
    """Add 1,000,000 tasks; tell the whole time, and the longest that one add took."""
    peer, base, longest = SIDES[side](), time.time() + FAR, 0
    begin = before = time.perf_counter_ns()
    for i in range(1_000_000):
        peer.add(noop, base + i * 0.01)
        now = time.perf_counter_ns()
        longest, before = max(longest, now - before), now
    _settle(peer)
    return {"total": (time.perf_counter_ns() - begin) / 1e9, "pause": longest / 1e6}


def memory(side: str) -> Figures:
    """Count the bytes of a waiting task; of ours, those of the value apart from those of the scheduler."""
    n = 10_000
    peer, base = SIDES[side](), time.time() + FAR
    peer.add(noop, base)
    _settle(peer)
    values: list[Any] = [None] * n
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    if isinstance(peer, OurSide):
        for i in range(n):
            values[i] = peer.build(noop, base + i)
        value = tracemalloc.get_traced_memory()[0] - before
        for task in values:
            peer.add_task(task)
    else:
        value = 0
        for i in range(n):
            peer.add(noop, base + i)
    _settle(peer)
    time.sleep(0.2)
    return {"beyond": (tracemalloc.get_traced_memory()[0] - before - value) / n, "value": value / n}


def _settle(peer: Any) -> None:
    if isinstance(peer, OurSide):
        peer.wait()


# ---- running ---------------------------------------------------------------------------------------------------------


def noops(side: str) -> Figures:
    """Run 20,000 tasks that are due when they are added, up to the last recorded outcome."""
    return _throughput(side, noop)


def _throughput(side: str, func: Callable[..., object], n: int = 20_000) -> Figures:
    """Tell the runs a second, and the CPU time of all threads a run."""
    peer = SIDES[side.removesuffix("+build").removesuffix("+many")]()
    if isinstance(peer, OurSide) and side != "ours+build":  # the bars are on values built before
        values = [peer.build(func) for _ in range(n)]
        used, begin = time.process_time(), time.perf_counter()
        if side == "ours+many":
            peer.add_tasks(values)
        else:
            for task in values:
                peer.add_task(task)
    else:
        used, begin = time.process_time(), time.perf_counter()
        for _ in range(n):
            peer.add(func)
    peer.finish()
    return {"runs": n / (time.perf_counter() - begin), "cpu": (time.process_time() - used) / n * 1e6}


def sleepers(side: str) -> Figures:
    """Tell the median lateness of 5,000 tasks due at once while 1 % of them sleep 20 ms."""
    peer, late, at = SIDES[side](), list[float](), time.time() + 1.5

    def quick() -> None:
        late.append(time.time() - at)

    def slow() -> None:
        time.sleep(0.02)

    for i in range(5_000):
        peer.add(quick if i % 100 else slow, at)
    peer.finish()
    assert len(late) == 4_950
    return {"p50": median(late) * 1_000}


def async_noops(side: str) -> Figures:
    """Run 20,000 coroutines; the other side is call_soon_threadsafe + create_task one by one."""
    if side != "asyncio":
        return _throughput(side, async_noop)
    n, left, done = 20_000, 20_000, threading.Event()
    tasks: set[asyncio.Task[None]] = set()
    loop = asyncio.new_event_loop()

    def ended(task: asyncio.Task[None]) -> None:
        nonlocal left
        tasks.discard(task)
        left -= 1
        if not left:
            done.set()

    def start() -> None:
        task = loop.create_task(async_noop())
        tasks.add(task)
        task.add_done_callback(ended)

    threading.Thread(target=loop.run_forever, daemon=True).start()
    used, begin = time.process_time(), time.perf_counter()
    for _ in range(n):
        loop.call_soon_threadsafe(start)
    done.wait()
    return {"runs": n / (time.perf_counter() - begin), "cpu": (time.process_time() - used) / n * 1e6}


def lateness(side: str) -> Figures:
    """Tell the lateness of 300 runs 2 ms apart."""
    peer, late = SIDES[side](), list[float]()
    base = time.time() + 0.3 + random.random()  # noqa: S311 - the phase of a loop that sleeps whole seconds

    def note(at: float) -> None:
        late.append(time.time() - at)

    for i in range(300):
        at = base + i * 0.002
        peer.add(note, at, at)
    peer.finish()
    assert len(late) == 300
    cuts = quantiles(late, n=100)
    return {"p50": cuts[49] * 1_000, "p99": cuts[98] * 1_000}


def lost(side: str) -> Figures:
    """Count how many of 200 tasks, one for each of the next 200 seconds, Panther never runs."""
    peer, runs = SIDES[side](), list[float]()

    def note(at: float) -> None:
        runs.append(at)

    begin = int(time.time()) + 3.0
    for i in range(200):
        peer.add(note, begin + i, begin + i)
    time.sleep(begin + 205 - time.time())
    return {"lost": 200 - len(runs)}


def idle(side: str) -> Figures:
    """Count the wakes a second of all threads but this sleeping one, with 2,000 far tasks; and the share of a core."""
    peer, base = SIDES[side](), time.time() + FAR
    for i in range(2_000):
        peer.add(noop, base + i)
    peer.wait()
    time.sleep(1.5)
    wakes, used = _wakes(), time.process_time()
    time.sleep(5)
    return {"wakes": (_wakes() - wakes) / 5, "core": (time.process_time() - used) / 5 * 100}


def _wakes() -> int:
    """Count the voluntary context switches, as a thread that goes to sleep had been awake; without this thread's."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


# ---- the rest --------------------------------------------------------------------------------------------------------


def daily(side: str) -> Figures:
    """Time the step from one occurrence to the next of a daily 08:00 in Berlin, over 1,000 days.

    Ours remembers the offsets of days, so the first walk over them is told apart.
    """
    n, zone, start = 1_000, ZoneInfo("Europe/Berlin"), datetime(2026, 1, 1, 12, tzinfo=UTC)
    step: Callable[[Any], Any]
    at: Any = start.astimezone(zone)
    if side == "bare":  # adds a day to the local time, with no thought of gaps and folds
        day = timedelta(days=1)
        step = lambda at: at + day  # noqa: E731 - one of several forms, side by side
    elif side == "apscheduler":
        from apscheduler.triggers.cron import CronTrigger

        trigger, second = CronTrigger(hour=8, timezone=zone), timedelta(seconds=1)
        step = lambda at: trigger.get_next_fire_time(at, at + second)  # noqa: E731 - one of several forms, side by side
    else:
        from datetime import time as clock_time

        from panther_schedule import Daily
        from panther_schedule.occurrences.compiler import compile_schedule

        next_after = compile_schedule(Daily(clock_time(8)), zone).next_after
        at = anchor = int(start.timestamp()) * 1_000_000
        step = lambda at: next_after(at, anchor)  # noqa: E731 - one of several forms, side by side
    walks: list[float] = []
    for _ in range(9):
        now, begin = at, time.perf_counter()
        for _ in range(n):
            now = step(now)
        walks.append((time.perf_counter() - begin) / n * 1e6)
    return {"again": median(walks[1:]), "first": walks[0]}


def imports(_side: str) -> Figures:
    """Time the import, in one more fresh interpreter, over that of what it needs anyway."""
    command = [sys.executable, "-c", IMPORT]
    path = os.pathsep.join(sys.path)
    answer = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own text
    return {"ms": float(answer.stdout) * 1_000}


def command_line(_side: str) -> Figures:
    """Take the CPU of the executable over that of an interpreter with asyncio and a pydantic model."""
    needed = IMPORT.partition("begin =")[0]
    call = "from panther_schedule.cli import main; main()"
    base, told, answered = (
        _cpu(sys.executable, "-c", *arguments)
        for arguments in ((needed,), (call, "--help"), (call, "next", "0 9 * * mon-fri"))
    )
    return {"help": told - base, "next": answered - base, "ratio": answered / base}


def _cpu(*command: str) -> float:
    """Return the CPU of a process, in ms."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    path = os.pathsep.join(sys.path)
    subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - our own text
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1_000


def year(_side: str) -> Figures:
    """Time a virtual year of a task that runs every minute: 525,965 runs, each with its record."""
    from panther_schedule import BackgroundTask, Repeat, Scheduler, VirtualClock

    n, minute = 525_965, timedelta(minutes=1)
    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
    scheduler = Scheduler(clock=clock)
    begin = time.perf_counter()
    scheduler.add_task(BackgroundTask(noop).with_schedule(Repeat(n, minute)))
    clock.advance(n * minute)
    seconds = time.perf_counter() - begin
    counts = scheduler.counts
    assert sum(counts.values()) == counts["succeeded"] == n, counts
    return {"seconds": seconds}


def ten_years(_side: str) -> Figures:
    """Time ten virtual years of 100 daily tasks in five zones, each with a policy and its records."""
    from datetime import time as clock_time

    from panther_schedule import BackgroundTask, Daily, Policy, Retry, Scheduler, VirtualClock

    zones = ("Europe/Berlin", "America/New_York", "America/Nuuk", "Australia/Lord_Howe", "UTC")
    policy = Policy(overlap="queue_one", missed="catch_up", retry=Retry(3), jitter=timedelta(minutes=5))
    clock, days = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC)), 3_652
    scheduler = Scheduler(clock=clock)
    begin = time.perf_counter()
    for i in range(100):
        schedule = Daily(clock_time(i % 24, i % 20), tz=zones[i % 5])
        scheduler.add_task(BackgroundTask(noop).with_schedule(schedule).with_name(f"task {i}").with_policy(policy))
    clock.advance(timedelta(days=days))
    seconds = time.perf_counter() - begin
    counts = scheduler.counts
    assert sum(counts.values()) == counts["succeeded"] == 100 * days, counts
    return {"seconds": seconds, "runs": counts["succeeded"]}


def tested_year(_side: str) -> Figures:
    """Time a virtual year in one test: an async daily task, and one each five minutes that sleeps for a minute."""
    from datetime import time as clock_time

    from panther_schedule import BackgroundTask, Scheduler
    from panther_schedule.testing import ScheduleClock

    begin = time.perf_counter()
    with ScheduleClock(scheduler := Scheduler()) as schedule_clock:
        polls = BackgroundTask(asyncio.sleep, 60).interval(-1).interval_wait(timedelta(minutes=5))
        digest = BackgroundTask(asyncio.sleep, 3600).interval(-1).on_time(clock_time(8), tz="UTC")
        scheduler.add_tasks([polls, digest])
        runs = schedule_clock.advance(days=365)
    assert len(runs) == 365 * (24 * 12 + 1), len(runs)
    return {"seconds": time.perf_counter() - begin, "runs": len(runs)}


ROWS: dict[str, Callable[[str], Figures]] = {
    "add": add,
    "million": million,
    "memory": memory,
    "noop": noops,
    "sleepers": sleepers,
    "async": async_noops,
    "lateness": lateness,
    "lost": lost,
    "idle": idle,
    "daily": daily,
    "import": imports,
    "command line": command_line,
    "year": year,
    "ten years": ten_years,
    "test": tested_year,
}

if __name__ == "__main__":
    row, side = sys.argv[1:]
    try:
        print(json.dumps(ROWS[row](side)), flush=True)
    except ModuleNotFoundError as error:
        if side not in DISTRIBUTIONS or error.name != side:
            raise
        print("{}", flush=True)
    os._exit(0)  # what still waits is not to be waited for
