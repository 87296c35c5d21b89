"""The file: how it is opened and made, and what is said when that fails."""

from __future__ import annotations

import ctypes
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from time import sleep
from typing import Any, Final

from ..clock import SECOND, since_boot
from ..errors import StoreError

APPLICATION_ID: Final = 0x50534348  # "PSCH", in the header of the file
BUSY_S: Final = 5.0  # how long another process may hold the lock

MIGRATIONS: Final = (
    """
    CREATE TABLE process (
      id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: the fence
      boot TEXT NOT NULL, space TEXT NOT NULL, pid INTEGER NOT NULL, born INTEGER NOT NULL,
      lease_until INTEGER NOT NULL,  -- by the machine's time since boot
      listens INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE task (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL, named INTEGER NOT NULL, source TEXT,
      func TEXT NOT NULL, spec TEXT NOT NULL, zone TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1,
      era INTEGER NOT NULL DEFAULT 0,  -- grows with each fresh start, after which instants may come again
      due_at INTEGER,
      anchor INTEGER NOT NULL, cursor INTEGER, next_at INTEGER,
      handed INTEGER NOT NULL, running INTEGER NOT NULL, latest INTEGER, held TEXT,
      ended INTEGER NOT NULL DEFAULT 0, freed INTEGER NOT NULL DEFAULT 0,
      records INTEGER NOT NULL DEFAULT 0, gone TEXT
    ) STRICT;
    CREATE UNIQUE INDEX task_name ON task (name) WHERE freed = 0;
    CREATE INDEX task_due ON task (func, due_at) WHERE due_at IS NOT NULL;
    CREATE INDEX task_live ON task (id) WHERE ended = 0;
    CREATE TABLE run (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      task INTEGER NOT NULL REFERENCES task (id), era INTEGER NOT NULL,
      cause TEXT NOT NULL, at INTEGER NOT NULL, previous INTEGER, number INTEGER NOT NULL,
      attempts TEXT NOT NULL, phase TEXT NOT NULL, asked INTEGER NOT NULL,
      wake_at INTEGER, owner INTEGER REFERENCES process (id), taken_at INTEGER,
      seq INTEGER, outcome TEXT, finished_at INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX run_claim ON run (task, era, at) WHERE cause = 'schedule';
    CREATE UNIQUE INDEX run_record ON run (task, seq) WHERE seq IS NOT NULL;
    CREATE INDEX run_wake ON run (wake_at) WHERE wake_at IS NOT NULL;
    CREATE INDEX run_owner ON run (owner) WHERE owner IS NOT NULL;
    CREATE INDEX run_live ON run (task) WHERE outcome IS NULL;
    CREATE TABLE passed (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      task INTEGER NOT NULL REFERENCES task (id), era INTEGER NOT NULL,
      reason TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, number INTEGER NOT NULL, seq INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX passed_record ON passed (task, seq);
    CREATE TABLE event (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      process INTEGER NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL, at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE total (what TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT;
    """,
)
"""What makes a file of each version from one of the version before; the first makes it of an empty file."""

_NETWORKS: Final = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "afs", "ceph", "glusterfs", "lustre"}
_WORDS: Final = {
    sqlite3.SQLITE_BUSY: f"another process has locked it for {BUSY_S:.0f} s; look for one that is stopped",
    sqlite3.SQLITE_LOCKED: f"another process has locked it for {BUSY_S:.0f} s; look for one that is stopped",
    sqlite3.SQLITE_FULL: "the disk is full; make room",
    sqlite3.SQLITE_READONLY: "it can't be written; give this process the right to write it and its folder",
    sqlite3.SQLITE_PERM: "it can't be written; give this process the right to write it and its folder",
    sqlite3.SQLITE_CANTOPEN: "it can't be opened; see that its folder is there and can be written",
    sqlite3.SQLITE_CORRUPT: "it is damaged; put a backup in its place",
    sqlite3.SQLITE_NOTADB: "it is no SQLite file, or damaged; put a backup in its place, or name another file",
    sqlite3.SQLITE_IOERR: "it can't be read or written; see what the system's log says of the disk",
}


