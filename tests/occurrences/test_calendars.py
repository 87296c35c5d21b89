"""The calendar models: what each takes and refuses, its JSON, and equality."""

# mypy: disable-error-code="panther-schedule"

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import cron_lines
import pytest
from pydantic import TypeAdapter, ValidationError
from strategies import count, latest, previous

from panther_schedule import BackgroundTask, Scheduler, VirtualClock
from panther_schedule.models.schedules import AnyOf, AnySchedule, Cron, Daily, Monthly, Once, Repeat, Weekly
from panther_schedule.occurrences.compiler import compile_schedule
from panther_schedule.occurrences.queries import next_after

T = time(8)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCHEDULES: TypeAdapter[AnySchedule] = TypeAdapter(AnySchedule)

# ---------------------------------------------------------------- JSON

DOCUMENTS: list[tuple[AnySchedule, str]] = [
    (Daily(T), '{"kind":"daily","at":"08:00:00","n":-1,"tz":null}'),
    (
        Daily(T, 3, "Europe/Paris", every=2, starting=date(2026, 1, 5), gap="shift", fold="both"),
        '{"kind":"daily","at":"08:00:00","n":3,"tz":"Europe/Paris","every":2,"starting":"2026-01-05","gap":"shift",'
        '"fold":"both"}',
    ),
    (Weekly("mon", T), '{"kind":"weekly","days":["mon"],"at":"08:00:00","n":-1,"tz":null}'),
    (
        Weekly({"fri", "mon"}, T, excluding={"fri", date(2026, 12, 25), date(2026, 1, 1)}),
        '{"kind":"weekly","days":["mon","fri"],"at":"08:00:00","n":-1,"tz":null,'
        '"excluding":["2026-01-01","2026-12-25","fri"]}',
    ),
    (Monthly(-1, T), '{"kind":"monthly","day":-1,"at":"08:00:00","n":-1,"tz":null}'),
    (
        Monthly((2, "tue"), T, months={7, 1}),
        '{"kind":"monthly","day":[2,"tue"],"at":"08:00:00","months":[1,7],"n":-1,"tz":null}',
    ),
    (
        Monthly(31, T, missing="clamp", start_at=NOON, end_at=NOON + timedelta(90)),
        '{"kind":"monthly","day":31,"at":"08:00:00","missing":"clamp","n":-1,"tz":null,'
        '"start_at":"2026-03-01T12:00:00Z","end_at":"2026-05-30T12:00:00Z"}',
    ),
    (Cron("@daily", seconds="*/15"), '{"kind":"cron","expression":"@daily","seconds":"*/15","n":-1,"tz":null}'),
    (Cron("@daily", gap="skip"), '{"kind":"cron","expression":"@daily","n":-1,"tz":null,"gap":"skip"}'),
    (
        Once(NOON) | Daily(T) | Cron("0 12 * * sat"),
        '{"kind":"any_of","of":[{"kind":"cron","expression":"0 12 * * sat","n":-1,"tz":null},'
        '{"kind":"daily","at":"08:00:00","n":-1,"tz":null},{"kind":"once","at":"2026-03-01T12:00:00Z"}],"n":-1}',
    ),
]


@pytest.mark.parametrize(("schedule", "document"), DOCUMENTS)
def test_json_is_one_text_for_a_value_and_leaves_defaults_of_calendars_out(
    schedule: AnySchedule, document: str
) -> None:
    assert SCHEDULES.dump_json(schedule).decode() == document
    again = SCHEDULES.validate_json(document)
    assert again == schedule
    assert hash(again) == hash(schedule)
    assert schedule.model_copy() == schedule


def test_the_json_schema_describes_each_field() -> None:
    schema = SCHEDULES.json_schema()
    for name in ("Daily", "Weekly", "Monthly", "Cron", "AnyOf"):
        fields = schema["$defs"][name]["properties"]
        assert all("description" in field for field_name, field in fields.items() if field_name != "kind"), name
    assert schema["$defs"]["Cron"]["properties"]["expression"]["pattern"]


def test_one_weekday_may_stand_alone_in_json() -> None:
    assert SCHEDULES.validate_json('{"kind": "weekly", "days": "mon", "at": "08:00"}') == Weekly("mon", T)


# ---------------------------------------------------------------- equality

