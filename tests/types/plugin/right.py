"""What the plugin does not refuse: it is right, or only the running program knows."""

# mypy: allow-untyped-defs

import datetime as dt
import os
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import panther_schedule as ps
from panther_schedule import (
    AnyOf,
    BackgroundTask,
    Cron,
    Daily,
    Monthly,
    Once,
    Policy,
    Repeat,
    Retry,
    Schedule,
    TaskRegistry,
    Weekly,
    background_tasks,
)

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def send(name: str) -> None: ...


EIGHT = time(8)
MINUTE: Final = timedelta(minutes=1)
BERLIN: Final = "Europe/Berlin"
CHRISTMAS = {date(2026, 12, 25), date(2026, 12, 26)}
LATE = datetime(2027, 1, 1, tzinfo=ZoneInfo("Europe/Paris"))
NOON = Daily(time(12), tz="UTC")
MAIL = BackgroundTask(send, name="Ali")
QUEUED = MAIL.with_policy(overlap="queue_all")
tasks = TaskRegistry()

# what is right
Once()
Once(LATE)
Once(at=datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=-5))))
Once(after=MINUTE / 2)
Repeat(-1, 5 * MINUTE)
Repeat(n=3 - 1, wait=timedelta(hours=1) - MINUTE, after=-(-MINUTE))
Repeat(5, MINUTE, measured_from="end")
Daily(EIGHT)
Daily(at=dt.time.fromisoformat("08:00"), tz=BERLIN)
ps.Daily(EIGHT, -1, None)
Daily(EIGHT, every=2, starting=date.fromisoformat("2026-01-05"))
Daily(EIGHT, excluding=CHRISTMAS | {"sat", "sun"}, gap="skip", fold="both")
Daily(EIGHT, start_at=LATE - timedelta(days=1), end_at=LATE)
Weekly("mon", EIGHT)
Weekly({"mon", "fri"}, EIGHT, n=4)
Weekly(["sat"], EIGHT, excluding=frozenset((date(2026, 12, 26),)))
Monthly(-1, EIGHT)
Monthly((2, "tue"), EIGHT, months=range(1, 4))
Monthly(31, EIGHT, missing="clamp", months=(2,))
Cron("0 9 * * mon-fri", tz="UTC", n=4)
Cron("@daily")
Cron("  0 0 L * *  ", gap="shift", fold=None)
Monthly((-1, "fri"), EIGHT, every=3, starting=date(2026, 1, 5))
Weekly(days=("sat", "sun"), at=EIGHT, tz="America/Argentina/Buenos_Aires")
Cron("*/5 9-17 * * mon-fri")
NOON | Cron("0 8 * * sat") | Once(LATE)
AnyOf((NOON, NOON | Weekly("mon", EIGHT)), n=5)
Policy()
Policy(missed="skip", grace=MINUTE)
Policy(retry=Retry(3, delay=MINUTE, factor=1.5, on=(ConnectionError, "httpx.HTTPError", "asyncio.TimeoutError")))
Policy(retry=None, timeout=None)
MAIL.interval(5)
MAIL.interval_wait(timedelta(0))
MAIL.interval(5).interval_wait(MINUTE)
MAIL.on_time(EIGHT, ZoneInfo("Europe/Paris")).interval(-1)
MAIL.with_schedule(NOON | Daily(EIGHT))
MAIL.with_name("mail")
MAIL.with_policy(Policy(missed="skip", grace=MINUTE)).with_policy(grace=5 * MINUTE)
MAIL.with_policy(Policy(timeout=None))
QUEUED.interval_wait(MINUTE)
background_tasks.add_task(QUEUED)
background_tasks.add_task(QUEUED.interval(5).interval_wait(MINUTE))
background_tasks.add_task(MAIL.on_time(EIGHT).with_name("mail"))


@tasks.scheduled(NOON, "lunch", policy=Policy(jitter=MINUTE))
def lunch() -> None: ...


@tasks.register
def dine(at: str = "8 pm") -> None: ...


@tasks.register(name="wine and dine")
def wine() -> None: ...


# what only the running program knows
PORT = int(os.environ.get("PORT", "0"))
ZONE = os.environ.get("TZ", "Mars/Base")
WRITTEN_TWICE = 0
WRITTEN_TWICE = 5
IN_A_BRANCH = "Mars/Base"
if PORT:
    IN_A_BRANCH = "UTC"
BY_A_FUNCTION = 0
MATCHED = 0
match PORT:
    case MATCHED:
        pass
KEYWORDS: dict[str, Any] = {"n": 0}
for LAST in (0, 1):
    pass


def set_it() -> None:
    global BY_A_FUNCTION
    BY_A_FUNCTION = 5


class Settings:
    zone = "Mars/Base"
    n: int = 0


settings = Settings()
Repeat(PORT)
Daily(EIGHT, tz=ZONE)
Repeat(WRITTEN_TWICE)
Daily(EIGHT, tz=IN_A_BRANCH)
Repeat(BY_A_FUNCTION)
Repeat(LAST)
Repeat(MATCHED)
Daily(EIGHT, tz=settings.zone)
Repeat(Settings.n)
Repeat(-1, timedelta(minutes=-1 if PORT else 1))
Repeat(*(0,))
Repeat(**KEYWORDS)
AnyOf([*[NOON], Once()])
AnyOf(Once() for _ in range(0))
Cron(f"{PORT} 0 * * *")
Cron("61 * * * *" if PORT else "@daily")
Repeat(10**30 - 10**30)


def local(EIGHT: time, tz: str | None, n: int, part: Weekday, schedule: Once, task: BackgroundTask) -> None:
    MINUTE = timedelta(minutes=n)
    Daily(EIGHT, n, tz)
    Repeat(n, MINUTE)
    Weekly((part, "mon"), EIGHT)
    Daily(EIGHT, every=2, starting=date.today())
    NOON | schedule
    AnyOf((schedule,))
    Monthly(31, EIGHT, months=(n, 2))
    Policy(missed="skip", grace=MINUTE)
    MAIL.interval(n).interval_wait(MINUTE).with_policy(overlap="allow")
    task.interval(5)
    task.with_policy(max_running=5)  # it may have overlap="allow"
    task.with_policy(missed="skip")  # it may have a grace
    task.with_name("it still may").with_policy(max_running=5)
    task.interval(5).with_policy(overlap="allow")
    task.interval_wait(timedelta(0))
    task.interval_wait(MINUTE).with_policy(jitter=timedelta(seconds=1))
    task.on_time(EIGHT, tz).interval(n)
    BackgroundTask(send, name=f"{n}").with_name(f"{n}")
    background_tasks.add_task(task.with_policy(jitter=timedelta(seconds=1)))


def untyped(n, task):
    Repeat(n)
    task.interval(0)


class Mine:
    """Methods of the same names."""

    def interval(self, n: int) -> None: ...

    def add_task(self, task: object) -> None: ...


Mine().interval(0)
Mine().add_task(None)
