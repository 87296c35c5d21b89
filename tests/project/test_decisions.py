"""Only planning decides: no module outside of it compares an outcome, a phase, a policy or a count of runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "panther_schedule"
SHELLS = sorted([*(PACKAGE / "runtime").rglob("*.py"), *PACKAGE.glob("*.py")])
DECIDED = {
    *("outcome", "phase", "reason", "attempts", "asks", "stopped", "paused", "waiting", "lingering", "backfilling"),
    *("handed", "running", "cursor", "next_at", "overlap", "missed", "retry", "timeout", "max_running", "grace"),
}
ALLOWED = {
    ("runtime/engine.py", "outcome"): "which records are logged",
    ("runtime/engine.py", "attempts"): "which records are logged",
    ("runtime/coroutines.py", "running"): "the asyncio tasks",
    ("runtime/workers.py", "timeout"): "whether the loop needs to know when a call began",
    ("runtime/memory.py", "next_at"): "whether a task has a place in time",
    ("runtime/loop.py", "timeout"): "how long a caller waits",
    ("runtime/virtual.py", "timeout"): "how long a caller waits",
    ("runtime/life.py", "timeout"): "how long a caller waits",
}


def compared(tree: ast.AST) -> Iterator[str]:
    """Yield the names of what is compared or matched in a module."""
    for node in ast.walk(tree):
        operands: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
        elif isinstance(node, ast.Match):
            operands = [node.subject]
        for operand in operands:
            yield from named(operand)


def named(node: ast.AST) -> Iterator[str]:
    """Yield the names within an operand, without what a function is called with."""
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Name):
        yield node.id
    for part in [node.func] if isinstance(node, ast.Call) else ast.iter_child_nodes(node):
        yield from named(part)


@pytest.mark.parametrize("path", SHELLS, ids=lambda path: path.stem)
def test_no_shell_decides(path: Path) -> None:
    name = str(path.relative_to(PACKAGE))
    found = {each for each in compared(ast.parse(path.read_text())) if each in DECIDED}

    assert found - {allowed for module, allowed in ALLOWED if module == name} == set()


def test_a_decision_would_be_found() -> None:
    decides = "if run.outcome == 'failed': again()\nmatch state.held.stopped:\n    case '': pass\nx = handed < rule.n"

    assert set(compared(ast.parse(decides))) >= {"outcome", "stopped", "handed"}


@pytest.mark.parametrize("path", sorted((PACKAGE / "planning").glob("*.py")), ids=lambda path: path.stem)
def test_planning_knows_no_clock_thread_store_or_function(path: Path) -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported |= {f"{node.module}.{alias.name}" for alias in node.names}

    forbidden = ("time", "threading", "queue", "asyncio", "logging", "runtime", "tasks", "random")
    assert not [name for name in imported if name.split(".")[0] in forbidden]
    assert not imported & {"clock.VirtualClock", "clock.SystemClock", "clock.machine_zone", "clock.Clock"}
