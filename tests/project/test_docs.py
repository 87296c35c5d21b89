"""Every example in README.md, docs/ and the docstrings is run and type-checked, and fits the page.

```python                   a program: it runs alone; the ready-made scheduler is on a virtual clock
```python title="continues the program above"  runs after it, in its namespace, and could not run alone
```text                     after it: exactly what it printed, with long lines folded
```python title="wrong.py"  each statement but imports, functions and annotated constants must raise
```python title="values.py" the same, of what types can't say
```text title="mypy"        after it: exactly what mypy says about it, with long lines folded
```toml                     a part of a user's pyproject.toml
```json                     a document of tasks: `spec.load` must take it
```console                  commands for people; after `$ `, commands that print exactly what follows
```python title="tasks.py"  a file of tests/hosts/apps, which the tests there run on its server; ```ini alike
"""

from __future__ import annotations

import ast
import io
import json
import logging
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import tomllib
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
PROGRAM, CONTINUED = "python", 'python title="continues the program above"'
LINK = re.compile(r"\]\(([^)]+)\)")
SITE = "https://panther-schedule.readthedocs.io/en/latest/"
WRONG, VALUES, SAID = 'python title="wrong.py"', 'python title="values.py"', 'text title="mypy"'
KINDS = {PROGRAM, CONTINUED, "text", WRONG, VALUES, SAID, "toml", "json", "console"}
APPS = ROOT / "tests" / "hosts" / "apps"
HOSTED = {
    f'{kind} title="{path.relative_to(APPS)}"': path
    for kind, ending in (("python", "py"), ("ini", "service"))
    for path in APPS.rglob(f"*.{ending}")
}
WIDTH = 80
"""How many columns of code a page shows without scrolling."""
DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.AnnAssign)


def parse(document: Document) -> Iterator[Region]:
    """Find the fenced blocks; one of an unknown kind is an error, so that none is left out."""
    for found in FENCE.finditer(document.text):
        info = found["info"].strip()
        assert info in KINDS or info in HOSTED, f"{document.path}: ```{info} is none of {sorted(KINDS)}"
        body = re.sub(f"^{found['indent']}", "", found["body"], flags=re.MULTILINE)
        yield Region(found.start(), found.end(), (info, body), evaluate)


def evaluate(example: Example) -> None:
    """Run one block."""
    info, body = example.parsed
    namespace = example.namespace
    line = example.line + 1
    match info:
        case "text":
            printed = namespace.pop("_printed", None)
            assert printed is not None, f"{example.path}:{line}: no program before this output"
            assert folded(printed.getvalue()) == body, f"{example.path}:{line}: the program printed otherwise"
        case _ if info in (PROGRAM, CONTINUED):
            if info == PROGRAM:
                namespace.clear()
            namespace["_printed"] = printed = io.StringIO()
            _run(example, namespace, printed)
        case _ if info in (WRONG, VALUES):
            namespace.clear()
            namespace["_wrong"] = body
            for statement in ast.parse(body).body:
                alone = ast.Module([statement], [])
                if isinstance(statement, DEFINITIONS):
                    _exec(alone, example.path, line, namespace)
                else:
                    with pytest.raises((ValueError, TypeError, AttributeError)):
                        _exec(alone, example.path, line, namespace)
        case _ if info == SAID:
            assert "_wrong" in namespace, f"{example.path}:{line}: nothing wrong before this"
        case "toml":
            tomllib.loads(body)
        case "json":
            _load(body, namespace)
        case _ if info in HOSTED:
            assert body == HOSTED[info].read_text(), f"{example.path}:{line}: {HOSTED[info]} differs"
        case _ if body.startswith("$ "):
            assert folded(_session(body, example.namespace["_folder"])) == body, (
                f"{example.path}:{line}: the commands print otherwise"
            )
        case _:
            pass  # commands for people, such as those of dev.py, which has tests of its own


