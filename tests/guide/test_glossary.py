"""Glossary: one word for each thing, and the public API uses that word."""

import importlib
import inspect
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import panther_schedule
from panther_schedule import BackgroundTask, Policy, Retry, Run, Schedule, Scheduler, VirtualClock

from .pages import quoted, reference, table

WORDS = {row[0]: row[1] for row in table("glossary", "word")}
OTHER_WORDS = {"job", "trigger", "fire", "fired", "misfire", "execution", "executor", "callback", "hook"}
"""What other programs call a task, a schedule, to start, missed, a run, workers and a listener."""


def poll() -> None:
    """Stand for a function of the program."""


def public_names() -> Iterator[str]:
    """Give every name that a program may write: of classes and functions, their attributes and their parameters."""
    for module, name in reference():
        value = getattr(importlib.import_module(f"panther_schedule.{module}".rstrip(".")), name)
        yield name
        for part in vars(value).values() if isinstance(value, ModuleType) else [value]:
            if inspect.isclass(part) and part.__module__.startswith("panther_schedule"):
                shown = (attribute for attribute in vars(part) if not attribute.startswith("_"))
                yield from (attribute for attribute in shown if hasattr(part, attribute))  # not Panther's
                yield from inspect.get_annotations(part)
                for method in vars(part).values():
                    yield from parameters(method)
            yield from parameters(part)


def parameters(value: Any) -> list[str]:
    """List the parameters of a function."""
    return list(inspect.signature(value).parameters) if inspect.isfunction(value) else []


def test_a_word_has_one_row() -> None:
    """No word means two things."""
    words = [word for row in table("glossary", "word") for word in row[0].split(", ")]

    assert len(words) == len(set(words))


def test_the_public_api_uses_the_words_of_the_glossary() -> None:
    """No public name, attribute or parameter uses another word for what the glossary names."""
    names = set(public_names())
    used = {word for name in names for word in name.lower().split("_")}

    assert {"add_task", "schedule", "scheduled_at", "max_workers", "listener"} <= names, "all kinds of names are found"
    assert used & OTHER_WORDS == set()


def test_the_kinds_of_schedules_are_those_of_the_glossary() -> None:
    """A schedule is one of seven models."""
    public = {name: getattr(panther_schedule, name) for name in panther_schedule.__all__}
    kinds = {name for name, value in public.items() if inspect.isclass(value) and issubclass(value, Schedule)}

    assert set(quoted(WORDS["schedule"])) == kinds - {"Schedule"}


def test_the_outcomes_are_those_of_the_glossary(clock: VirtualClock) -> None:
    """A run ends in one of six ways; the other counts are of occurrences without a run, or without an outcome yet."""
    counts = Scheduler(clock=clock).counts

    assert set(counts) - set(quoted(WORDS["outcome"])) == {"missed", "skipped_overlap", "skipped_paused", "in_flight"}


def test_the_causes_are_those_of_the_glossary(clock: VirtualClock) -> None:
    """A run exists because of the schedule, or because somebody asked for it."""
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(BackgroundTask(poll).with_name("poll"))
        handle.join()
        handle.run_now().join()
        handle.backfill(clock.now(), clock.now())[0].join()

    causes = [record.cause for record in handle.runs if isinstance(record, Run)]
    assert causes == [word for word in quoted(WORDS["cause"]) if word.isidentifier()]


def test_the_classes_of_the_glossary_are_public() -> None:
    """Where the glossary names a class, a program can import it."""
    named = {name for word, meaning in WORDS.items() for name in quoted(word + meaning) if re.match("[A-Z]", name)}

    assert named <= set(panther_schedule.__all__)


def test_times_end_in_at(clock: VirtualClock) -> None:
    """A moment in a record or an event has a name that ends in `_at`."""
    heard: list[object] = []
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_listener(heard.append)
        handle = scheduler.add_task(BackgroundTask(poll).interval(3).interval_wait(timedelta(hours=1)))
        clock.suspend(timedelta(hours=1))
        scheduler.join()

    attempts = [attempt for record in handle.runs if isinstance(record, Run) for attempt in record.attempts]
    times = {name for value in [*handle.runs, *attempts, *heard] for name in moments(value)}
    assert {"scheduled_at", "started_at", "finished_at", "first_at", "last_at"} <= times
    assert [name for name in times if not name.endswith("_at")] == []


def moments(value: object) -> list[str]:
    """List the public attributes that are moments."""
    return [name for name in dir(value) if not name.startswith("_") and isinstance(getattr(value, name), datetime)]


def test_durations_are_timedeltas() -> None:
    """A duration is a `timedelta`, so no public name carries a unit."""
    assert Policy().jitter == timedelta(0)
    assert Retry(3).delay == timedelta(seconds=1)
    assert [name for name in public_names() if re.search("_(s|ms|us|seconds|minutes|hours|days)$", name)] == []
