from datetime import timedelta

from panther_schedule import Repeat, Scheduler, TaskRegistry
from panther_schedule.sqlite import SQLiteStore

tasks = TaskRegistry()


@tasks.scheduled(Repeat(-1, timedelta(hours=1)), name="digest")
def send_digest() -> None:
    print("digest sent")


@tasks.register
def send_otp(name: str) -> None:
    print(f"otp for {name}")


scheduler = Scheduler(store=SQLiteStore("tasks.db"), registry=tasks)
