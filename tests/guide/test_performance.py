"""Performance: the tables are what `bench/table.py` writes, and `bench/measure.py` takes their figures."""

import re
import runpy
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from .pages import ROOT, page, rows, table

SCRIPTS = ROOT / "bench"
BARS = SCRIPTS / "README.md"
VERDICT = re.compile(r"\*\*([\d.e+-]+)\*\*, (held|NOT HELD)")


@pytest.fixture(autouse=True)
def beside_the_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the scripts find each other, as they do when they are run."""
    monkeypatch.setattr(sys, "path", [str(SCRIPTS), *sys.path])


@pytest.fixture
def bench() -> Mapping[str, Any]:
    """What `bench/table.py` defines; nothing is measured."""
    return runpy.run_path(str(SCRIPTS / "table.py"))


@pytest.fixture
def shown(bench: Mapping[str, Any]) -> Mapping[str, Any]:
    """The rows of the pages: those of `bench/table.py` without the slow ones, by their titles."""
    return {row.title: row for name, row in bench["ROWS"].items() if name not in bench["SLOW"]}


@pytest.fixture
def bars() -> list[list[str]]:
    """The table of the bars."""
    return rows(BARS.read_text(), "work")


def test_each_row_of_the_page_is_a_row_of_the_bench(shown: Mapping[str, Any], bars: list[list[str]]) -> None:
    """The page and the bars have the rows of `bench/table.py`, in its order."""
    assert [row[0] for row in table("performance", "work")] == list(shown)
    assert [row[0] for row in bars] == list(shown)


def test_the_page_has_a_column_for_each_library(bench: Mapping[str, Any]) -> None:
    """Each library has a column, and a dash stands for what it can't do."""
    found = table("performance", "work")

    assert f"| work | {' | '.join(bench['COLUMNS'].values())} |" in page("performance")
    assert {len(row) for row in found} == {len(bench["COLUMNS"]) + 1}
    assert all(all(row) for row in found)


def test_each_row_is_measured(bench: Mapping[str, Any]) -> None:
    """`bench/measure.py` takes the figures of every row of the table, and of nothing else."""
    measured = runpy.run_path(str(SCRIPTS / "measure.py"))["ROWS"]

    assert set(measured) == set(bench["ROWS"])


def test_each_bar_is_said_with_its_verdict(shown: Mapping[str, Any], bars: list[list[str]]) -> None:
    """For each limit of a row, the bars say what was measured and whether that keeps to the limit."""
    for title, _figures, said, _rounds in bars:
        limits = [bar for bar in shown[title].bars if bar.limit is not None]
        verdicts = VERDICT.findall(said)

        assert [bar.text for bar in shown[title].bars if bar.text not in said] == []
        for bar, (measured, verdict) in zip(limits, verdicts, strict=True):
            kept = float(measured) >= bar.limit if bar.at_least else float(measured) <= bar.limit
            assert verdict == ("held" if kept else "NOT HELD")


def test_both_tables_are_of_one_measurement(bars: list[list[str]]) -> None:
    """The page shows our first figure of the bars, from the same machine and versions."""
    figures = {row[0]: row[1].split(", ")[0] for row in bars}
    (machine,) = re.findall(r"^\d+ cores .*", BARS.read_text(), re.MULTILINE)

    assert {row[0]: row[1] for row in table("performance", "work")} == figures
    assert machine in page("performance")
