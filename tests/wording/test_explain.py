"""explain: what a schedule means, in one line."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from random import Random

import cron_lines
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Case, cases, slow
from test_policy_properties import policies

from panther_schedule.models.cron import CronError, parse
from panther_schedule.models.policy import Policy, Retry
from panther_schedule.models.schedules import AnyOf, Cron, Daily, Monthly, Once, Repeat, Schedule, Weekly
from panther_schedule.wording.sentence import dates_said, differing, explain, times_said

AT = time(8)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
THURSDAY = date(2026, 1, 1)

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
    # After a delay.
    (Once(after=timedelta(minutes=10)), "once, 10 minutes after it is added"),
    (Repeat(1, timedelta(hours=1), after=timedelta(minutes=1)), "once, 1 minute after it is added"),
    (Repeat(5, after=timedelta(minutes=1)), "5 times, back to back, starting 1 minute after it is added"),
    (
        Repeat(-1, timedelta(minutes=5), after=timedelta(hours=2)),
        "every 5 minutes, for ever, starting 2 hours after it is added",
    ),
    # Measured from the end.
    (Repeat(-1, timedelta(minutes=5), measured_from="end"), "for ever, waiting 5 minutes after each run"),
    (Repeat(5, timedelta(minutes=1), measured_from="end"), "5 times, waiting 1 minute after each run"),
    (Repeat(1, timedelta(minutes=1), measured_from="end"), "once, now"),
    (
        Repeat(-1, timedelta(seconds=90), after=timedelta(days=1), measured_from="end"),
        "for ever, waiting 1 minute 30 seconds after each run, starting 1 day after it is added",
    ),
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
    # On weekdays.
    (Weekly("mon", AT), "every Monday at 08:00"),
    (Weekly(("fri", "mon"), AT), "every Monday and Friday at 08:00"),
    (Weekly(("mon", "tue", "wed", "thu", "fri"), AT), "every Monday to Friday at 08:00"),
    (Weekly(("mon", "tue", "wed", "sat"), AT), "every Monday to Wednesday and Saturday at 08:00"),
    (Weekly("mon", AT, n=1), "every Monday at 08:00, the first time only"),
    (Weekly("mon", AT, n=3, tz="Asia/Tokyo"), "every Monday at 08:00 in Asia/Tokyo, 3 times"),
    # In months.
    (Monthly(15, AT), "on day 15 of every month at 08:00"),
    (Monthly(31, AT), "on day 31 of every month, where there is one, at 08:00"),
    (Monthly(31, AT, months=(1, 3)), "on day 31 of January and March at 08:00"),
    (Monthly(31, AT, missing="clamp"), "on day 31 of every month, or the last day of a shorter one, at 08:00"),
    (Monthly(-1, AT), "on the last day of every month at 08:00"),
    (Monthly((2, "tue"), AT), "on the second Tuesday of every month at 08:00"),
    (Monthly((-1, "fri"), AT, months=(1, 2, 3, 7)), "on the last Friday of January to March and July at 08:00"),
    (Monthly((5, "fri"), AT), "on the fifth Friday of every month, where there is one, at 08:00"),
    # Every other one.
    (Daily(AT, starting=THURSDAY), "every day at 08:00, from 2026-01-01 onwards"),
    (Daily(AT, every=2, starting=THURSDAY), "every 2 days at 08:00, counted from 2026-01-01"),
    (
        Weekly("mon", AT, every=2, starting=THURSDAY),
        "every 2 weeks on Monday at 08:00, counted from the week of 2026-01-01 and not before that date",
    ),
    (
        Monthly(1, AT, every=3, starting=THURSDAY, months=(1, 4)),
        "on day 1 of every 3rd month that is January or April at 08:00, "
        "counted from the month of 2026-01-01 and not before that date",
    ),
    # Without some days, within bounds, and where the clock is set.
    (
        Daily(AT, excluding={"sun", "sat", date(2026, 12, 25)}),
        "every day at 08:00, except on Saturday, Sunday and 2026-12-25",
    ),
    (
        Daily(AT, excluding=[date(2026, 5, day) for day in range(1, 12)]),
        "every day at 08:00, except on 11 dates from 2026-05-01 to 2026-05-11",
    ),
    (Daily(AT, start_at=NEW_YEAR), "every day at 08:00, not before 2026-01-01 00:00:00 UTC"),
    (Daily(AT, 5, end_at=NEW_YEAR), "every day at 08:00, not after 2026-01-01 00:00:00 UTC, 5 times"),
    (Daily(AT, gap="skip"), "every day at 08:00, a time that the clock skips is left out"),
    (Daily(AT, gap="shift"), "every day at 08:00, a time that the clock skips is moved by the length of the gap"),
    (Daily(AT, fold="last"), "every day at 08:00, a time that the clock passes twice counts the second time"),
    (Daily(AT, fold="both"), "every day at 08:00, a time that the clock passes twice counts both times"),
    # Cron.
    (Cron("* * * * *"), "every minute"),
    (Cron("*/5 * * * *"), "every 5 minutes by the clock"),
    (Cron("*/7 * * * *"), "every hour at minutes 0, 7, 14, ... 56"),
    (Cron("@hourly"), "every hour"),
    (Cron("5,35 * * * *"), "every hour at minutes 5 and 35"),
    (Cron("@weekly"), "every Sunday at 00:00"),
    (Cron("0 9 * * mon-fri", tz="UTC"), "every Monday to Friday at 09:00 in UTC"),
    (Cron("*/10 9-17 * * 1-5"), "every Monday to Friday, every 10 minutes by the clock in hours 9 to 17"),
    (Cron("* 9 13 * *"), "on day 13 of every month, every minute in hour 9"),
    (Cron("15,45 */2 * * *"), "every day at minutes 15 and 45 of hours 0, 2, 4, ... 22"),
    (Cron("0-29 3 * * *"), "every day at minutes 0 to 29 of hour 3"),
    (Cron("0 0 29 2 *"), "on day 29 of February at 00:00"),
    (Cron("0 0 * 6-8 *"), "every day in June to August at 00:00"),
    (Cron("0 0 13 * fri"), "on day 13 of every month, or on each Friday of every month, at 00:00"),
    (Cron("0 0 */2 * mon,tue"), "on days 1, 3, 5, ... 31 of every month, if that is a Monday or Tuesday, at 00:00"),
    (Cron("0 0 * * mon,5L,2#1"), "on each Monday, the last Friday and the first Tuesday of every month, at 00:00"),
    (
        Cron("0 0 L,LW,15W 1 *"),
        "on the last day, the last working day (Mon-Fri) and the working day nearest the 15th of January, at 00:00",
    ),
    (
        Cron("30 2 * * *", gap="next_valid"),
        "every day at 02:30, a time that the clock skips is moved to the end of the gap",
    ),
    (Cron("@hourly", fold="first"), "every hour, a time that the clock passes twice counts the first time"),
    # One or the other.
    (Daily(AT) | Cron("0 12 * * sat"), "every Saturday at 12:00 or every day at 08:00"),
    (
        AnyOf((Daily(AT), Once(NEW_YEAR)), n=5, excluding={"sun"}),
        "every day at 08:00 or once, at 2026-01-01 00:00:00 UTC; none of it on Sunday, 5 times in all",
    ),
]


@pytest.mark.parametrize(("schedule", "sentence"), SENTENCES)
def test_a_schedule_is_said_in_one_line(schedule: Schedule, sentence: str) -> None:
    assert explain(schedule) == sentence


def test_no_two_schedules_of_the_table_share_a_sentence_unless_they_do_the_same() -> None:
    said = [sentence for _, sentence in SENTENCES if sentence != "once, now"]
    assert len(said) == len(set(said))


def test_a_list_of_all_days_names_each_day() -> None:
    assert explain(Cron("0 0 1-31 * mon")) == explain(Cron("@daily")) == "every day at 00:00"


def test_a_zone_given_is_shown_where_the_schedule_follows_it_and_names_none() -> None:
    assert explain(Daily(time(8)), "Asia/Tokyo") == "every day at 08:00 in Asia/Tokyo"
    assert explain(Daily(time(8), tz="UTC"), "Asia/Tokyo") == "every day at 08:00 in UTC"
    assert explain(Repeat(5), "Asia/Tokyo") == "5 times, back to back"
    assert explain(Daily(time(8)) | Daily(time(9), tz="UTC"), "Asia/Tokyo").count("Asia/Tokyo") == 1


@slow
@given(cases(), st.none() | st.just("Asia/Tokyo"))
def test_any_schedule_is_said_in_one_line(case: Case, zone: str | None) -> None:
    said = explain(case[1], zone)
    assert said
    assert said.isascii()
    assert said.isprintable()


S, M = timedelta(seconds=1), timedelta(minutes=1)
DIFFERENT: list[tuple[Policy, list[str]]] = [
    (Policy(), []),
    (Policy(overlap="skip", missed="coalesce"), []),
    (Policy(overlap="queue_one"), ["one run waits while another is active"]),
    (Policy(overlap="queue_all"), ["runs wait while another is active, at most 1,000"]),
    (Policy(overlap="allow"), ["at most 1,000 runs at a time"]),
    (Policy(overlap="allow", max_running=1), ["at most 1 run at a time"]),
    (Policy(overlap="cancel_running"), ["a run cancels the active one"]),
    (Policy(missed="skip", grace=M), ["no run for an occurrence missed by more than 1 minute"]),
    (
        Policy(missed="catch_up"),
        ["a late run for each of the latest 100 missed occurrences, up to 1 day old"],
    ),
    (
        Policy(missed="catch_up", catch_up_limit=1, catch_up_window=90 * M),
        ["a late run for the latest missed occurrence, up to 1 hour 30 minutes old"],
    ),
    (Policy(retry=Retry(3)), ["3 attempts, 1 second apart, doubling up to 1 hour"]),
    (Policy(retry=Retry(2)), ["2 attempts, 1 second apart"]),
    (Policy(retry=Retry(3, factor=1)), ["3 attempts, 1 second apart"]),
    (Policy(retry=Retry(3, delay=M, max_delay=M)), ["3 attempts, 1 minute apart"]),
    (Policy(retry=Retry(3, delay=0 * S)), ["3 attempts, one right after the other"]),
    (Policy(retry=Retry(3, factor=3, max_delay=M)), ["3 attempts, 1 second apart, tripling up to 1 minute"]),
    (
        Policy(retry=Retry(4, factor=1.5, jitter=5 * S, on=(ConnectionError, "httpx.HTTPError"))),
        [
            "4 attempts, 1 second apart, each delay 1.5 times as long as the one before, up to 1 hour, "
            "with a jitter of less than 5 seconds, only after ConnectionError or httpx.HTTPError"
        ],
    ),
    (Policy(timeout=M), ["times out after 1 minute"]),
    (Policy(on_lost="record"), ["a run whose process dies is not tried again"]),
    (Policy(jitter=30 * S), ["delayed by a jitter of less than 30 seconds"]),
    (Policy(timeout=M, overlap="allow", max_running=2), ["at most 2 runs at a time", "times out after 1 minute"]),
]


@pytest.mark.parametrize(("policy", "said"), DIFFERENT)
def test_what_is_different_in_a_policy_is_said(policy: Policy, said: list[str]) -> None:
    assert differing(policy) == said
    assert all(part in explain(policy).split("; ") for part in said)


def test_a_whole_policy_is_said_with_its_defaults_and_limits() -> None:
    assert explain(Policy()) == (
        "an occurrence is skipped while a run is active; one late run for the latest missed occurrence; "
        "no second attempt; no timeout; no jitter"
    )


@given(policies)
def test_any_policy_is_said_in_one_line(policy: Policy) -> None:
    said = explain(policy)
    assert said.isprintable()
    assert said.count("; ") == 4 + (policy.on_lost == "record")
    assert (differing(policy) == []) == (said == explain(Policy()))


def test_cron_lines_with_one_sentence_have_one_meaning() -> None:
    random, meanings = Random(3), dict[str, set[object]]()
    for _ in range(4_000):
        try:
            fields = parse(cron_lines.line(random, faults=0, specials=0.3))
        except CronError:
            continue
        cron = fields.dates
        days = tuple(cron.month(month, first, 29) for month in range(1, 13) for first in range(7))
        dates, times = dates_said(cron), times_said(fields)
        meanings.setdefault(f"{dates} {times}", set()).add((fields.minutes, fields.hours, days))
    assert len(meanings) > 2_000
    assert [said for said, meant in meanings.items() if len(meant) > 1] == []
