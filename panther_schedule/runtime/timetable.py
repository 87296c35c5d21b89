"""What is to come in one scheduler, in order of time: its tasks on a heap for each clock, and the timers of runs."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import count

from ..clock import Reading
from ..planning.rule import due_at
from .entries import Entry, Flight

_Heap = list[tuple[int, int, Entry]]
_Timer = tuple[int, int, Flight, int, str]


class Timetable:
    """Knows which tasks are due. A place in a heap counts only while the task's `due` is the same time."""

    def __init__(self) -> None:
        self._due: list[Entry] = []  # tasks that were due when they were added, which the heap is spared
        self._heaps: tuple[_Heap, _Heap] = ([], [])
        self._timers: list[_Timer] = []  # steady time, order, run, its attempt and phase
        self._timer_orders = count(1)
        self._most_timers = 100  # with more, those of runs that are over are let go
        self._stale = 0  # places that were overtaken, which stay in a heap until their time or the next compaction

    def add(self, entry: Entry, reading: Reading) -> None:
        """Take a task in."""
        due = due_at(entry.rule, entry.state)
        if due is not None and due <= entry.rule.now(reading):
            entry.due = due
            self._due.append(entry)
        else:
            self.place(entry)

    def due(self, reading: Reading, limit: int) -> list[Entry]:
        """Take out the tasks that are due; of those that wait the earliest first, and at most `limit`.

        Of equal times wall-clock kinds come first, then the order of adding.
        """
        found = [entry for entry in self._due if entry.due is not None]
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
            if entry.due == at:  # else it was overtaken
                entry.due = None
                found.append(entry)
            else:
                self._stale -= 1
        return found

    def set_timer(self, flight: Flight, at: int) -> None:
        """Look at a run again at this steady time, if it is still at the same attempt and in the same phase."""
        if len(self._timers) >= self._most_timers:  # a run with a long timeout is over long before it, as a rule
            self._timers = [timer for timer in self._timers if _counts(timer)]
            heapify(self._timers)
            self._most_timers = max(100, 2 * len(self._timers))
        heappush(self._timers, (at, next(self._timer_orders), flight, flight.attempt, flight.phase))

    def timers(self, reading: Reading) -> list[Flight]:
        """Take out the runs whose next attempt is due, or whose attempt takes too long."""
        found: list[Flight] = []
        while self._timers and self._timers[0][0] <= reading.steady:
            timer = heappop(self._timers)
            if _counts(timer):
                found.append(timer[2])
        return found

    def wait(self, reading: Reading) -> int | None:
        """Return the microseconds until something is due, never below zero; None when nothing is to come."""
        if self._due:
            return 0
        steady, wall = self._heaps
        waits: list[int] = []
        if steady:
            waits.append(steady[0][0] - reading.steady)
        if wall:
            waits.append(wall[0][0] - reading.wall)
        if self._timers:
            waits.append(self._timers[0][0] - reading.steady)
        return max(0, min(waits)) if waits else None

    def place(self, entry: Entry) -> None:
        """Give a task its place after its state has changed."""
        due = due_at(entry.rule, entry.state)
        if due is None or due == entry.due:
            return
        if entry.due is not None:
            self._stale += 1
        entry.due = due
        heappush(self._heaps[entry.rule.on_wall], (due, entry.rank, entry))

    def overtake(self, entry: Entry) -> None:
        """Let a task's place be nobody's."""
        if entry.due is None:
            return
        entry.due = None
        self._stale += 1
        if self._stale * 2 >= len(self._heaps[False]) + len(self._heaps[True]):
            for heap in self._heaps:
                heap[:] = [place for place in heap if place[2].due == place[0]]
                heapify(heap)
            self._stale = 0


def _counts(timer: _Timer) -> bool:
    """Tell whether a run is still at the attempt, and in the phase, for which a timer was set."""
    _at, _order, flight, attempt, phase = timer
    return flight.attempt == attempt and flight.record is None and flight.phase == phase
