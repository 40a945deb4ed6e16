"""The rules of the house that no linter knows: a sentence per test, sizes, public names, what a start imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_chimera

TESTS = Path(__file__).parent
PACKAGE = Path(pytest_chimera.__file__).parent
LONGEST_MODULE = 350
LONGEST_FUNCTION = 40

Function = (ast.FunctionDef, ast.AsyncFunctionDef)


def modules(folder: Path) -> list[Path]:
    """Every Python file below a folder."""
    return sorted(folder.rglob("*.py"))


def test_every_test_opens_with_a_sentence() -> None:
    """Each test function has a docstring that ends as a sentence does."""
    bare = [
        f"{path.relative_to(TESTS)}:{node.lineno} {node.name}"
        for path in modules(TESTS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, Function)
        and node.name.startswith("test_")
        and not (ast.get_docstring(node) or "").split("\n\n")[0].rstrip().endswith(".")
    ]
    assert bare == []


def test_no_module_and_no_function_is_too_long() -> None:
    """No module of the package is above 350 lines and no function above 40."""
    long = []
    for path in modules(PACKAGE):
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > LONGEST_MODULE:
            long.append(f"{path.relative_to(PACKAGE)}: {text.count(chr(10))} lines")
        long += [
            f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}"
            for node in ast.walk(ast.parse(text))
            if isinstance(node, Function) and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
        ]
    assert long == []


def test_public_modules_classes_and_functions_are_described() -> None:
    """Every module, public class and public function of the package has a docstring."""
    bare = []
    for path in modules(PACKAGE):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes = [node for node in ast.walk(tree) if isinstance(node, (*Function, ast.ClassDef))]
        closed = [node for node in nodes if isinstance(node, Function) or node.name.startswith("_")]
        inner = {id(child) for node in closed for child in ast.walk(node) if child is not node}
        bare += [
            f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 1)}"
            for node in [tree, *nodes]
            if not getattr(node, "name", "").startswith("_") and id(node) not in inner and not ast.get_docstring(node)
        ]
    assert bare == []


def test_every_ignore_has_its_reason() -> None:
    """Each noqa and type-ignore in the package is followed by a comment that says why."""
    bare = [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in modules(PACKAGE)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for mark in ("# noqa", "# type: ignore", "# pragma")
        if mark in line and "#" not in line.split(mark, 1)[1]
    ]
    assert bare == []


def test_public_names_are_the_written_list() -> None:
    """`pytest_chimera.__all__` is this list, and each of its names can be imported."""
    assert sorted(pytest_chimera.__all__) == [
        "Case",
        "CaseResult",
        "ChimeraError",
        "EmbeddedEngine",
        "Generation",
        "Report",
        "Run",
        "Statistic",
        "Verdict",
        "__version__",
        "assert_report",
        "chimera_given",
    ]
    assert [name for name in pytest_chimera.__all__ if not hasattr(pytest_chimera, name)] == []


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    """A name that is not public is missing in the usual way."""
    with pytest.raises(AttributeError, match="module 'pytest_chimera' has no attribute 'nosuch'"):
        pytest_chimera.nosuch  # noqa: B018  # asking is the test


def test_the_entry_module_imports_next_to_nothing() -> None:
    """Loading the plugin imports none of the heavy packages, ours or others', before a case needs them."""
    code = (
        "import sys, pytest_chimera.plugin.hooks\n"
        "heavy = 'httpx ollama hypothesis yaml xllamacpp uvicorn pygal http.client asyncio ssl "
        "pytest_benchmark "
        "pytest_chimera.client pytest_chimera.engine pytest_chimera.suites pytest_chimera.report'.split()\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
