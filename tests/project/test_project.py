"""What the project promises about itself: small files, one reader of time, no code in data, a complete reference."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import panther_schedule

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "panther_schedule").rglob("*.py"))
SOURCES = [
    *MODULES,
    ROOT / "dev.py",
    *(path for folder in ("tests", "examples", "bench") for path in sorted((ROOT / folder).rglob("*.py"))),
]
CLOCKS = re.compile(
    r"(datetime\.(now|utcnow|today)|date\.today|time\.(time|monotonic|perf_counter|clock_gettime)(_ns)?)\("
)


SILENCED = re.compile(r"#\s*(type: ignore|noqa|pyright: ignore|pragma)")
REASON = re.compile(r"#\s*(type: ignore|noqa|pyright: ignore|pragma)[^#]* - \S")


def by_name(path: Path) -> str:
    """Show a path in a test's name."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=by_name)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 400


def test_only_the_clock_reads_time() -> None:
    found = [f"{path.name}: {line}" for path in MODULES if path.name != "clock.py" for line in _lines(path, CLOCKS)]

    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=by_name)
def test_no_pickle_and_no_evaluation(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                modules = {alias.name for alias in names}
            case ast.ImportFrom(module=module):
                modules = {module or ""}
            case ast.Call(func=ast.Name(id=called)):
                assert called not in {"eval", "exec", "__import__"}, node.lineno
                continue
            case _:
                continue
        assert not modules & {"pickle", "marshal", "shelve", "dill"}, node.lineno


def test_every_module_imports_without_a_warning() -> None:
    modules = ", ".join(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in MODULES)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"import {modules}"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_silenced_checks_give_a_reason() -> None:
    found = [f"{path.name}: {line}" for path in SOURCES for line in _lines(path, SILENCED) if not REASON.search(line)]

    assert found == []


def test_the_public_names_are_few_and_exist() -> None:
    names = panther_schedule.__all__

    assert len(names) == len(set(names)) <= 34
    assert [name for name in names if not hasattr(panther_schedule, name)] == []


def test_every_public_name_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    shown = re.findall(r"^::: panther_schedule(?:\.([\w.]+))?\.(\w+)$", page, re.MULTILINE)
    names = {name for _module, name in shown}
    by_module = {name: module for module, name in shown if name not in panther_schedule.__all__}

    assert names - by_module.keys() == set(panther_schedule.__all__) - {"__version__"}
    for name, module in by_module.items():  # only returned, or needed for a hint
        assert getattr(importlib.import_module(f"panther_schedule.{module}"), name).__doc__, name
        assert f"`{name}` from `" in page


def test_the_design_page_has_the_layers_in_the_order_of_the_contract() -> None:
    contract, *_inside = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [re.split(" [|:] ", layer) for layer in contract["layers"]]
    rows = re.findall(r"^\| (`.+?) \|", (ROOT / "docs" / "design.md").read_text(), re.MULTILINE)

    assert [re.findall(r"`(\w+)`", row) for row in rows] == layers
    top = {path.relative_to(ROOT / "panther_schedule").parts[0].removesuffix(".py") for path in MODULES}
    assert {name for layer in layers for name in layer} == top - {"__init__"}


def test_every_public_name_has_a_docstring() -> None:
    for name in set(panther_schedule.__all__) - {"__version__", "AnySchedule"}:
        assert getattr(panther_schedule, name).__doc__, name


def test_the_version_is_the_same_everywhere() -> None:
    version = panther_schedule.__version__

    assert f'version = "{version}"' in (ROOT / "pyproject.toml").read_text()
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.real_clock
def test_the_demo_shows_the_four_uses_and_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "examples/demo.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("send_otp('Ali')") == 1 + 5 + 5
    assert re.findall(r"^(\w{3} [\d:]{8})    send_hello", done.stdout, re.MULTILINE) == [
        "Thu 08:00:00",
        "Fri 08:00:00",
        "Sat 08:00:00",
    ]
    assert "SIMULATED" in done.stdout
    assert "equal to the one that was dumped: True" in done.stdout


@pytest.mark.real_clock
def test_the_example_of_policies_leaves_out_no_hour() -> None:
    command = [sys.executable, "-W", "error", "examples/policies.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1:] == [
        "03:00 attempt failed, again in 0:01:00",
        "03:01 attempt failed, again in 0:02:00",
        "03:03 run for 03:00 succeeded, attempt 3",
        "19:30 6 skipped_paused, 14:00 to 19:00",
        "{'succeeded': 19, 'skipped_paused': 6}",
        "19 loads, hours left out: 0.0",
    ]


def test_the_wheel_holds_the_types(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())

    assert {by_name(path) for path in MODULES} | {"panther_schedule/py.typed"} <= held
    assert {name.split("/")[0].split("-")[0] for name in held} == {"panther_schedule"}


def _lines(path: Path, pattern: re.Pattern[str]) -> Iterator[str]:
    return (line.strip() for line in path.read_text().splitlines() if pattern.search(line))
