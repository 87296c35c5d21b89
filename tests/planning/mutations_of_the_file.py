"""Mutations of the methods of the store in a file.

Those without a check are caught by the model, in walks beside a file; the checks are the tests of the contract.
"""

# The wrong variants are lambdas, of whatever the real functions take.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import test_claims as claims
import test_pruning as pruning
import test_shared_stores as shared
import test_stores as stores
from contracts import contract
from mutations import Mutation, instead, of, then
from mutations_of_the_store import saved_without

from panther_schedule.sqlite import rows
from panther_schedule.sqlite.agenda import Agenda
from panther_schedule.sqlite.entries import Shelf
from panther_schedule.sqlite.file import File
from panther_schedule.sqlite.processes import Processes
from panther_schedule.sqlite.records import Records
from panther_schedule.sqlite.store import SQLite


def failing(at: int) -> Callable[[], None]:
    """Let each statement of a turn fail."""
    return contract(shared.test_a_turn_that_fails_anywhere_keeps_nothing_and_succeeds_when_done_again, at=at)


@contextmanager
def keeps_a_failed_turn(file: Any) -> Generator[None]:
    """Keep what was done until a turn failed."""
    file.run("BEGIN IMMEDIATE")
    file._turning = get_ident()
    try:
        yield
    finally:
        file.run("COMMIT")
        file._turning = 0


def saved_in_the_same_era(real: Any) -> Any:
    """Count no fresh start."""

    def save(store: Any, entry: Any, *given: Any) -> None:
        era = store.seen(entry).era
        real(store, entry, *given)
        entry.kept = entry.kept._replace(era=era)

    return save


def without_held(field: str) -> Any:
    """Forget one of the fields that delay runs."""
    return then(lambda fields, *_: {name: value for name, value in fields.items() if name != field})


def with_room(room: Any) -> Any:
    """Begin a turn with other room."""
    return of(lambda store, reading, given: (store, reading, room(given)))


def another_object(real: Any) -> Any:
    """Make a new object of a run each time."""

    def flight_of(shelf: Any, row: Any) -> Any:
        shelf._flights.pop(row[0], None)
        return real(shelf, row)

    return flight_of


def as_it_was_seen(shelf: Any, entry: Any) -> Any:
    """Look at a task once."""
    return entry.kept


def everybody_is_dead(processes: Any) -> list[int]:
    """Take every process for dead."""
    return [row[0] for row in processes._file.rows("SELECT id FROM process WHERE id != ?", (processes.me,))]


