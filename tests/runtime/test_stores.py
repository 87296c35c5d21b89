"""The contract of a store, for each store there is: it keeps what steps say, and finds what is due and in flight."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest
from tables import AT, DAILY, GRID, added, now, range_of, us

from panther_schedule import BackgroundTask, Policy
from panther_schedule.clock import Reading
from panther_schedule.planning.due import due
from panther_schedule.planning.ends import began, ended
from panther_schedule.planning.records import Attempt
from panther_schedule.planning.rule import due_at
from panther_schedule.planning.state import State, Step, with_held
from panther_schedule.runtime.entries import Entry, Flight
from panther_schedule.runtime.ledger import counts_of
from panther_schedule.runtime.memory import Memory
from panther_schedule.runtime.stores import Store

STORES: list[Callable[[], Store]] = [Memory]
SECOND = timedelta(seconds=1)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Store:
    made: Store = request.param()
    return made


def nothing() -> None:
    """Do nothing."""


def entry_of(name: str, order: int, policy: Policy | None = None, first: float = 0) -> Entry:
    """Make a task of a grid whose next occurrence is so many seconds after AT."""
    rule, state = added(GRID, policy)
    return Entry(name, BackgroundTask(nothing).with_name(name), rule, state._replace(next_at=us(first)), order)


def start(store: Store, entry: Entry) -> Flight:
    """Plan a due task, and keep the step."""
    step = due(entry.rule, entry.state, AT)
    flight = Flight(entry, step.starts[0])
    store.save(entry, None, step, (flight,))
    return flight


def test_a_task_is_due_at_its_time_and_taken_once(store: Store) -> None:
    store.add(entry_of("a", 1, first=10), now(0))

    assert store.due(now(9.999999), 10) == []
    assert store.until_next(now(4)) == 6_000_000
    assert [entry.name for entry in store.due(now(10), 10)] == ["a"]
    assert store.due(now(10), 10) == []


def test_what_is_due_comes_by_time_then_in_the_order_of_adding(store: Store) -> None:
    for order, (name, first) in enumerate([("c", 3), ("a", 2), ("d", 3), ("b", 2), ("later", 9)]):
        store.add(entry_of(name, order, first=first), now(0))

    assert [entry.name for entry in store.due(now(5), 3)] == ["a", "b", "c"]
    assert [entry.name for entry in store.due(now(5), 3)] == ["d"]


def test_a_step_moves_the_place_of_a_task(store: Store) -> None:
    entry = entry_of("a", 1)
    store.add(entry, now(0))
    (found,) = store.due(now(0), 10)
    start(store, found)

    assert entry.state.cursor == AT
    assert store.until_next(now(0)) == 10_000_000
    store.save(entry, None, Step(with_held(entry.state, paused="why")))
    assert store.until_next(now(0)) is None
    assert store.due(now(99), 10) == []


def test_runs_are_in_flight_until_they_are_recorded(store: Store) -> None:
    one, other = entry_of("a", 1), entry_of("b", 2)
    first, second = start(store, one), start(store, other)

    assert list(store.in_flight) == [first, second]
    assert store.flights(one) == [first]
    step = ended(one.rule, one.state, first.run, Attempt(AT, us(1), "succeeded", None), now(1))
    store.save(one, first, step)
    assert list(store.in_flight) == [second]
    assert first.record == step.record
    assert one.state == step.state


def test_a_run_is_found_when_its_time_has_come(store: Store) -> None:
    entry = entry_of("a", 1, Policy(timeout=5 * SECOND))
    flight = start(store, entry)
    store.save(entry, flight, began(entry.rule, entry.state, flight.run, AT))

    assert store.timers(now(4.9)) == []
    assert store.timers(now(5)) == [flight]
    assert store.timers(now(5)) == []


def test_runs_are_found_in_time_when_others_have_ended(store: Store) -> None:
    times = list(range(1, 301))
    Random(300).shuffle(times)
    flights = {at: start(store, entry_of(str(at), at)) for at in times}
    for at, flight in flights.items():
        store.save(flight.entry, flight, Step(flight.entry.state, flight.run._replace(wake_at=us(at))))
    for at in times[:200]:
        flight = flights.pop(at)
        attempt = Attempt(AT, AT, "succeeded", None)
        store.save(flight.entry, flight, ended(flight.entry.rule, flight.entry.state, flight.run, attempt, now(0)))

    for at in range(1, 301):
        assert store.timers(now(at - 0.5)) == []
        assert store.timers(now(at)) == ([flights[at]] if at in flights else [])


def test_the_first_queued_run_of_a_task_is_found(store: Store) -> None:
    entry = entry_of("a", 1)
    active = start(store, entry)
    queued = [Flight(entry, active.run._replace(cause="backfill", number=k, phase="queued")) for k in (1, 2)]

    assert store.first_queued(entry) is None
    store.save(entry, None, Step(entry.state), queued)
    assert store.first_queued(entry) == queued[0]


def test_a_task_with_another_rule_follows_its_clock(store: Store) -> None:
    entry = entry_of("a", 1, first=10)
    store.add(entry, now(0))
    rule, state = added(DAILY)
    store.save(entry, None, Step(state), rule=rule)

    assert store.due(now(10), 10) == []
    assert [found.name for found in store.due(now(3600), 10)] == ["a"]


def test_a_task_without_a_next_occurrence_is_under_no_time(store: Store) -> None:
    entry = entry_of("a", 1)
    store.save(entry, None, Step(State(AT, AT, None)))

    assert store.until_next(now(0)) is None


def test_a_task_with_jitter_is_due_when_its_jitter_is_over(store: Store) -> None:
    entry = entry_of("a", 1, Policy(jitter=9 * SECOND))
    when = due_at(entry.rule, entry.state)
    assert when is not None
    assert when > AT
    store.add(entry, now(0))

    assert store.until_next(now(0)) == when - AT
    assert store.due(Reading(when - 1, when - 1), 10) == []
    assert store.due(Reading(when, when), 10) == [entry]


def test_all_that_a_step_says_is_in_the_history_and_the_counts(store: Store) -> None:
    entry = entry_of("a", 1, Policy(overlap="queue_all"))
    flight = start(store, entry)
    first, second = range_of("missed", 10, 20, 2), range_of("missed", 30, 30, 1)
    given_up = flight.run._replace(at=us(40), phase="ended", attempts=(Attempt(None, us(50), "cancelled", None),))

    store.save(entry, None, Step(entry.state, passed=(first,)))
    store.save(entry, None, Step(entry.state, passed=(second,), given_up=(given_up,)))
    step = ended(entry.rule, entry.state, flight.run, Attempt(AT, us(60), "failed", None), now(60))
    store.save(entry, flight, step)

    assert entry.history == [first, given_up, second, step.record]
    counts = {what: number for what, number in counts_of(entry.history).items() if number}
    assert counts == {"missed": 3, "cancelled": 1, "failed": 1}


def test_a_range_that_goes_on_is_one_record(store: Store) -> None:
    entry = entry_of("a", 1)
    entry.state = entry.state._replace(cursor=AT)
    for first, last in ((10, 20), (30, 50)):
        store.save(entry, None, Step(entry.state, passed=(range_of("missed", first, last, (last - first) // 10 + 1),)))

    assert entry.history == [range_of("missed", 10, 50, 5)]


def test_a_range_of_the_schedule_before_gets_no_longer(store: Store) -> None:
    entry = entry_of("a", 1)
    ranges = [range_of("missed", first, first, 1) for first in (10, 20, 30)]
    store.save(entry, None, Step(entry.state._replace(cursor=us(10)), passed=(ranges[0],)))
    rule, fresh = added(GRID)
    store.save(entry, None, Step(fresh), rule=rule)
    for each in ranges[1:]:
        store.save(entry, None, Step(fresh._replace(cursor=each.last), passed=(each,)))

    assert entry.history == [ranges[0], range_of("missed", 20, 30, 2)]


def test_all_of_a_step_is_kept_or_nothing(store: Store) -> None:
    entry = entry_of("a", 1)
    store.add(entry, now(-1))
    first = start(store, entry)
    over = ended(entry.rule, entry.state, first.run, Attempt(AT, us(1), "succeeded", None), now(1))
    store.save(entry, first, over)
    step = due(entry.rule, entry.state, us(10))
    second = Flight(entry, step.starts[0])
    store.save(entry, None, step, (second,))
    before = entry.state, list(entry.history or ()), list(store.in_flight), store.until_next(now(0)), second.run
    given_up = second.run._replace(attempts=(Attempt(None, us(2), "cancelled", None),), phase="ended")
    step = over._replace(
        state=State(AT, us(50), us(60)), passed=(range_of("missed", 20, 50, 4),), given_up=(given_up,), starts=()
    )

    with pytest.raises(KeyError):  # the run was recorded before
        store.save(entry, first, step, (Flight(entry, second.run),), added(DAILY)[0])

    assert before == (
        entry.state,
        list(entry.history or ()),
        list(store.in_flight),
        store.until_next(now(0)),
        second.run,
    )
    assert first.record == over.record
