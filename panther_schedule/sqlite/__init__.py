"""Tasks that outlive their process, in one SQLite file that any number of processes share.

    Scheduler(store=SQLiteStore("tasks.db"), registry=tasks)

A turn of a scheduler is one transaction: what was decided is kept as a whole before anything runs. So a process may
be stopped at any moment, and the ledger says what happened to every occurrence.
"""

from ..runtime.plans import Change, Plan
from .keeper import SQLiteStore

__all__ = ["Change", "Plan", "SQLiteStore"]
