"""The end of a task, in tables: when it has ended, what `cancel()` and a drain do to it."""

import pytest
from tables import AT, DAILY, GRID, SECOND, added, finished, now, passed, range_of, seconds, started, starts, us

from panther_schedule import Once, Policy, Repeat, Retry, Schedule
from panther_schedule.planning.control import cancel, drain, end_drain, pause
from panther_schedule.planning.due import continues, has_ended, is_cancelled
from panther_schedule.planning.ends import ended, retry_delay
from panther_schedule.planning.records import Attempt, Run
from panther_schedule.planning.rule import Rule
from panther_schedule.planning.state import NOTHING_HELD, Held, State
from panther_schedule.runtime.failures import failure_of


def paused(rule: Rule, state: State) -> State:
    """Return the state of a task that is paused."""
    step = pause(rule, state, "why")
    assert step is not None
    return step.state


ENDED = [
    # next, running, held -> ended, for a grid and for a back-to-back task with runs left
    pytest.param(None, 0, NOTHING_HELD, True, True, id="nothing"),
    pytest.param(AT, 0, NOTHING_HELD, False, False, id="an occurrence is to come"),
    pytest.param(None, 1, NOTHING_HELD, False, False, id="a run is active"),
    pytest.param(None, 0, Held((AT,)), False, False, id="a run waits"),
    pytest.param(None, 0, Held(lingering=1), True, False, id="a function goes on: only back to back waits for it"),
    pytest.param(
        None, 0, Held(lingering=1, stopped="cancelled"), True, True, id="it goes on, and the task is cancelled"
    ),
    pytest.param(None, 1, Held(stopped="dropped"), False, False, id="a run is active, and the task is dropped"),
    pytest.param(None, 0, Held((AT,), stopped="dropped"), False, False, id="a run waits, and the task is dropped"),
    pytest.param(None, 0, Held(backfilling=2), True, True, id="a backfill is no part of it"),
]


@pytest.mark.parametrize(("next_at", "running", "held", "grid", "back_to_back"), ENDED)
def test_when_a_task_has_ended(
    next_at: int | None, running: int, held: Held, *, grid: bool, back_to_back: bool
) -> None:
    from_end = Repeat(3, 10 * SECOND, measured_from="end")
    for schedule, expected in ((Repeat(3, 10 * SECOND), grid), (Repeat(3), back_to_back), (from_end, back_to_back)):
        rule, state = added(schedule)
        assert has_ended(rule, state._replace(next_at=next_at, running=running, held=held)) == expected


WAITING = Held((AT, AT + 1), catching_up=True, older=1)


def test_what_waits_is_given_up_at_the_end_of_a_drain() -> None:
    rule, state = added()
    given_up = tuple(
        Run("", at, None, attempts=(Attempt(None, us(7), "abandoned", None),), phase="ended") for at in WAITING.waiting
    )

    step = end_drain(rule, state._replace(held=WAITING), us(7))
    assert step.given_up == given_up
    assert step.state == state._replace(next_at=None, held=Held(stopped="dropped"))
    assert step.ended
    assert step.asks == ""

    none = end_drain(rule, state, us(7))
    assert none.given_up == ()
    assert none.ended

    held = end_drain(rule, state._replace(held=WAITING._replace(paused="")), us(7))
    assert held.given_up == given_up
    assert held.state.held == Held(paused="", stopped="dropped")
    assert held.passed == (range_of("skipped_paused", 0, 0, 1),)
    assert held.state.cursor == AT


def test_what_waits_is_cancelled_with_its_task() -> None:
    rule, state = added()
    state, _run = started(rule, state._replace(held=WAITING))

    step = cancel(rule, state, us(7))

    assert [(run.at, run.outcome, run.started_at) for run in step.given_up] == [
        (at, "cancelled", None) for at in WAITING.waiting
    ]
    assert step.state == state._replace(next_at=None, held=Held(stopped="cancelled"))
    assert step.asks == "all"
    assert not step.ended, "a run is active"
    assert is_cancelled(step.state)
    again = cancel(rule, step.state, us(8))
    assert (again.state, again.given_up, again.passed, again.asks) == (step.state, (), (), "all")


def test_a_task_whose_runs_finish() -> None:
    rule, state = added(DAILY, Policy(retry=Retry(2)))
    state, run = started(rule, state._replace(held=WAITING._replace(lingering=1)))

    step = cancel(rule, state, us(7), running=False)

    assert [(run.at, run.outcome) for run in step.given_up] == [(at, "cancelled") for at in WAITING.waiting]
    assert step.asks == "queued"
    assert (step.state.next_at, step.ended) == (None, False)
    assert is_cancelled(step.state), "it takes no other run"
    assert retry_delay(rule, step.state, run, failure_of(OSError())) is not None
    for again in (drain(rule, step.state, us(8)), end_drain(rule, step.state, us(8))):
        assert again is not None
        assert again.state.held.stopped == "finishing"
    late = cancel(rule, step.state, us(8))
    assert (late.asks, late.state.held.stopped) == ("all", "cancelled")
    assert retry_delay(rule, late.state, run, failure_of(OSError())) is None
    assert cancel(rule, late.state, us(9), running=False).state.held.stopped == "cancelled"


