"""The page that must work as written: every line of the quick start, in virtual time."""

from datetime import UTC, datetime, time, timedelta

import pytest
from pydantic import ValidationError

from panther_schedule import BackgroundTask, Scheduler, VirtualClock

MINUTE = timedelta(minutes=1)


def minutes_of(calls: list[datetime], clock_start: datetime) -> list[float]:
    """Show calls as minutes since the start."""
    return [(at - clock_start) / MINUTE for at in calls]


class Day:
    """A scheduler on a virtual clock that starts at noon, and two functions that note when they are called."""

    def __init__(self) -> None:
        self.start = datetime(2026, 1, 1, 12, tzinfo=UTC)
        self.clock = VirtualClock(self.start)
        self.scheduler = Scheduler(clock=self.clock)
        self.calls: list[datetime] = []

    def send_otp(self, name: str) -> None:
        assert name == "Ali"
        self.calls.append(self.clock.now())

    async def send_hello(self, name: str) -> None:
        self.send_otp(name)


@pytest.fixture
def day() -> Day:
    return Day()


def test_a_task_runs_once_in_the_background(day: Day) -> None:
    """A function and its arguments make a task; adding it runs it once, now."""
    with day.scheduler as background_tasks:
        background_tasks.add_task(BackgroundTask(day.send_otp, name="Ali"))

    assert minutes_of(day.calls, day.start) == [0]


def test_interval_is_the_number_of_runs(day: Day) -> None:
    """`interval(5)` runs it five times, each when the one before has ended."""
    with day.scheduler as background_tasks:
        background_tasks.add_task(BackgroundTask(day.send_otp, name="Ali").interval(5))

    assert len(day.calls) == 5


def test_interval_wait_is_the_time_between_two_starts(day: Day) -> None:
    """`interval(5).interval_wait(5 minutes)` runs at 0, 5, 10, 15 and 20 minutes."""
    with day.scheduler as background_tasks:
        task = BackgroundTask(day.send_otp, name="Ali").interval(5).interval_wait(timedelta(minutes=5))
        background_tasks.add_task(task)
        background_tasks.join()

    assert minutes_of(day.calls, day.start) == [0, 5, 10, 15, 20]


def test_on_time_runs_every_day_at_that_time(day: Day) -> None:
    """`interval(-1).on_time(time(8))` runs an async function every morning at 08:00, on each of 366 days."""
    with day.scheduler as background_tasks:
        hello = BackgroundTask(day.send_hello, name="Ali").interval(-1).on_time(time(hour=8, minute=0), tz="UTC")
        background_tasks.add_task(hello)
        day.clock.advance(timedelta(days=366))

    assert day.calls == [datetime(2026, 1, 2, 8, tzinfo=UTC) + timedelta(days=k) for k in range(366)]


def test_minus_one_is_for_ever(day: Day) -> None:
    """`interval(-1)` never ends by itself; the scheduler's end drops what is to come."""
    with day.scheduler as background_tasks:
        handle = background_tasks.add_task(BackgroundTask(day.send_otp, name="Ali").interval(-1).interval_wait(MINUTE))
        day.clock.advance(timedelta(hours=10))

        assert handle.next_run == day.start + timedelta(hours=10, minutes=1)
    assert handle.ended
    assert len(day.calls) == 601


def test_the_default_interval_is_one(day: Day) -> None:
    """Without `interval()` a task runs once, also at a time of day."""
    with day.scheduler as background_tasks:
        background_tasks.add_task(BackgroundTask(day.send_otp, name="Ali").on_time(time(8), tz="UTC"))
        day.clock.advance(timedelta(days=10))

    assert day.calls == [datetime(2026, 1, 2, 8, tzinfo=UTC)]


def test_on_time_and_interval_wait_exclude_each_other(day: Day) -> None:
    """A task has a time of day or a wait, not both, in whichever order they are written."""
    task = BackgroundTask(day.send_otp, name="Ali")

    with pytest.raises(ValidationError, match=r"on_time\(\).*higher priority"):
        task.on_time(time(8)).interval_wait(MINUTE)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the type checkers see it too
    with pytest.raises(ValidationError, match=r"on_time\(\).*higher priority"):
        task.interval_wait(MINUTE).on_time(time(8))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the type checkers see it too


def test_what_is_due_at_one_instant_runs_by_time_of_day_first(day: Day) -> None:
    """Due together, an `on_time()` task goes before an `interval_wait()` task, whichever was added first."""
    order: list[str] = []
    with day.scheduler as background_tasks:
        background_tasks.add_task(BackgroundTask(order.append, "wait").interval(2).interval_wait(timedelta(hours=1)))
        background_tasks.add_task(BackgroundTask(order.append, "time").on_time(time(13), tz="UTC"))
        day.clock.advance(timedelta(hours=2))

    assert order == ["wait", "time", "wait"]
