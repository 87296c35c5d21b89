"""What a schedule or a policy means, in one English sentence, and what setting the clock does to its times."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Final, Protocol, cast, runtime_checkable

from ..clock import EPOCH
from ..errors import refuse_value, type_name
from ..models.cron import CronFields
from ..models.days import ALL_DAYS, ALL_MONTHS, ALL_WEEKDAYS, WEEKDAYS, DayRule, bits
from ..models.policy import CATCH_UP_LIMIT, CATCH_UP_WINDOW, DEFAULT_POLICY, MOST_QUEUED, Policy, Retry
from ..models.schedules import AnyOf, AnySchedule, Cron, Daily, Monthly, Once, Repeat, Schedule, Weekly
from ..occurrences.compiler import check_schedule
from ..occurrences.evaluators import Calendar
from ..occurrences.zones import DAY, Stretch

DAY_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_NTH: Final = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}
_MOST_DATES: Final = 10  # excluded dates that are listed one by one
_ONLY_ONCE: Final = "the first time only"
_GROWING: Final = {2.0: "doubling", 3.0: "tripling"}
_CLOCK_RULES: Final = {
    "next_valid": "a time that the clock skips is moved to the end of the gap",
    "shift": "a time that the clock skips is moved by the length of the gap",
    "skip": "a time that the clock skips is left out",
    "first": "a time that the clock passes twice counts the first time",
    "last": "a time that the clock passes twice counts the second time",
    "both": "a time that the clock passes twice counts both times",
}
_FOLDS: Final = {"first": "it runs the first time", "last": "it runs the second time", "both": "it runs both times"}
_OVERLAP: Final = {
    "skip": "an occurrence is skipped while a run is active",
    "queue_one": "one run waits while another is active",
    "queue_all": f"runs wait while another is active, at most {MOST_QUEUED:,}",
    "cancel_running": "a run cancels the active one",
}


@runtime_checkable
class Task(Protocol):
    """What these functions need to know of a `BackgroundTask`."""

    @property
    def schedule(self) -> AnySchedule: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def _jitter_key(self) -> str: ...


def explain(schedule: Schedule | Policy | Task, zone: str | None = None) -> str:
    """Say in one line what a schedule, a policy or a task means, such as "every 5 minutes, 5 times".

    A schedule's defaults go without saying; a policy's are said. `zone` is the name to show for a wall-clock schedule
    without a zone; by default none is shown. Of more than ten excluded dates only number, first and last are shown.
    """
    if isinstance(schedule, Policy):
        return "; ".join(filter(None, _policy(schedule)))
    if isinstance(schedule, Task):
        return "; ".join([explain(schedule.schedule, zone), *differing(schedule.policy)])
    known = check_schedule("explain", schedule, or_a=", a Policy or a BackgroundTask")
    if zone is not None and not isinstance(cast(object, zone), str):
        refuse_value("explain", "zone_name", "zone", "a str", type_name(zone), "write zone='Europe/Paris'")
    if isinstance(known, (Once, Repeat)):
        return _counted(known)
    if not isinstance(known, AnyOf):
        return _calendar(known, zone)
    parts, limits = " or ".join(explain(part, zone) for part in known.of), ", ".join(_limits(known))
    return f"{parts}; {limits}" if limits else parts


def _counted(schedule: Once | Repeat) -> str:
    if isinstance(schedule, Once) and schedule.at is not None:
        return f"once, at {_moment(schedule.at)}"
    delay = f"{duration(schedule.after)} after it is added" if schedule.after else ""
    if isinstance(schedule, Once) or schedule.n == 1:
        return f"once, {delay or 'now'}"
    said = "for ever" if schedule.n == -1 else f"{schedule.n} times"
    wait = duration(schedule.wait)
    if schedule.has_grid:
        said = f"every {wait.removeprefix('1 ') if wait.count(' ') == 1 else wait}, {said}"
    else:
        said += f", waiting {wait} after each run" if wait else ", back to back"
    return f"{said}, starting {delay}" if delay else said


def _calendar(schedule: Daily | Weekly | Monthly | Cron, zone: str | None) -> str:
    zone = schedule.tz or zone
    within = f" in {zone}" if zone else ""
    limits = _limits(schedule)
    if isinstance(schedule, Daily) and limits == [_ONLY_ONCE]:
        return f"once, at the next {clock_time(schedule.at)}{within}"
    return ", ".join([f"{_dates_and_time(schedule)}{within}", *limits])


def _dates_and_time(schedule: Daily | Weekly | Monthly | Cron) -> str:
    dates = dates_said(schedule.dates) or "every day"
    if isinstance(schedule, Monthly):
        rule, day = schedule.dates, schedule.day
        if day[0] == 5 if isinstance(day, tuple) else is_short(day, rule.months):
            dates += ", or the last day of a shorter one," if rule.clamp else ", where there is one,"
    if not isinstance(schedule, Cron):
        return f"{dates} at {clock_time(schedule.at)}"
    times = times_said(schedule.fields)
    if times.startswith("at "):
        return f"{dates}{',' if ',' in dates else ''} {times}"
    return times if dates == "every day" else f"{dates}, {times}"


def _limits(schedule: Daily | Weekly | Monthly | Cron | AnyOf) -> list[str]:
    """Say what narrows a schedule: exclusions, start and end, the rules for a set clock, and the number of runs."""
    limits: list[str] = []
    whole = isinstance(schedule, AnyOf)  # a sentence that has named the parts, and a semicolon
    never = "none of it" if whole else "not"
    if schedule.excluding:
        dates = [str(day) for day in schedule.excluding if isinstance(day, date)]
        if len(dates) > _MOST_DATES:
            dates = [f"{len(dates)} dates from {dates[0]} to {dates[-1]}"]
        weekdays = [DAY_NAMES[WEEKDAYS.index(day)] for day in schedule.excluding if isinstance(day, str)]
        limits.append(f"{'none of it' if whole else 'except'} on {_joined(weekdays + dates)}")
    if isinstance(schedule, (Daily, Weekly, Monthly)) and schedule.starting:
        if schedule.every == 1:
            limits.append(f"from {schedule.starting} onwards")
        elif isinstance(schedule, Daily):
            limits.append(f"counted from {schedule.starting}")
        else:
            limits.append(f"counted from the {schedule.dates.unit} of {schedule.starting} and not before that date")
    if schedule.start_at:
        limits.append(f"{never} before {_moment(schedule.start_at)}")
    if schedule.end_at:
        limits.append(f"{never} after {_moment(schedule.end_at)}")
    if not isinstance(schedule, AnyOf):
        fields, rules = type(schedule).model_fields, {"gap": schedule.gap, "fold": schedule.fold}
        limits += [_CLOCK_RULES[rule] for name, rule in rules.items() if rule and rule != fields[name].default]
    if schedule.n != -1:
        limits.append(_ONLY_ONCE if schedule.n == 1 else f"{schedule.n} times{' in all' if whole else ''}")
    return limits


def times_said(fields: CronFields) -> str:
    """Say the times of a cron expression: "at 09:00", "every hour", "at minutes 0 to 10 of hours 9 to 17"."""
    each, of, seconds = list(bits(fields.minutes)), list(bits(fields.hours)), list(bits(fields.seconds))
    in_hours = "" if len(of) == 24 else f" in {numbered('hour', of)}"
    of_hours = " of every hour" if len(of) == 24 else f" of {numbered('hour', of)}"
    if len(of) * len(each) * len(seconds) <= 6:  # few enough to list
        times = [time(hour, minute, second) for hour in of for minute in each for second in seconds]
        return f"at {_joined(list(map(clock_time, times)))}"
    if seconds != [0]:
        said = "every second" if len(seconds) == 60 else f"at {numbered('second', seconds)}"
        if len(each) < 60:
            return f"{said} of {numbered('minute', each)}{of_hours}"
        often = _even_step(seconds)
        return (
            f"every {often} seconds by the clock" if often > 1 else said if often else f"{said} of every minute"
        ) + in_hours
    if often := _even_step(each):
        return ("every minute" if often == 1 else f"every {often} minutes by the clock") + in_hours
    if len(of) == 24:
        return "every hour" if each == [0] else f"every hour at {numbered('minute', each)}"
    return f"at {numbered('minute', each)}{of_hours}"


def _even_step(values: list[int]) -> int:
    """Return the step with which several values go round the clock; 0 when there is none."""
    step = 60 // len(values)
    return step if len(values) > 1 and values == list(range(0, 60, step)) else 0


def dates_said(rule: DayRule) -> str:
    """Say the dates of a schedule, without the excluded ones: "every Friday in May"; "" for every day."""
    weekdays, months = _numbers(bits(rule.weekdays), DAY_NAMES), _months(rule)
    if rule.every > 1 and rule.unit != "month":
        return f"every {rule.every} {rule.unit}s{'' if rule.unit == 'day' else f' on {weekdays}'}"
    within = "" if months == "every month" else f" in {months}"
    any_day, any_weekday = rule.days == ALL_DAYS, rule.weekdays == ALL_WEEKDAYS
    if (any_day and any_weekday) or (rule.either and (any_day or any_weekday)):
        return f"every day{within}" if within else ""
    if any_day and not rule.nth:
        return f"every {weekdays}{within}"
    on_days = f"on {_joined(_day_words(rule))} of {months}"
    on_weekdays = f"on {_joined(_weekday_words(rule, 'each'), 'or' if rule.either else 'and')} of {months}"
    if any_day or any_weekday:
        return on_weekdays if any_day else on_days
    if rule.either:
        return f"{on_days}, or {on_weekdays}"
    return f"{on_days}, if that is {_joined(_weekday_words(rule, 'a'), 'or')}"


def _months(rule: DayRule) -> str:
    every = rule.every
    said = "every month" if every == 1 else f"every {_ordinal(every)} month"
    if rule.months == ALL_MONTHS:
        return said
    months = bits(rule.months >> 1)  # January is 0
    return _numbers(months, _MONTHS) if every == 1 else f"{said} that is {_numbers(months, _MONTHS, 'or')}"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _day_words(rule: DayRule) -> list[str]:
    words = [numbered("day", list(bits(rule.days)))] if rule.days else []
    if rule.last:
        words.append("the last day")
    if rule.last_workday:
        words.append("the last working day (Mon-Fri)")
    return words + [f"the working day nearest the {_ordinal(day)}" for day in bits(rule.near_workdays)]


def _weekday_words(rule: DayRule, each: str) -> list[str]:
    words = [f"{each} {_numbers(bits(rule.weekdays), DAY_NAMES, 'or')}"] if rule.weekdays else []
    return words + [f"the {_NTH[nth]} {DAY_NAMES[weekday]}" for nth, weekday in rule.nth]


def differing(policy: Policy) -> list[str]:
    """Say what differs from the default policy; nothing for that policy itself."""
    return [said for said, usual in zip(_policy(policy), _policy(DEFAULT_POLICY), strict=True) if said != usual]


def _policy(policy: Policy) -> list[str]:
    most = policy.max_running or MOST_QUEUED
    return [
        _OVERLAP.get(policy.overlap, f"at most {most:,} run{'' if most == 1 else 's'} at a time"),
        _missed(policy),
        "no second attempt" if policy.retry is None else _retry(policy.retry),
        "no timeout" if policy.timeout is None else f"times out after {duration(policy.timeout)}",
        f"delayed by a jitter of less than {duration(policy.jitter)}" if policy.jitter else "no jitter",
        "a run whose process dies is not tried again" if policy.on_lost == "record" else "",
    ]


def _missed(policy: Policy) -> str:
    if policy.missed == "coalesce":
        return "one late run for the latest missed occurrence"
    if policy.grace is not None:  # with missed="skip", and with nothing else
        return f"no run for an occurrence missed by more than {duration(policy.grace)}"
    most = policy.catch_up_limit or CATCH_UP_LIMIT
    which = "the latest missed occurrence" if most == 1 else f"each of the latest {most:,} missed occurrences"
    return f"a late run for {which}, up to {duration(policy.catch_up_window or CATCH_UP_WINDOW)} old"


def _retry(retry: Retry) -> str:
    apart = f"{duration(retry.delay)} apart" if retry.delay else "one right after the other"
    if retry.attempts > 2 and retry.factor > 1 and timedelta(0) < retry.delay < retry.max_delay:
        times = repr(retry.factor).removesuffix(".0")
        how = _GROWING.get(retry.factor, f"each delay {times} times as long as the one before,")
        apart += f", {how} up to {duration(retry.max_delay)}"
    if retry.jitter:
        apart += f", with a jitter of less than {duration(retry.jitter)}"
    only = "" if retry.on == ("Exception",) else f", only after {_joined(retry.on, 'or')}"
    return f"{retry.attempts} attempts, {apart}{only}"


def duration(length: timedelta) -> str:
    """Say a duration exactly: "1 day 12 hours", "0.25 seconds"."""
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    exact = f"{seconds}.{length.microseconds:06d}".rstrip("0") if length.microseconds else str(seconds)
    amounts = {"day": str(length.days), "hour": str(hours), "minute": str(minutes), "second": exact}
    return " ".join(f"{said} {unit}{'' if said == '1' else 's'}" for unit, said in amounts.items() if said != "0")


def clock_change(calendar: Calendar, stretch: Stretch, only: int | None = None) -> tuple[str, str] | None:
    """Say what setting the clock as a stretch begins does to the named times, or to `only` one; None if nothing.

    In two parts, such as "02:30 does not exist on 29 Mar" and "moved to 03:00".
    """
    low, high = stretch.skipped_or_repeated()
    first = calendar.walltimes.after((low if only is None else max(low, only)) - 1)
    last = calendar.walltimes.latest((high if only is None else min(high, only + 1)) - 1)
    if first is None or last is None or first > last:
        return None
    times, day, one = clock_time(local(first)), short_date(local(first)), first == last
    if not one:
        times = f"{calendar.walltimes.count(first, last)} times from {times} to {clock_time(local(last))}"
    if not stretch.after_gap:
        return f"{times} {'happens' if one else 'happen'} twice on {day}", _FOLDS[calendar.fold]
    if low <= first - first % DAY <= high - DAY:
        return f"{day} does not exist", "skipped"
    named = f"{times} {'does' if one else 'do'} not exist on {day}"
    if calendar.gap == "skip":
        return named, "skipped"
    if calendar.gap == "shift" and not one:
        return named, f"moved by {duration(timedelta(seconds=high - low))}"
    to = local(high if calendar.gap == "next_valid" else first + high - low)
    return named, f"moved to {clock_time(to)}{'' if short_date(to) == day else f' on {short_date(to)}'}"


def local(wall: int) -> datetime:
    """Return a wall-clock second as a datetime without a zone."""
    return EPOCH.replace(tzinfo=None) + timedelta(seconds=wall)


def clock_time(at: time | datetime) -> str:
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"


def short_date(day: date) -> str:
    """Say "29 Mar", in English whatever the locale."""
    return f"{day.day} {_MONTHS[day.month - 1][:3]}"


def is_short(day: int, months: int) -> bool:
    """Tell whether one of these months lacks this day, at least in some years."""
    return any(monthrange(2001, month)[1] < day for month in bits(months))


def _moment(at: datetime) -> str:
    return f"{at.replace(tzinfo=None).isoformat(' ')} UTC"


def numbered(noun: str, values: Sequence[int]) -> str:
    return f"{noun}{'' if len(values) == 1 else 's'} {_numbers(values)}"


def _numbers(values: Iterable[int], names: Sequence[str] | None = None, last: str = "and") -> str:
    """Say increasing numbers, or their names: "1, 3 and 5", "1 to 7 and 15", "0, 2, 4, ... 22"."""
    known = list(values)
    step = known[1] - known[0] if len(known) > 4 else 1
    if names is None and step > 1 and known == list(range(known[0], known[-1] + 1, step)):
        return f"{known[0]}, {known[1]}, {known[2]}, ... {known[-1]}"
    parts: list[str] = []
    for _, group in groupby(enumerate(known), lambda pair: pair[1] - pair[0]):  # numbers without a break between
        run = [names[number] if names else str(number) for _, number in group]
        parts += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else run
    return _joined(parts, last)


def _joined(words: Sequence[str], last: str = "and") -> str:
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)
