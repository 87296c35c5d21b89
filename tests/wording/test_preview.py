"""preview: the next occurrences, with a note where the clock is set."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from strategies import Case, cases, near, slow, walk

from panther_schedule.clock import SECOND, microseconds, moment
from panther_schedule.models.schedules import AnyOf, Cron, Daily, Monthly, Once, Repeat, Schedule, Weekly
from panther_schedule.occurrences.compiler import UTC_ZONE, compile_schedule
from panther_schedule.occurrences.queries import between, first_due
from panther_schedule.wording.previews import Preview, preview

NOW = microseconds(datetime(2026, 1, 1, 8, tzinfo=UTC))
FIVE_MINUTES = 300 * SECOND
DAY = 86_400 * SECOND
FIRST_RUNS: list[tuple[Schedule, list[int]]] = [
    # Once and Repeat begin when the task is added, and end with their n.
    (Once(), [0]),
    (Repeat(3, timedelta(minutes=5)), [0, FIVE_MINUTES, 2 * FIVE_MINUTES]),
    (Repeat(-1, timedelta(minutes=5)), [0, FIVE_MINUTES, 2 * FIVE_MINUTES, 3 * FIVE_MINUTES]),
    # Back to back or measured from the end only the first is known.
    (Repeat(3), [0]),
    (Repeat(3, timedelta(minutes=5), measured_from="end"), [0]),
    # After a delay.
    (Once(after=timedelta(minutes=5)), [FIVE_MINUTES]),
    (Repeat(2, timedelta(days=1), after=timedelta(minutes=5)), [FIVE_MINUTES, FIVE_MINUTES + DAY]),
    (Repeat(3, after=timedelta(minutes=5)), [FIVE_MINUTES]),
    (Once(after=timedelta.max), []),
    # A moment in the past runs late, and is shown as what it is.
    (Once(datetime(2025, 12, 31, 8, tzinfo=UTC)), [-DAY]),
    (Once(datetime(2026, 1, 2, 8, tzinfo=UTC)), [DAY]),
    # At a time of day it is the next one strictly after now.
    (Daily(time(8)), [DAY, 2 * DAY, 3 * DAY, 4 * DAY]),
    (Daily(time(8), 2), [DAY, 2 * DAY]),
    (Daily(time(9), 1), [3600 * SECOND]),
    (Daily(time(9), 1, "Europe/Paris"), [DAY]),
]


@pytest.mark.parametrize(("schedule", "expected"), FIRST_RUNS)
def test_a_new_tasks_next_four_runs(schedule: Schedule, expected: list[int]) -> None:
    assert [moment - NOW for moment in first_due(schedule, 4, NOW, UTC_ZONE)] == expected


def test_a_task_that_was_added_before_shows_what_is_still_to_come() -> None:
    grid = Repeat(-1, timedelta(minutes=5))
    later = NOW + FIVE_MINUTES
    assert walk(compile_schedule(grid, UTC_ZONE), later, later + DAY, NOW, 2) == [
        later + FIVE_MINUTES,
        later + 2 * FIVE_MINUTES,
    ]
    assert walk(compile_schedule(Once(), UTC_ZONE), later, later + DAY, NOW, 2) == []
    assert first_due(grid, 0, later, UTC_ZONE) == []


@pytest.mark.parametrize("jitter", [timedelta(seconds=1), timedelta(hours=1)])
def test_jitter_makes_a_run_due_later_but_before_the_next_one(jitter: timedelta) -> None:
    grid = Repeat(10, timedelta(minutes=5))
    on_time, due = first_due(grid, 10, NOW, UTC_ZONE), first_due(grid, 10, NOW, UTC_ZONE, key="a", jitter=jitter)
    late = [after - at for at, after in zip(on_time, due, strict=True)]
    assert all(0 <= each < min(jitter // timedelta(microseconds=1), FIVE_MINUTES) for each in late)
    assert len(set(late)) == 10


BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
HALF_PAST_2 = time(2, 30)
SPRING = "2026-03-28T00:00+00:00"
AUTUMN = "2026-10-24T12:00+00:00"
NOTES: list[tuple[Schedule, str, list[tuple[str, str | None]]]] = [
    # A time that the clock skips.
    (
        Daily(HALF_PAST_2, tz=BERLIN),
        SPRING,
        [
            ("28 02:30 +0100", None),
            ("29 03:00 +0200", "02:30 does not exist on 29 Mar: moved to 03:00"),
            ("30 02:30 +0200", None),
        ],
    ),
    (
        Daily(HALF_PAST_2, tz=BERLIN, gap="shift"),
        SPRING,
        [("28 02:30 +0100", None), ("29 03:30 +0200", "02:30 does not exist on 29 Mar: moved to 03:30")],
    ),
    (
        Daily(HALF_PAST_2, tz=BERLIN, gap="skip"),
        SPRING,
        [
            ("28 02:30 +0100", None),
            ("30 02:30 +0200", "02:30 does not exist on 29 Mar: skipped"),
            ("31 02:30 +0200", None),
        ],
    ),
    # Several of them.
    (
        Cron("10,20,40 2 * * *", tz=BERLIN),
        "2026-03-28T12:00+00:00",
        [
            ("29 03:00 +0200", "3 times from 02:10 to 02:40 do not exist on 29 Mar: moved to 03:00"),
            ("30 02:10 +0200", None),
        ],
    ),
    (
        Cron("10,20 2 * * *", tz=BERLIN, gap="shift"),
        "2026-03-28T12:00+00:00",
        [
            ("29 03:10 +0200", "02:10 does not exist on 29 Mar: moved to 03:10"),
            ("29 03:20 +0200", "02:20 does not exist on 29 Mar: moved to 03:20"),
            ("30 02:10 +0200", None),
        ],
    ),
    (
        Cron("*/20 1-3 * * *", tz=BERLIN),
        "2026-03-29T00:20+00:00",
        [
            ("29 01:40 +0100", None),
            ("29 03:00 +0200", "3 times from 02:00 to 02:40 do not exist on 29 Mar: skipped"),
            ("29 03:20 +0200", None),
        ],
    ),
    # A gap of half an hour, one that ends on the next date, and one of a whole date.
    (
        Daily(time(2, 15), tz="Australia/Lord_Howe"),
        "2026-10-03T12:00+00:00",
        [("04 02:30 +1100", "02:15 does not exist on 4 Oct: moved to 02:30"), ("05 02:15 +1100", None)],
    ),
    (
        Weekly("sat", time(23, 30), tz="America/Nuuk"),
        SPRING,
        [("29 00:00 -0100", "23:30 does not exist on 28 Mar: moved to 00:00 on 29 Mar"), ("04 23:30 -0100", None)],
    ),
    (
        Daily(time(12), tz="Pacific/Apia"),
        "2011-12-29T00:00+00:00",
        [("29 12:00 -1000", None), ("31 12:00 +1400", "30 Dec does not exist: skipped"), ("01 12:00 +1400", None)],
    ),
    # A time that the clock passes twice.
    (
        Daily(HALF_PAST_2, tz=BERLIN),
        AUTUMN,
        [("25 02:30 +0200", "02:30 happens twice on 25 Oct: the first"), ("26 02:30 +0100", None)],
    ),
    (
        Daily(HALF_PAST_2, tz=BERLIN, fold="last"),
        AUTUMN,
        [("25 02:30 +0100", "02:30 happens twice on 25 Oct: the second"), ("26 02:30 +0100", None)],
    ),
    (
        Daily(HALF_PAST_2, tz=BERLIN, fold="both"),
        AUTUMN,
        [
            ("25 02:30 +0200", "02:30 happens twice on 25 Oct: the first"),
            ("25 02:30 +0100", "02:30 happens twice on 25 Oct: the second"),
            ("26 02:30 +0100", None),
        ],
    ),
    # Of a union each is shown in the zone of the part that has it.
    (
        Daily(HALF_PAST_2, tz=NEW_YORK, gap="skip") | Daily(time(12), tz=BERLIN),
        "2026-03-07T12:00+00:00",
        [
            ("08 12:00 +0100", None),
            ("09 02:30 -0400", "02:30 does not exist on 8 Mar: skipped"),
            ("09 12:00 +0100", None),
        ],
    ),
    # A part that a union's exclusion silences is not the one that has it.
    (
        AnyOf((Daily(time(0, 30), tz=BERLIN), Daily(time(23, 30), tz="UTC")), excluding={"fri"}),
        "2026-01-08T12:00+00:00",
        [("08 23:30 +0000", None), ("10 00:30 +0100", None), ("11 00:30 +0100", None)],
    ),
    # Nothing is noted that lies before the schedule's begin.
    (
        Daily(HALF_PAST_2, tz=BERLIN, gap="skip", start_at=datetime(2026, 3, 29, 12, tzinfo=UTC)),
        SPRING,
        [("30 02:30 +0200", None)],
    ),
    (
        AnyOf((Daily(HALF_PAST_2, tz=BERLIN, gap="skip"),), start_at=datetime(2026, 3, 29, 12, tzinfo=UTC)),
        SPRING,
        [("30 02:30 +0200", None)],
    ),
]


@pytest.mark.parametrize(("schedule", "after", "expected"), NOTES)
def test_what_setting_the_clock_does_is_noted(
    schedule: Schedule, after: str, expected: list[tuple[str, str | None]]
) -> None:
    found = preview(schedule, len(expected), after=datetime.fromisoformat(after))
    assert [(f"{each.local:%d %H:%M %z}", each.note) for each in found] == expected
    assert all(each.local.astimezone(UTC) == each.utc and each.utc.tzinfo is UTC for each in found)


def test_a_zone_is_for_a_schedule_that_names_none() -> None:
    (found,) = preview(Daily(time(8)), 1, after=datetime(2026, 1, 1, tzinfo=UTC), zone="Asia/Tokyo")
    assert found == Preview(
        datetime(2026, 1, 2, 8, tzinfo=ZoneInfo("Asia/Tokyo")), datetime(2026, 1, 1, 23, tzinfo=UTC), None
    )
    assert preview(Daily(time(8)), 1, after=found.utc, zone=ZoneInfo("UTC"))[0].utc.hour == 8


def test_without_a_start_it_begins_now() -> None:
    first, second = preview(Repeat(2, timedelta(minutes=5)), 5)
    assert second.utc - first.utc == timedelta(minutes=5)


def test_the_last_moment_is_shown_though_its_local_date_does_not_exist() -> None:
    last = datetime(9999, 12, 31, 23, tzinfo=UTC)
    assert preview(Once(last), 1, after=last, zone="Asia/Tokyo") == [Preview(last, last)]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "Africa/Monrovia"])
@pytest.mark.parametrize("after", [datetime.min, datetime(1, 1, 2, 6), datetime(9999, 12, 30), datetime.max])  # noqa: DTZ001, DTZ901 - in UTC below
def test_the_first_and_the_last_years(after: datetime, zone: str) -> None:
    for schedule in (Daily(time(23, 30), gap="skip", fold="both"), Cron("0 0 29 2 mon"), Cron("* * * * *")):
        for each in preview(schedule, 4, after=after.replace(tzinfo=UTC), zone=zone):
            assert each.note is None
            assert each.utc > after.replace(tzinfo=UTC)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="n must be an int of at least 0, got -1"):
        preview(Repeat(2), -1)
    with pytest.raises(ValueError, match="after must be an aware datetime"):
        preview(Repeat(2), 1, after=datetime(2026, 1, 1))  # noqa: DTZ001 - a naive one is what is refused
    with pytest.raises(AttributeError):
        preview(Once(), 1)[0].note = "x"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue] - frozen


@slow
@given(cases())
def test_a_preview_is_what_will_happen(case: Case) -> None:
    (key, low, high), schedule = near(case[0]), case[1]
    start = moment(low * SECOND)
    found = preview(schedule, 20, after=start, zone=key)
    if isinstance(schedule, Once):
        return
    expected = list(islice(between(schedule, start, moment(high * SECOND), zone=key, limit=20), 20))
    assert [each.utc for each in found if each.utc <= moment(high * SECOND)] == expected


@slow
@given(cases())
def test_a_time_that_moved_or_happens_twice_has_a_note_and_no_other(case: Case) -> None:
    key, low, _ = near(case[0])
    schedule = case[1]
    if not isinstance(schedule, (Daily, Weekly, Monthly)):
        return
    for each in preview(schedule, 5, after=moment(low * SECOND), zone=key):
        note = each.note or ""
        twice = each.local.replace(fold=0).utcoffset() != each.local.replace(fold=1).utcoffset()
        assert ("moved" in note) == (each.local.time() != schedule.at)
        assert twice <= bool(note)
        assert ("twice" in note) <= twice
