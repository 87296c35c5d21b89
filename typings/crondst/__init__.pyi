# crondst 1.0: only what bench/ calls; it has types of its own, but the checks run without the extra `bench`
from collections.abc import Iterator
from datetime import datetime

class CronDst:
    def __init__(self, expression: str) -> None: ...
    def iter(self, start: datetime) -> Iterator[datetime]: ...