def _run(example: Example, namespace: dict[str, object], printed: io.StringIO) -> None:
    namespace.setdefault("__name__", "__page__")
    with redirect_stdout(printed):
        _exec(ast.parse(example.parsed[1]), example.path, example.line + 1, namespace)


def _exec(tree: ast.Module, path: str, line: int, namespace: dict[str, object]) -> None:
    ast.increment_lineno(tree, line - 1)
    exec(compile(tree, path, "exec", dont_inherit=True), namespace)  # noqa: S102 - the page's own example


def _load(body: str, namespace: dict[str, object]) -> None:
    """Load a document with the page's registry, or with one that has the functions of the page by their names."""
    registry = namespace.get("registry")
    assert isinstance(registry, TaskRegistry), "a page with JSON makes a `registry` first"
    tasks = spec.load(body, registry)

    assert json.loads(spec.dump(tasks, registry)) == json.loads(body)


def _session(body: str, folder: Path) -> str:
    """Run the commands of a block in the page's copy of `examples/cli`, and return what a terminal would show.

    Where they work on a file of tasks it is always the beginning of 24 December 2026.
    """
    shutil.copytree(ROOT / "examples" / "cli", folder, dirs_exist_ok=True)
    commands = [line.removeprefix("$ ") for line in body.splitlines() if line.startswith("$ ")]
    said = "\n".join(f"status=$?; echo {shlex.quote(f'$ {each}')}; (exit $status)\n{each}" for each in commands)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {**os.environ, "PATH": path, "TZ": "UTC", "COLUMNS": str(WIDTH), "PYTHONDONTWRITEBYTECODE": "1"}
    own |= {"PYTHONPATH": str(ROOT / "tests" / "standing_clock")} if "tasks.db" in body else {}
    command = ["bash", "-c", f"exec 2>&1\n{said}"]
    return subprocess.run(command, cwd=folder, env=own, stdout=subprocess.PIPE, text=True, check=False).stdout


def folded(text: str) -> str:
    """Fold the lines that are too long for a page, as the pages do."""
    fold = textwrap.TextWrapper(WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    lines = ["\n".join(fold.wrap(line)) if len(line) > WIDTH else line for line in text.splitlines()]
    return "\n".join([*lines, ""])


def documents() -> list[Path]:
    """Every page and module that has an example."""
    return [path for path in [*PAGES, *MODULES] if FENCE.search(path.read_text())]


def examples(path: Path) -> list[Example]:
    """Parse one page or module."""
    types: dict[str | None, type[Document]] = {".py": PythonDocStringDocument}
    sybil = Sybil(parsers=[parse], path=str(path.parent), document_types=types)
    return list(sybil.parse(path).examples())


def stories(path: Path) -> list[list[Example]]:
    """Group the examples of a page: a program, with what continues it, prints and loads."""
    found: list[list[Example]] = []
    for example in examples(path):
        if example.parsed[0] in (PROGRAM, WRONG, VALUES) or not found:
            found.append([])
        found[-1].append(example)
    return found


def place(example: Example) -> str:
    """Show where an example is in a test's name."""
    return f"{Path(example.path).name}:{example.line}"


@pytest.fixture
def own_handlers() -> Iterator[None]:
    """Remove the log handlers that a program leaves on the package's logger."""
    logger = logging.getLogger("panther_schedule")
    before = logger.handlers[:]
    yield
    logger.handlers[:] = before


STORIES = [story for path in documents() for story in stories(path)]
REFUSED = [story for story in STORIES if story[0].parsed[0] in (WRONG, VALUES)]
STEPS = [example for story in STORIES for example in story if example.parsed[0] == CONTINUED]


@pytest.mark.usefixtures("virtual_background_tasks", "own_handlers")
@pytest.mark.parametrize("story", STORIES, ids=lambda story: place(story[0]))
def test_a_program_runs_alone_with_what_continues_it(
    story: list[Example], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where a program may leave files
    for example in story:
        example.namespace["_folder"] = tmp_path
        example.evaluate()


@pytest.mark.usefixtures("virtual_background_tasks")
@pytest.mark.parametrize("step", STEPS, ids=place)
def test_what_continues_a_program_could_not_run_alone(step: Example) -> None:
    with pytest.raises(NameError):
        _run(step, {}, io.StringIO())


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_examples_fit_the_page(path: Path) -> None:
    long = [
        f"{place(example)}: {line}"
        for example in examples(path)
        for line in example.parsed[1].splitlines()
        if len(line) > WIDTH
    ]

    assert long == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_what_is_indented_as_code_fits_the_page(path: Path) -> None:
    prose = FENCE.sub("", path.read_text())

    assert [line for line in prose.splitlines() if re.match(r" {4}[^ -]", line) and len(line) > WIDTH + 4] == []


def test_no_example_is_left_out() -> None:
    for path in documents():
        fences = len(re.findall(r"^ *```", path.read_text(), re.MULTILINE))

        assert len(examples(path)) * 2 == fences, path


@pytest.mark.real_clock
@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "docs" / "quick-start.md"], ids=lambda path: path.name)
def test_the_first_program_ends_by_itself_and_prints_what_the_page_says(path: Path) -> None:
    program, output, *_ = (example.parsed for example in examples(path) if example.parsed[0] in (PROGRAM, "text"))
    command = [sys.executable, "-W", "error", "-c", program[1]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout) == (0, output[1])
    assert "Traceback" not in done.stderr


