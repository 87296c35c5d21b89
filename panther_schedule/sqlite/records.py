"""What happened to the tasks of a file: the latest records, and the counts of all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from ..errors import SchedulerStateError
from ..planning.records import Passed, Record
from ..runtime.ledger import TASK_HISTORY, Counts, History, no_counts
from .file import File
from .rows import RUN, record_of

_MANY: Final = 50  # records of a task that are pruned at a time
_BATCH: Final = 500  # records that are pruned at a time
_PASSED: Final = "reason, first, last, number"
_NAME: Final = "(SELECT name FROM task WHERE task.id = task)"
_TOLD: Final = """
    SELECT outcome, count(*) FROM run WHERE outcome IS NOT NULL AND cause = 'schedule' {one} GROUP BY 1
    UNION ALL SELECT reason, sum(number) FROM passed WHERE true {one} GROUP BY 1
"""
_OLD_RUNS: Final = """
    id IN (SELECT id FROM (SELECT id, finished_at, phase FROM run ORDER BY id LIMIT ?)
           WHERE finished_at < ? AND phase = 'ended')
"""
_OLD_RANGES: Final = "id IN (SELECT id FROM (SELECT id, last FROM passed ORDER BY id LIMIT ?) WHERE last < ?)"
_LEFT: Final = """
    SELECT id, gone FROM (
      SELECT id, gone FROM task WHERE ended = 1 AND (named = 0 OR freed = 1) ORDER BY id LIMIT ?
    ) AS left WHERE NOT EXISTS (SELECT 1 FROM run WHERE run.task = left.id)
    AND NOT EXISTS (SELECT 1 FROM passed WHERE passed.task = left.id)
