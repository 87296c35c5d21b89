"""How a scheduler ends: by a block, by stop(), by the end of the program; what drains, and what no longer works."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from test_process import run

from panther_schedule import BackgroundTask, Once, Passed, Retry, Run, Scheduler, SchedulerStateError, VirtualClock
from panther_schedule.events import Event, TaskEnded

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SHORT = timedelta(milliseconds=20)
LONG = 10 * SECOND  # far longer than anything here takes


def note() -> None:
    """Do nothing."""


def ends(records: tuple[Run | Passed, ...]) -> list[str]:
    """List the outcomes and reasons of records."""
    return [record.outcome if isinstance(record, Run) else record.reason for record in records]


# ---- what drains, on a virtual clock -----------------------------------------------------------------------------


def test_a_block_drains_what_is_due_and_drops_what_is_to_come(clock: VirtualClock) -> None:
    with Scheduler(clock=clock) as scheduler:
        due = scheduler.add_task(BackgroundTask(note))
        series = scheduler.add_task(BackgroundTask(note).interval(5).interval_wait(MINUTE))
        daily = scheduler.add_task(BackgroundTask(note).interval(-1).on_time(time(8)))
        finite = scheduler.add_task(BackgroundTask(note).interval(5))

    assert [ends(handle.runs) for handle in (due, series, daily, finite)] == [
        ["succeeded"],
        ["succeeded"],
        [],
        ["succeeded"] * 5,
    ]
    assert all(handle.ended and handle.next_run is None for handle in (due, series, daily, finite))


def test_an_error_in_the_block_drains_all_the_same(clock: VirtualClock) -> None:
    handles: list[Any] = []
    with pytest.raises(ZeroDivisionError), Scheduler(clock=clock) as scheduler:  # noqa: PT012 - the block is the point
        handles.append(scheduler.add_task(BackgroundTask(note)))
        divmod(1, 0)

    assert ends(handles[0].runs) == ["succeeded"]


def test_a_drain_waits_for_attempts_that_are_to_come(clock: VirtualClock) -> None:
    errors: list[Exception] = [OSError(), OSError()]

    def flaky() -> None:
        if errors:
            raise errors.pop()

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(flaky).with_policy(retry=Retry(3, delay=SECOND)))

    assert ends(handle.runs) == ["succeeded"]


def test_an_attempt_beyond_the_drain_is_abandoned(clock: VirtualClock) -> None:
    scheduler = Scheduler(clock=clock)
    handle = scheduler.add_task(BackgroundTask(divmod, 1, 0).with_policy(retry=Retry(3, delay=MINUTE)))
    clock.advance(SECOND)
    before = clock.now()
    scheduler.stop(5 * SECOND)

    assert clock.now() - before == 5 * SECOND
    (record,) = handle.runs
    assert isinstance(record, Run)
    assert [attempt.outcome for attempt in record.attempts] == ["failed", "abandoned"]


class Queue:
    """A task of which one run goes on until it is released, and two more wait."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.release, self.waits = threading.Event(), threading.Event()
        wait = timedelta(milliseconds=1)
        task = BackgroundTask(self.release.wait, 60).interval(3).interval_wait(wait)
        self.handle = scheduler.add_task(task.with_policy(overlap="queue_all"))
        while self.handle.counts["in_flight"] < 3:
            self.waits.wait(0.001)

    def ends(self) -> list[str]:
        """List the outcomes of its runs; on a slow machine some occurrences were missed."""
        return [end for end in ends(self.handle.runs) if end != "missed"]


@pytest.mark.real_clock
def test_runs_that_wait_for_the_one_before_drain() -> None:
    scheduler = Scheduler()
    queue = Queue(scheduler)
    stop = threading.Thread(target=scheduler.stop)
    stop.start()
    queue.release.set()
    stop.join(10)

    assert queue.ends() == ["succeeded"] * 3


@pytest.mark.real_clock
def test_runs_that_wait_beyond_the_drain_are_abandoned() -> None:
    scheduler = Scheduler()
    queue = Queue(scheduler)
    scheduler.stop(SHORT)
    queue.release.set()

    assert queue.ends() == ["abandoned"] * 3


def test_a_pause_that_the_end_finds_is_recorded_and_nothing_of_it_starts(clock: VirtualClock) -> None:
    with Scheduler(clock=clock) as scheduler:
        series = scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(MINUTE))
        once = scheduler.add_task(BackgroundTask(note).with_schedule(Once(clock.now() + MINUTE)))
        back_to_back = scheduler.add_task(BackgroundTask(note).interval(5))
        for handle in (series, once, back_to_back):
            handle.pause("maintenance")  # what is due now has begun
        clock.advance(2.5 * MINUTE)

    assert ends(series.runs) == ["succeeded", "skipped_paused"]
    assert series.counts["skipped_paused"] == 2
    assert ends(once.runs) == ["skipped_paused"]
    assert ends(back_to_back.runs) == ["succeeded", "skipped_paused"]
    assert all(handle.ended for handle in (series, once, back_to_back))


