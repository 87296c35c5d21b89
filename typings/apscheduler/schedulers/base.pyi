from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from apscheduler.triggers.base import BaseTrigger

class Job:
    id: str
    name: str
    next_run_time: datetime | None
    def remove(self) -> None: ...

class BaseScheduler:
    def __init__(self, gconfig: Mapping[str, Any] = ..., **options: Any) -> None: ...
    def add_executor(self, executor: object, alias: str = ..., **executor_opts: Any) -> None: ...
    def add_listener(self, callback: Callable[..., Any], mask: int = ...) -> None: ...
    def add_job(
        self,
        func: Callable[..., Any] | str,
        trigger: BaseTrigger | str | None = None,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        id: str | None = None,
        name: str | None = None,
        misfire_grace_time: int | None = ...,
        coalesce: bool = ...,
        max_instances: int = ...,
        next_run_time: datetime | None = ...,
        jobstore: str = "default",
        executor: str = "default",
        replace_existing: bool = False,
        **trigger_args: Any,
    ) -> Job: ...
    def get_jobs(self, jobstore: str | None = None) -> list[Job]: ...
    def remove_all_jobs(self, jobstore: str | None = None) -> None: ...
    def start(self, paused: bool = False) -> None: ...
    def resume(self) -> None: ...
    def shutdown(self, wait: bool = True) -> None: ...
    @property
    def running(self) -> bool: ...
    timezone: tzinfo
