"""Quick checks of what the model of the runtime does not know: jitter, back to back, the drain, who is asked.

Each is a small scenario, or a table, with its own expectation. `test_mutations.py` runs them with and without faults.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from model_parts import SECOND as S
from model_parts import Ways
from pair import Pair, Timing, nothing
from tables import AT, GRID, added, finished, now, started, us

from panther_schedule import BackgroundTask, Cron, Policy, Repeat, Retry, Run, Scheduler, VirtualClock, current_run
from panther_schedule.planning import ends, rule
from panther_schedule.planning.records import Run as Flown
from panther_schedule.planning.state import Held
from panther_schedule.runtime.coroutines import Coroutines
from panther_schedule.runtime.entries import Flight
from panther_schedule.runtime.handles import RunHandle

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@contextmanager
def scheduling() -> Generator[tuple[Scheduler, VirtualClock]]:
    """Give a scheduler on a virtual clock, which is stopped at once."""
    clock = VirtualClock(START)
    scheduler = Scheduler(clock=clock).start()
    try:
        yield scheduler, clock
    finally:
        scheduler.stop(timedelta(0))


@contextmanager
def held_runs() -> Generator[Pair]:
    """Give a scheduler whose runs go on until they are ended; its model is not asked."""
    pair = Pair()
    try:
        yield pair
    finally:
        pair.stop()


def seconds(clock: VirtualClock) -> float:
    """Return the seconds since the start."""
    return (clock.now() - START).total_seconds()


def open_runs(pair: Pair) -> list[int]:
    """List the occurrences whose functions go on, in seconds after the start."""
    return [(flight.run.at - AT) // S for flight in pair.workers.open]


def end_first(pair: Pair) -> None:
    """Let the oldest function end."""
    pair.workers.let_end(pair.workers.open[0], "succeeded", None)
    pair.clock.advance(timedelta(0))


# ---- runs --------------------------------------------------------------------------------------------------------


def the_run_before() -> None:
    """Each run knows the occurrence of the one before, over what was missed."""
    found: list[datetime | None] = []
    with scheduling() as (scheduler, clock):
        scheduler.add_task(
            BackgroundTask(lambda: found.append(current_run().previous_at)).interval(3).interval_wait(10 * SECOND)
        )
        clock.advance(10 * SECOND)
        clock.suspend(35 * SECOND)
    assert found == [None, START, START + 10 * SECOND]


def order_of_starts() -> None:
    """What is due at the same time starts by the wall clock first, then in the order of adding."""
    found: list[str] = []
    with scheduling() as (scheduler, clock):
        for name, schedule in (("a", Repeat(-1, 30 * SECOND)), ("b", Repeat(-1, 20 * SECOND)), ("c", MINUTELY)):
            scheduler.add_task(BackgroundTask(found.append, name).with_schedule(schedule))
        clock.advance(59 * SECOND)
        found.clear()
        clock.suspend(SECOND)
    assert found == ["c", "a", "b"]


MINUTELY = Cron("* * * * *", tz="UTC")


def what_is_tried_again() -> None:
    """Only the errors that a policy names are tried again."""
    for error, calls in ((ConnectionResetError, 3), (KeyError, 1), (SystemExit, 1)):
        assert len(one_run(Policy(retry=Retry(3, on=(OSError,))), error).attempts) == calls


def one_run(policy: Policy, error: type[BaseException]) -> Run:
    """Return the record of a run that fails."""

    def fail() -> None:
        raise error

    with scheduling() as (scheduler, _clock):
        handle = scheduler.add_task(BackgroundTask(fail).with_policy(policy))
        handle.join()
    (run,) = handle.runs
    assert isinstance(run, Run)
    return run


def logged_asks(pair: Pair) -> list[Flight]:
    """List, from now on, which runs the workers are to ask for their end."""
    asks: list[Flight] = []

    class Asked(Coroutines):
        def ask(self, flight: Flight) -> None:
            asks.append(flight)

    pair.workers.coroutines.__class__ = Asked
    return asks


def asked_by_a_timeout() -> None:
    """A function that takes too long is asked to end, once."""
    with held_runs() as pair:
        asks = logged_asks(pair)
        pair.add(Timing("repeat", 3, 100 * S), Ways(timeout=5 * S), named=True)
        pair.clock.advance(4 * SECOND)
        assert asks == []
        pair.clock.advance(90 * SECOND)
        assert asks == pair.workers.open


def asked_once() -> None:
    """A run is asked by the first newcomer: a second time would cut its cleanup short."""
    with held_runs() as pair:
        asks = logged_asks(pair)
        pair.add(Timing("repeat", -1, 10 * S), Ways(overlap="cancel_running"), named=True)
        pair.clock.advance(45 * SECOND)
        assert asks == pair.workers.open


def asked_for_its_cleanup() -> None:
    """A function that cleans up after its timeout is not asked again, by a newcomer or by `cancel()`."""
    for overlap, act in (("cancel_running", None), ("skip", "cancel")):
        with held_runs() as pair:
            asks = logged_asks(pair)
            pair.add(Timing("repeat", -1, 100 * S), Ways(overlap=overlap, timeout=50 * S, attempts=2), named=True)
            pair.clock.advance(110 * SECOND)
            if act == "cancel":
                pair.handles[0].cancel()
            assert pair.handles[0].counts["cancelled"] == 1
            assert asks == pair.workers.open


def asked_when_it_began() -> None:
    """A run that is asked before the scheduler hears of its call is asked once."""
    with held_runs() as pair:
        asks = logged_asks(pair)
        pair.add(Timing("repeat", -1, 100 * S), Ways(timeout=50 * S), named=True)
        (flight,) = pair.workers.open
        pair.handles[0].cancel()
        pair.life.engine.begin(flight, AT, now(1))
        pair.clock.advance(SECOND)
        assert asks == [flight]


def asked_when_abandoned() -> None:
    """A function that is abandoned by the end of a drain can see that it should end."""
    with held_runs() as pair:
        pair.add(Timing("repeat", -1, 100 * S), Ways(), named=True)
        (flight,) = pair.workers.open
        pair.scheduler.stop(SECOND)
        assert flight.asked


def woken_after_cancel() -> None:
    """A queued run of a task that was cancelled is not called."""
    known, state = added()
    state = state._replace(held=Held(stopped="cancelled"))
    run = ends.wake(known, state, Flown("", AT, None, "backfill", 1, phase="queued"), None, now(1)).run
    assert run is not None
    assert run.asked


def recorded_once() -> None:
    """A run that timed out is recorded then, and not again when its function returns."""
    known, state = added(GRID, Policy(timeout=5 * SECOND))
    state, run = started(known, state)
    over = ends.wake(known, state, run, AT, now(5))
    assert over.record is not None
    assert over.run is not None
    assert ends.ended(known, over.state, over.run, finished("succeeded", 6), now(6)).record is None


def lost_attempts() -> None:
    """A run whose attempts were lost three times is recorded, and none of its retries is used up by that."""
    known, state = added(GRID, Policy(retry=Retry(2)))
    state, run = started(known, state)
    for _ in range(2):
        again = ends.lost(known, state, run, AT, now(1)).run
        assert again is not None
        run = again._replace(phase="active")
    failed = ends.ended(known, state, run, finished("failed", 2, OSError()), now(2)).run
    assert failed is not None
    over = ends.lost(known, state, failed._replace(phase="active"), AT, now(3)).record
    assert over is not None
    assert [attempt.outcome for attempt in over.attempts] == ["lost", "lost", "failed", "lost"]


def backfill_after_a_timeout() -> None:
    """The next run of a backfill waits for a function that timed out."""
    with held_runs() as pair:
        backfilled(pair, Ways(overlap="allow", timeout=50 * S))
        pair.clock.advance(60 * SECOND)
        assert [flight.run.at for flight in backfills(pair)] == [AT]
        pair.workers.let_end(backfills(pair)[0], "succeeded", None)
        pair.clock.advance(timedelta(0))
        assert [flight.run.at for flight in backfills(pair)] == [us(100)]


def backfill_without_one() -> None:
    """A run of a backfill that is cancelled before its turn lets no other begin."""
    with held_runs() as pair:
        runs = backfilled(pair, Ways(overlap="allow"))
        runs[1].cancel()
        assert [flight.run.at for flight in backfills(pair)] == [AT]


def backfilled(pair: Pair, ways: Ways) -> list[RunHandle]:
    """Run a task again for its first three occurrences."""
    pair.add(Timing("repeat", -1, 100 * S), ways, named=True)
    pair.clock.advance(250 * SECOND)
    return pair.handles[0].backfill(START, START + 200 * SECOND)


def backfills(pair: Pair) -> list[Flight]:
    """List the runs of a backfill whose functions go on."""
    return [flight for flight in pair.workers.open if flight.run.cause == "backfill"]


# ---- back to back ------------------------------------------------------------------------------------------------


def back_to_back() -> None:
    """The next run starts when the one before has ended and, after failures, after 1 s, 2 s..."""
    starts: list[float] = []
    with scheduling() as (scheduler, clock):

        def work() -> None:
            starts.append(seconds(clock))
            clock.sleep(SECOND)
            if len(starts) in {1, 2, 4}:
                raise LookupError

        scheduler.add_task(BackgroundTask(work).interval(5))
        clock.advance(60 * SECOND)
    assert starts == [0, 2, 5, 6, 8]


def back_to_back_replaced() -> None:
    """A back-to-back task waits for the run that the schedule before has left."""
    calls: list[tuple[float, float]] = []
    with scheduling() as (scheduler, clock):

        def work() -> None:
            begun = seconds(clock)
            if begun == 0:
                scheduler.replace(task.interval(2))
            clock.sleep(5 * SECOND)
            calls.append((begun, seconds(clock)))

        task = BackgroundTask(work).with_name("work")
        scheduler.add_task(task.interval(9).interval_wait(60 * SECOND))
        clock.advance(60 * SECOND)
    assert calls == [(0, 5), (5, 10), (10, 15)]


def back_to_back_after_a_timeout() -> None:
    """A back-to-back task waits for a function that goes on after its timeout."""
    with held_runs() as pair:
        task = BackgroundTask(nothing).interval(3).with_policy(timeout=5 * SECOND)
        pair.scheduler.add_task(task)
        pair.clock.advance(60 * SECOND)
        assert open_runs(pair) == [0]
        end_first(pair)
        pair.clock.advance(SECOND)
        assert open_runs(pair) == [61]


# ---- jitter ------------------------------------------------------------------------------------------------------


def jitter() -> None:
    """A run is late by a part of its jitter that its name and its occurrence decide."""
    found: dict[str, float] = {}
    with scheduling() as (scheduler, clock):

        def work() -> None:
            found[current_run().task] = seconds(clock)

        task = BackgroundTask(work).with_schedule(Cron("0 * * * *", tz="UTC")).with_policy(jitter=600 * SECOND)
        expected: dict[str, float] = {}
        for name in ("digest", "report"):
            handle = scheduler.add_task(task.with_name(name))
            drawn = blake2b(f"{name}\0{us(3600)}".encode(), digest_size=16).digest()
            expected[name] = 3600 + int.from_bytes(drawn, "big") % (600 * S) / S
            assert handle.next_run == START + timedelta(seconds=expected[name])
        clock.advance(timedelta(hours=1, minutes=10))
    assert found == expected


def jitter_is_bounded() -> None:
    """No run is as late as the next occurrence."""
    known, state = added(GRID, Policy(jitter=3600 * SECOND))
    for k in range(40):
        when = rule.due_at(known, state._replace(next_at=us(10 * k)))
        assert when is not None
        assert us(10 * k) <= when < us(10 * k + 10)


# ---- the drain ---------------------------------------------------------------------------------------------------


def drain() -> None:
    """A drain lets what waits and finite back-to-back tasks run to their end, and drops the rest."""
    with held_runs() as pair:
        pair.add(Timing("repeat", -1, 10 * S), Ways(overlap="queue_one"), named=True)
        finite = pair.scheduler.add_task(BackgroundTask(nothing).interval(2))
        later = pair.scheduler.add_task(BackgroundTask(nothing).with_schedule(Repeat(2, after=16 * SECOND)))
        pair.clock.advance(15 * SECOND)
        assert open_runs(pair) == [0, 0]
        pair.scheduler._begin_stop(100 * SECOND, at_exit=False)
        pair.clock.advance(timedelta(0))
        assert later.ended
        end_first(pair)
        end_first(pair)
        assert open_runs(pair) == [10, 15]
        pair.clock.advance(20 * SECOND)
        assert open_runs(pair) == [10, 15]
        end_first(pair)
        end_first(pair)
        assert pair.life.loop.over
        assert finite.counts["succeeded"] == pair.handles[0].counts["succeeded"] == 2


def end_of_a_drain() -> None:
    """What is active or waits when a drain takes too long is abandoned."""
    with held_runs() as pair:
        pair.add(Timing("repeat", -1, 10 * S), Ways(overlap="queue_one"), named=True)
        pair.clock.advance(15 * SECOND)
        pair.scheduler.stop(3 * SECOND)
        assert pair.handles[0].counts["abandoned"] == 2
        assert pair.handles[0].counts["in_flight"] == 0
        assert seconds(pair.clock) == 18


def new_zones() -> None:
    """What is over does not run again after time zone data was read again."""
    found: list[float] = []
    with scheduling() as (scheduler, clock):
        scheduler.add_task(
            BackgroundTask(lambda: found.append(seconds(clock))).with_schedule(Cron("0 * * * *", tz="Europe/Berlin"))
        )
        clock.advance(timedelta(hours=2, minutes=30))
        scheduler.reload_tz()
        clock.advance(timedelta(hours=1))
    assert found == [3600, 7200, 10800]
