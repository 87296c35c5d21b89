"""What every schedule is, and the two kinds that need no calendar: `Once` and `Repeat`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypedDict

from pydantic import Field
from typing_extensions import Unpack

from .fields import Instant, RunCount, Value, Wait, base_init, drop_titles


def _tidy_json_schema(schema: dict[str, Any]) -> None:
    """Require `kind`, which JSON can't do without, and drop the titles, which only repeat the names."""
    schema["required"] = ["kind", *(name for name in schema.get("required", ()) if name != "kind")]
    drop_titles(schema)
    schema["properties"]["kind"].pop("default", None)


class Schedule(Value, frozen=True, json_schema_extra=_tidy_json_schema):
    """A frozen value that says when a task runs.

    Equal values are equal and hash alike; `model_dump_json()` and the class's `model_validate_json()` are inverse.
    """

    @base_init
    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    def on_wall(self) -> bool:
        """True when it follows the time of day; False when it follows the time that passes."""
        return True

    @property
    def run_count(self) -> int:
        """How many runs it asks for; -1 is for ever."""
        n: int = getattr(self, "n", 1)
        return n


class _OnceFields(TypedDict, total=False):
    kind: Literal["once"]


class Once(Schedule, frozen=True):
    """Run one time: at once when it is added, or at one moment.

    A moment in the past is not lost: the task runs at once, late. The union of two moments is `AnyOf((a, b))`.
    """

    kind: Literal["once"] = "once"
    at: Instant | None = Field(None, description="The moment, aware, kept in UTC; null is when the task is added.")

    @base_init
    def __init__(self, at: datetime | None = None, **fields: Unpack[_OnceFields]) -> None:
        super().__init__(at=at, **fields)

    @property
    def on_wall(self) -> bool:
        """True for a moment, False for "when it is added"."""
        return self.at is not None

    @property
    def run_count(self) -> int:
        """One."""
        return 1


ONCE: Final = Once.model_construct(at=None)
"""`Once()`, the schedule of a task without a setter; made without a validator, which would be built at import."""


class _RepeatFields(TypedDict, total=False):
    kind: Literal["repeat"]


class Repeat(Schedule, frozen=True):
    """Run `n` times, with `wait` from one start to the next.

    The first run is when the task is added, the others lie on the grid `anchor + k * wait` of steady time, without
    drift. Without a wait there is no grid: the next run starts when the one before has ended.
    """

    kind: Literal["repeat"] = "repeat"
    n: RunCount = Field(description="How many runs; -1 is for ever.")
    wait: Wait = Field(timedelta(0), description="The time from one start to the next; zero is back to back.")

    @base_init
    def __init__(self, n: int, wait: timedelta = timedelta(0), **fields: Unpack[_RepeatFields]) -> None:
        super().__init__(n=n, wait=wait, **fields)

    @property
    def on_wall(self) -> bool:
        """False: it follows the time that passes."""
        return False
