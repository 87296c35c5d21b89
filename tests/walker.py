"""An oracle of its own: it looks at each date and at each half minute, and shares nothing with the package.

It reads the schedules' fields only. Where a rule has a standard behind it, the line says which.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from panther_schedule.models.schedules import AnyOf, Cron, Daily, Monthly, Once, Weekly

Kind = Daily | Weekly | Monthly | Cron
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - of wall clocks
STEP = 30  # seconds: since 1970 all offsets and changes are multiples of it (Liberia's was 44:30)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CRON_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
CRON_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}


@lru_cache(maxsize=4096)
def values(field: str, first: int, last: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """The values of a cron field, as crontab(5) has it; a/n runs to the end of the field."""
    found: set[int] = set()
    for item in field.lower().split(","):
        parts = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?", item)
        if parts is None or re.fullmatch(r"lw?|\d+w|\w+l", item):
            continue
        low, high, step = parts.groups()
        number = [
            names.index(each) + first if each in names else int(each) for each in (low, high) if each and each != "*"
        ]
        begin = first if low == "*" else number[0]
        end = number[1] if high else last if low == "*" or step else begin
        found.update(range(begin, end + 1, int(step or 1)))
    return frozenset(found)


def workday_near(day: date) -> date:
    """The weekday nearest to a day, within its month (Quartz's W)."""
    length = calendar.monthrange(day.year, day.month)[1]
    near = [day + timedelta(days=by) for by in (0, -1, 1, 2, -2)]
    return next(each for each in near if each.weekday() < 5 and each.month == day.month and 1 <= each.day <= length)


def fields(schedule: Cron) -> list[str]:
    """The five fields of a cron expression."""
    return MACROS.get(schedule.expression.strip().lower(), schedule.expression).lower().split()


@lru_cache(maxsize=100_000)
def cron_names(days: str, months: str, weekdays: str, day: date) -> bool:
    if day.month not in values(months, 1, 12, CRON_MONTHS):
        return False
    length = calendar.monthrange(day.year, day.month)[1]
    by_day = day.day in values(days, 1, 31)
    for item in days.split(","):
        by_day |= item == "l" and day.day == length
        by_day |= item == "lw" and day == workday_near(day.replace(day=length))
        if item[:-1].isdigit() and item.endswith("w") and int(item[:-1]) <= length:
            by_day |= day == workday_near(day.replace(day=int(item[:-1])))
    cron_weekday = (day.weekday() + 1) % 7
    by_weekday = bool({cron_weekday, 7 if cron_weekday == 0 else -1} & values(weekdays, 0, 7, CRON_WEEKDAYS))
    for item in weekdays.split(","):
        nth = re.fullmatch(r"(\w+)(?:#(\d)|l)", item)
        if nth and item not in CRON_WEEKDAYS:
            wanted = CRON_WEEKDAYS.index(nth[1]) if nth[1] in CRON_WEEKDAYS else int(nth[1]) % 7
            place = (day.day - 1) // 7 + 1
            by_weekday |= cron_weekday == wanted and (place == int(nth[2]) if nth[2] else day.day + 7 > length)
    if days.startswith("*") or weekdays.startswith("*"):  # Debian's find_jobs
        return by_day and by_weekday
    return by_day or by_weekday


def names(schedule: Kind, day: date) -> bool:
    """Tell whether a schedule names this local date."""
    if WEEKDAYS[day.weekday()] in schedule.excluding or day in schedule.excluding:
        return False
    if isinstance(schedule, Cron):
        return cron_names(*fields(schedule)[2:], day)
    starting, every = schedule.starting, schedule.every
    if starting is not None and day < starting:
        return False
    length = calendar.monthrange(day.year, day.month)[1]
    match schedule:
        case Daily():
            return starting is None or (day - starting).days % every == 0
        case Weekly():
            if WEEKDAYS[day.weekday()] not in schedule.days:
                return False
            if starting is None:
                return True
            weeks = (day - timedelta(days=day.weekday())) - (starting - timedelta(days=starting.weekday()))
            return weeks.days // 7 % every == 0
        case Monthly(day=on):
            if schedule.months is not None and day.month not in schedule.months:
                return False
            if starting is not None:
                months = (day.year - starting.year) * 12 + day.month - starting.month
                if months % every:
                    return False
            if isinstance(on, tuple):
                nth, weekday = on
                place = (day.day - 1) // 7 + 1
                return WEEKDAYS[day.weekday()] == weekday and (place == nth if nth > 0 else day.day + 7 > length)
            if on == -1 or (schedule.missing == "clamp" and on > length):
                return day.day == length
            return day.day == on


def times(schedule: Kind) -> list[int]:
    """The seconds of a day that a schedule names."""
    if isinstance(schedule, Cron):
        minutes, hours, *_ = fields(schedule)
        return [
            hour * 3600 + minute * 60 + second
            for hour in sorted(values(hours, 0, 23))
            for minute in sorted(values(minutes, 0, 59))
            for second in sorted(values(schedule.seconds, 0, 59))
        ]
    return [schedule.at.hour * 3600 + schedule.at.minute * 60 + schedule.at.second]


@lru_cache(maxsize=64)
def shown(key: str, low: int, high: int) -> tuple[list[tuple[int, int]], dict[int, list[int]]]:
    """What a zone's clock shows at each step from `low` to `high`: (instant, wall second), and the other way round."""
    info = ZoneInfo(key)
    row = [
        (u, (datetime.fromtimestamp(u, info).replace(tzinfo=None) - EPOCH) // timedelta(seconds=1))
        for u in range(low, high, STEP)
    ]
    instants: dict[int, list[int]] = {}
    for u, wall in row:
        instants.setdefault(wall, []).append(u)
    return row, instants


def rules(schedule: Kind) -> tuple[str, str]:
    """The rules for gap and fold."""
    gap, fold = schedule.gap, schedule.fold
    if isinstance(schedule, Cron):
        minutes, hours, *_ = fields(schedule)
        stars = minutes.startswith("*") or hours.startswith("*")  # Debian's MIN_STAR and HR_STAR
        return gap or ("skip" if stars else "next_valid"), fold or ("both" if stars else "first")
    assert gap is not None
    assert fold is not None
    return gap, fold


def occurrences(schedule: Kind | AnyOf | Once, key: str, low: int, high: int) -> list[int]:
    """All occurrences in [low, high), in seconds; both are multiples of a day, and all times those of a step."""
    if isinstance(schedule, Once):
        assert schedule.at is not None
        at = int(schedule.at.timestamp())
        return [at] if low <= at < high else []
    found: set[int] = set()
    if isinstance(schedule, AnyOf):
        for part in schedule.of:
            if isinstance(part, Once):
                assert part.at is not None
                local = part.at.astimezone(ZoneInfo(key))
                if local.date() not in schedule.excluding and WEEKDAYS[local.weekday()] not in schedule.excluding:
                    found.update(occurrences(part, key, low, high))
            else:
                merged = part.model_copy(update={"excluding": (*part.excluding, *schedule.excluding)})
                found.update(occurrences(merged, key, low, high))
    else:
        found = _of_one(schedule, schedule.tz or key, low, high)
    start, end = schedule.start_at, schedule.end_at
    return sorted(
        u
        for u in found
        if (start is None or datetime.fromtimestamp(u, UTC) >= start)
        and (end is None or datetime.fromtimestamp(u, UTC) <= end)
    )


def _of_one(schedule: Kind, key: str, low: int, high: int) -> set[int]:
    margin = 3 * 86_400
    row, instants = shown(key, low - margin, high + margin)
    gap, fold = rules(schedule)
    seconds = times(schedule)
    dates = {wall // 86_400 for _, wall in row}
    jumps = [(before, after) for before, after in pairwise(row) if after[1] - before[1] > STEP]
    found: set[int] = set()
    for number in sorted(dates):
        day = date(1970, 1, 1) + timedelta(days=number)
        if not names(schedule, day):
            continue
        for second in seconds:
            wall = number * 86_400 + second
            here = instants.get(wall, [])
            if len(here) > 1:
                found.update(here if fold == "both" else here[-1:] if fold == "last" else here[:1])
            elif here:
                found.update(here)
            else:
                for (before, shown_before), (after, shown_after) in jumps:
                    if shown_before < wall < shown_after:
                        if gap == "next_valid":
                            found.add(after)
                        elif gap == "shift":
                            found.add(wall - shown_before + before)
    return {u for u in found if low <= u < high}


def at_second(second: int) -> time:
    """The time of day of a second."""
    return (EPOCH + timedelta(seconds=second)).time()
