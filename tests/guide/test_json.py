"""Tasks as JSON: a document names functions of a registry, and nothing else."""

import json
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from pydantic import ValidationError

from panther_schedule import (
    BackgroundTask,
    Daily,
    Once,
    Policy,
    Repeat,
    Retry,
    Scheduler,
    TaskRegistry,
    VirtualClock,
    spec,
)

MINUTE = timedelta(minutes=1)
OTP = """{
  "version": 1,
  "tasks": [
    {
      "func": "send_otp",
      "kwargs": {
        "name": "Ali"
      },
      "schedule": {
        "kind": "repeat",
        "n": 5,
        "wait": "PT5M"
      },
      "name": "otp"
    }
  ]
}
"""


def send_otp(name: str, retries: int = 3) -> None:
    """Stand for a function of the program."""


@pytest.fixture
def registry() -> TaskRegistry:
    """A registry with one function."""
    registry = TaskRegistry()
    registry.register(send_otp)
    return registry


def document(**task: object) -> str:
    """Write a document with one task of `send_otp`."""
    return json.dumps({"version": 1, "tasks": [{"func": "send_otp", "kwargs": {"name": "Ali"}} | task]})


def faults(text: str, registry: TaskRegistry) -> list[tuple[str, tuple[int | str, ...]]]:
    """List the faults of a document that is refused: what each is, and where."""
    with pytest.raises(ValidationError) as refused:
        spec.load(text, registry)
    return [(fault["type"], fault["loc"]) for fault in refused.value.errors()]


def test_tasks_are_written_and_read_back_equal(registry: TaskRegistry) -> None:
    """`spec.dump()` writes tasks as JSON, and `spec.load()` reads equal tasks."""
    tasks = [BackgroundTask(send_otp, name="Ali").interval(5).interval_wait(5 * MINUTE).with_name("otp")]

    assert spec.dump(tasks, registry) == OTP
    assert spec.load(OTP, registry) == tasks


def test_the_schedule_in_json_is_the_model() -> None:
    """In JSON a schedule is its model: a `kind`, and the model's fields."""
    daily = Daily(time(8), tz="Europe/Paris")

    assert daily.model_dump(mode="json", exclude_none=True) == {
        "kind": "daily",
        "at": "08:00:00",
        "n": -1,
        "tz": "Europe/Paris",
    }
    assert Daily.model_validate_json(daily.model_dump_json()) == daily


def test_only_the_function_must_be_there(registry: TaskRegistry) -> None:
    """Without a schedule a task runs once, now, under the default policy."""
    (task,) = spec.load(document(), registry)

    assert task == BackgroundTask(send_otp, name="Ali")


def test_only_a_registered_function_can_be_named(registry: TaskRegistry) -> None:
    """A document names no module and no import path, so it can call nothing else."""
    assert faults(document(func="os.system"), registry) == [("unknown_function", ("tasks", 0, "func"))]


def test_a_duration_is_written_as_iso_8601(registry: TaskRegistry) -> None:
    """A wait is `"PT5M"`; a number is refused, since nobody can tell whether 5 means seconds or minutes."""
    (task,) = spec.load(document(schedule={"kind": "repeat", "n": 5, "wait": "PT5M"}), registry)
    assert task.schedule == Repeat(5, 5 * MINUTE)

    with_a_number = document(schedule={"kind": "repeat", "n": 5, "wait": 5})
    assert faults(with_a_number, registry) == [("duration_format", ("tasks", 0, "schedule", "wait"))]


def test_a_field_with_its_default_may_be_left_out(registry: TaskRegistry) -> None:
    """`after` and `measured_from` are in a document only where they say something."""
    later, rested = {"kind": "once", "after": "PT10M"}, {"kind": "repeat", "n": 2, "wait": "PT5M"}

    (first,) = spec.load(document(schedule=later), registry)
    assert first.schedule == Once(after=10 * MINUTE)
    (second,) = spec.load(document(schedule=rested | {"measured_from": "end"}), registry)
    assert second.schedule == Repeat(2, 5 * MINUTE, measured_from="end")
    assert json.loads(spec.dump([first, second], registry))["tasks"][0]["schedule"] == later
    assert Repeat(2, 5 * MINUTE).model_dump(mode="json") == rested


