"""Where a document comes from: its data, and the line and column of each place in it.

A fault reads `file:line:column: path: message`. TOML's own parser keeps no positions, so a fault in TOML has its path
alone, unless the text can't be read at all; a mapping has no file either.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, LiteralString, NamedTuple, cast

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from ..errors import refusal, refuse_value, type_name
from ..models.faults import Path as Steps

Place = tuple[int, int]  # line and column, from 1
Fault = tuple[str, str, Steps]  # its type, its message and its path

MOST_BYTES: Final = {"JSON": 16 << 20, "TOML": 1 << 20, "YAML": 256 << 10}  # the others take longer to read
_SUFFIXES: Final = {".json": "JSON", ".toml": "TOML", ".yaml": "YAML", ".yml": "YAML"}
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[][{},]|[^][{},:"\s]+')


class Source(NamedTuple):
    """The data of a document; `name` begins each fault, and `places` has each key and each item of a list."""

    name: str
    data: Any
    places: Callable[[], Iterable[tuple[Steps, Place]]] = tuple

    def refusal(self, faults: Sequence[Fault]) -> ValidationError:
        """Make a `ValidationError` of faults, each at its place or, if that is not there, at what should hold it."""
        wanted = {path[:length] for _, _, path in faults for length in range(len(path) + 1)}
        places = {path: place for path, place in self.places() if path in wanted}
        return refusal("spec", [self._line(kind, message, path, places) for kind, message, path in faults])

    def _line(self, kind: Any, message: str, path: Steps, places: dict[Steps, Place]) -> InitErrorDetails:
        context: dict[str, Any] = {"message": message}
        shown: LiteralString = ""
        if self.name:
            nearest = next((path[:at] for at in range(len(path), -1, -1) if path[:at] in places), None)
            line, column = places[nearest] if nearest is not None else (None, None)
            context |= {"file": self.name, "line": line, "column": column}
            context["path"] = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
            shown = ("{file}:{line}:{column}: " if line else "{file}: ") + ("{path}: " if path else "")
        error = PydanticCustomError(kind, shown + "{message}", context)
        return InitErrorDetails(type=error, loc=path, input=None)


def read_source(title: str, source: object) -> Source:
    """Read JSON text, a mapping, or a file by its suffix.

    Raises:
        ValidationError: it is none of these, is too large, or can't be read.
    """
    if isinstance(source, dict):
        return Source("", cast(object, source))
    if isinstance(source, (str, bytes)):
        return _parsed("<text>", source, "JSON")
    kind = _SUFFIXES.get(source.suffix.lower()) if isinstance(source, Path) else None
    if not isinstance(source, Path) or kind is None:
        rule = "JSON text, a dict, or the Path of a .json, .toml, .yaml or .yml file"
        got = repr(str(source)) if isinstance(source, Path) else type_name(source)
        refuse_value(title, "source_type", "source", rule, got, "write load(Path('tasks.json'), registry)")
    with source.open("rb") as file:
        return _parsed(str(source), file.read(MOST_BYTES[kind] + 1), kind)


def _parsed(name: str, raw: str | bytes, kind: str) -> Source:
    if len(raw) > MOST_BYTES[kind]:
        message = f"the text must have at most {MOST_BYTES[kind]:,} bytes of {kind}; split it"
        raise Source(name, None).refusal([("too_large", message, ())])
    try:
        text = raw.encode().decode() if isinstance(raw, str) else raw.decode("utf-8-sig")
    except UnicodeError:
        raise _unreadable(name, kind, "it is not UTF-8", None, "save it as UTF-8") from None
    return _PARSERS[kind](name, text)


def _unreadable(name: str, kind: str, what: str, place: Place | None, remedy: str = "mend it there") -> ValidationError:
    message = f"the text can't be read as {kind}: {what}; {remedy}"
    found: list[tuple[Steps, Place]] = [] if place is None else [((), place)]
    return Source(name, None, lambda: found).refusal([(f"{kind.lower()}_invalid", message, ())])


def _json(name: str, text: str) -> Source:
    twice = False

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        found = dict(pairs)
        twice = twice or len(found) != len(pairs)
        return found

    try:
        data = json.loads(text, object_pairs_hook=collect)
    except json.JSONDecodeError as error:
        raise _unreadable(name, "JSON", error.msg, (error.lineno, error.colno)) from None
    except RecursionError:
        raise _unreadable(name, "JSON", "it is nested too deeply", (1, 1)) from None
    except ValueError:  # Python's limit on the digits of an int
        raise _unreadable(name, "JSON", "a number has too many digits", (1, 1)) from None
    if twice:
        raise _refused_twice(name, _places_in_json(text))
    return Source(name, data, lambda: _places_in_json(text))


def _refused_twice(name: str, places: Iterable[tuple[Steps, Place]]) -> ValidationError:
    seen: set[Steps] = set()
    again: dict[Steps, Place] = {}
    for path, place in places:
        if path in seen and not any(path[:length] in again for length in range(len(path))):
            again[path] = place
        seen.add(path)
    faults = [("duplicate_key", f"{path[-1]} is given twice; leave out one", path) for path in again]
    return Source(name, None, again.items).refusal(faults)


def _places_in_json(text: str) -> Iterator[tuple[Steps, Place]]:
    """Find each key, and each item of an array, in JSON that is known to be right."""
    steps: list[str | int | None] = []  # None: a key comes next
    line, begin = 1, 0
    for token in _TOKEN.finditer(text):
        mark, at = token[0], token.start()
        newlines = text.count("\n", begin, at)
        if newlines:
            line, begin = line + newlines, text.rindex("\n", begin, at) + 1
        if mark in "}]":
            steps.pop()
        elif mark == ",":
            last = steps[-1]
            steps[-1] = last + 1 if isinstance(last, int) else None
        else:
            if steps and steps[-1] is None:
                steps[-1] = json.loads(mark)
                yield cast(Steps, tuple(steps)), (line, at - begin + 1)
                continue
            if not steps or isinstance(steps[-1], int):
                yield cast(Steps, tuple(steps)), (line, at - begin + 1)
            if mark in "{[":
                steps.append(None if mark == "{" else 0)


def _toml(name: str, text: str) -> Source:
    try:
        return Source(name, tomllib.loads(text))
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError
        what, _, place = str(error).partition(" (at line ")
        found = re.match(r"(\d+), column (\d+)", place)
        raise _unreadable(name, "TOML", what, (int(found[1]), int(found[2])) if found else None) from None


def _yaml(name: str, text: str) -> Source:
    try:
        from .yaml import YamlFault, read_yaml  # noqa: PLC0415 - its library is an extra
    except ModuleNotFoundError:
        message = 'a YAML file needs ruamel.yaml; run pip install "panther-schedule[yaml]"'
        raise ModuleNotFoundError(message, name="ruamel.yaml") from None
    places: list[tuple[Steps, Place]] = []
    try:
        data = read_yaml(text, lambda path, place: places.append((path, place)))
    except YamlFault as fault:
        raise _unreadable(name, "YAML", str(fault), fault.place) from None
    if len(places) != len({path for path, _ in places}):
        raise _refused_twice(name, places)
    return Source(name, data, lambda: places)


_PARSERS: Final[dict[str, Callable[[str, str], Source]]] = {"JSON": _json, "TOML": _toml, "YAML": _yaml}
