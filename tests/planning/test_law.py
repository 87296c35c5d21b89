"""The watch of every test works: what breaks the law, or is left behind on purpose, is found."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import law
import leftovers
import pytest

from panther_schedule import BackgroundTask, Policy, Scheduler, VirtualClock
from panther_schedule.planning.records import Passed, Run
from panther_schedule.runtime.ledger import History

SECOND = timedelta(seconds=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
TASK = BackgroundTask(int).interval(5).interval_wait(SECOND)


# ---- the law -----------------------------------------------------------------------------------------------------


def doubled(history: History) -> None:
    """Record the last run twice."""
    history.append(history[-1])


def lost(history: History) -> None:
    """Forget a run."""
    del history[2]


def swapped(history: History) -> None:
    """Record one run twice in the place of another one: the counts are right."""
    history[2] = history[1]


def moved(history: History) -> None:
    """Record a run for a moment that is no occurrence."""
    record = history[2]
    assert isinstance(record, Run)
    history[2] = record._replace(at=record.at + 1)


def miscounted(history: History) -> None:
    """Record a range with one occurrence too many."""
    range_ = history[0]
    assert isinstance(range_, Passed)
    history[0] = replace(range_, count=range_.count + 1)


def covered_twice(history: History) -> None:
    """Record a run whose occurrence lies in a range, in the place of another one."""
    range_, run = history[0], history[2]
    assert isinstance(range_, Passed)
    assert isinstance(run, Run)
    history[2] = run._replace(at=range_.last)


BROKEN: list[tuple[Callable[[History], None], str]] = [
    (doubled, "8 occurrences, but 9 in its counts"),
    (lost, "8 occurrences, but 7 in its counts"),
    (swapped, "two records of one occurrence"),
    (moved, "is in no record"),
    (miscounted, "8 occurrences, but 9 in its counts"),
    (covered_twice, "two records of one occurrence"),
]


@pytest.mark.parametrize(("forge", "message"), BROKEN, ids=lambda one: getattr(one, "__name__", ""))
def test_a_forged_record_is_found(forge: Callable[[History], None], message: str, the_law: law.Watch) -> None:
    clock = VirtualClock(START)
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(TASK)
        clock.suspend(3 * SECOND)
        scheduler.join()
    the_law.check()
    history = handle._entry.history
    assert history is not None
    honest = list(history)

    forge(history)

    with pytest.raises(AssertionError, match=message):
        the_law.check()
    history[:] = honest


def test_counts_of_the_scheduler_that_are_no_sum_are_found(the_law: law.Watch) -> None:
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        scheduler.add_task(TASK)
        scheduler.join()
    assert scheduler._life is not None
    scheduler._life.memory.ledger.counts["succeeded"] += 1

    with pytest.raises(AssertionError, match="not the sum"):
        the_law.check()
    scheduler._life.memory.ledger.counts["succeeded"] -= 1


def test_the_watch_knows_where_a_task_began_again(the_law: law.Watch) -> None:
    clock = VirtualClock(START)
    named = TASK.with_name("counted")
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(named)
        clock.advance(2 * SECOND)
        scheduler.replace(named.with_policy(Policy(overlap="queue_all")))
        clock.advance(1 * SECOND)
        scheduler.replace(named.interval(3))
        scheduler.join()

    (known,) = the_law.known
    assert known.parts == 2
    assert known.before == 4
    assert handle.counts["succeeded"] == 7


# ---- what is left behind -----------------------------------------------------------------------------------------


def test_a_scheduler_that_is_not_stopped_is_found() -> None:
    before = leftovers.Things()
    scheduler = Scheduler(clock=VirtualClock(START)).start()
    life = scheduler._life
    assert life is not None

    with pytest.raises(AssertionError, match=r"1 scheduler\(s\) not stopped"):
        before.check([life])
    before.check([life])


@pytest.mark.real_clock
def test_a_thread_that_goes_on_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    before, over = leftovers.Things(), threading.Event()
    monkeypatch.setattr(leftovers, "PATIENCE_S", 0.01)
    thread = threading.Thread(target=over.wait, args=(10,), name="panther_schedule-worker-1", daemon=True)
    thread.start()

    with pytest.raises(AssertionError, match=r"threads left behind: \['panther_schedule-worker-1'\]"):
        before.check([])
    over.set()
    thread.join()
    before.check([])


def test_an_asyncio_task_that_goes_on_is_found() -> None:
    before = leftovers.Things()
    with Scheduler(clock=VirtualClock(START)) as scheduler:
        pass
    life = scheduler._life
    assert life is not None
    running: dict[object, object] = {"a task": None}
    patch = pytest.MonkeyPatch()
    patch.setattr(life.workers.coroutines, "running", running)

    with pytest.raises(AssertionError, match="asyncio tasks left behind"):
        before.check([life])
    patch.undo()
    before.check([life])


def test_a_file_in_the_working_directory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = leftovers.Things()
    left = tmp_path / "tasks.db"
    left.touch()

    with pytest.raises(AssertionError, match=r"tasks\.db"):
        before.check([])
    left.unlink()
    before.check([])
