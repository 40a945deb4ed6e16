"""Models and times as cells and names of files say them."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_chimera.corpus import Vocabulary
from pytest_chimera.corpus.models import model_in_name, read_model
from pytest_chimera.corpus.times import read_time, time_in_name

FAMILIES = Vocabulary.built_in().families
KNOWN = frozenset({"gemma3:270m", "llama3.1:8b-instruct-q4_0"})


@pytest.mark.parametrize(
    ("text", "tag", "size", "quantization"),
    [
        ("gemma3", "gemma3:latest", None, None), ("gemma3:latest", "gemma3:latest", None, None),
        ("gemma3:270m", "gemma3:270m", "270M", None), ("`gemma3:1b`", "gemma3:1b", "1B", None),
        ("library/gemma3", "gemma3:latest", None, None),
        ("registry.ollama.ai/library/gemma3:1b", "gemma3:1b", "1B", None),
        ("llama3.1:8b-instruct-q5_K_M", "llama3.1:8b-instruct-q5_K_M", "8B", "Q5_K_M"),
        ("mixtral:8x7b", "mixtral:8x7b", "8X7B", None), ("gemma3:1b-it-qat", "gemma3:1b-it-qat", "1B", "QAT"),
        ("hf.co/a/Llama-3.2-1B-Instruct-GGUF:Q4_K_M", "hf.co/a/Llama-3.2-1B-Instruct-GGUF:Q4_K_M", "1B", "Q4_K_M"),
        ("/models/x-7b.Q4_K_M.gguf", "x-7b.Q4_K_M:latest", "7B", "Q4_K_M"),
    ],
)  # fmt: skip
def test_models_in_cells(text: str, tag: str, size: str | None, quantization: str | None) -> None:
    """A cell names a model in one spelling, with its size and quantization."""
    assert read_model(text) == (tag, quantization, size)


@pytest.mark.parametrize("text", ["", "-", "a b", "n/a", "None", "null", "nan", "5", "1.5", "x" * 300, "Model A"])
def test_no_models_in_cells(text: str) -> None:
    """What cannot be the name of a model is none."""
    assert read_model(text) is None


@pytest.mark.parametrize(
    ("stem", "tag"),
    [
        ("gemma3_270m_sweep", "gemma3:270m"), ("Gemma3-270M", "gemma3:270m"), ("results_qwen2.5_7b", "qwen2.5:7b"),
        ("gemma3_1b-it-qat_x", "gemma3:1b-it-qat"), ("llama3", "llama3:latest"), ("mistral_7b", "mistral:7b"),
        ("llama3.1_8b-instruct-q4_0_run", "llama3.1:8b-instruct-q4_0"), ("llama_results", None), ("ollama_bench", None),
        ("metrics_20251001", None), ("", None),
    ],
)  # fmt: skip
def test_models_in_names(stem: str, tag: str | None) -> None:
    """A family with its version or size in a file's name is a model; a bare family is not."""
    found = model_in_name(stem, FAMILIES, KNOWN)
    assert (found and found.tag) == tag


@pytest.mark.parametrize("stem", ["llama3.1-8b-instruct-q4_0", "phi-3", "gpt-4_x"])
def test_no_made_up_models(stem: str) -> None:
    """A name is not cut into a tag that no model has."""
    found = model_in_name(stem, FAMILIES, KNOWN)
    assert (found and found.tag) in {None, "llama3.1:8b-instruct-q4_0"}


def test_model_of_a_file(corpus_of: Any) -> None:
    """Rows without a model have the one that their file's name says, or that the raw file beside theirs has."""
    corpus = corpus_of({
        "gemma3_270m.csv": "ttft_s\n1\n", "run_a.csv": "model,ttft_s\nm:1b,3\n",
        "run_a_summary.json": {"mean_ttft_s": 3},
        "run.csv": "ttft_s\n5\n",
    })  # fmt: skip
    assert {each.source.file: each.model for each in corpus.measurements} == {
        "gemma3_270m.csv": "gemma3:270m", "run_a.csv": "m:1b", "run_a_summary.json": "m:1b", "run.csv": None,
    }  # fmt: skip


