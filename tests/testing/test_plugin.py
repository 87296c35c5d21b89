"""The pytest plugin, in a project that knows nothing of it: pytest finds it, and it costs other tests nothing.

The project's tests run once, in a process of their own; each test here looks at what came of them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PYTEST = """
[pytest]
filterwarnings = error
asyncio_default_fixture_loop_scope = function
"""
STARTED = """
import sys

import pytest

OURS = {"panther_schedule", "pydantic"} & set(sys.modules)  # before any test asks for the fixture


@pytest.fixture
def loaded_at_start():
    return OURS
"""
APP = """
import asyncio
from datetime import time, timedelta

from panther_schedule import BackgroundTask, background_tasks

WAIT = timedelta(minutes=5)
polls = []


def send():
    raise ConnectionError("no mail server")


async def poll():
    await asyncio.sleep(60)
    polls.append(1)


def start():
    background_tasks.add_task(BackgroundTask(poll).interval(-1).interval_wait(WAIT).with_name("poll"))
    background_tasks.add_task(BackgroundTask(send).interval(-1).on_time(time(8), tz="UTC").with_name("send"))
"""
SYNC = """
import sys
import threading
import unittest
from datetime import UTC, datetime

import pytest

import app
from panther_schedule import background_tasks
from panther_schedule.testing import ScheduleClock

heard = []


def test_the_plugin_is_found_and_loads_nothing(request, loaded_at_start):
    assert request.config.pluginmanager.has_plugin("panther_schedule")
    assert loaded_at_start == set()


def test_the_same_object_is_on_a_virtual_clock(schedule_clock):
    assert isinstance(schedule_clock, ScheduleClock)
    assert app.background_tasks is background_tasks
    assert len(background_tasks) == 0
    app.start()
    runs = schedule_clock.advance(hours=1)
    assert [run.task for run in runs] == ["poll"] * 12
    background_tasks.add_listener(heard.append)
    schedule_clock.advance(minutes=5)
    assert heard


def test_nothing_is_left_of_the_test_before(schedule_clock):
    heard.clear()
    assert len(background_tasks) == 0
    assert schedule_clock.runs == []
    app.start()
    schedule_clock.advance(hours=1)
    assert heard == []


def test_outside_of_the_fixture_it_is_unstarted():
    assert len(background_tasks) == 0
    assert not background_tasks.health().alive
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("panther")] == []


@pytest.mark.schedule_clock(start=datetime(2026, 3, 28, 12, tzinfo=UTC))
class TestMarked:
    def test_a_class_has_the_markers_start(self, schedule_clock):
        assert schedule_clock.now() == datetime(2026, 3, 28, 12, tzinfo=UTC)

    @pytest.mark.schedule_clock(raises=ConnectionError)
    def test_a_test_of_it_adds_an_expected_error(self, schedule_clock):
        app.start()
        schedule_clock.advance(days=1)
        assert schedule_clock.now() == datetime(2026, 3, 29, 12, tzinfo=UTC)

    def test_a_failing_run_fails(self, schedule_clock):
        app.start()
        schedule_clock.advance(days=1)

    def test_a_failing_run_is_shown_where_the_test_fails(self, schedule_clock):
        app.start()
        schedule_clock.advance(days=1)
        assert len(app.polls) == 0, "the test's own words"

    @pytest.mark.schedule_clock(raises=TimeoutError)
    def test_a_missing_error_fails(self, schedule_clock):
        app.start()
        schedule_clock.advance(hours=1)

    @pytest.mark.schedule_clock(begin=5)
    def test_a_wrong_marker_fails(self, schedule_clock):
        pass

    @pytest.mark.schedule_clock(datetime(2026, 3, 28, tzinfo=UTC))
    def test_a_marker_without_a_name_fails(self, schedule_clock):
        pass

    def test_a_failing_run_of_a_clock_that_was_asked_for_late_fails(self, request):
        schedule_clock = request.getfixturevalue("schedule_clock")
        app.start()
        schedule_clock.advance(days=1)

    @pytest.mark.xfail(reason="a run fails", strict=True)
    def test_a_failing_run_is_an_expected_failure(self, schedule_clock):
        app.start()
        schedule_clock.advance(days=1)


