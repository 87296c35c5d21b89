"""The runtime against its model: random acts by Hypothesis, random walks of fixed seeds, and what they have found.

`bench/stateful.py` walks for as long as one likes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest
import walk as walking
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from model_parts import DAY, SECOND, Ways
from pair import DivergenceError, Pair, Timing
from pair_of_a_file import FilePair
from pair_of_two import SharedPair
from walk import Act, acts_for, walk

T = TypeVar("T")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Log nothing: thousands of timeouts and steps of the clock are no news here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def in_memory(_folder: Path) -> Pair:
    """Make a scheduler in memory, and its model."""
    return Pair()


def in_a_file(folder: Path) -> Pair:
    """Make a scheduler with a file, and its model."""
    return FilePair(folder / "tasks.db")


def in_a_file_of_two(folder: Path) -> Pair:
    """Make two schedulers that share a file, and their model."""
    return SharedPair(folder / "tasks.db")


@pytest.fixture(params=[in_memory, in_a_file, in_a_file_of_two])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    """A scheduler and its model, which are compared at the end."""
    both: Pair = request.param(tmp_path)
    yield both
    both.check()
    both.check_law()
    both.stop()


class Runtime(RuleBasedStateMachine):
    """Whatever is done, the scheduler does what the model does."""

    acts = acts_for(Pair)

    def __init__(self) -> None:
        super().__init__()
        self.pair = self.made()

    def made(self) -> Pair:
        """Make the two."""
        return Pair()

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Add a first task."""
        self.act(walking.add, data)

    @rule(data=st.data())
    def any_act(self, data: st.DataObject) -> None:
        """Do something."""
        self.act(data.draw(st.sampled_from(self.acts)), data)

    def act(self, act: Act, data: st.DataObject) -> None:
        """Do this, then compare."""

        def draw(options: Sequence[T], /) -> T:
            return data.draw(st.sampled_from(options))

        if act(self.pair, draw):
            self.pair.check()

    def teardown(self) -> None:
        """Look at the law once more."""
        self.pair.check_law()
        self.pair.stop()


class RuntimeOfAFile(Runtime):
    """The same where the tasks are in a file."""

    acts = acts_for(FilePair)

    def made(self) -> Pair:
        """Make the two."""
        self.folder = TemporaryDirectory()
        return in_a_file(Path(self.folder.name))

    def teardown(self) -> None:
        """Remove the file, too."""
        super().teardown()
        self.folder.cleanup()


