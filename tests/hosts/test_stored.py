"""Servers whose workers share a file: the recipes of docs/in-your-app.md, a reload, and a worker that is killed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from environment import APPS
from programs import Program, running

pytestmark = [
    pytest.mark.real_clock,
    pytest.mark.skipif(sys.version_info >= (3, 12), reason="as the recipes without a file"),
]

OTP = "/otp/Ali"
SERVED = [
    pytest.param("uvicorn --port {port} --workers 2 stored_fastapi:app", OTP, id="fastapi"),
    pytest.param("gunicorn -b 127.0.0.1:{port} -w 2 --preload stored_flask:app", OTP, id="flask, preload"),
    pytest.param("uvicorn --port {port} --workers 2 stored_panther:app", f"{OTP}/", id="panther"),
]


def query(file: Path, sql: str) -> list[Any]:
    """Ask a file."""
    with closing(sqlite3.connect(file)) as db:
        return db.execute(sql).fetchall()


def takes_sigterm(program: Program) -> bool:
    """Tell whether a program has a handler for the signal by now."""
    (caught,) = re.findall("SigCgt:\t(.+)", Path(f"/proc/{program.process.pid}/status").read_text())
    return bool(int(caught, 16) >> signal.SIGTERM - 1 & 1)


@pytest.mark.parametrize(("command", "path"), SERVED)
def test_workers_that_share_a_file_run_each_task_once(tmp_path: Path, command: str, path: str) -> None:
    with running(tmp_path, command, cwd=tmp_path) as server:
        server.ask(path, "POST")
        server.until_said("digest sent", "otp for Ali")
        server.signal()

        assert server.end() == 0
        assert [server.said.count(word) for word in ("digest sent", "otp for Ali")] == [1, 1]
        assert "Traceback" not in server.said
    assert query(tmp_path / "tasks.db", "SELECT count(*), sum(outcome = 'succeeded') FROM run") == [(2, 2)]


def test_a_script_runs_what_the_workers_of_a_server_add(tmp_path: Path) -> None:
    command = "uvicorn --port {port} --workers 2 stored_fastapi:app"
    with running(tmp_path, command, cwd=tmp_path, PANTHER_SCHEDULE_DISABLED="1") as server:
        server.ask(OTP, "POST")
        server.signal()
        assert server.end() == 0
        assert " sent" not in server.said
    for says in (["digest sent", "otp for Ali"], []):
        with running(tmp_path, "python -m stored_worker", cwd=tmp_path) as script:
            script.until_said(*says)
            script.until(partial(takes_sigterm, script))
            script.signal()

            assert script.end() == 0
            assert script.said.count(" sent") == len(says) / 2


def test_a_reload_neither_loses_an_occurrence_nor_runs_one_twice(tmp_path: Path) -> None:
    file, source = tmp_path / "tasks.db", tmp_path / "source"
    source.mkdir()
    (source / "app.py").touch()
    command = f"uvicorn --port {{port}} --reload --reload-dir {source} --factory measured:asgi"
    with running(tmp_path, command, FILE=str(file)) as server:
        server.until_said("tick ")
        (source / "app.py").write_text("changed")
        server.until_said("added ", "added ", *["tick "] * 10)
        server.signal()

        assert server.end() == 0
        assert len(set(re.findall(r"^added (\d+)$", server.said, re.MULTILINE))) == 2
        assert server.said.count("tick ") == 10
    assert query(file, "SELECT count(*), count(DISTINCT at), outcome FROM run GROUP BY outcome") == [
        (10, 10, "succeeded")
    ]


def test_what_a_killed_worker_had_begun_runs_again_in_another(tmp_path: Path) -> None:
    file = tmp_path / "tasks.db"
    with running(tmp_path, "gunicorn --bind 127.0.0.1:{port} -w 2 measured:wsgi()", FILE=str(file)) as server:
        server.ask("/begin")
        server.until_said("began sync", "began async")
        sql = "SELECT DISTINCT pid FROM run JOIN process ON owner = process.id JOIN task ON task.id = task"
        for (pid,) in query(file, f"{sql} WHERE func != 'tick'"):
            os.kill(pid, signal.SIGKILL)
        server.until_said(*["began sync", "began async"] * 2)
        server.release.touch()
        server.until_said("ended sync", "ended async")
        server.signal()

        assert server.end() == 0
        assert [server.said.count(f"ended {kind}\n") for kind in ("sync", "async")] == [1, 1]
    attempts = "SELECT attempts ->> '$[0][2]', attempts ->> '$[1][2]' FROM run JOIN task ON task.id = task"
    assert query(file, f"{attempts} WHERE func != 'tick'") == [("lost", "succeeded")] * 2


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if (analyze := shutil.which("systemd-analyze")) is None:
        pytest.skip("systemd is not installed")
    for name in ("tasks.service", "stored.service"):
        unit = (APPS / name).read_text().replace("/srv/app/.venv/bin/python", sys.executable)
        (tmp_path / name).write_text(unit.replace("WorkingDirectory=/srv/app", f"WorkingDirectory={tmp_path}"))
        command = [analyze, "verify", str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)

        assert (done.returncode, done.stderr) == (0, "")
