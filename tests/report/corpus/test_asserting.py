"""Assertions for the tests of users: each holds where it should, and says everything where it does not."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.analysis.form import Analysis, Finding, Part
from pytest_chimera.errors import UserError
from pytest_chimera.report import Report, ReportAssertion, ReportInput, assert_report, build_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def told(given: ReportInput, corpora: Any) -> Callable[..., ReportAssertion]:
    """Assertions on a report with one finding that says this."""

    def make(*statement: Any, **parts: Any) -> ReportAssertion:
        part = Part(name="gaps", title="Gaps", findings=(Finding(kind="gaps", statement=statement),), **parts)
        view = corpora.view(analysis=Analysis(parts=(part,)))
        return assert_report(build_report(replace(given, corpus=view)))

    return make


def test_they_chain(report: Report) -> None:
    """Every method gives back an object on which the next can be called."""
    whole = (
        assert_report(report)
        .has_sections("Executive Summary", "Key Findings", "Appendix")
        .no_empty_sections()
        .every_number_has_a_fact()
        .no_questions()
        .no_errors_as_findings()
        .no_missing_data_where_it_is_there()
        .no_failed_round_in_a_mean()
        .recommendations_cite_findings()
        .at_most_tokens(0)
        .grounded_at_least(1.0)
        .mentions("big:8b-q4_0", "Technical report", "2026-11-22")
        .section("Executive Summary")
        .words_at_most(80)
        .words_at_least(20)
        .mentions("small:latest")
        .whole()
        .words_at_least(100)
    )
    assert repr(whole) == "<assertions on 'Technical report: technical_report'>"
    assert repr(whole.section("Appendix")) == "<assertions on 'Technical report: technical_report', section 'Appendix'>"


def test_they_hold_for_files_too(report: Report, tmp_path: Path) -> None:
    """The Markdown file, the JSON file and the newest copy of a report are read as the report itself."""
    files = report.write(tmp_path)
    for path in (files.markdown, files.json, str(files.markdown), files.newest):
        found = assert_report(path).every_number_has_a_fact().recommendations_cite_findings().no_questions()
        for title in report.sections:
            assert found.report.by_title[title].facts == tuple(
                dict.fromkeys(
                    re.findall(r"\[(F[0-9a-f]{10})\]", found.report.by_title[title].markdown.split("### Facts")[0])
                )
            )
        words = {title: found.report.by_title[title].words for title in report.sections if title != "Appendix"}
        assert words == {title: report.section(title).words for title in words}
    assert_report(files.json).no_failed_round_in_a_mean().at_most_tokens(0)
    with pytest.raises(UserError, match=r"at_most_tokens\(\) needs the JSON file of the report"):
        assert_report(files.newest).at_most_tokens(0)


def test_a_file_that_is_no_report_is_refused(tmp_path: Path) -> None:
    """A path that leads nowhere, and Markdown of another kind, give their reason."""
    with pytest.raises(UserError, match="cannot be read: No such file or directory"):
        assert_report(tmp_path / "x.md")
    (tmp_path / "x.md").write_text("only words\n", encoding="utf-8")
    with pytest.raises(UserError, match="This Markdown is no report"):
        assert_report(tmp_path / "x.md")


def failing(call: Callable[[], object]) -> str:
    """The text of the assertion that does not hold."""
    with pytest.raises(AssertionError) as caught:
        call()
    return str(caught.value)


def test_sections(report: Report) -> None:
    """A section that is missing, and one that stands elsewhere, are named with what there is."""
    assert failing(lambda: assert_report(report).has_sections("Executive sumary", "Appendix")).startswith(
        "The report has no section 'Executive sumary'. It has 'Executive Summary', 'Data Ingestion Summary', "
    )
    assert failing(lambda: assert_report(report).has_sections("Appendix", "Key Findings")) == (
        "The sections stand in another order: Key Findings, Appendix."
    )
    assert failing(lambda: assert_report(report).section("Nosuch")).startswith("The report has no section 'Nosuch'.")


def test_words(report: Report) -> None:
    """Too many and too few words are told with both numbers."""
    section = assert_report(report).section("Persona Prompts")
    assert failing(lambda: section.words_at_most(4)) == "The section 'Persona Prompts' has 5 words, more than 4."
    assert failing(lambda: section.words_at_least(6)) == "The section 'Persona Prompts' has 5 words, fewer than 6."
    assert (
        failing(lambda: section.mentions("Persona", "case"))
        == "The section 'Persona Prompts' does not mention 'Persona'."
    )


@pytest.mark.parametrize(
    "text", ["12 rows failed.", "It is 3x faster.", "About 5 %.", "Ran at 10:30.", "Only 4, no more."]
)
def test_a_number_without_a_fact(told: Any, text: str) -> None:
    """A number in a sentence that no fact stands behind is found, with its line."""
    found = failing(told(text).every_number_has_a_fact)
    assert found == f"The report has numbers without a fact:\n  Executive Summary: - {text}\n  Key Findings: - {text}"


@pytest.mark.parametrize(
    "text", ["The p95 of q4_0.", "The 95 % interval.", "By SHA-256.", "gemma3:270m in v1.2.", "eta^2"]
)
def test_a_digit_in_a_name_is_no_number(told: Any, text: str) -> None:
    """Names of models, quantiles and methods may have digits."""
    told(text).every_number_has_a_fact()


def test_a_number_in_a_table_needs_a_fact_of_its_row(told: Any, report: Report, tmp_path: Path) -> None:
    """A bare number in a table is accepted only as the n of a fact in the same row."""
    path = tmp_path / "r.md"
    path.write_text(report.markdown.replace("`big:8b-q4_0`  |   3 |", "`big:8b-q4_0`  |   4 |"), encoding="utf-8")
    assert "|   4 |" in failing(assert_report(path).every_number_has_a_fact)


@pytest.mark.parametrize(
    "text", ["Is it slow?", "Let me know what you need.", "Would you like more.", "Please provide data."]
)
def test_a_question(told: Any, text: str) -> None:
    """What asks or offers is found in sentences."""
    assert f"Key Findings: {text}" in failing(told(text).no_questions)


@pytest.mark.parametrize(
    "text",
    ["HTTP 404.", "404 Not Found", "Connection refused by host.", "Traceback (most recent call last)", "HTTP/1.1 500"],
)
def test_an_error_as_a_finding(told: Any, text: str) -> None:
    """The text of an error is found in sentences, and not where it is quoted."""
    assert f"Key Findings: {text}" in failing(told(text).no_errors_as_findings)


def test_what_is_quoted_may_say_anything(told: Any) -> None:
    """Text from files within code spans is neither a question nor an error of the report, nor a number of it."""
    from pytest_chimera.analysis.form import Quoted  # noqa: PLC0415  # of this test alone

    told(
        "Failed with ", Quoted("HTTP 500: why? 12"), "."
    ).no_questions().no_errors_as_findings().every_number_has_a_fact()


def test_missing_data_that_is_there(report: Report, tmp_path: Path) -> None:
    """A section without a fact that says there are no data is found, because the report has facts."""
    path = tmp_path / "r.md"
    text = report.markdown.replace("No case used a persona.", "No performance data available.")
    path.write_text(text, encoding="utf-8")
    assert failing(assert_report(path).no_missing_data_where_it_is_there) == (
        "The report has data, yet these sections say there are none:\n  Persona Prompts: No performance data available."
    )


def test_recommendations_without_finding_or_command(report: Report, tmp_path: Path) -> None:
    """A recommendation that cites nothing, and one that ends in no command, are each shown."""
    path = tmp_path / "r.md"
    path.write_text(re.sub(r" \(from \[1\]\[F\w+\]\)", "", report.markdown), encoding="utf-8")
    assert failing(assert_report(path).recommendations_cite_findings).startswith(
        "These recommendations cite no finding:"
    )
    path.write_text(report.markdown.replace(" Command: ", " Perhaps "), encoding="utf-8")
    assert failing(assert_report(path).recommendations_cite_findings).startswith(
        "These recommendations end in no command:"
    )
