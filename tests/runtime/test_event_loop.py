"""The event loop: no run can end it, and what it was to run is recorded when it ends all the same."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from datetime import timedelta
from typing import Any, cast

import pytest
from telling import is_a, runs
from test_process import run

from panther_schedule import BackgroundTask, Scheduler, VirtualClock

LONG = timedelta(seconds=30)
pytestmark = pytest.mark.real_clock


async def note() -> None:
    """Do nothing."""


# ---- what a run does to its event loop ---------------------------------------------------------------------------


async def stops_it() -> None:
    asyncio.get_running_loop().stop()
    await asyncio.sleep(0)


async def exits_in_a_child() -> None:
    await asyncio.gather(exits(), asyncio.sleep(0.01))


async def exits() -> None:
    sys.exit("the child gives up")


async def leaves_a_child_that_exits() -> None:
    asyncio.get_running_loop().call_soon(asyncio.ensure_future, exits())


async def leaves_a_callback_that_is_interrupted() -> None:
    asyncio.get_running_loop().call_soon(interrupt)


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


async def breaks_its_selector() -> None:
    loop: Any = asyncio.get_running_loop()
    loop._selector.close()
    await asyncio.sleep(LONG.total_seconds())


async def closes_its_descriptor() -> None:
    loop: Any = asyncio.get_running_loop()
    os.close(loop._selector.fileno())
    await asyncio.sleep(LONG.total_seconds())


async def breaks_the_task_factory() -> None:
    loop: Any = asyncio.get_running_loop()
    loop.set_task_factory(interrupt)


HOSTILE: dict[Callable[[], Coroutine[Any, Any, None]], str] = {
    stops_it: "succeeded",
    exits_in_a_child: "failed",
    leaves_a_child_that_exits: "succeeded",
    leaves_a_callback_that_is_interrupted: "succeeded",
    breaks_its_selector: "failed",
    closes_its_descriptor: "failed",
}


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda func: func.__name__)
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the sockets of a loop that can't be closed
def test_a_run_can_not_end_the_event_loop(hostile: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """It is recorded; those beside it and after it go on, on the same loop or a new one."""
    release = threading.Event()

    async def beside() -> None:
        while not release.is_set():  # noqa: ASYNC110 - it is set in another thread
            await asyncio.sleep(0.001)

    with Scheduler(max_workers=1) as scheduler:
        neighbour = scheduler.add_task(BackgroundTask(beside))
        first = scheduler.add_task(BackgroundTask(hostile))
        assert first.join(LONG)
        after = [scheduler.add_task(task) for task in (BackgroundTask(note), BackgroundTask(int), BackgroundTask(note))]
        assert all(handle.join(LONG) for handle in after)
        release.set()
        assert neighbour.join(LONG)
        assert scheduler.health().alive

    broke = hostile in {breaks_its_selector, closes_its_descriptor}
    assert [each.outcome for each in runs(first)] == [HOSTILE[hostile]]
    assert [each.outcome for handle in after for each in runs(handle)] == ["succeeded"] * 3
    assert [each.outcome for each in runs(neighbour)] == ["failed" if broke else "succeeded"]
    gc.collect()


def test_a_broken_task_factory_fails_the_runs_it_breaks() -> None:
    with Scheduler() as scheduler:
        scheduler.add_task(BackgroundTask(breaks_the_task_factory)).join(LONG)
        failed = scheduler.add_task(BackgroundTask(note))
        after = scheduler.add_task(BackgroundTask(int))
        assert failed.join(LONG)
        assert after.join(LONG)

    assert is_a(runs(failed)[0].error, KeyboardInterrupt)
    assert runs(after)[0].outcome == "succeeded"


async def breaks_the_way_to_it() -> None:
    loop: Any = asyncio.get_running_loop()
    loop.call_soon_threadsafe = interrupted


def interrupted(*_: object) -> None:
    raise ZeroDivisionError


def test_a_broken_way_to_the_event_loop_fails_the_runs_that_need_it() -> None:
    with Scheduler() as scheduler:
        assert scheduler.add_task(BackgroundTask(breaks_the_way_to_it)).join(LONG)
        failed = scheduler.add_task(BackgroundTask(note))
        after = scheduler.add_task(BackgroundTask(int))
        assert failed.join(LONG)
        assert after.join(LONG)
        assert scheduler.health().alive
        own: Any = scheduler._life
        del own.workers.coroutines.own.loop.call_soon_threadsafe  # so that its thread can end

    assert is_a(runs(failed)[0].error, ZeroDivisionError)
    assert runs(after)[0].outcome == "succeeded"


def test_stop_cancels_and_awaits_what_runs_left_behind() -> None:
    """As `asyncio.run` does."""
    ends: list[str] = []

    async def child() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0)
            ends.append("cleaned up")

    async def leaves_it() -> None:
        left.append(asyncio.create_task(child()))
        await asyncio.sleep(0)

    left: list[asyncio.Task[None]] = []
    with Scheduler() as scheduler:
        assert scheduler.add_task(BackgroundTask(leaves_it)).join(LONG)

    assert ends == ["cleaned up"]
    assert left[0].cancelled()


# ---- the app's event loop ends -----------------------------------------------------------------------------------


def entered(scheduler: Scheduler) -> asyncio.AbstractEventLoop:
    """Give an event loop that a scheduler was entered in, and that has stopped since."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(scheduler.__aenter__())
    return loop


