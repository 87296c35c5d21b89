"""Programs of the environment: started, watched by what they print, asked over HTTP, ended by a signal."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from environment import APPS, ROOT, programs

PATIENCE_S = 60  # a busy machine is no fault
LOOK_S = 0.02
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the machine has


class Program:
    """A program that runs, in the folder of the apps or elsewhere; `{port}` in its command is one of its own."""

    def __init__(self, folder: Path, command: str, *, cwd: Path = APPS, **environ: str) -> None:
        self.port, self.log, self.release = _free_port(), folder / "log", folder / "release"
        search = os.pathsep.join([str(programs()), os.environ["PATH"]])
        modules = os.pathsep.join([str(ROOT), str(APPS)])
        settings = {
            "PATH": search,
            "PYTHONPATH": modules,
            "PYTHONUNBUFFERED": "1",
            "PYTHONTZPATH": "",
            "HOME": str(folder),
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "VIRTUAL_ENV"))}
        self._out = self.log.open("w")
        self.process = subprocess.Popen(
            command.format(port=self.port).split(),
            cwd=cwd,
            env={**inherited, **settings, "RELEASE": str(self.release), **environ},
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that its children end with it
        )

    @property
    def said(self) -> str:
        """All that it has printed and logged."""
        return self.log.read_text()

    def until(self, over: Callable[[], object]) -> None:
        """Wait until something is so."""
        end = time.monotonic() + PATIENCE_S
        while not over():
            assert time.monotonic() < end, self.said
            time.sleep(LOOK_S)

    def until_said(self, *words: str) -> None:
        """Wait until it has said all of this, each as often as it is given."""

        def over() -> bool:
            ended = self.process.poll()
            has_said = all(self.said.count(word) >= words.count(word) for word in words)
            assert has_said or ended is None, f"it ended with {ended}:\n{self.said}"
            return has_said

        self.until(over)

    def ask(self, path: str, method: str = "GET") -> str:
        """Ask it over HTTP, from when it listens."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        answers: list[str] = []

        def answered() -> bool:
            assert self.process.poll() is None, self.said
            try:
                with _DIRECT.open(request, timeout=PATIENCE_S) as answer:
                    answers.append(answer.read().decode())
            except urllib.error.HTTPError:
                raise
            except OSError:  # it does not listen yet
                return False
            return True

        self.until(answered)
        return answers[0]

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait for its end, and return the exit code; minus a signal's number if that killed it."""
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # also what it has left behind
        except ProcessLookupError:
            pass
        self.process.wait()
        self._out.close()


@contextmanager
def running(folder: Path, command: str, *, cwd: Path = APPS, **environ: str) -> Generator[Program]:
    """Run a program, and end it with all its children."""
    program = Program(folder, command, cwd=cwd, **environ)
    try:
        yield program
    finally:
        program.kill()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
