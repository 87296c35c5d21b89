"""The plain list of a schedule's occurrences, and whether the package's answers agree with it.

The list is made date by date, from the offsets of `zoneinfo`; with `walker`, it shares nothing with the package. Where
a grid or some months rule most dates out, only the others are looked at, so a sparse list may span all of time.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import walker
from strategies import walk

from panther_schedule.clock import microseconds
from panther_schedule.models.schedules import AnyOf, AnySchedule, Daily, Monthly, Once, Repeat, Weekly
from panther_schedule.occurrences.compiler import compile_schedule
from panther_schedule.occurrences.queries import between

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
MOST = 60
"""Occurrences that are walked one by one, from each end of a list."""


class Question(NamedTuple):
    """Asks when a schedule happens after one moment, and up to and with another."""

    schedule: AnySchedule
    zone: str
    after: datetime
    until: datetime
    anchor: datetime | None = None
    """When the task was added; without it, `after`."""


def listed(question: Question) -> list[datetime]:
    """List the occurrences, one by one."""
    schedule, _zone, after, until, anchor = question
    anchor = anchor or after
    match schedule:
        case Once():
            found = {schedule.at or anchor}
        case Repeat():
            steps = (until - anchor) // schedule.wait if schedule.wait else 0
            found = {anchor + k * schedule.wait for k in range(steps + 1)}
        case AnyOf():
            found = {at for part in schedule.of for at in of_part(part, question, schedule.excluding)}
        case _:
            found = set(of_part(schedule, question, ()))
    return sorted(at for at in found if after < at <= until and within(schedule, at))


def of_part(part: walker.Kind | Once, question: Question, excluding: Collection[date | str]) -> Iterator[datetime]:
    """Yield the occurrences of a part of a union, without the local dates that the union excludes."""
    info = ZoneInfo(getattr(part, "tz", None) or question.zone)
    if isinstance(part, Once):
        assert part.at is not None
        if not is_excluded(part.at.astimezone(info).date(), excluding):
            yield part.at
        return
    (gap, fold), seconds = walker.rules(part), walker.times(part)
    for number in dates(part, question.after.toordinal() - 2, question.until.toordinal() + 2):
        day = date.fromordinal(number)
        if walker.names(part, day) and not is_excluded(day, excluding):
            midnight = datetime.combine(day, time())
            for second in seconds:
                yield from (at for at in instants(midnight + second * SECOND, info, gap, fold) if within(part, at))


def is_excluded(day: date, excluding: Collection[date | str]) -> bool:
    """Tell whether a date, or its weekday, is among these."""
    return day in excluding or walker.WEEKDAYS[day.weekday()] in excluding


def within(schedule: AnySchedule, at: datetime) -> bool:
    """Tell whether a moment lies within the bounds of a schedule."""
    start, end = getattr(schedule, "start_at", None), getattr(schedule, "end_at", None)
    return (start is None or start <= at) and (end is None or at <= end)


def dates(schedule: walker.Kind, first: int, last: int) -> Iterable[int]:
    """Give the dates that may be named: those of the days, weeks or months that count."""
    every, starting = getattr(schedule, "every", 1), getattr(schedule, "starting", None)
    match schedule:
        case Daily() if starting is not None:
            return range(first + (starting.toordinal() - first) % every, last + 1, every)
        case Weekly() if starting is not None:
            monday = starting.toordinal() - starting.weekday()
            weeks = range(first - 6 + (monday - first + 6) % (7 * every), last + 1, 7 * every)
            return [week + by for week in weeks for by in range(7) if first <= week + by <= last]
        case Daily() | Weekly():
            return range(first, last + 1)
        case _:
            begin = 0 if starting is None else starting.year * 12 + starting.month - 1
            low, high = (day.year * 12 + day.month - 1 for day in (date.fromordinal(first), date.fromordinal(last)))
            counted = months_of(schedule)
            months = [divmod(month, 12) for month in range(low + (begin - low) % every, high + 1, every)]
            days = [
                date(year, month + 1, 1).toordinal() + by
                for year, month in months
                if month + 1 in counted
                for by in range(monthrange(year, month + 1)[1])
            ]
            return [day for day in days if first <= day <= last]


def months_of(schedule: walker.Kind) -> Iterable[int]:
    """Give the months that a schedule names."""
    if isinstance(schedule, (Daily, Weekly)):
        return range(1, 13)
    if isinstance(schedule, Monthly):
        return schedule.months or range(1, 13)
    return walker.values(walker.fields(schedule)[3], 1, 12, walker.CRON_MONTHS)


def instants(local: datetime, info: ZoneInfo, gap: str, fold: str) -> list[datetime]:
    """The instants at which a zone's clock shows this, or what happens to it in a gap."""
    first, second = (local.replace(tzinfo=info, fold=number).utcoffset() for number in (0, 1))
    assert first is not None
    assert second is not None
    shown = [(local - offset).replace(tzinfo=UTC) for offset in (first, second)]
    if first == second:
        return shown[:1]
    if first > second:
        return shown if fold == "both" else shown[:1] if fold == "first" else shown[1:]
    low, high = shown[1], shown[0]  # the clock is set between them
    while high - low > SECOND:
        middle = low + (high - low) // SECOND // 2 * SECOND
        low, high = (middle, high) if middle.astimezone(info).utcoffset() == first else (low, middle)
    midnight = local.replace(hour=0, minute=0, second=0).replace(tzinfo=UTC)
    if gap == "skip" or (high + first <= midnight and midnight + DAY <= high + second):
        return []  # by its rule, or because the whole date does not exist
    return [high] if gap == "next_valid" else shown[:1]


def check(question: Question) -> None:
    """Raise AssertionError where an answer of the package is not that of the list."""
    schedule, zone, after, until, anchor = question
    expected = listed(question)
    times = [microseconds(at) for at in expected]
    first, last, begun = microseconds(after), microseconds(until), microseconds(anchor or after)
    evaluator = compile_schedule(schedule, ZoneInfo(zone))
    assert evaluator.count(first, last, begun) == len(times), "count"
    assert between(schedule, after, until, zone=zone, anchor=anchor, limit=MOST) == expected[:MOST], "between"
    assert walk(evaluator, first, last, begun, MOST) == times[:MOST], "next_after"
    back = [at := last]
    while len(back) <= MOST and (before := evaluator.latest(at, begun)) is not None and before > first:
        back.append(before)
        at = before - 1
    assert back[1:] == times[::-1][:MOST], "latest"
    for place in {0, len(times) // 2, len(times) - 1} if times else ():
        at = times[place]
        assert evaluator.count(first, at, begun) == place + 1, "count up to an occurrence, and with it"
        assert evaluator.count(at, last, begun) == len(times) - place - 1, "count after an occurrence"
        assert evaluator.next_after(at - 1, begun) == evaluator.latest(at, begun) == at, "an occurrence itself"
        assert evaluator.count(at - 1, at, begun) == 1, "count of one"
