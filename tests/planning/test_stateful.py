"""The runtime against its model: random acts by Hypothesis, random walks of fixed seeds, and what they have found.

`bench/stateful.py` walks for as long as one likes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import TypeVar

import pytest
import walk as walking
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from model_parts import DAY, SECOND, Ways
from pair import DivergenceError, Pair, Timing
from walk import OFTEN, Act, walk

T = TypeVar("T")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Log nothing: thousands of timeouts and steps of the clock are no news here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A scheduler and its model, which are compared at the end."""
    both = Pair()
    yield both
    both.check()
    both.check_law()
    both.stop()


class Runtime(RuleBasedStateMachine):
    """Whatever is done, the scheduler does what the model does."""

    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair()

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Add a first task."""
        self.act(walking.add, data)

    @rule(act=st.sampled_from([act for act, often in OFTEN.items() for _ in range(often)]), data=st.data())
    def act(self, act: Act, data: st.DataObject) -> None:
        """Do something, then compare."""

        def draw(options: Sequence[T], /) -> T:
            return data.draw(st.sampled_from(options))

        if act(self.pair, draw):
            self.pair.check()

    def teardown(self) -> None:
        """Look at the law once more."""
        self.pair.check_law()
        self.pair.stop()


TestRuntime = Runtime.TestCase
TestRuntime.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.parametrize("seed", range(12))
def test_a_random_walk(seed: int, pair: Pair) -> None:
    walk(pair, 120, Random(seed))


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


FOUND: list[Callable[[Pair], None]] = [
    found_timer_of_a_timeout,
    found_last_place,
    found_pushed_out,
    found_paused_after_its_end,
    found_replaced_after_its_end,
    found_once_in_a_pause,
    found_wrong_clock_in_a_pause,
]


@pytest.mark.parametrize("found", FOUND, ids=lambda found: found.__name__.removeprefix("found_"))
def test_what_it_has_found(found: Callable[[Pair], None], pair: Pair) -> None:
    found(pair)
    pair.check()
