"""Mutations: each lets one function of the package decide wrongly, and names what catches it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias

import pytest

from panther_schedule.planning.rule import Rule

Wrong: TypeAlias = Callable[[Any], Callable[..., Any]]
"""Makes a wrong variant of the real function."""


class Mutation(NamedTuple):
    """One function that is wrong."""

    name: str
    owner: ModuleType | type
    """Where it is defined."""
    function: str
    wrong: Callable[[Any], object]
    caught_by: int | Callable[[], None] = 0
    """The seed of the walk that catches it; or a check, for what the model does not know."""

    def apply(self, patch: pytest.MonkeyPatch) -> None:
        """Put the wrong variant in the place of the real function, in every module that holds it."""
        real = vars(self.owner)[self.function]
        variant = self.wrong(real)
        if isinstance(self.owner, type):
            patch.setattr(self.owner, self.function, variant)
            return
        for module in [module for name, module in sys.modules.items() if name.startswith("panther_schedule.")]:
            for name, held in list(vars(module).items()):
                if held is real:
                    patch.setattr(module, name, variant)


def then(change: Callable[..., Any]) -> Wrong:
    """Change what the real function answers; `change` gets the answer, then the arguments."""
    return lambda real: lambda *given, **named: change(real(*given, **named), *given)


def of(change: Callable[..., tuple[Any, ...]]) -> Wrong:
    """Give the real function other arguments."""
    return lambda real: lambda *given, **named: real(*change(*given), **named)


def instead(variant: object) -> Callable[[Any], object]:
    """Leave the real function out."""
    return lambda _real: variant


def with_terms(rule: Rule, **changes: Any) -> Rule:
    """Return a rule with another policy."""
    return replace(rule, terms=replace(rule.terms, **changes))


def with_held(state: Any, **changes: Any) -> Any:
    """Return a state in which other things are held."""
    return state._replace(held=state.held._replace(**changes))


def with_state(step: Any, **changes: Any) -> Any:
    """Return a step to another state."""
    return step._replace(state=step.state._replace(**changes))
