"""The time axis of a picture: where an instant lies, what the clock of its zone shows, and when that is set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple, TypeAlias, assert_never
from zoneinfo import ZoneInfo

from ..clock import SECOND, microseconds, moment
from ..models.schedules import Cron
from ..occurrences.compiler import compile_schedule
from ..occurrences.zones import DAY, FIRST_SECOND, LAST_SECOND, zone
from ..wording.sentence import DAY_NAMES, clock_time, local, short_date
from .marks import ClockChange

_Unit: TypeAlias = Literal["time", "day", "month", "year"]
# what may be marked, the finest first: about how many seconds apart, and the line of cron
_TICKS: Final[tuple[tuple[_Unit, int, str, str], ...]] = (
    *(("time", seconds, "* * * * *", f"*/{seconds}") for seconds in (1, 5, 15, 30)),
    *(("time", minutes * 60, f"*/{minutes} * * * *", "0") for minutes in (1, 5, 15, 30)),
    *(("time", hours * 3600, f"0 */{hours} * * *", "0") for hours in (1, 2, 3, 6, 12)),
    ("day", DAY, "0 0 * * *", "0"),
    ("day", 7 * DAY, "0 0 * * mon", "0"),
    *(("month", months * 30 * DAY, f"0 0 1 */{months} *", "0") for months in (1, 3, 6)),
    ("year", 365 * DAY, "0 0 1 1 *", "0"),
)
_LONG: Final = timedelta(days=732)  # in a longer picture no change of the clock can be seen


class Tick(NamedTuple):
    """A marked moment of the axis."""

    at: datetime
    label: str
    above: str  # the date or the year, where another one begins


@dataclass(frozen=True, slots=True)
class Axis:
    """A span of time, both ends included, as the clock of a zone shows it."""

    start: datetime
    end: datetime
    zone: str

    def place(self, at: datetime) -> float:
        """Return where an instant lies: 0 at the start, 1 at the end; what lies outside is at that end."""
        return min(1.0, max(0.0, (at - self.start) / (self.end - self.start)))

    def shown(self, at: datetime) -> datetime:
        """Return what the clock shows at an instant, without a zone."""
        second = microseconds(at) // SECOND
        wall = second + zone(ZoneInfo(self.zone)).offset(second)
        return local(min(max(wall, FIRST_SECOND), LAST_SECOND))

    def ticks(self, most: int) -> list[Tick]:
        """Return the start, without a label, and then about as many round moments as fit."""
        before, last = microseconds(self.start) - 1, microseconds(self.end)
        fine = (last - before) // most // SECOND
        unit, _, expression, seconds = next((each for each in _TICKS if each[1] >= fine), _TICKS[-1])
        # with cron's own rules for a set clock, midnight would not begin a date where the clock skips it
        line = Cron(expression, seconds=seconds, gap="next_valid", fold="both")
        occurrences = compile_schedule(line, ZoneInfo(self.zone))
        moments, at = list[int](), before
        while (following := occurrences.next_after(at, 0)) is not None and following <= last:
            moments.append(following)
            at = following
        ticks = [Tick(self.start, "", _said(self.shown(self.start), unit)[1])]
        latest = ticks[0].above
        for when in map(moment, moments[:: max(1, -(-len(moments) // most))]):
            label, above = _said(self.shown(when), unit)
            ticks.append(Tick(when, label, above if above != latest else ""))
            latest = above
        return ticks

    def changes(self) -> tuple[ClockChange, ...]:
        """Return when the clock is set, unless the span is longer than two years."""
        found: list[ClockChange] = []
        clock, last = zone(ZoneInfo(self.zone)), microseconds(self.end) // SECOND
        stretch = clock.stretch(microseconds(self.start) // SECOND)
        while self.end - self.start <= _LONG and stretch.end <= last:
            at = stretch.end
            if stretch.after != stretch.offset:
                before, after = (clock_time(local(at + offset)) for offset in (stretch.offset, stretch.after))
                found.append(ClockChange(moment(at * SECOND), before, after))
            stretch = clock.stretch(at)
        return tuple(found)


def _said(shown: datetime, unit: _Unit) -> tuple[str, str]:
    """Return the label of a moment, and what stands above it."""
    day, year = short_date(shown), str(shown.year)
    match unit:
        case "time":
            return (clock_time(shown), f"{DAY_NAMES[shown.weekday()][:3]} {day}")
        case "day":
            return (day, year)
        case "month":
            return (day.split()[1], year)
        case "year":
            return (year, "")
        case _:
            assert_never(unit)
