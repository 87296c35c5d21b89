"""The pure core: what is due now, and what becomes of it.

`plan` decides about the occurrences that are due, `settle` about a run that ended, `freed` about a function that
ended after its run had; `resume`, `drop`, `after_step_back`, `after_reload` and `replaced` about what people and clocks
do. They get everything as values and return everything as values: they know no clock, no store, no thread and no
function.
"""

from __future__ import annotations

from typing import Final, NamedTuple, assert_never

from ..clock import MICROSECOND, SECOND, Reading
from ..models.schedules import Schedule
from ..occurrences.compiler import begins_after
from ..occurrences.jitter import spread
from .records import NOTHING_HELD, Held, Outcome, PassedRecord, Reason, State, make
from .rule import DEFAULT_TERMS, Rule, Terms, jittered

_FIRST_PAUSE: Final = SECOND  # after a failure of a back-to-back task
_LONGEST_PAUSE: Final = 60 * SECOND
_TRUSTED: Final = 24 * 3600 * SECOND
_LONGEST_DELAY: Final = 10_000 * 365 * 24 * 3600 * SECOND


class Plan(NamedTuple):
    """What to do now, and what to remember."""

    state: State
    start: int | None
    """The occurrence to run, if any."""
    passed: tuple[PassedRecord, ...] = ()
    """The occurrences that were due and do not run."""
    cancel: bool = False
    """Ask the scheduled runs in flight to end."""


# ---- what is due ---------------------------------------------------------------------------------------------------


def first_state(schedule: Schedule, rule: Rule, reading: Reading) -> State | None:
    """Return the state of a task that is added now; None when its schedule has no occurrence.

    Wall-clock kinds begin with the next occurrence strictly after now; `Once` and `Repeat` with their first one,
    even when that is over.
    """
    if not rule.on_wall:
        now = reading.steady
        return State(now, None, now)
    now = reading.wall
    first = rule.occurrences.next_after(begins_after(schedule, now), now)
    return None if first is None else State(now, None, first)


def plan(rule: Rule, state: State, now: int) -> Plan:
    """Decide about all occurrences that are due by `now`: at most one starts, others wait or are recorded as passed.

    By the default policy those the scheduler came too late for are `missed`, and the latest runs in their place
    (coalesce). A run that is still going makes the latest `skipped_overlap`; `n` counts runs, so none is lost by
    that.
    """
    due, held = state.next_at, state.held
    if due is None or due > now or held.paused is not None:
        return Plan(state, None)
    if rule.back_to_back:
        if state.running or held.lingering or held.waiting:  # of the schedule before, which was replaced
            return Plan(state._replace(next_at=None), None)
        return Plan(State(state.anchor, due, None, state.handed + 1, 1, state.failures, due, held), due)
    terms = rule.terms or DEFAULT_TERMS
    following = rule.occurrences.next_after(due, state.anchor)
    alone = following is None or following > now
    if state.running or held is not NOTHING_HELD or terms.jitter or not alone or due < now - terms.tolerance:
        return _plan_by_policy(rule, terms, state, now)
    handed = state.handed + 1  # one occurrence, in time, and nothing in its way: most plans are this one
    if handed == rule.n:
        following = None
    return make(Plan, (make(State, (state.anchor, due, following, handed, 1, 0, due, held)), due, (), False))


def _plan_by_policy(rule: Rule, terms: Terms, state: State, now: int) -> Plan:
    due, anchor = state.next_at, state.anchor
    if due is None or jittered(rule, terms, due, anchor) > now:
        return Plan(state, None)
    latest = _latest_due(rule, due, anchor, now)
    wanted = _wanted(rule, terms, state, latest, now)
    passed: tuple[PassedRecord, ...] = ()
    if not wanted or wanted[0] != due:
        last_missed = latest if not wanted else _before(rule, wanted[0], anchor)
        passed = (_range(rule, "missed", due, last_missed, anchor),)
    late = len(wanted) > 1 or state.held.catching_up
    places = _places(rule, state)
    if places is not None and len(wanted) > places:  # the task ends with the last of its n
        latest = wanted[places - 1]
        wanted = wanted[:places]
    following = rule.occurrences.next_after(latest, anchor)
    state = state._replace(cursor=latest, next_at=following)
    if state.held.released:
        state = state._replace(held=_held(state.held._replace(released=False)))
    if not wanted:
        return Plan(state, None, passed)
    decided = _join_late(terms, state, wanted) if late else _overlapping(rule, terms, state, latest)
    state = decided.state
    if _places(rule, state) == 0:
        state = state._replace(next_at=None)
    return Plan(state, decided.start, passed + decided.passed, decided.cancel)


