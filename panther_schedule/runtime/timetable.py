"""What comes next, in order of time."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Any, Generic, Protocol, TypeVar


class _Placed(Protocol):
    place: tuple[int, int, Any] | None


_Item = TypeVar("_Item", bound=_Placed)


class Timetable(Generic[_Item]):
    """Items on a heap. A place counts only while it is its item's `place`, so none is removed from within."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, _Item]] = []
        self._stale = 0  # places that do not count

    def __len__(self) -> int:
        return len(self._heap)

    def move(self, item: _Item, at: int | None, order: int) -> None:
        """Keep an item under this time alone, or under none; `order` is that of items with the same time."""
        if item.place is not None:
            if item.place[0] == at:
                return
            self.remove(item)
        if at is not None:
            item.place = place = at, order, item
            heappush(self._heap, place)

    def remove(self, item: _Item) -> None:
        item.place = None
        self._stale += 1
        if self._stale * 2 > len(self._heap):
            self._heap = [place for place in self._heap if place[2].place is place]
            heapify(self._heap)
            self._stale = 0

    def take(self, now: int, limit: int | None = None) -> list[_Item]:
        """Take out the items that are due, the earliest first, and at most `limit`."""
        heap, found = self._heap, list[_Item]()
        while heap and heap[0][0] <= now and len(found) != limit:
            place = heappop(heap)
            item = place[2]
            if item.place is place:
                item.place = None
                found.append(item)
            else:
                self._stale -= 1
        return found

    def first(self, now: int) -> int | None:
        """Return the time until the first place, never below zero; None when there is none."""
        return max(0, self._heap[0][0] - now) if self._heap else None
