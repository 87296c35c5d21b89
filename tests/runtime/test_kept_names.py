"""Named tasks that have ended: the latest 10,000 are kept, so that adding an equal one again changes nothing."""

from __future__ import annotations

import gc
import weakref
from datetime import timedelta

import law
import pytest
from telling import SECOND, START, note

from panther_schedule import BackgroundTask, Once, Scheduler, VirtualClock
from panther_schedule.runtime import names

MINUTE = timedelta(minutes=1)


class Order:
    """An argument."""


def take(order: Order) -> None:
    """Do nothing with an order."""


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep three of them."""
    monkeypatch.setattr(names, "MOST_ENDED", 3)


def test_ten_thousand_are_kept(clock: VirtualClock) -> None:
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_tasks(BackgroundTask(note).with_name(f"{number}") for number in range(10_050))
        scheduler.join()

        assert len(scheduler) == 10_000
        assert [handle.name for handle in scheduler][::9_999] == ["50", "10049"]
        assert scheduler.counts["succeeded"] == 10_050


@pytest.mark.usefixtures("three")
def test_the_one_that_ended_first_is_forgotten_with_its_arguments(clock: VirtualClock, the_law: law.Watch) -> None:
    kept = list[weakref.ref[Order]]()
    with Scheduler(clock=clock) as scheduler:
        for name, seconds in {"a": 50, "b": 10, "c": 40, "d": 20, "e": 30}.items():
            order = Order()
            kept.append(weakref.ref(order))
            task = BackgroundTask(take, order).with_schedule(Once(START + seconds * SECOND)).with_name(name)
            scheduler.add_task(task)
            del order, task
        clock.advance(MINUTE)
        the_law.known.clear()  # it would keep them
        gc.collect()

        assert [handle.name for handle in scheduler] == ["a", "c", "e"]
        assert [ref() is not None for ref in kept] == [True, False, True, False, True]


@pytest.mark.usefixtures("three")
def test_an_equal_task_stays_ended_until_it_is_forgotten_and_then_runs_anew(clock: VirtualClock) -> None:
    ran = list[str]()

    def work(what: str) -> None:
        ran.append(what)

    first = BackgroundTask(work, "a").with_name("a")
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(first)
        for name in "bc":
            scheduler.add_task(BackgroundTask(work, name).with_name(name))
        scheduler.join()
        assert scheduler.add_task(first) == handle
        assert scheduler.join()
        assert ran == ["a", "b", "c"]

        scheduler.add_task(BackgroundTask(work, "d").with_name("d")).join()
        assert "a" not in scheduler
        assert scheduler.add_task(first) != handle
        scheduler.join()
        assert scheduler.add_task(BackgroundTask(work, "other").with_name("b")).task.args == ("other",)
        scheduler.join()
        assert ran == ["a", "b", "c", "d", "a", "other"]
        assert len(handle.runs) == 1, "its handle still knows"


@pytest.mark.usefixtures("three")
def test_one_that_goes_on_or_was_cancelled_is_not_counted(clock: VirtualClock) -> None:
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_task(BackgroundTask(note).with_name("replaced"))
        scheduler.add_task(BackgroundTask(note).with_name("policy"))
        cancelled = scheduler.add_task(BackgroundTask(note).with_name("cancelled"))
        scheduler.join()
        scheduler.replace(BackgroundTask(note).with_name("replaced").interval(2).interval_wait(timedelta(days=1)))
        scheduler.replace(BackgroundTask(note).with_name("policy").with_policy(timeout=MINUTE))
        cancelled.cancel()
        for number in range(2):
            scheduler.add_task(BackgroundTask(note).with_name(f"{number}"))
            scheduler.add_task(BackgroundTask(note))
        clock.advance(MINUTE)
        assert [handle.name for handle in scheduler] == ["replaced", "policy", "0", "1"]

        scheduler.add_task(BackgroundTask(note).with_name("2"))
        clock.advance(MINUTE)
        assert [handle.name for handle in scheduler] == ["replaced", "0", "1", "2"]
        assert [handle.ended for handle in scheduler] == [False, True, True, True]
        clock.advance(timedelta(days=1))
        assert [handle.name for handle in scheduler] == ["replaced", "1", "2"]


def test_an_old_handle_frees_the_name_of_no_other_task(clock: VirtualClock) -> None:
    with Scheduler(clock=clock) as scheduler:
        old = scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(MINUTE).with_name("digest"))
        old.cancel()
        new = scheduler.add_task(BackgroundTask(note).interval(-1).interval_wait(SECOND).with_name("digest"))
        old.cancel()

        assert scheduler["digest"] == new != old
        assert not new.ended


def test_an_unnamed_task_takes_no_name_that_is_taken(clock: VirtualClock) -> None:
    with Scheduler(clock=clock) as scheduler:
        named = scheduler.add_task(BackgroundTask(note).interval(9).interval_wait(MINUTE).with_name("note-000002"))
        unnamed = scheduler.add_task(BackgroundTask(note).interval(9).interval_wait(SECOND))

        assert [handle.name for handle in scheduler] == ["note-000002", "note-000003"]
        assert list(scheduler) == [named, unnamed]
