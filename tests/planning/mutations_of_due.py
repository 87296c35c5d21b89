"""Mutations of what is due."""

# The wrong variants are lambdas, of whatever the real functions take.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import replace
from typing import Any

import checks
from mutations import Mutation, of, then, with_held, with_state, with_terms

from panther_schedule.planning import due
from panther_schedule.planning.records import Passed
from panther_schedule.planning.state import State, Step


def under_overlap(overlap: str, **changes: Any) -> Any:
    """Change the policy of tasks with this overlap."""

    def change(rule: Any, *rest: Any) -> tuple[Any, ...]:
        wrong = rule.terms is not None and rule.terms.overlap == overlap
        return (with_terms(rule, **changes) if wrong else rule, *rest)

    return of(change)


def wants(choose: Any) -> Any:
    """Change which of the due occurrences are wanted."""
    return then(lambda wanted, _rule, terms, state, _first, latest, now: choose(wanted, terms, state, latest, now))


def hiding(**changes: Any) -> Any:
    """Let `start_waiting` not see some of what is held."""

    def wrong(real: Any) -> Any:
        def start_waiting(step: Any) -> Any:
            hidden = {name: getattr(step.state.held, name) for name in changes}
            done = real(step._replace(state=with_held(step.state, **changes)))
            return done._replace(state=with_held(done.state, **hidden))

        return start_waiting

    return wrong


def starts_beside(real: Any) -> Any:
    """Let `start_waiting` not see what is active."""

    def start_waiting(step: Any) -> Any:
        running = step.state.running
        done = real(with_state(step, running=0))
        return with_state(done, running=done.state.running + running)

    return start_waiting


def overlaps_what_lingers(real: Any) -> Any:
    """Let what lingers not count beside what is active."""

    def wrong(rule: Any, terms: Any, state: State, at: int) -> Any:
        step = real(rule, terms, with_held(state, lingering=0), at)
        return step._replace(state=with_held(step.state, lingering=state.held.lingering))

    return wrong


def one_late_is_skipped(real: Any) -> Any:
    """Find no place for one late occurrence beside a run, as if it were not late."""

    def wrong(terms: Any, state: State, late: Any) -> Any:
        if len(late) > 1 or not state.running:
            return real(terms, state, late)
        return Step(state, passed=(Passed("skipped_overlap", late[0], late[0], 1),))

    return wrong


def counts_the_skipped(step: Any, *_: Any) -> Any:
    """Count skipped occurrences as runs."""
    skipped = sum(passed.count for passed in step.passed if passed.reason == "skipped_overlap")
    return with_state(step, handed=step.state.handed + skipped)


def keeps_the_older(step: Any, _rule: Any, _terms: Any, state: State, at: int) -> Any:
    """Let the waiting run stay, beside the newest."""
    if step.asks != "scheduled":
        return step
    return step._replace(state=with_held(step.state, waiting=(*state.held.waiting, at)), passed=())


def loses_the_second(step: Any, _rule: Any, _terms: Any, state: State, _at: int) -> Any:
    """Let no second run wait."""
    waiting = state.held.waiting
    return step._replace(state=with_held(step.state, waiting=waiting)) if waiting and not step.asks else step