def test_a_pause_in_the_drain_holds_to_its_end(clock: VirtualClock) -> None:
    def works() -> None:
        if len(handle.runs) == 1:
            handle.pause()

    scheduler = Scheduler(clock=clock)
    handle = scheduler.add_task(BackgroundTask(works).interval(5))
    scheduler.stop()

    assert ends(handle.runs) == ["succeeded", "succeeded", "skipped_paused"]
    assert handle.ended


def test_a_backfill_that_is_going_drains(clock: VirtualClock) -> None:
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, SECOND).interval(-1).interval_wait(MINUTE))
        clock.advance(3.5 * MINUTE)
        runs = handle.backfill(clock.now() - 3 * MINUTE, clock.now())

    assert [one.run.outcome for one in runs if one.run is not None] == ["succeeded"] * 3


@pytest.mark.real_clock
def test_a_backfill_beyond_the_drain_is_abandoned() -> None:
    release, begun, tasks = threading.Event(), threading.Event(), list[Any]()

    def works() -> None:
        if len(tasks) > 0:
            begun.set()
            release.wait(60)

    scheduler = Scheduler()
    handle = scheduler.add_task(BackgroundTask(works).interval(3).interval_wait(timedelta(milliseconds=1)))
    assert handle.join(LONG)
    tasks.append(handle)
    at = [record.scheduled_at for record in handle.runs if isinstance(record, Run)]
    runs = handle.backfill(at[0], at[-1])
    assert begun.wait(10)
    scheduler.stop(SHORT)
    release.set()

    assert {one.run.outcome for one in runs if one.run is not None} == {"abandoned"}
    assert [one.run is not None for one in runs] == [True] * len(runs)
    assert len(runs) >= 3
    assert handle.counts["abandoned"] == 0  # they claim no occurrence


# ---- twice, and from within --------------------------------------------------------------------------------------


@pytest.mark.parametrize("started", [True, False])
def test_to_stop_twice_changes_nothing(clock: VirtualClock, started: bool) -> None:
    told: list[Event] = []
    scheduler = Scheduler(clock=clock)
    scheduler.add_listener(told.append)
    if started:
        scheduler.add_task(BackgroundTask(note))
    scheduler.stop()
    before = list(told)
    scheduler.stop()
    scheduler.stop(timedelta(0))

    assert told == before
    assert sum(isinstance(event, TaskEnded) for event in told) == started


REFUSED = r"stop\(\) waits for runs to end, and "


@pytest.mark.real_clock
def test_a_run_can_not_stop_the_scheduler_that_runs_it() -> None:
    with Scheduler() as scheduler:

        async def stops() -> None:
            scheduler.stop()

        handles = [scheduler.add_task(BackgroundTask(func)) for func in (scheduler.stop, stops)]
        assert scheduler.join(LONG)
        assert scheduler.health().alive

    for handle in handles:
        (record,) = handle.runs
        assert isinstance(record, Run)
        assert re.search(f"SchedulerStateError: .*{REFUSED}is called from one of them", str(record.error))


@pytest.mark.real_clock
def test_another_thread_stops_it_while_runs_go_on() -> None:
    threads: list[threading.Thread] = []
    scheduler = Scheduler()

    def stops() -> None:
        thread = threading.Thread(target=scheduler.stop)
        thread.start()
        threads.append(thread)

    handle = scheduler.add_task(BackgroundTask(stops))
    assert handle.join(LONG)
    threads[0].join(10)

    assert ends(handle.runs) == ["succeeded"]
    assert not scheduler.health().alive


# ---- on the loop of an app ---------------------------------------------------------------------------------------


@pytest.mark.real_clock
def test_the_end_of_an_async_block_drains_on_the_apps_loop() -> None:
    handles: list[Any] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def works() -> None:
        await asyncio.sleep(0.01)
        loops.append(asyncio.get_running_loop())

    async def main() -> None:
        async with Scheduler() as scheduler:
            handles.append(scheduler.add_task(BackgroundTask(works)))
            handles.append(scheduler.add_task(BackgroundTask(note)))
            handles.append(scheduler.add_task(BackgroundTask(works).interval(2)))
            with pytest.raises(SchedulerStateError, match=f"{REFUSED}would block .* leave the `async with`"):
                scheduler.stop()
        assert loops == [asyncio.get_running_loop()] * 3
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert [ends(handle.runs) for handle in handles] == [["succeeded"], ["succeeded"], ["succeeded"] * 2]


