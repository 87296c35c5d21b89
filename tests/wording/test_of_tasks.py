"""What explains, previews and lints schedules takes tasks too."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from panther_schedule import BackgroundTask, Once, Policy, Weekly, explain, lint, preview

START = datetime(2026, 1, 1, tzinfo=UTC)
M = timedelta(minutes=1)


def note() -> None: ...


task = BackgroundTask(note)
TASKS = [
    task,
    task.interval(5),
    task.interval(5).interval_wait(5 * M).with_policy(jitter=M),
    task.interval(-1).on_time(time(8), tz="Europe/Berlin").with_policy(Policy(timeout=M)).with_name("digest"),
    task.with_schedule(Weekly("mon", time(8), tz="UTC") | Once(START + M)).with_policy(jitter=5 * M),
]


@pytest.mark.parametrize("one", TASKS)
def test_a_task_is_explained_as_it_explains_itself(one: BackgroundTask) -> None:
    assert explain(one) == one.explain()
    assert explain(one).startswith(explain(one.schedule))


@pytest.mark.parametrize("one", TASKS)
def test_a_preview_of_a_task_has_its_next_runs(one: BackgroundTask) -> None:
    assert [shown.utc for shown in preview(one, 6, after=START)] == one.next_runs(6, after=START)
    assert [shown.local for shown in preview(one, 6, after=START)] == one.next_runs(6, after=START)


def test_jitter_changes_the_times_of_a_preview_and_not_its_notes() -> None:
    daily = task.interval(-1).on_time(time(2, 30), tz="Europe/Berlin")
    jittered, march = daily.with_policy(jitter=M), datetime(2026, 3, 28, tzinfo=UTC)

    plain = preview(daily, 3, after=march)
    moved = preview(jittered, 3, after=march)
    assert [one.note for one in moved] == [one.note for one in plain]
    assert any(one.note for one in plain)
    assert all(timedelta(0) <= late.utc - one.utc < M for late, one in zip(moved, plain, strict=True))
    assert moved != plain


def test_a_task_is_linted_as_its_schedule() -> None:
    for one in (*TASKS, task.interval(-1)):
        assert lint(one, "Europe/Berlin") == lint(one.schedule, "Europe/Berlin")
    assert [smell.code for smell in lint(task.interval(-1))] == ["busy_loop"]
