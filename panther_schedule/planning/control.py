"""What people and clocks do to a task: pause, replace, cancel, more runs, a clock that is set, new time zone data."""

from __future__ import annotations

from typing import Final

from ..clock import SECOND
from .due import closed, has_ended, is_cancelled, latest_due, span, start_waiting, tidy
from .records import Attempt, Outcome, Passed, Run
from .rule import Rule, jittered
from .state import State, Step, Stopped

_TRUSTED: Final = 24 * 3600 * SECOND  # a cursor further ahead of the clock was written by a wrong clock


def pause(rule: Rule, state: State, reason: str) -> Step | None:
    """Start no runs until `resume`; active ones continue. None for a task that has ended."""
    if has_ended(rule, state) or state.held.stopped:
        return None
    return Step(state._replace(held=state.held._replace(paused=reason)))


def resume(rule: Rule, state: State, now: int) -> Step | None:
    """Go on after a pause: its occurrences become one `skipped_paused` range; a `Once` and back-to-back start now.

    None for a task that is not paused.
    """
    if state.held.paused is None or state.held.stopped:
        return None
    before = state
    if rule.on_wall:  # the clock may have been set back in the pause
        state = clock_set_back(rule, state, now) or state
    skipped = skipped_by_pause(rule, state, now)
    released = rule.once and state.next_at is not None and state.next_at <= now
    state = state._replace(held=tidy(state.held._replace(paused=None, released=released)))
    if skipped is None:
        return closed(rule, start_waiting(Step(state)), before)
    following = rule.occurrences.next_after(skipped.last, state.anchor)
    state = state._replace(cursor=skipped.last, next_at=following)
    return closed(rule, start_waiting(Step(state, passed=(skipped,))), before)


def skipped_by_pause(rule: Rule, state: State, now: int) -> Passed | None:
    """Return the record of the occurrences that a pause which still holds has skipped until now."""
    at, anchor = state.next_at, state.anchor
    if state.held.paused is None or at is None or rule.once or rule.back_to_back:
        return None
    if jittered(rule, at, anchor) > now:
        return None
    return span(rule, "skipped_paused", at, latest_due(rule, at, anchor, now), anchor)


def replaced(state: State, fresh: State | None) -> Step:
    """Give a task another rule; with another schedule it starts afresh, while active and waiting runs continue."""
    if fresh is None:
        return Step(state)
    held = tidy(state.held._replace(older=len(state.held.waiting), released=False, failures=0))
    return Step(fresh._replace(running=state.running, held=held))


def more_runs(state: State, runs: tuple[Run, ...]) -> Step:
    """Start runs that claim no occurrence: a manual one at once, those of a backfill one after the other.

    Runs of a task that was cancelled meanwhile are asked to end before they begin.
    """
    if is_cancelled(state):
        runs = tuple(run._replace(asked=True) for run in runs)
    filling = sum(run.cause == "backfill" for run in runs)
    if not filling:
        return Step(state, starts=runs)
    held = state.held
    first = 0 if held.backfilling else 1
    starts = (*runs[:first], *(run._replace(phase="queued") for run in runs[first:]))
    return Step(state._replace(held=held._replace(backfilling=held.backfilling + filling)), starts=starts)


# ---- the end -----------------------------------------------------------------------------------------------------


def cancel(rule: Rule, state: State, now: int) -> Step:
    """Start nothing more of a task: waiting runs are cancelled, the others are asked to end."""
    step = _give_up(state, "cancelled", now)
    return _drop(rule, state, step, now, "cancelled")._replace(asks="all")


def drain(rule: Rule, state: State, now: int) -> Step | None:
    """Drop the later occurrences of a task when its scheduler stops; None for one that may go on.

    Waiting runs still start, unless the task is paused; a finite back-to-back task runs to its end.
    """
    if rule.back_to_back and rule.n != -1 and state.held.paused is None:
        return None
    step = Step(state) if state.held.paused is None else _give_up(state, "cancelled", now)
    return _drop(rule, state, step, now, "dropped")


def end_drain(rule: Rule, state: State, now: int) -> Step:
    """End a task whose drain took too long: waiting runs are abandoned."""
    return _drop(rule, state, _give_up(state, "abandoned", now), now, "dropped")


def _give_up(state: State, outcome: Outcome, now: int) -> Step:
    waiting = state.held.waiting
    if not waiting:
        return Step(state)
    attempts = (Attempt(None, now, outcome, None),)
    runs = tuple(Run(state.task, at, None, attempts=attempts, phase="ended") for at in waiting)
    return Step(state._replace(held=tidy(state.held._replace(waiting=()))), given_up=runs)


def _drop(rule: Rule, before: State, step: Step, now: int, stopped: Stopped) -> Step:
    """Drop the later occurrences; those that a pause has skipped until now are recorded."""
    state = step.state
    skipped = skipped_by_pause(rule, state, now)
    cursor = state.cursor if skipped is None else skipped.last
    held = state.held._replace(stopped="cancelled" if is_cancelled(state) else stopped)
    state = state._replace(next_at=None, cursor=cursor, held=held)
    return closed(rule, step._replace(state=state, passed=() if skipped is None else (skipped,)), before)


def is_stopped(state: State) -> bool:
    return bool(state.held.stopped)


def extended(rule: Rule, state: State, latest: Passed, passed: Passed) -> Passed | None:
    """Return a range lengthened by one that follows it for the same reason; None if it does not."""
    if latest.reason != passed.reason or rule.occurrences.next_after(latest.last, state.anchor) != passed.first:
        return None  # else an active run lies between them
    return Passed(passed.reason, latest.first, passed.last, latest.count + passed.count)


# ---- clocks ------------------------------------------------------------------------------------------------------


def clock_set_back(rule: Rule, state: State, now: int) -> State | None:
    """Return the state of a task after its clock was set back to `now`; None when nothing changes.

    What ran does not run again, so nothing changes within a day. A clock that was more than 24 hours ahead was
    wrong: the task goes on with its next occurrence by the new time.
    """
    covered = state.anchor if state.cursor is None else state.cursor
    if rule.once or state.next_at is None or covered - now <= _TRUSTED:
        return None
    following = rule.occurrences.next_after(now, now)
    if following is None:
        return None
    return state._replace(anchor=now, cursor=None, next_at=following, latest=None)


def zones_reloaded(rule: Rule, state: State, now: int) -> Step:
    """Find the next occurrence by new time zone data; what is over does not run again."""
    if state.next_at is None or rule.once:
        return Step(state)
    covered = state.anchor if state.cursor is None else state.cursor
    if state.held.paused is None:  # an occurrence that is over may still wait for its jitter
        covered = max(covered, min(now, state.next_at - 1))
    following = rule.occurrences.next_after(covered, state.anchor)
    return closed(rule, Step(state._replace(next_at=following)))
