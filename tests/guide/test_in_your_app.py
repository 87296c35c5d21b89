"""In your app: who stops the scheduler, on which event loop functions run, and which process has the tasks."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from panther_schedule import BackgroundTask, Scheduler, SchedulerStateError, VirtualClock

pytestmark = pytest.mark.real_clock
ran: list[object] = []


async def note_loop() -> None:
    """Note the event loop that it runs on."""
    ran.append(asyncio.get_running_loop())


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    """Forget what ran before."""
    ran.clear()


def test_the_end_of_a_lifespan_finishes_what_is_due() -> None:
    """Give `lifespan` to the app, and the runs that its end finds active are finished."""

    async def app() -> None:
        async with scheduler.lifespan():
            scheduler.add_task(BackgroundTask(note_loop))

    scheduler = Scheduler()
    asyncio.run(app())
    assert len(ran) == 1


def test_async_functions_run_on_the_event_loop_of_the_app() -> None:
    """Inside `lifespan` async functions may use the pools and clients of the app."""

    async def app() -> None:
        async with scheduler.lifespan():
            await scheduler.add_task(BackgroundTask(note_loop)).wait()
        assert ran == [asyncio.get_running_loop()]

    scheduler = Scheduler()
    asyncio.run(app())


def test_a_lifespan_of_ones_own_may_add_tasks() -> None:
    """Enter `scheduler.lifespan(app)` in a lifespan of your own to add tasks when the app starts."""

    @asynccontextmanager
    async def lifespan(app: object) -> AsyncGenerator[None]:
        async with scheduler.lifespan(app):
            scheduler.add_task(BackgroundTask(note_loop))
            yield

    async def serve() -> None:
        async with lifespan(None):
            assert await scheduler.wait()

    scheduler = Scheduler()
    asyncio.run(serve())
    assert len(ran) == 1


def test_an_app_that_starts_twice_begins_afresh() -> None:
    """Two tests with a `TestClient` each enter the lifespan of one app, and the second finds no tasks of the first."""

    async def app() -> int:
        async with scheduler.lifespan():
            scheduler.add_task(BackgroundTask(note_loop).with_name("greet"))
            return len(scheduler)

    scheduler = Scheduler()
    assert [asyncio.run(app()) for _ in range(2)] == [1, 1]
    assert len(ran) == 2


def test_tasks_are_added_inside_the_lifespan() -> None:
    """A scheduler that a task has started already has an event loop, so `lifespan` refuses it."""

    async def app() -> None:
        async with scheduler.lifespan():
            pass

    with Scheduler() as scheduler:
        scheduler.add_task(BackgroundTask(int))
        with pytest.raises(SchedulerStateError, match="before its first task"):
            asyncio.run(app())


def test_a_notebook_awaits_what_a_script_joins() -> None:
    """Where an event loop runs, `join()` would block it, and is refused; `await handle.wait()`."""

    async def cell() -> None:
        handle = scheduler.add_task(BackgroundTask(int))
        with pytest.raises(SchedulerStateError, match="await"):
            handle.join()
        assert await handle.wait()

    with Scheduler() as scheduler:
        asyncio.run(cell())


def test_a_process_can_be_kept_from_running_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `PANTHER_SCHEDULE_DISABLED=1` a command checks the tasks it adds, and runs none."""
    monkeypatch.setenv("PANTHER_SCHEDULE_DISABLED", "1")
    with Scheduler() as scheduler:
        handle = scheduler.add_task(BackgroundTask(ran.append, "it ran"))
        assert scheduler.join()

    assert handle.ended
    assert ran == []


def test_virtual_time_runs_in_any_process(monkeypatch: pytest.MonkeyPatch, clock: VirtualClock) -> None:
    """The switch is for the machine's clock, so tests on a `VirtualClock` run all the same."""
    monkeypatch.setenv("PANTHER_SCHEDULE_DISABLED", "1")
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(ran.append, "it ran"))

    assert ran == ["it ran"]
