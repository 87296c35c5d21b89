"""The calendar kinds: schedules that follow the time of day in a zone.

They name dates and a time; what that means in a zone, where the clock is set twice a year, is for `occurrences`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import time
from typing import Annotated, Any, Literal, Self, cast

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import Unpack, override

from ..errors import fault, refusal
from .calendar_fields import (
    COUNT,
    CRON_RULE,
    END_AT,
    EVERY,
    EXCLUDING,
    FOLD,
    GAP,
    START_AT,
    STARTING,
    TZ,
    CronExpression,
    DayOfMonth,
    Every,
    Excluding,
    Fold,
    FoldRule,
    Gap,
    GapRule,
    GridFields,
    MissingRule,
    MonthDay,
    Months,
    SpanFields,
    Starting,
    Weekdays,
)
from .cron import CronFields, parse, why_never
from .days import ALL_MONTHS, WEEKDAYS, DayRule, Weekday, day_number, mask_of
from .fields import ClockTime, Instant, RunCount, ZoneKey, base_init
from .moments import Once, Repeat, Schedule


class Calendar(Schedule, frozen=True):
    """The base of the calendar kinds: `a | b` happens when one of the two does."""

    @base_init
    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    def __or__(self, other: Part | AnyOf) -> AnyOf:
        """Return the union of both, as in `Daily(time(8)) | Cron("0 12 * * sat")`."""
        return AnyOf((cast(Part, self), other)) if _is_schedule(other) else NotImplemented

    def __ror__(self, other: Once) -> AnyOf:
        """Return the union of both, with a moment."""
        return AnyOf((other, cast(Part, self))) if _is_schedule(other) else NotImplemented

    @property
    def dates(self) -> DayRule:
        """The local dates it names."""
        raise NotImplementedError

    def _names_no_date(self) -> bool:
        return self.dates.is_empty()

    @model_validator(mode="after")
    def _possible(self) -> Self:
        given = {name: value for name, value in self if value != type(self).model_fields[name].default}
        start_at, end_at = given.get("start_at"), given.get("end_at")
        if start_at and end_at and start_at > end_at:
            raise PydanticCustomError(
                "empty_span",
                "start_at must not be after end_at, got {start_at} and {end_at}; swap them, or leave one out",
                {"start_at": str(start_at), "end_at": str(end_at)},
            )
        if "every" in given and "starting" not in given:
            raise PydanticCustomError(
                "missing_starting",
                "starting must be given with every={every}, which counts from it; add starting=date(2026, 1, 5)",
                {"every": given["every"]},
            )
        if self._names_no_date():
            raise PydanticCustomError("never_happens", "{why}", {"why": self._why_never(given)})
        return self

    def _why_never(self, given: dict[str, Any]) -> str:
        which = ("on", "months", "expression", "of", "every", "starting", "excluding")
        fields = ", ".join(f"{name}={given[name]!r}" for name in which if name in given)
        remedy = "; write on=-1 for the last day, or missing='clamp'" if isinstance(given.get("on"), int) else ""
        return f"{fields} must name a date of some year, and never does{remedy}"


class _DailyFields(GridFields, total=False):
    kind: Literal["daily"]


class Daily(Calendar, frozen=True):
    """Run each day at one wall-clock time; with `every=2, starting=date(...)` every other day, counted from that date.

    The time happens once for each local date. On the day when the clock skips it, it runs at the end of the gap
    (02:30 at 03:00), `gap="shift"` runs it as long after (03:30) and `gap="skip"` not at all. When the clock passes
    it twice, it runs the first time; `fold="last"` and `fold="both"` say otherwise. `excluding` looks at the local
    date that the time was meant for. `start_at` and `end_at` are inclusive.
    """

    kind: Literal["daily"] = "daily"
    at: ClockTime = Field(description="The wall-clock time, without a zone.")
    n: RunCount = COUNT
    tz: ZoneKey | None = TZ
    every: Every = EVERY
    starting: Starting = STARTING
    excluding: Excluding = EXCLUDING
    start_at: Instant | None = START_AT
    end_at: Instant | None = END_AT
    gap: GapRule = GAP
    fold: FoldRule = FOLD

    @base_init
    def __init__(self, at: time, n: int = -1, tz: str | None = None, **fields: Unpack[_DailyFields]) -> None:
        super().__init__(at=at, n=n, tz=tz, **fields)

    @property
    @override
    def dates(self) -> DayRule:
        """The local dates it names."""
        return _on_grid(DayRule(), self, "day")


class _WeeklyFields(GridFields, total=False):
    kind: Literal["weekly"]
    n: int
    tz: str | None


class Weekly(Calendar, frozen=True):
    """Run on some weekdays at one wall-clock time: `Weekly("mon", time(8))`, `Weekly(("mon", "fri"), time(8))`.

    Weeks begin on Monday. `every=2` counts them from the week of `starting`, a date. All else is as in `Daily`.
    """

    kind: Literal["weekly"] = "weekly"
    on: Weekdays = Field(description="One weekday or more.")
    at: ClockTime = Field(description="The wall-clock time, without a zone.")
    n: RunCount = COUNT
    tz: ZoneKey | None = TZ
    every: Every = EVERY
    starting: Starting = STARTING
    excluding: Excluding = EXCLUDING
    start_at: Instant | None = START_AT
    end_at: Instant | None = END_AT
    gap: GapRule = GAP
    fold: FoldRule = FOLD

    @base_init
    def __init__(self, on: Weekday | Collection[Weekday], at: time, **fields: Unpack[_WeeklyFields]) -> None:
        super().__init__(on=on, at=at, **fields)

    @property
    @override
    def dates(self) -> DayRule:
        """The local dates it names."""
        return _on_grid(DayRule(weekdays=mask_of(map(WEEKDAYS.index, self.on))), self, "week")


class _MonthlyFields(GridFields, total=False):
    kind: Literal["monthly"]
    n: int
    tz: str | None
    months: Collection[int] | None
    missing: Literal["skip", "clamp"]


class Monthly(Calendar, frozen=True):
    """Run on one day of each month, or of some months, at one wall-clock time.

    `on` is a day from 1 to 31, -1 for the last day, or the nth of a weekday: (2, "tue"), (-1, "fri"). A month without
    that day has no occurrence (RFC 5545), or with `missing="clamp"` has it on its last day. A month without a fifth
    Friday never has one. `every=3` counts months from that of `starting`, a date. All else is as in `Daily`.
    """

    kind: Literal["monthly"] = "monthly"
    on: DayOfMonth = Field(description="A day from 1 to 31, -1 for the last one, or [nth, weekday].")
    at: ClockTime = Field(description="The wall-clock time, without a zone.")
    months: Months = Field(
        None,
        description="The months that count, from 1 to 12; null is each one.",
        exclude_if=lambda value: value is None,
    )
    missing: MissingRule = Field(
        "skip",
        description="A month without that day has no occurrence (skip) or has it on its last day (clamp).",
        exclude_if=lambda value: value == "skip",
    )
    n: RunCount = COUNT
    tz: ZoneKey | None = TZ
    every: Every = EVERY
    starting: Starting = STARTING
    excluding: Excluding = EXCLUDING
    start_at: Instant | None = START_AT
    end_at: Instant | None = END_AT
    gap: GapRule = GAP
    fold: FoldRule = FOLD

    @base_init
    def __init__(self, on: MonthDay, at: time, **fields: Unpack[_MonthlyFields]) -> None:
        super().__init__(on=on, at=at, **fields)

    @property
    @override
    def dates(self) -> DayRule:
        """The local dates it names."""
        rule = DayRule(months=ALL_MONTHS if self.months is None else mask_of(self.months))
        if isinstance(self.on, tuple):
            rule = rule._replace(weekdays=0, nth=((self.on[0], WEEKDAYS.index(self.on[1])),))
        elif self.on == -1:
            rule = rule._replace(days=0, last=True)
        else:
            rule = rule._replace(days=1 << self.on, clamp=self.on if self.missing == "clamp" else 0)
        return _on_grid(rule, self, "month")


class _CronFields(SpanFields, total=False):
    kind: Literal["cron"]
    n: int
    tz: str | None
    gap: Gap | None
    fold: Fold | None


class Cron(Calendar, frozen=True):
    """Run by a cron expression of five fields, as Debian's cron reads it: `Cron("0 9 * * mon-fri")`.

    Debian's star rules hold. Day-of-month and day-of-week must both match when one of them starts with a star;
    otherwise one is enough. When minute or hour starts with a star, it follows the real minutes: nothing for the
    minutes that the clock skips, and both passes of those that it passes twice; otherwise it is as in `Daily`. A
    `gap` or `fold` that is given wins over that.

    The expression is kept as it was written; two are equal when their fields say the same: "@daily" is "0 0 * * *".
    """

    kind: Literal["cron"] = "cron"
    expression: CronExpression = Field(description="Minute, hour, day-of-month, month, day-of-week; or a macro.")
    n: RunCount = COUNT
    tz: ZoneKey | None = TZ
    excluding: Excluding = EXCLUDING
    start_at: Instant | None = START_AT
    end_at: Instant | None = END_AT
    gap: GapRule | None = CRON_RULE
    fold: FoldRule | None = CRON_RULE

    @base_init
    def __init__(self, expression: str, **fields: Unpack[_CronFields]) -> None:
        super().__init__(expression=expression, **fields)

    @property
    def fields(self) -> CronFields:
        """What the expression says."""
        return parse(self.expression)

    @property
    @override
    def dates(self) -> DayRule:
        """The local dates it names."""
        return self.fields.dates.without(self.excluding)

    @override
    def _why_never(self, given: dict[str, Any]) -> str:
        return (
            f"expression: {why_never(self.expression)}" if self.fields.dates.is_empty() else super()._why_never(given)
        )

    def _meaning(self) -> tuple[object, ...]:
        return (self.fields, *(value for name, value in self if name != "expression"))

    @override
    def __eq__(self, other: object) -> bool:
        return self._meaning() == other._meaning() if isinstance(other, Cron) else NotImplemented

    @override
    def __hash__(self) -> int:
        return hash(self._meaning())


Part = Annotated[Once | Daily | Weekly | Monthly | Cron, Field(discriminator="kind")]
"""What a union may consist of."""


def _canonical(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    for part in parts:
        _refuse_part(part)
    if not parts:
        raise PydanticCustomError("empty_union", "of must hold a schedule at least; write Daily(time(8)) | Cron(...)")
    return tuple(dict.fromkeys(sorted(parts, key=_order)))


def _order(part: Part) -> tuple[str, str, str]:
    said = str(part.fields) if isinstance(part, Cron) else ""
    return part.kind, said, part.model_dump_json(exclude={"expression"})


def _refuse_part(part: object) -> None:
    match part:
        case Once(at=None) | Repeat():
            raise PydanticCustomError(
                "union_part",
                "of must hold wall-clock schedules, got {part}; add it as a task of its own",
                {"part": repr(part)},
            )
        case Schedule(run_count=n) if n != -1 and not isinstance(part, Once):
            raise PydanticCustomError(
                "union_part",
                "n counts the runs of a whole union, got {part} in one; leave it out there and write AnyOf(..., n={n})",
                {"part": repr(part), "n": n},
            )
        case AnyOf(start_at=None, end_at=None, excluding=()):
            pass
        case AnyOf():
            raise PydanticCustomError(
                "union_part",
                "excluding, start_at and end_at are those of a whole union, got {part} in one; "
                "put them on its parts or on the outermost union",
                {"part": repr(part)},
            )
        case _:
            pass


class _AnyOfFields(SpanFields, total=False):
    kind: Literal["any_of"]
    n: int


class AnyOf(Calendar, frozen=True):
    """Run when one of several wall-clock schedules does; `a | b` writes it. Coinciding ones are one run.

    Unions within it are flattened, equal parts are one, and their order does not matter. `n` counts the runs of the
    whole, so a part has none; `excluding`, `start_at` and `end_at` hold for each part besides its own.
    """

    kind: Literal["any_of"] = "any_of"
    of: Annotated[tuple[Part, ...], AfterValidator(_canonical)] = Field(
        description="Daily, weekly, monthly and cron schedules without `n`, and moments.",
        json_schema_extra={"minItems": 1},
    )
    n: RunCount = COUNT
    excluding: Excluding = EXCLUDING
    start_at: Instant | None = START_AT
    end_at: Instant | None = END_AT

    @base_init
    def __init__(self, of: Iterable[Part | AnyOf], **fields: Unpack[_AnyOfFields]) -> None:
        super().__init__(of=_flat(of), **fields)

    @override
    def _names_no_date(self) -> bool:
        if len({name for name in self.excluding if isinstance(name, str)}) == len(WEEKDAYS):
            return True
        return not any(isinstance(part, Once) or not part.dates.without(self.excluding).is_empty() for part in self.of)


def _flat(of: object) -> object:
    """Return the parts of unions in the place of the unions."""
    given = of
    if not isinstance(of, Iterable) or isinstance(of, (str, bytes, Schedule, Mapping)):
        return given
    parts: list[object] = []
    for part in cast(Iterable[object], of):
        try:
            _refuse_part(part)
        except PydanticCustomError as error:
            line = fault("union_part", "{said}", at=("of",), said=error.message())
            raise refusal("AnyOf", [line]) from None
        parts += part.of if isinstance(part, AnyOf) else [part]
    return tuple(parts)


def _on_grid(rule: DayRule, schedule: Daily | Weekly | Monthly, unit: Literal["day", "week", "month"]) -> DayRule:
    starting = None if schedule.starting is None else day_number(schedule.starting)
    grid = rule._replace(every=schedule.every, unit=unit, starting=starting)
    return grid.without(schedule.excluding)


def _is_schedule(value: object) -> bool:
    return isinstance(value, Schedule)
