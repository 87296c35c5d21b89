"""Mutations of the statements that the store in a file makes: each says something else in one place.

Those without a check are caught by the model, in walks beside a file; the checks are the tests of the contract.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
import test_claims as claims
import test_pruning as pruning
import test_shared_stores as shared
import test_stores as stores
from contracts import contract
from scene import Scheduler

from panther_schedule import Once
from panther_schedule.sqlite.file import File


class WrongSQL(NamedTuple):
    """A part of a statement that says something else."""

    name: str
    right: str
    wrong: str
    caught_by: int | Callable[[], None] = 0

    def apply(self, patch: pytest.MonkeyPatch) -> None:
        """Let every statement with this part be wrong."""
        for verb in ("run", "run_each", "rows"):
            real = getattr(File, verb)

            def wrong(file: File, sql: str, *values: Any, real: Any = real) -> Any:
                return real(file, sql.replace(self.right, self.wrong), *values)

            patch.setattr(File, verb, wrong)


def names_are_free() -> None:
    """A cancelled task frees its name, and only that."""
    with TemporaryDirectory() as folder:
        one = Scheduler(Path(folder))
        one.turn(0, one.add("a", Once()), one.add("b"))
        one.turn(1, one.end("a"), lambda reading: one.engine.cancel(one.task("b"), True, reading))
        assert [entry.name for entry in one.names] == ["a"]
        one.turn(2, one.add("b"))
        assert [entry.name for entry in one.names] == ["a", "b"]


OF_SQL: list[WrongSQL] = [
    WrongSQL("a due time stays what it was", "SET due_at = ?", "SET due_at = coalesce(due_at, ?)"),
    WrongSQL("a cursor stays what it was", "cursor = ?", "cursor = coalesce(cursor, ?)", 3),
    WrongSQL("an anchor stays what it was", "anchor = ?,", "anchor = coalesce(anchor, ?),", 10),
    WrongSQL("runs are not counted towards n", "handed = ?", "handed = handed + 0 * ?", 18),
    WrongSQL("runs without an outcome are not counted", "running = ?", "running = running + 0 * ?"),
    WrongSQL("what is held stays held", "held = ?", "held = coalesce(?, held)"),
    WrongSQL("a task does not end", "ended = ?", "ended = 0 * ?", 38),
    WrongSQL("a cancelled task keeps its name in the file", "freed = ?", "freed = 0 * ?", names_are_free),
    WrongSQL("an era does not end", "era = ?, records", "era = 0 * ?, records", 20),
    WrongSQL("another spec is not kept", "zone = ? WHERE id = ?", "zone = ? WHERE id = -?", 10),
    WrongSQL("earlier attempts are forgotten", "SET attempts = ?", "SET attempts = iif(1, '[]', ?)"),
    WrongSQL("that a run was asked is forgotten", "asked = ?, wake_at", "asked = 0 * ?, wake_at", 35),
    WrongSQL("a timer stays when it is over", "wake_at = ?, owner", "wake_at = coalesce(?, wake_at), owner"),
    WrongSQL("a run keeps its owner", "owner = ?, taken_at = ?", "owner = coalesce(?, owner), taken_at = ?", 13),
    WrongSQL("when a run was handed over is forgotten", "taken_at = ?", "taken_at = coalesce(taken_at, ?)", 23),
    WrongSQL("every run succeeds", "outcome = ?", "outcome = iif(1, 'succeeded', ?)"),
    WrongSQL(
        "the runs of a task are those of all later ones, too",
        "WHERE task = ? AND seq IS",
        "WHERE task >= ? AND seq IS",
        1,
    ),
    WrongSQL("a run is recorded under an older number", "seq = ?", "seq = max(1, ? - 1)", 1),
    WrongSQL(
        "the timers of others are taken",
        "WHERE owner = ? AND wake_at <= ?",
        "WHERE owner > 0 * ? AND wake_at <= ?",
        contract(shared.test_a_timeout_is_seen_to_by_who_has_the_run),
    ),
    WrongSQL("timers come in no order", "ORDER BY wake_at, id", "ORDER BY -wake_at, -id", 32),
    WrongSQL("a timer is late by one look", "wake_at <= ?", "wake_at < ?"),
    WrongSQL(
        "runs that others have are taken",
        "AND run.owner IS NULL",
        "AND run.owner IS NOT 0",
        contract(shared.test_a_timeout_is_seen_to_by_who_has_the_run),
    ),
    WrongSQL("an attempt rests no longer than it must", "run.wake_at <= ?", "run.wake_at >= 0 * ?"),
    WrongSQL("what is due now is due later", "due_at <= ?", "due_at < ?"),
    WrongSQL(
        "the latest of several due tasks come first",
        "ORDER BY due_at LIMIT ?",
        "ORDER BY -due_at LIMIT ?",
        contract(stores.test_what_is_due_comes_by_time_then_in_the_order_of_adding),
    ),
    WrongSQL(
        "a dead process has no runs",
        "owner = ? ORDER BY id",
        "owner = -? ORDER BY id",
        contract(shared.test_what_a_dead_one_had_is_lost_and_runs_again),
    ),
    WrongSQL(
        "a dead process stays",
        "DELETE FROM process WHERE id = ?",
        "DELETE FROM process WHERE id = -?",
        contract(shared.test_what_a_dead_one_had_is_lost_and_runs_again),
    ),
    WrongSQL(
        "no lease is renewed",
        "SET lease_until = ?",
        "SET lease_until = lease_until + 0 * ?",
        contract(shared.test_who_renews_its_lease_lives),
    ),
    WrongSQL(
        "nobody hears that others have asked",
        "AND asked = 1",
        "AND asked = 2",
        contract(shared.test_a_run_is_asked_to_end_by_another_once),
    ),
    WrongSQL("no task is found that a clock has carried ahead", "coalesce(cursor, anchor) > ?", "cursor < 0 * ?", 3),
    WrongSQL(
        "a history has the oldest records",
        "ORDER BY 1 DESC, id DESC LIMIT ?",
        "ORDER BY 1, id LIMIT ?",
        contract(pruning.test_a_task_keeps_its_latest_records_and_counts_all),
    ),
    WrongSQL("manual runs are counted in the file", "IS NOT NULL AND cause = 'schedule'", "IS NOT NULL"),
    WrongSQL("a range is counted as one occurrence", "sum(number)", "count(*)", 1),
    WrongSQL("a range of the schedule before gets longer", "seq = ? AND era = ?", "seq = ? AND era >= 0 * ?", 20),
    WrongSQL("a longer range is counted as before", "number = ? WHERE task", "number = number + 0 * ? WHERE task", 1),
    WrongSQL("a range does not get longer", "SET last = ?", "SET last = last + 0 * ?", 1),
    WrongSQL(
        "claims are not looked at",
        "era = ? AND at = ?",
        "era = ? AND at = -?",
        contract(claims.test_instants_come_again_and_again),
    ),
    WrongSQL(
        "what is pruned is forgotten",
        "SET gone = ?",
        "SET gone = iif(1, NULL, ?)",
        contract(pruning.test_old_records_go_and_their_counts_stay),
    ),
    WrongSQL(
        "runs in flight are pruned",
        "AND phase = 'ended'",
        "AND phase != 'queued'",
        contract(pruning.test_a_run_that_goes_on_is_kept_however_old_it_is),
    ),
    WrongSQL(
        "more is pruned than must be",
        "AND seq <= ?",
        "AND seq <= ? + 9",
        contract(pruning.test_a_task_keeps_its_latest_records_and_counts_all),
    ),
    WrongSQL(
        "pruned manual runs are counted",
        "CASE cause WHEN 'schedule' THEN 1 ELSE 0 END",
        "1",
        contract(pruning.test_what_claims_no_occurrence_is_not_counted_when_it_goes),
    ),
    WrongSQL(
        "a total counts the last task only",
        "number + excluded.number",
        "excluded.number",
        contract(pruning.test_a_task_that_has_left_goes_with_its_last_record),
    ),
    WrongSQL(
        "named tasks leave when they are pruned",
        "(named = 0 OR freed = 1)",
        "(named >= 0 OR freed = 1)",
        contract(pruning.test_a_task_that_has_left_goes_with_its_last_record),
    ),
]
