"""Mutations of the rules, and of what people and clocks do."""

# The wrong variants are lambdas, of whatever the real functions take.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import replace
from typing import Any

import checks
from mutations import Mutation, instead, of, then, with_held, with_state, with_terms

from panther_schedule.occurrences import compiler
from panther_schedule.planning import control, rule
from panther_schedule.planning.records import Passed
from panther_schedule.planning.state import State, Step


def back_within_a_day(found: Any, rule: Any, state: State, now: int, _before: int) -> Any:
    """Let a task go on by the new time whenever the clock was set back."""
    covered = state.anchor if state.cursor is None else state.cursor
    if found is not None or not rule.on_wall or rule.once or state.next_at is None or covered <= now:
        return found
    return Step(state._replace(anchor=now, cursor=None, next_at=rule.occurrences.next_after(now, now), latest=None))


def extends_across(longer: Any, _rule: Any, _state: State, latest: Passed, passed: Passed) -> Any:
    """Make one range of two with a run between them."""
    if longer is not None or latest.reason != passed.reason:
        return longer
    return Passed(passed.reason, latest.first, passed.last, latest.count + passed.count)


def same_reason(rule: Any, state: State, latest: Passed, passed: Passed) -> tuple[Any, ...]:
    """Forget why the earlier ones passed."""
    return rule, state, replace(latest, reason=passed.reason), passed


def ends_the_finite(step: Any, rule: Any, state: State, now: int) -> Any:
    """Let a drain drop every task."""
    return control.end_drain(rule, state._replace(held=state.held._replace(waiting=())), now) if step is None else step


OF_RULES = [
    Mutation("one run too many", rule, "rule_of", then(lambda rule, *_: replace(rule, n=rule.n + (rule.n > 1)))),
    Mutation("all is on steady time", rule, "rule_of", then(lambda rule, *_: replace(rule, on_wall=False)), 1),
    Mutation(
        "no repeat is back to back",
        rule,
        "rule_of",
        then(lambda rule, *_: replace(rule, wait_from_end=None)),
        checks.back_to_back,
    ),
    Mutation(
        "the wait from the end is halved",
        rule,
        "rule_of",
        then(lambda rule, *_: replace(rule, wait_from_end=rule.wait_from_end and rule.wait_from_end // 2)),
    ),
    Mutation(
        "a delay is left out",
        compiler,
        "anchor_of",
        then(lambda anchor, schedule, added: added if getattr(schedule, "after", None) else anchor),
    ),
    Mutation(
        "durations are in milliseconds",
        rule,
        "under",
        then(lambda rule, *_: with_terms(rule, tolerance=rule.terms.tolerance // 1000)),
    ),
    Mutation("a timeout is ignored", rule, "under", then(lambda rule, *_: with_terms(rule, timeout=None))),
    Mutation(
        "the key of jitter is the same for all",
        rule,
        "under",
        then(lambda rule, *_: with_terms(rule, key="x")),
        checks.jitter,
    ),
    Mutation("a paused task is due", rule, "due_at", of(lambda rule, state: (rule, with_held(state, paused=None)))),
    Mutation("due times show no jitter", rule, "due_at", then(lambda _due, _rule, state: state.next_at), checks.jitter),
    Mutation("jitter is not applied", rule, "jittered", instead(lambda _rule, at, _anchor: at), checks.jitter),
    Mutation(
        "jitter reaches over the next occurrence",
        rule,
        "jittered",
        then(lambda when, rule, at, _anchor: at + 5 * (when - at)),
        checks.jitter_is_bounded,
    ),
]
OF_CONTROL = [
    Mutation(
        "a pause loses its last occurrence",
        control,
        "_skipped",
        then(
            lambda skipped, *_: tuple(
                each if each.count == 1 else replace(each, last=each.last - 1, count=each.count - 1) for each in skipped
            )
        ),
    ),
    Mutation("a pause skips nothing", control, "_skipped", instead(lambda *_: ())),
    Mutation(
        "an ended task can be paused",
        control,
        "pause",
        instead(lambda _rule, state, reason: Step(with_held(state, paused=reason))),
    ),
    Mutation(
        "a Once is not released by the end of its pause",
        control,
        "resume",
        then(lambda step, *_: step and step._replace(state=with_held(step.state, released=False))),
    ),
    Mutation("a clock that was days ahead is trusted", control, "clock_set_back", instead(lambda *_: None)),
    Mutation("what ran runs again after a step back", control, "clock_set_back", then(back_within_a_day)),
    Mutation("ranges of different reasons are one", control, "extended", of(same_reason)),
    Mutation("ranges are one across a gap", control, "extended", then(extends_across)),
    Mutation("a range is not lengthened", control, "extended", instead(lambda *_: None)),
    Mutation("cancel() forgets what waits", control, "cancel", then(lambda step, *_: step._replace(given_up=())), 40),
    Mutation("cancel() asks no run", control, "cancel", then(lambda step, *_: step._replace(asks=""))),
    Mutation("cancel() does not count a pause", control, "cancel", then(lambda step, *_: step._replace(passed=()))),
    Mutation(
        "a cancelled task goes on",
        control,
        "cancel",
        then(lambda step, _rule, state, *_: with_state(step, next_at=state.next_at, held=state.held)),
    ),
    Mutation(
        "another schedule keeps the count of the old",
        control,
        "replaced",
        then(lambda step, _rule, state, *_: step and with_state(step, handed=state.handed)),
    ),
    Mutation(
        "another schedule forgets active runs",
        control,
        "replaced",
        then(lambda step, *_: step and with_state(step, running=0)),
    ),
    Mutation(
        "another schedule ends a pause",
        control,
        "replaced",
        then(
            lambda step, _rule, _state, fresh, *_: (
                step if fresh is None else step._replace(state=with_held(step.state, paused=None))
            )
        ),
    ),
    Mutation(
        "a backfill runs all at once",
        control,
        "more_runs",
        then(lambda step, *_: step._replace(starts=tuple(run._replace(phase="active") for run in step.starts))),
    ),
    Mutation(
        "a backfill is forgotten",
        control,
        "more_runs",
        then(lambda step, state, *_: step._replace(state=state)),
    ),
    Mutation("a drain drops finite back-to-back tasks", control, "drain", then(ends_the_finite), checks.drain),
    Mutation(
        "a drain waits for a first run after a delay",
        control,
        "drain",
        of(lambda rule, state, now: (rule, state, max(now, state.anchor))),
        checks.drain,
    ),
    Mutation("a drain drops nothing", control, "drain", instead(lambda *_: None), checks.drain),
    Mutation(
        "a drain gives up what waits",
        control,
        "drain",
        of(lambda rule, state, now: (rule, with_held(state, waiting=()), now)),
        checks.drain,
    ),
    Mutation(
        "what waits is forgotten at the end of a drain",
        control,
        "end_drain",
        then(lambda step, *_: step._replace(given_up=())),
        checks.end_of_a_drain,
    ),
    Mutation(
        "what is over runs again by new rules of a zone",
        control,
        "zones_reloaded",
        then(
            lambda step, rule, state, _now: with_state(
                step, next_at=rule.occurrences.next_after(state.anchor, state.anchor)
            )
        ),
        checks.new_zones,
    ),
]
