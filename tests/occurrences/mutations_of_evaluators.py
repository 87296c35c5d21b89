"""Mutations of when schedules happen: evaluators and compiler."""

# The wrong variants are lambdas, of whatever the real functions take.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from datetime import UTC
from typing import Any

import asked
from asked import by
from mutations import Mutation, instead, of, then

from panther_schedule.clock import SECOND
from panther_schedule.models.schedules import Once
from panther_schedule.occurrences import compiler, walltimes
from panther_schedule.occurrences.evaluators import Calendar, Grid, Union
from panther_schedule.occurrences.walltimes import Piece
from panther_schedule.occurrences.zones import Stretch


def ruled(**rules: Any) -> Any:
    """Let a calendar look at a stretch by another rule."""

    def change(calendar: Any, stretch: Stretch) -> tuple[Any, Stretch]:
        other = copy(calendar)
        for name, rule in rules.items():
            setattr(other, name, rule)
        return other, stretch

    return of(change)


def moved_bound(by_start: int, by_end: int) -> Any:
    """Let a calendar begin or end at other moments."""
    return of(lambda *given: (*given[:-2], given[-2] + by_start, given[-1] + by_end))


def always_daily(_none: None, calendar: Any, *_given: Any) -> None:
    """Take any one time of day for a daily one."""
    times = calendar.walltimes.times
    calendar._daily = times[0] if len(times) == 1 else None


def from_their_begin(calendar: Any, after: int, until: int) -> Iterator[Piece]:
    """Yield the stretches of a span from where each begins, as they are cut."""
    at, last = max(after, calendar.start - 1) // SECOND + 1, min(until, calendar.end) // SECOND
    while at <= last:
        stretch = calendar.zone.stretch(at)
        for piece in calendar._pieces_of(stretch):
            yield piece._replace(end=min(piece.end, last + 1))
        at = stretch.end


def shifted_back(pieces: Any, calendar: Any, stretch: Stretch) -> Iterator[Piece]:
    """Shift what a gap skips by the new offset."""
    for piece in pieces:
        moved = calendar.gap == "shift" and piece.offset == stretch.before != stretch.offset
        yield piece._replace(offset=stretch.offset) if moved else piece


def each_moment(union: Union, after: int, until: int, _anchor: int) -> int:
    """Count the moments, and then the calendars."""
    pieces = (piece for part in union.calendars for piece in part.pieces(after, until))
    return walltimes.count_pieces(pieces) + sum(after < at <= until for at in union._moments)


def remembers_one_more(real: Any) -> Any:
    """Take what is known of a calendar to hold at the next occurrence, too."""

    def neighbours(union: Any, t: int) -> Any:
        known = union._known
        if all(low <= t <= high for low, high in known):
            return list(known)
        return real(union, t)

    return neighbours