class File:
    """A file as one scheduler has it open: a connection for its turns, and one for whoever looks."""

    def __init__(self, path: Path, *, power_safe: bool = False) -> None:
        self.path = path
        self._turning = 0  # the thread that takes a turn
        self._looking = threading.Lock()
        self._reader: sqlite3.Connection | None = None
        if (network := network_of(path, _mounts())) is not None:
            message = f"{path}: it lies on a network ({network}), where its locks do not hold; put it on a local disk"
            raise StoreError(message)
        self._writer = self._connected()
        try:
            self._check()
            self._write_ahead(f"PRAGMA synchronous = {'FULL' if power_safe else 'NORMAL'}")
            self._migrate()
            self._reader = self._connected()
        except BaseException:
            self._writer.close()
            raise

    # ---- turns ---------------------------------------------------------------------------------------------------

    def begin(self) -> int:
        """Take the lock; return a number that changes when another connection has written."""
        self.run("BEGIN IMMEDIATE")
        self._turning = threading.get_ident()
        return self.version()

    def version(self) -> int:
        """Return a number that changes when another connection has written; for the thread of turns."""
        return int(self.run("PRAGMA data_version").fetchone()[0])

    def commit(self) -> None:
        self.run("COMMIT")
        self._turning = 0

    def roll_back(self) -> None:
        self._turning = 0
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")

    def is_turn(self) -> bool:
        """Tell whether this thread takes a turn."""
        return self._turning == threading.get_ident()

    def run(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run a statement on the connection of turns."""
        try:
            return self._writer.execute(sql, values)
        except sqlite3.Error as error:
            raise fault(self.path, error) from error

    def run_each(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of these rows."""
        try:
            self._writer.executemany(sql, rows)
        except sqlite3.Error as error:
            raise fault(self.path, error) from error

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a statement: in a turn what it has made of them, else what is kept."""
        try:
            if self._turning == threading.get_ident():
                return self._writer.execute(sql, values).fetchall()
            with self._looking:
                if self._reader is not None:
                    return self._reader.execute(sql, values).fetchall()
                with closing(self._connected()) as reader:  # the scheduler has stopped
                    return reader.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise fault(self.path, error) from error

    def row(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Return the first row of a statement; None when there is none."""
        return next(iter(self.rows(sql, values)), None)

    def close(self) -> None:
        with self._looking:
            reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()
        self._writer.close()

    def leave_behind(self) -> None:
        """In a child process, never close the connections, which would break the locks of the parent."""
        for inherited in (self._writer, self._reader):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(inherited))

    # ---- opening -------------------------------------------------------------------------------------------------

    def _connected(self) -> sqlite3.Connection:
        try:
            return sqlite3.connect(
                self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=256
            )
        except sqlite3.Error as error:
            raise fault(self.path, error) from error

    def _check(self) -> None:
        """Refuse a file that is not ours, or of a newer version, before anything is written."""
        (found,), (version,) = self.run("PRAGMA application_id").fetchone(), self.run("PRAGMA user_version").fetchone()
        (tables,) = self.run("SELECT count(*) FROM sqlite_master").fetchone()
        if found != APPLICATION_ID and (found or version or tables):
            raise StoreError(f"{self.path}: it is another program's SQLite file; name another file")
        if version > len(MIGRATIONS):
            ours = f"this program knows versions up to {len(MIGRATIONS)}"
            raise StoreError(f"{self.path}: it is of version {version}, and {ours}; update panther-schedule")

    def _write_ahead(self, synchronous: str) -> None:
        deadline = since_boot() + int(BUSY_S * SECOND)
        while True:
            try:
                self.run("PRAGMA journal_mode = WAL")
                break
            except StoreError:  # another process does the same: this statement does not wait by itself
                if since_boot() > deadline:
                    raise
                sleep(0.01)
        self.run(synchronous)
        self.run("PRAGMA foreign_keys = ON")

    def _migrate(self) -> None:
        """Bring the file to the present version, in one transaction."""
        if self.run("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS):
            return
        self.run("BEGIN IMMEDIATE")
        try:
            self._check()  # another process may have been here
            (version,) = self.run("PRAGMA user_version").fetchone()
            for migration in MIGRATIONS[version:]:
                for statement in migration.split(";\n"):
                    self.run(statement)
            self.run(f"PRAGMA application_id = {APPLICATION_ID}")
            self.run(f"PRAGMA user_version = {len(MIGRATIONS)}")
            self.run("COMMIT")
        except BaseException:
            self.roll_back()
            raise


def fault(path: Path, error: sqlite3.Error) -> StoreError:
    """Say what is wrong with a file, and what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without its details
    words = _WORDS.get(code, "it can't be used")
    return StoreError(f"{path}: {words} (SQLite says: {error})")


def network_of(path: Path, mounts: Iterable[str]) -> str | None:
    """Return the kind of network that a file lies on, by the lines of /proc/self/mounts; None for a local disk."""
    place, kind = "", ""
    folder = f"{path.absolute().parent.resolve()}/"
    for line in mounts:
        _device, at, found, *_ = line.split(" ")
        at = at.replace("\\040", " ")
        if folder.startswith(at.rstrip("/") + "/") and len(at) >= len(place):
            place, kind = at, found
    return kind if kind in _NETWORKS else None


def _mounts() -> list[str]:
    try:
        return Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not on Linux
        return []
