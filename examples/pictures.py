"""Write the timelines of the docs: `python examples/pictures.py` makes docs/pictures/*.svg anew."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from panther_schedule import BackgroundTask, Cron, Daily, Policy, Repeat, Weekly
from panther_schedule.pictures import Timeline, timeline
from panther_schedule.testing import FailingTask, SlowTask, Suspend, simulate

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
BERLIN = ZoneInfo("Europe/Berlin")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def work() -> None: ...


async def work_async() -> None: ...


def day() -> Timeline:
    """Show a night in which a machine is suspended, a function is slow, and another fails."""
    start = datetime(2026, 3, 10, 22, tzinfo=BERLIN)
    task = BackgroundTask(work)
    tasks = [
        task.with_schedule(Repeat(-1, HOUR)).with_name("fetch prices"),
        task.with_schedule(Repeat(-1, HOUR)).with_name("build report"),
        task.interval(-1).on_time(time(2, 30), tz="Europe/Berlin").with_name("back up"),
        task.with_schedule(Weekly("wed", time(8), tz="Europe/Berlin")).with_name("send digest"),
    ]
    faults = [
        Suspend(start + 5 * HOUR + 20 * MINUTE, 3 * HOUR),
        SlowTask("fetch prices", 12 * MINUTE),
        SlowTask("build report", 100 * MINUTE),
        SlowTask("back up", 25 * MINUTE),
        SlowTask("send digest", 15 * MINUTE),
        FailingTask("fetch prices", ConnectionError, times=1, start_at=start + 3 * HOUR),
    ]
    return timeline(simulate(tasks, start, start + 12 * HOUR, faults))


def gap() -> Timeline:
    """Show the morning on which the clock goes from 02:00 to 03:00."""
    return _clock_change(datetime(2026, 3, 29, tzinfo=BERLIN), {
        "next_valid": Daily(time(2, 30), tz="Europe/Berlin"),
        "shift": Daily(time(2, 30), tz="Europe/Berlin", gap="shift"),
        "skip": Daily(time(2, 30), tz="Europe/Berlin", gap="skip"),
        "*/30 * * * *": Cron("*/30 * * * *", tz="Europe/Berlin"),
    })  # fmt: skip


def fold() -> Timeline:
    """Show the morning on which the clock goes from 03:00 to 02:00."""
    return _clock_change(datetime(2026, 10, 25, tzinfo=BERLIN), {
        "first": Daily(time(2, 30), tz="Europe/Berlin"),
        "last": Daily(time(2, 30), tz="Europe/Berlin", fold="last"),
        "both": Daily(time(2, 30), tz="Europe/Berlin", fold="both"),
        "*/30 * * * *": Cron("*/30 * * * *", tz="Europe/Berlin"),
    })  # fmt: skip


def _clock_change(start: datetime, schedules: dict[str, Daily | Cron]) -> Timeline:
    tasks = [BackgroundTask(work).with_schedule(schedule).with_name(name) for name, schedule in schedules.items()]
    return timeline(tasks, start, start + 6 * HOUR)


def overlap() -> Timeline:
    """Show an hourly task that takes 100 minutes, under each overlap."""
    policies = [Policy(overlap=it) for it in ("skip", "queue_one", "queue_all", "allow", "cancel_running")]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    hourly = BackgroundTask(work_async).with_schedule(Repeat(5, HOUR))
    tasks = [hourly.with_policy(policy).with_name(policy.overlap) for policy in policies]
    return timeline(simulate(tasks, start, start + 10 * HOUR, [SlowTask(it.overlap, 100 * MINUTE) for it in policies]))


def missed() -> Timeline:
    """Show what each `missed` makes of an hour in which the machine is suspended, for a task of every ten minutes."""
    policies = [Policy(), Policy(missed="skip", grace=MINUTE), Policy(missed="catch_up", catch_up_limit=4)]
    start = datetime(2026, 1, 1, 8, tzinfo=UTC)
    often = BackgroundTask(work).with_schedule(Repeat(-1, 10 * MINUTE))
    tasks = [often.with_policy(policy).with_name(policy.missed) for policy in policies]
    slow = [SlowTask(policy.missed, 3 * MINUTE) for policy in policies]
    return timeline(simulate(tasks, start, start + 2 * HOUR, [Suspend(start + 25 * MINUTE, HOUR), *slow]))


def pictures() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each file."""
    for picture in (day, gap, fold, overlap, missed):
        yield f"{picture.__name__}.svg", picture().svg()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, svg in pictures():
        (FOLDER / name).write_text(svg)
        print(FOLDER / name)