SETTINGS = settings(stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TestRuntime = Runtime.TestCase
TestRuntime.settings = settings(SETTINGS, max_examples=60)
TestRuntimeOfAFile = RuntimeOfAFile.TestCase
TestRuntimeOfAFile.settings = settings(SETTINGS, max_examples=20)


@pytest.mark.parametrize("seed", range(12))
def test_a_random_walk(seed: int, pair: Pair) -> None:
    walk(pair, 120 if type(pair) is Pair else 60, Random(seed))  # a file takes longer


def test_a_difference_is_told_with_all_that_was_done(pair: Pair) -> None:
    pair.add(Timing("repeat", 3, 10 * SECOND), Ways(), named=True)
    pair.advance(5 * SECOND)
    pair.model.tasks[0].tally["missed"] += 1
    with pytest.raises(DivergenceError, match=r"(?s)task 0: counts:.*add 'task-0'.*advance 5000000"):
        pair.check()
    pair.model.tasks[0].tally["missed"] -= 1


# ---- what it has found --------------------------------------------------------------------------------------------


def found_timer_of_a_timeout(pair: Pair) -> None:
    """The timer of a timeout woke a run that waited for its next attempt."""
    pair.add(Timing("once"), Ways(attempts=2, delay=45 * SECOND, timeout=60 * SECOND), named=False)
    pair.advance(30 * SECOND)
    pair.end(0, "failed", "ValueError")
    pair.advance(40 * SECOND)


def found_last_place(pair: Pair) -> None:
    """Of several late occurrences and one place left in n, none ran."""
    ways = Ways(missed="catch_up", window=300 * SECOND, limit=10)
    pair.add(Timing("repeat", 2, 60 * SECOND), ways, named=True)
    pair.suspend(1000 * SECOND)
    pair.end(0, "succeeded", None)


def found_pushed_out(pair: Pair) -> None:
    """Late occurrences pushed out what waited already, in one record that had holes."""
    ways = Ways(overlap="queue_all", missed="catch_up", limit=2)
    pair.add(Timing("repeat", -1, 10 * SECOND), ways, named=True)
    pair.advance(50 * SECOND)
    pair.suspend(40 * SECOND)


def found_paused_after_its_end(pair: Pair) -> None:
    """A task was paused that had ended in the same turn."""
    pair.add(Timing("once"), Ways(), named=True)
    pair.end(0, "succeeded", None)
    pair.pause(0)


def found_replaced_after_its_end(pair: Pair) -> None:
    """A task that ended in the turn in which it got another schedule was taken for ended."""
    pair.add(Timing("once"), Ways(), named=True)
    pair.end(0, "succeeded", None)
    pair.replace(0, Timing("repeat", 2, 10 * SECOND), Ways())


def found_once_in_a_pause(pair: Pair) -> None:
    """A `Once` was missed because it had waited for the end of a pause."""
    pair.add(Timing("at", 1, by=60 * SECOND), Ways(missed="skip", grace=10 * SECOND), named=True)
    pair.pause(0)
    pair.advance(600 * SECOND)
    pair.resume(0)


def found_wrong_clock_in_a_pause(pair: Pair) -> None:
    """A paused task stayed in the future of a clock that had been days ahead."""
    pair.step(2 * DAY)
    pair.add(Timing("hourly"), Ways(), named=True)
    pair.pause(0)
    pair.step(-2 * DAY)
    pair.advance(4000 * SECOND)
    pair.resume(0)


def found_timeout_after_a_step(pair: Pair) -> None:
    """A timeout was as early or late as the wall clock had been set by before, where all goes by that."""
    pair.step(300 * SECOND)
    pair.add(Timing("once"), Ways(timeout=60 * SECOND), named=True)
    pair.advance(90 * SECOND)


def found_order_of_timeouts(pair: Pair) -> None:
    """Runs whose time was up together were recorded in no order."""
    pair.add(Timing("once"), Ways(timeout=60 * SECOND), named=True)
    pair.advance(SECOND)
    pair.run_now(0)
    pair.replace(0, None, Ways(timeout=5 * SECOND))
    pair.run_now(0)
    pair.suspend(100 * SECOND)


def found_order_of_starts(pair: Pair) -> None:
    """A task that was just added began before others that were due at the same time."""
    pair.add(Timing("once"), Ways(attempts=3, delay=0), named=True)
    pair.end(0, "failed", "ValueError")
    pair.add(Timing("once"), Ways(), named=True)


def found_no_grid_in_a_wrong_clock(pair: Pair) -> None:
    """A repeat that is measured from the end waited for a clock that had been days ahead."""
    pair.step(2 * DAY)
    pair.add(Timing("end", -1, 10 * SECOND), Ways(), named=True)
    pair.end(0, "succeeded", None)
    pair.advance(SECOND)
    pair.step(-2 * DAY)
    pair.advance(60 * SECOND)


FOUND: list[Callable[[Pair], None]] = [
    found_timer_of_a_timeout,
    found_last_place,
    found_pushed_out,
    found_paused_after_its_end,
    found_replaced_after_its_end,
    found_once_in_a_pause,
    found_wrong_clock_in_a_pause,
    found_timeout_after_a_step,
    found_order_of_timeouts,
    found_order_of_starts,
    found_no_grid_in_a_wrong_clock,
]


@pytest.mark.parametrize("found", FOUND, ids=lambda found: found.__name__.removeprefix("found_"))
def test_what_it_has_found(found: Callable[[Pair], None], pair: Pair) -> None:
    found(pair)
    pair.check()


# ---- what it has found of a file ----------------------------------------------------------------------------------


def found_ended_by_new_zones(pair: FilePair) -> None:
    """New rules of zones ended a repeat that had not begun, or took its first run."""
    pair.add(Timing("end", 3, 10 * SECOND, 60 * SECOND), Ways(), named=True)
    pair.add(Timing("repeat", 3, 10 * SECOND, 60 * SECOND), Ways(), named=True)
    pair.reload()
    pair.advance(100 * SECOND)


def found_two_objects_of_a_task(pair: FilePair) -> None:
    """A turn that could not begin let the task that was added before be two objects, which wrote over each other."""
    pair.add(Timing("repeat", -1, 60 * SECOND), Ways(attempts=3), named=True)
    pair.fail(1)
    pair.add(Timing("daily"), Ways(), named=True)
    pair.pause(0)
    pair.end(0, "failed", "ValueError")
    pair.advance(10 * SECOND)
    pair.pause(1)


def found_put_off_by_a_clock(pair: FilePair) -> None:
    """A run that a stop had left to others waited until a clock that was set back had come that far again."""
    pair.add(Timing("repeat", -1, 10 * SECOND), Ways(overlap="queue_one", on_lost="record"), named=True)
    pair.advance(15 * SECOND)
    pair.restart(-4000 * SECOND, killed=False)


def found_two_schedules_of_one_moment(pair: FilePair) -> None:
    """A task that got two other schedules in one moment had one record of what a pause had skipped of both."""
    pair.add(Timing("daily"), Ways(), named=True)
    pair.advance(2 * DAY)
    pair.pause(0)
    pair.replace(0, Timing("repeat", -1, 10 * SECOND), Ways())
    pair.replace(0, Timing("daily"), Ways())
    pair.advance(2 * DAY)
    pair.resume(0)


FOUND_OF_A_FILE: list[Callable[[FilePair], None]] = [
    found_ended_by_new_zones,
    found_two_objects_of_a_task,
    found_put_off_by_a_clock,
    found_two_schedules_of_one_moment,
]


@pytest.mark.parametrize("found", FOUND_OF_A_FILE, ids=lambda found: found.__name__.removeprefix("found_"))
@pytest.mark.parametrize("pair", [in_a_file, in_a_file_of_two], indirect=True)
def test_what_it_has_found_of_a_file(found: Callable[[FilePair], None], pair: FilePair) -> None:
    found(pair)
    pair.check()


def test_a_task_that_another_has_cancelled_has_ended_also_when_it_is_pruned(tmp_path: Path) -> None:
    """Its handle here showed a next run for ever, and join() waited for that."""
    pair = SharedPair(tmp_path / "tasks.db")
    pair.add(Timing("hourly"), Ways(), named=True)
    pair.switch()
    pair.cancel(0)
    pair.advance(100 * SECOND)
    pair.switch()
    (handle,) = pair.handles
    pair.check()
    pair.stop()

    assert handle.ended
    assert handle.next_run is None


def test_a_task_that_another_has_replaced_while_it_runs_here_is_seen_by_its_new_rule(tmp_path: Path) -> None:
    """By the old one it had not ended, since its function went on."""
    pair = SharedPair(tmp_path / "tasks.db")
    pair.add(Timing("end", 3), Ways(timeout=60 * SECOND), named=True)
    pair.switch()
    pair.advance(90 * SECOND)
    pair.replace(0, Timing("at", by=-7200 * SECOND), Ways(missed="skip", grace=SECOND))
    pair.switch()
    pair.check()
    (handle,) = pair.handles
    pair.stop()

    assert handle.ended