SAME: list[tuple[AnySchedule, AnySchedule]] = [
    (Weekly(("fri", "mon", "fri"), T), Weekly(["mon", "fri"], T)),
    (Monthly(1, T, months=range(1, 13)[:0] or list(range(1, 13))), Monthly(1, T)),
    (Daily(T, excluding=["sat", "sat"]), Daily(T, excluding=frozenset({"sat"}))),
    (Daily(T, start_at=NOON), Daily(T, start_at=NOON.astimezone(timezone(timedelta(hours=5))))),
    (Cron("@daily"), Cron("0  0 * * *")),
    (Cron("0 9 * * mon-fri"), Cron("0 9 * * 1,2,3,4,5")),
    (Daily(T) | Weekly("mon", T), Weekly("mon", T) | Daily(T)),
    ((Daily(T) | Weekly("mon", T)) | Cron("@daily"), Daily(T) | (Weekly("mon", T) | Cron("0 0 * * *"))),
    (Daily(T) | Daily(T), AnyOf([Daily(T)])),
    (AnyOf([Cron("@daily"), Cron("0 5 * * *")]), AnyOf([Cron("0 5 * * *"), Cron("0 0 * * *")])),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_equal_settings_are_equal_values(one: AnySchedule, other: AnySchedule) -> None:
    assert one == other
    assert hash(one) == hash(other)


def test_what_differs_is_not_equal() -> None:
    different = [Cron("*/5 2 * * *"), Cron("0-59/5 2 * * *"), Cron("*/5 2 * * *", n=2), Daily(T), Daily(T, gap="skip")]
    assert len(set(different)) == len(different)
    assert Cron("@daily") != Daily(time(0))
    assert Cron("@daily").expression == "@daily"


# ---------------------------------------------------------------- what is refused, with the remedy

D = date(2026, 1, 5)
any_: Any = None  # what a type checker would refuse


def wrong(value: object) -> Any:
    """Hide a value's type from the type checkers, which would refuse it."""
    return value


REFUSED: list[tuple[Callable[[], object], str, str]] = [
    (
        lambda: Weekly(any_, T),
        "weekday",
        'sat, sun, got None; write "mon" or ("mon", "fri")',
    ),
    (lambda: Weekly((), T), "weekday", "days must be one or more of mon, tue, wed, thu, fri, sat, sun, got tuple ()"),
    (lambda: Weekly(("mon", "Monday"), T), "weekday", "got 'Monday'"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - what is refused
    (lambda: Monthly(0, T), "month_day", "day must be a day from 1 to 31, -1 for the last day, or the nth"),
    (lambda: Monthly(32, T), "month_day", 'got 32; write 15, -1 or (2, "tue")'),
    (lambda: Monthly(True, T), "month_day", "got True"),
    (lambda: Monthly((6, "tue"), T), "month_day", "got tuple (6, 'tue')"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - what is refused
    (lambda: Monthly(1, T, months=()), "month", "months must be a collection of months from 1 to 12, got tuple ()"),
    (lambda: Monthly(1, T, months=(13,)), "month", "got 13; write (1, 7), or leave it out"),
    (lambda: Monthly(1, T, missing=wrong("last")), "missing", "missing must be 'skip' or 'clamp', got 'last'"),
    (lambda: Daily(T, every=0, starting=D), "every", "every must be an int from 1 to 1000, got 0; write every=2"),
    (lambda: Daily(T, every=2), "missing_starting", "starting must be given with every=2, which counts from it"),
    (lambda: Daily(T, starting=NOON), "date", "starting must be a date without a time, got datetime"),
    (lambda: Daily(T, excluding=any_), "excluding", "a collection of dates and weekdays, at most 10,000, got None"),
    (lambda: Daily(T, excluding="sat"), "excluding", "got 'sat'; write {date(2026, 12, 25), \"sat\"}"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - what is refused
    (lambda: Daily(T, excluding=["2026-12-25"]), "excluding", "got '2026-12-25'"),  # type: ignore[list-item]  # pyright: ignore[reportArgumentType] - what is refused
    (lambda: Daily(T, excluding=[NOON]), "excluding", "got datetime"),
    (lambda: Daily(T, gap=wrong("later")), "gap", "gap must be 'next_valid', 'shift' or 'skip', got 'later'"),
    (lambda: Daily(T, fold=wrong(1)), "fold", "fold must be 'first', 'last' or 'both', got 1"),
    (
        lambda: Daily(T, start_at=NOON.replace(tzinfo=None)),
        "instant",
        "start_at must be an aware datetime, got a naive",
    ),
    (
        lambda: Daily(T, start_at=NOON, end_at=NOON - timedelta(1)),
        "empty_span",
        "start_at must not be after end_at, got 2026",
    ),
    (lambda: Cron(any_), "cron_expression", "expression must be a str of five fields, got None"),
    # never
    (
        lambda: Monthly(30, T, months=(2,)),
        "never_happens",
        "never names a date that exists; write day=-1",
    ),
    (lambda: Monthly(31, T, months=(4, 6, 9, 11)), "never_happens", "missing='clamp'"),
    (lambda: Monthly((5, "mon"), T, months=(2,), excluding=["mon"]), "never_happens", "excluding=('mon',)"),
    (lambda: Monthly(1, T, months=(2,), every=12, starting=D), "never_happens", "every=12"),
    (
        lambda: Weekly("mon", T, excluding=["mon"]),
        "never_happens",
        "days=('mon',), excluding=('mon',) never names a date",
    ),
    (lambda: Daily(T, every=14, starting=D, excluding=["mon"]), "never_happens", "every=14"),
    (lambda: Daily(T, excluding=["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), "never_happens", "excluding="),
    (lambda: AnyOf([Weekly("mon", T), Weekly("tue", T)], excluding=["mon", "tue"]), "never_happens", "of=("),
    # unions
    (
        lambda: Daily(T) | wrong(Repeat(2)),
        "union_part",
        "got Repeat(n=2); add it as a task",
    ),
    (lambda: Once() | Daily(T), "union_part", "of must hold wall-clock schedules, got Once()"),
    (
        lambda: Once(after=timedelta(1)) | Daily(T),
        "union_part",
        "got Once(after=datetime.timedelta(days=1)); add it as",
    ),
    (lambda: Daily(T, 3) | Daily(T), "union_part", "leave it out there and write AnyOf(..., n=3)"),
    (lambda: AnyOf([Daily(T)], n=3) | Daily(T), "union_part", "n counts the runs of a whole union"),
    (
        lambda: AnyOf([Daily(T)], end_at=NOON) | Daily(T),
        "union_part",
        "put them on its parts",
    ),
    (lambda: AnyOf([]), "empty_union", "of must hold at least one schedule; write"),
]


@pytest.mark.parametrize(("make", "kind", "message"), REFUSED)
def test_a_refusal_names_the_field_the_value_the_rule_and_the_remedy(
    make: Callable[[], object], kind: str, message: str
) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)) as caught:
        make()
    assert [error["type"] for error in caught.value.errors()] == [kind]


JSON_REFUSED = [
    ('{"kind": "weekly", "days": ["mon", 2], "at": "08:00"}', "weekday"),
    ('{"kind": "monthly", "day": [2, "tue", 3], "at": "08:00"}', "month_day"),
    ('{"kind": "monthly", "day": 1.0, "at": "08:00"}', "month_day"),
    ('{"kind": "daily", "at": "08:00", "excluding": ["25.12.2026"]}', "excluding"),
    ('{"kind": "daily", "at": "08:00", "excluding": ["2026-02-30"]}', "excluding"),
    ('{"kind": "daily", "at": "08:00", "starting": "2026-01-05T00:00:00"}', "date"),
    ('{"kind": "daily", "at": "08:00", "starting": 20000}', "date"),
    ('{"kind": "daily", "at": "08:00", "every": "2", "starting": "2026-01-05"}', "every"),
    ('{"kind": "cron", "expression": "0 25 * * *"}', "cron_expression"),
    ('{"kind": "any_of", "of": [{"kind": "repeat", "n": 2}]}', "union_tag_invalid"),
    ('{"kind": "any_of", "of": [{"kind": "once"}]}', "union_part"),
    ('{"kind": "any_of", "of": [{"kind": "daily", "at": "08:00", "n": 2}]}', "union_part"),
    ('{"kind": "any_of", "of": []}', "empty_union"),
]


@pytest.mark.parametrize(("document", "kind"), JSON_REFUSED)
def test_json_is_refused_by_the_same_rules(document: str, kind: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SCHEDULES.validate_json(document)
    assert [error["type"] for error in caught.value.errors()] == [kind]


def test_something_else_is_no_part_of_a_union() -> None:
    with pytest.raises(TypeError):
        Daily(T) | 5  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression] - refused


# ---------------------------------------------------------------- with a task


def test_a_task_takes_each_kind() -> None:
    for schedule, _ in DOCUMENTS:
        assert BackgroundTask(print).with_schedule(schedule).schedule == schedule


def test_what_only_a_search_shows_is_refused_by_the_task() -> None:
    days = [date(2026, 3, day) for day in range(1, 8)]
    schedule = Daily(T, tz="UTC", start_at=NOON, end_at=NOON + timedelta(days=5), excluding=days)
    with pytest.raises(ValidationError, match="exclude less, or widen its bounds") as caught:
        BackgroundTask(print).with_schedule(schedule)
    assert caught.value.errors()[0]["type"] == "never_happens"
    since = datetime(2007, 1, 1, tzinfo=UTC)
    gone = Monthly((2, "sun"), time(2, 30), months=(3,), tz="America/New_York", gap="skip", start_at=since)
    with pytest.raises(ValidationError, match="which never happens"):  # each is in the gap of that night
        BackgroundTask(print).with_schedule(gone)


def test_what_is_over_is_refused_when_it_is_added() -> None:
    clock = VirtualClock(NOON)
    task = BackgroundTask(print).with_schedule(Daily(T, tz="UTC", end_at=NOON))
    with Scheduler(clock=clock) as scheduler, pytest.raises(ValidationError):
        scheduler.add_task(task)


def test_a_scheduler_runs_a_union_once_where_its_parts_coincide() -> None:
    clock, ran = VirtualClock(datetime(2026, 3, 1, tzinfo=UTC)), list[datetime]()
    union = AnyOf([Daily(T, tz="UTC"), Weekly("mon", T, tz="UTC"), Cron("0 12 * * mon", tz="UTC")], n=4)
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(lambda: ran.append(clock.now())).with_schedule(union))
        clock.advance(timedelta(days=30))
    assert [f"{each:%d %H}" for each in ran] == ["01 08", "02 08", "02 12", "03 08"]


# ---------------------------------------------------------------- what a program may ask


def test_latest_previous_and_count() -> None:
    daily, eight = Daily(T, tz="UTC"), datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert latest(daily, eight) == eight
    assert previous(daily, eight) == eight - timedelta(days=1)
    assert previous(daily, eight + timedelta(microseconds=1)) == eight
    assert previous(daily, datetime(1, 1, 1, 8, tzinfo=UTC)) is None
    assert count(daily, eight, eight + timedelta(days=7)) == 7
    assert count(Repeat(9, timedelta(hours=1)), eight, eight + timedelta(hours=3)) == 3


def test_the_bounds_are_inclusive() -> None:
    eight = datetime(2026, 3, 1, 8, tzinfo=UTC)
    daily = Daily(T, tz="UTC", start_at=eight, end_at=eight)
    for schedule in (daily, AnyOf([Daily(T, tz="UTC")], start_at=eight, end_at=eight)):
        assert next_after(schedule, datetime(1, 1, 1, tzinfo=UTC)) == eight
        assert latest(schedule, datetime(9999, 1, 1, tzinfo=UTC)) == eight
        assert next_after(schedule, eight) is previous(schedule, eight) is None
        assert count(schedule, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)) == 1


def test_an_exclusion_looks_at_the_date_that_was_meant() -> None:
    # 23:30 of Saturday happens at 00:00 of Sunday where the clock skips it, and is still Saturday's
    nuuk, march = "America/Nuuk", datetime(2026, 3, 28, 3, tzinfo=UTC)
    assert next_after(Daily(time(23, 30), tz=nuuk, excluding=["sun"]), march) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert next_after(Daily(time(23, 30), tz=nuuk, excluding=["sat"]), march) == datetime(
        2026, 3, 30, 0, 30, tzinfo=UTC
    )


# ---------------------------------------------------------------- any input, and bounded steps

HOSTILE = [
    *("0 0 29 2 *", "0 0 29 2 */7", "* * * * *", "0 0 31 12 1#5", "59 23 31 12 *", "0 0 LW 2 *"),
    *("*/59 */23 */30 */11 */6", "0 0 29 feb mon#5", "30 2 8-14 3 */7"),
]
FAR = 1 << 70


@pytest.mark.parametrize("expression", HOSTILE)
@pytest.mark.parametrize("rules", [{}, {"gap": "skip", "fold": "last"}, {"excluding": ("mon", "wed")}])
def test_steps_are_bounded_whatever_the_input(expression: str, rules: dict[str, Any], looks: list[int]) -> None:
    try:
        schedule = Cron.model_validate({"expression": expression, **rules})
    except ValidationError:
        return
    evaluator = compile_schedule(schedule, ZoneInfo("America/New_York"))
    for t in (-FAR, -(10**15), 0, 1_772_953_200_000_000, 1_793_512_800_000_000, 10**15, 253_402_300_799_999_999, FAR):
        looks.clear()
        evaluator.next_after(t, 0)
        evaluator.latest(t, 0)
        always_in_a_gap = expression == "30 2 8-14 3 */7" and "gap" in rules  # a search to the end of time
        assert len(looks) < (150_000 if always_in_a_gap else 400), t
    looks.clear()
    evaluator.next_after(FAR, 0)
    evaluator.count(-FAR, FAR, 0)
    assert len(looks) < 200_000


_NOT_OF = {"any_of": ("every", "tz", "gap", "fold", "starting"), "cron": ("every", "starting"), "part": ("n", "every")}


def documents(random: Random, *, part: bool = False) -> dict[str, Any]:
    """A JSON document of a schedule, likely valid."""
    days = ["mon", "tue", "sat", "sun", "2026-12-25", "2026-02-29", "Mon", 5]
    kind = random.choice(("daily", "weekly", "monthly", "cron", "cron", "cron" if part else "any_of"))
    document: dict[str, Any] = {"kind": kind}
    if kind == "any_of":
        document["of"] = [documents(random, part=True) for _ in range(random.choice((0, 1, 2, 2, 3)))]
    elif kind == "cron":
        document["expression"] = cron_lines.line(random, faults=0.02)
        document["seconds"] = random.choice(("0", "0", "*/15", "30", "60"))
    else:
        document["at"] = random.choice(("08:00", "23:59:59", "02:30", "24:00" if random.random() < 0.2 else "00:00"))
    if kind == "weekly":
        document["days"] = random.choice(
            ("mon", ["mon", "sun"], ["sat"], ["fri"], ["wed", "tue"], random.choice(([], "x", 1)))
        )
    elif kind == "monthly":
        document["day"] = random.choice(
            (1, 29, 31, -1, [1, "mon"], [-1, "sun"], [5, "fri"], random.choice((0, [0, "mon"], None, 15)))
        )
        document["months"] = random.choice((None, None, [2], [1, 7], [12], random.choice(([], [13], [3]))))
        document["missing"] = random.choice(("skip", "clamp"))
    settings: dict[str, tuple[Any, ...]] = {
        "n": (-1, 1, 5, 0),
        "tz": ("Europe/Paris", None, "Mars/Base"),
        "every": (1, 2, 3, 1000, 1001),
        "starting": ("2026-01-05", "0001-01-01", "9999-12-31", "2026-13-01", None),
        "excluding": ([], random.sample(days, 2), ["sat", "sun"]),
        "start_at": ("2026-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", None, "2026-01-01"),
        "end_at": ("2027-01-01T00:00:00Z", None, "9999-12-31T23:59:59Z"),
        "gap": ("next_valid", "shift", "skip", "x"),
        "fold": ("first", "last", "both", None),
    }
    for name, choices in settings.items():
        if random.random() < 0.07 and name not in _NOT_OF.get("part" if part else kind, ()):
            document[name] = random.choice(choices)
    return document


def test_any_line_and_document_is_a_value_or_a_validation_error() -> None:
    random, cases = Random("fuzz 2026"), int(os.environ.get("CASES", "10000"))  # 100,000 by hand
    valid = 0
    for case in range(cases):
        text = json.dumps(documents(random))
        if case % 50 == 0:  # torn or with a stray character
            place = random.randrange(len(text))
            text = text[:place] + random.choice(("", "\x00", "\u0663", '"', "#", "*")) + text[place + 1 :]
        try:
            schedule = SCHEDULES.validate_json(text)
        except ValidationError:
            continue
        valid += 1
        assert SCHEDULES.validate_json(SCHEDULES.dump_json(schedule)) == schedule
        evaluator = compile_schedule(schedule, ZoneInfo("Europe/Paris"))
        found = evaluator.next_after(1_772_953_200_000_000, 0)
        assert found is None or evaluator.latest(found, 0) == found
    assert valid > cases // 2
