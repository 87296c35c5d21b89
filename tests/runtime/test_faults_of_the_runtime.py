"""Faults around the runs: listeners, the store, log handlers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from panther_schedule import BackgroundTask, Passed, Retry, Run, Scheduler, VirtualClock, current_run
from panther_schedule.events import Event, RunFinished, RunStarted, TaskAdded, TaskEnded
from panther_schedule.planning.state import Step
from panther_schedule.runtime import listeners
from panther_schedule.runtime.entries import Entry, Flight
from panther_schedule.runtime.memory import Memory

SECOND = timedelta(seconds=1)
SHORT = timedelta(milliseconds=20)
LONG = 10 * SECOND  # far longer than anything here takes
ONE_RUN = [TaskAdded, RunStarted, RunFinished, TaskEnded]


def note() -> None:
    """Do nothing."""


def ends(records: tuple[Run | Passed, ...]) -> list[str]:
    """List the outcomes of runs."""
    return [run.outcome for run in records if isinstance(run, Run)]


# ---- listeners ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError("own"), SystemExit(3)])
def test_a_listener_that_raises_hurts_neither_runs_nor_other_listeners(
    clock: VirtualClock, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Event] = []

    def fails(_event: Event) -> None:
        raise error

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_listener(fails)
        scheduler.add_listener(told.append)
        handle = scheduler.add_task(BackgroundTask(note))
        assert scheduler.join()

    assert ends(handle.runs) == ["succeeded"]
    assert [type(event) for event in told] == ONE_RUN
    assert [line.getMessage() for line in caplog.records] == ["a listener failed"] * 4
    assert all(line.exc_info is not None and line.exc_info[1] is error for line in caplog.records)


@pytest.mark.real_clock
def test_a_slow_listener_delays_no_run_and_misses_nothing() -> None:
    release, told = threading.Event(), list[Event]()

    def slow(event: Event) -> None:
        assert release.wait(60)
        told.append(event)

    with Scheduler() as scheduler:
        scheduler.add_listener(slow)
        for _ in range(20):
            scheduler.add_task(BackgroundTask(note))
        assert scheduler.join(LONG)
        assert not told
        release.set()

    for name in dict.fromkeys(event.task for event in told if isinstance(event, TaskAdded)):
        assert [type(event) for event in told if getattr(event, "task", "") == name] == ONE_RUN
    assert len(told) == 80
    assert scheduler.health().events_dropped == 0


@pytest.mark.real_clock
def test_events_that_wait_are_bounded_and_the_others_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "MOST_UNTOLD", 3)
    release, begun, told = threading.Event(), threading.Event(), list[Event]()

    def slow(event: Event) -> None:
        begun.set()
        assert release.wait(60)
        told.append(event)

    with Scheduler() as scheduler:
        scheduler.add_listener(slow)
        scheduler.add_task(BackgroundTask(note))
        assert begun.wait(10)
        for _ in range(9):
            scheduler.add_task(BackgroundTask(note))
        assert scheduler.join(LONG)

        assert scheduler.health().events_dropped == 36  # of 40; one is being told, and three wait
        assert scheduler.counts["succeeded"] == 10
        release.set()
    assert len(told) == 4


def test_listeners_may_add_and_remove_listeners(clock: VirtualClock) -> None:
    first: list[Event] = []
    second: list[Event] = []

    def once(event: Event) -> None:
        first.append(event)
        remove()
        scheduler.add_listener(second.append)

    with Scheduler(clock=clock) as scheduler:
        remove = scheduler.add_listener(once)
        scheduler.add_task(BackgroundTask(note))
        assert scheduler.join()

    assert [type(event) for event in first + second] == ONE_RUN
    assert len(first) == 1


def chain(scheduler: Scheduler, told: list[str]) -> Callable[[Event], None]:
    """Return a listener that adds the next task when one has ended, and uses much else on the way."""

    def listen(event: Event) -> None:
        told.append(type(event).__name__)
        match event:
            case RunFinished(task=name):
                handle = scheduler[name]
                handle.pause("for a moment")
                handle.resume()
                handle.run_now()
                assert scheduler.health().alive
                assert name in scheduler
                if name != "last":
                    scheduler.add_task(BackgroundTask(note).with_name("last"))
            case _:
                pass

    return listen


def test_a_listener_may_use_its_scheduler_on_a_virtual_clock(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    with Scheduler(clock=clock) as scheduler:
        add = scheduler.add_listener(limited(chain(scheduler, told)))
        scheduler.add_task(BackgroundTask(note).with_name("first"))
        assert scheduler.join()
        add()

        assert ends(scheduler["last"].runs)[0] == "succeeded"
    assert not caplog.records


@pytest.mark.real_clock
def test_a_listener_may_use_its_scheduler(caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    with Scheduler() as scheduler:
        ended = threading.Event()
        scheduler.add_listener(limited(chain(scheduler, told)))
        scheduler.add_listener(lambda event: ended.set() if event == TaskEnded("last", False) else None)
        scheduler.add_task(BackgroundTask(note).with_name("first"))
        assert ended.wait(10)
        assert scheduler.join(LONG)

        assert ends(scheduler["last"].runs)[0] == "succeeded"
    assert not caplog.records


def limited(listener: Callable[[Event], None]) -> Callable[[Event], None]:
    """Tell a listener of scheduled runs only: a manual run at the end of each manual run would never end."""

    def listen(event: Event) -> None:
        if not (isinstance(event, RunFinished) and event.run.cause == "manual"):
            listener(event)

    return listen


@pytest.mark.real_clock
def test_a_listener_may_stop_its_scheduler() -> None:
    stopped = threading.Event()
    scheduler = Scheduler()

    def stops(event: Event) -> None:
        if isinstance(event, RunFinished):
            scheduler.stop()
            stopped.set()

    scheduler.add_listener(stops)
    scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(timedelta(hours=1)))
    assert stopped.wait(10)
    assert not scheduler.health().alive


# ---- the store ---------------------------------------------------------------------------------------------------


class Fault:
    """Lets the store keep nothing of some steps about the task `hurt`, at first or always."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fits: Callable[[Step], bool], times: int = 1) -> None:
        self.left, save = times, Memory.save

        def faulty(store: Memory, entry: Entry, flight: Flight | None, step: Step, *more: Any) -> None:
            if self.left and entry.name == "hurt" and fits(step):
                self.left -= 1
                raise OSError("disk full")
            save(store, entry, flight, step, *more)

        monkeypatch.setattr(Memory, "save", faulty)


