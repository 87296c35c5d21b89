"""The ready-made scheduler, under the name that Panther's users know."""

from .scheduler import Scheduler
from .task import BackgroundTask

background_tasks = Scheduler()
"""The scheduler of this process; its first `add_task()` starts it."""

__all__ = ["BackgroundTask", "background_tasks"]
