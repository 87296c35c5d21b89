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
    ("runtime/engine.py", "asks"): "whether the step asks other runs to end",
    ("runtime/coroutines.py", "running"): "the asyncio tasks",
    ("runtime/handles.py", "running"): "whether cancel() asks active runs to end",
    ("runtime/workers.py", "timeout"): "whether the loop needs to know when a call began",
    ("runtime/memory.py", "next_at"): "whether a task has a place in time",
    ("runtime/loop.py", "timeout"): "how long a caller waits",
    ("runtime/virtual.py", "timeout"): "how long a caller waits",
    ("runtime/life.py", "timeout"): "how long a caller waits",
    ("runtime/life.py", "phase"): "whether a caller's run goes on, so that it would wait for itself",
}


def compared(tree: ast.AST) -> Iterator[str]:
    """Yield the names of what a module compares, matches or asks for its truth."""
    for node in ast.walk(tree):
        operands: list[ast.expr] = []
        match node:
            case ast.Compare():
                operands = [node.left, *node.comparators]
            case ast.Match():
                operands = [node.subject]
            case ast.If() | ast.While() | ast.IfExp() | ast.Assert():
                operands = [node.test]
            case ast.BoolOp():
                operands = node.values
            case ast.UnaryOp(op=ast.Not()):
                operands = [node.operand]
            case ast.comprehension():
                operands = node.ifs
            case _:
                pass
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


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("if run.outcome == 'failed': again()", "outcome"),
        ("match state.held.stopped:\n    case '': pass", "stopped"),
        ("x = handed < rule.n", "handed"),
        ("if state.running: wait()", "running"),
        ("while not held.waiting: pass", "waiting"),
        ("x = 1 if held.paused else 2", "paused"),
        ("x = held.lingering or other", "lingering"),
        ("x = [run for run in runs if run.attempts]", "attempts"),
    ],
)
def test_a_decision_would_be_found(code: str, name: str) -> None:
    assert name in set(compared(ast.parse(code)))


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
