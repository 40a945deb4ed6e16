"""Files of this project: rows of ours in what pytest-benchmark saves, and the JSON twin of a report."""

from __future__ import annotations

import copy
from typing import Any


def test_rounds_of_a_saved_case(read: Any, numbers: Any, own_rows: dict[str, Any]) -> None:
    """The six rows of a case become its rounds, each number once, the cold one marked and the failed one empty."""
    reading = read(own_rows)
    rounds = [row for row in reading.rows if row.number is not None]
    assert [(row.number, row.cold, row.failure) for row in rounds] == [
        (1, False, None),
        (2, True, None),
        (3, None, "http 500: out of memory"),
    ]
    values = {each.metric: each.value for each in rounds[0].measurements() if each.statistic == "value"}
    assert values == {
        "prompt_tokens": 20.0, "output_tokens": 4.0, "ttft": 0.1, "prompt_eval": 0.08, "eval": 0.08, "time/token": 0.02,
        "tok/s": 50.0, "load": 0.002, "e2e": 0.2, "answer": 0.1, "prefill": 250.0, "steps/s": 37.5, "total": 0.19,
        "wait": 0.028, "stalls": 0.0,
    }  # fmt: skip
    assert [(each.metric, each.value) for each in rounds[2].measurements()] == [
        ("ttft", None),
        ("tok/s", None),
        ("e2e", None),
    ]


def test_conditions_of_a_saved_case(read: Any, numbers: Any, own_rows: dict[str, Any]) -> None:
    """Model, digest, options, time and machine stand with each round."""
    reading = read(own_rows)
    first = next(each for each in numbers(reading) if each.metric == "ttft")
    assert (first.model, first.quantization, first.size) == ("toy:1m", "Q8_0", "1.1M")
    assert first.parameters == {"num_ctx": 512.0, "temperature": 0.5}
    assert first.labels == {
        "case": "test_it.py::test_sky[toy]", "prefix": "unique", "start": "warm", "endpoint": "chat",
        "prompt": first.labels["prompt"], "digest": "0123456789ab",
    }  # fmt: skip
    assert (first.time, first.zone) == ("2023-11-14T22:13:20+00:00", "utc")
    assert first.source.place == "/benchmarks/0/extra_info/chimera/rounds/1/value"
    assert reading.environment["gpu"] == "Toy GPU"
    assert reading.environment["ollama"] == "0.32.15"


def test_statistics_of_a_saved_case(read: Any, numbers: Any, own_rows: dict[str, Any], told: Any) -> None:
    """What pytest-benchmark computed is kept apart as aggregates of the counted rounds; the warm-up is told once."""
    reading = read(own_rows)
    means = {each.metric: (each.value, each.n) for each in numbers(reading) if each.statistic == "mean"}
    assert means["ttft"] == (0.1, 1)
    assert means["itl"] == (0.02, 3)
    sizes = {each.metric: each.value for each in numbers(reading) if each.dimension == "bytes"}
    assert sizes == {"model_size": 1_200_000.0, "vram_used": 1_000_000.0}
    assert told(reading) == [("not performance", "Values not kept: warm-up rounds.", 1)]


def test_case_measured_again(read: Any, numbers: Any, own_rows: dict[str, Any]) -> None:
    """A case that confirms another says so in its labels."""
    document = copy.deepcopy(own_rows)
    for row in document["benchmarks"]:
        row["extra_info"]["chimera"]["confirms"] = "test_it.py::test_sky[toy]"
    assert {each.labels["confirms"] for each in numbers(read(document))} == {"test_it.py::test_sky[toy]"}


def test_plain_benchmark_of_ours(read: Any, numbers: Any) -> None:
    """The rounds of a plain benchmark are latencies, and its requests measurements of their model."""
    request = {"model": "toy:1m", "ttft_s": 0.1, "e2e_s": 0.2, "tok_s": 50.0, "output_tokens": 4, "failed": None}
    info = {
        "schema": 1, "kind": "plain", "unit": "s", "models": [{"model": "toy:1m", "quantization": "Q8_0"}],
        "rounds": [{"round": 1, "value": 0.21, "generations": [request, {**request, "failed": "cut: it ended"}]}],
    }  # fmt: skip
    row = {
        "fullname": "t.py::test_a", "name": "test_a", "group": None, "params": None,
        "extra_info": {"chimera": info}, "stats": {"rounds": 1, "mean": 0.21, "stddev": 0, "data": [0.21]},
    }  # fmt: skip
    found = numbers(read({"machine_info": {}, "benchmarks": [row], "datetime": "2026-11-22T09:50:31+00:00"}))
    assert [(each.metric, each.statistic, each.value, each.model) for each in found] == [
        ("latency", "value", 0.21, None),
        ("latency", "mean", 0.21, None),
        ("ttft", "value", 0.1, "toy:1m"),
        ("e2e", "value", 0.2, "toy:1m"),
        ("tok/s", "value", 50.0, "toy:1m"),
        ("output_tokens", "value", 4.0, "toy:1m"),
        ("ttft", "value", None, "toy:1m"),
        ("tok/s", "value", None, "toy:1m"),
        ("e2e", "value", None, "toy:1m"),
    ]


def test_rounds_of_a_report(read: Any, numbers: Any, own_report: dict[str, Any], told: Any) -> None:
    """The rounds of a twin are measured, each gap between tokens too; its facts and warm-up rounds are counted."""
    reading = read(own_report)
    assert [(row.number, row.cold, row.failure) for row in reading.rows] == [
        (1, False, None),
        (2, True, None),
        (3, None, "http 500: out of memory"),
    ]
    first = list(reading.rows[0].measurements())
    assert [each.value for each in first if each.metric == "itl"] == [0.02, 0.02, 0.02]
    assert {each.metric: each.value for each in first}["tok/s"] == 50.0
    assert {each.source.place for each in first if each.metric == "tok/s"} == {"/cases/0/rounds_made/1/values/tok~1s"}
    assert (first[0].model, first[0].time, first[0].zone) == ("toy:1m", "2026-11-22T12:00:00+00:00", "utc")
    assert reading.environment == {
        "cpu": "Toy CPU",
        "python": "3.13.1",
        "ollama client": "0.6.3",
        "ollama": "0.32.15",
    }
    assert told(reading) == [
        ("not performance", "Values not kept: warm-up rounds.", 1),
        (
            "not performance",
            "'facts' not kept: they follow from the rounds of the cases.",
            len(own_report["facts"]),
        ),
    ]


def test_report_of_a_newer_version(read: Any, numbers: Any, own_report: dict[str, Any], told: Any) -> None:
    """A twin of a newer version is refused."""
    reading = read({**own_report, "schema_version": 2})
    assert numbers(reading) == []
    assert told(reading) == [("refused", "Values not kept: a report of a newer version of this program.", 1)]


def test_the_same_rounds_in_both_files(
    read: Any, numbers: Any, own_rows: dict[str, Any], own_report: dict[str, Any]
) -> None:
    """Saved rows and the twin of one run agree on every number that both have of a round."""
    saved, twin = (
        {(each.row, each.metric): each.value for each in numbers(read(document)) if each.statistic == "value"}
        for document in (own_rows, own_report)
    )
    shared = {key for key in saved.keys() & twin.keys() if key[0] is not None and key[1] != "itl"}
    assert len(shared) == 33
    assert {key: saved[key] for key in shared} == {key: twin[key] for key in shared}
