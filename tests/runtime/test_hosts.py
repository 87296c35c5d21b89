"""What hosts a process: when several would each run the same named task, and when one is to run none."""

from __future__ import annotations

import logging
import os
import sys
from types import FrameType, SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError
from test_process import QUIET, run

from panther_schedule.runtime import hosts
from panther_schedule.runtime.hosts import copies, is_disabled

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
    monkeypatch.setattr(sys, "_current_frames", lambda: dict.fromkeys(sys_threads(), frame))
    hosts.warn_of_copies("digest")

    assert caplog.records == []


def sys_threads() -> list[int]:
    return [main] if (main := hosts.threading.main_thread().ident) else []


@pytest.mark.parametrize(("value", "disabled"), [(None, False), ("", False), ("0", False), ("1", True)])
def test_one_switches_tasks_off(value: str | None, disabled: bool) -> None:
    assert is_disabled({} if value is None else {"PANTHER_SCHEDULE_DISABLED": value}) is disabled


@pytest.mark.parametrize("value", ["true", "false", "yes", "2", " 1"])
def test_any_other_value_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="set it to 1 to run no tasks") as refused:
        is_disabled({"PANTHER_SCHEDULE_DISABLED": value})

    assert refused.value.errors()[0]["type"] == "disabled_value"
