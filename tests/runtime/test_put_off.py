"""What an error put off is done a second later: in its order, and before the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from telling import SECOND, note

from panther_schedule import BackgroundTask, Run, Scheduler, VirtualClock
from panther_schedule.runtime.engine import Engine


class Disk:
    """Lets so many of these commands fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *commands: str) -> None:
        self.failures = 0
        for command in commands:
            monkeypatch.setattr(Engine, command, self.failing(getattr(Engine, command)))

    def failing(self, do: Callable[..., None]) -> Callable[..., None]:
        """Return a command that may fail."""

        def fail_or_do(*given: Any) -> None:
            if self.failures:
                self.failures -= 1
                raise OSError("disk full")
            do(*given)

        return fail_or_do


def test_what_was_put_off_is_done_in_its_order(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, "pause", "resume")
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(SECOND))
        handle.pause("before")
        disk.failures = 2
        handle.resume()
        handle.pause("after")
        assert handle.pause_reason == "before"
        clock.advance(SECOND)

        assert handle.pause_reason == "after"


def test_the_drain_waits_for_what_was_put_off(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, "start_more")
    scheduler = Scheduler(clock=clock)
    handle = scheduler.add_task(BackgroundTask(note).with_name("note"))
    assert handle.join()
    disk.failures = 2  # now, and when the drain begins
    manual = handle.run_now()
    scheduler.stop()

    assert isinstance(manual.run, Run)
    assert manual.run.outcome == "succeeded"
