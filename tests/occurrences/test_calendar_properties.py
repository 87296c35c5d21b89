"""Laws of the calendars, in each zone of the IANA data from 1970 to 2037, near the changes of its clock.

What is expected comes from `walker`, which looks at each date and each half minute and shares nothing with the package.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import walker
from hypothesis import given
from hypothesis import strategies as st
from strategies import CHANGES, DAY, FOLDS, GAPS, SCHEDULES, Case, cases, kinds, near, slow

from panther_schedule.clock import SECOND
from panther_schedule.models.schedules import AnyOf, AnySchedule, Cron, Daily, Monthly, Once, Weekly
from panther_schedule.occurrences.compiler import compile_schedule
from panther_schedule.occurrences.queries import between


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
@given(CHANGES, st.integers(0, 23), st.integers(0, 59), st.none() | GAPS, st.none() | FOLDS)
def test_a_time_of_day_is_the_same_however_it_is_said(
    change: tuple[str, int], hour: int, minute: int, gap: str | None, fold: str | None
) -> None:
    key, low, high = near(change)
    rules = {name: value for name, value in (("gap", gap), ("fold", fold)) if value is not None}
    daily = Daily.model_validate({"at": time(hour, minute), **rules})
    cron = Cron.model_validate({"expression": f"{minute} {hour} * * *", **rules})
    weekly = Weekly.model_validate({"days": walker.WEEKDAYS, "at": time(hour, minute), **rules})
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
                Weekly.model_validate({"days": ("fri", "sat", "sun"), "at": time(2, 30), **rules}),
                Weekly.model_validate({"days": walker.WEEKDAYS, "at": time(1, 30), **rules}),
                Daily.model_validate({"at": time(0), **rules}) | Cron("30 2 * * *") | Cron("0 0 1-31/2 * *"),
                Daily(time(8)) | Cron("*/20 0-5 */2 * *", tz="Asia/Tokyo"),
            ]
            for schedule in schedules:
                expected = walker.occurrences(schedule, key, low, high)
                assert iterate(schedule, key, low, high) == expected, schedule
                evaluator = compile_schedule(schedule, ZoneInfo(key))
                assert evaluator.count(low * SECOND - 1, high * SECOND - 1, 0) == len(expected), schedule
