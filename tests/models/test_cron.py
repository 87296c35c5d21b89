"""Cron expressions: what each says, and where one is wrong."""

# mypy: disable-error-code="panther-schedule"

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from panther_schedule.models.cron import CronError, parse
from panther_schedule.models.days import bits
from panther_schedule.models.schedules import Cron
from panther_schedule.occurrences.queries import between

# ---------------------------------------------------------------- what is read

MINUTES = [
    ("0", [0]),
    ("*", list(range(60))),
    ("*/20", [0, 20, 40]),
    ("*/90", [0]),  # a step beyond the field leaves its first value, as in Vixie cron
    ("5/15", [5, 20, 35, 50]),  # to the end of the field, as cronsim, croniter and crondst read it
    ("55-55/4", [55]),  # croniter and cronsim read more
    ("10-20/5", [10, 15, 20]),
    ("1,1,3-4,2", [1, 2, 3, 4]),
    ("*/30,7", [0, 7, 30]),
    ("007", [7]),
]


@pytest.mark.parametrize(("field", "expected"), MINUTES)
def test_minutes(field: str, expected: list[int]) -> None:
    assert list(bits(parse(f"{field} * * * *").minutes)) == expected


WEEKDAYS = [  # from Monday, 0
    ("0", [6]),
    ("7", [6]),
    ("sun", [6]),
    ("SUN", [6]),
    ("1-5", [0, 1, 2, 3, 4]),
    ("mon-fri", [0, 1, 2, 3, 4]),
    ("5-7", [4, 5, 6]),
    ("0-7", [0, 1, 2, 3, 4, 5, 6]),
    ("3-3", [2]),  # croniter reads each day
    ("*/2", [1, 3, 5, 6]),  # 0, 2, 4, 6
    ("sun-tue", [0, 1, 6]),
]


@pytest.mark.parametrize(("field", "expected"), WEEKDAYS)
def test_weekdays(field: str, expected: list[int]) -> None:
    assert list(bits(parse(f"0 0 * * {field}").dates.weekdays)) == expected


def test_months_have_names() -> None:
    assert list(bits(parse("0 0 1 jan,MAR-May,*/6 *").dates.months)) == [1, 3, 4, 5, 7]


DATES: list[tuple[str, str, list[int]]] = [
    # Debian's find_jobs: day-of-month AND day-of-week when one of them starts with a star, otherwise OR.
    ("0 0 13 * fri", "2026-01", [2, 9, 13, 16, 23, 30]),
    ("0 0 13 * *", "2026-01", [13]),
    ("0 0 * * fri", "2026-01", [2, 9, 16, 23, 30]),
    ("0 0 */2 * fri", "2026-01", [9, 23]),
    ("0 0 13 * */5", "2026-02", [13]),  # 0 and 5, and the 13th is a Friday
    ("0 0 1-31 * fri", "2026-01", list(range(1, 32))),
    ("0 0 *,13 * fri", "2026-01", [2, 9, 16, 23, 30]),
    # beyond Vixie: the last day, workdays, the last and the nth weekday
    ("0 0 L * *", "2026-02", [28]),
    ("0 0 L * *", "2028-02", [29]),
    ("0 0 L,1 * *", "2026-01", [1, 31]),
    ("0 0 LW * *", "2026-01", [30]),
    ("0 0 LW * *", "2026-05", [29]),  # the 31st is a Sunday
    ("0 0 15W * *", "2026-02", [16]),  # a Sunday
    ("0 0 14W * *", "2026-02", [13]),  # a Saturday
    ("0 0 1W * *", "2026-08", [3]),  # a Saturday, and July is another month
    ("0 0 31W * *", "2026-05", [29]),  # a Sunday, and June is another month
    ("0 0 31W * *", "2026-04", []),
    ("0 0 * * 5L", "2026-01", [30]),
    ("0 0 * * friL", "2026-01", [30]),
    ("0 0 * * 2#1", "2026-01", [6]),
    ("0 0 * * tue#5", "2026-03", [31]),
    ("0 0 * * tue#5", "2026-01", []),
    ("0 0 * * 7#1,1", "2026-02", [1, 2, 9, 16, 23]),
    ("0 0 1 * 2#1", "2026-01", [1, 6]),  # croniter lets # and day-of-month be AND
    # macros
    ("@yearly", "2026-01", [1]),
    ("@annually", "2026-02", []),
    ("@monthly", "2026-02", [1]),
    ("@weekly", "2026-02", [1, 8, 15, 22]),
    ("  @Weekly ", "2026-02", [1, 8, 15, 22]),
]


