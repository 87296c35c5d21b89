"""`Scheduler.health()`: every field, before the start, while it runs, after the stop and on a virtual clock."""

from __future__ import annotations

import asyncio
import os
import threading
from datetime import UTC, datetime, timedelta

import pytest

from panther_schedule import BackgroundTask, Retry, Run, Scheduler, TaskHandle, VirtualClock
from panther_schedule.clock import MICROSECOND, Reading, SystemClock
from panther_schedule.runtime.engine import Engine
from panther_schedule.runtime.entries import Entry
from panther_schedule.runtime.health import Health

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
LONG = 10 * SECOND  # far longer than anything here takes
NONE = timedelta(0)


def note() -> None:
    """Do nothing."""


# ---- on a virtual clock, where every field is known --------------------------------------------------------------


def test_before_the_start_nothing_lives(clock: VirtualClock) -> None:
    assert Scheduler(clock=clock).health() == Health(
        alive=False, last_turn_at=None, overdue=(), lag=NONE, waiting=0, events_dropped=0
    )


def test_before_the_start_every_count_is_zero(clock: VirtualClock) -> None:
    counts = Scheduler(clock=clock).counts

    assert (counts["succeeded"], counts["missed"], counts["in_flight"]) == (0, 0, 0)
    assert not any(counts.values())


def test_on_a_virtual_clock_it_lives_from_start_to_stop(clock: VirtualClock) -> None:
    start = clock.now()
    with Scheduler(max_workers=3, clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(MINUTE))
        scheduler.add_task(BackgroundTask(note))
        scheduler.add_task(BackgroundTask(note).with_name("ended"))
        clock.advance(90 * SECOND)
        health = scheduler.health()
        clock.advance(10 * SECOND)
        later = scheduler.health()

    assert health == Health(alive=True, last_turn_at=start + MINUTE, overdue=(), lag=NONE, waiting=0, events_dropped=0)
    assert later.last_turn_at == start + 90 * SECOND
    assert not scheduler.health().alive


def test_runs_in_flight_are_those_that_go_on_or_are_tried_again(clock: VirtualClock) -> None:
    seen: list[int] = []
    with Scheduler(clock=clock) as scheduler:
        retry = Retry(2, delay=MINUTE)
        scheduler.add_task(BackgroundTask(divmod, 1, 0).with_policy(retry=retry))
        scheduler.add_task(BackgroundTask(lambda: seen.append(scheduler.counts["in_flight"])))
        clock.advance(SECOND)
        seen.append(scheduler.counts["in_flight"])
        scheduler.join()

    assert seen == [2, 1]


def test_a_run_within_a_run_waits_for_no_worker(clock: VirtualClock) -> None:
    seen: list[Health] = []
    with Scheduler(max_workers=1, clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(clock.sleep, 5 * SECOND))
        scheduler.add_task(BackgroundTask(lambda: seen.append(scheduler.health())))
        scheduler.join()

    assert [health.waiting for health in seen] == [0]


def test_a_task_is_overdue_when_it_was_due_a_second_ago(clock: VirtualClock) -> None:
    """Between a suspend and the turn that follows it, which a run of another scheduler may see."""
    seen: list[Health] = []
    with Scheduler(clock=clock) as other, Scheduler(clock=clock) as scheduler:
        every = BackgroundTask(note).interval(-1)
        scheduler.add_task(every.interval_wait(MINUTE).with_name("minutes"))
        scheduler.add_task(every.interval_wait(30 * SECOND).with_name("halves"))
        scheduler.add_task(every.interval_wait(timedelta(seconds=89)).with_name("just due"))
        scheduler.add_task(every.interval_wait(timedelta(minutes=2)).with_name("to come"))
        scheduler.add_task(every.interval_wait(MINUTE).with_name("paused")).pause()
        clock.advance(NONE)
        other.add_task(BackgroundTask(lambda: seen.append(scheduler.health())).interval(2).interval_wait(90 * SECOND))
        clock.advance(NONE)
        clock.suspend(90 * SECOND)
        seen.append(scheduler.health())

    assert [health.overdue for health in seen] == [(), ("halves", "minutes"), ()]
    assert [health.lag for health in seen] == [NONE, MINUTE, NONE]


def hand_over(handle: TaskHandle) -> None:
    """Wait until all that is due is handed over: the second command comes in a later turn than the first."""
    handle.pause()
    handle.pause()


# ---- on the machine's clock --------------------------------------------------------------------------------------


@pytest.mark.real_clock
def test_the_number_of_workers_has_a_default() -> None:
    most, release = min(32, (os.cpu_count() or 1) + 4), threading.Event()
    with Scheduler() as scheduler:
        handles = [scheduler.add_task(BackgroundTask(release.wait, 60)) for _ in range(most + 3)]
        hand_over(handles[0])
        waiting = scheduler.health().waiting
        release.set()

    assert waiting == 3


