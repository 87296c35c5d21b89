"""What people do to a task, in tables: pause, another rule, more runs."""

from datetime import UTC, datetime

import pytest
from tables import (
    AT,
    DAILY,
    DAY,
    GRID,
    SECOND,
    added,
    finished,
    now,
    passed,
    range_of,
    seconds,
    started,
    us,
)

from panther_schedule import Once, Policy, Repeat, Retry, Schedule
from panther_schedule.planning.control import (
    _skipped,
    cancel,
    extended,
    more_runs,
    pause,
    replaced,
    resume,
)
from panther_schedule.planning.due import due, has_ended
from panther_schedule.planning.ends import ask, ended, wake
from panther_schedule.planning.records import Cause, Passed, Run
from panther_schedule.planning.rule import Rule, due_at
from panther_schedule.planning.state import NOTHING_HELD, Held, State, Step

PAUSED = Held(paused="why")


def paused(rule: Rule, state: State, reason: str = "why") -> State:
    """Return the state of a task that is paused."""
    step = pause(rule, state, reason)
    assert step is not None
    assert step == Step(step.state), "nothing else comes of it"
    return step.state


def resumed(rule: Rule, state: State, at: int) -> Step:
    """Return the step at the end of a pause."""
    step = resume(rule, state, at)
    assert step is not None
    return step


# ---- pause -------------------------------------------------------------------------------------------------------


def test_nothing_is_due_in_a_pause() -> None:
    rule, state = added()
    held = paused(rule, state)

    assert held.held == PAUSED
    assert due_at(rule, held) is None
    assert due(rule, held, us(99)) == Step(held)


def test_a_pause_that_changes_nothing_leaves_no_trace() -> None:
    rule, state = added()
    back = resumed(rule, paused(rule, state), AT - 1)

    assert back.state == state
    assert back.state.held is NOTHING_HELD
    assert back.passed == ()


NOT_PAUSED = [
    pytest.param(None, NOTHING_HELD, id="it has ended"),
    pytest.param(AT, Held(stopped="cancelled"), id="it is cancelled"),
    pytest.param(AT, Held(stopped="dropped"), id="its scheduler stops"),
]


@pytest.mark.parametrize(("next_at", "held"), NOT_PAUSED)
def test_what_can_not_be_paused(next_at: int | None, held: Held) -> None:
    rule, state = added()
    state = state._replace(next_at=next_at, held=held, running=int(bool(held.stopped)))

    assert pause(rule, state, "") is None
    assert resume(rule, state, us(99)) is None
    if held.stopped:
        assert resume(rule, state._replace(held=held._replace(paused="")), us(99)) is None, "paused before"


RESUMED = [
    # the schedule, and when (s after AT) -> the range skipped, the next occurrence
    pytest.param(GRID, -1, None, 0, id="before the first"),
    pytest.param(GRID, 0, (0, 0, 1), 10, id="on an occurrence"),
    pytest.param(GRID, 9.999999, (0, 0, 1), 10, id="1 us before one"),
    pytest.param(GRID, 35, (0, 30, 4), 40, id="after four"),
    pytest.param(GRID, 10**11, (0, 10**11, 10**10 + 1), 10**11 + 10, id="after 3,000 years"),
    pytest.param(Once(), 35, None, 0, id="once waits"),
    pytest.param(Once(datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)), 35, None, 5, id="once at waits"),
    pytest.param(Repeat(3), 35, None, 0, id="back to back waits"),
    pytest.param(Repeat(3, SECOND, measured_from="end"), 35, None, 0, id="from the end waits"),
    pytest.param(Once(after=SECOND), 35, None, 1, id="once after a delay waits"),
    pytest.param(Once(after=60 * SECOND), 35, None, 60, id="once, before its delay is over"),
    pytest.param(Repeat(-1, 10 * SECOND, after=5 * SECOND), 35, (5, 35, 4), 45, id="a grid after a delay"),
    pytest.param(DAILY, 3599, None, 3600, id="daily, before it"),
    pytest.param(DAILY, 2 * 86_400, (3600, 86_400 + 3600, 2), 2 * 86_400 + 3600, id="daily, after two"),
]


