"""The memory store: the tasks of one scheduler, in order of time, and the ledger of what became of them.

One thread owns it, the scheduler's; other threads read single fields, which are replaced and never changed.
"""

from __future__ import annotations

import threading
from collections import deque
from heapq import heapify, heappop, heappush
from typing import Any, Final

from .arguments import function_name
from .clock import Reading
from .planning import Plan, Rule, after_step_back, continues, extended, has_ended, plan, settle
from .runs import OUTCOMES, REASONS, Outcome, Reason, Record, RunRecord, State
from .task import BackgroundTask

TASK_HISTORY: Final = 20
"""Records kept of one task."""
WHOLE_HISTORY: Final = 10_000
"""Records kept in all."""
_LOW: Final = 1 << 24
_SHUFFLE: Final = 0x9E3779B1  # odd, so multiplying by it permutes the numbers below 2**24
_ELAPSED: Final = 1 << 48  # added to the order of elapsed tasks: wall-clock kinds come first among equal times


class Entry:
    """One task that was added."""

    __slots__ = ("cancelled", "dropped", "ended", "owner", "rank", "recent", "rule", "state", "task")

    def __init__(self, task: BackgroundTask[..., Any], rule: Rule, state: State, order: int, owner: Any) -> None:
        self.task, self.rule, self.state, self.owner = task, rule, state, owner
        self.rank = order if rule.on_wall else order + _ELAPSED
        self.recent: list[Record] | None = None
        self.dropped = False
        """No further occurrence is handed over."""
        self.cancelled = False
        """Nothing of it starts any more, not even what was handed over."""
        self.ended: threading.Event | bool = False
        """True once it has ended; an event while somebody waits for that."""

    @property
    def name(self) -> str:
        """The task's own name, or a unique one made of the function's and the order of adding."""
        return self.task.name or unnamed(self.task, self.order)

    @property
    def key(self) -> int | str:
        """What a scheduler finds it by: its own name or, if it has none, its rank."""
        return self.task._name or self.rank

    @property
    def order(self) -> int:
        """Its number in the order of adding."""
        return self.rank % _ELAPSED


def unnamed(task: BackgroundTask[..., Any], order: int) -> str:
    """Return the name of a task that has none: unique in its scheduler, and computed only when somebody asks."""
    high, low = divmod(order, _LOW)
    return f"{function_name(task.func)}-{high * _LOW + low * _SHUFFLE % _LOW:06x}"


def keys_of(name: str) -> tuple[int | str, ...]:
    """Return the keys that a task of this name may have: an unnamed one's name tells its order of adding."""
    try:
        high, low = divmod(int(name.rpartition("-")[2], 16), _LOW)
    except ValueError:
        return (name,)
    order = high * _LOW + low * pow(_SHUFFLE, -1, _LOW) % _LOW
    return name, order, order + _ELAPSED


