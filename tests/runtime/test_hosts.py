"""What hosts a process: when several would each run the same named task, and when one is to run none."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import threading
import weakref
from datetime import UTC, datetime, time
from types import FrameType, SimpleNamespace
from typing import Any, cast

import law
import pytest
from pydantic import ValidationError
from test_process import QUIET, run

from panther_schedule import BackgroundTask, Scheduler, SchedulerStateError, VirtualClock
from panther_schedule.runtime import hosts
from panther_schedule.runtime.hosts import copies, is_disabled, say_disabled

START = datetime(2026, 1, 1, tzinfo=UTC)
SPAWNED = "uvicorn._subprocess", "subprocess_started"
FORKED = "gunicorn.arbiter", "spawn_worker"


def inside(module: str, function: str, **local: Any) -> FrameType:
    """Return the frame of a function that a function of a server has called."""
    frames: list[FrameType] = []

    def app() -> None:
        frames.append(sys._getframe())

    namespace: dict[str, Any] = {"__name__": module, "app": app}
    exec(f"def {function}({', '.join(local)}): app()", namespace)  # noqa: S102 - a function with the server's names
    namespace[function](**local)
    return frames[0]


def uvicorn(workers: int, *, should_reload: bool = False) -> FrameType:
    return inside(*SPAWNED, config=SimpleNamespace(workers=workers, should_reload=should_reload))


def gunicorn(workers: int) -> FrameType:
    return inside(*FORKED, self=SimpleNamespace(cfg=SimpleNamespace(workers=workers)))


CHILD = {"RUN_MAIN": "true", "PANTHER_SCHEDULE_PARENT": "7"}
ROWS = [
    pytest.param(uvicorn(4), {}, "each of uvicorn's 4 workers", id="uvicorn --workers 4"),
    pytest.param(uvicorn(1), {}, None, id="uvicorn, its only worker"),
    pytest.param(uvicorn(1, should_reload=True), {}, None, id="uvicorn --reload"),
    pytest.param(uvicorn(4, should_reload=True), {}, None, id="uvicorn --reload, which has one worker at any rate"),
    pytest.param(gunicorn(3), {}, "each of gunicorn's 3 workers", id="a worker of gunicorn"),
    pytest.param(gunicorn(1), {}, None, id="the only worker of gunicorn"),
    pytest.param(inside("gunicorn.arbiter", "run", self=None), {}, None, id="the arbiter of gunicorn, with --preload"),
    pytest.param(inside("app", "spawn_worker", self=None), {}, None, id="a function that has the same name"),
    pytest.param(None, {"WEB_CONCURRENCY": "4"}, None, id="a script beside a server"),
    pytest.param(None, CHILD, "tasks only where RUN_MAIN is set", id="the child of Django's reloader"),
    pytest.param(
        None,
        {"WERKZEUG_RUN_MAIN": "true", "PANTHER_SCHEDULE_PARENT": "7"},
        "tasks only where WERKZEUG_RUN_MAIN is set",
        id="the child of Flask's reloader",
    ),
    pytest.param(None, {"RUN_MAIN": "true"}, None, id="a reloader's child whose parent has no tasks"),
    pytest.param(None, {**CHILD, "PANTHER_SCHEDULE_PARENT": "5"}, None, id="a program that a server has started"),
    pytest.param(None, {"PANTHER_SCHEDULE_PARENT": "7"}, None, id="a program that a program has started"),
]


@pytest.mark.parametrize(("main", "environ", "said"), ROWS)
def test_only_a_process_that_has_copies_is_told_of_them(
    main: FrameType | None, environ: dict[str, str], said: str | None
) -> None:
    found = copies(main, environ, 7)

    assert found is None if said is None else said in str(found)


@pytest.fixture
def unlooked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has not looked for copies."""
    monkeypatch.setattr(hosts, "_looked", -1)


