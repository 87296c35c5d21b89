"""Nobody waits for the scheduler's thread, or for a virtual clock, while holding the lock of the names."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time
from threading import Event

import pytest

from panther_schedule import BackgroundTask, Scheduler, TaskHandle, VirtualClock

DIGEST = BackgroundTask(print, "digest").on_time(time(8), tz="UTC").with_name("digest")
ACTIONS: dict[str, Callable[[Scheduler, TaskHandle], object]] = {
    "reload_tz": lambda scheduler, _handle: scheduler.reload_tz(),
    "replace": lambda scheduler, _handle: scheduler.replace(DIGEST.on_time(time(9), tz="UTC")),
    "pause": lambda _scheduler, handle: handle.pause(),
    "run_now": lambda _scheduler, handle: handle.run_now(),
    "cancel": lambda _scheduler, handle: handle.cancel(),
}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_others_may_add_tasks_while_one_waits(
    action: Callable[[Scheduler, TaskHandle], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = Scheduler(clock=VirtualClock(datetime(2026, 1, 1, tzinfo=UTC)))
    handle = scheduler.add_task(DIGEST)
    assert scheduler._life is not None
    driver = scheduler._life.driver
    acknowledge, free = driver.acknowledge, list[bool]()

    def watched(done: Event) -> None:
        with ThreadPoolExecutor(1) as other:  # the lock is free for another thread
            free.append(other.submit(scheduler._lock.acquire, blocking=False).result())
            if free[-1]:
                other.submit(scheduler._lock.release).result()
        acknowledge(done)

    monkeypatch.setattr(driver, "acknowledge", watched)
    action(scheduler, handle)

    assert free == [True]
    scheduler.stop()
