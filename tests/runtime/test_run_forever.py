"""Scripts and signals, in real processes: `run_forever()` drains, and Ctrl+C in `join()` ends in good order."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from test_process import HEAD

from panther_schedule import Scheduler, SchedulerStateError, VirtualClock

pytestmark = pytest.mark.real_clock

TASKS = """
import logging, signal
logging.basicConfig(level=logging.INFO, format='%(levelname)s %(message)s')
def say(what): os.write(1, (what + chr(10)).encode())  # in one piece, as two threads speak
def waits():
    say('begun')
    while not os.path.exists(path): time.sleep(0.001)
    say('finished')
async def waits_async():
    say('begun')
    while not os.path.exists(path): await asyncio.sleep(0.001)
    say('finished')
for func in (waits, waits_async):
    background_tasks.add_task(BackgroundTask(func).interval(2).interval_wait(timedelta(hours=1)))
"""


class Program:
    """A program with two runs in flight, which end when they may."""

    def __init__(self, process: subprocess.Popen[str], may_end: str) -> None:
        self.process, self._may_end = process, may_end

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def reads(self, *wanted: str) -> None:
        """Read lines until each of these was there."""
        assert self.process.stdout is not None
        left = list(wanted)
        for line in self.process.stdout:
            left = [one for one in left if one not in line]
            if not left:
                return
        raise AssertionError(f"the program ended without {left}")

    def let_runs_end(self) -> None:
        with open(self._may_end, "w"):
            pass

    def ends(self) -> str:
        """Return what it says to its end."""
        said, _ = self.process.communicate(timeout=60)
        return said


@contextmanager
def program(end: str, path: object) -> Generator[Program]:
    may_end = os.path.join(str(path), "may end")
    text = f"import os; path = {may_end!r}\n{HEAD}{TASKS}{end}"
    process = subprocess.Popen(
        [sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
    try:
        made = Program(process, may_end)
        made.reads("begun")
        made.reads("begun")
        yield made
    finally:
        process.kill()
        process.communicate()


FOREVER = """
before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
background_tasks.run_forever(timedelta(seconds=30))
assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
say('after')
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_drains(number: signal.Signals, tmp_path: object) -> None:
    """Runs in flight end, sync and async; later occurrences are dropped aloud; the program goes on behind it."""
    with program(FOREVER, tmp_path) as script:
        script.send(number)
        script.reads(f"INFO {number.name}: finishing what is active or due, for at most 0:00:30; a second signal ends")
        script.let_runs_end()
        said = script.ends().splitlines()

    assert sorted(said[:2]) == ["finished", "finished"]
    dropped = "later occurrences of 2 task(s) are dropped"
    assert said[2:] == [f"WARNING {number.name}: the scheduler has stopped: 2 succeeded; {dropped}", "after"]
    assert script.process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_second_signal_ends_at_once(number: signal.Signals, tmp_path: object) -> None:
    """What is still active is recorded as abandoned, and said; the exit code is that of the signal."""
    with program(FOREVER, tmp_path) as script:
        script.send(number)
        script.reads("finishing what is active")
        script.send(number)
        said = script.ends()

    assert script.process.returncode == 128 + number
    assert said.count("abandoned: its scheduler or its event loop ended first") == 2
    assert f"{number.name}: the scheduler has stopped: 2 abandoned; later" in said
    assert "Traceback" not in said
    assert "after" not in said


def test_runs_that_take_longer_than_the_drain_are_abandoned(tmp_path: object) -> None:
    with program("background_tasks.run_forever(timedelta(0))", tmp_path) as script:
        script.send(signal.SIGTERM)
        said = script.ends()

    assert script.process.returncode == 0
    assert "SIGTERM: the scheduler has stopped: 2 abandoned; later occurrences of 2 task(s) are dropped" in said


def test_it_returns_when_another_thread_stops_the_scheduler(tmp_path: object) -> None:
    end = """
import threading
threading.Timer(0.01, background_tasks.stop).start()
background_tasks.run_forever()
say('after')
"""
    with program(end, tmp_path) as script:
        script.let_runs_end()
        assert script.ends().splitlines() == ["finished", "finished", "after"]
    assert script.process.returncode == 0


def test_sigterm_during_join_ends_the_program_at_once(tmp_path: object) -> None:
    """`join()` leaves the signals alone; `run_forever()` is for programs that are stopped by them."""
    with program("background_tasks.join()", tmp_path) as script:
        script.send(signal.SIGTERM)
        assert script.ends() == ""

    assert script.process.returncode == -signal.SIGTERM


def test_ctrl_c_during_join_drains(tmp_path: object) -> None:
    with program("background_tasks.join()", tmp_path) as script:
        script.send(signal.SIGINT)
        script.reads("KeyboardInterrupt", "later occurrences of 2 task(s) are dropped: waits-")
        script.let_runs_end()
        said = script.ends()

    assert said.split() == ["finished", "finished"]
    assert "call join()" not in said
    assert script.process.returncode in {-signal.SIGINT, 130}


def test_a_second_ctrl_c_ends_at_once_without_a_traceback_of_ours(tmp_path: object) -> None:
    with program("background_tasks.join()", tmp_path) as script:
        script.send(signal.SIGINT)
        script.reads("later occurrences")
        script.send(signal.SIGINT)
        said = script.ends()

    assert said.splitlines()[0] == "ERROR interrupted: what is still active is abandoned"
    assert said.count("abandoned: its scheduler or its event loop ended first") == 2
    assert "Traceback" not in said
    assert script.process.returncode in {-signal.SIGINT, 130}


BLOCK = """
with background_tasks:
    pass
"""


@pytest.mark.parametrize("end", ["background_tasks.stop()", BLOCK], ids=["stop", "block"])
def test_ctrl_c_while_it_stops_loses_no_run(end: str, tmp_path: object) -> None:
    """The end of the program waits on, as long as the stop would have."""
    with program(end, tmp_path) as script:
        script.send(signal.SIGINT)
        script.reads("KeyboardInterrupt")
        script.let_runs_end()

        assert script.ends().split() == ["finished", "finished"]


# ---- where it can't be -------------------------------------------------------------------------------------------


def test_only_the_main_thread_gets_signals() -> None:
    with ThreadPoolExecutor(1) as other, pytest.raises(SchedulerStateError, match="only the main thread gets signals"):
        other.submit(Scheduler().run_forever).result()


def test_it_would_block_an_event_loop() -> None:
    async def main() -> None:
        Scheduler().run_forever()

    with pytest.raises(SchedulerStateError, match="write `async with scheduler:` instead"):
        asyncio.run(main())


def test_a_virtual_clock_has_no_end_to_wait_for(clock: VirtualClock) -> None:
    with pytest.raises(SchedulerStateError, match=r"move a virtual one by its advance\(\)"):
        Scheduler(clock=clock).run_forever(timedelta(seconds=1))
    assert threading.current_thread() is threading.main_thread()
