"""What a store promises besides, that outlives its scheduler and that others share: turns, and what others see."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from failing import Failing
from kept import nothing_async
from scene import Do, Scheduler, everything, kill, rows
from tables import DAILY, GRID, S, added, finished, now, us

from panther_schedule import Policy, Repeat, Retry
from panther_schedule.errors import StoreError
from panther_schedule.planning.control import backfill_runs, manual_run
from panther_schedule.planning.records import Run
from panther_schedule.runtime.entries import Flight
from panther_schedule.sqlite import processes

SECOND = timedelta(seconds=1)


# ---- a turn that fails -------------------------------------------------------------------------------------------

Turn = tuple[float, Callable[[Scheduler], Sequence[Do]]]
RETRIED = Policy(overlap="queue_all", retry=Retry(2, delay=2 * SECOND), timeout=60 * SECOND)


def backfill(scheduler: Scheduler, name: str) -> Do:
    entry = scheduler.task(name)
    runs = list(backfill_runs(entry.rule, entry.state, us(0), us(20), 0))
    return lambda reading: scheduler.engine.start_more(entry, [entry.fly(run) for run in runs], reading)


def replace(scheduler: Scheduler, name: str) -> Do:
    return lambda reading: scheduler.engine.replace(scheduler.task(name), *added(DAILY, reading=reading), reading)


TURNS: list[Turn] = [
    (0, lambda one: [one.add("a", GRID, RETRIED), one.add("b"), one.add(None, Repeat(3, 7 * SECOND)), one.add("c")]),
    (1, lambda one: [lambda reading: one.engine.begin(one.run("a"), reading.wall, reading), one.end("b")]),
    (2, lambda one: [one.end("a", "failed", OSError())]),
    (4, lambda _one: []),  # it is tried again
    (10, lambda one: [lambda reading: one.engine.pause(one.task("b"), "why", reading)]),  # another waits
    (11, lambda one: [one.end("a"), one.end("c")]),
    (31, lambda one: [backfill(one, "b")]),
    (32, lambda one: [one.end("b"), lambda reading: one.engine.resume(one.task("b"), reading)]),
    (33, lambda one: [replace(one, "c")]),
    (71, lambda _one: []),  # a timeout
    (72, lambda one: [lambda reading: one.engine.cancel(one.task("a"), True, reading)]),
    (73, lambda one: [lambda reading: one.engine.cancel(one.task("b"), False, reading)]),
]


def seen(scheduler: Scheduler) -> list[Any]:
    """Return what the objects say that the scheduler has in its hands."""
    flights = [(flight.id, flight.run, flight.here, flight.asked, flight.started) for flight in scheduler.store.own()]
    tasks = [(entry.id, entry.state, entry.counts(), entry.history) for entry in scheduler.names]
    return [*flights, *tasks, scheduler.store.processes.me, scheduler.store.until_next(now(99))]


@pytest.mark.parametrize("at", range(len(TURNS)), ids=lambda at: f"turn_{at}")
def test_a_turn_that_fails_anywhere_keeps_nothing_and_succeeds_when_done_again(tmp_path: Path, at: int) -> None:
    """And what it comes to is what it would have come to at once."""
    (tmp_path / "whole").mkdir()
    whole, scheduler = Scheduler(tmp_path / "whole"), Scheduler(tmp_path)
    for after, acts in TURNS[:at]:
        whole.turn(after, *acts(whole))
        scheduler.turn(after, *acts(scheduler))
    after, acts = TURNS[at]
    before = everything(tmp_path), seen(scheduler)

    statement, failed = 0, True
    while failed:
        with Failing(scheduler.store.file, statement) as failing:
            try:
                scheduler.turn(after, *acts(scheduler))
            except StoreError:
                assert (everything(tmp_path), seen(scheduler)) == before, f"statement {statement}"
        failed, statement = failing.failed, statement + 1

    whole.turn(after, *acts(whole))
    assert statement > 5
    assert everything(tmp_path) == everything(tmp_path / "whole")
    assert seen(scheduler) == seen(whole)
    assert [flight.run for flight in scheduler.started] == [flight.run for flight in whole.started]


def test_a_run_is_one_object_also_after_a_turn_that_failed(tmp_path: Path) -> None:
    """Else its cancel would be told to another one than that which was handed over."""
    one = Scheduler(tmp_path)
    one.turn(0, one.add("a"))
    entry = one.task("a")
    run = entry.fly(manual_run(entry.state, us(1), 0, 0))
    one.turn(1, lambda reading: one.engine.start_more(entry, [run], reading), room=0)
    assert one.started[1:] == []
    with Failing(one.store.file, 3), pytest.raises(StoreError):
        one.turn(2)

    one.turn(3)
    one.turn(4, lambda reading: one.engine.ask(run, reading))

    assert one.started[1:] == [run]
    assert run.asked


# ---- what others see ---------------------------------------------------------------------------------------------


@pytest.fixture
def one(tmp_path: Path) -> Scheduler:
    """A scheduler with a file."""
    return Scheduler(tmp_path)


@pytest.fixture
def other(one: Scheduler, tmp_path: Path) -> Scheduler:
    """Another one with the same file."""
    one.turn(-1)
    return Scheduler(tmp_path)


def test_what_one_does_another_sees(one: Scheduler, other: Scheduler) -> None:
    one.turn(0, one.add("a"))
    there, here = one.task("a"), other.task("a")
    assert here.state == there.state
    assert [entry.name for entry in other.names] == ["a"]

    other.turn(5, lambda reading: other.engine.pause(here, "why", reading))
    assert there.state.held.paused == "why"
    one.turn(12)
    assert [flight.run.at for flight in one.started] == [us(0)]
    one.turn(13, lambda reading: one.engine.resume(there, reading), one.end("a"))
    assert here.state == there.state
    assert here.history == there.history
    assert other.store.counts() == one.store.counts()
    assert other.store.until_next(now(13)) == 0, "it is to look again"
    other.turn(13)
    assert other.store.until_next(now(13)) == 7_000_000
    other.turn(20)
    assert [flight.run.at for flight in other.started] == [us(20)]


def test_another_rule_that_one_gives_holds_for_all(one: Scheduler, other: Scheduler) -> None:
    one.turn(0, one.add("a"))
    here = other.task("a")
    other.turn(1)
    one.kept.give_rule(one.task("a"), DAILY)

    assert here.rule.occurrences.next_after(us(0), us(0)) == added(DAILY)[0].occurrences.next_after(us(0), us(0))
    assert here.task.schedule == DAILY
    other.turn(2)
    assert here.rule.occurrences.next_after(us(0), us(0)) == added(DAILY)[0].occurrences.next_after(us(0), us(0))


def test_a_due_task_is_planned_by_one_of_them(one: Scheduler, other: Scheduler) -> None:
    one.turn(-1, *[one.add(name) for name in "abc"], room=0)
    one.turn(0, room=2)
    other.turn(0)

    assert [flight.entry.name for flight in one.started] == ["a", "b"]
    assert [flight.entry.name for flight in other.started] == ["c"]
    assert [flight.entry.name for flight in one.store.in_flight] == ["a", "b"]
    assert [flight.entry.name for flight in other.store.in_flight] == ["c"]


def test_a_run_is_asked_to_end_by_another_once(one: Scheduler, other: Scheduler) -> None:
    one.turn(0, one.add("a"), one.add("b"))
    asked: list[Flight] = []
    other.turn(1, lambda reading: other.engine.cancel(other.task("a"), True, reading))

    for after in (1, 2):
        with one.store.turn(now(after), 10):
            asked += one.store.asked()
    assert [flight.entry.name for flight in asked] == ["a"]
    assert asked[0].asked
    other.turn(3, lambda reading: other.engine.cancel(other.task("b"), False, reading))
    with one.store.turn(now(3), 10):
        assert list(one.store.asked()) == []


# ---- those that died ---------------------------------------------------------------------------------------------


def test_what_a_dead_one_had_is_lost_and_runs_again(one: Scheduler, other: Scheduler, tmp_path: Path) -> None:
    one.turn(0, one.add("again"), one.add("never", GRID, Policy(on_lost="record")), one.add("ended"))
    one.turn(1, one.end("ended"))
    other.turn(2)
    assert other.started == []
    kill(tmp_path)

    other.judge()
    other.turn(3)
    other.turn(3)

    (run,) = other.started
    assert (run.entry.name, [each.outcome for each in run.run.attempts], run.run.attempt) == ("again", ["lost"], 2)
    assert [each.outcome for each in _runs(other, "never")] == ["lost"]
    assert [each.outcome for each in _runs(other, "ended")] == ["succeeded"]
    assert rows(tmp_path, "SELECT id FROM process") == [(other.store.processes.me,)]


def _runs(scheduler: Scheduler, name: str) -> list[Run]:
    """List the records of runs of a task."""
    return [record for record in scheduler.task(name).history or () if isinstance(record, Run)]


def test_what_it_ends_after_it_was_declared_dead_is_not_recorded(
    one: Scheduler, other: Scheduler, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one.turn(0, one.add("a", Repeat(-1, 60 * SECOND)))
    late = one.run("a")
    other.turn(0)
    kill(tmp_path)
    other.judge()
    other.turn(2)
    other.turn(2)
    with caplog.at_level(logging.WARNING):
        one.turn(3)

    assert "so 1 run(s) were taken from it as lost" in caplog.text
    assert one.store.in_flight == []
    late.attempt = finished("failed", 4)
    one.turn(4, lambda reading: one.engine.end(late, reading))
    one.turn(5, lambda reading: one.engine.abandon(late, reading))
    (run,) = other.store.in_flight
    assert run.run.phase == "active"
    assert [each.outcome for each in run.run.attempts] == ["lost"]
    other.turn(6, other.end("a"))
    assert [each.outcome for each in _runs(one, "a")[0].attempts] == ["lost", "succeeded"]
    assert one.task("a").state.running == 0


def test_it_takes_part_again_by_another_name(one: Scheduler, other: Scheduler, tmp_path: Path) -> None:
    one.turn(0, one.add("a"))
    before = one.store.processes.me
    other.turn(0)
    kill(tmp_path)
    other.judge()
    other.turn(2)
    other.turn(3)
    other.turn(4, other.end("a"))
    one.turn(10)

    assert one.store.processes.me > max(before, other.store.processes.me)
    assert one.run("a").run.at == us(10)
    one.turn(11, one.end("a"))
    assert [each.outcome for each in _runs(one, "a")[-1].attempts] == ["succeeded"]


# ---- room --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("room", "started"), [(None, ""), (0, "x"), (1, "ax"), (2, "abx")])
def test_no_more_sync_functions_start_than_there_is_room_for(one: Scheduler, room: int | None, started: str) -> None:
    """With None, no async ones either."""
    one.turn(-1, *[one.add(name) for name in "abc"], one.add("x", func=nothing_async), room=None)
    one.turn(0, room=room)

    assert sorted(flight.entry.name for flight in one.started) == list(started)


def test_who_has_no_room_waits_for_nothing_but_its_own_runs(one: Scheduler) -> None:
    policy = Policy(timeout=50 * SECOND)
    one.turn(0, one.add("a", Repeat(-1, 5 * SECOND), policy), one.add("x", Repeat(-1, 20 * SECOND), func=nothing_async))
    begin = one.run("a")
    one.turn(1, lambda reading: one.engine.begin(begin, reading.wall, reading), room=0)

    assert one.store.until_next(now(1)) == 19_000_000
    one.turn(2, room=None)
    assert one.store.until_next(now(2)) == 49_000_000


def test_a_start_without_room_is_left_to_others(one: Scheduler, other: Scheduler) -> None:
    one.turn(-1, one.add("a", GRID, Policy(overlap="queue_all")))
    one.turn(9)
    entry = one.task("a")
    one.turn(10, one.end("a"), room=0)
    run = entry.fly(manual_run(entry.state, us(10), 0, 0))
    one.turn(10, lambda reading: one.engine.start_more(entry, [run], reading), room=None)

    assert len(one.started) == 1
    assert one.store.in_flight == []
    assert one.store.until_next(now(10)) is None
    other.turn(10, room=1)
    other.turn(11, room=1)
    assert [(flight.run.at, flight.run.cause) for flight in other.started] == [(us(9), "schedule"), (us(10), "manual")]


def test_a_timeout_is_seen_to_by_who_has_the_run(one: Scheduler, other: Scheduler) -> None:
    one.turn(0, one.add("a", GRID, Policy(timeout=5 * SECOND)))
    run = one.run("a")
    one.turn(1, lambda reading: one.engine.begin(run, reading.wall, reading))

    other.turn(9)
    assert run.record is None
    one.turn(9)
    assert run.record is not None


def test_what_another_does_with_a_run_is_seen(one: Scheduler, other: Scheduler) -> None:
    one.turn(0, one.add("a"))
    entry = one.task("a")
    run = entry.fly(manual_run(entry.state, us(1), 0, 0))
    one.turn(1, lambda reading: one.engine.start_more(entry, [run], reading), room=0)
    other.turn(2)
    one.turn(3, lambda reading: one.engine.ask(run, reading))

    assert run.record is None, "it is active, so it is asked"
    with other.store.turn(now(4), 10):
        assert [flight.run.asked for flight in other.store.asked()] == [True]
    other.turn(5, other.end("a", "cancelled"))
    assert run.record is not None


def test_an_attempt_that_rests_is_taken_up_by_anybody_in_time(one: Scheduler, other: Scheduler) -> None:
    one.turn(0, one.add("a", Repeat(-1, 60 * SECOND), RETRIED))
    one.turn(1, one.end("a", "failed", OSError()))
    other.turn(2.9)
    assert other.started == []
    assert other.store.until_next(now(2.9)) == 100_000
    other.turn(3)
    one.turn(3)

    assert len(one.started) == len(other.started) == 1
    assert other.started[0].run.attempt == 2
    assert one.store.in_flight == []


# ---- leases ------------------------------------------------------------------------------------------------------


@pytest.fixture
def boot(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds since the machine was started, by which leases go; the last of these."""
    at = [1000.0]
    monkeypatch.setattr(processes, "since_boot", lambda: round(at[-1] * S))
    return at


