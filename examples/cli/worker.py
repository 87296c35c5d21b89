"""A process that runs the tasks of tasks.db until one run has ended; an app's would go on. See docs/command-line.md."""

from threading import Event

from shop import registry

from panther_schedule import Scheduler, events
from panther_schedule.sqlite import SQLiteStore

done = Event()


def look(event: events.Event) -> None:
    if isinstance(event, events.RunFinished):
        done.set()


scheduler = Scheduler(store=SQLiteStore("tasks.db"), registry=registry)
scheduler.add_listener(look)
with scheduler:
    done.wait()
