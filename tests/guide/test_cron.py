"""Cron: five fields as Debian's cron reads them."""

from datetime import UTC, datetime, time

import pytest
from pydantic import ValidationError

from panther_schedule import Cron, Daily, explain, lint, preview


def first(n: int, expression: str) -> list[str]:
    """Show the first occurrences after the beginning of February 2026, a Sunday."""
    cron = Cron(expression, tz="UTC")
    return [f"{each.local:%a %d %b %H:%M}" for each in preview(cron, n, after=datetime(2026, 2, 1, tzinfo=UTC))]


def refusal(expression: str) -> str:
    """Show why an expression is refused."""
    with pytest.raises(ValidationError) as refused:
        Cron(expression)
    return refused.value.errors()[0]["msg"]


def test_the_five_fields() -> None:
    """The fields are minute, hour, day-of-month, month and day-of-week."""
    assert first(2, "30 9 * * *") == ["Sun 01 Feb 09:30", "Mon 02 Feb 09:30"]
    assert first(2, "30 9 15 3 *") == ["Sun 15 Mar 09:30", "Mon 15 Mar 09:30"]


def test_a_field_is_a_list_of_items() -> None:
    """An item is a value, a range, or a range with a step."""
    assert first(3, "0,30 9-10 * * *") == ["Sun 01 Feb 09:00", "Sun 01 Feb 09:30", "Sun 01 Feb 10:00"]
    assert first(3, "10-40/15 9 * * *") == ["Sun 01 Feb 09:10", "Sun 01 Feb 09:25", "Sun 01 Feb 09:40"]


def test_a_step_after_one_value_goes_to_the_end_of_the_field() -> None:
    """`5/15` as minute is 5, 20, 35 and 50."""
    assert Cron("5/15 * * * *") == Cron("5,20,35,50 * * * *")


def test_weekdays_and_months_have_names() -> None:
    """Names are English, in upper or lower case, and Sunday is both 0 and 7."""
    assert Cron("0 9 * JAN mon-fri") == Cron("0 9 * 1 1-5")
    assert Cron("0 9 * * sun") == Cron("0 9 * * 0") == Cron("0 9 * * 7")


def test_a_macro_stands_for_five_fields() -> None:
    """`@daily` and `0 0 * * *` are equal, and each is kept as it was written."""
    assert Cron("@daily") == Cron("@midnight") == Cron("0 0 * * *")
    assert Cron("@hourly") == Cron("0 * * * *")
    assert Cron("@daily").expression == "@daily"


def test_the_last_days_of_a_month() -> None:
    """`L` is the last day of the month and `LW` its last working day (Mon-Fri)."""
    assert first(2, "0 9 L * *") == ["Sat 28 Feb 09:00", "Tue 31 Mar 09:00"]
    assert first(2, "0 9 LW * *") == ["Fri 27 Feb 09:00", "Tue 31 Mar 09:00"]


def test_the_working_day_nearest_to_a_date() -> None:
    """`15W` is the working day nearest the 15th, within the month."""
    assert first(2, "0 9 15W * *") == ["Mon 16 Feb 09:00", "Mon 16 Mar 09:00"]
    assert first(2, "0 9 1W * *") == ["Mon 02 Feb 09:00", "Mon 02 Mar 09:00"]


def test_the_nth_and_the_last_of_a_weekday() -> None:
    """`2#1` is the first Tuesday of the month and `5L` its last Friday."""
    assert first(2, "0 9 * * 2#1") == ["Tue 03 Feb 09:00", "Tue 03 Mar 09:00"]
    assert first(2, "0 9 * * 5L") == ["Fri 27 Feb 09:00", "Fri 27 Mar 09:00"]


def test_a_step_begins_anew_in_each_hour_and_each_month() -> None:
    """A step that does not divide its field is uneven, and `lint()` says what to write instead."""
    assert first(3, "*/45 * * * *") == ["Sun 01 Feb 00:45", "Sun 01 Feb 01:00", "Sun 01 Feb 01:45"]
    assert first(3, "0 9 29-31/2,*/10 1,3,4 *") == ["Sun 01 Mar 09:00", "Wed 11 Mar 09:00", "Sat 21 Mar 09:00"]
    assert [smell.code for smell in lint(Cron("*/45 * * * *", tz="UTC"))] == ["uneven_step"]
    assert [smell.code for smell in lint(Cron("0 9 */2 * *", tz="UTC"))] == ["uneven_step"]
    assert lint(Cron("*/15 */2 * */3 *", tz="UTC")) == []


def test_a_date_and_a_weekday_are_either_or() -> None:
    """With both day-of-month and day-of-week given, a date needs to match only one of them."""
    assert first(3, "0 9 13 * fri") == ["Fri 06 Feb 09:00", "Fri 13 Feb 09:00", "Fri 20 Feb 09:00"]
    assert [smell.code for smell in lint(Cron("0 9 13 * fri", tz="UTC"))] == ["day_and_weekday"]


def test_a_field_that_begins_with_a_star_must_match_too() -> None:
    """When one of the two day fields begins with a star, as `*/2` does, a date must match both."""
    assert first(3, "0 9 */2 * fri") == ["Fri 13 Feb 09:00", "Fri 27 Feb 09:00", "Fri 13 Mar 09:00"]


def test_a_refusal_points_at_the_character() -> None:
    """An error names the field and shows the place in the expression."""
    assert refusal("0 25 * * *").splitlines() == [
        "expression: hour must be 0 to 23, got 25",
        "    0 25 * * *",
        "      ^^",
    ]


def test_a_range_goes_forward() -> None:
    """A range that wraps, such as `fri-mon`, is refused, and the message says what to write instead."""
    assert "write 5-6,0-1" in refusal("0 9 * * fri-mon")
    assert first(3, "0 9 * * 5-6,0-1") == ["Sun 01 Feb 09:00", "Mon 02 Feb 09:00", "Fri 06 Feb 09:00"]


def test_seconds_are_a_field_apart() -> None:
    """Six or seven fields are refused, since programs disagree on their meaning; `seconds=` has no second meaning."""
    assert "write Cron" not in refusal("0 0 9 * * *")
    assert "Cron('0 9 * * *', seconds='0')" in refusal("0 0 9 * * *")
    assert explain(Cron("* * * * *", seconds="*/15")) == "every 15 seconds by the clock"
    assert explain(Daily(time(9, 0, 30))) == "every day at 09:00:30"


def test_what_has_no_meaning_here_is_refused() -> None:
    """`@reboot` and a step of zero are refused, and the message says why; `?` is read as `*`."""
    assert Cron("0 9 ? * mon") == Cron("0 9 * * mon")
    assert "write Once()" in refusal("@reboot")
    assert "minute" in refusal("*/0 * * * *")


def test_what_never_happens_is_refused() -> None:
    """An expression that names only 30 February is refused."""
    assert "never match a date" in refusal("0 0 30 2 *")
