"""llama-bench and llama-batched-bench of llama.cpp, b10488."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from pytest_chimera.corpus.formats.llama_bench import described_model, gguf_model

RECORD = {
    "build_commit": "c0ffee1", "build_number": 7, "cpu_info": "Toy CPU", "gpu_info": "", "backends": "CPU",
    "model_filename": "models/toy-1m-q4_k_m.gguf", "model_type": "toy 1M Q4_K - Medium", "model_size": 3000,
    "model_n_params": 1_100_000, "n_batch": 2048, "n_threads": 2, "n_gpu_layers": -1, "no_kv_offload": False,
    "n_prompt": 128, "n_gen": 0, "n_depth": 0, "test_time": "2026-11-22T09:49:38Z", "avg_ns": 300_000_000,
    "stddev_ns": 1_000_000, "avg_ts": 430.0, "stddev_ts": 2.0, "samples_ns": [299_000_000, 301_000_000],
    "samples_ts": [431.5, 428.5],
}  # fmt: skip
BATCHED = {
    "n_kv_max": 1024, "n_batch": 512, "pp": 64, "tg": 16, "pl": 2, "n_kv": 160, "t_pp": 0.25, "speed_pp": 512.0,
    "t_tg": 0.5, "speed_tg": 64.0, "t": 0.75, "speed": 213.0,
}  # fmt: skip


@pytest.mark.parametrize("name", ["llama-bench.json", "llama-bench.jsonl"])
def test_json_and_json_lines(read_file: Any, numbers: Any, name: str) -> None:
    """Four tests have three repetitions each of two numbers, two means and two deviations, and two models a size."""
    found = numbers(read_file(f"llama-bench/{name}"))
    assert len(found) == 42
    assert Counter((each.provenance, each.statistic) for each in found) == {
        ("measured", "value"): 26,
        ("aggregate", "mean"): 8,
        ("aggregate", "sd"): 8,
    }
    assert {(each.model, each.quantization, each.size) for each in found} == {
        ("gemma3-270m", "Q4_K_M", "268.10M"),
        ("gemma3-270m", "Q8_0", "268.10M"),
    }


def test_full_precision_of_json(read_file: Any, numbers: Any) -> None:
    """Mean, deviation and repetitions of the first test stand to their last digit, with the time and the machine."""
    reading = read_file("llama-bench/llama-bench.json")
    first = [each for each in numbers(reading) if each.labels.get("test") == "pp128" and each.quantization == "Q4_K_M"]
    assert [(each.metric, each.statistic, each.value, each.n) for each in first] == [
        ("prompt_eval", "mean", 297602311 * 1e-9, 3),
        ("prompt_eval", "sd", 6755195 * 1e-9, 3),
        ("prefill", "mean", 430.250363, 3),
        ("prefill", "sd", 9.660020, 3),
        ("prompt_eval", "value", 292504298 * 1e-9, None),
        ("prefill", "value", 437.6, None),
        ("prompt_eval", "value", 305264082 * 1e-9, None),
        ("prefill", "value", 419.309, None),
        ("prompt_eval", "value", 295038553 * 1e-9, None),
        ("prefill", "value", 433.842, None),
    ]
    assert (first[0].time, first[0].zone) == ("2026-11-22T09:49:38+00:00", "utc")
    assert first[0].parameters["num_thread"] == 2.0
    assert reading.environment == {"cpu": "Intel(R) Xeon(R) Processor", "llama.cpp": "unknown (0)"}


@pytest.mark.parametrize(
    ("name", "rate"), [("llama-bench.csv", 426.157409), ("llama-bench.sql", 431.587942), ("llama-bench.md", 429.17)]
)
def test_csv_sql_and_markdown(read_file: Any, numbers: Any, name: str, rate: float) -> None:
    """Quoted cells are the same tests without repetitions; Markdown has the rates alone."""
    found = [each for each in numbers(read_file(f"llama-bench/{name}")) if each.metric != "model_size"]
    assert len(found) == (8 if name.endswith(".md") else 16)
    assert {each.provenance for each in found} == {"aggregate"}
    prefill = next(each for each in found if (each.metric, each.statistic) == ("prefill", "mean"))
    assert (prefill.value, prefill.n, prefill.labels["test"], prefill.quantization) == (rate, None, "pp128", "Q4_K_M")


def test_exports_name_the_same_settings(read_file: Any, numbers: Any) -> None:
    """Settings and labels of a test are equal in JSON, CSV and SQL, booleans included."""
    settings = [
        [(each.parameters, each.labels, each.model) for each in numbers(read_file(f"llama-bench/{name}"))][1]
        for name in ("llama-bench.json", "llama-bench.csv", "llama-bench.sql")
    ]
    assert settings[0] == settings[1] == settings[2]


def test_sweep(read_file: Any, numbers: Any) -> None:
    """A test of prompt and answer is a throughput of both, and the depth is a setting."""
    found = numbers(read_file("llama-bench/sweep.jsonl"))
    assert (len(found), len(numbers(read_file("llama-bench/sweep.md")))) == (97, 25)
    both = [each for each in found if each.metric == "total_throughput" and each.statistic == "mean"]
    assert [each.labels["test"] for each in both] == ["pp64+tg16", "pp64+tg16 @ d128"] * 2
    assert {each.parameters["n_depth"] for each in both} == {0.0, 128.0}
    assert {each.series for each in found} == {"pp", "tg", "pp+tg", "model"}


def test_batched(read_file: Any, numbers: Any) -> None:
    """Three rows of six single values; the Markdown's are the same kinds, rounded."""
    lines, table = (numbers(read_file(f"llama-batched-bench/batched-bench.{end}")) for end in ("jsonl", "md"))
    assert (len(lines), len(table)) == (18, 18)
    assert [(each.metric, each.value) for each in lines[:6]] == [
        ("prompt_eval", 0.301311),
        ("prompt_throughput", 212.405136),
        ("eval", 0.368646),
        ("output_throughput", 43.402073),
        ("total", 0.669957),
        ("total_throughput", 119.410652),
    ]
    assert [each.parameters["concurrency"] for each in lines[::6]] == [1.0, 2.0, 4.0]
    assert {(each.provenance, each.model) for each in lines} == {("measured", None)}
    assert {each.provenance for each in table} == {"aggregate"}
    assert {**lines[0].parameters, "is_tg_separate": 0.0} == table[0].parameters


