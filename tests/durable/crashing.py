"""A process that runs tasks from a file, and dies or is stopped at a named point: python crashing.py FILE LOG ORDERS.

Its functions write down each call. It adds the tasks, as each process of an app does, runs them until its standard
input ends, and stops in an orderly way then.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import select
import sqlite3
import sys
import threading
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from functools import partial
from pathlib import Path
from signal import SIGKILL, SIGSTOP, pthread_kill
from typing import Any, Final
from unittest import mock

from campaign import Orders, Point

from panther_schedule import (
    AnySchedule,
    BackgroundTask,
    BusyLoopWarning,
    Policy,
    Repeat,
    Retry,
    Scheduler,
    TaskRegistry,
    current_run,
)
from panther_schedule.clock import Reading, SystemClock, moment
from panther_schedule.sqlite import SQLiteStore, processes
from panther_schedule.sqlite import file as made

NEXT: Final = "ALTER TABLE run ADD note TEXT;\nUPDATE run SET note = cause;\nCREATE INDEX run_note ON run (note);\n"
MS: Final = timedelta(milliseconds=1)


class Ahead(SystemClock):
    """The machine's clock, set wrong."""

    def __init__(self, by_s: float) -> None:
        super().__init__()
        self.by = round(by_s * 1_000_000)

    def read(self) -> Reading:
        wall, steady = super().read()
        return Reading(wall + self.by, steady + self.by)

    def now(self, on_wall: bool) -> int:
        return super().now(on_wall) + self.by


file, log_file = sys.argv[1:3]
orders = Orders(**json.loads(sys.argv[3]))
clock = Ahead(orders.ahead_s) if orders.ahead_s else SystemClock()
log = os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
passed: list[None] = []
lock = threading.Lock()
turn = threading.Lock()


def reach(point: Point) -> None:
    """Die here, if it is the time and the place."""
    if point != orders.point:
        return
    with lock:
        passed.append(None)
        if len(passed) != orders.nth:
            return
    os.write(log, f"{'stopped' if orders.stops else 'killed'} {os.getpid()}\n".encode())
    if not orders.stops:
        os.kill(os.getpid(), SIGKILL)
    with turn if "function" in point else nullcontext():  # stopped in a turn it would hold the others up
        pthread_kill(threading.get_ident(), SIGSTOP)  # another thread might be late to take it, and this one go on


