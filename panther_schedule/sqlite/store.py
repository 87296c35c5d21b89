"""The store: keeps what the steps say, a turn in a transaction, and finds what is due, in flight, asked for or lost."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

from ..clock import SECOND, Reading, since_boot, soonest
from ..errors import SchedulerStateError, StoreError
from ..events import RunStarted
from ..planning.control import extended, is_new
from ..planning.due import has_ended, is_cancelled
from ..planning.ends import is_queued, put_off, waits
from ..planning.records import Passed, Run
from ..planning.rule import Rule, due_at
from ..planning.state import Step
from ..runtime.entries import Entry, Flight
from ..runtime.ledger import Counts
from ..runtime.logs import log
from ..runtime.stores import SharedStore
from ..tasks.registry import TaskRegistry
from ..tasks.signature import inspect_function
from .entries import StoredEntry, StoredFlight
from .file import File
from .news import Noticeboard
from .processes import Processes
from .records import Records
from .rows import RUN, TASK, Seen, Spec, attempts_text, state_values
from .shelf import Shelf

_POLL: Final = SECOND // 5  # how often it looks whether another process has written
_MOST_READY: Final = 256  # runs that are looked at in a turn
_UNKNOWN: Final = -1
_PRUNE: Final = 60 * SECOND  # how often old records are looked for
_FIRST_DUE: Final = """
    SELECT func, is_async, (
      SELECT due_at FROM task WHERE task.func = known.func AND due_at IS NOT NULL
      AND id NOT IN (SELECT id FROM temp.parked) ORDER BY due_at LIMIT 1
    ) AS at FROM temp.known
"""
_DUE: Final = f"""
    SELECT due_at, {TASK} FROM task WHERE func = ? AND due_at <= ? AND id NOT IN (SELECT id FROM temp.parked)
    ORDER BY due_at LIMIT ?
"""
_OPEN_RUNS: Final = """
    FROM run JOIN task ON task.id = run.task JOIN temp.known USING (func)
    WHERE run.wake_at {rule} AND run.owner IS NULL AND task.id NOT IN (SELECT id FROM temp.parked)
"""
_READY: Final = f"""
    SELECT task.id, {", ".join(f"run.{name}" for name in RUN.split(", "))} {_OPEN_RUNS.format(rule="<= ?")}
    ORDER BY run.wake_at LIMIT ?
