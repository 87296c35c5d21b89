"""The command line, `panther-schedule`: it needs the extra `cli`."""

from .entry import main

__all__ = ["main"]
