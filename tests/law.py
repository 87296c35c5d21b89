"""The law of the ledger, watched in every test: each occurrence from the first to the cursor is in one record.

The watch knows the tasks that were added, and where a task began afresh: by another schedule, a clock that was
years ahead, new rules of its zone. What it asks of a task, it works out from the task's own occurrences.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import pytest

from panther_schedule import Scheduler
from panther_schedule.planning import control
from panther_schedule.planning.records import Passed, Run
from panther_schedule.planning.rule import Rule, jittered
from panther_schedule.planning.state import State, Step
from panther_schedule.runtime.entries import Entry
from panther_schedule.runtime.ledger import counts_of
from panther_schedule.runtime.life import Life
from panther_schedule.runtime.names import MemoryNames
from panther_schedule.runtime.process import schedulers

ONE_BY_ONE = 300  # occurrences that are walked; more are counted


class Span(NamedTuple):
    """The occurrences that one record covers, or a run in flight."""

    first: int
    last: int
    number: int


class Known:
    """One task that was added."""

    def __init__(self, life: Life, entry: Entry) -> None:
        self.life, self.entry = life, entry
        self.first = entry.state.next_at
        """The first occurrence of the part of its life that goes on."""
        self.before = 0
        """Occurrences of the parts that are over."""
        self.parts = 1
        self.closed: State | None = None
        """The latest state that a part ended with; a fault of the store may let it end twice."""

    def begins_again(self, state: State, fresh: State, now: int | None) -> None:
        """Close a part, with what a pause has skipped until now, and open the next one."""
        if state is self.closed:
            return
        if now is not None and state.held.paused is not None:
            self.before += skipped(self.entry.rule, state, now)
        self.before += occurrences_in(self.entry.rule, self.first, state)
        self.first, self.closed = fresh.next_at, state
        self.parts += 1


class Watch:
    """Knows all tasks of one test."""

    def __init__(self) -> None:
        self.known: list[Known] = []

    def lives(self) -> list[Life]:
        """List the lives of schedulers that got a task."""
        return list(dict.fromkeys(known.life for known in self.known))

    def begins_again(self, state: State, fresh: State, now: int | None) -> None:
        """Let the task in this state begin again."""
        for known in self.known:
            if known.entry.state is state:
                known.begins_again(state, fresh, now)

    def stops(self, rule: Rule, state: State, now: int) -> None:
        """Note what a stop in a pause drops where there is no grid, and so no count of occurrences."""
        for known in self.known:
            if known.entry.state is state and rule.wait_from_end is not None and state.held.paused is not None:
                known.before += skipped(rule, state, now)

    def check(self) -> None:
        """Raise AssertionError where the law does not hold."""
        for known in self.known:
            if not is_broken(known.life):
                check_task(known)
        for life in self.lives():
            if not is_broken(life):
                self.check_sums(life)

    def check_sums(self, life: Life) -> None:
        """Compare the counts of a scheduler with those of its tasks."""
        sums = dict.fromkeys(life.counts(), 0)
        for known in self.known:
            if known.life is life:
                for what, number in counts(known.entry).items():
                    sums[what] += number
        assert life.counts() == sums, "the scheduler's counts are not the sum of its tasks'"


@contextmanager
def watching() -> Generator[Watch]:
    """Watch all schedulers; the law is checked at the end, if nothing else was raised."""
    watch = Watch()
    with pytest.MonkeyPatch.context() as patch:
        take, replaced, stop = MemoryNames.take, control.replaced, control._stop
        clock_set_back, zones_reloaded = control.clock_set_back, control.zones_reloaded

        def watched_take(self: MemoryNames, entry: Entry) -> bool:
            if not take(self, entry):
                return False
            lives = (one._life for one in schedulers if isinstance(one, Scheduler))
            watch.known.append(Known(next(life for life in lives if life is not None and life.names is self), entry))
            return True

        def watched_replaced(rule: Rule, state: State, fresh: State | None, now: int, moved: int = 0) -> Step | None:
            step = replaced(rule, state, fresh, now, moved)
            if step is not None and fresh is not None:
                watch.begins_again(state, fresh, now)
            return step

        def watched_set_back(rule: Rule, state: State, now: int, before: int) -> Step | None:
            step = clock_set_back(rule, state, now, before)
            if step is not None:
                watch.begins_again(state, step.state, before)
            return step

        def watched_reload(rule: Rule, state: State, now: int) -> Step | None:
            step = zones_reloaded(rule, state, now)
            if step is not None:
                watch.begins_again(state, step.state, None)
            return step

        def watched_stop(rule: Rule, state: State, now: int, *how: Any) -> Step:
            watch.stops(rule, state, now)
            return stop(rule, state, now, *how)

        patch.setattr(MemoryNames, "take", watched_take)
        patch.setattr(control, "replaced", watched_replaced)
        patch.setattr(control, "_stop", watched_stop)
        patch.setattr(control, "clock_set_back", watched_set_back)
        patch.setattr(control, "zones_reloaded", watched_reload)
        yield watch
    watch.check()


def is_broken(life: Life) -> bool:
    """Tell whether a scheduler's thread died: its tasks stand where they stood then."""
    return life.loop.broken is not None


