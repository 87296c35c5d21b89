"""The store: keeps what the steps say, a turn in a transaction, and finds what is due, in flight, asked for or lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, cast

from ..clock import SECOND, Reading, since_boot, soonest
from ..errors import SchedulerStateError, StoreError
from ..events import RunStarted
from ..planning.control import extended, has_waited, is_earlier, is_new
from ..planning.ends import is_queued, lingers, offered, waits
from ..planning.records import Passed, Run, claims
from ..planning.rule import Rule, due_at
from ..planning.state import State, Step
from ..runtime.entries import Entry, Flight
from ..runtime.ledger import Counts
from ..runtime.logs import log
from ..runtime.stores import SharedStore
from ..tasks.registry import TaskRegistry
from .agenda import Agenda
from .entries import Shelf, StoredEntry, StoredFlight
from .file import File
from .news import Noticeboard
from .processes import Processes
from .records import Records
from .rows import RUN, TASK, Seen, Spec
from .tables import Tables

_POLL: Final = SECOND // 5  # how often it looks whether another process has written
_UNKNOWN: Final = -1
_KIND: Final = "CASE WHEN json_valid(spec) THEN json_extract(spec, '$.schedule.kind') ELSE '' END"
_PRUNE: Final = 60 * SECOND  # how often old records are looked for

_LIVE: Final = """
    SELECT 1 FROM task WHERE ended = 0 UNION ALL SELECT 1 FROM run WHERE wake_at IS NOT NULL
    UNION ALL SELECT 1 FROM run AS held JOIN run USING (task) WHERE held.owner IS NOT NULL AND run.seq IS NULL LIMIT 1
