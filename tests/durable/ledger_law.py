"""The law of the ledger in a file, by SQL and arithmetic: it imports nothing of what it judges.

It knows tasks on a grid, `Repeat(n, wait)`, and tasks that run back to back. What the functions themselves wrote
down, a line at the beginning and at the end of each call, is compared with what was recorded of them.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

Row: TypeAlias = dict[str, Any]
MOST_LOST = 3
REASONS = ("missed", "skipped_overlap", "skipped_paused")


class Span(NamedTuple):
    """The occurrences that one record covers, or a run without an outcome, or a wait for one."""

    first: int
    last: int
    number: int


class Task:
    """A task as it lies in the file, with its records and its runs in flight."""

    def __init__(self, row: Row, runs: list[Row], passed: list[Row]) -> None:
        self.row, self.runs, self.passed = row, runs, passed
        spec = json.loads(row["spec"])
        self.name: str = row["name"]
        self.wait = _microseconds(spec["schedule"].get("wait", "PT0S"))
        self.n: int = spec["schedule"]["n"]
        self.at_most_once = spec.get("policy", {}).get("on_lost") == "record"
        self.waiting: list[int] = json.loads(row["held"] or "{}").get("waiting", [])
        self.gone: Counter[str] = Counter(json.loads(row["gone"] or "{}"))
        self.scheduled = [run for run in runs if run["cause"] == "schedule"]

    def spans(self, era: int) -> list[Span]:
        """List what its records of one era cover, in order of time."""
        found = [Span(run["at"], run["at"], 1) for run in self.scheduled if run["era"] == era]
        found += [Span(row["first"], row["last"], row["number"]) for row in self.passed if row["era"] == era]
        cursor, present = self.row["cursor"], self.row["era"]
        for at in self.waiting:  # those of a clock that was ahead are beyond the cursor
            is_of_before = cursor is None or at > cursor
            found += [Span(at, at, 1)] if era == present - is_of_before else []
        return sorted(found)

    def due(self) -> int:
        """Count the occurrences from the anchor to the cursor; without a grid, each run is one."""
        if not self.wait:
            return int(self.row["handed"])
        cursor: int | None = self.row["cursor"]
        first = (
            self.row["anchor"]
            if self.row["era"] == 0
            else min((span.first for span in self.spans(self.row["era"])), default=0)
        )
        return 0 if cursor is None else (cursor - first) // self.wait + 1

    def faults(self) -> Iterator[str]:
        """Say where the law does not hold for it."""
        yield from self._counts()
        for run in self.runs:
            yield from _faults_of_run(run)
        covered = sum(span.number for span in self.spans(0)) + self.gone.total()
        if self.wait and self.row["era"] == 0 and covered != self.due():
            yield f"{self.due()} occurrences, but {covered} in its records"
        for era in range(self.row["era"] + 1) if self.wait else ():
            yield from self._grid(era, self.spans(era))

    def _counts(self) -> Iterator[str]:
        running = sum(run["outcome"] is None for run in self.scheduled)
        if running != self.row["running"]:
            yield f"{self.row['running']} running, but {running} scheduled runs have no outcome"
        handed = len(self.scheduled) + sum(number for what, number in self.gone.items() if what not in REASONS)
        if handed != self.row["handed"]:
            yield f"{self.row['handed']} handed over, but {handed} scheduled runs"
        if self.n >= 0 and (self.row["handed"] > self.n or (self.row["ended"] and self.row["handed"] != self.n)):
            yield f"{self.row['handed']} handed over of {self.n}, ended={self.row['ended']}"
        numbers = sorted(row["seq"] for row in (*self.runs, *self.passed) if row["seq"] is not None)
        expected = range(1, self.row["records"] + 1)
        if len(set(numbers)) != len(numbers) or not (
            set(numbers) <= set(expected) if self.gone else numbers == [*expected]
        ):
            yield f"{self.row['records']} records counted, but these are there: {numbers}"

    def _grid(self, era: int, spans: list[Span]) -> Iterator[str]:
        """Lay the records along the grid, one after the other; where some were pruned, only none on another."""
        is_present = era == self.row["era"]
        anchor, cursor = self.row["anchor"], self.row["cursor"]
        if is_present and spans and not self.gone:
            if self.row["next_at"] not in {None, spans[-1].last + self.wait}:
                yield f"the next occurrence, {self.row['next_at']}, does not follow {spans[-1]}"
            if spans[-1].last != cursor:
                yield f"the cursor {cursor} is not at the end of the last record {spans[-1]}"
            if (spans[0].first - anchor) not in ({0} if era == 0 else {0, self.wait}):
                yield f"the first record {spans[0]} does not begin at the anchor {anchor}"
        if is_present and not spans and cursor is not None and not self.gone:
            yield f"the cursor is at {cursor}, but there is no record"
        for span in spans:
            number, rest = divmod(span.last - span.first, self.wait)
            if rest or number + 1 != span.number:
                yield f"{span} does not cover {span.number} occurrences"
        for one, other in pairwise(spans):
            if other.first != one.last + self.wait and not (self.gone and other.first > one.last):
                yield f"{other} does not follow {one} on the grid, in era {era}"


def _faults_of_run(run: Row) -> Iterator[str]:
    attempts, outcome = json.loads(run["attempts"]), run["outcome"]
    lost = sum(attempt[2] == "lost" for attempt in attempts)
    what = f"run {run['id']} at {run['at']} ({run['phase']}, {outcome}, {attempts})"
    if any(attempt[0] is not None and attempt[0] > attempt[1] for attempt in attempts):
        yield f"{what} began after its end"
    if outcome is None:
        if run["phase"] in {"ended", "lingering"} or lost >= MOST_LOST:
            yield f"{what} needs an outcome"
        return
    if run["phase"] not in {"ended", "lingering"} or (run["phase"] == "ended" and run["owner"] is not None):
        yield f"{what} has an outcome, and goes on"
    if not attempts or attempts[-1][2] != outcome or attempts[-1][1] != run["finished_at"]:
        yield f"{what} did not end as its last attempt"
    if lost > MOST_LOST or run["seq"] is None:
        yield f"{what} has {lost} lost attempts, and the number {run['seq']}"


class Ledger:
    """The tables of a file, read in one transaction; nothing is written, and what is to be recovered is left so."""

    def __init__(self, file: Path) -> None:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, isolation_level=None, timeout=60)) as db:
            db.row_factory = lambda cursor, row: {column[0]: row[at] for at, column in enumerate(cursor.description)}
            db.execute("BEGIN")
            self.broken: list[str] = [row["integrity_check"] for row in db.execute("PRAGMA integrity_check")]
            self.broken += [f"foreign key: {row}" for row in db.execute("PRAGMA foreign_key_check")]
            tables = {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in ("task", "run", "passed")}  # noqa: S608 - names of tables
            self.processes: set[int] = {row["id"] for row in db.execute("SELECT id FROM process")}
        runs, passed = _by_task(tables["run"]), _by_task(tables["passed"])
        self.tasks = [Task(row, runs.pop(row["id"], []), passed.pop(row["id"], [])) for row in tables["task"]]
        self.strays = [*runs, *passed]

    def faults(self) -> list[str]:
        """Say where the law does not hold."""
        found = [f"integrity: {line}" for line in self.broken if line != "ok"]
        found += [f"records of no task {task}" for task in self.strays]
        for task in self.tasks:
            found += [f"{task.name}: {fault}" for fault in task.faults()]
            owners = {run["owner"] for run in task.runs} - {None} - self.processes
            found += [f"{task.name}: a run belongs to no process: {owner}" for owner in owners]
        return found

    def account(self) -> Counter[str]:
        """Count what became of all occurrences."""
        counted: Counter[str] = Counter()
        for task in self.tasks:
            counted["due"] += task.due()
            counted["other runs"] += len(task.runs) - len(task.scheduled)
            counted["waiting"] += len(task.waiting)
            counted += task.gone
            counted.update(run["outcome"] or "in flight" for run in task.scheduled)
            for run in task.runs:
                lost = sum(attempt[2] == "lost" for attempt in json.loads(run["attempts"]))
                counted["lost attempts"] += lost
                counted["runs with a lost attempt"] += lost > 0
            for row in task.passed:
                counted[row["reason"]] += row["number"]
        return counted


class Call(NamedTuple):
    """One call of a function, as it wrote it down."""

    process: str
    begun: int
    ended: bool


class Calls:
    """What the functions wrote: "begun RUN ATTEMPT PROCESS MOMENT", and "ended" with the same."""

    def __init__(self, log: Path) -> None:
        lines = [line.split() for line in log.read_text().splitlines()]
        ended = {(run, int(attempt), process) for what, run, attempt, process, _ in _long(lines) if what == "ended"}
        self.of: dict[str, dict[int, Call]] = {}
        self.twice: list[str] = []
        for what, run, attempt, process, moment in _long(lines):
            if what == "begun":
                known, number = self.of.setdefault(run, {}), int(attempt)
                if number in known:
                    self.twice.append(f"attempt {number} of {run} began twice")
                known[number] = Call(process, int(moment), (run, number, process) in ended)

    def faults(self, ledger: Ledger) -> list[str]:
        """Say where the functions tell another story than the records, which must have been read before."""
        found = list(self.twice)
        unknown = set(self.of)
        pruned = any(task.gone for task in ledger.tasks)
        for task in ledger.tasks:
            for run in task.runs:
                unknown.discard(id_of(task, run))
                found += self._faults_of(task, run)
        if not pruned:
            found += [f"{run} ran, and is in no record" for run in sorted(unknown)]
        return found

    def _faults_of(self, task: Task, run: Row) -> Iterator[str]:
        id_ = id_of(task, run)
        calls, attempts = self.of.get(id_, {}), json.loads(run["attempts"])
        if calls and max(calls) > len(attempts) + (run["outcome"] is None):
            yield f"{id_} began again after its outcome, or without a lost attempt: {calls}, {attempts}"
        for number, (_, finished, outcome, _) in enumerate(attempts, 1):
            call = calls.get(number)
            if outcome in {"succeeded", "failed"} and (call is None or not call.ended or call.begun > finished):
                yield f"attempt {number} of {id_} {outcome}, but its function did not end: {call}"
        if task.at_most_once and len(calls) > 1:
            yield f"{id_} began {len(calls)} times, with on_lost='record'"

    def account(self, ledger: Ledger) -> Counter[str]:
        """Count the calls, and those that were made again since an attempt was lost."""
        counted: Counter[str] = Counter(calls=sum(map(len, self.of.values())))
        for task in ledger.tasks:
            for run in task.runs:
                calls = self.of.get(id_of(task, run), {})
                lost = [number for number, attempt in enumerate(json.loads(run["attempts"]), 1) if attempt[2] == "lost"]
                counted["lost before the call"] += sum(number not in calls for number in lost)
                counted["lost in the function"] += sum(number in calls and not calls[number].ended for number in lost)
                counted["lost after the function"] += sum(number in calls and calls[number].ended for number in lost)
                begun = [number for number in lost if number in calls]
                counted["called again"] += sum(
                    bool(begun) and number > begun[0] and number - 1 in lost for number in calls
                )
        return counted


def id_of(task: Task, run: Row) -> str:
    """Name a run as `current_run().id` does."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=run["at"])
    occurrence = f"{task.name}/{at.isoformat()}"
    return occurrence if run["cause"] == "schedule" else f"{occurrence}/{run['cause']}-{run['number']}"


def _long(lines: Iterable[list[str]]) -> Iterator[list[str]]:
    return (line for line in lines if len(line) == 5)


def _by_task(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row["task"], []).append(row)
    return found


def _microseconds(duration: str) -> int:
    """Read an ISO 8601 duration of seconds: "PT0.04S"."""
    seconds = re.fullmatch(r"PT([\d.]+)S", duration)
    assert seconds is not None, duration
    return round(float(seconds[1]) * 1_000_000)
