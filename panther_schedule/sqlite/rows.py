"""From values to rows of the file, and back."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from ..errors import SchedulerStateError
from ..models.policy import Policy
from ..models.schedules import AnySchedule, Repeat
from ..planning.records import Attempt, Failure, Run
from ..planning.rule import Rule, rule_of, under
from ..planning.state import NOTHING_HELD, Held, State

_SCHEDULE: Final = TypeAdapter[AnySchedule](AnySchedule)
TASK: Final = (
    "id, name, version, func, spec, zone, era, records, anchor, cursor, next_at, handed, running, latest, held"
)
RUN: Final = "id, task, cause, at, previous, number, attempts, phase, asked, wake_at, owner, taken_at, outcome"


class Spec(NamedTuple):
    """What a task is, as the file has it."""

    func: str
    text: str  # JSON, as `spec.dump_task` gives it
    zone: str  # where the schedule names none


class Seen(NamedTuple):
    """A task at one moment."""

    version: int  # of its spec
    spec: Spec
    rule: Rule
    state: State
    era: int
    records: int
    fault: str = ""  # why its spec can't be read; the rule is that of the one before


def seen_of(row: Any, before: Seen | None = None) -> Seen:
    """Read a row of the columns `TASK`. Where the spec can't be read, its rule stays as it was `before`.

    Raises:
        SchedulerStateError: it can't be read at all, as one of a later version of this program.
    """
    id_, name, version, func, text, zone, era, records, anchor, cursor, next_at, handed, running, latest, held = row
    fault = f"the task {name!r} (row {id_}) can't be read, so it does not run: "
    try:
        state = State(anchor, cursor, next_at, handed, running, latest, _held_of(held), name)
    except Exception as error:
        raise SchedulerStateError(fault + _said(error)) from error
    try:
        return Seen(version, Spec(func, text, zone), rule_for(text, zone), state, era, records)
    except Exception as error:
        if before is None:
            raise SchedulerStateError(fault + _said(error)) from error
        return Seen(version, Spec(func, text, zone), before.rule, state, era, records, fault + _said(error))


def _said(error: Exception) -> str:
    return error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)


def state_values(state: State) -> tuple[Any, ...]:
    """Return a state as the columns anchor to held."""
    held = None if state.held is NOTHING_HELD else json.dumps(_changed(state.held))
    return state.anchor, state.cursor, state.next_at, state.handed, state.running, state.latest, held


def _changed(held: Held) -> dict[str, Any]:
    return {name: value for name, value in held._asdict().items() if value != getattr(NOTHING_HELD, name)}


def _held_of(text: str | None) -> Held:
    if text is None:
        return NOTHING_HELD
    fields = json.loads(text)
    return NOTHING_HELD._replace(**{**fields, "waiting": tuple(fields.get("waiting", ()))})


@lru_cache(maxsize=4096)
def rule_for(text: str, zone: str) -> Rule:
    """Return the rule of a task by its spec; a shared store goes by the wall clock alone."""
    item = json.loads(text)
    rule = rule_of(_schedule(item), ZoneInfo(zone))
    if "policy" in item:
        policy = Policy.model_validate_json(json.dumps(item["policy"]))
        rule = under(rule, policy, lambda: item.get("name") or item["func"])
    return replace(rule, on_wall=True)


def follows_zone(text: str) -> bool:
    """Tell whether a task goes by dates and times of day, which new rules of a zone may move."""
    return not isinstance(_schedule(json.loads(text)), Repeat)


def _schedule(item: Any) -> AnySchedule:
    return _schedule_of(json.dumps(item["schedule"]))


@lru_cache(maxsize=1024)
def _schedule_of(text: str) -> AnySchedule:
    return _SCHEDULE.validate_json(text)


def run_of(row: Any, task: str) -> Run:
    """Read a row of the columns `RUN`."""
    id_, _task, cause, at, previous, number, attempts, phase, asked, wake_at, _owner, _taken, _outcome = row
    try:
        ended = attempts_of(attempts)
    except Exception as error:
        raise SchedulerStateError(f"a run of the task {task!r} (row {id_}) can't be read: {error}") from error
    return Run(task, at, previous, cause, number, ended, phase, bool(asked), wake_at)


def record_of(row: Any, task: str) -> Run:
    """Read such a row of a run that is over, even if its function goes on."""
    return run_of(row, task)._replace(phase="ended")


def attempts_text(attempts: tuple[Attempt, ...]) -> str:
    return json.dumps([(*each[:3], each.error) for each in attempts]) if attempts else "[]"


def attempts_of(text: str) -> tuple[Attempt, ...]:
    return tuple(_attempt_of(each) for each in json.loads(text)) if text != "[]" else ()


def _attempt_of(each: Any) -> Attempt:
    started, finished, outcome, error = each
    failure = None if error is None else Failure(tuple(error[0]), error[1], error[2])
    return Attempt(started, finished, outcome, failure)
