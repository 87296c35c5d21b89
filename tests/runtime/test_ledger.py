"""The law of the ledger: each due occurrence is in exactly one record, whatever happens to time and to the runs."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from telling import passed

from panther_schedule import BackgroundTask, Run, Scheduler, TaskHandle, VirtualClock
from panther_schedule.clock import moment

SECOND = timedelta(seconds=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def covered(handle: TaskHandle, wait: timedelta) -> list[datetime]:
    """List every occurrence that a record covers, by steady time, in the order of the records, one by one."""
    found: list[datetime] = []
    for record in handle.runs:
        if isinstance(record, Run):
            found.append(moment(record.at))
        else:
            found += [moment(record.first) + k * wait for k in range(record.count)]
            assert found[-1] == moment(record.last)
    return found


SPANS = st.integers(0, 9).map(lambda tenths: tenths * SECOND / 2)


@given(
    wait=st.integers(1, 4).map(lambda halves: halves * SECOND / 2),
    n=st.sampled_from([-1, 1, 2, 5]),
    lengths=st.lists(SPANS, min_size=1, max_size=8),
    moves=st.lists(st.tuples(st.sampled_from(["advance", "suspend", "step"]), SPANS), max_size=4),
    fails=st.booleans(),
)
def test_every_occurrence_from_the_first_to_the_last_is_in_one_record(
    wait: timedelta, n: int, lengths: list[timedelta], moves: list[tuple[str, timedelta]], *, fails: bool
) -> None:
    clock = VirtualClock(START)
    calls = 0

    def work() -> None:
        nonlocal calls
        calls += 1
        clock.sleep(lengths[calls % len(lengths)])
        if fails:
            raise LookupError

    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(work).interval(n).interval_wait(wait))
        for move, by in moves:
            getattr(clock, move)(by)
            if len(handle.runs) > 12:  # a handle keeps 20 records, and the law needs all
                break

    records = handle.runs
    occurrences = covered(handle, wait)
    assert len(records) < 20
    assert sorted(occurrences) == [START + k * wait for k in range(len(occurrences))]
    assert sum(isinstance(record, Run) for record in records) == calls
    assert n == -1 or calls <= n
    assert scheduler.counts["in_flight"] == 0
    assert sum(scheduler.counts.values()) == len(occurrences)


def test_the_history_keeps_the_latest_records_and_the_counts_keep_all() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(int).interval(50).interval_wait(SECOND))
        scheduler.join()

    assert [record.scheduled_at for record in handle.runs if isinstance(record, Run)] == [
        START + k * SECOND for k in range(30, 50)
    ]
    assert scheduler.counts["succeeded"] == 50


def test_a_passed_record_tells_its_range() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(int).interval(2).interval_wait(SECOND))
        clock.suspend(100_000 * SECOND)

    missed, run = handle.runs
    assert missed == passed("missed", START, START + 99_999 * SECOND, 100_000)
    assert isinstance(run, Run)
    assert run.scheduled_at == START + 100_000 * SECOND
