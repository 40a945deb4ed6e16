"""Whole runs on old results: where they are, who reads them, what is left behind, and what is said when nobody does."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # noqa: F401  # it cannot be imported twice; runs in this process forget what they imported, but not these

import pytest_chimera.analysis
import pytest_chimera.plugin.closing
import pytest_chimera.plugin.reporting  # noqa: F401  # see yaml
from pytest_chimera.corpus import Bounds
from pytest_chimera.corpus.corpus import PARALLEL_BYTES, PARALLEL_FILES, STREAM_BYTES, STREAM_FILES

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
MORE = '[{"model": "crab:2b", "ttft_ms": 90, "tok/s": 33}, {"model": "crab:2b", "ttft_ms": 110, "tok/s": 35}]\n'
SEES = """
import json
from pathlib import Path

def test_old(chimera_corpus):
    seen = {each.path: each.measurements for each in chimera_corpus.artifacts}
    Path(__file__).with_suffix(".json").write_text(json.dumps(seen))
"""
REPORTS = """
def test_report(chimera_report):
    assert chimera_report.analysis.part("models").findings
"""
PLAIN = "def test_plain():\n    pass\n"
QUIET = ("-p", "no:benchmark", "-p", "no:cacheprovider")
READ = "corpus: 2 files, 28 measurements, 1 failed row, 0 remarks on what was not understood"
NOBODY = (
    "chimera: --chimera-corpus is set, but no test that ran uses 'chimera_corpus' or 'chimera_report': nothing was "
    "read. Run one that does, or see what is there with: pytest-chimera read PATH"
)
TITLE = "--- chimera ---"
STAMP = re.compile(r"\d{8}-\d{6}")


def write_results(folder: Path) -> Path:
    """A folder of old results: two files of three models."""
    (folder / "more").mkdir(parents=True)
    (folder / "runs.csv").write_text(RUNS, encoding="utf-8")
    (folder / "more" / "crab.json").write_text(MORE, encoding="utf-8")
    return folder


@pytest.fixture
def old(project: Any) -> Any:
    """A project beside a folder of old results, with a test that sees which files it is given."""
    write_results(project.path / "results")
    project.pytester.makepyfile(test_old=SEES)
    return project


def seen(project: Any, name: str = "test_old") -> dict[str, int]:
    """Files and numbers that the last run of the test was given."""
    found: dict[str, int] = json.loads((project.path / f"{name}.json").read_text(encoding="utf-8"))
    return found


def run(project: Any, *args: str, **more: Any) -> pytest.RunResult:
    """A run that names no model and neither records rows nor reports."""
    result: pytest.RunResult = project.run(*QUIET, "--chimera-no-report", *args, model="", **more)
    return result


def errors(result: pytest.RunResult) -> list[str]:
    """What a run said to standard error, without what xdist says on its way."""
    return [line for line in result.errlines if line]


def test_a_run_without_a_case_leaves_a_report(old: Any, way: tuple[str, ...]) -> None:
    """No model and no case are needed, and the controller writes one report of what its workers asked for."""
    old.pytester.makepyfile(test_old=SEES, test_report=REPORTS)
    result = old.run(*QUIET, "--chimera-corpus=results", *way, model="")
    result.assert_outcomes(passed=2)
    (markdown,) = (old.path / ".chimera" / "reports").glob("*.md")
    assert old.ours(result) == [
        "chimera: corpus results (--chimera-corpus)",
        TITLE,
        READ,
        f"report: .chimera/reports/{STAMP.sub('STAMP', markdown.name)}",
    ]
    twin = json.loads(markdown.with_suffix(".json").read_text(encoding="utf-8"))
    assert [each["path"] for each in twin["corpus"]["artifacts"]] == ["runs.csv", "more/crab.json"]
    assert markdown.read_text(encoding="utf-8").startswith("# Technical report: ")
    assert (old.path / ".chimera" / "report.md").is_file()
    assert (old.path / ".chimera" / ".gitignore").is_file()
    assert not (old.path / ".chimera" / "runs").exists()


@pytest.mark.parametrize(
    ("paths", "files"),
    [
        (("results",), {"runs.csv": 24, "more/crab.json": 4}),
        (("results/runs.csv",), {"runs.csv": 24}),
        (("results/**/*.json",), {"more/crab.json": 4}),
        (("results/more", "results/runs.csv"), {"more/crab.json": 4, "runs.csv": 24}),
        (("results", "results/more"), {"results/runs.csv": 24, "results/more/crab.json": 4}),
    ],
)
def test_a_folder_a_file_a_glob_or_several(old: Any, paths: tuple[str, ...], files: dict[str, int]) -> None:
    """Each form of a path gives its files, each once, with all that is in them."""
    assert run(old, *(f"--chimera-corpus={each}" for each in paths)).ret == 0
    assert seen(old) == files


def test_relative_paths_count_from_where_they_are_written(old: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the ini file from the root, of the command line and the environment from where pytest runs."""
    below = old.pytester.mkdir("below")
    (below / "few").mkdir()
    (below / "few" / "few.csv").write_text("model,tokens_per_s\na:1b,5\n", encoding="utf-8")
    (below / "words.yaml").write_text("metrics: {tok/s: {names: [hops]}}\n", encoding="utf-8")
    monkeypatch.chdir(below)
    rooted = ("--rootdir", str(old.path), str(old.path))
    assert run(old, *rooted, "--chimera-corpus=few", "--chimera-vocabulary=words.yaml").ret == 0
    assert seen(old) == {"few.csv": 1}
    with monkeypatch.context() as patch:
        patch.setenv("CHIMERA_CORPUS", "few")
        assert run(old, *rooted).ret == 0
        assert seen(old) == {"few.csv": 1}
    old.pytester.makeini("[pytest]\nchimera_corpus = results\nchimera_vocabulary = below/words.yaml\n")
    assert run(old, *rooted).ret == 0
    assert seen(old) == {"runs.csv": 24, "more/crab.json": 4}


