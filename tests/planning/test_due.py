"""What is due, in tables: the first occurrence of a task, and what happens to each whose time has come."""

from datetime import UTC, datetime, time, timedelta

import pytest
from tables import AT, GRID, S, added, finished, passed, seconds, starts, us

from panther_schedule import Daily, Once, Policy, Repeat, Schedule
from panther_schedule.clock import Reading, microseconds
from panther_schedule.planning.due import begin, due, has_ended
from panther_schedule.planning.ends import ended
from panther_schedule.planning.records import Run
from panther_schedule.planning.rule import rule_of
from panther_schedule.planning.state import NOTHING_HELD, Held, Step

NOW = Reading(wall=5_000 * S, steady=1_000 * S)

FIRST = [
    # elapsed kinds: when added, on steady time
    (Once(), NOW.steady, NOW.steady),
    (Repeat(5), NOW.steady, NOW.steady),
    (Repeat(5, timedelta(seconds=9)), NOW.steady, NOW.steady),
    # after a delay, on steady time too
    (Once(after=timedelta(seconds=9)), NOW.steady + 9 * S, NOW.steady + 9 * S),
    (Repeat(5, timedelta(seconds=9), after=timedelta(hours=1)), NOW.steady + 3600 * S, NOW.steady + 3600 * S),
    (Repeat(5, after=timedelta(microseconds=1)), NOW.steady + 1, NOW.steady + 1),
    # wall-clock kinds: strictly after now, on wall time (00:00 + 5,000 s is 01:23:20)
    (Daily(time(1, 23, 20)), 86_400 * S + NOW.wall, NOW.wall),
    (Daily(time(1, 23, 21)), NOW.wall + S, NOW.wall),
    # a moment: as it is, also in the past
    (Once(datetime(1970, 1, 1, tzinfo=UTC)), 0, 0),
    (Once(datetime(1971, 1, 1, tzinfo=UTC)), 365 * 86_400 * S, 365 * 86_400 * S),
]


@pytest.mark.parametrize(("schedule", "first", "anchor"), FIRST)
def test_the_first_occurrence(schedule: Schedule, first: int, anchor: int) -> None:
    _rule, state = added(schedule, reading=NOW)

    assert (state.next_at, state.anchor, state.cursor) == (first, anchor, None)
    assert (state.handed, state.running, state.latest, state.held) == (0, 0, None, NOTHING_HELD)


@pytest.mark.parametrize("schedule", [Once(after=timedelta.max), Repeat(5, after=timedelta.max)])
def test_a_delay_beyond_the_year_9999_has_no_occurrence(schedule: Schedule) -> None:
    assert begin(schedule, rule_of(schedule), NOW.steady) is None


DUE = [
    # now (s after the anchor), running -> start, passed (reason, first, last, count), next
    pytest.param(-1, 0, None, [], 0, id="not yet due"),
    pytest.param(0, 0, 0, [], 10, id="on the instant"),
    pytest.param(9, 0, 0, [], 10, id="late, within its own period"),
    pytest.param(10, 0, 10, [("missed", 0, 0, 1)], 20, id="one missed, the latest runs"),
    pytest.param(31, 0, 30, [("missed", 0, 20, 3)], 40, id="a range missed is one record"),
    pytest.param(0, 1, None, [("skipped_overlap", 0, 0, 1)], 10, id="the run before is active"),
    pytest.param(31, 1, None, [("missed", 0, 20, 3), ("skipped_overlap", 30, 30, 1)], 40, id="both"),
    pytest.param(10**11, 0, 10**11, [("missed", 0, 10**11 - 10, 10**10)], 10**11 + 10, id="3,000 years at once"),
]


@pytest.mark.parametrize(("now", "running", "start", "missing", "following"), DUE)
def test_what_is_due_on_a_grid(
    now: int, running: int, start: int | None, missing: list[tuple[str, int, int, int]], following: int
) -> None:
    rule, state = added(Repeat(5, timedelta(seconds=10)))

    step = due(rule, state._replace(running=running), us(now))

    assert starts(step) == ([] if start is None else [start])
    assert passed(step) == missing
    assert seconds(step.state.next_at) == following
    assert (step.run, step.record, step.given_up, step.asks, step.ended) == (None, None, (), "", False)


