"""`run`: it logs what happens, ends as `run_forever()` does, and accounts for every occurrence."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NoReturn

from ..clock import local
from ..events import Event, OccurrencesPassed, RunFinished, RunRetried, TaskEnded
from ..runtime.handles import TaskHandle
from ..runtime.logs import LOGGED
from ..runtime.scheduler import Scheduler
from ..tasks.task import BackgroundTask
from .reports import table
from .terminal import BOLD, DIM, GREEN, RED, YELLOW, harmless, painted

_log: Final = logging.getLogger("panther_schedule.run")
_COLOURS: Final = {logging.INFO: GREEN, logging.WARNING: YELLOW, logging.ERROR: RED}


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        level = painted(record.levelname.ljust(7), _COLOURS.get(record.levelno, ""), sys.stderr)
        time = painted(self.formatTime(record, "%H:%M:%S"), DIM, sys.stderr)
        return harmless(f"{time} {level} {super().format(record)}")


def run_tasks(
    given: list[BackgroundTask] | Scheduler, grace: timedelta, say: Callable[[str], object], *, quiet: bool
) -> None:
    """Run tasks until a signal, and say the account of their occurrences.

    Raises:
        SystemExit: there was a second signal.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING if quiet else logging.INFO)
    scheduler = given if isinstance(given, Scheduler) else Scheduler()
    scheduler.add_listener(_tell)
    handles: Sequence[TaskHandle] = ()
    try:
        handles = [*scheduler.start()] if isinstance(given, Scheduler) else scheduler.add_tasks(given)
        _log.info("running %d task(s); SIGTERM or Ctrl+C ends this", len(handles))
        scheduler.run_forever(grace)
    except KeyboardInterrupt:  # a signal that came before run_forever() took them
        _log.info("finishing what is active or due, for at most %s; a second signal ends this at once", grace)
        try:
            scheduler.stop(grace)
        except KeyboardInterrupt as second:
            scheduler.stop(timedelta(0))  # so that the account knows of each run
            raise SystemExit(128 + second.args[0]) from None
    finally:
        if handles:
            for line in _account(handles, scheduler.counts):
                say(harmless(line))


def interrupt(number: int, _frame: object) -> NoReturn:
    """Raise KeyboardInterrupt with the number of a signal: for those that come before `run_forever()` takes them."""
    raise KeyboardInterrupt(number)


def _tell(event: Event) -> None:
    match event:
        case RunFinished(run=run) if run.outcome not in LOGGED:  # what went wrong is in the log already
            took = (run.finished_at - (run.started_at or run.finished_at)).total_seconds()
            _log.info("task %s %s after %.3f s, for %s", run.task, run.outcome, took, _clock(run.scheduled_at))
        case RunRetried(run=run, delay=delay, attempt=attempt):
            _log.warning("task %s: attempt %d %s, again in %s", run.task, len(run.attempts), attempt.outcome, delay)
        case OccurrencesPassed(passed=passed):
            span = _clock(passed.first_at) + (f" to {_clock(passed.last_at)}" if passed.count > 1 else "")
            level = logging.WARNING if passed.reason == "missed" else logging.INFO
            _log.log(level, "task %s: %d %s, %s", event.task, passed.count, passed.reason, span)
        case TaskEnded():
            _log.info("task %s has ended", event.task)
        case _:
            pass


def _clock(at: datetime) -> str:
    return f"{local(at):%H:%M:%S}"


def _account(handles: Sequence[TaskHandle], counts: Mapping[str, int]) -> Iterator[str]:
    """Say what became of each due occurrence, task by task; the numbers add up."""
    rows = {handle.name: Counter(handle.counts) for handle in handles}
    total = Counter(counts)
    if others := total - sum(rows.values(), Counter[str]()):
        rows["other tasks"] = others
    kinds = [kind for kind in counts if total[kind]]
    cells = [[name, str(row.total()), *(str(row[kind] or "") for kind in kinds)] for name, row in rows.items()]
    head, *body = table([["task", "due", *kinds], *cells])
    yield painted(head, BOLD)
    yield from body
    said = ", ".join(f"{total[kind]:,} {kind}" for kind in kinds) or "none"
    what = "occurrence was" if total.total() == 1 else "occurrences were"
    yield f"{total.total():,} {what} due: {said}"
