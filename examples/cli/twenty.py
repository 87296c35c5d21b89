"""Twenty sync and async tasks, some of which overlap, fail and are tried again: `panther-schedule run twenty`."""

import asyncio
import sys
import time
from datetime import timedelta

from panther_schedule import BackgroundTask, Repeat, Retry, current_run


def say() -> None:
    run = current_run()
    sys.stdout.write(f"{run.task} {run.scheduled_at.isoformat()}\n")


def work(seconds: float) -> None:
    say()
    time.sleep(seconds)


async def fetch(seconds: float) -> None:
    say()
    await asyncio.sleep(seconds)


def fail() -> None:
    if current_run().attempt == 1:
        say()
    raise ConnectionError("no answer")


often, seldom = (Repeat(-1, timedelta(milliseconds=wait)) for wait in (100, 250))
tasks = [
    *(BackgroundTask(work, 0.05 * n).with_schedule(often).with_name(f"work-{n}") for n in range(8)),
    *(BackgroundTask(fetch, 0.05 * n).with_schedule(seldom).with_name(f"fetch-{n}") for n in range(9)),
    *(
        BackgroundTask(fail)
        .with_schedule(seldom)
        .with_name(f"fail-{attempts}")
        .with_policy(retry=Retry(attempts, delay=timedelta(milliseconds=20)))
        for attempts in (2, 3, 4)
    ),
]
