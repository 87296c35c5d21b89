"""The law of the ledger: each due occurrence is in exactly one record, whatever happens to time and to the runs."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lists import Question, listed
from telling import outcomes, passed

from panther_schedule import (
    BackgroundTask,
    Cron,
    Daily,
    Monthly,
    Once,
    Policy,
    Repeat,
    Run,
    Schedule,
    Scheduler,
    TaskHandle,
    VirtualClock,
    Weekly,
)
from panther_schedule.clock import moment
from panther_schedule.runtime import ledger

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


def test_a_busy_task_pushes_out_no_records_but_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "WHOLE_HISTORY", 25)
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        quiet = scheduler.add_task(BackgroundTask(int).with_name("quiet"))
        busy = scheduler.add_task(BackgroundTask(int).interval(100).interval_wait(SECOND))
        scheduler.join()

    assert len(quiet.runs) == 1
    assert len(busy.runs) == 20


def test_a_passed_record_tells_its_range() -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(int).interval(2).interval_wait(SECOND))
        clock.suspend(100_000 * SECOND)

    missed, run = handle.runs
    assert missed == passed("missed", START, START + 99_999 * SECOND, 100_000)
    assert isinstance(run, Run)
    assert run.scheduled_at == START + 100_000 * SECOND


def test_the_order_is_as_long_as_the_records_that_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "WHOLE_HISTORY", 150)
    book, histories, recorded = ledger.Ledger(), [ledger.History() for _ in range(30)], [0] * 30
    random, record = Random(150), passed("missed", START, START, 1)
    for number in range(2_000):
        place = random.randrange(number // 100 + 1) if number < 1_000 else random.choice((3, random.randrange(30)))
        book.record(histories[place], record)
        recorded[place] += 1
        kept = {id(history): len(history) for history in histories if history}
        assert Counter(map(id, book._order)) == kept
        assert sum(kept.values()) <= 150
        assert max(kept.values()) <= 20
    assert len(book._order) == 150
    assert [ledger.counts_of(history)["missed"] for history in histories] == recorded


# ---- an outage ---------------------------------------------------------------------------------------------------

TWO_YEARS = timedelta(days=731)
STANDS_STILL = datetime(2024, 10, 27, 0, 10, tzinfo=UTC)
"""In Berlin, twenty minutes after the first 02:00 of the day on which summer time ends."""


def in_zone(zone: str) -> list[Schedule]:
    """Schedules of each kind in a zone."""
    half_hours, twice = Cron("*/30 2 * * *", tz=zone), Cron("0 0,12 * * *", tz=zone)
    return [
        half_hours,
        twice,
        Daily(time(2, 30), tz=zone, fold="both", gap="shift"),
        Weekly(("wed", "fri"), time(2, 30), tz=zone, every=2, starting=STANDS_STILL.date()),
        Monthly(31, time(8), tz=zone, missing="clamp", excluding={"sat", "sun"}),
        half_hours | Daily(time(12), tz="America/New_York") | Once(STANDS_STILL + timedelta(days=100)),
        Repeat(-1, timedelta(hours=7)),
    ]


AFTER = [  # an outage: a policy, and how many late runs there are
    (Policy(), 1),
    (Policy(missed="skip", grace=SECOND), 0),
    (Policy(missed="catch_up", catch_up_limit=4, catch_up_window=TWO_YEARS), 4),
]


@pytest.mark.parametrize("place", range(len(in_zone("UTC"))))
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "Europe/Berlin"])
def test_an_outage_of_two_years_is_in_the_ledger_as_in_the_list(zone: str, place: int) -> None:
    schedule: Any = in_zone(zone)[place]
    start = STANDS_STILL - timedelta(minutes=20)
    before = start - SECOND if isinstance(schedule, Repeat) else start  # a repeat begins when it is added
    expected = listed(Question(schedule, "UTC", before, start + TWO_YEARS + timedelta(days=200), start))
    due = sum(at <= STANDS_STILL + TWO_YEARS for at in expected)
    missed = due - sum(at <= STANDS_STILL for at in expected)
    for policy, late in AFTER:
        clock = VirtualClock(start)
        with Scheduler(clock=clock) as scheduler:
            handle = scheduler.add_task(BackgroundTask(int).with_schedule(schedule).with_policy(policy))
            clock.advance(STANDS_STILL - start)
            clock.suspend(TWO_YEARS)
            clock.advance(expected[due + 2] - clock.now())
        assert outcomes(handle) == {"succeeded": due + 3 - missed + late, "missed": missed - late}
        at = 0
        for record in handle.runs:
            if isinstance(record, Run):
                assert record.scheduled_at == expected[at]
                at += 1
            else:
                assert (record.first_at, record.last_at) == (expected[at], expected[at + record.count - 1])
                at += record.count
        assert at == due + 3