def test_who_is_silent_for_longer_than_its_lease_is_dead(boot: list[float], tmp_path: Path) -> None:
    one, other = Scheduler(tmp_path), Scheduler(tmp_path)
    one.turn(0, one.add("a", Repeat(-1, 60 * SECOND)))
    for after in (0, 4, 8):  # each renews its lease within a third of it
        boot.append(1000 + after)
        other.turn(after)
    assert other.started == []
    boot.append(1012)
    other.turn(12)
    other.turn(12)

    assert [flight.run.attempt for flight in other.started] == [2]


def test_who_renews_its_lease_lives(boot: list[float], tmp_path: Path) -> None:
    one, other = Scheduler(tmp_path), Scheduler(tmp_path)
    one.turn(0, one.add("a", Repeat(-1, 600 * SECOND)))
    for after in range(4, 60, 4):
        boot.append(1000 + after)
        assert one.store.processes.until_beat() == 0
        one.turn(after)
        other.turn(after)

    assert other.started == []
    assert len(one.store.in_flight) == 1
    assert rows(tmp_path, "SELECT id FROM process") == [(1,), (2,)]


def test_who_was_silent_itself_judges_nobody_at_once(boot: list[float], tmp_path: Path) -> None:
    """The machine may have been suspended, and the others with it."""
    one, other = Scheduler(tmp_path), Scheduler(tmp_path)
    one.turn(0, one.add("a", Repeat(-1, 600 * SECOND)))
    other.turn(0)
    boot.append(5000)
    for _ in range(3):
        other.turn(4000)
    one.turn(4000)

    assert other.started == []
    assert len(one.store.in_flight) == 1


def test_who_stops_leaves(one: Scheduler, other: Scheduler, tmp_path: Path) -> None:
    other.turn(0)
    one.store.close()

    assert rows(tmp_path, "SELECT id FROM process") == [(other.store.processes.me,)]
