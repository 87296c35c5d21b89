"""What is known of a function is kept as long as the function, and keeps nothing alive."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import pytest

from panther_schedule import BackgroundTask
from panther_schedule.tasks.signature import inspect_function


class Local:
    """An owner of functions; each test frees its own."""

    tick: Any


def by_default(owner: Local) -> Any:
    return lambda me=owner: me


def by_closure(owner: Local) -> Any:
    return lambda: owner


def by_partial(owner: Local) -> Any:
    def run(*, job: Any) -> Any:
        return job

    return partial(run, job=owner)


def by_hint(owner: Local) -> Any:
    class Kind:
        owned: Any = owner

    def func(one: Any = None, two: Any = None) -> object:
        return one, two

    func.__annotations__ = {"one": Kind, "two": Callable[[list[Kind]], int]}
    return func


def by_wrapper(owner: Local) -> Any:
    return wraps(by_default(owner))(by_default(owner))


def by_bound_method(owner: Local) -> Any:
    class Kind:
        def tick(self, me: Any = owner) -> object:
            return me

    return Kind().tick


def by_object(owner: Local) -> Any:
    class Kind:
        def __call__(self, me: Any = owner) -> object:
            return me

    return Kind()


def by_class(owner: Local) -> Any:
    class Kind:
        def __init__(self, me: Any = owner) -> None: ...

    return Kind


@pytest.mark.parametrize(
    "make",
    [by_default, by_closure, by_partial, by_hint, by_wrapper, by_bound_method, by_object, by_class],
)
def test_a_function_is_freed_with_what_it_holds(make: Callable[[Local], Any]) -> None:
    def used() -> weakref.ref[Local]:
        owner = Local()
        owner.tick = make(owner)
        BackgroundTask(owner.tick).with_name("a").explain()
        assert inspect_function(owner.tick).is_async is False
        inspect_function(owner.tick).check((), {})
        return weakref.ref(owner)

    kept = used()
    gc.collect()
    assert kept() is None
