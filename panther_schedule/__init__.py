"""Typed, exact schedules for sync and async Python functions.

A schedule is a value, a task couples a function with a schedule, and a small thread interprets the values:

    background_tasks.add_task(BackgroundTask(send_otp, name="Ali").interval(5).interval_wait(timedelta(minutes=5)))
"""

from .background_tasks import BackgroundTask, background_tasks  # isort: skip - first: otherwise the submodule of the same name would hide the scheduler
from . import spec
from .clock import Clock, Reading, SystemClock, VirtualClock
from .errors import BusyLoopWarning, PantherScheduleError, PantherScheduleWarning, SchedulerStateError
from .explain import explain
from .handles import TaskHandle
from .lint import Smell, lint
from .occurrences import between, next_after
from .preview import Preview, preview
from .registry import TaskRegistry
from .runs import Passed, Run
from .scheduler import Scheduler
from .schedules import AnyOf, AnySchedule, Cron, Daily, Monthly, Once, Repeat, Schedule, Weekly

__version__ = "0.1.0"

__all__ = [
    # tasks, and the scheduler that runs them
    "BackgroundTask",
    "background_tasks",
    "Scheduler",
    "TaskHandle",
    "Run",
    "Passed",
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
    "Preview",
    "lint",
    "Smell",
    "next_after",
    "between",
    # tasks as JSON
    "TaskRegistry",
    "spec",
    # time
    "Clock",
    "Reading",
    "SystemClock",
    "VirtualClock",
    # errors
    "PantherScheduleError",
    "SchedulerStateError",
    "PantherScheduleWarning",
    "BusyLoopWarning",
    "__version__",
]
