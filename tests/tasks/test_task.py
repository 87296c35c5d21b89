"""The task value: its setters, its equality, and what it refuses."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from strategies import Setter, check_setters

from panther_schedule import AnySchedule, BackgroundTask, Daily, Once, Repeat, Schedule
from panther_schedule.models.policy import Retry
from panther_schedule.tasks.task import CountedTask, DailyTask, ScheduledTask, SpacedTask

T = time(8)
W = timedelta(minutes=5)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def send_otp(name: str, *, tries: int = 3) -> str:
    return f"{name} {tries}"


async def send_hello(name: str) -> str:
    return f"hello {name}"


task = BackgroundTask(send_otp, name="Ali")


def refusal(act: Callable[[], object]) -> dict[str, Any]:
    with pytest.raises(ValidationError) as caught:
        act()
    (fault,) = caught.value.errors()
    return dict(fault)


@pytest.mark.parametrize(
    ("made", "schedule", "cls"),
    [
        (task, Once(), BackgroundTask),
        (task.interval(1), Once(), CountedTask),
        (task.interval(5), Repeat(5), CountedTask),
        (task.interval(-1), Repeat(-1), CountedTask),
        (task.interval_wait(W), Repeat(1, W), SpacedTask),
        (task.interval_wait(timedelta(0)), Repeat(1), SpacedTask),
        (task.interval(5).interval_wait(W), Repeat(5, W), SpacedTask),
        (task.interval_wait(W).interval(5), Repeat(5, W), SpacedTask),
        (task.interval_wait(W).interval(5).interval(1), Repeat(1, W), SpacedTask),
        (task.on_time(T), Daily(T, 1), DailyTask),
        (task.interval(-1).on_time(T), Daily(T, -1), DailyTask),
        (task.on_time(T).interval(-1), Daily(T, -1), DailyTask),
        (task.on_time(T, tz="Europe/Paris"), Daily(T, 1, "Europe/Paris"), DailyTask),
        (task.on_time(T, ZoneInfo("Europe/Paris")), Daily(T, 1, "Europe/Paris"), DailyTask),
        (task.on_time(T, "UTC").interval(2), Daily(T, 2, "UTC"), DailyTask),
        (task.on_time(T, "UTC").on_time(time(9)), Daily(time(9), 1), DailyTask),
        (task.interval(2).interval(3), Repeat(3), CountedTask),
        (task.with_schedule(Daily(T)), Daily(T), ScheduledTask),
        (task.with_schedule(Daily(T)).with_schedule(Once()), Once(), ScheduledTask),
    ],
)
def test_what_the_setters_mean(made: BackgroundTask, schedule: AnySchedule, cls: type) -> None:
    assert made.schedule == schedule
    assert type(made) is cls
    assert (made.func, made.args, dict(made.kwargs)) == (send_otp, (), {"name": "Ali"})
    assert task.schedule == Once()  # a setter leaves its task as it is


counts = st.one_of(st.just(-1), st.integers(1, 9))
setters: list[st.SearchStrategy[Setter]] = [
    counts.map(lambda n: ("interval", lambda task: task.interval(n))),
    st.timedeltas(timedelta(0), timedelta(9)).map(lambda w: ("timing", lambda task: task.interval_wait(w))),
    st.times().map(lambda t: ("timing", lambda task: task.on_time(t.replace(microsecond=0)))),
    st.sampled_from("ab").map(lambda name: ("name", lambda task: task.with_name(name))),
]


@given(st.data())
def test_different_setters_commute_and_the_same_one_replaces(data: st.DataObject) -> None:
    check_setters(task, setters, data)


@pytest.mark.parametrize(
    "act",
    [
        lambda: task.on_time(T).interval_wait(W),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - the conflict
        lambda: task.interval_wait(W).on_time(T),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - the conflict
        lambda: task.on_time(T).interval(3).interval_wait(W),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - the conflict
    ],
)
def test_on_time_and_interval_wait_are_refused_alike_in_either_order(act: Callable[[], object]) -> None:
    fault = refusal(act)
    assert fault["type"] == "schedule_conflict"
    assert fault["msg"] == (
        "on_time(08:00:00) and interval_wait(0:05:00) exclude each other, and on_time() has the higher priority; "
        "remove interval_wait(), or remove on_time() to repeat by the wait"
    )


def test_a_schedule_stands_alone() -> None:
    fault = refusal(lambda: task.interval(5).with_schedule(Daily(T)))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - the conflict
    assert fault["type"] == "schedule_conflict"
    assert fault["msg"] == (
        "with_schedule(Daily(at=datetime.time(8, 0))) and interval(5) exclude each other, "
        "since a schedule says it all; remove one of the two"
    )


@pytest.mark.parametrize(
    ("value", "got"), [(Schedule(), "Schedule"), (None, "NoneType"), (T, "time"), ("daily", "str")]
)
def test_with_schedule_refuses_what_is_none_of_the_classes(value: Any, got: str) -> None:
    fault = refusal(lambda: task.with_schedule(value))
    assert fault["type"] == "schedule_type"
    assert fault["msg"] == (
        "schedule must be one of Once, Repeat, Daily, Weekly, Monthly, Cron, AnyOf, "
        f"got {got}; write Daily(time(8, 0)), for example"
    )


@pytest.mark.parametrize("n", [0, -2, True, False, 2.0, "2", None])
def test_interval_refuses(n: Any) -> None:
    for start in (task, task.interval(2), task.interval_wait(W), task.on_time(T)):
        assert refusal(partial(start.interval, n))["type"] == "run_count"


@pytest.mark.parametrize("wait", [timedelta(seconds=-1), 5, "PT5M", None])
def test_interval_wait_refuses(wait: Any) -> None:
    assert refusal(lambda: task.interval_wait(wait))["type"] in ("negative_duration", "duration_type")


@pytest.mark.parametrize("at", ["08:00", datetime(2026, 1, 1, tzinfo=UTC), time(8, tzinfo=UTC), time(8, 0, 0, 1), 8])
def test_on_time_refuses(at: Any) -> None:
    assert refusal(lambda: task.on_time(at))["type"] == "clock_time"


@pytest.mark.parametrize("tz", ["Europe/Pariss", "", "../etc", 1, timezone(timedelta(hours=2))])
def test_on_time_refuses_a_zone_without_an_iana_name(tz: Any) -> None:
    assert refusal(lambda: task.on_time(T, tz))["type"] == "time_zone"


@pytest.mark.parametrize("name", ["", "  ", 3, None])
def test_with_name_refuses(name: Any) -> None:
    assert refusal(lambda: task.with_name(name))["type"] == "task_name"


def test_equal_settings_are_equal_values_however_they_are_written() -> None:
    assert BackgroundTask(send_otp, "Ali") == task
    assert hash(BackgroundTask(send_otp, "Ali")) == hash(task)
    assert BackgroundTask(send_otp, tries=1, name="Ali") == BackgroundTask(send_otp, "Ali", tries=1)
    assert task.interval(1) == task
    assert task.on_time(T) == task.with_schedule(Daily(T, 1))
    assert len({task, task.interval(1), task.interval(2), task.interval(2)}) == 2


@pytest.mark.parametrize(
    "other",
    [
        BackgroundTask(send_otp, "Bob"),
        BackgroundTask(send_otp, "Ali", tries=3),
        BackgroundTask(send_hello, "Ali"),
        task.interval(2),
        task.with_name("a"),
        task.with_policy(timeout=W),
        "task",
    ],
)
def test_different_settings_are_different_values(other: object) -> None:
    assert task != other


def test_neither_arguments_nor_function_need_be_hashable() -> None:
    @dataclass
    class Send:
        to: str

        def __call__(self, names: list[str]) -> None: ...

    assert hash(BackgroundTask(Send("a"), ["Ali"])) == hash(BackgroundTask(Send("a"), names=["Ali"]))
    assert BackgroundTask(Send("a"), ["Ali"]) == BackgroundTask(Send("a"), names=["Ali"])
    assert BackgroundTask(max, [1], default=0) == BackgroundTask(max, [1], default=0)


def test_a_function_gets_the_very_objects_given() -> None:
    def add(names: list[str]) -> None:
        names.append("Bob")

    names = ["Ali"]
    BackgroundTask(add, names).run()
    assert names == ["Ali", "Bob"]


def test_arguments_may_have_any_name() -> None:
    def take(self: int, func: int, name: int, schedule: int) -> int:
        return self + func + name + schedule

    assert BackgroundTask(take, self=1, func=2, name=3, schedule=4).run() == 10


def test_run_calls_the_function() -> None:
    assert task.run() == "Ali 3"
    assert asyncio.run(BackgroundTask(send_hello, "Ali").run()) == "hello Ali"


def test_copies() -> None:
    retried = task.with_policy(retry=Retry(3, on=(OSError,)), timeout=W)
    for made in (task, task.interval(3), task.on_time(T).with_name("a"), task.with_schedule(Daily(T)), retried):
        assert copy.copy(made) is made
        for same in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):  # noqa: S301 - our own bytes
            assert same == made
            assert type(same) is type(made)


def test_a_task_is_immutable() -> None:
    for name in ("func", "_func", "schedule", "new"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(task, name, 1)
        with pytest.raises(AttributeError, match="immutable"):
            delattr(task, name)
    assert not hasattr(task, "__dict__")


@pytest.mark.parametrize("made", [task, task.interval(5), task.with_schedule(Daily(T))])
def test_a_task_is_not_made_a_second_time(made: Any) -> None:
    with pytest.raises(AttributeError, match="immutable"):
        made.__init__(send_hello, "Bob")
    assert made.func is send_otp


@pytest.mark.parametrize("cls", [CountedTask, SpacedTask, DailyTask, ScheduledTask])
def test_only_a_background_task_is_called(cls: Any) -> None:
    with pytest.raises(TypeError, match=r"write BackgroundTask\(\.\.\.\)"):
        cls(send_otp, "Ali")


def test_calling_it_without_a_function_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="func"):
        BackgroundTask()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  - the function is missing


def test_repr_shows_no_argument() -> None:
    secret = BackgroundTask(send_otp, "hunter2", tries=7).interval(5).with_name("digest")
    assert repr(secret) == ("BackgroundTask(send_otp, <str>, tries=<int>, schedule=Repeat(n=5)).with_name('digest')")
    assert "hunter2" not in repr(BackgroundTask[..., Any](send_otp, "hunter2"))


def test_a_model_has_tasks_as_fields() -> None:
    class Config(BaseModel):
        task: BackgroundTask[..., Any]

    assert Config(task=task.interval(2)).task == task.interval(2)
    with pytest.raises(ValidationError):
        TypeAdapter(BackgroundTask).validate_python(send_otp)


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (task, "once, now"),
        (task.interval(5).interval_wait(W), "every 5 minutes, 5 times"),
        (task.on_time(T), "once, at the next 08:00"),
        (task.on_time(T).with_policy(overlap="skip"), "once, at the next 08:00"),
        (
            task.interval(5).interval_wait(W).with_policy(overlap="queue_one", retry=Retry(3), timeout=W),
            "every 5 minutes, 5 times; one run waits while another is active; "
            "3 attempts, 1 second apart, doubling up to 1 hour; times out after 5 minutes",
        ),
    ],
)
def test_explain(made: BackgroundTask, line: str) -> None:
    assert made.explain() == line


def test_next_runs() -> None:
    daily = task.interval(-1).on_time(T, "UTC")
    assert daily.next_runs(2, NOON) == [datetime(2026, 1, 2, 8, tzinfo=UTC), datetime(2026, 1, 3, 8, tzinfo=UTC)]
    assert task.on_time(T, "UTC").next_runs(5, NOON) == [datetime(2026, 1, 2, 8, tzinfo=UTC)]
    assert task.interval(3).interval_wait(W).next_runs(5, NOON) == [NOON, NOON + W, NOON + 2 * W]
    assert task.next_runs(1, NOON) == [NOON]
    before = datetime.now(UTC) - timedelta(seconds=1)
    assert before < task.next_runs(1)[0] < before + timedelta(minutes=1)
    assert len(task.interval(-1).on_time(T).next_runs(3)) == 3


@pytest.mark.parametrize("n", [0, -1, True, 2.0, None])
def test_next_runs_refuses_a_number(n: Any) -> None:
    assert refusal(lambda: task.next_runs(n))["type"] == "preview_count"


class Nowhere(tzinfo):
    def utcoffset(self, dt: datetime | None) -> None: ...
    def dst(self, dt: datetime | None) -> None: ...
    def tzname(self, dt: datetime | None) -> None: ...


@pytest.mark.parametrize(
    "after",
    [datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=Nowhere()), "2026-01-01", 5],  # noqa: DTZ001 - the naive one is refused
)
def test_next_runs_and_schedules_refuse_the_same_instants(after: Any) -> None:
    assert refusal(lambda: task.next_runs(1, after))["type"] == "instant"
    assert refusal(lambda: Once(after))["type"] == "instant"
