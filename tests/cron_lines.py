"""Cron lines from a grammar: most are valid, and the others are nearly so."""

from __future__ import annotations

from random import Random

FIELDS = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, ("jan", "FEB", "jun", "Dec")), (0, 7, ("sun", "MON", "fri")))
FAULTS = ("?", "H", "60", "-1", "", "1-", "*/0", "5/", "1-2-3", "x", "1#9", "L", "*-3", "1,,2", "@daily", "99999999999")


def line(random: Random, *, faults: float = 0.05, specials: float = 0.1) -> str:
    """Make a line of five fields; each field is a fault, or special, this often."""
    fields = [field(random, place, faults, specials) for place in range(5)]
    if faults and random.random() < 0.03:
        fields = fields[: random.randrange(5)] if random.random() < 0.5 else [*fields, random.choice("*5")]
    return random.choice((" ",) * 9 + ("  ", "\t")).join(fields)


def field(random: Random, place: int, faults: float, specials: float) -> str:
    if random.random() < faults:
        return random.choice(FAULTS)
    if random.random() < 0.35:
        return "*"
    if place in (2, 4) and random.random() < specials:
        day, weekday = random.randint(1, 31), random.randint(0, 7)
        if place == 2:
            return random.choice(("L", "LW", f"{day}W", f"L,{day}"))
        return random.choice((f"{weekday}L", f"{weekday}#{random.randint(1, 5)}", f"{weekday}#2,{weekday}L"))
    return ",".join(item(random, place) for _ in range(random.choice((1, 1, 1, 1, 2, 3))))


def item(random: Random, place: int) -> str:
    first, last, names = FIELDS[place]
    low, high = random.randint(first, last), random.randint(first, last)
    if high < low and random.random() < 0.97:
        low, high = high, low
    step = f"/{random.choice((1, 2, 3, 5, 7, 10, 15, 20, 30))}"
    if names and random.random() < 0.3:
        return random.choice(names)
    return random.choice(
        (f"{low}",) * 4 + (f"{low}-{high}", f"{low}-{high}{step}", f"*{step}", f"*{step}", f"{low}{step}")
    )
