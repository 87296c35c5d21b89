"""The table of semantics in one place: one short test for each of its rows, in its order.

Other modules have the tables of each row; here is what a row says, once.
"""

# mypy: disable-error-code="panther-schedule"

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from telling import SECOND, START, at, note, outcomes, runs, seconds, starts, told

from panther_schedule import (
    BackgroundTask,
    BusyLoopWarning,
    Cron,
    Daily,
    Monthly,
    Once,
    Repeat,
    Retry,
    Scheduler,
    VirtualClock,
    Weekly,
    current_run,
)
from panther_schedule.events import ClockStepped, Event
from panther_schedule.occurrences import compiler

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def days(schedule: Any, number: int, after: datetime = START) -> list[str]:
    """Preview a schedule, by the clock of its zone."""
    zone = ZoneInfo(schedule.tz or "UTC")
    found = BackgroundTask(note).with_schedule(schedule).next_runs(number, after=after)
    return [f"{run.astimezone(zone):%Y-%m-%d %H:%M}" for run in found]


def test_first_run() -> None:
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        first = [
            scheduler.add_task(task).next_run
            for task in (
                BackgroundTask(note),
                BackgroundTask(note).interval(5).interval_wait(SECOND),
                BackgroundTask(note).on_time(time(0), tz="UTC"),
                BackgroundTask(note).with_schedule(Once(START - DAY)),
            )
        ]
        scheduler.join(SECOND)

    assert first == [START, START, START + DAY, START - DAY], "strictly after now, or late"


def test_grid_of_repeat() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(3).interval_wait(SECOND / 3))
        clock.suspend(SECOND / 6)
        scheduler.join()

    assert [run.scheduled_at - START for run in runs(handle)] == [k * (SECOND / 3) for k in range(3)]


def test_repeat_without_wait() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        slow = scheduler.add_task(BackgroundTask(clock.sleep, 2 * SECOND).interval(3))
        quick = scheduler.add_task(BackgroundTask(note).interval(3))
        clock.advance(9 * SECOND)
        with pytest.raises(ValidationError, match="overlap must be 'skip'"):
            BackgroundTask(note).with_policy(overlap="allow").with_schedule(Repeat(3))
        with pytest.warns(BusyLoopWarning):
            failing = scheduler.add_task(BackgroundTask(int, "x").interval(-1))
        clock.advance(8 * SECOND)
        failing.cancel()

    assert starts(slow) == [0, 2, 4]
    assert [run.scheduled_at - START for run in runs(quick)] == [k * timedelta(microseconds=1) for k in range(3)]
    assert starts(failing) == pytest.approx([9, 10, 12, 16])


def test_n() -> None:
    clock = VirtualClock(START)

    def work() -> None:
        if current_run().attempt == 1:
            raise LookupError

    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(work).interval(3).interval_wait(10 * SECOND).with_policy(retry=Retry(2))
        handle = scheduler.add_task(task)
        handle.run_now()
        clock.advance(5 * SECOND)
        handle.backfill(START, START)
        clock.suspend(20 * SECOND)
        scheduler.join()

    assert outcomes(handle) == {"succeeded": 3, "missed": 1}
    assert len(task.next_runs(9, after=START)) == 3


def test_overlap() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(clock.sleep, 1.5 * SECOND).interval(5).interval_wait(SECOND))
        scheduler.join()

    assert starts(handle) == [0, 2, 4, 6, 8]
    assert outcomes(handle) == {"succeeded": 5, "skipped_overlap": 4}


def test_missed() -> None:
    clock, minute = VirtualClock(START), 60
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).interval(5).interval_wait(5 * minute * SECOND))
        clock.advance(9 * minute * SECOND)
        clock.suspend(22 * minute * SECOND)
        scheduler.join()

    assert [start / minute for start in starts(handle)] == [0, 5, 31, 35, 40]
    assert [seconds(run.scheduled_at) / minute for run in runs(handle)] == [0, 5, 30, 35, 40]
    assert told(handle)[2] == ("missed", 10 * minute, 25 * minute, 4)


def test_ledger() -> None:
    """`law.py` holds this at the end of every test; here it is with each kind of record at once."""
    clock = VirtualClock(START)
    lengths = {3.0: 2.5, 8.0: 20.0}

    def work() -> None:
        second = seconds(current_run().scheduled_at)
        if second == 1:
            raise LookupError
        clock.sleep(lengths.get(second, 0.25) * SECOND)

    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(work).interval(-1).interval_wait(SECOND).with_policy(timeout=5 * SECOND)
        handle = scheduler.add_task(task)
        at(scheduler, 30.5, handle.pause)
        at(scheduler, 32.5, handle.resume)
        clock.advance(35.5 * SECOND)
        clock.suspend(4 * SECOND)

    counts = outcomes(handle)
    assert set(counts) == {"succeeded", "failed", "timed_out", "missed", "skipped_overlap", "skipped_paused"}
    assert sum(counts.values()) == 40, "from 0 to 39, and each of them once"


