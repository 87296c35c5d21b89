"""A real scheduler and the model side by side: each act is done to both, then all that can be seen is compared.

The real loop runs on a virtual clock, with workers that call no function: a run that was handed over goes on until
the test ends it.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from model import Model
from model_parts import Call, Ended, Occurrences, PassedLine, RunLine, Task, Ways

from panther_schedule import (
    BackgroundTask,
    Cron,
    Daily,
    Once,
    Policy,
    Repeat,
    Retry,
    Scheduler,
    TaskRegistry,
    VirtualClock,
)
from panther_schedule.clock import microseconds, moment
from panther_schedule.planning.records import Attempt, Passed, Record, Run
from panther_schedule.runtime.entries import Entry, Flight
from panther_schedule.runtime.handles import RunHandle, TaskHandle
from panther_schedule.runtime.life import Life
from panther_schedule.runtime.virtual import Inline

T = TypeVar("T")
START = microseconds(datetime(2026, 1, 1, tzinfo=UTC))
LONG_BEFORE = START - 10 * 86_400_000_000  # where the lists of wall-clock kinds begin
TASK_HISTORY = 20
ERRORS: dict[str | None, BaseException | None] = {
    None: None,
    "ValueError": ValueError("a failure"),
    "SystemExit": SystemExit("not tried again"),
    "CancelledError": CancelledError(),
}


def us(by: int) -> timedelta:
    """Return microseconds as a timedelta."""
    return timedelta(microseconds=by)


class DivergenceError(AssertionError):
    """The scheduler and the model differ."""


class FaultError(Exception):
    """The scheduler went wrong about a task, and has put it off."""


class HeldWorkers(Inline):
    """Workers that keep each run, called or not, until the test says how it ends."""

    def __init__(self, life: Life, log: list[tuple[str, int, str, int]]) -> None:
        assert isinstance(life.clock, VirtualClock)
        super().__init__(life.clock, life.engine, life.loop.post)
        self.clock = life.clock
        self.full = False
        self.open: list[Flight] = []
        self.log = log

    def start(self, flights: list[Flight]) -> None:
        """Take runs over, and call their functions if there are free workers."""
        for flight in flights:
            self.open.append(flight)
            self.log.append(
                (flight.entry.name, flight.run.at + flight.run.offset, flight.run.cause, flight.run.attempt)
            )
            if not self.full:
                self.begin(flight)

    def begin(self, flight: Flight) -> None:
        """Begin, as a worker does."""
        if flight.asked:
            self.let_end(flight, "cancelled", None)
            return
        flight.started = flight.entry.rule.now(self.clock.read())
        self.post(partial(self._engine.begin, flight, self._now(self._engine.shared is not None)))

    def let_end(self, flight: Flight, outcome: str, error: BaseException | None) -> None:
        """Let a function end."""
        self.open.remove(flight)
        self.end(flight, error, outcome == "cancelled")


@dataclass(frozen=True)
class Timing:
    """A schedule, as both sides make it."""

    kind: str  # repeat, end (measured from there), hourly, often (each ten minutes), daily, once (when added), at
    n: int = -1
    wait: int = 0
    by: int = 0
    """How far an `at` lies from the time it is added; how long after that a `repeat`, an `end` or a `once` begins."""


REGISTRY = TaskRegistry()


@REGISTRY.register
def nothing() -> None:
    """Do nothing; it is never called."""


class Pair:
    """A real scheduler, the model, and what was done to both."""

    history = TASK_HISTORY
    """How many records of a task are compared."""

    def __init__(self) -> None:
        self.clock = VirtualClock(moment(START))
        self.model = self.made_model()
        self.handles: list[TaskHandle] = []
        self.manual: list[tuple[RunHandle, Call]] = []
        self.done: list[str] = []
        self.log: list[tuple[str, int, str, int]] = []
        """What was handed over since the last comparison."""
        self.begin(self.made_scheduler())

    def made_model(self) -> Model:
        """Make the model."""
        return Model(START)

    def made_scheduler(self) -> Scheduler:
        """Make the real one."""
        return Scheduler(clock=self.clock)

    def begin(self, scheduler: Scheduler) -> None:
        """Start the real one, with workers of ours."""
        self.scheduler = scheduler.start()
        assert scheduler._life is not None
        self.life = scheduler._life
        self.workers = self.life.workers = self.life.loop._workers = HeldWorkers(self.life, self.log)

    def fill(self, full: bool) -> None:
        """Let there be no free worker, or free ones again."""
        self.workers.full = full

    def workers_of(self, _flight: Flight) -> HeldWorkers:
        """Return the workers that have a run."""
        return self.workers

    def do(self, act: Callable[[], T]) -> T:
        """Do something to the real one."""
        return act()

    # ---- what is done to both --------------------------------------------------------------------------------

    def note(self, what: str, *details: object) -> None:
        """Remember what is done, to tell it when the two differ."""
        self.done.append(" ".join([what, *map(repr, details)]))

    def add(self, timing: Timing, ways: Ways, *, named: bool) -> None:
        """Add a task."""
        name = f"task-{len(self.handles)}" if named else None
        self.note("add", name, timing, ways)
        schedule, occurrences = self.timing(timing)
        task = BackgroundTask(nothing).with_schedule(schedule).with_policy(policy_of(ways))
        task = task if name is None else task.with_name(name)
        self.handles.append(self.do(lambda: self.scheduler.add_task(task)))
        self.clock.advance(timedelta(0))
        self.model.add(name, occurrences, ways)

    def replace(self, at: int, timing: Timing | None, ways: Ways) -> None:
        """Replace a task's policy, and its schedule if one is given."""
        self.note("replace", at, timing, ways)
        known = self.handles[at].task
        schedule, occurrences = (known.schedule, None) if timing is None else self.timing(timing)
        task = BackgroundTask(nothing).with_schedule(schedule).with_policy(policy_of(ways)).with_name(f"task-{at}")
        self.do(lambda: self.scheduler.replace(task))
        self.clock.advance(timedelta(0))
        self.model.replace(self.model.tasks[at], occurrences if schedule != known.schedule else None, ways)

    def pause(self, at: int) -> None:
        """Pause a task."""
        self.note("pause", at)
        self.do(lambda: self.handles[at].pause("a reason"))
        self.model.pause(self.model.tasks[at])

    def resume(self, at: int) -> None:
        """Resume a task."""
        self.note("resume", at)
        self.do(self.handles[at].resume)
        self.model.resume(self.model.tasks[at])

    def cancel(self, at: int) -> None:
        """Cancel a task."""
        self.note("cancel", at)
        self.do(self.handles[at].cancel)
        self.model.cancel(self.model.tasks[at])

    def run_now(self, at: int) -> None:
        """Run a task once more."""
        self.note("run_now", at)
        self.manual.append((self.do(self.handles[at].run_now), self.model.run_now(self.model.tasks[at])))

    def backfill(self, at: int, start: int, end: int) -> None:
        """Fill a span of time, given by how long ago it began and ended; zero is whatever comes last."""
        self.note("backfill", at, start, end)
        task = self.model.tasks[at]
        now = self.model.now(task) + task.shift()
        first, last = now - start, now - end if end else self.model.wall
        real = self.do(lambda: self.handles[at].backfill(moment(first), moment(last)))
        calls = self.model.backfill(self.model.tasks[at], first, last)
        self.same(
            "the backfill", [microseconds(run.scheduled_at) for run in real], [call.at + call.ahead for call in calls]
        )
        self.manual += zip(real, calls, strict=True)

    def cancel_run(self, at: int) -> None:
        """Cancel one manual or backfill run."""
        self.note("cancel_run", at)
        real, call = self.manual[at]
        self.do(real.cancel)
        self.model.cancel_run(call)

    def end(self, at: int, outcome: str, error: str | None) -> None:
        """End a run that was called; the scheduler hears of it when it next looks."""
        self.note("end", at, outcome, error)
        flight, call = self.called()[at]
        self.workers_of(flight).let_end(flight, outcome, ERRORS[error])
        self.model.end(call, outcome, error)

    def called(self) -> list[tuple[Flight, Call]]:
        """List the runs whose functions are going, on both sides."""
        self.same("the number of open runs", len(self.workers.open), len(self.model.open))
        return [pair for pair in zip(self.workers.open, self.model.open, strict=True) if pair[1].called]

    def set_full(self, full: bool) -> None:
        """Take all free workers away, or give some back."""
        self.note("set_full", full)
        self.fill(full)
        if not full:
            for flight in list(self.workers.open):
                if flight.started is None:
                    self.workers_of(flight).begin(flight)
        self.clock.advance(timedelta(0))
        self.model.set_full(full)

    def advance(self, by: int) -> None:
        """Let time pass."""
        self.note("advance", by)
        self.clock.advance(us(by))
        self.model.advance(by)

    def suspend(self, by: int) -> None:
        """Let time pass with nobody looking."""
        self.note("suspend", by)
        self.clock.suspend(us(by))
        self.model.suspend(by)

    def step(self, by: int) -> None:
        """Set the wall clock."""
        self.note("step", by)
        self.clock.step(us(by))
        self.model.step(by)

    # ---- what can be seen ------------------------------------------------------------------------------------

    def check(self) -> None:
        """Compare all that can be seen."""
        for message in self.life.loop._put_off:
            raise FaultError(f"{message} was put off after{self.told()}")
        names = [handle.name for handle in self.handles]
        starts = [(names[order], *start) for order, *start in self.model.log]
        self.same("the starts", self.log, starts)
        self.log.clear()
        self.model.log.clear()
        asked = [flight.asked for flight in self.workers.open]
        self.same("who was asked", asked, [call.asked for call in self.model.open])
        for handle, task in zip(self.handles, self.model.tasks, strict=True):
            self.check_task(handle, task)

    def check_task(self, handle: TaskHandle, task: Task) -> None:
        """Compare a task, and look at the law: each due occurrence is counted once."""
        what, entry = f"task {task.order}: ", handle._entry
        self.same(what + "records", self.records_of(entry), [line.shown() for line in task.lines[-self.history :]])
        counts = {what: n for what, n in handle.counts.items() if n or what == "in_flight"}
        self.same(what + "counts", counts, task.counts())
        self.same(what + "sum of the counts", sum(counts.values()), task.occurred())
        self.same(what + "next_run", handle.next_run, self.next_run(task))
        self.same(what + "ended", handle.ended, task.ended)
        self.same(what + "paused", handle.paused, task.paused)

    def records_of(self, entry: Entry) -> list[RunLine | PassedLine]:
        """Return a task's records as the model writes them."""
        return [line_of(record) for record in entry.history or ()]

    def next_run(self, task: Task) -> datetime | None:
        """Return what a task's handle is to show."""
        at = None if task.paused else task.next()
        if at is None:
            return None
        return moment(at + task.shift())

    def check_law(self) -> None:
        """Look at the law in whole: the model's records tile its occurrences, and what handles show is in them."""
        sums: Counter[str] = Counter()
        for handle, task in zip(self.handles, self.model.tasks, strict=True):
            task.check_law()
            sums.update(handle.counts)
            shown = [run.id for run in handle.runs if isinstance(run, Run) and run.cause == "schedule"]
            lines = [line.shown() for line in task.lines[-TASK_HISTORY:] if isinstance(line, RunLine)]
            ids = [f"{handle.name}/{moment(line.at).isoformat()}" for line in lines if line.cause == "schedule"]
            self.same(f"task {task.order}: ids of runs", shown, ids)
        counts = Counter(self.scheduler.counts)
        self.same("the scheduler's counts", dict(+counts), dict(+sums))

    def same(self, what: str, real: object, expected: object) -> None:
        """Raise DivergenceError unless two things are equal."""
        if real != expected:
            raise self.diverged(what, real, expected)

    def diverged(self, what: str, real: object, expected: object) -> DivergenceError:
        """Tell what differs, and what was done before."""
        return DivergenceError(f"{what}:\n real  {real}\n model {expected}\nafter{self.told()}")

    def told(self) -> str:
        """Return what was done, a line each."""
        return "".join(f"\n  {step}" for step in self.done)

    def stop(self) -> None:
        """Stop the real one, whatever still runs."""
        self.scheduler.stop(timedelta(0))

    def timing(self, timing: Timing) -> tuple[Any, Occurrences]:
        """Make a schedule, and its list."""
        wall, steady, n, on_wall = self.model.wall, self.model.steady, timing.n, self.model.one_time
        minute = 60_000_000
        match timing.kind:
            case "repeat":
                repeat = Repeat(n, us(timing.wait), after=us(timing.by))
                return repeat, Occurrences(steady + timing.by, timing.wait, n, on_wall=on_wall)
            case "end":
                repeat = Repeat(n, us(timing.wait), after=us(timing.by), measured_from="end")
                return repeat, Occurrences(steady + timing.by, None, n, on_wall=on_wall, from_end=timing.wait)
            case "often":
                return Cron("*/10 * * * *", n=n, tz="UTC"), Occurrences(
                    LONG_BEFORE, 10 * minute, n, on_wall=True, calendar=True
                )
            case "hourly":
                return Cron("0 * * * *", n=n, tz="UTC"), Occurrences(
                    LONG_BEFORE, 60 * minute, n, on_wall=True, calendar=True
                )
            case "daily":
                daily = Occurrences(LONG_BEFORE + 90 * minute, 1440 * minute, n, on_wall=True, calendar=True)
                return Daily(moment(START + 90 * minute).time(), n=n, tz="UTC"), daily
            case "once":
                return Once(after=us(timing.by)), Occurrences(steady + timing.by, None, 1, on_wall=on_wall)
            case _:
                return Once(moment(wall + timing.by)), Occurrences(wall + timing.by, None, 1, on_wall=True)


