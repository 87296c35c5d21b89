"""Types: what a type checker refuses also raises when it runs, and the types stay what they are."""

# mypy: disable-error-code="panther-schedule"

from datetime import UTC, time, timedelta
from functools import partial
from typing import Any, assert_type

import pytest
from pydantic import ValidationError

from panther_schedule import BackgroundTask, Daily, Repeat, Scheduler, VirtualClock


def send_otp(name: str) -> str:
    """Stand for a function of the program."""
    return f"otp for {name}"


def test_run_returns_what_the_function_returns() -> None:
    """A task knows its function's type, so `run()` has the type of the function's result."""
    task: BackgroundTask[[str], str] = BackgroundTask(send_otp, "Ali")

    assert assert_type(task.run(), str) == "otp for Ali"


def test_a_setter_keeps_the_type_of_the_result() -> None:
    """The setters keep the type of the result."""
    task = BackgroundTask(send_otp, name="Ali").interval(2).interval_wait(timedelta(hours=1)).with_name("otp")

    assert assert_type(task.run(), str) == "otp for Ali"


def test_a_wrong_argument_is_refused() -> None:
    """Arguments are checked against the function's signature and hints, in the editor and when the task is built."""
    with pytest.raises(ValidationError, match="name is missing"):
        BackgroundTask(send_otp)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - shows that it is refused
    with pytest.raises(ValidationError, match="nam is not an argument"):
        BackgroundTask(send_otp, nam="Ali")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - shows that it is refused
    with pytest.raises(ValidationError, match="name must be str"):
        BackgroundTask(send_otp, name=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - shows that it is refused


def test_a_call_is_no_function() -> None:
    """A task takes the function itself, not what a call of it returns."""
    with pytest.raises(ValidationError) as refused:
        BackgroundTask(send_otp("Ali"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue] - shows that it is refused
    assert refused.value.errors()[0]["type"] == "not_callable"


def test_a_wait_is_no_number_and_a_time_of_day_no_text() -> None:
    """A wait is a `timedelta` and a time of day a `time`; 5 and "08:00" are refused."""
    task = BackgroundTask(send_otp, name="Ali")

    with pytest.raises(ValidationError, match="timedelta"):
        task.interval_wait(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - shows that it is refused
    with pytest.raises(ValidationError, match="time"):
        task.on_time("08:00")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - shows that it is refused


def test_a_schedule_excludes_the_other_setters() -> None:
    """A task takes `with_schedule()` or the other setters, not both."""
    with pytest.raises(ValidationError, match="with_schedule"):
        BackgroundTask(send_otp, name="Ali").interval(5).with_schedule(Repeat(5))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - shows that it is refused


def test_a_model_does_not_change() -> None:
    """Setting a field of a model is an error, also for the type checkers."""
    with pytest.raises(AttributeError, match="immutable"):
        Repeat(5).n = 6  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue] - shows that it is refused


def test_what_types_cannot_say_is_refused_at_run_time() -> None:
    """Zero runs, a negative wait, an aware time and an unknown zone have the right types and are refused."""
    task = BackgroundTask(send_otp, name="Ali")

    with pytest.raises(ValidationError, match="type=run_count"):
        task.interval(0)
    with pytest.raises(ValidationError, match="type=negative_duration"):
        task.interval_wait(timedelta(seconds=-1))
    with pytest.raises(ValidationError, match="type=clock_time"):
        task.on_time(time(8, tzinfo=UTC))
    with pytest.raises(ValidationError, match="type=time_zone"):
        task.on_time(time(8), tz="Europe/Pari")


def test_a_list_of_tasks_is_best_a_tuple(clock: VirtualClock) -> None:
    """A tuple keeps the type of each task, and a scheduler takes it as a whole."""
    tasks = (
        BackgroundTask(send_otp, name="Ali").interval(2).interval_wait(timedelta(hours=1)).with_name("otp"),
        BackgroundTask(len, "four").with_schedule(Daily(time(3), n=1, tz="UTC")).with_name("length"),
    )
    assert_type(tasks[0].run(), str)
    assert_type(tasks[1].run(), int)

    with Scheduler(clock=clock) as scheduler:
        assert [handle.name for handle in scheduler.add_tasks(tasks)] == ["otp", "length"]


def test_where_nothing_is_hinted_anything_fits() -> None:
    """An argument that is hinted as `Any`, or not at all, takes anything."""

    def length(value: Any) -> int:
        return len(value)

    assert BackgroundTask(length, "four").run() == BackgroundTask(length, [1, 2, 3, 4]).run() == 4
    with pytest.raises(ValidationError, match="value is missing"):
        BackgroundTask(length)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - shows that it is refused


def test_a_partial_is_a_function() -> None:
    """The arguments of a `functools.partial` are checked where it is made, and the others by the task."""
    assert BackgroundTask(partial(send_otp, "Ali")).run() == "otp for Ali"
