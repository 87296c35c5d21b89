"""Design: the page shows the rooms as they are, and its decisions can be seen from outside."""

import re
import subprocess
import sys
import tomllib
from datetime import timedelta

from panther_schedule import BackgroundTask, Repeat, TaskRegistry, spec

from .pages import ROOT, quoted, table

PACKAGE = ROOT / "panther_schedule"


def rooms() -> list[list[str]]:
    """List the folders and modules that the page shows, row by row."""
    return [quoted(row[0]) for row in table("design", "folders and modules, from the top down")]


def test_the_page_has_the_layers_in_the_order_of_the_contract() -> None:
    """A folder imports only from lower ones, and the page shows the layers that `lint-imports` checks."""
    contract, *_inside = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

    assert rooms() == [re.split(" [|:] ", layer) for layer in contract["layers"]]


def test_each_folder_and_module_is_in_one_row() -> None:
    """The page shows every folder and module of the package, and no others."""
    there = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")}

    assert sorted(room for row in rooms() for room in row) == sorted(there - {"__init__"})


def test_each_folder_has_a_contract_of_its_own() -> None:
    """Within a folder, too, each module has its layer and imports only from lower ones."""
    _rooms, *inside = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = {
        contract["containers"][0].rpartition(".")[2]: {
            module for layer in contract["layers"] for module in re.split(" [|:] ", layer)
        }
        for contract in inside
    }

    assert layers == {
        folder.name: {path.stem for path in folder.glob("*.py")} - {"__init__"}
        for folder in PACKAGE.iterdir()
        if (folder / "__init__.py").exists()
    }


def test_nothing_happens_at_import() -> None:
    """Importing the package starts no thread."""
    count = "import threading, panther_schedule; print(threading.active_count())"
    done = subprocess.run([sys.executable, "-c", count], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "1\n"


def test_methods_models_and_json_are_one_thing() -> None:
    """`.interval(5).interval_wait(w)` makes `Repeat(5, w)`, and the JSON of the task is that model."""
    registry = TaskRegistry()

    @registry.register
    def poll() -> None: ...

    task = BackgroundTask(poll).interval(5).interval_wait(timedelta(minutes=5))
    model = Repeat(5, timedelta(minutes=5))

    assert task.schedule == model
    assert spec.load(spec.dump([task], registry), registry)[0].schedule == model
