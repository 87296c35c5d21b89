"""What the commands on a file of tasks find out and do, while schedulers in other processes run its tasks."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from ..clock import SystemClock, moment
from ..errors import nearest
from ..planning.records import Passed, Record
from ..runtime.handles import TaskHandle
from ..runtime.scheduler import Scheduler
from ..tasks.registry import TaskRegistry
from ..tasks.task import BackgroundTask
from .faults import Impossible
from .stored_reports import (
    Applied,
    Asked,
    BackedUp,
    Backfilled,
    Changed,
    History,
    Paused,
    Raised,
    Ran,
    Resumed,
    Skipped,
    Status,
    Stored,
    Triggered,
)
from .terminal import progress

if TYPE_CHECKING:
    from ..sqlite import SQLiteStore
_SILENT: Final = logging.NullHandler()
_NO_FUNCTIONS: Final = TaskRegistry()


def status(file: Path) -> Status:
    """Look at all tasks."""
    with _opened(_there(file)) as scheduler:
        return Status(at=_now(), tasks=[_stored(handle) for handle in progress([*scheduler], "reading")])


def history(file: Path, name: str | None, n: int) -> History:
    """Find the latest records of one task, which may be gone, or of all."""
    records = _store(_there(file)).records(name, n)
    if name is not None and not records:
        with _task(file, name):
            pass  # it is there
    return History(records=[_recorded(task, record) for task, record in records])


def pause(file: Path, name: str, reason: str) -> Paused:
    """Pause a task in all processes."""
    with _task(file, name) as handle:
        handle.pause(reason)
        return Paused(at=_now(), tasks=[_stored(handle)])


def resume(file: Path, name: str) -> Resumed:
    """End the pause of a task in all processes."""
    with _task(file, name) as handle:
        handle.resume()
        return Resumed(at=_now(), tasks=[_stored(handle)])


def trigger(file: Path, name: str) -> Triggered:
    """Ask for one more run, now, in whichever process takes it."""
    with _task(file, name) as handle:
        run = handle.run_now()
        return Triggered(task=name, run=Asked(scheduled_at=run.scheduled_at, id=run.id))


def backfill(file: Path, name: str, start: datetime, end: datetime, *, dry_run: bool) -> Backfilled:
    """Ask for a run for each occurrence from `start` to `end`, both included, or find out which they would be."""
    with _task(file, name) as handle:
        if dry_run:
            runs = [Asked(scheduled_at=at, id=None) for at in handle.backfill(start, end, dry_run=True)]
        else:
            runs = [Asked(scheduled_at=run.scheduled_at, id=run.id) for run in handle.backfill(start, end)]
        return Backfilled(task=name, dry_run=dry_run, runs=runs)


def apply(file: Path, tasks: list[BackgroundTask], registry: TaskRegistry, source: str, *, dry_run: bool) -> Applied:
    """Make the tasks of a source those that are given, or find out what this would change; it may make the file."""
    made = not file.exists()
    with TemporaryDirectory() as folder, _opened(Path(folder, file.name) if made else file, registry) as scheduler:
        plan = scheduler.plan(tasks, source=source)  # what is refused makes no file
    if not dry_run:
        with _opened(file, registry) as scheduler:
            plan = scheduler.apply(tasks, source=source)
    changes = [Changed.model_validate({"task": change.name, **asdict(change)}) for change in plan]
    return Applied(file=str(file), made=made, dry_run=dry_run, changes=changes)


def backup(file: Path, to: Path) -> BackedUp:
    """Write a copy of the file as it is at one moment; it never writes over another one."""
    _store(_there(file)).backup(to)
    return BackedUp(file=str(file), to=str(to))


def _there(file: Path) -> Path:
    if not file.exists():
        raise Impossible(f"there is no file {file}; `panther-schedule apply` or a Scheduler with this store makes one")
    return file


def _store(file: Path) -> SQLiteStore:
    from ..sqlite import SQLiteStore  # noqa: PLC0415 - `--help` and most commands need no SQLite

    return SQLiteStore(file)


@contextmanager
def _opened(file: Path, registry: TaskRegistry = _NO_FUNCTIONS) -> Generator[Scheduler]:
    """Open a scheduler on the tasks of a file; it runs none itself."""
    logging.getLogger("panther_schedule").addHandler(_SILENT)  # what goes wrong is raised, too
    with Scheduler(store=_store(file), registry=registry, max_workers=0) as scheduler:
        yield scheduler


@contextmanager
def _task(file: Path, name: str) -> Generator[TaskHandle]:
    with _opened(_there(file)) as scheduler:
        if name not in scheduler:
            raise _unknown(file, name, scheduler)
        yield scheduler[name]


def _unknown(file: Path, name: str, scheduler: Scheduler) -> Impossible:
    hint = nearest(name, (handle.name for handle in scheduler))
    return Impossible(f"{file} has no task {name!r}" + (f"; {hint}" if hint else ""))


def _stored(handle: TaskHandle) -> Stored:
    runs = handle.runs
    return Stored(
        task=handle.name,
        next=handle.next_run,
        paused=handle.paused,
        reason=handle.pause_reason,
        ended=handle.ended,
        counts={**handle.counts},
        last=_recorded(handle.name, runs[-1]) if runs else None,
    )


def _recorded(task: str, record: Record) -> Ran | Skipped:
    if isinstance(record, Passed):
        return Skipped(
            task=task,
            reason=record.reason,
            first_at=record.first_at,
            last_at=record.last_at,
            count=record.count,
        )
    error = record.error
    return Ran(
        task=task,
        id=record.id,
        cause=record.cause,
        scheduled_at=record.scheduled_at,
        started_at=record.started_at,
        finished_at=record.finished_at,
        outcome=record.outcome,
        attempts=len(record.attempts),
        error=None if error is None else Raised(type=error.type, text=error.text, traceback=error.traceback),
    )


def _now() -> datetime:
    return moment(SystemClock().read().wall)
