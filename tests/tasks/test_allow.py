"""Functions that a document names by their dotted paths, in modules that the program allows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mutated_documents
import pytest
from pydantic import ValidationError

from panther_schedule import BackgroundTask, TaskRegistry, spec

JOBS = """
import subprocess
from os import system
from shop.other import clean

def send_otp(name: str) -> None: ...
async def send_hello(name: str) -> None: ...
def _private() -> None: ...
def numbers():
    yield 1
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "shop").mkdir()
    for name, text in {"__init__": "", "jobs": JOBS, "other": "def clean() -> None: ..."}.items():
        (tmp_path / "shop" / f"{name}.py").write_text(text)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


def document(func: str) -> str:
    kwargs = {"name": "Ali"} if "send" in func else {}
    return json.dumps({"version": 1, "tasks": [{"func": func, "kwargs": kwargs}]})


@pytest.mark.usefixtures("shop")
def test_a_function_that_an_allowed_module_defines_has_its_dotted_path() -> None:
    (task,) = spec.load(document("shop.jobs.send_otp"), allow=["shop.jobs"])
    registry = TaskRegistry.of_modules(["shop.jobs"])

    assert task == BackgroundTask(sys.modules["shop.jobs"].send_otp, name="Ali")
    assert list(registry.functions) == ["shop.jobs.send_otp", "shop.jobs.send_hello"]
    assert spec.load(spec.dump([task], registry), allow=["shop.jobs"]) == [task]
    assert spec.load_task({"func": "shop.other.clean"}, allow=["shop.jobs", "shop.other"]).run() is None


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "func",
    ["shop.jobs.system", "shop.jobs.clean", "shop.other.clean", "shop.jobs._private", "shop.jobs.numbers", "os.system"],
)
def test_what_it_imports_from_elsewhere_and_other_modules_are_refused(func: str) -> None:
    with pytest.raises(ValidationError) as caught:
        spec.load(document(func), allow=["shop.jobs"])
    assert [fault["type"] for fault in caught.value.errors()] == ["unknown_function"]


AUDIT = """
import pathlib, random, sys, tempfile
import mutated_documents
from pydantic import ValidationError
from panther_schedule import spec

folder = pathlib.Path(tempfile.mkdtemp())
for suffix in (".yaml", ".toml", ".json"):  # what reading imports by itself
    (folder / f"first{suffix}").write_text("version = 1")
    try:
        spec.load(folder / f"first{suffix}", mutated_documents.registry)
    except ValidationError as error:
        str(error)
try:
    spec.load({"version": 2}, mutated_documents.registry)
except ValidationError:
    pass
seen = []
known = set(sys.modules)
def watch(event, arguments):
    if event == "import" and arguments[0] not in known or event in {"exec", "compile", "subprocess.Popen", "os.system"}:
        seen.append((event, str(arguments)[:200]))
sys.addaudithook(watch)
for seed in range(int(sys.argv[1])):
    _, load = mutated_documents.call(random.Random(seed), folder)
    try:
        load()
    except ValidationError:
        pass
print([event for event in seen if "tzdata" not in event[1]])  # a zone is a file of the package tzdata
"""


def test_no_document_imports_a_module_or_runs_code() -> None:
    folder = Path(mutated_documents.__file__).parent
    done = subprocess.run([sys.executable, "-c", AUDIT, "300"], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
