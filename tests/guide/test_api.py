"""API: every public name is on the page, with what it promises."""

# mypy: disable-error-code="panther-schedule"

import importlib
import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from pydantic import ValidationError

import panther_schedule
from panther_schedule import (
    AnyOf,
    AnySchedule,
    BackgroundTask,
    Cron,
    Daily,
    Monthly,
    Once,
    Policy,
    Repeat,
    Retry,
    Scheduler,
    VirtualClock,
    Weekly,
    next_after,
    pictures,
    sqlite,
    testing,
)

from .pages import page, quoted, reference, table

SCHEDULES: list[AnySchedule] = [
    Once(datetime(2026, 12, 24, 18, tzinfo=UTC)),
    Repeat(5, timedelta(minutes=5)),
    Daily(time(8), tz="Europe/Paris"),
    Weekly(("mon", "thu"), time(8), excluding={date(2026, 12, 24)}),
    Monthly((2, "tue"), time(10), every=2, starting=date(2026, 1, 1)),
    Cron("0 9 * * mon-fri"),
    AnyOf((Cron("@daily"), Weekly("sat", time(10))), n=5),
]


def test_the_public_names_are_few_and_exist() -> None:
    """All of the public API comes from `panther_schedule` itself."""
    names = panther_schedule.__all__

    assert len(names) == len(set(names)) <= 35
    assert [name for name in names if not hasattr(panther_schedule, name)] == []


def test_every_public_name_is_in_the_reference() -> None:
    """The page shows every public name, and beside them the few classes that are only returned."""
    names = {name for _module, name in reference()}
    by_module = {name: module for module, name in reference() if name not in panther_schedule.__all__}
    beside = {module.__name__.rpartition(".")[2]: module for module in (pictures, sqlite, testing)}

    for place, held in beside.items():
        assert {name for name, module in by_module.items() if module == place} == set(held.__all__)
    assert names - by_module.keys() == set(panther_schedule.__all__) - {"__version__"}
    for name, module in by_module.items():  # only returned, or needed for a hint
        assert getattr(importlib.import_module(f"panther_schedule.{module}"), name).__doc__, name
        assert module in beside or f"`{name}` from `" in page("api")


def test_every_public_name_has_a_docstring() -> None:
    """`help()` says about each name what the page says."""
    for name in set(panther_schedule.__all__) - {"__version__", "AnySchedule"}:
        assert getattr(panther_schedule, name).__doc__, name


@pytest.mark.parametrize(
    "model", [*(type(schedule) for schedule in SCHEDULES), Policy, Retry], ids=lambda model: model.__name__
)
def test_every_field_of_a_model_is_on_the_page(model: type[AnySchedule | Policy | Retry]) -> None:
    """The tables say what each field of a model takes and what it means."""
    own = next(row for row in table("api", "model") if row[0].startswith(f"`{model.__name__}("))
    shared = {field for row in table("api", "field") for field in quoted(row[0])}

    assert set(model.model_fields) - {"kind"} <= shared | set(re.findall(r"\w+", " ".join(own)))


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.kind)
def test_a_schedule_goes_to_json_and_back(schedule: AnySchedule) -> None:
    """`model_validate_json()` reads what `model_dump_json()` writes."""
    assert type(schedule).model_validate_json(schedule.model_dump_json()) == schedule


def test_fields_can_be_given_by_position_or_by_name() -> None:
    """The first fields of a schedule need no name."""
    assert Repeat(5, timedelta(minutes=5)) == Repeat(n=5, wait=timedelta(minutes=5))
    assert Daily(time(8), 2, "UTC") == Daily(at=time(8), n=2, tz="UTC")
    assert Weekly("mon", time(8)) == Weekly(days="mon", at=time(8))


def test_a_refused_value_is_a_value_error(clock: VirtualClock) -> None:
    """A wrong value is always refused with a `ValueError`; pydantic's `ValidationError` is one."""
    assert issubclass(ValidationError, ValueError)
    with pytest.raises(ValueError, match="at least 1"):
        Scheduler(max_workers=0, clock=clock)
    with pytest.raises(ValueError, match="aware"):
        next_after(Repeat(-1, timedelta(minutes=5)), datetime(2026, 1, 1))  # noqa: DTZ001 - a naive time is what is refused


def test_a_refusal_has_a_stable_type() -> None:
    """A program looks at the `type` of a fault, which stays the same when the words change."""
    with pytest.raises(ValidationError) as refused:
        Repeat(0)

    (fault,) = refused.value.errors()
    assert (fault["type"], fault["loc"]) == ("run_count", ("n",))


def test_a_scheduler_is_a_collection_of_handles(clock: VirtualClock) -> None:
    """A scheduler looks tasks up by name, and iterating over it gives their handles."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(print).on_time(time(8), tz="UTC").with_name("digest"))

        assert "digest" in scheduler
        assert len(scheduler) == 1
        assert scheduler["digest"] == handle
        assert list(scheduler) == [handle]
        with pytest.raises(KeyError):
            scheduler["backup"]
