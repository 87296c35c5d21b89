# huey 3.5: only what bench/ calls
from collections.abc import Callable
from typing import Any

from huey.storage import SqliteStorage

class Huey:
    storage: SqliteStorage
    def __init__(
        self,
        name: str = "huey",
        results: bool = True,
        store_none: bool = False,
        *,
        storage_class: type[SqliteStorage] | None = None,
        **storage_kwargs: Any,
    ) -> None: ...
    def task(self) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...
    def signal(self, *signals: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...
    def pending_count(self) -> int: ...
    def result_count(self) -> int: ...
