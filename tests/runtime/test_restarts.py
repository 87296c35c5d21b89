"""A scheduler that was stopped begins afresh; how it is entered says on which event loop async functions run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from telling import runs
from test_process import run

from panther_schedule import BackgroundTask, Scheduler, SchedulerStateError, VirtualClock, background_tasks
from panther_schedule.events import Event, TaskAdded

LONG = timedelta(seconds=30)
HOUR = timedelta(hours=1)
HOURLY = BackgroundTask(int).interval(-1).interval_wait(HOUR).with_name("hourly")


@pytest.fixture(params=["virtual", pytest.param("real", marks=pytest.mark.real_clock)])
def scheduler(request: pytest.FixtureRequest, clock: VirtualClock) -> Iterator[Scheduler]:
    """A scheduler on either clock."""
    made = Scheduler(max_workers=1) if request.param == "real" else Scheduler(clock=clock)  # one run after the other
    yield made
    made.stop()


# ---- again -------------------------------------------------------------------------------------------------------


def test_start_after_stop_begins_afresh_and_empty(scheduler: Scheduler) -> None:
    first = scheduler.add_task(HOURLY)
    scheduler.stop()
    scheduler.start()

    assert (len(scheduler), "hourly" in scheduler) == (0, False)
    assert not any(scheduler.counts.values())
    second = scheduler.add_task(HOURLY)
    assert second != first
    scheduler.add_task(BackgroundTask(int)).join(LONG)
    assert scheduler.counts["succeeded"] == 2
    assert first.counts["succeeded"] == 1, "the handle of a life that has ended still answers"


def test_a_block_can_be_entered_again(scheduler: Scheduler) -> None:
    for _ in range(3):
        with scheduler:
            handle = scheduler.add_task(HOURLY)
        assert handle.counts["succeeded"] == 1


def test_listeners_stay(scheduler: Scheduler) -> None:
    told: list[Event] = []
    remove = scheduler.add_listener(told.append)
    for _ in range(2):
        with scheduler:
            scheduler.add_task(HOURLY)
    remove()
    with scheduler:
        scheduler.add_task(HOURLY)

    assert sum(isinstance(event, TaskAdded) for event in told) == 2


@pytest.mark.real_clock
def test_it_does_not_start_while_it_stops() -> None:
    let_go, scheduler = threading.Event(), Scheduler()
    scheduler.add_task(BackgroundTask(let_go.wait, 60))
    stops = threading.Thread(target=scheduler.stop)
    stops.start()
    while not scheduler._stopped:
        pass
    with pytest.raises(SchedulerStateError, match=r"still stopping; start it when stop\(\) has returned"):
        scheduler.start()
    let_go.set()
    stops.join()

    with scheduler.start():
        assert not list(scheduler)


@pytest.mark.real_clock
def test_a_second_stop_shortens_the_drain() -> None:
    let_go, scheduler = threading.Event(), Scheduler()
    handle = scheduler.add_task(BackgroundTask(let_go.wait, 60))
    stops = threading.Thread(target=scheduler.stop, args=(LONG,))
    stops.start()
    while not scheduler._stopped:
        pass
    scheduler.stop(timedelta(0))
    stops.join()
    let_go.set()

    assert [each.outcome for each in runs(handle)] == ["abandoned"]


def test_a_stop_waits_for_its_own_life_only(scheduler: Scheduler) -> None:
    """While it was about to wait, another thread has stopped the scheduler and begun afresh."""
    told: list[Event] = []
    scheduler.add_listener(told.append)
    waits = threading.Thread(target=scheduler.start()._begin_stop(LONG), daemon=True)
    scheduler.stop()
    scheduler.start()
    waits.start()
    waits.join(60)

    assert not waits.is_alive()
    assert scheduler.health().alive
    scheduler.add_task(BackgroundTask(int)).join(LONG)
    scheduler.stop()
    assert told, "the listeners of the new life are not stopped"


@pytest.mark.real_clock
def test_a_slow_listener_is_told_of_one_life_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if `stop()` did not wait for it to its end."""
    monkeypatch.setattr("panther_schedule.runtime.scheduler._UNTOLD_S", 0)
    let_go, all_told, busy = threading.Event(), threading.Event(), threading.Lock()
    told: list[str] = []
    at_once: list[Event] = []

    def listens(event: Event) -> None:
        if not busy.acquire(blocking=False):
            at_once.append(event)
            return
        let_go.wait(60)
        if isinstance(event, TaskAdded):
            told.append(event.task)
        busy.release()
        if told == ["first", "second", "third"]:
            all_told.set()

    scheduler = Scheduler()
    scheduler.add_listener(listens)
    for name in ("first", "second", "third"):
        with scheduler:
            scheduler.add_task(BackgroundTask(int).with_name(name)).join(LONG)
    let_go.set()

    assert all_told.wait(10), at_once
    assert (told, at_once) == (["first", "second", "third"], [])


