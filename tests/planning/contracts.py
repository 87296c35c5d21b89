"""The tests of the contract of a store, as checks of mutations: each gets what it asks for, with a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from inspect import signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from kept import InAFile
from scene import Scheduler

from panther_schedule.errors import StoreError
from panther_schedule.sqlite import processes


class Given:
    """What such tests ask for, by name."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.tmp_path, self._patch = folder, patch

    @cached_property
    def store(self) -> InAFile:
        """A file alone."""
        return InAFile(self.tmp_path)

    @cached_property
    def scheduler(self) -> Scheduler:
        """A scheduler that keeps few records."""
        return Scheduler(self.tmp_path, most=20)

    @cached_property
    def one(self) -> Scheduler:
        """A scheduler."""
        return Scheduler(self.tmp_path)

    @cached_property
    def other(self) -> Scheduler:
        """Another one with the same file."""
        self.one.turn(-1)
        return Scheduler(self.tmp_path)

    @cached_property
    def boot(self) -> list[float]:
        """The seconds since the machine was started; the last of these."""
        at = [1000.0]
        self._patch.setattr(processes, "since_boot", lambda: round(at[-1] * 1_000_000))
        return at


def contract(test: Callable[..., None], **known: Any) -> Callable[[], None]:
    """Make a check of a test; a store that refuses what it is asked fails it, too."""

    def check() -> None:
        with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            given = Given(Path(folder), patch)
            wanted = [name for name in signature(test).parameters if name not in known]
            try:
                test(**{name: getattr(given, name) for name in wanted}, **known)
            except StoreError as error:
                raise AssertionError(error) from error

    check.__name__ = test.__name__
    return check
