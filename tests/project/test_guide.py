"""The guide has a file for each page of the docs, and each of its tests is one sentence and a program of its users."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for path in (ROOT / "docs").glob("*.md") if path.name != "index.md")  # that one is the README's
GUIDE = sorted((ROOT / "tests" / "guide").glob("test_*.py"))
PUBLIC = {
    f"panther_schedule{module}"
    for module in ("", ".background_tasks", ".events", ".pictures", ".spec", ".sqlite", ".testing")
}
CODE = re.compile("`[^`]*`")
SENTENCE = re.compile(r"(?![a-z])([^.!?]|[.!?](?! |$))+[.!?]")


def name(path: Path) -> str:
    """Show a file in a test's name."""
    return path.stem


def test_each_page_has_a_guide_file_and_each_guide_file_a_page() -> None:
    assert [path.name for path in GUIDE] == sorted(f"test_{page.stem.replace('-', '_')}.py" for page in PAGES)


@pytest.mark.parametrize("path", GUIDE, ids=name)
def test_each_guide_test_says_its_concept_in_one_sentence(path: Path) -> None:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            said = CODE.sub("CODE", ast.get_docstring(node) or "")

            assert SENTENCE.fullmatch(said), f"{node.name}: {said!r} is not one sentence"


@pytest.mark.parametrize("path", GUIDE, ids=name)
def test_the_guide_uses_the_public_api_alone(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                ours = {alias.name for alias in names if alias.name.startswith("panther_schedule")}
                assert ours <= PUBLIC, node.lineno
            case ast.ImportFrom(module=str() as module, level=0) if module.startswith("panther_schedule"):
                assert module in PUBLIC, node.lineno
            case ast.Attribute(attr=attribute):
                assert not attribute.startswith("_") or attribute.startswith("__"), node.lineno
            case _:
                pass


@pytest.mark.parametrize("path", GUIDE, ids=name)
def test_each_page_is_shown_by_several_tests(path: Path) -> None:
    tests = re.findall(r"^def test_", path.read_text(), re.MULTILINE)

    assert 4 <= len(tests) <= 20
