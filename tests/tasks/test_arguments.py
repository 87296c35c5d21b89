"""How a call is checked against a function's signature and hints, without calling it."""

from __future__ import annotations

import gc
import weakref
from collections import ChainMap, deque
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial, wraps
from typing import Annotated, Any, Literal, NewType, Protocol, TypeVar
from unittest.mock import AsyncMock, Mock

import pytest
from annotated_types import Gt
from pydantic import BaseModel, ValidationError
from typing_extensions import TypeAliasType, TypedDict

from panther_schedule.tasks.signature import function_name, inspect_function

SECRET = "hunter2"  # noqa: S105 - it stands for one, and must never be shown


class Session:
    def send(self, name: str) -> None: ...

    async def receive(self, name: str) -> None: ...

    @classmethod
    def make(cls, name: str) -> None: ...

    @staticmethod
    def help(name: str) -> None: ...

    def __call__(self, name: str) -> None: ...


class Awaited:
    async def __call__(self, name: str) -> None: ...


class Point(BaseModel):
    x: int


@dataclass
class Mail:
    to: str


class Options(TypedDict, total=False):
    tries: int


class Sender(Protocol):
    def send(self) -> None: ...


UserId = NewType("UserId", int)
Names = TypeAliasType("Names", list[str])
Item = TypeVar("Item", bound=int)


def send_otp(name: str, *, tries: int = 3) -> bool:
    return bool(name) and tries > 0


async def send_hello(name: str) -> None: ...


def mixed(a: int, /, b: str, *rest: int, c: float = 1.0, **extra: bool) -> None: ...


def reserved(self: int, func: str, args: str, kwargs: str) -> None: ...


def with_hints(name: Any, tries: Any = 3) -> None: ...


plain: Any = with_hints
plain.__annotations__ = {}  # a function without hints, as many are


def unresolved(name: Any, age: int) -> None: ...


unresolved.__annotations__["name"] = "Nowhere"  # a hint that is imported for type checkers only


def faults(func: Any, /, *args: Any, **kwargs: Any) -> list[tuple[str, tuple[int | str, ...]]]:
    try:
        inspect_function(func).taking(args, kwargs).check(args, kwargs)
        return []
    except ValidationError as refused:
        error = refused
    assert SECRET not in str(error) + repr(error.errors()) + error.json()
    assert error.__context__ is None  # pydantic's own error shows the values
    assert all(fault["msg"] == fault["msg"][:1].lower() + fault["msg"][1:] for fault in error.errors())
    return [(fault["type"], fault["loc"]) for fault in error.errors()]


