"""GuideLLM 0.8.1."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest


def distribution(count: int, value: float) -> dict[str, Any]:
    """A distribution of equal values; of none, all of it is 0."""
    percentiles = dict.fromkeys(("p001", "p01", "p05", "p10", "p25", "p50", "p75", "p90", "p95", "p99", "p999"), value)
    return {
        "mean": value, "median": value, "mode": value, "variance": 0.0, "std_dev": 0.0, "min": value, "max": value,
        "count": count, "total_sum": value * count, "percentiles": percentiles,
    }  # fmt: skip


def groups(count: int, value: float) -> dict[str, Any]:
    """The four groups of requests of a metric, of which only one has requests that came to their end."""
    none = distribution(0, 0.0)
    return {"successful": distribution(count, value), "errored": none, "incomplete": none, "total": none}


REQUEST = {
    "info": {"status": "completed", "error": None}, "request_start_time": 1795341267.5, "request_latency": 2.0,
    "time_to_first_token_ms": 500.0, "time_per_output_token_ms": 50.0, "inter_token_latency_ms": 38.0,
    "output_tokens_per_second": 20.0, "prompt_tokens": 10, "output_tokens": 40, "cached_tokens": None,
    "output_metrics": {"text_words": 21, "text_characters": 180},
}  # fmt: skip


def document(count: int = 2) -> dict[str, Any]:
    """Two requests that came to their end, one that failed and one that was cut off."""
    return {
        "metadata": {"guidellm_version": "0.8.1"},
        "benchmarks": [
            {
                "config": {"strategy": {"type_": "concurrent", "max_concurrency": 2}, "backend": {"model": "toy:1m"}},
                "metrics": {
                    "request_totals": {"successful": count},
                    "request_latency": groups(count, 2.0),
                    "time_per_output_token_ms": groups(count * 40, 50.0),
                    "output_tokens_per_second": groups(count * 40, 20.0),
                    "request_concurrency": groups(count, 2.0),
                },
                "requests": {
                    "successful": [REQUEST] * count,
                    "errored": [{**REQUEST, "info": {"error": "404"}}],
                    "incomplete": [{**REQUEST, "info": {"error": None}}],
                    "total": None,
                },
            }
        ],
    }


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("loop/benchmarks.json", (186, 220, 0)),
        ("loop/benchmarks.yaml", (186, 220, 0)),
        ("loop/benchmarks.csv", (168, 0, 0)),
        ("limited/benchmarks.json", (372, 64, 9)),
        ("limited/benchmarks.csv", (336, 0, 0)),
        ("errors/benchmarks.json", (0, 9, 9)),
        ("errors/benchmarks.csv", (0, 0, 0)),
    ],
)
def test_counts(read_file: Any, numbers: Any, name: str, counts: tuple[int, int, int]) -> None:
    """Distributions of twelve metrics, requests with eleven numbers, failed ones with three empty ones."""
    found = numbers(read_file(f"guidellm/{name}"))
    made = Counter(each.provenance for each in found)
    assert (made["aggregate"], made["measured"], len([each for each in found if each.failure])) == counts


def test_json_and_yaml_are_the_same(read_file: Any, numbers: Any) -> None:
    """One run in both forms has the same measurements."""
    made = [
        {
            (each.source.place, each.metric, each.statistic): each
            for each in numbers(read_file(f"guidellm/loop/benchmarks.{end}"))
        }
        for end in ("json", "yaml")
    ]
    assert made[0] == made[1]


def test_full_precision(read_file: Any, numbers: Any) -> None:
    """The distribution of TTFT and the first request stand to their last digit, with their n and time."""
    found = numbers(read_file("guidellm/loop/benchmarks.json"))
    ttft = {
        each.statistic: (each.value, each.n)
        for each in found
        if each.metric == "ttft" and each.provenance == "aggregate"
    }
    assert ttft["mean"] == (24.268054962158203 * 1e-3, 20)
    assert ttft["median"] == (24.287700653076172 * 1e-3, 20)
    assert ttft["sd"] == (6.694861001609732 * 1e-3, 20)
    assert ttft["p99.9"] == (35.535573959350586 * 1e-3, 20)
    first = {each.metric: each for each in found if each.row == 1}
    assert {name: each.value for name, each in first.items()} == {
        "e2e": 0.03169107437133789,
        "ttft": 13.062715530395508 * 1e-3,
        "answer": 13.062715530395508 * 1e-3,
        "e2e/token": 0.7773041725158691 * 1e-3,
        "itl": 0.4622936248779297 * 1e-3,
        "tok/s_e2e": 1262.1850408510254,
        "total_tok/s_e2e": 4102.101382765833,
        "prompt_tokens": 90.0,
        "output_tokens": 40.0,
        "total_tokens": 130.0,
        "answer_chars": 180.0,
    }
    assert (first["e2e"].model, first["e2e"].time, first["e2e"].zone) == (
        "puppet:loop",
        "2026-11-22T09:54:27.509729+00:00",
        "utc",
    )


def test_requests_that_were_cut_off(read_file: Any, numbers: Any) -> None:
    """A request that the end of the run cut off has failed, and the distributions do not count it."""
    found = numbers(read_file("guidellm/limited/benchmarks.json"))
    failed = [each for each in found if each.failure]
    assert {each.failure for each in failed} == {"cut off at the end of the run: Request was cancelled"}
    assert {each.value for each in failed} == {None}
    means = [(each.value, each.n) for each in found if each.metric == "e2e" and each.statistic == "mean"]
    assert means == [(1.7367970943450928, 2), (2.7841989994049072, 3)]
    assert {each.parameters["concurrency"] for each in found} == {1.0, 2.0}


def test_nothing_but_errors(read_file: Any, numbers: Any, told: Any) -> None:
    """Where every request failed, the zeros of the distributions are told and are no numbers."""
    reading = read_file("guidellm/errors/benchmarks.json")
    assert {each.value for each in numbers(reading)} == {None}
    assert [count for kind, _, count in told(reading) if kind == "no data"] == [12]
    remarks = told(read_file("guidellm/errors/benchmarks.csv"))
    assert ("no data", "Errored requests stand in no metric.", 3) in remarks


def test_csv_agrees_with_json(read_file: Any, numbers: Any) -> None:
    """The statistics that a CSV has are those of the JSON, to the last digit."""
    known, table = (
        {
            (each.metric, each.statistic, each.parameters["concurrency"]): each.value
            for each in numbers(read_file(f"guidellm/limited/benchmarks.{end}"))
            if each.provenance == "aggregate"
        }
        for end in ("json", "csv")
    )
    assert len(table) == 336
    assert table == {key: known[key] for key in table}


def test_rules(read: Any, numbers: Any, told: Any) -> None:
    """n is of requests or tokens and unknown of rates by time; failed and cut off requests are rows without values."""
    reading = read(document())
    found = numbers(reading)
    means = {
        each.metric: (each.value, each.n, each.labels.get("weighted")) for each in found if each.statistic == "mean"
    }
    assert means == {
        "e2e": (2.0, 2, None),
        "e2e/token": (0.05, 80, "output tokens"),
        "output_throughput": (20.0, None, "time"),
    }
    assert Counter(each.failure for each in found if each.metric == "e2e" and each.statistic == "value") == {
        None: 2,
        "failed: 404": 1,
        "cut off at the end of the run": 1,
    }
    assert told(reading) == [
        (
            "not performance",
            "'request_concurrency' not kept: load, delays of the tool's own, and contents of texts.",
            1,
        ),
    ]


def test_one_request_has_no_deviation(read: Any, numbers: Any) -> None:
    """The deviation of a single request is left out."""
    found = [each for each in numbers(read(document(count=1))) if each.metric == "e2e"]
    assert "sd" not in {each.statistic for each in found}


def test_broken_benchmarks(read: Any, numbers: Any, told: Any) -> None:
    """A benchmark without metrics, a request that is none and text in place of a number are told."""
    broken = document()
    broken["benchmarks"][0]["requests"]["successful"] = [None, {**REQUEST, "request_latency": "2.0"}]
    broken["benchmarks"].append({"config": {}})
    reading = read(broken)
    assert ("broken", "Values not kept: not a request.", 1) in told(reading)
    assert ("broken", "'request_latency' not kept: not a number.", 1) in told(reading)
    assert ("broken", "Values not kept: not a benchmark with its metrics.", 1) in told(reading)
    assert {each.metric for each in numbers(reading)} >= {"ttft", "e2e"}


def test_csv_of_our_own(read: Any, numbers: Any) -> None:
    """A row under three lines of head is read by section, group and statistic."""
    rows = [
        ["Run Info", "Run Info", "Benchmark", "Request Counts", "Request Latency", "Request Latency"],
        ["Run ID", "Backend", "Strategy", "Successful", "Successful Sec", "Successful Sec"],
        ["", "", "", "", "Mean", "Percentiles"],
        ["x", '{"model": "toy:1m"}', "concurrent@2", "2", "2.5", "[1,1,1,1,1,2,3,3,3,3,4]"],
        ["x", "{", "synchronous", "0", "0.0", "[]"],
    ]
    found = numbers(read(rows))
    assert [(each.statistic, each.value) for each in found][:3] == [("mean", 2.5), ("min", 1.0), ("p0.1", 1.0)]
    assert ([(each.statistic, each.value) for each in found][-1], len(found)) == (("max", 4.0), 12)
    assert (found[0].model, found[0].parameters, found[0].n) == ("toy:1m", {"concurrency": 2.0}, 2)
    assert found[0].source.place == "row 1 Request Latency Successful Sec Mean"
