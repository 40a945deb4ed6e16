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
FILES = ("baseline.csv", "sweep.csv", "baseline.md", "metrics.json")
SENTENCE = "The small model is faster, at a median of 286 tok/s against 184 tok/s, over ten rounds each, as given. "


def _written(text: str) -> dict[str, Any]:
    """An answer in the form that the suite asks for."""
    sections = dict.fromkeys(("summary", "method", "findings", "recommendation"), text)
    return {"tokens": json.dumps({"title": "Two small models", "sections": sections, "confidence": "high"})}


SCRIPT = {
    "models": {
        "collector": {"answers": [{"tokens": f"{', '.join(FILES)}: four files.", "ttft_s": 0.01}]},
        "forgetful": {
            "answers": [{"tokens": f"{', '.join(FILES[1:])}: three files. Would you like more?", "ttft_s": 0.01}]
        },
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
    assert outcome(output) == "4 passed, 2 skipped"
    assert output.count("judges what the text says, and the text of 'tiny' has no sense: name a model to run it") == 2
    newest = (tmp_path / ".chimera" / "report.md").read_text(encoding="utf-8")
    assert newest.startswith("# Benchmark report: example_suites\n\n- **Date:**")


def test_an_inventory_with_every_file_passes(run_suite: RunSuite) -> None:
    """A model that lists each file passes both cases of the inventory."""
    assert outcome(run_suite("inventory", "--chimera-model", "collector")) == "2 passed"


def test_an_inventory_that_forgets_a_file_fails(run_suite: RunSuite) -> None:
    """A file that is not listed fails the case of sense, by its name, and not the one of speed."""
    output = run_suite("inventory", "--chimera-model", "forgetful")
    assert outcome(output) == "1 failed, 1 passed"
    assert "csv_data/baseline.csv" in output


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