@pytest.mark.parametrize(("expression", "month", "expected"), DATES)
def test_dates(expression: str, month: str, expected: list[int]) -> None:
    first = datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC)
    after = first.replace(month=first.month % 12 + 1, year=first.year + first.month // 12)
    found = between(Cron(expression), first - RESOLUTION, after - RESOLUTION, zone="UTC")
    assert [each.day for each in found] == expected
    assert all(each.time() == datetime.min.time() for each in found)


RESOLUTION = datetime.resolution


def test_hourly_and_daily() -> None:
    assert parse("@hourly") == parse("0 * * * *")
    assert parse("@daily") == parse("@midnight") == parse("0 0 * * *")


def test_any_blank_space_divides_the_fields() -> None:
    assert parse("  0\t9  * *   mon-fri\n") == parse("0 9 * * 1-5")


@pytest.mark.parametrize(
    ("expression", "elapsed"),
    [("*/5 2 * * *", True), ("0 */2 * * *", True), ("0 * * * *", True), ("0-59 2 * * *", False), ("30 2 * * *", False)],
)
def test_a_star_in_minute_or_hour_follows_the_real_minutes(expression: str, *, elapsed: bool) -> None:
    assert parse(expression).elapsed is elapsed


# ---------------------------------------------------------------- what is refused, and where

SECONDS = "seconds in front go apart: Cron({}, seconds='0'); a year at the end becomes start_at and end_at"
FIVE = "must have five fields (minute, hour, day-of-month, month, day-of-week), got"
REFUSED = [
    ("60 * * * *", "minute must be 0 to 59, got 60", "^^"),
    ("* 24 * * *", "hour must be 0 to 23, got 24", "  ^^"),
    ("* * 0 * *", "day-of-month must be 1 to 31, got 0", "    ^"),
    ("* * 1-32 * *", "day-of-month must be 1 to 31, got 32", "      ^^"),
    ("* * * 13 *", "month must be 1 to 12, got 13", "      ^^"),
    ("* * * * 8", "day-of-week must be 0 to 7, got 8", "        ^"),
    ("* * * * monday", "day-of-week must be 0 to 7 or sun to sat, got monday", "        ^^^^^^"),
    ("* * * july *", "month must be 1 to 12 or jan to dec, got july", "      ^^^^"),
    ("mon * * * *", "minute must be 0 to 59, got mon", "^^^"),
    ("-5 * * * *", "minute must have a value here; write 0 to 59", "^"),
    ("5- * * * *", "minute must have a value here; write 0 to 59", "  ^"),
    ("1,,2 * * * *", "minute has an empty place in its list; remove a comma", "  ^"),
    ("1, * * * *", "minute has an empty place in its list; remove a comma", "  ^"),
    ("*/0 * * * *", "minute must have a step of at least 1 after /, got 0", "  ^"),
    ("*/ * * * *", "minute must have a step of at least 1 after /, got nothing", "  ^"),
    ("*/-1 * * * *", "minute must have a step of at least 1 after /, got -1", "  ^^"),
    ("*/2/3 * * * *", "minute must have a step of at least 1 after /, got 2/3", "  ^^^"),
    ("1-*/2 * * * *", "minute can't have * within a range; write it alone or with a step, such as */2", "  ^"),
    ("*-5 * * * *", "minute can't have * within a range; write it alone or with a step, such as */2", "^"),
    ("1.5 * * * *", "minute must be 0 to 59, got 1.5", "^^^"),
    ("+1 * * * *", "minute must be 0 to 59, got +1", "^^"),
    ("\u0663 * * * *", "minute must be 0 to 59, got \u0663", "^"),  # a digit to str.isdigit
    # a range does not wrap
    ("0 22-2 * * *", "hour must not have a range that runs backwards, got 22-2; write 22-23,0-2", "  ^^^^"),
    (
        "0 0 * nov-feb *",
        "month must not have a range that runs backwards, got nov-feb; write 11-12,1-2",
        "      ^^^^^^^",
    ),
    (
        "0 0 * * fri-mon",
        "day-of-week must not have a range that runs backwards, got fri-mon; write 5-6,0-1",
        "        ^^^^^^^",
    ),
    (
        "0 0 * * sat-sun",
        "day-of-week must not have a range that runs backwards, got sat-sun; Sunday is also 7: write 6-7",
        "        ^^^^^^^",
    ),
    # other dialects
    ("0 0 1-? * *", "day-of-month can have ? only alone; write *", "      ^"),
    ("0 0 * * ?/2", "day-of-week can have ? only alone; write *", "        ^"),
    ("H * * * *", "minute can't be H; write a number, 0 to 59", "^"),
    ("H(0-29) * * * *", "minute can't be H; write a number, 0 to 59", "^^^"),
    ("0 0 * * L", "day-of-week must have a weekday before L; write 5L for the last Friday of the month", "        ^"),
    ("0 0 * * 1#6", "day-of-week must have 1 to 5 after #, got '6'", "          ^"),
    ("0 0 * * 1#", "day-of-week must have 1 to 5 after #, got ''", "          ^"),
    ("0 0 32W * *", "day-of-month must be 1 to 31, got 32", "    ^^"),
    ("L * * * *", "minute must be 0 to 59, got l", "^"),
    ("0 0 5L * *", "day-of-month must be 1 to 31, got 5l", "    ^^"),
    ("0 0 * * 1-5L", "day-of-week must be 0 to 7 or sun to sat, got 5l", "          ^^"),
    ("0 0 * * fri#2-3", "day-of-week must be 0 to 7 or sun to sat, got fri#2", "        ^^^^^"),
    ("0 0 1,L/2 * *", "day-of-month can't have L or W in a range or with a step; write L, LW or 15W alone", "      ^"),
    # five fields
    ("", f"{FIVE} 0: minute is missing", "^"),
    ("* * *", f"{FIVE} 3: month is missing", "     ^"),
    ("0 * * * * *", f"{FIVE} 6; {SECONDS.format(repr('* * * * *'))}", "          ^"),
    ("* * * * * a b c", f"{FIVE} 8", "          ^"),
    # macros
    ("0 0 9 * * mon 2026", f"{FIVE} 7; {SECONDS.format(repr('0 9 * * mon'))}", "          ^^^"),
    (
        "0 9 * * mon, wed",
        f"{FIVE} 6; a space ends a field, so write none beside a comma: '0 9 * * mon,wed'",
        "             ^^^",
    ),
    ("0 9 1 ,15 * *", f"{FIVE} 6; a space ends a field, so write none beside a comma: '0 9 1,15 * *'", "            ^"),
    ("CRON_TZ=Asia/Tokyo 0 9 * * *", "must not begin with a zone; write Cron('0 9 * * *', tz='Asia/Tokyo')", "^" * 18),
    ("TZ=UTC 0 9 * * *", "must not begin with a zone; write Cron('0 9 * * *', tz='UTC')", "^" * 6),
    ("CRON_TZ=UTC @daily", "must not begin with a zone; write Cron('@daily', tz='UTC')", "^" * 11),
    (
        "@every 1h30m",
        "@every 1h30m is not a macro; write Repeat(-1, timedelta(hours=1, minutes=30)), which is not a cron expression",
        "^" * 12,
    ),
    (
        "@every 10s",
        "@every 10s is not a macro; write Repeat(-1, timedelta(seconds=10)), which is not a cron expression",
        "^" * 10,
    ),
    (
        "@every",
        "@every is not a macro; write Repeat(-1, timedelta(minutes=5)), which is not a cron expression",
        "^" * 6,
    ),
    ("@reboot", "@reboot is not a macro; a schedule can't tell when the machine boots; write Once()", "^^^^^^^"),
    (
        " @dayly",
        "@dayly is not a macro; there are @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly",
        " ^^^^^^",
    ),
]


def test_a_question_mark_is_a_star() -> None:
    """As Quartz writes it: with it, the other day field alone says the date."""
    assert parse("0 9 ? * mon") == parse("0 9 * * mon")
    assert parse("0 9 13 * ?") == parse("0 9 13 * *")
    assert parse("? ? ? ? ?") == parse("* * * * *")


SECONDS_READ = [("0", [0]), ("*", list(range(60))), ("*/15", [0, 15, 30, 45]), (" 5,30-32 ", [5, 30, 31, 32])]


@pytest.mark.parametrize(("seconds", "values"), SECONDS_READ)
def test_seconds_are_a_field_apart(seconds: str, values: list[int]) -> None:
    assert list(bits(Cron("0 9 * * *", seconds=seconds).fields.seconds)) == values


SECONDS_REFUSED = [
    ("60", "second must be 0 to 59, got 60", "^^"),
    ("", "must be one field without spaces; write 0, */15 or 0,30", "^"),
    ("0 30", "must be one field without spaces; write 0, */15 or 0,30", "^^^^"),
    ("1-x", "second must be 0 to 59, got x", "  ^"),
]


@pytest.mark.parametrize(("seconds", "message", "caret"), SECONDS_REFUSED)
def test_wrong_seconds_are_refused(seconds: str, message: str, caret: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Cron("0 9 * * *", seconds=seconds)
    (fault,) = caught.value.errors()
    assert (fault["loc"], fault["type"]) == (("seconds",), "cron_expression")
    assert fault["msg"] == f"seconds: {message}\n    {seconds}\n    {caret}"


def test_equal_seconds_are_equal_however_they_are_written() -> None:
    assert Cron("* * * * *", seconds="*/30") == Cron("*/1 * * * *", seconds="0,30") != Cron("* * * * *")


@pytest.mark.parametrize(("expression", "message", "caret"), REFUSED)
def test_an_error_names_the_field_and_points_at_the_character(expression: str, message: str, caret: str) -> None:
    with pytest.raises(CronError) as caught:
        parse(expression)
    assert str(caught.value) == f"{message}\n    {expression}\n    {caret}"


def test_a_long_expression_is_shown_around_its_fault() -> None:
    with pytest.raises(CronError) as caught:
        parse("1," * 500 + "61 * * * *")
    said, shown, carets = str(caught.value).splitlines()
    assert said == "minute must be 0 to 59, got 61"
    assert len(shown) <= 104
    assert shown[carets.index("^") : len(carets)] == "61"


def test_a_model_refuses_with_the_same_words_and_keeps_the_source() -> None:
    with pytest.raises(ValidationError) as caught:
        Cron("0 25 * * *")
    (error,) = caught.value.errors()
    assert (error["type"], error["loc"]) == ("cron_expression", ("expression",))
    assert error["msg"] == "expression: hour must be 0 to 23, got 25\n    0 25 * * *\n      ^^"
    assert Cron(" 0  9 * * MON-FRI").expression == " 0  9 * * MON-FRI"


NEVER = [
    # the line, and the fields that the carets are below
    ("0 0 30 2 *", "30 2"),
    ("0 0 31 4,6,9,11 *", "31 4,6,9,11"),
    ("0 0 31 2-2 */8", "31 2-2 */8"),
    ("0 0 31W 2 *", "31W 2"),
    ("0 0 30-31/1 feb *", "30-31/1 feb"),
    ("0 0 */3 2 1#5", "*/3 2 1#5"),
]


@pytest.mark.parametrize(("expression", "pointed"), NEVER)
def test_what_never_happens_is_refused_with_its_fields(expression: str, pointed: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Cron(expression)

    (error,) = caught.value.errors()
    rule, line, carets = error["msg"].split("\n")
    assert error["type"] == "never_happens"
    assert rule.endswith("never match a date; write L for the last day of a month")
    assert line == f"    {expression}"
    assert line[carets.index("^") : len(carets)] == pointed


@pytest.mark.parametrize("field", ["L-3", "L/2", "15W-16", "1-5W"])
def test_l_and_w_stand_alone(field: str) -> None:
    with pytest.raises(ValidationError, match="day-of-month can't have L or W in a range or with a step"):
        Cron(f"0 0 {field} * *")


@pytest.mark.parametrize("expression", ["0 0 29 2 *", "0 0 30 2 1", "0 0 L 2 *", "0 0 31 1-2 *", "0 0 29 2 */7"])
def test_what_seldom_happens_is_taken(expression: str) -> None:
    assert Cron(expression).expression == expression
