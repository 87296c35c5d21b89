"""Lives random walks through the public API, and prints what can be seen: python bench/lives.py FIRST WALKS STEPS.

`compare.py` runs it with one version of the package and with another; what they print is to be equal. Whatever the
functions of the tasks do is drawn before they are called, so that it is the same for both.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any, NamedTuple

from panther_schedule import (
    BackgroundTask,
    BusyLoopWarning,
    Cron,
    Daily,
    Monthly,
    Once,
    Passed,
    Policy,
    Repeat,
    Retry,
    Scheduler,
    VirtualClock,
    Weekly,
    current_run,
)

START = datetime(2026, 3, 27, 22, 0, tzinfo=UTC)  # the clocks of Europe change on the 29th
SECOND = timedelta(seconds=1)
MOST_TASKS, MOST_ACTIVE, MOST_CALLS, MOST_ACTS = 6, 3, 200, 4  # of a walk; of functions at a time, and in a step
PATIENCE_S, HANGS = 20, 3
ERRORS: dict[str, type[BaseException]] = {"ValueError": ValueError, "OSError": OSError, "SystemExit": SystemExit}


class Call(NamedTuple):
    """What one call of a function does."""

    seconds: int
    error: str
    looks: bool
    """It looks whether it was asked to end, and obeys."""
    act: str
    """What it does to a task in the midst of it."""
    at: int


class Walk:
    """One scheduler, on a virtual clock, and what is done to it."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - a walk that can be walked again
        self.plans = Random(seed + 1_000_000)  # noqa: S311 - a function draws nothing of the walk's
        self.clock = VirtualClock(START)
        self.scheduler = Scheduler(clock=self.clock)
        self.handles: list[Any] = []
        self.names: dict[str, str] = {}
        self.asked_for: list[Any] = []
        self.active = self.calls = self.acts = 0  # of functions, since the last step
        self.events: list[Any] = []
        self.shown: dict[str, str] = {}
        self.scheduler.add_listener(self.events.append)

    # ---- tasks -----------------------------------------------------------------------------------------------

    def schedule(self) -> Any:
        """Draw a schedule."""
        draw = self.random.choice
        n = draw([-1, -1, 1, 2, 3, 5])
        zone = draw(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
        wall = [
            Cron(draw(["*/10 * * * *", "0 * * * *", "30 2 * * *", "0 9 * * mon-fri"]), n=n, tz=zone),
            Daily(time(draw([0, 2, 8]), 30), n=n, tz=zone),
            Weekly(draw(["sat", "sun", "mon"]), at=time(6), n=n, tz=zone),
            Monthly(draw([28, 29, -1]), at=time(1), n=n, tz=zone),
        ]
        kinds: list[Any] = [
            *(Repeat(n, draw([10, 20, 60, 300, 3600]) * SECOND) for _ in range(5)),
            Repeat(draw([1, 2, 3, 5, -1])),
            Once(),
            Once(self.clock.now() + draw([0, 90, 600, 7200, -60, -7200]) * SECOND),
            *wall,
            Cron("*/10 * * * *", tz="UTC") | Daily(time(22, 5), tz="UTC"),
            Cron("0 * * * *", n=n, tz=zone, start_at=self.clock.now() + timedelta(hours=draw([-3, 3]))),
        ]
        return draw(kinds)

    def policy(self) -> Policy:
        """Draw a policy."""
        draw = self.random.choice
        fields: dict[str, Any] = {}
        if draw([False, True, True, True]):
            fields["overlap"] = draw(["skip", "queue_one", "queue_all", "allow", "cancel_running"])
            if fields["overlap"] == "allow":
                fields["max_running"] = draw([1, 2, 3])
            fields["missed"] = draw(["coalesce", "skip", "catch_up", "catch_up"])
            if fields["missed"] == "skip":
                fields["grace"] = draw([1, 10, 20, 60, 1200]) * SECOND
            if fields["missed"] == "catch_up":
                fields["catch_up_limit"] = draw([1, 2, 3, 10])
                fields["catch_up_window"] = draw([30, 300, 3600, 86400]) * SECOND
        if draw([False, True]):
            fields["retry"] = Retry(
                draw([2, 3, 4]),
                delay=draw([0, 1, 15, 45]) * SECOND,
                factor=draw([1, 2]),
                jitter=draw([0, 0, 5]) * SECOND,
                on=draw([(Exception,), (OSError, TimeoutError)]),
            )
        if draw([False, True]):
            fields["timeout"] = draw([5, 20, 60, 400]) * SECOND
        if draw([False, False, True]):
            fields["jitter"] = draw([3, 30, 600]) * SECOND
        return Policy(**fields)

    def task(self, schedule: Any, policy: Policy) -> BackgroundTask[..., Any]:
        """Make a task whose calls are drawn now."""
        draw = self.plans.choice
        endless = isinstance(schedule, Repeat) and not schedule.wait
        calls = [
            Call(
                draw([1, 5, 20] if endless else [0, 0, 0, 1, 5, 20, 70, 400]),
                draw(["", "", "", "ValueError", "OSError", "SystemExit"]),
                draw([False, False, True]),
                draw(["", "", "", "", "", "cancel", "pause", "resume", "run_now", "replace", "backfill", "cancel_run"]),
                self.plans.randrange(100),
            )
            for _ in range(6)
        ]
        made = 0

        def work() -> None:
            nonlocal made
            made += 1
            self.work(calls[made % len(calls)], endless=endless)

        if endless:  # which takes no overlap and no jitter
            policy = Policy(retry=policy.retry, timeout=policy.timeout)
        return BackgroundTask(work).with_schedule(schedule).with_policy(policy)

    def work(self, call: Call, *, endless: bool) -> None:
        """Do what one call does; runs within runs are bounded, or the clock would never come to its end."""
        self.active += 1
        self.calls += 1
        try:
            parts = 4 if self.active <= MOST_ACTIVE and self.calls <= MOST_CALLS else 0
            for part in range(parts):
                self.clock.sleep(call.seconds * SECOND / 4)
                if call.looks and current_run().cancelled:
                    return
                if part == 1 and call.act and not endless and self.acts < MOST_ACTS:
                    self.acts += 1
                    self.do(call.act, call.at)
            if call.error:
                raise ERRORS[call.error]
        finally:
            self.active -= 1

    def add(self, *, named: bool) -> None:
        """Add a task."""
        schedule = self.schedule()
        task, label = self.task(schedule, self.policy()), f"T{len(self.handles)}"
        handle = self.scheduler.add_task(task.with_name(label) if named else task)
        self.names[handle.name] = label
        self.handles.append(handle)

    def replace(self, at: int) -> None:
        """Replace a named task."""
        known = self.handles[at].task
        if self.handles[at].name != f"T{at}":
            return
        draw = self.plans.choice
        wait, n = draw([15, 100, 1000]) * SECOND, draw([-1, 2, 4])
        schedule = draw([known.schedule, known.schedule, Repeat(n, wait), Cron("*/5 * * * *", n=n, tz="UTC")])
        policy = draw([Policy(), Policy(overlap="queue_all"), Policy(overlap="cancel_running", timeout=50 * SECOND)])
        handle = self.scheduler.replace(self.task(schedule, policy).with_name(f"T{at}"))
        if handle != self.handles[at]:  # the old one was cancelled
            self.handles[at] = handle

    # ---- acts ------------------------------------------------------------------------------------------------

    def do(self, act: str, at: int, by: timedelta = SECOND) -> str:
        """Do something to a task, and tell what came of it."""
        at %= max(1, len(self.handles))
        handle = self.handles[at] if self.handles else None
        try:
            return str(ACTS[act](self, handle, at, by))
        except Exception as error:
            return f"raises {type(error).__name__}"

    def step(self) -> str:
        """Draw an act, and do it."""
        draw = self.random.choice
        self.calls = self.acts = 0
        if len(self.handles) < MOST_TASKS and draw([True, False, False, False]):
            self.add(named=draw([True, True, False]))
            return f"add {self.handles[-1].task.schedule!r} {self.handles[-1].task.policy!r}"
        act = draw([each for each, often in OFTEN.items() for _ in range(often)])
        by = timedelta(seconds=draw(LENGTHS.get(act, [1])))
        at = self.random.randrange(100)
        return f"{act} {at} {by}: {self.do(act, at, by)}"

    # ---- what can be seen ------------------------------------------------------------------------------------

    def look(self) -> None:
        """Print all that is new."""
        for text in sorted(map(self.event, self.events), key=lambda text: text.split()[1]):  # task by task
            print("event", text)
        self.events.clear()
        for at, handle in enumerate(self.handles):
            for what, value in self.seen(handle).items():
                self.show(f"T{at} {what}", value)
        self.show("counts", {what: number for what, number in self.scheduler.counts.items() if number})
        self.show("names", sorted(self.label(handle.name) for handle in self.scheduler))
        self.show("now", self.clock.now())
        self.show("asked for", [self.run(each.run) if each.run is not None else None for each in self.asked_for])

    def show(self, what: str, value: object) -> None:
        """Print something, if it is not what it was."""
        text = str(value)
        if self.shown.get(what) != text:
            self.shown[what] = text
            print(what, text)

    def seen(self, handle: Any) -> dict[str, object]:
        """List what a handle shows."""
        return {
            "runs": [self.record(record) for record in handle.runs],
            "counts": {what: number for what, number in handle.counts.items() if number},
            "next_run": handle.next_run,
            "ended": handle.ended,
            "paused": handle.pause_reason,
        }

    def record(self, record: Any) -> object:
        """Tell a record."""
        if isinstance(record, Passed):
            return record.reason, str(record.first_at), str(record.last_at), record.count
        return self.run(record)

    def run(self, run: Any) -> object:
        """Tell a run."""
        return self.id(run.id), run.cause, run.outcome, str(run.lateness), [self.attempt(each) for each in run.attempts]

    def attempt(self, attempt: Any) -> object:
        """Tell an attempt."""
        error = getattr(attempt.error, "type", type(attempt.error).__name__)  # older versions keep the exception
        return str(attempt.started_at), str(attempt.finished_at), attempt.outcome, error

    def label(self, name: str) -> str:
        """Name a task as both versions do."""
        return self.names.get(name, name)

    def id(self, id_: str) -> str:
        """Name a run as both versions do."""
        name, *rest = id_.split("/")  # no name of a task here has a slash
        return "/".join([self.label(name), *rest])

    def event(self, event: Any) -> str:
        """Tell an event; some versions give the run, some its fields."""
        if isinstance(event, str):  # of the log
            return event
        kind, told = type(event).__name__, list[object]()
        if hasattr(event, "task"):
            told.append(self.label(event.task))
        match kind:
            case "RunStarted":
                run = getattr(event, "run", event)
                id_ = event.run.id if hasattr(event, "run") else event.run_id
                told += [self.id(id_), run.scheduled_at, event.started_at, run.cause, run.attempt]
            case "RunRetried":
                id_ = event.run.id if hasattr(event, "run") else event.run_id
                told += [self.id(id_), self.attempt(event.attempt), event.delay]
            case "RunFinished":
                told.append(self.run(event.run))
            case "OccurrencesPassed":
                told.append(self.record(event.passed))
            case "TaskEnded":
                told.append(event.cancelled)
            case "TaskPaused":
                told.append(event.reason)
            case "ClockStepped":
                told += [event.by, event.reset]
            case _:
                pass
        return " ".join([kind, *map(str, told)])


def run_now(walk: Walk, handle: Any, _at: int, _by: timedelta) -> None:
    """Run a task once more."""
    walk.asked_for.append(handle.run_now())


def backfill(walk: Walk, handle: Any, _at: int, by: timedelta) -> None:
    """Run a task again for what was due in a span."""
    end = walk.clock.now()
    walk.asked_for += handle.backfill(end - 40 * by, end)


def join(walk: Walk, handle: Any, _at: int, by: timedelta) -> object:
    """Wait for a task, then let the rest of the time pass: where a wait in vain ends is nobody's concern."""
    end, joined = walk.clock.now() + by, handle.join(by)
    walk.clock.advance(max(end - walk.clock.now(), 0 * SECOND))
    return joined


def cancel_run(walk: Walk, _handle: Any, at: int, _by: timedelta) -> None:
    """Cancel a run that was asked for."""
    if walk.asked_for:
        walk.asked_for[at % len(walk.asked_for)].cancel()


ACTS: dict[str, Callable[[Walk, Any, int, timedelta], object]] = {
    "advance": lambda walk, _handle, _at, by: walk.clock.advance(by),
    "suspend": lambda walk, _handle, _at, by: walk.clock.suspend(by),
    "step": lambda walk, _handle, _at, by: walk.clock.step(by),
    "pause": lambda _walk, handle, _at, _by: handle.pause("why"),
    "resume": lambda _walk, handle, _at, _by: handle.resume(),
    "cancel": lambda _walk, handle, _at, _by: handle.cancel(),
    "replace": lambda walk, _handle, at, _by: walk.replace(at),
    "join": join,
    "reload_tz": lambda walk, _handle, _at, _by: walk.scheduler.reload_tz(),
    "run_now": run_now,
    "backfill": backfill,
    "cancel_run": cancel_run,
}
OFTEN = {
    "advance": 12, "suspend": 6, "step": 3, "pause": 4, "resume": 5, "cancel": 1, "replace": 3, "join": 1,
    "reload_tz": 1, "run_now": 2, "backfill": 2, "cancel_run": 1,
}  # fmt: skip
LENGTHS = {
    "advance": [1, 5, 10, 20, 60, 60, 300, 600, 3600],
    "suspend": [5, 30, 60, 90, 400, 1900, 4000, 100_000],
    "step": [1, -1, 300, -300, 4000, -4000, 26 * 3600, -26 * 3600, -60 * 3600],
    "join": [1, 60, 600],
    "backfill": [1, 10, 60],
}


class Log(logging.Handler):
    """Keeps what is logged, by its outcome: sentences may change."""

    walk: Walk

    def emit(self, record: logging.LogRecord) -> None:
        """Print a line."""
        fields = vars(record)
        if "outcome" in fields:
            what = f"{fields['outcome']} {self.walk.id(fields['run_id'])} attempt {fields['attempt']}"
        else:
            what = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        self.walk.events.append(f"{record.levelname} {what} {type(error).__name__}")


def live(seed: int, steps: int, log: Log) -> None:
    """Live one walk."""
    walk = log.walk = Walk(seed)
    for _ in range(steps):
        print("step", walk.step())
        walk.look()
    walk.scheduler.stop(timedelta(seconds=walk.random.choice([0, 5, 60, 600])))
    print("step stop")
    walk.look()


def main() -> None:
    """Live several walks."""
    first, walks, steps = map(int, sys.argv[1:])
    zoneinfo.reset_tzpath(to=())
    warnings.simplefilter("ignore", BusyLoopWarning)
    log = Log()
    logger = logging.getLogger("panther_schedule")
    logger.addHandler(log)
    logger.propagate = False
    signal.signal(signal.SIGALRM, hangs)
    for seed in range(first, first + walks):
        print("walk", seed)
        signal.alarm(PATIENCE_S)
        live(seed, steps, log)
        signal.alarm(0)


def hangs(*_: object) -> None:
    """End in a walk that takes too long."""
    print("step hangs", flush=True)
    os._exit(HANGS)


if __name__ == "__main__":
    main()