def starts(step: Step) -> bool:
    """Tell whether a run starts."""
    return bool(step.starts)


def succeeds(step: Step) -> bool:
    """Tell whether a run has succeeded."""
    return step.record is not None and step.record.outcome == "succeeded"


def tries_again(step: Step) -> bool:
    """Tell whether a further attempt begins."""
    return step.hand_over


def any_step(_step: Step) -> bool:
    """Fit each step."""
    return True


@pytest.mark.parametrize("fits", [starts, succeeds])
def test_what_a_fault_of_the_store_put_off_is_done_a_second_later(
    clock: VirtualClock, fits: Callable[[Step], bool], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Fault(monkeypatch, fits)
    called: list[timedelta] = []
    start = clock.now()
    task = BackgroundTask(lambda: called.append(clock.now() - start)).interval(3).interval_wait(10 * SECOND)
    with Scheduler(clock=clock) as scheduler:
        hurt = scheduler.add_task(task.with_name("hurt"))
        other = scheduler.add_task(BackgroundTask(note))
        clock.advance(0 * SECOND)
        assert ends(other.runs) == ["succeeded"]
        assert not hurt.runs
        assert scheduler.join()

    late = SECOND if fits is starts else 0 * SECOND
    assert called == [late, 10 * SECOND, 20 * SECOND]
    assert ends(hurt.runs) == ["succeeded"] * 3
    (line,) = caplog.records
    assert line.getMessage() == "an error in the scheduler; trying again in 1 s"
    assert line.exc_info is not None
    assert isinstance(line.exc_info[1], OSError)


def test_a_fault_at_the_next_attempt_puts_it_off(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Fault(monkeypatch, tries_again)
    called: list[timedelta] = []
    start = clock.now()

    def fails_once() -> None:
        called.append(clock.now() - start)
        if current_run().attempt == 1:
            raise ConnectionError

    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(fails_once).with_name("hurt").with_policy(retry=Retry(3, delay=LONG))
        hurt = scheduler.add_task(task)
        assert scheduler.join()

    assert called == [0 * SECOND, LONG + SECOND]
    assert ends(hurt.runs) == ["succeeded"]
    assert [line.getMessage() for line in caplog.records] == ["an error in the scheduler; trying again in 1 s"]


@pytest.mark.parametrize("fits", [starts, succeeds])
def test_a_fault_of_one_task_that_lasts_leaves_the_others_alone(
    clock: VirtualClock, fits: Callable[[Step], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = Fault(monkeypatch, fits, times=1_000_000)
    every = BackgroundTask(note).interval(-1).interval_wait(SECOND)
    with Scheduler(clock=clock) as scheduler:
        hurt = scheduler.add_task(every.with_name("hurt"))
        other = scheduler.add_task(every)
        clock.advance(LONG)

        assert ends(other.runs) == ["succeeded"] * 11
        assert not ends(hurt.runs)
        assert scheduler.health().overdue == (("hurt",) if fits is starts else ())
        fault.left = 0
        clock.advance(SECOND)
        assert ends(hurt.runs)


def test_what_was_put_off_is_done_before_the_end(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    Fault(monkeypatch, starts)
    scheduler = Scheduler(clock=clock)
    hurt = scheduler.add_task(BackgroundTask(note).with_name("hurt"))
    clock.advance(0 * SECOND)
    scheduler.stop()

    assert ends(hurt.runs) == ["succeeded"]


@pytest.mark.real_clock
def test_a_stop_does_not_wait_for_a_fault_that_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    Fault(monkeypatch, succeeds, times=1_000_000)
    finished = threading.Event()
    scheduler = Scheduler()
    hurt = scheduler.add_task(BackgroundTask(finished.set).with_name("hurt"))
    assert finished.wait(10)
    scheduler.stop(SHORT)

    assert ends(hurt.runs) == ["abandoned"]


def test_a_store_that_fails_until_the_end_is_told_of(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Scheduler(clock=clock) as scheduler:
        hurt, other = (scheduler.add_task(BackgroundTask(note).with_name(name)) for name in ("hurt", "other"))
        Fault(monkeypatch, lambda step: step.record is not None, times=1_000_000)
        clock.advance(SECOND)

    assert (hurt.counts["in_flight"], other.counts["in_flight"]) == (1, 0)
    assert caplog.records[-1].getMessage() == "the store failed until the end; 1 run(s) stay without a record"


# ---- log handlers ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("broken_logging")
def test_a_broken_log_handler_hurts_nobody_who_logs(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    Fault(monkeypatch, starts)
    told: list[Event] = []

    def fails(_event: Event) -> None:
        raise OSError

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_listener(fails)
        scheduler.add_listener(told.append)
        handles = [
            scheduler.add_task(BackgroundTask(note).with_name("hurt")),
            scheduler.add_task(BackgroundTask(divmod, 1, 0)),
            scheduler.add_task(BackgroundTask(clock.sleep, LONG).with_policy(timeout=SECOND)),
        ]
        clock.step(LONG)
        assert scheduler.join()

    assert [ends(handle.runs) for handle in handles] == [["succeeded"], ["failed"], ["timed_out"]]
    assert len(told) == 13
