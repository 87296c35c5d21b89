"""Small questions whose answers are compared with the list: each shows a rule of dates, clocks, grids or unions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import lists
from lists import Question

from panther_schedule.models.days import DayRule, day_number
from panther_schedule.models.schedules import AnyOf, AnySchedule, Cron, Daily, Monthly, Once, Repeat, Weekly

EIGHT = time(8)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def asked(schedule: AnySchedule, after: str, until: str, zone: str = "UTC") -> Question:
    return Question(schedule, zone, utc(after), utc(until))


def year(schedule: AnySchedule, number: int = 2024) -> Question:
    """Ask for a year."""
    return asked(schedule, f"{number}-01-01", f"{number + 1}-01-01")


# ---- dates -------------------------------------------------------------------------------------------------------

LEAP_DAYS = asked(Cron("0 12 29 2 *"), "1895-01-01", "1909-01-01")
NEW_YEAR = asked(Daily(time(23, 59, 59)), "2023-12-29", "2024-01-03")
THE_31ST, LAST_DAYS = year(Monthly(31, EIGHT)), year(Monthly(-1, EIGHT))
CLAMPED = year(Monthly(30, EIGHT, missing="clamp"))
SECOND_TUESDAYS, FIFTH_FRIDAYS = year(Monthly((2, "tue"), EIGHT)), year(Monthly((5, "fri"), EIGHT))
LAST_FRIDAYS = year(Monthly((-1, "fri"), EIGHT))
TWO_MONTHS = year(Monthly(5, EIGHT, months=(2, 12)))
WEEKDAYS = asked(Weekly(("mon", "thu"), EIGHT), "2024-01-01", "2024-02-15")
OTHER_DAYS = asked(Daily(EIGHT, every=3, starting=date(2022, 11, 30)), "2022-11-25", "2024-01-20")
OTHER_WEEKS = asked(Weekly(("mon", "sat"), EIGHT, every=2, starting=date(2020, 11, 11)), "2020-10-01", "2021-03-01")
OTHER_MONTHS = asked(Monthly(15, EIGHT, every=5, starting=date(2022, 11, 20)), "2022-01-01", "2026-01-01")
EXCLUDED = asked(Daily(EIGHT, excluding={"sat", "sun", date(2024, 1, 9)}), "2024-01-01", "2024-02-01")


def never(rule: DayRule) -> None:
    """Check that a rule is known to name no date."""
    assert rule.is_empty()


def no_february() -> None:
    """Each sixth month from January on is no February."""
    never(DayRule(months=1 << 2, every=6, unit="month", starting=day_number(date(2026, 1, 5))))


def no_monday() -> None:
    """Each seventh day from a Tuesday on is no Monday."""
    never(DayRule(weekdays=1, every=7, starting=day_number(date(2026, 1, 6))))


# ---- cron --------------------------------------------------------------------------------------------------------

EITHER_DAY, BOTH_DAYS = year(Cron("0 0 13 * 5")), year(Cron("0 0 */2 * 5"))
FROM_TO = asked(Cron("5-50/20 3-4 * * *"), "2024-01-01", "2024-01-03")
FROM_ON = asked(Cron("10/15 22/1 * * *"), "2024-01-01", "2024-01-03")
SUNDAYS, NAMED = year(Cron("0 0 * * 7")), year(Cron("0 0 1 jan-MAR sun,Tue"))
LAST_OF_CRON, LAST_WORKDAYS = year(Cron("0 0 L * *")), year(Cron("0 0 LW * *"))
NEAR_15TH, NEAR_1ST, NEAR_31ST = year(Cron("0 0 15W * *")), year(Cron("0 0 1W * *")), year(Cron("0 0 31W * *"))
NTH_OF_CRON, LAST_OF_WEEKDAYS = year(Cron("0 0 * * 2#3")), year(Cron("0 0 * * 5L"))
MACRO = asked(Cron("@weekly"), "2024-01-01", "2024-03-01")

# ---- clocks that are set -----------------------------------------------------------------------------------------

SPRING, AUTUMN = ("2026-03-27", "2026-04-01", "Europe/Berlin"), ("2026-10-23", "2026-10-28", "Europe/Berlin")


def gap_rule(gap: Any) -> Question:
    """Ask for a time in the gap of spring."""
    return asked(Daily(time(2, 30), gap=gap), *SPRING)


def fold_rule(fold: Any) -> Question:
    """Ask for a time in the fold of autumn."""
    return asked(Daily(time(2, 30), fold=fold), *AUTUMN)


STARS_IN_SPRING, STARS_IN_AUTUMN = asked(Cron("*/20 * * * *"), *SPRING), asked(Cron("*/20 * * * *"), *AUTUMN)
FIXED_IN_SPRING, FIXED_IN_AUTUMN = asked(Cron("30 1-3 * * *"), *SPRING), asked(Cron("30 1-3 * * *"), *AUTUMN)
STAR_OF_HOURS, SKIPPED_HOUR = asked(Cron("30 * * * *"), *AUTUMN), asked(Cron("30 * * * *"), *SPRING)
LOST_DATE = asked(Cron("0 2,12 * * *"), "2011-12-28", "2012-01-03", "Pacific/Apia")
ODD_OFFSET = asked(Daily(EIGHT), "1972-01-01", "1972-01-12", "Africa/Monrovia")
HALF_AN_HOUR = asked(Cron("*/30 0-3 * * *", gap="shift"), "2026-10-01", "2026-10-07", "Australia/Lord_Howe")
TEN_STEADY_YEARS = asked(Cron("0 0 1,15 * *"), "2010-01-01", "2020-01-01", "Asia/Tokyo")
NEXT_CENTURY = asked(Weekly("sun", time(2, 30)), "2098-01-01", "2103-10-28 01:15", "Europe/Berlin")
FAR_CENTURY = asked(Weekly("sun", time(2, 30), fold="both"), "2522-01-01", "2524-01-01", "America/New_York")
IN_TOKYO = asked(Daily(EIGHT, tz="Asia/Tokyo"), "2026-01-01", "2026-01-09")
SECONDS = asked(Daily(time(8, 0, 30)), "2026-01-01", "2026-01-09")
BOUNDED = asked(
    Daily(EIGHT, start_at=utc("2026-01-03 08:00"), end_at=utc("2026-01-06 08:00")), "2026-01-01", "2026-01-09"
)

# ---- times of day, grids and unions ------------------------------------------------------------------------------

TIMES_OF_DAY = asked(Cron("15,45 8,20 * * *"), "2026-01-01 08:45", "2026-01-04 08:15")
REPEAT = Question(Repeat(-1, timedelta(seconds=90)), "UTC", utc("2026-01-01"), utc("2026-01-01 01:00"))
REPEAT_LATER = REPEAT._replace(anchor=utc("2026-01-01 00:10"))
TOGETHER = asked(
    Cron("0 */6 * * *", tz="Europe/Berlin") | Cron("0 */4 * * *", tz="America/New_York") | Cron("0 0-3 * * *"),
    "2026-10-20",
    "2026-11-05",
)
MOMENTS = asked(Daily(EIGHT) | Once(utc("2026-01-03 08:00")) | Once(utc("2026-01-04")), "2026-01-01", "2026-01-09")
MOMENT_EXCLUDED = asked(
    AnyOf((Daily(EIGHT), Once(utc("2026-01-02 23:30"))), excluding={date(2026, 1, 3)}),
    "2026-01-01",
    "2026-01-09",
    "Europe/Berlin",
)
UNION_EXCLUDING = asked(
    AnyOf((Daily(EIGHT, excluding={"wed"}), Daily(time(9))), excluding={"sun"}), "2026-01-01", "2026-01-15"
)
UNION_BOUNDED = asked(
    AnyOf(
        (Daily(EIGHT, end_at=utc("2026-01-06")), Daily(time(9), start_at=utc("2026-01-04"))),
        start_at=utc("2026-01-02"),
        end_at=utc("2026-01-08"),
    ),
    "2026-01-01",
    "2026-01-15",
)


def by(*questions: Question) -> Callable[[], None]:
    """Name what catches a mutation."""

    def ask() -> None:
        for question in questions:
            lists.check(question)

    return ask