@pytest.mark.usefixtures("unlooked")
def test_copies_are_told_of_once_a_process(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUN_MAIN", "true")
    monkeypatch.setenv("PANTHER_SCHEDULE_PARENT", str(os.getppid()))
    hosts.warn_of_copies("digest")
    hosts.warn_of_copies("backup")

    assert [(each.levelno, each.getMessage()[:32]) for each in caplog.records] == [
        (logging.WARNING, "task 'digest' is in memory, and ")
    ]


@pytest.mark.usefixtures("unlooked")
def test_a_server_of_another_version_does_no_harm(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = inside(*SPAWNED, config=object())
    monkeypatch.setattr(sys, "_current_frames", lambda: {threading.main_thread().ident: frame})
    hosts.warn_of_copies("digest")

    assert caplog.records == []


@pytest.mark.parametrize(("value", "disabled"), [(None, False), ("", False), ("0", False), ("1", True)])
def test_one_switches_tasks_off(value: str | None, disabled: bool) -> None:
    assert is_disabled({} if value is None else {"PANTHER_SCHEDULE_DISABLED": value}) is disabled


@pytest.mark.parametrize("value", ["true", "false", "yes", "2", " 1"])
def test_any_other_value_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="set it to 1 to run no tasks") as refused:
        is_disabled({"PANTHER_SCHEDULE_DISABLED": value})

    assert refused.value.errors()[0]["type"] == "disabled_value"


@pytest.fixture
def disabled(monkeypatch: pytest.MonkeyPatch) -> Scheduler:
    """A scheduler on the machine's clock, in a process that is to run no tasks."""
    monkeypatch.setenv("PANTHER_SCHEDULE_DISABLED", "1")
    return Scheduler()


def note() -> None:
    raise AssertionError("it runs")


async def note_later() -> None:
    note()


TASK: Any = BackgroundTask(note)
DAILY = TASK.interval(-1).on_time(time(8)).with_name("daily")
HANDED = [
    pytest.param(TASK, id="once"),
    pytest.param(TASK.interval(5), id="back to back"),
    pytest.param(BackgroundTask(note_later), id="async"),
    pytest.param(DAILY, id="daily"),
]


@pytest.mark.parametrize("task", HANDED)
def test_what_is_added_to_a_disabled_process_ends_at_once(task: Any, disabled: Scheduler) -> None:
    threads = threading.active_count()
    disabled.add_listener(lambda event: note())
    handle = disabled.add_task(task)

    assert (handle.ended, handle.next_run, handle.runs) == (True, None, ())
    assert sum(handle.counts.values()) == sum(disabled.counts.values()) == 0
    assert handle.join()
    assert disabled.join()
    assert not disabled.health().alive
    assert threading.active_count() == threads
    disabled.stop()


def test_run_forever_returns_at_once_in_a_disabled_process(disabled: Scheduler) -> None:
    disabled.add_task(DAILY)
    disabled.run_forever()
    disabled.stop()


def test_async_code_goes_on_in_a_disabled_process(disabled: Scheduler) -> None:
    async def app() -> None:
        async with disabled.lifespan():
            handle = disabled.add_task(BackgroundTask(note_later))
            assert await handle.wait()
            assert await disabled.wait()

    asyncio.run(app())


def test_a_disabled_process_still_checks_tasks(disabled: Scheduler) -> None:
    handle = disabled.add_task(DAILY)

    assert disabled.add_task(DAILY) == handle == disabled["daily"]
    assert (len(disabled), "daily" in disabled) == (1, True)
    with pytest.raises(ValidationError, match="in use"):
        disabled.add_task(DAILY.interval(5))
    with pytest.raises(ValidationError, match="BackgroundTask"):
        disabled.add_task(cast(Any, note))
    disabled.stop()


def test_control_does_no_harm_in_a_disabled_process(disabled: Scheduler) -> None:
    handle = disabled.add_task(DAILY)
    handle.pause("maintenance")
    handle.resume()
    replaced = disabled.replace(DAILY.interval(5))
    disabled.reload_tz()

    assert replaced == handle
    assert (replaced.ended, replaced.runs) == (True, ())
    for ask in (handle.run_now, lambda: handle.backfill(START, START)):
        with pytest.raises(SchedulerStateError, match="PANTHER_SCHEDULE_DISABLED=1 is set"):
            ask()
    handle.cancel()
    assert "daily" not in disabled
    disabled.stop()


def test_a_disabled_process_keeps_no_unnamed_tasks(disabled: Scheduler, the_law: law.Watch) -> None:
    report = {"a report"}
    gone = weakref.ref(report)
    disabled.add_tasks([TASK, BackgroundTask(print, report)])
    the_law.known.clear()
    del report
    gc.collect()

    assert len(disabled) == 0
    assert gone() is None
    disabled.stop()


def test_a_disabled_process_says_so_once(disabled: Scheduler, caplog: pytest.LogCaptureFixture) -> None:
    say_disabled.cache_clear()
    for _ in range(2):
        disabled.start().add_tasks([TASK, DAILY])
        disabled.stop()

    assert [each.getMessage() for each in caplog.records] == [
        "PANTHER_SCHEDULE_DISABLED=1 is set: this process runs no tasks"
    ]


def test_virtual_time_goes_on_in_a_disabled_process(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANTHER_SCHEDULE_DISABLED", "1")
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(int))

    assert handle.counts["succeeded"] == 1


def test_a_wrong_value_is_refused_when_the_scheduler_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANTHER_SCHEDULE_DISABLED", "true")
    scheduler = Scheduler()
    with pytest.raises(ValidationError, match="must be 1, 0 or empty, got 'true'"):
        scheduler.add_task(TASK)


LOOKS = [
    "'greet' in background_tasks",
    "background_tasks['greet']",
    "len(background_tasks)",
    "list(background_tasks)",
    "background_tasks.health()",
    "background_tasks.counts",
    "background_tasks.join()",
    "asyncio.run(background_tasks.wait())",
    "background_tasks.add_task(BackgroundTask(int)).join()",
]


@pytest.mark.real_clock
def test_a_child_process_says_once_that_its_scheduler_is_empty() -> None:
    done = run(
        f"""
import os
background_tasks.add_task(BackgroundTask(int).with_name('greet')).join()
for look in {LOOKS!r}:
    child = os.fork()
    if not child:
        for _ in range(2):
            try:
                eval(look)
            except KeyError:
                pass
        sys.stderr.write('---')
        background_tasks.stop()
        sys.stderr.flush()
        os._exit(0)
    os.waitpid(child, 0)
""",
        QUIET,
    )

    assert (done.returncode, done.stdout) == (0, "")
    said = "this is a child process: its scheduler starts empty; the parent's tasks stay with the parent\n"
    assert done.stderr == f"{said}---" * len(LOOKS)