def _wanted(rule: Rule, terms: Terms, state: State, latest: int, now: int) -> tuple[int, ...]:
    """Return the due occurrences that are not missed, oldest first; `latest` is the last one that is due."""
    if state.held.released:
        return (latest,)
    match terms.missed:
        case "coalesce":
            return (latest,)
        case "skip":
            return (latest,) if jittered(rule, terms, latest, state.anchor) >= now - terms.tolerance else ()
        case "catch_up":
            wanted: list[int] = []
            at: int | None = latest
            while (
                at is not None and at >= _next(state) and at >= now - terms.tolerance and len(wanted) < terms.most_late
            ):
                wanted.append(at)
                at = rule.occurrences.latest(at - 1, state.anchor)
            return tuple(reversed(wanted))
        case _:
            assert_never(terms.missed)


def _join_late(terms: Terms, state: State, late: tuple[int, ...]) -> Plan:
    """Let late occurrences run one after the other, oldest first, whatever overlap says."""
    held = state.held
    room = max(0, terms.most_late - len(held.waiting))
    joining, surplus = late[:room], late[room:]
    passed: tuple[PassedRecord, ...] = ()
    if surplus:
        passed = (PassedRecord("skipped_overlap", surplus[0], surplus[-1], len(surplus)),)
    if joining:
        held = held._replace(waiting=held.waiting + joining, catching_up=True)
    going = _go_on(state._replace(held=held))
    return Plan(going.state, going.start, passed)


def _overlapping(rule: Rule, terms: Terms, state: State, at: int) -> Plan:
    """Decide about one due occurrence beside what runs and waits."""
    waiting = state.held.waiting
    running = state.running + state.held.lingering
    if not running and not waiting:
        return _start(state, at)
    waits = Plan(_waits(state, (*waiting, at)), None)
    skipped = Plan(state, None, (PassedRecord("skipped_overlap", at, at, 1),))
    if rule.once:  # what goes is of the schedule before, and there is no other occurrence
        skipped = waits
    match terms.overlap:
        case "skip":
            return skipped
        case "queue_one" | "queue_all":
            if len(waiting) >= terms.most:
                return skipped
            return waits
        case "allow":
            if running >= terms.most or waiting:
                return skipped
            return _start(state, at)
        case "cancel_running":
            superseded = tuple(PassedRecord("skipped_overlap", old, old, 1) for old in waiting)
            state = state._replace(held=state.held._replace(older=0))
            return Plan(_waits(state, (at,)), None, superseded, cancel=True)
        case _:
            assert_never(terms.overlap)


def _start(state: State, at: int) -> Plan:
    return Plan(state._replace(handed=state.handed + 1, running=state.running + 1, latest=at), at)


def _waits(state: State, waiting: tuple[int, ...]) -> State:
    return state._replace(held=_held(state.held._replace(waiting=waiting)))


def _held(held: Held) -> Held:
    if not held.waiting:
        held = held._replace(catching_up=False, older=0)
    return NOTHING_HELD if held == NOTHING_HELD else held


def _go_on(state: State) -> Plan:
    """Start the run that has waited longest, if nothing runs any more."""
    held = state.held
    if not held.waiting or state.running or held.lingering or held.paused is not None:
        return Plan(state, None)
    going = _start(_waits(state, held.waiting[1:]), held.waiting[0])
    if not held.older:
        return going
    state = going.state
    held = _held(state.held._replace(older=held.older - 1))
    return going._replace(state=state._replace(handed=state.handed - 1, held=held))


def _places(rule: Rule, state: State) -> int | None:
    """Return how many of the n runs are left; None is no end of them."""
    held = state.held
    return None if rule.n == -1 else rule.n - state.handed - len(held.waiting) + held.older