"""
_FIRST_READY: Final = f"SELECT min(run.wake_at) {_OPEN_RUNS.format(rule='IS NOT NULL')} AND is_async >= ?"


class SQLite(Shelf, SharedStore):
    """A file as one scheduler has it open."""

    def __init__(self, file: File, registry: TaskRegistry, records: Records, lease: int, *, polls: bool) -> None:
        super().__init__(file, registry, records)
        self.processes = Processes(file, lease)
        self._polls = polls
        self._version = -1  # of the file, by its other connections
        self._room: int | None = None
        self._now = 0
        self._next_at: int | None = _UNKNOWN
        self._dirty: list[StoredEntry] = []
        self._added: list[StoredEntry] = []  # in this turn
        self._others_wrote = True
        self._board = Noticeboard(file)
        self._look_at = 0  # when to see next whether others have written
        self._stale = False  # they have
        self._prune_at = 0
        self._async: dict[str, bool] = {}  # by function, of those that can be called here
        file.run("CREATE TEMP TABLE known (func TEXT PRIMARY KEY, is_async INTEGER NOT NULL) WITHOUT ROWID")
        file.run("CREATE TEMP TABLE parked (id INTEGER PRIMARY KEY)")  # tasks that can't be read or called here
        self._know()
        if names := self.unregistered():
            shown = ", ".join([*names[:10], *(["..."] if len(names) > 10 else [])])
            message = "%d task(s) stay in the file, but can't run here, since their functions are not registered: %s"
            log(message, len(names), shown, level=logging.WARNING)

    @property
    def in_flight(self) -> list[Flight]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride] - others only read it
        return [flight for flight in self.mine.values() if not flight.lingers]

    def own(self) -> list[Flight]:
        return [*self.mine.values()]

    # ---- turns ---------------------------------------------------------------------------------------------------

    @contextmanager
    def turn(self, reading: Reading, room: int | None) -> Generator[None]:
        self._know()
        me, mine, mark = self.processes.me, dict(self.mine), self._board.mark
        try:
            self._begin(reading, room)
            yield
            self._flush()
            self.file.commit()
        except BaseException:
            self.file.roll_back()
            self.processes.take_back(me)
            self.mine, self._board.mark = mine, mark
            self._forget()
            raise

    def _begin(self, reading: Reading, room: int | None) -> None:
        version, self._stale = self.file.begin(), False
        self._others_wrote = version != self._version
        if self._others_wrote:
            self._version = version
            self.epoch += 1
        self._room, self._now, self._next_at = room, reading.wall, _UNKNOWN
        self._added.clear()
        if not self.processes.beat(looked=not self._others_wrote):
            self._fence()
            self._board.mark = -1  # its row says that nobody listens
        if self._others_wrote:
            self._board.look(self.processes.me)
        if reading.wall >= self._prune_at:
            self._prune_at = reading.wall + _PRUNE
            self.records.prune_old(reading.wall)
            self._board.prune(reading.wall - _PRUNE)

    def _forget(self) -> None:
        """Forget what a turn that was not kept has made of tasks and runs."""
        self._version = -1
        self.epoch += 1
        for entry in self._dirty:
            entry.dirty = False
        self._dirty.clear()
        for new in self._added:  # another one may get its row
            self.drop(new)
        self._flights.clear()
        self._flights.update(self.mine)
        for flight in self.mine.values():
            flight.entry.flying = 0
        for flight in self.mine.values():
            flight.here = True
            flight.entry.flying += 1

    def _fence(self) -> None:
        """Let all runs go, after this process was declared dead."""
        if self.mine:
            message = "this process stood still for longer than its lease, so %d run(s) were taken from it as lost"
            log(message, len(self.mine), level=logging.WARNING)
        for id_, flight in self.mine.items():
            flight.fence()
            self._flights.pop(id_, None)
        self.mine.clear()

    def _know(self) -> None:
        """Note which functions can be called here; more may be registered at any time."""
        if len(self._async) != len(self.registry.functions):
            for name, function in self.registry.functions.items():
                self._async[name] = inspect_function(function).is_async
            self.file.run_each("INSERT OR IGNORE INTO known VALUES (?, ?)", [*self._async.items()])

    def _flush(self) -> None:
        """Write what steps have made of tasks, each once."""
        if not self._dirty:
            return
        rows: list[Any] = []
        for entry in self._dirty:
            seen, entry.dirty = entry.kept, False
            state = seen.state
            flags = has_ended(seen.rule, state), is_cancelled(state)
            rows.append((due_at(seen.rule, state), *state_values(state), *flags, seen.era, seen.records, entry.id))
        self._dirty.clear()
        self.file.run_each(
            "UPDATE task SET due_at = ?, anchor = ?, cursor = ?, next_at = ?, handed = ?, running = ?, latest = ?,"
            " held = ?, ended = ?, freed = ?, era = ?, records = ? WHERE id = ?",
            rows,
        )

    def close(self) -> None:
        me = self.processes.me
        try:
            self.file.begin()
            sql = "DELETE FROM process WHERE id = ? AND NOT EXISTS (SELECT 1 FROM run WHERE owner = ?)"
            self.file.run(sql, (me, me))
            self.file.commit()
        except StoreError as error:
            log("%s; others will find that this process has ended", error)
        finally:
            self.file.roll_back()
            self.file.close()

    def leave_behind(self) -> None:
        self.file.leave_behind()

    # ---- what steps say ------------------------------------------------------------------------------------------

    def add(self, entry: Entry, reading: Reading) -> None:  # noqa: ARG002 - a store in memory needs to know it
        """Keep a new task; one without a name of its own is named by its row."""
        new = cast(StoredEntry, entry)
        seen = new.kept
        new.id = self._next("task")
        if not new.named:
            new.name = f"{seen.spec.func}-{new.id:06x}"
            new.kept = seen = seen._replace(state=seen.state._replace(task=new.name))
        due = due_at(seen.rule, seen.state)
        row = (new.id, new.named, new.name, new.source, *seen.spec, due, *state_values(seen.state))
        columns = "id, named, name, source, func, spec, zone, due_at, anchor, cursor, next_at, handed, running, latest"
        self.file.run(f"INSERT INTO task ({columns}, held) VALUES ({', '.join('?' * len(row))})", row)
        new.epoch = self.epoch
        self._added.append(new)
        self.remember(new)

    def put_spec(self, task: StoredEntry, spec: Spec) -> None:
        """Note what a task is from now on."""
        version = task.kept.version + 1
        task.kept = task.kept._replace(version=version, spec=spec)
        sql = "UPDATE task SET version = ?, func = ?, spec = ?, zone = ? WHERE id = ?"
        self.file.run(sql, (version, *spec, task.id))

    def save(
        self, entry: Entry, flight: Flight | None, step: Step, starts: Sequence[Flight] = (), rule: Rule | None = None
    ) -> None:
        task, event = cast(StoredEntry, entry), cast(StoredFlight | None, flight)
        seen = self.seen(task)
        state, records = step.state, seen.records
        due_at(rule or seen.rule, state)  # first what may raise
        if event is not None and not event.fenced:
            records += step.record is not None
            self._keep_run(event, step, records)
        for run in step.given_up:
            records += 1
            self._insert_run(task, seen.era, run, seq=records)
        for passed in step.passed:
            records += self._keep_range(task, seen, passed, records)
        fresh = state.anchor != seen.state.anchor or (is_new(state) and not is_new(seen.state))
        older = seen.state.held.waiting[: seen.state.held.older]
        task.kept = seen._replace(state=state, records=records, era=seen.era + fresh, rule=rule or seen.rule)
        for start in starts:
            self._start(cast(StoredFlight, start), task, task.kept.era - (start.run.at in older))
        if not task.dirty:
            task.dirty = True
            self._dirty.append(task)
        self.records.prune_task(task.id, seen.records, records)

    def _keep_run(self, flight: StoredFlight, step: Step, seq: int) -> None:
        run, record = step.run, step.record
        if run is flight.run:
            return
        if step.hand_over and run is not None:
            if self._takes(flight.entry.kept):
                flight.owner, flight.run = self.processes.me, run
                self._hold(flight)
            else:
                run = put_off(run, self._now)
        elif run is None or waits(run):
            flight.let_go()
            self.mine.pop(flight.id or 0, None)
        kept = run or record or flight.run._replace(phase="ended")
        flight.run, flight.lingers = kept, run is not None and record is not None
        sql = "UPDATE run SET attempts = ?, phase = ?, asked = ?, wake_at = ?, owner = ?, taken_at = ?"
        values = [attempts_text(kept.attempts), kept.phase, kept.asked, kept.wake_at, flight.owner]
        values.append(self._now if step.hand_over else flight.taken_at)
        if record is not None:
            last = record.attempts[-1]
            sql, values = f"{sql}, outcome = ?, finished_at = ?, seq = ?", [*values, last.outcome, last.finished, seq]
        self.file.run(f"{sql} WHERE id = ?", (*values, flight.id))

    def _keep_range(self, task: StoredEntry, seen: Seen, passed: Passed, records: int) -> int:
        """Keep a range; return 1 when it is a record of its own, 0 when it lengthens the one before."""
        latest = self.records.range_at(task.id, seen.era, records)
        longer = None if latest is None else extended(seen.rule, seen.state, latest, passed)
        if longer is None:
            self.records.add_range(task.id, seen.era, passed, records + 1)
            return 1
        self.records.lengthen(task.id, records, longer)
        return 0

    def _start(self, flight: StoredFlight, task: StoredEntry, era: int) -> None:
        run = flight.run
        here = not is_queued(run) and self._takes(task.kept)
        if not (here or is_queued(run)):
            run = put_off(run, self._now)
        if run.cause != "schedule":
            run = run._replace(number=self._next("run"))  # no other process may give the same
        flight.owner = self.processes.me if here else None
        flight.id = self._insert_run(task, era, run, flight.owner)
        flight.run, flight.epoch = run, self.epoch
        self._flights[flight.id] = flight
        if here:
            self._hold(flight)

    def _takes(self, seen: Seen) -> bool:
        """Tell whether a run can start here, and take a place for it."""
        if self._room is None:
            return False
        if self._async.get(seen.spec.func):
            return True
        self._room -= 1
        return self._room >= 0

    def _hold(self, flight: StoredFlight) -> None:
        flight.hold(self._now)
        self.note(RunStarted, (flight.entry.name, flight.kept, self._now))  # others hear of it when it is handed over
        self.mine[flight.id or 0] = flight

    def _next(self, table: str) -> int:
        """Return the row that comes next in a table."""
        return int((self.file.row("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)) or (0,))[0]) + 1

    def _insert_run(
        self, task: StoredEntry, era: int, run: Run, owner: int | None = None, *, seq: int | None = None
    ) -> int:
        taken = None if owner is None else self._now
        row = [task.id, era, run.cause, run.at, run.previous, run.number, attempts_text(run.attempts), run.phase]
        row += [run.asked, run.wake_at, owner, taken]
        columns = "task, era, cause, at, previous, number, attempts, phase, asked, wake_at, owner, taken_at"
        if seq is not None:  # it has ended before it began
            last = run.attempts[-1]
            row, columns = [*row, seq, last.outcome, last.finished], f"{columns}, seq, outcome, finished_at"
        sql = f"INSERT INTO run ({columns}) VALUES ({', '.join('?' * len(row))})"
        return self.file.run(sql, row).lastrowid or 0

    # ---- what is to be done --------------------------------------------------------------------------------------

    def flights(self, entry: Entry) -> list[Flight]:
        task = cast(StoredEntry, entry)
        sql = f"SELECT {RUN} FROM run WHERE task = ? AND outcome IS NULL ORDER BY id"
        return [self.flight_of(row) for row in self.file.rows(sql, (task.id,))]

    def first_queued(self, entry: Entry) -> Flight | None:
        return next((flight for flight in self.flights(entry) if is_queued(flight.run)), None)

    def due(self, reading: Reading, limit: int) -> list[Entry]:
        """Take tasks that are due, the earliest first: no more of sync functions than there is room for.

        Those whose functions are not registered here are left out: one look-up a function finds the others.
        """
        room = self._room
        if room is None:
            return []
        self._flush()
        rows: list[Any] = []
        for func, is_async, _at in self.file.rows(_FIRST_DUE + " WHERE at <= ?", (reading.wall,)):
            if (most := limit if is_async else min(limit, room)) > 0:
                rows += self.file.rows(_DUE, (func, reading.wall, most))
        rows.sort()  # by time, then by the order of adding
        found: list[Entry] = []
        for _at, *row in rows:
            entry = self._callable(row)
            if entry is None:
                continue
            if not self._async[entry.kept.spec.func]:
                if room <= 0:
                    continue
                room -= 1
            found.append(entry)
        return found

    def _callable(self, row: Any) -> StoredEntry | None:
        """Return the task of a row; one that can't be read or called here is left alone from now on."""
        try:
            entry = self.entry_of(row)
            entry.task  # noqa: B018 - it is read here, where a fault stops nothing else
        except (StoreError, SchedulerStateError) as error:
            log("%s; it is left alone until the next start", error)
            self.file.run("INSERT OR IGNORE INTO temp.parked VALUES (?)", (row[0],))
            return None
        return entry

    def timers(self, reading: Reading) -> list[Flight]:
        """Take the runs here whose time is up, and of those that anybody may start, as many as there is room for."""
        sql = f"SELECT {RUN} FROM run WHERE owner = ? AND wake_at <= ?"
        found: list[Flight] = [self.flight_of(row) for row in self.file.rows(sql, (self.processes.me, reading.wall))]
        room = self._room
        if room is None:
            return found
        for task, *row in self.file.rows(_READY, (reading.wall, _MOST_READY)):
            task_row = self.file.row(f"SELECT {TASK} FROM task WHERE id = ?", (task,))
            if (entry := self._callable(task_row)) is None:
                continue
            if not self._async[entry.kept.spec.func]:
                if room <= 0:
                    continue
                room -= 1
            found.append(self.flight_of(row))
        return found

    def lost(self) -> Iterable[Flight]:
        for dead in self.processes.dead():
            for row in self.file.rows(f"SELECT {RUN} FROM run WHERE owner = ?", (dead,)):
                yield self.flight_of(row)
            self.processes.remove(dead)

    def asked(self) -> Iterable[Flight]:
        if not self._others_wrote:
            return
        for (id_,) in self.file.rows("SELECT id FROM run WHERE owner = ? AND asked = 1", (self.processes.me,)):
            flight = self.mine.get(id_)
            if flight is not None and not flight.asked:
                flight.asked = True
                yield flight

    def ahead_of(self, reading: Reading) -> Iterable[Entry]:
        sql = f"SELECT {TASK} FROM task WHERE ended = 0 AND coalesce(cursor, anchor) > ?"
        return [self.entry_of(row) for row in self.file.rows(sql, (reading.wall,))]

    def note(self, kind: type, details: tuple[Any, ...]) -> None:
        self._board.note(self.processes.me, self._now, kind, details)

    def news(self, *, listens: bool) -> Iterable[tuple[Any, tuple[Any, ...]]]:
        return self._board.news(self.processes.me, listens=listens)

    def until_next(self, reading: Reading) -> int | None:
        now = since_boot()
        if now >= self._look_at or not self._polls:
            self._look_at = now + _POLL
            self._stale = self._stale or self.file.version() != self._version
        if self._stale:
            return 0
        if self._next_at == _UNKNOWN:
            self._next_at = self._find_next()
        wait = None if self._next_at is None else max(0, self._next_at - reading.wall)
        return soonest(wait, max(0, self._look_at - now), self.processes.until_beat()) if self._polls else wait

    def _find_next(self) -> int | None:
        (own,) = self.file.run("SELECT min(wake_at) FROM run WHERE owner = ?", (self.processes.me,)).fetchone()
        if self._room is None:
            return cast(int | None, own)
        full = self._room <= 0  # then only async functions can start
        (due,) = self.file.run(f"SELECT min(at) FROM ({_FIRST_DUE} WHERE is_async >= ?)", (full,)).fetchone()
        (ready,) = self.file.run(_FIRST_READY, (full,)).fetchone()
        return soonest(own, due, ready)

    # ---- at any time ---------------------------------------------------------------------------------------------

    def is_idle(self) -> bool:
        sql = "SELECT 1 FROM task WHERE ended = 0 UNION ALL SELECT 1 FROM run WHERE outcome IS NULL LIMIT 1"
        return self.file.row(sql) is None

    def counts(self) -> Counts:
        return self.records.of_all()

    def unregistered(self) -> list[str]:
        sql = "SELECT name FROM task WHERE ended = 0 AND func NOT IN (SELECT value FROM json_each(?)) LIMIT 1000"
        return [name for (name,) in self.file.rows(sql, (json.dumps([*self.registry.functions]),))]