def policy_of(ways: Ways) -> Policy:
    """Make the policy that the plain numbers say."""
    fields: dict[str, Any] = {"overlap": ways.overlap, "missed": ways.missed}
    if ways.overlap == "allow":
        fields["max_running"] = ways.max_running
    if ways.missed == "skip":
        fields["grace"] = us(ways.grace)
    if ways.missed == "catch_up":
        fields.update(catch_up_limit=ways.limit, catch_up_window=us(ways.window))
    if ways.attempts > 1:
        fields["retry"] = Retry(ways.attempts, delay=us(ways.delay), factor=ways.factor)
    if ways.timeout is not None:
        fields["timeout"] = us(ways.timeout)
    if ways.on_lost != "again":
        fields["on_lost"] = ways.on_lost
    return Policy(**fields)


def line_of(record: Record) -> RunLine | PassedLine:
    """Return a record as the model writes it."""
    if isinstance(record, Passed):
        return PassedLine(record.reason, record.first, record.last, record.count, record.offset).shown()
    return RunLine(record.at, record.cause, tuple(map(call_of, record.attempts)), record.offset).shown()


def call_of(call: Attempt) -> Ended:
    """Return one call of a function as the model writes it."""
    return Ended(
        call.started, call.finished, call.outcome, None if call.error is None else call.error.type.rpartition(".")[2]
    )
