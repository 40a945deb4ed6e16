"""The suites that newcomers copy: on the model in the package, and on models whose text has sense or has none."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.engine.process import EmbeddedEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    RunSuite = Callable[..., str]

SUITES = Path(__file__).resolve().parents[1] / "example_suites"
REPORTING = "technical_report/test_technical_report.py"
FILES = ("baseline.csv", "sweep.csv", "baseline.md", "metrics.json")
SENTENCE = "The small model is faster, at a median of 286 tok/s against 184 tok/s, over ten rounds each, as given. "


REPORT = "\n\n".join(f"## {title}\n\n{SENTENCE}" for title in ("Summary", "Method", "Findings", "Recommendation"))


def _written(text: str) -> dict[str, Any]:
    """An answer in the form that the suite asks for."""
    sections = dict.fromkeys(("summary", "method", "findings", "recommendation"), text)
    return {"tokens": json.dumps({"title": "Two small models", "sections": sections, "confidence": "high"})}


FILES_READ = "Faebc73f221"
"""Id of the fact that counts the files of a corpus: it follows from what it says, and so stays the same."""


def _narrated(files: int) -> list[dict[str, Any]]:
    """The answers of a model that loads, takes stock and draws conclusions; it says that there are so many files."""
    cites = {"facts": [FILES_READ]}
    inventory = {
        "inventory": [{"text": f"There are {files} files in 3 folders. Would you like more?", **cites}],
        "gaps": [{"text": "One file ends too early.", **cites}],
    }
    conclusions = {
        "summary": {"text": "Throughput follows one setting.", **cites},
        "recommendations": [{"action": "R1", "text": "Measure the best two again.", **cites}],
        "risks": [{"risk": "Few rows.", "mitigation": "More rounds.", **cites}],
    }
    return [{"tokens": "Hello."}, *({"tokens": json.dumps(each)} for each in (inventory, conclusions))]


SCRIPT = {
    "models": {
        "narrator": {"answers": _narrated(9)},
        "liar": {"answers": _narrated(999)},
        "garbler": {"answers": [{"tokens": "no JSON at all"}]},
        "collector": {"answers": [{"tokens": f"{', '.join(FILES)}: four files.", "ttft_s": 0.01}]},
        "forgetful": {
            "answers": [{"tokens": f"{', '.join(FILES[1:])}: three files. Would you like more?", "ttft_s": 0.01}]
        },
        "reporter": {"answers": [{"tokens": REPORT}]},
        "rambler": {"answers": [{"tokens": f"{REPORT}\n\nWould you like to hear more about it?"}]},
        "writer": {"answers": [_written(SENTENCE)]},
        "asking": {"answers": [_written(SENTENCE + "Would you like more detail?")]},
        "echoing": {"answers": [_written(SENTENCE + "HTTP 500: model runner has stopped.")]},
        "empty": {"answers": [_written("")]},
    }
}


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """A server with models whose answers are known."""
    with EmbeddedEngine.scripted(SCRIPT) as engine:
        yield engine.url


@pytest.fixture
def run_suite(host: str, tmp_path: Path) -> RunSuite:
    """Runs a copied suite in a process of its own and gives what it prints."""
    shutil.copytree(SUITES, tmp_path / "example_suites")
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("CHIMERA_", "PYTEST_", "GITHUB_"))
    }

    def run(suite: str, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", f"example_suites/{suite}", "-rs", "--tb=line", *arguments],
            cwd=tmp_path,
            env={**clean, "OLLAMA_HOST": host, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return done.stdout + done.stderr

    return run


def outcome(output: str) -> str:
    """The last line, less its time."""
    return re.sub(r"=+ | in \d.*", "", output.strip().splitlines()[-1])


def test_all_of_them_on_the_model_in_the_package(run_suite: RunSuite, tmp_path: Path) -> None:
    """On `tiny` every case of structure passes, and every case of sense is skipped and says why."""
    pytest.importorskip("xllamacpp")
    output = run_suite("", "--chimera-model", "tiny")
    assert outcome(output) == "21 passed, 4 skipped"
    assert output.count("judges what the text says") == 4
    newest = (tmp_path / ".chimera" / "report.md").read_text(encoding="utf-8")
    assert newest.startswith("# Technical report: example_suites\n\n- **Date:**")


def test_an_inventory_with_every_file_passes(run_suite: RunSuite) -> None:
    """A model that lists each file passes every case of the inventory, in Python and in YAML."""
    assert outcome(run_suite("inventory", "--chimera-model", "collector")) == "4 passed"


def test_an_inventory_that_forgets_a_file_fails(run_suite: RunSuite) -> None:
    """A file that is not listed fails the cases of sense, by its name, and not those of speed."""
    output = run_suite("inventory", "--chimera-model", "forgetful")
    assert outcome(output) == "2 failed, 2 passed"
    assert "csv_data/baseline.csv" in output
    assert "accuracy >= 60 % does not hold: measured 0 %" in output


def test_a_report_with_sense_passes(run_suite: RunSuite) -> None:
    """A model that writes the sections with the numbers it was given passes every case."""
    assert outcome(run_suite("report_structure", "--chimera-model", "writer")) == "3 passed"


@pytest.mark.parametrize(
    ("model", "failed"),
    [("asking", "1 failed, 2 passed"), ("echoing", "1 failed, 2 passed"), ("empty", "2 failed, 1 passed")],
)
def test_a_report_without_sense_fails(run_suite: RunSuite, model: str, failed: str) -> None:
    """A question to the reader, an HTTP error's text, or an empty section fails the case that is about it."""
    assert outcome(run_suite("report_structure", "--chimera-model", model)) == failed


