"""Values of subclasses of date, time and duration, int and str: made plain where they come in.

The subclasses here break what Python's own classes do, as those of some date libraries do: arithmetic gives something
else, and an enum's member hashes as its name.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, IntEnum
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import pytest

from panther_schedule import (
    AnyOf,
    BackgroundTask,
    Cron,
    Daily,
    Monthly,
    Once,
    Policy,
    Repeat,
    Retry,
    Scheduler,
    TaskRegistry,
    VirtualClock,
    Weekly,
    between,
    next_after,
    preview,
    spec,
)

PLAIN = {timedelta, datetime, date, time, int, float, str, bool, type(None), tuple, type(UTC)}
START = datetime(2026, 1, 1, tzinfo=UTC)


def breaks(self: object, *_other: object) -> NoReturn:
    raise AssertionError(f"the arithmetic of {type(self).__name__} is used")


class Span(timedelta):
    __floordiv__ = __truediv__ = __mod__ = __divmod__ = __mul__ = __add__ = __radd__ = __sub__ = __rsub__ = breaks
    __lt__ = __le__ = __gt__ = __ge__ = breaks


class Moment(datetime):
    __sub__ = __rsub__ = __add__ = __radd__ = breaks

    def astimezone(self, tz: Any = None) -> Any:
        raise AssertionError(tz)


class Day(date):
    __sub__ = __rsub__ = __add__ = __radd__ = breaks


class Clock(time):
    def replace(self, *_args: Any, **_fields: Any) -> Any:
        raise AssertionError


class Zone(ZoneInfo):
    def __hash__(self) -> int:
        raise AssertionError


class Number(IntEnum):
    ONE = 1
    THREE = 3


class Word(str, Enum):  # noqa: UP042 - a StrEnum would not break
    MON = "mon"
    PARIS = "Europe/Paris"
    LINE = "0 9 * * mon-fri"
    QUEUE = "queue_one"
    ERROR = "ConnectionError"
    DIGEST = "digest"
    LAST = "last"


def note() -> None: ...


MINUTE, PLAIN_MINUTE = Span(minutes=1), timedelta(minutes=1)
MAY, PLAIN_MAY = Moment(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)


def any_(value: object) -> Any:
    """Hide from type checkers that a plain str is asked for."""
    return value


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (lambda: Once(MAY), Once(PLAIN_MAY)),
        (lambda: Once(Moment(2026, 5, 1, 2, tzinfo=ZoneInfo("Europe/Paris"))), Once(PLAIN_MAY)),
        (lambda: Repeat(Number.THREE, MINUTE), Repeat(3, PLAIN_MINUTE)),
        (
            lambda: Daily(Clock(8), Number.THREE, any_(Word.PARIS), every=Number.THREE, starting=Day(2026, 1, 1)),
            Daily(time(8), 3, "Europe/Paris", every=3, starting=date(2026, 1, 1)),
        ),
        (
            lambda: Daily(Clock(8), excluding=(Day(2026, 1, 1), any_(Word.MON)), start_at=MAY, fold=any_(Word.LAST)),
            Daily(time(8), excluding=(date(2026, 1, 1), "mon"), start_at=PLAIN_MAY, fold="last"),
        ),
        (lambda: Weekly(any_(Word.MON), Clock(8)), Weekly("mon", time(8))),
        (lambda: Weekly(any_((Word.MON,)), Clock(8)), Weekly("mon", time(8))),
        (lambda: Monthly(Number.THREE, Clock(8), months=(Number.ONE,)), Monthly(3, time(8), months=(1,))),
        (lambda: Monthly(any_((Number.ONE, Word.MON)), Clock(8)), Monthly((1, "mon"), time(8))),
        (lambda: Cron(Word.LINE), Cron("0 9 * * mon-fri")),
        (lambda: AnyOf((Once(MAY), Cron(Word.LINE))), AnyOf((Once(PLAIN_MAY), Cron("0 9 * * mon-fri")))),
        (
            lambda: Policy(timeout=MINUTE, jitter=MINUTE, overlap=any_(Word.QUEUE)),
            Policy(timeout=PLAIN_MINUTE, jitter=PLAIN_MINUTE, overlap="queue_one"),
        ),
        (
            lambda: Retry(Number.THREE, delay=MINUTE, factor=Number.THREE, on=(Word.ERROR,)),
            Retry(3, delay=PLAIN_MINUTE, factor=3, on=("ConnectionError",)),
        ),
        (lambda: BackgroundTask(note).interval(Number.ONE).schedule, BackgroundTask(note).schedule),
        (lambda: BackgroundTask(note).interval_wait(MINUTE).schedule, Repeat(1, PLAIN_MINUTE)),
        (lambda: BackgroundTask(note).on_time(Clock(8), Zone("UTC")).schedule, Daily(time(8), 1, "UTC")),
    ],
)
def test_a_field_keeps_the_plain_value(given: Callable[[], Any], plain: Any) -> None:
    made = given()

    assert made == plain
    assert hash(made) == hash(plain)
    assert made.model_dump_json() == plain.model_dump_json()
    assert set(map(type, leaves(made))) <= PLAIN


def leaves(value: Any) -> list[Any]:
    """List what a model's fields hold."""
    if hasattr(value, "model_fields_set"):
        return [leaf for _, inner in value for leaf in leaves(inner)]
    return [leaf for inner in value for leaf in leaves(inner)] if value.__class__ is tuple else [value]


