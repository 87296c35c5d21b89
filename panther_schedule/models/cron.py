"""Cron expressions: five fields as Debian's cron reads them, and where an expression is wrong.

The grammar is that of crontab(5) of Vixie and Debian cron: minute, hour, day-of-month, month, day-of-week; lists,
ranges, steps, English names, 0 and 7 for Sunday, and the macros `@hourly` to `@yearly`. Beyond it there are
`a/n` (from a to the end of the field), `L`, `LW`, `15W` for days of the month, `5L` and `2#1` for weekdays. The star
rule is Debian's too: a date must match day-of-month *and* day-of-week when one of the two starts with a star, and
otherwise one of them is enough.

Nothing else is read: no seconds, no `?`, no `H`, no range that wraps, no @reboot. Each error names the field and
points at the character.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from .days import DayRule, mask_of

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MACROS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_SHOWN: Final = 100  # characters of an expression in a message
_DIGITS: Final = frozenset("0123456789")


class _Field(NamedTuple):
    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()


_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day-of-month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day-of-week", 0, 7, _WEEKDAYS),
)


class CronFields(NamedTuple):
    """What an expression says."""

    minutes: int
    """Bits 0 to 59."""
    hours: int
    """Bits 0 to 23."""
    dates: DayRule
    elapsed: bool
    """Minute or hour starts with a star: it follows the real minutes when the clock is set (Debian)."""


class CronError(ValueError):
    """An expression is wrong at one place; the message names the field and points at the character."""


@lru_cache(maxsize=1024)
def parse(expression: str) -> CronFields:
    """Read an expression; raises `CronError`."""
    text = expression.strip().lower()
    if text.startswith("@"):
        if text not in _MACROS:
            remedy = "a scheduler has no boot; write Once()" if text == "@reboot" else f"there are {', '.join(_MACROS)}"
            raise CronError(
                _pointed(expression, f"{text[:_SHOWN]} is not a macro; {remedy}", _indent(expression), len(text))
            )
        text = _MACROS[text]
        expression = text
    places = _places(expression)
    if len(places) != len(_FIELDS):
        raise CronError(_wrong_number(expression, places))
    parts = [_Reader(expression, begin, end, field) for (begin, end), field in zip(places, _FIELDS, strict=True)]
    for part in parts:
        part.read()
    minute, hour, day, month, weekday = parts
    return CronFields(
        mask_of(minute.values),
        mask_of(hour.values),
        DayRule(
            months=mask_of(month.values),
            days=mask_of(day.values),
            last=day.last,
            last_workday=day.last_workday,
            near_workdays=mask_of(day.near_workdays),
            weekdays=mask_of((value + 6) % 7 for value in weekday.values),
            nth=tuple(sorted((nth, (value + 6) % 7) for nth, value in weekday.nth)),
            either=not (day.star or weekday.star),
        ),
        minute.star or hour.star,
    )


class _Reader:
    """One field of an expression, read from left to right."""

    def __init__(self, expression: str, begin: int, end: int, field: _Field) -> None:
        self._expression = expression
        self._begin = begin
        self._field = field
        self.text = expression[begin:end].lower()
        self.star = self.text.startswith("*")
        self.values: set[int] = set()
        self.nth: set[tuple[int, int]] = set()
        self.near_workdays: set[int] = set()
        self.last = self.last_workday = False

    def read(self) -> None:
        at = 0
        for item in self.text.split(","):
            self._item(item, at)
            at += len(item) + 1

    def _item(self, item: str, at: int) -> None:
        if not item:
            raise self._refusal("has an empty place in its list; remove a comma", at, 1)
        body, slash, step = item.partition("/")
        if not slash and self._special(item, at):
            return
        low, dash, high = body.partition("-")
        if body == "*":
            first, last = self._field.first, self._field.last
        else:
            first = last = self._value(low, at)
            if dash:
                last = self._value(high, at + len(low) + 1)
                if last < first:
                    raise self._refusal(
                        f"must have its ranges forward, got {body}; {self._unwrapped(first, last)}", at, len(body)
                    )
            elif slash:
                last = self._field.last
        self.values.update(range(first, last + 1, self._step(step, at + len(body) + 1) if slash else 1))

    def _special(self, item: str, at: int) -> bool:
        """Read L, LW and 15W of day-of-month, 5L and 2#1 of day-of-week."""
        if self._field.name == "day-of-month":
            if item in ("l", "lw"):
                self.last |= item == "l"
                self.last_workday |= item == "lw"
                return True
            if item.endswith("w") and len(item) > 1 and all(each in _DIGITS for each in item[:-1]):
                self.near_workdays.add(self._value(item[:-1], at))
                return True
        elif self._field.name == "day-of-week":
            value, hash_, nth = item.partition("#")
            if hash_:
                weekday = self._value(value, at)
                if nth not in ("1", "2", "3", "4", "5"):
                    raise self._refusal(f"must have 1 to 5 after #, got {nth!r}", at + len(value) + 1, max(1, len(nth)))
                self.nth.add((int(nth), weekday % 7))
                return True
            if item == "l":
                raise self._refusal("must have a weekday before L; write 5L for the last Friday of the month", at, 1)
            if item.endswith("l"):
                self.nth.add((-1, self._value(item[:-1], at) % 7))
                return True
        return False

    def _value(self, word: str, at: int) -> int:
        field = self._field
        if word in field.names:
            return field.names.index(word) + field.first
        if word and all(each in _DIGITS for each in word):
            value = int(word) if len(word) <= 4 else 10_000
            if field.first <= value <= field.last:
                return value
            raise self._refusal(f"must be {field.first} to {field.last}, got {word[:_SHOWN]}", at, len(word))
        names = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
        wanted = f"{field.first} to {field.last}{names}"
        if not word:
            raise self._refusal(f"must have a value here; write {wanted}", at, 1)
        if "?" in word:
            raise self._refusal("can't be ?; write *", at + word.index("?"), 1)
        if word == "h" or word.startswith("h("):
            raise self._refusal(f"can't be H; write a number, {wanted}", at, len(word))
        if field.name == "day-of-month" and (word == "l" or word.endswith("w")):
            raise self._refusal("can't have L or W in a range or with a step; write L, LW or 15W alone", at, len(word))
        if word == "*":
            raise self._refusal("can't have * within a range; write it alone or with a step, such as */2", at, 1)
        raise self._refusal(f"must be {wanted}, got {word[:_SHOWN]}", at, len(word))

    def _step(self, word: str, at: int) -> int:
        if word and all(each in _DIGITS for each in word) and word.strip("0"):
            return int(word) if len(word) <= 4 else 10_000
        raise self._refusal(
            f"must have a step of at least 1 after /, got {word[:_SHOWN] or 'nothing'}", at, max(1, len(word))
        )

    def _unwrapped(self, first: int, last: int) -> str:
        field = self._field
        if field.name == "day-of-week" and last == 0:
            return f"Sunday is also 7: write {first}-7"
        return f"write {first}-{6 if field.name == 'day-of-week' else field.last},{field.first}-{last}"

    def _refusal(self, rule: str, at: int, length: int) -> CronError:
        return CronError(_pointed(self._expression, f"{self._field.name} {rule}", self._begin + at, length))


