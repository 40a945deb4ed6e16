"""A technical report on a folder of old results: read it, analyse it, let two personas work on the facts, check it.

pytest example_suites/technical_report --chimera-model gemma3 --chimera-corpus reports/ --chimera-corpus csv_data/
pytest example_suites/technical_report --chimera-no-narrative      no model; a small corpus is made for it
"""

import runpy
from pathlib import Path

import pytest

from pytest_chimera import assert_report

SECTIONS = (
    "Executive Summary",
    "Data Ingestion Summary",
    "Performance Analysis",
    "Key Findings",
    "Recommendations",
    "Appendix",
    "Workflow Summary",
    "Metrics",
    "Persona Prompts",
)
TOKENS = 600
"""What both personas together may say."""


@pytest.fixture(scope="session")
def chimera_corpus_paths(chimera_corpus_paths, tmp_path_factory):
    """The folders of `--chimera-corpus`; where none is named, a small one that make_corpus.py writes."""
    if chimera_corpus_paths:
        return chimera_corpus_paths
    make_corpus = runpy.run_path(str(Path(__file__).with_name("make_corpus.py")))["make_corpus"]
    return [make_corpus(tmp_path_factory.mktemp("corpus"))]


def test_ingestion(chimera_corpus):
    """Every file is understood or says why not, and every number says where it stands."""
    assert chimera_corpus.measurements, "no number was understood in these folders"
    for each in chimera_corpus.measurements:
        assert each.source.file
        assert each.value is None or not each.failure, "a failed row has no value"
    assert all(each.reason for each in chimera_corpus.left)


def test_analysis(chimera_report):
    """The models are compared, and every finding rests on facts that say how they were computed."""
    analysis = chimera_report.analysis
    assert analysis.part("models").findings
    assert all(fact.formula for fact in analysis.facts)
    assert all(each.command and each.findings for each in analysis.recommendations)


def test_narration(chimera_narrate):
    """A collector takes stock, an analyst draws conclusions: two cases like any other, within one budget of tokens."""
    collector, analyst = chimera_narrate(budget_tokens=TOKENS)

    assert len(collector.text.split()) < 250
    assert analyst.ttft.median < 120
    said = [each.generation.eval_count or 0 for run in (collector, analyst) for each in run.result.rounds]
    assert sum(said) <= TOKENS


def test_report(chimera_report):
    """The report has its sections, a fact behind every number, and nothing in it that has no place there."""
    (
        assert_report(chimera_report)
        .has_sections(*SECTIONS)
        .no_empty_sections()
        .every_number_has_a_fact()
        .no_questions()
        .no_errors_as_findings()
        .no_missing_data_where_it_is_there()
        .no_failed_round_in_a_mean()
        .recommendations_cite_findings()
        .at_most_tokens(TOKENS)
        .section("Executive Summary")
        .words_at_most(400)
    )
