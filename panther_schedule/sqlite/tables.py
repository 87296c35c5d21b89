"""The rows of tasks and runs, as they are written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..planning.due import has_ended, is_cancelled
from ..planning.records import Run
from ..planning.rule import due_at
from .entries import StoredEntry, StoredFlight
from .file import File
from .rows import attempts_text, state_values


class Tables:
    """Writes the rows of a file."""

    def __init__(self, file: File) -> None:
        self._file = file

    def next_row(self, table: str) -> int:
        """Return the row that comes next in a table."""
        found = self._file.row("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        return 1 if found is None else int(found[0]) + 1

    def insert_task(self, new: StoredEntry) -> None:
        spec, rule, state = new.kept.spec, new.kept.rule, new.kept.state
        row = (new.id, new.named, new.name, new.source, *spec, due_at(rule, state), *state_values(state))
        columns = "id, named, name, source, func, spec, zone, due_at, anchor, cursor, next_at, handed, running, latest"
        self._file.run(f"INSERT INTO task ({columns}, held) VALUES ({', '.join('?' * len(row))})", row)

    def update_tasks(self, entries: Iterable[StoredEntry]) -> None:
        rows: list[Any] = []
        for entry in entries:
            seen, state = entry.kept, entry.kept.state
            flags = has_ended(seen.rule, state), is_cancelled(state)
            rows.append((due_at(seen.rule, state), *state_values(state), *flags, seen.era, seen.records, entry.id))
        self._file.run_each(
            "UPDATE task SET due_at = ?, anchor = ?, cursor = ?, next_at = ?, handed = ?, running = ?, latest = ?,"
            " held = ?, ended = ?, freed = ?, era = ?, records = ? WHERE id = ?",
            rows,
        )

    def is_claimed(self, task: int, era: int, at: int) -> bool:
        """Tell whether there is a scheduled run for this occurrence."""
        sql = "SELECT 1 FROM run WHERE task = ? AND era = ? AND at = ? AND cause = 'schedule'"
        return bool(self._file.rows(sql, (task, era, at)))

    def insert_run(
        self, task: int, era: int, run: Run, owner: int | None = None, now: int | None = None, *, seq: int | None = None
    ) -> int:
        """Keep a new run, handed over `now` if it has an owner, or a record of one that never began; return its row."""
        row = [task, era, run.cause, run.at, run.previous, run.number, attempts_text(run.attempts), run.phase]
        row += [run.asked, run.wake_at, owner, None if owner is None else now]
        columns = "task, era, cause, at, previous, number, attempts, phase, asked, wake_at, owner, taken_at"
        if seq is not None:
            last = run.attempts[-1]
            row, columns = [*row, seq, last.outcome, last.finished], f"{columns}, seq, outcome, finished_at"
        sql = f"INSERT INTO run ({columns}) VALUES ({', '.join('?' * len(row))})"
        return self._file.run(sql, row).lastrowid or 0

    def update_run(self, flight: StoredFlight, record: Run | None, seq: int, taken_at: int | None) -> None:
        """Keep what a run is from now on; with a record, that is the `seq`-th of its task."""
        run = flight.kept
        sql = "UPDATE run SET attempts = ?, phase = ?, asked = ?, wake_at = ?, owner = ?, taken_at = ?"
        values = [attempts_text(run.attempts), run.phase, run.asked, run.wake_at, flight.owner, taken_at]
        if record is not None:
            last = record.attempts[-1]
            sql, values = f"{sql}, outcome = ?, finished_at = ?, seq = ?", [*values, last.outcome, last.finished, seq]
        self._file.run(f"{sql} WHERE id = ?", (*values, flight.id))