def test_identity() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).with_name("a"))
        scheduler.join()
        handle.run_now().join()
        handle.backfill(START, START)[0].join()

    name = "a/2026-01-01T00:00:00+00:00"
    assert [(run.cause, run.id) for run in runs(handle)] == [
        ("schedule", name),
        ("manual", f"{name}/manual-1"),
        ("backfill", f"{name}/backfill-2"),
    ]
    assert outcomes(handle) == {"succeeded": 1}


def test_two_clocks() -> None:
    clock, events = VirtualClock(START), list[Event]()
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_listener(events.append)
        steady = scheduler.add_task(BackgroundTask(note).interval(4).interval_wait(HOUR))
        wall = scheduler.add_task(BackgroundTask(note).on_time(time(1), tz="UTC"))
        clock.advance(1.5 * HOUR)
        clock.step(-HOUR)
        clock.advance(HOUR)
        clock.step(timedelta(milliseconds=100))
        clock.advance(HOUR)

    assert len(runs(steady)) == 4
    assert len(runs(wall)) == 1
    assert [event for event in events if isinstance(event, ClockStepped)] == [ClockStepped(-HOUR, 0)]


def test_dst_gap_and_fold() -> None:
    spring, autumn = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)

    def daily(**fields: Any) -> Daily:
        return Daily(time(2, 30), tz="Europe/Berlin", **fields)

    assert days(daily(), 1, spring) == ["2026-03-29 03:00"]
    assert days(daily(gap="shift"), 1, spring) == ["2026-03-29 03:30"]
    assert days(daily(gap="skip"), 1, spring) == ["2026-03-30 02:30"]
    task = BackgroundTask(note)
    found = [
        [run.astimezone(UTC) for run in task.with_schedule(daily(fold=fold)).next_runs(2, after=autumn)]
        for fold in ("first", "last", "both")
    ]
    first, last = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert [found[0][0], found[1][0], *found[2]] == [first, last, first, last]
    assert days(Daily(time(8), tz="Pacific/Apia"), 2, datetime(2011, 12, 29, tzinfo=UTC)) == [
        "2011-12-29 08:00",
        "2011-12-31 08:00",
    ], "the 30th does not exist"
    spared = Daily(time(2, 30), tz="Europe/Berlin", excluding=(date(2026, 3, 29),))
    assert days(spared, 1, spring) == ["2026-03-30 02:30"]


def test_cron() -> None:
    assert days(Cron("0 9 13 * fri", tz="UTC"), 3) == ["2026-01-02 09:00", "2026-01-09 09:00", "2026-01-13 09:00"]
    assert days(Cron("0 9 */2 * fri", tz="UTC"), 2) == ["2026-01-09 09:00", "2026-01-23 09:00"], "the star rule"


def test_months() -> None:
    assert days(Monthly(31, time(8), tz="UTC"), 3) == ["2026-01-31 08:00", "2026-03-31 08:00", "2026-05-31 08:00"]
    assert days(Monthly(31, time(8), tz="UTC", missing="clamp"), 2) == ["2026-01-31 08:00", "2026-02-28 08:00"]
    assert days(Monthly(-1, time(8), tz="UTC"), 2) == ["2026-01-31 08:00", "2026-02-28 08:00"]
    with pytest.raises(ValidationError, match="starting must be given with every=2"):
        Weekly("mon", time(8), every=2)


def test_union() -> None:
    clock = VirtualClock(START)
    union = Daily(time(8), tz="UTC") | Weekly("thu", time(8), tz="UTC") | Weekly("thu", time(9), tz="UTC")
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).with_schedule(union))
        clock.advance(DAY)

    assert [start / 3600 for start in starts(handle)] == [8, 9], "what coincides is one run"


def test_never_happens() -> None:
    with pytest.raises(ValidationError, match="never match a date"):
        Cron("0 0 30 2 *")
    shut = Weekly("mon", time(8), tz="UTC", start_at=START, end_at=START + HOUR)
    with pytest.raises(ValidationError, match="never happens"):
        BackgroundTask(note).with_schedule(shut)


