"""Typed, exact schedules for sync and async Python functions.

A schedule is a value, a task couples a function with a schedule, and a small thread interprets the values:

    background_tasks.add_task(BackgroundTask(send_otp, name="Ali").interval(5).interval_wait(timedelta(minutes=5)))
"""

from .background_tasks import BackgroundTask, background_tasks  # isort: skip - first: otherwise the submodule of the same name would hide the scheduler
from . import events, spec
from .clock import Clock, VirtualClock
from .errors import BusyLoopWarning, PantherScheduleError, PantherScheduleWarning, SchedulerStateError, StoreError
from .models.policy import Policy, Retry
from .models.schedules import AnyOf, AnySchedule, Cron, Daily, Monthly, Once, Repeat, Schedule, Weekly
from .occurrences.queries import between, next_after
from .planning.records import Passed, Run
from .runtime.current import current_run
from .runtime.handles import TaskHandle
from .runtime.scheduler import Scheduler
from .tasks.registry import TaskRegistry
from .tasks.task import AnyTask
from .wording.previews import preview
from .wording.sentence import explain
from .wording.smells import lint

__version__ = "0.1.0"

__all__ = [
    # tasks, and the scheduler that runs them
    "BackgroundTask",
    "AnyTask",
    "background_tasks",
    "Scheduler",
    "TaskHandle",
    "Policy",
    "Retry",
    "Run",
    "Passed",
    "current_run",
    "events",
    # schedules
    "Once",
    "Repeat",
    "Daily",
    "Weekly",
    "Monthly",
    "Cron",
    "AnyOf",
    "Schedule",
    "AnySchedule",
    "explain",
    "preview",
    "lint",
    "next_after",
    "between",
    # tasks as JSON
    "TaskRegistry",
    "spec",
    # time
    "Clock",
    "VirtualClock",
    # errors
    "PantherScheduleError",
    "SchedulerStateError",
    "StoreError",
    "PantherScheduleWarning",
    "BusyLoopWarning",
    "__version__",
]
