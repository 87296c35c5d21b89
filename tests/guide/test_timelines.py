"""Timelines: what will run and what ran, in one picture."""

from datetime import UTC, datetime, time, timedelta

from pydantic import TypeAdapter

from panther_schedule import BackgroundTask, Daily, Scheduler, TaskRegistry, VirtualClock
from panther_schedule.pictures import Timeline, timeline
from panther_schedule.testing import FailingTask, simulate

START, HOUR, DAY = datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=1), timedelta(days=1)


def digest() -> None: ...


def test_a_registry_shows_when_its_tasks_will_run() -> None:
    """A timeline of a registry has a lane for each of its tasks, with the occurrences of the span."""
    tasks = TaskRegistry()
    tasks.scheduled(Daily(time(8), tz="UTC"))(digest)

    (lane,) = timeline(tasks, START, START + 3 * DAY).lanes

    assert lane.name == "digest"
    assert [(mark.what, mark.start_at.day) for mark in lane.marks] == [("planned", 1), ("planned", 2), ("planned", 3)]


def test_a_scheduler_shows_what_ran_and_what_is_to_come(clock: VirtualClock) -> None:
    """A timeline of a scheduler goes from the records of its tasks to their next occurrences."""
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(digest).interval(-1).interval_wait(HOUR))
        clock.advance(2 * HOUR)
        (lane,) = timeline(scheduler, START, START + 5 * HOUR).lanes

    assert lane.counts == {"succeeded": 3, "planned": 3}


def test_a_simulation_knows_its_own_span() -> None:
    """A timeline of a simulation needs no start and no end."""
    task = BackgroundTask(digest).interval(-1).interval_wait(HOUR).with_name("hourly")
    picture = timeline(simulate([task], START, START + DAY, [FailingTask("hourly", OSError, times=2)]))

    assert (picture.start, picture.end) == (START, START + DAY)
    assert picture.lanes[0].counts == {"failed": 2, "succeeded": 23}


def test_a_task_of_every_second_is_counted_and_not_listed() -> None:
    """Where many occurrences would touch in the picture, one mark has their exact count."""
    task = BackgroundTask(digest).interval(-1).interval_wait(timedelta(seconds=1))
    (lane,) = timeline([task], START, START + 365 * DAY).lanes

    assert [mark.count for mark in lane.marks] == [365 * 86_400 + 1]


def test_a_picture_is_text_svg_and_json() -> None:
    """The same timeline is printed, put into a page, and read by a program."""
    picture = timeline([BackgroundTask(digest).on_time(time(8), tz="UTC")], START, START + DAY)

    assert "digest" in str(picture)
    assert picture.svg().startswith("<svg ")
    assert TypeAdapter(Timeline).validate_json(picture.json()) == picture