def _next(state: State) -> int:
    assert state.next_at is not None  # noqa: S101 - only called when an occurrence is due
    return state.next_at


def _latest_due(rule: Rule, due: int, anchor: int, now: int) -> int:
    """Return the last occurrence that is due by now; `due` is one."""
    latest = _before(rule, now + 1, anchor)
    if latest != due and jittered(rule, rule.terms or DEFAULT_TERMS, latest, anchor) > now:
        return _before(rule, latest, anchor)  # jitter keeps the order, so the one before is due
    return latest


def _before(rule: Rule, at: int, anchor: int) -> int:
    latest = rule.occurrences.latest(at - 1, anchor)
    assert latest is not None  # noqa: S101 - the occurrence that is due lies there
    return latest


def _range(rule: Rule, reason: Reason, first: int, last: int, anchor: int) -> PassedRecord:
    return PassedRecord(reason, first, last, rule.occurrences.count(first - 1, last, anchor))


# ---- a run ends ----------------------------------------------------------------------------------------------------


def next_attempt(
    rule: Rule, scheduled_at: int, attempt: int, error: BaseException | None, *, asked: bool = False
) -> int | None:
    """Return the microseconds from the end of an attempt to the next; None when there is no other.

    A run that was `asked` to end has no other attempt.
    """
    if asked:
        return None
    terms = rule.terms
    retry = None if terms is None else terms.retry
    if terms is None or retry is None or error is None or attempt >= retry.attempts or not retry.covers(error):
        return None
    longest = retry.max_delay // MICROSECOND
    try:
        delay = min(int(retry.delay // MICROSECOND * retry.factor ** (attempt - 1)), longest)
    except OverflowError:  # a factor without measure
        delay = longest if retry.delay else 0
    return min(delay + spread(f"{terms.key} {attempt}", scheduled_at, retry.jitter // MICROSECOND), _LONGEST_DELAY)


def settle(rule: Rule, state: State, outcome: Outcome, finished_at: int, *, lingers: bool = False) -> Plan:
    """Decide what follows a run that ended at `finished_at`; one that timed out `lingers` until its function ends.

    The next run of a back-to-back task is due at once or, after a failure, after a pause; one that waited starts.
    """
    running = state.running - 1
    if rule.back_to_back:
        failures = 0 if outcome == "succeeded" else state.failures + 1
        state = State(
            state.anchor, state.cursor, state.next_at, state.handed, running, failures, state.latest, state.held
        )
        if lingers:
            return Plan(_lingers(state, 1), None)
        return _next_back_to_back(rule, state, finished_at)
    if state.held is NOTHING_HELD and not lingers:
        anchor, cursor, next_at, handed, _running, _failures, latest, held = state
        return make(Plan, (make(State, (anchor, cursor, next_at, handed, running, 0, latest, held)), None, (), False))
    state = state._replace(running=running)
    return Plan(_lingers(state, 1), None) if lingers else _go_on(state)


def freed(rule: Rule, state: State, now: int) -> Plan:
    """Decide what follows the function of a run that had timed out, which has ended now."""
    state = _lingers(state, -1)
    if rule.back_to_back:
        return _next_back_to_back(rule, state, now)
    return _go_on(state)


def _lingers(state: State, by: int) -> State:
    return state._replace(held=_held(state.held._replace(lingering=state.held.lingering + by)))


def _next_back_to_back(rule: Rule, state: State, at: int) -> Plan:
    if state.held.waiting:  # of the schedule before, which was replaced
        return _go_on(state)
    if state.running or state.held.lingering or state.handed == rule.n:
        return Plan(state, None)
    next_at = at if state.cursor is None else max(at, state.cursor + 1)
    if state.failures:
        next_at += min(_FIRST_PAUSE << min(state.failures - 1, 6), _LONGEST_PAUSE)
    return Plan(state._replace(next_at=next_at), None)


def continues(rule: Rule, state: State) -> bool:
    """Tell whether an occurrence is to come, now or when the run before has ended."""
    return state.next_at is not None or (rule.back_to_back and state.handed != rule.n)


def drains(rule: Rule, state: State) -> bool:
    """Tell whether a drain lets a task go on with what is not due yet: a back-to-back one that has an end."""
    return rule.back_to_back and rule.n != -1 and state.held.paused is None


def extended(rule: Rule, state: State, latest: object, passed: PassedRecord) -> PassedRecord | None:
    """Return the latest record lengthened by occurrences that follow it for the same reason; None if they don't."""
    if not isinstance(latest, PassedRecord) or latest.reason != passed.reason:
        return None
    if rule.occurrences.next_after(latest.last, state.anchor) != passed.first:
        return None  # a run that is still going lies between them
    return PassedRecord(passed.reason, latest.first, passed.last, latest.number + passed.number)


def has_ended(rule: Rule, state: State) -> bool:
    """Tell whether nothing is left to run, nothing waits and nothing runs."""
    if state.next_at is not None or state.running or state.held.waiting:
        return False
    return not (state.held.lingering and continues(rule, state))


# ---- people and clocks ---------------------------------------------------------------------------------------------


def pause(state: State, reason: str) -> State:
    """Let nothing of the task start; what runs goes on."""
    return state._replace(held=state.held._replace(paused=reason))


def resume(rule: Rule, state: State, now: int) -> Plan:
    """Go on after a pause: its occurrences are one `skipped_paused` range, but a `Once` and back-to-back start now."""
    if state.held.paused is None:
        return Plan(state, None)
    if rule.on_wall:  # the clock may have been set back in the pause
        state = after_step_back(rule, state, now) or state
    skipped = skipped_by_pause(rule, state, now)
    released = rule.once and state.next_at is not None and state.next_at <= now
    state = state._replace(held=_held(state.held._replace(paused=None, released=released)))
    if skipped is None:
        return _go_on(state)
    following = rule.occurrences.next_after(skipped.last, state.anchor)
    going = _go_on(state._replace(cursor=skipped.last, next_at=following))
    return Plan(going.state, going.start, (skipped,))


def skipped_by_pause(rule: Rule, state: State, now: int) -> PassedRecord | None:
    """Return the record of the occurrences that a pause which still holds has skipped until now."""
    due, anchor = state.next_at, state.anchor
    if state.held.paused is None or due is None or rule.once or rule.back_to_back:
        return None
    if jittered(rule, rule.terms or DEFAULT_TERMS, due, anchor) > now:
        return None
    return _range(rule, "skipped_paused", due, _latest_due(rule, due, anchor, now), anchor)


def drop(rule: Rule, state: State, now: int) -> Plan:
    """Let no more occurrences start; those that a pause has skipped until now are recorded."""
    skipped = skipped_by_pause(rule, state, now)
    state = state._replace(next_at=None)
    return Plan(state, None) if skipped is None else Plan(state._replace(cursor=skipped.last), None, (skipped,))


def after_step_back(rule: Rule, state: State, now: int) -> State | None:
    """Return the state of a wall-clock task after the wall clock was set back to `now`; None when nothing changes.

    What ran does not run again, so nothing changes within a day. A clock that was more than 24 hours ahead was
    wrong: the task goes on with its next occurrence by the new time.
    """
    covered = state.anchor if state.cursor is None else state.cursor
    following = rule.occurrences.next_after(now, now)
    if covered - now <= _TRUSTED or state.next_at is None or following is None:
        return None
    return state._replace(anchor=now, cursor=None, next_at=following, latest=None)


def after_reload(rule: Rule, state: State, now: int) -> State:
    """Return the state after the rules of the time zones were read again; what is over does not run again."""
    if state.next_at is None or rule.once:
        return state
    covered = state.anchor if state.cursor is None else state.cursor
    if state.held.paused is None:  # an occurrence that is over may still wait for its jitter
        covered = max(covered, min(now, state.next_at - 1))
    following = rule.occurrences.next_after(covered, state.anchor)
    return state._replace(next_at=following)


def without_waiting(state: State) -> State:
    """Return the state when the waiting runs are given up."""
    return state if state.held is NOTHING_HELD else _waits(state, ())


def replaced(state: State, fresh: State) -> State:
    """Return the state of a task that gets another schedule: it starts afresh, and what runs or waits goes on."""
    held = state.held
    return fresh._replace(running=state.running, held=_held(held._replace(older=len(held.waiting), released=False)))
