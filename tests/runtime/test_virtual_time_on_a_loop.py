"""Virtual time on the event loop that a scheduler was entered in: a test's own, or an app's on another thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from loops import at, portal
from telling import SECOND, START, outcomes, runs

from panther_schedule import BackgroundTask, Once, Scheduler, SchedulerStateError, VirtualClock

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


# ---- the loop of the test ----------------------------------------------------------------------------------------


def test_a_run_can_await_an_object_of_the_tests_own_loop(clock: VirtualClock) -> None:
    async def test() -> None:
        ready = asyncio.get_running_loop().create_future()

        async def work() -> None:
            await ready
            await asyncio.sleep(30)

        async with Scheduler(clock=clock) as scheduler:
            handle = scheduler.add_task(BackgroundTask(work))
            await clock.wait(10 * SECOND)
            ready.set_result(None)
            await clock.wait(20 * SECOND)
            assert not handle.runs
            await clock.wait(10 * SECOND)

        (run,) = runs(handle)
        assert (run.outcome, run.finished_at) == ("succeeded", START + 40 * SECOND)

    asyncio.run(test())


def test_another_thread_may_move_the_clock(clock: VirtualClock) -> None:
    async def test() -> None:
        ready = asyncio.get_running_loop().create_future()
        ready.get_loop().call_soon(ready.set_result, None)

        async def work() -> None:
            await ready

        async with Scheduler(clock=clock) as scheduler:
            handle = scheduler.add_task(BackgroundTask(work))
            await asyncio.to_thread(clock.advance, SECOND)

            assert outcomes(handle) == {"succeeded": 1}

    asyncio.run(test())


def test_timers_are_exact_and_fire_in_the_order_of_their_times(clock: VirtualClock) -> None:
    """Whatever real time passes between two moves of the clock."""
    said: list[tuple[float, float]] = []

    async def nap(seconds: float) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(3):
            began = loop.time()
            await asyncio.sleep(seconds)
            assert loop.time() - began == pytest.approx(seconds, abs=1e-6)
            said.append((round(at(clock), 6), seconds))

    async def test() -> None:
        async with Scheduler(clock=clock) as scheduler:
            for seconds in (0.5, 0.0002, 0.3, 7200):
                scheduler.add_task(BackgroundTask(nap, seconds))
            while len(scheduler):
                await clock.wait(timedelta(milliseconds=100) if len(said) < 9 else HOUR)
                await asyncio.sleep(0)

    asyncio.run(test())

    assert [when for when, _ in said] == sorted(when for when, _ in said)
    lengths = (0.5, 0.0002, 0.3, 7200)
    assert sorted(said) == sorted((round(nth * length, 6), length) for length in lengths for nth in (1, 2, 3))


def test_sync_and_async_functions_and_occurrences_share_one_time(clock: VirtualClock) -> None:
    said: list[tuple[float, str]] = []

    def sleeps() -> None:
        clock.sleep(4 * SECOND)
        said.append((at(clock), "sync"))

    async def sleeps_async() -> None:
        await asyncio.sleep(3)
        said.append((at(clock), "async"))

    def tick() -> None:
        said.append((at(clock), "tick"))

    async def test() -> None:
        async with Scheduler(clock=clock) as scheduler:
            scheduler.add_task(BackgroundTask(sleeps))
            scheduler.add_task(BackgroundTask(sleeps_async))
            scheduler.add_task(BackgroundTask(tick).interval(3).interval_wait(2.5 * SECOND))
            await clock.wait(MINUTE)

    asyncio.run(test())

    assert said == [(0, "tick"), (2.5, "tick"), (3, "async"), (4, "sync"), (5, "tick")]


def test_policies_take_virtual_time(clock: VirtualClock) -> None:
    async def test() -> None:
        async with Scheduler(clock=clock) as scheduler:
            handle = scheduler.add_task(BackgroundTask(asyncio.sleep, 3600).with_policy(timeout=5 * MINUTE))
            await clock.wait(HOUR)

        (run,) = runs(handle)
        assert (run.outcome, run.finished_at) == ("timed_out", START + 5 * MINUTE)

    asyncio.run(test())


def test_the_tests_own_coroutines_share_the_time_while_the_clock_moves(clock: VirtualClock) -> None:
    async def test() -> None:
        async def note() -> float:
            await asyncio.sleep(1800)
            return at(clock)

        async with Scheduler(clock=clock):
            noted, _ = await asyncio.gather(note(), clock.wait(HOUR))
            assert noted == pytest.approx(1800)

    asyncio.run(test())


@pytest.mark.real_clock
def test_real_time_goes_on_for_the_test_while_the_clock_stands_still(clock: VirtualClock) -> None:
    async def test() -> None:
        async with Scheduler(clock=clock) as scheduler:
            handle = scheduler.add_task(BackgroundTask(asyncio.sleep, 0.001))
            await clock.wait(timedelta(0))
            await asyncio.sleep(0.02)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await asyncio.Event().wait()

            assert (at(clock), handle.ended) == (0, False)  # a run waits for virtual time
            await clock.wait(SECOND)
            (run,) = runs(handle)
            assert run.finished_at == START + timedelta(milliseconds=1)

    asyncio.run(test())


@pytest.mark.real_clock
def test_a_thread_that_works_for_a_run_takes_no_virtual_time(clock: VirtualClock) -> None:
    said: list[tuple[float, bool]] = []
    begun = threading.Event()

    async def work() -> None:
        for _ in range(2):
            said.append((at(clock), await asyncio.to_thread(begun.wait, 0.02)))
            await asyncio.sleep(1)

    async def test() -> None:
        async with Scheduler(clock=clock) as scheduler:
            scheduler.add_task(BackgroundTask(work))
            await clock.wait(MINUTE)

    asyncio.run(test())

    assert said == [(0, False), (1, False)]


def test_a_command_is_done_at_once(clock: VirtualClock) -> None:
    async def test() -> None:
        async with Scheduler(clock=clock) as scheduler:
            handle = scheduler.add_task(BackgroundTask(int).with_schedule(Once(START + HOUR)))
            handle.pause()
            assert handle.paused
            handle.cancel()
            assert handle.ended

    asyncio.run(test())


# ---- a loop on another thread ------------------------------------------------------------------------------------


def test_the_clock_moves_the_loop_of_an_app_on_another_thread(clock: VirtualClock) -> None:
    threads = set[threading.Thread]()

    async def work() -> None:
        threads.add(threading.current_thread())
        await asyncio.sleep(60)

    with portal() as call:
        scheduler = call(Scheduler(clock=clock).__aenter__())
        handle = scheduler.add_task(BackgroundTask(work).interval(5).interval_wait(10 * MINUTE))
        clock.advance(HOUR)
        call(scheduler.__aexit__())

    assert outcomes(handle) == {"succeeded": 5}
    assert [run.finished_at for run in runs(handle)] == [START + n * 10 * MINUTE + MINUTE for n in range(5)]
    assert threading.current_thread() not in threads
    assert len(threads) == 1


def test_a_blocking_join_moves_it_too(clock: VirtualClock) -> None:
    with portal() as call:
        scheduler = call(Scheduler(clock=clock).__aenter__())
        scheduler.add_task(BackgroundTask(asyncio.sleep, 60).interval(5).interval_wait(10 * MINUTE))
        assert scheduler.join()
        assert at(clock) == 41 * 60
        scheduler.stop()


def test_a_loop_that_stands_still_is_run_by_who_moves_the_clock(clock: VirtualClock) -> None:
    """Between two `run_until_complete()`, as in a sync test whose async fixture entered the scheduler."""
    loop = asyncio.new_event_loop()
    scheduler = loop.run_until_complete(Scheduler(clock=clock).__aenter__())
    handle = scheduler.add_task(BackgroundTask(asyncio.sleep, 60).interval(3).interval_wait(10 * MINUTE))
    clock.advance(HOUR)
    loop.run_until_complete(clock.wait(HOUR))
    loop.run_until_complete(scheduler.__aexit__())
    loop.close()

    assert [run.finished_at for run in runs(handle)] == [START + n * 10 * MINUTE + MINUTE for n in range(3)]


def test_what_waits_for_a_task_moves_the_clock(clock: VirtualClock) -> None:
    async def test() -> None:
        async with Scheduler(clock=clock) as scheduler:
            handle = scheduler.add_task(BackgroundTask(asyncio.sleep, 60).interval(2).interval_wait(HOUR))
            assert not await handle.wait(MINUTE)
            assert at(clock) == 60
            assert await scheduler.wait()
            assert at(clock) == 3660

    asyncio.run(test())


# ---- what is refused ---------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[VirtualClock], object], str]] = {
    "advance": (lambda clock: clock.advance(SECOND), r"await clock.wait\(...\)"),
    "sleep": (lambda clock: clock.sleep(SECOND), r"await clock.wait\(...\)"),
    "step": (lambda clock: clock.step(SECOND), r"await asyncio.to_thread\(clock.step, ...\)"),
    "suspend": (lambda clock: clock.suspend(SECOND), r"await asyncio.to_thread\(clock.suspend, ...\)"),
}


@pytest.mark.parametrize("method", REFUSED)
def test_what_would_block_the_loop_is_refused(clock: VirtualClock, method: str) -> None:
    call, remedy = REFUSED[method]

    async def test() -> None:
        async with Scheduler(clock=clock):
            with pytest.raises(SchedulerStateError, match=rf"{method}\(\) would block the event loop .*{remedy}"):
                call(clock)

    asyncio.run(test())


def test_a_blocking_join_or_stop_on_the_loop_is_refused(clock: VirtualClock) -> None:
    async def test() -> None:
        async with Scheduler(clock=clock) as scheduler:
            for method in (scheduler.join, scheduler.stop):
                with pytest.raises(SchedulerStateError, match="would block the event loop"):
                    method()

    asyncio.run(test())


def waits(clock: VirtualClock) -> Awaitable[None]:
    return clock.wait(SECOND)


async def advances(clock: VirtualClock) -> None:
    clock.advance(SECOND)


@pytest.mark.parametrize("func", [waits, advances])
@pytest.mark.parametrize("borrows", [True, False])
def test_a_run_can_not_move_the_clock(clock: VirtualClock, func: Callable[..., Any], borrows: bool) -> None:
    async def test() -> None:
        if borrows:
            async with Scheduler(clock=clock) as scheduler:
                handle = scheduler.add_task(BackgroundTask(func, clock))
                await clock.wait(SECOND)
        else:
            with Scheduler(clock=clock) as scheduler:
                handle = scheduler.add_task(BackgroundTask(func, clock))
                await clock.wait(SECOND)
        (run,) = runs(handle)
        assert run.outcome == "failed"
        assert "await asyncio.sleep() instead" in str(run.error)

    asyncio.run(test())


def test_a_loop_without_a_selector_is_refused(clock: VirtualClock) -> None:
    """Such as uvloop's, whose time nobody can move."""

    class Loop(asyncio.SelectorEventLoop):
        def __getattribute__(self, name: str) -> Any:
            if name == "_selector" and hidden:
                raise AttributeError(name)
            return super().__getattribute__(name)

    hidden = list[bool]()
    loop = Loop()

    async def test() -> None:
        hidden.append(True)
        try:
            with pytest.raises(SchedulerStateError, match=r"can't move the time of .*Loop; .* asyncio's own"):
                await Scheduler(clock=clock).__aenter__()
        finally:
            hidden.clear()

    loop.run_until_complete(test())
    loop.close()


