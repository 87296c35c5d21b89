# dateutil: only what tests/ calls; it has no types of its own
from collections.abc import Iterator
from datetime import datetime

class weekday:
    def __call__(self, n: int) -> weekday: ...

MO: weekday
TU: weekday
WE: weekday
TH: weekday
FR: weekday
SA: weekday
SU: weekday
DAILY: int
WEEKLY: int
MONTHLY: int

class rrule:
    def __init__(
        self,
        freq: int,
        dtstart: datetime,
        interval: int = ...,
        wkst: weekday | None = ...,
        bymonth: tuple[int, ...] | None = ...,
        bymonthday: int | None = ...,
        byweekday: tuple[weekday, ...] | None = ...,
    ) -> None: ...
    def __iter__(self) -> Iterator[datetime]: ...
