"""For tests: a scheduler in virtual time, and what would run, without running it.

The fixture `schedule_clock` of our pytest plugin gives a `ScheduleClock`.
"""

from .faults import ClockStep, FailingTask, Fault, SlowTask, Suspend
from .schedule_clock import ScheduleClock
from .simulation import SimulatedTask, Simulation, simulate

__all__ = [
    "ScheduleClock",
    # what would run
    "simulate",
    "Simulation",
    "SimulatedTask",
    "Fault",
    "Suspend",
    "ClockStep",
    "SlowTask",
    "FailingTask",
]
