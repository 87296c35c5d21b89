"""Further attempts in tables: what is tried again, after which delay, and what a lost attempt changes."""

from datetime import timedelta

import pytest
from tables import AT, DAILY, GRID, SECOND, S, added, finished, now, started, us

from panther_schedule import Policy, Retry, Schedule
from panther_schedule.planning.ends import MOST_LOST, ended, lost, wake
from panther_schedule.planning.records import Attempt, Outcome, Run
from panther_schedule.planning.rule import Rule
from panther_schedule.planning.state import Held, Step

OSERROR = OSError()
FAILED = finished("failed", error=OSERROR)
GONE = finished("lost")


def after(rule: Rule, attempts: tuple[Attempt, ...], error: BaseException | None = OSERROR, at: int = AT) -> Step:
    """Return the step of an attempt that fails after others."""
    _rule, state = added()
    state, run = started(rule, state, Run("", at, None, attempts=attempts))
    return ended(rule, state, run, finished("failed", error=error), now(9))


def delay_after(rule: Rule, attempt: int, at: int = AT) -> int | None:
    """Return the delay after an attempt, of which those before had failed as well."""
    step = after(rule, (FAILED,) * (attempt - 1), at=at)
    if step.retry_in is None:
        assert step.run is None
        assert step.record is not None
        assert step.record.attempt == attempt
        return None
    assert step.record is None
    assert step.run is not None
    assert (step.run.phase, step.run.attempt) == ("resting", attempt + 1)
    assert step.run.wake_at == us(9) + step.retry_in
    assert step.state.running == 1, "it keeps its place"
    return step.retry_in


YEARS_10_000 = 10_000 * 365 * 86_400
DELAYS = [
    # retry -> the delays after attempt 1, 2...; None ends them
    pytest.param(Retry(3), [1, 2, None], id="doubling is the default"),
    pytest.param(Retry(2, delay=0 * SECOND), [0, None], id="no delay"),
    pytest.param(Retry(4, delay=10 * SECOND, factor=3), [10, 30, 90, None], id="factor"),
    pytest.param(Retry(4, factor=1), [1, 1, 1, None], id="equal delays"),
    pytest.param(Retry(4, factor=1.5), [1, 1.5, 2.25, None], id="a factor with a fraction"),
    pytest.param(Retry(5, max_delay=3 * SECOND), [1, 2, 3, 3, None], id="max_delay"),
    pytest.param(Retry(4, factor=1e300), [1, 3600, 3600, None], id="a factor without measure"),
    pytest.param(Retry(4, factor=1.7e308), [1, 3600, 3600, None], id="a factor that overflows at once"),
    pytest.param(Retry(4, factor=1e300, delay=0 * SECOND), [0, 0, 0, None], id="a factor without measure, no delay"),
    pytest.param(
        Retry(3, factor=1e300, max_delay=timedelta.max), [1, YEARS_10_000, None], id="the longest delay there is"
    ),
]


@pytest.mark.parametrize(("retry", "delays"), DELAYS)
def test_the_delay_before_the_next_attempt(retry: Retry, delays: list[float | None]) -> None:
    rule, _state = added(GRID, Policy(retry=retry))

    found = [delay_after(rule, attempt) for attempt in range(1, len(delays) + 1)]

    assert [None if delay is None else delay / S for delay in found] == delays


def test_the_thousandth_attempt_waits_no_longer_than_max_delay() -> None:
    rule, _state = added(GRID, Policy(retry=Retry(10_000)))

    assert delay_after(rule, 9_999) == 3600 * S
    assert delay_after(rule, 10_000) is None


COVERED: list[tuple[tuple[type[Exception] | str, ...], BaseException | None, bool]] = [
    ((Exception,), ValueError(), True),
    ((OSError,), ConnectionResetError(), True),
    ((OSError,), ValueError(), False),
    (("ConnectionError", ValueError), ValueError(), True),
    ((TimeoutError,), TimeoutError("timed out"), True),
    ((Exception,), KeyboardInterrupt(), False),
    ((Exception,), SystemExit(), False),
    ((Exception,), None, False),
]


@pytest.mark.parametrize(("on", "error", "again"), COVERED)
def test_what_is_tried_again(
    on: tuple[type[Exception] | str, ...], error: BaseException | None, *, again: bool
) -> None:
    rule, _state = added(GRID, Policy(retry=Retry(2, on=on)))

    assert (after(rule, (), error).retry_in is not None) == again


@pytest.mark.parametrize("policy", [Policy(), Policy(jitter=SECOND)])
def test_without_a_retry_nothing_is_tried_again(policy: Policy) -> None:
    assert delay_after(added(GRID, policy)[0], 1) is None


def test_the_jitter_of_delays_is_bounded_and_stable() -> None:
    retry = Retry(50, factor=1, jitter=SECOND)
    rule, _state = added(GRID, Policy(retry=retry))
    again, _state = added(GRID, Policy(retry=retry))
    other, _state = added(GRID, Policy(retry=retry), key="another task")

    delays = [delay_after(rule, attempt) or 0 for attempt in range(1, 50)]

    assert all(S <= delay < 2 * S for delay in delays)
    assert len(set(delays)) == 49
    assert delays == [delay_after(again, attempt) for attempt in range(1, 50)]
    assert delays != [delay_after(other, attempt) for attempt in range(1, 50)]
    assert delays[0] != delay_after(rule, 1, AT + 1)


