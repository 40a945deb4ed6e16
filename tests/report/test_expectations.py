"""Answers that are not as expected, in a report: counted apart, named among the findings, with their own table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.records import Message
from pytest_chimera.report import Report, ReportInput, build_report
from pytest_chimera.report.document import plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pytest_chimera.records import CaseResult, Generation

HASH = "ab" * 32
MISSING = "contains: 'blue' is not in the answer; the answer begins in line 1: \"<b>Red</b>\""
LONG = 'max_words: 9 words, and 5 are the most; number 6 is in line 1: "word"'


@pytest.fixture
def expecting(result: Callable[..., CaseResult], generation: Callable[..., Generation]) -> CaseResult:
    """A case of four rounds, of which two are as expected."""
    unmet: tuple[Any, ...] = ((), (MISSING,), (), (LONG, MISSING))
    return result(
        generations=tuple(generation(unmet=each) for each in unmet),
        case={
            "expect": {"contains": ["blue"], "max_words": 5}, "persona": "Insight-Agent", "persona_hash": HASH,
            "messages": (Message(role="system", content="Be brief."), Message(role="user", content="Why?")),
        },
    )  # fmt: skip


@pytest.fixture
def built(created: datetime) -> Callable[..., Report]:
    """A report on results."""
    return lambda *results: build_report(
        ReportInput(results=results, created=created, suite="s", personas={"Insight-Agent": "Be brief."})
    )


def said(report: Report, kind: str) -> list[str]:
    """The findings of one kind."""
    return [plain(each.line) for each in report.findings if each.kind == kind]


def section(report: Report, title: str) -> str:
    """The Markdown of one section."""
    return report.markdown.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_a_finding_names_what_is_not_met(built: Callable[..., Report], expecting: CaseResult) -> None:
    """Each expectation is named once, with its rounds and what stands in the first of those answers."""
    report = built(expecting)
    assert said(report, "expectations") == [
        f"Answers not as expected: test_sky on gemma3:latest, 2 of 4: rounds 2, 4 {MISSING}; round 4 {LONG}",
    ]
    assert said(report, "failures") == ["No round failed."]
    assert f"`{MISSING}`" in section(report, "Key Findings")  # within code nothing of it acts


def test_all_answers_as_expected_is_said_where_something_was_expected(
    built: Callable[..., Report], result: Callable[..., CaseResult], generation: Callable[..., Generation]
) -> None:
    """Without expectations nothing is said of them."""
    good = result(generations=(generation(unmet=()),), case={"expect": {"max_words": 5}})
    assert said(built(good), "expectations") == ["Every answer was as expected."]
    assert said(built(result(generations=(generation(),))), "expectations") == []


def test_shares_have_a_table_of_their_own(
    built: Callable[..., Report], expecting: CaseResult, result: Callable[..., CaseResult],
    generation: Callable[..., Generation],
) -> None:  # fmt: skip
    """The share is a mean over the rounds that were judged, beside how many were not so; others are not in it."""
    other = result("test_sea[gemma3:latest]", generations=(generation(),))
    report = built(expecting, other)
    table = (
        section(report, "Performance Analysis").partition("### accuracy\n")[2].partition("\n#")[0].strip().splitlines()
    )
    assert table[0] == (
        "Seen by the client; higher is better: counted rounds whose answer is as expected / counted rounds."
    )
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]
    assert cells[0] == ["Case", "Model", "Share", "n", "Not as expected", "Failed"]
    assert [cell.partition("]")[0].strip("[`") for cell in cells[2]] == [
        "test_sky", "gemma3:latest", "50.0 %", "4", "2", "0",
    ]  # fmt: skip
    assert len(cells) == 3


def test_the_workflow_counts_them_where_something_was_expected(
    built: Callable[..., Report], expecting: CaseResult, result: Callable[..., CaseResult],
    generation: Callable[..., Generation],
) -> None:  # fmt: skip
    """The column is there only then."""
    with_it = section(built(expecting), "Workflow Summary").splitlines()
    heads = [[cell.strip() for cell in line.strip("|").split("|")] for line in with_it if line.startswith("| Case")]
    assert heads[0][-3:] == ["Left out", "Not as expected", "Complete"]
    assert "Not as expected" not in section(built(result(generations=(generation(),))), "Workflow Summary")


def test_the_hash_of_a_persona_stands_above_its_text(built: Callable[..., Report], expecting: CaseResult) -> None:
    """By it runs are compared, so a reader can tell whether two reports speak of one persona."""
    text = section(built(expecting), "Persona Prompts")
    assert f"SHA-256 of its text: `{HASH}`." in text or f"SHA-256 of its text: {HASH}." in text


def test_the_twin_has_every_word(built: Callable[..., Report], expecting: CaseResult) -> None:
    """The JSON of a report holds what was expected, what was not met in each round, and the count as a fact."""
    report = built(expecting)
    twin = report.as_dict()
    (case,) = twin["cases"]
    assert case["expect"] == {"contains": ["blue"], "max_words": 5}
    assert [each["unmet"] for each in case["rounds_made"]] == [[], [MISSING], [], [LONG, MISSING]]
    facts = {(each["metric"], each["statistic"]): each["value"] for each in twin["facts"]}
    assert (facts["unmet_rounds", "count"], facts["accuracy", "mean"]) == (2, 0.5)
    assert ("accuracy", "median") not in facts
