"""A file that fails in a turn: at its beginning, at any of its statements, or at its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from panther_schedule.errors import StoreError
from panther_schedule.sqlite.file import File

VERBS = ("run", "run_each")
"""Through which all statements of a turn go: the first of them takes the lock, the last one commits."""


class Failing:
    """Lets a file fail once, at one statement of its next turn; counted from 0, and never again once it commits."""

    def __init__(self, file: File, at: int) -> None:
        self.file, self.at, self.count = file, at, 0
        self.failed = self.committed = False

    def __enter__(self) -> Self:
        for verb in VERBS:
            setattr(self.file, verb, self.counting(getattr(self.file, verb)))
        return self

    def __exit__(self, *_error: object) -> None:
        for verb in VERBS:
            delattr(self.file, verb)

    def counting(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        """Return a method of the file that fails when it is time."""

        def method(sql: str, *values: Any) -> Any:
            if not self.committed and (sql == "BEGIN IMMEDIATE" or self.file.is_turn()):
                self.count += 1
                if self.count == self.at + 1:
                    self.failed = True
                    raise StoreError(f"{self.file.path}: it fails in a test")
            answer = verb(sql, *values)
            self.committed = self.committed or sql == "COMMIT"
            return answer

        return method
