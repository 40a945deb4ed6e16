"""Expectations in whole runs: by marker and by call, in the summary, in what is saved, and under the gate."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.engine.process import EmbeddedEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

BY_MARKER = """
import pytest

@pytest.mark.chimera(rounds=3, expect={"contains": "molecules", "max_words": 9, "no_question": True})
def test_good(chimera):
    chimera("Why is the sky blue?")

@pytest.mark.chimera(rounds=3, expect={"contains": "molecules"})
def test_bad(chimera):
    chimera("Why is the sky blue?", expect={"contains": "Rayleigh", "matches": "^Because"})
"""
MIXED = """
import pytest

@pytest.mark.chimera(rounds=4, warmup=1, persona="terse")
def test_mixed(chimera):
    assert chimera("Why?"{more}).accuracy.n == 4
"""
TERSE = "name: Terse\nsystem: Be brief.\nbounds:\n  max_words: 5\nexpect:\n  contains: blue\n"


@pytest.fixture(scope="module")
def moody() -> Iterator[str]:
    """A server with models that answer as expected always, mostly and never."""
    good, bad = {"tokens": "It is blue."}, {"tokens": "Red."}
    models = {
        "good": {"answers": [good]}, "mostly": {"answers": [good, good, good, good, bad]}, "never": {"answers": [bad]},
    }  # fmt: skip
    with EmbeddedEngine.scripted({"models": models}) as engine:
        yield engine.url


@pytest.fixture
def mixed(project: Any, moody: str) -> Any:
    """A project with one case of a persona that has expectations of its own."""
    project.host = moody
    project.pytester.makepyfile(test_it=MIXED.format(more=""))
    (project.path / "personas").mkdir()
    (project.path / "personas" / "terse.yaml").write_text(TERSE, encoding="utf-8")
    return project


def saved(project: Any) -> dict[str, Any]:
    """What the newest saved run says of its one case."""
    path = max((project.path / ".benchmarks").rglob("*.json"))
    rows = json.loads(path.read_text(encoding="utf-8"))["benchmarks"]
    found: dict[str, Any] = next(
        row["extra_info"]["chimera"] for row in rows if row["extra_info"]["chimera"]["metric"] == "e2e"
    )
    return found


def test_marker_and_call_say_what_is_expected(project: Any, way: tuple[str, ...]) -> None:
    """Both are merged by name; a case whose answers are otherwise fails with what is not met; status 1."""
    project.pytester.makepyfile(test_sky=BY_MARKER)
    result = project.run(*way, "-p", "no:benchmark")
    result.assert_outcomes(passed=1, failed=1)
    shown = project.shown(result)
    assert (
        "3 of 3 answers are not as expected: contains: 'Rayleigh' is not in the answer; the answer begins in line 1: "
        '"Because of its molecules."'
    ) in shown
    assert "Traceback" not in shown
    assert "pytest_chimera/" not in shown
    lines = project.ours(result)
    assert "  expected: 3 of 3 answers" in lines
    assert "  expected: 0 of 3 answers; not met: contains" in lines


def test_a_misspelt_expectation_ends_the_test_in_words(project: Any) -> None:
    """The name that is meant is proposed."""
    project.pytester.makepyfile(test_it="def test_it(chimera):\n    chimera('Why?', expect={'max_word': 5})\n")
    result = project.run("-p", "no:benchmark")
    result.assert_outcomes(failed=1)
    assert "chimera(...): expect has the unknown name 'max_word'." in project.shown(result)
    assert "Did you mean 'max_words'?" in project.shown(result)


def test_a_persona_brings_expectations_and_its_hash(mixed: Any) -> None:
    """Both stand in what is saved, with what each round did not meet."""
    result = mixed.run("--benchmark-autosave", model="never")
    result.assert_outcomes(failed=1)
    info = saved(mixed)
    assert (info["persona"], len(info["persona_hash"])) == ("Terse", 64)
    assert info["expect"] == {"max_words": 5, "contains": ["blue"]}
    assert [each["unmet"] for each in info["rounds"]] == [["contains"]] * 5
    assert [each["metrics"]["accuracy"] for each in info["rounds"]] == [0.0] * 5


@pytest.mark.parametrize("where", ["marker", "gate"])
def test_a_limit_on_accuracy_lets_a_share_through(mixed: Any, where: str) -> None:
    """By the call as by the command line: three of four are enough for 70 %, and not for 80 %."""
    for least, outcome in (("70%", "passed"), ("80%", "failed")):
        bound = f"accuracy >= {least}"
        more = f", limits='{bound}'" if where == "marker" else ""
        mixed.pytester.makepyfile(test_it=MIXED.format(more=more))
        result = mixed.run("-p", "no:benchmark", *(() if more else ("--chimera-fail-on", bound)), model="mostly")
        result.assert_outcomes(**{outcome: 1})
        assert "  expected: 3 of 4 answers; not met: contains" in mixed.ours(result)


def test_accuracy_is_gated_against_saved_runs(mixed: Any) -> None:
    """A share that is equal to that of earlier runs is judged, and is the same."""
    mixed.pytester.makepyfile(test_it=MIXED.format(more=", limits='accuracy >= 0%'"))
    gate = ("--chimera-baseline", "last:5", "--chimera-fail-on", "accuracy:5%")
    for _ in range(2):
        mixed.run("--benchmark-autosave", model="good").assert_outcomes(passed=1)
    same = mixed.run(*gate, model="good")
    same.assert_outcomes(passed=1)
    (line,) = [line for line in mixed.ours(same) if line.startswith("test_mixed[good]  accuracy")]
    assert re.sub(r"\s+", " ", line).startswith("test_mixed[good] accuracy 100 % 100 % +0.0 %")
    assert line.endswith("same")


def test_a_schema_without_its_library_is_refused_with_the_pip_line(project: Any) -> None:
    """Before anything is measured."""
    project.pytester.makepyfile(
        conftest="import sys\nsys.modules['jsonschema'] = None\n",
        test_it="def test_it(chimera):\n    chimera('Why?', expect={'json_schema': {'type': 'object'}})\n",
    )
    result = project.run("-p", "no:benchmark", process=True)
    result.assert_outcomes(failed=1)
    shown = " ".join(project.shown(result).split())
    assert "Install it with: pip install 'pytest-chimera[schema]'" in shown
    assert "rounds" not in "".join(project.ours(result))
