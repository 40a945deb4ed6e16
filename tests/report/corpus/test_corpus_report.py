"""The technical report on a corpus: its sections, its numbers, its way back, what it never contains."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.analysis.form import Analysis, Finding, Part
from pytest_chimera.errors import UserError
from pytest_chimera.report import Report, ReportInput, assert_report, build_report
from pytest_chimera.report.twin import facts_from

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

EXPECTED = Path(__file__).parent / "expected"
REGENERATE = "CHIMERA_REGENERATE_EXPECTED"

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


def held(name: str, text: str) -> str:
    """The expected text of this name, written first when a person asks for it."""
    path = EXPECTED / name
    if os.environ.get(REGENERATE):
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")


@pytest.fixture
def both(corpora: Any, session: ReportInput) -> Report:
    """A corpus beside a session with four cases."""
    return build_report(replace(session, corpus=corpora.view()))


def test_the_whole_markdown(report: Report) -> None:
    """The report on a small corpus reads as expected, byte for byte."""
    assert report.markdown == held("corpus.md", report.markdown)


def test_the_sections_stand_in_their_order(report: Report, both: Report) -> None:
    """With a corpus the report has the technical report's sections, with or without cases beside it."""
    assert report.sections == both.sections == SECTIONS
    assert re.findall(r"^## (.*)$", report.markdown, re.MULTILINE) == [
        "1 Executive Summary",
        "2 Data Ingestion Summary",
        "3 Performance Analysis",
        "4 Key Findings",
        "5 Recommendations",
        "6 Appendix",
        "Workflow Summary",
        "Metrics",
        "Persona Prompts",
    ]
    assert all(report.section(title).words > 2 for title in SECTIONS)


def test_the_header_names_the_models_of_the_files(report: Report, both: Report) -> None:
    """Date, agent type, model and configuration stand in the header; models of files are told from those asked."""
    assert report.header.title == "Technical report: technical_report"
    assert report.header.text.splitlines() == [
        "Date: 2026-11-22 13:47:05+01:00",
        "Agent Type: none (no persona)",
        "Model: big:8b-q4_0, small:latest (in the files)",
        "Configuration: default",
    ]
    model = both.header.text.splitlines()[2]
    assert model == "Model: gemma3:latest, gemma3:270m; big:8b-q4_0, small:latest (in the files)"


def test_what_was_read_is_counted(report: Report) -> None:
    """Files, bytes, rows, measurements, copies, times and what was not understood stand in the ingestion summary."""
    text = report.section("Data Ingestion Summary").text
    assert (
        "Read 4 files (4.00 KiB) in 2 folders below results: 14 rows with numbers, 2 of them failed. They hold 13 "
        "distinct measurements of 2 models; 12 further copies of them stand elsewhere."
    ) in text
    assert (
        "Measured from 2025-10-01T08:00:00 to 2025-10-06T08:00:00, times as written, in an unknown zone; "
        "1 measurement has no time."
    ) in text
    assert "1 file (1.00 KiB) byte for byte the same as another; 2 files without any number" in text
    assert "csv | 2 | 2.00 KiB | 14 | 2 | 26 | 0" in text
    assert "reports | 3 | 3.00 KiB | 7 | 1 | 13 | 12" in text
    assert "no unit | 1 | 9" in text
    assert "broken | 1 | 3" in text
    assert text.splitlines()[-1] == "The parse log in the appendix has the others."


def test_the_session_stands_beside_the_corpus(both: Report, session: ReportInput) -> None:
    """What was measured in this session is shown in the same sections as without a corpus."""
    alone = build_report(session)
    for title, part in (
        ("Key Findings", "Key Findings"), ("Metrics", "Metrics"), ("Workflow Summary", "Workflow Summary"),
        ("Appendix", "Environment"), ("Executive Summary", "Executive Summary"),
    ):  # fmt: skip
        assert alone.section(part).text in both.section(title).text
    assert "small:latest | 3 | 290 tok/s" in both.section("Performance Analysis").text
    assert "Measured in this session" in both.section("Performance Analysis").text
    assert [each.kind for each in both.findings] == [each.kind for each in alone.findings]