@pytest.mark.usefixtures("schedule_clock")
class UnitTest(unittest.TestCase):
    def test_a_failing_run_fails_a_unit_test(self):
        app.start()
        background_tasks["send"].run_now()


@pytest.fixture
def moves_time_at_its_end(schedule_clock):
    yield
    schedule_clock.advance(days=1)


def test_a_run_that_fails_in_a_fixtures_end_is_an_error(moves_time_at_its_end):
    app.start()
"""
ASYNC = """
import asyncio
from datetime import timedelta

import pytest

import app
from panther_schedule import BackgroundTask, background_tasks

pytestmark = pytest.mark.MARK


async def test_time_passes_in_a_coroutine(schedule_clock):
    app.start()
    runs = await schedule_clock.wait(hours=1)
    assert [run.task for run in runs] == ["poll"] * 12


async def test_it_waits_until_idle(schedule_clock):
    app.start()
    background_tasks["poll"].cancel()
    background_tasks["send"].cancel()
    assert await schedule_clock.wait_until_idle() == []


async def test_a_failing_run_fails(schedule_clock):
    app.start()
    await schedule_clock.wait(days=1)


async def test_a_failing_run_is_expected(schedule_clock):
    app.start()
    await schedule_clock.wait(days=1, raises=ConnectionError)


async def test_runs_share_the_loop_of_the_test_where_the_scheduler_is_entered(schedule_clock):
    asked, answered = asyncio.Event(), asyncio.Event()

    async def answer():
        await asked.wait()
        await asyncio.sleep(60)
        answered.set()

    async with background_tasks:
        background_tasks.add_task(BackgroundTask(answer))
        asked.set()
        (run,) = await schedule_clock.wait_until_idle()
        await answered.wait()
        assert run.finished_at - run.started_at == timedelta(minutes=1)


async def test_a_run_is_left_in_flight(schedule_clock):
    app.start()
    await schedule_clock.wait(seconds=1)
"""
FENCE = re.compile(r"^```python(?P<title>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


class Result(NamedTuple):
    """What pytest says about one test of the project."""

    kind: str
    """`passed`, `failure`, `error` or `skipped`."""
    text: str


class Done(NamedTuple):
    """What came of the project's tests."""

    output: str
    results: dict[str, Result]
    """By the names of the file, the class and the test."""
    covered: dict[str, set[int]]
    """The lines that were counted, by file; of the package, below its folder."""


def page_tests() -> dict[str, str]:
    """Take the tests from the page: a file for each program, with what continues it."""
    programs: list[str] = []
    for found in FENCE.finditer((ROOT / "docs" / "testing.md").read_text()):
        if found["title"]:
            programs[-1] += f"\n\n{found['body']}"
        else:
            programs.append(found["body"])
    return {f"test_page_{i}.py": text for i, text in enumerate(programs, 1) if "def test_" in text}


