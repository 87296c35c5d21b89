"""The pytest plugin: the fixture `schedule_clock` and its marker; `panther_schedule.testing` does the work.

It lies outside of the package, which pytest would import at its start otherwise: so it costs other suites nothing, and
coverage counts the lines of the package.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from panther_schedule.testing import ScheduleClock

_MARKER = (
    "schedule_clock(start=datetime, raises=error): when the fixture's time starts, and which error a run must raise"
)
_clock = pytest.StashKey["ScheduleClock"]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def schedule_clock(request: pytest.FixtureRequest) -> Iterator[ScheduleClock]:
    """Move `background_tasks` through virtual time: it is empty and unstarted before and after the test."""
    from panther_schedule import background_tasks
    from panther_schedule.testing import ScheduleClock

    positional: list[Any] = []  # refused
    options: dict[str, Any] = {}
    for mark in reversed([*request.node.iter_markers("schedule_clock")]):  # the closest one last
        positional += mark.args
        options |= mark.kwargs
    with ScheduleClock(background_tasks, *positional, **options) as clock:
        request.node.stash[_clock] = clock
        yield clock
    del request.node.stash[_clock]  # pytest keeps every test to the end of its session


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test in which a run failed unexpectedly; if it has failed already, only show that run."""
    try:
        result = yield
    except BaseException:
        if complaint := _complaint(item):
            item.add_report_section("call", "schedule_clock", complaint)
        raise
    if complaint := _complaint(item):
        pytest.fail(complaint, pytrace=False)
    return result


def _complaint(item: pytest.Item) -> str:
    try:
        if (clock := item.stash.get(_clock, None)) is not None:  # the test itself may have asked for it
            clock._check()
    except AssertionError as error:
        return str(error)
    return ""
