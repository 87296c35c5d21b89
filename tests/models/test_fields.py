"""What the fields of all models take in JSON, and in which words they refuse."""

# mypy: disable-error-code="panther-schedule"

from __future__ import annotations

from collections import deque
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from panther_schedule.models.days import Weekday
from panther_schedule.models.schedules import AnyOf, Cron, Daily, Monthly, Once, Repeat, Schedule, Weekly

NONE: Any = None  # what a type checker would refuse


def refusal(document: str, kind: type[Schedule]) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        kind.model_validate_json(document)
    (error,) = caught.value.errors()
    return error["type"], error["msg"]


JSON_REFUSED: list[tuple[type[Schedule], str, str, str]] = [
    (
        Repeat,
        '{"n": 0}',
        "run_count",
        "n must be an int of at least 1, or -1 for ever, got 0; write n=1 for one run, n=-1 for no end",
    ),
    (
        Repeat,
        '{"n": 2, "wait": 5}',
        "duration_format",
        "wait must be an ISO 8601 duration of weeks to seconds, got 5; write PT5M or P1DT12H",
    ),
    (
        Repeat,
        '{"n": 2, "after": "-PT5M"}',
        "duration_format",
        "after must be an ISO 8601 duration of weeks to seconds, got '-PT5M'; write PT5M or P1DT12H",
    ),
    (
        Repeat,
        '{"n": 2, "measured_from": null}',
        "measured_from",
        "measured_from must be 'start' or 'end', got None; leave it out for 'start'",
    ),
    (
        Once,
        '{"at": "2026-01-01T00:00:00Z", "after": "PT5M"}',
        "at_and_after",
        "after must be left out with at, got 0:05:00; give one of the two",
    ),
    (
        Daily,
        '{"at": "8:00"}',
        "clock_time",
        'at must be a wall-clock time in whole seconds, got \'8:00\'; write "08:00" or "08:00:30"',
    ),
    (
        Daily,
        '{"at": "08:00", "starting": "2026-W01-1"}',
        "date",
        "starting must be a date without a time, got '2026-W01-1'; write \"2026-01-05\"",
    ),
    (
        Daily,
        '{"at": "08:00", "tz": "Europe/Pariss"}',
        "time_zone",
        "tz must be the IANA name of a zone, got 'Europe/Pariss'; did you mean 'Europe/Paris'?",
    ),
    (
        Daily,
        '{"at": "08:00", "gap": null}',
        "gap",
        "gap must be 'next_valid', 'shift' or 'skip', got None; leave it out for 'next_valid'",
    ),
    (
        Daily,
        '{"at": "08:00", "excluding": ["sat", 5]}',
        "excluding",
        'excluding must be a collection of dates and weekdays, at most 10,000, got 5; write ["2026-12-25", "sat"]',
    ),
    (
        Monthly,
        '{"day": 1, "at": "08:00", "months": [1, 13]}',
        "month",
        "months must be a collection of months from 1 to 12, got 13; write (1, 7), or leave it out",
    ),
]


@pytest.mark.parametrize(("kind", "document", "type_", "message"), JSON_REFUSED)
def test_json_is_refused_with_the_field_the_value_the_rule_and_the_remedy(
    kind: type[Schedule], document: str, type_: str, message: str
) -> None:
    assert refusal(document, kind) == (type_, message)


def test_none_is_no_choice_where_it_has_no_meaning() -> None:
    with pytest.raises(ValidationError, match="fold must be 'first', 'last' or 'both', got None"):
        Daily(time(8), fold=NONE)
    assert Cron("@daily", gap=None) == Cron("@daily")


def test_what_means_the_same_is_equal() -> None:
    minute, moment = timedelta(minutes=1), datetime(2026, 1, 1, tzinfo=UTC)
    assert Once(moment, after=timedelta(0)) == Once(moment)
    assert Once(after=timedelta(0)) == Once()
    without_wait = Repeat(5, measured_from="end")
    assert (without_wait, hash(without_wait)) == (Repeat(5), hash(Repeat(5)))
    assert Repeat.model_validate_json('{"n": 5, "wait": "PT0S", "measured_from": "end"}') == Repeat(5)
    assert Repeat(5, minute, after=timedelta(0), measured_from="start") == Repeat(5, minute)
    assert Repeat(5, minute, measured_from="end") != Repeat(5, minute)
    assert Repeat(5, minute, after=minute) != Repeat(5, minute)


def test_json_leaves_out_what_has_its_default() -> None:
    minute = timedelta(minutes=1)
    assert Once().model_dump_json() == '{"kind":"once","at":null}'
    assert Once(after=minute).model_dump_json() == '{"kind":"once","at":null,"after":"PT1M"}'
    assert Repeat(5, minute).model_dump_json() == '{"kind":"repeat","n":5,"wait":"PT1M"}'
    shown = '{"kind":"repeat","n":5,"wait":"PT1M","after":"PT1M","measured_from":"end"}'
    assert Repeat(5, minute, after=minute, measured_from="end").model_dump_json() == shown


def test_a_field_for_a_collection_takes_any() -> None:
    days: dict[Weekday, str] = {"sun": "", "sat": ""}
    for several in (list(days), tuple(days), set(days), days.keys(), deque(days)):
        assert Daily(time(8), excluding=several) == Daily(time(8), excluding=["sat", "sun"])
        assert Weekly(several, time(8)) == Weekly(("sat", "sun"), time(8))
    assert Monthly(1, time(8), months=range(1, 13)) == Monthly(1, time(8))
    parts: list[Daily | Cron] = [Daily(time(8)), Cron("@daily")]
    assert AnyOf(parts) == AnyOf(iter(parts)) == parts[0] | parts[1]


def test_a_kind_has_its_own_fields_first() -> None:
    shared = ["n", "tz", "every", "starting", "gap", "fold", "excluding", "start_at", "end_at"]
    assert list(Weekly.model_fields) == ["kind", "days", "at", *shared]
    assert list(Monthly.model_fields) == ["kind", "day", "at", "months", "missing", *shared]
    assert list(Weekly.model_json_schema()["properties"]) == list(Weekly.model_fields)


def test_a_subclass_with_an_init_of_its_own_is_read_from_json() -> None:
    class Nightly(Daily, frozen=True):
        def __init__(self) -> None:
            super().__init__(time(3), starting=date(2026, 1, 5))

    assert Nightly.model_validate_json(Nightly().model_dump_json()) == Nightly()


CITY = "write the zone of a city, such as tz='Europe/Paris'; an abbreviation or an offset does not say which it is"


@pytest.mark.parametrize(
    "name", ["CEST", "PST", "PDT", "EDT", "CDT", "IST", "BST", "JST", "AEST", "UTC+3", "GMT-5", "+02:00"]
)
def test_the_remedy_for_an_abbreviation_is_no_other_fixed_offset(name: str) -> None:
    assert refusal(f'{{"at": "08:00", "tz": "{name}"}}', Daily) == (
        "time_zone",
        f"tz must be the IANA name of a zone, got {name!r}; {CITY}",
    )


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Europe/Berln", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("America/NewYork", "America/New_York"),
        ("utc", "UTC"),
    ],
)
def test_the_remedy_for_a_misspelled_zone_is_the_nearest_city(name: str, near: str) -> None:
    fault = refusal(f'{{"at": "08:00", "tz": "{name}"}}', Daily)
    assert fault == ("time_zone", f"tz must be the IANA name of a zone, got {name!r}; did you mean {near!r}?")
