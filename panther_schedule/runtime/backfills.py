"""Which occurrences a backfill is for."""

from __future__ import annotations

from datetime import datetime
from typing import Final, LiteralString

from pydantic import ValidationError

from ..clock import Reading, microseconds
from ..errors import fault, refusal, type_name
from .entries import Entry

MOST_FILLED: Final = 10_000
"""Occurrences of one backfill."""


def occurrences_to_fill(entry: Entry, start: datetime, end: datetime, now: Reading) -> list[tuple[int, int | None]]:
    """Return the occurrences from `start` to `end`, each with the one before; refuse what can't be filled.

    They are given as records name them, which is by the schedule's own clock: a record's times find its occurrence.
    """
    rule, state = entry.rule, entry.state
    if rule.back_to_back:
        raise _refused(
            "backfill_schedule",
            "backfill() needs a schedule with occurrences of its own, got {got}; use run_now()",
            "schedule",
            entry.task.explain(),
        )
    first, last = _instant("start", start), _instant("end", end)
    if last < first or last > max(now):
        raise _refused(
            "backfill_range",
            "end must lie from start to now, got {got}; what is to come runs by itself",
            "end",
            f"{start.isoformat()} to {end.isoformat()}",
        )
    found: list[tuple[int, int | None]] = []
    before = rule.occurrences.latest(first - 1, state.anchor)
    at = rule.occurrences.next_after(first - 1, state.anchor)
    while at is not None and at <= min(last, rule.now(now)):
        if len(found) == MOST_FILLED:
            raise _refused(
                "backfill_size",
                "backfill() takes at most {most} occurrences at a time, got more in {got}; take a shorter span",
                "end",
                f"{start.isoformat()} to {end.isoformat()}",
            )
        found.append((at, before))
        before, at = at, rule.occurrences.next_after(at, state.anchor)
    return found


def _instant(field: str, value: object) -> int:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return microseconds(value)
    got = "a naive one" if isinstance(value, datetime) else type_name(value)
    message: LiteralString = "{field} must be an aware datetime, got {got}; write datetime(2026, 12, 24, tzinfo=UTC)"
    raise refusal("backfill", [fault("instant", message, at=(field,), field=field, got=got)])


def _refused(type_: LiteralString, message: LiteralString, field: str, got: str) -> ValidationError:
    return refusal("backfill", [fault(type_, message, at=(field,), got=got, most=f"{MOST_FILLED:,}")])
