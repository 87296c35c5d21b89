"""The questions that a program may ask about a schedule."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ..clock import MICROSECOND, instant, moment
from ..errors import check_number, refuse
from ..models.fields import TimeZone
from ..models.schedules import Once, Repeat, Schedule
from .compiler import anchor_of, check_schedule, compile_schedule, zone_for
from .zones import BEFORE_ALL, LAST

_MAY_EMPTY: Final = {"excluding", "start_at", "end_at", "starting", "gap", "of"}  # fields that may leave no occurrence


def next_after(
    schedule: Schedule, after: datetime, *, zone: TimeZone | None = None, anchor: datetime | None = None
) -> datetime | None:
    """Return the first occurrence strictly after `after`, aware, in UTC; None when there is none.

    `zone` is for a schedule that names none; without it that is the machine's own. `anchor` is when the task was
    added, which `Once()` and `Repeat` count from; without it that is `after`, so that `Once()` is over. `n` is
    ignored. Of a repeat without a wait, or measured from the end, only the first is known.

    Raises:
        ValidationError: an argument has another type, a datetime is naive (`instant`), or the zone is not known.
    """
    check_schedule("next_after", schedule)
    t = instant("next_after", "after", after)
    begun = t if anchor is None else instant("next_after", "anchor", anchor)
    found = compile_schedule(schedule, zone_for(schedule, zone)).next_after(t, anchor_of(schedule, begun))
    return None if found is None else moment(found)


def between(
    schedule: Schedule,
    after: datetime,
    until: datetime,
    *,
    zone: TimeZone | None = None,
    anchor: datetime | None = None,
    limit: int | None = None,
) -> list[datetime]:
    """Return the occurrences after `after` and up to and including `until`, aware, in UTC, in order.

    `zone` and `anchor` are as in `next_after()`, and `n` is ignored. `limit` gives only the first ones.

    Raises:
        ValidationError: as `next_after()`, or there are more than 100,000 occurrences and no `limit` (`too_many`).
    """
    check_schedule("between", schedule)
    t, last = instant("between", "after", after), instant("between", "until", until)
    begun = anchor_of(schedule, t if anchor is None else instant("between", "anchor", anchor))
    evaluator = compile_schedule(schedule, zone_for(schedule, zone))
    if limit is None:
        limit = evaluator.count(t, last, begun)
        if limit > 100_000:
            message = "{limit} occurrences lie between these times; pass limit= for only the first ones"
            refuse("between", "too_many", message, limit=f"{limit:,}")
    else:
        limit = check_number("between", "number", "limit", limit, 0, "leave it out for all occurrences")
    found: list[datetime] = []
    while len(found) < limit and (following := evaluator.next_after(t, begun)) is not None and following <= last:
        found.append(moment(following))
        t = following
    return found


def ever_happens(schedule: Schedule) -> bool:
    """Tell whether there is an occurrence in any year; without a zone of its own, in the machine's."""
    if not schedule.model_fields_set & _MAY_EMPTY:  # what the fields alone show, the model has refused
        return True
    return compile_schedule(schedule, zone_for(schedule)).next_after(BEFORE_ALL, 0) is not None


def first_due(
    schedule: Schedule, n: int, after: int, zone: ZoneInfo, *, key: str = "", jitter: timedelta = timedelta(0)
) -> list[int]:
    """Return when the first `n` runs of a task that is added at `after` are due, in microseconds since 1970.

    There are fewer where the schedule has fewer. Of a repeat without a grid only the first is known. `key` draws the
    jitter.
    """
    occurrences, anchor = compile_schedule(schedule, zone), anchor_of(schedule, after)
    limit = n if schedule.run_count == -1 else min(n, schedule.run_count)
    # only the calendars begin later than the task: `Once` and `Repeat` start with it, a moment even in the past
    at = occurrences.next_after(BEFORE_ALL if isinstance(schedule, (Once, Repeat)) else after, anchor)
    due: list[int] = []
    while at is not None and len(due) < limit:
        following = occurrences.next_after(at, anchor)
        room = (LAST if following is None else following) - at
        due.append(at + spread(key, at, min(jitter // MICROSECOND, room)))
        at = following
    return due


def spread(key: str, scheduled_at: int, limit: int) -> int:
    """Return how far jitter moves an occurrence, from zero to below `limit`: the same in every process.

    A `limit` of zero gives zero.
    """
    if limit <= 0:
        return 0
    from hashlib import blake2b  # noqa: PLC0415 - it takes 2 ms to import, and few tasks have jitter

    drawn = blake2b(f"{key}\0{scheduled_at}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return int.from_bytes(drawn, "big") % limit