def _places(expression: str) -> list[tuple[int, int]]:
    places: list[tuple[int, int]] = []
    begin = None
    for at, each in enumerate(expression):
        if each.isspace():
            if begin is not None:
                places.append((begin, at))
            begin = None
        elif begin is None:
            begin = at
    if begin is not None:
        places.append((begin, len(expression)))
    return places


def _wrong_number(expression: str, places: list[tuple[int, int]]) -> str:
    names = ", ".join(field.name for field in _FIELDS)
    if len(places) < len(_FIELDS):
        missing = _FIELDS[len(places)].name
        return _pointed(
            expression, f"must have five fields ({names}), got {len(places)}: {missing} is missing", len(expression), 1
        )
    more = "; seconds and years are no fields here" if len(places) <= len(_FIELDS) + 2 else ""
    begin, end = places[len(_FIELDS)]
    return _pointed(expression, f"must have five fields ({names}), got {len(places)}{more}", begin, end - begin)


def why_never(expression: str) -> str:
    """Say that the dates of an expression never are, with carets below the fields that name them."""
    places = _places(expression)
    alone = expression[slice(*places[4])] == "*"
    begin, end = places[2][0], places[3 if alone else 4][1]
    fields = "day-of-month and month" if alone else "day-of-month, month and day-of-week"
    rule = f"{fields} must name a date of some year, and never do; write L for the last day of a month"
    return _pointed(expression, rule, begin, end - begin)


def _indent(expression: str) -> int:
    return len(expression) - len(expression.lstrip())


def _pointed(expression: str, message: str, at: int, length: int) -> str:
    """Put the expression below the message, and carets below the characters it is about."""
    begin = max(0, at - _SHOWN + 20) if len(expression) > _SHOWN else 0
    shown = "".join(each if each.isprintable() else " " for each in expression[begin : begin + _SHOWN])
    carets = min(max(1, length), max(1, len(shown) - (at - begin)))
    return f"{message}\n    {shown}\n    {' ' * (at - begin)}{'^' * carets}"
