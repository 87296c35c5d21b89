"""The policy models: what each takes and refuses, its JSON, equality, and which errors a retry covers."""

# mypy: disable-error-code="panther-schedule"

from __future__ import annotations

import json
import sys
from asyncio import CancelledError
from collections.abc import Callable
from datetime import timedelta
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import pytest
from pydantic import ValidationError

from panther_schedule.models.policy import DEFAULT_POLICY, Policy, Retry

S = timedelta(seconds=1)
M = timedelta(minutes=1)


class OwnError(Exception):
    """An error of this module."""

    class InnerError(Exception):
        """One within it."""


Alias = OwnError


def wrong(value: object) -> Any:
    return value


def refusals(act: Callable[[], object]) -> list[tuple[str, str, str]]:
    with pytest.raises(ValidationError) as caught:
        act()
    return [(fault["type"], ".".join(map(str, fault["loc"])), fault["msg"]) for fault in caught.value.errors()]


# ---------------------------------------------------------------- what is refused, with the remedy

OVERLAPS = "'skip', 'queue_one', 'queue_all', 'allow' or 'cancel_running'"
FINITE = "factor must be a finite number of at least 1, got"
EQUAL = "write 1 for equal delays, 2 to double them"
ONE = "on must be a tuple of one exception or more, got"
OF = "on must hold Exception subclasses or their names, got"

WHOLE_MODEL = ("policy_conflict", "missing_grace", "max_delay")  # faults of no single field

