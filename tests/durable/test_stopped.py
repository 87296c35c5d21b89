"""A process that is stopped for longer than its lease, as by a debugger or a virtual machine that is moved."""

from __future__ import annotations

import time
from pathlib import Path
from signal import SIGCONT

import pytest
from campaign import Point, campaign

pytestmark = pytest.mark.real_clock

LEASES = "process WHERE lease_until > ?"
POINTS: tuple[Point, ...] = ("in the function", "after the function")


def test_what_a_stopped_process_says_too_late_is_not_recorded(tmp_path: Path) -> None:
    """Its runs are lost and run again elsewhere; when it goes on, it finds that they are its own no more."""
    with campaign(tmp_path, lease_s=1) as processes:
        processes.run()
        stopped = [processes.stops(point, 7) for point in POINTS]
        for process in stopped:
            processes.until(lambda: not processes.number("process WHERE pid = ?", process.pid), "it is dead")  # noqa: B023 - at once
            process.send_signal(SIGCONT)
        for process in stopped:
            fenced = f"{process.pid} WARNING this process stood still for longer than its lease"
            processes.until(lambda: fenced in processes.said(), "it says what it found")  # noqa: B023 - at once
        processes.end()
        faults, account = processes.account()

    assert faults == []
    assert account["runs with a lost attempt"] >= len(stopped)


def test_a_process_that_is_stopped_alone_loses_nothing(tmp_path: Path) -> None:
    """Nobody was there to take its runs, so they are still its own."""
    with campaign(tmp_path, lease_s=1) as processes:
        stopped = processes.stops("in the function", 7)
        processes.until(lambda: not processes.number(LEASES, since_boot()), "its lease ends")
        stopped.send_signal(SIGCONT)
        processes.end()
        faults, account = processes.account()

    assert faults == []
    assert account["lost attempts"] == 0


def test_a_process_that_is_stopped_in_its_transaction_holds_the_others_up(tmp_path: Path) -> None:
    """Nobody can write then, so nobody is declared dead."""
    with campaign(tmp_path, lease_s=1) as processes:
        processes.run()
        processes.run()
        stopped = processes.stops("before the commit", 7)
        processes.until(lambda: not processes.number(LEASES, since_boot()), "all leases end")
        stopped.send_signal(SIGCONT)
        processes.more_runs()
        processes.end()

        assert processes.account()[0] == []


def since_boot() -> int:
    """Tell the time that leases go by, in microseconds."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