OF_DUE = [
    Mutation("n counts skipped occurrences", due, "due", then(counts_the_skipped)),
    Mutation(
        "a Once is skipped by a run of the schedule before",
        due,
        "_overlapping",
        of(lambda rule, *rest: (replace(rule, once=False), *rest)),
    ),
    Mutation(
        "coalesce runs the earliest",
        due,
        "_wanted",
        wants(lambda wanted, terms, state, *_: (state.next_at,) if terms.missed == "coalesce" else wanted),
    ),
    Mutation("one too few missed", due, "span", then(lambda passed, *_: replace(passed, count=passed.count - 1))),
    Mutation("queue_one lets two wait", due, "due", under_overlap("queue_one", most=2)),
    Mutation("queue_all loses the newcomer", due, "_overlapping", then(loses_the_second)),
    Mutation("allow ignores max_running", due, "due", under_overlap("allow", most=1000)),
    Mutation("cancel_running lets the older one wait, too", due, "_overlapping", then(keeps_the_older)),
    Mutation("cancel_running asks nobody to end", due, "due", then(lambda step, *_: step._replace(asks=""))),
    Mutation("cancel_running asks all", due, "due", then(lambda step, *_: step._replace(asks=step.asks and "all")), 80),
    Mutation("catch_up runs the newest first", due, "_wanted", wants(lambda wanted, *_: tuple(reversed(wanted)))),
    Mutation(
        "catch_up has no window",
        due,
        "_wanted",
        of(lambda rule, terms, *rest: (rule, replace(terms, tolerance=1 << 62), *rest)),
    ),
    Mutation(
        "catch_up has no limit",
        due,
        "_wanted",
        of(lambda rule, terms, *rest: (rule, replace(terms, most_late=1000), *rest)),
    ),
    Mutation(
        "late ones push out what waits",
        due,
        "_join_late",
        of(
            lambda terms, state, late: (
                replace(terms, most_late=terms.most_late + len(state.held.waiting)),
                state,
                late,
            )
        ),
    ),
    Mutation(
        "newcomers overtake the late ones",
        due,
        "due",
        of(lambda rule, state, now: (rule, with_held(state, catching_up=False), now)),
    ),
    Mutation("one place left is no place for late ones", due, "_join_late", one_late_is_skipped),
    Mutation("what waits does not wait for what is active", due, "start_waiting", starts_beside),
    Mutation("a pause holds no waiting run", due, "start_waiting", hiding(paused=None)),
    Mutation("what waits does not wait for what lingers", due, "start_waiting", hiding(lingering=0)),
    Mutation("what lingers blocks no overlap", due, "_overlapping", overlaps_what_lingers),
    Mutation(
        "a waiting run holds no place",
        due,
        "places",
        then(lambda places, _rule, state: None if places is None else places + len(state.held.waiting)),
    ),
    Mutation(
        "older runs take places of the new n",
        due,
        "places",
        then(lambda places, _rule, state: None if places is None else places - state.held.older),
        100,
    ),
    Mutation(
        "grace the wrong way round",
        due,
        "_wanted",
        wants(
            lambda wanted, terms, state, latest, _now: (
                wanted if terms.missed != "skip" or state.held.released else () if wanted else (latest,)
            )
        ),
    ),
    Mutation(
        "grace excludes its end",
        due,
        "_wanted",
        of(lambda rule, terms, *rest: (rule, replace(terms, tolerance=terms.tolerance - 1), *rest)),
        180,
    ),
    Mutation(
        "a Once is missed by its pause",
        due,
        "_wanted",
        of(lambda rule, terms, state, *rest: (rule, terms, with_held(state, released=False), *rest)),
    ),
    Mutation(
        "a task ends before what waits has run",
        due,
        "has_ended",
        of(lambda rule, state: (rule, with_held(state, waiting=()))),
    ),
    Mutation(
        "a task ends before its last run has",
        due,
        "has_ended",
        of(lambda rule, state: (rule, state._replace(running=0))),
    ),
    Mutation(
        "a calendar begins with an occurrence that is now",
        due,
        "begin",
        then(
            lambda state, _schedule, rule, now, *_: (
                state._replace(next_at=rule.occurrences.next_after(now - 1, 0))
                if rule.on_wall and not rule.once
                else state
            )
        ),
    ),
    Mutation(
        "a repeat begins after its wait",
        due,
        "begin",
        then(
            lambda state, schedule, rule, *_: (
                state
                if schedule.kind != "repeat" or rule.wait_from_end is not None
                else state._replace(next_at=rule.occurrences.next_after(state.next_at, state.anchor))
            )
        ),
    ),
    Mutation(
        "a run does not know the one before",
        due,
        "due",
        then(lambda step, *_: step._replace(starts=tuple(run._replace(previous=None) for run in step.starts))),
        checks.the_run_before,
    ),
    Mutation(
        "back to back does not wait for the schedule before",
        due,
        "due",
        of(lambda rule, state, now: (rule, with_held(state._replace(running=0), waiting=()), now)),
        checks.back_to_back_replaced,
    ),
]