"""  # what is queued is behind another one, of which only the function may be left


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
        self._undo: list[Callable[[], object]] = []  # puts objects back to what they were before the turn
        self._others_wrote = True
        self._tables = Tables(file)
        self._board = Noticeboard(file)
        self._look_at = 0  # when to see next whether others have written
        self._stale = False  # they have
        self._prune_at = 0
        self._agenda = Agenda(file, registry)

    @property
    def in_flight(self) -> list[Flight]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride] - others only read it
        return [flight for flight in self.own() if not lingers(flight.kept)]

    def own(self) -> list[StoredFlight]:
        return [flight for _id, flight in sorted(self.mine.items())]

    # ---- turns ---------------------------------------------------------------------------------------------------

    @contextmanager
    def turn(self, reading: Reading, room: int | None) -> Generator[None]:
        self._agenda.know()
        me, mine, mark = self.processes.me, dict(self.mine), self._board.mark
        self._undo.clear()
        try:
            with self.file.turn():
                self._begin(reading, room)
                yield
                self._flush()
        except BaseException:
            self.processes.take_back(me)
            self.mine, self._board.mark = mine, mark
            self._forget()
            raise

    def _begin(self, reading: Reading, room: int | None) -> None:
        version, self._stale = self.file.version(), False
        self._others_wrote = version != self._version
        if self._others_wrote:
            self._version = version
            self.epoch += 1
        self._room, self._now, self._next_at = room, reading.wall, _UNKNOWN
        if not self.processes.beat(looked=not self._others_wrote):
            self._fence()
            self._board.mark = -1  # its row says that nobody listens
        if self._others_wrote:
            self._board.look(self.processes.me)
        if reading.wall >= self._prune_at:
            more = self.records.prune_old(reading.wall)
            self._prune_at = reading.wall + (SECOND if more else _PRUNE)
            self._board.prune(reading.wall - _PRUNE)

    def _forget(self) -> None:
        """Forget what a turn that was not kept has made of tasks and runs."""
        self._version = -1
        self.epoch += 1
        for entry in self._dirty:
            entry.dirty = False
        self._dirty.clear()
        for undo in reversed(self._undo):
            undo()

    def _fence(self) -> None:
        """Let all runs go, after this process was declared dead."""
        if self.mine:
            message = "this process stood still for longer than its lease, so %d run(s) were taken from it as lost"
            log(f"{message}; a longer lease would let it", len(self.mine), level=logging.WARNING)
        for id_, flight in self.mine.items():
            self._undo += [flight.undo(), partial(self._flights.__setitem__, id_, flight)]
            flight.fence()
            self._flights.pop(id_, None)
        self.mine.clear()

    def _flush(self) -> None:
        """Write what steps have made of tasks, each once."""
        if not self._dirty:
            return
        for entry in self._dirty:
            entry.dirty = False
        self._tables.update_tasks(self._dirty)
        self._dirty.clear()

    def close(self) -> None:
        me = self.processes.me
        try:
            with self.file.turn():
                sql = "DELETE FROM process WHERE id = ? AND NOT EXISTS (SELECT 1 FROM run WHERE owner = ?)"
                self.file.run(sql, (me, me))
        except StoreError as error:
            log("%s; others will find that this process has ended", error)
        finally:
            self.file.close()

    # ---- what steps say ------------------------------------------------------------------------------------------

    def add(self, entry: Entry, reading: Reading) -> None:  # noqa: ARG002 - a store in memory needs to know it
        """Keep a new task; one without a name of its own is named by its row."""
        new = cast(StoredEntry, entry)
        seen = new.kept
        new.id = new.order = self._tables.next_row("task")
        if not new.named:
            new.name = f"{seen.spec.func}-{new.id:06x}"
            new.kept = seen = seen._replace(state=seen.state._replace(task=new.name))
        self._tables.insert_task(new)
        new.epoch = self.epoch
        self._undo.append(partial(self.drop, new))  # another one may get its row
        self.remember(new)

    def put_spec(self, task: StoredEntry, spec: Spec) -> None:
        """Keep what a task is from now on."""
        version = task.kept.version + 1
        self._undo.append(partial(setattr, task, "kept", task.kept))
        task.kept = task.kept._replace(version=version, spec=spec)
        sql = "UPDATE task SET version = ?, func = ?, spec = ?, zone = ? WHERE id = ?"
        self.file.run(sql, (version, *spec, task.id))

    def save(
        self, entry: Entry, flight: Flight | None, step: Step, starts: Sequence[Flight] = (), rule: Rule | None = None
    ) -> None:
        task, event = cast(StoredEntry, entry), cast(StoredFlight | None, flight)
        seen = self.seen(task)
        self._undo.append(partial(setattr, task, "kept", seen))
        state, records = step.state, seen.records
        due_at(rule or seen.rule, state)  # first what may raise
        if event is not None and not event.fenced:
            records += step.record is not None
            self._keep_run(event, step, records)
        for run in step.given_up:
            records += 1
            self._tables.insert_run(task.id, self._era(task, seen.era, state, run), run, seq=records)
        for passed in step.passed:
            records += self._keep_range(task, seen, passed, records)
        again = rule is not None or state.anchor != seen.state.anchor or not is_new(seen.state)
        fresh = is_new(state) and again
        eras = [self._era(task, seen.era + fresh, state, start.run) for start in starts]
        task.kept = seen._replace(state=state, records=records, era=seen.era + fresh, rule=rule or seen.rule)
        for start, era in zip(starts, eras, strict=True):
            self._start(cast(StoredFlight, start), task, era)
        if not task.dirty:
            task.dirty = True
            self._dirty.append(task)
        self.records.prune_task(task.id, seen.records, records)

    def _era(self, task: StoredEntry, era: int, state: State, run: Run) -> int:
        """Return the era of a run; for one that has waited, an earlier one if its instant is claimed by now."""
        before = task.kept.state
        if has_waited(before, run):
            era -= is_earlier(before, state, run)
            while self._tables.is_claimed(task.id, era, run.at):
                era -= 1
        return era

    def _keep_run(self, flight: StoredFlight, step: Step, seq: int) -> None:
        run, record = step.run, step.record
        if run is flight.run:
            return
        self._undo.append(flight.undo())
        if step.hand_over and run is not None:
            if self._takes(flight.entry):
                flight.owner, flight.run = self.processes.me, run
                self._hold(flight)
            else:
                run = offered(run)
        elif run is None or waits(run):
            flight.let_go()
            self.mine.pop(flight.id or 0, None)
        kept = run or record or flight.run._replace(phase="ended")
        flight.run = kept
        self._tables.update_run(flight, record, seq, self._now if step.hand_over else flight.taken_at)

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
        self._undo.append(flight.undo())
        here = not is_queued(run) and self._takes(task)
        if not (here or is_queued(run)):
            run = offered(run)
        if not claims(run):
            run = run._replace(number=self._tables.next_row("run"))  # no other process may give the same
        flight.owner = self.processes.me if here else None
        flight.id = self._tables.insert_run(task.id, era, run, flight.owner, self._now)
        flight.run, flight.epoch = run, self.epoch
        self._flights[flight.id] = flight
        self._undo.append(partial(self._flights.pop, flight.id))
        if here:
            self._hold(flight)

    def _takes(self, task: StoredEntry) -> bool:
        """Tell whether a run can start here, and take a place for it."""
        if self._room is None or not task.is_callable():
            return False
        if self._agenda.is_async[task.kept.spec.func]:
            return True
        self._room -= 1
        return self._room >= 0

    def _hold(self, flight: StoredFlight) -> None:
        flight.hold(self._now)
        self.note(RunStarted, (flight.entry.name, flight.kept, self._now))  # others hear of it when it is handed over
        self.mine[flight.id or 0] = flight

    # ---- what is to be done --------------------------------------------------------------------------------------

    def flights(self, entry: Entry) -> list[Flight]:
        task = cast(StoredEntry, entry)
        sql = f"SELECT {RUN} FROM run WHERE task = ? AND seq IS NULL ORDER BY id"
        return [self.flight_of(row) for row in self.file.rows(sql, (task.id,))]

    def first_queued(self, entry: Entry) -> Flight | None:
        return next((flight for flight in self.flights(entry) if is_queued(flight.run)), None)

    def due(self, reading: Reading, limit: int) -> list[Entry]:
        """Take tasks that are due, the earliest first: no more of sync functions than there is room for."""
        if self._room is None:
            return []
        self._flush()
        rows = self._agenda.due(reading.wall, limit, min(limit, self._room))
        return [entry for entry, _row in self._startable((row, row) for _at, *row in rows)]

    def _startable(self, rows: Iterable[tuple[Any, Any]]) -> Iterator[tuple[StoredEntry, Any]]:
        """Yield the tasks of these rows that can start here, each with what came beside its row."""
        room = self._room or 0
        for task_row, beside in rows:
            if (entry := self._callable(task_row)) is not None:
                sync = not self._agenda.is_async[entry.kept.spec.func]
                if room > 0 or not sync:
                    room -= sync
                    yield entry, beside

    def _callable(self, row: Any) -> StoredEntry | None:
        """Return the task of a row; one that can't be read or called here is left alone from now on."""
        try:
            entry = self.entry_of(row)
            entry.task  # noqa: B018 - it is read here, where a fault stops nothing else
        except SchedulerStateError as error:
            log("%s; it is left alone until it is replaced, or the next start", error)
            self._agenda.park(row[0], row[2])
            return None
        return entry

    def timers(self, reading: Reading) -> list[Flight]:
        """Take the runs here whose time is up, and of those that anybody may start, as many as there is room for."""
        sql = f"SELECT {RUN} FROM run WHERE owner = ? AND wake_at <= ? ORDER BY wake_at, id"
        found: list[Flight] = [self.flight_of(row) for row in self.file.rows(sql, (self.processes.me, reading.wall))]
        if self._room is not None:
            rows = self._agenda.ready(reading.wall, self._room)
            ready = self._startable((self.task_row(row[1]), row) for row in rows)
            found += (self.flight_of(row) for _entry, row in ready)
        return found

    def lost(self) -> Iterable[Flight]:
        for dead in self.processes.dead():
            unread = 0  # runs that are left to somebody who can read their tasks
            for row in self.file.rows(f"SELECT {RUN} FROM run WHERE owner = ? ORDER BY id", (dead,)):
                try:
                    flight = self.flight_of(row)
                except SchedulerStateError:
                    unread += 1
                else:
                    yield flight
            if not unread:
                self.processes.remove(dead)

    def asked(self) -> Iterable[Flight]:
        if not self._others_wrote:
            return
        for (id_,) in self.file.rows("SELECT id FROM run WHERE owner = ? AND asked = 1", (self.processes.me,)):
            flight = self.mine.get(id_)
            if flight is not None and not flight.asked:
                flight.asked = True
                self._undo.append(partial(setattr, flight, "asked", False))
                yield flight

    def ahead_of(self, reading: Reading) -> Iterable[Entry]:
        sql = f"SELECT {TASK} FROM task WHERE ended = 0 AND coalesce(cursor, anchor) > ? AND {_KIND} != 'once'"
        return self.entries_of(self.file.rows(sql, (reading.wall,)))

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
            self._next_at = self._agenda.first(self.processes.me, self._room)
        wait = None if self._next_at is None else max(0, self._next_at - reading.wall)
        return soonest(wait, max(0, self._look_at - now), self.processes.until_beat()) if self._polls else wait

    # ---- at any time ---------------------------------------------------------------------------------------------

    def is_idle(self) -> bool:
        return self.file.row(_LIVE) is None

    def counts(self) -> Counts:
        return self.records.of_all()

    def unregistered(self) -> list[str]:
        return self._agenda.unregistered()
