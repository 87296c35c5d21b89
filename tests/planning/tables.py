"""What the tables of planning share: a task that was added, in plain integers of microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from panther_schedule import Daily, Policy, Repeat, Schedule
from panther_schedule.clock import Reading, microseconds
from panther_schedule.planning.due import begin
from panther_schedule.planning.records import Attempt, Outcome, Passed, Run
from panther_schedule.planning.rule import Rule, rule_of, under
from panther_schedule.planning.state import State, Step
from panther_schedule.runtime.failures import failure_of

S: Final = 1_000_000
HOUR: Final = 3600 * S
DAY: Final = 24 * HOUR
SECOND: Final = timedelta(seconds=1)
AT: Final = microseconds(datetime(2026, 1, 1, tzinfo=UTC))
"""When tasks are added, on both clocks."""
UTC_ZONE: Final = ZoneInfo("UTC")
GRID: Final = Repeat(-1, 10 * SECOND)
DAILY: Final = Daily(time(1), tz="UTC")


def added(
    schedule: Schedule = GRID, policy: Policy | None = None, *, key: str = "task", reading: Reading | None = None
) -> tuple[Rule, State]:
    """Return the rule and the first state of a task that was added at AT, or at another reading."""
    rule = under(rule_of(schedule, UTC_ZONE), policy or Policy(), lambda: key)
    state = begin(schedule, rule, rule.now(reading or Reading(AT, AT)))
    assert state is not None
    return rule, state


def now(after: float) -> Reading:
    """Return a reading so many seconds after AT."""
    return Reading(us(after), us(after))


def us(after: float) -> int:
    """Return a time that is given in seconds after AT."""
    return AT + round(after * S)


def seconds(at: int | None) -> float | None:
    """Return a time in seconds after AT."""
    return None if at is None else (at - AT) / S


def starts(step: Step) -> list[float | None]:
    """List the occurrences whose runs start, in seconds after AT."""
    return [seconds(run.at) for run in step.starts]


def passed(step: Step) -> list[tuple[str, float | None, float | None, int]]:
    """List the occurrences that become no runs, in seconds after AT."""
    return [(one.reason, seconds(one.first), seconds(one.last), one.count) for one in step.passed]


def range_of(reason: str, first: float, last: float, count: int) -> Passed:
    """Return a range of occurrences that became no runs."""
    return Passed(reason, us(first), us(last), count)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the tables hold plain strings


def finished(
    outcome: Outcome = "succeeded", after: float = 5, error: BaseException | None = None, started: float = 0
) -> Attempt:
    """Return a call that ended so many seconds after AT."""
    return Attempt(us(started), us(after), outcome, failure_of(error))


def started(rule: Rule, state: State, run: Run | None = None) -> tuple[State, Run]:
    """Return the state with one more scheduled run in flight, and the run."""
    return state._replace(running=state.running + 1), run or Run("", AT, None)
