"""Pictures of what will run and what ran: `timeline()` makes one of tasks, handles or a simulation."""

from .marks import ClockChange, Lane, Mark
from .timelines import Timeline, timeline

__all__ = ["ClockChange", "Lane", "Mark", "Timeline", "timeline"]
