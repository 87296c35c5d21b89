"""The broken twin of `config.py`, with one mistake a line: mypy and pyright find each of them."""

from datetime import date, time, timedelta
from typing import Final

from config import report, send_otp

from panther_schedule import BackgroundTask

TASKS: Final = (
    BackgroundTask(send_otp),
    BackgroundTask(send_otp, nmae="Ali", name="Ali"),
    BackgroundTask(send_otp, name=7),
    BackgroundTask(send_otp("Ali")),
    BackgroundTask(report, day="2026-01-01", mails=["ali@example.org"]),
    BackgroundTask(report, date(2026, 1, 1), ["ali@example.org"], 3),
    BackgroundTask(send_otp, name="Ali").interval(2.5),
    BackgroundTask(send_otp, name="Ali").interval_wait(300),
    BackgroundTask(send_otp, name="Ali").on_time("08:00"),
    BackgroundTask(send_otp, name="Ali").on_time(time(8)).interval_wait(timedelta(minutes=5)),
    BackgroundTask(send_otp, name="Ali").interval_wait(timedelta(minutes=5)).on_time(time(8)),
)
