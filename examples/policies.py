"""An import of orders that skips no hour: failed runs are tried again, missed ones are caught up.

On a virtual clock a day takes a moment: `python examples/policies.py`.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from panther_schedule import BackgroundTask, Policy, Repeat, Retry, Scheduler, VirtualClock, current_run, events

HOUR = timedelta(hours=1)
clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
loaded: list[tuple[datetime, datetime]] = []


def load_orders(since: datetime) -> None:
    """Load the orders since the run before; the shop's database is down from 02:59 to 03:02."""
    run = current_run()
    if datetime(2026, 1, 1, 2, 59, tzinfo=UTC) <= clock.now() < datetime(2026, 1, 1, 3, 2, tzinfo=UTC):
        raise ConnectionError("the database is down")
    loaded.append((run.previous_at or since, run.scheduled_at))


def tell(event: events.Event) -> None:
    """Print what did not go as planned."""
    at = f"{clock.now():%H:%M}"
    match event:
        case events.RunRetried(_task, _run, delay):
            print(at, f"attempt {event.attempt.outcome}, again in {delay}")
        case events.RunFinished(_task, run) if run.outcome != "succeeded" or len(run.attempts) > 1:
            print(at, f"run for {run.scheduled_at:%H:%M} {run.outcome}, attempt {len(run.attempts)}")
        case events.OccurrencesPassed(_task, passed):
            print(at, f"{passed.count} {passed.reason}, {passed.first_at:%H:%M} to {passed.last_at:%H:%M}")
        case _:
            pass


def main() -> None:
    """Simulate a day with an outage, a suspended machine and a pause."""
    policy = Policy(
        missed="catch_up",
        catch_up_window=timedelta(hours=12),
        retry=Retry(5, delay=timedelta(minutes=1), on=(ConnectionError,)),
        timeout=timedelta(minutes=30),
    )
    start = clock.now()
    task = BackgroundTask(load_orders, start - HOUR).with_schedule(Repeat(-1, HOUR)).with_policy(policy)
    print(task.explain())
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_listener(tell)
        handle = scheduler.add_task(task.with_name("orders"))
        clock.advance(timedelta(hours=5, minutes=30))
        clock.suspend(4 * HOUR)  # the machine is suspended: 06:00 to 09:00 are caught up
        clock.advance(4 * HOUR)
        handle.pause("the shop moves")
        clock.advance(6 * HOUR)
        handle.resume()
        clock.advance(5 * HOUR)
        print({name: number for name, number in handle.counts.items() if number})

    gaps = [after[0] - before[1] for before, after in pairwise(loaded)]
    print(len(loaded), "loads, hours left out:", sum(gaps, timedelta(0)) / HOUR)


if __name__ == "__main__":
    main()
