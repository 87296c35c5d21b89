"""The durable sides, all alike: `store` tasks that are due at once in a fresh file, then `run` them all.

All use SQLite in WAL mode with the same `PRAGMA synchronous`. What an acknowledged outcome is:

- ours: the outcome is in the file, committed, and the scheduler has been told of it;
- APScheduler: the job has been deleted from the file, and EVENT_JOB_EXECUTED has been dispatched. It hands a job to
  its pool and deletes it at once, not when it has ended; the outcome is in memory alone;
- huey: the task has been deleted from the file, and SIGNAL_COMPLETE has been sent. A worker deletes a task before it
  runs it; the outcome is in memory alone;
- huey+results: as before, and the function's result has been committed.

So a kill loses what these two were running, and nobody can tell later what became of it: they promise less than ours.
"""

from __future__ import annotations

import itertools
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

Moment = tuple[float, float]
"""Of one clock and of the CPU time of all threads, both in seconds."""

started: list[Moment] = []


def now() -> Moment:
    """Read both clocks."""
    return time.perf_counter(), time.process_time()


def noop() -> None:
    """Do nothing, but note the first start."""
    if not started:
        started.append(now())


class Side(Protocol):
    """What every adapter can do; it is made with a file, the value of `PRAGMA synchronous`, and a number of workers."""

    def store(self, n: int) -> None:
        """Store tasks that are due at once, and run none."""

    def run(self, n: int) -> Moment:
        """Run them all, and return when the last outcome was acknowledged."""


class Acknowledged:
    """Counts what several threads tell, and knows when the last of them came."""

    def __init__(self, n: int) -> None:
        self._last, self._numbers = n, itertools.count(1)
        self._done, self._ended = threading.Event(), now()

    def __call__(self, *_told: object) -> None:
        if next(self._numbers) == self._last:
            self._ended = now()
            self._done.set()

    def wait(self) -> Moment:
        """Wait for the last one."""
        assert self._done.wait(120)
        return self._ended


class APSchedulerSide:
    def __init__(self, file: str, synchronous: str, workers: int) -> None:
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
        from apscheduler.schedulers.background import BackgroundScheduler
        from sqlalchemy import create_engine, event

        def connected(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {synchronous}")

        engine = create_engine(f"sqlite:///{file}")
        event.listen(engine, "connect", connected)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            jobstores={"default": SQLAlchemyJobStore(engine=engine)},
            executors={"default": ThreadPoolExecutor(workers)},
            job_defaults={"misfire_grace_time": None},  # after one second's lateness it would drop a run
        )

    def store(self, n: int) -> None:
        self._scheduler.start(paused=True)
        for _ in range(n):
            self._scheduler.add_job(noop, "date", run_date=datetime.now(UTC))

    def run(self, n: int) -> Moment:
        from apscheduler.events import EVENT_JOB_EXECUTED, EVENT_JOB_REMOVED

        acknowledged = Acknowledged(2 * n)
        self._scheduler.add_listener(acknowledged, EVENT_JOB_EXECUTED | EVENT_JOB_REMOVED)
        self._scheduler.resume()
        ended = acknowledged.wait()
        assert not self._scheduler.get_jobs()
        return ended


class HueySide:
    def __init__(self, file: str, synchronous: str, workers: int, *, results: bool = False) -> None:
        from huey import Huey
        from huey.storage import SqliteStorage

        class Storage(SqliteStorage):
            """As `SqliteHuey` has it, but `fsync` knows only FULL and OFF."""

            def _create_connection(self) -> sqlite3.Connection:
                connection = super()._create_connection()
                connection.execute(f"PRAGMA synchronous = {synchronous}")
                return connection

        self._results, self._workers = results, workers
        self._huey = Huey("bench", results, store_none=results, storage_class=Storage, filename=file)
        self._task = self._huey.task()(noop)

    def store(self, n: int) -> None:
        for _ in range(n):
            self._task()

    def run(self, n: int) -> Moment:
        from huey.consumer import Consumer
        from huey.signals import SIGNAL_COMPLETE

        acknowledged = Acknowledged(n)
        self._huey.signal(SIGNAL_COMPLETE)(acknowledged)
        Consumer(self._huey, workers=self._workers, periodic=False).start()
        ended = acknowledged.wait()
        assert (self._huey.pending_count(), self._huey.result_count()) == (0, n if self._results else 0)
        return ended


class OurSide:
    def __init__(self, file: str, synchronous: str, workers: int) -> None:
        from panther_schedule import TaskRegistry
        from panther_schedule.sqlite import SQLiteStore

        self._tasks, self._workers = TaskRegistry(), workers
        self._tasks.register(noop)
        self._store = SQLiteStore(file, durability="power-safe" if synchronous == "FULL" else "process-safe")

    def _scheduler(self, workers: int) -> Any:
        from panther_schedule import Scheduler

        return Scheduler(store=self._store, registry=self._tasks, max_workers=workers)

    def store(self, n: int) -> None:
        from panther_schedule import BackgroundTask

        with self._scheduler(0) as scheduler:
            scheduler.add_tasks([BackgroundTask(noop)] * n)

    def run(self, n: int) -> Moment:
        with self._scheduler(self._workers) as scheduler:
            scheduler.join()
            ended = now()
            counts = scheduler.counts
        assert sum(counts.values()) == counts["succeeded"] == n, counts
        return ended


WORKERS = 8
SIDES: dict[str, Callable[[str, str], Side]] = {
    "apscheduler": partial(APSchedulerSide, workers=WORKERS),
    "apscheduler, 1 worker": partial(APSchedulerSide, workers=1),
    "huey": partial(HueySide, workers=WORKERS),
    "huey, 1 worker": partial(HueySide, workers=1),
    "huey+results": partial(HueySide, workers=WORKERS, results=True),
    "ours": partial(OurSide, workers=WORKERS),
    "ours, 64 workers": partial(OurSide, workers=64),
    "ours, 1 worker": partial(OurSide, workers=1),  # so it commits for each run
}
