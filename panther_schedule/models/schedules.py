"""The schedules: frozen pydantic models, told apart in JSON by `kind`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Final, Literal, Self, Unpack, cast, get_args

from pydantic import AfterValidator, Field, Strict, model_validator

from ..errors import refuse, type_name
from .cron import CronFields, parse, parse_seconds, why_never
from .days import ALL_MONTHS, WEEKDAYS, DayRule, Weekday, day_number, mask_of
from .fields import (
    ClockTime,
    CronExpression,
    CronSeconds,
    DayOfMonth,
    Delay,
    Every,
    Excluding,
    Fold,
    Gap,
    Instant,
    MeasuredFrom,
    Missing,
    MonthDay,
    Months,
    RunCount,
    Starting,
    TimeZone,
    Wait,
    Weekdays,
    Zone,
    optional,
    refused,
)
from .keywords import (
    CalendarKeywords,
    CronKeywords,
    DailyKeywords,
    MonthlyKeywords,
    OnceKeywords,
    RepeatKeywords,
    WeeklyKeywords,
)
from .value import Value


class Schedule(Value, frozen=True):
    """A frozen value that says when a task runs.

    Equal values are equal and hash alike; `model_dump_json()` and the class's `model_validate_json()` are inverse.
    """

    @property
    def run_count(self) -> int:
        """How many runs it asks for; -1 is for ever."""
        return cast(int, getattr(self, "n", 1))


class Once(Schedule, frozen=True):
    """Run once: when it is added, or later by `after`, or at one moment.

    A moment in the past is not lost: the task runs at once, late. The union of two moments is `AnyOf((a, b))`.
    """

    kind: Literal["once"] = "once"
    at: Instant | None = Field(None, description="The moment, aware, kept in UTC; null means when the task is added.")
    after: Delay = optional(timedelta(0), "How long after it is added the task runs.")

    def __init__(self, at: datetime | None = None, **fields: Unpack[OnceKeywords]) -> None:
        """Run at `at`, an aware datetime; without it, when the task is added."""
        self._validate(at=at, **fields)


ONCE: Final = Once.model_construct(at=None)  # made without a validator, which would be built at import


class Repeat(Schedule, frozen=True):
    """Run `n` times, with `wait` from one start to the next.

    The first run is when the task is added, or later by `after`. The others lie on the grid `anchor + k * wait` of
    steady time, without drift. With `measured_from="end"` there is no grid: the next run is due `wait` after the end
    of the one before. Without a wait that is always so.
    """

    kind: Literal["repeat"] = "repeat"
    n: RunCount
    wait: Wait = Field(timedelta(0), description="The time from one start to the next; zero is back to back.")
    after: Delay = optional(timedelta(0), "How long after it is added the task first runs.")
    measured_from: MeasuredFrom = optional("start", "Whether `wait` counts from the start of a run, or from its end.")

    def __init__(self, n: int, wait: timedelta = timedelta(0), **fields: Unpack[RepeatKeywords]) -> None:
        """Run `n` times, -1 for ever, with `wait` from one start to the next."""
        self._validate(n=n, wait=wait, **fields)

    @property
    def has_grid(self) -> bool:
        """Whether its occurrences are known before it runs; else each follows from the end of the run before."""
        return bool(self.wait) and self.measured_from == "start"


_NARROWING: Final = {"expression", "of", "days", "day", "months", "every", "starting", "excluding"}  # say which dates


class Calendar(Schedule, frozen=True):
    """The base of the calendar kinds: `a | b` happens when one of the two does."""

    n: RunCount = -1
    excluding: Excluding = optional((), "Dates and weekdays without an occurrence, on the local calendar.")
    start_at: Instant | None = optional(None, "Nothing happens before this moment; null means no bound.")
    end_at: Instant | None = optional(None, "Nothing happens after this moment; null means no bound.")

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        # put a kind's own fields before those that it inherits, in JSON and in reprs
        fields = cls.__pydantic_fields__
        names = (name for each in cls.__mro__ for name in getattr(each, "__annotations__", ()))
        cls.__pydantic_fields__ = {name: fields[name] for name in names if name in fields}

    def __or__(self, other: Part | AnyOf) -> AnyOf:
        """Return the union of both, as in `Daily(time(8)) | Cron("0 12 * * sat")`."""
        if not isinstance(cast(object, other), Schedule):
            return NotImplemented
        return AnyOf((cast(Part, self), other))

    __ror__ = __or__  # a moment may come first

    @property
    def dates(self) -> DayRule:
        """The local dates it names; a union names all but the excluded ones."""
        return DayRule().without(self.excluding)

    def _names_no_date(self) -> bool:
        return self.dates.is_empty()

    def _why_never(self) -> str:
        narrowing = ", ".join(f"{name}={value!r}" for name, value in self.__repr_args__() if name in _NARROWING)
        return f"{narrowing} never names a date that exists"

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.start_at and self.end_at and self.start_at > self.end_at:
            got = f"{self.start_at} and {self.end_at}"
            raise refused("empty_span", f"start_at must not be after end_at, got {got}; swap them, or leave one out")
        if self._names_no_date():
            raise refused("never_happens", self._why_never())
        return self


class _AtTime(Calendar, frozen=True):
    """The base of the kinds with one time of day."""

    at: ClockTime
    n: RunCount = -1
    tz: Zone = None
    every: Every = optional(1, "2 is every other day, week or month, counted from `starting`.")
    starting: Starting = optional(None, "The first local date that counts.")
    gap: Gap = optional("next_valid", "A time that the clock skips is at the end of the gap, as far after it, or not.")
    fold: Fold = optional("first", "A time that the clock passes twice is the first one, the last one, or both.")

    @model_validator(mode="after")
    def _counted_from(self) -> Self:
        if self.every != 1 and self.starting is None:
            rule = f"starting must be given with every={self.every}, which counts from it"
            raise refused("missing_starting", f"{rule}; add starting=date(2026, 1, 5)")
        return self

    def _on_grid(self, rule: DayRule, unit: Literal["day", "week", "month"]) -> DayRule:
        if self.starting is not None:
            rule = rule._replace(every=self.every, unit=unit, starting=day_number(self.starting))
        return rule.without(self.excluding)


class Daily(_AtTime, frozen=True):
    """Run each day at one wall-clock time; with `every=2, starting=date(...)` every other day, counted from that date.

    A time that the clock skips runs at the end of the gap (02:30 at 03:00); `gap="shift"` runs it as long after
    (03:30), `gap="skip"` not at all. A time that the clock passes twice runs the first time, unless `fold` is "last"
    or "both". `excluding` looks at the local date that the time was meant for. `start_at` and `end_at` are inclusive.
    """

    kind: Literal["daily"] = "daily"

    def __init__(self, at: time, n: int = -1, tz: TimeZone | None = None, **fields: Unpack[DailyKeywords]) -> None:
        """Run each day at `at` on the clock of `tz`; `n` times in all, by default for ever."""
        self._validate(at=at, n=n, tz=tz, **fields)

    @property
    def dates(self) -> DayRule:
        return self._on_grid(DayRule(), "day")


class Weekly(_AtTime, frozen=True):
    """Run on some weekdays at one wall-clock time: `Weekly("mon", time(8))`, `Weekly(("mon", "fri"), time(8))`.

    Weeks begin on Monday. `every=2` counts them from the week of `starting`, a date. Everything else is as in `Daily`.
    """

    kind: Literal["weekly"] = "weekly"
    days: Weekdays = Field(description="One weekday or more.")

    def __init__(self, days: Weekday | Collection[Weekday], at: time, **fields: Unpack[WeeklyKeywords]) -> None:
        """Run on `days`, a weekday such as "mon" or several, at `at`."""
        self._validate(days=days, at=at, **fields)

    @property
    def dates(self) -> DayRule:
        return self._on_grid(DayRule(weekdays=mask_of(map(WEEKDAYS.index, self.days))), "week")


class Monthly(_AtTime, frozen=True):
    """Run on one day of each month, or of some months, at one wall-clock time.

    `day` is a day from 1 to 31, -1 for the last day, or the nth of a weekday: (2, "tue"), (-1, "fri"). A month without
    that day has no occurrence (RFC 5545); `missing="clamp"` puts it on the last day, but not a fifth Friday.
    `every=3` counts months from that of `starting`, a date. Everything else is as in `Daily`.
    """

    kind: Literal["monthly"] = "monthly"
    day: DayOfMonth = Field(description="A day from 1 to 31, -1 for the last one, or [nth, weekday].")
    at: ClockTime
    months: Months = optional(None, "The months that count, from 1 to 12; null means all of them.")
    missing: Missing = optional("skip", "A month without that day has none (skip), or its last day counts (clamp).")

    def __init__(self, day: MonthDay, at: time, **fields: Unpack[MonthlyKeywords]) -> None:
        """Run on `day`, 1 to 31, -1 for the last one, or the nth of a weekday such as (2, "tue"), at `at`."""
        self._validate(day=day, at=at, **fields)

    @property
    def dates(self) -> DayRule:
        rule = DayRule(months=ALL_MONTHS if self.months is None else mask_of(self.months))
        if isinstance(self.day, tuple):
            rule = rule._replace(weekdays=0, nth=((self.day[0], WEEKDAYS.index(self.day[1])),))
        elif self.day == -1:
            rule = rule._replace(days=0, last=True)
        else:
            rule = rule._replace(days=1 << self.day, clamp=self.day if self.missing == "clamp" else 0)
        return self._on_grid(rule, "month")

    def _why_never(self) -> str:
        remedy = "; write day=-1 for the last day, or missing='clamp'" if isinstance(self.day, int) else ""
        return super()._why_never() + remedy


class Cron(Calendar, frozen=True):
    """Run by a cron expression of five fields, as Debian's cron reads it: `Cron("0 9 * * mon-fri")`.

    Day-of-month and day-of-week must both match when one of them starts with a star; else one is enough. When minute
    or hour does, it follows the real minutes: none that the clock skips, both passes of those that it passes twice;
    else it is as in `Daily`. A `gap` or `fold` that is given wins. `seconds` is a field apart, such as "*/15". The
    expression is kept as written; two are equal when their fields say the same: "@daily" is "0 0 * * *".
    """

    kind: Literal["cron"] = "cron"
    expression: CronExpression = Field(description="Minute, hour, day-of-month, month, day-of-week; or a macro.")
    seconds: CronSeconds = optional("0", "The seconds of each minute, as a field of cron.")
    n: RunCount = -1
    tz: Zone = None
    gap: Gap | None = optional(None, "As for the other schedules; null means Debian's star rule.")
    fold: Fold | None = optional(None, "As for the other schedules; null means Debian's star rule.")

    def __init__(self, expression: str, **fields: Unpack[CronKeywords]) -> None:
        """Run by `expression`: minute, hour, day-of-month, month and day-of-week, or a macro such as "@daily"."""
        self._validate(expression=expression, **fields)

    @property
    def fields(self) -> CronFields:
        """What the expression and the seconds say."""
        fields = parse(self.expression)
        return fields if self.seconds == "0" else fields._replace(seconds=parse_seconds(self.seconds))

    @property
    def dates(self) -> DayRule:
        return self.fields.dates.without(self.excluding)

    def _why_never(self) -> str:
        if self.fields.dates.is_empty():
            return f"expression: {why_never(self.expression)}"
        return super()._why_never()

    def _meaning(self) -> tuple[object, ...]:
        return (self.fields, *(value for name, value in self if name not in {"expression", "seconds"}))

    def __eq__(self, other: object) -> bool:
        return self._meaning() == other._meaning() if isinstance(other, Cron) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._meaning())


Part = Annotated[Once | Daily | Weekly | Monthly | Cron, Field(discriminator="kind")]  # of a union


def _misfit(part: object) -> str | None:
    """Say why this can't be part of a union."""
    match part:
        case _ if not isinstance(part, Schedule):
            return f"of must hold schedules, got {type_name(part)}; write Daily(time(8)) | Cron(...)"
        case Once(at=None) | Repeat():
            return f"of must hold wall-clock schedules, got {part!r}; add it as a task of its own"
        case Calendar(n=n) if n != -1:
            rule = f"n counts the runs of a whole union, got {part!r} in one"
            return f"{rule}; leave it out there and write AnyOf(..., n={n})"
        case AnyOf() if part.start_at or part.end_at or part.excluding:
            rule = f"excluding, start_at and end_at are those of a whole union, got {part!r} in one"
            return f"{rule}; put them on its parts or on the outermost union"
        case _:
            return None


