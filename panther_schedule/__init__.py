"""Typed, exact schedules for sync and async Python functions."""
