"""Functions by name, and tasks declared by decorators that start nothing."""

# mypy: disable-error-code="panther-schedule"

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError

from panther_schedule import BackgroundTask, Daily, Once, TaskRegistry, spec
from panther_schedule.models.policy import Policy
from panther_schedule.tasks.task import ScheduledTask

NIGHTLY = Daily(time(3))


def send_otp(name: str) -> None: ...


def clean(limit: int = 3) -> int:
    return limit


def refusal(act: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        act()
    (fault,) = caught.value.errors()
    return fault["type"], fault["msg"]


def test_register_gives_the_function_back_and_names_it() -> None:
    tasks = TaskRegistry()
    assert tasks.register(send_otp) is send_otp
    assert tasks.register(name="cleaning")(clean) is clean
    assert dict(tasks.functions) == {"send_otp": send_otp, "cleaning": clean}
    assert tasks.function("cleaning") is clean
    assert tasks.name_of(send_otp) == "send_otp"
    assert tasks.register(send_otp) is send_otp  # again changes nothing
    assert len(tasks) == 0
    assert repr(tasks) == "TaskRegistry(2 functions, 0 tasks)"


def test_scheduled_collects_a_named_task_and_starts_nothing() -> None:
    tasks = TaskRegistry()
    assert tasks.scheduled(NIGHTLY)(clean) is clean
    assert tasks.scheduled(Once(), name="now")(clean) is clean
    assert list(tasks) == [
        BackgroundTask(clean).with_schedule(NIGHTLY).with_name("clean"),
        BackgroundTask(clean).with_schedule(Once()).with_name("now"),
    ]
    assert len(tasks) == 2
    assert all(type(task) is ScheduledTask for task in tasks)
    assert tasks.name_of(clean) == "clean"


def test_a_declared_task_has_the_policy_given() -> None:
    tasks = TaskRegistry()
    tasks.scheduled(NIGHTLY, policy=Policy(overlap="queue_one"))(clean)
    assert [task.policy for task in tasks] == [Policy(overlap="queue_one")]
    policy: Any = None
    assert refusal(lambda: TaskRegistry().scheduled(NIGHTLY, policy=policy)(clean))[0] == "policy_type"


def test_a_name_has_one_function_and_one_task() -> None:
    tasks = TaskRegistry()
    tasks.register(send_otp)
    assert refusal(lambda: tasks.register(name="send_otp")(clean)) == (
        "duplicate_name",
        "two functions are named 'send_otp'; write register(name=...) on one of them",
    )
    assert refusal(lambda: tasks.register(name="otp")(send_otp)) == (
        "already_registered",
        "send_otp is registered as 'send_otp' already, and a function has one name; use that one",
    )
    tasks.scheduled(NIGHTLY)(clean)
    assert refusal(lambda: tasks.scheduled(Once())(clean)) == (
        "duplicate_name",
        "two tasks are named 'clean'; write scheduled(..., name=...) on one of them",
    )


def test_a_function_without_a_name_needs_one() -> None:
    tasks = TaskRegistry()
    assert refusal(lambda: tasks.register(lambda: 0)) == (
        "task_name",
        "a lambda has no name of its own; write register(name=...)",
    )
    assert refusal(lambda: tasks.register(partial(clean, 2)))[0] == "task_name"
    half = partial(clean, 2)
    tasks.register(name="half")(half)
    assert tasks.function("half") is half
    assert refusal(lambda: tasks.register(name=" ")(clean))[0] == "task_name"


def by_place(name: str, /) -> None: ...


def any_number(*names: str) -> None: ...


@dataclass
class Mailer:
    to: str

    def __call__(self) -> None: ...


@pytest.mark.parametrize(
    ("func", "words"),
    [
        (by_place, "by_place(name: str, /) can't be called from JSON"),
        (any_number, "any_number(*names: str) can't be called from JSON"),
        (max, "max shows no signature"),
        (Mailer("hunter2"), "Mailer is not hashable"),
    ],
)
def test_what_json_cannot_call_is_refused_when_it_is_registered(func: Any, words: str) -> None:
    type_, message = refusal(lambda: TaskRegistry().register(name="it")(func))
    assert type_ == "not_by_name"
    assert words in message
    assert "hunter2" not in message


def test_what_cannot_be_looked_up_is_not_declared_either() -> None:
    assert refusal(lambda: TaskRegistry().scheduled(NIGHTLY, name="it")(Mailer("hunter2")))[0] == "not_by_name"


def test_a_declared_task_takes_no_argument() -> None:
    declare: Any = TaskRegistry().scheduled(NIGHTLY)
    assert refusal(lambda: declare(send_otp))[0] == "missing_argument"
    assert refusal(lambda: declare(None))[0] == "not_callable"


def test_what_is_not_registered() -> None:
    tasks = TaskRegistry()
    assert refusal(lambda: tasks.function("send_opt")) == (
        "unknown_function",
        "'send_opt' is not a registered function; none is registered, so put @tasks.register on it",
    )
    tasks.register(send_otp)
    assert refusal(lambda: tasks.function("send_opt"))[1].endswith("; did you mean 'send_otp'?")
    assert refusal(lambda: tasks.function("zzz"))[1].endswith("; there are 'send_otp'")
    assert refusal(lambda: tasks.name_of(clean))[1].endswith("put @tasks.register on a function of your own")
    unhashable: Any = Mailer("a")
    assert refusal(lambda: tasks.name_of(unhashable))[0] == "unregistered_function"


def test_a_decorator_above_staticmethod_registers_the_function() -> None:
    tasks = TaskRegistry()

    class Jobs:
        @tasks.register
        @staticmethod
        def clean(keep: int = 3) -> int:
            return keep

        @tasks.scheduled(Daily(time(8), tz="UTC"))
        @staticmethod
        def report() -> int:
            return 5

    assert (Jobs.clean(4), Jobs.report()) == (4, 5)
    assert tasks.functions == {"clean": Jobs.clean, "report": Jobs.report}
    assert [task.run() for task in tasks] == [5]
    for func in (Jobs.clean, Jobs.report):
        task = BackgroundTask(func)
        assert spec.load(spec.dump([task], tasks), tasks) == [task]


def test_a_classmethod_is_registered_below_its_class() -> None:
    tasks = TaskRegistry()

    def clean(cls: Any) -> str:
        return str(cls)

    made: Any = classmethod
    above = made(clean)
    for decorate in (tasks.register, tasks.register(name="clean"), tasks.scheduled(Daily(time(8)))):
        with pytest.raises(ValidationError, match=r"write tasks.register\(Class.clean\) below the class"):
            decorate(above)

    class Later:
        @classmethod
        def clean(cls) -> str:
            return cls.__name__

    tasks.register(Later.clean)
    task = BackgroundTask(Later.clean)
    assert spec.load(spec.dump([task], tasks), tasks) == [task]
    assert tasks.function("clean")() == "Later"


@pytest.mark.parametrize("bare", [print, lambda: None, Daily])
def test_scheduled_without_a_schedule_says_where_it_goes(bare: Any) -> None:
    tasks = TaskRegistry()

    with pytest.raises(ValidationError, match=r"write @tasks.scheduled\(Daily\(time\(8, 0\)\)\) above the function"):
        tasks.scheduled(bare)
    assert not tasks.functions
