"""Data wherever a schedule or policy is a field: read by the rules of JSON, whatever it came from."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from importlib.resources import files
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_settings import BaseSettings
from strategies import SCHEDULES, cases, repeats, slow
from test_policy_properties import policies

from panther_schedule import AnyOf, AnySchedule, BackgroundTask, Cron, Daily, Once, Policy, Repeat, Retry, next_after

T = time(8)


class Report(BaseModel):
    """A model of a user's own."""

    schedule: AnySchedule
    backup: Daily | None = None
    policy: Policy = Policy()


TEXTS: dict[str, Any] = {
    "schedule": {"kind": "any_of", "of": [{"kind": "daily", "at": "08:00"}, {"kind": "cron", "expression": "@daily"}]},
    "backup": {"at": "03:00", "starting": "2026-01-05", "excluding": ["2026-12-25", "sat"], "tz": "UTC"},
    "policy": {"timeout": "PT1M", "retry": {"attempts": 3, "delay": "PT5S", "on": ["OSError"]}},
}
VALUES: dict[str, Any] = {
    "schedule": {"kind": "any_of", "of": (Daily(T), Cron("@daily"))},
    "backup": {"at": time(3), "starting": date(2026, 1, 5), "excluding": {date(2026, 12, 25), "sat"}, "tz": UTC},
    "policy": {"timeout": timedelta(minutes=1), "retry": Retry(3, delay=timedelta(seconds=5), on=(OSError,))},
}
TOML = """
backup = {at = 03:00:00, starting = 2026-01-05, excluding = [2026-12-25, "sat"], tz = "UTC"}
[policy]
timeout = "PT1M"
retry = {attempts = 3, delay = "PT5S", on = ["OSError"]}
[schedule]
kind = "any_of"
of = [{kind = "daily", at = 08:00:00}, {kind = "cron", expression = "@daily"}]
"""
MADE = Report(
    schedule=Daily(T) | Cron("@daily"),
    backup=Daily(time(3), tz="UTC", starting=date(2026, 1, 5), excluding={date(2026, 12, 25), "sat"}),
    policy=Policy(timeout=timedelta(minutes=1), retry=Retry(3, delay=timedelta(seconds=5), on=(OSError,))),
)


@pytest.mark.parametrize("data", [TEXTS, VALUES, tomllib.loads(TOML)])
def test_a_field_takes_text_and_values(data: dict[str, Any]) -> None:
    assert Report.model_validate(data) == MADE
    assert Report.model_validate_json(json.dumps(TEXTS)) == MADE


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    class Settings(BaseSettings):
        report: AnySchedule
        policy: Policy = Policy()

    monkeypatch.setenv("REPORT", '{"kind": "daily", "at": "08:00", "tz": "Europe/Paris"}')
    monkeypatch.setenv("POLICY", '{"timeout": "PT1M"}')
    settings = Settings()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - the environment has it
    assert settings.report == Daily(T, tz="Europe/Paris")
    assert settings.policy == Policy(timeout=timedelta(minutes=1))


@slow
@given(cases().map(lambda case: case[1]) | repeats(st.timedeltas(timedelta(0))) | st.just(Once()), policies)
def test_what_is_written_is_read_in_python_too(schedule: AnySchedule, policy: Policy) -> None:
    for mode in ("json", "python"):
        assert SCHEDULES.validate_python(schedule.model_dump(mode=mode)) == schedule
        assert Policy.model_validate(policy.model_dump(mode=mode)) == policy


def test_a_wrong_field_is_refused_in_the_words_of_data() -> None:
    with pytest.raises(ValidationError) as caught:
        Report.model_validate({"schedule": {"kind": "repeat", "n": 5, "wait": 5}, "policy": {"retry": 3}})
    assert [(fault["loc"], fault["msg"]) for fault in caught.value.errors()] == [
        (
            ("schedule", "repeat", "wait"),
            "wait must be an ISO 8601 duration of weeks to seconds, got 5; write PT5M or P1DT12H",
        ),
        (("policy", "retry"), 'retry must be an object or null, got 3; write {"attempts": 3}'),
    ]


def wrong(given: object) -> Any:
    """Hide what is wrong from the type checkers."""
    return given


@pytest.mark.parametrize(
    "act",
    [
        lambda: Daily(wrong("08:00")),
        lambda: Daily(T, starting=wrong("2026-01-05")),
        lambda: Repeat(5, wrong("PT5M")),
        lambda: Once(wrong("2026-01-01T00:00:00Z")),
        lambda: Policy(timeout=wrong("PT1M")),
        lambda: Policy(retry=wrong({"attempts": 3})),
        lambda: Policy.model_validate({"timeout": "PT1M"}).model_copy(update={"jitter": wrong("PT1S")}),
        lambda: BackgroundTask(print).with_policy(timeout=wrong("PT1M")),
        lambda: AnyOf((wrong({"kind": "daily", "at": T}),)),
    ],
)
def test_a_constructor_takes_no_text(act: Callable[[], object]) -> None:
    with pytest.raises(ValidationError):
        act()


def without_key() -> ZoneInfo:
    """Read a zone from a file, so that it has no name."""
    return ZoneInfo.from_file(BytesIO(files("tzdata.zoneinfo").joinpath("UTC").read_bytes()))


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        (UTC, "UTC"),
        (timezone(timedelta(0)), "UTC"),
        (ZoneInfo("UTC"), "UTC"),
        (ZoneInfo("Europe/Paris"), "Europe/Paris"),
    ],
)
def test_a_zone_may_be_an_object(zone: Any, name: str) -> None:
    assert Daily(T, tz=zone) == Daily(T, tz=name)
    assert Cron("@daily", tz=zone) == Cron("@daily", tz=name)
    assert BackgroundTask(print).on_time(T, tz=zone) == BackgroundTask(print).on_time(T, tz=name)
    assert TypeAdapter(AnySchedule).validate_python({"kind": "daily", "at": "08:00", "tz": zone}) == Daily(T, tz=name)
    start = datetime(2026, 7, 1, tzinfo=UTC)
    assert next_after(Daily(T), start, zone=zone) == next_after(Daily(T, tz=name), start)


@pytest.mark.parametrize("zone", [timezone(timedelta(hours=2)), without_key()])
def test_a_fixed_offset_is_no_zone(zone: Any) -> None:
    with pytest.raises(ValidationError, match="write the zone of a city, such as tz='Europe/Paris'"):
        Daily(T, tz=zone)
    if isinstance(zone, timezone):
        with pytest.raises(ValidationError, match="write the zone of a city, such as zone='Europe/Paris'"):
            next_after(Daily(T), datetime(2026, 7, 1, tzinfo=UTC), zone=zone)
