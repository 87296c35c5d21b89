"""The keyword arguments of each kind of schedule, for editors and type checkers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Literal, TypedDict

from .days import Weekday
from .fields import Fold, Gap, Missing, TimeZone


class OnceKeywords(TypedDict, total=False):
    """Those of `Once`."""

    after: timedelta


class RepeatKeywords(OnceKeywords, total=False):
    """Those of `Repeat`."""

    measured_from: Literal["start", "end"]


class CalendarKeywords(TypedDict, total=False):
    """Those of all calendar kinds."""

    excluding: Collection[date | Weekday]
    start_at: datetime | None
    end_at: datetime | None


class DailyKeywords(CalendarKeywords, total=False):
    """Those of `Daily`."""

    every: int
    starting: date | None
    gap: Gap
    fold: Fold


class WeeklyKeywords(DailyKeywords, total=False):
    """Those of `Weekly`."""

    n: int
    tz: TimeZone | None


class MonthlyKeywords(WeeklyKeywords, total=False):
    """Those of `Monthly`."""

    months: Collection[int] | None
    missing: Missing


class CronKeywords(CalendarKeywords, total=False):
    """Those of `Cron`."""

    seconds: str
    n: int
    tz: TimeZone | None
    gap: Gap | None
    fold: Fold | None
