"""Whole programs: what happens at import, at exit and after a fork, in real processes on the real clock."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.real_clock

HEAD = """
import sys, time, asyncio
from datetime import datetime, time as clock_time, timedelta
from panther_schedule import BackgroundTask, background_tasks
def say(what): print(what, flush=True)
async def say_async(what):
    await asyncio.sleep(0)
    print(what, flush=True)
"""

QUIET = HEAD.replace("import sys", "import warnings; warnings.simplefilter('ignore', DeprecationWarning); import sys")


def run(program: str, head: str = HEAD) -> subprocess.CompletedProcess[str]:
    """Run a program in a fresh interpreter where every warning is an error."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", head + program], capture_output=True, text=True, timeout=60, check=False
    )


EXIT = [
    pytest.param("background_tasks.add_task(BackgroundTask(say, 'Ali'))", ["Ali"], "", id="one run"),
    pytest.param("background_tasks.add_task(BackgroundTask(say_async, 'Ali'))", ["Ali"], "", id="one async run"),
    pytest.param(
        "background_tasks.add_task(BackgroundTask(say, 'Ali').interval(5))", ["Ali"] * 5, "", id="five back to back"
    ),
    pytest.param(
        "background_tasks.add_task(BackgroundTask(say_async, 'Ali').interval(5))",
        ["Ali"] * 5,
        "",
        id="five async back to back",
    ),
    pytest.param(
        "background_tasks.add_task(BackgroundTask(lambda: say_async('Ali')))",
        ["Ali"],
        "",
        id="a lambda of an async one",
    ),
    pytest.param(
        "background_tasks.add_task(BackgroundTask(say, 'Ali').interval(5).interval_wait(timedelta(hours=1)))",
        ["Ali"],
        "later occurrences of 1 task(s) are dropped: say-",
        id="later occurrences are dropped aloud",
    ),
    pytest.param(
        "for _ in range(12): background_tasks.add_task(BackgroundTask(say, 'Ali').interval(-1).on_time(clock_time(8)))",
        [],
        "later occurrences of 12 task(s) are dropped",
        id="the first ten are named",
    ),
    pytest.param(
        "background_tasks.add_task(BackgroundTask(say, 'Ali').interval(3).interval_wait(timedelta(milliseconds=50)))\n"
        "background_tasks.join()",
        ["Ali"] * 3,
        "",
        id="join waits",
    ),
    pytest.param(
        "background_tasks.add_task(BackgroundTask(sys.exit, 3))\nsay('on')", None, "SystemExit", id="exit in a run"
    ),
]


@pytest.mark.parametrize(("program", "out", "err"), EXIT)
def test_a_script_drains_what_is_due_and_exits_with_0(program: str, out: list[str] | None, err: str) -> None:
    done = run(program)

    assert done.returncode == 0, done.stderr
    if out is not None:
        assert done.stdout.split() == out
    assert err in done.stderr
    if not err:
        assert not done.stderr


def test_the_first_ten_dropped_tasks_are_named() -> None:
    done = run(
        "for n in range(12): background_tasks.add_task("
        "BackgroundTask(say, 'x').interval(-1).on_time(clock_time(8)).with_name(f't{n}'))"
    )

    assert "t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, ...; call join()" in done.stderr


def test_only_tasks_with_later_occurrences_are_named_as_dropped() -> None:
    done = run(
        "background_tasks.add_task(BackgroundTask(int).with_name('over')).join()\n"
        "background_tasks.add_task(BackgroundTask(int).interval(-1).on_time(clock_time(8)).with_name('daily'))"
    )

    assert "later occurrences of 1 task(s) are dropped: daily; call join()" in done.stderr


def test_a_task_that_comes_too_late_to_run_is_refused() -> None:
    done = run(
        """
import atexit
def late():
    try:
        background_tasks.add_task(BackgroundTask(say, 'late'))
    except RuntimeError as error:
        say(error)
atexit.register(late)
"""
    )

    assert done.stdout.startswith("the scheduler can't start: "), done.stderr
    assert "add tasks before the program ends" in done.stdout


def test_a_child_process_has_an_empty_unstarted_scheduler() -> None:
    done = run(
        """
import os
with background_tasks:
    earlier = background_tasks.add_task(BackgroundTask(int).with_name('earlier'))
background_tasks.start()
handle = background_tasks.add_task(BackgroundTask(say, 'parent').with_name('greet'))
handle.join()
run = background_tasks.add_task(BackgroundTask(time.sleep, 0.5).with_name('nap')).run_now()
child = os.fork()
if not child:
    for ask in (earlier.join, lambda: handle.next_run, run.join, run.cancel):
        try:
            ask()
        except RuntimeError as error:
            say(error)
    say(len(background_tasks))
    background_tasks.add_task(BackgroundTask(say, 'child')).join()
    background_tasks.stop()
    os._exit(0)
say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""",
        QUIET,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "parent",
        "the handle of 'earlier' is from before the fork; add the task in this process",
        "the handle of 'greet' is from before the fork; add the task in this process",
        *["the handle of 'nap' is from before the fork; add the task in this process"] * 2,
        "0",
        "child",
        "0",
    ]
    assert done.stderr.count("this is a child process: its scheduler starts empty") == 1


