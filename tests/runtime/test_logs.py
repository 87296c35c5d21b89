"""What is logged about runs: one line a run at most, with fields that a log pipeline can use, and no values."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from model_parts import Ways
from pair import Pair, Timing

from panther_schedule import BackgroundTask, Policy, Retry, Scheduler, VirtualClock, current_run

SECOND = timedelta(seconds=1)
SECRET = "hunter2"  # noqa: S105 - an argument that no log may show


class Lines(logging.Handler):
    """Keeps what is logged, as a log pipeline gets it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append({**vars(record), "text": logging.Formatter().format(record)})

    def fields(self) -> list[tuple[Any, ...]]:
        """List the fields of each line."""
        names = ("levelname", "task", "run_id", "scheduled_at", "attempt", "outcome")
        return [tuple(line.get(name) for name in names) for line in self.lines]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    logging.getLogger("panther_schedule").addHandler(handler)
    yield handler
    logging.getLogger("panther_schedule").removeHandler(handler)


def note(_what: str) -> None:
    """Do nothing."""


def fails(_what: str) -> None:
    raise OSError("no such host")


async def fails_async(_what: str) -> None:
    await asyncio.sleep(0)
    raise OSError("no such host")


# ---- failed ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("func", [fails, fails_async])
@pytest.mark.parametrize("attempts", [None, 3])
def test_a_failed_run_is_one_line_with_the_traceback(
    clock: VirtualClock, lines: Lines, func: Callable[[str], Any], attempts: int | None
) -> None:
    start = clock.now().isoformat()
    task = BackgroundTask(func, SECRET).with_name("fetch")
    if attempts is not None:
        task = task.with_policy(retry=Retry(attempts, delay=SECOND))
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(task)
        assert scheduler.join()

    assert lines.fields() == [("ERROR", "fetch", f"fetch/{start}", start, attempts or 1, "failed")]
    text = lines.lines[0]["text"]
    assert text.startswith("task fetch failed\nTraceback")
    assert text.endswith("OSError: no such host")
    assert SECRET not in text


def test_a_run_that_succeeds_at_last_is_no_line(clock: VirtualClock, lines: Lines) -> None:
    def flaky() -> None:
        if current_run().attempt < 3:
            raise OSError

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(flaky).with_policy(retry=Retry(3, delay=SECOND)))
        assert scheduler.join()

    assert scheduler.counts["succeeded"] == 1
    assert lines.lines == []


def test_each_failed_run_of_a_task_is_a_line(clock: VirtualClock, lines: Lines) -> None:
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(fails, SECRET).interval(3).interval_wait(SECOND))
        assert scheduler.join()

    assert len({line["run_id"] for line in lines.lines}) == len(lines.lines) == 3


def test_a_manual_run_has_its_own_id(clock: VirtualClock, lines: Lines) -> None:
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note, SECRET).with_name("fetch"))
        scheduler.join()
        scheduler.replace(BackgroundTask(fails, SECRET).with_name("fetch"))
        run = handle.run_now()

    assert [line["run_id"] for line in lines.lines] == [run.id]
    assert run.id.endswith("/manual-1")


# ---- timed out, abandoned, cancelled -----------------------------------------------------------------------------


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_run_that_timed_out_is_one_line(clock: VirtualClock, lines: Lines, attempts: int) -> None:
    start = clock.now().isoformat()
    retry = Retry(attempts, delay=SECOND, on=(TimeoutError,)) if attempts > 1 else None
    policy = Policy(timeout=SECOND) if retry is None else Policy(timeout=SECOND, retry=retry)

    def works(what: str) -> None:
        clock.sleep(5 * SECOND)
        raise OSError(what)  # too late to be told

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(works, SECRET).with_name("slow").with_policy(policy))
        assert scheduler.join()

    assert lines.fields() == [("WARNING", "slow", f"slow/{start}", start, attempts, "timed_out")]
    assert "took longer than its timeout" in lines.lines[0]["text"]


@pytest.mark.real_clock
def test_an_abandoned_run_is_one_line(lines: Lines) -> None:
    release, begun, returned = threading.Event(), threading.Event(), threading.Event()

    def works(_what: str) -> None:
        begun.set()
        release.wait(60)
        returned.set()
        raise OSError

    scheduler = Scheduler()
    handle = scheduler.add_task(BackgroundTask(works, SECRET).with_name("stuck"))
    assert begun.wait(10)
    scheduler.stop(timedelta(milliseconds=20))

    assert [(line["levelname"], line["outcome"], line["attempt"]) for line in lines.lines] == [
        ("WARNING", "abandoned", 1)
    ]
    assert lines.lines[0]["run_id"] == f"stuck/{lines.lines[0]['scheduled_at']}"
    assert datetime.fromisoformat(lines.lines[0]["scheduled_at"]).utcoffset() == timedelta(0)
    assert handle.ended
    assert SECRET not in lines.lines[0]["text"]
    release.set()
    assert returned.wait(10)


def test_a_run_that_waited_and_is_abandoned_is_a_line(lines: Lines) -> None:
    pair = Pair()
    pair.add(Timing("repeat", 2, 10_000_000), Ways(overlap="queue_all"), named=True)
    pair.advance(15_000_000)
    pair.stop()

    words = "task task-0 abandoned: its scheduler or its event loop ended first"
    assert [line["text"] for line in lines.lines] == [words] * 2
    assert sorted(line["scheduled_at"][11:19] for line in lines.lines) == ["00:00:00", "00:00:10"]


def test_runs_that_succeed_or_are_cancelled_are_no_lines(clock: VirtualClock, lines: Lines) -> None:
    def works() -> None:
        clock.sleep(2 * SECOND)
        assert current_run().cancelled

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(works))
        again = scheduler.add_task(BackgroundTask(fails, SECRET).with_policy(retry=Retry(2, delay=5 * SECOND)))
        scheduler.add_task(BackgroundTask(note, SECRET).interval(5).interval_wait(SECOND))

        def cancel() -> None:
            handle.cancel()
            again.cancel()

        scheduler.add_task(BackgroundTask(cancel))
        assert scheduler.join()

    assert scheduler.counts["cancelled"] == 2
    assert lines.lines == []


# ---- what else ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "direction"), [(timedelta(hours=1), "forward"), (-timedelta(hours=1), "back")])
def test_a_step_of_the_clock_is_one_warning(clock: VirtualClock, lines: Lines, by: timedelta, direction: str) -> None:
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(note, SECRET))
        clock.step(by)
        clock.advance(SECOND)

    assert [(line["levelname"], line["text"]) for line in lines.lines] == [
        ("WARNING", f"the wall clock was set {direction} by 1:00:00")
    ]


def test_what_a_stop_drops_in_a_program_that_goes_on_is_no_line(clock: VirtualClock, lines: Lines) -> None:
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(note, SECRET).interval(-1).interval_wait(timedelta(hours=1)))

    assert lines.lines == []
