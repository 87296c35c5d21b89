"""What a scheduler does with tasks: names, handles, overlap, outages, failures."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from panther_schedule import BackgroundTask, Passed, Run, Scheduler, VirtualClock

SECOND = timedelta(seconds=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def note() -> None:
    """Do nothing."""


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


def test_a_named_task_is_a_declaration(clock: VirtualClock) -> None:
    """Adding an equal task under its name again changes nothing and gives the same handle."""
    digest = BackgroundTask(note).interval(3).interval_wait(SECOND).with_name("digest")
    with Scheduler(clock=clock) as scheduler:
        first = scheduler.add_task(digest)
        clock.advance(SECOND)

        assert scheduler.add_task(digest) == first
        assert scheduler["digest"] == first
        assert "digest" in scheduler
        assert [handle.name for handle in scheduler] == ["digest"]

        scheduler.join()
        assert scheduler.add_task(digest).ended
    assert len(first.runs) == 3


def test_a_name_belongs_to_one_task(clock: VirtualClock) -> None:
    """Another task under a name in use is refused, and the message names what differs."""
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(note).interval(3).interval_wait(SECOND).with_name("digest"))

        with pytest.raises(ValidationError, match=r"'digest' is in use by a task with another schedule") as refused:
            scheduler.add_task(BackgroundTask(note).interval(4).interval_wait(SECOND).with_name("digest"))
        assert refused.value.errors()[0]["type"] == "name_in_use"
        assert len(scheduler) == 1


def test_an_unnamed_task_is_a_command(clock: VirtualClock) -> None:
    """Without a name each call makes a new task, with a name of its own, that leaves when it has ended."""
    with Scheduler(clock=clock) as scheduler:
        first, second = scheduler.add_task(BackgroundTask(note)), scheduler.add_task(BackgroundTask(note))

        assert first != second
        assert first.name != second.name
        assert scheduler[first.name] == first
        assert len(scheduler) == 2

        scheduler.join()
        assert len(scheduler) == 0
        assert first.name not in scheduler


def test_a_slow_run_makes_the_next_occurrence_pass_but_no_run_is_lost(clock: VirtualClock) -> None:
    """`Repeat(5, 1 s)` of a function that takes 1.5 s runs at 0, 2, 4, 6 and 8 seconds."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, 1.5 * SECOND).interval(5).interval_wait(SECOND))
        scheduler.join()

    runs = [record for record in handle.runs if isinstance(record, Run)]
    passed = [record for record in handle.runs if isinstance(record, Passed)]
    assert [(run.scheduled_at - START) / SECOND for run in runs] == [0, 2, 4, 6, 8]
    assert [(record.first_at - START) / SECOND for record in passed] == [1, 3, 5, 7]
    assert {record.reason for record in passed} == {"skipped_overlap"}


def test_an_outage_gives_one_late_run_and_a_record_of_the_rest(clock: VirtualClock) -> None:
    """Suspended from minute 9 to 31, `Repeat(5, 5 min)` runs at 0, 5, 31 (for 30), 35 and 40."""
    minute = 60 * SECOND
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(5).interval_wait(5 * minute))
        clock.advance(9 * minute)
        clock.suspend(22 * minute)
        scheduler.join()

    runs = [record for record in handle.runs if isinstance(record, Run)]
    (missed,) = [record for record in handle.runs if isinstance(record, Passed)]
    assert [(run.scheduled_at - START) / minute for run in runs] == [0, 5, 30, 35, 40]
    assert runs[2].lateness == minute
    assert (missed.reason, missed.count) == ("missed", 4)
    assert ((missed.first_at - START) / minute, (missed.last_at - START) / minute) == (10, 25)


def test_a_run_that_raises_is_recorded_and_logged_once(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    """The schedule goes on after a failure; the record keeps the exception."""

    def fail() -> None:
        raise LookupError("no such user")

    with Scheduler(clock=clock) as scheduler, caplog.at_level(logging.ERROR, "panther_schedule"):
        handle = scheduler.add_task(BackgroundTask(fail).interval(2).interval_wait(SECOND))
        scheduler.join()

    assert [record.outcome for record in handle.runs if isinstance(record, Run)] == ["failed", "failed"]
    assert isinstance(handle.runs[0], Run)
    assert isinstance(handle.runs[0].error, LookupError)
    assert len(caplog.records) == 2


def test_a_cancelled_task_does_not_run_again(clock: VirtualClock) -> None:
    """`cancel()` lets no further occurrence start and frees the name."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(SECOND).with_name("beat"))
        clock.advance(2 * SECOND)
        handle.cancel()
        clock.advance(2 * SECOND)

        assert handle.ended
        assert handle.next_run is None
        assert "beat" not in scheduler
    assert len(handle.runs) == 3


def test_next_run_is_an_aware_datetime(clock: VirtualClock) -> None:
    """`next_run` tells when the task is due next, in UTC."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(2).interval_wait(SECOND))

        assert handle.next_run == START
        clock.advance(timedelta(0))
        assert handle.next_run == START + SECOND
