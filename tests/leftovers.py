"""What a test may leave behind: threads, schedulers that were not stopped, asyncio tasks, files."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from panther_schedule import Scheduler
from panther_schedule.runtime import process
from panther_schedule.runtime.life import Life

PATIENCE_S = 10.0


class Things:
    """What a test may leave behind, as it is at one moment."""

    def __init__(self) -> None:
        self.threads, self.schedulers = _threads(), _started()
        self.directory = Path.cwd()
        self.files = _files(self.directory)

    def check(self, used: list[Life]) -> None:
        """Raise AssertionError for what is left now and was not there before, after an attempt to end it."""
        left = _started() - self.schedulers
        for scheduler in left:
            scheduler.stop()
        for thread in _threads() - self.threads:
            thread.join(timeout=PATIENCE_S)  # a stopped scheduler's workers are on their way out
        alive = [thread.name for thread in _threads() - self.threads]
        running = [run for life in used for run in life.workers.coroutines.running]
        files = _files(self.directory) - self.files
        assert not left, f"{len(left)} scheduler(s) not stopped; use `with Scheduler() as s:`"
        assert not alive, f"threads left behind: {alive}"
        assert not running, f"asyncio tasks left behind: {running}"
        assert not files, f"files left in {self.directory}: {sorted(files)}; use tmp_path"


def _files(directory: Path) -> set[str]:
    return {entry.name for entry in os.scandir(directory) if not entry.name.startswith((".", "__"))}


def _threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("panther_schedule")}


def _started() -> set[Scheduler]:
    ours = (one for one in process.schedulers if isinstance(one, Scheduler))
    return {one for one in ours if one._life is not None and not one._stopped}
