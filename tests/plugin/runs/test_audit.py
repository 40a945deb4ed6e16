"""Whole runs that audit: each Markdown file a test, what it prints when it passes and fails, and what is written."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from typing import Any

import pytest
import yaml  # noqa: F401  # it cannot be imported twice; runs in this process forget what they imported, but not these

import pytest_chimera.analysis
import pytest_chimera.plugin.audit
import pytest_chimera.plugin.closing
import pytest_chimera.report.check  # noqa: F401  # see yaml

RUNS = """\
model,prompt,ttft_s,tokens_s,load_s,error
hare:1b,hello,2.150,78.4,2.000,
hare:1b,why,0.112,80.2,0.011,
hare:1b,sum,0.108,81.0,0.010,
hare:1b,list,0.121,79.6,0.012,
hare:1b,poem,0.000,0.0,0.000,timed out
snail:7b,hello,0.210,50.1,0.012,
snail:7b,why,0.198,52.3,0.011,
snail:7b,sum,0.205,51.2,0.013,
"""
GOOD = "# Two models (runs.csv)\n\n- hare:1b reaches 79.8 tok/s on average.\n- snail:7b averages 51.2 tok/s.\n"
BAD = (
    "# Two models (runs.csv)\n\n- hare:1b reaches 91.4 tok/s on average.\n- crab:2b averages 33 tok/s.\n"
    "- We set num_ctx to 4096.\n"
)
HEAD = "reports/bad.md: checkable: 2 of 3 numbers, grounded: 0 %"
CONTRADICTED = (
    '  reports/bad.md:3: "91.4 tok/s" contradicted: Read as mean tok/s of hare:1b in runs.csv; mean of 4 rows of '
    "hare:1b in runs.csv is 79.8 tok/s. [Fb038a7e60c]"
)
UNSUPPORTED = '  reports/bad.md:4: "33 tok/s" unsupported: Read as mean tok/s of crab:2b; the data hold no crab:2b.'
SUMMARY = ["", "Contradicted by the data (1):", CONTRADICTED, "", "No data judge it (1): lines 4."]
LEAVE_OUT = (
    " Accepted: text of at most 16,777,216 bytes. Leave the file out with pytest's --ignore, or by other names in "
    "--chimera-audit-glob."
)
AUDIT = ("--chimera-audit", "--chimera-corpus=reports")


@pytest.fixture
def reports(project: Any) -> Any:
    """A project with a folder of results and two reports on them, of which one has a number wrong."""
    folder = project.pytester.mkdir("reports")
    for name, text in (("runs.csv", RUNS), ("good.md", GOOD), ("bad.md", BAD)):
        (folder / name).write_text(text, encoding="utf-8")
    return project


def run(project: Any, *args: str) -> pytest.RunResult:
    """A run that names no model."""
    result: pytest.RunResult = project.run("-p", "no:benchmark", "-p", "no:cacheprovider", *args, model="")
    return result


def block(project: Any, result: pytest.RunResult, title: str) -> list[str]:
    """The lines between a title and the next one, as they were printed."""
    lines: list[str] = project.shown(result).splitlines()
    begin = lines.index(f"___ {title} ___") + 1
    end = next(i for i, line in enumerate(lines) if i >= begin and line.startswith(("===", "___")))
    return [line for line in lines[begin:end] if not line.startswith("[gw")]  # xdist says who it was


def test_each_markdown_file_is_a_test(reports: Any) -> None:
    """Files are items with ids of their own that `-k` and node ids choose; other files and other runs have none."""
    result = run(reports, *AUDIT, "--collect-only", "-q")
    assert [line for line in result.outlines if "::" in line] == ["reports/bad.md::claims", "reports/good.md::claims"]
    run(reports, *AUDIT, "-k", "good").assert_outcomes(passed=1, deselected=1)
    run(reports, *AUDIT, "reports/good.md::claims").assert_outcomes(passed=1)
    assert run(reports, "--chimera-corpus=reports").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_contradicted_file_fails_with_its_claims(reports: Any, way: tuple[str, ...]) -> None:
    """The failure is the list of claims, once and without a traceback; the good file passes, and no report is left."""
    result = run(reports, *AUDIT, *way)
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert block(reports, result, "claims of bad.md") == ["1 contradicted", HEAD, *SUMMARY]
    assert "FAILED reports/bad.md::claims - 1 contradicted" in result.outlines
    assert reports.ours(result) == ["chimera: corpus reports (--chimera-corpus), audit on (--chimera-audit)"]
    assert reports.reports() == []


def test_a_file_that_passes_shows_its_claims_on_demand(reports: Any) -> None:
    """With -rA the claims of a good file stand below PASSES; without it nothing does."""
    shown = reports.shown(run(reports, *AUDIT, "-rA", "-k", "good"))
    assert (
        "\n___ claims of good.md ___\n--- Captured claims call ---\n"
        "reports/good.md: checkable: 2 of 2 numbers, grounded: 100 %\n\nSupported (2): lines 3-4.\n"
    ) in shown
    result = run(reports, *AUDIT, "-k", "good")
    assert result.ret == 0
    assert "grounded" not in result.stdout.str()


def test_other_verdicts_fail_where_asked(reports: Any) -> None:
    """`--chimera-audit-fail` decides, and each claim that fails the file is named with its reason."""
    result = run(reports, *AUDIT, "--chimera-audit-fail=unsupported,contradicted", "-k", "bad")
    assert block(reports, result, "claims of bad.md") == [
        "1 unsupported, 1 contradicted", HEAD, *SUMMARY, "", "Unsupported (1):", UNSUPPORTED,
    ]  # fmt: skip
    run(reports, *AUDIT, "--chimera-audit-fail=misattributed").assert_outcomes(passed=2)


def test_other_names_can_be_audited(reports: Any) -> None:
    """`--chimera-audit-glob` replaces *.md, and may be given more than once."""
    (reports.path / "reports" / "notes.txt").write_text(BAD, encoding="utf-8")
    globs = ("--chimera-audit-glob=*.txt", "--chimera-audit-glob=good.*")
    run(reports, *AUDIT, *globs).assert_outcomes(passed=1, failed=1)
    assert "FAILED reports/notes.txt::claims - 1 contradicted" in run(reports, *AUDIT, *globs[:1]).outlines


def test_a_file_outside_the_corpus_is_audited_too(reports: Any) -> None:
    """Its claims are held against the same data."""
    (reports.path / "talk.md").write_text("hare:1b reaches 79.8 tok/s on average.\n", encoding="utf-8")
    (reports.path / "slip.md").write_text("In runs.csv hare:1b has a mean of 91.4 tok/s.\n", encoding="utf-8")
    run(reports, *AUDIT, "talk.md", "slip.md").assert_outcomes(passed=1, failed=1)


def test_every_claim_is_written_to_a_file(reports: Any, way: tuple[str, ...]) -> None:
    """The JSON has each claim of each file with place, verdict and facts, the same with workers as without."""
    run(reports, *AUDIT, "--chimera-audit-json=audit.json", *way)
    written = json.loads((reports.path / "audit.json").read_text(encoding="utf-8"))
    assert (written["schema"], written["schema_version"]) == ("pytest-chimera-audit", 1)
    said = ("line", "text", "verdict", "facts")
    assert [
        (each["file"], each["problem"], [tuple(claim[name] for name in said) for claim in each["claims"]])
        for each in written["files"]
    ] == [
        (
            "reports/bad.md",
            None,
            [
                (3, "91.4 tok/s", "contradicted", ["Fb038a7e60c"]),
                (4, "33 tok/s", "unsupported", []),
                (5, "4096", "not checkable", []),
            ],
        ),
        (
            "reports/good.md",
            None,
            [(3, "79.8 tok/s", "supported", ["Fb038a7e60c"]), (4, "51.2 tok/s", "supported", ["F5831bee68c"])],
        ),
    ]  # fmt: skip


def test_a_run_that_audits_nothing_leaves_the_written_claims_alone(reports: Any) -> None:
    """Whoever only collects does not write over what an audit wrote."""
    (reports.path / "audit.json").write_text("before", encoding="utf-8")
    run(reports, *AUDIT, "--chimera-audit-json=audit.json", "--collect-only")
    assert (reports.path / "audit.json").read_text(encoding="utf-8") == "before"


def test_junit_has_the_claims(reports: Any) -> None:
    """Each file is a test case, and its failure the text of its claims."""
    run(reports, *AUDIT, "--junitxml=junit.xml")
    cases = ET.parse(reports.path / "junit.xml").getroot().iter("testcase")
    assert [(each.get("classname"), each.get("name"), [part.text for part in each]) for each in cases] == [
        ("reports.bad.md", "claims", ["\n".join(("1 contradicted", HEAD, *SUMMARY))]),
        ("reports.good.md", "claims", []),
    ]


def test_files_that_are_no_text_fail_in_three_parts(reports: Any) -> None:
    """A binary and a huge file say what they are, also in the JSON; an empty one has no claims and passes."""
    (reports.path / "binary.md").write_bytes(bytes(range(256)) * 8)
    (reports.path / "empty.md").write_bytes(b"")
    with (reports.path / "huge.md").open("wb") as file:
        file.truncate(17_000_000)
    result = run(reports, *AUDIT, "--chimera-audit-json=audit.json", "binary.md", "empty.md", "huge.md")
    result.assert_outcomes(passed=1, failed=2)
    problems = {
        "binary.md": f"binary.md is not audited: it is binary.{LEAVE_OUT}",
        "empty.md": None,
        "huge.md": f"huge.md is not audited: it has 17,000,000 bytes.{LEAVE_OUT}",
    }
    assert block(reports, result, "claims of binary.md") == [problems["binary.md"]]
    assert block(reports, result, "claims of huge.md") == [problems["huge.md"]]
    written = json.loads((reports.path / "audit.json").read_text(encoding="utf-8"))
    assert {each["file"]: each["problem"] for each in written["files"]} == problems


def test_a_file_that_cannot_be_read_fails_in_three_parts(reports: Any) -> None:
    """A file that is gone when its turn comes says so."""
    reports.pytester.makeconftest(
        "from pathlib import Path\n\ndef pytest_collection_finish(session):\n"
        "    Path('reports/good.md').unlink(missing_ok=True)\n"
    )
    result = run(reports, *AUDIT, "-k", "good")
    assert block(reports, result, "claims of good.md") == [
        f"reports/good.md cannot be read: {os.strerror(2)}.{LEAVE_OUT}"
    ]


def test_names_in_the_data_do_not_act_on_the_terminal(reports: Any) -> None:
    """Control characters in what is quoted are written as escapes."""
    (reports.path / "reports" / "rude.csv").write_text(RUNS.replace("hare:1b", "har\x1b[31me:1b"), encoding="utf-8")
    (reports.path / "rude.md").write_text("In rude.csv har\x1b[31me:1b has a mean of 91.4 tok/s.\n", encoding="utf-8")
    result = run(reports, *AUDIT, "rude.md", "--chimera-audit-fail=contradicted,unsupported,misattributed")
    result.assert_outcomes(failed=1)
    assert "\x1b[31me" not in result.stdout.str()


NO_CORPUS = (
    "ERROR: --chimera-audit is given, but no corpus to hold claims against. Accepted: --chimera-audit beside "
    "--chimera-corpus PATH (a folder, a file or a glob). Name it, as in: pytest reports/ --chimera-audit "
    "--chimera-corpus reports/"
)
NO_AUDIT = (
    "ERROR: --chimera-audit-json is given, but nothing is audited. Accepted: --chimera-audit-json FILE beside "
    "--chimera-audit. Add it, as in: pytest reports/ --chimera-audit --chimera-corpus reports/"
)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--chimera-audit",), NO_CORPUS),
        (("--chimera-audit-json=audit.json", "--chimera-corpus=reports"), NO_AUDIT),
    ],
)
def test_half_an_audit_is_a_usage_error(reports: Any, options: tuple[str, ...], text: str) -> None:
    """Without a corpus there is nothing to hold claims against, and without an audit nothing to write."""
    result = run(reports, *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [text]
    assert not (reports.path / "audit.json").exists()


def test_an_audit_of_the_ini_file_without_a_corpus_fails_its_tests(reports: Any) -> None:
    """Where a project audits and names no corpus each file says how to name one."""
    reports.pytester.makeini("[pytest]\nchimera_audit = on\n")
    result = run(reports, "-k", "good")
    assert "\n".join(block(reports, result, "claims of good.md")) == (
        "No corpus is named. Accepted: --chimera-corpus PATH (a folder, a file or a glob), or a fixture "
        "'chimera_corpus_paths'. Name the folder with your old results, as in: pytest --chimera-corpus reports/"
    )


def test_summaries_are_no_ground_for_an_audit(reports: Any) -> None:
    """Of a corpus that was read as summaries no claim is judged, which is a failure and not a pass."""
    result = run(reports, *AUDIT, "--chimera-corpus-stream", "-k", "good")
    assert "\n".join(block(reports, result, "claims of good.md")) == (
        "Of this corpus only summaries were read, and claims are checked against single numbers. Accepted: a corpus "
        "below the size above which it is streamed, without --chimera-corpus-stream. Name fewer folders with "
        "--chimera-corpus."
    )


def test_an_audit_holds_claims_against_the_named_corpus(reports: Any) -> None:
    """A corpus that a suite has for itself is not what files are audited against, whichever is read first."""
    other = reports.pytester.mkdir("other")
    (other / "runs.csv").write_text(RUNS.replace("8", "9"), encoding="utf-8")
    reports.pytester.makeconftest(
        "import pytest\n\n@pytest.fixture(scope='session')\ndef chimera_corpus_paths():\n    return ['other']\n"
    )
    reports.pytester.makepyfile(test_a="def test_a(chimera_corpus):\n    assert len(chimera_corpus.artifacts) == 1\n")
    result = run(reports, *AUDIT, "--chimera-no-report", "test_a.py", "reports/good.md")
    result.assert_outcomes(passed=2)
