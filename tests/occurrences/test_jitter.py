"""Jitter: the same for an occurrence of a task in every process, and never up to the next occurrence."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from panther_schedule import BackgroundTask, Cron, Daily, Once
from panther_schedule.occurrences.queries import spread

M = timedelta(minutes=1)
NONE = timedelta(0)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def send_otp(name: str = "Ali") -> None: ...


task = BackgroundTask(send_otp)


@given(st.text(), st.integers(), st.integers(1))
def test_a_spread_is_below_its_limit_and_always_the_same(key: str, at: int, limit: int) -> None:
    moved = spread(key, at, limit)
    assert 0 <= moved < limit
    assert spread(key, at, limit) == moved
    assert spread(key, at, 0) == 0


def test_a_spread_is_the_same_in_every_process() -> None:
    assert [spread("digest", at, 60_000_000) for at in (0, 1, 2)] == [25113819, 41736294, 13415233]
    tenths = {spread("digest", at, 10) for at in range(200)}
    assert tenths == set(range(10))


def test_next_runs_are_due_times() -> None:
    daily = task.with_schedule(Daily(time(8), tz="UTC")).with_name("digest")
    plain, late = daily.next_runs(30, NOON), daily.with_policy(jitter=M).next_runs(30, NOON)
    moved = [due - at for at, due in zip(plain, late, strict=True)]
    assert all(NONE <= by < M for by in moved)
    assert len(set(moved)) == 30
    assert daily.with_policy(jitter=M).next_runs(30, NOON) == late
    assert daily.with_name("other").with_policy(jitter=M).next_runs(30, NOON) != late
    at = int(plain[0].timestamp()) * 1_000_000
    assert moved[0] == timedelta(microseconds=spread("digest", at, 60_000_000))


def test_no_run_is_moved_to_the_next_occurrence() -> None:
    hourly = task.with_schedule(Cron("@hourly", tz="UTC")).with_policy(jitter=timedelta(days=9))
    for at, due in enumerate(hourly.next_runs(50, NOON), 1):
        assert NOON + timedelta(hours=at) <= due < NOON + timedelta(hours=at + 1)
    spaced = task.interval(3).interval_wait(M).with_policy(jitter=timedelta(days=9))
    for at, due in enumerate(spaced.next_runs(3, NOON)):
        assert NOON + at * M <= due < NOON + (at + 1) * M
    last = task.with_schedule(Once(datetime.max.replace(tzinfo=UTC))).with_policy(jitter=M)
    assert last.next_runs(1, NOON) == [datetime.max.replace(tzinfo=UTC)]


def test_the_key_of_jitter_is_the_name_or_else_the_function() -> None:
    assert task.with_name("digest")._jitter_key == "digest"
    assert task._jitter_key == f"{__name__}.send_otp"
    assert BackgroundTask(partial(send_otp, "Bob"))._jitter_key == f"{__name__}.send_otp"
    assert BackgroundTask(max, 1, 2)._jitter_key == "builtins.max"
    assert BackgroundTask("a".upper)._jitter_key == "builtins.str.upper"
