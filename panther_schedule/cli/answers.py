"""The answers of the commands that read: what comes next, what it means, what is wrong, what differs."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import zip_longest
from typing import Final

from ..clock import MICROSECOND, SystemClock, machine_zone, moment
from ..occurrences.compiler import checked_zone, zone_for
from ..occurrences.queries import between
from ..tasks.task import BackgroundTask
from ..wording.previews import preview
from ..wording.sentence import explain
from ..wording.smells import lint
from .faults import Faulty, Usage
from .reports import Check, Coming, Diff, Explain, Explained, Moved, Next, Occurrence, Warned
from .sources import Source, read
from .terminal import progress

_MOST: Final = 10_000  # occurrences of one task in a comparison
_Tasks = Mapping[str, BackgroundTask]


def moment_of(text: str | None, zone: str | None) -> datetime:
    """Read a time in ISO 8601, without an offset on the clock of `zone` or the machine's; None is now."""
    if text is None:
        return moment(SystemClock().read().wall)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Usage(f"{text!r} is no time; write 2026-12-24, 2026-12-24T18:00 or 2026-12-24T18:00+01:00") from None
    return at if at.tzinfo else at.replace(tzinfo=checked_zone(zone) if zone else machine_zone())


def span_of(days: float, after: str | None, zone: str | None) -> tuple[datetime, datetime]:
    """Return the start and the end of a span of so many days."""
    start = moment_of(after, zone)
    try:
        return start, start + timedelta(days=days)
    except OverflowError:
        raise Usage(f"--days {days:g} ends after the year 9999; choose fewer") from None


def next_of(tasks: _Tasks, n: int, after: datetime, zone: str | None) -> Next:
    """Find the `n` next occurrences of all tasks together."""
    firsts = [
        (coming[0].utc, name, task)
        for name, task in progress(tasks.items(), "looking ahead")
        if (coming := preview(task, 1, after=after, zone=zone))
    ]
    runs = [  # the next n are of the n tasks that come first
        Coming(task=name, at=each.local, timezone=str(each.local.tzinfo), note=each.note)
        for _, name, task in heapq.nsmallest(n, firsts, key=lambda first: first[0])
        for each in preview(task, n, after=after, zone=zone)
    ]
    sentence = "".join(explain(task, zone) for task in tasks.values()) if len(tasks) == 1 else None
    return Next(after=after, sentence=sentence, runs=heapq.nsmallest(n, runs, key=lambda run: run.at))


def explained(tasks: _Tasks, after: datetime, zone: str | None) -> Explain:
    """Say what each task means, and when it runs next."""
    said: list[Explained] = []
    for name, task in progress(tasks.items(), "explaining"):
        coming = preview(task, 1, after=after, zone=zone)
        said.append(Explained(task=name, sentence=explain(task, zone), next=coming[0].local if coming else None))
    return Explain(tasks=said, warnings=_warnings(tasks, zone))


def checked(source: Source, zone: str | None) -> Check:
    """Find the faults of a source, and likely mistakes in its schedules."""
    try:
        tasks = read(source)
    except Faulty as error:
        return Check(source=source.text, tasks=None, faults=[*error.faults], warnings=[])
    return Check(source=source.text, tasks=len(tasks), faults=[], warnings=_warnings(tasks, zone))


def _warnings(tasks: _Tasks, zone: str | None) -> list[Warned]:
    return [
        Warned(task=name, code=smell.code, message=smell.message)
        for name, task in progress(tasks.items(), "checking")
        for smell in lint(task, zone)
    ]


def differences(old: _Tasks, new: _Tasks, start: datetime, end: datetime, zone: str | None) -> Diff:
    """Compare the occurrences from `start` to `end`, both inclusive, of tasks of the same name.

    An occurrence that is gone and one that was added on the same date are one that has moved.
    """
    found = Diff(start=start, end=end, added=[], gone=[], moved=[])
    for name in progress({**old, **new}, "comparing"):
        task, other = old.get(name), new.get(name)
        if task is not None and other is not None and task.schedule == other.schedule:
            continue
        was, now = (_times(name, one, start, end, zone) for one in (task, other))
        for less, more in _paired(was - now, now - was):
            if less and more:
                found.moved.append(Moved(task=name, at=less, to=more))
            elif less:
                found.gone.append(Occurrence(task=name, at=less))
            elif more:
                found.added.append(Occurrence(task=name, at=more))
    return found


def _times(name: str, task: BackgroundTask | None, start: datetime, end: datetime, zone: str | None) -> set[datetime]:
    """Find the occurrences of a task that is added at `start`, on the clock of its zone."""
    if task is None:
        return set()
    n = task.schedule.run_count
    limit = _MOST + 1 if n == -1 else min(n, _MOST + 1)
    found = between(task.schedule, start - MICROSECOND, end, zone=zone, anchor=start, limit=limit)
    if len(found) > _MOST:
        raise Usage(f"{name or 'the schedule'} has more than {_MOST:,} occurrences in this span; choose fewer --days")
    own = getattr(task.schedule, "tz", None)
    info = checked_zone(own) if own else zone_for(task.schedule, zone)
    return {at.astimezone(info) for at in found}


def _paired(less: set[datetime], more: set[datetime]) -> Iterator[tuple[datetime | None, datetime | None]]:
    """Pair what is gone with what was added, date by date and in order."""
    days: defaultdict[date, tuple[list[datetime], list[datetime]]] = defaultdict(lambda: ([], []))
    for side, times in enumerate((less, more)):
        for at in sorted(times):
            days[at.date()][side].append(at)
    for _, sides in sorted(days.items()):
        yield from zip_longest(*sides)