CANCELLED = [
    # next, running, held -> ended at once, occurrences that a pause has skipped
    pytest.param(0, 0, NOTHING_HELD, True, [], id="nothing is active"),
    pytest.param(0, 1, NOTHING_HELD, False, [], id="a run is active"),
    pytest.param(0, 0, Held(lingering=1), True, [], id="a function goes on"),
    pytest.param(0, 0, Held(backfilling=2), True, [], id="a backfill is asked to end, and no part of it"),
    pytest.param(0, 0, Held(paused=""), True, [("skipped_paused", 0, 20, 3)], id="it is paused"),
    pytest.param(30, 0, Held(paused=""), True, [], id="it is paused, and nothing was due"),
]


@pytest.mark.parametrize(("next_at", "running", "held", "over", "skipped"), CANCELLED)
def test_a_task_that_is_cancelled(
    next_at: float, running: int, held: Held, skipped: list[tuple[str, float, float, int]], *, over: bool
) -> None:
    rule, state = added()

    step = cancel(rule, state._replace(next_at=us(next_at), running=running, held=held), us(25))

    assert step.ended == over
    assert passed(step) == skipped
    assert seconds(step.state.cursor) == (20 if skipped else None)
    assert not continues(rule, step.state)


def test_cancelled_after_it_was_dropped_and_not_the_other_way_round() -> None:
    rule, state = added()
    state, _run = started(rule, state)
    dropped = drain(rule, state, us(5))
    assert dropped is not None

    assert cancel(rule, dropped.state, us(6)).state.held.stopped == "cancelled"
    assert end_drain(rule, cancel(rule, state, us(6)).state, us(7)).state.held.stopped == "cancelled"


DRAINED = [
    (Repeat(3), True),
    (Repeat(-1), False),
    (Repeat(3, SECOND), False),
    (Repeat(3, SECOND, measured_from="end"), False),
    (Repeat(3, after=SECOND), False),
    (Once(), False),
    (Once(after=SECOND), False),
    (DAILY, False),
]


@pytest.mark.parametrize(("schedule", "expected"), DRAINED)
def test_a_drain_lets_only_finite_back_to_back_tasks_that_have_begun_go_on(
    schedule: Schedule, *, expected: bool
) -> None:
    rule, state = added(schedule)

    step = drain(rule, state, us(0))
    assert (step is None) == expected
    if step is not None:
        assert step.state == state._replace(next_at=None, held=Held(stopped="dropped"))
        assert step.ended
    assert drain(rule, paused(rule, state), us(0)) is not None


def test_a_drain_lets_what_waits_start_unless_it_is_paused() -> None:
    rule, state = added(GRID, Policy(overlap="queue_all"))
    state, run = started(rule, state._replace(held=Held((us(1), us(2)))))

    step = drain(rule, state, us(5))
    assert step is not None
    assert step.given_up == ()
    assert not step.ended
    first = ended(rule, step.state, run, finished(after=6), now(6))
    assert starts(first) == [1]
    second = ended(rule, first.state, first.starts[0], finished(after=7), now(7))
    assert starts(second) == [2]
    assert ended(rule, second.state, second.starts[0], finished(after=8), now(8)).ended

    held = drain(rule, paused(rule, state), us(5))
    assert held is not None
    assert [(seconds(run.at), run.outcome) for run in held.given_up] == [(1, "cancelled"), (2, "cancelled")]


CONTINUES = [
    # the schedule, next, handed, stopped -> whether another occurrence is to come
    (GRID, 10, 1, "", True),
    (GRID, None, 1, "", False),
    (Repeat(3), None, 2, "", True),
    (Repeat(3), None, 3, "", False),
    (Repeat(3), None, 2, "dropped", False),
    (Repeat(-1), None, 99, "", True),
    (Repeat(-1, SECOND, measured_from="end"), None, 99, "", True),
    (Repeat(3, SECOND, measured_from="end"), None, 3, "", False),
]


@pytest.mark.parametrize(("schedule", "next_at", "handed", "stopped", "expected"), CONTINUES)
def test_whether_another_occurrence_is_to_come(
    schedule: Schedule, next_at: float | None, handed: int, stopped: str, *, expected: bool
) -> None:
    rule, state = added(schedule)
    held = Held(stopped=stopped)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the table holds plain strings
    state = state._replace(next_at=None if next_at is None else us(next_at), handed=handed, running=1, held=held)

    assert continues(rule, state) == expected
