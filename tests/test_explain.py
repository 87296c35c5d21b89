"""explain and preview: what a schedule means."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from panther_schedule.clock import SECOND, microseconds
from panther_schedule.explain import explain, preview
from panther_schedule.schedules import Daily, Once, Repeat, Schedule

SENTENCES: list[tuple[Schedule, str]] = [
    # One time.
    (Once(), "once, now"),
    (Once(datetime(2026, 12, 24, 18, tzinfo=UTC)), "once, at 2026-12-24 18:00:00 UTC"),
    (Once(datetime(2026, 12, 24, 18, tzinfo=timezone(timedelta(hours=1)))), "once, at 2026-12-24 17:00:00 UTC"),
    (Once(datetime(1, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)), "once, at 0001-01-01 00:00:00.500000 UTC"),
    # Back to back.
    (Repeat(5), "5 times, back to back"),
    (Repeat(-1), "for ever, back to back"),
    # One repetition needs no wait.
    (Repeat(1), "once, now"),
    (Repeat(1, timedelta(minutes=5)), "once, now"),
    # With a wait, said exactly.
    (Repeat(5, timedelta(minutes=5)), "every 5 minutes, 5 times"),
    (Repeat(-1, timedelta(seconds=90)), "every 1 minute 30 seconds, for ever"),
    (Repeat(2, timedelta(minutes=1)), "every minute, 2 times"),
    (Repeat(-1, timedelta(days=1)), "every day, for ever"),
    (Repeat(-1, timedelta(days=7)), "every 7 days, for ever"),
    (Repeat(-1, timedelta(days=1, hours=12)), "every 1 day 12 hours, for ever"),
    (Repeat(-1, timedelta(hours=2, seconds=1)), "every 2 hours 1 second, for ever"),
    (Repeat(-1, timedelta(milliseconds=250)), "every 0.25 seconds, for ever"),
    (Repeat(-1, timedelta(seconds=10, microseconds=1)), "every 10.000001 seconds, for ever"),
    # At a time of day; seconds only where there are some.
    (Daily(time(8)), "every day at 08:00"),
    (Daily(time(8, 0, 30)), "every day at 08:00:30"),
    (Daily(time(0)), "every day at 00:00"),
    (Daily(time(8), 1), "once, at the next 08:00"),
    (Daily(time(8), 5), "every day at 08:00, 5 times"),
    (Daily(time(8), tz="Europe/Berlin"), "every day at 08:00 in Europe/Berlin"),
    (Daily(time(8), 5, "Europe/Berlin"), "every day at 08:00 in Europe/Berlin, 5 times"),
    (Daily(time(8), 1, "Europe/Berlin"), "once, at the next 08:00 in Europe/Berlin"),
]


@pytest.mark.parametrize(("schedule", "sentence"), SENTENCES)
def test_a_schedule_is_said_in_one_line(schedule: Schedule, sentence: str) -> None:
    assert explain(schedule) == sentence


def test_no_two_schedules_of_the_table_share_a_sentence_unless_they_do_the_same() -> None:
    said = [sentence for _, sentence in SENTENCES if sentence != "once, now"]
    assert len(said) == len(set(said))


def test_a_zone_given_is_shown_where_the_schedule_follows_it_and_names_none() -> None:
    assert explain(Daily(time(8)), "Asia/Tokyo") == "every day at 08:00 in Asia/Tokyo"
    assert explain(Daily(time(8), tz="UTC"), "Asia/Tokyo") == "every day at 08:00 in UTC"
    assert explain(Repeat(5), "Asia/Tokyo") == "5 times, back to back"


NOW = microseconds(datetime(2026, 1, 1, 8, tzinfo=UTC))
FIVE_MINUTES = 300 * SECOND
DAY = 86_400 * SECOND
PREVIEWS: list[tuple[Schedule, list[int]]] = [
    # Once and Repeat begin when the task is added, and end with their n.
    (Once(), [0]),
    (Repeat(3, timedelta(minutes=5)), [0, FIVE_MINUTES, 2 * FIVE_MINUTES]),
    (Repeat(-1, timedelta(minutes=5)), [0, FIVE_MINUTES, 2 * FIVE_MINUTES, 3 * FIVE_MINUTES]),
    # Back to back only the first is known.
    (Repeat(3), [0]),
    # A moment in the past runs late, and is shown as what it is.
    (Once(datetime(2025, 12, 31, 8, tzinfo=UTC)), [-DAY]),
    (Once(datetime(2026, 1, 2, 8, tzinfo=UTC)), [DAY]),
    # At a time of day it is the next one strictly after now.
    (Daily(time(8)), [DAY, 2 * DAY, 3 * DAY, 4 * DAY]),
    (Daily(time(8), 2), [DAY, 2 * DAY]),
    (Daily(time(9), 1), [3600 * SECOND]),
    (Daily(time(9), 1, "Europe/Paris"), [DAY]),
]


@pytest.mark.parametrize(("schedule", "expected"), PREVIEWS)
def test_a_new_tasks_next_four_runs(schedule: Schedule, expected: list[int]) -> None:
    found = preview(schedule, 4, after=NOW, zone=ZoneInfo("UTC"), anchor=NOW)
    assert [moment - NOW for moment in found] == expected


def test_a_task_that_was_added_before_shows_what_is_still_to_come() -> None:
    grid = Repeat(-1, timedelta(minutes=5))
    later = NOW + FIVE_MINUTES
    assert preview(grid, 2, after=later, zone=ZoneInfo("UTC"), anchor=NOW) == [
        later + FIVE_MINUTES,
        later + 2 * FIVE_MINUTES,
    ]
    assert preview(Once(), 2, after=later, zone=ZoneInfo("UTC"), anchor=NOW) == []
    assert preview(grid, 0, after=later, zone=ZoneInfo("UTC"), anchor=NOW) == []
