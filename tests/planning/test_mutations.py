"""Mutations of the package, each of which is caught: a check of the checks.

The model of the runtime catches what it knows of, in random walks of fixed seeds; a named check catches the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from random import Random

import law
import pytest
from mutations import Mutation
from mutations_of_control import OF_CONTROL, OF_RULES
from mutations_of_due import OF_DUE
from mutations_of_ends import OF_ENDS
from mutations_of_the_store import OF_THE_ENGINE, OF_THE_STORE
from pair import Pair
from walk import walk

MUTATIONS = [*OF_DUE, *OF_RULES, *OF_CONTROL, *OF_ENDS, *OF_THE_STORE, *OF_THE_ENGINE]
CHECKS = list(dict.fromkeys(mutation.caught_by for mutation in MUTATIONS if callable(mutation.caught_by)))
WALKS, STEPS = 40, 60
"""A mutation is caught within so many walks of so many steps, by the same seeds each time."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Log nothing: faults of the store are wanted here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def the_law() -> law.Watch:
    """Do not watch the law, which is broken here."""
    return law.Watch()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name.replace(" ", "_"))
def test_it_is_caught(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation.apply(monkeypatch)

    if isinstance(mutation.caught_by, int):
        first = mutation.caught_by
        assert any(caught(walked(seed)) for seed in range(first, first + WALKS)), (
            f"not caught in {WALKS} walks of {STEPS} steps"
        )
    else:
        assert caught(mutation.caught_by), f"not caught by {mutation.caught_by.__name__}"


def walked(seed: int) -> Callable[[], None]:
    """Return a walk of the runtime and its model, side by side."""

    def walk_both() -> None:
        pair = Pair()
        try:
            walk(pair, STEPS, Random(seed))
        finally:
            pair.stop()

    return walk_both


def caught(check: Callable[[], None]) -> bool:
    """Tell whether a check finds something wrong; any other error is a fault of the mutation, or of the check."""
    try:
        check()
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("seed", range(10))
def test_without_a_mutation_no_walk_goes_wrong(seed: int) -> None:
    assert not caught(walked(seed))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_without_a_mutation_no_check_goes_wrong(check: Callable[[], None]) -> None:
    check()


def test_the_mutations_are_many_and_differ() -> None:
    names = [mutation.name for mutation in MUTATIONS]
    assert len(names) == len(set(names)) >= 64
