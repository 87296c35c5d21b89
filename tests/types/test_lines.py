"""Each wrong line is an error in each type checker, and no right line is one."""

from __future__ import annotations

from pathlib import Path

import checkers
import pytest


@pytest.mark.parametrize("checker", checkers.TESTED)
def test_the_wrong_lines_are_errors_and_no_others(checker: str, tmp_path: Path) -> None:
    """In its default settings and in its strict ones."""
    found = checkers.TESTED[checker](tmp_path)

    wanted = checkers.wanted(checker)
    assert {place: said for place, said in found.items() if place not in wanted} == {}
    assert wanted - found.keys() == set()


def test_there_are_enough_of_both() -> None:
    right = [line for path in checkers.FILES for line in path.read_text().splitlines() if line.endswith(")")]

    assert len(checkers.wanted()) > 140
    assert len(right) > 70
