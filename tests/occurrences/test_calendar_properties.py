"""Laws of the calendars, in each zone of the IANA data from 1970 to 2037, near the changes of its clock.

What is expected comes from `walker`, which looks at each date and each half minute and shares nothing with the package.
"""

from __future__ import annotations

import os
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
import walker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from panther_schedule.clock import SECOND, moment
from panther_schedule.models.schedules import AnyOf, AnySchedule, Cron, Daily, Monthly, Once, Weekly
from panther_schedule.occurrences.compiler import compile_schedule
from panther_schedule.occurrences.queries import between, next_after, previous

DAY = 86_400
SCHEDULES: TypeAdapter[AnySchedule] = TypeAdapter(AnySchedule)
GAPS = st.sampled_from(["next_valid", "next_valid", "shift", "skip"])
FOLDS = st.sampled_from(["first", "first", "last", "both"])
Case = tuple[tuple[str, int], AnySchedule]
slow = settings(
    max_examples=int(os.environ.get("EXAMPLES", "60")),  # thousands by hand
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
    else:
        document["at"] = at
    if kind == "weekly":
        document["on"] = draw(st.frozensets(st.sampled_from(walker.WEEKDAYS), max_size=3)) | {weekday}
    elif kind == "monthly":
        nth = (draw(st.sampled_from([(day.day - 1) // 7 + 1, -1])), weekday)
        document["on"] = draw(st.sampled_from([day.day, day.day, 31, -1, nth]))
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


def iterate(schedule: AnySchedule, key: str, low: int, high: int) -> list[int]:
    evaluator = compile_schedule(schedule, ZoneInfo(key))
    found: list[int] = []
    following = evaluator.next_after(low * SECOND - 1, 0)
    while following is not None and following < high * SECOND:
        assert not found or following > found[-1] * SECOND, "strictly increasing"
        found.append(following // SECOND)
        following = evaluator.next_after(following, 0)
    return found


@slow
@given(cases(), st.data())
def test_nothing_is_lost_or_doubled_near_a_change(case: Case, data: st.DataObject) -> None:
    change, schedule = case
    key, low, high = near(change)
    expected = walker.occurrences(schedule, key, low, high)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - no Repeat
    assert iterate(schedule, key, low, high) == expected

    evaluator = compile_schedule(schedule, ZoneInfo(key))
    back: list[int] = []
    before = evaluator.latest(high * SECOND - 1, 0)
    while before is not None and before >= low * SECOND:
        back.append(before // SECOND)
        before = evaluator.latest(before - 1, 0)
    assert back[::-1] == expected, "previous inverts next_after"

    assert evaluator.count(low * SECOND - 1, high * SECOND - 1, 0) == len(expected)
    one, other = sorted((data.draw(st.integers(low, high - 1)), data.draw(st.integers(low, high - 1))))
    assert evaluator.count(one * SECOND, other * SECOND, 0) == sum(one < each <= other for each in expected)


@slow
@given(cases())
def test_between_is_iteration_and_previous_inverts_next_after(case: Case) -> None:
    change, schedule = case
    key, low, high = near(change)
    start, end = moment(low * SECOND), moment(high * SECOND)
    found = between(schedule, start, end, zone=key)
    at, seen = start, list[datetime]()
    while (following := next_after(schedule, at, zone=key)) is not None and following <= end:
        if seen:
            assert previous(schedule, following, zone=key) == at
        seen.append(following)
        at = following
    assert found == seen


@slow
@given(CHANGES, st.integers(0, 23), st.integers(0, 59), st.none() | GAPS, st.none() | FOLDS)
def test_a_time_of_day_is_the_same_however_it_is_said(
    change: tuple[str, int], hour: int, minute: int, gap: str | None, fold: str | None
) -> None:
    key, low, high = near(change)
    rules = {name: value for name, value in (("gap", gap), ("fold", fold)) if value is not None}
    daily = Daily.model_validate({"at": time(hour, minute), **rules})
    cron = Cron.model_validate({"expression": f"{minute} {hour} * * *", **rules})
    weekly = Weekly.model_validate({"on": walker.WEEKDAYS, "at": time(hour, minute), **rules})
    assert iterate(daily, key, low, high) == iterate(cron, key, low, high) == iterate(weekly, key, low, high)


@slow
@given(st.data())
def test_a_union_is_the_merged_set(data: st.DataObject) -> None:
    change = data.draw(CHANGES)
    key, low, high = near(change)
    one, other = data.draw(kinds(change)), data.draw(kinds(change))
    merged = sorted({*iterate(one, key, low, high), *iterate(other, key, low, high)})
    assert iterate(one | other, key, low, high) == iterate(other | one, key, low, high) == merged


@slow
@given(cases(), st.integers(1, 9) | st.just(-1))
def test_json_and_back_is_the_same_value(case: Case, n: int) -> None:
    schedule = case[1].model_copy(update={"n": n}) if not isinstance(case[1], Once) else case[1]
    document = SCHEDULES.dump_json(schedule)
    again = SCHEDULES.validate_json(document)
    assert again == schedule
    assert hash(again) == hash(schedule)
    assert SCHEDULES.dump_json(again) == document
    assert eval(repr(schedule), {"datetime": __import__("datetime"), **_MODELS}) == schedule  # noqa: S307 - what it is for


_MODELS = {model.__name__: model for model in (Once, Daily, Weekly, Monthly, Cron, AnyOf)}


@slow
@given(st.data())
def test_the_dates_far_from_any_change(data: st.DataObject) -> None:
    change = data.draw(CHANGES)
    schedule = data.draw(kinds(change))
    day = datetime.fromtimestamp(change[1], UTC).date()
    first = (day - date(1970, 1, 1)).days + data.draw(st.integers(-300, 300))
    seconds, dates = walker.times(schedule), [date(1970, 1, 1) + timedelta(days=first + by) for by in range(60)]
    midnights = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in dates if walker.names(schedule, day)]
    named = [midnight + timedelta(seconds=second) for midnight in midnights for second in seconds]
    start_at, end_at = schedule.start_at, schedule.end_at
    expected = [each for each in named if (not start_at or start_at <= each) and (not end_at or each <= end_at)]
    low = datetime(dates[0].year, dates[0].month, dates[0].day, tzinfo=UTC)
    until = low + timedelta(days=60) - timedelta(microseconds=1)
    assert between(schedule, low - timedelta(microseconds=1), until, zone="UTC") == expected


ODD_CHANGES = [
    ("America/New_York", (2026, 3, 8)),
    ("America/New_York", (2026, 11, 1)),
    ("Pacific/Apia", (2011, 12, 30)),
    ("Australia/Lord_Howe", (2026, 10, 3)),
    ("America/Goose_Bay", (2006, 10, 29)),
    ("America/Nuuk", (2026, 3, 29)),
    ("Africa/Monrovia", (1972, 1, 7)),
    ("Africa/Cairo", (2025, 4, 25)),
]


@pytest.mark.parametrize(("key", "day"), ODD_CHANGES)
def test_each_rule_at_the_odd_changes(key: str, day: tuple[int, int, int]) -> None:
    low = int(datetime(*day, tzinfo=UTC).timestamp()) - 2 * DAY
    high = low + 5 * DAY
    for gap in ("next_valid", "shift", "skip"):
        for fold in ("first", "last", "both"):
            rules = {"gap": gap, "fold": fold}
            schedules: list[walker.Kind | AnyOf] = [
                Cron.model_validate({"expression": "*/7 * * * *", **rules}),
                Cron.model_validate({"expression": "0,15,30 0-3,23 * * *", **rules}),
                Weekly.model_validate({"on": ("fri", "sat", "sun"), "at": time(2, 30), **rules}),
                Weekly.model_validate({"on": walker.WEEKDAYS, "at": time(1, 30), **rules}),
                Daily.model_validate({"at": time(0), **rules}) | Cron("30 2 * * *") | Cron("0 0 1-31/2 * *"),
                Daily(time(8)) | Cron("*/20 0-5 */2 * *", tz="Asia/Tokyo"),
            ]
            for schedule in schedules:
                expected = walker.occurrences(schedule, key, low, high)
                assert iterate(schedule, key, low, high) == expected, schedule
                evaluator = compile_schedule(schedule, ZoneInfo(key))
                assert evaluator.count(low * SECOND - 1, high * SECOND - 1, 0) == len(expected), schedule
