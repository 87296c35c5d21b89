"""YAML 1.2, read as JSON would be: one document, no tags and no aliases; `on` is text, and so are times and dates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from ..models.faults import Path as Steps

_MOST_DEPTH: Final = 64
_CONSTANTS: Final = {"null": None, "~": None, "": None, "true": True, "false": False}
_INT: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


class YamlFault(Exception):  # noqa: N818 - a fault of the text, which becomes a ValidationError
    """What can't be read, and where: line and column, from 1."""

    def __init__(self, what: str, mark: Any) -> None:
        super().__init__(what)
        self.place: tuple[int, int] = mark if isinstance(mark, tuple) else _place(mark)


def read_yaml(text: str, places: list[tuple[Steps, tuple[int, int]]]) -> Any:
    """Return the data of a document, and add the place of each key and item.

    Raises:
        YamlFault: the text is not YAML, or does more than JSON can.
    """
    try:
        parser: Any = YAML(typ="safe", pure=True)
        events = iter(parser.parse(text))
        _next(events, "StreamStart")
        start = next(events)
        if _kind(start) == "StreamEnd":
            raise YamlFault("it is empty", start.start_mark)
        if getattr(start, "version", None) not in (None, (1, 2)):
            raise YamlFault("only YAML 1.2 is read; leave out the directive", start.start_mark)
        first = next(events)
        places.append(((), _place(first.start_mark)))
        data = _node(first, events, (), places)
        _next(events, "DocumentEnd")
        _next(events, "StreamEnd")
    except MarkedYAMLError as error:
        marked: Any = error
        raise YamlFault(str(marked.problem or marked.context), marked.problem_mark or marked.context_mark) from None
    except ReaderError as error:
        read: Any = error
        what = f"the character {read.character!r} is refused"
        raise YamlFault(what, (text.count("\n", 0, read.position) + 1, 1)) from None
    except YamlFault:
        raise
    except Exception:  # noqa: BLE001 - the parser has bugs: "%YAML 1.10" is an AssertionError
        raise YamlFault("it is not YAML 1.2", places[-1][1] if places else (1, 1)) from None
    return data


def _node(event: Any, events: Iterator[Any], path: Steps, places: list[tuple[Steps, tuple[int, int]]]) -> Any:
    kind, mark = _kind(event), event.start_mark
    if kind == "Alias":
        raise YamlFault("an alias is refused, since a few of them can stand for any amount of data", mark)
    if getattr(event, "tag", None) not in (None, "!"):
        raise YamlFault(f"the tag {event.tag} is refused", mark)
    if len(path) > _MOST_DEPTH:
        raise YamlFault("it is nested too deeply", mark)
    if kind == "Scalar":
        return _scalar(event)
    held: dict[str | int, Any] = {}
    for at in count():
        inner = next(events)
        if _kind(inner) in ("SequenceEnd", "MappingEnd"):
            break
        step, begin = at, _place(inner.start_mark)
        if kind == "MappingStart":
            if _kind(inner) != "Scalar":
                raise YamlFault("a key must be text", inner.start_mark)
            step, inner = inner.value, next(events)
        places.append(((*path, step), begin))
        held[step] = _node(inner, events, (*path, step), places)
    return held if kind == "MappingStart" else [*held.values()]


def _scalar(event: Any) -> Any:
    text: str = event.value
    if not event.implicit[0]:  # it is quoted
        return text
    if (lower := text.lower()) in _CONSTANTS and text in (lower, lower.title(), lower.upper()):
        return _CONSTANTS[lower]
    try:
        if _INT.fullmatch(text):
            return int(text, 0 if text.startswith("0") and text[1:2] in ("o", "x") else 10)
        return float(text) if _FLOAT.fullmatch(text) else text
    except ValueError:  # Python's limit on the digits of an int
        raise YamlFault("a number has too many digits", event.start_mark) from None


def _next(events: Iterator[Any], kind: str) -> None:
    event = next(events)
    if _kind(event) != kind:
        raise YamlFault("there must be one document", event.start_mark)


def _kind(event: object) -> str:
    return type(event).__name__.removesuffix("Event")


def _place(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1
