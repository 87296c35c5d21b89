"""Thousands of generated calls: the plugin reports what making each call raises, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mypy_runs import Project
from pydantic import ValidationError

HEAD = """
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo
from panther_schedule import *

def send(name: str) -> None: ...

EIGHT = time(8)
MINUTE = timedelta(minutes=1)
MOMENT = datetime(2026, 5, 1, tzinfo=UTC)
ZONE = "Europe/Paris"
TWO = 2
NOON = Daily(time(12), tz=ZONE)
MAIL = BackgroundTask(send, name="Ali")
"""
GOOD: Final = {  # a field's values, of the type that mypy wants
    "count": ("1", "5", "-1", "TWO", "TWO + 3", "-TWO + 1"),
    "wait": ("timedelta(0)", "MINUTE", "5 * MINUTE", "timedelta(hours=1, seconds=5)", "MINUTE - MINUTE / 2"),
    "limit": ("MINUTE", "timedelta(seconds=30)", "MINUTE * TWO"),
    "time": ("time(8)", "EIGHT", "time(hour=23, minute=59, second=30)", 'time.fromisoformat("07:30")'),
    "zone": ("ZONE", '"UTC"', "None", '"America/New_York"', '"Asia/Kolkata"'),
    "moment": ("MOMENT", "MOMENT + 9 * MINUTE", "datetime(2027, 1, 1, tzinfo=ZoneInfo(ZONE))", "None"),
    "date": ("date(2026, 1, 5)", 'date.fromisoformat("2026-03-02")', "None"),
    "every": ("1", "TWO", "3"),
    "dates": ("()", '{"sat", "sun"}', '{date(2026, 12, 25), "mon"}', "[date(2026, 1, 1)]"),
    "gap": ('"next_valid"', '"shift"', '"skip"'),
    "fold": ('"first"', '"last"', '"both"'),
    "weekdays": ('"mon"', '("tue", "fri")', '{"sat"}', '["sun", "mon"]'),
    "monthday": ("1", "31", "-1", '(2, "tue")', '(-1, "fri")', "TWO"),
    "months": ("(1, 7)", "{12}", "[2, 4]", "None", "(TWO,)"),
    "missing": ('"skip"', '"clamp"'),
    "cron": ('"0 9 * * mon-fri"', '"*/5 * * * *"', '"@daily"', '"30 2 L * *"', '"0 0 29 2 *"'),
    "overlap": ('"skip"', '"queue_one"', '"allow"', '"cancel_running"'),
    "missed": ('"coalesce"', '"skip"', '"catch_up"'),
    "on_lost": ('"again"', '"record"'),
    "most": ("1", "TWO", "1000"),
    "retry": ("Retry(3)", "Retry(TWO, delay=MINUTE)", "Retry(5, on=(OSError,))"),
    "parts": ("(NOON,)", '[NOON, Cron("@daily", tz=ZONE)]', "(Once(MOMENT), NOON | Daily(EIGHT))"),
    "from": ('"start"', '"end"'),
}
BAD: Final = {  # the same types, but wrong, or likely to be so beside others
    "count": ("0", "-2", "TWO - 2", "-TWO"),
    "wait": ("-MINUTE", "timedelta(seconds=-1)", "MINUTE - 5 * MINUTE"),
    "limit": ("timedelta(0)", "-MINUTE", "timedelta(microseconds=1)"),
    "time": ("time(8, tzinfo=UTC)", "time(8, 0, 0, 1)"),
    "zone": ('"Europe/Pari"', '"CEST"', '"Mars/Base"', '""'),
    "moment": ("datetime(2026, 1, 1)", "MOMENT - timedelta(days=4000)", "datetime(1, 1, 1, tzinfo=ZoneInfo(ZONE))"),
    "date": ("MOMENT",),
    "every": ("0", "1001", "-1"),
    "dates": ("{MOMENT}", '{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}'),
    "weekdays": ("()", "[]"),
    "monthday": ("0", "32", "-2", "30 + TWO", "30"),
    "months": ("()", "(13,)", "{0}", "(2,)"),
    "cron": ('"61 * * * *"', '"0 0 * *"', '"@every 5m"', '"0 0 30 2 *"', '"a b c d e"', '""'),
    "most": ("0", "-1", "1001"),
    "parts": ("()", "(Once(),)", "(Daily(EIGHT, n=3), NOON)", "(NOON | Cron('@daily'), AnyOf((NOON,), end_at=MOMENT))"),
}
SPAN: Final = {"excluding": "dates", "start_at": "moment", "end_at": "moment"}
CLOCK: Final = SPAN | {"n": "count", "tz": "zone", "every": "every", "starting": "date", "gap": "gap", "fold": "fold"}
POLICY: Final = {
    "overlap": "overlap", "max_running": "most", "missed": "missed", "grace": "limit", "catch_up_limit": "most",
    "catch_up_window": "limit", "retry": "retry", "timeout": "limit", "jitter": "wait", "on_lost": "on_lost",
}  # fmt: skip
CALLS: Final[dict[str, tuple[dict[str, str], dict[str, str]]]] = {  # the positional arguments, and the others
    "Once": ({}, {"at": "moment", "after": "wait"}),
    "Repeat": ({"n": "count"}, {"wait": "wait", "after": "wait", "measured_from": "from"}),
    "Daily": ({"at": "time"}, CLOCK),
    "Weekly": ({"days": "weekdays", "at": "time"}, CLOCK),
    "Monthly": ({"day": "monthday", "at": "time"}, CLOCK | {"months": "months", "missing": "missing"}),
    "Cron": ({"expression": "cron"}, SPAN | {"n": "count", "tz": "zone", "gap": "gap", "fold": "fold"}),
    "AnyOf": ({"of": "parts"}, SPAN | {"n": "count"}),
    "Retry": ({"attempts": "most"}, {"delay": "wait", "max_delay": "wait", "jitter": "wait"}),
    "Policy": ({}, POLICY),
    ".interval": ({"n": "count"}, {}),
    ".interval_wait": ({"wait": "wait"}, {}),
    ".on_time": ({"at": "time"}, {"tz": "zone"}),
    ".with_policy": ({}, POLICY),
}


def call(chance: random.Random, name: str, wrong: float) -> str:
    """Write a call; each argument is wrong with this chance."""
    leading, others = CALLS[name]
    given = [(field, leading[field]) for field in leading]
    given += [(field, kind) for field, kind in others.items() if chance.random() < 0.3]
    texts = [
        (field, chance.choice(BAD.get(kind, GOOD[kind]) if chance.random() < wrong else GOOD[kind]))
        for field, kind in given
    ]
    by_place = len(leading) if chance.random() < 0.7 else 0
    return (
        f"{name}({', '.join(text if at < by_place else f'{field}={text}' for at, (field, text) in enumerate(texts))})"
    )


def lines(chance: random.Random, many: int) -> Iterator[str]:
    """Write models, and chains of setters."""
    models = [name for name in CALLS if not name.startswith(".")]
    chains = (
        (".interval", ".interval_wait"),
        (".on_time", ".interval"),
        (".with_policy", ".interval_wait"),
        (".interval_wait", ".interval", ".with_policy"),
    )
    for _ in range(many):
        if chance.random() < 0.7:
            yield call(chance, chance.choice(models), 0.15)
        else:
            yield "MAIL" + "".join(call(chance, name, 0.12) for name in chance.choice(chains))


def raised(text: str, program: dict[str, Any]) -> set[str]:
    try:
        eval(text, program)  # noqa: S307 - what we have written
    except ValidationError as error:
        return {line["msg"].split("\n")[0] for line in error.errors()}
    return set()


def test_the_plugin_reports_what_making_each_call_raises(tmp_path: Path) -> None:
    """A line is refused by mypy if it is refused when it runs, and in the same words.

    A program ends at the first refusal of a line, where mypy goes on, so mypy may say more of a wrong line.
    """
    written = [*lines(random.Random(2026), 2000)]
    program: dict[str, Any] = {}
    exec(HEAD, program)  # noqa: S102 - as above
    wanted = [raised(text, program) for text in written]
    project = Project(tmp_path, tmp_path / "cache")
    project.write("calls.py", HEAD + "\n".join(written) + "\n")
    said: list[set[str]] = [set() for _ in written]
    for one in project.check("calls.py"):
        assert one.code == "panther-schedule", one
        said[one.line - HEAD.count("\n") - 1].add(one.said)

    assert 500 < sum(map(bool, wanted)) < 1000
    wrong = [
        (text, want, got)
        for text, want, got in zip(written, wanted, said, strict=True)
        if bool(want) != bool(got) or not want <= got
    ]
    assert wrong == []
