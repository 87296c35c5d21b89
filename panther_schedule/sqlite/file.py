"""The file: how it is opened and made, and what is said when that fails."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, contextmanager
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
    CREATE INDEX task_left ON task (id) WHERE ended = 1 AND (named = 0 OR freed = 1);
    CREATE TABLE run (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      task INTEGER NOT NULL REFERENCES task (id), era INTEGER NOT NULL,
      cause TEXT NOT NULL, at INTEGER NOT NULL, previous INTEGER, number INTEGER NOT NULL,
      attempts TEXT NOT NULL, phase TEXT NOT NULL, asked INTEGER NOT NULL,
      wake_at INTEGER, owner INTEGER REFERENCES process (id), taken_at INTEGER,
      seq INTEGER, outcome TEXT, finished_at INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX run_claim ON run (task, era, at) WHERE cause = 'schedule';
    CREATE UNIQUE INDEX run_record ON run (task, seq);
    CREATE INDEX run_wake ON run (wake_at) WHERE wake_at IS NOT NULL;
    CREATE INDEX run_owner ON run (owner) WHERE owner IS NOT NULL;
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

_OLDEST: Final = (3, 37)  # with STRICT tables
_NETWORKS: Final = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "afs", "ceph", "glusterfs", "lustre"}
_WORDS: Final = {
    sqlite3.SQLITE_BUSY: f"another process has locked it for {BUSY_S:.0f} s; look for one that is stopped",
    sqlite3.SQLITE_LOCKED: f"another process has locked it for {BUSY_S:.0f} s; look for one that is stopped",
    sqlite3.SQLITE_FULL: "the disk is full; make room",
    sqlite3.SQLITE_READONLY: "it can't be written; give this process the right to write it and its folder",
    sqlite3.SQLITE_PERM: "it can't be written; give this process the right to write it and its folder",
    sqlite3.SQLITE_CANTOPEN: "it can't be opened; see that its folder is there and can be written",
    sqlite3.SQLITE_CORRUPT: "it is damaged; put a backup in its place",
    sqlite3.SQLITE_NOTADB: "it is not an SQLite file, or is damaged; put a backup in its place, or name another file",
    sqlite3.SQLITE_IOERR: "it can't be read or written; see what the system's log says of the disk",
}

_ERRORS: Final = (sqlite3.Error, UnicodeDecodeError)  # the latter where a damaged table is what SQLite complains of


class File:
    """A file as one scheduler has it open: a connection for its turns, and one for whoever looks.

    Both are closed before a fork and opened again when they are next needed, since SQLite would take what a child
    inherits for its own: the child would write without the locks that others see.
    """

    def __init__(self, path: Path, *, power_safe: bool = False) -> None:
        self.path = path = path.absolute()  # wherever the process goes
        self._synchronous = "FULL" if power_safe else "NORMAL"
        self._turning = 0  # the thread that takes a turn
        self._writing, self._looking = threading.RLock(), threading.RLock()  # one for each connection
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._prepare: Callable[[], None] | None = None
        self._openings = 0
        self._identity: tuple[int, int] | None = None
        self._closed = False
        if sqlite3.sqlite_version_info < _OLDEST:
            found, needed = sqlite3.sqlite_version, ".".join(map(str, _OLDEST))
            raise StoreError(f"{path}: it needs SQLite {needed} or newer; the one of this Python is {found}")
        if (network := network_of(path, _mounts())) is not None:
            message = f"{path}: it is on a network ({network}), where locks do not hold; put it on a local disk"
            raise StoreError(message)
        with _forking:  # a fork that has begun knows nothing of this file, and would copy SQLite's locks as they are
            _files.add(self)
        with self._writing:
            self._open()

    def prepare(self, do: Callable[[], None]) -> None:
        """Do this now, and whenever the connection of turns is opened again."""
        self._prepare = do
        do()

    # ---- turns ---------------------------------------------------------------------------------------------------

    @contextmanager
    def turn(self) -> Generator[None]:
        """Take the lock; keep all that is run meanwhile, or none of it. A fork waits for the end."""
        with self._writing:
            self.run("BEGIN IMMEDIATE")
            self._turning = threading.get_ident()
            try:
                if self._identity != _identity_of(self.path):
                    message = "it was deleted or replaced while it was in use; stop all processes and put it back"
                    raise StoreError(f"{self.path}: {message}")
                yield
                self.run("COMMIT")
            except BaseException:
                if self._writer is not None and self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._turning = 0

    def version(self) -> int:
        """Return a number that changes when another connection has written; for the thread of turns."""
        return self._openings << 32 | int(self.first("PRAGMA data_version")[0])  # each connection has its own count

    def is_turn(self) -> bool:
        """Tell whether this thread takes a turn."""
        return self._turning == threading.get_ident()

    def run(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run a statement on the connection of turns."""
        try:
            with self._writing:
                return (self._writer or self._open()).execute(sql, values)
        except _ERRORS as error:
            raise fault(self.path, error) from error

    def first(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Run a statement on the connection of turns, and return its first row."""
        with self._writing:
            return self.run(sql, values).fetchone()

    def run_each(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of these rows."""
        try:
            with self._writing:
                (self._writer or self._open()).executemany(sql, rows)
        except _ERRORS as error:
            raise fault(self.path, error) from error

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a statement: in a turn what it has made of them, else what is kept."""
        try:
            if self.is_turn():
                return self.run(sql, values).fetchall()
            with self._looking:
                if self._closed:  # the scheduler has stopped
                    with closing(self._connected()) as reader:
                        return reader.execute(sql, values).fetchall()
                self._reader = self._reader or self._kept_open()
                return self._reader.execute(sql, values).fetchall()
        except _ERRORS as error:
            raise fault(self.path, error) from error

    def row(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Return the first row of a statement; None when there is none."""
        return next(iter(self.rows(sql, values)), None)

    def close(self) -> None:
        with self._writing, self._looking:
            self._closed = True
            self._let_go()

    def _let_go(self) -> None:
        connections, self._writer, self._reader = (self._writer, self._reader), None, None
        for connection in connections:
            if connection is not None:
                connection.close()

    def begin_fork(self) -> None:
        """Close it, and let no other thread open it, until `end_fork()`."""
        self._writing.acquire()
        self._looking.acquire()
        self._let_go()

    def end_fork(self) -> None:
        self._looking.release()
        self._writing.release()

    # ---- opening -------------------------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        """Open the connection of turns."""
        self._writer = writer = self._kept_open()
        self._openings, self._identity = self._openings + 1, _identity_of(self.path)
        try:
            self._check()
            self._write_ahead()
            self._migrate()
            if self._prepare is not None:
                self._prepare()
        except BaseException:
            self._writer = None
            writer.close()
            raise
        return writer

    def _kept_open(self) -> sqlite3.Connection:
        made = self._connected()
        weakref.finalize(self, made.close).atexit = False  # for a scheduler that is dropped unstopped
        return made

    def _connected(self) -> sqlite3.Connection:
        try:
            return sqlite3.connect(
                self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=256
            )
        except _ERRORS as error:
            raise fault(self.path, error) from error

    def _check(self) -> None:
        """Refuse a file that is not ours, or of a newer version, before anything is written."""
        (found,), (version,) = self.first("PRAGMA application_id"), self.first("PRAGMA user_version")
        (tables,) = self.first("SELECT count(*) FROM sqlite_master")
        if found != APPLICATION_ID and (found or version or tables):
            raise StoreError(f"{self.path}: it is another program's SQLite file; name another file")
        if version > len(MIGRATIONS):
            ours = f"this program knows versions up to {len(MIGRATIONS)}"
            raise StoreError(f"{self.path}: it is of version {version}, and {ours}; update panther-schedule")

    def _write_ahead(self) -> None:
        deadline = since_boot() + int(BUSY_S * SECOND)
        while True:
            try:
                self.run("PRAGMA journal_mode = WAL")
                break
            except StoreError:  # another process does the same: this statement does not wait by itself
                if since_boot() > deadline:
                    raise
                sleep(0.01)
        self.run(f"PRAGMA synchronous = {self._synchronous}")
        self.run("PRAGMA foreign_keys = ON")

    def _migrate(self) -> None:
        """Bring the file to the present version, in one transaction."""
        if self.first("PRAGMA user_version")[0] == len(MIGRATIONS):
            return
        with self.turn():
            self._check()  # another process may have been here
            (version,) = self.first("PRAGMA user_version")
            for migration in MIGRATIONS[version:]:
                for statement in migration.split(";\n"):
                    self.run(statement)
            self.run(f"PRAGMA application_id = {APPLICATION_ID}")
            self.run(f"PRAGMA user_version = {len(MIGRATIONS)}")


_files: Final = weakref.WeakSet[File]()
_forking: Final = threading.RLock()
_let_go: Final[list[File]] = []  # for the fork that goes on


def _begin_fork() -> None:
    _forking.acquire()
    for file in tuple(_files):
        if not file.is_turn():  # else it is in use by the very thread that forks
            _let_go.append(file)
            file.begin_fork()


def _end_fork() -> None:
    while _let_go:
        _let_go.pop().end_fork()
    _forking.release()


os.register_at_fork(before=_begin_fork, after_in_parent=_end_fork, after_in_child=_end_fork)


def _identity_of(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from any other that has its name; None when there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def fault(path: Path, error: Exception) -> StoreError:
    """Say what is wrong with a file, and what to do."""
    if isinstance(error, UnicodeDecodeError) or "Could not decode" in str(error):  # it shows the text, maybe a secret
        return StoreError(f"{path}: it is damaged; put a backup in its place (a text in it is not UTF-8)")
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