def test_a_sweep_of_the_session_stands_beside_the_corpus(both: Report, swept: Callable[..., Any]) -> None:
    """What a sweep of this session says stands in the analysis of performance, each number with its fact."""
    results = tuple(swept([{"top_k": 1}, {"top_k": 40}]))
    report = build_report(replace(both.given, results=results))
    alone = build_report(replace(both.given, results=results, corpus=None, narrative=None))
    assert report.sections == SECTIONS
    assert alone.section("Parameter Sweeps").text in report.section("Performance Analysis").text
    assert_report(report).every_number_has_a_fact()


def test_the_parse_log_is_bounded_and_the_twin_is_not(corpora: Any, report: Report) -> None:
    """Of a file the log names five things that were not understood; the JSON twin has each."""
    text = report.section("Appendix").text
    assert "reports/runs.csv | table | model, tok/s, ttft | 7 | 1 | 13 | nothing" in text
    assert "csv_data/runs.csv | table, same bytes as reports/runs.csv" in text
    (line,) = [each for each in text.splitlines() if each.startswith("reports/notes.md, 9 values: ")]
    assert line.count("has no unit") == 5
    assert line.endswith("; and others, which the JSON file of the same name has.")
    left = report.as_dict()["corpus"]["left"]
    assert sum(each["file"] == corpora.NOTES for each in left) == 9


def test_every_number_has_its_fact_in_the_appendix(corpora: Any, report: Report, both: Report) -> None:
    """Each number links to a fact that stands with value, statistic, n, formula and sources in the appendix."""
    for each in (report, both):
        assert_report(each).every_number_has_a_fact()
        text = re.sub(r"^\[F[0-9a-f]{10}\]: .*$", "", each.markdown, flags=re.MULTILINE)
        assert set(re.findall(r"\[(F[0-9a-f]{10})\]", text)) == set(re.findall(r"</a>(F[0-9a-f]{10}) \|", text))
    (row,) = [line for line in report.markdown.splitlines() if f"</a>{corpora.mean(corpora.BIG).id}" in line]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:] == ["tok/s", "74 tok/s", "mean", "3", "`arithmetic mean`", "`reports/runs.csv rows 1-3 tok/s`",
                         "`model big:8b-q4_0`"]  # fmt: skip


def test_facts_keep_their_ids_from_run_to_run(corpora: Any, given: ReportInput) -> None:
    """Other values, times and roots leave the ids of facts as they are, and no two facts share one."""
    moved = replace(corpora.view(), roots=("/elsewhere",), times={"ingest": 9.0, "analysis": 8.0})
    before, after = build_report(given), build_report(replace(given, corpus=moved))
    assert [fact.id for fact in before.facts] == [fact.id for fact in after.facts]
    assert len({fact.id for fact in before.facts}) == len(before.facts)


def test_the_twin_holds_everything(corpora: Any, report: Report) -> None:
    """Files, rows, findings, recommendations and facts are in the twin, whose schema is still the first."""
    twin = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert twin["schema_version"] == 1
    assert facts_from(twin) == report.facts
    assert [each["path"] for each in twin["corpus"]["artifacts"]] == [
        corpora.COPY, corpora.BROKEN, corpora.NOTES, corpora.RUNS,
    ]  # fmt: skip
    assert [(each["part"], each["text"]) for each in twin["findings"]] == [
        (
            "models",
            "small:latest has a higher mean throughput, 290 tok/s, than big:8b-q4_0, 74.0 tok/s, over 3 rows each.",
        ),
        ("gaps", "Every file says its unit."),
        ("gaps", "1 row of big:8b-q4_0 failed with HTTP 500: model runner has stopped."),
    ]
    assert twin["recommendations"] == [
        {
            "text": "Measure big:8b-q4_0 again, because a row failed.",
            "command": "pytest reports --chimera-model big:8b-q4_0",
            "findings": ["1 row of big:8b-q4_0 failed with HTTP 500: model runner has stopped."],
            "facts": [corpora.FAILED.id],
        }
    ]
    assert twin["narrative"] is None


def test_the_twin_writes_what_a_row_shares_once(report: Report) -> None:
    """The numbers of one row stand in one object, with their places and copies."""
    rows = report.as_dict()["corpus"]["rows"]
    assert rows[1] == {
        "file": "reports/runs.csv", "row": 2, "model": "big:8b-q4_0", "size": "8B", "parameters": {"num_gpu": 40.0},
        "labels": {"prompt": "sky"}, "time": "2025-10-02T08:00:00", "zone": "unknown", "cold": False,
        "values": [
            {"metric": "tok/s", "value": 74.0, "dimension": "rate", "place": "row 2 tok/s",
             "copies": ["csv_data/runs.csv row 2 tok/s"]},
            {"metric": "ttft", "value": 0.05, "dimension": "time", "place": "row 2 ttft",
             "copies": ["csv_data/runs.csv row 2 ttft"]},
        ],
    }  # fmt: skip
    assert [each["row"] for each in rows] == [1, 2, 3, 4, 5, 6, 7, 4]
    assert rows[6]["failure"] == "HTTP 500: model runner has stopped"


