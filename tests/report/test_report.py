"""A whole report: its text as it should be, its structure, its way back from each number to its source."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.errors import RecordError, UserError
from pytest_chimera.records import Failure
from pytest_chimera.report import Report, ReportInput, build_report
from pytest_chimera.report.document import Number
from pytest_chimera.report.twin import facts_from

if TYPE_CHECKING:
    from collections.abc import Callable

EXPECTED = Path(__file__).parent / "expected"
REGENERATE = "CHIMERA_REGENERATE_EXPECTED"
"""Set it to write the expected files anew; then read the difference before it is committed."""

SECTIONS = (
    "Environment",
    "Executive Summary",
    "Performance Analysis",
    "Metrics",
    "Key Findings",
    "Workflow Summary",
    "Persona Prompts",
    "Appendix",
)


def held(name: str, text: str) -> str:
    """The expected text of this name, written first when a person asks for it."""
    path = EXPECTED / name
    if os.environ.get(REGENERATE):
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")


@pytest.fixture
def report(session: ReportInput) -> Report:
    """The report on the synthetic session."""
    return build_report(session)


def test_the_whole_markdown(report: Report) -> None:
    """The report of a session with everything in it reads as expected, byte for byte."""
    assert report.markdown == held("session.md", report.markdown)


def test_the_short_form(report: Report) -> None:
    """The form for a CI job's page has the summary, one table and the findings, and no links."""
    assert report.short() == held("short.md", report.short())
    assert "](" not in report.short()
    assert "][" not in report.short()


def test_the_lines_for_a_terminal(report: Report) -> None:
    """A terminal gets the summary and the findings without markup."""
    text = "\n".join(report.lines) + "\n"
    assert text == held("lines.txt", text)


def test_the_same_input_gives_the_same_bytes(session: ReportInput) -> None:
    """Two reports on one session do not differ anywhere."""
    first, second = build_report(session), build_report(session)
    assert first.markdown == second.markdown
    assert json.dumps(first.as_dict()) == json.dumps(second.as_dict())


def test_it_is_short_in_a_failed_assert(report: Report) -> None:
    """What a failed assert shows of a report is one line, and not every number in it."""
    assert re.fullmatch(r"<Report of \d+ cases: Environment, [^\n]+, Appendix>", repr(report))


def test_sections_in_order_and_none_empty(report: Report) -> None:
    """A test can ask for the sections, their order, their text, words and facts."""
    assert report.sections == SECTIONS
    for title in SECTIONS:
        assert report.section(title).words > 2
    assert "50.0 ms to 60.0 ms" in report.section("Executive Summary").text
    assert "test_sky | gemma3:latest | 60.0 ms | - | 3 | 0" in report.section("Performance Analysis").text
    assert {fact.metric for fact in report.section("Metrics").facts} == {
        "tok/s", "ttft", "total", "output_tokens", "prompt_eval", "eval", "load",
    }  # fmt: skip


def test_an_unknown_section_is_named_with_those_there_are(report: Report) -> None:
    """Asking for a section that the report lacks says which it has."""
    with pytest.raises(UserError) as caught:
        report.section("Executive summary")
    assert str(caught.value) == (
        "The report has no section 'Executive summary'. It has: Environment, Executive Summary, Performance Analysis, "
        "Metrics, Key Findings, Workflow Summary, Persona Prompts, Appendix. Did you mean 'Executive Summary'?"
    )


def test_a_session_without_results_is_said_to_be_one(created: Any) -> None:
    """With nothing measured every section still says something, and no number is invented."""
    report = build_report(ReportInput(results=(), created=created, suite="nothing"))
    assert report.sections == SECTIONS
    assert all(report.section(title).words > 2 for title in SECTIONS)
    assert report.section("Executive Summary").text == "No case has been measured."
    assert report.header.title == "Benchmark report: nothing"


def test_a_range_that_would_read_as_one_number_is_one_number(
    generation: Callable[..., Any], result: Callable[..., Any], created: Any
) -> None:
    """Two cases whose medians look the same are said to have that median, not to lie between it and itself."""
    cases = tuple(result(case={"id": name, "name": name}, generations=(generation(),)) for name in ("a", "b"))
    summary = build_report(ReportInput(results=cases, created=created, suite="s")).section("Executive Summary").text
    assert re.search(r"median TTFT \S+ ms over its cases, median tok/s \S+ tok/s over its cases\.", summary)


def test_a_case_whose_rounds_all_failed_has_unknown_numbers(
    generation: Callable[..., Any], result: Callable[..., Any], created: Any
) -> None:
    """Where no round counted, medians are unknown and never 0."""
    failed = generation(failure=Failure(kind="cut", cause="closed", message="gone"), end_ns=None)
    report = build_report(ReportInput(results=(result(generations=(failed,)),), created=created, suite="s"))
    metrics = report.section("Metrics").text.splitlines()
    assert metrics[2:] == [
        "Throughput: unknown",
        "TTFT: unknown",
        "Total Duration: unknown",
        "Tokens Generated: unknown",
        "Prompt Eval: unknown",
        "Eval Duration: unknown",
        "Load Duration: unknown",
    ]
    assert report.section("Performance Analysis").text == "No round counted, so there is nothing to analyse."


# Numbers ----------------------------------------------------------------------------------------------------------

LINKED = re.compile(r"\[([^\[\]]*)\]\[(F[0-9a-f]{10})\]")
CITED = re.compile(r": (.*) \[(F[0-9a-f]{10})\]$", re.MULTILINE)


