"""What clocks do to a task, in tables: a wall clock that is set, and new time zone data."""

from datetime import UTC, datetime, time

import pytest
from tables import AT, DAILY, DAY, GRID, HOUR, UTC_ZONE, added, range_of

from panther_schedule import Cron, Daily, Once
from panther_schedule.planning.control import clock_set_back, pause, resume, zones_reloaded
from panther_schedule.planning.records import Passed
from panther_schedule.planning.rule import rule_of
from panther_schedule.planning.state import Held, State, Step

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
        cursor=RAN, next_at=RAN + DAY, handed=7, running=1, latest=RAN
    )  # handed stays: the clock is no new beginning for n
    now = RAN - ahead

    found = clock_set_back(rule, state, now, RAN)

    if following is None:
        assert found is None
    else:
        assert found == Step(state._replace(anchor=now, cursor=None, next_at=following, latest=None))


def test_a_task_that_never_ran_counts_from_when_it_was_added() -> None:
    rule, state = added(DAILY)

    assert clock_set_back(rule, state, AT - DAY, AT) is None
    assert clock_set_back(rule, state, AT - DAY - 1, AT) == Step(
        state._replace(anchor=AT - DAY - 1, cursor=None, next_at=AT - 23 * HOUR)
    )


def test_a_task_without_a_next_occurrence_is_left_alone() -> None:
    rule, state = added(DAILY)
    assert clock_set_back(rule, state._replace(next_at=None), AT - 99 * DAY, AT) is None


def test_a_once_is_left_alone() -> None:
    rule, state = added(Once(datetime(2027, 1, 1, tzinfo=UTC)))
    assert clock_set_back(rule, state, AT - 99 * DAY, AT) is None


def test_what_a_pause_skipped_by_a_wrong_clock_is_recorded() -> None:
    rule, state = added(DAILY)
    state = state._replace(cursor=RAN, next_at=RAN + DAY, held=Held(paused=""))

    step = clock_set_back(rule, state, RAN - 9 * DAY, RAN + 3 * DAY + 1)

    assert step is not None
    assert step.state.next_at == RAN - 8 * DAY
    assert step.passed == (Passed("skipped_paused", RAN + DAY, RAN + 3 * DAY, 3),)


def test_a_task_on_steady_time_knows_no_step() -> None:
    rule, state = added(GRID)
    assert clock_set_back(rule, state._replace(cursor=RAN, next_at=RAN + DAY), RAN - 9 * DAY, RAN) is None


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

    step = zones_reloaded(new, state, AT + round(now * HOUR))

    assert step is not None
    assert step.state.next_at == AT + following * HOUR
    assert step == Step(state._replace(next_at=step.state.next_at))
    assert zones_reloaded(new, step.state, AT + round(now * HOUR)) == step, "read twice"


def test_new_rules_leave_a_once_and_an_ended_task_alone() -> None:
    rule, state = added(Once(datetime(2027, 1, 1, tzinfo=UTC)))
    assert zones_reloaded(rule, state, AT) == Step(state)
    ended = state._replace(next_at=None)
    assert zones_reloaded(added(DAILY)[0], ended, AT) == Step(ended)
    assert zones_reloaded(rule, state._replace(held=Held(stopped="dropped")), AT) is None


def test_a_task_that_has_no_occurrence_by_new_rules_ends() -> None:
    _rule, state = added(DAILY)
    rule = rule_of(Daily(time(1), tz="UTC", end_at=datetime(2026, 1, 2, tzinfo=UTC)), UTC_ZONE)
    state = state._replace(cursor=AT + HOUR, next_at=AT + 25 * HOUR)

    assert over(zones_reloaded(rule, state, AT + 2 * HOUR)) == (None, True)
    assert over(zones_reloaded(rule, state._replace(running=1), AT + 2 * HOUR)) == (None, False)


def over(step: Step | None) -> tuple[int | None, bool]:
    """Return the next occurrence, and whether the task has ended."""
    assert step is not None
    return step.state.next_at, step.ended


def test_in_a_pause_new_rules_count_from_what_is_covered() -> None:
    rule, state = added(DAILY)
    paused = pause(rule, state._replace(cursor=AT + HOUR, next_at=AT + 25 * HOUR), "")
    assert paused is not None
    new = rule_of(Cron("0 2 * * *", tz="UTC"), UTC_ZONE)

    after = zones_reloaded(new, paused.state, AT + 60 * HOUR)

    assert after is not None
    assert after.state.next_at == AT + 2 * HOUR
    step = resume(new, after.state, AT + 60 * HOUR)
    assert step is not None
    assert step.passed == (range_of("skipped_paused", 2 * 3600, 50 * 3600, 3),)


def test_an_occurrence_that_still_waits_for_its_jitter_stays() -> None:
    hourly = rule_of(Cron("0 * * * *", tz="UTC"), UTC_ZONE)

    assert over(zones_reloaded(hourly, State(AT, AT, AT + HOUR), AT + HOUR + 5)) == (AT + HOUR, False)
