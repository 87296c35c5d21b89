"""What the commands on a file of tasks say. JSON has times in UTC; people read them in the machine's zone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Final, Literal, get_args

from pydantic import AwareDatetime, BaseModel, Field

from ..clock import local
from ..runtime.plans import Kind
from .reports import Report, distance, shown, table
from .terminal import GREEN, RED, YELLOW, painted


class Raised(BaseModel, frozen=True, defer_build=True):
    """What a function raised."""

    type: str
    text: str
    traceback: str


class Ran(BaseModel, frozen=True, defer_build=True):
    """A run that has ended."""

    kind: Literal["run"] = "run"
    task: str
    id: str
    cause: str
    scheduled_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime
    outcome: str
    attempts: int
    error: Raised | None

    def cells(self) -> list[str]:
        """Return its row of a table."""
        took = f"after {(self.finished_at - self.started_at).total_seconds():.3f} s" if self.started_at else ""
        notes = [self.cause] if self.cause != "schedule" else []
        notes += [f"{self.attempts} attempts"] if self.attempts > 1 else []
        notes += [": ".join([self.error.type, *self.error.text.splitlines()[:1]])] if self.error else []
        colour = GREEN if self.outcome == "succeeded" else RED
        return [_shown(self.scheduled_at), self.task, painted(self.outcome, colour), took, ", ".join(notes)]


class Skipped(BaseModel, frozen=True, defer_build=True):
    """Consecutive occurrences that did not become runs."""

    kind: Literal["passed"] = "passed"
    task: str
    reason: str
    first_at: AwareDatetime
    last_at: AwareDatetime
    count: int

    def cells(self) -> list[str]:
        """Return its row of a table."""
        until = f"until {_shown(self.last_at)}" if self.count > 1 else ""
        return [_shown(self.first_at), self.task, painted(f"{self.count:,} {self.reason}", YELLOW), "", until]


Recorded = Annotated[Ran | Skipped, Field(discriminator="kind")]


class History(Report, frozen=True):
    """What happened to the latest due occurrences, and to the runs that somebody asked for; the oldest is first."""

    report: Literal["history/1"] = "history/1"
    records: list[Recorded]

    def lines(self) -> Iterator[str]:
        yield from table([record.cells() for record in self.records])
        yield from [] if self.records else ["nothing has happened yet"]


class Stored(BaseModel, frozen=True, defer_build=True):
    """A task in the file; `next` is None in a pause, at the end, and while it depends on a run."""

    task: str
    next: AwareDatetime | None
    paused: bool
    reason: str | None
    ended: bool
    counts: dict[str, int]
    last: Recorded | None

    def cells(self, now: datetime) -> list[str]:
        """Return its row of a table."""
        counts = ", ".join(f"{number:,} {what}" for what, number in self.counts.items() if number)
        match self.last:
            case None:
                last = ""
            case Skipped(reason=what, last_at=at) | Ran(outcome=what, finished_at=at):
                last = f"{what} {distance(at - now)}"
        if self.paused:
            return [self.task, f"paused: {self.reason}" if self.reason else "paused", "", last, counts]
        if self.next is None:
            return [self.task, "ended" if self.ended else "after its run", "", last, counts]
        due = f"{'due ' if self.next < now else ''}{distance(self.next - now)}"
        return [self.task, _shown(self.next), due, last, counts]


class _Tasks(Report, frozen=True):
    """Tasks, as they were at one moment."""

    report: str
    at: AwareDatetime
    tasks: list[Stored]

    def lines(self) -> Iterator[str]:
        yield from table([task.cells(self.at) for task in self.tasks])
        yield from [] if self.tasks else ["there are no tasks"]


class Status(_Tasks, frozen=True):
    """All tasks of a file."""

    report: Literal["status/1"] = "status/1"


class Paused(_Tasks, frozen=True):
    """A task that was paused."""

    report: Literal["pause/1"] = "pause/1"


class Resumed(_Tasks, frozen=True):
    """A task that was resumed."""

    report: Literal["resume/1"] = "resume/1"


class Asked(BaseModel, frozen=True, defer_build=True):
    """A run that was asked for; `id` is None where it would be."""

    scheduled_at: AwareDatetime
    id: str | None


class Triggered(Report, frozen=True):
    """A run that was asked for."""

    report: Literal["trigger/1"] = "trigger/1"
    task: str
    run: Asked

    def lines(self) -> Iterator[str]:
        yield f"asked for {self.run.id}"


class Backfilled(Report, frozen=True):
    """The runs of a backfill, which were asked for or would be."""

    report: Literal["backfill/1"] = "backfill/1"
    task: str
    dry_run: bool
    runs: list[Asked]

    def lines(self) -> Iterator[str]:
        yield from (_shown(run.scheduled_at) for run in self.runs)
        said = f"{len(self.runs):,} run{'' if len(self.runs) == 1 else 's'}"
        yield f"would ask for {said}" if self.dry_run else f"asked for {said}, one after the other"


class Changed(BaseModel, frozen=True, defer_build=True):
    """What becomes of one task; `handed` is how many of its `n` runs are used up then."""

    task: str
    kind: Kind
    fields: list[str]
    next_before: AwareDatetime | None
    next_after: AwareDatetime | None
    handed: int

    def cells(self) -> list[str]:
        """Return its row of a table."""
        before, after = (_shown(at) if at else "never" for at in (self.next_before, self.next_after))
        match self.kind:
            case "added" | "unchanged":
                return [painted("+", GREEN), self.task, "", after, ""]
            case "removed":
                return [painted("-", RED), self.task, "", before, ""]
            case "changed":
                next_ = after if before == after else f"{before} -> {after}"
                count = "starts afresh" if "schedule" in self.fields else f"keeps its count of {self.handed:,}"
                return [painted("~", YELLOW), self.task, ", ".join(self.fields), next_, count]


class Applied(Report, frozen=True):
    """What makes the tasks of a file those of a document or a module, or would with `dry_run`."""

    report: Literal["apply/1"] = "apply/1"
    file: str
    made: bool
    dry_run: bool
    changes: list[Changed]

    @property
    def differs(self) -> bool:
        """True where a task is added, changed or removed."""
        return any(change.kind != "unchanged" for change in self.changes)

    def lines(self) -> Iterator[str]:
        yield from [f"{'would make' if self.dry_run else 'made'} {self.file}"] if self.made else []
        yield from table([change.cells() for change in self.changes if change.kind != "unchanged"])
        numbers = Counter(change.kind for change in self.changes)
        said = ", ".join(f"{numbers[kind]:,} {kind}" for kind in get_args(Kind))
        yield f"dry run: {said}" if self.dry_run else said


class BackedUp(Report, frozen=True):
    """A copy of a file."""

    report: Literal["backup/1"] = "backup/1"
    file: str
    to: str

    def lines(self) -> Iterator[str]:
        yield f"wrote {self.to}"


STORED_REPORTS: Final[dict[str, type[Report]]] = {
    "status": Status, "history": History, "pause": Paused, "resume": Resumed, "trigger": Triggered,
    "backfill": Backfilled, "apply": Applied, "backup": BackedUp,
}  # fmt: skip


def _shown(at: datetime) -> str:
    return shown(local(at.replace(microsecond=0)))
