"""The ledger: what happened to each due occurrence, the latest records whole, the others as counts."""

from __future__ import annotations

from collections import deque
from typing import Final, TypeAlias

from ..planning.records import COUNTED, Passed, Record, Run, claims

TASK_HISTORY: Final = 20  # records kept of one task
WHOLE_HISTORY: Final = 10_000  # records kept in all

Counts: TypeAlias = dict[str, int]  # a number for each outcome and reason


class History(list[Record]):
    """The latest records of one task, oldest first."""

    __slots__ = ("gone",)
    gone: Counts  # the counts of older ones, if there are any


class Ledger:
    """The histories of all tasks, and the counts of all occurrences; manual and backfill runs claim none."""

    def __init__(self) -> None:
        self.counts = no_counts()
        self._order: deque[History] = deque()

    def record(self, history: History, record: Record) -> None:
        count(self.counts, record)
        history.append(record)
        if len(history) > TASK_HISTORY:
            _forget(history)
        else:
            self._order.append(history)
            if len(self._order) > WHOLE_HISTORY:
                _forget(self._order.popleft())

    def record_last(self, history: History, record: Run) -> None:
        """Keep the only record of a task that leaves: only its handles can ask for it, so it takes no place here."""
        self.counts[record.attempts[-1].outcome] += 1
        history.append(record)

    def lengthen(self, history: History, longer: Passed, by: Passed) -> None:
        count(self.counts, by)
        history[-1] = longer


def no_counts() -> Counts:
    return dict.fromkeys(COUNTED, 0)


def counts_of(history: History | None) -> Counts:
    counts = no_counts()
    if history is not None:
        counts.update(getattr(history, "gone", ()))
        for record in tuple(history):
            count(counts, record)
    return counts


def count(counts: Counts, record: Record) -> None:
    if isinstance(record, Passed):
        counts[record.reason] += record.count
    elif claims(record):
        counts[record.outcome] += 1


def _forget(history: History) -> None:
    record = history.pop(0)
    if not hasattr(history, "gone"):
        history.gone = no_counts()
    count(history.gone, record)
