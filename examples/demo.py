"""The package at work, in under ten seconds: `python3 dev.py demo`."""

import time as real_time
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from panther_schedule import BackgroundTask, Scheduler, TaskRegistry, VirtualClock, background_tasks, spec

began = real_time.monotonic()
registry = TaskRegistry()


def say(words: str, at: str | None = None) -> None:
    """Print words after a time, by default the seconds since the start."""
    print(f"{at or f'{real_time.monotonic() - began:8.2f} s'}  {words}", flush=True)


@registry.register
def send_otp(name: str) -> None:
    """Pretend to send something."""
    say(f"  send_otp({name!r})")


def greeter(clock: VirtualClock) -> Callable[[str], object]:
    """Return the async function of the fourth use, which prints the time of this clock."""

    async def send_hello(name: str) -> None:
        say(f"  send_hello({name!r})", f"{clock.now():%a %H:%M:%S}")

    return send_hello


def main() -> None:
    """Show the four uses, then tasks as JSON."""
    say("1. once, now: BackgroundTask(send_otp, name='Ali')")
    background_tasks.add_task(BackgroundTask(send_otp, name="Ali")).join()

    say("2. five times, back to back: .interval(5)")
    background_tasks.add_task(BackgroundTask(send_otp, name="Ali").interval(5)).join()

    waiting = BackgroundTask(send_otp, name="Ali").interval(5).interval_wait(timedelta(seconds=0.8))
    say(f"3. with a wait from one start to the next (0.8 s here instead of minutes): {waiting.explain()}")
    background_tasks.add_task(waiting).join()

    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
    daily = BackgroundTask(greeter(clock), "Ali").interval(-1).on_time(time(hour=8, minute=0), tz="UTC")
    say(f"4. every morning, an async function: {daily.explain()}")
    say("   its next runs on this machine's clock:")
    for moment in daily.next_runs(3):
        say(f"  {moment:%a %Y-%m-%d %H:%M:%S %Z}")
    say("   three days of it in SIMULATED time, on a VirtualClock, with simulated times:")
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(daily)
        clock.advance(timedelta(days=3))

    say("5. the third use as JSON, and back")
    text = spec.dump([waiting.with_name("otp")], registry)
    print(text, end="")
    (loaded,) = spec.load(text, registry)
    say(f"   the loaded task is equal to the one that was dumped: {loaded == waiting.with_name('otp')}")
    say("done")


if __name__ == "__main__":
    main()
