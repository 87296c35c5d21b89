"""The table of docs/in-your-app.md is what the servers do: this measures it, and writes it where WRITE_TABLE is set."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from environment import ROOT, programs
from programs import Program, running

pytestmark = pytest.mark.real_clock

PAGE = ROOT / "docs" / "in-your-app.md"
HEADING = "| started as | runs in ten ticks | SIGTERM with two runs active | exit code |\n|---|---|---|---|\n"
HELD_S = 1  # how long the runs go on after SIGTERM: a process that it kills is gone by then
AT_ONCE = 5
TICK_US = 100_000


class Row(NamedTuple):
    """One way to start an app."""

    shown: str
    command: str
    copies: int = 1  # how many of its processes add the named task
    told: int = 0  # how many of them are told of the others
    path: str = "/begin"  # it begins the two runs; empty where the program does so by itself
    drains: bool | None = True  # on SIGTERM; None where only the ticks are looked at
    durable: bool = False  # all of its processes share a file


UVICORN = "uvicorn --port {port} --factory measured:asgi"
GUNICORN = "gunicorn --bind 127.0.0.1:{port}"
ROWS = [
    Row("`uvicorn app:app`, with `lifespan`", UVICORN),
    Row("`uvicorn app:app --reload`, with `lifespan`", f"{UVICORN} --reload"),
    Row("`uvicorn app:app --workers 2`, with `lifespan`", f"{UVICORN} --workers 2", 2, 2),
    Row("`uvicorn app:app`, without", f"{UVICORN}_without_lifespan", drains=False),
    Row(
        "`gunicorn -w 2 -k uvicorn_worker.UvicornWorker app:app`, with `lifespan`",
        f"{GUNICORN} -w 2 -k uvicorn_worker.UvicornWorker measured:asgi()",
        2,
        2,
    ),
    Row("`gunicorn app:app`, WSGI", f"{GUNICORN} measured:wsgi()"),
    Row("`gunicorn -w 2 app:app`, WSGI", f"{GUNICORN} -w 2 measured:wsgi()", 2, 2),
    Row("`gunicorn -w 2 --preload app:app`, WSGI", f"{GUNICORN} -w 2 --preload measured:wsgi()"),
    Row("`uvicorn app:app`, Panther 5.5", "uvicorn --port {port} measured_panther:app", path="/begin/"),
    Row("`flask run`", "flask --app measured:flask run --port {port}", drains=False),
    Row("`flask run --debug`", "flask --app measured:flask run --port {port} --debug", 2, 1, drains=None),
    Row("`manage.py runserver`, from `ready()`", "python measured_django.py runserver {port}", 2, 1, drains=None),
    Row("a script in `run_forever()`", "python measured.py run_forever", path=""),
    Row("a script in `join()`", "python measured.py join", path="", drains=False),
    Row("`uvicorn app:app --workers 2`, durable", f"{UVICORN} --workers 2", 2, durable=True),
    Row(
        "`gunicorn -w 2 -k uvicorn_worker.UvicornWorker app:app`, durable",
        f"{GUNICORN} -w 2 -k uvicorn_worker.UvicornWorker measured:asgi()",
        2,
        durable=True,
    ),
    Row("`gunicorn -w 2 app:app`, WSGI, durable", f"{GUNICORN} -w 2 measured:wsgi()", 2, durable=True),
    Row("`gunicorn -w 2 --preload app:app`, WSGI, durable", f"{GUNICORN} -w 2 --preload measured:wsgi()", durable=True),
    Row(
        "`uvicorn app:app --workers 2`, Panther 5.5, durable",
        "uvicorn --port {port} --workers 2 measured_panther:app",
        2,
        path="/begin/",
        durable=True,
    ),
]


class Seen(NamedTuple):
    """What a server did: its row of the table, all that it said, its exit code, and the file that it may have kept."""

    row: str
    said: str
    code: int
    file: Path


def measure(row: Row, folder: Path) -> Seen:
    """Start a server, count its ticks, and end it by SIGTERM while two runs are active."""
    folder.mkdir()
    file = folder / "tasks.db"
    with running(folder, row.command, FILE=str(file) if row.durable else "") as server:
        server.until(lambda: server.said.count("added ") >= row.copies)
        if row.path:
            server.ask(row.path)
        pids = re.findall(r"^added (\d+)$", server.said, re.MULTILINE)
        for ticks in ["tick "] if row.durable else [f"tick {pid}\n" for pid in pids]:
            server.until_said(*[ticks] * 10)
        became, code = ("not for production", 0) if row.drains is None else end(server, drains=row.drains)
        shown_code = "" if row.drains is None else code if code >= 0 else 128 - code  # as a shell shows it
        cells = row.shown, server.said.count("tick "), became, shown_code
        return Seen(f"| {' | '.join(map(str, cells))} |", server.said, code, file)


def end(server: Program, *, drains: bool) -> tuple[str, int]:
    """Send SIGTERM while two runs are active, which only then may end; tell what became of them, and the exit code."""
    server.until_said("began sync", "began async")
    server.signal(signal.SIGTERM)
    if drains:
        try:
            server.process.wait(HELD_S)
        except subprocess.TimeoutExpired:
            pass
        server.release.touch()
    code, said = server.end(), server.said
    if "abandoned" in said:
        return "they are abandoned", code
    ended = [f"ended {kind}" in said for kind in ("sync", "async")]
    return "both finish" if all(ended) else "one is lost" if any(ended) else "both are lost", code


def outlast(folder: Path) -> Seen:
    """End a server by SIGTERM while two runs are active that do not end."""
    folder.mkdir()
    with running(folder, f"{UVICORN} --workers 2") as server:
        server.ask("/begin")
        became, code = end(server, drains=False)
        return Seen(became, server.said, code, folder)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[Seen]:
    """What the servers of the table did, and last one whose runs did not end; all of them side by side."""
    programs()  # here, since a thread can't skip the test
    folder = tmp_path_factory.mktemp("servers")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outlasted = pool.submit(outlast, folder / "outlasted")
        rows = list(pool.map(measure, ROWS, [folder / str(number) for number in range(len(ROWS))]))
        return [*rows, outlasted.result()]


def test_the_page_shows_what_was_measured(seen: list[Seen]) -> None:
    rows = [server.row for server in seen[:-1]]
    before, _, after = PAGE.read_text().partition(HEADING)
    shown, end, rest = after.partition("\n\n")
    if os.environ.get("WRITE_TABLE"):
        shown = "\n".join(rows)
        PAGE.write_text("".join([before, HEADING, shown, end, rest]))

    assert shown.splitlines() == rows


def test_only_processes_that_have_copies_are_told_of_them(seen: list[Seen]) -> None:
    told = [server.said.count("task 'ticks' is in memory, and ") for server in seen[:-1]]

    assert told == [row.told for row in ROWS]


def test_what_outlasts_the_drain_of_an_app_is_abandoned(seen: list[Seen]) -> None:
    outlasted = seen[-1]

    assert (outlasted.row, outlasted.code) == ("they are abandoned", 0)
    assert outlasted.said.count(" abandoned: ") == 2


def test_processes_that_share_a_file_run_each_occurrence_once(seen: list[Seen]) -> None:
    """By the file alone: each occurrence is one run or was skipped or missed, and each run is one call."""
    for server in (server for row, server in zip(ROWS, seen, strict=False) if row.durable):
        with closing(sqlite3.connect(server.file)) as db:
            ((task, anchor, cursor, runs),) = db.execute(
                "SELECT id, anchor, cursor, handed FROM task WHERE name = 'ticks' AND ended"
            )
            at = [at for (at,) in db.execute("SELECT at FROM run WHERE task = ? AND outcome = 'succeeded'", (task,))]
            ((passed,),) = db.execute("SELECT coalesce(sum(number), 0) FROM passed WHERE task = ?", (task,))

        assert len(at) == len(set(at)) == runs == server.said.count("tick ") == 10, server.row
        assert runs + passed == (cursor - anchor) // TICK_US + 1, server.row
