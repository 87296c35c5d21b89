"""A soak in real time: python bench/soak.py [--minutes 10] [--tasks 10000].

Thousands of tasks of every kind run side by side with policies and one listener: quick ones, sleepers, failing ones
that are tried again, slow ones that overlap, ones that time out, async ones, daily ones that wait. It prints the
memory each half minute and, at the end, what happened to each due occurrence. Memory is flat when the second half of
the time adds next to nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import resource
import sys
import time
from datetime import datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from panther_schedule import BackgroundTask, Daily, Policy, Repeat, Retry, Run, Scheduler, current_run, events

SECOND = timedelta(seconds=1)


def quick() -> None:
    """Do nothing."""


def sleeper() -> None:
    """Keep a worker for 20 ms."""
    time.sleep(0.02)


def failing() -> None:
    """Fail at the first attempt."""
    if current_run().attempt == 1:
        raise ConnectionError


def endless() -> None:
    """Go on until it is asked to end."""
    while not current_run().cancelled:
        time.sleep(0.01)


async def waiting() -> None:
    """Wait for two seconds, longer than its timeout or its interval."""
    await asyncio.sleep(2)


def tasks(number: int) -> list[BackgroundTask]:
    """Make the tasks: mostly quick ones, and some of every other kind."""
    made: list[BackgroundTask] = []
    for i in range(number):
        wait = timedelta(seconds=5 + i % 20)
        match i % 100:
            case 0:
                task: BackgroundTask = (
                    BackgroundTask(sleeper).with_schedule(Repeat(-1, wait)).with_policy(overlap="skip")
                )
            case 1 | 2:
                policy = Policy(retry=Retry(3, delay=SECOND / 10))
                task = BackgroundTask(failing).with_schedule(Repeat(-1, wait)).with_policy(policy)
            case 3 | 4 | 5:
                task = BackgroundTask(waiting).with_schedule(Repeat(-1, SECOND)).with_policy(overlap="queue_one")
            case 6 | 7:
                task = BackgroundTask(waiting).with_schedule(Repeat(-1, wait)).with_policy(timeout=SECOND)
            case 8:
                task = BackgroundTask(waiting).with_schedule(Repeat(-1, SECOND)).with_policy(overlap="cancel_running")
            case 9 | 10 | 11 | 12:
                task = BackgroundTask(quick).with_schedule(Daily(clock_time(i % 24, i % 60)))
            case 13 | 14:
                task = BackgroundTask(quick).with_schedule(Repeat(-1, wait)).with_policy(jitter=5 * SECOND)
            case _:
                task = BackgroundTask(quick).with_schedule(Repeat(-1, wait))
        made.append(task.with_name(f"task {i}") if i % 2 else task)
    endless_one = BackgroundTask(endless).with_schedule(Repeat(-1, 5 * SECOND)).with_policy(timeout=SECOND)
    return [*made, endless_one]


def memory() -> float:
    """Return the resident memory, in MB."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def main() -> None:
    """Run, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--tasks", type=int, default=10_000)
    options = parser.parse_args()
    logging.getLogger("panther_schedule").setLevel(logging.CRITICAL)  # a line for each run that times out
    told, lateness = 0, list[float]()

    def listener(event: events.Event) -> None:
        nonlocal told
        told += 1
        if isinstance(event, events.RunFinished) and event.run.lateness is not None and not told % 50:
            lateness.append(event.run.lateness / timedelta(milliseconds=1))

    begin, seen = time.monotonic(), list[float]()
    with Scheduler() as scheduler:
        scheduler.add_listener(listener)
        handles = scheduler.add_tasks(tasks(options.tasks))
        while (passed := time.monotonic() - begin) < options.minutes * 60:
            time.sleep(min(30, options.minutes * 6))
            gc.collect()
            health = scheduler.health()
            seen.append(memory())
            print(
                f"{datetime.now():%H:%M:%S} {passed / 60:5.1f} min  {seen[-1]:7.1f} MB  {told:9,} events  "  # noqa: DTZ005 - for the eye
                f"waiting {health.waiting}, overdue {len(health.overdue)}, "
                f"lag {health.lag}, dropped {health.events_dropped}",
                flush=True,
            )
    counts = scheduler.counts
    records = sum(isinstance(record, Run) for handle in handles for record in handle.runs)
    print({name: number for name, number in counts.items() if number})
    print(f"{sum(counts.values()):,} due occurrences, {records:,} runs kept; median lateness {median(lateness):.1f} ms")
    half = len(seen) // 2
    print(f"memory: {seen[0]:.1f} MB first, {seen[half]:.1f} MB in the middle, {seen[-1]:.1f} MB last")
    by_task = sum(sum(handle.counts.values()) for handle in handles)
    print("the tasks' counts agree" if by_task == sum(counts.values()) else f"THE TASKS' COUNTS SAY {by_task:,}")


if __name__ == "__main__":
    main()
