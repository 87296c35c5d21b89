"""What comes next, in order of time."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Generic, Protocol, TypeVar


class _Timed(Protocol):
    due: int | None


_Item = TypeVar("_Item", bound=_Timed)


class Timetable(Generic[_Item]):
    """Items on a heap. A place counts only while it has the time of its item's `due`, so none is removed from within."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, _Item]] = []
        self._stale = 0  # places that do not count

    def put(self, item: _Item, at: int, order: int) -> None:
        """Keep an item under a time, and only there; the order is that of items due at the same time."""
        if item.due is not None:
            self.remove(item)
        item.due = at
        heappush(self._heap, (at, order, item))

    def remove(self, item: _Item) -> None:
        """Take an item's place away."""
        item.due = None
        self._stale += 1
        if self._stale * 2 > len(self._heap):
            self._heap = [place for place in self._heap if place[2].due == place[0]]
            heapify(self._heap)
            self._stale = 0

    def take(self, now: int, limit: int) -> list[_Item]:
        """Take out the items that are due, the earliest first, and at most `limit`."""
        heap, found = self._heap, list[_Item]()
        while heap and heap[0][0] <= now and len(found) < limit:
            at, _order, item = heappop(heap)
            if item.due == at:
                item.due = None
                found.append(item)
            else:
                self._stale -= 1
        return found

    def first(self) -> int | None:
        """Return the time of the first place; None when there is none."""
        return self._heap[0][0] if self._heap else None

    def __len__(self) -> int:
        return len(self._heap)
