"""Every command of this project's development; it needs Python 3.11 or newer, with venv and pip, and nothing else.

    python3 dev.py demo                 show the package at work, within ten seconds
    python3 dev.py test                 run every check: format, lint, layers, types, tests, docs
    python3 dev.py test --quick         only format, lint, layers and tests without coverage
    python3 dev.py test --tests-only    only the tests, without coverage

Both make their virtual environment when there is none, and make it again when pyproject.toml, constraints.txt or
the Python changed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
PYDANTIC = "2.14.4"
"""What the checks run on unless told; constraints.txt leaves pydantic open, since both ends of its range are tested."""
ENVIRONMENT = {
    "PYTHONTZPATH": "",  # the tzdata package instead of the machine's own zones, so every machine tests the same
    "NO_MKDOCS_2_WARNING": "1",  # pyproject.toml keeps mkdocs below 2
    "PYRIGHT_PYTHON_GLOBAL_NODE": "0",  # the Node that pyright[nodejs] brings, whatever the machine has
    "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",  # constraints.txt says when pyright is updated
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}


class Step(NamedTuple):
    """One check."""

    name: str
    command: tuple[str, ...]


CHECKS = (
    Step("format", ("ruff", "format", "--check")),
    Step("lint", ("ruff", "check")),
    Step("layers", ("lint-imports",)),
    Step("mypy", ("mypy",)),
    Step("pyright", ("pyright",)),
    Step("tests", ("pytest", "--cov")),
    Step("docs", ("mkdocs", "build", "--strict", "--quiet")),
)
TESTS_ALONE = Step("tests", ("pytest",))


def main() -> int:
    """Run one command; the exit code is 1 when a step failed."""
    options = _options()
    if sys.version_info < (3, 11):  # noqa: UP036 - said in words, before anything is installed
        print(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}; try python3.11 dev.py ...")
        return 1
    os.chdir(HERE)
    os.environ.update(ENVIRONMENT)
    venv = Path(options.venv).resolve()
    extras = ("dev", "docs") if options.command == "test" else ()
    try:
        _make_venv(venv, extras, options.pydantic)
    except subprocess.CalledProcessError as error:
        print(f"dev.py: no virtual environment: {error.cmd[1:]} ended with {error.returncode}")
        return 1
    os.environ["PATH"] = f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}"
    os.environ["VIRTUAL_ENV"] = str(venv)  # where pyright looks for what is installed
    if options.command == "demo":
        return subprocess.run([venv / "bin" / "python", "examples/demo.py"], check=False).returncode
    return _run(tuple(_steps(options)), venv)


def _options() -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["demo", "test"])
    parser.add_argument("--quick", action="store_true", help="without types, coverage and docs")
    parser.add_argument("--tests-only", action="store_true", help="the tests alone, without coverage")
    parser.add_argument("--venv", default=".venv", metavar="FOLDER", help="the virtual environment (.venv)")
    parser.add_argument(
        "--pydantic", default=PYDANTIC, metavar="VERSION", help=f"a version, or newest ({PYDANTIC})", type=str.strip
    )
    return parser.parse_args()


def _steps(options: Any) -> Iterator[Step]:
    if options.tests_only:
        yield TESTS_ALONE
    elif options.quick:
        yield from CHECKS[:3]
        yield TESTS_ALONE
    else:
        yield from CHECKS


def _make_venv(venv: Path, extras: Sequence[str], pydantic: str) -> None:
    """Make the environment unless one is there that was made of the same files and has the same extras or more."""
    stamp = venv / "dev.py.stamp"
    wanted = hashlib.sha256()
    for source in ("pyproject.toml", "constraints.txt"):
        wanted.update((HERE / source).read_bytes())
    wanted.update(f"{sys.version_info[:2]} {HERE} {pydantic}".encode())
    made = stamp.read_text().split() if stamp.exists() else []
    fresh = made[:1] == [wanted.hexdigest()] and (venv / "bin" / "python").exists()
    if fresh and set(extras) <= set(made[1:]):
        return
    print(f"dev.py: installing into {os.path.relpath(venv)} ...", flush=True)
    if not fresh:
        if venv.exists() and not (venv / "pyvenv.cfg").exists():
            raise SystemExit(f"{venv} is no virtual environment; remove it or name another with --venv")
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    target = f"-e.[{','.join(extras)}]" if extras else "-e."
    pin = "pydantic" if pydantic == "newest" else f"pydantic=={pydantic}"
    pip = (str(venv / "bin" / "python"), "-m", "pip", "install", "-qq")
    subprocess.run([*pip, "-c", "constraints.txt", target, pin], check=True)
    stamp.write_text(" ".join([wanted.hexdigest(), *extras]))


def _run(steps: Sequence[Step], venv: Path) -> int:
    began = time.monotonic()
    failed: list[str] = []
    shown: list[str] = []
    for step in steps:
        print(f"\n--- {step.name}: {' '.join(step.command)}", flush=True)
        start = time.monotonic()
        code = subprocess.run([venv / "bin" / step.command[0], *step.command[1:]], check=False).returncode
        line = f"{step.name:8} {time.monotonic() - start:6.1f} s  {'ok' if code == 0 else f'FAILED, exit code {code}'}"
        print(f"--- {line}", flush=True)
        shown.append(line)
        if code != 0:
            failed.append(step.name)
    print("", *shown, f"{'all':8} {time.monotonic() - began:6.1f} s", sep="\n")
    if failed:
        print(f"to mend: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
