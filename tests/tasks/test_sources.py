"""Tasks from every source, and the places of what is wrong in them."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import mutated_documents
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from mutated_documents import as_toml, registry, send_otp
from pydantic import ValidationError
from strategies import cases, repeats, slow
from test_policy_properties import policies

from panther_schedule import AnySchedule, BackgroundTask, Once, Policy, Repeat, spec
from panther_schedule.occurrences.queries import ever_happens

GOLDEN = Path(__file__).parent / "golden"
WRONG = sorted(path.stem for path in GOLDEN.glob("*.txt"))


def faults(load: Callable[[], object]) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        load()
    return [fault["msg"] for fault in caught.value.errors()]


@pytest.mark.parametrize("name", ["tasks.toml", "tasks.yaml"])
def test_the_same_tasks_from_every_kind_of_file(name: str) -> None:
    text = (GOLDEN / "tasks.json").read_text()
    tasks = spec.load(GOLDEN / name, registry)

    assert spec.dump(tasks, registry) == text
    assert tasks == spec.load(GOLDEN / "tasks.json", registry) == spec.load(json.loads(text), registry)


@pytest.mark.parametrize("name", WRONG)
def test_each_fault_has_its_file_line_column_path_and_remedy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN)
    found = faults(lambda: spec.load(Path(name), registry))

    assert "".join(f"{fault}\n" for fault in found) == Path(f"{name}.txt").read_text()


def test_a_fault_has_its_place_in_numbers_too() -> None:
    with pytest.raises(ValidationError) as caught:
        spec.load('{"version": 1,\n "tasks": [5]}', registry)
    (fault,) = caught.value.errors()

    assert fault["loc"] == ("tasks", 0)
    assert fault.get("ctx") == {
        "file": "<text>",
        "line": 2,
        "column": 12,
        "path": "tasks[0]",
        "message": "task must be an object, got a number",
    }


def test_a_mapping_has_no_file_so_a_fault_has_its_path_alone() -> None:
    assert faults(lambda: spec.load({"version": 1, "tasks": [5]}, registry)) == ["task must be an object, got a number"]


def test_a_task_is_read_from_every_source_too(tmp_path: Path) -> None:
    task = BackgroundTask(send_otp, name="Ali")
    item = spec.dump_task(task, registry)
    (file := tmp_path / "task.yml").write_text("func: send_otp\nkwargs: {name: Ali}\n")

    assert spec.load_task(item, registry) == spec.load_task(json.dumps(item), registry) == task
    assert spec.load_task(file, registry) == task


def test_a_missing_library_is_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "panther_schedule.spec.yaml", raising=False)
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)
    with pytest.raises(ModuleNotFoundError) as caught:
        spec.load(GOLDEN / "tasks.yaml", registry)
    assert str(caught.value) == 'a YAML file needs ruamel.yaml; run pip install "panther-schedule[yaml]"'


def made(schedule: AnySchedule, policy: Policy) -> BackgroundTask:
    assume(ever_happens(schedule))
    task = BackgroundTask(send_otp, "Ali").with_schedule(schedule)
    without_grid = isinstance(schedule, Repeat) and not schedule.has_grid
    return task if without_grid else task.with_policy(policy)


schedules = cases().map(lambda case: case[1]) | repeats(st.timedeltas(timedelta(0))) | st.just(Once())


@slow
@given(st.lists(st.builds(made, schedules, policies), max_size=3))
def test_every_model_and_policy_comes_back_from_every_source(
    tmp_path_factory: Any, tasks: list[BackgroundTask]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    text = spec.dump(tasks, registry)
    data = json.loads(text)
    (in_json := folder / "tasks.json").write_text(text)
    (in_toml := folder / "tasks.toml").write_text(as_toml(data))
    (in_yaml := folder / "tasks.yaml").write_text(text)

    for source in (text, text.encode(), data, in_json, in_toml, in_yaml):
        loaded = spec.load(source, registry)
        assert loaded == tasks
        assert spec.dump(loaded, registry) == text


@pytest.mark.parametrize("seed", range(400))
def test_a_changed_document_is_read_or_refused_with_its_places(seed: int, tmp_path: Path) -> None:
    name, load = mutated_documents.call(random.Random(seed), tmp_path)
    try:
        load()
    except ValidationError as error:
        refused = error.errors()
        assert 0 < len(refused) <= 101
        assert name in ("dict", ".toml") or all(
            fault.get("ctx", {})["line"] for fault in refused if fault["type"] != "source_type"
        )
        assert all(len(fault["msg"]) < 2_000 for fault in refused)
