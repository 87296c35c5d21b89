"""Each fault here is one for the type checkers and one at run time.

Both checkers refuse an ignore that they don't need, so each `raises` on a line with ignores is proof of both. Where
a checker can't see a fault the line says so, and has no ignore for it.
"""

# mypy: disable-error-code="panther-schedule"

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any, assert_type

import pytest
from pydantic import ValidationError

from panther_schedule import (
    BackgroundTask,
    Daily,
    Once,
    Repeat,
    Scheduler,
    TaskRegistry,
    VirtualClock,
    events,
    explain,
    lint,
    preview,
)
from panther_schedule.models.policy import Policy, Retry
from panther_schedule.tasks.task import CountedTask, DailyTask, ScheduledTask, SpacedTask

T = time(8)
W = timedelta(minutes=5)


def send_otp(name: str, *, tries: int = 3) -> bool:
    return bool(name) and tries > 0


async def send_hello(name: str) -> str:
    return f"hello {name}"


class Mailer:
    def send(self, name: str) -> bool:
        return bool(name)

    def __call__(self, name: str) -> bool:
        return bool(name)


mailer = Mailer()
bound = partial(send_otp, tries=1)
task = BackgroundTask(send_otp, name="Ali")


def refused(type_: str) -> Any:
    return pytest.raises(ValidationError, match=f"type={type_}")


def test_each_setter_has_its_type() -> None:
    counted: CountedTask[..., bool] = task.interval(5)
    spaced: SpacedTask[..., bool] = task.interval_wait(W)
    daily: DailyTask[..., bool] = task.on_time(T)
    scheduled: ScheduledTask[..., bool] = task.with_schedule(Daily(T))
    assert_type(counted.interval(2).run(), bool)
    assert_type(spaced.interval(2).with_name("a").run(), bool)
    assert_type(daily.interval(2).on_time(T).run(), bool)
    assert_type(scheduled.with_schedule(Once()).func("Ali"), bool)
    chains: list[BackgroundTask[..., bool]] = [counted.interval_wait(W), counted.on_time(T), spaced.interval(1)]
    assert [type(one).__name__ for one in chains] == ["SpacedTask", "DailyTask", "SpacedTask"]


async def awaited() -> None:
    assert_type(await BackgroundTask(send_hello, name="Ali").run(), str)


def test_an_async_function_gives_its_coroutine() -> None:
    running: Coroutine[Any, Any, str] = BackgroundTask(send_hello, name="Ali").run()
    running.close()


def test_a_missing_argument() -> None:
    with refused("missing_argument"):
        BackgroundTask(send_otp)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  - name
    with refused("missing_argument"):
        BackgroundTask(mailer.send)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  - a method's name
    with refused("missing_argument"):
        BackgroundTask(mailer)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  - a callable object's name
    with refused("missing_argument"):
        BackgroundTask(bound)  # pyright: ignore[reportCallIssue]  - name; mypy takes any argument for a partial


