"""From Panther: the lines of its page work here, but for a few differences."""

# mypy: disable-error-code="panther-schedule"

import re
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError

import panther_schedule
from panther_schedule import Daily, Repeat, Run, Scheduler, VirtualClock, Weekly, preview
from panther_schedule.background_tasks import BackgroundTask, background_tasks

from .pages import table

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def send_otp(name: str) -> None:
    """Stand for a function of the program."""


def test_the_import_has_the_same_last_part() -> None:
    """Both names come from `panther_schedule.background_tasks`, or from the package itself."""
    assert BackgroundTask is panther_schedule.BackgroundTask
    assert background_tasks is panther_schedule.background_tasks


def test_the_page_as_one_program(clock: VirtualClock) -> None:
    """Panther's examples run as they stand, sync and async."""
    sent: list[str] = []

    def send_otp(name: str) -> None:
        sent.append(f"{clock.now():%a %H:%M} otp for {name}")

    async def send_hello(name: str) -> None:
        sent.append(f"{clock.now():%a %H:%M} hello {name}")

    with Scheduler(clock=clock) as background_tasks:
        task = BackgroundTask(send_otp, name="Ali")
        background_tasks.add_task(task)
        background_tasks.add_task(task.interval(2).interval_wait(5 * MINUTE))
        background_tasks.add_task(
            BackgroundTask(send_hello, name="Ali").interval(-1).on_time(time(hour=8, minute=0), tz="UTC")
        )
        clock.advance(timedelta(days=2))

    assert sent == [
        "Thu 00:00 otp for Ali",
        "Thu 00:00 otp for Ali",
        "Thu 00:05 otp for Ali",
        "Thu 08:00 hello Ali",
        "Fri 08:00 hello Ali",
    ]


def test_a_setter_returns_a_new_task() -> None:
    """A task does not change, so write `task = task.interval(5)`."""
    task = BackgroundTask(send_otp, name="Ali")

    assert task.interval(5).schedule == Repeat(5)
    assert task == BackgroundTask(send_otp, name="Ali")


def test_add_task_takes_a_task(clock: VirtualClock) -> None:
    """A bare function is refused: write `add_task(BackgroundTask(send_otp))`."""
    with Scheduler(clock=clock) as scheduler, pytest.raises(ValidationError, match="BackgroundTask") as refused:
        scheduler.add_task(send_otp)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - shows that it is refused
    assert refused.value.errors()[0]["type"] == "not_a_task"


def test_the_same_unnamed_task_added_twice_runs_twice(clock: VirtualClock) -> None:
    """An unnamed task runs each time it is added; give it a name to have it once."""
    sent: list[str] = []
    task = BackgroundTask(sent.append, "Ali")

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_tasks([task, task])
        scheduler.add_tasks([task.with_name("otp"), task.with_name("otp")])

    assert len(sent) == 3


def test_an_interval_without_a_wait_is_back_to_back(clock: VirtualClock) -> None:
    """`interval(5)` waits only for the run before, where Panther 5 waits a minute."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, SECOND).interval(5))
        scheduler.join()

    starts = [record.started_at for record in handle.runs if isinstance(record, Run)]
    assert starts == [START + k * SECOND for k in range(5)]


def test_on_time_for_ever_gives_no_warning(clock: VirtualClock) -> None:
    """`interval(-1).on_time(t)` is the documented use, so it gives no warning."""
    with Scheduler(clock=clock) as scheduler, warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.add_task(BackgroundTask(send_otp, name="Ali").interval(-1).on_time(time(8), tz="UTC"))


def test_summer_time_loses_and_doubles_no_day() -> None:
    """A daily task runs once on each date, even if the clock skips its time or shows it twice."""
    daily = Daily(time(2, 30), tz="Europe/Berlin")

    for noon in (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)):
        dates = [each.local.date() for each in preview(daily, 3, after=noon)]
        assert dates == [noon.date() + timedelta(days=day) for day in (1, 2, 3)]


def test_a_slow_function_runs_one_at_a_time(clock: VirtualClock) -> None:
    """A function that is due each second and takes 3.5 seconds never runs in two copies at once."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, 3.5 * SECOND).interval(3).interval_wait(SECOND))
        scheduler.join()

    runs = [record for record in handle.runs if isinstance(record, Run)]
    assert [run.started_at for run in runs] == [START, START + 4 * SECOND, START + 8 * SECOND]
    assert handle.counts["skipped_overlap"] == 6


def test_a_wrong_task_is_refused_when_it_is_built() -> None:
    """A wrong number of runs or a wrong argument is an error before anything is added."""
    with pytest.raises(ValidationError, match="-7"):
        BackgroundTask(send_otp, name="Ali").interval(-7)
    with pytest.raises(ValidationError, match="nam is not an argument"):
        BackgroundTask(send_otp, nam="Ali")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - shows that it is refused


def test_partials_callable_objects_and_builtins_run(clock: VirtualClock) -> None:
    """Anything that can be called can be a task."""

    class Sender:
        def __call__(self, name: str) -> None:
            sent.append(name)

    sent: list[str] = []
    functions: list[Callable[[], object]] = [partial(sent.append, "partial"), partial(Sender(), "object")]
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_tasks([BackgroundTask(function) for function in functions])
        scheduler.add_task(BackgroundTask(Sender(), "callable object"))
        scheduler.add_task(BackgroundTask(sent.append, "builtin"))

    assert sent == ["partial", "object", "callable object", "builtin"]


def test_a_function_that_hangs_is_recorded(clock: VirtualClock) -> None:
    """Under a `timeout`, a run that takes too long is recorded as `timed_out`."""
    with Scheduler(clock=clock) as scheduler:
        hanging = BackgroundTask(clock.sleep, timedelta(hours=1)).with_policy(timeout=MINUTE)
        handle = scheduler.add_task(hanging)
        scheduler.join()

    assert handle.counts["timed_out"] == 1


def test_tasks_can_be_listed_asked_and_cancelled(clock: VirtualClock) -> None:
    """A scheduler lists its tasks; a handle knows the next run and can cancel the task."""
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(send_otp, name="Ali").on_time(time(8), tz="UTC").with_name("otp"))

        (handle,) = scheduler
        assert (handle.name, handle.next_run) == ("otp", START + timedelta(hours=8))
        handle.cancel()
        clock.advance(timedelta(days=1))
        assert handle.runs == ()


def test_a_method_of_panther_5_names_ours() -> None:
    """Calling `every_days()` or `submit()` is an error that says what to write here."""
    with pytest.raises(AttributeError, match=r"no submit, unlike Panther's; write background_tasks.add_task\(task\)"):
        BackgroundTask(send_otp, name="Ali").submit()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType] - shows that it is refused


@pytest.mark.parametrize(("theirs", "ours"), table("from-panther", "Panther 5.5"))
def test_what_the_page_writes_for_them_is_a_task(theirs: str, ours: str) -> None:
    """Each method of Panther 5 has its place in ours."""
    task: Any = BackgroundTask(send_otp, name="Ali")
    names = {"task": task, "time": time, "date": date, "timedelta": timedelta, "Daily": Daily, "Weekly": Weekly}
    written = ours.strip("`")

    for name in re.findall(r"\.(every_\w+|at|on|submit)\(", theirs):
        assert not hasattr(task, name)
    if written.startswith("."):
        assert isinstance(eval(f"task{written}", names), BackgroundTask)  # noqa: S307 - the page's own
