"""Virtual time for everything: functions that sleep side by side, event loops, and what a test must see."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from telling import SECOND, START, is_a, outcomes, runs, starts

from panther_schedule import BackgroundTask, Once, Scheduler, SchedulerStateError, VirtualClock

MINUTE = timedelta(minutes=1)


def at(clock: VirtualClock) -> float:
    """Give the seconds that have passed."""
    return (clock.now() - START) / SECOND


# ---- functions that sleep ----------------------------------------------------------------------------------------


def test_functions_that_sleep_side_by_side_wake_at_their_own_times(clock: VirtualClock) -> None:
    """Whatever the order in which they fall asleep; each sleeps twice."""
    lengths = [(1, 60), (60, 1), (30, 30), (5, 5), (0, 3), (59, 59)]
    said: list[tuple[float, int, str]] = []

    def nap(number: int, first: int, second: int) -> None:
        clock.sleep(first * SECOND)
        said.append((at(clock), number, "turns over"))
        clock.sleep(second * SECOND)
        said.append((at(clock), number, "wakes"))

    with Scheduler(clock=clock) as scheduler:
        for number, (first, second) in enumerate(lengths):
            scheduler.add_task(BackgroundTask(nap, number, first, second))
        assert scheduler.join()

    expected = [(float(first), number, "turns over") for number, (first, _) in enumerate(lengths)]
    expected += [(float(first + second), number, "wakes") for number, (first, second) in enumerate(lengths)]
    assert sorted(said) == sorted(expected)
    assert [when for when, _, _ in said] == sorted(when for when, _, _ in said)


def test_those_of_two_schedulers_share_one_clock(clock: VirtualClock) -> None:
    said: list[tuple[float, str]] = []

    def nap(name: str, seconds: int) -> None:
        clock.sleep(seconds * SECOND)
        said.append((at(clock), name))

    with Scheduler(clock=clock) as one, Scheduler(clock=clock) as other:
        for scheduler, name in ((one, "one"), (other, "other")):
            scheduler.add_task(BackgroundTask(nap, name, 5).interval(3).interval_wait(10 * SECOND))
            scheduler.add_task(BackgroundTask(nap, f"quick {name}", 1).interval(5).interval_wait(7 * SECOND))
        clock.advance(40 * SECOND)
        counts = [scheduler.counts["succeeded"] for scheduler in (one, other)]

    assert counts == [8, 8]
    times = [
        (1.0, "quick"),
        (5.0, ""),
        (8.0, "quick"),
        (15.0, ""),
        (15.0, "quick"),
        (22.0, "quick"),
        (25.0, ""),
        (29.0, "quick"),
    ]
    expected = [(when, f"{kind} {name}".strip()) for name in ("one", "other") for when, kind in times]
    assert sorted(said) == sorted(expected)


def test_ten_thousand_of_them(clock: VirtualClock) -> None:
    """Each has a thread while it sleeps, so there is no recursion."""
    random, woke = Random(1), list[tuple[int, float]]()
    lengths = [random.randrange(1, 100_000) for _ in range(10_000)]

    def nap(seconds: int) -> None:
        clock.sleep(seconds * SECOND)
        woke.append((seconds, at(clock)))

    with Scheduler(clock=clock) as scheduler:
        for seconds in lengths:
            scheduler.add_task(BackgroundTask(nap, seconds))
        assert scheduler.join()

    assert [seconds for seconds, _ in woke] == sorted(lengths)
    assert all(seconds == when for seconds, when in woke)


def test_other_tasks_run_in_time_while_functions_sleep(clock: VirtualClock) -> None:
    ran: list[float] = []
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(clock.sleep, 10 * SECOND).interval(3).interval_wait(4 * SECOND))
        tick = scheduler.add_task(BackgroundTask(lambda: ran.append(at(clock))).interval(6).interval_wait(3 * SECOND))
        assert scheduler.join()

    assert ran == [0, 3, 6, 9, 12, 15]
    assert starts(tick) == ran


def test_functions_run_one_at_a_time_and_those_that_do_not_sleep_in_the_callers_thread(clock: VirtualClock) -> None:
    """So a test's database connection, which belongs to its thread, can be used."""
    active, threads, most = list[int](), set[threading.Thread](), list[int]()

    def work(naps: int) -> None:
        for _ in range(naps + 1):
            active.append(1)
            most.append(len(active))
            active.pop()
            if naps:
                clock.sleep(SECOND)
            else:
                threads.add(threading.current_thread())

    with Scheduler(clock=clock) as scheduler:
        for naps in (0, 3, 3, 0, 0):
            scheduler.add_task(BackgroundTask(work, naps))
        quick = scheduler.add_task(BackgroundTask(work, 0).interval(9).interval_wait(SECOND))
        assert scheduler.join()

    assert set(most) == {1}
    assert outcomes(quick) == {"succeeded": 9}
    assert threading.current_thread() in threads