REFUSED: list[tuple[Callable[[], object], str, str]] = [
    (
        lambda: Policy(overlap=wrong("queue")),
        "overlap",
        f"overlap must be {OVERLAPS}, got 'queue'; leave it out for 'skip'",
    ),
    (lambda: Policy(overlap=wrong(None)), "overlap", f"overlap must be {OVERLAPS}, got None; leave it out for 'skip'"),
    (
        lambda: Policy(missed=wrong([])),
        "missed",
        "missed must be 'coalesce', 'skip' or 'catch_up', got list []; leave it out for 'coalesce'",
    ),
    (
        lambda: Policy(on_lost=wrong("retry")),
        "on_lost",
        "on_lost must be 'again' or 'record', got 'retry'; leave it out for 'again'",
    ),
    (
        lambda: Policy(on_lost=wrong(None)),
        "on_lost",
        "on_lost must be 'again' or 'record', got None; leave it out for 'again'",
    ),
    (
        lambda: Policy(overlap="allow", max_running=0),
        "max_running",
        "max_running must be an int of at least 1, got 0; leave it out for 1000",
    ),
    (
        lambda: Policy(overlap="allow", max_running=True),
        "max_running",
        "max_running must be an int of at least 1, got True; leave it out for 1000",
    ),
    (
        lambda: Policy(max_running=3),
        "policy_conflict",
        "max_running must go with overlap='allow', got max_running=3 and overlap='skip'; "
        "leave out max_running, or write overlap='allow'",
    ),
    (
        lambda: Policy(missed="skip"),
        "missing_grace",
        "grace must be given with missed='skip', which leaves out what is later than that, got None; "
        "add grace=timedelta(minutes=5)",
    ),
    (
        lambda: Policy(grace=M),
        "policy_conflict",
        "grace must go with missed='skip', got grace=0:01:00 and missed='coalesce'; "
        "leave out grace, or write missed='skip'",
    ),
    (
        lambda: Policy(missed="skip", grace=S / 2),
        "duration_range",
        "grace must be at least 1 second, got 0:00:00.500000; write timedelta(seconds=1) or longer",
    ),
    (
        lambda: Policy(missed="skip", grace=wrong(5)),
        "duration_type",
        "grace must be a timedelta, got 5; write timedelta(minutes=5)",
    ),
    (
        lambda: Policy(missed="catch_up", catch_up_limit=1001),
        "catch_up_limit",
        "catch_up_limit must be an int from 1 to 1000, got 1001; leave it out for 100",
    ),
    (
        lambda: Policy(missed="catch_up", catch_up_limit=0),
        "catch_up_limit",
        "catch_up_limit must be an int from 1 to 1000, got 0; leave it out for 100",
    ),
    (
        lambda: Policy(missed="catch_up", catch_up_window=0 * S),
        "duration_range",
        "catch_up_window must be longer than zero, got 0:00:00; give it a length, or leave it out",
    ),
    (
        lambda: Policy(catch_up_limit=5),
        "policy_conflict",
        "catch_up_limit must go with missed='catch_up', got catch_up_limit=5 and missed='coalesce'; "
        "leave out catch_up_limit, or write missed='catch_up'",
    ),
    (
        lambda: Policy(missed="skip", grace=M, catch_up_window=M),
        "policy_conflict",
        "catch_up_window must go with missed='catch_up', got catch_up_window=0:01:00 and missed='skip'; "
        "leave out catch_up_window, or write missed='catch_up'",
    ),
    (lambda: Policy(retry=wrong(3)), "retry_type", "retry must be a Retry, got 3; write Retry(3)"),
    (
        lambda: Policy(retry=wrong({"attempts": 3})),
        "retry_type",
        "retry must be a Retry, got dict {'attempts': 3}; write Retry(3)",
    ),
    (
        lambda: Policy(timeout=0 * S),
        "duration_range",
        "timeout must be longer than zero, got 0:00:00; give it a length, or leave it out",
    ),
    (
        lambda: Policy(timeout=wrong(5)),
        "duration_type",
        "timeout must be a timedelta, got 5; write timedelta(minutes=5)",
    ),
    (
        lambda: Policy(jitter=-S),
        "negative_duration",
        "jitter must be zero or longer, got -1 day, 23:59:59; leave out the minus sign",
    ),
    (
        lambda: Policy(jitter=wrong(None)),
        "duration_type",
        "jitter must be a timedelta, got None; write timedelta(minutes=5)",
    ),
    (
        lambda: Retry(1),
        "attempts",
        "attempts must be an int of at least 2, got 1; the first one counts; write Retry(3)",
    ),
    (
        lambda: Retry(wrong("3")),
        "attempts",
        "attempts must be an int of at least 2, got '3'; the first one counts; write Retry(3)",
    ),
    (
        lambda: Retry(True),
        "attempts",
        "attempts must be an int of at least 2, got True; the first one counts; write Retry(3)",
    ),
    (lambda: Retry(3, factor=True), "retry_factor", f"{FINITE} True; {EQUAL}"),
    (lambda: Retry(3, factor=0.5), "retry_factor", f"{FINITE} 0.5; {EQUAL}"),
    (lambda: Retry(3, factor=float("nan")), "retry_factor", f"{FINITE} nan; {EQUAL}"),
    (lambda: Retry(3, factor=10**400), "retry_factor", f"{FINITE} {10**199}...; {EQUAL}"),
    (lambda: Retry(3, factor=float("inf")), "retry_factor", f"{FINITE} inf; {EQUAL}"),
    (lambda: Retry(3, factor=wrong("2")), "retry_factor", f"{FINITE} '2'; {EQUAL}"),
    (
        lambda: Retry(3, delay=-S),
        "negative_duration",
        "delay must be zero or longer, got -1 day, 23:59:59; leave out the minus sign",
    ),
    (
        lambda: Retry(3, delay=120 * M),
        "max_delay",
        "max_delay must be at least as long as delay, got max_delay=1:00:00 and delay=2:00:00; make max_delay longer",
    ),
    (lambda: Retry(3, on=()), "retry_on", f"{ONE} tuple (); write on=(ConnectionError,)"),
    (
        lambda: Retry(3, on=wrong(ValueError)),
        "retry_on",
        f"{ONE} type <class 'ValueError'>; write on=(ConnectionError,)",
    ),
    (lambda: Retry(3, on=wrong("ValueError")), "retry_on", f"{ONE} 'ValueError'; write on=(ConnectionError,)"),
    (lambda: Retry(3, on=("ValuError",)), "retry_on", f"{OF} 'ValuError'; did you mean 'ValueError'?"),
    (
        lambda: Retry(3, on=("OwnError2",)),
        "retry_on",
        f"{OF} 'OwnError2'; name its module too, as in \"httpx.HTTPError\"",
    ),
    (
        lambda: Retry(3, on=wrong((KeyboardInterrupt,))),
        "retry_on",
        f"{OF} type <class 'KeyboardInterrupt'>; write on=(ConnectionError,)",
    ),
    (lambda: Retry(3, on=wrong((int,))), "retry_on", f"{OF} type <class 'int'>; write on=(ConnectionError,)"),
    (lambda: Retry(3, on=wrong((3,))), "retry_on", f"{OF} 3; write on=(ConnectionError,)"),
    (
        lambda: Policy().model_copy(update={"max_running": 3}),
        "policy_conflict",
        "max_running must go with overlap='allow', got max_running=3 and overlap='skip'; "
        "leave out max_running, or write overlap='allow'",
    ),
]


