"""Ollama's own benchmark program, 0.32.15."""

from __future__ import annotations

from collections import Counter
from typing import Any

HEAD = "# Model: toy:1m | Params: 1.10M | Quant: Q4_K_M | Family: toy | Size: 3000 | VRAM: 1000 | NumCtx: 4096\n"
EPOCH = """\
BenchmarkModel/name=toy:1m/step=prefill 1 2000000.00 ns/token 500.00 token/sec
BenchmarkModel/name=toy:1m/step=generate 1 20000000.00 ns/token 50.00 token/sec
BenchmarkModel/name=toy:1m/step=ttft 1 100000000 ns/op
BenchmarkModel/name=toy:1m/step=load 1 1000000 ns/op
BenchmarkModel/name=toy:1m/step=total 1 900000000 ns/op
"""


def test_benchstat_text(read_file: Any, numbers: Any) -> None:
    """Six epochs of each model are twelve rows of seven numbers, beside the sizes of the models."""
    reading = read_file("ollama-bench/benchstat.txt")
    found = numbers(reading)
    assert (len(reading.rows), len(found), reading.remarks) == (14, 88, [])
    assert Counter(each.model for each in found) == {"gemma3:270m": 44, "gemma3:270m-q8_0": 44}
    first = {each.metric: each for each in found if each.row == 1 and each.model == "gemma3:270m"}
    assert {name: each.value for name, each in first.items()} == {
        "time/prompt_token": 16326377.05 * 1e-9,
        "prefill": 61.25,
        "time/token": 113613225.00 * 1e-9,
        "tok/s": 8.80,
        "ttft": 1012552138 * 1e-9,
        "load": 3946629 * 1e-9,
        "total": 5552957940 * 1e-9,
    }
    assert first["ttft"].parameters == {"num_ctx": 4096.0}
    assert (first["ttft"].quantization, first["ttft"].size) == ("Q4_K_M", "268.10M")


def test_csv(read_file: Any, numbers: Any) -> None:
    """The CSV has the tokens of two steps besides, and no rate of the others."""
    found = numbers(read_file("ollama-bench/results.csv"))
    assert len(found) == 112
    counts = Counter(each.metric for each in found)
    assert (counts["tok/s"], counts["prefill"], counts["output_tokens"], counts["ttft"]) == (12, 12, 12, 12)
    assert [each.value for each in found if each.metric == "output_tokens"] == [40.0] * 12
    assert [each.value for each in found if each.metric == "tok/s"][:2] == [9.24, 4.71]


def test_a_model_that_is_missing(read_file: Any, numbers: Any) -> None:
    """A model with a head and no epoch is one failed row; goos and goarch are environment."""
    reading = read_file("ollama-bench/short.txt")
    failed = [each for each in numbers(reading) if each.failure]
    assert len(numbers(reading)) == 49
    assert {(each.model, each.value, each.failure) for each in failed} == {
        ("missing:model", None, "no epoch of this model is in the file")
    }
    assert reading.environment == {"os": "linux", "architecture": "amd64"}


def test_an_epoch_ends_where_a_step_comes_again(read: Any, numbers: Any) -> None:
    """Two epochs in a row are two rows with their lines as places."""
    rows = [row for row in read(HEAD + EPOCH + EPOCH).rows if row.series == "epochs"]
    assert [(row.number, row.place) for row in rows] == [(1, "lines 2-6"), (2, "lines 7-11")]
    assert [each.source.place for each in rows[1].measurements()][-1] == "lines 7-11 total"


def test_zero_is_absent(read: Any, numbers: Any, told: Any) -> None:
    """A TTFT of 0, which is written where the first chunk was empty, is left out and told."""
    reading = read(HEAD + EPOCH.replace("100000000 ns/op", "0 ns/op"))
    assert "ttft" not in {each.metric for each in numbers(reading)}
    assert told(reading) == [
        ("empty", "'ttft' not kept: 0 is written where the program did not see one.", 1),
    ]


def test_rows_of_csv_that_are_broken(read: Any, numbers: Any, told: Any) -> None:
    """A row that was cut and a step that nobody knows are told, and the others are read."""
    head = ["NAME", "STEP", "COUNT", "NS_PER_COUNT", "TOKEN_PER_SEC"]
    rows = [
        head,
        [HEAD.strip()],
        ["toy:1m", "ttft", "1", "5", "0"],
        ["toy:1m", "load", "1"],
        ["toy:1m", "x", "1", "5", "0"],
    ]
    reading = read(rows)
    assert [(each.metric, each.value) for each in numbers(reading)] == [
        ("model_size", 3000.0),
        ("vram_used", 1000.0),
        ("ttft", 5e-9),
    ]
    assert told(reading) == [
        ("broken", "Values not kept: not a row of a benchmark.", 1),
        ("unknown name", "'x' not kept: no step that is known.", 1),
    ]
