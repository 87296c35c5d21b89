"""Mutations of the package, each of which is caught where the tasks are in a file: those of the machine, by the model.

Whatever the model does not know has the same check as in memory, which does not ask where the tasks are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import law
import pytest
from mutations import Mutation
from mutations_in_a_file import OF_THE_MACHINE, SEEDS
from mutations_of_sql import OF_SQL, WrongSQL, names_are_free
from mutations_of_the_file import OF_THE_FILE
from pair_of_a_file import FilePair
from test_mutations import STEPS, WALKS, caught
from walk import walk

from panther_schedule.sqlite.rows import rule_for

STEADY = {"all is on steady time"}
"""What can't be seen where there is one time, the wall's."""


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


@pytest.fixture(autouse=True)
def no_rules() -> Iterator[None]:
    """Keep no rule in mind that a mutation has made."""
    rule_for.cache_clear()
    yield
    rule_for.cache_clear()


def walked(seed: int) -> Callable[[], None]:
    """Return a walk of a scheduler with a file and its model, side by side."""

    def walk_both() -> None:
        with TemporaryDirectory() as folder:
            pair = FilePair(Path(folder) / "tasks.db")
            try:
                walk(pair, STEPS, Random(seed))
            finally:
                pair.stop()

    return walk_both


def check_walks(first: int) -> None:
    """Assert that one of the walks goes wrong; the first, until somebody changes how they are drawn."""
    assert any(caught(walked(seed)) for seed in range(first, first + WALKS)), f"not caught in {WALKS} walks"


@pytest.mark.parametrize(
    "mutation",
    [mutation for mutation in OF_THE_MACHINE if mutation.name in SEEDS],
    ids=lambda mutation: mutation.name.replace(" ", "_"),
)
def test_one_of_the_machine_is_caught(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation.apply(monkeypatch)

    check_walks(SEEDS[mutation.name])


@pytest.mark.parametrize("mutation", [*OF_SQL, *OF_THE_FILE], ids=lambda mutation: mutation.name.replace(" ", "_"))
def test_one_of_the_store_is_caught(mutation: Mutation | WrongSQL, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation.apply(monkeypatch)

    if isinstance(mutation.caught_by, int):
        check_walks(mutation.caught_by)
    else:
        assert caught(mutation.caught_by), f"not caught by {mutation.caught_by.__name__}"


def test_without_a_mutation_the_check_of_names_does_not_go_wrong() -> None:
    """The other checks are tests themselves."""
    names_are_free()


def test_the_mutations_are_many_and_differ() -> None:
    """Those of the machine that the model does not catch here have a check, as in memory."""
    names = [mutation.name for mutation in (*OF_THE_MACHINE, *OF_THE_FILE)] + [wrong.name for wrong in OF_SQL]
    unseen = {mutation.name: mutation.caught_by for mutation in OF_THE_MACHINE if mutation.name not in SEEDS}

    assert len(names) == len(set(names))
    assert len(SEEDS) >= 80
    assert {name for name, check in unseen.items() if not callable(check)} == STEADY
    assert len(OF_SQL) + len(OF_THE_FILE) >= 80