OF_EVALUATORS = [
    Mutation(
        "the next of a grid may be the same",
        Grid,
        "next_after",
        of(lambda grid, t, anchor: (grid, t - 1, anchor)),
        by(asked.REPEAT),
    ),
    Mutation(
        "a grid begins before its anchor",
        Grid,
        "next_after",
        instead(lambda grid, t, anchor: t + grid._wait - (t - anchor) % grid._wait),
        by(asked.REPEAT_LATER),
    ),
    Mutation(
        "the anchor is no occurrence",
        Grid,
        "next_after",
        of(lambda grid, t, anchor: (grid, max(t, anchor), anchor)),
        by(asked.REPEAT_LATER),
    ),
    Mutation(
        "a grid is counted before its anchor",
        Grid,
        "count",
        instead(lambda grid, after, until, anchor: (until - anchor) // grid._wait - (after - anchor) // grid._wait),
        by(asked.REPEAT_LATER),
    ),
    Mutation(
        "a grid counts the moment that it begins after",
        Grid,
        "count",
        of(lambda grid, after, until, anchor: (grid, after - 1, until, anchor)),
        by(asked.REPEAT),
    ),
    Mutation("start_at is exclusive", Calendar, "__init__", moved_bound(SECOND, 0), by(asked.BOUNDED)),
    Mutation("end_at is exclusive", Calendar, "__init__", moved_bound(0, -SECOND), by(asked.BOUNDED)),
    Mutation("one time of day is that of each day", Calendar, "__init__", then(always_daily), by(asked.WEEKDAYS)),
    Mutation("fold is always both", Calendar, "_pieces_of", ruled(fold="both"), by(asked.fold_rule("first"))),
    Mutation("fold is always first", Calendar, "_pieces_of", ruled(fold="first"), by(asked.fold_rule("last"))),
    Mutation("gap is always next_valid", Calendar, "_pieces_of", ruled(gap="next_valid"), by(asked.gap_rule("shift"))),
    Mutation("gap is always shift", Calendar, "_pieces_of", ruled(gap="shift"), by(asked.gap_rule("next_valid"))),
    Mutation("gap is always skip", Calendar, "_pieces_of", ruled(gap="skip"), by(asked.gap_rule("next_valid"))),
    Mutation("a gap is shifted back", Calendar, "_pieces_of", then(shifted_back), by(asked.gap_rule("shift"))),
    Mutation(
        "a stretch is counted once for each cut",
        Calendar,
        "pieces",
        instead(from_their_begin),
        by(asked.TEN_STEADY_YEARS),
    ),
    Mutation("moments that coincide are counted", Union, "count", instead(each_moment), by(asked.MOMENTS)),
    Mutation(
        "the next of a union may be the same",
        Union,
        "next_after",
        of(lambda union, t, anchor: (union, t - 1, anchor)),
        by(asked.MOMENTS),
    ),
    Mutation("a union remembers too long", Union, "_neighbours", remembers_one_more, by(asked.UNION_EXCLUDING)),
]


# ---- compiler ----------------------------------------------------------------------------------------------------


def of_part(**changes: Any) -> Any:
    """Compile another calendar; what changes is worked out from the calendar."""
    return of(
        lambda part, *rest: (
            part.model_copy(update={name: change(part) for name, change in changes.items() if hasattr(part, name)}),
            *rest,
        )
    )


def of_union(change: Any) -> Any:
    """Compile the parts of another union."""
    return of(lambda part, zone, *union: (part, zone, *map(change, union)))


def moments_by_utc(real: Any) -> Any:
    """Look at the dates of UTC where a union excludes moments."""

    def union_of(union: Any, zone: Any) -> Any:
        days = {part.at.astimezone(UTC).date() for part in union.of if isinstance(part, Once) and part.at}
        return real(union if days & set(union.excluding) else union.model_copy(update={"excluding": ()}), zone)

    return union_of


OF_THE_COMPILER = [
    Mutation(
        "a star skips nothing",
        compiler,
        "calendar_of",
        of_part(gap=lambda part: part.gap or "next_valid"),
        by(asked.SKIPPED_HOUR),
    ),
    Mutation(
        "a star does not run twice",
        compiler,
        "calendar_of",
        of_part(fold=lambda part: part.fold or "first"),
        by(asked.STARS_IN_AUTUMN),
    ),
    Mutation("a zone of its own is forgotten", compiler, "calendar_of", of_part(tz=lambda _: None), by(asked.IN_TOKYO)),
    Mutation(
        "times of day have no seconds",
        compiler,
        "calendar_of",
        of_part(at=lambda part: part.at.replace(second=0)),
        by(asked.SECONDS),
    ),
    Mutation(
        "what a union excludes is forgotten",
        compiler,
        "calendar_of",
        of_union(lambda union: union.model_copy(update={"excluding": ()})),
        by(asked.UNION_EXCLUDING),
    ),
    Mutation(
        "the end of a union is forgotten",
        compiler,
        "calendar_of",
        of_union(lambda union: union.model_copy(update={"end_at": None})),
        by(asked.UNION_BOUNDED),
    ),
    Mutation(
        "a part has the bounds of its union",
        compiler,
        "calendar_of",
        of_part(start_at=lambda _: None, end_at=lambda _: None),
        by(asked.UNION_BOUNDED),
    ),
    Mutation(
        "moments are excluded by the dates of UTC", compiler, "_union_of", moments_by_utc, by(asked.MOMENT_EXCLUDED)
    ),
]