def check_task(known: Known) -> None:
    """Raise AssertionError where the law does not hold for a task."""
    entry, what = known.entry, f"{known.entry.name} ({known.entry.task.explain()})"
    expected = known.before + occurrences_in(entry.rule, known.first, entry.state)
    counted = sum(counts(entry).values())
    assert counted == expected, f"{what}: {expected} occurrences, but {counted} in its counts {counts(entry)}"
    spans = spans_of(entry)
    if known.parts > 1:  # the parts may lie in one another, where a clock was set back
        return
    for one, other in pairwise(spans):
        assert one.last < other.first, f"{what}: two records of one occurrence, {one} and {other}"
    if not hasattr(entry.history, "gone"):
        check_tiles(entry.rule, entry.state, known.first, spans, what)


def check_tiles(rule: Rule, state: State, first: int | None, spans: list[Span], what: str) -> None:
    """Raise AssertionError unless the spans cover the occurrences one after the other."""
    if not spans:
        return
    assert spans[-1].last == state.cursor, f"{what}: the cursor {state.cursor} is not at the end of {spans[-1]}"
    if rule.wait_from_end is not None:
        return
    at = first
    for span in spans:
        assert at is not None, f"{what}: no occurrence is left for {span}"
        assert span.first == at, f"{what}: {at} is in no record, before {span}"
        number = rule.occurrences.count(at - 1, span.last, state.anchor)
        assert number == span.number, f"{what}: {number} occurrences in {span}"
        if number < ONE_BY_ONE:
            for _ in range(number - 1):
                at = None if at is None else rule.occurrences.next_after(at, state.anchor)
            assert at == span.last, f"{what}: {span} does not end with an occurrence"
        at = rule.occurrences.next_after(span.last, state.anchor)


def occurrences_in(rule: Rule, first: int | None, state: State) -> int:
    """Count a part's occurrences up to the cursor."""
    if rule.wait_from_end is not None:
        return state.handed
    if first is None or state.cursor is None:
        return 0
    return rule.occurrences.count(first - 1, state.cursor, state.anchor)


def skipped(rule: Rule, state: State, now: int) -> int:
    """Count the occurrences that have become due in a pause, one by one."""
    if rule.wait_from_end is not None and (state.running or state.held.lingering or state.held.waiting):
        return 0  # the end of a run of the schedule before will say when the next one is due
    at, number = state.next_at, 0
    while at is not None and jittered(rule, at, state.anchor) <= now:
        at, number = (
            None if rule.wait_from_end is not None else rule.occurrences.next_after(at, state.anchor),
            number + 1,
        )
    return number


def counts(entry: Entry) -> dict[str, int]:
    """Count as the task's handle does, also after a fork and after its end."""
    state = entry.state
    return {**counts_of(entry.history), "in_flight": state.running + len(state.held.waiting)}


def spans_of(entry: Entry) -> list[Span]:
    """List what the task's records and its waiting runs cover, in order of time."""
    spans = [Span(at, at, 1) for at in entry.state.held.waiting]
    for record in entry.history or ():
        match record:
            case Passed():
                spans.append(Span(record.first, record.last, record.count))
            case Run(at=at, cause="schedule"):
                spans.append(Span(at, at, 1))
            case Run():
                pass
    return sorted(spans)
