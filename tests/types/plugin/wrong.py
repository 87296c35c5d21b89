"""What the plugin refuses, each at its column; tests/types/test_mypy_plugin.py holds that each raises when it runs."""

import datetime as dt
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final
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
    Scheduler,
    TaskRegistry,
    VirtualClock,
    Weekly,
)


def send(name: str) -> None: ...


EIGHT = time(8)
MINUTE: Final = timedelta(minutes=1)
MIDNIGHT_IN_UTC = time(0, tzinfo=UTC)
NOWHERE = "Europe/Nowhere"
NONE_AT_ALL: Final = 0
BACKWARDS = MINUTE - 2 * MINUTE
BLANK: str = " "
TWO_CHRISTMASES = (date(2026, 12, 25), date(2026, 12, 25))
LATE = datetime(2027, 1, 1, tzinfo=UTC)
EARLY = LATE - timedelta(days=30)
NOON = Daily(time(12), tz="UTC")
MAIL = BackgroundTask(send, name="Ali")
OFTEN = MAIL.interval(5).with_name("often")
QUEUED = MAIL.with_policy(overlap="queue_all")
tasks = TaskRegistry()
scheduler = Scheduler(clock=VirtualClock(LATE))
Clock = Daily

# n
Repeat(0)  # E 8: n must be an int of at least 1
Repeat(-2, MINUTE)  # E 8: n must be an int of at least 1
Repeat(n=NONE_AT_ALL)  # E 10: n must be an int of at least 1
Daily(EIGHT, 0)  # E 14: n must be an int
Daily(EIGHT, n=True - 1)  # E 16: n must be an int
Cron("@daily", n=-5)  # E 18: n must be an int
MAIL.interval(0)  # E 15: n must be an int
MAIL.interval(n=-2)  # E 17: n must be an int
BackgroundTask(send, name="Ali").interval(3 - 3)  # E 43: n must be an int
MAIL.on_time(EIGHT).interval(0)  # E 30: n must be an int
# waits
Repeat(2, timedelta(seconds=-1))  # E 11: wait must be zero or longer
Repeat(2, -MINUTE)  # E 11: wait must be zero or longer
Repeat(2, wait=BACKWARDS)  # E 16: wait must be zero or longer
Repeat(2, after=MINUTE * -1)  # E 17: after must be zero or longer
Once(after=MINUTE / -2)  # E 12: after must be zero or longer
Once(LATE, after=MINUTE)  # E 18: after must be left out with at
MAIL.interval_wait(-MINUTE)  # E 20: wait must be zero or longer
MAIL.interval(5).interval_wait(wait=BACKWARDS)  # E 37: wait must be zero or longer
# times of day
Daily(time(8, tzinfo=UTC))  # E 7: at must be a wall-clock time
Daily(MIDNIGHT_IN_UTC)  # E 7: at must be a wall-clock time
Daily(time(8, 0, 0, 5))  # E 7: at must be a wall-clock time
Daily(time(25))  # E 7: hour must be in 0..23
Weekly("mon", dt.time(8, 60))  # E 15: minute must be in 0..59
MAIL.on_time(MIDNIGHT_IN_UTC)  # E 14: at must be a wall-clock time
MAIL.on_time(time(24))  # E 14: hour must be in 0..23
# zones
Daily(EIGHT, tz="Europe/Berln")  # E 17: did you mean 'Europe/Berlin'?
ps.Daily(EIGHT, -1, "Mars/Base")  # E 21: tz must be the IANA name of a zone
Clock(EIGHT, tz="CEST")  # E 17: tz must be the IANA name of a zone
Cron("0 9 * * *", tz=NOWHERE)  # E 22: tz must be the IANA name of a zone
MAIL.on_time(EIGHT, "Mars/Base")  # E 21: tz must be the IANA name of a zone
MAIL.on_time(EIGHT, tz=ZoneInfo("Mars/Base"))  # E 24: No time zone found with key Mars/Base
# moments
Once(datetime(2026, 1, 1))  # E 6: at must be an aware datetime, got a naive one
Once(at=datetime(2026, 2, 30, tzinfo=UTC))  # E 9: day is out of range for month
Once(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))))  # E 6: at must be within the years 1 to 9999
Daily(EIGHT, start_at=datetime(2026, 1, 1))  # E 23: start_at must be an aware datetime
Daily(EIGHT, start_at=LATE, end_at=EARLY)  # E 23: start_at must not be after end_at
# dates
Monthly(32, EIGHT)  # E 9: day must be a day from 1 to 31
Monthly(0, at=EIGHT)  # E 9: day must be a day from 1 to 31
Monthly(31, EIGHT, months=(2, 4))  # E 9: day=31, months=(2, 4) never names a date that exists
Monthly(1, EIGHT, months={13})  # E 26: months must be a collection of months
Monthly(1, EIGHT, months=[])  # E 26: months must be a collection of months
Weekly((), EIGHT)  # E 8: days must be one or more of mon
Weekly("mon", EIGHT, every=2)  # E 28: starting must be given with every=2
Daily(EIGHT, every=0)  # E 20: every must be an int from 1 to 1000
Daily(EIGHT, every=1001, starting=date(2026, 1, 5))  # E 20: every must be an int from 1 to 1000
Daily(EIGHT, starting=LATE)  # E 23: starting must be a date without a time
Daily(EIGHT, excluding={LATE})  # E 24: excluding must be a collection of dates
Weekly("mon", EIGHT, excluding={"mon"})  # E 8: days=('mon',), excluding=('mon',) never names a date
# cron
Cron("61 * * * *")  # E 7: minute must be 0 to 59, got 61
Cron("0 9 * * mon-fry")  # E 19: day-of-week must be
Cron(expression="0 0 * *")  # E 25: must have five fields
Cron("0 0 30 2 *")  # E 11: day-of-month and month never match a date
Cron("@every 5m")  # E 7: @every 5m is not a macro
# unions
AnyOf((Daily(EIGHT), Once()))  # E 7: of must hold wall-clock schedules, got Once()
AnyOf([NOON, Daily(EIGHT, n=3)])  # E 7: n counts the runs of a whole union
AnyOf(())  # E 7: of must hold at least one schedule
NOON | Once()  # E 8: of must hold wall-clock schedules
Once(LATE) | Daily(EIGHT, 2)  # E 14: n counts the runs of a whole union
NOON | Cron("@daily") | Daily(EIGHT, n=1)  # E 25: n counts the runs of a whole union
MAIL.with_schedule(Daily(EIGHT, excluding=TWO_CHRISTMASES, start_at=LATE, end_at=LATE))  # E 20: which never happens
# policies
Retry(1)  # E 7: attempts must be an int of at least 2
Retry(3, factor=0.5)  # E 17: factor must be a finite number of at least 1
Retry(3, delay=-MINUTE)  # E 16: delay must be zero or longer
Retry(3, delay=MINUTE * 60, max_delay=MINUTE)  # E 39: max_delay must be at least as long as delay
Retry(3, on=("ConectionError",))  # E 13: did you mean 'ConnectionError'?
Retry(3, on=())  # E 13: on must be a tuple of one exception or more
Policy(timeout=timedelta(0))  # E 16: timeout must be longer than zero
Policy(missed="skip")  # E 15: grace must be given with missed='skip'
Policy(missed="skip", grace=timedelta(milliseconds=1))  # E 29: grace must be at least 1 second
Policy(max_running=2)  # E 20: max_running must go with overlap='allow'
MAIL.with_policy(catch_up_limit=5000)  # E 33: catch_up_limit must be an int from 1 to 1000
MAIL.with_policy(missed="skip")  # E 25: grace must be given with missed='skip'
MAIL.with_policy(max_running=2)  # E 30: max_running must go with overlap='allow'
QUEUED.interval(5).interval_wait(timedelta(0))  # E 34: overlap must be 'skip' for a repeat without a wait
MAIL.with_schedule(Repeat(5)).with_policy(jitter=MINUTE)  # E 50: jitter must be zero for a repeat without a wait
# names
MAIL.with_name("")  # E 16: name must be a str that is not blank
MAIL.interval(3).with_name(name=BLANK)  # E 33: name must be a str that is not blank
# adding
scheduler.add_task(QUEUED.interval(5))  # E 20: overlap must be 'skip' for a repeat without a wait
scheduler.add_tasks((MAIL, OFTEN.with_policy(overlap="allow")))  # E 21: overlap must be 'skip' for a repeat
scheduler.replace(OFTEN.with_policy(jitter=MINUTE))  # E 19: jitter must be zero
tasks.scheduled(NOON, name=BLANK)  # E 28: name must be a str that is not blank
tasks.scheduled(Repeat(5), policy=Policy(overlap="allow"))  # E 35: overlap must be 'skip' for a repeat
tasks.register(name="")  # E 21: name must be a str that is not blank
