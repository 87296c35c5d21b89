"""Strategies that several test modules draw from: a change of a zone's clock, and a schedule that happens near it."""

from __future__ import annotations

import os
import zoneinfo
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import walker
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from panther_schedule.clock import microseconds, moment
from panther_schedule.models.schedules import AnyOf, AnySchedule, Daily, Once, Repeat
from panther_schedule.occurrences.compiler import compile_schedule, zone_for
from panther_schedule.occurrences.evaluators import Evaluator

DAY = 86_400
SCHEDULES: TypeAdapter[AnySchedule] = TypeAdapter(AnySchedule)
GAPS = st.sampled_from(["next_valid", "next_valid", "shift", "skip"])
FOLDS = st.sampled_from(["first", "first", "last", "both"])
REPEATED = st.just(-1) | st.integers(1, 9)


def repeats(waits: st.SearchStrategy[timedelta], n: st.SearchStrategy[int] = REPEATED) -> st.SearchStrategy[Repeat]:
    """Repeats with or without a delay, measured from the start or the end of a run."""
    return st.builds(Repeat, n, waits, after=waits, measured_from=st.sampled_from(["start", "end"]))


Setter = tuple[str, Callable[[Any], Any]]  # of a task, under the name of what it sets
Case = tuple[tuple[str, int], AnySchedule]
slow = settings(
    max_examples=int(os.environ.get("EXAMPLES", "60")),  # thousands by hand, with --timeout 0
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@cache
def changes() -> tuple[tuple[str, int], ...]:
    """Each zone with each change of its offset from 1970 to 2037, found by steps of five days and by halving."""
    data = files("tzdata.zoneinfo")
    distinct = {data.joinpath(*key.split("/")).read_bytes(): key for key in sorted(zoneinfo.available_timezones())}
    found: list[tuple[str, int]] = []
    for key in sorted(distinct.values()):
        info, start = ZoneInfo(key), datetime(1970, 1, 1, tzinfo=UTC)
        offset = start.astimezone(info).utcoffset()
        for low in range(0, int(datetime(2038, 1, 1, tzinfo=UTC).timestamp()), 5 * DAY):
            later = datetime.fromtimestamp(low + 5 * DAY, info).utcoffset()
            if later != offset:
                begin, end = low, low + 5 * DAY
                while end - begin > 1:
                    middle = (begin + end) // 2
                    same = datetime.fromtimestamp(middle, info).utcoffset() == offset
                    begin, end = (middle, end) if same else (begin, middle)
                found.append((key, end))
            offset = later
    assert len({key for key, _ in found}) > 250
    assert len(found) > 15_000
    return tuple(found)


def near(change: tuple[str, int]) -> tuple[str, int, int]:
    """The zone, and whole days of UTC around a change."""
    key, instant = change
    low = instant // DAY * DAY - 2 * DAY
    return key, low, low + 5 * DAY


CHANGES = st.deferred(lambda: st.sampled_from(changes()))


@st.composite
def field(draw: st.DrawFn, first: int, last: int, liked: tuple[int, ...]) -> str:
    """A cron field that likely names some of the liked values."""
    number = st.sampled_from(liked) | st.integers(first, last)
    kind = draw(st.integers(0, 6))
    if kind <= 1:
        return "*"
    if kind == 2:
        return f"*/{draw(st.integers(1, last + 3))}"
    if kind == 3:
        return ",".join(str(draw(number)) for _ in range(draw(st.integers(1, 4))))
    low = draw(number)
    if kind == 4:
        return f"{low}/{draw(st.integers(1, 30))}"
    step = f"/{draw(st.integers(1, 7))}" if kind == 5 else ""
    return f"{low}-{draw(st.integers(low, last))}{step}"


@st.composite
def settings_of(draw: st.DrawFn, day: date, *, grid: bool) -> dict[str, object]:
    fields: dict[str, object] = {}
    if draw(st.booleans()):
        fields["gap"], fields["fold"] = draw(GAPS), draw(FOLDS)
    near_day = st.integers(-3, 3).map(lambda by: day + timedelta(days=by))
    if draw(st.integers(0, 3)) == 0:
        fields["excluding"] = draw(st.frozensets(near_day | st.sampled_from(walker.WEEKDAYS), max_size=3))
    if grid and draw(st.integers(0, 3)) == 0:
        fields["every"] = draw(st.integers(1, 5))
        fields["starting"] = day + timedelta(days=draw(st.integers(-400, 3)))
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    if draw(st.integers(0, 4)) == 0:
        fields["start_at"] = noon + timedelta(minutes=draw(st.integers(-3000, 0)))
    if draw(st.integers(0, 4)) == 0:
        fields["end_at"] = noon + timedelta(minutes=draw(st.integers(0, 3000)))
    return fields


def local_times(key: str, change: int) -> list[datetime]:
    """What the clock shows before, at and after a change, and what it does not show or shows twice."""
    info, by = ZoneInfo(key), timedelta(seconds=change)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    offsets = [(epoch + by + step).astimezone(info).utcoffset() for step in (timedelta(seconds=-1), timedelta(0))]
    assert offsets[0] is not None
    assert offsets[1] is not None
    low, high = sorted((walker.EPOCH + by + offsets[0], walker.EPOCH + by + offsets[1]))
    edges = [low - timedelta(minutes=1), low, low + (high - low) / 2, high - timedelta(minutes=1), high]
    return [each.replace(second=0, microsecond=0) for each in edges]


@st.composite
def kinds(draw: st.DrawFn, change: tuple[str, int]) -> walker.Kind:
    """A schedule that likely has an occurrence near a change."""
    key, instant = change
    edges = local_times(key, instant)
    local = draw(st.sampled_from(edges))
    day = local.date()
    at = draw(st.sampled_from([time(local.hour, local.minute)] * 4 + [time(0), time(2, 30), time(12)]))
    kind = draw(st.sampled_from(["daily", "weekly", "monthly", "cron", "cron"]))
    document: dict[str, object] = {"kind": kind} | draw(settings_of(day, grid=kind != "cron"))
    weekday = walker.WEEKDAYS[day.weekday()]
    if kind == "cron":
        hours, minutes = tuple(each.hour for each in edges), tuple(each.minute for each in edges)
        fields = [draw(field(0, 59, minutes)), draw(field(0, 23, hours)), draw(field(1, 31, (day.day,)))]
        fields += [draw(field(1, 12, (day.month,))), draw(field(0, 7, (day.isoweekday(),)))]
        document["expression"] = " ".join(fields)
        document["seconds"] = draw(st.sampled_from(["0", "0", "0", "30", "*/30"]))
    else:
        document["at"] = at
    if kind == "weekly":
        document["days"] = draw(st.frozensets(st.sampled_from(walker.WEEKDAYS), max_size=3)) | {weekday}
    elif kind == "monthly":
        nth = (draw(st.sampled_from([(day.day - 1) // 7 + 1, -1])), weekday)
        document["day"] = draw(st.sampled_from([day.day, day.day, 31, -1, nth]))
        document["missing"] = draw(st.sampled_from(["skip", "clamp"]))
    try:
        found = SCHEDULES.validate_python(document)
    except ValueError:  # the fields show that it never happens
        found = Daily(at)
    assert not isinstance(found, (AnyOf, Once))
    return found  # type: ignore[return-value]  # pyright: ignore[reportReturnType] - and no Repeat was asked for


@st.composite
def cases(draw: st.DrawFn) -> tuple[tuple[str, int], AnySchedule]:
    change = draw(CHANGES)
    first = draw(kinds(change))
    if draw(st.integers(0, 3)):
        return change, first
    parts: list[walker.Kind | Once] = [first, draw(kinds(change))]
    if draw(st.booleans()):
        parts.append(Once(datetime.fromtimestamp(change[1] // 60 * 60, UTC)))
    if draw(st.booleans()):
        parts[1] = parts[1].model_copy(update={"tz": draw(st.sampled_from(["UTC", "Asia/Kolkata", change[0]]))})
    day = datetime.fromtimestamp(change[1], UTC).date()
    return change, AnyOf(parts, excluding=draw(st.frozensets(st.just(day), max_size=1)))


def walk(evaluator: Evaluator, after: int, until: int, anchor: int, most: int) -> list[int]:
    """The first occurrences in (after, until], and at most so many."""
    found: list[int] = []
    following = evaluator.next_after(after, anchor)
    while following is not None and following <= until and len(found) < most:
        found.append(following)
        following = evaluator.next_after(following, anchor)
    return found


def latest(schedule: AnySchedule, until: datetime, *, zone: str | None = None) -> datetime | None:
    """The last occurrence at or before `until`."""
    t = microseconds(until)
    found = compile_schedule(schedule, zone_for(schedule, zone)).latest(t, t)
    return None if found is None else moment(found)


def previous(schedule: AnySchedule, before: datetime, *, zone: str | None = None) -> datetime | None:
    """The last occurrence strictly before `before`: the inverse of `next_after()`."""
    return latest(schedule, before - timedelta(microseconds=1), zone=zone)


def count(schedule: AnySchedule, after: datetime, until: datetime, *, zone: str | None = None) -> int:
    """How many occurrences lie in (after, until]."""
    t = microseconds(after)
    return compile_schedule(schedule, zone_for(schedule, zone)).count(t, microseconds(until), t)


def check_setters(task: Any, setters: list[st.SearchStrategy[Setter]], data: st.DataObject) -> Any:
    """Check that different setters of a task commute, and that the same one replaces; return a task they made."""
    chosen = data.draw(st.lists(st.one_of(setters), unique_by=lambda setter: setter[0], min_size=1))
    one = other = task
    for _, setter in chosen:
        one = setter(one)
    for _, setter in data.draw(st.permutations(chosen)):
        other = setter(setter(other))
    assert one == other
    assert hash(one) == hash(other)
    return one
