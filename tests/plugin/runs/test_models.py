"""Which models are measured: each one named, `tiny` where none is, or a skip that says what to type."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_chimera.errors import MissingExtraError, SettingError
from pytest_chimera.plugin import models
from pytest_chimera.plugin.models import PlannedModel, plan
from pytest_chimera.plugin.options import Given
from pytest_chimera.plugin.settings import resolve

NOT_EMBEDDED = (
    "--chimera-model: the embedded engine has no model 'gemma3'. Accepted: 'tiny' or the path of a .gguf file. "
    "Leave --chimera-engine out to ask Ollama for it."
)
A_FILE = (
    "--chimera-model: 'x.gguf' is a file, and Ollama answers for names. Accepted: a name that 'ollama list' shows. "
    "Leave --chimera-engine out to run the file on the embedded engine."
)
SKIPPED = """
import pytest_chimera.plugin.models
pytest_chimera.plugin.models.engine_is_installed = lambda: False
"""
"""A conftest for machines without the extra: importable or not cannot be chosen otherwise within one environment."""


def settings(**given: str) -> Any:
    """Settings as a command line gives them."""
    return resolve({name: [Given((value,), f"--chimera-{name}")] for name, value in given.items()})


def test_a_test_runs_once_for_each_model(one_case: Any, way: tuple[str, ...]) -> None:
    """Names are parted by commas, kept in order, and two spellings of one model are one."""
    result = one_case.run(*way, "-v", "-p", "no:benchmark", model="other,toy,other:latest,toy")
    result.assert_outcomes(passed=2)
    lines = [line for line in one_case.ours(result) if line.startswith("test_sky[")]
    assert sorted(lines) == [
        "test_sky[other]  TIME  500  200  TIME  10  0  0",
        "test_sky[toy]  TIME  500  200  TIME  10  0  0",
    ]


def test_tests_of_one_model_come_together(one_case: Any) -> None:
    """A model is loaded once: all its tests run before those of the next."""
    one_case.pytester.makepyfile(test_more="def test_a(chimera_model): pass\ndef test_b(chimera_model): pass\n")
    result = one_case.run("--collect-only", "-q", "test_more.py", model="other,toy")
    assert result.outlines[:4] == [
        "test_more.py::test_a[other]",
        "test_more.py::test_b[other]",
        "test_more.py::test_a[toy]",
        "test_more.py::test_b[toy]",
    ]


def test_without_a_name_and_without_the_engine_cases_are_skipped_with_the_command(one_case: Any) -> None:
    """The reason lists what the host has and what to type."""
    one_case.pytester.makeconftest(SKIPPED)
    result = one_case.run("-rs", "-p", "no:benchmark", f"--chimera-host={one_case.host}", model="", process=True)
    result.assert_outcomes(skipped=1)
    assert "test_sky[no-model]" in one_case.run("--co", "-q", model="", process=True).stdout.str()
    why = (
        "no model is named, and the embedded engine is not installed; HOST has toy, other, spare, slow, broken, rude. "
        "Run: pytest --chimera-model toy"
    )
    assert one_case.shown(result).partition("SKIPPED [1] ")[2].partition("\n")[0].partition(": ")[2] == why
    assert f"chimera: the cases are skipped: {why}" in one_case.ours(result)


def test_without_a_name_engine_or_server_the_skip_says_how_to_get_one(one_case: Any, no_server: str) -> None:
    """The reason names the address that was tried and the pip line."""
    one_case.pytester.makeconftest(SKIPPED)
    result = one_case.run("-rs", "-p", "no:benchmark", f"--chimera-host={no_server}", model="", process=True)
    assert (
        f"no model is named, and the embedded engine is not installed; no Ollama answers at {no_server} either. "
        "Measure without Ollama: pip install 'pytest-chimera[embedded]'"
    ) in result.stdout.str()


def test_where_only_ollama_may_answer_the_skip_names_what_forbids_the_engine(one_case: Any, no_server: str) -> None:
    """Nobody is told to install an engine that an option forbids."""
    result = one_case.run(
        "-rs", "-p", "no:benchmark", "--chimera-engine=ollama", f"--chimera-host={no_server}", model="", process=True
    )
    assert (
        "no model is named, and --chimera-engine ollama lets no engine stand in; "
        f"no Ollama answers at {no_server} either. Measure without Ollama: leave --chimera-engine out"
    ) in result.stdout.str()


def test_names_and_files_are_planned_for_the_server_that_they_mean(pytester: pytest.Pytester) -> None:
    """`tiny` and files go to the embedded engine, all else to the host, and ids stay short and apart."""
    for path in ("a/m.gguf", "b/m.gguf", "n.gguf"):
        (pytester.path / path).parent.mkdir(exist_ok=True)
        (pytester.path / path).touch()
    root = pytester.path
    assert plan(settings(model="tiny:latest,gemma3:latest,hf.co/x/y:Q4,n.gguf,a/m.gguf,b/m.gguf"), root) == (
        PlannedModel("tiny", "tiny", embedded=True),
        PlannedModel("gemma3:latest", "gemma3", embedded=False),
        PlannedModel("hf.co/x/y:Q4", "hf.co/x/y:Q4", embedded=False),
        PlannedModel(str(root / "n.gguf"), "n.gguf", embedded=True),
        PlannedModel(str(root / "a/m.gguf"), str(root / "a/m.gguf"), embedded=True),
        PlannedModel(str(root / "b/m.gguf"), str(root / "b/m.gguf"), embedded=True),
    )


def test_an_engine_that_is_named_is_the_one_that_answers(pytester: pytest.Pytester) -> None:
    """`--chimera-engine ollama` sends even `tiny` to the host, and then nothing stands in for a missing name."""
    assert plan(settings(model="tiny", engine="ollama"), pytester.path) == (
        PlannedModel("tiny", "tiny", embedded=False),
    )
    assert plan(settings(engine="ollama"), pytester.path) == ()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"model": "gemma3", "engine": "embedded"}, NOT_EMBEDDED),
        ({"model": "x.gguf", "engine": "ollama"}, A_FILE),
        ({"model": "/no/x.gguf"}, "--chimera-model: there is no file '/no/x.gguf'. Check the path."),
    ],
)
def test_names_that_no_server_can_answer_for_are_refused_at_once(
    pytester: pytest.Pytester, given: dict[str, str], text: str
) -> None:
    """A contradiction between model and engine is told before anything runs."""
    with pytest.raises(SettingError) as caught:
        plan(settings(**given), pytester.path)
    assert str(caught.value) == text


def test_tiny_without_the_extra_names_the_pip_line(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for the embedded engine where it is not installed is an error with the command, not a skip."""
    monkeypatch.setattr(models.importlib.util, "find_spec", lambda _name: None)
    for given, what in (
        ({"model": "tiny"}, "--chimera-model tiny"),
        ({"engine": "embedded"}, "--chimera-engine embedded"),
    ):
        with pytest.raises(MissingExtraError) as caught:
            plan(settings(**given), pytester.path)
        assert str(caught.value) == (
            f"{what} needs the package 'xllamacpp', which is not installed. "
            "Install it with: pip install 'pytest-chimera[embedded]'"
        )
