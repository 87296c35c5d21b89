"""What the mypy plugin costs: a module of 500 tasks, checked with it and without.

    .venv/bin/python bench/mypy_plugin.py [rounds]

The two sides take turns. Each round has a cold run, without a cache, and one after the module was changed. Beside them
is what both share, a module of one line. The figures are CPU seconds, so that a busy machine counts little.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HEAD = """from datetime import time, timedelta

from panther_schedule import BackgroundTask, Cron, Daily, Policy, Retry, Weekly, background_tasks

ZONE = "Europe/Berlin"


def send(name: str) -> None: ...


"""
TASKS = (
    'BackgroundTask(send, name="{n}").interval(5).interval_wait(timedelta(minutes={n})).with_name("a{n}")',
    'BackgroundTask(send, name="{n}").interval(-1).on_time(time(8, 30), tz=ZONE).with_name("b{n}")',
    'BackgroundTask(send, name="{n}").with_schedule(Cron("{m} 9 * * mon-fri", tz=ZONE)).with_name("c{n}")',
    'BackgroundTask(send, name="{n}").with_schedule(Daily(time(8)) | Weekly("sat", time(9))).with_name("d{n}")',
    'BackgroundTask(send, name="{n}").interval(3).with_policy(retry=Retry(3), timeout=timedelta(hours=1))',
)


def program(many: int) -> str:
    """Write a module that adds this many tasks."""
    lines = (f"background_tasks.add_task({TASKS[n % 5].format(n=n, m=n % 60)})\n" for n in range(1, many + 1))
    return HEAD + "".join(lines)


class Side:
    """mypy with one configuration and a cache of its own."""

    def __init__(self, folder: Path, plugins: str) -> None:
        folder.mkdir()
        self.module, self.cache = folder / "many.py", folder / "cache"
        config = folder / "mypy.ini"
        config.write_text(f"[mypy]\nstrict = True\nplugins = {plugins}\n")
        self.command = [sys.executable, "-m", "mypy", "--config-file", str(config), "--cache-dir"]
        self.edits = 0

    def run(self, *, cold: bool = False, many: int = 500) -> float:
        """Check the module, which has changed, and return the CPU seconds."""
        self.edits += 1
        self.module.write_text(f"{program(many)}EDITS = {self.edits}\n")
        cache = os.devnull if cold else str(self.cache)
        command = [*self.command, cache, str(self.module)]
        before = os.times()
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - mypy itself
        after = os.times()
        assert done.returncode == 0, done.stdout + done.stderr
        return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    with tempfile.TemporaryDirectory() as folder:
        sides = Side(Path(folder, "without"), ""), Side(Path(folder, "with"), "panther_schedule.mypy")
        for side in sides:
            side.run()
        for title, options in (
            ("cold", {"cold": True}),
            ("after a change", {}),
            ("after a change, one task", {"many": 1}),
        ):
            pairs = [tuple(side.run(**options) for side in sides) for _ in range(rounds)]
            without, with_it = (statistics.median(side) for side in zip(*pairs, strict=True))
            ratio = statistics.median(b / a for a, b in pairs)
            print(f"{title:25} without {without:.3f} s, with {with_it:.3f} s, ratio {ratio:.3f} over {rounds} rounds")


if __name__ == "__main__":
    main()
