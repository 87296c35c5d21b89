"""Thousands of calendars against cronsim, croniter and dateutil; a disagreement is one of the listed mechanisms.

Each mechanism is a property of the line alone, with the sentence of a standard, or the dates, that prove our side. A
disagreement without one fails, and so does a mechanism that is never seen: then the peer has changed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from random import Random
from typing import Any, NamedTuple

import cron_lines
import pytest
from pydantic import TypeAdapter, ValidationError

from panther_schedule.models.schedules import AnySchedule, Cron, Daily, Monthly, Weekly
from panther_schedule.occurrences.queries import between, next_after

cronsim = pytest.importorskip("cronsim")
croniter = pytest.importorskip("croniter")
rrule = pytest.importorskip("dateutil.rrule")

LINES = 1200
MANY = 6  # occurrences to compare


class Mechanism(NamedTuple):
    """Why a peer differs on a line."""

    name: str
    why: str
    applies: Callable[[list[str]], bool]


def _number(word: str) -> str:
    names = {"jan": "1", "feb": "2", "jun": "6", "dec": "12", "sun": "0", "mon": "1", "fri": "5"}
    return names.get(word, word)


def _equal_range(step: str) -> Callable[[list[str]], bool]:
    pattern = re.compile(rf"(?:^|,)(\w+)-(\w+){step}(?=,|$)")
    return lambda fields: any(_number(m[1]) == _number(m[2]) for f in fields for m in pattern.finditer(f))


def _never(fields: list[str]) -> bool:
    try:
        Cron(" ".join(fields))
    except ValidationError as error:
        return error.errors()[0]["type"] == "never_happens"
    return False


def _starred(fields: list[str]) -> bool:
    return len(fields) == 5 and "*" not in (fields[2], fields[4]) and "*" in (fields[2][:1], fields[4][:1])


def _backward(fields: list[str]) -> bool:
    ranges = re.findall(r"(?:^|,)(\d+)-(\d+)", " ".join(fields).replace(" ", ","))
    return any(int(low) > int(high) for low, high in ranges)


def _open_step(fields: list[str]) -> bool:
    ends = zip(fields, ("59", "23", "31", "12", "[67]"), strict=False)
    within_week = [(int(low), int(step)) for low, step in re.findall(r"(?:^|,)(\d)/(\d+)", fields[-1])]
    return any(re.search(rf"(?:^|,){end}/", field) for field, end in ends) or any(
        7 in range(low, 8, step) for low, step in within_week
    )


def _nth(fields: list[str]) -> bool:
    return len(fields) == 5 and bool(re.search(r"#|\dl", fields[4]))


def _six(fields: list[str]) -> bool:
    return len(fields) == 6


def _question(fields: list[str]) -> bool:
    return "?" in " ".join(fields)


def _workday(fields: list[str]) -> bool:
    return re.search(r"\dw", fields[2]) is not None


def _any_workday(fields: list[str]) -> bool:
    return "w" in fields[2]


CRONSIM = [
    Mechanism(
        "equal range with a step",
        "crontab(5): 'following a range with /<number> specifies skips of the number's value through the range', and "
        "5-5 holds 5 alone; cronsim goes on to the end of the field",
        _equal_range(r"/\d+"),
    ),
    Mechanism("six fields", "crontab(5) has five; cronsim reads seconds first", _six),
    Mechanism("question mark", "? is * here, as Quartz writes it; crontab(5) and cronsim have none", _question),
    Mechanism(
        "no W",
        "the nearest workday (Quartz) is beyond crontab(5); cronsim has only LW",
        _workday,
    ),
    Mechanism("never", "a line without a date in any year is refused here; cronsim looks for 50 years", _never),
]
CRONITER = [
    Mechanism("six fields", "crontab(5) has five; croniter reads seconds last", _six),
    Mechanism("question mark", "? alone is * here; croniter reads it in a list too", _question),
    Mechanism(
        "wraps",
        "crontab(5): a range is two numbers with a hyphen, both inclusive, as 8-11; croniter reads 22-2 as 22-23,0-2",
        _backward,
    ),
    Mechanism(
        "star rule",
        "Debian's cron.c: day-of-month AND day-of-week if either *starts* with a star; croniter takes */n as set",
        _starred,
    ),
    Mechanism("equal range", "3-3 is 3 alone; croniter takes the whole field", _equal_range(r"(?:/\d+)?")),
    Mechanism(
        "open step at the end of a field",
        "crontab(5): 'day of week 0-7 (0 or 7 is Sunday)', so 5/2 is Friday and Sunday; croniter's week ends with 6, "
        "and it takes 59/5, as 59-59/5, for the whole field",
        _open_step,
    ),
    Mechanism(
        "nth",
        "crontab(5): 'the command will be run when either field matches'; croniter lets # and day-of-month be AND, and "
        "takes no list of both # and L",
        _nth,
    ),
    Mechanism(
        "workdays",
        "LW and W (Quartz) are beyond crontab(5); croniter has no LW, and lets W and day-of-week be AND",
        _any_workday,
    ),
]


class Asked(NamedTuple):
    """What one implementation says to a line: nothing when it refuses."""

    found: list[datetime] | None


def ours(line: str, start: datetime) -> Asked:
    try:
        schedule = Cron(line)
    except ValidationError:
        return Asked(None)
    return Asked(list(islice(walk(schedule, start), MANY)))


def walk(schedule: AnySchedule, start: datetime) -> Iterator[datetime]:
    following = next_after(schedule, start, zone="UTC")
    while following is not None:
        yield following
        following = next_after(schedule, following, zone="UTC")


def of_cronsim(line: str, start: datetime) -> Asked:
    try:
        walker: Iterator[datetime] = cronsim.CronSim(line, start)
        return Asked(list(islice(walker, MANY)))
    except cronsim.CronSimError:
        return Asked(None)


def of_croniter(line: str, start: datetime) -> Asked:
    try:
        walker = croniter.croniter(line, start)
        return Asked([walker.get_next(datetime) for _ in range(MANY)])
    except (croniter.CroniterError, AssertionError, IndexError):
        return Asked(None)


@pytest.mark.parametrize(("peer", "mechanisms"), [(of_cronsim, CRONSIM), (of_croniter, CRONITER)])
def test_cron_lines_mean_the_same_or_differ_for_a_listed_reason(
    peer: Callable[[str, datetime], Asked], mechanisms: list[Mechanism]
) -> None:
    random, seen, valid = Random(f"{peer.__name__} 2026"), Counter[str](), 0
    for _ in range(LINES):
        line = cron_lines.line(random)
        start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=random.randrange(3 * 366 * 1440))
        mine, theirs = ours(line, start), peer(line, start)
        valid += mine.found is not None
        if mine == theirs:
            continue
        fields = line.lower().split()
        reasons = [each.name for each in mechanisms if len(fields) >= 5 and each.applies(fields)]
        assert reasons, f"{line!r} after {start}: {mine.found} here, {theirs.found} there"
        seen.update(reasons)
    assert valid >= LINES // 2
    assert set(seen) == {each.name for each in mechanisms}


ZONES = ("America/New_York", "Europe/Paris", "Africa/Cairo", "America/Santiago", "Asia/Kolkata")
"""Their clocks are set by whole hours: cronsim counts half hours wrong in its wildcard mode."""
DAYS = ((3, 8), (3, 29), (4, 5), (4, 24), (9, 6), (10, 25), (10, 30), (11, 1))
"""Those of the changes there."""


def test_cronsim_agrees_across_clock_changes_but_in_the_second_pass_of_a_fold() -> None:
    # its rule is ours: fixed times move to the end of a gap and take the first pass of a fold, stars follow real
    # minutes. A start within the second pass gets an answer at or before itself there; here it is always after.
    from zoneinfo import ZoneInfo

    random, compared = Random("folds 2026"), 0
    for _ in range(LINES):
        key = random.choice(ZONES)
        line = " ".join(cron_lines.field(random, place, 0, 0) if place < 2 else "*" for place in range(5))
        if _equal_range(r"/\d+")(line.split()) or of_cronsim(line, datetime(2026, 1, 1, tzinfo=UTC)).found is None:
            continue
        info = ZoneInfo(key)
        day = random.choice(DAYS)
        start = datetime(2026, *day, tzinfo=UTC) + timedelta(minutes=random.randrange(-600, 900))
        local = start.astimezone(info)
        if local.fold:
            continue
        expected = [each.astimezone(UTC) for each in islice(cronsim.CronSim(line, local), MANY)]
        at, found = start, list[datetime]()
        for _ in range(MANY):
            following = next_after(Cron(line), at, zone=info)
            assert following is not None
            assert following > at
            found.append(following)
            at = following
        assert found == expected, (line, key, start)
        compared += 1
    assert compared > LINES * 3 // 4


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SCHEDULES: TypeAdapter[AnySchedule] = TypeAdapter(AnySchedule)


def recurrence(schedule: Daily | Weekly | Monthly) -> Any:
    """The same schedule as a rule of RFC 5545, which begins with `starting`."""
    days = (rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU)
    assert schedule.starting is not None
    given: dict[str, Any] = {
        "dtstart": datetime.combine(schedule.starting, schedule.at),
        "interval": schedule.every,
        "wkst": rrule.MO,
    }
    match schedule:
        case Daily():
            return rrule.rrule(rrule.DAILY, **given)
        case Weekly():
            return rrule.rrule(
                rrule.WEEKLY, byweekday=tuple(days[WEEKDAYS.index(name)] for name in schedule.days), **given
            )
        case Monthly(day=(nth, weekday)):
            return rrule.rrule(
                rrule.MONTHLY, bymonth=schedule.months, byweekday=(days[WEEKDAYS.index(weekday)](nth),), **given
            )
        case Monthly():
            return rrule.rrule(rrule.MONTHLY, bymonth=schedule.months, bymonthday=schedule.day, **given)


def test_daily_weekly_and_monthly_are_the_rules_of_rfc_5545() -> None:
    random, compared = Random("rrule 2026"), 0
    while compared < LINES:
        kind = random.choice(("daily", "weekly", "monthly", "monthly"))
        document: dict[str, Any] = {
            "kind": kind,
            "at": time(random.randrange(24), random.randrange(60), random.choice((0, 0, 30))),
            "every": random.choice((1, 1, 2, 3, 4, 6, 12, 17)),
            "starting": date(2020, 1, 1) + timedelta(days=random.randrange(4000)),
        }
        if kind == "weekly":
            document["days"] = tuple(random.sample(WEEKDAYS, random.randint(1, 4)))
        elif kind == "monthly":
            nth = (random.choice((1, 2, 3, 4, 5, -1)), random.choice(WEEKDAYS))
            document["day"] = random.choice((random.randint(1, 31), -1, nth))
            document["months"] = random.choice((None, None, random.sample(range(1, 13), 3)))
        try:
            schedule = SCHEDULES.validate_python(document)
        except ValidationError:
            continue
        assert isinstance(schedule, (Daily, Weekly, Monthly))
        assert schedule.starting is not None
        start = datetime.combine(schedule.starting, time(), tzinfo=UTC) - timedelta(days=400)
        end = start + timedelta(days=400 + 3000)
        expected = [each.replace(tzinfo=UTC) for each in islice(recurrence(schedule), 50)]
        found = between(schedule, start, end, zone="UTC", limit=50)
        assert found == [each for each in expected if each <= end], schedule
        compared += 1
