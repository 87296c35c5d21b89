"""Mutations of what follows a run: attempts, timeouts, backfills, back to back."""

# The wrong variants are lambdas, of whatever the real functions take.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import checks
from mutations import Mutation, instead, of, then, with_held, with_state, with_terms

from panther_schedule import Retry
from panther_schedule.planning import ends, rule
from panther_schedule.planning.records import Run
from panther_schedule.planning.state import NOTHING_HELD, Step


def with_retry(**changes: Any) -> Any:
    """Change how tasks try again."""

    def change(rule: Any, *_: Any) -> Any:
        retry = None if rule.terms is None else rule.terms.retry
        if retry is None:
            return rule
        wrong = {name: value(retry) if callable(value) else value for name, value in changes.items()}
        return with_terms(rule, retry=retry.model_copy(update=wrong))

    return then(change)


def in_phase(phase: str, change: Any) -> Any:
    """Change what happens to a run in this phase."""
    return then(lambda step, rule, state, run, *rest: change(step, state, run) if run.phase == phase else step)


def of_cause(cause: str, change: Any) -> Any:
    """Change what happens to a run with this cause."""
    return then(lambda step, rule, state, run, *rest: change(step, state, run) if run.cause == cause else step)


def asked_first(real: Any) -> Any:
    """Forget that a run was asked to end before it failed."""
    return lambda rule, state, run, error: real(rule, state, run._replace(asked=False), error)


def rests_at_once(step: Any, _state: Any, run: Run) -> Any:
    """Let the next attempt begin while the function of the last goes on."""
    if step.retry_in is None or step.run is None:
        return step
    return step._replace(run=step.run._replace(phase="resting", asked=False, wake_at=0))


def records_again(step: Any, _state: Any, run: Run) -> Any:
    """Record a run a second time, when its function ends."""
    return step._replace(record=run._replace(phase="ended"))


def keeps_the_last(step: Any, *_: Any) -> Any:
    """Forget the earlier attempts."""
    record = step.record
    return step if record is None else step._replace(record=record._replace(attempts=record.attempts[-1:]))


def begins_beside(step: Any, rule: Any, *_: Any) -> Any:
    """Let a back-to-back task begin while a function that timed out goes on."""
    if rule.wait_from_end is None or step.record is None:
        return step
    return with_state(step, next_at=step.record.at + 1, held=NOTHING_HELD)


OF_ENDS = [
    Mutation("one attempt too many", rule, "under", with_retry(attempts=lambda retry: retry.attempts + 1)),
    Mutation("delays are not doubled", rule, "under", with_retry(factor=1.0)),
    Mutation("delays double too early", rule, "under", with_retry(delay=lambda retry: retry.delay * retry.factor)),
    Mutation("every error is tried again", Retry, "covers_names", instead(lambda *_: True), checks.what_is_tried_again),
    Mutation("what was asked to end is tried again", ends, "retry_delay", asked_first, 40),
    Mutation(
        "a timeout is not tried again", ends, "wake", of(lambda rule, *rest: (with_terms(rule, retry=None), *rest))
    ),
    Mutation("the next attempt does not wait for the function", ends, "wake", in_phase("active", rests_at_once)),
    Mutation(
        "a run that timed out is recorded again",
        ends,
        "ended",
        in_phase("lingering", records_again),
        checks.recorded_once,
    ),
    Mutation(
        "what lingers lingers for ever",
        ends,
        "ended",
        in_phase("lingering", lambda _step, state, run: Step(state, run)),
    ),
    Mutation(
        "a run rests no longer than it must",
        ends,
        "ended",
        in_phase("outrun", lambda step, *_: step._replace(run=step.run._replace(wake_at=0))),
    ),
    Mutation("a record has only its last attempt", ends, "ended", then(keeps_the_last)),
    Mutation(
        "a manual run counts as active",
        ends,
        "ended",
        of_cause("manual", lambda step, *_: with_state(step, running=step.state.running - bool(step.record))),
    ),
    Mutation(
        "a backfill stops after its first run", ends, "ended", then(lambda step, *_: step._replace(next_queued=False))
    ),
    Mutation(
        "a backfill goes on while a function that timed out does",
        ends,
        "wake",
        of_cause("backfill", lambda step, *_: step._replace(next_queued=step.record is not None)),
        checks.backfill_after_a_timeout,
    ),
    Mutation(
        "a queued run that is cancelled lets another begin",
        ends,
        "ask",
        in_phase("queued", lambda step, *_: step._replace(next_queued=True)),
        checks.backfill_without_one,
    ),
    Mutation(
        "a timeout counts from the time it was due",
        ends,
        "began",
        of(lambda rule, state, run, _steady: (rule, state, run, run.at)),
    ),
    Mutation("no timeout is noticed", ends, "began", instead(lambda _rule, state, run, _steady: Step(state, run))),
    Mutation(
        "a resting run that is asked goes on",
        ends,
        "ask",
        in_phase("resting", lambda _step, state, run: Step(state, run._replace(asked=True))),
    ),
    Mutation(
        "a run that is asked is recorded at once",
        ends,
        "ask",
        of(lambda rule, state, run, reading: (rule, state, run._replace(phase="resting"), reading)),
    ),
    Mutation(
        "what was asked while it rested is called",
        ends,
        "wake",
        then(lambda step, *_: step._replace(run=step.run and step.run._replace(asked=False))),
        checks.woken_after_cancel,
    ),
    Mutation(
        "newcomers ask again and again",
        ends,
        "is_asked",
        instead(lambda asks, run: asks == "all" or run.cause == "schedule"),
        checks.asked_once,
    ),
    Mutation(
        "what cleans up is asked again",
        ends,
        "ask",
        in_phase("outrun", lambda step, *_: step._replace(interrupts=True)),
        checks.asked_for_its_cleanup,
    ),
    Mutation(
        "a call that began after it was asked is asked again",
        ends,
        "began",
        then(lambda step, *_: step._replace(interrupts=step.run.asked)),
        checks.asked_when_it_began,
    ),
    Mutation("newcomers ask manual runs, too", ends, "is_asked", instead(lambda asks, _run: bool(asks)), 80),
    Mutation(
        "abandoned runs are cancelled",
        ends,
        "abandon",
        then(lambda step, *_: step._replace(record=ends.ask(*_).record)),
        checks.end_of_a_drain,
    ),
    Mutation(
        "a failing back-to-back task does not wait longer",
        ends,
        "ended",
        of(lambda rule, state, *rest: (rule, with_held(state, failures=0), *rest)),
        checks.back_to_back,
    ),
    Mutation(
        "the end of an older run ends a delay",
        ends,
        "_next",
        of(lambda rule, step, at: (rule, with_state(step, anchor=at if rule.wait_from_end else step.state.anchor), at)),
        20,
    ),
    Mutation(
        "a back-to-back task fails for ever",
        ends,
        "ended",
        then(
            lambda step, _rule, state, *_: step._replace(state=with_held(step.state, failures=state.held.failures + 1))
        ),
        checks.back_to_back,
    ),
    Mutation(
        "a back-to-back task begins beside what lingers",
        ends,
        "wake",
        then(begins_beside),
        checks.back_to_back_after_a_timeout,
    ),
    Mutation("a lost run is tried for ever", ends, "_lost", instead(lambda _run: 0), checks.lost_attempts),
    Mutation(
        "a lost attempt is one of the retries",
        ends,
        "retry_delay",
        of(
            lambda rule, state, run, error: (
                rule,
                state,
                run._replace(attempts=tuple(a._replace(outcome="failed") for a in run.attempts)),
                error,
            )
        ),
        checks.lost_attempts,
    ),
]
