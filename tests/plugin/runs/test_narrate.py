"""Whole runs in which a scripted model writes on old results: its words in the report, its grade held to limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # noqa: F401  # it cannot be imported twice; runs in this process forget what they imported, but not these

import pytest_chimera.analysis
import pytest_chimera.plugin.closing
import pytest_chimera.plugin.narrating
import pytest_chimera.plugin.reporting
import pytest_chimera.plugin.runners  # noqa: F401  # see yaml
from pytest_chimera.engine.process import EmbeddedEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = """\
model,prompt,tokens_s
hare:1b,why,80.0
hare:1b,sum,81.0
hare:1b,list,79.0
snail:7b,why,52.0
snail:7b,sum,50.0
snail:7b,list,51.0
"""
FILES_READ = "Faebc73f221"
"""Id of the fact that counts the files of a corpus: it follows from what it says, and so stays the same."""
CITES = {"facts": [FILES_READ]}


def answers(files: int) -> list[dict[str, Any]]:
    """What a model says to load, to take stock and to conclude; it says that there are so many files."""
    inventory = {"inventory": [{"text": f"There are {files} files here.", **CITES}],
                 "gaps": [{"text": "No time is known.", **CITES}]}  # fmt: skip
    conclusions = {
        "summary": {"text": f"There are {files} files. One model is much faster.", **CITES},
        "recommendations": [{"action": "R1", "text": "Measure both again.", **CITES}],
        "risks": [{"risk": "Few rows.", "mitigation": "More rounds.", **CITES}],
    }
    return [{"tokens": "Hello."}, *({"tokens": json.dumps(each)} for each in (inventory, conclusions))]


SCRIPT = {"models": {"honest": {"answers": answers(1)}, "liar": {"answers": answers(7)}}}
NARRATES = """
def test_words(chimera_narrate):
    collector, analyst = chimera_narrate()
    assert collector.case.persona == "DataCollector-9000"
    assert analyst.case.persona == "Insight-Agent"
"""
OVERRIDE = """
import pytest

@pytest.fixture(scope="session")
def chimera_corpus_paths():
    return ["results/runs.csv"]
"""
QUIET = ("-p", "no:benchmark", "-p", "no:cacheprovider")
OLD = "--chimera-corpus=results"


@pytest.fixture
def narrating(project: Any) -> Iterator[Any]:
    """A project with old results and a test in which a model writes on them; a server of its own, asked from the
    start.
    """
    (project.pytester.mkdir("results") / "runs.csv").write_text(RUNS, encoding="utf-8")
    project.pytester.makepyfile(test_words=NARRATES)
    with EmbeddedEngine.scripted(SCRIPT) as engine:
        project.host = engine.url
        yield project


def report(project: Any) -> str:
    """The newest report."""
    text: str = (project.path / ".chimera" / "report.md").read_text(encoding="utf-8")
    return text


def test_the_words_of_a_model_stand_in_the_report(narrating: Any, way: tuple[str, ...]) -> None:
    """What survived the check is there with the name of the model, and both answers are cases, with workers too."""
    result = narrating.run(*QUIET, OLD, *way, model="honest")
    result.assert_outcomes(passed=1)
    text = report(narrating)
    assert text.count("In the words of `honest:latest`") == 3
    assert f"There are [1][{FILES_READ}] files here." in text
    assert "One model is much faster." in text
    assert [line.partition("  ")[0] for line in narrating.ours(result) if line.startswith("test_words")] == [
        "test_words[honest]",
        "test_words[honest] #2",
    ]


def test_a_number_that_no_fact_supports_is_in_no_report(narrating: Any) -> None:
    """It is struck out, and the rest of the words stay."""
    narrating.run(*QUIET, OLD, model="liar").assert_outcomes(passed=1)
    assert "7 files" not in report(narrating)
    assert "One model is much faster." in report(narrating)


@pytest.mark.parametrize("option", ["--chimera-limit", "--chimera-fail-on"])
def test_groundedness_is_held_to_what_the_command_line_says(narrating: Any, option: str) -> None:
    """A model that invents numbers fails the test, and one that does not passes."""
    wanted = (*QUIET, OLD, "--chimera-no-report", option, "groundedness >= 80 %")
    narrating.run(*wanted, model="honest").assert_outcomes(passed=1)
    result = narrating.run(*wanted, model="liar")
    result.assert_outcomes(failed=1)
    assert "groundedness >= 80 % does not hold: measured 0 %" in narrating.shown(result)


def test_no_model_is_planned_where_none_may_write(narrating: Any, no_server: str) -> None:
    """With --chimera-no-narrative such a test is skipped with its reason, and no server is asked or announced."""
    narrating.host = no_server
    result = narrating.run(*QUIET, OLD, "--chimera-no-narrative", "-rs", model="honest")
    result.assert_outcomes(skipped=1)
    assert "SKIPPED [1] test_words.py: no model writes in this run (--chimera-no-narrative)" in narrating.shown(result)
    assert "is answered by" not in result.stdout.str()


def test_without_a_corpus_no_model_is_asked(narrating: Any) -> None:
    """The test fails in three parts before anything is measured."""
    result = narrating.run(*QUIET, model="honest")
    result.assert_outcomes(errors=1)
    assert "No corpus is named. Accepted: --chimera-corpus PATH" in narrating.shown(result)
    assert narrating.reports() == []


def test_words_on_another_corpus_are_not_in_a_report(narrating: Any) -> None:
    """A report on more than the personas were shown has no word of theirs."""
    other = narrating.pytester.mkdir("other")
    (other / "conftest.py").write_text(OVERRIDE, encoding="utf-8")
    (other / "test_other.py").write_text("def test_it(chimera_corpus):\n    pass\n", encoding="utf-8")
    narrating.run(*QUIET, OLD, model="honest").assert_outcomes(passed=2)
    assert "In the words of" not in report(narrating)