OF_THE_FILE: list[Mutation] = [
    Mutation("a record is not kept in the file", SQLite, "save", saved_without("record")),
    Mutation("a range is not kept in the file", SQLite, "save", saved_without("passed"), 1),
    Mutation("runs that are given up are not kept in the file", SQLite, "save", saved_without("given_up"), 10),
    Mutation("a run is not kept in the file", SQLite, "save", saved_without("run")),
    Mutation(
        "a run that starts is not kept",
        SQLite,
        "save",
        of(lambda store, entry, flight, step, *_: (store, entry, flight, step)),
    ),
    Mutation("a fresh start is none", SQLite, "save", saved_in_the_same_era, 20),
    Mutation(
        "what waited is of the present era",
        SQLite,
        "_era",
        instead(lambda _store, _task, era, *_: era),
        contract(claims.test_a_run_waits_from_a_time_that_comes_again),
    ),
    Mutation(
        "the last of a backfill comes first in the file",
        SQLite,
        "first_queued",
        instead(
            lambda store, entry: next((f for f in reversed(store.flights(entry)) if f.run.phase == "queued"), None)
        ),
        35,
    ),
    Mutation("a turn that failed is kept", File, "turn", instead(keeps_a_failed_turn), failing(9)),
    Mutation(
        "objects keep what a failed turn has made of them", SQLite, "_forget", instead(lambda _store: None), failing(9)
    ),
    Mutation("a process keeps the id of a failed turn", Processes, "take_back", instead(lambda *_: None), failing(0)),
    Mutation(
        "who was declared dead has a say",
        SQLite,
        "_fence",
        instead(lambda _store: None),
        contract(shared.test_it_takes_part_again_by_another_name),
    ),
    Mutation(
        "who was declared dead does not hear of it",
        Processes,
        "beat",
        then(lambda _alive, *_: True),
        contract(shared.test_it_takes_part_again_by_another_name),
    ),
    Mutation(
        "all others are dead",
        Processes,
        "dead",
        instead(everybody_is_dead),
        contract(shared.test_who_renews_its_lease_lives),
    ),
    Mutation("nobody is dead", Processes, "dead", instead(lambda _processes: []), 2),
    Mutation(
        "who was silent itself judges at once",
        Processes,
        "_is_dead",
        instead(lambda _processes, row, now: row[5] < now),
        contract(shared.test_who_was_silent_itself_judges_nobody_at_once),
    ),
    Mutation(
        "a task is as it was seen first",
        Shelf,
        "seen",
        instead(as_it_was_seen),
        contract(shared.test_what_one_does_another_sees),
    ),
    Mutation(
        "a run is as it was seen first",
        Shelf,
        "run_of",
        instead(lambda _shelf, flight: flight.kept),
        contract(shared.test_what_another_does_with_a_run_is_seen),
    ),
    Mutation(
        "a run is another object each time",
        Shelf,
        "flight_of",
        another_object,
        contract(shared.test_a_run_is_one_object_also_after_a_turn_that_failed),
    ),
    Mutation(
        "nobody sees that others have written",
        File,
        "version",
        instead(lambda _file: 0),
        contract(shared.test_what_one_does_another_sees),
    ),
    Mutation(
        "room is endless",
        SQLite,
        "turn",
        with_room(lambda room: None if room is None else 1000),
        contract(shared.test_no_more_sync_functions_start_than_there_is_room_for, room=1, started="ax"),
    ),
    Mutation(
        "who has no room has room",
        SQLite,
        "turn",
        with_room(lambda room: room or 1000),
        contract(shared.test_no_more_sync_functions_start_than_there_is_room_for, room=None, started=""),
    ),
    Mutation(
        "async functions need room",
        SQLite,
        "turn",
        with_room(lambda room: room or None),
        contract(shared.test_no_more_sync_functions_start_than_there_is_room_for, room=0, started="x"),
    ),
    Mutation(
        "a start without room is handed over",
        SQLite,
        "_takes",
        instead(lambda store, _task: store._room is not None),
        contract(shared.test_a_start_without_room_is_left_to_others),
    ),
    Mutation("no start is handed over", SQLite, "_takes", instead(lambda *_: False)),
    Mutation(
        "who has no room is woken for what is due",
        Agenda,
        "first",
        of(lambda agenda, me, room: (agenda, me, 1)),
        contract(shared.test_who_has_no_room_waits_for_nothing_but_its_own_runs),
    ),
    Mutation("the wait knows no timers in a file", Agenda, "first", of(lambda agenda, me, room: (agenda, 0, room))),
    Mutation("nothing is ready", Agenda, "ready", instead(lambda *_: [])),
    Mutation(
        "what is due comes in no order",
        Agenda,
        "due",
        then(lambda found, *_: found[::-1]),
        contract(stores.test_what_is_due_comes_by_time_then_in_the_order_of_adding),
    ),
    Mutation(
        "one task that is due in a file is lost",
        Agenda,
        "due",
        then(lambda found, *_: found[: max(1, len(found) - 1)]),
        18,
    ),
    Mutation("what waits is forgotten", rows, "_changed", without_held("waiting")),
    Mutation("a pause is forgotten", rows, "_changed", without_held("paused"), 1),
    Mutation("what lingers is forgotten", rows, "_changed", without_held("lingering"), 3),
    Mutation("a stop is forgotten", rows, "_changed", without_held("stopped"), 12),
    Mutation("a backfill is forgotten in the file", rows, "_changed", without_held("backfilling"), 35),
    Mutation("that what waits is late is forgotten", rows, "_changed", without_held("catching_up"), 20),
    Mutation("failures of a back-to-back task are forgotten", rows, "_changed", without_held("failures"), 23),
    Mutation(
        "errors are forgotten",
        rows,
        "attempts_text",
        of(lambda attempts: (tuple(each._replace(error=None) for each in attempts),)),
    ),
    Mutation("a policy is forgotten", rows, "under", instead(lambda rule, *_: rule)),
    Mutation(
        "nothing is pruned for its age",
        Records,
        "prune_old",
        instead(lambda *_: False),
        contract(pruning.test_old_records_go_and_their_counts_stay),
    ),
    Mutation(
        "nothing is pruned for its number",
        Records,
        "prune_task",
        instead(lambda *_: None),
        contract(pruning.test_a_task_keeps_its_latest_records_and_counts_all),
    ),
]
