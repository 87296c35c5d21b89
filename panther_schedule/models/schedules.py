"""The schedules: frozen pydantic models, told apart in JSON by `kind`.

A schedule says when, and nothing else: it holds no function, no state and no clock, and it does no calendar
arithmetic (`occurrences` does).
"""

from __future__ import annotations

from typing import Annotated, Final, get_args

from pydantic import Field

from .calendars import AnyOf, Calendar, Cron, Daily, Monthly, Part, Weekly
from .moments import ONCE, Once, Repeat, Schedule

__all__ = [
    "ONCE",
    "SCHEDULES",
    "AnyOf",
    "AnySchedule",
    "Calendar",
    "Cron",
    "Daily",
    "Monthly",
    "Once",
    "Part",
    "Repeat",
    "Schedule",
    "Weekly",
]

AnySchedule = Annotated[Once | Repeat | Daily | Weekly | Monthly | Cron | AnyOf, Field(discriminator="kind")]
"""Any schedule: a discriminated union on `kind`, for fields and `TypeAdapter`s of your own."""

SCHEDULES: Final[tuple[type[Schedule], ...]] = get_args(get_args(AnySchedule)[0])
"""The classes of the union, in its order."""
