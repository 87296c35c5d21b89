"""Typed, exact schedules for sync and async Python functions.

A schedule is a value, a task couples a function with a schedule, and a small thread interprets the values:

    background_tasks.add_task(BackgroundTask(send_otp, name="Ali").interval(5).interval_wait(timedelta(minutes=5)))
"""

from .background_tasks import BackgroundTask, background_tasks  # isort: skip - first: otherwise the submodule of the same name would hide the scheduler
from . import events, spec
from .clock import Clock, VirtualClock
from .current import current_run
from .errors import BusyLoopWarning, PantherScheduleError, PantherScheduleWarning, SchedulerStateError
from .explain import explain
from .handles import TaskHandle
from .lint import lint
from .occurrences import between, next_after
from .policies import Policy, Retry
from .preview import preview
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
    "PantherScheduleWarning",
    "BusyLoopWarning",
    "__version__",
]
