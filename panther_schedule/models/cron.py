"""Cron expressions: five fields as Debian's cron reads them, and where an expression is wrong.

The grammar is that of crontab(5) of Vixie and Debian cron: minute, hour, day-of-month, month, day-of-week; lists,
ranges, steps, English names, 0 and 7 for Sunday, and the macros `@hourly` to `@yearly`. Beyond it there are
`a/n` (from a to the end of the field), `L`, `LW`, `15W` for days of the month, `5L` and `2#1` for weekdays, and `?`,
which is `*`. There is no `H`, no range that wraps, no @reboot. Seconds are a field apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import repeat
from typing import Final, NamedTuple

from .days import WEEKDAYS, DayRule, mask_of

_MACROS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_UNITS: Final = {"h": "hours", "m": "minutes", "s": "seconds"}  # of "@every 1h30m"
_SHOWN: Final = 100  # characters of an expression in a message
_ITEM: Final = re.compile(r"(?<![^\s,])(?P<low>[^,/-]*)(?:-(?P<high>[^,/]*))?(?:/(?P<step>[^,]*))?")
_is_number = re.compile("[0-9]+").fullmatch


class _Field(NamedTuple):
    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()


_SECOND: Final = _Field("second", 0, 59)
_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day-of-month", 1, 31),
    _Field("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    _Field("day-of-week", 0, 7, (WEEKDAYS[-1], *WEEKDAYS[:-1])),
)


class CronFields(NamedTuple):
    """What an expression says."""

    minutes: int  # bits 0 to 59
    hours: int  # bits 0 to 23
    dates: DayRule
    elapsed: bool  # minute or hour starts with a star: it follows the real minutes when the clock is set (Debian)
    seconds: int = 1  # bits 0 to 59


class CronError(ValueError):
    """An expression is wrong at one place; the message names the field and points at the character."""


@lru_cache(maxsize=1024)
def parse(expression: str) -> CronFields:
    """Read an expression; raises `CronError`."""
    macro = expression.strip().lower()
    if macro in _MACROS:
        return parse(_MACROS[macro])
    if macro.startswith("@"):
        remedy = f"there are {', '.join(_MACROS)}"
        if macro == "@reboot":
            remedy = "a schedule can't tell when the machine boots; write Once()"
        elif macro.startswith("@every"):
            parts = [f"{_UNITS[unit]}={number}" for number, unit in re.findall(r"([0-9]+)([hms])", macro)]
            remedy = f"write Repeat(-1, timedelta({', '.join(parts) or 'minutes=5'})), which is not a cron expression"
        message = f"{macro[:_SHOWN]} is not a macro; {remedy}"
        raise CronError(_pointed(expression, message, expression.index("@"), len(macro)))
    if prefix := re.match(r"\s*(?:CRON_)?TZ=(\S*)\s*", expression):
        remedy = f"write Cron({expression[prefix.end() :][:_SHOWN]!r}, tz={prefix[1][:_SHOWN]!r})"
        raise CronError(_pointed(expression, f"must not begin with a zone; {remedy}", 0, prefix.end(1)))
    places = _places(expression)
    if len(places) != len(_FIELDS):
        raise CronError(_wrong_number(expression, places))
    minute, hour, day, month, weekday = map(_Reader, repeat(expression), places, _FIELDS)
    return CronFields(
        minute.values,
        hour.values,
        DayRule(
            months=month.values,
            days=day.values,
            last=day.last,
            last_workday=day.last_workday,
            near_workdays=day.near_workdays,
            weekdays=weekday.values >> 1 | (weekday.values & 1) << 6,  # from Monday instead of Sunday
            nth=tuple(sorted(weekday.nth)),
            either=not (day.star or weekday.star),
        ),
        minute.star or hour.star,
    )


@lru_cache(maxsize=128)
def parse_seconds(seconds: str) -> int:
    """Read a field of seconds; raises `CronError`."""
    places = _places(seconds)
    if len(places) != 1:
        raise CronError(_pointed(seconds, "must be one field without spaces; write 0, */15 or 0,30", 0, len(seconds)))
    return _Reader(seconds, places[0], _SECOND).values


class _Reader:
    """What one field of an expression says."""

    def __init__(self, expression: str, place: tuple[int, int], field: _Field) -> None:
        self._expression, self._field = expression, field
        self.values = self.near_workdays = 0
        self.nth: set[tuple[int, int]] = set()
        self.last = self.last_workday = False
        self.star = expression[place[0]] in "*?"
        for item in _ITEM.finditer(expression.lower(), *place):
            self._item(item)

    def _item(self, item: re.Match[str]) -> None:
        low, high, step = item.group("low", "high", "step")
        if not item[0]:
            raise self._error("has an empty place in its list; remove a comma", item.start(), 1)
        if item[0] == low and self._special(low, item.start()):
            return
        if item[0] == "?":
            low = "*"
        first, last = self._field.first, self._field.last
        if high is not None:
            first, last = self._value(low, item.start()), self._value(high, item.start("high"))
        elif low != "*":
            first = self._value(low, item.start())
            last = first if step is None else last
        if last < first:
            rule = f"must not have a range that runs backwards, got {low}-{high}; {self._unwrapped(first, last)}"
            raise self._error(rule, item.start(), item.end("high") - item.start())
        if step is not None and not (_is_number(step) and _number(step)):
            rule = f"must have a step of at least 1 after /, got {step[:_SHOWN] or 'nothing'}"
            raise self._error(rule, item.start("step"), len(step))
        self.values |= (2 << last) - (1 << first) if step is None else mask_of(range(first, last + 1, _number(step)))

    def _special(self, item: str, at: int) -> bool:
        """Read L, LW and 15W of day-of-month, 5L and 2#1 of day-of-week; False when it is none of them."""
        if self._field.name == "day-of-month":
            if item == "l":
                self.last = True
            elif item == "lw":
                self.last_workday = True
            elif item.endswith("w") and _is_number(item[:-1]):
                self.near_workdays |= 1 << self._value(item[:-1], at)
            else:
                return False
            return True
        value, hash_, nth = item.partition("#")
        if self._field.name != "day-of-week" or not (hash_ or item.endswith("l")):
            return False
        if item == "l":
            raise self._error("must have a weekday before L; write 5L for the last Friday of the month", at, 1)
        weekday = self._value(value if hash_ else item[:-1], at)
        if hash_ and nth not in ("1", "2", "3", "4", "5"):
            raise self._error(f"must have 1 to 5 after #, got {nth!r}", at + len(value) + 1, len(nth))
        self.nth.add((int(nth) if hash_ else -1, (weekday - 1) % 7))
        return True

    def _value(self, word: str, at: int) -> int:
        name, first, last, names = self._field
        if word in names:
            return names.index(word) + first
        if _is_number(word) and first <= _number(word) <= last:
            return _number(word)
        wanted, length = f"{first} to {last}", len(word)
        if names and not _is_number(word):
            wanted += f" or {names[0]} to {names[-1]}"
        rule = f"must be {wanted}, got {word[:_SHOWN]}"
        if not word:
            rule = f"must have a value here; write {wanted}"
        elif word == "h" or word.startswith("h("):
            rule = f"can't be H; write a number, {wanted}"
        elif name == "day-of-month" and (word == "l" or word.endswith("w")):
            rule = "can't have L or W in a range or with a step; write L, LW or 15W alone"
        elif "?" in word:
            rule, at, length = "can have ? only alone; write *", at + word.index("?"), 1
        elif word == "*":
            rule = "can't have * within a range; write it alone or with a step, such as */2"
        raise self._error(rule, at, length)

    def _unwrapped(self, first: int, last: int) -> str:
        name, lowest, highest, _ = self._field
        if name == "day-of-week" and last == 0:
            return f"Sunday is also 7: write {first}-7"
        return f"write {first}-{6 if name == 'day-of-week' else highest},{lowest}-{last}"

    def _error(self, rule: str, at: int, length: int) -> CronError:
        return CronError(_pointed(self._expression, f"{self._field.name} {rule}", at, length))


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= 4 else 10_000  # beyond each field; Python refuses to read very many digits


