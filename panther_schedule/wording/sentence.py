"""What a schedule or a policy means, in one English sentence."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final, cast

from ..models.days import WEEKDAYS as WEEKDAY_NAMES
from ..models.policy import CATCH_UP_LIMIT, CATCH_UP_WINDOW, DEFAULT_POLICY, MOST_QUEUED, Policy, Retry
from ..models.schedules import AnyOf, AnySchedule, Cron, Daily, Monthly, Once, Repeat, Schedule, Weekly
from .english import WEEKDAYS, clock_time, dates_said, duration, is_short, joined, times_said

_Calendar = Daily | Weekly | Monthly | Cron
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
_OVERLAP: Final = {
    "skip": "an occurrence is skipped while a run is going",
    "queue_one": "one run waits while another is going",
    "queue_all": f"runs wait while another is going, at most {MOST_QUEUED:,}",
    "cancel_running": "a run cancels the one that is going",
}


def explain(schedule: Schedule | Policy, zone: str | None = None) -> str:
    """Say in one line what a schedule or a policy means, such as "every 5 minutes, 5 times".

    A schedule's defaults go without saying; a policy's are said. `zone` is the name to show for a wall-clock schedule
    without a zone; by default none is shown. Of more than ten excluded dates only number, first and last are shown.
    """
    if isinstance(schedule, Policy):
        return "; ".join(_policy(schedule))
    known = cast(AnySchedule, schedule)
    if isinstance(known, (Once, Repeat)):
        return _counted(known)
    if not isinstance(known, AnyOf):
        return _calendar(known, zone)
    parts, limits = " or ".join(explain(part, zone) for part in known.of), _limits(known)
    return f"{parts}; all of it {', '.join(limits)}" if limits else parts


def differing(policy: Policy) -> list[str]:
    """Say what differs from the default policy; nothing for that policy itself."""
    if policy is DEFAULT_POLICY:
        return []
    return [said for said, usual in zip(_policy(policy), _policy(DEFAULT_POLICY), strict=True) if said != usual]


def _policy(policy: Policy) -> list[str]:
    most = policy.max_running or MOST_QUEUED
    return [
        _OVERLAP.get(policy.overlap, f"at most {most:,} run{'' if most == 1 else 's'} at a time"),
        _missed(policy),
        "no second attempt" if policy.retry is None else _retry(policy.retry),
        "no timeout" if policy.timeout is None else f"times out after {duration(policy.timeout)}",
        f"delayed by a jitter of less than {duration(policy.jitter)}" if policy.jitter else "no jitter",
    ]


def _missed(policy: Policy) -> str:
    if policy.missed == "coalesce":
        return "one late run for the latest of missed occurrences"
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
    only = "" if retry.on == ("Exception",) else f", only after {joined(retry.on, 'or')}"
    return f"{retry.attempts} attempts, {apart}{only}"


def _counted(schedule: Once | Repeat) -> str:
    if isinstance(schedule, Once):
        return "once, now" if schedule.at is None else f"once, at {_moment(schedule.at)}"
    if schedule.n == 1:
        return "once, now"
    times = "for ever" if schedule.n == -1 else f"{schedule.n} times"
    if not schedule.wait:
        return f"{times}, back to back"
    wait = duration(schedule.wait)
    return f"every {wait.removeprefix('1 ') if wait.count(' ') == 1 else wait}, {times}"


def _calendar(schedule: _Calendar, zone: str | None) -> str:
    zone = schedule.tz or zone
    within = f" in {zone}" if zone else ""
    limits = _limits(schedule)
    if isinstance(schedule, Daily) and limits == [_ONLY_ONCE]:
        return f"once, at the next {clock_time(schedule.at)}{within}"
    return ", ".join([f"{_dates_and_time(schedule)}{within}", *limits])


def _dates_and_time(schedule: _Calendar) -> str:
    dates = dates_said(schedule.dates) or "every day"
    if isinstance(schedule, Monthly):
        rule, on = schedule.dates, schedule.on
        if on[0] == 5 if isinstance(on, tuple) else is_short(on, rule.months):
            dates += ", or the last day of a shorter one," if rule.clamp else ", where there is one,"
    if not isinstance(schedule, Cron):
        return f"{dates} at {clock_time(schedule.at)}"
    times = times_said(schedule.fields.minutes, schedule.fields.hours)
    if times.startswith("at "):
        return f"{dates}{',' if ',' in dates else ''} {times}"
    return times if dates == "every day" else f"{dates}, {times}"


def _limits(schedule: _Calendar | AnyOf) -> list[str]:
    """Say what narrows a schedule: exclusions, start and end, the rules for a set clock, and the number of runs."""
    limits: list[str] = []
    if schedule.excluding:
        dates = [str(day) for day in schedule.excluding if isinstance(day, date)]
        if len(dates) > _MOST_DATES:
            dates = [f"{len(dates)} dates from {dates[0]} to {dates[-1]}"]
        weekdays = [WEEKDAYS[WEEKDAY_NAMES.index(day)] for day in schedule.excluding if isinstance(day, str)]
        limits.append(f"except on {joined(weekdays + dates)}")
    if isinstance(schedule, (Daily, Weekly, Monthly)) and schedule.starting:
        if schedule.every == 1:
            limits.append(f"from {schedule.starting} on")
        elif isinstance(schedule, Daily):
            limits.append(f"counted from {schedule.starting}")
        else:
            limits.append(f"counted from the {schedule.dates.unit} of {schedule.starting} and not before that date")
    if schedule.start_at:
        limits.append(f"not before {_moment(schedule.start_at)}")
    if schedule.end_at:
        limits.append(f"not after {_moment(schedule.end_at)}")
    if not isinstance(schedule, AnyOf):
        fields, rules = type(schedule).model_fields, {"gap": schedule.gap, "fold": schedule.fold}
        limits += [_CLOCK_RULES[rule] for name, rule in rules.items() if rule and rule != fields[name].default]
    if schedule.n != -1:
        limits.append(_ONLY_ONCE if schedule.n == 1 else f"{schedule.n} times")
    return limits


def _moment(at: datetime) -> str:
    return f"{at.replace(tzinfo=None).isoformat(' ')} UTC"
