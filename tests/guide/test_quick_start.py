"""The quick start: a function becomes a task, and a scheduler runs it."""

from datetime import UTC, datetime, time, timedelta

import pytest
from pydantic import ValidationError

from panther_schedule import (
    BackgroundTask,
    Once,
    Repeat,
    Retry,
    Run,
    Scheduler,
    VirtualClock,
    background_tasks,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def send_otp(name: str) -> None:
    """Stand for a function of the program."""


def test_a_task_runs_once_in_the_background(clock: VirtualClock) -> None:
    """A task is a function with its arguments, and adding it to a scheduler runs it once, now."""
    sent: list[str] = []

    def send(name: str) -> None:
        sent.append(f"{clock.now():%H:%M} {name}")

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(send, name="Ali"))

    assert sent == ["00:00 Ali"]


def test_an_async_function_is_a_task_too(clock: VirtualClock) -> None:
    """Sync and async functions are added in the same way."""
    sent: list[str] = []

    async def send(name: str) -> None:
        sent.append(name)

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(send, name="Ali"))

    assert sent == ["Ali"]


def test_interval_is_the_number_of_runs(clock: VirtualClock) -> None:
    """`interval(5)` runs it five times, each run starting when the one before has ended."""
    sent: list[str] = []

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(sent.append, "Ali").interval(5))

    assert sent == ["Ali"] * 5


def test_the_default_interval_is_one(clock: VirtualClock) -> None:
    """Without `interval()` a task runs once, also at a time of day."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(send_otp, name="Ali").on_time(time(8), tz="UTC"))
        clock.advance(timedelta(days=10))

        assert handle.ended
    assert handle.counts["succeeded"] == 1


def test_minus_one_is_for_ever(clock: VirtualClock) -> None:
    """`interval(-1)` never ends on its own; later occurrences are dropped when the scheduler stops."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(send_otp, name="Ali").interval(-1).interval_wait(MINUTE))
        clock.advance(10 * HOUR)

        assert handle.next_run == datetime(2026, 1, 1, 10, 1, tzinfo=UTC)
    assert handle.ended
    assert handle.counts["succeeded"] == 601


def test_interval_wait_is_the_time_between_two_starts(clock: VirtualClock) -> None:
    """`interval(5)` with `interval_wait()` of five minutes runs at 0, 5, 10, 15 and 20 minutes."""
    sent: list[str] = []

    def send(name: str) -> None:
        sent.append(f"{clock.now():%H:%M} {name}")

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(send, name="Ali").interval(5).interval_wait(5 * MINUTE))
        scheduler.join()

    assert sent == ["00:00 Ali", "00:05 Ali", "00:10 Ali", "00:15 Ali", "00:20 Ali"]


def test_on_time_runs_every_day_at_that_time(clock: VirtualClock) -> None:
    """`interval(-1)` with `on_time(time(8))` runs every morning at 08:00, on each of 366 days."""
    sent: list[datetime] = []

    async def send_hello(name: str) -> None:
        assert name == "Ali"
        sent.append(clock.now())

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(send_hello, name="Ali").interval(-1).on_time(time(8), tz="UTC"))
        clock.advance(timedelta(days=366))

    assert sent == [datetime(2026, 1, 1, 8, tzinfo=UTC) + timedelta(days=day) for day in range(366)]


def test_on_time_and_interval_wait_exclude_each_other() -> None:
    """A task has a time of day or a wait, not both, in whichever order they are written."""
    task = BackgroundTask(send_otp, name="Ali")

    with pytest.raises(ValidationError, match=r"on_time\(\).*higher priority"):
        task.on_time(time(8)).interval_wait(MINUTE)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the type checkers see it too
    with pytest.raises(ValidationError, match=r"on_time\(\).*higher priority"):
        task.interval_wait(MINUTE).on_time(time(8))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the type checkers see it too