@pytest.mark.parametrize(("act", "kind", "message"), REFUSED)
def test_what_is_refused_is_named_with_the_rule_and_the_remedy(
    act: Callable[[], object], kind: str, message: str
) -> None:
    where = "" if kind in WHOLE_MODEL else message.split(maxsplit=1)[0]
    assert refusals(act) == [(kind, where, message)]


def test_an_unknown_field_is_refused() -> None:
    assert [fault[:2] for fault in refusals(lambda: Policy(**wrong({"jiter": M})))] == [("extra_forbidden", "jiter")]


@pytest.mark.parametrize(
    ("text", "kind", "where"),
    [
        ('{"timeout": 5}', "duration_format", "timeout"),
        ('{"timeout": "P1M"}', "duration_format", "timeout"),
        ('{"overlap": "queue"}', "overlap", "overlap"),
        ('{"on_lost": null}', "on_lost", "on_lost"),
        ('{"retry": 3}', "retry_type", "retry"),
        ('{"retry": {"attempts": 1}}', "attempts", "retry.attempts"),
        ('{"retry": {"attempts": 3, "on": "ValueError"}}', "retry_on", "retry.on"),
        ('{"retry": {"attempts": 3, "delay": "PT2H"}}', "max_delay", "retry"),
        ('{"retry": {}}', "missing", "retry.attempts"),
        ('{"max_running": 3}', "policy_conflict", ""),
    ],
)
def test_json_is_refused_with_its_path(text: str, kind: str, where: str) -> None:
    assert [fault[:2] for fault in refusals(lambda: Policy.model_validate_json(text))] == [(kind, where)]


def test_a_policy_does_not_change() -> None:
    for value, name in ((Policy(), "overlap"), (Retry(2), "attempts")):
        with pytest.raises(AttributeError, match=f"{name} can't be set; write model_copy"):
            setattr(value, name, 3)


# ---------------------------------------------------------------- values


def test_a_json_document_to_the_byte() -> None:
    retry = Retry(3, factor=3, on=(OSError,))
    policy = Policy(overlap="allow", max_running=3, retry=retry, timeout=400 * 24 * 60 * M, on_lost="record")
    assert policy.model_dump_json(exclude_defaults=True) == (
        '{"overlap":"allow","max_running":3,"retry":{"attempts":3,"factor":3.0,"on":["OSError"]},"timeout":"P400D",'
        '"on_lost":"record"}'
    )


def test_equality_looks_at_values_and_not_at_what_was_written() -> None:
    same = [Policy(), Policy(overlap="skip"), Policy(timeout=None, jitter=0 * S, on_lost="again"), DEFAULT_POLICY]
    same += [Policy.model_validate_json("{}"), Policy(timeout=M).model_copy(update={"timeout": None})]
    assert len(set(same)) == 1
    assert Retry(3, factor=2) == Retry(3)
    assert Retry(3, on=(IOError, "OSError", "builtins.OSError")) == Retry(3, on=("OSError",))
    assert Retry(3) != Retry(4)
    assert repr(DEFAULT_POLICY) == "Policy()"
    assert type(Retry(3, factor=2).factor) is float


def test_a_copy_is_checked_and_keeps_what_was_given() -> None:
    copy = Policy(timeout=M).model_copy(update={"overlap": "queue_one"})
    assert copy == Policy(timeout=M, overlap="queue_one")
    assert copy.model_fields_set == {"timeout", "overlap"}


@pytest.mark.parametrize(
    ("on", "covered", "left"),
    [
        (("Exception",), [ValueError(), TimeoutError(), OwnError()], [KeyboardInterrupt(), CancelledError()]),
        ((ConnectionError,), [ConnectionError(), ConnectionResetError()], [OSError(), ValueError()]),
        ((TimeoutError, LookupError), [TimeoutError(), KeyError()], [ConnectionError()]),
        ((OwnError,), [OwnError()], [OwnError.InnerError(), Exception()]),
        ((f"{__name__}.OwnError.InnerError",), [OwnError.InnerError()], [OwnError()]),
    ],
)
def test_a_retry_covers_the_named_exceptions_and_their_subclasses(
    on: Any, covered: list[BaseException], left: list[BaseException]
) -> None:
    for retry in (Retry(2, on=on), Retry.model_validate_json(Retry(2, on=on).model_dump_json())):
        assert all(retry.covers(error) for error in covered)
        assert not any(retry.covers(error) for error in left)


