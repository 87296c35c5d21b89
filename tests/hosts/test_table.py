"""The table of docs/in-your-app.md is what the servers do: this measures it, and writes it where WRITE_TABLE is set."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from environment import ROOT, programs
from programs import Program, running

pytestmark = pytest.mark.real_clock

PAGE = ROOT / "docs" / "in-your-app.md"
HEADING = "| started as | ten ticks are | SIGTERM with two runs active | exit code |\n|---|---|---|---|\n"
HELD_S = 1  # how long the runs go on after SIGTERM: a process that it kills is gone by then
AT_ONCE = 5


class Row(NamedTuple):
    """One way to start an app."""

    shown: str
    command: str
    copies: int = 1  # how many of its processes add the named task
    path: str = "/begin"  # it begins the two runs; empty where the program does so by itself
    reloads: bool = False  # only the ticks are looked at


UVICORN = "uvicorn --port {port} --factory measured:asgi"
GUNICORN = "gunicorn --bind 127.0.0.1:{port}"
ROWS = [
    Row("`uvicorn app:app`, with `lifespan`", UVICORN),
    Row("`uvicorn app:app --reload`, with `lifespan`", f"{UVICORN} --reload"),
    Row("`uvicorn app:app --workers 2`, with `lifespan`", f"{UVICORN} --workers 2", 2),
    Row("`uvicorn app:app`, without", f"{UVICORN}_without_lifespan"),
    Row(
        "`gunicorn -w 2 -k uvicorn_worker.UvicornWorker app:app`, with `lifespan`",
        f"{GUNICORN} -w 2 -k uvicorn_worker.UvicornWorker measured:asgi()",
        2,
    ),
    Row("`gunicorn app:app`, WSGI", f"{GUNICORN} measured:wsgi()"),
    Row("`gunicorn -w 2 app:app`, WSGI", f"{GUNICORN} -w 2 measured:wsgi()", 2),
    Row("`gunicorn -w 2 --preload app:app`, WSGI", f"{GUNICORN} -w 2 --preload measured:wsgi()"),
    Row("`uvicorn app:app`, Panther 5.5", "uvicorn --port {port} measured_panther:app", path="/begin/"),
    Row("`flask run`", "flask --app measured:flask run --port {port}"),
    Row("`flask run --debug`", "flask --app measured:flask run --port {port} --debug", 2, reloads=True),
    Row("`manage.py runserver`, from `ready()`", "python measured_django.py runserver {port}", 2, reloads=True),
    Row("a script in `run_forever()`", "python measured.py run_forever", path=""),
    Row("a script in `join()`", "python measured.py join", path=""),
]


def measure(row: Row, folder: Path) -> str:
    """Start a server, count its ticks, and end it by SIGTERM while two runs are active."""
    folder.mkdir()
    with running(folder, row.command) as server:
        server.until(lambda: server.said.count("added ") >= row.copies)
        if row.path:
            server.ask(row.path)
        for pid in re.findall(r"^added (\d+)$", server.said, re.MULTILINE):
            server.until_said(*[f"tick {pid}\n"] * 10)
        ends = ("not for production", "n/a") if row.reloads else end(server)
        cells = [row.shown, f"{server.said.count('tick ')} runs", *ends]
    return f"| {' | '.join(cells)} |"


def end(server: Program) -> tuple[str, str]:
    """Send SIGTERM, and let the active runs go on for a while; tell what became of them, and the exit code."""
    server.until_said("began sync", "began async")
    server.signal(signal.SIGTERM)
    try:
        server.process.wait(HELD_S)
    except subprocess.TimeoutExpired:
        pass
    server.release.touch()
    code = server.end()
    finished = [kind for kind in ("sync", "async") if f"ended {kind}" in server.said]
    return {2: "both finish", 1: f"only the {finished} one finishes", 0: "both are lost"}[len(finished)], str(code)


def outlast(folder: Path) -> tuple[str, int]:
    """End a server by SIGTERM while two runs are active that do not end; return its log, and the exit code."""
    folder.mkdir()
    with running(folder, f"{UVICORN} --workers 2") as server:
        server.ask("/begin")
        server.until_said("began sync", "began async")
        server.signal(signal.SIGTERM)
        code = server.end()
        return server.said, code


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], tuple[str, int]]:
    """The rows of the table, and a server whose runs did not end; all of them side by side."""
    programs()  # here, since a thread can't skip the test
    folder = tmp_path_factory.mktemp("servers")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outlasted = pool.submit(outlast, folder / "outlasted")
        rows = list(pool.map(measure, ROWS, [folder / str(number) for number in range(len(ROWS))]))
        return rows, outlasted.result()


def test_the_page_shows_what_was_measured(seen: tuple[list[str], object]) -> None:
    rows, _ = seen
    before, _, after = PAGE.read_text().partition(HEADING)
    shown, end, rest = after.partition("\n\n")
    if os.environ.get("WRITE_TABLE"):
        shown = "\n".join(rows)
        PAGE.write_text("".join([before, HEADING, shown, end, rest]))

    assert shown.splitlines() == rows


def test_what_outlasts_the_drain_of_an_app_is_abandoned(seen: tuple[object, tuple[str, int]]) -> None:
    _, (said, code) = seen

    assert said.count(" abandoned: ") == 2
    assert code == 0