@pytest.mark.parametrize("way", [(), ("-n", "2")], ids=["alone", "n2"])
def test_a_path_on_the_command_line_that_is_not_there_is_a_usage_error(old: Any, way: tuple[str, ...]) -> None:
    """It ends the run before anything is collected, in three parts and nothing else."""
    result = run(old, "--chimera-corpus=resuts", *way, process=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "\n".join(errors(result)) == (
        f"ERROR: There is no corpus at '{old.path}/resuts'. Accepted: a folder, a file or a glob of files. "
        "Did you mean 'results'?"
    )
    assert [line for line in result.outlines if line] == []


def test_a_path_of_the_ini_file_that_is_not_there_fails_who_asks_for_it(old: Any) -> None:
    """Other tests of such a project run; the ones that ask say why they fail, without a traceback, and nothing else is
    said.
    """
    old.pytester.makeini("[pytest]\nchimera_corpus = gone\n")
    old.pytester.makepyfile(test_old=SEES, test_plain=PLAIN)
    result = old.run(*QUIET, model="")
    result.assert_outcomes(passed=1, errors=1)
    lines = old.shown(result).splitlines()
    begin = lines.index("___ ERROR at setup of test_old ___")
    assert lines[begin + 1] == (
        "There is no corpus at 'ROOT/gone'. Accepted: a folder, a file or a glob of files. Check the path; it is taken "
        "from the folder that pytest is run in."
    )
    assert lines[begin + 2] == "=== short test summary info ==="
    assert old.ours(result) == ["chimera: corpus gone (chimera_corpus in tox.ini)"]
    assert old.reports() == []


def test_without_a_corpus_the_fixture_says_how_to_name_one(old: Any) -> None:
    """A test that asks for old results in a run that names none fails in three parts."""
    result = run(old)
    result.assert_outcomes(errors=1)
    assert (
        "No corpus is named. Accepted: --chimera-corpus PATH (a folder, a file or a glob), or a fixture "
        "'chimera_corpus_paths'. Name the folder with your old results, as in: pytest --chimera-corpus reports/"
    ) in result.outlines


OVERRIDE = """
import pytest

@pytest.fixture(scope="session")
def chimera_corpus_paths():
    return {}
"""


def test_folders_of_tests_have_corpora_of_their_own(old: Any, way: tuple[str, ...]) -> None:
    """Each override holds for the tests below it, whichever ran first, and the report is on all that was read."""
    for name, paths in (("a", "['results/more']"), ("b", "'results/runs.csv'")):
        folder = old.pytester.mkdir(name)
        (folder / "conftest.py").write_text(OVERRIDE.format(paths), encoding="utf-8")
        (folder / f"test_{name}.py").write_text(SEES, encoding="utf-8")
    result = old.run(*QUIET, *way, "a", "b", model="")
    result.assert_outcomes(passed=2)
    assert seen(old, "a/test_a") == {"crab.json": 4}
    assert seen(old, "b/test_b") == {"runs.csv": 24}
    assert READ in old.ours(result)
    (twin,) = (old.path / ".chimera" / "reports").glob("*.json")
    assert len(json.loads(twin.read_text(encoding="utf-8"))["corpus"]["artifacts"]) == 2


def test_a_report_in_a_test_is_on_the_corpus_of_that_test(old: Any) -> None:
    """What another test has read is not in it."""
    for name, paths, count in (("a", "['results']", 3), ("b", "['results/more']", 1)):
        folder = old.pytester.mkdir(name)
        (folder / "conftest.py").write_text(OVERRIDE.format(paths), encoding="utf-8")
        (folder / f"test_{name}.py").write_text(
            "def test_it(chimera_report):\n"
            "    models = {each.model for each in chimera_report.given.corpus.measurements}\n"
            f"    assert len(models) == {count}\n",
            encoding="utf-8",
        )
    run(old, "a", "b").assert_outcomes(passed=2)


def test_cases_and_old_results_are_in_one_report(old: Any) -> None:
    """What was measured stands beside what was read, in the terminal and in the file."""
    old.pytester.makepyfile(test_report="def test_it(chimera, chimera_corpus):\n    chimera('Hello', rounds=1)\n")
    result = old.run(*QUIET, "--chimera-corpus=results", "test_report.py")
    assert [line for line in old.ours(result) if not line.startswith("report: ")] == [
        "chimera: model toy (--chimera-model), host HOST (--chimera-host), corpus results (--chimera-corpus)",
        "chimera: toy is answered by Ollama at HOST",
        "--- chimera: median per case and model ---",
        READ,
        "case  TTFT  prefill  decode  E2E  rounds  failed  cold",
        "  tok/s  tok/s",
        "test_it[toy]  TIME  500  200  TIME  1  0  0",
    ]
    text = (old.path / ".chimera" / "report.md").read_text(encoding="utf-8")
    assert "`snail:7b`" in text
    assert "`toy:latest`" in text


def test_a_fact_of_the_report_is_led_back_to_its_rows(old: Any) -> None:
    """`pytest-chimera explain` needs the id alone: the newest report is found, and nothing is run."""
    old.run(*QUIET, "--chimera-corpus=results", model="")
    (path,) = (old.path / ".chimera" / "reports").glob("*.json")
    wanted = ({"model": "snail:7b"}, "tok/s", "mean")
    facts = json.loads(path.read_text(encoding="utf-8"))["facts"]
    (name,) = [each["id"] for each in facts if (each["subject"], each["metric"], each["statistic"]) == wanted]
    done = old.pytester.run(sys.executable, "-m", "pytest_chimera", "explain", name)
    lines = done.outlines
    assert done.ret == 0
    assert lines[:4] == [
        f"{name}: mean of tok/s, model snail:7b",
        "  value    51.2 tok/s (51.2 tok/s)",
        "  n        3",
        "  formula  arithmetic mean",
    ]
    assert "      row 6 tokens_s: 50.1 tok/s (50.1 tok/s); model=snail:7b, start=warm, prompt=hello" in lines
    assert lines[-1] == f"report: {path.relative_to(old.path)}"
    wrong = old.pytester.run(sys.executable, "-m", "pytest_chimera", "explain", "F000")
    assert (wrong.ret, wrong.outlines) == (1, [])
    assert wrong.errlines[0].startswith("The report has no fact 'F000'. It has ")


def test_no_report_where_none_is_wanted(old: Any) -> None:
    """The terminal says what was read, and no file is left."""
    assert old.ours(run(old, "--chimera-corpus=results"))[1:] == [TITLE, READ]
    assert old.reports() == []


def test_a_corpus_that_nobody_uses_is_said_and_not_read(old: Any) -> None:
    """One line says what to do; a run that only collects says nothing."""
    old.pytester.makepyfile(test_plain=PLAIN)
    assert old.ours(run(old, "--chimera-corpus=results", "test_plain.py"))[1:] == [TITLE, NOBODY]
    assert old.ours(run(old, "--chimera-corpus=results", "--collect-only"))[1:] == []


def test_a_run_that_uses_no_old_results_imports_nothing_of_them(project: Any) -> None:
    """Neither YAML nor our rooms that read and analyse are imported, to the end of the run."""
    project.pytester.makepyfile(test_plain=PLAIN)
    script = project.pytester.makepyfile(
        run_it="""
        import sys, pytest
        status = pytest.main(["-q", "-p", "no:hypothesispytest", "-p", "no:anyio", "test_plain.py"])
        ours = ("corpus", "analysis", "report", "plugin.corpora", "plugin.places", "plugin.audit", "plugin.narrating")
        late = [name for name in ours if f"pytest_chimera.{name}" in sys.modules]
        print("status", int(status), late, "yaml" in sys.modules)
        """
    )
    assert "status 0 [] False" in project.pytester.run(sys.executable, script).outlines


def test_tests_on_old_results_bear_the_marker(old: Any) -> None:
    """Whoever keeps models out of unit tests keeps these out, too."""
    run(old, "--chimera-corpus=results", "-m", "not chimera").assert_outcomes(deselected=1)


def test_a_vocabulary_adds_names(old: Any) -> None:
    """A name that only the user knows becomes a measurement."""
    (old.path / "hops.csv").write_text("model,hops\nfrog:1b,12\nfrog:1b,14\n", encoding="utf-8")
    (old.path / "words.yaml").write_text("metrics:\n  tok/s: {names: [hops]}\n", encoding="utf-8")
    assert run(old, "--chimera-corpus=hops.csv").ret == 0
    assert seen(old) == {"hops.csv": 0}
    assert run(old, "--chimera-corpus=hops.csv", "--chimera-vocabulary=words.yaml").ret == 0
    assert seen(old) == {"hops.csv": 2}


FORM = "Accepted: the form of the built-in vocabulary; 'pytest-chimera read --vocabulary-form' prints it."
VOCABULARIES = {
    "metricz: {}": (
        "has 'metricz' at its top. Accepted: metrics, within, ambiguous, settings, labels, roles, environment, "
        "ignored, families, headers. Did you mean 'metrics'?"
    ),
    "- 1": f"is no mapping. {FORM}",
    "": f"cannot be read: No such file or directory. {FORM} Check the path.",
}


@pytest.mark.parametrize("text", VOCABULARIES)
def test_a_vocabulary_that_cannot_be_used_is_a_usage_error(old: Any, text: str) -> None:
    """A missing file, another form and an unknown key end the run before anything is collected."""
    if text:
        (old.path / "words.yaml").write_text(text, encoding="utf-8")
    result = run(old, "--chimera-corpus=results", "--chimera-vocabulary=words.yaml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert errors(result) == [f"ERROR: The vocabulary {old.path}/words.yaml {VOCABULARIES[text]}"]


def test_a_rename_plan_is_written_and_nothing_renamed(old: Any) -> None:
    """The plan proposes a name for each file; the files keep theirs, and whoever only collects writes none."""
    dated = old.path / "results" / "snail_7b_20260914-083000.csv"
    dated.write_text("model,tokens_per_s\nsnail:7b,5\nsnail:7b,6\n", encoding="utf-8")
    before = sorted((old.path / "results").rglob("*"))
    wanted = ("--chimera-corpus=results", "--chimera-rename-plan=plan.csv")
    run(old, *wanted, "--collect-only")
    assert not (old.path / "plan.csv").exists()
    assert run(old, *wanted).ret == 0
    assert (old.path / "plan.csv").read_text(encoding="utf-8").splitlines() == [
        "path,proposed,why",
        "more/crab.json,more/crab-2b_2B_unknown_unknown.json,benchmark not known; time not known",
        "runs.csv,hare-1b+snail-7b_1B+7B_runs_unknown.csv,time not known",
        "snail_7b_20260914-083000.csv,snail-7b_7B_unknown_20260914-083000.csv,benchmark not known; time zone not known",
    ]
    assert sorted((old.path / "results").rglob("*")) == before


def test_a_rename_plan_for_the_corpus_of_a_suite(old: Any) -> None:
    """Where no path is set, the plan is for what the tests have read; where nothing was, that is said."""
    old.pytester.makepyfile(test_plain=PLAIN)
    assert old.ours(run(old, "--chimera-rename-plan=plan.csv", "test_plain.py"))[2].startswith(
        "chimera: No corpus is named. Accepted: --chimera-corpus PATH"
    )
    (old.path / "conftest.py").write_text(OVERRIDE.format("['results/more']"), encoding="utf-8")
    assert run(old, "--chimera-rename-plan=plan.csv").ret == 0
    lines = (old.path / "plan.csv").read_text(encoding="utf-8").splitlines()
    assert [line.partition(",")[0] for line in lines] == ["path", "crab.json"]


def test_a_plan_that_cannot_be_written_is_said(old: Any) -> None:
    """The run passes, and one line says what was not written and where."""
    result = run(old, "--chimera-corpus=results", "--chimera-rename-plan=results")
    assert result.ret == 0
    assert old.ours(result)[-1] == "chimera: the rename plan was not written: Is a directory: ROOT/results."


def test_a_streamed_corpus_is_reported_as_summaries(old: Any) -> None:
    """With --chimera-corpus-stream no measurement is kept, and terminal and report say so."""
    old.pytester.makepyfile(
        test_old="def test_old(chimera_corpus):\n"
        "    assert chimera_corpus.measurements == ()\n"
        "    assert sum(each.n for each in chimera_corpus.streamed) == 25\n"
    )
    result = old.run(*QUIET, "--chimera-corpus=results", "--chimera-corpus-stream", model="")
    result.assert_outcomes(passed=1)
    assert old.ours(result)[2] == (
        "corpus: 2 files, 25 numbers in 14 groups, 1 failed row, 1 remark on what was not understood"
    )
    assert "read as summaries" in (old.path / ".chimera" / "report.md").read_text(encoding="utf-8")


def test_a_scheduler_without_its_package_is_said(old: Any) -> None:
    """Without the extra the error names the pip line."""
    old.pytester.makeconftest("import sys\nsys.modules['distributed'] = None\n")
    result = run(old, "--chimera-corpus=results", "--chimera-scheduler=tcp://127.0.0.1:8786")
    result.assert_outcomes(errors=1)
    assert (
        "Reading on a Dask cluster needs the package 'distributed', which is not installed. "
        "Install it with: pip install 'pytest-chimera[dask]'"
    ) in result.outlines


def test_a_scheduler_reads_the_same(old: Any) -> None:
    """On a local cluster of two workers the corpus is the one that this machine reads."""
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp://", host="127.0.0.1",
        dashboard_address=None, worker_dashboard_address=None,
    ) as cluster:  # fmt: skip
        address = cluster.scheduler_address
        result = run(old, "--chimera-corpus=results", f"--chimera-scheduler={address}", process=True)
    assert result.ret == 0
    assert seen(old) == {"runs.csv": 24, "more/crab.json": 4}


@pytest.mark.parametrize("ini", ["", "[pytest]\n"], ids=["bare", "ini"])
def test_a_path_that_pytest_takes_for_one_of_tests_moves_no_report(
    old: Any, tmp_path_factory: pytest.TempPathFactory, ini: str
) -> None:
    """pytest looks for its root where `--chimera-corpus /elsewhere` leads; reports stay here, and one line says so."""
    elsewhere = write_results(tmp_path_factory.mktemp("elsewhere"))
    if ini:
        (elsewhere / "pytest.ini").write_text(ini, encoding="utf-8")
    quiet = ("-p", "no:benchmark", "-p", "no:cacheprovider")
    before = sorted(elsewhere.rglob("*"))
    result = old.run(*quiet, "--chimera-corpus", str(elsewhere), model="")
    result.assert_outcomes(passed=1)
    (root,) = [line.removeprefix("rootdir: ") for line in result.outlines if line.startswith("rootdir: ")]
    assert root != str(old.path)
    assert (
        f"chimera: the root is {root}, perhaps because pytest took a path after an option for one of tests; with an "
        "equals sign, as in --chimera-corpus=PATH, it does not"
    ) in result.outlines
    assert "report.md" in old.reports()
    assert sorted(elsewhere.rglob("*")) == before
    joined = old.run(*quiet, f"--chimera-corpus={elsewhere}", model="")
    assert f"rootdir: {old.path}" in joined.outlines
    assert "chimera: the root" not in joined.stdout.str()


def test_the_sizes_in_the_documentation_are_those_of_the_code() -> None:
    """From where on all cores read, and only summaries are kept, is documented as it is."""
    text = (Path(__file__).parents[3] / "docs" / "corpus.md").read_text(encoding="utf-8")
    mib = 1024**2
    assert f"\nAbove {PARALLEL_FILES:,} files or {PARALLEL_BYTES // mib} MiB all cores read" in text
    assert f" Above {STREAM_FILES:,} files or {STREAM_BYTES // mib} MiB, and with\n`--chimera-corpus-stream`" in text
    bounds = Bounds()
    for row in (
        f"| largest file | {bounds.file_bytes // mib} MiB |",
        f"| values of a JSON file | {bounds.json_values:,}, counted before it is parsed |",
        f"| YAML | {bounds.yaml_bytes // mib} MiB, no aliases, no tags |",
        f"| columns of a table | {bounds.columns:,} |",
        f"| nesting that is looked into | {bounds.depth} levels |",
        f"| remarks about one file | {bounds.remarks}, the rest is counted |",
    ):
        assert row in text
