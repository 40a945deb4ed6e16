"""The report on real folders and on the made one: every promise holds on what nobody prepared for it."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.analysis import Evidence, analyse
from pytest_chimera.corpus import read_corpus
from pytest_chimera.report import CorpusView, Report, ReportInput, assert_report, build_report
from pytest_chimera.report.explain import explain
from pytest_chimera.report.narrate import Narration
from pytest_chimera.report.ways import Ways

if TYPE_CHECKING:
    from datetime import datetime

MAKE = Path(__file__).resolve().parents[3] / "example_suites" / "technical_report" / "make_corpus.py"


def view_of(folder: Path) -> CorpusView:
    """A folder, read and analysed."""
    corpus = read_corpus([folder])
    read = {"measurements": corpus.measurements, "others": corpus.others, "artifacts": corpus.artifacts}
    analysis = analyse(Evidence(**read, left=corpus.left))
    return CorpusView(roots=("old",), **read, left=corpus.left, analysis=analysis, times={"ingest": 1.0})


@pytest.fixture(params=["made", "real"])
def view(request: pytest.FixtureRequest, tmp_path: Path) -> CorpusView:
    """The corpus of the example suite, and the real one where it is at hand."""
    if request.param == "made":
        return view_of(runpy.run_path(str(MAKE))["make_corpus"](tmp_path / "corpus"))
    folder: Path = request.getfixturevalue("shared") / "corpus" / "chimera"
    if not folder.is_dir():
        pytest.skip(f"the real corpus is not here: {folder}")
    return view_of(folder)


@pytest.fixture
def report_of(created: datetime, view: CorpusView) -> Report:
    """The report on it."""
    return build_report(ReportInput(results=(), created=created, suite="real", corpus=view))


def test_every_promise_holds(report_of: Report) -> None:
    """Sections in order, a fact behind every number, no question, no error as a finding, no failed row in a mean."""
    (
        assert_report(report_of)
        .has_sections("Executive Summary", "Data Ingestion Summary", "Performance Analysis", "Key Findings")
        .has_sections("Recommendations", "Appendix", "Workflow Summary", "Metrics", "Persona Prompts")
        .no_empty_sections()
        .every_number_has_a_fact()
        .no_questions()
        .no_errors_as_findings()
        .no_missing_data_where_it_is_there()
        .no_failed_round_in_a_mean()
        .recommendations_cite_findings()
        .section("Executive Summary")
        .words_at_most(400)
    )
    assert len(report_of.markdown) < 2_000_000


def test_every_fact_can_be_explained(report_of: Report) -> None:
    """Each fact that stands in the report leads somewhere, and facts with values lead to rows of those values."""
    twin = json.loads(json.dumps(report_of.as_dict()))
    ways = Ways(twin)
    assert len({fact.id for fact in report_of.facts}) == len(report_of.facts)
    means = [fact for fact in report_of.facts if fact.statistic == "mean" and "model" in fact.subject and fact.n <= 20]
    checked = 0
    for fact in means:
        found = [ways.of(source, fact.metric) for source in fact.sources]
        values = [each.value for way in found for each in way.values if each.value is not None]
        if len(values) == fact.n and fact.value is not None:
            assert sum(values) / len(values) == pytest.approx(fact.value, rel=1e-12)
            checked += 1
    assert checked > 3
    assert explain(twin, means[0].id)[0].startswith(f"{means[0].id}: mean of ")


def test_prompts_stay_small(view: CorpusView, checker: Any) -> None:
    """However large the folder, what personas are asked fits into a small window, and all data is marked."""
    narration = Narration(view, checker=checker)
    for asked in (narration.collector(), narration.analyst("{}")):
        assert len(asked.prompt) < 3500
        assert len(asked.facts) > 10
