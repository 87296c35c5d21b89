"""`run`, the real executable: it ends as `run_forever()` does, and accounts for every occurrence."""

from __future__ import annotations

import re
import signal
import subprocess
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from shell import COMMAND, EXAMPLES, Said, environment

from panther_schedule import BackgroundTask, Scheduler, TaskRegistry
from panther_schedule.sqlite import SQLiteStore

pytestmark = pytest.mark.real_clock

ENDLESS = """
import threading
from panther_schedule import BackgroundTask, Scheduler

def wait():
    print("begun", flush=True)
    threading.Event().wait()

tasks = [BackgroundTask(wait).with_name("endless")]
scheduler = Scheduler()
"""


def run(
    *arguments: str, folder: Path = EXAMPLES, after: int = 1, signals: Sequence[tuple[signal.Signals, str]] = ()
) -> Said:
    """Run a module; once it has written some lines send a signal, wait for a word on stderr, send the next."""
    with subprocess.Popen(
        [COMMAND, "run", *arguments],
        cwd=folder,
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        out, err = "".join(process.stdout.readline() for _ in range(after)), ""
        while signals and "running" not in err:
            err += process.stderr.readline()
        for number, word in signals:
            process.send_signal(number)
            while word not in err:
                err += process.stderr.readline()
        with ThreadPoolExecutor(1) as pool:  # communicate() would lose what readline() has read ahead
            rest = pool.submit(process.stderr.read)
            out += process.stdout.read()
            err += rest.result()
    return Said(process.returncode, out, err)


def test_twenty_tasks_ended_in_the_middle_are_accounted_for() -> None:
    said = run("twenty", after=100, signals=[(signal.SIGTERM, "a second signal ends this at once")])
    called, account = _parted(said.out)

    assert said.code == 0
    assert len(account) == len(called) == 20
    for task, counts in account.items():
        due, times = counts.pop("due"), called[task]
        wait = timedelta(milliseconds=100 if task.startswith("work") else 250)
        assert due == counts.total()
        assert len(set(times)) == len(times) == counts["succeeded"] + counts["failed"]
        assert (times[-1] - times[0]) / wait + 1 <= due, "an occurrence before the last run is in no record"
    total = sum(int(number) for number in re.findall(r"([\d,]+) [a-z_]+(?:,|$)", said.out.splitlines()[-1]))
    assert said.out.splitlines()[-1].startswith(f"{total} occurrences were due: ")
    assert total == sum(counts.total() for counts in account.values())


def _parted(out: str) -> tuple[dict[str, list[datetime]], dict[str, Counter[str]]]:
    """Part what the functions printed, their calls, from the account, a table."""
    lines = out.splitlines()
    begin = next(at for at, line in enumerate(lines) if line.startswith("task "))
    called: defaultdict[str, list[datetime]] = defaultdict(list)
    for task, at in map(str.split, lines[:begin]):
        called[task].append(datetime.fromisoformat(at))
    head, *rows = lines[begin:-1]
    columns = [(found[0], found.start(), found.end()) for found in re.finditer(r"\S+ *", head)]
    account = {
        row.split()[0]: Counter({name.strip(): int(row[low:high].strip() or 0) for name, low, high in columns[1:]})
        for row in rows
    }
    return {task: sorted(times) for task, times in called.items()}, account


def test_it_logs_each_run_and_says_nothing_else_when_quiet() -> None:
    loud, quiet = run("greetings"), run("greetings", "--quiet")

    assert (loud.code, quiet.code) == (0, 0)
    assert re.search(r"^\d\d:\d\d:\d\d INFO +task greeting succeeded after \d\.\d{3} s, for ", loud.err, re.MULTILINE)
    assert "task greeting has ended" in loud.err
    assert quiet.err == ""
    assert loud.out == quiet.out
    assert quiet.out.splitlines()[-1] == "2 occurrences were due: 2 succeeded"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once_and_the_account_is_given(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(ENDLESS)
    said = run("app:tasks", folder=tmp_path, signals=[(number, "a second signal ends this at once"), (number, "")])

    assert said.code == 128 + number
    assert "1 occurrence was due: 1 abandoned" in said.out
    assert "Traceback" not in said.err


EARLY = """
import os, signal, threading
from panther_schedule import BackgroundTask, Scheduler

class Early(Scheduler):
    def run_forever(self, timeout):
        os.kill(os.getpid(), signal.SIGTERM)  # just before it would take signals
        threading.Event().wait()

def wait():
    while not scheduler._stopped: pass
    print("the drain has begun", flush=True)
    threading.Event().wait()

scheduler = Early()
scheduler.add_task(BackgroundTask(wait).with_name("endless"))
"""


def test_signals_that_come_before_it_takes_them_do_the_same(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(EARLY)
    said = run("app:scheduler", folder=tmp_path, signals=[(signal.SIGTERM, "")])

    assert said.code == 128 + signal.SIGTERM
    assert "1 occurrence was due: 1 abandoned" in said.out
    assert "Traceback" not in said.err


def test_runs_have_the_grace_that_was_given(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(ENDLESS)
    said = run("app:tasks", "--grace", "0", folder=tmp_path, signals=[(signal.SIGTERM, "")])

    assert said.code == 0
    assert said.out.splitlines()[-1] == "1 occurrence was due: 1 abandoned"


def test_a_scheduler_of_a_module_runs_with_its_tasks(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(ENDLESS + "scheduler.add_tasks(tasks)\n")
    said = run("app:scheduler", "--grace", "0", folder=tmp_path, signals=[(signal.SIGTERM, "")])

    assert said.code == 0
    assert said.out.splitlines()[-1] == "1 occurrence was due: 1 abandoned"


STORED = """
from panther_schedule import Scheduler, TaskRegistry
from panther_schedule.sqlite import SQLiteStore

registry = TaskRegistry()

@registry.register
def greet():
    print("begun", flush=True)

scheduler = Scheduler(store=SQLiteStore("tasks.db"), registry=registry)
"""


def test_a_scheduler_of_a_module_runs_the_tasks_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(STORED)
    registry = TaskRegistry()

    @registry.register
    def greet() -> None: ...

    with Scheduler(store=SQLiteStore(tmp_path / "tasks.db"), registry=registry, max_workers=0) as scheduler:
        scheduler.add_task(BackgroundTask(greet).with_name("greeting"))
    said = run("app:scheduler", folder=tmp_path, signals=[(signal.SIGTERM, "")])

    assert (said.code, said.out.splitlines()[-1]) == (0, "1 occurrence was due: 1 succeeded")