def test_advance_returns_when_the_functions_that_it_called_have_returned(clock: VirtualClock) -> None:
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, MINUTE))
        clock.advance(SECOND)

        assert at(clock) == 60
        assert handle.ended


@pytest.mark.parametrize("overlap", ["skip", "queue_one", "queue_all", "allow", "cancel_running"])
def test_advance_returns_from_a_task_that_never_rests(clock: VirtualClock, overlap: Any) -> None:
    """A function that is due again before it has ended, with any policy, and back to back."""
    with Scheduler(clock=clock) as scheduler:
        slow = BackgroundTask(clock.sleep, 1.5 * SECOND).interval(-1)
        handle = scheduler.add_task(slow.interval_wait(SECOND).with_policy(overlap=overlap))
        clock.advance(10 * SECOND)
        assert 10 <= at(clock) <= 11.5
        assert handle.counts["succeeded"] >= 6
        handle.cancel()


@pytest.mark.filterwarnings("ignore::panther_schedule.BusyLoopWarning")
def test_advance_returns_from_an_endless_task_without_a_wait(clock: VirtualClock) -> None:
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, 3 * SECOND).interval(-1))
        clock.advance(10 * SECOND)
        assert (handle.counts["succeeded"], at(clock)) == (4, 12)
        handle.cancel()


def test_a_function_that_uses_its_scheduler_calls_no_other_one_inside_itself(clock: VirtualClock) -> None:
    """Else so many functions that are due together would nest that Python gives up."""
    depth, most = [0], [0]

    def work() -> None:
        depth[0] += 1
        most[0] = max(most[0], depth[0])
        scheduler["pausing"].pause("for a moment")
        scheduler["pausing"].resume()
        depth[0] -= 1

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(int).interval(2).interval_wait(MINUTE).with_name("pausing"))
        handles = [scheduler.add_task(BackgroundTask(work)) for _ in range(300)]
        clock.advance(SECOND)

        assert [outcomes(handle) for handle in handles] == [{"succeeded": 1}] * 300
        assert most == [1]
        scheduler["pausing"].cancel()


def test_a_function_that_still_sleeps_when_the_last_scheduler_stops_is_told() -> None:
    clock, told = VirtualClock(START), list[str]()

    def nap(seconds: int) -> None:
        try:
            clock.sleep(seconds * SECOND)
        except SchedulerStateError as error:
            told.append(f"{seconds} {error}")
            raise

    with Scheduler(clock=clock) as scheduler:
        handles = [scheduler.add_task(BackgroundTask(nap, seconds)) for seconds in (5, 3600)]
        clock.advance(5 * SECOND)

    assert [run.outcome for handle in handles for run in runs(handle)] == ["succeeded", "abandoned"]
    assert told == ["3600 the scheduler stopped while this function slept"]


# ---- event loops -------------------------------------------------------------------------------------------------


def test_async_functions_sleep_side_by_side_in_no_time(clock: VirtualClock) -> None:
    said: list[tuple[float, int]] = []

    async def nap(hours: int) -> None:
        for _ in range(3):
            await asyncio.sleep(hours * 3600)
            said.append((at(clock) / 3600, hours))

    with Scheduler(clock=clock) as scheduler:
        for hours in (5, 2, 3):
            scheduler.add_task(BackgroundTask(nap, hours))
        assert scheduler.join()

    assert [when for when, _ in said] == [2, 3, 4, 5, 6, 6, 9, 10, 15]
    assert sorted(said) == sorted((hours * nth, hours) for hours in (5, 2, 3) for nth in (1, 2, 3))


def test_timeouts_of_asyncio_and_of_the_policy_take_virtual_time(clock: VirtualClock) -> None:
    said: list[str] = []

    async def impatient() -> None:
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 90)
        except TimeoutError:
            said.append(f"gave up at {at(clock)}")
        async with asyncio.timeout(3600):
            await asyncio.sleep(30)
        await asyncio.sleep(3600)

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(impatient).with_policy(timeout=5 * MINUTE))
        assert scheduler.join()

    (run,) = runs(handle)
    assert said == ["gave up at 90.0"]
    assert (run.outcome, run.finished_at) == ("timed_out", START + 5 * MINUTE)


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

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(sleeps))
        scheduler.add_task(BackgroundTask(sleeps_async))
        scheduler.add_task(BackgroundTask(tick).interval(3).interval_wait(2.5 * SECOND))
        assert scheduler.join()

    assert said == [(0, "tick"), (2.5, "tick"), (3, "async"), (4, "sync"), (5, "tick")]


