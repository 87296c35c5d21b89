"""The ledger: what became of each due occurrence, the latest records whole, the others as counts."""

from __future__ import annotations

from collections import deque
from typing import Final, TypeAlias

from ..planning.records import OUTCOMES, REASONS, PassedRecord, Record, RunRecord

TASK_HISTORY: Final = 20
"""Records kept of one task."""
WHOLE_HISTORY: Final = 10_000
"""Records kept in all."""

Counts: TypeAlias = dict[str, int]
"""A number for each outcome and reason."""


class Account(list[Record]):
    """The latest records of one task, oldest first, and the counts of those that had to go."""

    gone: Counts | None = None


class Ledger:
    """The accounts of all tasks, and the counts of all occurrences; manual and backfill runs claim none."""

    def __init__(self) -> None:
        self.counts = no_counts()
        self._order: deque[Account] = deque()

    def record(self, account: Account, record: Record) -> None:
        """Keep a record, and let go of the oldest one where there are too many."""
        count(self.counts, record)
        account.append(record)
        if len(account) > TASK_HISTORY:
            _let_go(account)
        else:
            self._order.append(account)
            if len(self._order) > WHOLE_HISTORY:
                _let_go(self._order.popleft())

    def record_last(self, account: Account, record: RunRecord) -> None:
        """Keep the only record of a task that leaves: it is its handles' alone, and takes no place in the whole."""
        self.counts[record.outcome] += 1
        account.append(record)

    def lengthen(self, account: Account, longer: PassedRecord, by: PassedRecord) -> None:
        """Put a longer range in the place of a task's latest record."""
        count(self.counts, by)
        account[-1] = longer


def no_counts() -> Counts:
    """Return a zero for each outcome and reason."""
    return dict.fromkeys((*OUTCOMES, *REASONS), 0)


def counts_of(account: Account | None) -> Counts:
    """Return what became of one task's occurrences."""
    counts = no_counts()
    if account is not None:
        counts.update(account.gone or {})
        for record in tuple(account):
            count(counts, record)
    return counts


def count(counts: Counts, record: Record) -> None:
    """Add the occurrences that a record covers."""
    if isinstance(record, PassedRecord):
        counts[record.reason] += record.number
    elif record.cause == "schedule":
        counts[record.outcome] += 1


def _let_go(account: Account) -> None:
    record = account.pop(0)
    if account.gone is None:
        account.gone = no_counts()
    count(account.gone, record)
