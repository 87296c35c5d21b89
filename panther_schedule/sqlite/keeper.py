"""`SQLiteStore`: which file keeps the tasks, and how."""

from __future__ import annotations

import os
from contextlib import closing
from copy import copy
from datetime import timedelta
from pathlib import Path
from threading import RLock
from typing import Final, Literal, cast

from ..clock import MICROSECOND, VirtualClock, duration
from ..errors import StoreError, check_number, refuse, refuse_value, type_name
from ..planning.records import Record
from ..runtime.stores import Host, Keeper, Opened
from ..tasks.checks import check_name
from ..tasks.registry import TaskRegistry
from .file import File
from .intake import StoredIntake, StoredNames
from .reconcile import Reconciler
from .records import Records
from .store import SQLite

_SHORTEST: Final = timedelta(seconds=1)


class SQLiteStore(Keeper):
    """Keeps the tasks of schedulers in a file on a local disk, which any number of processes may share.

    It opens nothing itself: each scheduler opens the file when it starts, and makes it if it is not there.

    - `durability`: with "process-safe" whatever was kept survives the end of any process, also by kill -9; with
      "power-safe" a loss of power too, at the price of waiting for the disk in each turn.
    - `lease`: a process that was silent for this long is taken for dead, and its runs are lost. One whose process is
      gone is noticed within a third of it.
    - `keep`, `keep_records`: how long, and how many a task, records are kept; older ones stay as counts.

    Raises:
        ValidationError: a setting is of the wrong type or out of its range.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: Literal["process-safe", "power-safe"] = "process-safe",
        lease: timedelta = timedelta(seconds=10),
        keep: timedelta = timedelta(days=30),
        keep_records: int = 1000,
    ) -> None:
        given = cast(object, path)
        if not isinstance(given, (str, os.PathLike)) or not os.fspath(path):
            refuse_value(
                "SQLiteStore", "store_path", "path", "a path", type_name(given), 'write SQLiteStore("tasks.db")'
            )
        if durability not in {"process-safe", "power-safe"}:
            rule, remedy = "'process-safe' or 'power-safe'", "leave it out for 'process-safe'"
            refuse_value("SQLiteStore", "durability", "durability", rule, f"{durability!r}", remedy)
        self.path = Path(path).absolute()  # wherever the process goes
        """Where the file lies."""
        self._power_safe = durability == "power-safe"
        self._lease, self._keep = (self._checked(name, span) for name, span in (("lease", lease), ("keep", keep)))
        remedy = "leave it out for 1000"
        self._most = check_number("SQLiteStore", "keep_records", "keep_records", keep_records, 20, remedy)

    def records(self, name: str | None = None, n: int = 20) -> list[tuple[str, Record]]:
        """Return the latest records in the file, oldest first, each after the name of its task.

        They are those of the tasks that have or had this name, or of all. It needs no scheduler.

        Raises:
            ValidationError: `name` is not a str (`task_name`), or `n` no positive int (`number_of_records`).
            StoreError: there is no such file, or it can't be read.
        """
        wanted = None if name is None else check_name(name)
        most = check_number("records", "number_of_records", "n", n, 1, "leave it out for 20")
        with closing(self._there()) as file:
            return Records(file, self._keep, self._most).named(wanted, most)

    def backup(self, to: str | os.PathLike[str]) -> None:
        """Write a copy of the file, as it is at one moment, while schedulers go on.

        Raises:
            FileExistsError: there is a file already; nothing is changed.
            OSError: no file can be made there.
            StoreError: there is no file to copy, or the copy can't be written; nothing is left of it then.
        """
        if not isinstance(cast(object, to), (str, os.PathLike)):
            refuse_value("backup", "store_path", "to", "a path", type_name(to), 'write backup("copy.db")')
        target = Path(to)
        with closing(self._there()) as file:
            try:
                target.open("xb").close()  # what is left of a copy that fails is ours to remove then
            except FileExistsError:
                raise FileExistsError(f"{to}: there is a file already; name another one") from None
            try:
                file.run("VACUUM INTO ?", (os.fspath(to),))
            except StoreError as error:
                target.unlink()
                raise StoreError(f"the copy {os.fspath(to)} was not written: {error}") from error

    def _there(self) -> File:
        if not self.path.exists():
            raise StoreError(f"{self.path}: there is no such file; a scheduler makes it when it starts")
        return File(self.path)

    def __repr__(self) -> str:
        return f"SQLiteStore({str(self.path)!r})"

    def _checked(self, field: str, span: timedelta) -> int:
        span = duration("SQLiteStore", field, span)
        if span < _SHORTEST:
            message = "{field} must be at least 1 second, got {span}; leave it out for the default"
            refuse("SQLiteStore", "store_span", message, at=(field,), field=field, span=span)
        return span // MICROSECOND

    def _in(self, folder: Path) -> SQLiteStore:
        other = copy(self)
        other.path = folder / self.path.name
        return other

    def _open(self, host: Host, registry: TaskRegistry, lock: RLock) -> Opened:
        file = File(self.path, power_safe=self._power_safe)
        records = Records(file, self._keep, self._most)
        store = SQLite(file, registry, records, self._lease, polls=not isinstance(host.clock, VirtualClock))
        names = StoredNames(store, lock)
        intake = StoredIntake(store, names, host)
        return Opened(store, names, intake, Reconciler(store, names, intake, host))
