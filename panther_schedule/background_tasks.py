"""The ready-made scheduler, under the name that Panther's users know."""

from .runtime.scheduler import Scheduler
from .tasks.task import BackgroundTask

background_tasks = Scheduler()
"""The scheduler of this process; its first `add_task()` starts it."""

__all__ = ["BackgroundTask", "background_tasks"]
