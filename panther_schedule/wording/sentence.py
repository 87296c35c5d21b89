"""What a schedule or a policy means, in one English sentence."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final, assert_never, cast

from ..models.days import ALL_MONTHS, Weekday, mask_of
from ..models.days import WEEKDAYS as WEEKDAY_NAMES
from ..models.policy import CATCH_UP_LIMIT, CATCH_UP_WINDOW, DEFAULT_POLICY, MOST_QUEUED, Policy, Retry
from ..models.schedules import AnyOf, AnySchedule, Cron, Daily, Monthly, Once, Repeat, Schedule, Weekly
from .english import (
    NTH,
    WEEKDAYS,
    clock_time,
    cron_said,
    duration,
    is_short,
    joined,
    length,
    months_said,
    ordinal,
    weekdays_said,
)

_MOST_DATES: Final = 10  # excluded dates that are said one by one
_GAPS: Final = {
    "next_valid": "a time that the clock skips is moved to the end of the gap",
    "shift": "a time that the clock skips is moved by the length of the gap",
    "skip": "a time that the clock skips is left out",
}
_GROWING: Final = {2.0: "doubling", 3.0: "tripling"}
_ZERO: Final = timedelta(0)
_FOLDS: Final = {
    "first": "a time that the clock passes twice counts the first time",
    "last": "a time that the clock passes twice counts the second time",
    "both": "a time that the clock passes twice counts both times",
}


def explain(schedule: Schedule | Policy, zone: str | None = None) -> str:
    """Say in one line what a schedule does, such as "every 5 minutes, 5 times", or all that a policy says.

    `zone` is the name to show for a wall-clock schedule that names no zone itself; without it none is shown. What a
    schedule leaves at its default is not said, and of more than ten excluded dates only their number, the first and
    the last. Of a policy the defaults and limits are said too.
    """
    if isinstance(schedule, Policy):
        return "; ".join(_said_of_policy(schedule).values())
    known = cast(AnySchedule, schedule)
    match known:
        case Once():
            return "once, now" if known.at is None else f"once, at {_moment(known.at)}"
        case Repeat():
            if known.n == 1:
                return "once, now"
            if not known.wait:
                return f"{_times(known.n)}, back to back"
            return f"every {duration(known.wait)}, {_times(known.n)}"
        case Daily() | Weekly() | Monthly() | Cron():
            return _calendar(known, zone)
        case AnyOf():
            parts = " or ".join(explain(part, zone) for part in known.of)
            tail = _excluded(known.excluding) + _tail(known)
            return f"{parts}; all of it {tail.removeprefix(', ').strip()}" if tail else parts
        case _:
            assert_never(known)


def differing(policy: Policy) -> list[str]:
    """Say what of a policy is not as it is by default; nothing of the default one."""
    if policy is DEFAULT_POLICY:
        return []
    default = _said_of_policy(DEFAULT_POLICY)
    return [said for name, said in _said_of_policy(policy).items() if said != default[name]]


def _said_of_policy(policy: Policy) -> dict[str, str]:
    return {
        "overlap": _overlap(policy),
        "missed": _missed(policy),
        "retry": "no second attempt" if policy.retry is None else _retry(policy.retry),
        "timeout": "no timeout" if policy.timeout is None else f"times out after {length(policy.timeout)}",
        "jitter": f"delayed by a jitter of less than {length(policy.jitter)}" if policy.jitter else "no jitter",
    }


def _overlap(policy: Policy) -> str:
    match policy.overlap:
        case "skip":
            return "an occurrence is skipped while a run is going"
        case "queue_one":
            return "one run waits while another is going"
        case "queue_all":
            return f"runs wait while another is going, at most {MOST_QUEUED:,}"
        case "allow":
            most = MOST_QUEUED if policy.max_running is None else policy.max_running
            return f"at most {most:,} run{'' if most == 1 else 's'} at a time"
        case "cancel_running":
            return "a run cancels the one that is going"
        case _:
            assert_never(policy.overlap)


def _missed(policy: Policy) -> str:
    match policy.missed:
        case "coalesce":
            return "one late run for the latest of missed occurrences"
        case "skip":
            grace = "" if policy.grace is None else f" by more than {length(policy.grace)}"
            return f"no run for an occurrence missed{grace}"
        case "catch_up":
            most = CATCH_UP_LIMIT if policy.catch_up_limit is None else policy.catch_up_limit
            which = "the latest missed occurrence" if most == 1 else f"each of the latest {most:,} missed occurrences"
            window = length(CATCH_UP_WINDOW if policy.catch_up_window is None else policy.catch_up_window)
            return f"a late run for {which}, up to {window} old"
        case _:
            assert_never(policy.missed)


def _retry(retry: Retry) -> str:
    apart = f"{length(retry.delay)} apart" if retry.delay else "one right after the other"
    grows = retry.attempts > 2 and retry.factor > 1 and _ZERO < retry.delay < retry.max_delay
    if grows:
        times = repr(retry.factor).removesuffix(".0")
        how = _GROWING.get(retry.factor, f"each delay {times} times as long as the one before,")
        apart += f", {how} up to {length(retry.max_delay)}"
    if retry.jitter:
        apart += f", with a jitter of less than {length(retry.jitter)}"
    only = "" if retry.on == ("Exception",) else f", only after {joined(retry.on, 'or')}"
    return f"{retry.attempts} attempts, {apart}{only}"


def _calendar(schedule: Daily | Weekly | Monthly | Cron, zone: str | None) -> str:
    shown = schedule.tz or zone
    at = _head(schedule) + (f" in {shown}" if shown else "")
    rest = _excluded(schedule.excluding) + _grid(schedule) + _tail(schedule, counted=False) + _set_clock(schedule)
    if schedule.n == 1 and isinstance(schedule, Daily) and not rest and schedule.every == 1:
        return f"once, at the next {at.removeprefix('every day at ')}"
    return at + rest + _count(schedule.n)


def _head(schedule: Daily | Weekly | Monthly | Cron) -> str:
    """Say the dates and the time, without what they are counted from."""
    if isinstance(schedule, Cron):
        dates, times = cron_said(schedule.fields)
        if dates:
            single = times.startswith("at ") and "," not in dates
            return f"{dates} {times}" if single else f"{dates}, {times}"
        return f"every day {times}" if times.startswith("at ") else times
    match schedule:
        case Daily():
            dates = "every day" if schedule.every == 1 else f"every {schedule.every} days"
        case Weekly():
            on = mask_of(map(WEEKDAY_NAMES.index, schedule.on))
            if schedule.every > 1:
                dates = f"every {schedule.every} weeks on {weekdays_said(on)}"
            else:
                dates = "every day" if len(schedule.on) == len(WEEKDAYS) else f"every {weekdays_said(on)}"
        case Monthly():
            dates = _days_of_month(schedule)
        case _:
            assert_never(schedule)
    return f"{dates} at {clock_time(schedule.at)}"


def _days_of_month(schedule: Monthly) -> str:
    months = ALL_MONTHS if schedule.months is None else mask_of(schedule.months)
    of = months_said(months)
    if schedule.every > 1:
        kept = "" if schedule.months is None else f" that is {months_said(months, 'or')}"
        of = f"every {ordinal(schedule.every)} month{kept}"
    on = schedule.on
    if isinstance(on, tuple):
        fifth = ", where there is one," if on[0] == 5 else ""
        return f"on the {NTH[on[0]]} {WEEKDAYS[WEEKDAY_NAMES.index(on[1])]} of {of}{fifth}"
    if on == -1:
        return f"on the last day of {of}"
    short = is_short(on, months)
    missing = ", or the last day of a shorter one," if schedule.missing == "clamp" else ", where there is one,"
    return f"on day {on} of {of}{missing if short else ''}"


def numbers_or(months: int) -> str:
    """Say a mask of months with "or"."""
    return months_said(months).replace(" and ", " or ")


def _grid(schedule: Daily | Weekly | Monthly | Cron) -> str:
    if isinstance(schedule, Cron) or schedule.starting is None:
        return ""
    if schedule.every == 1:
        return f", from {schedule.starting} on"
    if isinstance(schedule, Daily):
        return f", counted from {schedule.starting}"
    unit = "week" if isinstance(schedule, Weekly) else "month"
    return f", counted from the {unit} of {schedule.starting} and not before that date"


def _excluded(excluding: tuple[date | Weekday, ...]) -> str:
    dates = [str(day) for day in excluding if isinstance(day, date)]
    weekdays = [WEEKDAYS[WEEKDAY_NAMES.index(name)] for name in excluding if isinstance(name, str)]
    if len(dates) > _MOST_DATES:
        dates = [f"{len(dates)} dates from {dates[0]} to {dates[-1]}"]
    return f", except on {joined(weekdays + dates)}" if excluding else ""


def _tail(schedule: Daily | Weekly | Monthly | Cron | AnyOf, *, counted: bool = True) -> str:
    start = f", not before {_moment(schedule.start_at)}" if schedule.start_at else ""
    end = f", not after {_moment(schedule.end_at)}" if schedule.end_at else ""
    return start + end + (_count(schedule.n) if counted else "")


def _set_clock(schedule: Daily | Weekly | Monthly | Cron) -> str:
    defaults = type(schedule).model_fields
    gap = f", {_GAPS[schedule.gap]}" if schedule.gap and schedule.gap != defaults["gap"].default else ""
    fold = f", {_FOLDS[schedule.fold]}" if schedule.fold and schedule.fold != defaults["fold"].default else ""
    return gap + fold


def _count(n: int) -> str:
    if n == -1:
        return ""
    return ", the first time only" if n == 1 else f", {_times(n)}"


def _times(n: int) -> str:
    return "for ever" if n == -1 else f"{n} times"


def _moment(at: datetime) -> str:
    return f"{at.replace(tzinfo=None).isoformat(' ')} UTC"
