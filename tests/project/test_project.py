"""What the project promises about itself: small files, one module that reads the time, no code in data."""

from __future__ import annotations

import ast
import io
import os
import re
import subprocess
import sys
import tarfile
import tokenize
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import panther_schedule

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "panther_schedule").rglob("*.py"))
PLUGIN = ROOT / "_panther_schedule_pytest.py"
SOURCES = [
    *MODULES,
    PLUGIN,
    ROOT / "dev.py",
    *(path for folder in ("tests", "examples", "bench") for path in sorted((ROOT / folder).rglob("*.py"))),
]
CLOCKS = re.compile(
    r"(datetime\.(now|utcnow|today)|date\.today|time\.(time|monotonic|perf_counter|clock_gettime)(_ns)?)\("
)
SILENCED = re.compile(r"#\s*(type: ignore|noqa|pyright: ignore|pragma)")
REASON = re.compile(r"#\s*(type: ignore|noqa|pyright: ignore|pragma)[^#]* - \S")
NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
MOST_LINES = {  # of each folder: all lines, and lines of code
    "models": (1734, 1178),
    "occurrences": (679, 455),
    "planning": (1030, 657),
    "runtime": (4048, 2857),
    "cli": (1583, 1109),
    "mypy": (666, 487),
    "spec": (771, 558),
    "tasks": (1097, 705),
    "pictures": (760, 541),
    "testing": (610, 410),
    "wording": (564, 421),
    "sqlite": (2010, 1499),
    "panther_schedule": (882, 553),  # the modules beside the folders
}
MOST_LINES_IN_ALL = (16434, 11430)  # all lines are to be lowered to 6_500


def by_name(path: Path) -> str:
    """Show a path in a test's name."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=by_name)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 400


def test_the_lines_are_counted_without_blanks_comments_and_docstrings() -> None:
    text = '''"""A module."""

# a comment
def double(n: int) -> int:
    """Return twice a number.

    A second paragraph.
    """
    return (  # a comment on a line of code
        2
        * n
    )


TEXT = """two lines
of code"""
'''

    assert code_lines(text) == 1 + 4 + 2


@pytest.mark.parametrize("folder", MOST_LINES)
def test_a_folder_grows_by_decision_only(folder: str) -> None:
    lines, code = counted(path for path in MODULES if room_of(path) == folder)
    most_lines, most_code = MOST_LINES[folder]

    assert lines <= most_lines
    assert code <= most_code


def test_the_package_grows_by_decision_only() -> None:
    lines, code = counted(MODULES)
    most_lines, most_code = MOST_LINES_IN_ALL

    assert {room_of(path) for path in MODULES} == set(MOST_LINES)
    assert lines <= most_lines
    assert code <= most_code


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


def test_the_version_is_the_same_everywhere() -> None:
    version = panther_schedule.__version__

    assert f'version = "{version}"' in (ROOT / "pyproject.toml").read_text()
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()


WAITS = """
import threading

def test_that_waits_for_ever():
    threading.Event().wait()

def test_that_ends():
    pass
"""


@pytest.mark.real_clock
def test_a_test_that_waits_for_ever_is_ended_and_named(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    assert float(request.config.getini("timeout")) > 0
    waits = tmp_path / "test_waits.py"
    waits.write_text(WAITS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        str(ROOT / "pyproject.toml"),
        "--tb=no",
        "--timeout",
        "0.5",
        str(waits),
    ]
    wide = {**os.environ, "COLUMNS": "300"}  # else a long path cuts the line off
    done = subprocess.run(command, cwd=tmp_path, env=wide, capture_output=True, text=True, check=False)

    assert re.findall(r"^FAILED \S*::(\w+) - (\w+: \w+)", done.stdout, re.MULTILINE) == [
        ("test_that_waits_for_ever", "Failed: Timeout")
    ]
    assert "1 failed, 1 passed" in done.stdout


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


def test_the_wheel_holds_the_types_and_the_schema(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())

    assert {by_name(path) for path in MODULES} | {PLUGIN.name} <= held
    assert {"panther_schedule/py.typed", "panther_schedule/tasks.schema.json"} <= held
    assert {name.split("/")[0].split("-")[0] for name in held} == {"panther_schedule", PLUGIN.name}


def test_the_source_archive_holds_all_that_the_checks_need(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        held = {name.partition("/")[2] for name in opened.getnames()}
    needed = {".ci/run", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "bench/README.md"}
    needed |= {"constraints.txt", "mkdocs.yml", "pyproject.toml", "overrides/partials/source.html"}
    needed |= {by_name(path) for path in SOURCES}
    needed |= {by_name(path) for kind in ("docs/*.md", "typings/**/*.pyi") for path in ROOT.glob(kind)}

    assert needed <= held
    assert {name for name in held if "cache" in name or name.startswith((".venv", "site/"))} == set()


def _lines(path: Path, pattern: re.Pattern[str]) -> Iterator[str]:
    return (line.strip() for line in path.read_text().splitlines() if pattern.search(line))


def room_of(path: Path) -> str:
    """Name the folder that a module is in."""
    return path.parent.name


def counted(modules: Iterable[Path]) -> tuple[int, int]:
    """Count all lines of some modules, and their lines of code."""
    texts = [path.read_text() for path in modules]
    return sum(len(text.splitlines()) for text in texts), sum(code_lines(text) for text in texts)


def code_lines(text: str) -> int:
    """Count the lines of a module that have code: no blank ones, no comments and no docstrings."""
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            code.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Expr(value=ast.Constant(value=str()), lineno=first, end_lineno=int() as last):
                code.difference_update(range(first, last + 1))
            case _:
                pass
    return len(code)
