"""A checked configuration: a tuple keeps the type of each task, so mypy and pyright check every line.

Start it with `background_tasks.add_tasks(TASKS)`.
"""

from datetime import date, time, timedelta
from typing import Final

from panther_schedule import BackgroundTask


def send_otp(name: str, *, tries: int = 3) -> bool:
    print(f"the code of {name}, at most {tries} tries")
    return True


async def report(day: date, mails: list[str]) -> int:
    print(f"the report of {day} to {len(mails)} people")
    return len(mails)


TASKS: Final = (
    BackgroundTask(send_otp, name="Ali"),
    BackgroundTask(send_otp, name="Ali", tries=1).interval(5),
    BackgroundTask(send_otp, name="Ali").interval(5).interval_wait(timedelta(minutes=5)),
    BackgroundTask(send_otp, name="Ali").interval(-1).on_time(time(8)).with_name("code of the day"),
    BackgroundTask(report, day=date(2026, 1, 1), mails=["ali@example.org"]).on_time(time(8), tz="Europe/Paris"),
)
