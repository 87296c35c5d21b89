"""Policies in tables: overlap, missed and jitter, and what a policy is in plain integers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from tables import AT, GRID, HOUR, SECOND, S, added, passed, range_of, seconds, starts, us

from panther_schedule import Once, Policy, Repeat, Retry
from panther_schedule.planning.due import due
from panther_schedule.planning.rule import DEFAULT_TERMS, Terms, due_at, jittered
from panther_schedule.planning.state import NOTHING_HELD, Held, State, Step


class Decided(NamedTuple):
    """What a step says, in seconds after AT."""

    start: float | None
    waiting: Sequence[float]
    passed: Sequence[tuple[str, float | None, float | None, int]]
    asks: str = ""


def told(step: Step) -> Decided:
    """Tell what a step says."""
    start, *others = starts(step) or [None]
    assert not others
    return Decided(start, [(at - AT) / S for at in step.state.held.waiting], passed(step), step.asks)


def at_30(running: int = 0, waiting: tuple[float, ...] = (), lingering: int = 0, *, catching_up: bool = False) -> State:
    """Give a state whose occurrence of second 30 is the next."""
    held = Held(tuple(us(at) for at in waiting), catching_up=catching_up, lingering=lingering)
    return State(AT, us(20), us(30), 3, running, us(20), held if held != NOTHING_HELD else NOTHING_HELD)


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
        Policy(overlap="cancel_running"),
        at_30(1),
        Decided(None, [30], [], asks="scheduled"),
        id="cancel_running, one runs",
    ),
    pytest.param(
        Policy(overlap="cancel_running"),
        at_30(1, (20,)),
        Decided(None, [30], [("skipped_overlap", 20, 20, 1)], asks="scheduled"),
        id="cancel_running, one waits: the newest takes its place",
    ),
    pytest.param(
        Policy(overlap="cancel_running"),
        at_30(0, (), 1),
        Decided(None, [30], [], asks="scheduled"),
        id="cancel, lingers",
    ),
]


@pytest.mark.parametrize(("policy", "state", "expected"), OVERLAP)
def test_an_occurrence_beside_what_runs_and_waits(policy: Policy, state: State, expected: Decided) -> None:
    rule, _first = added(GRID, policy)

    step = due(rule, state, us(30))

    assert told(step) == expected
    assert step.state.next_at == us(40)
    assert step.state.cursor == us(30)
    assert step.state.handed == state.handed + (expected.start is not None)
    assert step.state.running == state.running + (expected.start is not None)


@pytest.mark.parametrize("overlap", ["queue_one", "queue_all", "cancel_running"])
def test_a_waiting_run_holds_its_place_in_n(overlap: Any) -> None:
    rule, _first = added(Repeat(5, 10 * SECOND), Policy(overlap=overlap))

    step = due(rule, at_30(1)._replace(handed=4), us(30))

    assert told(step).waiting == [30]
    assert step.state.next_at is None


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
    rule, state = added(Repeat(n, 10 * SECOND), policy)

    step = due(rule, state, us(now))

    assert told(step) == expected
    assert seconds(step.state.next_at) == following


LATE = [
    # limit, running, waiting -> decided at second 30
    pytest.param(9, 1, (20,), Decided(None, [20, 30], []), id="a new one waits behind the late ones"),
    pytest.param(2, 1, (10, 20), Decided(None, [10, 20], PASSED_30), id="the limit holds for all that wait"),
    pytest.param(9, 1, (), Decided(None, [], PASSED_30), id="none waits: overlap decides"),
]


@pytest.mark.parametrize(("limit", "running", "waiting", "expected"), LATE)
def test_late_runs_wait_for_each_other(limit: int, running: int, waiting: tuple[float, ...], expected: Decided) -> None:
    rule, _first = added(GRID, catch_up(limit))

    assert told(due(rule, at_30(running, waiting, catching_up=bool(waiting)), us(30))) == expected


def test_several_late_ones_wait_behind_a_run_whatever_overlap_says() -> None:
    rule, _first = added(GRID, catch_up())

    assert told(due(rule, at_30(1), us(55))) == Decided(None, [30, 40, 50], [])


ONCE = [
    # policy, seconds late, held -> decided, ended
    pytest.param(skip(5), 5, NOTHING_HELD, Decided(0, [], []), False, id="within grace"),
    pytest.param(skip(5), 6, NOTHING_HELD, Decided(None, [], [("missed", 0, 0, 1)]), True, id="missed: the end"),
    pytest.param(skip(5), 99, Held(released=True), Decided(0, [], []), False, id="it waited for the end of a pause"),
    pytest.param(Policy(), 99, Held(lingering=1), Decided(None, [0], []), False, id="it waits for a run before it"),
    pytest.param(
        Policy(overlap="allow", max_running=1), 1, Held(lingering=1), Decided(None, [0], []), False, id="allow, full"
    ),
]


@pytest.mark.parametrize(("policy", "late", "held", "expected", "over"), ONCE)
def test_the_one_occurrence_of_a_once(
    policy: Policy, late: float, held: Held, expected: Decided, *, over: bool
) -> None:
    rule, state = added(Once(datetime(2026, 1, 1, tzinfo=UTC)), policy)

    step = due(rule, state._replace(held=held), us(late))

    assert told(step) == expected
    assert step.ended == over
    assert step.state.next_at is None
    assert not step.state.held.released


# ---- jitter ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jitter", [0, 0.000001, 1, 9.999999, 10, 11, 3600, 1e9])
def test_jitter_keeps_the_order_and_stays_below_the_next_occurrence(jitter: float) -> None:
    rule, state = added(GRID, Policy(jitter=jitter * SECOND))
    terms = rule.terms
    for k in range(200):
        at = us(10 * k)
        when = jittered(rule, at, AT)
        assert at <= when < min(at + max(1, terms.jitter), us(10 * k + 10))
        assert when == due_at(rule, state._replace(next_at=at))


@pytest.mark.parametrize("policy", [Policy(jitter=9 * SECOND), Policy(jitter=3600 * SECOND)])
def test_an_occurrence_whose_jitter_is_to_come_is_not_due(policy: Policy) -> None:
    rule, state = added(GRID, policy)
    whens = [jittered(rule, us(10 * k), AT) for k in range(60)]

    for tenths in range(1, 500):
        now = us(tenths)
        if now < whens[0]:
            continue
        over = [k for k, at in enumerate(whens) if at <= now]
        step = due(rule, state, now)
        assert starts(step) == [10 * over[-1]]
        assert step.passed == ((range_of("missed", 0, 10 * over[-2], len(over) - 1),) if len(over) > 1 else ())
        assert step.state.next_at == us(10 * over[-1] + 10)


def test_grace_begins_when_the_jitter_is_over() -> None:
    rule, state = added(GRID, Policy(jitter=9 * SECOND, missed="skip", grace=SECOND))
    when = due_at(rule, state)
    assert when is not None
    assert when > AT

    assert starts(due(rule, state, when + S)) == [0]
    assert starts(due(rule, state, when + S + 1)) == []


def test_the_last_occurrence_has_its_whole_jitter() -> None:
    rule, state = added(Once(datetime(2026, 1, 2, tzinfo=UTC)), Policy(jitter=timedelta(days=1)))
    when = due_at(rule, state)

    assert when is not None
    assert 24 * HOUR < when - AT < 48 * HOUR


def test_without_jitter_an_occurrence_is_due_when_it_is() -> None:
    for policy in (Policy(), Policy(overlap="allow")):
        rule, state = added(GRID, policy)
        assert due_at(rule, state) == jittered(rule, AT, AT) == AT


# ---- a policy in integers ----------------------------------------------------------------------------------------

YEARS = 1 << 62
TERMS = [
    # policy -> overlap, most, missed, tolerance, most_late, timeout, jitter
    pytest.param(Policy(), ("skip", 0, "coalesce", YEARS, 100, None, 0), id="the default"),
    pytest.param(Policy(timeout=5 * SECOND), ("skip", 0, "coalesce", YEARS, 100, 5 * S, 0), id="timeout"),
    pytest.param(Policy(jitter=3 * SECOND), ("skip", 0, "coalesce", YEARS, 100, None, 3 * S), id="jitter"),
    pytest.param(Policy(overlap="queue_one"), ("queue_one", 1, "coalesce", YEARS, 100, None, 0), id="queue_one"),
    pytest.param(Policy(overlap="queue_all"), ("queue_all", 1000, "coalesce", YEARS, 100, None, 0), id="queue_all"),
    pytest.param(
        Policy(overlap="cancel_running"), ("cancel_running", 1, "coalesce", YEARS, 100, None, 0), id="cancel_running"
    ),
    pytest.param(Policy(overlap="allow"), ("allow", 1000, "coalesce", YEARS, 100, None, 0), id="allow"),
    pytest.param(ALLOW_TWO, ("allow", 2, "coalesce", YEARS, 100, None, 0), id="allow two"),
    pytest.param(skip(5), ("skip", 0, "skip", 5 * S, 100, None, 0), id="missed skip"),
    pytest.param(Policy(missed="catch_up"), ("skip", 0, "catch_up", 24 * HOUR, 100, None, 0), id="catch_up"),
    pytest.param(catch_up(7, 90), ("skip", 0, "catch_up", 90 * S, 7, None, 0), id="catch_up, seven in 90 s"),
]


@pytest.mark.parametrize(("policy", "expected"), TERMS)
def test_a_policy_in_integers(policy: Policy, expected: tuple[object, ...]) -> None:
    rule, _state = added(GRID, policy)

    terms = rule.terms
    assert numbers(terms) == expected
    assert terms.retry is None
    assert terms.on_lost == "again"
    assert terms.key == ("task" if policy.jitter else "")


def numbers(terms: Terms) -> tuple[object, ...]:
    """List the terms without those of retries."""
    return terms.overlap, terms.most, terms.missed, terms.tolerance, terms.most_late, terms.timeout, terms.jitter


def test_the_terms_of_a_task_without_a_policy_are_those_of_the_default() -> None:
    assert numbers(DEFAULT_TERMS) == ("skip", 0, "coalesce", YEARS, 100, None, 0)


@pytest.mark.parametrize(
    ("policy", "key"),
    [
        (Policy(jitter=SECOND), "task"),
        (Policy(retry=Retry(2, jitter=SECOND)), "task"),
        (Policy(retry=Retry(2)), ""),
        (Policy(timeout=SECOND), ""),
    ],
)
def test_only_what_has_jitter_has_a_key_of_its_own(policy: Policy, key: str) -> None:
    rule, _state = added(GRID, policy)

    assert rule.terms is not None
    assert rule.terms.key == key