@pytest.mark.parametrize(("schedule", "at", "skipped", "following"), RESUMED)
def test_what_a_pause_skips(
    schedule: Schedule, at: float, skipped: tuple[int, int, int] | None, following: int
) -> None:
    rule, state = added(schedule)
    held = paused(rule, state, "")

    step = resumed(rule, held, us(at))

    assert passed(step) == ([] if skipped is None else [("skipped_paused", *skipped)])
    if skipped is None and at >= following:  # what waits is skipped when it can no longer run
        skipped = (following, following, 1)
    stopped = cancel(rule, held, us(at))
    assert passed(stopped) == ([] if skipped is None else [("skipped_paused", *skipped)])
    assert stopped.state.cursor == (None if skipped is None else us(skipped[1]))
    assert seconds(step.state.next_at) == following
    assert step.starts == ()
    assert step.state.handed == 0
    assert step.state.held.released == (isinstance(schedule, Once) and at >= following)
    assert resume(rule, step.state, us(at) + DAY * 9) is None, "resumed twice"


def test_an_occurrence_whose_jitter_is_to_come_is_not_skipped_by_a_pause() -> None:
    rule, state = added(GRID, Policy(jitter=9 * SECOND))
    when = due_at(rule, state)
    assert when is not None

    held = paused(rule, state)
    assert _skipped(rule, held, when - 1) == ()
    assert _skipped(rule, held, when) == (range_of("skipped_paused", 0, 0, 1),)
    assert _skipped(rule, state, when) == (), "it is not paused"


GOES_ON = [
    # running, lingering, waiting -> what starts at the end of the pause
    pytest.param(0, 0, (1, 2), 1, id="the oldest that waits"),
    pytest.param(1, 0, (1, 2), None, id="nothing while a run is active"),
    pytest.param(0, 1, (1, 2), None, id="nothing while a function lingers"),
    pytest.param(0, 0, (), None, id="nothing waits"),
]


@pytest.mark.parametrize(("running", "lingering", "waiting", "start"), GOES_ON)
def test_what_starts_at_the_end_of_a_pause(
    running: int, lingering: int, waiting: tuple[int, ...], start: int | None
) -> None:
    rule, state = added(GRID, Policy(overlap="queue_all"))
    held = Held(tuple(AT + at for at in waiting), lingering=lingering, paused="")
    state = state._replace(cursor=AT, next_at=us(10), running=running, held=held)

    step = resumed(rule, state, us(5))

    assert [run.at for run in step.starts] == ([] if start is None else [AT + start])
    assert len(step.state.held.waiting) == len(waiting) - (start is not None)
    assert step.state.handed == (start is not None)


def test_a_run_that_ends_in_a_pause_lets_none_begin() -> None:
    rule, state = added(GRID, Policy(overlap="queue_all"))
    state, run = started(rule, state._replace(held=Held((AT,), paused="")))

    assert ended(rule, state, run, finished(after=1), now(1)).starts == ()


# ---- ranges ------------------------------------------------------------------------------------------------------

LATEST = range_of("missed", 0, 20, 3)
LENGTHENED = [
    (range_of("missed", 30, 40, 2), range_of("missed", 0, 40, 5)),
    (range_of("missed", 40, 40, 1), None),
    (range_of("skipped_overlap", 30, 30, 1), None),
]


@pytest.mark.parametrize(("after", "longer"), LENGTHENED, ids=["follows", "a hole", "other"])
def test_a_range_is_lengthened_by_what_follows_it(after: Passed, longer: Passed | None) -> None:
    rule, state = added()

    assert extended(rule, state, LATEST, after) == longer


# ---- another schedule --------------------------------------------------------------------------------------------


def test_another_schedule_begins_afresh_and_active_runs_continue() -> None:
    rule, old = added(GRID)
    old = old._replace(cursor=AT, next_at=us(10), handed=3, running=2, latest=AT, held=Held(failures=4))
    _rule, fresh = added(DAILY)

    def replaced_at(after: float, held: Held, state: State | None = fresh) -> Step:
        step = replaced(rule, old._replace(held=held), state, us(after))
        assert step is not None
        return step

    assert replaced_at(0, old.held) == Step(fresh._replace(running=2))
    assert replaced_at(0, PAUSED) == Step(fresh._replace(running=2, held=PAUSED))
    assert replaced_at(0, Held(released=True)).state.held is NOTHING_HELD
    kept = Held((AT,), catching_up=True, lingering=1, backfilling=2)
    assert replaced_at(0, kept).state.held == kept._replace(older=1)
    assert replaced_at(99, old.held, None) == Step(old), "the same schedule goes on where it is"
    skipped = (range_of("skipped_paused", 10, 30, 3),)
    assert replaced_at(35, PAUSED) == Step(fresh._replace(running=2, held=PAUSED), passed=skipped)
    assert replaced_at(35, PAUSED, None).passed == (), "the pause goes on"
    assert replaced(rule, old._replace(held=Held(stopped="dropped")), fresh, us(0)) is None


