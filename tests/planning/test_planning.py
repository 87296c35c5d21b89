"""Planning in tables: what is due, and what becomes of it, in plain integers."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from panther_schedule.planning.machine import Plan, first_state, has_ended, plan, settle

from panther_schedule import Daily, Once, Repeat, Schedule
from panther_schedule.clock import Reading, microseconds
from panther_schedule.planning.records import Outcome, PassedRecord, State
from panther_schedule.planning.rule import Rule, rule_of

S = 1_000_000
NOW = Reading(wall=5_000 * S, steady=1_000 * S)
AT = NOW.steady
UTC_ZONE = ZoneInfo("UTC")


def added(schedule: Schedule, reading: Reading = NOW) -> tuple[Rule, State]:
    """Give the rule and the first state of a task added at `reading`."""
    rule = rule_of(schedule, UTC_ZONE)
    state = first_state(schedule, rule, reading)
    assert state is not None
    return rule, state


FIRST = [
    # elapsed kinds: when added, on steady time
    (Once(), AT),
    (Repeat(5), AT),
    (Repeat(5, timedelta(seconds=9)), AT),
    # wall-clock kinds: strictly after now, on wall time (00:00 + 5,000 s is 01:23:20)
    (Daily(time(1, 23, 20)), 86_400 * S + NOW.wall),
    (Daily(time(1, 23, 21)), NOW.wall + S),
    # a moment: as it is, also in the past
    (Once(datetime(1970, 1, 1, tzinfo=UTC)), 0),
    (Once(datetime(1971, 1, 1, tzinfo=UTC)), 365 * 86_400 * S),
]


@pytest.mark.parametrize(("schedule", "first"), FIRST)
def test_the_first_occurrence(schedule: Schedule, first: int) -> None:
    assert added(schedule)[1].next_at == first


GRID = Repeat(5, timedelta(seconds=10))
DUE = [
    # now (s after the anchor), running -> start, passed (reason, first, last, count), next
    pytest.param(-1, 0, None, [], 0, id="not yet due"),
    pytest.param(0, 0, 0, [], 10, id="on the instant"),
    pytest.param(9, 0, 0, [], 10, id="late, within its own period"),
    pytest.param(10, 0, 10, [("missed", 0, 0, 1)], 20, id="one missed, the latest runs"),
    pytest.param(31, 0, 30, [("missed", 0, 20, 3)], 40, id="a range missed is one record"),
    pytest.param(0, 1, None, [("skipped_overlap", 0, 0, 1)], 10, id="the run before still goes"),
    pytest.param(31, 1, None, [("missed", 0, 20, 3), ("skipped_overlap", 30, 30, 1)], 40, id="both"),
    pytest.param(10**11, 0, 10**11, [("missed", 0, 10**11 - 10, 10**10)], 10**11 + 10, id="3,000 years at once"),
]


@pytest.mark.parametrize(("now", "running", "start", "passed", "following"), DUE)
def test_what_is_due_on_a_grid(
    now: int, running: int, start: int | None, passed: list[tuple[str, int, int, int]], following: int
) -> None:
    rule, state = added(GRID)

    done = plan(rule, state._replace(running=running), AT + now * S)

    assert done.start == (None if start is None else AT + start * S)
    assert done.passed == tuple(
        PassedRecord(reason, AT + first * S, AT + last * S, count)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the table holds plain strings
        for reason, first, last, count in passed
    )
    assert done.state.next_at == AT + following * S


def test_n_counts_runs_not_occurrences() -> None:
    rule, state = added(Repeat(2, timedelta(seconds=10)))
    state = plan(rule, state, AT).state
    skipped = plan(rule, state, AT + 10 * S).state
    assert skipped.handed == 1
    assert skipped.next_at == AT + 20 * S

    free = settle(rule, skipped, "succeeded", AT + 15 * S).state
    last = plan(rule, free, AT + 20 * S).state
    assert last.next_at is None
    assert not has_ended(rule, last)
    assert has_ended(rule, settle(rule, last, "failed", AT + 21 * S).state)


def test_a_plan_at_the_same_time_again_changes_nothing() -> None:
    rule, state = added(GRID)
    once = plan(rule, state, AT + 31 * S).state

    assert plan(rule, once, AT + 31 * S) == Plan(once, None)


def test_back_to_back_starts_when_the_one_before_has_ended() -> None:
    rule, state = added(Repeat(3))
    started = plan(rule, state, AT).state
    assert started.next_at is None

    assert settle(rule, started, "succeeded", AT + 7).state.next_at == AT + 7
    assert settle(rule, started, "succeeded", AT).state.next_at == AT + 1, "two runs never share an occurrence"


BACK_OFF: list[tuple[int, Outcome, float]] = [
    # failures in a row before, outcome -> seconds until the next run
    (0, "failed", 1),
    (1, "failed", 2),
    (5, "failed", 32),
    (6, "failed", 60),
    (60, "failed", 60),
    (60, "succeeded", 0),
]


@pytest.mark.parametrize(("failures", "outcome", "seconds"), BACK_OFF)
def test_a_failing_back_to_back_task_waits_longer_each_time(failures: int, outcome: Outcome, seconds: float) -> None:
    rule, state = added(Repeat(-1))
    started = plan(rule, state._replace(failures=failures), AT).state

    settled = settle(rule, started, outcome, AT + 5).state

    assert settled.next_at == AT + 5 + seconds * S
    assert settled.failures == (failures + 1 if outcome == "failed" else 0)


def test_a_daily_outage_is_one_record() -> None:
    start = Reading(microseconds(datetime(2026, 1, 1, 12, tzinfo=UTC)), 0)
    rule, state = added(Daily(time(8), tz="Europe/Berlin"), start)
    ten_days_on = microseconds(datetime(2026, 1, 11, 12, tzinfo=UTC))

    done = plan(rule, state, ten_days_on)

    assert done.start == microseconds(datetime(2026, 1, 11, 7, tzinfo=UTC))
    (missed,) = done.passed
    assert missed.number == 9