def _flat(of: object) -> tuple[object, ...]:
    """Put the parts of unions in the place of the unions."""
    if isinstance(of, (str, bytes, Schedule, Mapping)) or not isinstance(of, Iterable):
        message = "of must hold schedules, got {got}; write AnyOf((a, b)), or a | b"
        refuse("AnyOf", "tuple_type", message, at=("of",), got=type_name(of))
    parts: list[object] = []
    for part in cast(Iterable[object], of):
        if why := _misfit(part):
            refuse("AnyOf", "union_part", "{why}", at=("of",), why=why)
        parts += part.of if isinstance(part, AnyOf) else [part]
    return tuple(parts)


def _canonical(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Put equal parts together, in one order; those of JSON are checked only now."""
    for part in parts:
        if why := _misfit(part):
            raise refused("union_part", why)
    if not parts:
        raise refused("empty_union", "of must hold at least one schedule; write Daily(time(8)) | Cron(...)")
    return tuple(dict.fromkeys(sorted(parts, key=_order)))


def _order(part: Part) -> tuple[str, str, str]:
    fields = str(part.fields) if isinstance(part, Cron) else ""
    return part.kind, fields, part.model_dump_json(exclude={"expression", "seconds"})


_Parts = Annotated[
    tuple[Part, ...],
    Field(max_length=1000, json_schema_extra={"minItems": 1}),
    Strict(strict=False),
    AfterValidator(_canonical),
]


class AnyOf(Calendar, frozen=True):
    """Run when one of several wall-clock schedules does; `a | b` writes it. Coinciding ones are one run.

    Unions within it are flattened, equal parts are one, and their order does not matter. `n` counts the runs of the
    whole, so a part has none; `excluding`, `start_at` and `end_at` hold for each part in addition to its own.
    """

    kind: Literal["any_of"] = "any_of"
    of: _Parts = Field(description="Daily, weekly, monthly and cron schedules without `n`, and moments.")

    def __init__(self, of: Iterable[Part | AnyOf], *, n: int = -1, **fields: Unpack[CalendarKeywords]) -> None:
        """Run when one of the schedules `of` does; `n` times in all, by default for ever."""
        self._validate(of=_flat(of), n=n, **fields)

    def _names_no_date(self) -> bool:
        dates = (DayRule() if isinstance(part, Once) else part.dates for part in self.of)
        return all(rule.without(self.excluding).is_empty() for rule in dates)


AnySchedule = Annotated[Once | Repeat | Daily | Weekly | Monthly | Cron | AnyOf, Field(discriminator="kind")]
"""Any schedule: a discriminated union on `kind`, for fields and `TypeAdapter`s of your own."""

SCHEDULES: Final[tuple[type[Schedule], ...]] = get_args(get_args(AnySchedule)[0])