class MemoryStore:
    """Tasks on two heaps, one for each clock, and counts of what became of every due occurrence."""

    def __init__(self) -> None:
        self.counts: dict[Outcome | Reason, int] = dict.fromkeys((*OUTCOMES, *REASONS), 0)
        self.in_flight: dict[Entry, int] = {}
        """The `scheduled_at` of each run that was handed over and has not ended."""
        self._due: list[Entry] = []  # tasks that were due when they were added, which the heap is spared
        self._stale = 0  # entries of dropped tasks, which stay in a heap until their time or the next compaction
        self._heaps: tuple[list[tuple[int, int, Entry]], list[tuple[int, int, Entry]]] = ([], [])
        self._history: deque[list[Record]] = deque()

    def add(self, entry: Entry, reading: Reading) -> None:
        """Take a task in."""
        next_at = entry.state.next_at
        if next_at is not None and next_at <= entry.rule.now(reading):
            self._due.append(entry)
        else:
            self._push(entry)

    def due(self, reading: Reading, limit: int) -> list[Entry]:
        """Take out the tasks that are due; of those that wait the earliest first, and at most `limit`.

        Of equal times wall-clock kinds come first, then the order of adding.
        """
        found = [entry for entry in self._due if not entry.dropped]
        self._due.clear()
        limit += len(found)
        steady, wall = self._heaps
        while len(found) < limit:
            heap = steady
            if wall and wall[0][0] <= reading.wall:
                if not steady or wall[0] < steady[0] or steady[0][0] > reading.steady:
                    heap = wall
            elif not steady or steady[0][0] > reading.steady:
                break
            at, _rank, entry = heappop(heap)
            if entry.state.next_at == at and not entry.dropped:  # else it was overtaken
                found.append(entry)
        return found

    def plan(self, entry: Entry, reading: Reading) -> Plan:
        """Plan a due task, record what passed and wait for its next occurrence."""
        done = plan(entry.rule, entry.state, entry.rule.now(reading))
        entry.state = done.state
        for passed in done.passed:
            self.counts[passed.reason] += passed.number
            longer = extended(entry.rule, done.state, entry.recent[-1], passed) if entry.recent else None
            if longer is None or entry.recent is None:
                self._record(entry, passed)
            else:
                entry.recent[-1] = longer
        if done.start is not None:
            self.in_flight[entry] = done.start
        self._push(entry)
        return done

    def drop(self, entry: Entry) -> bool:
        """Let no more occurrences of a task start; tell whether there were any to come."""
        state = entry.state
        entry.dropped = True
        entry.state = state._replace(next_at=None)
        self._stale += state.next_at is not None
        self._compact()
        return continues(entry.rule, state)

    def finish(self, entry: Entry, record: RunRecord) -> bool:
        """Record a run that ended; tell whether its task has ended too."""
        before = entry.state
        state = settle(entry.rule, before, record.outcome, record.finished_at)
        if entry.dropped:
            state = state._replace(next_at=None)
        entry.state = state
        del self.in_flight[entry]
        self.counts[record.outcome] += 1
        if has_ended(state):
            if entry.recent is None and entry.task._name is None:
                entry.recent = [record]  # it leaves now: only its handles keep it, so it needs no place in the whole
            else:
                self._record(entry, record)
            return True
        self._record(entry, record)
        if state.next_at is not None and state.next_at != before.next_at:  # a back-to-back task goes on
            self._push(entry)
        return False

    def set_back(self, reading: Reading) -> None:
        """Look at every wall-clock task again, after the wall clock was set back."""
        wall = self._heaps[True]
        entries = [entry for at, _rank, entry in wall if entry.state.next_at == at and not entry.dropped]
        wall.clear()
        for entry in entries:
            entry.state = after_step_back(entry.rule, entry.state, reading.wall)
            self._push(entry)

    def _compact(self) -> None:
        if self._stale < 100 or self._stale * 2 < len(self._heaps[False]) + len(self._heaps[True]):
            return
        for heap in self._heaps:
            heap[:] = [one for one in heap if one[2].state.next_at == one[0] and not one[2].dropped]
            heapify(heap)
        self._stale = 0

    def wait(self, reading: Reading) -> int | None:
        """Return the microseconds until the next occurrence, never below zero; None when there is none."""
        if self._due:
            return 0
        steady, wall = self._heaps
        waits: list[int] = []
        if steady:
            waits.append(steady[0][0] - reading.steady)
        if wall:
            waits.append(wall[0][0] - reading.wall)
        return max(0, min(waits)) if waits else None

    def _push(self, entry: Entry) -> None:
        next_at = entry.state.next_at
        if next_at is not None:
            heappush(self._heaps[entry.rule.on_wall], (next_at, entry.rank, entry))

    def _record(self, entry: Entry, record: Record) -> None:
        recent = entry.recent
        if recent is None:
            recent = entry.recent = list[Record]()
        recent.append(record)
        if len(recent) > TASK_HISTORY:
            del recent[0]
        else:
            self._history.append(recent)
            if len(self._history) > WHOLE_HISTORY:
                del self._history.popleft()[0]