FORKS = """
import os, signal
signal.alarm(50)  # a child that goes on as our thread would wait for ever
def forks(end):
    if not os.fork():
        end()
async def forks_async(end):
    forks(end)
def makes(end):
    return forks_async(end)
def fails(): raise OSError('in the child')
ENDS = {'returns': int, 'exits with 3': lambda: sys.exit(3), 'raises': fails, 'leaves': lambda: os._exit(4)}
"""
FORKING = QUIET + "from datetime import UTC\nfrom panther_schedule import Scheduler, VirtualClock\n" + FORKS
ENDED = "{'returns': 0, 'exits with 3': 3, 'raises': 1, 'leaves': 4}"
FUNCTIONS = ["forks", "forks_async", "makes"]


@pytest.mark.parametrize("func", FUNCTIONS)
@pytest.mark.parametrize("clock", ["None", "VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))"], ids=["real", "virtual"])
def test_the_child_of_a_function_that_forks_ends_with_it(func: str, clock: str) -> None:
    """It goes on neither as a worker, nor as the event loop, nor to the end of the program."""
    done = run(
        f"""
codes = {{}}
for name, end in ENDS.items():
    scheduler = Scheduler(max_workers=1, clock={clock})
    scheduler.add_task(BackgroundTask({func}, end)).join(timedelta(seconds=30))
    codes[name] = os.waitstatus_to_exitcode(os.wait()[1])
    assert scheduler.add_task(BackgroundTask(int)).join(timedelta(seconds=30))
    scheduler.stop()
say(codes)
""",
        FORKING,
    )

    assert (done.returncode, done.stdout) == (0, ENDED + "\n"), done.stderr
    assert done.stderr.count("OSError: in the child") == 1


def test_the_child_of_a_listener_that_forks_ends_with_it() -> None:
    done = run(
        """
from queue import SimpleQueue
codes = SimpleQueue()
def listen(event):
    if type(event).__name__ == 'TaskAdded' and os.fork():
        codes.put(os.waitstatus_to_exitcode(os.wait()[1]))
scheduler = Scheduler()
scheduler.add_listener(listen)
scheduler.add_task(BackgroundTask(int)).join()
say(codes.get(timeout=30))
scheduler.stop()
""",
        FORKING,
    )

    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


IMPORTS = [
    "from panther_schedule import BackgroundTask, background_tasks",
    "from panther_schedule.background_tasks import BackgroundTask, background_tasks",
    "import panther_schedule; from panther_schedule import BackgroundTask, background_tasks",
    "import panther_schedule.background_tasks; from panther_schedule import BackgroundTask, background_tasks",
    "import panther_schedule.runtime.scheduler; from panther_schedule import BackgroundTask, background_tasks",
]


def test_the_names_are_the_same_in_any_order_of_import() -> None:
    """Every pair of import forms: the first in a program of its own as far as this package can tell, then a fork."""
    program = f"""
import os, sys, threading
def check(held):
    package = sys.modules["panther_schedule"]
    assert held["background_tasks"] is package.background_tasks
    assert held["BackgroundTask"] is package.BackgroundTask
    assert type(held["background_tasks"]).__name__ == "Scheduler"
for first in {IMPORTS!r}:
    for name in [name for name in sys.modules if name.startswith("panther_schedule")]:
        del sys.modules[name]
    exec(first, one := dict())
    for second in {IMPORTS!r}:
        if not os.fork():
            exec(second, other := dict())
            check(one)
            check(other)
            os._exit(0)
        assert os.wait()[1] == 0, (first, second)
assert threading.active_count() == 1, "nothing starts at import"
"""
    done = run(program, head="")

    assert done.returncode == 0, done.stderr


THREADS = """
async def uses_a_thread():
    await asyncio.sleep(0.2)
    say(await asyncio.to_thread(sum, (1, 2)))
background_tasks.add_task(BackgroundTask(uses_a_thread))
"""


def test_a_run_may_use_new_threads_while_the_main_thread_waits_in_join() -> None:
    done = run(THREADS + "background_tasks.join()")

    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr


def test_after_the_main_thread_has_ended_a_run_that_needs_a_thread_fails_aloud() -> None:
    """On Python 3.12 the interpreter starts no thread then."""
    done = run(THREADS)

    if sys.version_info[:2] == (3, 12):
        assert "task uses_a_thread-000001 failed" in done.stderr
        assert "RuntimeError" in done.stderr
    else:
        assert done.stdout == "3\n", done.stderr
