"""Control from many threads at once, while runs of every kind go on: the law of the ledger holds after it."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from panther_schedule import BackgroundTask, Policy, Retry, Run, Scheduler, TaskHandle, VirtualClock, current_run
from panther_schedule.events import Event, RunFinished, RunStarted, TaskEnded
from panther_schedule.runtime.current import flying
from panther_schedule.runtime.handles import RunHandle

MS = timedelta(milliseconds=1)
LONG = timedelta(seconds=20)  # far longer than anything here takes
OPERATIONS = 150  # of each thread


def quick() -> None:
    """Do nothing."""


def flaky() -> None:
    """Fail at the first attempt."""
    if current_run().attempt == 1:
        raise OSError


def looks() -> None:
    """Go on until it is asked to end."""
    pause = threading.Event()
    while not current_run().cancelled:
        pause.wait(0.001)


async def waits() -> None:
    """Wait until it is cancelled."""
    await asyncio.Event().wait()


async def swallows() -> None:
    """Make nothing of being cancelled."""
    try:
        await asyncio.sleep(0.005)
    except asyncio.CancelledError:
        await asyncio.sleep(0.002)


KINDS: list[tuple[Callable[[], Any], Policy]] = [
    (quick, Policy()),
    (flaky, Policy(overlap="queue_all", retry=Retry(2, delay=MS))),
    (looks, Policy(overlap="queue_one", timeout=3 * MS)),
    (waits, Policy(overlap="cancel_running")),
    (waits, Policy(timeout=2 * MS, retry=Retry(2, delay=MS, on=(TimeoutError,)))),
    (swallows, Policy(overlap="allow", max_running=3, timeout=4 * MS)),
]


class Meddler(threading.Thread):
    """Adds, pauses, resumes, replaces, runs, fills and cancels at random."""

    def __init__(self, scheduler: Scheduler, seed: int) -> None:
        super().__init__()
        self.scheduler, self.random = scheduler, random.Random(seed)
        self.seed, self.added = seed, 0
        self.handles: list[TaskHandle] = []
        self.runs: list[RunHandle] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            for _ in range(OPERATIONS):
                self.meddle()
        except BaseException as error:
            self.error = error

    def meddle(self) -> None:
        """Do one thing."""
        func, policy = self.random.choice(KINDS)
        task = BackgroundTask(func).interval(self.random.choice([1, 3, -1])).interval_wait(2 * MS).with_policy(policy)
        if len(self.handles) < 5:
            self.added += 1
            name = f"{self.seed}-{self.added}"
            self.handles.append(self.scheduler.add_task(task.with_name(name)))
            return
        handle = self.random.choice(self.handles)
        match self.random.randrange(8):
            case 0:
                handle.pause("for a moment")
            case 1 | 2:
                handle.resume()
            case 3:
                self.runs.append(handle.run_now())
            case 4:
                now = datetime.now(UTC)
                self.runs.extend(handle.backfill(now - 5 * MS, now))
            case 5:
                self.scheduler.replace(task.with_name(handle.name))
            case 6 if self.runs:
                self.random.choice(self.runs).cancel()
            case _:
                self.handles.remove(handle)
                handle.cancel()


@pytest.mark.real_clock
def test_every_run_ends_once_whatever_many_threads_do_meanwhile() -> None:
    told, last = list[Event](), threading.Event()
    with Scheduler() as scheduler:
        scheduler.add_listener(told.append)
        scheduler.add_listener(lambda event: last.set() if event == TaskEnded("last", False) else None)
        meddlers = [Meddler(scheduler, seed) for seed in range(4)]
        for meddler in meddlers:
            meddler.start()
        for meddler in meddlers:
            meddler.join(60)
        for meddler in meddlers:
            for handle in meddler.handles:
                handle.cancel()
        assert scheduler.join(LONG)
        scheduler.add_task(BackgroundTask(int).with_name("last"))
        assert last.wait(60)  # the end would wait for listeners for a second only

    assert [meddler.error for meddler in meddlers] == [None] * 4
    assert scheduler.counts["in_flight"] == scheduler.counts["abandoned"] == 0
    assert all(run.run is not None for meddler in meddlers for run in meddler.runs)
    ended = [event.run.id for event in told if isinstance(event, RunFinished)]
    started = {event.run.id for event in told if isinstance(event, RunStarted)}
    assert started <= set(ended)
    health = scheduler.health()
    assert (scheduler.counts["in_flight"], health.waiting, health.overdue) == (0, 0, ())
    assert sum(isinstance(event, TaskEnded) and event.cancelled for event in told) > 0
    assert all(isinstance(record, Run) or record.count > 0 for m in meddlers for h in m.handles for record in h.runs)


def test_a_replacement_may_come_between_the_start_of_a_run_and_the_report_of_it(clock: VirtualClock) -> None:
    def works() -> None:
        scheduler.replace(task)
        life, flight = scheduler._life, flying.get()
        assert life is not None
        assert flight is not None
        life.loop.post(partial(life.engine.begin, flight, clock.read().steady))

    task = BackgroundTask(works).with_name("task")
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(task.with_policy(timeout=LONG))
        assert scheduler.join()

        assert [run.outcome for run in handle.runs if isinstance(run, Run)] == ["succeeded"]
