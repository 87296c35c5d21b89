"""Who waits for a task or a run leaves nothing behind, however the wait ends."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from panther_schedule import BackgroundTask, Scheduler, TaskHandle
from panther_schedule.errors import SchedulerStateError, StoreError

pytestmark = pytest.mark.real_clock
MOMENT = timedelta(milliseconds=1)


def polls(handle: TaskHandle) -> None:
    """Look again and again whether a task has ended."""
    for _ in range(50):
        assert not handle.join(timedelta(0))
    assert not handle.join(MOMENT)


def polls_a_run(handle: TaskHandle) -> None:
    """Look again and again whether a run has ended."""
    run = handle.run_now()
    for _ in range(20):
        with pytest.raises(TimeoutError):
            run.join(timedelta(0))


def is_interrupted(handle: TaskHandle) -> None:
    """Wait until Ctrl-C."""
    main = threading.main_thread().ident
    assert main is not None
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the timer must not be early
        threading.Timer(0.05, signal.pthread_kill, (main, signal.SIGINT)).start()
        handle.join()


def polls_in_coroutines(handle: TaskHandle) -> None:
    """Look again and again, on an event loop, and give up a wait that has no end."""

    async def polls() -> None:
        run = handle.run_now()
        for _ in range(20):
            assert not await handle.wait(timedelta(0))
            with pytest.raises(TimeoutError):
                await run.wait(MOMENT)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(handle.wait(), 0.01)

    asyncio.run(polls())


@pytest.mark.parametrize("wait", [polls, polls_a_run, polls_in_coroutines, is_interrupted])
def test_a_wait_leaves_nothing_behind(wait: Callable[[TaskHandle], None]) -> None:
    let_go, turned = threading.Event(), threading.Semaphore(0)
    with Scheduler() as scheduler:
        handle = scheduler.add_task(BackgroundTask(let_go.wait).interval(2).interval_wait(timedelta(hours=1)))
        life = scheduler._life
        assert life is not None
        wait(handle)
        for _ in range(2):  # when the second turn does this, the first is over
            life.post(lambda _reading: turned.release())
            assert turned.acquire(timeout=60)
        assert life.loop._watches == []
        let_go.set()
        handle.cancel()


def test_a_wait_outlives_a_store_that_fails_when_it_is_asked_whether_it_is_over() -> None:
    """The next turn may succeed; and the scheduler's thread has other things to do."""
    with Scheduler() as scheduler:
        scheduler.add_task(BackgroundTask(print).interval(-1).interval_wait(timedelta(hours=1)))
        life = scheduler._life
        assert life is not None
        answers: list[object] = [StoreError("it can't be opened"), False, True]

        def over() -> bool:
            answer = answers.pop(0)
            if isinstance(answer, StoreError):
                life.loop.post(lambda _reading: None)
                raise answer
            return bool(answer)

        assert life.driver.join(over, None, list)
        assert scheduler.health().alive


def test_whoever_waits_is_told_that_what_he_waits_for_cannot_be_read() -> None:
    def over() -> bool:
        raise SchedulerStateError("it can't be read")

    with Scheduler() as scheduler:
        scheduler.add_task(BackgroundTask(print).interval(-1).interval_wait(timedelta(hours=1)))
        life = scheduler._life
        assert life is not None
        with pytest.raises(SchedulerStateError, match="can't be read"):
            life.driver.join(over, None, list)
        with pytest.raises(SchedulerStateError, match="can't be read"):
            asyncio.run(life.driver.wait(over, None, list))

        assert scheduler.health().alive