def test_deviation_of_one_repetition(read: Any, numbers: Any) -> None:
    """A single repetition has no deviation, with and without its samples."""
    once = {**RECORD, "stddev_ns": 0, "stddev_ts": 0.0, "samples_ns": [3], "samples_ts": [4.0]}
    bare = {name: value for name, value in once.items() if not name.startswith("samples")}
    for record in (once, bare):
        assert "sd" not in {each.statistic for each in numbers(read([record]))}


def test_broken_records(read: Any, numbers: Any, told: Any) -> None:
    """A record without a test, text in place of a number, and an unknown setting are told; the rest is kept."""
    reading = read([RECORD, {**RECORD, "avg_ts": "430", "samples_ts": [None, 1.0], "n_magic": 1}, {"n_prompt": 1}, 5])
    assert len(numbers(reading)) == 1 + 8 + 6
    assert told(reading) == [
        ("broken", "'samples_ts', 'avg_ts' not kept: not a number.", 2),
        ("unknown name", "'n_magic' not kept: this version of the tool is not known.", 1),
        ("broken", "Values not kept: not a test with n_prompt and n_gen.", 2),
    ]


def test_batched_part_that_was_not_run(read: Any, numbers: Any, told: Any) -> None:
    """A part without tokens, written as 0, has no value."""
    reading = read([{**BATCHED, "t_tg": 0.0, "speed_tg": 0.0}])
    assert [each.metric for each in numbers(reading)] == [
        "prompt_eval", "prompt_throughput", "total", "total_throughput",
    ]  # fmt: skip
    assert told(reading) == [("empty", "'t_tg', 'speed_tg' not kept: 0 stands for a part that was not run.", 2)]


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("models/gemma3-270m-q4_k_m.gguf", ("gemma3-270m", "Q4_K_M")),
        ("C:\\m\\Llama-3.1-8B-Instruct-Q8_0.GGUF", ("Llama-3.1-8B-Instruct", "Q8_0")),
        ("big.BF16-00001-of-00003.gguf", ("big", "BF16")),
        ("a-IQ2_XXS.gguf", ("a", "IQ2_XXS")),
        ("q8_0.gguf", ("q8_0", None)),
        ("plain.gguf", ("plain", None)),
    ],
)
def test_model_of_a_file(path: str, model: tuple[str, str | None]) -> None:
    """The quantization at the end of a file's name is taken off it."""
    assert gguf_model(path) == model


@pytest.mark.parametrize(
    ("description", "model"),
    [
        ("gemma3 270M Q4_K - Medium", ("gemma3 270M", "Q4_K_M")),
        ("llama 8B Q8_0", ("llama 8B", "Q8_0")),
        ("toy 1M all F32", ("toy 1M all", "F32")),
        ("toy", ("toy", None)),
    ],
)
def test_model_as_llama_cpp_describes_it(description: str, model: tuple[str, str | None]) -> None:
    """The quantization within a description is found."""
    assert described_model(description) == model
