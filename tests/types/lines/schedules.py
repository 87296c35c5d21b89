"""Schedules and policies."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from panther_schedule import (
    AnyOf,
    AnySchedule,
    Cron,
    Daily,
    Monthly,
    Once,
    Policy,
    Repeat,
    Retry,
    Weekly,
    between,
    explain,
    lint,
    next_after,
    preview,
)

WAIT, EIGHT, DAY = timedelta(minutes=5), time(8), date(2026, 1, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)

Once()
Once(NOW)
Once(after=WAIT)
Once("2026-01-01")  # E
Once(DAY)  # E
Once(after=5)  # E
Repeat(5)
Repeat(5, WAIT)
Repeat(n=-1, wait=WAIT, after=WAIT, measured_from="end")
Repeat()  # E
Repeat("5")  # E
Repeat(5, 300)  # E
Repeat(5, WAIT, measured_from="middle")  # E
Repeat(5, WAIT, WAIT)  # E
Daily(EIGHT)
Daily(EIGHT, 3, "UTC", every=2, starting=DAY, excluding={"sat", DAY}, gap="skip", fold="both")
Daily()  # E
Daily("08:00")  # E
Daily(EIGHT, tz=5)  # E
Daily(EIGHT, timezone="UTC")  # E
Daily(EIGHT, every="2")  # E
Daily(EIGHT, starting="2026-01-01")  # E
Daily(EIGHT, excluding="saturday")  # E
Daily(EIGHT, gap="never")  # E
Daily(EIGHT, start_at=DAY)  # E
Weekly("mon", EIGHT)
Weekly(("mon", "fri"), EIGHT)
Weekly(["mon", "fri"], EIGHT, n=5, every=2, starting=DAY)
Weekly(days={"sun"}, at=EIGHT)
Weekly(EIGHT)  # E
Weekly("monday", EIGHT)  # E
Weekly(("mon", "friday"), EIGHT)  # E
Weekly(1, EIGHT)  # E
Weekly("mon", "08:00")  # E
Monthly(15, EIGHT)
Monthly((2, "tue"), EIGHT, months=(1, 7), missing="clamp")
Monthly(EIGHT)  # E
Monthly("first", EIGHT)  # E
Monthly((2, "tuesday"), EIGHT)  # E
Monthly((7, "tue"), EIGHT)  # E
Monthly(15, EIGHT, months="may")  # E
Cron("0 9 * * mon-fri", tz="UTC")
Cron("* * * * *", seconds="*/15", n=5)
Cron()  # E
Cron(5)  # E
Cron("@daily", "UTC")  # E
Cron("@daily", seconds=15)  # E
Cron("@daily", zone="UTC")  # E
both = Daily(EIGHT) | Weekly("sat", EIGHT) | Cron("@daily") | Once(NOW)
AnyOf((Daily(EIGHT), Cron("@daily")), n=3)
AnyOf([Daily(EIGHT)])
AnyOf((Daily(EIGHT), Repeat(5)))  # E
AnyOf(Daily(EIGHT))  # E
Daily(EIGHT) | EIGHT  # E
Daily(EIGHT) | Repeat(5)  # E
both.n = 3  # E
schedules: list[AnySchedule] = [Once(), Repeat(5), Daily(EIGHT), both]
for schedule in schedules:
    explain(schedule)
    preview(schedule, 3)
    lint(schedule)
    next_after(schedule, NOW)
    between(schedule, NOW, NOW)
explain(EIGHT)  # E
preview(both, "3")  # E
next_after(both, DAY)  # E
between(both, NOW)  # E

Policy()
Policy(overlap="allow", max_running=3, missed="catch_up", retry=Retry(3), timeout=WAIT, jitter=WAIT, on_lost="record")
Policy("skip")  # E
Policy(overlap="parallel")  # E
Policy(on_lost="retry")  # E
Policy(timeout=300)  # E
Policy(retries=3)  # E
Policy(retry=3)  # E
Policy(max_running="3")  # E
Retry(3)
Retry(3, delay=WAIT, factor=2, max_delay=WAIT, jitter=WAIT, on=(OSError, "httpx.HTTPError"))
Retry()  # E
Retry("3")  # E
Retry(3, delay=5)  # E
Retry(3, on=OSError)  # E
Retry(3, tries=5)  # E