@pytest.mark.real_clock
def test_runs_that_wait_for_a_worker_are_counted() -> None:
    release, begun = threading.Event(), threading.Semaphore(0)

    def works() -> None:
        begun.release()
        release.wait(60)

    before = datetime.now(UTC)
    with Scheduler(max_workers=2) as scheduler:
        handles = [scheduler.add_task(BackgroundTask(works)) for _ in range(5)]
        assert begun.acquire(timeout=10)
        assert begun.acquire(timeout=10)
        last = scheduler.add_task(BackgroundTask(note).interval(2).interval_wait(timedelta(hours=1)))
        hand_over(last)
        health = scheduler.health()

        assert (health.alive, health.waiting, scheduler.counts["in_flight"]) == (True, 4, 6)
        assert (health.overdue, health.lag, health.events_dropped) == ((), NONE, 0)
        assert health.last_turn_at is not None
        assert before - SECOND < health.last_turn_at < datetime.now(UTC) + SECOND
        release.set()
        last.cancel()
        assert scheduler.join(LONG)
        assert (scheduler.health().waiting, scheduler.counts["in_flight"]) == (0, 0)

    assert not scheduler.health().alive
    assert all(handle.ended for handle in handles)


@pytest.mark.real_clock
def test_a_function_that_outlives_its_timeout_keeps_its_worker() -> None:
    release = threading.Event()
    with Scheduler(max_workers=1) as scheduler:
        handle = scheduler.add_task(BackgroundTask(release.wait, 60).with_policy(timeout=timedelta(milliseconds=10)))
        assert handle.join(LONG)
        waits = scheduler.add_task(BackgroundTask(note))
        hand_over(waits)
        in_flight, waiting = scheduler.counts["in_flight"], scheduler.health().waiting
        release.set()

    assert (in_flight, waiting) == (1, 1)


@pytest.mark.real_clock
def test_coroutines_keep_no_worker_also_of_a_sync_function() -> None:
    begun, loops = threading.Semaphore(0), list[asyncio.AbstractEventLoop]()
    release = asyncio.Event()

    async def waits(until: asyncio.Event) -> None:
        loops.append(asyncio.get_running_loop())
        begun.release()
        await until.wait()

    with Scheduler(max_workers=2) as scheduler:
        for _ in range(5):
            scheduler.add_task(BackgroundTask(lambda: waits(release)))
        for _ in range(5):
            assert begun.acquire(timeout=10)
        health = scheduler.health()
        assert scheduler.counts["in_flight"] == 5
        loops[0].call_soon_threadsafe(release.set)

    assert health.waiting == 0


@pytest.mark.real_clock
def test_health_answers_in_a_run() -> None:
    seen: list[Health] = []
    with Scheduler(max_workers=1) as scheduler:

        async def look() -> None:
            seen.append(scheduler.health())

        scheduler.add_task(BackgroundTask(lambda: seen.append(scheduler.health())))
        scheduler.add_task(BackgroundTask(look))
        assert scheduler.join(LONG)

    assert [health.alive for health in seen] == [True, True]


# ---- the scheduler's thread is stuck -----------------------------------------------------------------------------


class Ahead(SystemClock):
    """The machine's clock, and what it was put ahead by: time that a stuck thread lets pass."""

    __slots__ = ("by",)

    def __init__(self) -> None:
        super().__init__()
        self.by = timedelta(0)

    def read(self) -> Reading:
        wall, steady = super().read()
        return Reading(wall + self.by // MICROSECOND, steady + self.by // MICROSECOND)


@pytest.mark.real_clock
def test_a_stuck_thread_is_seen_from_outside_and_recovers(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, release, whole = threading.Event(), threading.Event(), Engine.plan

    def plan(engine: Engine, entry: Entry, reading: Reading) -> None:
        if entry.name == "blocking":
            stuck.set()
            assert release.wait(60)
        whole(engine, entry, reading)

    monkeypatch.setattr(Engine, "plan", plan)
    clock = Ahead()
    every = BackgroundTask(note).interval(-1).interval_wait(timedelta(minutes=1))
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(every.interval(2).with_name("waits"))
        assert handle.run_now().join(LONG).outcome == "succeeded"
        scheduler.add_task(BackgroundTask(note).with_name("blocking"))
        assert stuck.wait(10)
        well = scheduler.health()
        assert (well.alive, well.overdue, well.lag) == (True, (), timedelta(0))
        clock.by = timedelta(minutes=2)

        ill = scheduler.health()
        assert ill.alive
        assert ill.overdue == ("blocking", "waits")
        assert timedelta(minutes=2) <= ill.lag < timedelta(minutes=3)
        assert ill.last_turn_at == well.last_turn_at
        release.set()
        assert handle.join(LONG)
        assert scheduler.join(LONG)
        healed = scheduler.health()
        assert (healed.overdue, healed.lag) == ((), timedelta(0))
        assert ill.last_turn_at is not None
        assert healed.last_turn_at is not None
        assert healed.last_turn_at >= ill.last_turn_at + timedelta(minutes=2)
    assert [run.outcome for run in handle.runs if isinstance(run, Run)] == ["succeeded"] * 3
