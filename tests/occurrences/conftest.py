"""A count of the steps of a search."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from panther_schedule.models.days import Dates


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of all blocks of dates that were looked at; a test may clear it."""
    seen: list[int] = []

    def noted(self: Dates, number: int) -> int:
        seen.append(number)
        return looked_up(self, number)

    looked_up: Callable[[Dates, int], int] = dict[int, int].__getitem__
    monkeypatch.setattr(Dates, "__getitem__", noted)
    return seen
