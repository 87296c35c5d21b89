"""English words for dates, times of day, durations and lists of numbers."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Final

from ..models.days import ALL_DAYS, ALL_MONTHS, ALL_WEEKDAYS, DayRule, bits

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NTH: Final = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}


def joined(words: Sequence[str], last: str = "and") -> str:
    """Join words: "a", "a and b", "a, b and c"."""
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def numbers(values: Iterable[int], names: Sequence[str] | None = None, last: str = "and") -> str:
    """Say increasing numbers, or their names: "1, 3 and 5", "1 to 7 and 15", "0, 2, 4, ... 22"."""
    known = list(values)
    step = known[1] - known[0] if len(known) > 4 else 1
    if names is None and step > 1 and known == list(range(known[0], known[-1] + 1, step)):
        return f"{known[0]}, {known[1]}, {known[2]}, ... {known[-1]}"
    parts: list[str] = []
    for _, group in groupby(enumerate(known), lambda pair: pair[1] - pair[0]):  # numbers without a break between
        run = [names[number] if names else str(number) for _, number in group]
        parts += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else run
    return joined(parts, last)


def duration(length: timedelta) -> str:
    """Say a duration exactly: "1 day 12 hours", "0.25 seconds"."""
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    exact = f"{seconds}.{length.microseconds:06d}".rstrip("0") if length.microseconds else str(seconds)
    amounts = {"day": str(length.days), "hour": str(hours), "minute": str(minutes), "second": exact}
    said = [f"{amount} {unit}{'' if amount == '1' else 's'}" for unit, amount in amounts.items() if amount != "0"]
    return " ".join(said)


def clock_time(at: time | datetime) -> str:
    """Say "08:00", or "08:00:30" where there are seconds."""
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"


def short_date(day: date) -> str:
    """Say "29 Mar", in English whatever the locale."""
    return f"{day.day} {MONTHS[day.month - 1][:3]}"


def is_short(day: int, months: int) -> bool:
    """Tell whether one of these months lacks this day, at least in some years."""
    return any(monthrange(2001, month)[1] < day for month in bits(months))


def times_said(minutes: int, hours: int) -> str:
    """Say the times of a cron expression: "at 09:00", "every hour", "at minutes 0 to 10 of hours 9 to 17"."""
    each, of = list(bits(minutes)), list(bits(hours))
    all_hours = len(of) == 24
    if len(of) * len(each) <= 6:  # few enough to list
        return f"at {joined([f'{hour:02}:{minute:02}' for hour in of for minute in each])}"
    step = 60 // len(each)
    if len(each) > 1 and each == list(range(0, 60, step)):
        often = "every minute" if step == 1 else f"every {step} minutes by the clock"
        return often if all_hours else f"{often} in {_numbered('hour', of)}"
    if all_hours:
        return "every hour" if each == [0] else f"every hour at {_numbered('minute', each)}"
    return f"at {_numbered('minute', each)} of {_numbered('hour', of)}"


def dates_said(rule: DayRule) -> str:
    """Say the dates of a schedule, without the excluded ones: "every Friday in May"; "" for every day."""
    weekdays, months = numbers(bits(rule.weekdays), WEEKDAYS), _months(rule)
    if rule.every > 1 and rule.unit != "month":
        return f"every {rule.every} {rule.unit}s{'' if rule.unit == 'day' else f' on {weekdays}'}"
    within = "" if months == "every month" else f" in {months}"
    any_day, any_weekday = rule.days == ALL_DAYS, rule.weekdays == ALL_WEEKDAYS
    if (any_day and any_weekday) or (rule.either and (any_day or any_weekday)):
        return f"every day{within}" if within else ""
    if any_day and not rule.nth:
        return f"every {weekdays}{within}"
    days = f"on {joined(_day_words(rule))} of {months}"
    on_weekdays = f"on {joined(_weekday_words(rule, 'each'), 'or' if rule.either else 'and')} of {months}"
    if any_day or any_weekday:
        return on_weekdays if any_day else days
    if rule.either:
        return f"{days}, or {on_weekdays}"
    return f"{days}, if that is {joined(_weekday_words(rule, 'a'), 'or')}"


def _months(rule: DayRule) -> str:
    """Say the months of a rule: "every month", "January and July", "every 3rd month that is January or July"."""
    every = rule.every
    ending = "th" if every % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(every % 10, "th")
    said = "every month" if every == 1 else f"every {every}{ending} month"
    if rule.months == ALL_MONTHS:
        return said
    months = bits(rule.months >> 1)  # January is 0
    return numbers(months, MONTHS) if every == 1 else f"{said} that is {numbers(months, MONTHS, 'or')}"


def _day_words(rule: DayRule) -> list[str]:
    words = [_numbered("day", list(bits(rule.days)))] if rule.days else []
    if rule.last:
        words.append("the last day")
    if rule.last_workday:
        words.append("the last Monday to Friday")
    return words + [f"the Monday to Friday nearest to day {day}" for day in bits(rule.near_workdays)]


def _weekday_words(rule: DayRule, each: str) -> list[str]:
    words = [f"{each} {numbers(bits(rule.weekdays), WEEKDAYS, 'or')}"] if rule.weekdays else []
    return words + [f"the {_NTH[nth]} {WEEKDAYS[weekday]}" for nth, weekday in rule.nth]


def _numbered(noun: str, values: Sequence[int]) -> str:
    return f"{noun}{'' if len(values) == 1 else 's'} {numbers(values)}"
