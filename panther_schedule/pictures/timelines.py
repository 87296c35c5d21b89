"""`timeline()` and what it returns: a picture of tasks over a span of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Protocol, cast, runtime_checkable
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from typing_extensions import override

from ..clock import instant, moment
from ..errors import check_number, refuse_value, type_name
from ..occurrences.compiler import anchor_of, checked_zone, zone_for
from ..occurrences.evaluators import Evaluator
from ..planning.records import Record, Run
from ..planning.rule import Plan, rule_of, under
from ..planning.state import State
from ..wording.previews import calendars_of
from ..wording.sentence import Task
from .axis import Axis
from .marks import ClockChange, Lane, coming, recorded
from .svg import draw_svg
from .text import Style, draw_text


@runtime_checkable
class NamedTask(Task, Protocol):
    """What a picture needs to know of a `BackgroundTask`."""

    @property
    def name(self) -> str | None: ...


@runtime_checkable
class Recorded(Protocol):
    """What a picture needs to know of a `TaskHandle`, or of a task in a simulation."""

    @property
    def name(self) -> str: ...
    def _pictured(self) -> tuple[Sequence[Record], Sequence[Run], Plan]: ...


@dataclass(frozen=True, slots=True)
class Timeline:
    """What will run and what ran, from `start` to `end`: a lane for each task.

    `print()` shows it as text, and a notebook as SVG. Its fields are those of its JSON.
    """

    start: datetime
    """Aware, in UTC, as all times of a timeline."""
    end: datetime
    """Included."""
    zone: str
    """Whose clock the axis shows."""
    lanes: tuple[Lane, ...]
    """The tasks, in the order given."""
    clock_changes: tuple[ClockChange, ...]
    """When the clock of the zone is set, unless the span is longer than two years."""

    def text(self, width: int = 80, *, ascii: bool = False, style: Style | None = None) -> str:  # noqa: A002 - the word for it
        """Draw it in lines of at most `width` columns, at least 40.

        With `ascii` it has ASCII characters alone, for terminals that know no others. `style(what, text)` may
        return the signs of a kind of marks with colours around them.
        """
        width = check_number("text", "number", "width", width, 40, "write text(width=80)")
        return draw_text(self._axis, self.lanes, self.clock_changes, width, bool(ascii), style)

    def svg(self, width: int = 640) -> str:
        """Draw it as SVG of so many pixels, at least 320: it follows the reader's dark mode, and needs nothing else."""
        width = check_number("svg", "number", "width", width, 320, "write svg(width=640)")
        return draw_svg(self._axis, self.lanes, self.clock_changes, width)

    def json(self, *, indent: int | None = None) -> str:
        """Return its fields as JSON; `TypeAdapter(Timeline).validate_json()` reads it."""
        if indent is not None:
            indent = check_number("json", "number", "indent", indent, 0, "write json(indent=2)")
        return _adapter().dump_json(self, indent=indent).decode()

    @property
    def _axis(self) -> Axis:
        return Axis(self.start, self.end, self.zone)

    def _repr_svg_(self) -> str:
        return self.svg()

    @override
    def __str__(self) -> str:
        return self.text()


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Timeline]:
    return TypeAdapter(Timeline)


def timeline(
    tasks: Iterable[NamedTask | Recorded],
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    zone: ZoneInfo | str | None = None,
) -> Timeline:
    """Make a picture of tasks from `start` to `end`, both included.

    `tasks` are tasks, as a list or a `TaskRegistry`: their occurrences, as if they were added at `start`; or handles,
    as a `Scheduler`: their records, their runs in flight and the occurrences that are to come; or what `simulate()`
    returns, whose own start and end may be left out. It reads no clock. Of more than 240 marks in a lane,
    those that would touch in a picture are one mark with a count.

    `zone` is for tasks whose schedules name none, and for the axis. Without it they use the machine's, and the axis
    that of the tasks if it is one, else UTC.

    Raises:
        ValidationError: `tasks` are none of these (`tasks_type`), a time is not aware (`instant`), `end` is not after
            `start` (`timeline_span`), or the zone is not known (`time_zone`).
    """
    given = _checked(tasks)
    opening = getattr(tasks, "start", None) if start is None else start
    closing = getattr(tasks, "end", None) if end is None else end
    first, last = instant("timeline", "start", opening), instant("timeline", "end", closing)
    if last <= first:
        got = f"{opening} to {closing}"
        refuse_value("timeline", "timeline_span", "end", "after start", got, "write start + timedelta(days=7)")
    known = None if zone is None else checked_zone(zone)
    lanes, schedules = list[Lane](), list[Evaluator]()
    for each in given:
        records, in_flight, plan = (
            each._pictured() if isinstance(each, Recorded) else ((), (), _plan(each, first, known))
        )
        marks, note = recorded(records, in_flight, first, last), None
        if plan is not None:
            marks += coming(plan, first, last)
            schedules.append(plan[0].occurrences)
            note = _note(plan)
        marks.sort(key=lambda mark: mark.start_at)
        lanes.append(Lane(_name(each), tuple(marks), note))
    zones = {calendar.zone.info.key for schedule in schedules for calendar in calendars_of(schedule)}
    shown = known.key if known else zones.pop() if len(zones) == 1 else "UTC"
    axis = Axis(moment(first), moment(last), shown)
    return Timeline(axis.start, axis.end, shown, tuple(lanes), axis.changes())


def _checked(tasks: object) -> list[NamedTask | Recorded]:
    given = [*cast("Iterable[object]", tasks)] if isinstance(tasks, Iterable) else [tasks]
    wrong = [each for each in given if not isinstance(each, NamedTask | Recorded)]
    if wrong or not isinstance(tasks, Iterable):
        rule = "tasks, a TaskRegistry, handles, a Scheduler or a Simulation"
        got, remedy = type_name(wrong[0] if wrong else tasks), "write timeline([task], start, end)"
        refuse_value("timeline", "tasks_type", "tasks", rule, got, remedy)
    return cast("list[NamedTask | Recorded]", given)


def _name(each: NamedTask | Recorded) -> str:
    return each.name if isinstance(each, Recorded) else each.name or each._jitter_key.rpartition(".")[2]


def _plan(task: NamedTask, start: int, zone: ZoneInfo | None) -> Plan | None:
    """Return what is to come of a task that is added just before `start`, so that an occurrence then is in it."""
    rule = under(rule_of(task.schedule, zone or zone_for(task.schedule)), task.policy, lambda: task._jitter_key)
    anchor = anchor_of(task.schedule, start)
    first = rule.occurrences.next_after(start - 1 if rule.on_wall and not rule.once else anchor - 1, anchor)
    return None if first is None else (rule, State(anchor, None, first), 0)


def _note(plan: Plan) -> str | None:
    rule, state, _ = plan
    if state.held.paused is not None:
        return f"paused: {state.held.paused}" if state.held.paused else "paused"
    depends = rule.wait_from_end is not None and state.next_at is not None and rule.n != 1
    return "what follows depends on its runs" if depends else None