def _places(expression: str) -> list[tuple[int, int]]:
    return [word.span() for word in re.finditer(r"\S+", expression)]


def _wrong_number(expression: str, places: list[tuple[int, int]]) -> str:
    got = len(places)
    message = f"must have five fields ({', '.join(field.name for field in _FIELDS)}), got {got}"
    if got < len(_FIELDS):
        return _pointed(expression, f"{message}: {_FIELDS[got].name} is missing", len(expression), 1)
    joined = re.sub(r"\s*,\s*", ",", expression.strip())
    if len(joined.split()) == len(_FIELDS):
        message += f"; a space ends a field, so write none beside a comma: {joined[:_SHOWN]!r}"
    elif got <= len(_FIELDS) + 2:
        seconds, *rest = expression.split()[: len(_FIELDS) + 1]
        apart = f"Cron({' '.join(rest)[:_SHOWN]!r}, seconds={seconds[:_SHOWN]!r})"
        message += f"; seconds in front go apart: {apart}; a year at the end becomes start_at and end_at"
    begin, end = places[len(_FIELDS)]
    return _pointed(expression, message, begin, end - begin)


def open_steps(expression: str, seconds: str) -> Iterator[tuple[str, str, int, int]]:
    """Yield each step that runs to the end of its field, as */45: the field, the item, its values and the step."""
    for text, fields in ((expression, _FIELDS), (seconds, (_SECOND,))):
        for place, field in zip(_places(text), fields, strict=False):
            for item in _ITEM.finditer(text.lower(), *place):
                if item["step"] and item["high"] is None:
                    yield field.name, item[0], _Reader(text, item.span(), field).values, _number(item["step"])


def why_never(expression: str) -> str:
    """Say that the dates of an expression never are, with carets below the fields that name them."""
    places = _places(expression)
    alone = expression[slice(*places[4])] == "*"
    begin, end = places[2][0], places[3 if alone else 4][1]
    fields = "day-of-month and month" if alone else "day-of-month, month and day-of-week"
    rule = f"{fields} never match a date; write L for the last day of a month"
    return _pointed(expression, rule, begin, end - begin)


def _pointed(expression: str, message: str, at: int, length: int) -> str:
    """Put the expression below the message, and carets below the characters it is about."""
    begin = max(0, at - _SHOWN + 20) if len(expression) > _SHOWN else 0
    shown = "".join(each if each.isprintable() else " " for each in expression[begin : begin + _SHOWN])
    carets = min(max(1, length), max(1, len(shown) - (at - begin)))
    return f"{message}\n    {shown}\n    {' ' * (at - begin)}{'^' * carets}"
