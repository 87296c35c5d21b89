"""Mutations of what keeps the decisions and carries them out: the store, the ledger, the engine, the names."""

# The wrong variants are lambdas, of whatever the real functions take.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import checks
import checks_of_the_store as kept
from mutations import Mutation, instead, of, then

from panther_schedule.planning.records import Run
from panther_schedule.planning.state import Step
from panther_schedule.runtime import ledger, loop
from panther_schedule.runtime.engine import Engine
from panther_schedule.runtime.ledger import History, Ledger
from panther_schedule.runtime.memory import Memory
from panther_schedule.runtime.names import MemoryNames
from panther_schedule.runtime.timetable import Timetable


def saved_without(*fields: str) -> Any:
    """Keep a step without some of what it says."""
    empty = Step(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - only its defaults are taken
    nothing = {field: getattr(empty, field) for field in fields}
    return of(lambda store, entry, flight, step, *starts: (store, entry, flight, step._replace(**nothing), *starts))


def keeps_the_timer(real: Any) -> Any:
    """Let the timer of an attempt that has ended stay."""

    def save(store: Any, entry: Any, flight: Any, step: Step, *starts: Any) -> None:
        before = None if flight is None else flight.place
        real(store, entry, flight, step, *starts)
        if flight is not None and before is not None and flight.place is None:
            store._timers.move(flight, before[0], store._timer())

    return save


def loses_the_place(real: Any) -> Any:
    """Keep a task under no time after a step about it."""

    def save(store: Any, entry: Any, *rest: Any) -> None:
        real(store, entry, *rest)
        if entry.place is not None:
            store._timetable(entry).remove(entry)

    return save


def keeps_the_old_place(real: Any) -> Any:
    """Give a task another rule, and let it stay where it is waited for."""

    def save(store: Any, entry: Any, flight: Any, step: Step, starts: Any = (), rule: Any = None) -> None:
        entry.rule = rule or entry.rule
        real(store, entry, flight, step, starts)

    return save


def unasked(_none: None, engine: Any, *_: object) -> None:
    """Take back that runs were asked to end."""
    for flight in engine.asked:
        flight.asked = False


def takes_stale_places(timetable: Any, now: int, limit: int | None = None) -> list[Any]:
    """Take out whatever has a place, whether it counts or not."""
    found = [place for place in sorted(timetable._heap, key=lambda place: place[:2]) if place[0] <= now][:limit]
    timetable._heap = sorted((place for place in timetable._heap if place not in found), key=lambda place: place[:2])
    for _at, _order, item in found:
        item.place = None
    return [item for _at, _order, item in found]


def never_compact(timetable: Any, item: Any) -> None:
    """Leave a stale place where it is, for ever."""
    item.place = None


def keeps_what_moved(timetable: Any, item: Any) -> None:
    """Let only the old places of items go that have none by now."""
    item.place = None
    timetable._stale += 1
    if timetable._stale * 2 > len(timetable._heap):
        timetable._heap = sorted((place for place in timetable._heap if place[2].place), key=lambda place: place[:2])
        timetable._stale = 0


def records_first(book: Any, history: History, record: Any) -> None:
    """Put the newest record before the older ones."""
    ledger.count(book.counts, record)
    history.insert(0, record)


def keeps_all(book: Any, history: History, record: Any) -> None:
    """Let no record go."""
    ledger.count(book.counts, record)
    history.append(record)


def forgets_the_counts(history: History) -> None:
    """Let the oldest record go, with what it counted."""
    history.pop(0)


def lengthens_uncounted(_book: Any, history: History, longer: Any, _by: Any) -> None:
    """Put a longer range in the place of the latest record, and count nothing."""
    history[-1] = longer


def counts_all_causes(real: Any) -> Any:
    """Count manual and backfill runs, which claim no occurrence."""
    return lambda counts, record: real(counts, record._replace(cause="schedule") if isinstance(record, Run) else record)


def keeps_twenty(book: Any, history: History, record: Any) -> None:
    """Bound the history of each task only."""
    keeps_all(book, history, record)
    if len(history) > ledger.TASK_HISTORY:
        ledger._forget(history)


def last_queued(store: Any, entry: Any) -> Any:
    """Find the queued run that comes last."""
    queued = [flight for flight in store.in_flight if flight.entry is entry and flight.run.phase == "queued"]
    return queued[-1] if queued else None


def wait_without_timers(real: Any) -> Any:
    """Wait for tasks only."""

    def until_next(store: Any, reading: Any) -> int | None:
        timers, store._timers = store._timers, Timetable()
        found: int | None = real(store, reading)
        store._timers = timers
        return found

    return until_next


def ends_unasked(real: Any) -> Any:
    """Forget that a run was asked while its function ended."""

    def end(engine: Any, flight: Any, reading: Any) -> None:
        flight.asked = flight.run.asked
        real(engine, flight, reading)

    return end


def not_live(_none: None, engine: Any, *_: Any) -> None:
    """Do not count a task that was added."""
    engine.live -= 1


def always_live(real: Any) -> Any:
    """Count a task as one that has not ended, for ever."""

    def do(engine: Any, *given: Any) -> None:
        live = engine.live
        real(engine, *given)
        engine.live = max(live, engine.live)

    return do


OF_THE_STORE = [
    Mutation("a record is forgotten", Memory, "save", saved_without("record")),
    Mutation("a range is forgotten", Memory, "save", saved_without("passed")),
    Mutation("runs that are given up are forgotten", Memory, "save", saved_without("given_up"), 40),
    Mutation("a run is not kept", Memory, "save", saved_without("run")),
    Mutation(
        "a run that starts is not in flight",
        Memory,
        "save",
        of(lambda store, entry, flight, step, *_: (store, entry, flight, step)),
    ),
    Mutation("a task loses its place", Memory, "save", loses_the_place),
    Mutation("the timers of what has ended stay", Memory, "save", keeps_the_timer, kept.timers_leave),
    Mutation("the last of a backfill comes first", Memory, "first_queued", instead(last_queued)),
    Mutation(
        "the runs of a task are those of all", Memory, "flights", instead(lambda store, _entry: list(store.in_flight))
    ),
    Mutation("no run of a task is found", Memory, "flights", instead(lambda _store, _entry: [])),
    Mutation("one task that is due is lost", Memory, "due", then(lambda found, *_: found[: max(1, len(found) - 1)])),
    Mutation(
        "timers follow the clock that is ahead",
        Memory,
        "timers",
        of(lambda store, reading: (store, reading._replace(steady=max(reading)))),
    ),
    Mutation("the wait knows no timers", Memory, "until_next", wait_without_timers),
    Mutation(
        "a replaced task stays under its old time",
        Memory,
        "save",
        keeps_the_old_place,
        kept.places_of_replaced,
    ),
    Mutation("stale places are taken", Timetable, "take", instead(takes_stale_places)),
    Mutation(
        "stale places stay for ever",
        Timetable,
        "remove",
        instead(never_compact),
        kept.timetable_is_compact,
    ),
    Mutation(
        "the places that items had before stay",
        Timetable,
        "remove",
        instead(keeps_what_moved),
        kept.timetable_is_compact,
    ),
    Mutation(
        "a timetable knows no limit",
        Timetable,
        "take",
        of(lambda table, now, _limit: (table, now, 1 << 30)),
        kept.timetable_in_order,
    ),
    Mutation(
        "the order of equal times is lost",
        Timetable,
        "move",
        of(lambda table, item, at, order: (table, item, at, -order)),
        kept.timetable_in_order,
    ),
    Mutation("a history has no bound", Ledger, "record", instead(keeps_all), kept.history_is_bounded),
    Mutation(
        "all histories have no bound",
        Ledger,
        "record",
        instead(keeps_twenty),
        kept.all_histories_are_bounded,
    ),
    Mutation("the newest record is the first", Ledger, "record", instead(records_first)),
    Mutation(
        "the last record of a task is not counted",
        Ledger,
        "record_last",
        instead(lambda _book, history, record: history.append(record)),
    ),
    Mutation("a longer range is not counted", Ledger, "lengthen", instead(lengthens_uncounted)),
    Mutation(
        "old records take their counts along",
        ledger,
        "_forget",
        instead(forgets_the_counts),
        kept.history_is_bounded,
    ),
    Mutation("manual runs are counted", ledger, "count", counts_all_causes),
]
OF_THE_ENGINE = [
    Mutation(
        "nothing is looked at before a change",
        Engine,
        "_look",
        instead(lambda *_: None),
        kept.looked_at_first,
    ),
    Mutation(
        "a run that is not active is handed over",
        Engine,
        "ask",
        then(lambda _none, engine, flight, *_: engine.starts.append(flight)),
    ),
    Mutation("a cancel on its way is forgotten", Engine, "end", ends_unasked, kept.cancelled_while_it_ends),
    Mutation(
        "nobody hears of it when asked",
        Engine,
        "wake",
        then(lambda _none, engine, *_: engine.asked.clear()),
        checks.asked_by_a_timeout,
    ),
    Mutation(
        "nobody hears of it when abandoned",
        Engine,
        "end_drain",
        then(unasked),
        checks.asked_when_abandoned,
    ),
    Mutation("names are kept after the end", MemoryNames, "leave", instead(lambda *_: None), kept.names),
    Mutation(
        "named tasks leave with their end",
        MemoryNames,
        "leave",
        instead(lambda names, entry: names.free(entry)),
        kept.names,
    ),
    Mutation("a cancelled task keeps its name", MemoryNames, "free", instead(lambda *_: None), kept.names),
    Mutation(
        "runs start in the order of adding",
        loop,
        "_order",
        instead(lambda flight: flight.entry.order),
        checks.order_of_starts,
    ),
    Mutation("a task that was added is not waited for", Engine, "add", then(not_live), kept.joined),
    Mutation("a task that has ended is waited for", Engine, "_do", always_live, kept.joined),
]
