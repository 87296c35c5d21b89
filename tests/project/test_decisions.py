"""Only planning decides: no module outside of it compares or chooses by an outcome, a phase, a policy or a count."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "panther_schedule"
FOLDERS = "runtime", "sqlite", "testing"
SHELLS = sorted([*PACKAGE.glob("*.py"), *(path for folder in FOLDERS for path in (PACKAGE / folder).rglob("*.py"))])
DECIDED = {
    *("outcome", "phase", "reason", "attempts", "asks", "stopped", "paused", "waiting", "lingering", "backfilling"),
    *("handed", "running", "cursor", "next_at", "overlap", "missed", "retry", "timeout", "max_running", "grace"),
    *("n", "cause", "asked", "once", "wait_from_end", "back_to_back", "endless"),
}
SEEN_THROUGH = {"bool", "any", "all", "len", "min", "max", "sum"}
"""Functions that are compared for what they are called with."""
ALLOWED = {
    ("runtime/coroutines.py", "asked"): "what was asked to end on its way to the event loop is cancelled there",
    ("runtime/coroutines.py", "running"): "the asyncio tasks",
    ("runtime/current.py", "asked"): "what current_run().cancelled shows",
    ("runtime/engine.py", "asked"): "a cancel that is on its way is in the run that the machine sees",
    ("runtime/engine.py", "asks"): "whether the step asks other runs to end",
    ("runtime/engine.py", "attempts"): "which records are logged",
    ("runtime/engine.py", "outcome"): "which records are logged",
    ("runtime/handles.py", "running"): "whether cancel() asks active runs to end",
    ("runtime/handles.py", "wait_from_end"): "which schedules have occurrences to backfill; this belongs in planning",
    ("runtime/ledger.py", "attempts"): "under which name a record is counted",
    ("runtime/ledger.py", "outcome"): "under which name a record is counted",
    ("runtime/ledger.py", "reason"): "under which name a record is counted",
    ("runtime/life.py", "phase"): "whether a caller's run goes on, so that it would wait for itself",
    ("runtime/life.py", "timeout"): "how long a caller waits",
    ("runtime/logs.py", "outcome"): "the words of a log line",
    ("runtime/loop.py", "timeout"): "a second stop() may shorten the drain",
    ("runtime/sleeper.py", "timeout"): "how long a caller waits",
    ("runtime/virtual.py", "endless"): "whether join() would never end",
    ("runtime/virtual.py", "timeout"): "how long a caller waits",
    ("runtime/virtual_loop.py", "timeout"): "how long the event loop would wait for its next timer",
    ("runtime/workers.py", "asked"): "what was asked to end before a worker was free is not called",
    ("runtime/workers.py", "timeout"): "whether the loop needs to know when a call began",
    ("sqlite/rows.py", "asked"): "how a row keeps it",
    ("sqlite/rows.py", "attempts"): "how a row keeps them",
    ("sqlite/store.py", "asked"): "what others have asked to end is asked here, once",
    ("testing/schedule_clock.py", "endless"): "which tasks a test waits for",
    ("testing/schedule_clock.py", "outcome"): "which runs fail a test",
    ("testing/schedule_clock.py", "paused"): "which tasks a test waits for",
}


def compared(tree: ast.AST) -> Iterator[str]:
    """Yield the names of what a module compares, matches, chooses by, or asks for its truth, under whatever alias."""
    aliases = dict(aliased(tree))
    for node in ast.walk(tree):
        for operand in operands(node):
            for name in named(operand):
                yield from (name, *aliases.get(name, ()))


def operands(node: ast.AST) -> Sequence[ast.expr]:
    """Return the expressions that a node decides by."""
    match node:
        case ast.Compare():
            return [node.left, *node.comparators]
        case ast.Match():
            return [node.subject]
        case ast.If() | ast.While() | ast.IfExp() | ast.Assert():
            return [node.test]
        case ast.BoolOp():
            return node.values
        case ast.UnaryOp(op=ast.Not()):
            return [node.operand]
        case ast.comprehension():
            return node.ifs
        case ast.Subscript():
            return [node.slice]
        case ast.Call(func=ast.Attribute(attr="get")):
            return node.args[:1]
        case ast.Call(func=ast.Name(id="bool" | "any" | "all" | "min" | "max")):
            return node.args
        case _:
            return []


def aliased(tree: ast.AST) -> Iterator[tuple[str, set[str]]]:
    """Yield the variables of a module, each with what else it stands for."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, set(named(value))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, set(named(value))
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                yield name, set(named(value))
            case _:
                pass


def named(node: ast.AST) -> Iterator[str]:
    """Yield the names within an operand; what a function is called with only where it is seen through."""
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Name):
        yield node.id
    parts = ast.iter_child_nodes(node)
    if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in SEEN_THROUGH):
        parts = iter([node.func])
    for part in parts:
        yield from named(part)


def decided(code: str) -> set[str]:
    """Return what a module decides by."""
    return DECIDED.intersection(compared(ast.parse(code)))


@pytest.mark.parametrize("path", SHELLS, ids=lambda path: path.stem)
def test_no_shell_decides(path: Path) -> None:
    name = str(path.relative_to(PACKAGE))

    assert decided(path.read_text()) == {allowed for module, allowed in ALLOWED if module == name}


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("if run.outcome == 'failed': again()", "outcome"),
        ("match state.held.stopped:\n    case '': pass", "stopped"),
        ("x = handed < rule.n", "handed"),
        ("x = handed < rule.n", "n"),
        ("if state.running: wait()", "running"),
        ("while not held.waiting: pass", "waiting"),
        ("x = 1 if held.paused else 2", "paused"),
        ("x = held.lingering or other", "lingering"),
        ("x = [run for run in runs if run.attempts]", "attempts"),
        ("if len(state.held.waiting) > 1: skip()", "waiting"),
        ("x = bool(state.running)", "running"),
        ("x = min(1, rule.n - state.handed)", "handed"),
        ("if any(run.asked for run in runs): wait()", "asked"),
        ("x = sum(run.running for run in runs) < 2", "running"),
        ("w = state.held.waiting\nif w: wait()", "waiting"),
        ("w: tuple[int, ...] = state.held.waiting\nif not w: wait()", "waiting"),
        ("if (w := state.held.waiting): wait()", "waiting"),
        ("again = {'failed': True}[run.outcome]", "outcome"),
        ("again = {'failed': True}.get(run.outcome, False)", "outcome"),
        ("if rule.once and wait: skip()", "once"),
        ("x = run.cause == 'backfill'", "cause"),
        ("x = rule.wait_from_end is None", "wait_from_end"),
    ],
)
def test_a_decision_would_be_found(code: str, name: str) -> None:
    assert name in decided(code)


@pytest.mark.parametrize(
    "code",
    [
        "if has_ended(entry.rule, entry.state): leave()",
        "if is_asked(step.asks, other.run): ask(other)",
        "step = due(entry.rule, entry.state._replace(running=1), now)",
        "in_flight = state.running + len(state.held.waiting)",
        "timeout = check_timeout('join', timeout)\nif deadline < now: return_()",
        "for at in state.held.waiting: show(at)",
        "w = state.held.waiting\nshow(w)",
        "order = sorted(runs, key=lambda run: run.at)",
        "outcome = found['outcome']",
    ],
)
def test_what_only_passes_a_value_on_decides_nothing(code: str) -> None:
    assert decided(code) == set()


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