def test_what_a_closed_loop_was_handed_is_abandoned_at_once() -> None:
    """The loop stands still between two `run_until_complete()`, takes a call, and is closed before it makes it."""
    scheduler = Scheduler()
    loop = entered(scheduler)
    handle = scheduler.add_task(BackgroundTask(note))
    sync = scheduler.add_task(BackgroundTask(note_later))  # its coroutine is handed over by a worker
    while len(cast(Any, loop)._ready) < 2:  # the calls that it has taken
        sync.join(timedelta(milliseconds=1))
    loop.close()

    assert handle.join(LONG)
    assert sync.join(LONG)
    scheduler.stop()
    assert [each.outcome for handle in (handle, sync) for each in runs(handle)] == ["abandoned"] * 2


def note_later() -> Coroutine[Any, Any, None]:
    """Return a coroutine."""
    return note()


def test_what_was_active_on_a_closed_loop_is_abandoned_at_once() -> None:
    scheduler = Scheduler()
    loop = entered(scheduler)
    begun: list[str] = []

    async def waits() -> None:
        begun.append("begun")
        await asyncio.sleep(3600)

    handle = scheduler.add_task(BackgroundTask(waits))
    while not begun:
        loop.run_until_complete(asyncio.sleep(0.001))
    loop.close()

    assert handle.join(LONG)
    scheduler.stop()
    assert [each.outcome for each in runs(handle)] == ["abandoned"]


def test_leaving_the_block_takes_no_longer_than_the_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when runs hold every thread of the app's executor."""
    release = threading.Event()
    monkeypatch.setattr(Scheduler.stop, "__defaults__", (timedelta(milliseconds=50),))

    async def blocked() -> None:
        await asyncio.to_thread(release.wait, 60)

    async def app() -> dict[str, int]:
        async with Scheduler() as scheduler:
            for _ in range(40):  # more than the executor has threads
                scheduler.add_task(BackgroundTask(blocked))
            await asyncio.sleep(0.05)
        try:
            return {what: n for what, n in scheduler.counts.items() if n}
        finally:
            release.set()

    assert asyncio.run(app()) == {"abandoned": 40}


# ---- what a function returns -------------------------------------------------------------------------------------


class Request(Awaitable[str]):
    """What can be awaited, but is no coroutine of the interpreter's own, as aiohttp's requests are."""

    def __await__(self) -> Generator[Any, None, str]:
        yield from asyncio.sleep(0).__await__()
        done.append("awaited")
        return "the answer"


done: list[str] = []


async def in_the_end() -> None:
    done.append("awaited")


def request() -> Request:
    return Request()


def later() -> Coroutine[Any, Any, None]:
    return in_the_end()


def generates() -> Generator[int, None, None]:
    done.append("never")
    yield 1


async def generates_async() -> AsyncGenerator[int, None]:
    done.append("never")
    yield 1


def generated() -> object:
    return generates()


def generated_async() -> object:
    return generates_async()


RETURNED: list[tuple[Callable[[], object], str]] = [
    (request, "succeeded"),
    (in_the_end, "succeeded"),
    (later, "succeeded"),
    (generated, "failed"),
    (generated_async, "failed"),
]


@pytest.mark.parametrize(("func", "outcome"), RETURNED)
@pytest.mark.parametrize("virtual", [False, True])
def test_what_can_be_awaited_is_awaited(
    clock: VirtualClock, func: Callable[[], object], outcome: str, *, virtual: bool
) -> None:
    """And a generator, whose lines nobody would run, fails the run: none succeeds with nothing done."""
    done.clear()
    with Scheduler(clock=clock if virtual else None) as scheduler:
        handle = scheduler.add_task(BackgroundTask(func))
        assert scheduler.join(LONG)

    assert [each.outcome for each in runs(handle)] == [outcome]
    assert done == (["awaited"] if outcome == "succeeded" else [])
    if outcome == "failed":
        assert is_a(runs(handle)[0].error, TypeError)
        assert "runs only if it is iterated" in str(runs(handle)[0].error)


@pytest.mark.parametrize(
    ("code", "outcome"), [(0, "succeeded"), (None, "succeeded"), (False, "succeeded"), (1, "failed"), ("no", "failed")]
)
def test_the_exit_code_says_how_a_run_ended(clock: VirtualClock, code: Any, outcome: str) -> None:
    async def exits_async() -> None:
        sys.exit(code)

    with Scheduler(clock=clock) as scheduler:
        handles = [scheduler.add_task(BackgroundTask(func)) for func in (lambda: sys.exit(code), exits_async)]
        scheduler.join()

    assert [each.outcome for handle in handles for each in runs(handle)] == [outcome] * 2


# ---- gevent ------------------------------------------------------------------------------------------------------

GEVENT = """
from gevent import monkey; monkey.patch_all()
from datetime import timedelta
from panther_schedule import BackgroundTask, Scheduler
n = []
async def note(): n.append("async")
scheduler = Scheduler()
for func in (note, lambda: n.append("sync")):
    assert scheduler.add_task(BackgroundTask(func)).join(timedelta(seconds=30))
scheduler.stop()
print(sorted(n), scheduler.counts["succeeded"])
"""


def test_it_works_under_gevent() -> None:
    """Whose greenlets share one thread, and so one running event loop."""
    finished = run(GEVENT, head="")

    assert finished.stdout == "['async', 'sync'] 2\n", finished.stderr