def test_an_exception_of_a_function_has_its_name() -> None:
    class LocalError(Exception):
        pass

    retry = Retry(2, on=(LocalError,))
    assert retry.covers(LocalError())
    assert Retry(2, on=retry.on) == retry


def test_the_json_schema_describes_each_field() -> None:
    schema = Policy.model_json_schema()
    assert "required" not in schema
    assert schema["$defs"]["Retry"]["required"] == ["attempts"]
    for model in (schema, schema["$defs"]["Retry"]):
        assert all("description" in field and "title" not in field for field in model["properties"].values())


# ---------------------------------------------------------------- names of exceptions


@pytest.mark.parametrize(
    ("name", "kept", "error"),
    [
        ("asyncio.TimeoutError", "TimeoutError", TimeoutError()),
        ("concurrent.futures.TimeoutError", "TimeoutError", TimeoutError()),
        ("socket.timeout", "TimeoutError", TimeoutError()),
        ("json.JSONDecodeError", "json.decoder.JSONDecodeError", json.JSONDecodeError("", "", 0)),
        ("json.decoder.JSONDecodeError", "json.decoder.JSONDecodeError", json.JSONDecodeError("", "", 0)),
        ("IOError", "OSError", FileNotFoundError()),
        ("builtins.EnvironmentError", "OSError", FileNotFoundError()),
        (f"{__name__}.Alias", f"{__name__}.OwnError", OwnError()),
        (f"{__name__}.OwnError.InnerError", f"{__name__}.OwnError.InnerError", OwnError.InnerError()),
    ],
)
def test_an_alias_is_kept_as_the_name_of_its_class(name: str, kept: str, error: Exception) -> None:
    retry = Retry(3, on=(name,))

    assert retry.on == (kept,)
    assert retry.covers(error)
    assert not retry.covers(ZeroDivisionError())
    assert Retry.model_validate_json(retry.model_dump_json()) == retry


def test_an_alias_of_a_module_that_is_imported_later_covers_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    retry = Retry(3, on=("shop.errors.Busy",))
    assert retry.on == ("shop.errors.Busy",), "nothing is imported to find out"
    assert not retry.covers(OwnError())

    module = ModuleType("shop.errors")
    monkeypatch.setattr(module, "Busy", OwnError, raising=False)
    monkeypatch.setitem(sys.modules, "shop.errors", module)
    assert retry.covers(OwnError())


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("json.JSONDecodeErorr", "did you mean 'JSONDecodeError'?"),
        ("asyncio.TimeoutErrors", "did you mean 'TimeoutError'?"),
        ("json.dumps", "write on=(ConnectionError,)"),
        ("json.decoder", "write on=(ConnectionError,)"),
        ("json.decoder.JSONDecodeError.Inner", "there is none"),
        ("asyncio.CancelledError", "write on=(ConnectionError,)"),
    ],
)
def test_a_name_that_can_cover_nothing_is_refused(name: str, remedy: str) -> None:
    ((kind, where, message),) = refusals(lambda: Retry(3, on=(name,)))

    assert (kind, where) == ("retry_on", "on")
    assert message == f"{OF} {name!r}; {remedy}"


@pytest.mark.parametrize("name", ["no.such.Error", "concurrent.nowhere.Error", f"{__name__}.refusals.<locals>.Error"])
def test_a_name_that_only_an_import_could_tell_is_kept(name: str) -> None:
    assert Retry(3, on=(name,)).on == (name,)


def test_a_module_that_is_being_imported_may_get_the_name_later(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("half")
    monkeypatch.setitem(sys.modules, "half", module)
    assert Retry(3, on=("half.Error",)).on == ("half.Error",)

    monkeypatch.setattr(module, "__spec__", ModuleSpec("half", None))
    assert refusals(lambda: Retry(3, on=("half.Error",)))[0][2] == f"{OF} 'half.Error'; there is none"
    monkeypatch.setattr(module, "__getattr__", wrong, raising=False)
    assert Retry(3, on=("half.Error",)).on == ("half.Error",)
