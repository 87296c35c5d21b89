"""A process that runs what is due in tasks.db, and ends; one of an app would go on. See docs/command-line.md."""

from shop import registry

from panther_schedule import Scheduler
from panther_schedule.sqlite import SQLiteStore

with Scheduler(store=SQLiteStore("tasks.db"), registry=registry) as scheduler:
    pass
