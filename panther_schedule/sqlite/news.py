"""What other processes did, for the listeners here: written only while somebody listens elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final, TypeAlias, get_args

from .. import events
from ..clock import MICROSECOND
from ..planning.records import Passed, Run
from .file import File
from .rows import attempts_of, attempts_text

_KINDS: Final[dict[str, Any]] = {kind.__name__: kind for kind in get_args(events.Event)}
News: TypeAlias = tuple[Any, tuple[Any, ...]]  # the class of an event, and its fields


class Noticeboard:
    """The events that schedulers leave for each other's listeners."""

    def __init__(self, file: File) -> None:
        self._file = file
        self.mark = -1  # the last event that was read; -1 when nobody listens here
        self._listened = False  # somebody listens elsewhere

    def look(self, me: int) -> None:
        """See whether somebody listens elsewhere, after others have written."""
        self._listened = self._file.row("SELECT 1 FROM process WHERE listens = 1 AND id != ?", (me,)) is not None

    def note(self, me: int, now: int, kind: Any, details: tuple[Any, ...]) -> None:
        """Leave an event for listeners elsewhere, if there are any."""
        if self._listened:
            text = json.dumps([_plain(each) for each in details])
            sql = "INSERT INTO event (process, kind, data, at) VALUES (?, ?, ?, ?)"
            self._file.run(sql, (me, kind.__name__, text, now))

    def news(self, me: int, *, listens: bool) -> Iterator[News]:
        """Yield what others did since the last turn, if anybody `listens` here."""
        if listens != (self.mark >= 0):
            self._file.run("UPDATE process SET listens = ? WHERE id = ?", (listens, me))
            (last,) = self._file.row("SELECT coalesce(max(id), 0) FROM event")
            self.mark = last if listens else -1
        if not listens:
            return
        sql = "SELECT id, kind, data FROM event WHERE id > ? AND process != ? ORDER BY id"
        for id_, kind, text in self._file.rows(sql, (self.mark, me)):
            self.mark = id_
            if kind in _KINDS:
                yield _KINDS[kind], tuple(_value(each) for each in json.loads(text))

    def prune(self, before: int) -> None:
        self._file.run("DELETE FROM event WHERE at < ?", (before,))


def _plain(value: Any) -> Any:
    match value:
        case Run():
            return {"run": [*value[:5], attempts_text(value.attempts), *value[6:]]}
        case Passed():
            return {"passed": [value.reason, value.first, value.last, value.count]}
        case timedelta():
            return {"span": value // MICROSECOND}
        case _:
            return value


def _value(plain: Any) -> Any:
    match plain:
        case {"run": [*fields]}:
            return Run._make([*fields[:5], attempts_of(fields[5]), *fields[6:]])
        case {"passed": [*fields]}:
            return Passed(*fields)
        case {"span": span}:
            return MICROSECOND * span
        case _:
            return plain
