"""The recipes of docs/in-your-app.md, each on the server that it is for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from configparser import ConfigParser
from pathlib import Path

import pytest
from environment import APPS, ROOT, programs
from programs import Program, running

pytestmark = [
    pytest.mark.real_clock,
    pytest.mark.skipif(sys.version_info >= (3, 12), reason="the table is measured on every Python, the recipes on one"),
]

Start = Callable[..., Program]


@pytest.fixture
def start(tmp_path: Path, request: pytest.FixtureRequest) -> Start:
    """Start a program that ends with the test."""

    def starts(command: str, **environ: str) -> Program:
        program = running(tmp_path, command, cwd=APPS, **environ)
        request.addfinalizer(lambda: program.__exit__(None, None, None))
        return program.__enter__()

    return starts


@pytest.mark.parametrize(
    ("command", "number"), [("python tasks.py", signal.SIGTERM), ("python manage.py runtasks", signal.SIGINT)]
)
def test_a_script_runs_until_a_signal(start: Start, command: str, number: signal.Signals) -> None:
    script = start(command)
    script.until_said("digest sent")
    script.signal(number)

    assert script.end() == 0
    assert "Traceback" not in script.said


def test_the_unit_gives_the_drain_the_time_it_takes() -> None:
    unit = ConfigParser(interpolation=None)
    unit.read(APPS / "tasks.service")
    service = unit["Service"]

    assert service["ExecStart"].endswith(" tasks.py")
    assert int(service["TimeoutStopSec"]) > 10
    assert "KillSignal" not in service  # it is SIGTERM


OTP = "/otp/Ali"
SERVED = [
    pytest.param("uvicorn --port {port} --workers 2 fastapi_app:app", OTP, ["otp for Ali"], id="fastapi, two workers"),
    pytest.param("uvicorn --port {port} fastapi_alone:app", "/docs", ["digest sent"], id="fastapi, named task"),
    pytest.param("uvicorn --port {port} panther_app:app", "/sign-up/Ali/", ["otp for Ali"] * 7, id="panther"),
    pytest.param("uvicorn --port {port} shop.asgi:application", OTP, ["otp for Ali"], id="django, asgi"),
    pytest.param("gunicorn -b 127.0.0.1:{port} -w 2 shop.wsgi", OTP, ["otp for Ali"], id="django, wsgi"),
    pytest.param(
        "gunicorn -b 127.0.0.1:{port} -w 2 --preload flask_app:app",
        OTP,
        ["digest sent", "otp for Ali", "this is a child process: its scheduler starts empty"],
        id="flask, preload",
    ),
]


@pytest.mark.parametrize(("command", "path", "says"), SERVED)
def test_an_app_runs_what_its_requests_add(start: Start, command: str, path: str, says: list[str]) -> None:
    server = start(command)
    server.ask(path, "GET" if path == "/docs" else "POST")
    server.until_said(*says)
    server.signal(signal.SIGTERM)

    assert server.end() in {0, -signal.SIGTERM}
    assert "Traceback" not in server.said


APPS_WITH_LIFESPAN = {
    "FastAPI": "fastapi_app app fastapi.testclient",
    "Starlette": "starlette_app app starlette.testclient",
    "Litestar": "litestar_app app litestar.testing",
    "Panther": "panther_app app starlette.testclient",
    "Django": "shop.asgi application starlette.testclient",
}


@pytest.mark.parametrize("app", APPS_WITH_LIFESPAN.values(), ids=list(APPS_WITH_LIFESPAN))
def test_a_lifespan_can_be_entered_twice_in_one_process(start: Start, app: str) -> None:
    program = start(f"python -W ignore twice.py {app}")

    assert program.end() == 0, program.said
    assert program.said.count("on the app's loop") == 2


def test_a_notebook_waits_without_blocking_its_event_loop(start: Start) -> None:
    program = start("python cells.py notebook.py")

    assert (program.end(), program.said.splitlines()) == (0, ["page 1"] * 3), program.said


def test_a_process_can_be_kept_from_running_tasks(start: Start) -> None:
    script = start("python tasks.py", PANTHER_SCHEDULE_DISABLED="1")

    assert script.end() == 0
    assert script.said.count("PANTHER_SCHEDULE_DISABLED=1") == 1
    assert "digest sent" not in script.said


def test_the_recipes_pass_mypy_where_their_frameworks_are_installed() -> None:
    """Django and Panther have no types, so what is made of theirs is not looked at."""
    python = programs() / "python"
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable", str(python)]
    command += [f"--disable-error-code={code}" for code in ("import-untyped", "untyped-decorator", "misc")]
    command += ["--cache-dir", str(python.parents[1] / "mypy"), "--follow-imports=silent"]  # the recipes alone
    files = [str(path) for path in sorted(APPS.rglob("*.py")) if path.name not in {"notebook.py", "manage.py"}]
    modules = {**os.environ, "MYPYPATH": f"{ROOT}:{APPS}"}
    done = subprocess.run([*command, *files], cwd=APPS, env=modules, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
