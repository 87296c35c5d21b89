"""Mutations of what dates and times are on a zone's clock."""

# The wrong variants are lambdas, of whatever the real functions take.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import asked
from asked import by
from mutations import Mutation, instead, of, then

from panther_schedule.occurrences import walltimes, zones
from panther_schedule.occurrences.walltimes import Piece, Walltimes
from panther_schedule.occurrences.zones import DAY, Stretch, Zone


def first_of_all(piece: Any) -> int | None:
    """Find the first one after the begin, also beyond the end."""
    wall = piece.walltimes.after(piece.begin + piece.offset - 1)
    return None if wall is None else wall - piece.offset


def last_of_all(piece: Any) -> int | None:
    """Find the last one before the end, also before the begin."""
    wall = piece.walltimes.latest(piece.end + piece.offset - 1)
    return None if wall is None else wall - piece.offset


def counted_apart(pieces: Any) -> int:
    """Count what several pieces have as often as they have it."""
    return sum(piece.walltimes.count(piece.begin + piece.offset, piece.end - 1 + piece.offset) for piece in pieces)


def whole_days(_pieces: Any, first: int, last: int) -> tuple[Any, int, int]:
    """Take the days of UTC whole."""
    return _pieces, first // DAY * DAY, last // DAY * DAY + DAY - 1


def same_day(dates: Any) -> tuple[Any]:
    """Look at the local dates of the same number only."""
    return (tuple(each for each in dates if -DAY // 2 <= each[1] <= DAY // 2),)


def minutes_first(walls: Any, rule: Any, times: tuple[int, ...]) -> tuple[Any, ...]:
    """List the hours of each minute."""
    return walls, rule, tuple(sorted(times, key=lambda second: (second % 3600, second)))


OF_WALLTIMES = [
    Mutation(
        "the next wall time may be the same",
        Walltimes,
        "after",
        of(lambda walls, wall: (walls, wall - 1)),
        by(asked.TIMES_OF_DAY),
    ),
    Mutation(
        "the latest wall time is before",
        Walltimes,
        "latest",
        of(lambda walls, wall: (walls, wall - 1)),
        by(asked.TIMES_OF_DAY),
    ),
    Mutation(
        "a day has no second time",
        Walltimes,
        "after",
        of(
            lambda walls, wall: (
                walls,
                max(wall, wall // DAY * DAY + walls.times[-1]) if wall % DAY > walls.times[0] else wall,
            )
        ),
        by(asked.TIMES_OF_DAY),
    ),
    Mutation(
        "the last wall time is not counted",
        Walltimes,
        "count",
        of(lambda walls, first, last: (walls, first, last - 1)),
        by(asked.TIMES_OF_DAY),
    ),
    Mutation(
        "the first day is counted whole",
        Walltimes,
        "count",
        of(lambda walls, first, last: (walls, first // DAY * DAY, last)),
        by(asked.TIMES_OF_DAY),
    ),
    Mutation(
        "the last day is counted whole",
        Walltimes,
        "count",
        of(lambda walls, first, last: (walls, first, last // DAY * DAY + DAY - 1)),
        by(asked.TIMES_OF_DAY),
    ),
    Mutation("a stretch goes on after its end", Piece, "first", instead(first_of_all), by(asked.FIXED_IN_AUTUMN)),
    Mutation("a stretch goes back before its begin", Piece, "last", instead(last_of_all), by(asked.FIXED_IN_AUTUMN)),
    Mutation(
        "a stretch begins a second late",
        Piece,
        "first",
        of(lambda piece: (piece._replace(begin=piece.begin + 1),)),
        by(asked.STARS_IN_SPRING),
    ),
    Mutation("what coincides is counted twice", walltimes, "count_pieces", instead(counted_apart), by(asked.TOGETHER)),
    Mutation(
        "what coincides is counted by whole days", walltimes, "_count_together", of(whole_days), by(asked.TOGETHER)
    ),
    Mutation("only dates of the same number coincide", walltimes, "_seconds_of_day", of(same_day), by(asked.TOGETHER)),
    Mutation("the times of a day are in no order", Walltimes, "__init__", of(minutes_first), by(asked.TIMES_OF_DAY)),
]


# ---- zones -------------------------------------------------------------------------------------------------------


def known_by_its_midnight(zone: Any, day: int) -> int:
    """Take the offset at midnight for that of the whole day."""
    offset: int = zone.offset(day * DAY)
    zone[day] = offset
    return offset


def first_change_only(real: Any) -> Any:
    """Miss what comes after the first change of a span."""

    def changes_around(zone: Any, span: int) -> list[Any]:
        found = real(zone, span)
        return found if len(found) < 4 else [*found[:2], found[-1]]

    return changes_around


def without_shift(stretch: Stretch, _zone: Any, instant: int) -> Stretch:
    """Forget to put the end of a stretch back into its own century."""
    far = instant >= zones._YEARLY + zones._CYCLE
    return stretch._replace(begin=stretch.begin - zones._CYCLE) if far else stretch


OF_ZONES = [
    Mutation(
        "offsets are whole minutes", Zone, "offset", then(lambda found, *_: found // 60 * 60), by(asked.ODD_OFFSET)
    ),
    Mutation(
        "offsets are whole hours", Zone, "offset", then(lambda found, *_: found // 3600 * 3600), by(asked.HALF_AN_HOUR)
    ),
    Mutation(
        "a day keeps the offset of its midnight",
        Zone,
        "__missing__",
        instead(known_by_its_midnight),
        by(asked.FIXED_IN_SPRING, asked.FIXED_IN_AUTUMN),
    ),
    Mutation(
        "a clock is set a second early", Zone, "_change", then(lambda found, *_: found - 1), by(asked.FIXED_IN_SPRING)
    ),
    Mutation(
        "a clock is set a second late", Zone, "_change", then(lambda found, *_: found + 1), by(asked.FIXED_IN_SPRING)
    ),
    Mutation("a span has one change", Zone, "_changes_around", first_change_only, by(asked.FIXED_IN_AUTUMN)),
    Mutation("a far stretch begins four centuries early", Zone, "stretch", then(without_shift), by(asked.FAR_CENTURY)),
    Mutation(
        "the rules of zones come round after 100 years",
        zones,
        "_CYCLE",
        lambda _real: 36_524 * DAY,
        by(asked.FAR_CENTURY),
    ),
    Mutation(
        "a date that is lost is a gap",
        Stretch,
        "gaps",
        instead(lambda stretch: [stretch.skipped_or_repeated()] if stretch.after_gap else []),
        by(asked.LOST_DATE),
    ),
    Mutation(
        "a fold is a gap, too",
        Stretch,
        "after_gap",
        instead(property(lambda stretch: stretch.before != stretch.offset)),
        by(asked.FIXED_IN_AUTUMN),
    ),
]
