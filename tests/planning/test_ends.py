"""What follows each event of a run, in tables: in every phase, for every cause."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from tables import AT, DAILY, GRID, SECOND, S, added, finished, now, seconds, started, starts, us
from telling import is_a

from panther_schedule import Policy, Repeat, Retry
from panther_schedule.planning.due import due, has_ended
from panther_schedule.planning.ends import abandon, ask, began, ended, is_asked, is_queued, lost, wake
from panther_schedule.planning.records import Attempt, Cause, Outcome, Phase, Run
from panther_schedule.planning.rule import Rule
from panther_schedule.planning.state import NOTHING_HELD, Held, State, Step

FAILED = finished("failed", 2, OSError())
OVER = finished("timed_out", 5, TimeoutError())
IN_FLIGHT = {
    "queued": Run("", AT, None, phase="queued"),
    "resting": Run("", AT, None, phase="resting", attempts=(FAILED,), wake_at=us(9)),
    "active": Run("", AT, None, attempts=(FAILED,), wake_at=us(9)),
    "outrun": Run("", AT, None, phase="outrun", attempts=(OVER,), asked=True),
    "lingering": Run("", AT, None, phase="lingering", attempts=(OVER,), asked=True),
    "ended": Run("", AT, None, phase="ended", attempts=(OVER,)),
}
"""A run in each phase; the policy has three attempts and a timeout of 5 s."""


@dataclass(frozen=True)
class After:
    """What an event makes of a run."""

    phase: Phase | None
    """None: nothing of it is left."""
    outcome: Outcome | None = None
    """Of its record; None: it is not recorded."""
    retry_in: int | None = None
    hand_over: bool = False
    asked: bool = False
    wake_at: float | None = None
    """Seconds after AT."""
    interrupts: bool = False
    """Its function is asked to end; one that was asked already, and cleans up, is not."""


PHASES: list[tuple[str, Phase, After | None]] = [
    # event, phase -> what it makes of the run; None: nothing
    ("ended", "queued", None),
    ("ended", "resting", None),
    ("ended", "active", After(None, "succeeded")),
    ("ended", "outrun", After("resting", wake_at=11)),
    ("ended", "lingering", After(None)),
    ("ended", "ended", None),
    ("failed", "active", After("resting", retry_in=2 * S, wake_at=12)),
    ("failed", "outrun", After("resting", wake_at=11)),
    ("failed", "lingering", After(None)),
    ("wake", "queued", After("active", hand_over=True)),
    ("wake", "resting", After("active", hand_over=True)),
    ("wake", "active", After("outrun", retry_in=2 * S, asked=True, interrupts=True)),
    ("wake", "outrun", None),
    ("wake", "lingering", None),
    ("wake", "ended", None),
    ("ask", "queued", After(None, "cancelled")),
    ("ask", "resting", After(None, "cancelled")),
    ("ask", "active", After("active", asked=True, wake_at=9, interrupts=True)),
    ("ask", "outrun", After("lingering", "cancelled", asked=True)),
    ("ask", "lingering", None),
    ("ask", "ended", None),
    ("abandon", "queued", After(None, "abandoned")),
    ("abandon", "resting", After(None, "abandoned")),
    ("abandon", "active", After(None, "abandoned")),
    ("abandon", "outrun", After("lingering", "abandoned", asked=True)),
    ("abandon", "lingering", None),
    ("abandon", "ended", None),
    ("lost", "queued", None),
    ("lost", "resting", None),
    ("lost", "active", After("resting", retry_in=0, wake_at=-AT / S)),  # whatever becomes of the clock
    ("lost", "outrun", After("resting", wake_at=11)),
    ("lost", "lingering", After(None)),
    ("lost", "ended", None),
    ("began", "queued", None),
    ("began", "resting", None),
    ("began", "active", After("active", wake_at=12)),
    ("began", "outrun", None),
    ("began", "lingering", None),
    ("began", "ended", None),
]


def does(event: str, rule: Rule, state: State, run: Run) -> Step:
    """Let something happen to a run, 10 s after AT; its function was called 7 s after AT."""
    match event:
        case "ended":
            return ended(rule, state, run, finished(after=10, started=7), now(10))
        case "failed":
            return ended(rule, state, run, finished("failed", 10, OSError(), 7), now(10))
        case "wake":
            return wake(rule, state, run, us(7), now(10))
        case "ask":
            return ask(rule, state, run, now(10))
        case "abandon":
            return abandon(rule, state, run, now(10))
        case "lost":
            return lost(rule, state, run, us(7), now(10))
        case _:
            return began(rule, state, run, us(7))


@pytest.mark.parametrize("cause", ["schedule", "manual", "backfill"])
@pytest.mark.parametrize(("event", "phase", "after"), PHASES)
def test_what_an_event_makes_of_a_run(event: str, phase: Phase, after: After | None, cause: Cause) -> None:
    rule, state = added(GRID, Policy(retry=Retry(3), timeout=5 * SECOND))
    run = IN_FLIGHT[phase]._replace(cause=cause, number=4)
    lingering = phase == "lingering" and cause == "schedule"
    held = Held(backfilling=2 if cause == "backfill" else 0, lingering=int(lingering))
    state = state._replace(running=int(cause == "schedule" and not lingering), held=held)

    step = does(event, rule, state, run)

    if after is None:
        assert step == Step(state, run)
        return
    assert (None if step.run is None else step.run.phase) == after.phase
    assert (None if step.record is None else step.record.outcome) == after.outcome
    assert (step.retry_in, step.hand_over, step.interrupts) == (after.retry_in, after.hand_over, after.interrupts)
    if step.run is not None:
        assert step.run.asked == after.asked
        assert seconds(step.run.wake_at) == after.wake_at
        assert (step.run.at, step.run.cause, step.run.number) == (run.at, cause, 4)
    if step.record is not None:
        assert step.record.phase == "ended"
        assert step.record.attempts[: len(run.attempts)] == run.attempts, "its earlier attempts stay"
        assert len(step.record.attempts) == len(run.attempts) + 1
    check_places(step, state, cause, recorded=after.outcome is not None, gone=after.phase is None, phase=phase)


def check_places(step: Step, before: State, cause: Cause, *, recorded: bool, gone: bool, phase: Phase) -> None:
    """Assert what a run holds of its task: a scheduled one its place, one of a backfill its turn, a manual nothing."""
    held = step.state.held
    if cause == "schedule":
        assert step.state.running == before.running - recorded
        lingers = recorded and not gone
        assert held.lingering == before.held.lingering + lingers - (phase == "lingering")
    else:
        assert step.state.running == before.running
    if cause == "backfill":
        assert held.backfilling == 2 - gone
        assert step.next_queued == (gone and phase != "queued"), "the others' turn comes with the end of the active one"
    else:
        assert not step.next_queued


RECORDED: list[tuple[str, Phase, Attempt]] = [
    # event, phase -> the attempt that the record ends with
    ("ended", "active", Attempt(us(7), us(10), "succeeded", None)),
    ("ask", "queued", Attempt(None, us(10), "cancelled", None)),
    ("ask", "resting", Attempt(None, us(10), "cancelled", None)),
    ("ask", "outrun", Attempt(None, us(10), "cancelled", None)),
    ("abandon", "active", Attempt(None, us(10), "abandoned", None)),
    ("abandon", "outrun", Attempt(None, us(10), "abandoned", None)),
]


@pytest.mark.parametrize(("event", "phase", "last"), RECORDED)
def test_the_last_attempt_of_a_record(event: str, phase: Phase, last: Attempt) -> None:
    rule, state = added(GRID, Policy(retry=Retry(3), timeout=5 * SECOND))
    state, run = started(rule, state, IN_FLIGHT[phase])

    record = does(event, rule, state, run).record

    assert record == run._replace(phase="ended", attempts=(*run.attempts, last), asked=False, wake_at=None)


def test_times_of_attempts_are_those_that_the_task_follows() -> None:
    for schedule, finished_at in ((GRID, us(5)), (DAILY, us(9_000))):
        rule, state = added(schedule)
        state, run = started(rule, state)
        step = abandon(rule, state, run, now(5)._replace(wall=us(9_000)))
        assert step.record is not None
        assert step.record.attempts[-1].finished == finished_at


# ---- a timeout ---------------------------------------------------------------------------------------------------

TIMEOUTS = [
    pytest.param(Policy(), None, id="none"),
    pytest.param(Policy(overlap="allow"), None, id="none, with a policy"),
    pytest.param(Policy(timeout=5 * SECOND), 12, id="5 s"),
]


@pytest.mark.parametrize(("policy", "at"), TIMEOUTS)
def test_when_an_attempt_takes_too_long(policy: Policy, at: float | None) -> None:
    rule, state = added(GRID, policy)
    state, run = started(rule, state)

    step = began(rule, state, run, us(7))
    assert step == Step(state, run if at is None else run._replace(wake_at=us(at)))


def test_a_timeout_without_another_attempt_is_recorded_and_the_function_goes_on() -> None:
    rule, state = added(GRID, Policy(timeout=5 * SECOND))
    state, run = started(rule, state)

    step = wake(rule, state, run, us(1), now(6))

    assert step.record is not None
    (attempt,) = step.record.attempts
    assert attempt[:3] == (us(1), us(6), "timed_out")
    assert is_a(attempt.error, TimeoutError)
    assert str(attempt.error) == "TimeoutError: the run took longer than its timeout"
    assert step.run == step.record._replace(phase="lingering", asked=True)
    assert step.state.held == Held(lingering=1)
    assert step.interrupts


@pytest.mark.parametrize("held", [Held(), *(Held(stopped=how) for how in ("dropped", "finishing", "cancelled"))])
@pytest.mark.parametrize("phase", ["queued", "resting"])
def test_a_run_of_a_cancelled_task_is_asked_before_its_function_is_called(phase: Phase, held: Held) -> None:
    rule, state = added(GRID, Policy(retry=Retry(3)))
    state, run = started(rule, state._replace(held=held), IN_FLIGHT[phase])

    step = wake(rule, state, run, None, now(10))

    assert step.run is not None
    assert step.run.asked == (held.stopped == "cancelled")
    assert step.run.attempt == len(run.attempts) + 1


# ---- who is asked ------------------------------------------------------------------------------------------------

ASKED = [
    # cause, phase, asked before -> asked by a newcomer, by cancel()
    ("schedule", "active", False, True, True),
    ("schedule", "active", True, False, True),
    ("schedule", "resting", False, True, True),
    ("schedule", "outrun", True, True, True),
    ("manual", "active", False, False, True),
    ("backfill", "active", False, False, True),
    ("backfill", "queued", False, False, True),
]


@pytest.mark.parametrize(("cause", "phase", "asked", "newcomer", "cancel"), ASKED)
def test_who_is_asked(cause: Cause, phase: Phase, *, asked: bool, newcomer: bool, cancel: bool) -> None:
    run = IN_FLIGHT[phase]._replace(cause=cause, asked=asked)

    assert not is_asked("", run)
    assert is_asked("scheduled", run) == newcomer
    assert is_asked("all", run) == cancel
    assert is_asked("queued", run) == (phase == "queued")


def test_only_a_queued_run_is_queued() -> None:
    assert [phase for phase, run in IN_FLIGHT.items() if is_queued(run)] == ["queued"]


# ---- what follows ------------------------------------------------------------------------------------------------

BACK_OFF: list[tuple[int, Outcome, float]] = [
    # failures in a row before, outcome -> seconds until the next run
    (0, "failed", 1),
    (1, "failed", 2),
    (5, "failed", 32),
    (6, "failed", 60),
    (60, "failed", 60),
    (60, "succeeded", 0),
]


@pytest.mark.parametrize(("failures", "outcome", "delay"), BACK_OFF)
def test_a_failing_back_to_back_task_waits_longer_each_time(failures: int, outcome: Outcome, delay: float) -> None:
    rule, state = added(Repeat(-1))
    first = due(rule, state._replace(held=Held(failures=failures) if failures else NOTHING_HELD), AT)
    (run,) = first.starts

    step = ended(rule, first.state, run, finished(outcome, 5), now(5))

    assert seconds(step.state.next_at) == 5 + delay
    assert step.state.held.failures == (failures + 1 if outcome == "failed" else 0)
    assert (step.state.held is NOTHING_HELD) == (outcome == "succeeded")


FROM_END: list[tuple[Outcome, float, float | None, float]] = [
    # outcome, its end, the occurrence of that run (None: of the schedule before) -> the next occurrence
    ("succeeded", 5, 0, 15),
    ("failed", 5, 0, 15),
    ("timed_out", 5, 0, 15),
    ("succeeded", 5, None, 40),
    ("succeeded", 35, None, 45),
]


@pytest.mark.parametrize(("outcome", "end", "at", "following"), FROM_END)
def test_the_next_run_is_due_the_wait_after_the_end_of_the_one_before(
    outcome: Outcome, end: float, at: float | None, following: float
) -> None:
    delay = timedelta(0) if at is not None else 40 * SECOND
    rule, state = added(Repeat(-1, 10 * SECOND, after=delay, measured_from="end"))
    if at is None:
        state, run = started(rule, state)
    else:
        state, (run,) = (step := due(rule, state, us(at))).state, step.starts

    step = ended(rule, state, run, finished(outcome, end), now(end))

    assert seconds(step.state.next_at) == following
    assert step.state.held is NOTHING_HELD, "only back to back waits longer after failures"
    assert (step.starts, step.ended) == ((), False)


def test_the_wait_after_a_timeout_counts_from_when_the_function_has_returned() -> None:
    rule, state = added(Repeat(-1, 10 * SECOND, measured_from="end"), Policy(timeout=5 * SECOND))
    first = due(rule, state, AT)
    timed_out = wake(rule, first.state, first.starts[0], AT, now(5))
    assert timed_out.run is not None
    assert timed_out.state.next_at is None
    assert not timed_out.ended

    returned = ended(rule, timed_out.state, timed_out.run, finished(after=60), now(60))

    assert seconds(returned.state.next_at) == 70


def test_a_wait_beyond_the_year_9999_ends_the_task() -> None:
    rule, state = added(Repeat(-1, timedelta.max, measured_from="end"))
    first = due(rule, state, AT)

    step = ended(rule, first.state, first.starts[0], finished(after=5), now(5))

    assert step.state.next_at is None
    assert step.ended


def test_a_function_that_lingers_holds_back_what_waits() -> None:
    rule, state = added(GRID, Policy(overlap="queue_one", timeout=5 * SECOND))
    first = due(rule, state, AT)
    timed_out = wake(rule, first.state, first.starts[0], AT, now(5))
    assert timed_out.starts == ()
    assert timed_out.state.running == 0
    assert timed_out.state.held.lingering == 1
    assert timed_out.run is not None

    waits = due(rule, timed_out.state, us(10))
    assert waits.starts == ()
    assert waits.state.held.waiting == (us(10),)

    free = ended(rule, waits.state, timed_out.run, finished(after=12), now(12))
    assert free.run is None
    assert free.record is None, "it was recorded as timed out"
    assert starts(free) == [10]
    assert free.state.held is NOTHING_HELD
    assert free.state.handed == 2


def test_back_to_back_goes_on_only_when_the_function_has_ended() -> None:
    rule, state = added(Repeat(3), Policy(timeout=5 * SECOND))
    first = due(rule, state, AT)
    timed_out = wake(rule, first.state, first.starts[0], AT, now(5))
    assert timed_out.state.next_at is None
    assert timed_out.run is not None
    assert not timed_out.ended
    assert not has_ended(rule, timed_out.state)

    free = ended(rule, timed_out.state, timed_out.run, finished(after=60), now(60)).state
    assert seconds(free.next_at) == 61, "the timeout was a failure"
    assert free.held == Held(failures=1)


def test_what_waits_starts_when_the_run_ends_and_knows_its_occurrence() -> None:
    rule, state = added(GRID, Policy(overlap="queue_all"))
    state, run = started(rule, state._replace(held=Held((us(10), us(20))), latest=AT))

    step = ended(rule, state, run, finished(after=25), now(25))

    assert step.starts == (Run("", us(10), AT),)
    assert step.state.held.waiting == (us(20),)
    assert (step.state.running, step.state.latest) == (1, us(10))
