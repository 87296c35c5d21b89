"""Two tasks that run once, for `panther-schedule run greetings`; the second one ends the process in good order."""

import os
import signal
from datetime import timedelta

from panther_schedule import BackgroundTask, Once


def greet(name: str) -> None:
    print("hello", name)


def close() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


tasks = [
    BackgroundTask(greet, "Ali").with_name("greeting"),
    BackgroundTask(close).with_schedule(Once(after=timedelta(seconds=1))).with_name("closing-time"),
]
