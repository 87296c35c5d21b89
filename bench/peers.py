"""One adapter a library, all alike: `add` a function for a time, `wait` in the background, `finish` what was added.

A library is imported when its adapter is made, so that a bench copes with one that isn't installed.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import sched
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from bare import WALL_OVER_MONOTONIC, Bare

WORKERS = 6
DISTRIBUTIONS = {"apscheduler": "APScheduler", "schedule": "schedule", "panther": "panther"}


class Side(Protocol):
    """What every adapter can do."""

    def add(self, func: Callable[..., object], at: float | None = None, *args: Any) -> None:
        """Call `func(*args)` once, at this time in seconds since 1970, or now."""

    def wait(self) -> None:
        """Wait for what was added, in a thread of its own, and return at once."""

    def finish(self) -> None:
        """Return when everything added has run and its outcome is recorded, where the library records one."""


class BareSide(Bare):
    def __init__(self) -> None:
        super().__init__(WORKERS)

    def wait(self) -> None:
        pass


class AsyncioSide:
    def __init__(self) -> None:
        self._loop, self._last = asyncio.new_event_loop(), 0.0

    def add(self, func: Callable[..., object], at: float | None = None, *args: Any) -> None:
        due = self._loop.time() if at is None else at - WALL_OVER_MONOTONIC
        self._last = max(self._last, due)
        self._loop.call_at(due, func, *args)

    def wait(self) -> None:
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def finish(self) -> None:
        self._loop.call_at(self._last + 0.001, self._loop.stop)
        self._loop.run_forever()


class SchedSide:
    """It has no thread: functions run one after the other in the one that calls `run()`."""

    def __init__(self) -> None:
        self._sched = sched.scheduler()

    def add(self, func: Callable[..., object], at: float | None = None, *args: Any) -> None:
        self._sched.enterabs(time.monotonic() if at is None else at - WALL_OVER_MONOTONIC, 1, func, args)

    def wait(self) -> None:
        threading.Thread(target=self._sched.run, daemon=True).start()

    def finish(self) -> None:
        self._sched.run()


class APSchedulerSide:
    """BackgroundScheduler with its memory store; no grace time, since after one second's lateness it drops a run."""

    def __init__(self) -> None:
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        events = importlib.import_module("apscheduler.events")
        make: Any = BackgroundScheduler
        self._scheduler = make(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(WORKERS)},
            job_defaults={"misfire_grace_time": None},
        )
        self._added, self._ended, self._lock = 0, 0, threading.Lock()
        self._scheduler.add_listener(self._count, events.EVENT_JOB_EXECUTED)
        self._scheduler.start()

    def add(self, func: Callable[..., object], at: float | None = None, *args: Any) -> None:
        self._added += 1
        self._scheduler.add_job(func, "date", args, run_date=None if at is None else datetime.fromtimestamp(at, UTC))

    def wait(self) -> None:
        pass

    def finish(self) -> None:
        while self._ended < self._added:
            time.sleep(0.001)

    def _count(self, _event: object) -> None:
        with self._lock:
            self._ended += 1


class ScheduleSide:
    """It has no thread: functions run one after the other in its documented loop, `run_pending(); sleep(1)`."""

    def __init__(self) -> None:
        import schedule

        self._cancel, self._scheduler = schedule.CancelJob, schedule.Scheduler()

    def add(self, func: Callable[..., object], at: float | None = None, *args: Any) -> None:
        job = self._scheduler.every(1).seconds.do(self._once, func, *args)  # it has no one-shot jobs
        job.next_run = datetime.fromtimestamp(time.time() if at is None else at)  # noqa: DTZ006 - it counts in naive local time

    def wait(self) -> None:
        threading.Thread(target=self.finish, daemon=True).start()

    def finish(self) -> None:
        while self._scheduler.jobs:
            self._scheduler.run_pending()
            if self._scheduler.jobs:
                time.sleep(1)

    def _once(self, func: Callable[..., object], *args: Any) -> object:
        func(*args)
        return self._cancel


class PantherSide:
    """Panther's own thread, as `BACKGROUND_TASKS = True` starts it; it knows times to the second."""

    def __init__(self) -> None:
        from panther import background_tasks

        logging.getLogger("panther").setLevel(
            logging.WARNING
        )  # else it prints a line a task, and that would be measured
        background_tasks._background_tasks.initialize()
        self.task = background_tasks.BackgroundTask

    def add(self, func: Callable[..., object], at: float | None = None, *args: Any) -> None:
        task = self.task(func, *args)
        if at is not None:
            task.at(datetime.fromtimestamp(at, UTC).time())
        task.submit()

    def wait(self) -> None:
        pass

    def finish(self) -> None:
        raise NotImplementedError("Panther doesn't tell when a task has run")


class OurSide:
    def __init__(self) -> None:
        from panther_schedule import BackgroundTask, Once, Scheduler

        self.task, self._once, self.scheduler = BackgroundTask, Once, Scheduler(max_workers=WORKERS).start()
        self._added = 0

    def add(self, func: Callable[..., object], at: float | None = None, *args: Any) -> None:
        self.add_task(self.build(func, at, *args))

    def build(self, func: Callable[..., object], at: float | None = None, *args: Any) -> Any:
        """Return the value alone."""
        task = self.task(func, *args)
        return task if at is None else task.with_schedule(self._once(datetime.fromtimestamp(at, UTC)))

    def add_task(self, task: Any) -> None:
        """Add a value that was built before."""
        self._added += 1
        self.scheduler.add_task(task)

    def add_tasks(self, tasks: list[Any]) -> None:
        """Add values that were built before, all at once."""
        self._added += len(tasks)
        self.scheduler.add_tasks(tasks)

    def wait(self) -> None:
        """Return when the owner of the store has taken in what was added."""
        life = self.scheduler._life
        assert life is not None
        while life.loop._inbox.qsize():
            time.sleep(0.001)

    def finish(self) -> None:
        self.scheduler.join()
        counts = self.scheduler.counts
        assert sum(counts.values()) == counts["succeeded"] == self._added, counts


class PolicySide(OurSide):
    """Ours, each task under a policy of its own choice instead of the default one."""

    def __init__(self) -> None:
        super().__init__()
        from panther_schedule import Policy, Retry

        self._policy = Policy(overlap="queue_one", missed="catch_up", retry=Retry(3))

    def build(self, func: Callable[..., object], at: float | None = None, *args: Any) -> Any:
        return super().build(func, at, *args).with_policy(self._policy)


class ListenerSide(PolicySide):
    """Ours, under a policy and with one listener; the end is when it was told of the last run."""

    def __init__(self) -> None:
        super().__init__()
        from panther_schedule.events import RunFinished

        self._told = 0

        def listener(event: object) -> None:
            self._told += isinstance(event, RunFinished)

        self.scheduler.add_listener(listener)

    def finish(self) -> None:
        super().finish()
        while self._told < self._added:
            time.sleep(0.0005)


SIDES: dict[str, Callable[[], Side]] = {
    "bare": BareSide,
    "asyncio": AsyncioSide,
    "sched": SchedSide,
    "apscheduler": APSchedulerSide,
    "schedule": ScheduleSide,
    "panther": PantherSide,
    "ours": OurSide,
    "ours+policy": PolicySide,
    "ours+listener": ListenerSide,
}
