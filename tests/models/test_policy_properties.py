"""Any policy: its JSON, its repr, and setters in any order."""

from __future__ import annotations

import datetime as dt
import json
import pickle
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_jsonable_python
from strategies import Setter, check_setters

from panther_schedule import BackgroundTask
from panther_schedule.models.policy import OnLost, Policy, Retry

S = timedelta(seconds=1)


class OwnError(Exception):
    pass


def send_otp(name: str = "Ali") -> None: ...


task = BackgroundTask(send_otp)


def fields(**given: Any) -> dict[str, Any]:
    return given


durations = st.timedeltas(timedelta(0), timedelta(800))
delays = st.lists(durations, min_size=2, max_size=2).map(sorted)
names = st.sampled_from(["Exception", "OSError", "httpx.HTTPError", OwnError, TimeoutError, IOError])


def retry_of(attempts: int, delays: list[timedelta], factor: float, jitter: timedelta, on: list[Any]) -> Retry:
    return Retry(attempts, delay=delays[0], max_delay=delays[1], factor=factor, jitter=jitter, on=tuple(on))


retries = st.builds(
    retry_of,
    st.integers(2, 10**9),
    delays,
    st.integers(1, 9) | st.floats(1, allow_infinity=False),
    durations,
    st.lists(names, min_size=1),
)
positive = st.timedeltas(timedelta(microseconds=1), timedelta(800))
overlaps = st.one_of(
    st.builds(fields, overlap=st.sampled_from(["skip", "queue_one", "queue_all", "cancel_running"])),
    st.builds(fields, overlap=st.just("allow"), max_running=st.none() | st.integers(1)),
)
outages = st.one_of(
    st.builds(fields, missed=st.just("coalesce")),
    st.builds(fields, missed=st.just("skip"), grace=st.timedeltas(S, timedelta(800))),
    st.builds(
        fields,
        missed=st.just("catch_up"),
        catch_up_limit=st.none() | st.integers(1, 1000),
        catch_up_window=st.none() | positive,
    ),
)
on_lost: st.SearchStrategy[OnLost] = st.sampled_from(["again", "record"])
others: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {}, optional={"retry": retries, "timeout": positive, "jitter": durations, "on_lost": on_lost}
)
nothing = st.builds(fields)


def policy_of(overlap: dict[str, Any], missed: dict[str, Any], other: dict[str, Any]) -> Policy:
    return Policy(**overlap, **missed, **other)


policies = st.builds(policy_of, nothing | overlaps, nothing | outages, others)


@given(policies)
def test_json_is_a_round_trip(policy: Policy) -> None:
    for short in (False, True):
        text = policy.model_dump_json(exclude_defaults=short)
        again = Policy.model_validate_json(text)
        assert again == policy
        assert hash(again) == hash(policy)
        assert again.model_dump_json(exclude_defaults=short) == text
    assert pickle.loads(pickle.dumps(policy)) == policy  # noqa: S301 - our own bytes
    assert policy.model_copy() == policy


@given(policies)
def test_a_repr_is_what_one_would_write(policy: Policy) -> None:
    assert eval(repr(policy), {"Policy": Policy, "Retry": Retry, "datetime": dt}) == policy  # noqa: S307 - our own


@given(st.timedeltas(timedelta(0)))
def test_a_duration_is_written_in_days_and_otherwise_as_pydantic_does(wait: timedelta) -> None:
    text = json.loads(Policy(jitter=wait).model_dump_json())["jitter"]
    assert Policy.model_validate_json(json.dumps({"jitter": text})).jitter == wait
    if wait < timedelta(365):
        assert text == to_jsonable_python(wait)


setters: list[st.SearchStrategy[Setter]] = [
    st.integers(2, 9).map(lambda n: ("interval", lambda task: task.interval(n))),
    st.timedeltas(S, timedelta(9)).map(lambda w: ("timing", lambda task: task.interval_wait(w))),
    st.times().map(lambda t: ("timing", lambda task: task.on_time(t.replace(microsecond=0)))),
    st.sampled_from("ab").map(lambda name: ("name", lambda task: task.with_name(name))),
    overlaps.map(lambda fields: ("overlap", lambda task: task.with_policy(Policy(**fields)))),
    outages.map(lambda fields: ("missed", lambda task: task.with_policy(Policy(**fields)))),
    retries.map(lambda retry: ("retry", lambda task: task.with_policy(retry=retry))),
    positive.map(lambda timeout: ("timeout", lambda task: task.with_policy(timeout=timeout))),
    on_lost.map(lambda choice: ("on_lost", lambda task: task.with_policy(on_lost=choice))),
]


@given(st.data())
def test_different_setters_commute_and_the_same_one_replaces(data: st.DataObject) -> None:
    one = check_setters(task, setters, data)
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301 - our own bytes