def test_the_readme_links_to_pages_of_the_site_and_never_to_files() -> None:
    links = LINK.findall((ROOT / "README.md").read_text())
    pages = {f"{SITE}{'' if path.stem == 'index' else f'{path.stem}/'}" for path in (ROOT / "docs").glob("*.md")}

    pages |= {f"{SITE}pictures/{path.name}" for path in (ROOT / "docs" / "pictures").glob("*.svg")}

    assert len(links) > 10
    assert set(links) <= pages


def test_what_survives_what_is_shown_by_tests() -> None:
    """Each row names the beginning of a test's name, and links to the file that has it."""
    page = (ROOT / "docs" / "durable.md").read_text()
    repository = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]
    files = dict(re.findall(rf"^\[(\w+)\]: {repository}/blob/main/(\S+)$", page, re.MULTILINE))
    _, _, table = page.partition("| what happens | what becomes of the tasks | shown by |\n|---|---|---|\n")
    rows = table.partition("\n\n")[0].splitlines()

    assert len(rows) > 15
    for row in rows:
        shown_by = row.rstrip("| ").rpartition("| ")[2]
        links = re.findall(r"\[([^]]+)\]\[(\w+)\]", shown_by)
        assert bool(links) != (shown_by == "the same"), row
        for text, file in links:
            assert f"\ndef test_{re.sub('[ -]', '_', text)}" in (ROOT / files[file]).read_text(), row


def test_the_site_opens_with_the_readme() -> None:
    readme = (ROOT / "README.md").read_text().partition("<!-- --8<-- [end:pitch] -->")[0]
    opening, picture, pitch = filter(None, (part.strip() for part in re.split("<!-- --8<-- .* -->", readme)))
    index = (ROOT / "docs" / "index.md").read_text()

    assert index.startswith(f'--8<-- "README.md:opening"\n\n{picture.replace(SITE, "")}\n\n--8<-- "README.md:pitch"\n')
    assert re.findall("^#+ .*", opening + pitch, re.MULTILINE) == ["# panther_schedule", "## Is it for me?"]


def test_the_package_and_the_site_name_the_same_addresses() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    settings = (ROOT / "mkdocs.yml").read_text()

    assert project["urls"]["Documentation"] == SITE
    assert f"site_url: {SITE}\n" in settings
    assert f"repo_url: {project['urls']['Repository']}\n" in settings


