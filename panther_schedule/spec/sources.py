"""Where a document comes from: its data, and the line and column of each place in it.

A fault reads `file:line:column: path: message`. TOML's own parser keeps no positions, so a fault in TOML has its path
alone, unless the text can't be read at all; a mapping has no file either.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, LiteralString, NamedTuple, cast

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from ..errors import refusal, refuse_value, type_name
from ..models.faults import Path as Steps

Place = tuple[int, int]  # line and column, from 1
Fault = tuple[str, str, Steps]  # its type, its message and its path

MOST_BYTES: Final = {"JSON": 16 << 20, "TOML": 1 << 20, "YAML": 256 << 10}  # the others take longer to read
MOST_VALUES: Final = 2_000_000
_MOST_KEYS: Final = 1_000  # of an object
_LONG_KEY: Final = re.compile(r"""((?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){32}""")  # tomllib takes its square
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
        places = dict(islice((found for found in self.places() if found[0] in wanted), len(wanted)))

        def place(path: Steps) -> Place:
            return next((places[path[:at]] for at in range(len(path), -1, -1) if path[:at] in places), (0, 0))

        in_order = sorted(faults, key=lambda fault: (fault[0] == "more_faults", place(fault[2])))
        return refusal("spec", [self._line(kind, message, path, place(path)) for kind, message, path in in_order])

    def _line(self, kind: Any, message: str, path: Steps, place: Place) -> InitErrorDetails:
        context: dict[str, Any] = {"message": message}
        shown: LiteralString = ""
        if self.name:
            line, column = place
            context |= {"file": self.name, "line": line or None, "column": column or None}
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
    data = raw.encode(errors="surrogatepass") if isinstance(raw, str) else raw
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _unreadable(name, kind, "it is not UTF-8", (line, 1), "save it as UTF-8") from None
    if len(data) > MOST_BYTES[kind] or data.count(b",") > MOST_VALUES:
        message = (
            f"the text must have at most {MOST_BYTES[kind]:,} bytes of {kind} and {MOST_VALUES:,} values; split it"
        )
        raise Source(name, None, lambda: [((), (1, 1))]).refusal([("too_large", message, ())])
    return _PARSERS[kind](name, text)


def _unreadable(name: str, kind: str, what: str, place: Place, remedy: str = "mend it there") -> ValidationError:
    message = f"the text can't be read as {kind}: {what}; {remedy}"
    return Source(name, None, lambda: [((), place)]).refusal([(f"{kind.lower()}_invalid", message, ())])


class _TooManyKeys(Exception):  # noqa: N818 - it is caught where it is raised
    """Each of them may be a fault of its own."""


def _json(name: str, text: str) -> Source:
    twice = False

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        found = dict(pairs)
        twice = twice or len(found) != len(pairs)
        if len(found) > _MOST_KEYS:
            raise _TooManyKeys
        return found

    try:
        data = json.loads(text, object_pairs_hook=collect)
    except json.JSONDecodeError as error:
        raise _unreadable(name, "JSON", error.msg, (error.lineno, error.colno)) from None
    except _TooManyKeys:
        raise _unreadable(
            name, "JSON", f"an object has more than {_MOST_KEYS:,} keys", (1, 1), "write an array"
        ) from None
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
    line, begin, after = 1, 0, 0
    for token in _TOKEN.finditer(text):
        mark, at = token[0], token.start()
        if newlines := text.count("\n", after, at):
            line, begin = line + newlines, text.rindex("\n", after, at) + 1
        after = at
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
    if found := _LONG_KEY.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise _unreadable(name, "TOML", "a key has more than 32 parts", (line, 1))
    try:
        return Source(name, tomllib.loads(text))
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError
        what, _, place = str(error).partition(" (at line ")
        found = re.match(r"(\d+), column (\d+)", place)
        at = (int(found[1]), int(found[2])) if found else (text.count("\n") + 1, 1)
        raise _unreadable(name, "TOML", what, at) from None


def _yaml(name: str, text: str) -> Source:
    try:
        from .yaml import YamlFault, read_yaml  # noqa: PLC0415 - its library is an extra
    except ModuleNotFoundError:
        message = 'a YAML file needs ruamel.yaml; run pip install "panther-schedule[yaml]"'
        raise ModuleNotFoundError(message, name="ruamel.yaml") from None
    places: list[tuple[Steps, Place]] = []
    try:
        data = read_yaml(text, places)
    except YamlFault as fault:
        raise _unreadable(name, "YAML", str(fault), fault.place) from None
    if len(places) != len({path for path, _ in places}):
        raise _refused_twice(name, places)
    return Source(name, data, lambda: places)


_PARSERS: Final[dict[str, Callable[[str, str], Source]]] = {"JSON": _json, "TOML": _toml, "YAML": _yaml}