def results_in(report: Path) -> dict[str, Result]:
    """Read pytest's report; of a test with more than one result, the last."""
    found: dict[str, Result] = {}
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - pytest has just written it
        name = f"{case.attrib['classname']}.{case.attrib['name']}"
        bad = [(part.tag, "".join(part.itertext())) for part in case if part.tag in {"failure", "error", "skipped"}]
        seen = "".join("".join(part.itertext()) for part in case if part.tag == "system-out")
        kind, text = bad[-1] if bad else ("passed", "")
        found[name] = Result(kind, text + seen)
    return found


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Run the project's tests."""
    project = tmp_path_factory.mktemp("project")
    files = {"pytest.ini": PYTEST, "conftest.py": STARTED, "app.py": APP, "test_sync.py": SYNC, **page_tests()}
    files |= {f"test_with_{mark}.py": ASYNC.replace("MARK", mark) for mark in ("asyncio", "anyio")}
    for name, text in files.items():
        (project / name).write_text(text)
    coverage = ["--cov=app", "--cov=panther_schedule", "--cov-report=json:covered.json"]
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", *coverage]
    ran = subprocess.run(
        [*command, "--junitxml=report.xml", "-o", "junit_logging=all"],
        cwd=project,
        env={name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr  # some tests fail
    measured: dict[str, Any] = json.loads((project / "covered.json").read_text())["files"]
    covered = {path.rpartition("panther_schedule/")[2]: set(it["executed_lines"]) for path, it in measured.items()}
    return Done(ran.stdout + ran.stderr, results_in(project / "report.xml"), covered)


def test_what_should_pass_passes_and_what_should_fail_fails(done: Done) -> None:
    sync, marked = "test_sync.", "test_sync.TestMarked."
    expected = {
        f"{sync}test_a_run_that_fails_in_a_fixtures_end_is_an_error": "error",
        f"{sync}UnitTest.test_a_failing_run_fails_a_unit_test": "failure",
        f"{marked}test_a_failing_run_fails": "failure",
        f"{marked}test_a_failing_run_is_shown_where_the_test_fails": "failure",
        f"{marked}test_a_missing_error_fails": "failure",
        f"{marked}test_a_wrong_marker_fails": "error",
        f"{marked}test_a_marker_without_a_name_fails": "error",
        f"{marked}test_a_failing_run_of_a_clock_that_was_asked_for_late_fails": "failure",
        f"{marked}test_a_failing_run_is_an_expected_failure": "skipped",
        "test_with_asyncio.test_a_failing_run_fails": "failure",
        "test_with_anyio.test_a_failing_run_fails[asyncio]": "failure",
    }

    assert {name: result.kind for name, result in done.results.items() if result.kind != "passed"} == expected, (
        done.output
    )
    assert len(done.results) - len(expected) == 6 + 5 + 5 + 3


def test_a_failure_names_the_task_and_the_time_and_shows_the_traceback(done: Done) -> None:
    text = done.results["test_sync.TestMarked.test_a_failing_run_fails"].text

    assert "a run failed, and no raises= expected it\n\nsend, due at 2026-03-29T08:00:00+00:00, failed at" in text
    assert re.search(r'File ".*app\.py", line \d+, in send\n', text)
    assert "_panther_schedule_pytest.py" not in text


def test_a_test_that_fails_by_itself_shows_the_failing_run_beside_it(done: Done) -> None:
    text = done.results["test_sync.TestMarked.test_a_failing_run_is_shown_where_the_test_fails"].text

    assert "the test's own words" in text
    assert "Captured schedule_clock call" in done.output


def test_a_missing_error_is_told_in_words(done: Done) -> None:
    text = done.results["test_sync.TestMarked.test_a_missing_error_fails"].text

    assert text.startswith("no run failed with TimeoutError; the latest that ended:\n  poll/2026-03-28T")


def test_a_wrong_marker_is_told_by_its_argument(done: Done) -> None:
    assert "unexpected keyword argument 'begin'" in done.results["test_sync.TestMarked.test_a_wrong_marker_fails"].text


def test_the_tests_of_the_page_are_run(done: Done) -> None:
    names = [name for name in done.results if name.startswith("test_page_")]

    assert len(names) == len(
        re.findall(r"^(?:async )?def test_", (ROOT / "docs" / "testing.md").read_text(), re.MULTILINE)
    )


def test_the_lines_of_a_users_module_and_of_the_package_are_counted(done: Done) -> None:
    for path, text in {"app.py": APP, "__init__.py": None, "background_tasks.py": None, "clock.py": None}.items():
        lines = (text or (ROOT / "panther_schedule" / path).read_text()).splitlines()
        first = {at for at, line in enumerate(lines, 1) if line.startswith(("from ", "import ", "def ", "class "))}

        assert first, path
        assert first <= done.covered[path], path
