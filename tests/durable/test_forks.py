"""A process that forks while its scheduler has the file open, in programs of their own."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = pytest.mark.real_clock

HEAD = """
import os, sqlite3, sys, warnings
from datetime import timedelta
from panther_schedule import BackgroundTask, Scheduler, SchedulerStateError, TaskRegistry
from panther_schedule.sqlite import SQLiteStore

warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads
tasks = TaskRegistry()
file = sys.argv[1]
PATIENCE = timedelta(seconds=60)

@tasks.register
def greet(who: str) -> None:
    pass

scheduler = Scheduler(store=SQLiteStore(file), registry=tasks, max_workers=2)

def add(who: str, n: int = 1, wait: float = 0) -> None:
    task = BackgroundTask(greet, who).with_name(who).interval(n).interval_wait(timedelta(seconds=wait))
    return scheduler.add_task(task)

def leave(code: int) -> None:
    scheduler.stop()
    os._exit(code)
"""


def run(program: str, file: Path) -> subprocess.CompletedProcess[str]:
    """Run a program on a file."""
    command = [sys.executable, "-W", "error", "-c", HEAD + program, str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def succeeded(file: Path) -> list[str]:
    """Name the tasks whose runs have succeeded, by the file alone."""
    with closing(sqlite3.connect(file)) as db:
        sql = "SELECT DISTINCT name FROM run JOIN task ON task.id = run.task WHERE outcome = 'succeeded' ORDER BY name"
        return [name for (name,) in db.execute(sql)]


def test_what_a_child_keeps_is_kept_after_its_parent_has_ended(tmp_path: Path) -> None:
    """The child has locks of its own, so that nobody takes the file for one that is not in use."""
    done = run(
        """
add("parent").join()
told, tells = os.pipe(), os.pipe()
child = os.fork()
if not child:
    add("child").join()
    os.write(told[1], b".")
    os.read(tells[0], 1)
    add("orphan").join()
    leave(0)
os.read(told[0], 1)
scheduler.stop()
with sqlite3.connect(file) as db:  # whoever closes a file last removes its log
    print(db.execute("SELECT count(*) FROM task").fetchone()[0])
db.close()
os.write(tells[1], b".")
print(os.waitpid(child, 0)[1])
""",
        tmp_path / "tasks.db",
    )

    assert (done.stdout, done.stderr, done.returncode) == ("2\n0\n", "", 0)
    assert succeeded(tmp_path / "tasks.db") == ["child", "orphan", "parent"]


def test_a_process_may_fork_while_tasks_run(tmp_path: Path) -> None:
    """A fork waits for the end of a turn, so no child inherits a lock, and the parent goes on."""
    done = run(
        """
for number in range(5):
    add(f"busy{number}", n=-1, wait=0.002)
codes = set()
for number in range(30):
    child = os.fork()
    if not child:
        leave(not add(f"child{number}").join(PATIENCE))
    codes.add(os.waitpid(child, 0)[1])
before = scheduler.counts["succeeded"]
add("parent").join()
print(codes, scheduler.counts["succeeded"] > before, scheduler.health().alive)
scheduler.stop()
""",
        tmp_path / "tasks.db",
    )

    assert (done.stdout, done.stderr, done.returncode) == ("{0} True True\n", "", 0)
    assert len(succeeded(tmp_path / "tasks.db")) == 30 + 5 + 1


def test_the_scheduler_of_a_child_knows_the_file_once_it_has_started(tmp_path: Path) -> None:
    """It does not take part by itself."""
    done = run(
        """
add("far", n=-1, wait=3600)
if not os.fork():
    try:
        print("far" in scheduler)
    except SchedulerStateError as error:
        print(error)
    print(scheduler.start()["far"].name, len(scheduler), flush=True)
    leave(0)
print(os.wait()[1])
""",
        tmp_path / "tasks.db",
    )

    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == "stored tasks are known once the scheduler has started; call start()\nfar 1\n0\n"