def newest_report(folder: Path) -> str:
    """The Markdown of the newest report below a folder."""
    return (folder / ".chimera" / "report.md").read_text(encoding="utf-8")


def test_a_technical_report_with_a_model(run_suite: RunSuite, tmp_path: Path) -> None:
    """A model that keeps to the facts has its words in the report, its questions struck, and its answers recorded."""
    assert outcome(run_suite(REPORTING, "--chimera-model", "narrator")) == "4 passed"
    text = newest_report(tmp_path)
    assert text.count("In the words of `narrator:latest`") == 3
    assert f"- There are [9][{FILES_READ}] files in [3][" in text
    assert "- Measure the best two again. (from " in text
    assert "Would you like" not in text
    assert re.search(r"\| `data-collector-9000` +\|.* whole +\|", text)
    assert re.search(r"\| `test_narration` +\| `narrator:latest` ", text)


def test_a_technical_report_strikes_what_is_not_so(run_suite: RunSuite, tmp_path: Path) -> None:
    """A number that no fact supports is in no report, and the groundedness of the answer says so."""
    assert outcome(run_suite(REPORTING, "--chimera-model", "liar")) == "4 passed"
    text = newest_report(tmp_path)
    assert "999 files" not in text
    assert "One file ends too early." in text


def test_a_technical_report_of_a_model_that_says_nothing(run_suite: RunSuite, tmp_path: Path) -> None:
    """Where the answers are not in the form asked for the report is computed sentences, and says so."""
    assert outcome(run_suite(REPORTING, "--chimera-model", "garbler")) == "4 passed"
    text = newest_report(tmp_path)
    assert "In the words of" not in text
    assert text.count("cut or in another form") == 2


def test_a_technical_report_without_a_model(run_suite: RunSuite, tmp_path: Path) -> None:
    """With no model at all every section is there; the case of the model is skipped and says why."""
    output = run_suite(REPORTING, "--chimera-no-narrative")
    assert outcome(output) == "3 passed, 1 skipped"
    assert "--chimera-no-narrative" in output
    assert "No model took part in writing this: every sentence is computed." in newest_report(tmp_path)


def test_a_technical_report_on_a_folder_of_ones_own(run_suite: RunSuite, tmp_path: Path) -> None:
    """What `--chimera-corpus` names is read in place of the corpus that the suite makes."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "runs.csv").write_text("model,tokens_per_s\nown:1b,5.0\nown:1b,7.0\n", encoding="utf-8")
    output = run_suite(
        "technical_report/test_technical_report.py", "--chimera-no-narrative", "--chimera-corpus", "mine"
    )
    assert outcome(output) == "3 passed, 1 skipped"
    assert "`own:1b`" in newest_report(tmp_path)
    assert "brook" not in newest_report(tmp_path)


@pytest.mark.parametrize(("model", "said"), [("reporter", "2 passed"), ("rambler", "1 failed, 1 passed")])
def test_a_technical_report_in_yaml(run_suite: RunSuite, model: str, said: str) -> None:
    """A report with its sections in order that asks nothing passes; one that ends in a question fails in words."""
    output = run_suite("technical_report/technical_report.chimera.yaml", "--chimera-model", model)
    assert outcome(output) == said
    assert ("3 of 3 answers are not as expected: no_question: " in output) == (model == "rambler")


@pytest.mark.parametrize("suite", ["ab", "cold_start", "fixed_sizes", "long_prompts", "quickstart", "sweep"])
def test_suites_of_speed_do_not_mind_what_is_said(run_suite: RunSuite, suite: str) -> None:
    """A model that says one word passes every suite that measures and judges no text."""
    assert re.fullmatch(r"\d passed", outcome(run_suite(suite, "--chimera-model", "collector")))


def test_structured_output_is_held_to_its_schema(run_suite: RunSuite) -> None:
    """What is no JSON of the schema fails the two cases that say so, each in its words."""
    pytest.importorskip("jsonschema")
    output = run_suite("structured_output", "--chimera-model", "collector", "--tb=long")
    assert outcome(output) == "2 failed, 1 passed"
    assert "json_schema: " in output


def test_the_corpus_of_the_technical_report_is_the_same_everywhere(tmp_path: Path) -> None:
    """The script writes the same bytes each time, and has in it what is wrong with such folders."""
    script = SUITES / "technical_report" / "make_corpus.py"
    for name in ("a", "b"):
        subprocess.run([sys.executable, script, tmp_path / name], check=True, capture_output=True)
    first, second = (
        {path.relative_to(tmp_path / name).as_posix(): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("a", "b")
    )
    assert first == second
    assert sorted(first) == [
        "csv_data/accuracy.csv",
        "csv_data/lake-4b_runs.csv",
        "csv_data/river_8b_baseline_copy.csv",
        "reports/brook/broken.json",
        "reports/brook/brook_1b_sweep_20260914-083000.csv",
        "reports/brook/brook_1b_sweep_20260914-083000.json",
        "reports/brook/brook_1b_sweep_20260914-083000_summary.json",
        "reports/river/REPORT.md",
        "reports/river/river_8b_baseline.csv",
    ]
    assert first["csv_data/river_8b_baseline_copy.csv"] == first["reports/river/river_8b_baseline.csv"]
    assert first["reports/river/river_8b_baseline.csv"].count(b"Failed to connect") == 4