def without_labels(markdown: str) -> str:
    """The text less fences, code spans, the table of facts and the targets of its links."""
    markdown = markdown[: markdown.index("### Facts")]
    markdown = re.sub(r"^(`{3,})text\n.*?\n\1$", "", markdown, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", "", markdown)


def printed(report: Report) -> dict[str, set[str]]:
    """Fact id -> every way in which its value may be printed."""
    forms = ("people", "ms", "plain")
    return {
        fact.id: {Number(fact=fact, form=form).text for form in forms if form != "ms" or fact.dimension == "time"}
        for fact in report.facts
    }


def check_numbers(report: Report) -> int:
    """How many numbers the Markdown has, each of them found to be what its fact says."""
    accepted, facts = printed(report), {fact.id: fact for fact in report.facts}
    lines = without_labels(report.markdown).splitlines()
    count = 0
    for line in lines:
        rest = line
        for pattern in (LINKED, CITED):
            for text, name in pattern.findall(rest):
                assert text in accepted[name], line
                count += 1
        if line.startswith("|"):
            # The n of a row is that of its median's fact, the first one in the row.
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            bare = [cell for cell in cells if cell.isdigit()]
            if bare:
                first = LINKED.search(line)
                assert first is not None, line
                assert bare == [str(facts[first[2]].n)], line
                rest = re.sub(r"\| +\d+ +\|", "|", rest)
        rest = CITED.sub("", LINKED.sub("", rest))
        rest = re.sub(r"\b(p95|E2E|SHA-256)\b", "", rest)  # names, no numbers
        assert not re.search(r"\d", rest), line
    return count


def test_every_number_in_the_markdown_has_its_fact(report: Report) -> None:
    """Outside of labels and quoted text there is no digit that is not the value (or n) of the fact it names."""
    assert check_numbers(report) > 200


def test_every_cited_fact_stands_in_the_appendix(report: Report) -> None:
    """Each id that is cited has its row, its anchor and its link target, once each."""
    text = report.markdown
    body = text[: text.index("### Facts")]
    cited = set(re.findall(r"\[(F[0-9a-f]{10})\]", body))
    anchors = re.findall(r'<a id="(f[0-9a-f]{10})"></a>(F[0-9a-f]{10}) \|', text)
    targets = re.findall(r'^\[(F[0-9a-f]{10})\]: #(f[0-9a-f]{10}) ".*"$', text, re.MULTILINE)
    assert sorted(each[1] for each in anchors) == sorted(cited)
    assert sorted(each[0] for each in targets) == sorted(cited)
    assert all(name.lower() == anchor for anchor, name in anchors)
    assert all(name.lower() == anchor for name, anchor in targets)


def test_facts_keep_their_ids_from_run_to_run(session: ReportInput) -> None:
    """A second session with other values has facts of the same ids, so that numbers can be followed over time."""
    changed = tuple(replace(result, measuring_ns=result.measuring_ns * 2) for result in session.results)
    before, after = build_report(session), build_report(replace(session, results=changed))
    assert [fact.id for fact in before.facts] == [fact.id for fact in after.facts]
    assert len({fact.id for fact in before.facts}) == len(before.facts)
    assert before.markdown != after.markdown


def test_a_failed_or_cold_round_is_in_no_statistic(report: Report) -> None:
    """Statistics count only good rounds of the start that is measured; the sources name exactly those."""
    facts = {(fact.subject.get("case", ""), fact.metric, fact.statistic): fact for fact in report.facts}
    long = facts["tests/test_bench.py::test_long[gemma3:latest]", "ttft", "median"]
    assert (long.value, long.n) == (0.05, 1)
    assert long.sources == ("tests/test_bench.py::test_long[gemma3:latest] round 1 chunks.arrival_ns",)
    stall = facts["tests/test_bench.py::test_stall[gemma3:latest]", "load", "max"]
    assert (stall.value, stall.n) == (0.002, 1)


def test_a_case_that_stands_twice_is_told_apart(session: ReportInput) -> None:
    """Two results of one case and model, as after a repeated test, keep facts of their own."""
    twice = replace(session, results=(session.results[0], replace(session.results[0], measuring_ns=1)))
    report = build_report(twice)
    assert len({fact.id for fact in report.facts}) == len(report.facts)
    assert check_numbers(report) > 50


# JSON -------------------------------------------------------------------------------------------------------------


def test_the_twin_reads_back_to_the_same_facts(report: Report) -> None:
    """The JSON twin, written and read, has every fact of the report with its id, statistic, n, formula and sources."""
    twin = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert facts_from(twin) == report.facts
    assert twin["schema_version"] == 1
    assert [section["title"] for section in twin["sections"]] == [report.header.title, *SECTIONS]
    known = {fact["id"] for fact in twin["facts"]}
    assert {name for section in twin["sections"] for name in section["facts"]} <= known
    assert {name for finding in twin["findings"] for name in finding["facts"]} <= known


def test_the_twin_has_the_values_of_each_round(report: Report) -> None:
    """From a fact's sources one comes to the rounds: their values stand in the twin in SI units."""
    case = report.as_dict()["cases"][0]
    assert [each["values"]["ttft"] for each in case["rounds_made"]] == [1.05, 0.05, 0.06, 0.07]
    assert [each["counted"] for each in case["rounds_made"]] == [False, True, True, True]
    assert case["prompt_hash"] == report.given.results[0].case.prompt_hash


def test_a_twin_that_was_edited_is_refused(report: Report) -> None:
    """A fact whose id does not follow from its content, or another schema, is not read."""
    twin = json.loads(json.dumps(report.as_dict()))
    twin["facts"][0]["metric"] = "other"
    with pytest.raises(RecordError, match="does not have the id that follows from its content"):
        facts_from(twin)
    with pytest.raises(RecordError) as caught:
        facts_from({"schema": "x"})
    assert str(caught.value) == (
        "This is 'x', version None. Accepted: 'pytest-chimera-report', version 1. "
        "Read it with the version of pytest-chimera that wrote it."
    )
