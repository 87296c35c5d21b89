"""What people and clocks do to a task, in planning's tables: pause, timeouts, steps, zones, replacement, the end."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from panther_schedule.planning.machine import (
    after_reload,
    after_step_back,
    drains,
    extended,
    first_state,
    freed,
    has_ended,
    pause,
    plan,
    replaced,
    resume,
    settle,
    skipped_by_pause,
    without_waiting,
)

from panther_schedule import Cron, Daily, Once, Policy, Repeat, Schedule
from panther_schedule.clock import Reading, microseconds
from panther_schedule.planning.records import NOTHING_HELD, Held, PassedRecord, RunRecord, State
from panther_schedule.planning.rule import Rule, due_at, rule_of, under

S = 1_000_000
HOUR = 3600 * S
DAY = 24 * HOUR
SECOND = timedelta(seconds=1)
AT = microseconds(datetime(2026, 1, 1, tzinfo=UTC))
UTC_ZONE = ZoneInfo("UTC")
GRID = Repeat(-1, 10 * SECOND)
DAILY = Daily(time(1), tz="UTC")
PAUSED = Held(paused="why")


def added(schedule: Schedule = GRID, policy: Policy | None = None) -> tuple[Rule, State]:
    """Give the rule and the first state of a task that was added at AT."""
    rule = under(rule_of(schedule, UTC_ZONE), policy or Policy(), lambda: "task")
    state = first_state(schedule, rule, Reading(AT, AT))
    assert state is not None
    return rule, state


# ---- pause -------------------------------------------------------------------------------------------------------


def test_nothing_is_due_in_a_pause() -> None:
    rule, state = added()
    paused = pause(state, "why")

    assert due_at(rule, paused) is None
    assert plan(rule, paused, AT + 99 * S).start is None
    assert plan(rule, paused, AT + 99 * S).state == paused


def test_a_pause_that_changes_nothing_leaves_no_trace() -> None:
    rule, state = added()
    back = resume(rule, pause(state, "why"), AT - 1)

    assert back.state == state
    assert back.state.held is NOTHING_HELD
    assert back.passed == ()


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
    pytest.param(DAILY, 3599, None, 3600, id="daily, before it"),
    pytest.param(DAILY, 2 * 86_400, (3600, 86_400 + 3600, 2), 2 * 86_400 + 3600, id="daily, after two"),
]


@pytest.mark.parametrize(("schedule", "at", "skipped", "following"), RESUMED)
def test_what_a_pause_skips(
    schedule: Schedule, at: float, skipped: tuple[int, int, int] | None, following: int
) -> None:
    rule, state = added(schedule)
    now = AT + round(at * S)

    done = resume(rule, pause(state, ""), now)

    found = [((one.first - AT) / S, (one.last - AT) / S, one.number) for one in done.passed]
    assert found == ([] if skipped is None else [skipped])
    assert {one.reason for one in done.passed} <= {"skipped_paused"}
    assert done.passed == tuple(filter(None, [skipped_by_pause(rule, pause(state, ""), now)]))
    assert done.state.next_at == AT + following * S
    assert done.start is None
    assert done.state.handed == 0
    assert resume(rule, done.state, now + DAY * 9).passed == (), "resumed twice"


def test_an_occurrence_whose_jitter_is_to_come_is_not_skipped_by_a_pause() -> None:
    rule, state = added(GRID, Policy(jitter=9 * SECOND))
    due = due_at(rule, state)
    assert due is not None

    assert skipped_by_pause(rule, pause(state, ""), due - 1) is None
    assert skipped_by_pause(rule, pause(state, ""), due) == PassedRecord("skipped_paused", AT, AT, 1)


GOES_ON = [
    # running, lingering, waiting -> what starts at the end of the pause
    pytest.param(0, 0, (1, 2), 1, id="the oldest that waits"),
    pytest.param(1, 0, (1, 2), None, id="nothing while a run goes"),
    pytest.param(0, 1, (1, 2), None, id="nothing while a function lingers"),
    pytest.param(0, 0, (), None, id="nothing waits"),
]


@pytest.mark.parametrize(("running", "lingering", "waiting", "start"), GOES_ON)
def test_what_starts_at_the_end_of_a_pause(
    running: int, lingering: int, waiting: tuple[int, ...], start: int | None
) -> None:
    rule, state = added(GRID, Policy(overlap="queue_all"))
    held = Held(tuple(AT + at for at in waiting), lingering=lingering, paused="")
    state = state._replace(cursor=AT, next_at=AT + 10 * S, running=running, held=held)

    done = resume(rule, state, AT + 5 * S)

    assert done.start == (None if start is None else AT + start)
    assert len(done.state.held.waiting) == len(waiting) - (start is not None)
    assert done.state.handed == (start is not None)


def test_a_run_that_ends_in_a_pause_lets_nothing_begin() -> None:
    rule, state = added(GRID, Policy(overlap="queue_all"))
    state = state._replace(running=1, held=Held((AT,), paused=""))

    assert settle(rule, state, "succeeded", AT + S).start is None


# ---- a function that goes on after its timeout -------------------------------------------------------------------


def test_a_function_that_lingers_holds_back_what_waits() -> None:
    rule, state = added(GRID, Policy(overlap="queue_one", timeout=5 * SECOND))
    state = plan(rule, state, AT).state
    timed_out = settle(rule, state, "timed_out", AT + 5 * S, lingers=True)
    assert timed_out.start is None
    assert timed_out.state.running == 0
    assert timed_out.state.held.lingering == 1

    waits = plan(rule, timed_out.state, AT + 10 * S)
    assert waits.start is None
    assert waits.state.held.waiting == (AT + 10 * S,)

    free = freed(rule, waits.state, AT + 12 * S)
    assert free.start == AT + 10 * S
    assert free.state.held is NOTHING_HELD
    assert free.state.handed == 2


def test_back_to_back_goes_on_only_when_the_function_has_ended() -> None:
    rule, state = added(Repeat(3), Policy(timeout=5 * SECOND))
    state = plan(rule, state, AT).state
    timed_out = settle(rule, state, "timed_out", AT + 5 * S, lingers=True).state
    assert timed_out.next_at is None
    assert not has_ended(rule, timed_out)

    free = freed(rule, timed_out, AT + 60 * S).state
    assert free.next_at == AT + 61 * S, "the timeout was a failure"
    assert free.held is NOTHING_HELD


# ---- the end -----------------------------------------------------------------------------------------------------

ENDED = [
    # next, running, waiting, lingering -> ended, for a grid and for a back-to-back task with runs left
    pytest.param(None, 0, (), 0, True, True, id="nothing"),
    pytest.param(AT, 0, (), 0, False, False, id="an occurrence is to come"),
    pytest.param(None, 1, (), 0, False, False, id="a run goes"),
    pytest.param(None, 0, (AT,), 0, False, False, id="a run waits"),
    pytest.param(None, 0, (), 1, True, False, id="a function lingers: only back to back waits for it"),
]


@pytest.mark.parametrize(("next_at", "running", "waiting", "lingering", "grid", "back_to_back"), ENDED)
def test_when_a_task_has_ended(
    next_at: int | None, running: int, waiting: tuple[int, ...], lingering: int, *, grid: bool, back_to_back: bool
) -> None:
    for schedule, expected in ((Repeat(3, 10 * SECOND), grid), (Repeat(3), back_to_back)):
        rule, state = added(schedule)
        held = Held(waiting, lingering=lingering)
        assert has_ended(rule, state._replace(next_at=next_at, running=running, held=held)) == expected


def test_what_waits_can_be_given_up() -> None:
    _rule, state = added()
    waits = state._replace(held=Held((AT, AT + 1), catching_up=True, older=1))

    assert without_waiting(waits).held is NOTHING_HELD
    assert without_waiting(state) is state
    assert without_waiting(waits._replace(held=waits.held._replace(paused=""))).held == Held(paused="")


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [(Repeat(3), True), (Repeat(-1), False), (Repeat(3, SECOND), False), (Once(), False), (DAILY, False)],
)
def test_a_drain_lets_only_finite_back_to_back_tasks_go_on(schedule: Schedule, *, expected: bool) -> None:
    rule, state = added(schedule)

    assert drains(rule, state) == expected
    assert not drains(rule, pause(state, ""))


LATEST = PassedRecord("missed", AT, AT + 20 * S, 3)
LENGTHENED = [
    (LATEST, PassedRecord("missed", AT + 30 * S, AT + 40 * S, 2), PassedRecord("missed", AT, AT + 40 * S, 5)),
    (LATEST, PassedRecord("missed", AT + 40 * S, AT + 40 * S, 1), None),
    (LATEST, PassedRecord("skipped_overlap", AT + 30 * S, AT + 30 * S, 1), None),
    (RunRecord(AT, AT, AT, "succeeded", None), PassedRecord("missed", AT + 10 * S, AT + 10 * S, 1), None),
]


@pytest.mark.parametrize(("latest", "passed", "longer"), LENGTHENED, ids=["follows", "a hole", "other", "a run"])
def test_a_range_is_lengthened_by_what_follows_it(
    latest: object, passed: PassedRecord, longer: PassedRecord | None
) -> None:
    rule, state = added()

    assert extended(rule, state, latest, passed) == longer


# ---- the wall clock is set back ----------------------------------------------------------------------------------

RAN = AT + 10 * DAY + HOUR  # the occurrence that ran last
STEPS = [
    # the clock is now this long before what ran last -> the next occurrence; None: nothing changes
    pytest.param(0, None, id="nothing"),
    pytest.param(3 * HOUR, None, id="three hours"),
    pytest.param(DAY, None, id="24 hours are believed"),
    pytest.param(DAY + 1, RAN - DAY, id="more is not"),
    pytest.param(10 * DAY, RAN - 9 * DAY, id="ten days"),
    pytest.param(3650 * DAY, RAN - 3649 * DAY, id="ten years"),
]


@pytest.mark.parametrize(("ahead", "following"), STEPS)
def test_a_clock_that_is_set_back(ahead: int, following: int | None) -> None:
    rule, state = added(DAILY)
    state = state._replace(
        cursor=RAN, next_at=RAN + DAY, handed=7, running=1
    )  # which stay: the clock is no new beginning for n
    now = RAN - ahead

    found = after_step_back(rule, state, now)

    if following is None:
        assert found is None
    else:
        assert found == state._replace(anchor=now, cursor=None, next_at=following)


def test_a_task_that_never_ran_counts_from_when_it_was_added() -> None:
    rule, state = added(DAILY)

    assert after_step_back(rule, state, AT - DAY) is None
    assert after_step_back(rule, state, AT - DAY - 1) == state._replace(
        anchor=AT - DAY - 1, cursor=None, next_at=AT - 23 * HOUR
    )


def test_a_task_without_a_next_occurrence_is_left_alone() -> None:
    rule, state = added(DAILY)
    assert after_step_back(rule, state._replace(next_at=None), AT - 99 * DAY) is None


# ---- the rules of a zone change ----------------------------------------------------------------------------------

NEW_RULES = [
    # was at 01:00 each day and is now at another hour; it last ran on day 0; now -> the next occurrence
    pytest.param(2, 5, 26, id="later: that of today is over by the old rules"),
    pytest.param(0, 5, 24, id="earlier: that of today is over, too"),
    pytest.param(23, 24.5, 47, id="earlier in the day before: 23:00 of day 0 is over by the clock"),
    pytest.param(23, 5, 23, id="later on the same day: it is to come, and runs"),
]


@pytest.mark.parametrize(("hour", "now", "following"), NEW_RULES)
def test_what_is_over_does_not_run_again_by_new_rules(hour: int, now: float, following: int) -> None:
    _old, state = added(DAILY)
    state = state._replace(cursor=AT + HOUR, next_at=AT + 25 * HOUR, handed=1)
    new = rule_of(Daily(time(hour), tz="UTC"), UTC_ZONE)

    after = after_reload(new, state, AT + round(now * HOUR))

    assert after.next_at == AT + following * HOUR
    assert after._replace(next_at=state.next_at) == state
    assert after_reload(new, after, AT + round(now * HOUR)) == after, "read twice"


def test_new_rules_leave_a_once_and_an_ended_task_alone() -> None:
    rule, state = added(Once(datetime(2027, 1, 1, tzinfo=UTC)))
    assert after_reload(rule, state, AT) is state
    ended = state._replace(next_at=None)
    assert after_reload(added(DAILY)[0], ended, AT) is ended


def test_in_a_pause_new_rules_count_from_what_is_covered() -> None:
    _rule, state = added(DAILY)
    state = pause(state._replace(cursor=AT + HOUR, next_at=AT + 25 * HOUR), "")
    new = rule_of(Cron("0 2 * * *", tz="UTC"), UTC_ZONE)

    after = after_reload(new, state, AT + 60 * HOUR)

    assert after.next_at == AT + 2 * HOUR
    assert resume(new, after, AT + 60 * HOUR).passed == (
        PassedRecord("skipped_paused", AT + 2 * HOUR, AT + 50 * HOUR, 3),
    )


# ---- another schedule --------------------------------------------------------------------------------------------


def test_another_schedule_begins_afresh_and_what_runs_goes_on() -> None:
    _rule, old = added(GRID)
    old = old._replace(cursor=AT, next_at=AT + 10 * S, handed=3, running=2, failures=4, latest=AT)
    _rule, fresh = added(DAILY)

    assert replaced(old, fresh) == fresh._replace(running=2)
    assert replaced(old._replace(held=PAUSED), fresh).held == PAUSED


def test_what_waits_of_the_old_schedule_is_told_from_the_new() -> None:
    rule, fresh = added(Repeat(1, 10 * SECOND), Policy(overlap="queue_all"))
    _rule, old = added(GRID)
    state = replaced(old._replace(running=1, held=Held((AT - 2, AT - 1))), fresh)
    assert state.held.older == 2

    state = plan(rule, state, AT).state
    assert state.held.waiting == (AT - 2, AT - 1, AT)
    assert state.next_at is None, "the one run of the new n waits"

    starts: list[int | None] = []
    while not has_ended(rule, state):
        done = settle(rule, state, "succeeded", AT + S)
        starts.append(done.start)
        state = done.state
    assert starts == [AT - 2, AT - 1, AT, None]
    assert state.handed == 1
    assert state.held is NOTHING_HELD
