"""When a schedule happens, in integer microseconds."""

from .queries import between, count, latest, next_after, previous

__all__ = ["between", "count", "latest", "next_after", "previous"]