def test_readme_program_is_short() -> None:
    program = next(example.parsed[1] for example in examples(ROOT / "README.md") if example.parsed[0] == "python")

    assert len(program.strip().splitlines()) <= 12


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with each program and what continues it as one module, on the lines of the page; and what is wrong."""
    folder = tmp_path_factory.mktemp("docs")
    for story in STORIES:
        path = Path(story[0].path)
        lines: dict[int, str] = {}
        for example in story:
            info, body = example.parsed
            if info in (PROGRAM, CONTINUED):
                lines |= {example.line + 1 + at: text for at, text in enumerate(body.splitlines())}
            elif info in (WRONG, VALUES):
                (folder / _wrong_module(example)).write_text(body)
        if lines:
            text = "\n".join(lines.get(line, "") for line in range(1, max(lines) + 1))
            (folder / f"page_{min(lines)}_{_module(path)}").write_text(text + "\n")
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict", "pythonVersion": "3.11"}')
    return folder


@pytest.fixture(scope="module")
def mypy_says(extracted: Path) -> list[str]:
    """Every error of mypy in the folder, by the project's own strict settings, as `file:line: error: ...`."""
    said = _check("mypy", str(extracted), cwd=ROOT)

    assert said.stderr == ""
    lines = [line.partition(":") for line in said.stdout.splitlines() if ": error: " in line]
    return [f"{Path(file).name}:{rest}" for file, _, rest in lines]  # mypy's cache knows the file by an older folder


@pytest.fixture(scope="module")
def pyright_says(extracted: Path) -> list[str]:
    """Every error of strict pyright in the folder, as `file:line: error: ...`."""
    said = json.loads(_check("pyright", "--pythonpath", sys.executable, "--outputjson", cwd=extracted).stdout)

    assert said["summary"]["filesAnalyzed"] == len(list(extracted.glob("*.py")))
    return [
        f"{Path(found['file']).name}:{found['range']['start']['line'] + 1}: error: {found['message']}"
        for found in said["generalDiagnostics"]
    ]


def test_examples_pass_the_type_checkers(extracted: Path, mypy_says: list[str], pyright_says: list[str]) -> None:
    """The plugin finds what a program refuses on purpose: there it is caught."""
    caught = {
        f"{path.name}:{node.lineno}"
        for path in extracted.glob("page_*.py")
        for block in ast.walk(ast.parse(path.read_text()))
        if isinstance(block, ast.Try)
        for node in block.body
    }
    refused = {":".join(line.split(":")[:2]) for line in mypy_says if "[panther-schedule]" in line}

    assert {place for place in refused if place.startswith("page_")} <= caught
    said = [line for line in mypy_says if "[panther-schedule]" not in line] + pyright_says
    assert [line for line in said if line.startswith("page_")] == []


@pytest.mark.parametrize("story", REFUSED, ids=lambda story: place(story[0]))
def test_wrong_examples_are_wrong_for_both(
    story: list[Example], extracted: Path, mypy_says: list[str], pyright_says: list[str]
) -> None:
    """Each line is wrong for mypy, and for pyright too unless its types are right."""
    module, (_, title, _) = _wrong_module(story[0]), story[0].parsed[0].split('"')
    tree = ast.parse((extracted / module).read_text())
    wrong = {node.lineno for node in tree.body if not isinstance(node, DEFINITIONS)}
    shown = [example.parsed[1] for example in story if example.parsed[0] == SAID]
    mypy, pyright = ([line for line in said if line.startswith(module)] for said in (mypy_says, pyright_says))

    assert shown == [folded("\n".join(line.replace(module, title) for line in mypy))]
    assert {int(line.split(":")[1]) for line in mypy} == wrong
    assert {int(line.split(":")[1]) for line in pyright} == (wrong if title == "wrong.py" else set())


def _wrong_module(example: Example) -> str:
    title = example.parsed[0].split('"')[1]
    return f"{title.removesuffix('.py')}_{_module(Path(example.path))}"


def _module(path: Path) -> str:
    return f"{path.stem.replace('-', '_').lower()}.py"


def _check(tool: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / tool), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
