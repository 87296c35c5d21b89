"""Mutations of `panther_schedule.planning`: each changes one place of its source so that it decides wrongly."""

from __future__ import annotations

from typing import NamedTuple


class Mutation(NamedTuple):
    """One change of the source."""

    name: str
    old: str
    new: str
    seed: int = 0
    """The first walk; later for what is rare."""


MUTATIONS = [
    Mutation(
        "n counts skipped occurrences",
        "skipped = Plan(state, None, (PassedRecord",
        "skipped = Plan(state._replace(handed=state.handed + 1), None, (PassedRecord",
    ),
    Mutation(
        "a Once is skipped by a run of the schedule before",
        "        skipped = waits\n",
        "        pass\n",
        seed=19,
    ),
    Mutation(
        "coalesce runs the earliest",
        '        case "coalesce":\n            return (latest,)',
        '        case "coalesce":\n            return (_next(state),)',
    ),
    Mutation(
        "one too few missed",
        "rule.occurrences.count(first - 1, last, anchor)",
        "rule.occurrences.count(first, last, anchor)",
    ),
    Mutation(
        "queue_one lets two wait",
        "if len(waiting) >= terms.most:",
        "if len(waiting) > terms.most:",
    ),
    Mutation(
        "queue_all loses the newcomer",
        "_waits(state, (*waiting, at))",
        "_waits(state, waiting or (at,))",
    ),
    Mutation(
        "allow ignores max_running",
        "if running >= terms.most or waiting:",
        "if waiting:",
    ),
    Mutation(
        "cancel_running lets the older one wait, too",
        "return Plan(_waits(state, (at,)), None, superseded, cancel=True)",
        "return Plan(_waits(state, (*waiting, at)), None, (), cancel=True)",
    ),
    Mutation(
        "cancel_running asks nobody to end",
        "superseded, cancel=True)",
        "superseded)",
    ),
    Mutation(
        "catch_up runs the newest first",
        "return tuple(reversed(wanted))",
        "return tuple(wanted)",
    ),
    Mutation(
        "catch_up has no window",
        "at is not None and at >= _next(state) and at >= now - terms.tolerance and len",
        "at is not None and at >= _next(state) and len",
    ),
    Mutation(
        "catch_up has no limit",
        " and len(wanted) < terms.most_late",
        "",
    ),
    Mutation(
        "late ones push out what waits",
        "room = max(0, terms.most_late - len(held.waiting))",
        "room = terms.most_late",
    ),
    Mutation(
        "newcomers overtake the late ones",
        "late = len(wanted) > 1 or state.held.catching_up",
        "late = len(wanted) > 1",
    ),
    Mutation(
        "one place left is no place for late ones",
        "decided = _join_late(terms, state, wanted) if late else",
        "decided = _join_late(terms, state, wanted) if len(wanted) > 1 else",
    ),
    Mutation(
        "a pause loses its last occurrence",
        '_range(rule, "skipped_paused", due, _latest_due(rule, due, anchor, now), anchor)',
        '_range(rule, "skipped_paused", due, max(due, _latest_due(rule, due, anchor, now) - 1), anchor)',
    ),
    Mutation(
        "a pause holds no waiting run",
        "held.lingering or held.paused is not None:\n        return Plan(state, None)\n    going",
        "held.lingering:\n        return Plan(state, None)\n    going",
    ),
    Mutation(
        "a waiting run holds no place",
        "rule.n - state.handed - len(held.waiting) + held.older",
        "rule.n - state.handed",
    ),
    Mutation(
        "older runs take places of the new n",
        "len(held.waiting) + held.older",
        "len(held.waiting)",
        seed=19,
    ),
    Mutation(
        "one attempt too many",
        "attempt >= retry.attempts",
        "attempt > retry.attempts",
    ),
    Mutation(
        "delays are not doubled",
        "retry.factor ** (attempt - 1)",
        "retry.factor ** 0",
        seed=29,
    ),
    Mutation(
        "delays double too early",
        "retry.factor ** (attempt - 1)",
        "retry.factor ** attempt",
    ),
    Mutation(
        "what lingers blocks no overlap",
        "running = state.running + state.held.lingering",
        "running = state.running",
    ),
    Mutation(
        "what waits does not wait for what lingers",
        "or state.running or held.lingering or held.paused",
        "or state.running or held.paused",
    ),
    Mutation(
        "grace the wrong way round",
        "state.anchor) >= now - terms.tolerance else ()",
        "state.anchor) < now - terms.tolerance else ()",
    ),
    Mutation(
        "grace excludes its end",
        "state.anchor) >= now - terms.tolerance else ()",
        "state.anchor) > now - terms.tolerance else ()",
        seed=60,
    ),
    Mutation(
        "a clock that was days ahead is trusted",
        "covered - now <= _TRUSTED or",
        "covered - now <= 100 * _TRUSTED or",
    ),
    Mutation(
        "what ran runs again after a step back",
        "covered - now <= _TRUSTED or",
        "covered <= now or",
    ),
    Mutation(
        "a Once is missed by its pause",
        "    if state.held.released:\n        return (latest,)\n",
        "",
    ),
    Mutation(
        "a task ends before what waits has run",
        "state.running or state.held.waiting:\n        return False",
        "state.running:\n        return False",
    ),
    Mutation(
        "records of different reasons are one",
        " or latest.reason != passed.reason",
        "",
    ),
    Mutation(
        "records are one across a gap",
        "if rule.occurrences.next_after(latest.last, state.anchor) != passed.first:",
        "if False:",
    ),
]
