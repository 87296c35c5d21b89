"""Tasks and their setters."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any, assert_type, overload
from zoneinfo import ZoneInfo

from panther_schedule import AnyTask, BackgroundTask, Daily, Policy, Retry, Weekly


def send(to: str, *, urgent: bool = False) -> int:
    return len(to) if urgent else 0


async def fetch(url: str, tries: int = 3) -> bytes:
    return url.encode() * tries


def total(*numbers: float, **labels: str) -> float:
    return sum(numbers) + len(labels)


@overload
def parse(raw: str) -> str: ...
@overload
def parse(raw: bytes) -> bytes: ...
def parse(raw: str | bytes) -> str | bytes:
    return raw


class Mailer:
    def send(self, to: str, *, copies: int = 1) -> bool:
        return bool(to) and copies > 0

    @classmethod
    def ping(cls, host: str) -> None: ...

    @staticmethod
    def add(one: int, other: int) -> int:
        return one + other

    def __call__(self, to: str) -> None: ...


mailer = Mailer()
bound = partial(send, urgent=True)
WAIT, EIGHT = timedelta(minutes=5), time(8)

# ---- functions and their arguments
BackgroundTask(send, "Ali")
BackgroundTask(send, to="Ali", urgent=True)
BackgroundTask(send)  # E
BackgroundTask(send, 7)  # E
BackgroundTask(send, "Ali", True)  # E
BackgroundTask(send, "Ali", urgnt=True)  # E
BackgroundTask(send, "Ali", to="Ali")  # E
BackgroundTask(send("Ali"))  # E
BackgroundTask()  # E
BackgroundTask("send")  # E
BackgroundTask(None)  # E
BackgroundTask(fetch, "x", tries=2)
BackgroundTask(fetch, tries=2)  # E
BackgroundTask(fetch, "x", tries="2")  # E
BackgroundTask(fetch("x"))  # E
BackgroundTask(total)
BackgroundTask(total, 1, 2.5, unit="s")
BackgroundTask(total, "1")  # E
BackgroundTask(total, unit=5)  # E
BackgroundTask(parse, "x")
BackgroundTask(parse, 5)  # E
BackgroundTask(mailer.send, "Ali", copies=2)
BackgroundTask(mailer.send)  # E
BackgroundTask(mailer.send, "Ali", copies="2")  # E
BackgroundTask(Mailer.send, mailer, "Ali")
BackgroundTask(Mailer.send, "Ali")  # E
BackgroundTask(Mailer.ping, "host")
BackgroundTask(Mailer.ping)  # E
BackgroundTask(Mailer.add, 1, other=2)
BackgroundTask(Mailer.add, 1, "2")  # E
BackgroundTask(mailer, "Ali")
BackgroundTask(mailer, 5)  # E
BackgroundTask(bound, "Ali")
BackgroundTask(bound, 3)  # E: not mypy, mypy --strict
BackgroundTask(lambda: send("Ali"))
BackgroundTask(lambda: None, 3)  # E
BackgroundTask(lambda x: x, 3)  # alarm: pyright strict
BackgroundTask(print, "a", "b", sep=", ")
BackgroundTask(print, seperator=", ")  # E
BackgroundTask(len, "four")
BackgroundTask(len, 4)  # E

# ---- results
assert_type(BackgroundTask(send, "Ali").run(), int)
assert_type(BackgroundTask(send, "Ali").interval(2).on_time(EIGHT).run(), int)
assert_type(BackgroundTask(mailer.send, "Ali").run(), bool)
BackgroundTask(send, "Ali").run().upper()  # E
BackgroundTask(send, "Ali").func("Ali", urgent=True)
BackgroundTask(send, "Ali").func(5)  # E
anything: BackgroundTask = BackgroundTask(send, "Ali")
known: BackgroundTask[..., int] = BackgroundTask(send, "Ali")
wrong: BackgroundTask[..., str] = BackgroundTask(send, "Ali")  # E
value: AnyTask = BackgroundTask(send, "Ali").interval(2)

# ---- setters
task = BackgroundTask(send, "Ali")
task.interval(5).interval_wait(WAIT)
task.interval_wait(WAIT).interval(5)
task.interval(-1).on_time(EIGHT, tz="UTC")
task.on_time(EIGHT, ZoneInfo("UTC")).interval(-1)
task.with_schedule(Daily(EIGHT)).with_name("digest").with_policy(Policy(timeout=WAIT))
task.with_name("digest").interval(5)
task.with_policy(retry=Retry(3), jitter=WAIT).interval_wait(WAIT)
task.interval("5")  # E
task.interval(2.5)  # E
task.interval(None)  # E
task.interval()  # E
task.interval(n=5)
task.interval(times=5)  # E
task.interval_wait(300)  # E
task.interval_wait("5m")  # E
task.interval_wait(None)  # E
task.on_time("08:00")  # E
task.on_time(8)  # E
task.on_time(datetime(2026, 1, 1, 8, tzinfo=UTC))  # E
task.on_time(EIGHT, tz=5)  # E
task.with_schedule(WAIT)  # E
task.with_schedule("daily")  # E
task.with_schedule(Daily)  # E
task.with_name(5)  # E
task.with_name(None)  # E
task.with_policy(timeout=5)  # E
task.with_policy(tiemout=WAIT)  # E
task.with_policy(retry=3)  # E
task.with_policy(overlap="sometimes")  # E
task.every_seconds(5)  # E
task.name = "digest"  # E

# ---- settings that exclude each other
task.on_time(EIGHT).interval_wait(WAIT)  # E
task.interval_wait(WAIT).on_time(EIGHT)  # E
task.interval(5).with_schedule(Daily(EIGHT))  # E
task.interval_wait(WAIT).with_schedule(Daily(EIGHT))  # E
task.on_time(EIGHT).with_schedule(Daily(EIGHT))  # E
task.with_schedule(Daily(EIGHT)).interval(5)  # E
task.with_schedule(Daily(EIGHT)).interval_wait(WAIT)  # E
task.with_schedule(Weekly("mon", EIGHT)).on_time(EIGHT)  # E


class Special(BackgroundTask[[str], int]):  # E
    """A task of one's own."""


def kept(given: Any) -> BackgroundTask[[str], int]:
    return BackgroundTask(send, given)