class Watched(sqlite3.Connection):
    """A connection that says where it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.turns = False
        self.set_trace_callback(self.before)

    def before(self, sql: str) -> None:
        """Notice a statement that is about to be executed, however it was given."""
        word = sql.split(None, 1)[0].upper()
        if (word in {"CREATE", "ALTER"} and " TEMP " not in sql) or "_id =" in sql or "user_version =" in sql:
            reach("in the migration")
        elif word in {"INSERT", "UPDATE", "DELETE"}:
            reach("in the transaction")
        elif word == "COMMIT":
            reach("before the commit")

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql.startswith("BEGIN"):
            super().execute(f"PRAGMA max_page_count = {1 if os.path.exists(f'{file}.full') else 2**30}")
            self.turns = self.turns or turn.acquire()  # a full disk may have ended the turn before
        try:
            done = super().execute(sql, *parameters)
        finally:
            if self.turns and not self.in_transaction:
                self.turns = False
                turn.release()
        if sql == "COMMIT":
            reach("after the commit")
        return done


registry = TaskRegistry()


@contextmanager
def noted() -> Generator[int]:
    """Write down that a call has begun and ended; give the number of the attempt."""
    run = current_run()
    call = f"{run.id} {run.attempt} {os.getpid()}"
    os.write(log, f"begun {call} {clock.now(True)}\n".encode())
    try:
        reach("in the function")
        yield run.attempt
    finally:
        os.write(log, f"ended {call} {clock.now(True)}\n".encode())
        reach("after the function")


@registry.register
def nap(seconds: float) -> None:
    with noted():
        time.sleep(seconds)


@registry.register
async def doze(seconds: float) -> None:
    with noted():
        await asyncio.sleep(seconds)


@registry.register
def flaky() -> None:
    with noted() as attempt:
        if attempt == 1:
            raise ConnectionError("the first attempt")


def named(name: str, func: Any, schedule: AnySchedule, policy: Policy, *args: float) -> BackgroundTask:
    return BackgroundTask(func, *args).with_schedule(schedule).with_name(name).with_policy(**policy._given())


def every(ms: int, n: int = -1) -> Repeat:
    return Repeat(n, ms * MS)


TASKS: Final = [
    *(named(f"plain{number}", nap, every(40), Policy(), 0.0) for number in range(4)),
    named("queue-all", nap, every(60), Policy(overlap="queue_all"), 0.03),
    named("queue-one", nap, every(60), Policy(overlap="queue_one"), 0.08),
    named("skip", nap, every(50), Policy(), 0.08),
    named("allow", nap, every(50), Policy(overlap="allow", max_running=3), 0.1),
    named("catch-up", nap, every(100), Policy(missed="catch_up"), 0.01),
    named("missed-skip", nap, every(90), Policy(missed="skip", grace=timedelta(seconds=1)), 0.01),
    named("flaky", flaky, every(100), Policy(retry=Retry(3, delay=20 * MS))),
    named("record", nap, every(70), Policy(on_lost="record"), 0.02),
    named("n200", nap, every(50, n=200), Policy(), 0.01),
    named("back-to-back", nap, Repeat(-1), Policy(), 0.01),
    named("jitter", nap, every(80), Policy(jitter=20 * MS), 0.0),
    named("timeout", nap, every(90), Policy(timeout=20 * MS), 0.03),
    named("async", doze, every(60), Policy(), 0.03),
    named("async-cancel", doze, every(50), Policy(overlap="cancel_running"), 0.08),
    named("long", nap, every(200), Policy(overlap="allow", max_running=4), 0.6),
]


def main() -> None:
    """Run the tasks until the standard input ends."""
    warnings.simplefilter("ignore", BusyLoopWarning)
    logging.basicConfig(format=f"{os.getpid()} %(levelname)s %(message)s")
    store = SQLiteStore(file, lease=timedelta(seconds=orders.lease_s), keep_records=orders.keep_records)
    scheduler = Scheduler(store=store, registry=registry, max_workers=8, clock=clock)
    with (
        mock.patch("sqlite3.connect", partial(sqlite3.connect, factory=Watched)),
        mock.patch.object(made, "MIGRATIONS", (*made.MIGRATIONS, NEXT) if orders.migrates else made.MIGRATIONS),
        mock.patch.object(processes, "_SPACE", Path() if orders.unseen else processes._SPACE),
        scheduler,
    ):
        wanted = [task for task in TASKS if not orders.tasks or task.name in orders.tasks]
        scheduler.add_tasks(task for task in wanted if task.name not in scheduler)  # they may have been replaced
        if orders.pauses:
            for handle in scheduler:
                handle.pause("the end")
        os.write(log, f"ready {os.getpid()}\n".encode())
        if orders.meddles:
            meddle(scheduler, random.Random(os.getpid()))
        sys.stdin.read()


def meddle(scheduler: Scheduler, chance: random.Random) -> None:
    """Do what people do to tasks, at any moment, until the standard input ends."""
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        task = chance.choice(TASKS)
        handle, now = scheduler[str(task.name)], clock.read().wall
        match chance.choice(("pause", "resume", "resume", "run_now", "backfill", "replace", "replace")):
            case "pause":
                handle.pause("a moment")
            case "resume":
                handle.resume()
            case "run_now":
                handle.run_now()
            case "backfill":
                if task.name != "back-to-back":
                    handle.backfill(moment(now - 500_000), moment(now))
            case _:
                scheduler.replace(task.with_policy(timeout=chance.choice((1, 2)) * timedelta(minutes=1)))


if __name__ == "__main__":
    main()
