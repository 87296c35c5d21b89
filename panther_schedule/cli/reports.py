"""What the commands that read say: models, whose JSON is `--json` and whose lines are for people."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel

from ..pictures import Timeline
from .faults import Fault
from .terminal import BOLD, DIM, GREEN, RED, YELLOW, is_plain, painted, width


class Report(BaseModel, frozen=True, defer_build=True):
    """What a command says; `report` names its form, and the version of that."""

    @abstractmethod
    def lines(self) -> Iterator[str]:
        """Yield the lines for people."""


class Occurrence(BaseModel, frozen=True, defer_build=True):
    """An occurrence; `at` has the offset of its zone."""

    task: str
    at: AwareDatetime


class Coming(Occurrence, frozen=True):
    """A coming occurrence, and how a clock change affects it."""

    timezone: str
    note: str | None


class Next(Report, frozen=True):
    """The next occurrences of all tasks together; a single task is explained."""

    report: Literal["next/1"] = "next/1"
    after: AwareDatetime
    sentence: str | None
    runs: list[Coming]

    def lines(self) -> Iterator[str]:
        yield from [painted(self.sentence, BOLD)] if self.sentence else []
        rows = [[it.task, shown(it.at), _utc(it.at), distance(it.at - self.after)] for it in self.runs]
        for line, run in zip(table(rows), self.runs, strict=True):
            yield line + (painted(f"  {run.note}", YELLOW) if run.note else "")
        yield from [] if self.runs else ["nothing will run"]


class Warned(BaseModel, frozen=True, defer_build=True):
    """A likely mistake in a schedule."""

    task: str
    code: str
    message: str

    def __str__(self) -> str:
        said = f"{self.task}: {self.message}" if self.task else self.message
        return f"{painted('warning:', YELLOW)} {said} {painted(f'[{self.code}]', DIM)}"


class Explained(BaseModel, frozen=True, defer_build=True):
    """A task in one sentence, and its next occurrence."""

    task: str
    sentence: str
    next: AwareDatetime | None


class Explain(Report, frozen=True):
    """What tasks mean."""

    report: Literal["explain/1"] = "explain/1"
    tasks: list[Explained]
    warnings: list[Warned]

    def lines(self) -> Iterator[str]:
        for it in self.tasks:
            yield f"{painted(it.task, BOLD)}: {it.sentence}" if it.task else it.sentence
            yield painted(f"  next: {'never' if it.next is None else shown(it.next)}", DIM)
        yield from map(str, self.warnings)


class Check(Report, frozen=True):
    """The faults of a document or a module, and likely mistakes in its schedules."""

    report: Literal["check/1"] = "check/1"
    source: str
    tasks: int | None
    faults: list[Fault]
    warnings: list[Warned]

    def lines(self) -> Iterator[str]:
        for fault in self.faults:
            yield f"{painted('error:', RED)} {fault} {painted(f'[{fault.type}]', DIM)}"
        yield from map(str, self.warnings)
        parts = (self.tasks, "task"), (len(self.faults), "fault"), (len(self.warnings), "warning")
        said = ", ".join(f"{n:,} {noun}{'' if n == 1 else 's'}" for n, noun in parts if n is not None)
        yield painted(said, RED if self.faults else YELLOW if self.warnings else GREEN)


class Moved(Occurrence, frozen=True):
    """An occurrence that has another time on the same date."""

    to: AwareDatetime


class Diff(Report, frozen=True):
    """Which occurrences of a span two sources do not share."""

    report: Literal["diff/1"] = "diff/1"
    start: AwareDatetime
    end: AwareDatetime
    added: list[Occurrence]
    gone: list[Occurrence]
    moved: list[Moved]

    @property
    def differs(self) -> bool:
        """True where an occurrence was added, is gone or has moved."""
        return bool(self.added or self.gone or self.moved)

    def lines(self) -> Iterator[str]:
        rows = [(it, [painted("+", GREEN), it.task, shown(it.at)]) for it in self.added]
        rows += [(it, [painted("-", RED), it.task, shown(it.at)]) for it in self.gone]
        rows += [(it, [painted("~", YELLOW), it.task, f"{shown(it.at)} -> {shown(it.to)}"]) for it in self.moved]
        yield from table([row for _, row in sorted(rows, key=lambda pair: pair[0].at)])
        yield f"{len(self.added):,} added, {len(self.gone):,} gone, {len(self.moved):,} moved"


class Drawn(Report, frozen=True):
    """A picture of what will run."""

    report: Literal["timeline/1"] = "timeline/1"
    timeline: Timeline

    def lines(self) -> Iterator[str]:
        yield self.timeline.text(width(), ascii=is_plain(), style=lambda _, signs: painted(signs, GREEN))


REPORTS: Final[dict[str, type[Report]]] = {
    "check": Check, "next": Next, "explain": Explain, "timeline": Drawn, "diff": Diff,
}  # fmt: skip


def shown(at: datetime) -> str:
    """Show a moment on the clock of its zone: "Fri 2026-11-27 09:30 CET"."""
    digits = "%H:%M:%S.%f" if at.microsecond else "%H:%M:%S" if at.second else "%H:%M"
    return f"{at:%a %Y-%m-%d {digits} %Z}"


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align the columns of rows; an empty column is left out."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width).rstrip()


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M} UTC" if at.utcoffset() else ""


def distance(by: timedelta) -> str:
    """Say roughly how far off a moment is: "in 1 day 5 h", "5 min ago"."""
    minutes, seconds = divmod(abs(by) // timedelta(seconds=1), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    amounts = (days, "day" if days == 1 else "days"), (hours, "h"), (minutes, "min"), (seconds, "s")
    first = next((at for at, (amount, _) in enumerate(amounts) if amount), len(amounts))
    said = " ".join(f"{amount} {unit}" for amount, unit in amounts[first : first + 2] if amount)
    return "now" if not said else f"{said} ago" if by < timedelta(0) else f"in {said}"
