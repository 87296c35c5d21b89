"""The contract of a store, for each store there is: it keeps what steps say, and finds what is due and in flight."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from kept import InAFile, InMemory, Kept
from tables import AT, DAILY, GRID, added, now, range_of, us

from panther_schedule import Policy
from panther_schedule.clock import Reading
from panther_schedule.planning.due import due
from panther_schedule.planning.ends import began, ended
from panther_schedule.planning.records import Attempt
from panther_schedule.planning.rule import due_at
from panther_schedule.planning.state import State, Step, with_held
from panther_schedule.runtime.entries import Flight

SECOND = timedelta(seconds=1)
memory_alone = pytest.mark.parametrize("store", [InMemory], indirect=True)


@pytest.fixture(params=[InMemory, InAFile])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """Each store there is."""
    kept: Kept = request.param(tmp_path)
    return kept


def test_a_task_is_due_at_its_time(store: Kept) -> None:
    entry = store.task("a", first=10)

    assert store.due(now(9.999999)) == []
    assert store.until_next(now(4)) == 6_000_000
    assert store.due(now(10)) == [entry]


def test_what_is_due_comes_by_time_then_in_the_order_of_adding(store: Kept) -> None:
    for name, first in [("c", 3), ("a", 2), ("d", 3), ("b", 2), ("later", 9)]:
        store.task(name, first=first)

    found = store.due(now(5), 3)
    assert [entry.name for entry in found] == ["a", "b", "c"]
    for entry in found:
        store.save(entry, None, due(entry.rule, entry.state, us(5)))
    assert [entry.name for entry in store.due(now(5), 3)] == ["d"]


def test_a_step_moves_the_place_of_a_task(store: Kept) -> None:
    entry = store.task("a")
    assert store.due(now(0)) == [entry]
    store.start(entry)

    assert entry.state.cursor == AT
    assert store.until_next(now(0)) == 10_000_000
    store.save(entry, None, Step(with_held(entry.state, paused="why")))
    assert store.until_next(now(0)) is None
    assert store.due(now(99)) == []


def test_runs_are_in_flight_until_they_are_recorded(store: Kept) -> None:
    one, other = store.task("a"), store.task("b")
    first, second = store.start(one), store.start(other)

    assert store.in_flight == [first, second]
    assert store.flights(one) == [first]
    step = ended(one.rule, one.state, first.run, Attempt(AT, us(1), "succeeded", None), now(1))
    store.save(one, first, step)
    assert store.in_flight == [second]
    assert first.record == step.record
    assert one.state == step.state


def test_a_run_is_found_when_its_time_has_come(store: Kept) -> None:
    entry = store.task("a", Policy(timeout=5 * SECOND))
    flight = store.start(entry)
    store.save(entry, flight, began(entry.rule, entry.state, flight.run, AT))

    assert store.timers(now(4.9)) == []
    assert store.until_next(now(4)) == 1_000_000
    assert store.timers(now(5)) == [flight]


def test_runs_are_found_in_time_when_others_have_ended(store: Kept) -> None:
    times = list(range(1, 101))
    Random(300).shuffle(times)
    flights = {at: store.start(store.task(str(at))) for at in times}
    for at, flight in flights.items():
        store.save(flight.entry, flight, Step(flight.entry.state, flight.run._replace(wake_at=us(at))))
    for at in times[:70]:
        end(store, flights.pop(at))

    for at in range(1, 101):
        assert store.timers(now(at - 0.5)) == []
        assert store.timers(now(at)) == ([flights[at]] if at in flights else [])
        if at in flights:
            end(store, flights[at])


def end(store: Kept, flight: Flight) -> None:
    """Record a run as succeeded."""
    entry, attempt = flight.entry, Attempt(AT, AT, "succeeded", None)
    store.save(entry, flight, ended(entry.rule, entry.state, flight.run, attempt, now(0)))


def test_the_first_queued_run_of_a_task_is_found(store: Kept) -> None:
    entry = store.task("a")
    active = store.start(entry)
    queued = [entry.fly(active.run._replace(cause="backfill", number=k, phase="queued")) for k in (1, 2)]

    assert store.first_queued(entry) is None
    store.save(entry, None, Step(entry.state), queued)
    assert store.first_queued(entry) == queued[0]


def test_a_task_with_another_rule_follows_that(store: Kept) -> None:
    entry = store.task("a", first=10)
    state = store.give_rule(entry, DAILY)

    assert entry.state == state
    assert store.due(now(10)) == []
    assert store.due(now(3600)) == [entry]
    assert entry.rule.occurrences.next_after(us(0), us(0)) == added(DAILY)[0].occurrences.next_after(us(0), us(0))


@memory_alone  # a store that outlives the scheduler has one time, the wall's
def test_what_repeats_follows_steady_time_and_a_calendar_the_wall(store: Kept) -> None:
    repeat, daily = store.task("repeat", first=10), store.task("daily", schedule=DAILY, first=20)

    assert store.due(Reading(us(15), us(5))) == []
    assert store.due(Reading(us(15), us(10))) == [repeat]
    assert store.until_next(Reading(us(15), us(25))) == 5_000_000
    assert store.due(Reading(us(20), us(0))) == [daily]


def test_a_task_without_a_next_occurrence_is_under_no_time(store: Kept) -> None:
    entry = store.task("a")
    store.due(now(0))
    store.save(entry, None, Step(State(AT, AT, None, task="a")))

    assert store.until_next(now(0)) is None


def test_a_task_with_jitter_is_due_when_its_jitter_is_over(store: Kept) -> None:
    entry = store.task("a", Policy(jitter=9 * SECOND))
    when = due_at(entry.rule, entry.state)
    assert when is not None
    assert when > AT

    assert store.until_next(now(0)) == when - AT
    assert store.due(Reading(when - 1, when - 1)) == []
    assert store.due(Reading(when, when)) == [entry]


def test_all_that_a_step_says_is_in_the_history_and_the_counts(store: Kept) -> None:
    entry = store.task("a", Policy(overlap="queue_all"))
    flight = store.start(entry)
    first, second = range_of("missed", 10, 20, 2), range_of("missed", 30, 30, 1)
    given_up = flight.run._replace(at=us(40), phase="ended", attempts=(Attempt(None, us(50), "cancelled", None),))

    store.save(entry, None, Step(entry.state, passed=(first,)))
    store.save(entry, None, Step(entry.state, passed=(second,), given_up=(given_up,)))
    step = ended(entry.rule, entry.state, flight.run, Attempt(AT, us(60), "failed", None), now(60))
    store.save(entry, flight, step)

    assert entry.history == [first, given_up, second, step.record]
    counts = {what: number for what, number in entry.counts().items() if number}
    assert counts == {"missed": 3, "cancelled": 1, "failed": 1}


def test_a_range_that_goes_on_is_one_record(store: Kept) -> None:
    entry = store.task("a")
    for first, last in ((10, 20), (30, 50)):
        passed = range_of("missed", first, last, (last - first) // 10 + 1)
        store.save(entry, None, Step(entry.state._replace(cursor=us(last)), passed=(passed,)))

    assert entry.history == [range_of("missed", 10, 50, 5)]


def test_a_range_of_the_schedule_before_gets_no_longer(store: Kept) -> None:
    entry = store.task("a")
    ranges = [range_of("missed", first, first, 1) for first in (10, 20, 30)]
    store.save(entry, None, Step(entry.state._replace(cursor=us(10)), passed=(ranges[0],)))
    fresh = store.give_rule(entry, GRID)
    for each in ranges[1:]:
        store.save(entry, None, Step(fresh._replace(cursor=each.last), passed=(each,)))

    assert entry.history == [ranges[0], range_of("missed", 20, 30, 2)]


@memory_alone  # what others keep as a whole is a turn, see test_shared_stores.py
def test_all_of_a_step_is_kept_or_nothing(store: Kept) -> None:
    entry = store.task("a")
    first = store.start(entry)
    over = ended(entry.rule, entry.state, first.run, Attempt(AT, us(1), "succeeded", None), now(1))
    store.save(entry, first, over)
    second = store.start(entry, 10)
    before = entry.state, list(entry.history or ()), store.in_flight, store.until_next(now(0)), second.run
    given_up = second.run._replace(attempts=(Attempt(None, us(2), "cancelled", None),), phase="ended")
    passed = (range_of("missed", 20, 50, 4),)
    step = over._replace(state=State(AT, us(50), us(60)), passed=passed, given_up=(given_up,), starts=())

    with pytest.raises(KeyError):  # the run was recorded before
        store.store.save(entry, first, step, (Flight(entry, second.run),), added(DAILY)[0])

    after = entry.state, list(entry.history or ()), store.in_flight, store.until_next(now(0)), second.run
    assert after == before
    assert first.record == over.record