NOT_AGAIN = [
    pytest.param(True, Held(), id="the run was asked to end"),
    pytest.param(False, Held(stopped="cancelled"), id="the task was cancelled"),
]


@pytest.mark.parametrize(("asked", "held"), NOT_AGAIN)
def test_what_was_asked_to_end_is_not_tried_again(held: Held, *, asked: bool) -> None:
    rule, state = added(GRID, Policy(retry=Retry(3), timeout=5 * SECOND))
    state, run = started(rule, state._replace(held=held), Run("", AT, None, asked=asked))

    failed = ended(rule, state, run, FAILED, now(5))
    assert failed.run is None
    assert failed.record is not None
    assert failed.record.outcome == "failed"
    timed_out = wake(rule, state, run, AT, now(5))
    assert timed_out.record is not None
    assert timed_out.record.outcome == "timed_out"


def test_a_task_that_only_takes_no_further_occurrence_tries_again() -> None:
    rule, state = added(GRID, Policy(retry=Retry(3)))
    state, run = started(rule, state._replace(held=Held(stopped="dropped")))

    assert ended(rule, state, run, FAILED, now(5)).retry_in == S


@pytest.mark.parametrize("schedule", [GRID, DAILY])
def test_the_next_attempt_comes_by_steady_time(schedule: Schedule) -> None:
    rule, state = added(schedule, Policy(retry=Retry(3)))
    state, run = started(rule, state)
    reading = now(5)._replace(wall=us(7_000))

    step = ended(rule, state, run, FAILED, reading)

    assert step.run is not None
    assert step.run.wake_at == us(6)


# ---- lost attempts -----------------------------------------------------------------------------------------------

AGAIN = Policy()
RECORD = Policy(on_lost="record")
LOST: list[tuple[Policy, bool, tuple[Attempt, ...], Held, Outcome | None]] = [
    # policy, asked, the attempts before, held -> the outcome; None: it is tried again
    (AGAIN, False, (), Held(), None),
    (AGAIN, False, (GONE,), Held(), None),
    (AGAIN, False, (GONE, GONE), Held(), "lost"),
    (AGAIN, False, (FAILED, FAILED, GONE), Held(), None),
    (AGAIN, False, (GONE, FAILED, GONE), Held(), "lost"),
    (RECORD, False, (), Held(), "lost"),
    (RECORD, False, (FAILED,), Held(), "lost"),
    (Policy(on_lost="record", retry=Retry(3)), False, (), Held(), "lost"),
    (Policy(retry=Retry(2)), False, (FAILED,), Held(), None),
    (AGAIN, True, (), Held(), "lost"),
    (AGAIN, False, (), Held(stopped="cancelled"), "lost"),
    (AGAIN, False, (), Held(stopped="dropped"), None),
    (AGAIN, False, (), Held(paused=""), None),
]


@pytest.mark.parametrize(("policy", "asked", "attempts", "held", "outcome"), LOST)
def test_what_follows_a_lost_attempt(
    policy: Policy, attempts: tuple[Attempt, ...], held: Held, outcome: Outcome | None, *, asked: bool
) -> None:
    rule, state = added(GRID, policy)
    state, run = started(rule, state._replace(held=held), Run("", AT, None, attempts=attempts, asked=asked))
    assert MOST_LOST == 3

    step = lost(rule, state, run, us(1), now(8))

    if outcome is None:
        assert step.retry_in == 0
        assert step.run == run._replace(
            phase="resting", attempts=(*attempts, Attempt(us(1), us(8), "lost", None)), wake_at=0
        )
        assert step.record is None
        assert step.state == state, "it keeps its place"
    else:
        assert step.run is None
        assert step.record is not None
        assert step.record.outcome == outcome
        assert step.record.attempts == (*attempts, Attempt(us(1), us(8), "lost", None))
        assert step.state.running == 0


def test_lost_attempts_use_up_none_of_the_retries() -> None:
    rule, _state = added(GRID, Policy(retry=Retry(3, factor=2)))

    assert after(rule, (GONE, GONE)).retry_in == S, "the first failure"
    assert after(rule, (GONE, FAILED, GONE)).retry_in == 2 * S, "the second"
    assert after(rule, (FAILED, GONE, FAILED, GONE)).retry_in is None, "the third and last"


def test_an_attempt_that_timed_out_after_lost_ones_waits_as_the_first() -> None:
    rule, state = added(GRID, Policy(retry=Retry(3, delay=7 * SECOND), timeout=5 * SECOND))
    state, run = started(rule, state, Run("", AT, None, attempts=(GONE,)))

    timed_out = wake(rule, state, run, AT, now(5))
    assert timed_out.retry_in == 7 * S
    assert timed_out.run is not None
    back = ended(rule, timed_out.state, timed_out.run, finished(after=9), now(9))
    assert back.run is not None
    assert back.run.wake_at == us(16)