@pytest.mark.real_clock
def test_an_async_run_beyond_the_drain_is_abandoned_and_ends_with_the_app() -> None:
    said: list[str] = []
    records: list[Any] = []

    async def works() -> None:
        said.append("begins")
        try:
            await asyncio.Event().wait()
        finally:
            said.append("is cancelled by the app")

    async def main() -> None:
        async with Scheduler() as scheduler:
            handle = scheduler.add_task(BackgroundTask(works))
            await asyncio.to_thread(scheduler.stop, SHORT)
            records.extend(handle.runs)

    asyncio.run(main())
    assert [record.outcome for record in records] == ["abandoned"]
    assert said == ["begins", "is cancelled by the app"]


@pytest.mark.real_clock
def test_an_app_that_is_cancelled_in_the_block_drains() -> None:
    handles: list[Any] = []
    release = threading.Event()

    async def works() -> None:
        release.set()
        await asyncio.sleep(0.01)

    async def block() -> None:
        async with Scheduler() as scheduler:
            handles.append(scheduler.add_task(BackgroundTask(works)))
            await asyncio.Event().wait()

    async def main() -> None:
        app = asyncio.create_task(block())
        assert await asyncio.to_thread(release.wait, 10)
        app.cancel()
        with pytest.raises(asyncio.CancelledError):
            await app

    asyncio.run(main())
    assert ends(handles[0].runs) == ["succeeded"]


# ---- after the end -----------------------------------------------------------------------------------------------

ADDS: list[Callable[[Scheduler, Any], object]] = [
    lambda scheduler, _handle: scheduler.add_task(BackgroundTask(note)),
    lambda scheduler, _handle: scheduler.add_tasks([BackgroundTask(note)]),
    lambda scheduler, _handle: scheduler.replace(BackgroundTask(note).with_name("digest")),
    lambda _scheduler, handle: handle.run_now(),
    lambda _scheduler, handle: handle.backfill(handle.next_run, handle.next_run),
]


@pytest.mark.parametrize("add", ADDS)
@pytest.mark.parametrize("real", [pytest.param(True, marks=pytest.mark.real_clock), False])
def test_nothing_starts_after_the_end(clock: VirtualClock, add: Callable[[Scheduler, Any], object], real: bool) -> None:
    with Scheduler() if real else Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(HOUR).with_name("digest"))

    with pytest.raises(SchedulerStateError, match=r"has stopped.*(call start\(\) to begin afresh|add it again)"):
        add(scheduler, handle)
    assert ends(handle.runs) == ["succeeded"]


@pytest.mark.parametrize("real", [pytest.param(True, marks=pytest.mark.real_clock), False])
def test_control_after_the_end_does_nothing(clock: VirtualClock, real: bool) -> None:
    told: list[Event] = []
    scheduler = Scheduler() if real else Scheduler(clock=clock)
    scheduler.add_listener(told.append)
    handle = scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(HOUR).with_name("digest"))
    scheduler.stop()
    before, records = list(told), handle.runs
    handle.pause("late")
    assert not handle.paused
    handle.resume()
    handle.cancel()
    assert handle.join(SECOND)
    assert scheduler.join(SECOND)

    assert (told, handle.runs, handle.ended) == (before, records, True)


# ---- the program ends --------------------------------------------------------------------------------------------

AT_EXIT = [
    pytest.param(
        "from panther_schedule import Retry\n"
        "tries = []\n"
        "def flaky():\n"
        "    tries.append(1)\n"
        "    if len(tries) < 3: raise OSError\n"
        "    say('done')\n"
        "background_tasks.add_task(BackgroundTask(flaky).with_policy(retry=Retry(3, delay=timedelta(milliseconds=5))))",
        "done\n",
        id="attempts that are to come",
    ),
    pytest.param(
        "import os, threading\n"
        "begun = threading.Event()\n"
        "def works(): begun.set(); time.sleep(0.05); os.write(1, b'done\\n')\n"
        "handle = background_tasks.add_task(BackgroundTask(works).interval(-1).interval_wait(timedelta(hours=1)))\n"
        "begun.wait(10); handle.run_now(); handle.pause()",
        "done\ndone\n",
        id="what runs of a paused task",
    ),
    pytest.param(
        "from panther_schedule import Scheduler\n"
        "background_tasks.add_listener(lambda event: say(type(event).__name__))\n"
        "background_tasks.add_task(BackgroundTask(int))",
        "TaskAdded\nRunStarted\nRunFinished\nTaskEnded\n",
        id="what listeners were not told",
    ),
]


@pytest.mark.real_clock
@pytest.mark.parametrize(("program", "out"), AT_EXIT)
def test_the_end_of_the_program_waits_for(program: str, out: str) -> None:
    done = run(program)

    assert (done.returncode, done.stdout) == (0, out), done.stderr