def test_steps_of_the_work_are_timed(report: Report) -> None:
    """The workflow summary has the times of ingest and analysis, and says that no model took part."""
    text = report.section("Workflow Summary").text
    assert text.startswith("Step | Wall time\ningest | 25.0 ms\nanalysis | 125 ms\nNo model took part")


def test_metrics_are_medians_of_the_files(report: Report) -> None:
    """Without a case the metrics are those of the models in the files."""
    assert report.section("Metrics").text.splitlines()[1:] == [
        "big:8b-q4_0 in the files",
        "Throughput: 74.0 tok/s",
        "small:latest in the files",
        "Throughput: 290 tok/s",
    ]


def test_the_file_is_named_after_the_models_of_the_corpus(report: Report, tmp_path: Path) -> None:
    """Without a case the models and sizes in the name are those of the files, and the report is known as ours."""
    files = report.write(tmp_path)
    assert files.markdown.name == "big-8b-q4-0+small-latest_8B+unknown_technical-report_20261122-134705.md"
    assert report.write(tmp_path).newest == files.newest
    assert files.newest.read_text(encoding="utf-8").startswith("# Technical report: technical_report\n")


def test_the_analysis_can_be_asked(corpora: Any, report: Report, session: ReportInput) -> None:
    """A test reaches the parts of the analysis; a report without a corpus says that it has none."""
    assert report.analysis.part("models").findings == (corpora.FASTER,)
    with pytest.raises(UserError, match="This report has no analysis: no corpus was read"):
        build_report(session).analysis  # noqa: B018  # asking is the test


def test_the_lines_for_a_terminal(report: Report) -> None:
    """A terminal gets the summary of the corpus."""
    assert report.lines[0].startswith("Read 4 files (4.00 KiB) in 2 folders below results")
    assert report.short().startswith("## Technical report: technical_report\n\n### 1 Executive Summary\n\nRead 4 files")


# What a report never contains -------------------------------------------------------------------------------------


def test_an_http_error_is_quoted_as_a_cause_and_is_no_finding(corpora: Any, report: Report) -> None:
    """The error of a failed row stands within a sentence of ours, as quoted text, and nowhere else."""
    assert_report(report).no_errors_as_findings()
    assert "failed with `HTTP 500: model runner has stopped`." in report.markdown
    bare = Finding(kind="gaps", statement=("HTTP 500: model runner has stopped.", corpora.FAILED))
    told = build_report(replace(report.given, corpus=corpora.view(analysis=Analysis(parts=(part(bare),)))))
    with pytest.raises(AssertionError, match="tells errors as findings"):
        assert_report(told).no_errors_as_findings()


def test_no_question_to_the_reader(report: Report, both: Report) -> None:
    """Neither the report on files nor one on cases beside them asks anything."""
    assert_report(report).no_questions()
    assert_report(both).no_questions()


def test_no_section_misses_what_is_there(report: Report, both: Report) -> None:
    """Beside a corpus no section says that nothing was measured, and without cases none speaks of them as lost."""
    for each in (report, both):
        assert_report(each).no_missing_data_where_it_is_there().no_empty_sections()
    for sentence in ("No case has been measured", "nothing to analyse", "No TTFT is known", "No round failed"):
        assert sentence not in report.markdown


def test_no_failed_row_in_a_mean(corpora: Any, report: Report) -> None:
    """No source of a mean is a failed row; one that is gets noticed."""
    assert_report(report).no_failed_round_in_a_mean()
    spoilt = corpora.mean(corpora.BIG, sources=(f"{corpora.RUNS} rows 1-3,7 tok/s",))
    bad = Finding(kind="models", statement=("Mean ", spoilt, "."))
    told = build_report(replace(report.given, corpus=corpora.view(analysis=Analysis(parts=(part(bad),)))))
    with pytest.raises(AssertionError, match=r"reports/runs.csv rows 1-3,7 tok/s, row 7 tok/s"):
        assert_report(told).no_failed_round_in_a_mean()


