"""Every public function and method refuses a value of a wrong type, in our words, and does nothing."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import panther_schedule as ps
import panther_schedule.sqlite as durable
from panther_schedule import (
    BackgroundTask,
    Scheduler,
    TaskRegistry,
    VirtualClock,
    pictures,
    spec,
    testing,
)
from panther_schedule.runtime.handles import RunHandle, TaskHandle

START = datetime(2026, 1, 1, tzinfo=UTC)
T, W = time(8), timedelta(minutes=5)
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - what is refused


def note() -> None: ...


async def note_later(event: Any) -> None: ...


def notes(event: Any) -> Iterator[None]:
    yield event


class Given:
    """What a row of the table may call."""

    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.scheduler = Scheduler(clock=self.clock)
        self.task: Any = BackgroundTask(note)
        self.registry = TaskRegistry()
        self.registry.register(note)
        self.text = spec.dump([self.task], self.registry)
        self.handle = self.scheduler.add_task(self.task.on_time(T, tz="UTC"))
        self.run = self.handle.run_now()
        self.picture: Any = pictures.timeline([self.task], START, START + W)
        self.moved = testing.ScheduleClock(self.scheduler)


sqlite: Any = durable  # as below
api: Any = ps  # hides the wrong types from the type checkers
Row = tuple[str, Callable[[Any], object]]
ROWS: list[Row] = [
    ("BackgroundTask", lambda _: api.BackgroundTask(5)),
    ("BackgroundTask", lambda _: api.BackgroundTask("note")),
    ("BackgroundTask.interval", lambda on: on.task.interval("5")),
    ("BackgroundTask.interval", lambda on: on.task.interval(W)),
    ("BackgroundTask.interval_wait", lambda on: on.task.interval_wait(5)),
    ("BackgroundTask.interval_wait", lambda on: on.task.interval_wait(None)),
    ("BackgroundTask.on_time", lambda on: on.task.on_time("08:00")),
    ("BackgroundTask.on_time", lambda on: on.task.on_time(T, tz=5)),
    ("BackgroundTask.on_time", lambda on: on.task.on_time(T, tz=timezone(W))),
    ("BackgroundTask.with_schedule", lambda on: on.task.with_schedule(api.Daily)),
    ("BackgroundTask.with_schedule", lambda on: on.task.with_schedule(W)),
    ("BackgroundTask.with_name", lambda on: on.task.with_name(5)),
    ("BackgroundTask.with_policy", lambda on: on.task.with_policy("skip")),
    ("BackgroundTask.with_policy", lambda on: on.task.with_policy(timeout=5)),
    ("BackgroundTask.with_policy", lambda on: on.task.with_policy(time_out=W)),
    ("BackgroundTask.next_runs", lambda on: on.task.next_runs("5")),
    ("BackgroundTask.next_runs", lambda on: on.task.next_runs(True)),
    ("BackgroundTask.next_runs", lambda on: on.task.next_runs(5, date(2026, 1, 1))),
    ("Scheduler", lambda _: api.Scheduler(max_workers="4")),
    ("Scheduler", lambda _: api.Scheduler(clock=START)),
    ("Scheduler", lambda _: api.Scheduler(clock=api.VirtualClock)),
    ("Scheduler", lambda _: api.Scheduler(clock=Path("clock").open)),
    ("Scheduler.add_task", lambda on: on.scheduler.add_task(note)),
    ("Scheduler.add_task", lambda on: on.scheduler.add_task(api.Daily(T))),
    ("Scheduler.add_tasks", lambda on: on.scheduler.add_tasks(on.task)),
    ("Scheduler.add_tasks", lambda on: on.scheduler.add_tasks(note)),
    ("Scheduler.add_tasks", lambda on: on.scheduler.add_tasks([on.task, note])),
    ("Scheduler.add_tasks", lambda on: on.scheduler.add_tasks("tasks")),
    ("Scheduler.replace", lambda on: on.scheduler.replace("digest")),
    ("Scheduler.plan", lambda on: on.scheduler.plan(on.task)),
    ("Scheduler.plan", lambda on: on.scheduler.plan([note])),
    ("Scheduler.plan", lambda on: on.scheduler.plan([], source=5)),
    ("Scheduler.apply", lambda on: on.scheduler.apply("tasks")),
    ("Scheduler.apply", lambda on: on.scheduler.apply([on.task])),  # it has no name
    ("Scheduler.apply", lambda on: on.scheduler.apply([], source=" ")),
    ("Scheduler", lambda _: api.Scheduler(store="tasks.db", registry=api.TaskRegistry())),
    ("Scheduler", lambda _: api.Scheduler(store=sqlite.SQLiteStore("tasks.db"))),
    ("Scheduler", lambda _: api.Scheduler(registry=api.TaskRegistry())),
    ("Scheduler", lambda _: api.Scheduler(store=sqlite.SQLiteStore("tasks.db"), registry={})),
    ("SQLiteStore", lambda _: sqlite.SQLiteStore(5)),
    ("SQLiteStore", lambda _: sqlite.SQLiteStore("")),
    ("SQLiteStore", lambda _: sqlite.SQLiteStore("tasks.db", durability="safe")),
    ("SQLiteStore", lambda _: sqlite.SQLiteStore("tasks.db", lease=10)),
    ("SQLiteStore", lambda _: sqlite.SQLiteStore("tasks.db", lease=timedelta(0))),
    ("SQLiteStore", lambda _: sqlite.SQLiteStore("tasks.db", keep=30)),
    ("SQLiteStore", lambda _: sqlite.SQLiteStore("tasks.db", keep_records=5)),
    ("SQLiteStore.records", lambda _: sqlite.SQLiteStore("tasks.db").records(5)),
    ("SQLiteStore.records", lambda _: sqlite.SQLiteStore("tasks.db").records(n="20")),
    ("SQLiteStore.backup", lambda _: sqlite.SQLiteStore("tasks.db").backup(5)),
    ("Scheduler.add_listener", lambda on: on.scheduler.add_listener(42)),
    ("Scheduler.add_listener", lambda on: on.scheduler.add_listener(note_later)),
    ("Scheduler.add_listener", lambda on: on.scheduler.add_listener(notes)),
    ("Scheduler.join", lambda on: on.scheduler.join(5)),
    ("Scheduler.join", lambda _: api.Scheduler().join(5)),
    ("Scheduler.stop", lambda on: on.scheduler.stop(5)),
    ("Scheduler.stop", lambda on: on.scheduler.stop(None)),
    ("Scheduler.run_forever", lambda on: on.scheduler.run_forever(5)),
    ("Scheduler.wait", lambda on: asyncio.run(on.scheduler.wait(5))),
    ("TaskHandle.join", lambda on: on.handle.join(5)),
    ("TaskHandle.wait", lambda on: asyncio.run(on.handle.wait(5))),
    ("TaskHandle.cancel", lambda on: on.handle.cancel(running="no")),
    ("TaskHandle.pause", lambda on: on.handle.pause(5)),
    ("TaskHandle.backfill", lambda on: on.handle.backfill("2026-01-01", START)),
    ("TaskHandle.backfill", lambda on: on.handle.backfill(START, NAIVE)),
    ("TaskHandle.backfill", lambda on: on.handle.backfill(START, START, dry_run="no")),
    ("RunHandle.join", lambda on: on.run.join(5)),
    ("RunHandle.wait", lambda on: asyncio.run(on.run.wait(5))),
    ("Policy", lambda _: api.Policy(overlap=5)),
    ("Policy", lambda _: api.Policy(retry=3)),
    ("Policy", lambda _: api.Policy(max_instances=3)),
    ("Retry", lambda _: api.Retry("3")),
    ("Retry", lambda _: api.Retry(3, on=ValueError)),
    ("Retry.covers", lambda _: api.Retry(3).covers(ValueError)),
    ("Once", lambda _: api.Once("2026-01-01")),
    ("Repeat", lambda _: api.Repeat(W)),
    ("Repeat", lambda _: api.Repeat(5, 5)),
    ("Daily", lambda _: api.Daily("08:00")),
    ("Daily", lambda _: api.Daily(T, tz=timezone(W))),
    ("Daily", lambda _: api.Daily(T, excluding="sat")),
    ("Daily", lambda _: api.Daily(T, starting=START)),
    ("Daily", lambda _: api.Daily(T, timezone="UTC")),
    ("Weekly", lambda _: api.Weekly(1, T)),
    ("Monthly", lambda _: api.Monthly("1", T)),
    ("Cron", lambda _: api.Cron(5)),
    ("AnyOf", lambda _: api.AnyOf(api.Daily(T))),
    ("AnyOf", lambda _: api.AnyOf((T,))),
    ("Schedule.model_copy", lambda _: api.Daily(T).model_copy(update={"timezone": "UTC"})),
    ("Schedule.model_copy", lambda _: api.Daily(T).model_copy(update="tz")),
    ("Schedule.model_validate", lambda _: api.Daily.model_validate(5)),
    ("Schedule.model_validate_json", lambda _: api.Daily.model_validate_json("5")),
    ("Schedule.model_validate_json", lambda _: api.Daily.model_validate_json("{")),
    ("Schedule.model_validate_json", lambda _: api.Daily.model_validate_json('{"at": "08:00", "timezone": "UTC"}')),
    ("Schedule.model_validate_json", lambda _: api.Daily.model_validate_json('{"kind": "weekly", "at": "08:00"}')),
    ("explain", lambda _: api.explain(W)),
    ("explain", lambda on: api.explain(on.handle)),
    ("explain", lambda _: api.explain(api.Daily(T), zone=5)),
    ("preview", lambda _: api.preview(note, 5)),
    ("preview", lambda _: api.preview(api.Daily(T), "5")),
    ("preview", lambda _: api.preview(api.Daily(T), 5, after="2026-01-01")),
    ("preview", lambda _: api.preview(api.Daily(T), 5, zone="CEST")),
    ("lint", lambda _: api.lint("0 9 * * *")),
    ("lint", lambda _: api.lint(api.Daily(T), 5)),
    ("next_after", lambda on: api.next_after(on.task, START)),
    ("next_after", lambda _: api.next_after(api.Daily(T), "2026-01-01")),
    ("next_after", lambda _: api.next_after(api.Daily(T), START, zone=timezone(W))),
    ("next_after", lambda _: api.next_after(api.Daily(T), START, anchor=NAIVE)),
    ("between", lambda _: api.between(api.Policy(), START, START)),
    ("between", lambda _: api.between(api.Daily(T), START, W)),
    ("between", lambda _: api.between(api.Daily(T), START, START, zone="UTC", limit="5")),
    ("TaskRegistry.function", lambda on: on.registry.function(5)),
    ("TaskRegistry.function", lambda on: on.registry.function(["note"])),
    ("TaskRegistry.name_of", lambda on: on.registry.name_of(5)),
    ("TaskRegistry.register", lambda on: on.registry.register(5)),
    ("TaskRegistry.register", lambda on: on.registry.register("note")),
    ("TaskRegistry.register", lambda on: on.registry.register(name=5)),
    ("TaskRegistry.scheduled", lambda on: on.registry.scheduled(note)),
    ("TaskRegistry.scheduled", lambda on: on.registry.scheduled(api.Daily)),
    ("TaskRegistry.scheduled", lambda on: on.registry.scheduled(T)),
    ("TaskRegistry.scheduled", lambda on: on.registry.scheduled(api.Daily(T), 5)),
    ("TaskRegistry.scheduled", lambda on: on.registry.scheduled(api.Daily(T), policy="skip")),
    ("spec.load", lambda on: api.spec.load(["tasks"], on.registry)),
    ("spec.load", lambda on: api.spec.load(Path("tasks.ini"), on.registry)),
    ("spec.load", lambda on: api.spec.load(on.text, [note])),
    ("spec.load_task", lambda on: api.spec.load_task(note, on.registry)),
    ("spec.load", lambda on: api.spec.load(on.text, on.registry, allow=["json"])),
    ("spec.load", lambda on: api.spec.load(on.text, allow="json")),
    ("spec.load_task", lambda _: api.spec.load_task({"func": "note"}, allow=[5])),
    ("TaskRegistry.of_modules", lambda _: api.TaskRegistry.of_modules("json")),
    ("TaskRegistry.of_modules", lambda _: api.TaskRegistry.of_modules(["no name"])),
    ("spec.load_task", lambda on: api.spec.load_task({"func": "note"}, None)),
    ("spec.dump", lambda on: api.spec.dump(on.task, on.registry)),
    ("spec.dump", lambda on: api.spec.dump([note], on.registry)),
    ("spec.dump", lambda on: api.spec.dump([on.task], None)),
    ("spec.dump_task", lambda on: api.spec.dump_task(note, on.registry)),
    ("spec.dump_task", lambda on: api.spec.dump_task(on.task, None)),
    ("spec.json_schema", lambda on: api.spec.json_schema([note])),
    ("VirtualClock", lambda _: api.VirtualClock("2026-01-01")),
    ("VirtualClock", lambda _: api.VirtualClock(NAIVE)),
    ("VirtualClock.advance", lambda on: on.clock.advance(5)),
    ("VirtualClock.sleep", lambda on: on.clock.sleep(5)),
    ("VirtualClock.step", lambda on: on.clock.step(5)),
    ("VirtualClock.suspend", lambda on: on.clock.suspend(5)),
    ("VirtualClock.wait", lambda on: asyncio.run(on.clock.wait(5))),
    ("ScheduleClock", lambda on: api.testing.ScheduleClock(on.clock)),
    ("ScheduleClock", lambda on: api.testing.ScheduleClock(on.scheduler, start="2026-01-01")),
    ("ScheduleClock", lambda on: api.testing.ScheduleClock(on.scheduler, raises="OSError")),
    ("ScheduleClock.advance", lambda on: on.moved.advance(5)),
    ("ScheduleClock.advance", lambda on: on.moved.advance(days="1")),
    ("ScheduleClock.advance", lambda on: on.moved.advance(until="2026-01-01")),
    ("ScheduleClock.wait", lambda on: asyncio.run(on.moved.wait(5))),
    ("ScheduleClock.run_until_idle", lambda on: on.moved.run_until_idle(raises=5)),
    ("ScheduleClock.wait_until_idle", lambda on: asyncio.run(on.moved.wait_until_idle(raises=5))),
    ("ScheduleClock.assert_next", lambda on: on.moved.assert_next(5, START)),
    ("ScheduleClock.assert_next", lambda on: on.moved.assert_next(on.handle.name, W)),
    ("ScheduleClock.fail_next", lambda on: on.moved.fail_next(on.handle, OSError)),
    ("ScheduleClock.fail_next", lambda on: on.moved.fail_next(on.handle.name, "OSError")),
    ("simulate", lambda on: api.testing.simulate(on.task, START, START + W)),
    ("simulate", lambda on: api.testing.simulate([on.task], START, W)),
    ("simulate", lambda on: api.testing.simulate([on.task], START, START + W, [W])),
    ("timeline", lambda on: api.pictures.timeline(on.task, START, START + W)),
    ("timeline", lambda on: api.pictures.timeline([on.task, note], START, START + W)),
    ("timeline", lambda on: api.pictures.timeline([on.handle], START, W)),
    ("timeline", lambda on: api.pictures.timeline([on.task], START)),
    ("timeline", lambda on: api.pictures.timeline([on.task], START, START + W, zone=5)),
    ("Timeline.text", lambda on: on.picture.text("80")),
    ("Timeline.svg", lambda on: on.picture.svg(640.0)),
    ("Timeline.json", lambda on: on.picture.json(indent="  ")),
    ("Suspend", lambda _: api.testing.Suspend(W, START)),
    ("ClockStep", lambda _: api.testing.ClockStep(START, 5)),
    ("SlowTask", lambda on: api.testing.SlowTask(on.task, W)),
    ("SlowTask", lambda _: api.testing.SlowTask("note", 5)),
    ("FailingTask", lambda _: api.testing.FailingTask("note", "OSError")),
    ("FailingTask", lambda _: api.testing.FailingTask("note", OSError, times="1")),
]


@pytest.fixture
def given() -> Iterator[Given]:
    made = Given()
    yield made
    made.scheduler.stop()


@pytest.mark.parametrize(("_name", "act"), ROWS, ids=[f"{name}-{at}" for at, (name, _) in enumerate(ROWS)])
def test_a_wrong_type_is_refused_in_our_words(_name: str, act: Callable[[Any], object], given: Given) -> None:
    with pytest.raises(ValidationError) as caught:
        act(given)

    assert "pydantic.dev" not in str(caught.value)
    for fault in caught.value.errors():
        assert "; " in fault["msg"], "the rule, and the remedy"
        assert "url" not in fault
        assert "Input should" not in fault["msg"]


def test_nothing_is_done_by_what_is_refused(given: Given) -> None:
    before = given.clock.read(), len(given.scheduler), dict(given.scheduler.counts), list(given.registry.functions)
    for _, act in ROWS:
        with pytest.raises(ValidationError):
            act(given)

    after = given.clock.read(), len(given.scheduler), dict(given.scheduler.counts), list(given.registry.functions)
    assert after == before
    assert not given.handle.paused


def test_the_table_has_each_public_function_and_method_that_takes_a_value() -> None:
    names = {name for name in ps.__all__ if callable(getattr(ps, name))}
    errors = {
        name for name in names if isinstance(getattr(ps, name), type) and issubclass(getattr(ps, name), Exception)
    }
    returned = {"AnyTask", "TaskHandle", "Run", "Passed", "Clock", "Schedule", "AnySchedule"}  # nobody calls these
    without = {"background_tasks", "current_run", "TaskRegistry"}  # they take nothing
    wanted = names - errors - returned - without
    wanted |= {"timeline"} | set(testing.__all__) - {"Simulation", "SimulatedTask", "Fault"}
    classes = BackgroundTask, Scheduler, TaskHandle, RunHandle, TaskRegistry, VirtualClock, sqlite.SQLiteStore
    for cls in (*classes, testing.ScheduleClock, pictures.Timeline):
        for name, method in inspect.getmembers(cls, inspect.isfunction):
            if not name.startswith("_") and len(inspect.signature(method).parameters) > 1:
                wanted.add(f"{cls.__name__}.{name}")
    wanted.remove("Scheduler.lifespan")  # takes any app
    wanted |= {f"spec.{name}" for name in ("load", "load_task", "dump", "dump_task", "json_schema")}

    assert wanted <= {name for name, _ in ROWS}
