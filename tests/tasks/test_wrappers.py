"""A decorator that changes the arguments: a call fits if the wrapper or the wrapped function takes it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import pytest
from pydantic import ValidationError
from test_arguments import SECRET, call, faults

from panther_schedule import BackgroundTask, TaskRegistry, spec


def with_db(func: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return func("db", *args, **kwargs)

    return wrapper


def of_a_day(func: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(func)
    def wrapper(day: int) -> Any:
        return func(day, day + 1)

    return wrapper


def three(*given: Any) -> tuple[Any, ...]:
    return given


@with_db
def purge(db: str, days: int) -> tuple[str, int]:
    return db, days


@of_a_day
def report(first: int, last: int) -> tuple[int, int]:
    return first, last


@pytest.mark.parametrize(
    ("func", "given", "result"),
    [
        (purge, call(3), ("db", 3)),
        (purge, call(days=3), ("db", 3)),
        (partial(purge, 3), call(), ("db", 3)),
        (report, call(1), (1, 2)),
        (report, call(day=1), (1, 2)),
        (with_db(with_db(three)), call(3), ("db", "db", 3)),
    ],
)
def test_a_call_that_the_wrapper_takes_fits(func: Any, given: Any, result: object) -> None:
    args, kwargs = given
    task = BackgroundTask(func, *args, **kwargs)

    assert task.run() == result
    assert task == BackgroundTask(func, *args, **kwargs)
    assert hash(task) == hash(copy.copy(task))


def test_a_call_that_the_wrapped_function_takes_fits_too() -> None:
    assert faults(report, 1, 2) == []
    assert faults(purge, "db", 3) == []


def test_a_call_that_neither_takes_is_refused_by_the_wrapped_function() -> None:
    assert faults(report) == [("missing_argument", ("first",)), ("missing_argument", ("last",))]
    assert faults(report, 1, 2, 3) == [("surplus_argument", (2,))]


def test_types_are_those_of_the_one_that_takes_the_call() -> None:
    assert faults(purge, "db", SECRET) == [("argument_type", ("days",))]
    assert faults(purge, 5, 3) == [("argument_type", ("db",))]
    assert faults(report, SECRET, 1) == [("argument_type", ("first",))]
    assert faults(report, SECRET) == [], "the wrapper's day has no hint"


def test_a_call_that_the_wrapper_takes_goes_to_json_and_back() -> None:
    tasks = TaskRegistry()
    tasks.register(purge)
    task = BackgroundTask(purge, days=3)

    assert spec.load(spec.dump([task], tasks), tasks) == [task]
    assert spec.load(spec.dump([task], tasks), tasks)[0].run() == ("db", 3)
    with pytest.raises(ValidationError, match="argument_json"):  # JSON has no arguments by place
        spec.dump([BackgroundTask(purge, 3)], tasks)


def test_a_wrong_name_is_told_from_the_names_that_are_left() -> None:
    def fault(*args: Any, **kwargs: Any) -> str:
        with pytest.raises(ValidationError) as caught:
            BackgroundTask(inspected, *args, **kwargs)
        return caught.value.errors()[-1]["msg"].partition(":")[0]

    def inspected(name: str, *, tries: int = 3) -> None: ...

    assert fault(nmae="Ali") == "nmae is not an argument; did you mean 'name'?"
    assert fault("Ali", trys=1) == "trys is not an argument; did you mean 'tries'?"
    assert fault("Ali", nmae="Ali") == "nmae is not an argument; leave it out"
    assert fault("Ali", other=1) == "other is not an argument; leave it out"
