"""Mutations of planning, each of which the model catches: a check of the check.

A mutation changes one place in the source of `panther_schedule.planning`; the changed functions take the place of the
real ones in each module that has them.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import FunctionType, ModuleType

import pytest
from mutations import MUTATIONS, Mutation
from pair import Pair
from walk import walk

from panther_schedule.planning import machine as planning

WALKS, STEPS = 120, 60
"""A mutation is caught within so many walks of so many steps, by the same seeds each time."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Log nothing: faults of the store are wanted here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name.replace(" ", "_"))
def test_the_model_catches_it(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(planning.__file__).read_text(encoding="utf-8")
    assert source.count(mutation.old) == 1, "the place that it changes is not in planning any more, or more than once"
    assert apply(source.replace(mutation.old, mutation.new), monkeypatch) >= 10
    assert any(caught(seed) for seed in range(mutation.seed, mutation.seed + WALKS)), (
        f"not caught in {WALKS} walks of {STEPS} steps"
    )


def apply(source: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Put the functions of a changed source in the place of the real ones; return how many places there are."""
    mutant = ModuleType(planning.__name__)
    mutant.__package__ = planning.__package__
    exec(compile(source, planning.__name__, "exec"), vars(mutant))  # noqa: S102 - our own source, with one change
    modules = [module for name, module in sys.modules.items() if name.startswith("panther_schedule.")]
    functions = {
        name: (getattr(planning, name), function)
        for name, function in vars(mutant).items()
        if isinstance(function, FunctionType) and function.__module__ == planning.__name__
    }
    places = 0
    for name, (real, function) in functions.items():
        for module in modules:
            if vars(module).get(name) is real:
                monkeypatch.setattr(module, name, function)
                places += 1
    return places


def caught(seed: int) -> bool:
    """Tell whether a walk goes wrong."""
    pair = Pair()
    try:
        walk(pair, STEPS, Random(seed))
    except AssertionError:
        return True
    finally:
        pair.stop()
    return False


def test_without_a_mutation_nothing_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    apply(Path(planning.__file__).read_text(encoding="utf-8"), monkeypatch)
    assert not any(caught(seed) for seed in range(10))