def test_a_time_of_day_is_written_as_text(registry: TaskRegistry) -> None:
    """A time is `"08:00"` or `"08:00:30"`."""
    (task,) = spec.load(document(schedule={"kind": "daily", "at": "08:00:30"}), registry)

    assert task.schedule == Daily(time(8, 0, 30))


def test_a_policy_is_written_without_its_defaults(registry: TaskRegistry) -> None:
    """`policy` holds only the fields that differ from the defaults, and exceptions by name."""
    policy = Policy(overlap="queue_one", retry=Retry(3, on=(ConnectionError, "httpx.HTTPError")))
    task = BackgroundTask(send_otp, name="Ali").interval(5).interval_wait(MINUTE).with_policy(policy)

    text = spec.dump([task], registry)
    assert json.loads(text)["tasks"][0]["policy"] == {
        "overlap": "queue_one",
        "retry": {"attempts": 3, "on": ["ConnectionError", "httpx.HTTPError"]},
    }
    assert spec.load(text, registry) == [task]


def test_arguments_are_read_into_the_types_of_the_hints(registry: TaskRegistry) -> None:
    """Dates, UUIDs, enums and pydantic models come back as the types that the function asks for."""
    tenant = UUID("7f1b5a52-9d3c-4a38-9d0e-2f1f5a0a3c11")

    @registry.register
    def close_books(day: date, tenant: UUID) -> tuple[date, UUID]:
        return day, tenant

    (task,) = spec.load(document(func="close_books", kwargs={"day": "2026-12-31", "tenant": str(tenant)}), registry)
    assert task.run() == (date(2026, 12, 31), tenant)


def test_every_fault_is_reported_at_once_with_its_path(registry: TaskRegistry) -> None:
    """One `ValidationError` lists all faults, each with a stable type and its place in the document."""
    text = json.dumps(
        {
            "version": 1,
            "tasks": [
                {"func": "send_opt", "kwargs": {"name": "Ali"}},
                {"func": "send_otp", "kwargs": {"nam": "Ali"}, "schedule": {"kind": "repeat", "n": 0, "wait": 5}},
            ],
        }
    )

    assert faults(text, registry) == [
        ("unknown_function", ("tasks", 0, "func")),
        ("missing_argument", ("tasks", 1, "kwargs", "name")),
        ("unknown_argument", ("tasks", 1, "kwargs", "nam")),
        ("run_count", ("tasks", 1, "schedule", "n")),
        ("duration_format", ("tasks", 1, "schedule", "wait")),
    ]


def test_no_message_shows_the_value_of_an_argument(registry: TaskRegistry) -> None:
    """An argument may be a secret, so a fault names its type and never its value."""
    with pytest.raises(ValidationError) as refused:
        spec.load(document(kwargs={"name": ["hunter2"]}), registry)

    assert "hunter2" not in str(refused.value)


def test_unknown_keys_and_newer_versions_are_refused(registry: TaskRegistry) -> None:
    """Nothing that this program does not know is silently ignored."""
    assert faults(document(colour="red"), registry) == [("unknown_key", ("tasks", 0, "colour"))]
    assert faults('{"version": 2, "tasks": []}', registry) == [("newer_version", ("version",))]


def test_a_schema_tells_editors_what_may_be_written(registry: TaskRegistry) -> None:
    """`spec.json_schema()` is the JSON Schema of a document, with the functions of the registry."""
    schema = spec.json_schema(registry)

    assert schema["properties"]["tasks"]["items"]["properties"]["func"] == {"enum": ["send_otp"]}
    assert spec.load('{"$schema": "tasks.schema.json", "version": 1, "tasks": []}', registry) == []


def test_a_decorator_declares_a_task(registry: TaskRegistry, clock: VirtualClock) -> None:
    """`scheduled` returns the function unchanged and starts nothing; a scheduler takes the whole registry."""
    cleaned: list[datetime] = []

    @registry.scheduled(Daily(time(3), tz="UTC"))
    def clean_up() -> None:
        cleaned.append(clock.now())

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_tasks(registry)
        clock.advance(timedelta(days=2))

    assert cleaned == [datetime(2026, 1, 1, 3, tzinfo=UTC), datetime(2026, 1, 2, 3, tzinfo=UTC)]
    assert [task.name for task in registry] == ["clean_up"]