SECOND = "2025-09-28T22:36:07"


@pytest.mark.parametrize(
    ("value", "time", "zone"),
    [
        ("2025-10-01T10:00:00Z", "2025-10-01T10:00:00+00:00", "utc"),
        ("2025-10-01T10:00:00.5Z", "2025-10-01T10:00:00.500000+00:00", "utc"),
        ("2025-10-01T10:00:00.123456789Z", "2025-10-01T10:00:00.123456+00:00", "utc"),
        ("2025-10-01T10:00:00+02:00", "2025-10-01T10:00:00+02:00", "offset"),
        ("2025-10-01 10:00:00 UTC", "2025-10-01T10:00:00+00:00", "utc"),
        ("2025-10-01 10:00:00", "2025-10-01T10:00:00", "unknown"),
        ("20251001_101112", "2025-10-01T10:11:12", "unknown"),
        ("October 1, 2025", "2025-10-01", "unknown"),
        ("2025/10/01", "2025-10-01", "unknown"),
        ("1759098967", f"{SECOND}+00:00", "utc"), (1759098967, f"{SECOND}+00:00", "utc"),
        (1759098967.5, f"{SECOND}.500000+00:00", "utc"), (1759098967123, f"{SECOND}.123000+00:00", "utc"),
        (1759098967123456789, f"{SECOND}.123457+00:00", "utc"),
    ],
)  # fmt: skip
def test_times(value: str | float, time: str, zone: str) -> None:
    """A time is read from ISO 8601, words, and seconds, ms and ns since 1970; a zone is known or said unknown."""
    assert read_time(value) == (time, zone)


@pytest.mark.parametrize(
    "value",
    ["", "abc", "5", "2025", "2025-13-01", "2025-10-01T25:00:00", "10:00", "2025-W40", 0, -1, 5.0, float("nan"),
    float("inf"),
     10**400, "9" * 30, "x" * 100],
)  # fmt: skip
def test_no_times(value: str | float) -> None:
    """What is no time is none."""
    assert read_time(value) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("run_20251002-151204.csv", ("2025-10-02T15:12:04", "unknown")),
        ("run_20251002_1512", ("2025-10-02T15:12:00", "unknown")),
        ("2025-10-02_15-12-04", ("2025-10-02T15:12:04", "unknown")),
        ("20251002151204", ("2025-10-02T15:12:04", "unknown")),
        ("gemma3_2025-10-02", ("2025-10-02", "unknown")), ("results_1759098967.json", (f"{SECOND}+00:00", "utc")),
        ("v1.2.3_12345678", None), ("tr_20251302", None), ("1234567890123456", None), ("run_12", None),
    ],
)  # fmt: skip
def test_times_in_names(name: str, expected: tuple[str, str] | None) -> None:
    """A name holds a date, with a time of day or without, or seconds since 1970."""
    assert time_in_name(name) == expected


def test_whose_time_counts(corpus_of: Any) -> None:
    """A row's own time comes before its file's, that before its file's name, that before its folder's."""
    corpus = corpus_of({
        "a_20250101.csv": "timestamp,ttft_s\n2025-10-01T10:00:00Z,1\n,2\n",
        "b_20250102.csv": "ttft_s\n3\n",
        "20250103/c.csv": "ttft_s\n4\n",
        "d.csv": "ttft_s\n5\n",
    })  # fmt: skip
    assert {each.value: each.time for each in corpus.measurements} == {
        1.0: "2025-10-01T10:00:00+00:00", 2.0: "2025-10-01T10:00:00+00:00", 3.0: "2025-01-02", 4.0: "2025-01-03",
        5.0: None,
    }  # fmt: skip
