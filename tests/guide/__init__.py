"""The guide: a file for each page of the docs, to be read beside it. One concept a test, in simulated time.

`clock` is a `VirtualClock` that stands at midnight, in UTC, of 1 January 2026: a Thursday.
"""
