"""What people and clocks do to a task: pause, replace, cancel, more runs, a clock that is set, new time zone data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, get_args

from ..clock import SECOND
from .due import closed, continues, has_ended, is_cancelled, latest_due, span, start_waiting
from .records import Attempt, Outcome, Passed, Run
from .rule import Rule, jittered
from .state import State, Step, Stopped, with_held

_STOPS: Final[tuple[Stopped, ...]] = get_args(Stopped)  # the later ones hold
_TRUSTED: Final = 24 * 3600 * SECOND  # a cursor further ahead of the clock was written by a wrong clock


def pause(rule: Rule, state: State, reason: str) -> Step | None:
    """Start no runs until `resume`; active ones continue. None for a task that has ended."""
    if has_ended(rule, state) or state.held.stopped:
        return None
    return Step(with_held(state, paused=reason))


def resume(rule: Rule, state: State, now: int) -> Step | None:
    """Continue after a pause: its occurrences become one `skipped_paused` range; a task that has no other starts now.

    None for a task that is not paused.
    """
    if state.held.paused is None or state.held.stopped:
        return None
    before = state
    waits = rule.once or rule.wait_from_end is not None  # no other occurrence takes the place of the next one
    skipped = () if waits else _skipped(rule, state, now)
    released = rule.once and state.next_at is not None and state.next_at <= now
    state = with_held(state, paused=None, released=released)
    if skipped:
        cursor = skipped[-1].last
        state = state._replace(cursor=cursor, next_at=rule.occurrences.next_after(cursor, state.anchor))
    return closed(rule, start_waiting(Step(state, passed=skipped)), before)


def _skipped(rule: Rule, state: State, now: int) -> tuple[Passed, ...]:
    """Return the record of the occurrences that a pause which still holds has skipped until now, if there are any."""
    at, anchor, held = state.next_at, state.anchor, state.held
    if held.paused is None or at is None or jittered(rule, at, anchor) > now:
        return ()
    if rule.wait_from_end is not None:  # it is not due while a run of the schedule before, which was replaced, goes on
        going = state.running or held.lingering or held.waiting
        return () if going else (Passed("skipped_paused", at, at, 1),)
    return (span(rule, "skipped_paused", at, latest_due(rule, at, anchor, now), anchor),)


def replaced(rule: Rule, state: State, fresh: State | None, now: int, moved: int = 0) -> Step | None:
    """Give a task another rule; with another schedule it starts afresh, while active and waiting runs continue.

    `rule` and `now` are those before, and `moved` is how far the clock of the other rule is ahead. What a pause has
    skipped is recorded before the fresh start. None for a task that was stopped.
    """
    if state.held.stopped:
        return None
    if fresh is None:
        return Step(state)
    waiting = tuple(at + moved for at in state.held.waiting)
    kept = with_held(state, waiting=waiting, older=len(waiting), released=False, failures=0)
    return Step(fresh._replace(running=state.running, held=kept.held), passed=_skipped(rule, state, now))


def has_waited(before: State, run: Run) -> bool:
    """Tell whether a run that starts, or is given up, has waited for another one."""
    return run.at in before.held.waiting


def is_earlier(before: State, state: State, run: Run) -> bool:
    """Tell whether a run that has waited is for an occurrence of an earlier schedule or clock than those of now."""
    if run.at in before.held.waiting[: before.held.older] or state.cursor is None:
        return True
    return not state.anchor <= run.at <= state.cursor


def manual_run(state: State, now: int, number: int, offset: int) -> Run:
    return Run(state.task, now, state.latest, "manual", number, offset=offset)


def backfill_runs(rule: Rule, state: State, first: int, last: int, offset: int) -> Iterator[Run]:
    """Yield a run for each occurrence from the first moment to the last; they are shown with this offset."""
    before = rule.occurrences.latest(first - 1, state.anchor)
    at = rule.occurrences.next_after(first - 1, state.anchor)
    while at is not None and at <= last:
        yield Run(state.task, at, None if before is None else before + offset, "backfill", offset=offset)
        before, at = at, rule.occurrences.next_after(at, state.anchor)


def more_runs(state: State, runs: tuple[Run, ...]) -> Step:
    """Start runs that claim no occurrence: a manual one at once, those of a backfill one after the other.

    Runs of a task that was cancelled meanwhile are asked to end before they begin.
    """
    starts: list[Run] = []
    backfilling = state.held.backfilling
    for run in runs:
        queued = run.cause == "backfill" and backfilling > 0
        backfilling += run.cause == "backfill"
        starts.append(run._replace(phase="queued" if queued else "active", asked=is_cancelled(state)))
    return Step(with_held(state, backfilling=backfilling), starts=tuple(starts))


# ---- the end -----------------------------------------------------------------------------------------------------


def cancel(rule: Rule, state: State, now: int, *, running: bool = True) -> Step:
    """Start no more runs of a task: waiting ones are cancelled, and `running` ones are asked to end or finish."""
    stopped: Stopped = "cancelled" if running else "finishing"
    return _stop(rule, state, now, stopped, "cancelled")._replace(asks="all" if running else "queued")


def drain(rule: Rule, state: State, now: int) -> Step | None:
    """Drop the later occurrences of a task when its scheduler stops; None for one that may go on.

    Waiting runs still start, unless the task is paused; a finite back-to-back task that has begun runs to its end.
    """
    if rule.wait_from_end == 0 and not rule.endless and state.held.paused is None and now >= state.anchor:
        return None
    return _stop(rule, state, now, "dropped", None if state.held.paused is None else "cancelled")


def end_drain(rule: Rule, state: State, now: int) -> Step:
    """End a task whose drain took too long: waiting runs are abandoned."""
    return _stop(rule, state, now, "dropped", "abandoned")


def _stop(rule: Rule, state: State, now: int, stopped: Stopped, outcome: Outcome | None) -> Step:
    """Drop the later occurrences, and record those that a pause has skipped; an outcome ends the waiting runs."""
    skipped = _skipped(rule, state, now)
    new = state._replace(next_at=None, cursor=skipped[-1].last if skipped else state.cursor)
    new = with_held(new, stopped=max(stopped, state.held.stopped, key=_STOPS.index))
    given_up: tuple[Run, ...] = ()
    if outcome is not None:
        attempts = (Attempt(None, now, outcome, None),)
        given_up = tuple(Run(state.task, at, None, attempts=attempts, phase="ended") for at in state.held.waiting)
        new = with_held(new, waiting=())
    return closed(rule, Step(new, passed=skipped, given_up=given_up), state)


def left(state: State) -> State:
    """Return the state of a task that has ended and was pruned, which may have been active when it was seen last."""
    return with_held(state._replace(next_at=None, running=0), waiting=(), stopped="cancelled")


def is_new(state: State) -> bool:
    """Tell whether nothing was decided yet by this schedule and clock, so that no record of it can be lengthened."""
    return state.cursor is None


def extended(rule: Rule, state: State, latest: Passed, passed: Passed) -> Passed | None:
    """Return a range lengthened by one that follows it for the same reason; None if it does not."""
    if (latest.reason, latest.offset) != (passed.reason, passed.offset):
        return None
    if rule.occurrences.next_after(latest.last, state.anchor) != passed.first:
        return None  # else an active run lies between them
    return Passed(passed.reason, latest.first, passed.last, latest.count + passed.count, passed.offset)


# ---- clocks ------------------------------------------------------------------------------------------------------


def clock_set_back(rule: Rule, state: State, now: int, before: int) -> Step | None:
    """Decide about a task after its clock was set back to `now`, else it would be `before`; None if nothing changes.

    What ran does not run again, so nothing changes within a day. A clock that was more than 24 hours ahead was
    wrong: the task goes on with its next occurrence by the new time. What a pause had skipped is recorded.
    """
    covered = state.anchor - rule.later if state.cursor is None else state.cursor
    if not rule.on_wall or rule.once or covered - now <= _TRUSTED or not continues(rule, state):
        return None
    if rule.wait_from_end is not None:  # without a next one, the end of the active run will say it
        following = None if state.next_at is None else now + rule.wait_from_end
    elif (following := rule.occurrences.next_after(now, now)) is None:
        return None
    fresh = state._replace(anchor=now, cursor=None, next_at=following, latest=None)
    return Step(fresh, passed=_skipped(rule, state, before))


def zones_reloaded(rule: Rule, state: State, now: int) -> Step | None:
    """Find the next occurrence by new time zone data; what is over does not run again. None if it was stopped."""
    if state.held.stopped:
        return None
    if state.next_at is None or rule.once:
        return Step(state)
    covered = state.anchor if state.cursor is None else state.cursor
    if state.held.paused is None:  # an occurrence that is over may still wait for its jitter
        covered = max(covered, min(now, state.next_at - 1))
    following = rule.occurrences.next_after(covered, state.anchor)
    return closed(rule, Step(state._replace(next_at=following)))
