"""The questions that a program may ask about a schedule."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from ..clock import microseconds, moment
from ..models.schedules import Schedule
from .compiler import compile_schedule, zone_for
from .evaluators import Evaluator
from .zones import BEFORE_ALL

_NARROWING: Final = frozenset({"excluding", "start_at", "end_at", "starting", "gap", "of"})


def next_after(
    schedule: Schedule, after: datetime, *, zone: ZoneInfo | str | None = None, anchor: datetime | None = None
) -> datetime | None:
    """Return the first occurrence strictly after `after`, aware, in UTC; None when there is none.

    `zone` is for a schedule that names none; without it that is the machine's own. `anchor` is when the task was
    added, where `Once()` and `Repeat` begin; without it that is `after`, so that `Once()` is over. `n` is ignored.
    A naive datetime raises ValueError.
    """
    t = instant("after", after)
    evaluator, begun = _asked(schedule, zone, anchor, t)
    return _shown(evaluator.next_after(t, begun))


def between(
    schedule: Schedule,
    after: datetime,
    until: datetime,
    *,
    zone: ZoneInfo | str | None = None,
    anchor: datetime | None = None,
    limit: int | None = None,
) -> list[datetime]:
    """Return the occurrences after `after` and up to and including `until`, aware, in UTC, in order.

    `zone` and `anchor` are as in `next_after()`, and `n` is ignored. `limit` gives the first so many; without it,
    more than 100,000 occurrences raise ValueError, as does a naive datetime.
    """
    t, last = instant("after", after), instant("until", until)
    evaluator, begun = _asked(schedule, zone, anchor, t)
    if limit is None:
        limit = evaluator.count(t, last, begun)
        if limit > 100_000:
            raise ValueError(f"{limit:,} occurrences lie between these times; pass limit= for the first so many")
    elif limit < 0:
        raise ValueError(f"limit must not be negative, got {limit}; leave it out for all occurrences")
    found: list[datetime] = []
    while len(found) < limit and (following := evaluator.next_after(t, begun)) is not None and following <= last:
        found.append(moment(following))
        t = following
    return found


def latest(
    schedule: Schedule, until: datetime, *, zone: ZoneInfo | str | None = None, anchor: datetime | None = None
) -> datetime | None:
    """Return the last occurrence at or before `until`; all else is as in `next_after()`."""
    t = instant("until", until)
    evaluator, begun = _asked(schedule, zone, anchor, t)
    return _shown(evaluator.latest(t, begun))


def previous(
    schedule: Schedule, before: datetime, *, zone: ZoneInfo | str | None = None, anchor: datetime | None = None
) -> datetime | None:
    """Return the last occurrence strictly before `before`, so that it inverts `next_after()`; all else is as there."""
    t = instant("before", before)
    evaluator, begun = _asked(schedule, zone, anchor, t)
    return _shown(evaluator.latest(t - 1, begun))


def count(
    schedule: Schedule,
    after: datetime,
    until: datetime,
    *,
    zone: ZoneInfo | str | None = None,
    anchor: datetime | None = None,
) -> int:
    """Return the length of what `between()` returns, of any size, without a look at each occurrence."""
    t, last = instant("after", after), instant("until", until)
    evaluator, begun = _asked(schedule, zone, anchor, t)
    return evaluator.count(t, last, begun)


def ever_happens(schedule: Schedule) -> bool:
    """Tell whether there is an occurrence in any year; without a zone of its own, in the machine's."""
    if not schedule.model_fields_set & _NARROWING:  # what the fields alone show, the model has refused
        return True
    return compile_schedule(schedule, zone_for(schedule)).next_after(BEFORE_ALL, 0) is not None


def instant(name: str, value: datetime) -> int:
    """Return an aware datetime in microseconds since 1970; a naive one raises ValueError, which calls it `name`."""
    if value.utcoffset() is None:
        raise ValueError(
            f"{name} must be an aware datetime, got a naive one; write datetime(2026, 12, 24, 18, 0, tzinfo=UTC)"
        )
    return microseconds(value)


def _asked(schedule: Schedule, zone: ZoneInfo | str | None, anchor: datetime | None, t: int) -> tuple[Evaluator, int]:
    """Return a schedule's evaluator and its anchor, which is `t` if none is given."""
    begun = t if anchor is None else instant("anchor", anchor)
    return compile_schedule(schedule, zone_for(schedule, zone)), begun


def _shown(found: int | None) -> datetime | None:
    return None if found is None else moment(found)
