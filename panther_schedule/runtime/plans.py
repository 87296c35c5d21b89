"""What `plan()` and `apply()` find: how stored tasks differ from those that a program declares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from ..errors import refuse, refuse_value
from ..tasks.checks import is_text
from ..tasks.task import BackgroundTask, check_tasks

Kind: TypeAlias = Literal["added", "changed", "removed", "unchanged"]


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one stored task."""

    name: str
    """The task's name."""
    kind: Kind
    fields: tuple[str, ...] = ()
    """What differs in a changed one: `func`, `arguments`, `schedule`, `policy`."""
    next_before: datetime | None = None
    """When its next run was due, aware, in UTC."""
    next_after: datetime | None = None
    """When its next run is due from now on; None when there is none, or when it depends on a run."""
    handed: int = 0
    """How many of its `n` runs are used up from now on; none where another schedule starts it afresh."""

    def __str__(self) -> str:
        match self.kind:
            case "added":
                return f"added      {self.name}: next run {_shown(self.next_after)}"
            case "changed":
                fields = ", ".join(self.fields)
                moved = "" if self.next_before == self.next_after else f", next run {_shown(self.next_before)} ->"
                times = f"{moved} {_shown(self.next_after)}" if moved else f", next run still {_shown(self.next_after)}"
                return f"changed    {self.name} ({fields}){times}"
            case "removed":
                return f"removed    {self.name}: its next run, {_shown(self.next_before)}, is dropped"
            case "unchanged":
                return f"unchanged  {self.name}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of the stored tasks of one source, in the order of its tasks, then what is removed."""

    changes: tuple[Change, ...]

    @property
    def differs(self) -> bool:
        """True when a task is added, changed or removed."""
        return any(change.kind != "unchanged" for change in self.changes)

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)

    def __str__(self) -> str:
        return "\n".join(map(str, self.changes))


def _shown(at: datetime | None) -> str:
    return "none" if at is None else at.isoformat(" ", "seconds")


def check_declared(method: str, tasks: object, source: object) -> list[BackgroundTask[..., Any]]:
    """Return the declared tasks; refuse what is no task, names that are missing or doubled, and a blank source."""
    if not isinstance(source, str) or not source.strip() or not is_text(source):
        rule = "a str that is not blank, without lone surrogates"
        refuse_value(method, "source", "source", rule, repr(source), "write source='app'")
    wanted, names = check_tasks(method, tasks), set[str]()
    for task in wanted:
        if task._name is None:
            message = "{method}() needs tasks with names, to find them again; write task.with_name('digest')"
            refuse(method, "name_missing", message, at=("name",), method=method)
        if task._name in names:
            message = "two tasks are named {name}; choose another name for one of them"
            refuse(method, "duplicate_name", message, at=("name",), name=repr(task._name))
        names.add(task._name)
    return wanted