@pytest.mark.real_clock
@pytest.mark.parametrize("which", [1, 2, 3])
def test_ctrl_c_in_a_start_leaves_it_unstarted(monkeypatch: pytest.MonkeyPatch, which: int) -> None:
    """Whichever thread it was about to start; the next task starts it."""
    left, start = [which], threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        start(thread)

    scheduler = Scheduler()
    scheduler.add_listener(lambda _event: None)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            scheduler.start()

    assert not scheduler.health().alive
    with scheduler:
        assert scheduler.add_task(BackgroundTask(int)).join(LONG)


@pytest.mark.real_clock
def test_a_program_may_begin_afresh_many_times() -> None:
    """Nothing is left of the lives before: no thread, and no exit hook that waits for them."""
    done = run(
        """
import threading
for _ in range(20):
    with background_tasks:
        background_tasks.add_task(BackgroundTask(say_async, 'Ali').with_name('greet'))
for thread in threading.enumerate()[1:]:  # a worker may be on its way out
    thread.join(30)
say(threading.active_count())
"""
    )

    assert done.stdout.split() == [*["Ali"] * 20, "1"], done.stderr


# ---- on an event loop --------------------------------------------------------------------------------------------


async def app_of(scheduler: Scheduler, enter: Callable[[Scheduler], Any]) -> list[bool]:
    """Begin and end as an app does, and return whether runs were on its event loop."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def notes() -> None:
        loops.append(asyncio.get_running_loop())

    async with enter(scheduler):
        handle = scheduler.add_task(BackgroundTask(notes).interval(2))
        assert await handle.wait(LONG)
    return [loop is asyncio.get_running_loop() for loop in loops]


ENTERS: list[Callable[[Scheduler], Any]] = [
    lambda scheduler: scheduler,
    lambda scheduler: scheduler.lifespan(),
    lambda scheduler: scheduler.lifespan(object()),
]


@pytest.mark.real_clock
@pytest.mark.parametrize("enter", ENTERS)
def test_async_functions_run_on_the_loop_of_the_block(enter: Callable[[Scheduler], Any]) -> None:
    """Again and again, each time on the loop of then."""
    scheduler = Scheduler()
    for _ in range(3):
        assert asyncio.run(app_of(scheduler, enter)) == [True, True]


@pytest.mark.real_clock
def test_the_ready_made_one_can_be_entered_again() -> None:
    for _ in range(2):
        assert asyncio.run(app_of(background_tasks, lambda scheduler: scheduler.lifespan())) == [True, True]


@pytest.mark.parametrize("enter", ENTERS)
def test_what_has_started_is_not_entered(scheduler: Scheduler, enter: Callable[[Scheduler], Any]) -> None:
    """Its async functions have another event loop by then."""
    scheduler.add_task(HOURLY)

    with pytest.raises(SchedulerStateError, match=r"has started without this event loop; enter `async with` before"):
        asyncio.run(app_of(scheduler, enter))
    assert scheduler.health().alive
    assert "hourly" in scheduler


@pytest.mark.real_clock
def test_what_is_entered_is_not_entered_again() -> None:
    async def main() -> None:
        async with Scheduler() as scheduler:
            with pytest.raises(SchedulerStateError, match="has started without this event loop"):
                await app_of(scheduler, ENTERS[0])

    asyncio.run(main())


def test_a_coroutine_that_no_asyncio_runs_is_told_so(scheduler: Scheduler) -> None:
    """On trio too there is no asyncio event loop."""
    with pytest.raises(SchedulerStateError, match=r"which trio's is not; write `with scheduler:` instead"):
        scheduler.__aenter__().send(None)
    assert not scheduler.health().alive


WAITS: list[Callable[[Scheduler], Any]] = [
    lambda scheduler: scheduler.wait(),
    lambda scheduler: scheduler["hourly"].wait(),
    lambda scheduler: scheduler["hourly"].run_now().wait(),
]


@pytest.mark.parametrize("waits", WAITS)
def test_a_wait_that_no_asyncio_runs_is_told_so(scheduler: Scheduler, waits: Callable[[Scheduler], Any]) -> None:
    with scheduler:
        scheduler.add_task(HOURLY)
        with pytest.raises(SchedulerStateError, match=r"wait\(\) needs .* trio's is not; call the blocking method"):
            waits(scheduler).send(None)


def test_a_virtual_clock_that_no_asyncio_waits_for_says_so(clock: VirtualClock) -> None:
    with pytest.raises(SchedulerStateError, match=r"join\(\) or advance\(\), on a thread"):
        clock.wait(HOUR).send(None)


@pytest.mark.real_clock
def test_what_runs_leave_behind_on_our_own_loop_is_cancelled_and_awaited() -> None:
    ended: list[str] = []

    async def stays() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("cleaned up")

    async def leaves() -> None:
        asyncio.get_running_loop().call_soon(lambda: kept.append(asyncio.ensure_future(stays())))

    kept: list[asyncio.Future[None]] = []
    with Scheduler() as scheduler:
        assert scheduler.add_task(BackgroundTask(leaves)).join(LONG)
        while not kept:
            pass
    assert (ended, kept[0].cancelled()) == (["cleaned up"], True)


# ---- waits in coroutines -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("asks", ["task", "run", "all"])
def test_what_can_be_joined_can_be_awaited(scheduler: Scheduler, asks: str) -> None:
    async def main() -> None:
        handle = scheduler.add_task(BackgroundTask(int).interval(3))
        if asks == "run":
            done = await handle.run_now().wait()
            assert (done.cause, done.outcome) == ("manual", "succeeded")
        elif asks == "task":
            assert await handle.wait()
            assert handle.counts["succeeded"] == 3
        else:
            assert await scheduler.wait(LONG)
            assert scheduler.counts["succeeded"] == 3

    asyncio.run(main())


@pytest.mark.real_clock
def test_a_wait_leaves_the_event_loop_free() -> None:
    async def main() -> list[str]:
        told, said = asyncio.Event(), list[str]()

        async def waits() -> None:
            await told.wait()
            said.append("run")

        async with Scheduler() as scheduler:
            handle = scheduler.add_task(BackgroundTask(waits))
            assert not await handle.wait(timedelta(milliseconds=1))
            assert not await scheduler.wait(timedelta(0))
            with pytest.raises(TimeoutError, match="has not ended; wait longer"):
                await handle.run_now().wait(timedelta(milliseconds=1))
            asyncio.get_running_loop().call_soon(told.set)
            assert await handle.wait()
            said.append("waited")
        return said

    assert asyncio.run(main()) == ["run", "run", "waited"]


JOINS: list[Callable[[Scheduler], object]] = [
    lambda scheduler: scheduler.join(),
    lambda scheduler: scheduler["hourly"].join(),
    lambda scheduler: scheduler["hourly"].run_now().join(),
]


@pytest.mark.real_clock
@pytest.mark.parametrize("joins", JOINS)
def test_join_would_block_an_event_loop(joins: Callable[[Scheduler], object]) -> None:
    """Whether runs need it or not."""

    async def main(scheduler: Scheduler) -> None:
        scheduler.add_task(HOURLY)
        with pytest.raises(SchedulerStateError, match=r"join\(\) .*event loop.*; await wait\(\) instead"):
            joins(scheduler)

    async def app() -> None:
        async with Scheduler() as entered:
            await main(entered)

    with Scheduler() as scheduler:
        asyncio.run(main(scheduler))
    asyncio.run(app())


@pytest.mark.real_clock
def test_a_run_does_not_wait_for_itself() -> None:
    """Nor for all of them, or for another run of its task."""
    errors: list[str] = []

    async def asks() -> None:
        for waits in (scheduler.wait, handle.wait, handle.run_now().wait):
            try:
                await waits()
            except SchedulerStateError as error:
                errors.append(str(error))

    with Scheduler() as scheduler:
        handle = scheduler.add_task(BackgroundTask(asks).interval_wait(HOUR))
        assert handle.join(LONG)
    message = "wait() waits for runs to end, and is called from one of them; call it elsewhere"
    assert errors[:3] == [message] * 3


def test_nothing_to_wait_for(scheduler: Scheduler) -> None:
    assert asyncio.run(scheduler.wait())
    assert scheduler.join()