def test_queries_take_them() -> None:
    daily, zone = Daily(Clock(8)), Zone("Europe/Paris")
    first, second = datetime(2026, 5, 1, 6, tzinfo=UTC), datetime(2026, 5, 2, 6, tzinfo=UTC)

    assert next_after(daily, MAY, zone=zone) == first
    assert next_after(Repeat(-1, MINUTE), MAY, anchor=MAY) == PLAIN_MAY + PLAIN_MINUTE
    assert between(daily, MAY, Moment(2026, 5, 3, tzinfo=UTC), zone=any_(Word.PARIS), limit=Number.THREE) == [
        first,
        second,
    ]
    assert [one.utc for one in preview(daily, Number.ONE, after=MAY, zone=zone)] == [first]
    assert BackgroundTask(note).on_time(Clock(8), tz="UTC").interval(-1).next_runs(Number.ONE, MAY) == [
        datetime(2026, 5, 1, 8, tzinfo=UTC)
    ]


def test_clocks_and_schedulers_take_them() -> None:
    clock = VirtualClock(Moment(2026, 1, 1, tzinfo=UTC))
    with Scheduler(clock=clock, max_workers=Number.ONE) as scheduler:
        task = BackgroundTask(note).interval(Number.THREE).interval_wait(MINUTE).with_name(Word.DIGEST)
        handle = scheduler.add_task(task.with_policy(timeout=MINUTE, retry=Retry(3, delay=MINUTE)))

        handle.pause(Word.DIGEST)
        assert type(handle.pause_reason) is str
        handle.resume()
        clock.advance(MINUTE)
        clock.suspend(MINUTE)
        clock.step(MINUTE)
        assert scheduler[Word.DIGEST] == scheduler["digest"] == handle
        assert Word.DIGEST in scheduler
        assert handle.join(MINUTE)
        assert scheduler.join(MINUTE)
        assert handle.counts["succeeded"] == 3
        assert len(handle.backfill(Moment(2026, 1, 1, tzinfo=UTC), Moment(2026, 1, 1, 0, 3, tzinfo=UTC))) == 3
        assert handle.run_now().join(MINUTE).outcome == "succeeded"
        scheduler.stop(MINUTE)


def test_names_in_a_registry_are_plain() -> None:
    tasks = TaskRegistry()
    tasks.register(name=Word.DIGEST)(note)

    assert list(map(type, tasks.functions)) == [str]
    assert tasks.function(Word.DIGEST) is tasks.function("digest") is note
    assert '"func": "digest"' in spec.dump([BackgroundTask(note)], tasks)
