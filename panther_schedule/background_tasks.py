"""The ready-made scheduler, under the name that Panther's users know."""

from .runtime.scheduler import Scheduler
from .tasks.panther import OF_SCHEDULERS, OF_TASKS, point_out
from .tasks.task import BackgroundTask

background_tasks = Scheduler()
"""The scheduler of this process; its first `add_task()` starts it."""

point_out(BackgroundTask, OF_TASKS)
point_out(Scheduler, OF_SCHEDULERS)

__all__ = ["BackgroundTask", "background_tasks"]
