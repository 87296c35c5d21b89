"""In a process that finds this on its path the wall clock stands, as a page's commands need it for exact output."""

from datetime import UTC, datetime

from panther_schedule import clock

_AT = clock.microseconds(datetime(2026, 12, 24, tzinfo=UTC)) * 1000
clock._wall_ns = lambda: _AT