def test_the_handle_tells_what_became_of_the_runs(clock: VirtualClock) -> None:
    """`add_task()` returns a handle, and its `runs` are the records of what happened."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(send_otp, name="Ali"))
        handle.join()

    (record,) = handle.runs
    assert isinstance(record, Run)
    assert record.outcome == "succeeded"


def test_a_named_task_is_a_declaration(clock: VirtualClock) -> None:
    """Adding an equal task under its name again changes nothing and gives the same handle."""
    digest = BackgroundTask(send_otp, name="all").interval(3).interval_wait(HOUR).with_name("digest")

    with Scheduler(clock=clock) as scheduler:
        first = scheduler.add_task(digest)
        clock.advance(HOUR)

        assert scheduler.add_task(digest) == first == scheduler["digest"]

        scheduler.join()
        assert scheduler.add_task(digest).ended
    assert first.counts["succeeded"] == 3


def test_a_name_belongs_to_one_task(clock: VirtualClock) -> None:
    """Another task under a name in use is refused, and the message names what differs."""
    digest = BackgroundTask(send_otp, name="all").interval(3).interval_wait(HOUR).with_name("digest")

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(digest)

        with pytest.raises(ValidationError, match="'digest' is in use by a task with another schedule") as refused:
            scheduler.add_task(digest.interval(4))
        assert refused.value.errors()[0]["type"] == "name_in_use"
        assert len(scheduler) == 1


def test_an_unnamed_task_is_a_command(clock: VirtualClock) -> None:
    """Without a name each call adds a new task, which gets a unique name and leaves when it has ended."""
    task = BackgroundTask(send_otp, name="Ali")

    with Scheduler(clock=clock) as scheduler:
        first, second = scheduler.add_task(task), scheduler.add_task(task)

        assert first != second
        assert first.name != second.name
        assert scheduler[first.name] == first
        assert len(scheduler) == 2

        scheduler.join()
        assert len(scheduler) == 0
        assert first.name not in scheduler


def test_the_methods_make_a_model() -> None:
    """The methods build a schedule model, which you can also pass yourself."""
    task = BackgroundTask(send_otp, name="Ali").interval(2).interval_wait(HOUR)

    assert task.schedule == Repeat(2, HOUR)
    assert task == BackgroundTask(send_otp, name="Ali").with_schedule(Repeat(2, HOUR))


def test_a_task_says_when_it_runs() -> None:
    """`explain()` says in one line of English when the task runs and under which policy."""
    task = BackgroundTask(send_otp, name="all").interval(2).interval_wait(HOUR)

    assert task.explain() == "every hour, 2 times"
    assert task.with_policy(retry=Retry(3)).explain().startswith("every hour, 2 times; 3 attempts")


def test_a_model_is_a_value() -> None:
    """Models are frozen, equal by value and hashable."""
    christmas_eve = datetime(2026, 12, 24, 18, tzinfo=UTC)

    assert Once(christmas_eve) == Once(christmas_eve)
    assert {Once(christmas_eve), Once(christmas_eve)} == {Once(christmas_eve)}
    with pytest.raises(AttributeError, match="immutable"):
        Once().at = christmas_eve  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue] - the type checkers see it too


def test_a_block_finishes_what_is_due_and_drops_the_rest(clock: VirtualClock) -> None:
    """At the end of its block a scheduler finishes active and due runs, drops later occurrences and stops."""
    with Scheduler(clock=clock) as scheduler:
        due = scheduler.add_task(BackgroundTask(send_otp, name="Ali"))
        later = scheduler.add_task(BackgroundTask(send_otp, name="Ali").on_time(time(8), tz="UTC"))

    assert due.counts["succeeded"] == 1
    assert later.runs == ()
    assert due.ended
    assert later.ended


def test_a_scheduler_is_there_from_the_import_on() -> None:
    """`background_tasks` is a ready-made scheduler, and its first `add_task()` starts it."""
    assert isinstance(background_tasks, Scheduler)
    assert not background_tasks.health().alive
