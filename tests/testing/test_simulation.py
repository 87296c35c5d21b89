"""`simulate()`: what would run, without a call of any function."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from panther_schedule import (
    BackgroundTask,
    Daily,
    Once,
    Passed,
    Repeat,
    Retry,
    Run,
    Scheduler,
    TaskRegistry,
    VirtualClock,
    background_tasks,
)
from panther_schedule.testing import (
    ClockStep,
    FailingTask,
    SimulatedTask,
    Simulation,
    SlowTask,
    Suspend,
    simulate,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


called: list[str] = []


def never() -> None:
    called.append("sync")


async def never_async() -> None:
    called.append("async")


@pytest.fixture(autouse=True)
def nothing_called() -> Iterator[None]:
    """Fail a test in which a function is called."""
    called.clear()
    yield
    assert called == []


EITHER = pytest.mark.parametrize("func", [never, never_async])


def every(wait: timedelta, func: Callable[[], object] = never) -> Any:
    """Make an endless task."""
    return BackgroundTask(func).interval(-1).interval_wait(wait).with_name("poll")


def shown(timeline: SimulatedTask) -> list[str]:
    """Show records in short."""
    return [
        f"{it.scheduled_at:%H:%M} {it.started_at:%H:%M}-{it.finished_at:%H:%M} {it.outcome}"
        if isinstance(it, Run)
        else f"{it.first_at:%H:%M} {it.count} {it.reason}"
        for it in timeline.records
    ]


def test_no_function_is_called_and_every_record_is_told(caplog: pytest.LogCaptureFixture) -> None:
    daily = BackgroundTask(never_async).with_schedule(Daily(time(8), tz="UTC")).with_name("digest")
    once = BackgroundTask(never)
    simulation = simulate([every(MINUTE), daily, once], START, START + 30 * DAY)

    assert (simulation.start, simulation.end) == (START, START + 30 * DAY)
    assert [timeline.name for timeline in simulation] == ["poll", "digest", "never-000003"]
    assert [len(timeline.records) for timeline in simulation] == [30 * 24 * 60 + 1, 30, 1]
    assert {run.outcome for timeline in simulation for run in timeline.runs} == {"succeeded"}
    assert caplog.records == []
    assert len(background_tasks) == 0


def test_it_tells_what_a_real_scheduler_records(clock: VirtualClock) -> None:
    faults = [
        SlowTask("poll", 100 * SECOND),
        Suspend(START + 9 * MINUTE, 22 * MINUTE),
        ClockStep(START + 3 * HOUR, -HOUR),
        FailingTask("digest", ConnectionError("down"), times=2),
    ]

    async def poll() -> None:
        await asyncio.sleep(100)

    failures = iter([ConnectionError("down"), ConnectionError("down")])

    def send() -> None:
        for error in failures:
            raise error

    def tasks(poll: Callable[[], object], send: Callable[[], object]) -> list[BackgroundTask]:
        digest = BackgroundTask(send).interval(3).on_time(time(2, 30), tz="UTC").with_name("digest")
        patient = digest.with_policy(retry=Retry(2, delay=MINUTE))
        return [every(MINUTE, poll).interval(8).with_policy(overlap="queue_one"), patient]

    with Scheduler(clock=clock) as scheduler:
        handles = scheduler.add_tasks(tasks(poll, send))
        clock.advance(9 * MINUTE)
        clock.suspend(START + 31 * MINUTE - clock.now())
        clock.advance(START + 3 * HOUR - clock.now())
        clock.step(-HOUR)
        clock.advance(2 * DAY)
        real = [sorted(map(repr, without_tracebacks(handle.runs))) for handle in handles]
    simulation = simulate(tasks(never_async, never), START, START + 3 * HOUR + 2 * DAY, faults)

    assert [sorted(map(repr, without_tracebacks(it.records))) for it in simulation] == real
    assert {it.outcome for it in simulation["digest"].runs} == {"succeeded", "failed"}


def without_tracebacks(records: tuple[Run | Passed, ...]) -> list[Run | Passed]:
    """Leave out where an error was raised."""
    return [
        it._replace(
            attempts=tuple(
                each._replace(error=each.error and each.error._replace(traceback="")) for each in it.attempts
            )
        )
        if isinstance(it, Run)
        else it
        for it in records
    ]


def test_a_suspend_is_missed_and_caught_up() -> None:
    (timeline,) = simulate(
        [every(5 * MINUTE).interval(5)], START, START + HOUR, [Suspend(START + 9 * MINUTE, 22 * MINUTE)]
    )

    assert shown(timeline) == [
        "00:00 00:00-00:00 succeeded",
        "00:05 00:05-00:05 succeeded",
        "00:10 4 missed",
        "00:30 00:31-00:31 succeeded",
        "00:35 00:35-00:35 succeeded",
        "00:40 00:40-00:40 succeeded",
    ]


def test_a_clock_that_is_set_moves_the_calendars_alone() -> None:
    daily = BackgroundTask(never).on_time(time(8), tz="UTC").with_name("digest")
    simulation = simulate([every(6 * HOUR), daily], START, START + DAY, [ClockStep(START + HOUR, 7 * HOUR)])

    assert shown(simulation["digest"]) == ["08:00 08:00-08:00 succeeded"]
    assert [it.started_at for it in simulation["poll"].runs][:2] == [START, START + 13 * HOUR]  # as the wall shows it


@EITHER
def test_a_slow_task_overlaps_itself(func: Callable[[], object]) -> None:
    (timeline,) = simulate(
        [every(MINUTE, func).interval(3)], START, START + HOUR, [SlowTask("poll", timedelta(seconds=90))]
    )

    assert shown(timeline) == [
        "00:00 00:00-00:01 succeeded",
        "00:01 1 skipped_overlap",
        "00:02 00:02-00:03 succeeded",
        "00:03 1 skipped_overlap",
        "00:04 00:04-00:05 succeeded",
    ]


def test_a_timeout_cancels_an_async_function_and_a_sync_one_goes_on() -> None:
    def timeline(func: Callable[[], object]) -> SimulatedTask:
        task = every(MINUTE, func).interval(2).with_policy(timeout=10 * SECOND)
        return simulate([task], START, START + HOUR, [SlowTask("poll", timedelta(seconds=90))])["poll"]

    assert shown(timeline(never_async)) == ["00:00 00:00-00:00 timed_out", "00:01 00:01-00:01 timed_out"]
    assert shown(timeline(never)) == [
        "00:00 00:00-00:00 timed_out",
        "00:01 1 skipped_overlap",
        "00:02 00:02-00:02 timed_out",
    ]


def test_a_newer_run_cancels_an_async_one_and_waits_for_a_sync_one() -> None:
    def timeline(func: Callable[[], object]) -> SimulatedTask:
        task = every(MINUTE, func).interval(2).with_policy(overlap="cancel_running")
        return simulate([task], START, START + HOUR, [SlowTask("poll", timedelta(seconds=90))])["poll"]

    assert shown(timeline(never_async)) == ["00:00 00:00-00:01 cancelled", "00:01 00:01-00:02 succeeded"]
    assert shown(timeline(never)) == ["00:00 00:00-00:01 succeeded", "00:01 00:01-00:03 succeeded"]


def test_a_slow_sync_task_delays_no_fault_and_not_the_end() -> None:
    simulation = simulate(
        [every(HOUR), BackgroundTask(never).with_name("slow")],
        START,
        START + 5 * HOUR,
        [SlowTask("slow", DAY), Suspend(START + 90 * MINUTE, 2 * HOUR)],
    )

    assert [f"{it.started_at:%H:%M}" for it in simulation["poll"].runs] == ["00:00", "01:00", "03:30", "04:00", "05:00"]
    assert simulation["slow"].records == ()
    assert [run.id for run in simulation["slow"].in_flight] == ["slow/2026-01-01T00:00:00+00:00"]


@EITHER
def test_a_task_fails_some_times_or_for_some_time(func: Callable[[], object]) -> None:
    def outcomes(fault: FailingTask) -> str:
        (timeline,) = simulate([every(MINUTE, func).interval(5)], START, START + HOUR, [fault])
        return "".join(run.outcome[0] for run in timeline.runs)

    assert outcomes(FailingTask("poll", OSError)) == "fffff"
    assert outcomes(FailingTask("poll", OSError, times=2)) == "ffsss"
    assert outcomes(FailingTask("poll", OSError, start_at=START + MINUTE, end_at=START + 3 * MINUTE)) == "sfffs"
    assert outcomes(FailingTask("poll", OSError, times=1, start_at=START + MINUTE)) == "sfsss"


@EITHER
def test_a_task_may_be_slow_and_fail_with_retries(func: Callable[[], object]) -> None:
    task = every(HOUR, func).with_policy(retry=Retry(3, delay=MINUTE))
    faults = [
        SlowTask("poll", 2 * MINUTE, end_at=START + 2 * MINUTE),
        FailingTask("poll", ConnectionError("down"), times=2),
    ]
    (timeline,) = simulate([task.interval(1)], START, START + HOUR, faults)

    (run,) = timeline.runs
    assert [(f"{it.started_at:%M}-{it.finished_at:%M}", str(it.error)) for it in run.attempts] == [
        ("00-02", "ConnectionError: down"),
        ("03-03", "ConnectionError: down"),
        ("05-05", "None"),
    ]


def test_jitter_is_that_of_the_real_task() -> None:
    task = BackgroundTask(never).on_time(time(8), tz="UTC").with_policy(jitter=HOUR)
    (timeline,) = simulate([task], START, START + DAY)

    assert [run.started_at for run in timeline.runs] == task.next_runs(1, after=START)


def test_a_whole_registry_is_simulated_and_a_task_that_is_there_twice_once() -> None:
    registry = TaskRegistry()
    registry.scheduled(Repeat(3, HOUR))(never)
    (task,) = registry

    assert [len(it.runs) for it in simulate(registry, START, START + DAY)] == [3]
    assert [len(it.runs) for it in simulate([task, task], START, START + DAY)] == [3]
    assert list(simulate([], START, START + DAY)) == []


def test_a_back_to_back_task_that_takes_time_is_simulated() -> None:
    task = BackgroundTask(never).interval(-1).with_name("busy")
    (timeline,) = simulate([task], START, START + HOUR, [SlowTask("busy", 7 * MINUTE)])

    assert len(timeline.runs) == 8


async def _simulate() -> Simulation:
    return simulate([every(MINUTE, never_async)], START, START + HOUR, [SlowTask("poll", SECOND)])


def test_it_can_be_called_where_an_event_loop_runs() -> None:
    assert len(asyncio.run(_simulate())["poll"].runs) == 60


def test_what_is_simulated_leaves_the_log_to_the_real_schedulers(caplog: pytest.LogCaptureFixture) -> None:
    faults = [FailingTask("poll", OSError), ClockStep(START + HOUR, HOUR), SlowTask("poll", 50 * SECOND)]
    with caplog.at_level(logging.DEBUG, "panther_schedule"):
        simulate([every(MINUTE).with_policy(timeout=30 * SECOND)], START, START + 2 * HOUR, faults)

    assert caplog.records == []


def test_a_simulation_is_a_value() -> None:
    simulation, again = (simulate([every(HOUR)], START, START + DAY) for _ in range(2))

    assert simulation == again
    with pytest.raises(AttributeError):
        simulation.start = START  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue] - what is refused
    with pytest.raises(KeyError, match=r"did you mean 'poll'\?"):
        simulation["polls"]


NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - what is refused
api: Any = simulate


def test_two_equal_faults_are_two() -> None:
    fault = FailingTask("poll", ConnectionError, times=1)
    (timeline,) = simulate([every(HOUR)], START, START + 2 * HOUR, [fault, fault])

    assert [run.outcome for run in timeline.runs] == ["failed", "failed", "succeeded"]


@pytest.mark.parametrize("start_us", range(0, 2_000_000, 300_007))
def test_a_slow_run_takes_exactly_its_time(start_us: int) -> None:
    """Whatever the moment; a sum of floats may lie just above it."""
    takes = timedelta(milliseconds=100)
    late = BackgroundTask(never).with_name("late").with_schedule(Once(after=timedelta(microseconds=start_us)))
    busy = BackgroundTask(never).with_name("busy").interval(10)
    for timeline in simulate([late, busy], START, START + DAY, [SlowTask("late", takes), SlowTask("busy", takes)]):
        for run in timeline.runs:
            assert [run.finished_at - attempt.started_at for attempt in run.attempts if attempt.started_at] == [takes]


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: api(every(HOUR), START, START + DAY), "tasks must be a list, a tuple or a TaskRegistry"),
    (lambda: api([never], START, START + DAY), "a function is not a task"),
    (lambda: simulate([], NAIVE, START), "start must be an aware datetime, got a naive one"),
    (lambda: simulate([], START, NAIVE), "end must be an aware datetime"),
    (lambda: simulate([], START, START), "end must be after start, got 2026-01-01T00:00:00"),
    (lambda: api([], START, START + DAY, [DAY]), "faults must be a list of Suspend, ClockStep, .* got timedelta"),
    (lambda: api([], START, START + DAY, Suspend(START, HOUR)), "faults must be a list of .* got Suspend; write"),
    (lambda: simulate([BackgroundTask(never).interval(-1)], START, START + DAY), "never-000001' would run endlessly"),
    (
        lambda: simulate(
            [BackgroundTask(never).interval(-1).with_name("busy")],
            START,
            START + DAY,
            [SlowTask("busy", HOUR, end_at=START + HOUR)],
        ),
        "'busy' would run endlessly",
    ),
    (
        lambda: simulate([every(HOUR)], START, START + DAY, [SlowTask("pol", HOUR)]),
        r"no task is named 'pol'; did you mean 'poll'\?",
    ),
    (lambda: simulate([], START, START + DAY, [SlowTask("poll", HOUR)]), "there are none"),
    (lambda: simulate([], START, START + DAY, [Suspend(START - HOUR, HOUR)]), "a fault must lie between start and"),
    (lambda: simulate([], START, START + DAY, [Suspend(START + 23 * HOUR, 2 * HOUR)]), "a fault must lie between"),
    (
        lambda: simulate([], START, START + DAY, [Suspend(START, 2 * HOUR), ClockStep(START + HOUR, HOUR)]),
        r"and not in a suspend, got ClockStep\(at=datetime",
    ),
    (lambda: Suspend(NAIVE, HOUR), "at must be an aware datetime"),
    (lambda: Suspend(START, timedelta(0)), "by must be longer than zero, got 0:00:00"),
    (lambda: ClockStep(START, 5), "by must be a timedelta"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - refused
    (lambda: SlowTask(5, HOUR), "task must be the name of a task, got int"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - refused
    (lambda: SlowTask("poll", -HOUR), "takes must be longer than zero"),
    (lambda: SlowTask("poll", HOUR, start_at=NAIVE), "start_at must be an aware datetime"),
    (lambda: SlowTask("poll", HOUR, start_at=START + DAY, end_at=START), "end_at must be at or after start_at"),
    (lambda: FailingTask("poll", KeyboardInterrupt), "error must be an Exception"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - refused
    (lambda: FailingTask("poll", OSError, times=0), "times must be an int of at least 1, got 0"),
]


@pytest.mark.parametrize(("act", "said"), REFUSED)
def test_nonsense_is_refused_in_words(act: Callable[[], object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        act()