def test_an_unknown_argument() -> None:
    with refused("unknown_argument"):
        BackgroundTask(send_otp, name="Ali", age=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  - age
    with refused("unknown_argument"):
        BackgroundTask(mailer.send, "Ali", age=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  - a method's
    with refused("unknown_argument"):
        BackgroundTask(mailer, "Ali", age=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  - an object's
    with refused("unknown_argument"):
        BackgroundTask(bound, "Ali", age=3)  # pyright: ignore[reportCallIssue]  - age; mypy takes any for a partial


def test_an_argument_of_the_wrong_type() -> None:
    with refused("argument_type"):
        BackgroundTask(send_otp, name=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - name is a str
    with refused("argument_type"):
        BackgroundTask(send_otp, "Ali", tries="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - tries
    with refused("argument_type"):
        BackgroundTask(mailer.send, 7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - a method's
    with refused("argument_type"):
        BackgroundTask(mailer, 7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - an object's
    with refused("argument_type"):
        BackgroundTask(bound, 7)  # pyright: ignore[reportArgumentType]  - name; mypy takes any argument for a partial


def test_an_argument_too_many() -> None:
    with refused("surplus_argument"):
        BackgroundTask(send_otp, "Ali", 3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  - tries has a name
    with refused("surplus_argument"):
        BackgroundTask(mailer.send, "Ali", 3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  - a method's
    with refused("surplus_argument"):
        BackgroundTask(mailer, "Ali", 3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  - an object's
    with refused("surplus_argument"):
        BackgroundTask(bound, "Ali", 3)  # pyright: ignore[reportCallIssue]  - one too many; mypy takes any for a partial


def test_what_is_no_function() -> None:
    with refused("not_callable"):
        BackgroundTask(send_otp("Ali"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]  - called
    with refused("not_callable"):
        BackgroundTask(send_hello("Ali"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]  - a coroutine


def test_a_setter_of_the_wrong_type() -> None:
    with refused("clock_time"):
        task.on_time("08:00")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - a str is no time
    with refused("clock_time"):
        task.on_time(datetime(2026, 1, 1, 8))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # noqa: DTZ001 - nor a datetime
    with refused("clock_time"):
        task.on_time(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - no setter takes None
    with refused("duration_type"):
        task.interval_wait(300)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - seconds or minutes?
    with refused("run_count"):
        task.interval(2.0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - a float is no count
    with refused("run_count"):
        task.interval("2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - nor a str
    with refused("schedule_type"):
        task.with_schedule("daily")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - nor a schedule
    with refused("task_name"):
        task.with_name(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - nor a name


def test_two_settings_that_exclude_each_other() -> None:
    with refused("schedule_conflict"):
        task.on_time(T).interval_wait(W)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - one order
    with refused("schedule_conflict"):
        task.interval_wait(W).on_time(T)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - the other
    with refused("schedule_conflict"):
        task.on_time(T).interval(3).interval_wait(W)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - with a count
    with refused("schedule_conflict"):
        task.interval(3).interval_wait(W).on_time(T)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - with a count


def test_a_schedule_excludes_the_other_setters() -> None:
    scheduled = task.with_schedule(Daily(T))
    with refused("schedule_conflict"):
        task.interval(3).with_schedule(Daily(T))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - after interval
    with refused("schedule_conflict"):
        task.interval_wait(W).with_schedule(Daily(T))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - after a wait
    with refused("schedule_conflict"):
        task.on_time(T).with_schedule(Daily(T))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - after a time
    with refused("schedule_conflict"):
        scheduled.interval(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - before interval
    with refused("schedule_conflict"):
        scheduled.interval_wait(W)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - before a wait
    with refused("schedule_conflict"):
        scheduled.on_time(T)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - before a time


def test_a_conflict_that_a_wider_type_hides_is_seen_at_run_time() -> None:
    hidden: BackgroundTask[..., bool] = task.on_time(T)
    with refused("schedule_conflict"):
        BackgroundTask.with_name(hidden, "a").interval_wait(W)  # a checker knows it as a BackgroundTask only


def test_models() -> None:
    with refused("extra_forbidden"):
        Repeat(5, weight=W)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  - an unknown field
    with refused("clock_time"):
        Daily("08:00")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - a str is no time
    with refused("extra_forbidden"):
        Once(afte=W)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  - an unknown field
    with refused("duration_type"):
        Once(after=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - seconds or minutes?
    with refused("measured_from"):
        Repeat(5, W, measured_from="stop")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - no such choice
    with refused("at_and_after"):
        Once(datetime(2026, 1, 1, tzinfo=UTC), after=W)  # two fields that exclude each other are seen at run time
    with refused("run_count"):
        Repeat("5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - a str is no count


def test_a_policy_of_the_wrong_type() -> None:
    with refused("overlap"):
        task.with_policy(overlap="quue_one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - misspelled
    with refused("duration_type"):
        task.with_policy(timeout=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - seconds or minutes?
    with refused("policy_none"):
        task.with_policy(timeout=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - no setter takes None
    with refused("extra_forbidden"):
        task.with_policy(jiter=W)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  - an unknown field
    with refused("policy_type"):
        task.with_policy(Retry(3))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - a retry is no policy
    with refused("retry_type"):
        Policy(retry=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - nor a number a retry
    with refused("overlap"):
        Policy(overlap="queue")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - no such way
    with refused("retry_on"):
        Retry(3, on=ValueError)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - a tuple is asked for
    with pytest.raises(AttributeError):
        Policy().overlap = "allow"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  - a model is frozen


def test_with_policy_keeps_the_type() -> None:
    nightly = Policy(timeout=W)
    spaced: SpacedTask[..., bool] = task.interval_wait(W).with_policy(nightly)
    assert_type(task.on_time(T).with_policy(nightly, overlap="queue_one").run(), bool)
    assert_type(spaced.with_policy(retry=Retry(3, on=(OSError, "httpx.HTTPError"))).policy, Policy)


def test_values_do_not_change() -> None:
    daily = Daily(T)
    with pytest.raises(AttributeError):
        daily.at = T  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  - a model is frozen
    with pytest.raises(AttributeError):
        task.func = send_otp  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  - a task is immutable
    with pytest.raises(AttributeError):
        task.name = "digest"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  - with_name() gives a new one
    with pytest.raises(AttributeError):
        del task.schedule  # pyright: ignore[reportAttributeAccessIssue]  - nor lose anything; mypy does not look at del
    with pytest.raises(TypeError):
        task.kwargs["name"] = "Bob"  # type: ignore[index]  # pyright: ignore[reportIndexIssue]  - nor its arguments


def test_decorators_keep_the_type() -> None:
    tasks = TaskRegistry()

    @tasks.register
    def plain(name: str) -> bool:
        return bool(name)

    @tasks.register(name="other")
    async def named(name: str) -> str:
        return name

    @tasks.scheduled(Daily(T))
    def nightly(limit: int = 3) -> int:
        return limit

    assert_type(plain("Ali"), bool)
    assert_type(nightly(limit=2), int)


def test_a_declared_task_takes_no_argument() -> None:
    with refused("missing_argument"):
        TaskRegistry().scheduled(Daily(T))(send_otp)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]  - name


def test_a_listener_is_a_plain_function() -> None:
    async def later(event: events.Event) -> None: ...

    def only_finished(event: events.RunFinished) -> None: ...

    with Scheduler(clock=VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))) as scheduler:
        scheduler.add_listener(print)()
        scheduler.add_listener(lambda event: print(type(event)))()
        with refused("listener_type"):
            scheduler.add_listener(later)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - nobody awaits it
        with refused("listener_type"):
            scheduler.add_listener(42)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - it can't be called
        scheduler.add_listener(only_finished)()  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  - it is told all


def test_functions_that_take_tasks() -> None:
    assert_type(explain(task), str)
    assert lint(task.on_time(T, tz="UTC")) == []
    assert len(preview(task, 1)) == 1
