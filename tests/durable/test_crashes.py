"""Processes that are killed at any moment lose nothing, and run nothing twice: the short form of bench/crash.py."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from campaign import POINTS, campaign

pytestmark = pytest.mark.real_clock


@pytest.mark.parametrize("others", [0, 1, 2])
def test_no_death_breaks_the_law(tmp_path: Path, others: int) -> None:
    """Whenever a process dies, each occurrence is in one record, and only what was cut off runs again."""
    chance = random.Random(others)
    with campaign(tmp_path) as processes:
        for _ in range(others):
            processes.run()
        for point in POINTS:
            processes.dies(point, chance.randint(1, 25))
            assert processes.faults() == []
        processes.settle()
        faults, account = processes.account()

    assert faults == []
    assert account["lost in the function"] >= 1
    assert account["lost after the function"] >= 1


def test_a_death_while_the_file_is_made_leaves_one_that_the_next_process_makes(tmp_path: Path) -> None:
    """A new file has all its tables or none."""
    with campaign(tmp_path, tasks=("plain0",)) as processes:
        for nth in (1, 4, 8):
            processes.dies("in the migration", nth)
        processes.run()
        processes.more_runs(1)
        processes.settle()

        assert processes.account()[0] == []


def test_two_processes_that_catch_up_run_each_late_occurrence_once(tmp_path: Path) -> None:
    """After an hour without a process, whatever one of them takes the other leaves alone."""
    with campaign(tmp_path) as processes:
        processes.run(ahead_s=-3600)
        processes.more_runs()
        processes.kill(processes.processes[0])
        now = time.time_ns() // 1000
        for _ in range(2):
            processes.start()
        behind = "task WHERE ended = 0 AND coalesce(cursor, 0) < ?"
        processes.until(lambda: not processes.number(behind, now), "all tasks catch up")
        processes.settle()
        faults, account = processes.account()

    assert faults == []
    assert account["missed"] > 100_000
