"""Policies in planning, in tables: overlap, missed, retry and jitter, in plain integers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from panther_schedule.planning.machine import Plan, first_state, next_attempt, plan

from panther_schedule import Once, Policy, Repeat, Retry, Schedule
from panther_schedule.clock import Reading
from panther_schedule.planning.records import NOTHING_HELD, Held, PassedRecord, State
from panther_schedule.planning.rule import Rule, due_at, jittered, rule_of, under

S = 1_000_000
SECOND = timedelta(seconds=1)
AT = 1_000 * S
UTC_ZONE = ZoneInfo("UTC")
GRID = Repeat(-1, 10 * SECOND)


def added(policy: Policy, schedule: Schedule = GRID, key: str = "task") -> tuple[Rule, State]:
    """Give the rule and the first state of a task that was added at AT."""
    rule = under(rule_of(schedule, UTC_ZONE), policy, lambda: key)
    state = first_state(schedule, rule, Reading(AT, AT))
    assert state is not None
    return rule, state


def us(seconds: float) -> int:
    """Give a time in seconds after AT as planning knows it."""
    return AT + round(seconds * S)


def seconds(at: int | None) -> float | None:
    """Give a time of planning in seconds after AT."""
    return None if at is None else (at - AT) / S


class Decided(NamedTuple):
    """What a plan says, in seconds after AT."""

    start: float | None
    waiting: Sequence[float]
    passed: Sequence[tuple[str, float, float, int]]
    cancel: bool = False


def told(done: Plan) -> Decided:
    """Tell what a plan says."""
    return Decided(
        seconds(done.start),
        [(at - AT) / S for at in done.state.held.waiting],
        [(one.reason, (one.first - AT) / S, (one.last - AT) / S, one.number) for one in done.passed],
        done.cancel,
    )


def at_30(running: int = 0, waiting: tuple[float, ...] = (), lingering: int = 0, *, catching_up: bool = False) -> State:
    """Give a state whose occurrence of second 30 is the next."""
    held = Held(tuple(us(at) for at in waiting), catching_up=catching_up, lingering=lingering)
    return State(AT, us(20), us(30), 3, running, 0, us(20), held if held != NOTHING_HELD else NOTHING_HELD)


# ---- overlap -----------------------------------------------------------------------------------------------------

PASSED_30 = [("skipped_overlap", 30, 30, 1)]
FULL = tuple(range(-1000, 0))
ALLOW_TWO = Policy(overlap="allow", max_running=2)
OVERLAP = [
    pytest.param(Policy(), at_30(), Decided(30, [], []), id="skip, nothing runs"),
    pytest.param(Policy(), at_30(1), Decided(None, [], PASSED_30), id="skip, one runs"),
    pytest.param(Policy(), at_30(0, (), 1), Decided(None, [], PASSED_30), id="skip, one lingers"),
    pytest.param(Policy(overlap="queue_one"), at_30(), Decided(30, [], []), id="queue_one, nothing runs"),
    pytest.param(Policy(overlap="queue_one"), at_30(1), Decided(None, [30], []), id="queue_one, one runs"),
    pytest.param(Policy(overlap="queue_one"), at_30(1, (20,)), Decided(None, [20], PASSED_30), id="queue_one, waits"),
    pytest.param(Policy(overlap="queue_one"), at_30(0, (), 1), Decided(None, [30], []), id="queue_one, one lingers"),
    pytest.param(Policy(overlap="queue_all"), at_30(), Decided(30, [], []), id="queue_all, nothing runs"),
    pytest.param(Policy(overlap="queue_all"), at_30(1, (10, 20)), Decided(None, [10, 20, 30], []), id="queue_all, two"),
    pytest.param(Policy(overlap="queue_all"), at_30(1, FULL), Decided(None, [*FULL], PASSED_30), id="queue_all, 1,000"),
    pytest.param(Policy(overlap="allow"), at_30(), Decided(30, [], []), id="allow, nothing runs"),
    pytest.param(Policy(overlap="allow"), at_30(999), Decided(30, [], []), id="allow, 999 run"),
    pytest.param(Policy(overlap="allow"), at_30(1000), Decided(None, [], PASSED_30), id="allow, 1,000 run"),
    pytest.param(ALLOW_TWO, at_30(1), Decided(30, [], []), id="allow two, one runs"),
    pytest.param(ALLOW_TWO, at_30(2), Decided(None, [], PASSED_30), id="allow two, two run"),
    pytest.param(ALLOW_TWO, at_30(1, (), 1), Decided(None, [], PASSED_30), id="allow two, one runs and one lingers"),
    pytest.param(Policy(overlap="cancel_running"), at_30(), Decided(30, [], []), id="cancel_running, nothing runs"),
    pytest.param(
        Policy(overlap="cancel_running"), at_30(1), Decided(None, [30], [], cancel=True), id="cancel_running, one runs"
    ),
    pytest.param(
        Policy(overlap="cancel_running"),
        at_30(1, (20,)),
        Decided(None, [30], [("skipped_overlap", 20, 20, 1)], cancel=True),
        id="cancel_running, one waits: the newest takes its place",
    ),
    pytest.param(
        Policy(overlap="cancel_running"), at_30(0, (), 1), Decided(None, [30], [], cancel=True), id="cancel, lingers"
    ),
]


@pytest.mark.parametrize(("policy", "state", "expected"), OVERLAP)
def test_an_occurrence_beside_what_runs_and_waits(policy: Policy, state: State, expected: Decided) -> None:
    rule, _first = added(policy)

    done = plan(rule, state, us(30))

    assert told(done) == expected
    assert done.state.next_at == us(40)
    assert done.state.cursor == us(30)
    assert done.state.handed == state.handed + (expected.start is not None)
    assert done.state.running == state.running + (expected.start is not None)


@pytest.mark.parametrize("overlap", ["queue_one", "queue_all", "cancel_running"])
def test_a_waiting_run_holds_its_place_in_n(overlap: Any) -> None:
    rule, _first = added(Policy(overlap=overlap), Repeat(5, 10 * SECOND))

    done = plan(rule, at_30(1)._replace(handed=4), us(30))

    assert told(done).waiting == [30]
    assert done.state.next_at is None


# ---- missed ------------------------------------------------------------------------------------------------------


def skip(grace: float) -> Policy:
    return Policy(missed="skip", grace=grace * SECOND)


def catch_up(limit: int = 100, window: float = 1e6) -> Policy:
    return Policy(missed="catch_up", catch_up_limit=limit, catch_up_window=window * SECOND)


def missed(last: float, count: int) -> list[tuple[str, float, float, int]]:
    return [("missed", 0, last, count)]


MISSED = [
    # policy, n, now -> decided, next; the first occurrence is 0, the next ones 10, 20...
    pytest.param(Policy(), -1, 35, Decided(30, [], missed(20, 3)), 40, id="coalesce"),
    pytest.param(Policy(overlap="allow"), -1, 35, Decided(30, [], missed(20, 3)), 40, id="coalesce, also with allow"),
    pytest.param(Policy(overlap="queue_all"), 1, 35, Decided(30, [], missed(20, 3)), None, id="coalesce, n ends"),
    pytest.param(skip(5), -1, 5, Decided(0, [], []), 10, id="skip, within grace"),
    pytest.param(skip(5), -1, 35, Decided(30, [], missed(20, 3)), 40, id="skip, on the edge of grace"),
    pytest.param(skip(5), -1, 35.000001, Decided(None, [], missed(30, 4)), 40, id="skip, 1 us over grace"),
    pytest.param(skip(15), -1, 39, Decided(30, [], missed(20, 3)), 40, id="skip, grace over a period: the latest"),
    pytest.param(skip(5), 1, 35.1, Decided(None, [], missed(30, 4)), 40, id="skip, n is not lost"),
    pytest.param(catch_up(), -1, 35, Decided(0, [10, 20, 30], []), 40, id="catch_up, all"),
    pytest.param(catch_up(2), -1, 35, Decided(20, [30], missed(10, 2)), 40, id="catch_up, by number"),
    pytest.param(catch_up(1), -1, 35, Decided(30, [], missed(20, 3)), 40, id="catch_up, one"),
    pytest.param(catch_up(window=15), -1, 35, Decided(20, [30], missed(10, 2)), 40, id="catch_up, edge of the window"),
    pytest.param(catch_up(window=15), -1, 35.000001, Decided(30, [], missed(20, 3)), 40, id="catch_up, 1 us over it"),
    pytest.param(catch_up(window=2), -1, 35, Decided(None, [], missed(30, 4)), 40, id="catch_up, all too old"),
    pytest.param(catch_up(2, 15), -1, 35, Decided(20, [30], missed(10, 2)), 40, id="catch_up, both bounds at once"),
    pytest.param(catch_up(), 2, 35, Decided(0, [10], []), None, id="catch_up, n ends it with the oldest"),
    pytest.param(catch_up(3), 2, 35, Decided(10, [20], missed(0, 1)), None, id="catch_up, number first, then n"),
    pytest.param(
        catch_up(3), -1, 10**11 + 5, Decided(10**11 - 20, [10**11 - 10, 10**11], missed(10**11 - 30, 10**10 - 2)),
        10**11 + 10, id="catch_up, an outage of 3,000 years",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "n", "now", "expected", "following"), MISSED)
def test_what_is_missed(policy: Policy, n: int, now: float, expected: Decided, following: float | None) -> None:
    rule, state = added(policy, Repeat(n, 10 * SECOND))

    done = plan(rule, state, us(now))

    assert told(done) == expected
    assert seconds(done.state.next_at) == following


LATE = [
    # limit, running, waiting -> decided at second 30
    pytest.param(9, 1, (20,), Decided(None, [20, 30], []), id="a new one waits behind the late ones"),
    pytest.param(2, 1, (10, 20), Decided(None, [10, 20], PASSED_30), id="the limit holds for all that wait"),
    pytest.param(9, 1, (), Decided(None, [], PASSED_30), id="none waits: overlap decides"),
]


@pytest.mark.parametrize(("limit", "running", "waiting", "expected"), LATE)
def test_late_runs_wait_for_each_other(limit: int, running: int, waiting: tuple[float, ...], expected: Decided) -> None:
    rule, _first = added(catch_up(limit))

    assert told(plan(rule, at_30(running, waiting, catching_up=bool(waiting)), us(30))) == expected


def test_several_late_ones_wait_behind_a_run_whatever_overlap_says() -> None:
    rule, _first = added(catch_up())

    assert told(plan(rule, at_30(1), us(55))) == Decided(None, [30, 40, 50], [])


# ---- retry -------------------------------------------------------------------------------------------------------

YEARS_10_000 = 10_000 * 365 * 86_400
DELAYS = [
    # retry -> the delays after attempt 1, 2...; None ends them
    pytest.param(Retry(3), [1, 2, None], id="doubling is the default"),
    pytest.param(Retry(2, delay=0 * SECOND), [0, None], id="no delay"),
    pytest.param(Retry(4, delay=10 * SECOND, factor=3), [10, 30, 90, None], id="factor"),
    pytest.param(Retry(4, factor=1), [1, 1, 1, None], id="equal delays"),
    pytest.param(Retry(4, factor=1.5), [1, 1.5, 2.25, None], id="a factor with a fraction"),
    pytest.param(Retry(5, max_delay=3 * SECOND), [1, 2, 3, 3, None], id="max_delay"),
    pytest.param(Retry(4, factor=1e300), [1, 3600, 3600, None], id="a factor without measure"),
    pytest.param(Retry(4, factor=1.7e308), [1, 3600, 3600, None], id="a factor that overflows at once"),
    pytest.param(Retry(4, factor=1e300, delay=0 * SECOND), [0, 0, 0, None], id="a factor without measure, no delay"),
    pytest.param(
        Retry(3, factor=1e300, max_delay=timedelta.max), [1, YEARS_10_000, None], id="the longest delay there is"
    ),
]


@pytest.mark.parametrize(("retry", "delays"), DELAYS)
def test_the_delay_before_the_next_attempt(retry: Retry, delays: list[float | None]) -> None:
    rule, _state = added(Policy(retry=retry))

    found = [next_attempt(rule, AT, attempt, OSError()) for attempt in range(1, len(delays) + 1)]

    assert [None if delay is None else delay / S for delay in found] == delays


def test_the_thousandth_attempt_waits_no_longer_than_max_delay() -> None:
    rule, _state = added(Policy(retry=Retry(10_000)))

    assert next_attempt(rule, AT, 9_999, OSError()) == 3600 * S
    assert next_attempt(rule, AT, 10_000, OSError()) is None


COVERED: list[tuple[tuple[type[Exception] | str, ...], BaseException | None, bool]] = [
    ((Exception,), ValueError(), True),
    ((OSError,), ConnectionResetError(), True),
    ((OSError,), ValueError(), False),
    (("ConnectionError", ValueError), ValueError(), True),
    ((TimeoutError,), TimeoutError("timed out"), True),
    ((Exception,), KeyboardInterrupt(), False),
    ((Exception,), SystemExit(), False),
    ((Exception,), None, False),
]


@pytest.mark.parametrize(("on", "error", "again"), COVERED)
def test_what_is_tried_again(
    on: tuple[type[Exception] | str, ...], error: BaseException | None, *, again: bool
) -> None:
    rule, _state = added(Policy(retry=Retry(2, on=on)))

    assert (next_attempt(rule, AT, 1, error) is not None) == again


def test_without_a_retry_nothing_is_tried_again() -> None:
    assert next_attempt(added(Policy())[0], AT, 1, OSError()) is None
    assert next_attempt(added(Policy(jitter=SECOND))[0], AT, 1, OSError()) is None


def test_the_jitter_of_delays_is_bounded_and_stable() -> None:
    retry = Retry(50, factor=1, jitter=SECOND)
    rule, _state = added(Policy(retry=retry))
    again, _state = added(Policy(retry=retry))
    other, _state = added(Policy(retry=retry), key="another task")

    delays = [next_attempt(rule, AT, attempt, OSError()) or 0 for attempt in range(1, 50)]

    assert all(S <= delay < 2 * S for delay in delays)
    assert len(set(delays)) == 49
    assert delays == [next_attempt(again, AT, attempt, OSError()) for attempt in range(1, 50)]
    assert delays != [next_attempt(other, AT, attempt, OSError()) for attempt in range(1, 50)]
    assert delays[0] != next_attempt(rule, AT + 1, 1, OSError())


# ---- jitter ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jitter", [0, 0.000001, 1, 9.999999, 10, 11, 3600, 1e9])
def test_jitter_keeps_the_order_and_stays_below_the_next_occurrence(jitter: float) -> None:
    rule, state = added(Policy(jitter=jitter * SECOND))
    terms = rule.terms
    if terms is None:
        assert jitter == 0
        return

    for k in range(200):
        at = us(10 * k)
        due = jittered(rule, terms, at, AT)
        assert at <= due < min(at + max(1, terms.jitter), us(10 * k + 10))
        assert due == due_at(rule, state._replace(next_at=at))


@pytest.mark.parametrize("policy", [Policy(jitter=9 * SECOND), Policy(jitter=3600 * SECOND)])
def test_an_occurrence_whose_jitter_is_to_come_is_not_due(policy: Policy) -> None:
    rule, state = added(policy)
    terms = rule.terms
    assert terms is not None
    due = [jittered(rule, terms, us(10 * k), AT) for k in range(60)]

    for tenths in range(1, 500):
        now = us(tenths)
        if now < due[0]:
            continue
        over = [k for k, at in enumerate(due) if at <= now]
        done = plan(rule, state, now)
        assert done.start == us(10 * over[-1])
        assert done.passed == (
            (PassedRecord("missed", us(0), us(10 * over[-2]), len(over) - 1),) if len(over) > 1 else ()
        )
        assert done.state.next_at == us(10 * over[-1] + 10)


def test_grace_begins_when_the_jitter_is_over() -> None:
    rule, state = added(Policy(jitter=9 * SECOND, missed="skip", grace=SECOND))
    due = due_at(rule, state)
    assert due is not None
    assert due > AT

    assert plan(rule, state, due + S).start == AT
    assert plan(rule, state, due + S + 1).start is None


def test_the_last_occurrence_has_its_whole_jitter() -> None:
    rule, state = added(Policy(jitter=timedelta(days=1)), Once(datetime(1970, 1, 2, tzinfo=UTC)))
    due = due_at(rule, state)

    assert due is not None
    assert 86_400 * S < due < 2 * 86_400 * S
