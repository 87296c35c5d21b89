"""How virtual time ends on the event loop that a scheduler was entered in, and what a test must see."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest
from loops import at, portal
from telling import SECOND, START, outcomes, runs

from panther_schedule import BackgroundTask, Once, Repeat, Scheduler, VirtualClock

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


# ---- several schedulers, and the end -----------------------------------------------------------------------------


def state(loop: Any) -> list[object]:
    """Give what a scheduler replaces on an event loop."""
    own = cast(dict[str, object], {**vars(loop._selector), **vars(loop)})
    return [own.get(name) for name in ("time", "run_in_executor", "_clock_resolution", "select")]


def test_two_schedulers_share_the_loop_and_the_last_one_gives_it_back(clock: VirtualClock) -> None:
    said: list[tuple[float, str]] = []

    async def nap(name: str, seconds: int) -> None:
        await asyncio.sleep(seconds)
        said.append((at(clock), name))

    async def test() -> None:
        loop = asyncio.get_running_loop()
        before = state(loop)
        async with Scheduler(clock=clock) as one:
            async with Scheduler(clock=clock) as other:
                one.add_task(BackgroundTask(nap, "one", 5).interval(2).interval_wait(10 * SECOND))
                other.add_task(BackgroundTask(nap, "other", 3).interval(3).interval_wait(5 * SECOND))
                await clock.wait(14 * SECOND)
            assert state(loop) != before
            await clock.wait(MINUTE)
        assert state(loop) == before

    asyncio.run(test())

    assert said == [(3, "other"), (5, "one"), (8, "other"), (13, "other"), (15, "one")]


@pytest.mark.real_clock
def test_what_sleeps_on_the_loop_at_the_end_sleeps_on_in_real_time(clock: VirtualClock) -> None:
    async def test() -> None:
        async with Scheduler(clock=clock):
            await clock.wait(timedelta(days=365))
            nap = asyncio.create_task(asyncio.sleep(0.01))
            await asyncio.sleep(0)
        async with asyncio.timeout(60):
            await nap

    asyncio.run(test())


def test_leaving_the_block_finishes_what_is_active_in_virtual_time(clock: VirtualClock) -> None:
    async def test() -> None:
        async with Scheduler(clock=clock) as scheduler:
            handle = scheduler.add_task(BackgroundTask(asyncio.sleep, 8))
        assert (outcomes(handle), at(clock)) == ({"succeeded": 1}, 8)

    asyncio.run(test())


def test_what_is_still_asleep_at_the_end_of_the_drain_is_cancelled(clock: VirtualClock) -> None:
    said: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            said.append("cleaned up")

    async def test() -> None:
        async with Scheduler(clock=clock) as scheduler:
            handle = scheduler.add_task(BackgroundTask(work))
        assert said == ["cleaned up"]
        assert outcomes(handle) == {"abandoned": 1}

    asyncio.run(test())


@pytest.mark.real_clock
def test_a_loop_that_ends_first_ends_its_runs_and_hangs_nobody(clock: VirtualClock) -> None:
    """Also one that sleeps to clean up, in real time by then."""
    said: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.01)
            said.append("cleaned up")

    scheduler = Scheduler(clock=clock)

    async def test() -> None:
        await scheduler.__aenter__()
        scheduler.add_task(BackgroundTask(work).with_name("work"))
        await clock.wait(SECOND)

    asyncio.run(test())
    scheduler.stop()

    assert said == ["cleaned up"]
    assert outcomes(scheduler["work"]) == {"cancelled": 1}


def test_what_was_active_on_a_closed_loop_is_abandoned_at_once(clock: VirtualClock) -> None:
    loop = asyncio.new_event_loop()
    scheduler = loop.run_until_complete(Scheduler(clock=clock).__aenter__())
    handle = scheduler.add_task(BackgroundTask(asyncio.sleep, 3600))
    clock.advance(SECOND)
    loop.close()
    clock.advance(SECOND)

    assert (outcomes(handle), at(clock)) == ({"abandoned": 1}, 2)
    scheduler.stop()


def test_a_loop_that_is_closed_while_the_clock_moves_hangs_nobody(clock: VirtualClock) -> None:
    with portal() as call:
        scheduler = call(Scheduler(clock=clock).__aenter__())
        loop = scheduler._life.workers._borrowed.loop
        handle = scheduler.add_task(BackgroundTask(asyncio.sleep, 3600))
        closing = BackgroundTask(loop.call_soon_threadsafe, loop.stop)
        scheduler.add_task(closing.with_schedule(Once(START + MINUTE)))
        clock.advance(2 * HOUR)
        assert not runs(handle)
    clock.advance(SECOND)
    scheduler.stop()

    assert outcomes(handle) == {"abandoned": 1}


# ---- what a test must see ----------------------------------------------------------------------------------------


async def fails() -> None:
    await asyncio.sleep(1)
    pytest.fail("the task found something")


def test_a_function_that_gets_no_thread_to_sleep_on_is_told(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that allows few; the functions that sleep already go on."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def nap() -> None:
        if clock.now() > START:
            monkeypatch.setattr(threading.Thread, "start", refuse)
        clock.sleep(MINUTE)

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(nap).with_schedule(Repeat(2, SECOND)).with_policy(overlap="allow"))
        assert scheduler.join()
        monkeypatch.undo()

    refused, slept = runs(handle)
    assert refused.error is not None
    assert "no thread is left for this function to sleep beside 1 others" in str(refused.error)
    assert (slept.outcome, slept.finished_at) == ("succeeded", START + MINUTE)


def presses_ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


async def is_interrupted() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("func", "error"), [(fails, pytest.fail.Exception), (is_interrupted, KeyboardInterrupt)])
@pytest.mark.parametrize("borrows", [True, False])
def test_what_is_for_the_test_reaches_who_awaits_the_clock(
    clock: VirtualClock, func: Callable[..., Any], error: type[BaseException], borrows: bool
) -> None:
    async def test() -> None:
        scheduler = Scheduler(clock=clock)
        await scheduler.__aenter__() if borrows else scheduler.start()
        handle = scheduler.add_task(BackgroundTask(func))
        with pytest.raises(error):
            await clock.wait(MINUTE)
        await clock.wait(MINUTE)
        await scheduler.__aexit__()
        assert outcomes(handle) == {"failed": 1}

    asyncio.run(test())


def test_ctrl_c_during_the_wait_reaches_the_test(clock: VirtualClock) -> None:
    """As `asyncio.run()` has it: the test is cancelled, and then raises."""
    scheduler = Scheduler(clock=clock)

    async def test() -> None:
        async with scheduler:
            asyncio.get_running_loop().call_soon(presses_ctrl_c)
            scheduler.add_task(BackgroundTask(int).interval(-1).interval_wait(SECOND))
            await clock.wait(timedelta(days=3650))

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(test())

    assert at(clock) < 3650 * 86_400


def test_a_wait_that_is_cancelled_stops_the_clock(clock: VirtualClock) -> None:
    async def test() -> None:
        with Scheduler(clock=clock) as scheduler:
            loop, began = asyncio.get_running_loop(), asyncio.Event()
            work = BackgroundTask(loop.call_soon_threadsafe, began.set)
            handle = scheduler.add_task(work.interval(-1).interval_wait(SECOND))
            moves = asyncio.create_task(clock.wait(timedelta(days=3650)))
            await began.wait()
            moves.cancel()
            with pytest.raises(asyncio.CancelledError):
                await moves

            assert at(clock) < 3650 * 86_400
            stopped_at = at(clock)
            await asyncio.sleep(0)
            assert at(clock) == stopped_at
            handle.cancel()

    asyncio.run(test())