"""


class Records:
    """The records of one file."""

    def __init__(self, file: File, keep: int, most: int) -> None:
        self._file, self._keep, self._most = file, keep, most

    def latest(self, task: int, most: int = TASK_HISTORY) -> History:
        """Return the latest records of a task, oldest first."""
        return History(record for _task, record in self._latest("task = ?", (task,), "seq", "seq", most))

    def named(self, name: str | None, most: int) -> list[tuple[str, Record]]:
        """Return the latest records of the tasks that have or had a name, or of all, in the order of their time."""
        if name is None:
            return self._latest("true", (), "finished_at", "last", most)
        return self._latest("task IN (SELECT id FROM task WHERE name = ?)", (name,), "finished_at", "last", most)

    def _latest(
        self, where: str, values: Sequence[Any], of_run: str, of_range: str, most: int
    ) -> list[tuple[str, Record]]:
        """Return the latest records by these columns, oldest first, each after the name of its task."""
        tail, values = f"{where} ORDER BY 1 DESC, id DESC LIMIT ?", (*values, most)
        sql = f"SELECT {of_run}, {_NAME}, {RUN} FROM run WHERE outcome IS NOT NULL AND {tail}"
        runs = self._file.rows(sql, values)
        ranges = self._file.rows(f"SELECT {of_range}, {_NAME}, {_PASSED} FROM passed WHERE {tail}", values)
        found: list[tuple[int, str, Record]] = [(at, task, record_of(row, task)) for at, task, *row in runs]
        found += [(at, task, Passed(*row)) for at, task, *row in ranges]
        found.sort(key=lambda each: each[0])
        return [(task, record) for _at, task, record in found[-most:]]

    def of_task(self, task: int) -> Counts:
        """Count what happened to the occurrences of a task."""
        (gone,) = self._file.row("SELECT gone FROM task WHERE id = ?", (task,)) or (None,)
        rows = self._file.rows(_TOLD.format(one="AND task = ?"), (task, task))
        return _sums([*rows, *(json.loads(gone).items() if gone else ())])

    def of_all(self) -> Counts:
        """Count what happened to the occurrences of all tasks, and those in flight."""
        rows = self._file.rows(_TOLD.format(one=""))
        rows += self._file.rows("SELECT what, number FROM total")
        rows += self._file.rows(
            "SELECT key, sum(value) FROM task, json_each(task.gone) WHERE task.gone IS NOT NULL GROUP BY 1"
        )
        (flying,) = self._file.row(
            "SELECT coalesce(sum(running + coalesce(json_array_length(held, '$.waiting'), 0)), 0) FROM task"
        )
        return {**_sums(rows), "in_flight": flying}

    def add_range(self, task: int, era: int, passed: Passed, seq: int) -> None:
        sql = f"INSERT INTO passed (task, era, seq, {_PASSED}) VALUES (?, ?, ?, ?, ?, ?, ?)"
        self._file.run(sql, (task, era, seq, passed.reason, passed.first, passed.last, passed.count))

    def range_at(self, task: int, era: int, seq: int) -> Passed | None:
        """Return the range that is this record of a task, if that is one and of this era."""
        sql = f"SELECT {_PASSED} FROM passed WHERE task = ? AND seq = ? AND era = ?"
        row = self._file.row(sql, (task, seq, era))
        return None if row is None else Passed(*row)

    def lengthen(self, task: int, seq: int, longer: Passed) -> None:
        sql = "UPDATE passed SET last = ?, number = ? WHERE task = ? AND seq = ?"
        self._file.run(sql, (longer.last, longer.count, task, seq))

    # ---- pruning -------------------------------------------------------------------------------------------------

    def prune_task(self, task: int, before: int, records: int) -> None:
        """Forget the oldest records of a task that has too many, many at a time."""
        if records // _MANY != before // _MANY and records > self._most:
            self._forget("task = ? AND seq <= ?", (task, records - self._most))

    def prune_old(self, now: int) -> bool:
        """Forget some old records, and tasks that have left with their last one; tell whether there may be more.

        Only the first of each table are looked at: what is old lies there.
        """
        old = now - self._keep
        runs = self._forget_in("run", _OLD_RUNS, (_BATCH, old))
        ranges = self._forget_in("passed", _OLD_RANGES, (_BATCH, old))
        left = self._file.rows(_LEFT, (_BATCH,))
        for task, gone in left:
            for what, number in json.loads(gone).items() if gone else ():
                self._file.run(
                    "INSERT INTO total VALUES (?, ?) ON CONFLICT DO UPDATE SET number = number + excluded.number",
                    (what, number),
                )
            self._file.run("DELETE FROM task WHERE id = ?", (task,))
        return bool(runs or ranges or left)

    def _forget(self, where: str, values: Sequence[Any]) -> None:
        self._forget_in("run", f"{where} AND phase = 'ended'", values)
        self._forget_in("passed", where, values)

    def _forget_in(self, table: str, where: str, values: Sequence[Any]) -> int:
        """Delete records, and keep what they counted with their tasks; return how many there were."""
        counted = "outcome, CASE cause WHEN 'schedule' THEN 1 ELSE 0 END" if table == "run" else "reason, number"
        rows = self._file.rows(f"DELETE FROM {table} WHERE {where} RETURNING task, {counted}", values)
        by_task: dict[int, Counts] = {}
        for task, what, number in rows:
            counts = by_task.setdefault(task, {})
            counts[what] = counts.get(what, 0) + number
        for task, counts in by_task.items():
            (gone,) = self._file.row("SELECT gone FROM task WHERE id = ?", (task,))
            before: Counts = json.loads(gone) if gone else {}
            merged = {what: before.get(what, 0) + counts.get(what, 0) for what in {**before, **counts}}
            self._file.run("UPDATE task SET gone = ? WHERE id = ?", (json.dumps(merged), task))
        return len(rows)


def _sums(rows: Sequence[Any]) -> Counts:
    counts = no_counts()
    for what, number in rows:
        if what not in counts:
            raise SchedulerStateError(
                f"a record can't be read: {what!r} is no outcome; update panther-schedule, or put a backup in its place"
            )
        counts[what] += number
    return counts