def part(*found: Finding) -> Part:
    """A part of an analysis with these findings."""
    return Part(name="gaps", title="Gaps", findings=found)


def test_every_recommendation_cites_its_findings_and_ends_in_a_command(corpora: Any, report: Report) -> None:
    """The facts of its findings are named, and the command stands in a code span at its end."""
    assert_report(report).recommendations_cite_findings()
    failed = f"[1][{corpora.FAILED.id}]"
    assert report.markdown.split("## 5 Recommendations\n\n")[1].split("\n\n")[0] == (
        "- Measure `big:8b-q4_0` again, because a row failed. "
        f"(from {failed}) Command: `pytest reports --chimera-model big:8b-q4_0`"
    )


def test_an_empty_corpus_says_so(corpora: Any, created: datetime) -> None:
    """Of folders without a file every section still says something true."""
    empty = corpora.view(artifacts=(), measurements=(), others=(), left=(), analysis=Analysis(), times={})
    report = build_report(ReportInput(results=(), created=created, suite="s", corpus=empty))
    assert report.section("Executive Summary").text.startswith("Nothing was read: the folders hold no file")
    assert_report(report).has_sections(*SECTIONS).no_empty_sections().every_number_has_a_fact()


def test_many_files_and_findings_are_cut_in_the_markdown_only(corpora: Any, given: ReportInput) -> None:
    """A thousand files and findings give a Markdown of bounded length; the twin has them all."""
    files = tuple(corpora.artifact(f"d{n % 50}/f{n}.csv", "csv") for n in range(1000))
    many = Analysis(parts=(part(*(Finding(kind="gaps", statement=(f"{'x' * n}.",)) for n in range(1000))),))
    report = build_report(replace(given, corpus=corpora.view(artifacts=files, analysis=many, left=())))
    assert "d49/f499.csv | table" in report.section("Appendix").text
    assert "d0/f500.csv | table" not in report.section("Appendix").text
    assert "The JSON file of the same name has 500 further files." in report.section("Appendix").text
    assert len(report.section("Key Findings").text.splitlines()) == 42
    twin = report.as_dict()
    assert (len(twin["corpus"]["artifacts"]), len(twin["findings"])) == (1000, 1000)
    assert_report(report).every_number_has_a_fact()


HOSTILE = {
    "pipes": "a | b || \\| c\n\n# heading\n- item",
    "link": "[click](javascript:alert) <https://evil.example> ![x](y) [F00000000]",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)> <!-- -->",
    "ansi": "\x1b[2J\x1b]8;;https://evil.example\x07x \u202e\u2066 \ud800",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_do_not_act(corpora: Any, given: ReportInput, name: str) -> None:
    """Whatever a file, a model or a reason is called, nothing in the Markdown acts, and tables keep their shape."""
    markdown_it = pytest.importorskip("markdown_it")
    parser: Callable[[str], Any] = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").parse
    plain, hostile = (
        build_report(replace(given, corpus=spoilt(corpora, text))).markdown for text in ("x", HOSTILE[name])
    )
    kinds = {"table_open", "tr_open", "td_open", "th_open", "heading_open", "list_item_open", "fence"}
    assert [each.type for each in parser(hostile) if each.type in kinds] == [
        each.type for each in parser(plain) if each.type in kinds
    ]
    assert not [each for each in parser(hostile) if each.type in {"html_block", "code_block"}]
    for child in (child for token in parser(hostile) if token.type == "inline" for child in token.children):
        assert child.type != "image"
        if child.type == "link_open":
            assert re.fullmatch(r"#f[0-9a-f]{10}", child.attrs["href"])
        if child.type == "html_inline":
            assert re.fullmatch(r'<a id="f[0-9a-f]{10}">|</a>', child.content)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", hostile)


def spoilt(corpora: Any, text: str) -> Any:
    """The corpus with `text` in every name that comes from a file."""
    view = corpora.view()
    return replace(
        view,
        roots=(text,),
        artifacts=tuple(
            replace(each, path=f"{text}{n}", format=text, schema=(text, text)) for n, each in enumerate(view.artifacts)
        ),
        left=tuple(
            replace(each, file=f"{text}{2 if each.kind == 'no unit' else 1}", reason=text) for each in view.left
        ),
        measurements=tuple(replace(each, model=text, time="2025-10-01") for each in view.measurements),
    )