def test_start_at_and_end_at() -> None:
    bounded = Daily(time(8), tz="UTC", start_at=START + 8 * HOUR, end_at=START + 32 * HOUR)

    assert days(bounded, 9) == ["2026-01-01 08:00", "2026-01-02 08:00"]
    with pytest.raises(ValidationError, match="aware"):
        Daily(time(8), start_at=datetime(2026, 1, 1))  # noqa: DTZ001 - a naive one, on purpose


def test_a_run_raises(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(int, "x").interval(2).interval_wait(10 * SECOND).with_name("a")
        handle = scheduler.add_task(task.with_policy(retry=Retry(3, on=(ValueError,))))
        scheduler.join()

    assert outcomes(handle) == {"failed": 2}
    assert [len(run.attempts) for run in runs(handle)] == [3, 3]
    assert caplog.text.count("task a failed") == caplog.text.count("Traceback") == 2, "once a run"


@pytest.mark.real_clock
def test_timeout() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        task = BackgroundTask(clock.sleep, 5 * SECOND).with_policy(timeout=2 * SECOND, retry=Retry(2))
        sync = scheduler.add_task(task)
        scheduler.join()
    (run,) = runs(sync)
    assert [(one.outcome, seconds(one.started_at), seconds(one.finished_at)) for one in run.attempts] == [
        ("timed_out", 0, 2),
        ("timed_out", 6, 8),
    ]

    ended: list[str] = []

    async def sleep() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled where it waits")
            raise

    with Scheduler() as scheduler:
        handle = scheduler.add_task(BackgroundTask(sleep).with_policy(timeout=timedelta(milliseconds=10)))
        assert handle.join(10 * SECOND)
    assert outcomes(handle) == {"timed_out": 1}
    assert ended == ["cancelled where it waits"]


def test_jitter() -> None:
    clock = VirtualClock(START)
    task = BackgroundTask(note).interval(5).interval_wait(SECOND).with_policy(jitter=HOUR)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(task)
        scheduler.join()

    assert [run.started_at for run in runs(handle)] == list(task.next_runs(5, after=START))
    assert all(k < start < k + 1 for k, start in enumerate(starts(handle)))
    assert task.next_runs(5, after=START) != task.with_name("a").next_runs(5, after=START)


def test_pause() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        grid = scheduler.add_task(BackgroundTask(note).interval(2).interval_wait(SECOND))
        once = scheduler.add_task(BackgroundTask(note).with_schedule(Once(START + SECOND)))
        endless = scheduler.add_task(BackgroundTask(clock.sleep, SECOND / 4).interval(9))
        for handle in (grid, once, endless):
            at(scheduler, 0.4, handle.pause)
            at(scheduler, 4.5, handle.resume)
        scheduler.join()

    assert told(grid) == [0, ("skipped_paused", 1, 4, 4), 5]
    assert told(once) == [4.5]
    assert starts(endless)[:4] == [0, 0.25, 4.5, 4.75], "what ran when the pause began went on"


def test_a_lost_attempt() -> None:
    """Processes that die are in tests/durable."""
    crashes = (Path(__file__).parents[1] / "durable" / "test_crashes.py").read_text()
    assert "def test_no_death_breaks_the_law" in crashes


def test_exit(caplog: pytest.LogCaptureFixture) -> None:
    """The end of a program is in test_process.py; `stop()` drains by the same rules."""
    clock = VirtualClock(START)
    scheduler = Scheduler(clock=clock)
    due = scheduler.add_task(BackgroundTask(clock.sleep, 2 * SECOND))
    back_to_back = scheduler.add_task(BackgroundTask(clock.sleep, SECOND).interval(4))
    later = scheduler.add_task(BackgroundTask(note).interval(5).interval_wait(HOUR))
    scheduler.stop()

    assert [len(runs(handle)) for handle in (due, back_to_back, later)] == [1, 4, 1]
    assert later.ended
    assert "dropped" not in caplog.text, "only the end of the program says so"
    process = (Path(__file__).parent / "test_process.py").read_text()
    assert "def test_a_script_drains_what_is_due_and_exits_with_0" in process
    assert "def test_the_first_ten_dropped_tasks_are_named" in process


def test_fork() -> None:
    """A process that forks is in test_process.py."""
    process = (Path(__file__).parent / "test_process.py").read_text()
    assert "def test_a_child_process_has_an_empty_unstarted_scheduler" in process


def test_machines_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "machine_zone", lambda: ZoneInfo("Asia/Tokyo"))
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        handle = scheduler.add_task(BackgroundTask(note).on_time(time(8)))

        assert handle.next_run == datetime(2026, 1, 1, 23, tzinfo=UTC)
        assert handle.task.schedule == Daily(time(8), n=1), "None stays None"
        assert BackgroundTask(note).on_time(time(8)).next_runs(1, after=START)[0] == handle.next_run
