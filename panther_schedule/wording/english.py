"""English words for dates, times of day and lists of numbers; each of them exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time, timedelta
from itertools import pairwise
from typing import Final

from ..models.cron import CronFields
from ..models.days import ALL_DAYS, ALL_MONTHS, ALL_WEEKDAYS, DayRule, bits

MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NTH: Final = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}
_SHORTEST: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ALL_HOURS: Final = (1 << 24) - 1
_ALL_MINUTES: Final = (1 << 60) - 1
_ONE_UNIT: Final = ("1 day", "1 hour", "1 minute", "1 second")
_MOST_TIMES: Final = 6  # times of day that are said one by one


def joined(words: Sequence[str], last: str = "and") -> str:
    """Join words by commas, and the last of them by "and"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def numbers(values: Iterable[int], names: Sequence[str] | None = None, last: str = "and") -> str:
    """Say increasing numbers: "1, 3 and 5", "1 to 7 and 15", or "0, 2, 4, ... 22"; `names` are those from 0 on."""
    known = list(values)
    say = [str(value) if names is None else names[value] for value in known]
    steps = {after - before for before, after in pairwise(known)}
    if len(known) > 4 and len(steps) == 1 and steps != {1} and names is None:
        return f"{say[0]}, {say[1]}, {say[2]}, ... {say[-1]}"
    parts: list[str] = []
    begin = 0
    for end in range(1, len(known) + 1):
        if end == len(known) or known[end] != known[end - 1] + 1:
            run = say[begin:end]
            parts += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else run
            begin = end
    return joined(parts, last)


def ordinal(number: int) -> str:
    """Say "2nd", "3rd", "11th"."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def clock_time(at: time) -> str:
    """Say 08:00, with seconds only where there are some."""
    return at.isoformat("seconds" if at.second else "minutes")


def short_date(day: date) -> str:
    """Say "29 Mar", in English whatever the machine's language is."""
    return f"{day.day} {MONTHS[day.month - 1][:3]}"


def months_said(months: int, last: str = "and") -> str:
    """Say a mask of months: "every month", or "January and July"."""
    return "every month" if months == ALL_MONTHS else numbers([at - 1 for at in bits(months)], MONTHS, last)


def is_short(day: int, months: int) -> bool:
    """Tell whether one of these months is without this day in some year."""
    return any(_SHORTEST[month - 1] < day for month in bits(months))


def weekdays_said(weekdays: int, last: str = "and") -> str:
    """Say a mask of weekdays: "Monday to Friday"."""
    return numbers(bits(weekdays), WEEKDAYS, last)


def cron_said(fields: CronFields) -> tuple[str, str]:
    """Say the dates and the times of an expression; dates are empty when each one is named."""
    return dates_said(fields.dates), times_said(fields.minutes, fields.hours)


def times_said(minutes: int, hours: int) -> str:
    """Say times of day, given as masks: "at 09:00", "every hour", "at minutes 0 to 10 of hours 9 to 17"."""
    of, each = list(bits(hours)), list(bits(minutes))
    if len(of) * len(each) <= _MOST_TIMES and hours != _ALL_HOURS:
        return f"at {joined([f'{hour:02}:{minute:02}' for hour in of for minute in each])}"
    step = 60 // len(each)
    if minutes == _ALL_MINUTES:
        often = "every minute"
    elif len(each) > 1 and each == list(range(0, 60, step)):
        often = f"every {step} minutes by the clock"
    elif hours == _ALL_HOURS:
        return "every hour" if each == [0] else f"every hour at minute{_s(each)} {numbers(each)}"
    else:
        return f"at minute{_s(each)} {numbers(each)} of hours {numbers(of)}"
    return often if hours == _ALL_HOURS else f"{often} in hour{_s(of)} {numbers(of)}"


def dates_said(rule: DayRule) -> str:
    """Say the dates of a cron expression, such as "every Friday" or "on day 13 of every month or on Friday"."""
    months = months_said(rule.months)
    within = "" if rule.months == ALL_MONTHS else f" in {months}"
    any_day = rule.days == ALL_DAYS
    any_weekday = rule.weekdays == ALL_WEEKDAYS
    if (any_day and any_weekday) or (rule.either and (any_day or any_weekday)):
        return f"every day{within}" if within else ""
    if any_day:
        if rule.nth:
            return f"on {joined(_weekday_words(rule, each=True))} of {months}"
        return f"every {weekdays_said(rule.weekdays)}{within}"
    days = f"on {joined(_day_words(rule))} of {months}"
    if any_weekday:
        return days
    if rule.either:
        return f"{days}, or on {joined(_weekday_words(rule, each=True), 'or')} of {months}"
    return f"{days}, if that is {joined(_weekday_words(rule, each=False), 'or')}"


def _day_words(rule: DayRule) -> list[str]:
    words: list[str] = []
    if rule.days:
        days = list(bits(rule.days))
        words.append(f"day{_s(days)} {numbers(days)}")
    if rule.last:
        words.append("the last day")
    if rule.last_workday:
        words.append("the last Monday to Friday")
    words += [f"the Monday to Friday nearest to day {day}" for day in bits(rule.near_workdays)]
    return words


def _weekday_words(rule: DayRule, *, each: bool) -> list[str]:
    before = "each" if each else "a"
    words = [f"{before} {weekdays_said(rule.weekdays, 'or')}"] if rule.weekdays else []
    return words + [f"the {NTH[nth]} {WEEKDAYS[weekday]}" for nth, weekday in rule.nth]


def duration(wait: timedelta) -> str:
    """Say a duration exactly, from days to microseconds; one whole unit goes without its number."""
    said = length(wait)
    return said[2:] if said in _ONE_UNIT else said


def length(wait: timedelta) -> str:
    """Say a duration as `duration` does, always with its numbers: "1 minute"."""
    minutes, seconds = divmod(wait.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    exact = f"{seconds}.{wait.microseconds:06d}".rstrip("0") if wait.microseconds else str(seconds)
    amounts = (str(wait.days), "day"), (str(hours), "hour"), (str(minutes), "minute"), (exact, "second")
    parts = [(amount, unit) for amount, unit in amounts if amount != "0"]
    return " ".join(f"{amount} {unit}" if amount == "1" else f"{amount} {unit}s" for amount, unit in parts)


def _s(values: Sequence[int]) -> str:
    return "" if len(values) == 1 else "s"
