"""What can happen to a file: a clock that is set, a disk that is full, other people's mistakes, and damage."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from campaign import Campaign, campaign
from ledger_law import Ledger

from panther_schedule import BackgroundTask, Repeat, Scheduler, TaskRegistry, VirtualClock
from panther_schedule.errors import PantherScheduleError, StoreError
from panther_schedule.sqlite import SQLiteStore

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
TWO_DAYS_S = 2 * 24 * 3600
registry = TaskRegistry()


@registry.register
def work() -> None: ...


TASKS = [
    BackgroundTask(work).with_schedule(Repeat(-1, timedelta(seconds=5))).with_name(f"work{number}")
    for number in range(12)
]


def scheduler_on(file: Path, clock: VirtualClock | None = None) -> Scheduler:
    return Scheduler(store=SQLiteStore(file), registry=registry, clock=clock)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in which some tasks have run."""
    sound, clock = tmp_path_factory.mktemp("sound") / "tasks.db", VirtualClock(BEGIN)
    with scheduler_on(sound, clock) as scheduler:
        scheduler.add_tasks(TASKS)
        clock.advance(timedelta(minutes=1))
    return sound


@pytest.fixture
def file(tmp_path: Path, sound: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(sound, tmp_path))


def states(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


# ---- the clock ---------------------------------------------------------------------------------------------------


@pytest.mark.real_clock
def test_a_clock_that_is_set_between_two_processes_makes_nothing_run_twice(tmp_path: Path) -> None:
    """Two days forward are one missed range; two days back are a new beginning."""
    names = ("plain0", "plain1", "missed-skip", "catch-up", "flaky", "async")
    with campaign(tmp_path, tasks=names) as processes:
        for ahead_s in (0, TWO_DAYS_S, 0):
            processes.run(ahead_s=ahead_s)
            processes.more_runs()
            processes.end()
        faults, account = processes.account()

    assert faults == []
    assert account["missed"] > len(names) * TWO_DAYS_S
    assert account["calls"] < 10_000


# ---- the disk ----------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """A folder with room for eight megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", place], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("only root may mount a file system here")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


@pytest.mark.real_clock
def test_a_process_whose_disk_is_full_waits_and_goes_on(tmp_path: Path) -> None:
    """No function is called whose start could not be written, and what has ended is recorded when there is room."""
    with campaign(tmp_path) as processes:
        processes.run()
        processes.more_runs()
        processes.full.touch()
        goes_on(processes, processes.full.unlink)


@pytest.mark.real_clock
def test_a_process_on_a_small_disk_waits_and_goes_on(small_disk: Path) -> None:
    """The same on a file system without room."""
    with campaign(small_disk) as processes:
        processes.run()
        processes.more_runs()
        filler = small_disk / "filler"
        fill(filler)
        goes_on(processes, filler.unlink)


def goes_on(processes: Campaign, make_room: Callable[[], object]) -> None:
    """See a process through a full disk to the end."""
    processes.until(lambda: "is full" in processes.said(), "the disk is full")
    assert processes.faults() == []
    make_room()
    processes.more_runs()
    processes.settle()
    assert processes.account()[0] == []


def fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as out:
        try:
            while out.write(bytes(4096)):
                pass
        except OSError:  # it is full
            pass


# ---- other people's mistakes -------------------------------------------------------------------------------------

WITHOUT_ROOTS_RIGHTS = """
import ctypes, os, sys
for override in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: the modes of files bind root too
    ctypes.CDLL(None).prctl(24, override, 0, 0, 0)  # PR_CAPBSET_DROP
os.execv(sys.executable, [sys.executable, "-c", *sys.argv[1:]])
"""
ADDS = """
import sys
from panther_schedule import BackgroundTask, Scheduler, TaskRegistry
from panther_schedule.errors import StoreError
from panther_schedule.sqlite import SQLiteStore
registry = TaskRegistry()
@registry.register
def work(): ...
try:
    with Scheduler(store=SQLiteStore(sys.argv[1]), registry=registry) as scheduler:
        scheduler.add_task(BackgroundTask(work).with_name("one more"))
except StoreError as error:
    print(error)
"""


@pytest.mark.real_clock
@pytest.mark.parametrize("read_only", ["file", "folder"])
def test_a_file_that_must_not_be_written_is_refused(file: Path, read_only: str) -> None:
    """The error names it, and nothing in it has changed."""
    before = file.read_bytes()
    place = file if read_only == "file" else file.parent
    mode = place.stat().st_mode
    place.chmod(mode & ~0o222)
    command = [sys.executable, "-c", WITHOUT_ROOTS_RIGHTS, ADDS, str(file)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    finally:
        place.chmod(mode)

    assert str(file) in done.stdout, done.stderr
    assert file.read_bytes() == before


def newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 99")


def anothers(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE task (title TEXT)")
        db.commit()


def anothers_by_id(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA application_id = 1234")


def text(file: Path) -> None:
    file.write_text("08:00 send_report\n" * 1000)


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


@pytest.mark.parametrize("mistake", [newer, anothers, anothers_by_id, text, folder, cut])
def test_a_file_that_is_not_ours_is_refused_and_left_as_it_is(file: Path, mistake: Callable[[Path], None]) -> None:
    """The error names the file."""
    mistake(file)
    before = states(file.parent) if file.is_file() else {}

    with pytest.raises(StoreError) as refused, scheduler_on(file) as scheduler:
        scheduler.add_task(TASKS[0])

    assert str(file) in str(refused.value)
    assert before == (states(file.parent) if file.is_file() else {})


# ---- damage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_file_is_refused_or_the_law_goes_on(file: Path, seed: int) -> None:
    """Whatever is overwritten, a scheduler says that the file is damaged, or goes on as if it were not."""
    chance = random.Random(seed)
    with file.open("r+b") as opened:
        opened.seek(chance.randrange(file.stat().st_size))
        opened.write(chance.randbytes(chance.choice((1, 8, 64, 512))))
    was_sound, refused = is_sound(file), None
    try:
        later = VirtualClock(BEGIN + timedelta(minutes=5))
        with scheduler_on(file, later) as scheduler:
            scheduler.add_tasks(TASKS)
            later.advance(timedelta(seconds=20))
    except PantherScheduleError as error:
        refused = error

    assert not was_sound or (refused is None and is_sound(file))
    assert not isinstance(refused, StoreError) or str(file) in str(refused)


def is_sound(file: Path) -> bool:
    """Tell whether SQLite reads the file, and the law holds for what it finds."""
    try:
        return not Ledger(file).faults()
    except (sqlite3.DatabaseError, ValueError, KeyError, TypeError, AssertionError):
        return False
