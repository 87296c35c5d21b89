"""The constants of a module, read from its source: what is assigned once, at the top level.

mypy keeps no values in its cache, so a module that is not checked anew has only its source.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

_ASSIGNMENT = re.compile(rb"^(\w+)[ \t]*(?::[^=\n]*)?=(?!=).*(?:\n(?:[ \t\])}#].*)?)*", re.MULTILINE)
_INNER = re.compile(rb"^[ \t]+(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE)  # one in a branch or a function


def constants(path: str) -> Mapping[str, ast.expr]:
    """Return the constants of a source file by name; none of a file that can't be read."""
    try:
        return _constants(path, os.stat(path).st_mtime_ns)
    except (OSError, SyntaxError, ValueError):
        return {}


@lru_cache(maxsize=256)
def _constants(path: str, _changed_at: int) -> Mapping[str, ast.expr]:
    text = Path(path).read_bytes()
    module = ast.parse(text)
    times_set = Counter(_set_in(module, b":=" in text))
    found: dict[str, ast.expr] = {}
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if times_set[name] == 1:
                found[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if times_set[name] == 1:
                found[name] = value
            case _:
                pass
    return found


def _set_in(module: ast.Module, with_calls: bool) -> Iterator[str]:
    """Yield a name each time that it is bound; calls, of which there may be many, bind none but by `:=`."""
    nodes: list[ast.AST] = [module]
    while nodes:
        node = nodes.pop()
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.MatchAs(name=str() as name) | ast.ExceptHandler(name=str() as name):
                yield name
            case _:
                pass
        if with_calls or not isinstance(node, ast.Call):
            nodes += ast.iter_child_nodes(node)


def digest(path: str) -> str | None:
    """Return what changes with a constant of this source file, and seldom otherwise; None for what has no constants.

    It is found without parsing, since mypy asks for each module of each run. Stubs and installed packages are left
    out: mypy reports nothing in them, and their constants are no settings.
    """
    if not path.endswith(".py") or "site-packages" in path:
        return None
    try:
        text = Path(path).read_bytes()
    except OSError:
        return None
    found = {match[1]: match[0] for match in _ASSIGNMENT.finditer(text)}
    again = sorted(found.keys() & set(_INNER.findall(text)))
    return hashlib.blake2b(b"".join([*found.values(), *again]), digest_size=8).hexdigest()
