"""Quick checks of what is kept, and how: bounds, order, names. As those in `checks.py`."""

from __future__ import annotations

import threading

from checks import SECOND, START, scheduling, seconds
from pair import nothing
from tables import AT, DAILY, GRID, S, added, finished, now, us

from panther_schedule import BackgroundTask, Policy, Retry, Run
from panther_schedule.clock import Reading
from panther_schedule.planning.records import Attempt
from panther_schedule.planning.records import Run as Flown
from panther_schedule.planning.state import Step
from panther_schedule.runtime.engine import Engine
from panther_schedule.runtime.entries import Entry
from panther_schedule.runtime.ledger import WHOLE_HISTORY, History, Ledger
from panther_schedule.runtime.memory import Memory
from panther_schedule.runtime.names import MemoryNames
from panther_schedule.runtime.timetable import Timetable


def history_is_bounded() -> None:
    """A task has its latest 20 records, and counts all."""
    with scheduling() as (scheduler, _clock):
        handle = scheduler.add_task(BackgroundTask(nothing).interval(30).interval_wait(SECOND))
        handle.join()
        assert [run.scheduled_at for run in handle.runs if isinstance(run, Run)] == [
            START + k * SECOND for k in range(10, 30)
        ]
        assert handle.counts["succeeded"] == 30


def all_histories_are_bounded() -> None:
    """The oldest records go first when there are too many in all."""
    ledger, histories = Ledger(), [History() for _ in range(WHOLE_HISTORY + 5)]
    record = Flown("task", AT, None, attempts=(Attempt(AT, AT, "succeeded", None),), phase="ended")
    for history in histories:
        ledger.record(history, record)
    assert [len(history) for history in histories] == [0] * 5 + [1] * WHOLE_HISTORY
    assert ledger.counts["succeeded"] == WHOLE_HISTORY + 5


class Item:
    """What a timetable keeps."""

    place: tuple[int, int, Item] | None = None


def timetable_is_compact() -> None:
    """A timetable does not keep the places that items have left."""
    table, items = Timetable[Item](), [Item() for _ in range(5)]
    for at in range(1000):
        table.move(items[at % 5], at, 0)
    assert len(table) <= 10


def timetable_in_order() -> None:
    """What is due is taken by time, then in the order of adding, and no more than asked for."""
    table, items = Timetable[Item](), [Item() for _ in range(6)]
    for order, at in enumerate([5, 3, 5, 3, 9, 3]):
        table.move(items[order], at, order)
    assert [items.index(item) for item in table.take(8, 4)] == [1, 3, 5, 0]
    assert [items.index(item) for item in table.take(8, 4)] == [2]


def places_of_replaced() -> None:
    """A task that gets another clock is waited for by that one only."""
    (daily, wall), (repeat, steady) = added(DAILY), added(GRID)
    store, entry = Memory(), Entry("task", BackgroundTask(nothing), daily, wall, 1)
    store.add(entry, now(0))
    assert store.until_next(now(0)) == 3600 * S
    store.save(entry, None, Step(steady._replace(next_at=us(7200))), rule=repeat)
    assert store.until_next(now(0)) == 7200 * S


def engine_of(task: BackgroundTask[..., object], policy: Policy) -> tuple[Engine, Entry]:
    """Give an engine with a store in memory, and a task that was added at AT."""
    known, state = added(GRID, policy)
    engine, entry = Engine(Memory(), MemoryNames(threading.RLock())), Entry("task", task, known, state, 1)
    engine.add(entry, Reading(AT, AT))
    return engine, entry


def timers_leave() -> None:
    """Nothing waits for the timeout of a run that has ended."""
    engine, entry = engine_of(BackgroundTask(nothing), Policy(timeout=5 * SECOND))
    assert engine.store.due(now(0), 1) == [entry]
    engine.plan(entry, now(0))
    (flight,) = engine.starts
    engine.begin(flight, AT, now(0))
    assert engine.store.until_next(now(0)) == 5 * S
    flight.attempt = finished("succeeded", 1)
    engine.end(flight, now(1))
    assert engine.store.until_next(now(1)) == 9 * S


def looked_at_first() -> None:
    """What is due is decided before a task is paused."""
    engine, entry = engine_of(BackgroundTask(nothing), Policy())
    engine.pause(entry, "", now(35))
    assert entry.state.running == 1
    assert entry.state.cursor == us(30)
    assert [flight.run.at for flight in engine.starts] == [us(30)]


def cancelled_while_it_ends() -> None:
    """A run that fails when its cancel is on its way is not tried again."""
    engine, entry = engine_of(BackgroundTask(nothing), Policy(retry=Retry(3)))
    engine.plan(entry, now(0))
    (flight,) = engine.starts
    flight.asked, flight.attempt = True, finished("failed", 1, OSError())
    engine.end(flight, now(1))
    assert flight.record is not None


def names() -> None:
    """An unnamed task leaves with its end, a named one stays, and a cancelled one frees its name."""
    with scheduling() as (scheduler, clock):
        unnamed = scheduler.add_task(BackgroundTask(nothing))
        named = scheduler.add_task(BackgroundTask(nothing).with_name("named"))
        going = scheduler.add_task(BackgroundTask(nothing).interval(-1).interval_wait(SECOND).with_name("going"))
        clock.advance(SECOND)
        assert [handle.name for handle in scheduler] == ["named", "going"]
        assert unnamed.name not in scheduler
        assert scheduler["named"] == named
        going.cancel()
        assert [handle.name for handle in scheduler] == ["named"]


def joined() -> None:
    """`join()` waits until all tasks have ended, and no longer."""
    with scheduling() as (scheduler, clock):
        handle = scheduler.add_task(BackgroundTask(nothing).interval(3).interval_wait(SECOND))
        assert scheduler.join(60 * SECOND)
        assert handle.counts["succeeded"] == 3
        assert seconds(clock) == 2