def test_two_clocks_on_one_loop_are_refused(clock: VirtualClock) -> None:
    async def test() -> None:
        async with Scheduler(clock=clock):
            with pytest.raises(SchedulerStateError, match="follows another VirtualClock"):
                await Scheduler(clock=VirtualClock(START)).__aenter__()

    asyncio.run(test())


# ---- where no loop was entered -----------------------------------------------------------------------------------


def test_the_loop_of_the_test_goes_on_while_the_clock_is_awaited(clock: VirtualClock) -> None:
    """And async functions, which run on a loop of the scheduler's own, take virtual time."""

    async def test() -> None:
        loop = asyncio.get_running_loop()
        heard = asyncio.Event()

        def tell() -> None:
            loop.call_soon_threadsafe(heard.set)

        with Scheduler(clock=clock) as scheduler:
            scheduler.add_task(BackgroundTask(tell))
            handle = scheduler.add_task(BackgroundTask(asyncio.sleep, 60))
            await asyncio.gather(heard.wait(), clock.wait(HOUR))
            assert outcomes(handle) == {"succeeded": 1}

    asyncio.run(test())


def test_a_blocking_advance_in_an_async_test_works_there(clock: VirtualClock) -> None:
    async def test() -> None:
        with Scheduler(clock=clock) as scheduler:
            handle = scheduler.add_task(BackgroundTask(asyncio.sleep, 60))
            clock.advance(HOUR)
            assert outcomes(handle) == {"succeeded": 1}

    asyncio.run(test())
    assert at(clock) == 3600
