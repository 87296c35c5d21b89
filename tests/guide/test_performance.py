"""Performance: the table of the page is what `bench/table.py` prints, and `bench/measure.py` takes its figures."""

import runpy
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from .pages import ROOT, page, table

SCRIPTS = ROOT / "bench"


@pytest.fixture(autouse=True)
def beside_the_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the scripts find each other, as they do when they are run."""
    monkeypatch.setattr(sys, "path", [str(SCRIPTS), *sys.path])


@pytest.fixture
def bench() -> Mapping[str, Any]:
    """What `bench/table.py` defines; nothing is measured."""
    return runpy.run_path(str(SCRIPTS / "table.py"))


def test_each_row_of_the_page_is_a_row_of_the_bench(bench: Mapping[str, Any]) -> None:
    """The page has the rows of `bench/table.py`, in its order, without the slow ones."""
    titles = [row.title for name, row in bench["ROWS"].items() if name not in bench["SLOW"]]

    assert [row[0] for row in table("performance", "work")] == titles


def test_the_page_has_a_column_for_each_library(bench: Mapping[str, Any]) -> None:
    """Each library has a column, and a dash stands for what it can't do."""
    rows = table("performance", "work")

    assert f"| work | {' | '.join(bench['COLUMNS'].values())} | bar: measured | rounds |" in page("performance")
    assert {len(row) for row in rows} == {len(bench["COLUMNS"]) + 3}
    assert all(all(row) for row in rows)


def test_each_row_is_measured(bench: Mapping[str, Any]) -> None:
    """`bench/measure.py` takes the figures of every row of the table, and of nothing else."""
    measured = runpy.run_path(str(SCRIPTS / "measure.py"))["ROWS"]

    assert set(measured) == set(bench["ROWS"])


def test_each_bar_is_said_with_its_verdict(bench: Mapping[str, Any]) -> None:
    """For each limit of a row, the page says whether it is held."""
    said = {row[0]: row[-2] for row in table("performance", "work")}

    for name, row in bench["ROWS"].items():
        if name not in bench["SLOW"]:
            limits = [bar for bar in row.bars if bar.limit is not None]
            assert said[row.title].count(", held") + said[row.title].count("NOT HELD") == len(limits)
            assert [bar.text for bar in row.bars if bar.text not in said[row.title]] == []
