# APScheduler 3.11: only what bench/ calls
EVENT_JOB_REMOVED: int
EVENT_JOB_EXECUTED: int
