"""What a picture shows: marks on the lane of a task, and when the clock is set."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, TypeAlias

from typing_extensions import override

from ..clock import moment
from ..occurrences.zones import LAST
from ..planning.due import places
from ..planning.records import Outcome, Passed, Reason, Record, Run
from ..planning.rule import Plan, due_at, jittered
from ..wording.previews import calendars_of, clock_note

What: TypeAlias = Literal["planned", "in_flight"] | Outcome | Reason

MOST_MARKS: Final = 240  # in a lane, one by one; also how many places a crowded lane has


@dataclass(frozen=True, slots=True)
class Mark:
    """An occurrence, a run, or several of a kind. Its times are aware, in UTC."""

    what: What
    """`planned`: an occurrence that is to come; a run `in_flight`, or its outcome; why no run came of occurrences."""
    scheduled_at: datetime
    """The occurrence, or the first of several."""
    start_at: datetime
    """When it is due, when the run started, or the first of several."""
    end_at: datetime
    """When the run ended, or the last of several; otherwise as `start_at`."""
    count: int = 1
    """How many there are."""
    note: str | None = None
    """How a clock change affects an occurrence; what a run raised, its attempts if several, and why it exists."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One task in a picture."""

    name: str
    """The task's name, or its function's."""
    marks: tuple[Mark, ...]
    """In the order of their `start_at`. Of more than 240, those that would touch in a picture are one mark."""
    note: str | None = None
    """What no mark says: that the task is paused, or that what comes next depends on a run."""

    @property
    def counts(self) -> Counter[What]:
        """How many there are of each kind."""
        counts = Counter[What]()
        for mark in self.marks:
            counts[mark.what] += mark.count
        return counts


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A moment at which the clock of the picture's zone is set."""

    at: datetime
    """The moment, aware, in UTC."""
    before: str
    """What the clock would have shown: "02:00"."""
    after: str
    """What it shows instead: "03:00"."""

    @override
    def __str__(self) -> str:
        return f"{self.before} -> {self.after}"


def coming(plan: Plan, first: int, last: int) -> list[Mark]:
    """Return the runs that wait, and the occurrences that are to come from `first` to `last`, both included."""
    rule, state, offset = plan
    occurrences, anchor, left = rule.occurrences, state.anchor, places(rule, state)
    waiting = (moment(at + offset) for at in state.held.waiting if first <= at + offset <= last)
    found = [Mark("in_flight", at, at, at) for at in waiting]
    if state.next_at is None or due_at(rule, state) is None:
        return found
    begin, end = max(state.next_at, first - offset), last - offset
    before, count = begin - 1, occurrences.count(begin - 1, end, anchor)
    if left is not None:
        left -= occurrences.count(state.next_at - 1, before, anchor)
        if count > left:  # the task ends earlier, with the last of its n
            end = begin + bisect_left(range(begin, end), left, key=lambda t: occurrences.count(before, t, anchor))
            count = max(0, left)
    if count > MOST_MARKS:
        return joined([*found, *_crowds(plan, begin, end)], (last - first) // MOST_MARKS)
    calendars, at = calendars_of(occurrences), before
    for _ in range(count):
        following = occurrences.next_after(at, anchor)
        since, at = at, LAST if following is None else following  # which may be 1970, a zero
        due = moment(jittered(rule, at, anchor) + offset)
        found.append(Mark("planned", moment(at + offset), due, due, note=clock_note(calendars, at, since)))
    return found


def _crowds(plan: Plan, begin: int, end: int) -> Iterator[Mark]:
    """Count the occurrences of each place, without a look at all of them."""
    rule, state, offset = plan
    occurrences, anchor, at = rule.occurrences, state.anchor, begin - 1
    size = max(1, (end - begin) // MOST_MARKS)
    while (first := occurrences.next_after(at, anchor)) is not None and first <= end:
        at = min(end, first + size)
        count, latest = occurrences.count(first - 1, at, anchor), occurrences.latest(at, anchor)
        last = first if latest is None else latest
        yield Mark("planned", moment(first + offset), moment(first + offset), moment(last + offset), count)


def recorded(records: Sequence[Record], in_flight: Sequence[Run], first: int, last: int) -> list[Mark]:
    """Return what records, and runs that have not ended, show of the time from `first` to `last`."""
    known = {record.id for record in records if isinstance(record, Run)}
    marks = [_mark(record) for record in (*records, *(run for run in in_flight if run.id not in known))]
    start, end = moment(first), moment(last)
    inside = [mark for mark in marks if min(mark.scheduled_at, mark.start_at) <= end and mark.end_at >= start]
    return inside if len(inside) <= MOST_MARKS else joined(inside, (last - first) // MOST_MARKS)


def joined(marks: Iterable[Mark], touching: int) -> list[Mark]:
    """Make one of the marks of a kind that are less than this many microseconds apart."""
    found: list[Mark] = []
    latest: dict[What, int] = {}
    for mark in sorted(marks, key=lambda mark: mark.start_at):
        place = latest.get(mark.what)
        if place is not None and (mark.start_at - found[place].end_at).total_seconds() * 1_000_000 < touching:
            one = found[place]
            end_at = max(one.end_at, mark.end_at)
            found[place] = replace(one, end_at=end_at, count=one.count + mark.count, note=None)
        else:
            latest[mark.what] = len(found)
            found.append(mark)
    return found


def _mark(record: Record) -> Mark:
    at = record.first_at if isinstance(record, Passed) else record.scheduled_at
    if isinstance(record, Passed):
        return Mark(record.reason, at, at, record.last_at, record.count)
    if record.phase != "ended":
        return Mark("in_flight", at, at, at)
    error = next((attempt.error.type for attempt in reversed(record.attempts) if attempt.error), None)
    tried = f"{len(record.attempts)} attempts" if len(record.attempts) > 1 else None
    note = ", ".join(filter(None, [record.cause if record.cause != "schedule" else None, tried, error]))
    return Mark(record.outcome, at, record.started_at or record.finished_at, record.finished_at, note=note or None)