def test_a_run_that_starts_knows_the_occurrence_of_the_one_before() -> None:
    rule, state = added()
    first = due(rule, state, AT)
    assert first.starts == (Run("", AT, None),)

    free = first.state._replace(running=0)
    late = due(rule, free, us(35))
    assert late.starts == (Run("", us(30), AT),), "the missed ones between them have no run"
    assert late.state.latest == us(30)
    assert late.state.handed == 2
    assert late.state.running == 1


def test_n_counts_runs_not_occurrences() -> None:
    rule, state = added(Repeat(2, timedelta(seconds=10)))
    first = due(rule, state, AT)
    skipped = due(rule, first.state, us(10)).state
    assert skipped.handed == 1
    assert seconds(skipped.next_at) == 20

    free = ended(rule, skipped, first.starts[0], finished(after=15), Reading(us(15), us(15)))
    assert not free.ended
    last = due(rule, free.state, us(20))
    assert last.state.next_at is None
    assert not last.ended
    assert not has_ended(rule, last.state)
    over = ended(rule, last.state, last.starts[0], finished("failed", 21), Reading(us(21), us(21)))
    assert over.ended
    assert has_ended(rule, over.state)


def test_a_look_at_the_same_time_again_changes_nothing() -> None:
    rule, state = added(GRID)
    once = due(rule, state, us(31)).state

    assert due(rule, once, us(31)) == Step(once)


def test_back_to_back_starts_when_the_one_before_has_ended() -> None:
    rule, state = added(Repeat(3))
    first = due(rule, state, AT)
    assert first.starts == (Run("", AT, None),)
    assert first.state.next_at is None

    def next_at(after_us: int) -> int | None:
        at = AT + after_us
        return ended(
            rule, first.state, first.starts[0], finished()._replace(finished=at), Reading(at, at)
        ).state.next_at

    assert next_at(7) == AT + 7
    assert next_at(0) == AT + 1, "two runs never share an occurrence"


BLOCKED = [
    pytest.param(1, NOTHING_HELD, id="an active one"),
    pytest.param(0, Held(lingering=1), id="a function that goes on"),
    pytest.param(0, Held((AT - 1,), older=1), id="a waiting one"),
]


@pytest.mark.parametrize("schedule", [Repeat(3), Repeat(3, timedelta(seconds=10), measured_from="end")])
@pytest.mark.parametrize(("running", "held"), BLOCKED)
def test_without_a_grid_it_waits_for_what_the_schedule_before_has_left(
    running: int, held: Held, schedule: Schedule
) -> None:
    rule, state = added(schedule)
    state = state._replace(running=running, held=held)

    assert due(rule, state, AT) == Step(state._replace(next_at=None))


def test_without_a_grid_nothing_is_missed_however_late_it_is() -> None:
    from_end = Repeat(3, timedelta(seconds=10), measured_from="end")
    for policy in (Policy(), Policy(missed="skip", grace=timedelta(seconds=1)), Policy(missed="catch_up")):
        rule, state = added(from_end, policy)

        step = due(rule, state, us(10**9))

        assert (starts(step), passed(step), step.state.next_at) == ([0], [], None)


def test_a_daily_outage_is_one_record() -> None:
    start = Reading(microseconds(datetime(2026, 1, 1, 12, tzinfo=UTC)), 0)
    rule, state = added(Daily(time(8), tz="Europe/Berlin"), reading=start)
    ten_days_on = microseconds(datetime(2026, 1, 11, 12, tzinfo=UTC))

    step = due(rule, state, ten_days_on)

    assert [run.at for run in step.starts] == [microseconds(datetime(2026, 1, 11, 7, tzinfo=UTC))]
    (missed,) = step.passed
    assert missed.count == 9
