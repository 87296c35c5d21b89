"""Design: the page shows the rooms as they are, and its decisions can be seen from outside."""

import pkgutil
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from types import FrameType

import pytest

from panther_schedule import BackgroundTask, Repeat, Scheduler, TaskRegistry, spec

from .pages import ROOT, page

PACKAGE = ROOT / "panther_schedule"
BRANCH = re.compile(r"^    (?P<inside>│  )?[├└]─ (?P<name>\w+)(?P<kind>/|\.py) +\S.*$", re.MULTILINE)


def tree() -> list[str]:
    """List the folders and modules that the page shows, from the top down, with their purpose beside them."""
    shown: list[str] = []
    folder = ""
    for branch in BRANCH.finditer(page("design")):
        shown.append(
            f"{folder}{branch['name']}{branch['kind']}" if branch["inside"] else branch["name"] + branch["kind"]
        )
        folder = shown[-1] if branch["kind"] == "/" else folder
    return shown


def contracts() -> dict[str, list[str]]:
    """Read which modules each contract of `lint-imports` is about, from the highest layer down."""
    read = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return {
        contract["containers"][0].removeprefix("panther_schedule").removeprefix("."): [
            module for layer in contract["layers"] for module in re.split(" [|:] ", layer)
        ]
        for contract in read
    }


def walk() -> list[str]:
    """List the functions and classes of the walk, in its order."""
    hops = re.findall(r"^\d+\. (.+)$", page("design"), re.MULTILINE)
    assert 1 <= len(hops) <= 12
    return [name for hop in hops for name in re.findall(r"`(\w+\.\w+\.[\w.]+)`", hop)]


def test_each_folder_and_module_is_a_line_of_the_tree() -> None:
    """The tree has every folder and module of the package, and no others."""
    modules = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if path.stem != "__init__"}
    folders = {f"{path.parent}/" for path in modules if path.parent.name}

    assert sorted(tree()) == sorted(folders | {str(path) for path in modules})


def test_the_tree_is_in_the_order_of_the_contract() -> None:
    """Imports go down the page, by the layers that `lint-imports` checks."""
    layers = contracts()
    order: list[str] = []
    for room in layers[""]:
        order += [f"{room}/", *(f"{room}/{module}.py" for module in layers[room])] if room in layers else [f"{room}.py"]

    assert tree() == order


def test_each_folder_has_a_contract_of_its_own() -> None:
    """Within a folder, too, each module has its layer and imports only from lower ones."""
    folders = {
        folder.name: {path.stem for path in folder.glob("*.py")} - {"__init__"}
        for folder in PACKAGE.iterdir()
        if (folder / "__init__.py").exists()
    }

    assert {folder: set(modules) for folder, modules in contracts().items() if folder} == folders


@pytest.mark.parametrize("name", walk())
def test_each_function_of_the_walk_exists(name: str) -> None:
    """The walk names modules and functions as they are in the code."""
    assert pkgutil.resolve_name(f"panther_schedule.{name}")


@pytest.mark.real_clock
def test_a_task_takes_the_walk() -> None:
    """A task passes through the functions of the walk in the order of the page."""
    called: list[str] = []

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_globals.get("__name__", "").startswith("panther_schedule."):
            module = frame.f_globals["__name__"].removeprefix("panther_schedule.")
            called.append(f"{module}.{frame.f_code.co_qualname.removesuffix('.__init__')}")

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        with Scheduler() as scheduler:
            handle = scheduler.add_task(BackgroundTask(len, "four").interval(2))
            handle.join()
            assert len(handle.runs) == 2
    finally:
        sys.setprofile(None)
        threading.setprofile(None)

    calls: Iterator[str] = iter(called)
    assert [name for name in walk() if name not in calls] == [], "each comes after the one before"


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