def test_what_waits_of_the_old_schedule_is_told_from_the_new() -> None:
    rule, fresh = added(Repeat(1, 10 * SECOND), Policy(overlap="queue_all"))
    _rule, old = added(GRID)
    old, run = started(rule, old._replace(held=Held((AT - 2, AT - 1))))
    step = replaced(rule, old, fresh, AT)
    assert step is not None
    state = step.state
    assert state.held.older == 2

    state = due(rule, state, AT).state
    assert state.held.waiting == (AT - 2, AT - 1, AT)
    assert state.next_at is None, "the one run of the new n waits"

    found: list[int | None] = []
    while not has_ended(rule, state):
        step = ended(rule, state, run, finished(after=1), now(1))
        found.append(step.starts[0].at if step.starts else None)
        state, run = step.state, (*step.starts, run)[0]
    assert found == [AT - 2, AT - 1, AT, None]
    assert state.handed == 1
    assert state.held is NOTHING_HELD


# ---- more runs ---------------------------------------------------------------------------------------------------


def asked_for(cause: Cause, count: int) -> tuple[Run, ...]:
    """Return runs as `run_now()` and `backfill()` ask for them."""
    return tuple(Run("", us(10 * k), None, cause, k + 1) for k in range(count))


MORE: list[tuple[Cause, int, int, list[str], int]] = [
    # cause, how many, backfilling before -> the phases, backfilling after
    ("manual", 1, 0, ["active"], 0),
    ("manual", 1, 2, ["active"], 2),
    ("backfill", 0, 0, [], 0),
    ("backfill", 1, 0, ["active"], 1),
    ("backfill", 3, 0, ["active", "queued", "queued"], 3),
    ("backfill", 2, 1, ["queued", "queued"], 3),
]


@pytest.mark.parametrize("stopped", ["", "dropped", "cancelled"])
@pytest.mark.parametrize(("cause", "count", "before", "phases", "after"), MORE)
def test_runs_that_claim_no_occurrence(
    cause: Cause, count: int, before: int, phases: list[str], after: int, stopped: str
) -> None:
    _rule, state = added()
    state = state._replace(held=Held(backfilling=before, stopped=stopped))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the table holds plain strings
    runs = asked_for(cause, count)

    step = more_runs(state, runs)

    assert [run.phase for run in step.starts] == phases
    assert [run.asked for run in step.starts] == [stopped == "cancelled"] * count
    assert [(run.at, run.cause, run.number) for run in step.starts] == [(run.at, run.cause, run.number) for run in runs]
    assert step.state == state._replace(held=state.held._replace(backfilling=after))
    assert not step.ended


def test_the_runs_of_a_backfill_take_turns() -> None:
    rule, state = added(GRID, Policy(retry=Retry(2), timeout=5 * SECOND))
    step = more_runs(state, asked_for("backfill", 4))
    first, second, third, fourth = step.starts

    failed = ended(rule, step.state, first, finished("failed", 1, OSError()), now(1))
    assert failed.run is not None
    assert not failed.next_queued, "its next attempt comes first"
    active = wake(rule, failed.state, failed.run, None, now(2)).run
    assert active is not None
    late = wake(rule, failed.state, active, us(2), now(7))
    assert late.run is not None
    assert not late.next_queued, "its function goes on"
    free = ended(rule, late.state, late.run, finished(after=9), now(9))
    assert free.next_queued
    assert free.state.held.backfilling == 3

    gone = ask(rule, free.state, third, now(9))
    assert gone.record is not None
    assert not gone.next_queued, "the one before is active"
    turn = wake(rule, gone.state, second, None, now(9)).run
    assert turn is not None
    done = ended(rule, gone.state, turn, finished(after=10), now(10))
    assert done.next_queued
    last = wake(rule, done.state, fourth, None, now(10)).run
    assert last is not None
    over = ended(rule, done.state, last, finished(after=11), now(11))
    assert not over.next_queued
    assert over.state == state, "nothing of it is left, and no run was counted"


def test_more_runs_change_nothing_about_the_others() -> None:
    rule, state = added()
    step = more_runs(state, asked_for("manual", 1))

    assert step.state == state
    assert ended(rule, step.state, step.starts[0], finished(), now(5)).state == state
