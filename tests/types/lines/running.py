"""Schedulers, handles, events, the registry, and tasks in a user's own models."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time, timedelta
from typing import assert_never, assert_type

from pydantic import BaseModel

from panther_schedule import (
    AnySchedule,
    AnyTask,
    BackgroundTask,
    Daily,
    Passed,
    Policy,
    Run,
    Scheduler,
    TaskHandle,
    TaskRegistry,
    VirtualClock,
    background_tasks,
    current_run,
    events,
    spec,
)

NOW, WAIT = datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=5)


def send(to: str) -> None: ...


async def clean(keep: int = 3) -> int:
    return keep


scheduler = Scheduler(clock=VirtualClock(NOW), max_workers=4)
Scheduler(4)  # E
Scheduler(max_workers="4")  # E
Scheduler(clock=datetime.now)  # E
VirtualClock()  # E
VirtualClock("2026-01-01")  # E

# ---- adding
handle = scheduler.add_task(BackgroundTask(send, "Ali").interval(2))
assert_type(handle, TaskHandle)
background_tasks.add_task(BackgroundTask(lambda: send("Ali")))
background_tasks.add_task(BackgroundTask(clean).interval(-1).on_time(time(8)))
scheduler.add_task(send)  # E
scheduler.add_task(send, "Ali")  # E
scheduler.add_task(BackgroundTask(send))  # E
scheduler.add_task(Daily(time(8)))  # E
scheduler.add_tasks(BackgroundTask(send, "Ali"))  # E
scheduler.add_tasks([BackgroundTask(send, "Ali"), send])  # E
scheduler.add_tasks((BackgroundTask(send, "Ali"), BackgroundTask(clean).interval(2)))
scheduler.add_tasks(BackgroundTask(send, name) for name in ("Ali", "Eva"))
mixed: list[BackgroundTask] = [BackgroundTask(send, "Ali"), BackgroundTask(clean).interval(2)]
scheduler.add_tasks(mixed)
for task in mixed:
    scheduler.add_task(task)
values: list[AnyTask] = [BackgroundTask(send, "Ali"), BackgroundTask(clean).interval(2)]
for value in values:
    scheduler.add_task(value.with_name(f"task {value.name}"))
same = [BackgroundTask(send, "Ali"), BackgroundTask(send, "Eva")]
for one in same:
    scheduler.add_task(one)
inferred = [BackgroundTask(send, "Ali"), BackgroundTask(clean)]
for each in inferred:
    scheduler.add_task(each)  # alarm: mypy, mypy --strict
scheduler.replace(BackgroundTask(send, "Ali").with_name("digest"))
scheduler.replace("digest")  # E

# ---- handles
assert_type(scheduler["digest"], TaskHandle)
scheduler[0]  # E
assert_type(handle.join(WAIT), bool)
assert_type(handle.runs, tuple[Run | Passed, ...])
assert_type(handle.run_now().join(), Run)
handle.join(5)  # E
handle.pause(5)  # E
handle.cancel(False)  # E
handle.backfill(NOW)  # E
handle.backfill("2026-01-01", NOW)  # E
assert_type(handle.backfill(NOW, NOW, dry_run=True), list[datetime])
handle.backfill(NOW, NOW)[0].scheduled_at.isoformat()
handle.name = "other"  # E
scheduler.join(5)  # E
scheduler.stop(5)  # E
scheduler.run_forever(5)  # E
current_run().cancelled = True  # E


async def app() -> None:
    async with background_tasks.lifespan():
        assert_type(await handle.wait(WAIT), bool)
        assert_type(await handle.run_now().wait(), Run)
        await scheduler.wait(5)  # E
        handle.wait().upper()  # E


# ---- events
def tell(event: events.Event) -> None:
    match event:
        case events.RunStarted(name, run, _):
            assert_type(name, str)
            assert_type(run, Run)
        case events.RunRetried(_, run, delay):
            assert_type(delay, timedelta)
        case events.RunFinished(_, run):
            run.outcome.upper()
        case events.OccurrencesPassed(_, passed):
            assert_type(passed, Passed)
        case events.TaskAdded() | events.TaskEnded() | events.TaskPaused() | events.TaskResumed():
            event.task.upper()
        case events.TaskReplaced() | events.ClockStepped():
            pass
        case _:
            assert_never(event)


def forgets(event: events.Event) -> str:
    match event:
        case events.RunStarted():
            return "started"
        case _:
            assert_never(event)  # E


async def tell_later(event: events.Event) -> None: ...


def of_another(event: str) -> None: ...


remove = scheduler.add_listener(tell)
assert_type(remove, Callable[[], None])
scheduler.add_listener(tell_later)  # E
scheduler.add_listener(of_another)  # E
scheduler.add_listener(None)  # E

# ---- the registry
tasks = TaskRegistry()


@tasks.register
def report(day: str) -> int:
    return len(day)


@tasks.register(name="tidy")
async def tidy() -> None: ...


@tasks.scheduled(Daily(time(3)), name="nightly", policy=Policy(timeout=WAIT))
def nightly() -> None: ...


@tasks.scheduled(time(3))  # E
def wrong() -> None: ...


@tasks.scheduled(Daily(time(3)))  # E
def needs(argument: str) -> None: ...


assert_type(report("monday"), int)
report(5)  # E
scheduler.add_tasks(tasks)
spec.load("{}", [send])  # E
spec.dump(BackgroundTask(report, "monday"), tasks)  # E
spec.dump([BackgroundTask(report, "monday")], tasks).encode()


# ---- in models of one's own
class Settings(BaseModel):
    schedule: AnySchedule
    policy: Policy = Policy()
    name: str = "digest"


def added(settings: Settings, to: Iterable[str]) -> list[TaskHandle]:
    task = BackgroundTask(clean).with_schedule(settings.schedule).with_policy(settings.policy)
    return scheduler.add_tasks(task.with_name(name) for name in to)