def test_a_thread_that_works_for_a_coroutine_takes_no_virtual_time(clock: VirtualClock) -> None:
    said: list[tuple[float, int]] = []

    async def work() -> None:
        said.append((at(clock), await asyncio.to_thread(sum, range(1000))))
        await asyncio.sleep(1)
        said.append((at(clock), await asyncio.to_thread(sum, range(1000))))

    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(work))
        assert scheduler.join()

    assert said == [(0, 499500), (1, 499500)]


def test_a_thread_that_works_for_a_coroutine_can_not_wait_for_virtual_time(clock: VirtualClock) -> None:
    """Which stands still until the thread is done; it is refused, where both would wait for ever."""

    async def work() -> None:
        await asyncio.to_thread(clock.sleep, SECOND)

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work))
        clock.advance(SECOND)

    assert is_a(runs(handle)[0].error, SchedulerStateError)


@pytest.mark.parametrize("seconds", [0.5, 1, 3])
def test_a_join_that_times_out_has_moved_the_clock_that_far(clock: VirtualClock, seconds: float) -> None:
    """So a poll ends, as it does on the real clock."""

    async def waits_for_ever() -> None:
        await asyncio.Event().wait()

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(int).with_schedule(Once(after=10 * SECOND)))
        polls = 1
        while not handle.join(seconds * SECOND):
            assert at(clock) == seconds * polls
            polls += 1
        assert at(clock) == 10
        stuck = scheduler.add_task(BackgroundTask(waits_for_ever))
        assert not stuck.join(seconds * SECOND)
        assert at(clock) == 10 + seconds
        assert not stuck.join()
        stuck.cancel()


def test_what_cleans_up_when_the_scheduler_stops_has_the_time_to(clock: VirtualClock) -> None:
    said: list[str] = []

    async def serve() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(5)
            said.append("clean")

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(serve))
        clock.advance(SECOND)

    assert said == ["clean"]
    assert [run.outcome for run in runs(handle)] == ["abandoned"]


# ---- what a test must see ----------------------------------------------------------------------------------------


def fails() -> None:
    pytest.fail("the task found something")


async def fails_async() -> None:
    await asyncio.sleep(1)
    fails()


def presses_ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("func", [fails, fails_async])
def test_a_failure_of_pytest_inside_a_run_reaches_the_test(clock: VirtualClock, func: Callable[[], Any]) -> None:
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(func))
        with pytest.raises(pytest.fail.Exception, match="the task found something"):
            clock.advance(MINUTE)
        clock.advance(MINUTE)

    assert [run.outcome for run in runs(handle)] == ["failed"]


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), asyncio.CancelledError(), ValueError()])
def test_what_a_task_may_raise_by_itself_does_not(clock: VirtualClock, error: BaseException) -> None:
    def work() -> None:
        raise error

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work))
        clock.advance(MINUTE)

    assert [run.outcome for run in runs(handle)] == ["failed"]


def test_ctrl_c_inside_a_run_reaches_the_test_at_once(clock: VirtualClock) -> None:
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(presses_ctrl_c).interval(-1).interval_wait(MINUTE))
        for count in (1, 2, 3):
            with pytest.raises(KeyboardInterrupt):
                clock.advance(10 * MINUTE)
            assert at(clock) == 60 * (count - 1)
        handle.cancel()

    assert outcomes(handle) == {"failed": 3}


def test_a_failure_on_another_thread_reaches_the_test_too(clock: VirtualClock) -> None:
    """While the function that the test's thread called sleeps, others run on threads of their own."""
    with Scheduler(clock=clock) as scheduler:
        sleeper = scheduler.add_task(BackgroundTask(clock.sleep, MINUTE))
        scheduler.add_task(BackgroundTask(fails).with_schedule(Once(START + SECOND)))
        with pytest.raises(pytest.fail.Exception):
            clock.advance(2 * MINUTE)
        assert at(clock) == 60
        clock.advance(SECOND)

    assert outcomes(sleeper) == {"succeeded": 1}
