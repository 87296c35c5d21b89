"""The reader that judges files finds what is wrong with one; it is wrong on purpose here."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from ledger_law import Calls, Ledger

from panther_schedule import BackgroundTask, Policy, Repeat, Scheduler, TaskRegistry, VirtualClock, current_run
from panther_schedule.sqlite import SQLiteStore


class Story:
    """A file, and what the functions wrote."""

    def __init__(self, folder: Path, clock: VirtualClock) -> None:
        self.file, self.log = folder / "tasks.db", folder / "calls"
        lines: list[str] = []
        registry = TaskRegistry()

        def note(what: str) -> None:
            run = current_run()
            lines.append(f"{what} {run.id} {run.attempt} 1 {clock.read().wall}\n")

        @registry.register
        def work(seconds: float) -> None:
            note("begun")
            clock.sleep(timedelta(seconds=seconds))
            note("ended")

        every_5s = BackgroundTask(work, 8.0).with_schedule(Repeat(-1, timedelta(seconds=5)))
        with Scheduler(store=SQLiteStore(self.file), registry=registry, clock=clock) as scheduler:
            scheduler.add_task(every_5s.with_name("skip"))
            scheduler.add_task(every_5s.with_name("queue").with_policy(Policy(overlap="queue_all")))
            scheduler.add_task(BackgroundTask(work, 1.0).with_schedule(Repeat(30)).with_name("back-to-back"))
            clock.advance(timedelta(minutes=1))
            clock.suspend(timedelta(minutes=1))
            clock.advance(timedelta(minutes=1))
        self.log.write_text("".join(lines))

    def faults(self) -> list[str]:
        ledger = Ledger(self.file)
        return ledger.faults() + Calls(self.log).faults(ledger)


@pytest.fixture
def story(tmp_path: Path, clock: VirtualClock) -> Story:
    return Story(tmp_path, clock)


def test_a_true_story_has_no_fault(story: Story) -> None:
    assert story.faults() == []
    assert Ledger(story.file).account()["missed"] > 10


FALSE = [
    ("DELETE FROM run WHERE task = 1 AND id % 2", "does not follow"),
    ("DELETE FROM passed WHERE task = 1 AND id % 2", "does not follow"),
    ("UPDATE run SET at = at + 1 WHERE task = 1", "does not follow"),
    ("UPDATE passed SET number = number + 1", "does not cover"),
    ("UPDATE passed SET last = last + 5000000", "does not cover"),
    ("UPDATE task SET cursor = cursor + 5000000 WHERE id = 1", "is not at the end"),
    ("UPDATE task SET next_at = next_at + 5000000 WHERE id = 1", "does not follow"),
    ("UPDATE task SET anchor = anchor - 5000000 WHERE id = 1", "does not begin at the anchor"),
    ("UPDATE task SET held = NULL WHERE id = 2", "is not at the end"),
    ("UPDATE task SET running = running + 1", "have no outcome"),
    ("UPDATE task SET handed = handed - 1", "scheduled runs"),
    ("UPDATE task SET records = records + 1", "records counted"),
    ("UPDATE run SET outcome = 'failed' WHERE outcome IS NOT NULL", "did not end as its last attempt"),
    ("UPDATE run SET finished_at = finished_at + 1 WHERE outcome IS NOT NULL", "did not end as its last attempt"),
    ("UPDATE run SET phase = 'active' WHERE outcome IS NOT NULL", "and goes on"),
    ("UPDATE run SET attempts = replace(attempts, '[[1', '[[2')", "began after its end"),
    ("UPDATE run SET attempts = '[]' WHERE outcome IS NOT NULL", "did not end as its last attempt"),
    ("UPDATE run SET at = at + 1 WHERE task = 3", "is in no record"),
    ("UPDATE run SET task = 99 WHERE task = 3", "records of no task"),
]


@pytest.mark.parametrize(("change", "fault"), FALSE)
def test_a_false_record_is_found(story: Story, change: str, fault: str) -> None:
    with closing(sqlite3.connect(story.file)) as db:
        assert db.execute(change).rowcount
        db.commit()

    assert any(fault in line for line in story.faults())


def test_a_call_that_was_made_twice_is_found(story: Story) -> None:
    lines = story.log.read_text().splitlines(keepends=True)
    story.log.write_text("".join([*lines, lines[0]]))

    assert any("began twice" in line for line in story.faults())


def test_a_call_after_the_outcome_is_found(story: Story) -> None:
    what, run, _, process, moment = story.log.read_text().splitlines()[0].split()
    story.log.write_text(f"{story.log.read_text()}{what} {run} 2 {process} {moment}\n")

    assert any("began again after its outcome" in line for line in story.faults())


def test_a_call_that_was_never_made_is_found(story: Story) -> None:
    lines = story.log.read_text().splitlines(keepends=True)
    story.log.write_text("".join(lines[1:]))

    assert any("its function did not end" in line for line in story.faults())
