"""Processes that are killed at any moment lose nothing, and run nothing twice: the short form of bench/crash.py."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from campaign import POINTS, campaign

pytestmark = pytest.mark.real_clock


def test_no_death_breaks_the_law(tmp_path: Path) -> None:
    """Wherever a process dies, alone or beside others, only what that cut off runs again."""
    chance = random.Random(1)
    with campaign(tmp_path) as processes:
        for round_, points in enumerate((POINTS, POINTS[::-1])):
            for point in points:
                processes.dies(point, chance.randint(1, 12))
                assert processes.faults() == []
            if round_ == 0:
                processes.start()
                processes.start()
        processes.settle()
        faults, account = processes.account()

    assert faults == []
    assert account["lost in the function"] >= 1


def test_a_death_while_the_file_is_made_leaves_it_to_the_next_process(tmp_path: Path) -> None:
    """A new file has all of its tables or none."""
    with campaign(tmp_path, tasks=("plain0",)) as processes:
        for nth in (1, 9):
            processes.dies("in the migration", nth)
        processes.run()
        processes.more_runs(1)
        processes.end()

        assert processes.account()[0] == []


def test_a_death_in_a_migration_leaves_the_version_before(tmp_path: Path) -> None:
    """And all that was in the file."""
    with campaign(tmp_path) as processes:
        processes.run()
        processes.more_runs()
        processes.end()
        processes.dies("in the migration", 3, migrates=True)
        assert processes.query("PRAGMA user_version") == [(1,)]
        assert processes.faults() == []
        processes.run(migrates=True)
        processes.more_runs()
        processes.end()

        assert processes.query("PRAGMA user_version") == [(2,)]
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
        processes.end()
        faults, account = processes.account()

    assert faults == []
    assert account["missed"] > 100_000
