"""`pytest-chimera explain`: from a fact back to its rows or rounds, out of the JSON file alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.errors import RecordError, UserError
from pytest_chimera.report import Report, ReportInput, build_report
from pytest_chimera.report.explain import explain, explain_main, newest_twin
from pytest_chimera.report.ways import Ways

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def twin(report: Report) -> dict[str, Any]:
    """The JSON twin of the report on the small corpus."""
    found: dict[str, Any] = json.loads(json.dumps(report.as_dict()))
    return found


@pytest.fixture
def written(report: Report, tmp_path: Path) -> Iterator[Path]:
    """A project with that report, and tests called from it."""
    report.write(tmp_path / ".chimera")
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


def test_a_fact_of_a_corpus_leads_to_its_rows(twin: Any, corpora: Any) -> None:
    """Value, n, formula, what rests on it, and each row with its value, settings, labels and time are printed."""
    big = corpora.mean(corpora.BIG).id
    shared = "; model=big:8b-q4_0, time=2025-10-0{}T08:00:00, start={}, num_gpu=40, prompt=sky"
    faster = "small:latest has a higher mean throughput, 290 tok/s, than big:8b-q4_0, 74.0 tok/s, over 3 rows each."
    assert list(explain(twin, big)) == [
        f"{big}: mean of tok/s, model big:8b-q4_0",
        "  value    74.0 tok/s (74 tok/s)",
        "  n        3",
        "  formula  arithmetic mean",
        f"  says     {faster}",
        "  printed  Executive Summary, Performance Analysis, Key Findings",
        "  sources",
        "    reports/runs.csv rows 1-3 tok/s",
        f"      row 1 tok/s: 70.0 tok/s (70 tok/s){shared.format(1, 'cold')}",
        f"      row 2 tok/s: 74.0 tok/s (74 tok/s){shared.format(2, 'warm')}",
        f"      row 3 tok/s: 78.0 tok/s (78 tok/s){shared.format(3, 'warm')}",
    ]


def test_a_failed_row_is_shown_with_its_reason(twin: Any, corpora: Any) -> None:
    """A fact that counts failures leads to the row that failed and to what rests on it."""
    lines = explain(twin, corpora.FAILED.id)
    assert lines[-1] == (
        "      row 7 tok/s: failed: HTTP 500: model runner has stopped; model=big:8b-q4_0, num_gpu=40, prompt=sky"
    )
    assert "  says     Measure big:8b-q4_0 again, because a row failed." in lines


def test_a_file_that_is_named_whole_is_described(twin: Any, report: Report) -> None:
    """Where a source is a file, its format, size, rows and digest stand below it."""
    fact = report.book.get({"corpus": "all", "type": "json"}, "files")
    assert explain(twin, fact.id)[-1] == f"      unknown, 1024 bytes, 0 rows, SHA-256 {19:064x}"


def test_a_fact_of_a_session_leads_to_its_rounds(session: ReportInput, corpora: Any) -> None:
    """A fact of a case leads to the rounds that its source names, with what each of them measured."""
    report = build_report(replace(session, corpus=corpora.view()))
    subject = {"case": "tests/test_bench.py::test_sky[gemma3:latest]", "model": "gemma3:latest"}
    lines = explain(report.as_dict(), report.book.get(subject, "ttft", "median").id)
    assert lines[-4:] == (
        "    tests/test_bench.py::test_sky[gemma3:latest] rounds 1-3 chunks.arrival_ns",
        "      round 1: 50.0 ms (0.05 s); start=warm",
        "      round 2: 60.0 ms (0.06 s); start=warm",
        "      round 3: 70.0 ms (0.07 s); start=warm",
    )


@pytest.mark.parametrize(
    ("source", "places", "unnamed"),
    [
        ("a b.csv row 2 x", ["row 2 x"], 0),
        ("a b.csv rows 1-2,4 x", ["row 1 x", "row 2 x", "row 4 x"], 0),
        ("a b.csv rows 1-2 and 31 more x", ["row 1 x", "row 2 x"], 31),
        ("a b.csv /results/0-1/ttft_s", ["/results/0/ttft_s", "/results/1/ttft_s"], 0),
        ("a b.csv /mean", ["/mean"], 0),
        ("a b.csv rows 1-99999999999 x", [], 0),
        ("a row 2 x", [], 0),
        ("... and 31 more", [], 0),
        ("", [], 0),
    ],
)
def test_sources_name_places(source: str, places: list[str], unnamed: int) -> None:
    """Single places, ranges, pointers and those that are only counted are found; what is none of them finds nothing."""
    there = ["row 1 x", "row 2 x", "row 3 x", "row 4 x", "row 4 y", "/results/0/ttft_s", "/results/1/ttft_s", "/mean"]
    values = [{"metric": "x", "value": 1.0, "dimension": "count", "place": place} for place in there]
    twin = {
        "corpus": {"artifacts": [{"path": "a"}, {"path": "a b.csv"}], "rows": [{"file": "a b.csv", "values": values}]}
    }
    way = Ways(twin).of(source, "x")
    assert ([each.place for each in way.values], way.unnamed) == (places, unnamed)


def test_the_newest_report_is_asked(written: Path, corpora: Any, capsys: Any) -> None:
    """Without a file the newest report of the project is read, and its path is printed; the F may be left out."""
    newest = newest_twin(Path(".chimera") / "reports")
    for name in (corpora.FAILED.id, corpora.FAILED.id.removeprefix("F").upper()):
        assert explain_main([name]) == 0
        assert capsys.readouterr().out.endswith(f"num_gpu=40, prompt=sky\nreport: {newest}\n")


def test_an_unknown_fact_is_refused_with_the_nearest(written: Path, corpora: Any) -> None:
    """The error names how many facts there are, and those whose ids are most like what was asked for."""
    wrong = corpora.FAILED.id[:-1] + ("0" if corpora.FAILED.id[-1] != "0" else "1")
    with pytest.raises(UserError) as caught:
        explain_main([wrong])
    assert caught.value.what == f"The report has no fact {wrong!r}."
    assert corpora.FAILED.id in caught.value.next_step
    with pytest.raises(UserError, match="Copy the id from the report's appendix"):
        explain_main(["zzzz"])


def test_no_report_is_said_with_what_to_do(tmp_path: Path) -> None:
    """A folder without a report, a file that is none, and one that is not JSON each give their reason."""
    with pytest.raises(UserError, match=r"There is no report in .*Run pytest with --chimera-corpus"):
        newest_twin(tmp_path)
    with pytest.raises(UserError, match="cannot be read: No such file"):
        explain_main(["F1", "--report", str(tmp_path / "x.json")])
    for text, reason in (("{", "is not JSON"), ("[]", "is no report"), ("{}", "This is None, version None")):
        (tmp_path / "x.json").write_text(text, encoding="utf-8")
        with pytest.raises(RecordError, match=reason):
            explain_main(["F1", "--report", str(tmp_path / "x.json")])


def test_hostile_text_reaches_no_terminal(given: ReportInput, corpora: Any) -> None:
    """Escape sequences of file names, models and errors are written out."""
    view = corpora.view()
    path = "a\x1b[2J.csv"
    spoilt = replace(
        view,
        artifacts=(corpora.artifact(path, "csv", format="\x1b[1m"),),
        measurements=tuple(
            replace(each, model="m\x07", failure="x\x9b", source=replace(each.source, file=path))
            for each in view.measurements
        ),
    )
    report = build_report(replace(given, corpus=spoilt))
    for fact in report.facts:
        assert all(line.isprintable() for line in explain(report.as_dict(), fact.id))


def test_it_imports_no_pytest() -> None:
    """The command works where only the JSON file is looked at: pytest is not even imported."""
    code = "import sys, pytest_chimera.report.explain; print([n for n in ('pytest', '_pytest') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
