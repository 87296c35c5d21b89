"""Every example in README.md, docs/ and the docstrings is run, in its page's own namespace, and type-checked.

```python                   runs; on the pages the ready-made scheduler is on a virtual clock
```text                     after it: exactly what it printed
```python title="wrong.py"  each statement after the imports and functions must raise
```text title="mypy"        after it: exactly what mypy says about it
```json                     a document of tasks: `spec.load` must take it
```console                  commands for people
"""

from __future__ import annotations

import ast
import inspect
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from sybil import Document, Example, Region, Sybil
from sybil.document import PythonDocStringDocument

from panther_schedule import TaskRegistry, spec

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
MODULES = sorted((ROOT / "panther_schedule").rglob("*.py"))
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
WRONG, SAID = 'python title="wrong.py"', 'text title="mypy"'
KINDS = {"python", "text", WRONG, SAID, "json", "console"}
DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef)


def parse(document: Document) -> Iterator[Region]:
    """Find the fenced blocks; one of an unknown kind is an error, so that none is left out."""
    for found in FENCE.finditer(document.text):
        info = found["info"].strip()
        assert info in KINDS, f"{document.path}: ```{info} is none of {sorted(KINDS)}"
        yield Region(found.start(), found.end(), (info, inspect.cleandoc(found["body"]) + "\n"), evaluate)


def evaluate(example: Example) -> None:
    """Run one block."""
    info, body = example.parsed
    namespace = example.namespace
    line = example.line + 1
    match info:
        case "python":
            namespace.setdefault("__name__", "__page__")
            namespace["_printed"] = printed = io.StringIO()
            with redirect_stdout(printed):
                _exec(ast.parse(body), example.path, line, namespace)
        case "text":
            printed = namespace.pop("_printed", None)
            assert printed is not None, f"{example.path}:{line}: no program before this output"
            assert printed.getvalue() == body, f"{example.path}:{line}: the program printed otherwise"
        case _ if info == WRONG:
            namespace["_wrong"] = body
            for statement in ast.parse(body).body:
                alone = ast.Module([statement], [])
                if isinstance(statement, DEFINITIONS):
                    _exec(alone, example.path, line, namespace)
                else:
                    with pytest.raises((ValueError, TypeError, AttributeError)):
                        _exec(alone, example.path, line, namespace)
        case _ if info == SAID:
            assert "_wrong" in namespace, f"{example.path}:{line}: no wrong.py before this"
        case "json":
            _load(body, namespace)
        case _:
            pass  # console: shown to people; tests of dev.py are the two commands themselves


def _exec(tree: ast.Module, path: str, line: int, namespace: dict[str, object]) -> None:
    ast.increment_lineno(tree, line - 1)
    exec(compile(tree, path, "exec", dont_inherit=True), namespace)  # noqa: S102 - the page's own example


def _load(body: str, namespace: dict[str, object]) -> None:
    """Load a document with the page's registry, or with one that has the functions of the page by their names."""
    registry = namespace.get("registry")
    assert isinstance(registry, TaskRegistry), "a page with JSON makes a `registry` first"
    tasks = spec.load(body, registry)

    assert json.loads(spec.dump(tasks, registry)) == json.loads(body)


def documents() -> list[Path]:
    """Every page and module that has an example."""
    return [path for path in [*PAGES, *MODULES] if FENCE.search(path.read_text())]


def wrong_documents() -> list[Path]:
    """Every page that shows what is refused."""
    return [path for path in documents() if f"```{WRONG}" in path.read_text()]


def examples(path: Path) -> list[Example]:
    """Parse one page or module."""
    types: dict[str | None, type[Document]] = {".py": PythonDocStringDocument}
    sybil = Sybil(parsers=[parse], path=str(path.parent), document_types=types)
    return list(sybil.parse(path).examples())


@pytest.mark.usefixtures("virtual_background_tasks")
@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_examples_run(path: Path) -> None:
    for example in examples(path):
        example.evaluate()


def test_no_example_is_left_out() -> None:
    for path in documents():
        fences = len(re.findall(r"^ *```", path.read_text(), re.MULTILINE))

        assert len(examples(path)) * 2 == fences, path


def test_readme_program_is_short() -> None:
    program = next(example.parsed[1] for example in examples(ROOT / "README.md") if example.parsed[0] == "python")

    assert len(program.strip().splitlines()) <= 12


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with each page's Python blocks as one module, on the lines of the page, and with each wrong.py."""
    folder = tmp_path_factory.mktemp("docs")
    for path in documents():
        lines: dict[int, str] = {}
        for example in examples(path):
            info, body = example.parsed
            if info == "python":
                lines |= {example.line + 1 + at: text for at, text in enumerate(body.splitlines())}
            elif info == WRONG:
                (folder / f"wrong_{_module(path)}").write_text(body)
        if lines:
            text = "\n".join(lines.get(line, "") for line in range(1, max(lines) + 1))
            (folder / f"page_{_module(path)}").write_text(text + "\n")
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict", "pythonVersion": "3.11"}')
    return folder


@pytest.fixture(scope="module")
def mypy_says(extracted: Path) -> list[str]:
    """Every error of mypy in the folder, by the project's own strict settings, as `file:line: error: ...`."""
    said = _run("mypy", str(extracted), cwd=ROOT)

    assert said.stderr == ""
    lines = [line.partition(":") for line in said.stdout.splitlines() if ": error: " in line]
    return [f"{Path(file).name}:{rest}" for file, _, rest in lines]  # mypy's cache knows the file by an older folder


@pytest.fixture(scope="module")
def pyright_says(extracted: Path) -> list[str]:
    """Every error of strict pyright in the folder, as `file:line: error: ...`."""
    said = json.loads(_run("pyright", "--pythonpath", sys.executable, "--outputjson", cwd=extracted).stdout)

    assert said["summary"]["filesAnalyzed"] == len(list(extracted.glob("*.py")))
    return [
        f"{Path(found['file']).name}:{found['range']['start']['line'] + 1}: error: {found['message']}"
        for found in said["generalDiagnostics"]
    ]


def test_examples_pass_the_type_checkers(mypy_says: list[str], pyright_says: list[str]) -> None:
    assert [line for line in mypy_says + pyright_says if line.startswith("page_")] == []


@pytest.mark.parametrize("path", wrong_documents(), ids=lambda path: path.name)
def test_wrong_examples_are_wrong_for_both(
    path: Path, extracted: Path, mypy_says: list[str], pyright_says: list[str]
) -> None:
    module = f"wrong_{_module(path)}"
    tree = ast.parse((extracted / module).read_text())
    wrong = {node.lineno for node in tree.body if not isinstance(node, DEFINITIONS)}
    shown = [example.parsed[1].splitlines() for example in examples(path) if example.parsed[0] == SAID]
    mypy, pyright = ([line for line in said if line.startswith(module)] for said in (mypy_says, pyright_says))

    assert shown == [[line.replace(module, "wrong.py") for line in mypy]]
    assert {int(line.split(":")[1]) for line in mypy} == wrong
    assert {int(line.split(":")[1]) for line in pyright} == wrong


def _module(path: Path) -> str:
    return f"{path.stem.replace('-', '_').lower()}.py"


def _run(tool: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / tool), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
