"""Mutations of how occurrences are found, each of which is caught by a small question: a check of the checks."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import asked
import lists
import pytest
from lists import Question
from mutations import Mutation
from mutations_of_clocks import OF_WALLTIMES, OF_ZONES
from mutations_of_cron import OF_CRON
from mutations_of_dates import OF_DAYS
from mutations_of_evaluators import OF_EVALUATORS, OF_THE_COMPILER

MUTATIONS = [*OF_DAYS, *OF_CRON, *OF_WALLTIMES, *OF_ZONES, *OF_EVALUATORS, *OF_THE_COMPILER]


def forget() -> None:
    """Forget all that was worked out before."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("panther_schedule.models.", "panther_schedule.occurrences.")):
            for held in list(vars(module).values()):
                if hasattr(held, "cache_clear"):
                    held.cache_clear()


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Let no test know what another one has worked out."""
    forget()
    yield
    forget()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name.replace(" ", "_"))
def test_it_is_caught(mutation: Mutation) -> None:
    assert callable(mutation.caught_by)
    with pytest.MonkeyPatch.context() as patch:
        mutation.apply(patch)
        with pytest.raises(AssertionError):
            mutation.caught_by()


def test_without_a_mutation_no_answer_is_wrong() -> None:
    for question in [each for each in vars(asked).values() if isinstance(each, Question)]:
        lists.check(question)
    for gap in ("next_valid", "shift", "skip"):
        lists.check(asked.gap_rule(gap))
    for fold in ("first", "last", "both"):
        lists.check(asked.fold_rule(fold))
    asked.no_february()
    asked.no_monday()


def test_the_mutations_are_many_and_differ() -> None:
    names = [mutation.name for mutation in MUTATIONS]
    assert len(names) == len(set(names)) >= 90