def call(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


@pytest.mark.parametrize(
    ("func", "given"),
    [
        (send_otp, call("Ali")),
        (send_otp, call(name="Ali", tries=1)),
        (send_hello, call("Ali")),
        (Session().send, call("Ali")),
        (Session.send, call(Session(), "Ali")),
        (Session.make, call("Ali")),
        (Session.help, call(name="Ali")),
        (Session(), call("Ali")),
        (partial(send_otp, "Ali"), call(tries=1)),
        (partial(send_otp, name="Ali"), call()),
        (partial(partial(send_otp, "Ali"), tries=1), call()),
        (mixed, call(1, "b", 2, 3, c=2, d=True)),
        (reserved, call(self=1, func="f", args="a", kwargs="k")),
        (plain, call("Ali")),
        (lambda: 0, call()),
        (unresolved, call(object(), "any")),
        (Mail, call("ali@example.org")),
        (Point, call(x=1)),
        (print, call("Ali", sep="")),
        (max, call(1, nonsense=2)),
        (Mock(), call(1, any=2)),
    ],
)
def test_a_call_that_fits(func: Any, given: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
    args, kwargs = given
    assert faults(func, *args, **kwargs) == []


@pytest.mark.parametrize(
    ("func", "given", "expected"),
    [
        (send_otp, call(), [("missing_argument", ("name",))]),
        (send_otp, call(SECRET, age=SECRET), [("unknown_argument", ("age",))]),
        (send_otp, call("Ali", SECRET), [("surplus_argument", (1,))]),
        (send_otp, call("Ali", name=SECRET), [("surplus_argument", ("name",))]),
        (send_otp, call("Ali", tries=SECRET), [("argument_type", ("tries",))]),
        (Session().send, call(), [("missing_argument", ("name",))]),
        (Session.send, call(1), [("missing_argument", ("name",))]),
        (Session(), call(1), [("argument_type", ("name",))]),
        (partial(send_otp, "Ali"), call(tries=SECRET), [("argument_type", ("tries",))]),
        (mixed, call(1, "b", SECRET), [("argument_type", (2,))]),
        (mixed, call(1, "b", d=SECRET), [("argument_type", ("d",))]),
        (mixed, call(b="b"), [("missing_argument", ("a",))]),
        (plain, call(), [("missing_argument", ("name",))]),
        (plain, call(1, 2, 3), [("surplus_argument", (2,))]),
        (unresolved, call(1), [("missing_argument", ("age",))]),
        (Mail, call(1), [("argument_type", ("to",))]),
        (lambda: 0, call(1), [("surplus_argument", (0,))]),
    ],
)
def test_a_call_that_does_not(
    func: Any, given: tuple[tuple[Any, ...], dict[str, Any]], expected: list[tuple[str, tuple[int | str, ...]]]
) -> None:
    args, kwargs = given
    assert faults(func, *args, **kwargs) == expected


def pages(name: str) -> Iterator[str]:
    yield name


async def events(name: str) -> AsyncIterator[str]:
    yield name


class Book:
    def pages(self) -> Iterator[str]:
        yield "a page"

    def __call__(self) -> Iterator[str]:
        yield "a page"


@pytest.mark.parametrize(
    ("func", "loop"),
    [
        (pages, "for _ in pages(...): pass"),
        (events, "async for _ in events(...): pass"),
        (partial(pages, "a"), "for _ in pages(...): pass"),
        (partial(partial(events), "a"), "async for _ in events(...): pass"),
        (Book().pages, "for _ in Book.pages(...): pass"),
        (Book(), "for _ in Book(...): pass"),
    ],
)
def test_a_generator_function_is_refused_since_a_call_runs_no_line_of_it(func: Any, loop: str) -> None:
    for _ in range(2):  # what is known of a function is kept; a refusal comes each time
        with pytest.raises(ValidationError) as caught:
            inspect_function(func)
        (fault,) = caught.value.errors()
        assert (fault["type"], fault["loc"]) == ("generator_function", ("func",))
        assert fault["msg"].endswith(f"which then runs no line; write a function that loops over it: {loop}")


def test_a_function_that_returns_a_generator_is_a_function() -> None:
    def find(name: str) -> Iterator[str]:
        return pages(name)

    @contextmanager
    def opened(name: str) -> Generator[str]:
        yield name

    assert faults(find, "a") == []
    assert faults(opened, "a") == []
    assert faults(AsyncMock(), "a") == []


def test_every_fault_is_named_at_once() -> None:
    found = faults(send_otp, tries=SECRET, age=1)
    assert sorted(found) == [
        ("argument_type", ("tries",)),
        ("missing_argument", ("name",)),
        ("unknown_argument", ("age",)),
    ]


def test_the_message_shows_types_and_the_signature_but_no_value() -> None:
    def login(name: str, *, password: str = SECRET, day: date | None = None) -> None: ...

    with pytest.raises(ValidationError) as caught:
        inspect_function(login).check((7,), {})
    assert str(caught.value).splitlines()[:3] == [
        "1 validation error for BackgroundTask(login)",
        "name",
        "  name must be str, got int; login(name: str, *, password: str = ..., day: date | None = ...) "
        "[type=argument_type]",
    ]


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, True),
        (float, 1),
        (complex, 1.5),
        (date, datetime(2026, 1, 1)),  # noqa: DTZ001 - any datetime is a date
        (Sequence[int], range(3)),
        (Sequence[str], "abc"),
        (Sequence[int], deque([1])),
        (Mapping[str, int], ChainMap({"a": 1})),
        (Iterable[int], iter([1])),
        (list[int], [True]),
        (dict[str, date], {"a": datetime(2026, 1, 1)}),  # noqa: DTZ001 - as above
        (tuple[int, str], (True, "a")),
        (tuple[int, ...], (True, False)),
        (int | None, True),
        (Annotated[int, "a note"], True),
        (UserId, True),
        (Names, ["a"]),
        (Options, {"tries": True}),
        (Literal["a", 1], 1),
        (Point, Mock()),
        (Mail, Mock()),
        (Decimal, Mock()),
        (Session, Mock()),
        (Sender, object()),
        (type[int], Mock),
        (Callable[[int], str], print),
        (Item, True),
        (Any, object()),
    ],
)
def test_what_a_type_checker_takes_or_sees_better_is_taken(hint: Any, value: object) -> None:
    assert faults(taking(hint), value) == []


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, 1.0),
        (int, "1"),
        (str, 1),
        (str, None),
        (str, Mock()),
        (bool, 1),
        (bytes, "a"),
        (date, "2026-01-01"),
        (timedelta, 5),
        (Sequence[int], "abc"),
        (Sequence[int], ["a"]),
        (list[int], (1,)),
        (list[int], [1, "a"]),
        (dict[str, int], {SECRET: "a"}),
        (Mapping[str, int], ChainMap({SECRET: "a"})),
        (tuple[int, str], (1,)),
        (set[int], {"a"}),
        (int | None, "a"),
        (Literal["a"], SECRET),
        (UserId, "a"),
        (Names, [1]),
        (Options, {"tries": "a"}),
        (Options, 1),
        (Callable[[int], str], 1),
        (Annotated[int, Gt(0)], -1),
    ],
)
def test_what_it_refuses_is_refused(hint: Any, value: object) -> None:
    assert faults(taking(hint), value) == [("argument_type", ("value",))]


def taking(hint: Any) -> Callable[..., None]:
    def take(value: Any) -> None: ...

    take.__annotations__ = {"value": hint}
    return take


def test_an_argument_is_neither_copied_nor_consumed() -> None:
    def take(values: Iterable[int], names: list[str]) -> None: ...

    values, names = iter([1, 2]), ["a"]
    assert faults(take, values, names) == []
    assert list(values) == [1, 2]


@pytest.mark.parametrize("value", [None, True, SECRET, 7, object()])
def test_what_is_not_callable(value: Any) -> None:
    with pytest.raises(ValidationError, match="without calling it") as caught:
        inspect_function(value)
    assert caught.value.errors()[0]["type"] == "not_callable"
    assert SECRET not in str(caught.value)


def test_a_coroutine_is_closed_and_named() -> None:
    coroutine: Any = send_hello("Ali")
    with pytest.raises(ValidationError, match=r"write BackgroundTask\(send_hello, \.\.\.\) without calling it"):
        inspect_function(coroutine)
    assert coroutine.cr_frame is None  # closed, so that Python does not warn


def test_what_is_async() -> None:
    @wraps(send_hello)
    def wrapped(name: str) -> Any:
        return send_hello(name)

    for func in (send_hello, Session().receive, partial(send_hello, "Ali"), Awaited(), AsyncMock()):
        assert inspect_function(func).is_async, func
    for other in (
        wrapped,
        send_otp,
        Session().send,
        Session(),
        Session,
        partial(send_otp, "Ali"),
        lambda: 0,
        max,
        Mock(),
    ):
        assert not inspect_function(other).is_async, other


def test_a_function_is_inspected_once_and_forgotten_with_it() -> None:
    def short(name: str) -> None: ...

    session = Session()
    assert inspect_function(short) is inspect_function(short)
    assert inspect_function(session.send) is inspect_function(session.send)
    assert inspect_function(session.send) is not inspect_function(Session.send)
    gone = weakref.ref(inspect_function(short))
    del short
    gc.collect()
    assert gone() is None


def test_a_callable_object_that_is_not_hashable_is_inspected_each_time() -> None:
    @dataclass
    class Send:
        to: str

        def __call__(self, name: str) -> None: ...

    assert faults(Send("a"), "Ali") == []
    assert faults(Send("a")) == [("missing_argument", ("name",))]


def test_names_show_no_value() -> None:
    assert function_name(partial(send_otp, SECRET)) == "send_otp"
    assert function_name(Session()) == "Session"
    assert function_name(Session().send) == "Session.send"
    assert function_name(lambda: 0) == "<lambda>"
