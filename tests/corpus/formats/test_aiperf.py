"""AIPerf 0.13.0."""

from __future__ import annotations

from typing import Any

import pytest

SUMMARY = {
    "aiperf_version": "0.13.0", "benchmark_id": "toy", "start_time": "2026-11-22T09:57:36.812156", "is_complete": True,
    "input_config": {
        "models": {"items": [{"name": "toy:1m"}]}, "endpoint": {"type": "chat"},
        "phases": [
            {"kind": "warmup", "requests": 2, "concurrency": 1}, {"kind": "profiling", "requests": 3, "concurrency": 2},
        ],
    },
    "completed_request_count": {"unit": "requests", "avg": 3.0},
    "time_to_first_token": {
        "unit": "ms", "avg": 20.0, "p50": 19.0, "p99": 30.0, "min": 10.0, "max": 30.0, "std": 9.0, "count": 3,
    },
    "time_to_second_token": {"unit": "ms", "avg": 0.0, "min": 0.0, "max": 0.0, "std": 0.0, "count": 1},
    "output_token_throughput": {"unit": "tokens/sec", "avg": 80.0},
    "effective_decode_throughput": {"unit": "tokens/sec", "avg": 70.0, "min": 0.0, "max": 90.0, "std": 5.0},
    "adj_time_to_first_token": {"unit": "ms", "p1": 10.0, "min": 10.0, "count": 4},
    "error_summary": [{"error_details": {"code": 404, "type": "Not Found", "message": "no model"}, "count": 1}],
    "warmup_metrics": {"time_to_first_token": {"unit": "ms", "avg": 900.0, "count": 2}},
}  # fmt: skip
REQUEST = {
    "metadata": {"benchmark_phase": "profiling", "request_start_ns": 1_795_341_456_815_289_000, "was_cancelled": False},
    "metrics": {
        "time_to_first_token": {"value": 20.0, "unit": "ms"},
        "inter_chunk_latency": {"value": [1.0, 3.0], "unit": "ms"},
        "http_req_total": {"value": 30.0, "unit": "ms"},
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("gemma/profile_export_aiperf.json", 238),
        ("gemma/profile_export_aiperf.csv", 237),
        ("gemma/phases/profiling/profile_export_aiperf.json", 238),
        ("loop/profile_export_aiperf.json", 238),
        ("loop/profile_export_aiperf.csv", 236),
        ("errors/profile_export_aiperf.json", 237),
        ("errors/profile_export_aiperf.csv", 236),
        ("errors/profile_export_aiperf_timeslices.json", 300),
    ],
)
def test_summaries(read_file: Any, numbers: Any, name: str, count: int) -> None:
    """Each summary has so many statistics of kept metrics, all of them aggregates."""
    found = numbers(read_file(f"aiperf/{name}"))
    assert len(found) == count
    assert {each.provenance for each in found} == {"aggregate"}


def test_full_precision_of_a_summary(read_file: Any, numbers: Any) -> None:
    """The distribution of TTFT stands to its last digit in seconds, with n, model, load and time."""
    reading = read_file("aiperf/gemma/profile_export_aiperf.json")
    found = [each for each in numbers(reading) if each.metric == "ttft"]
    assert {each.statistic: each.value for each in found if each.statistic in {"mean", "median", "sd", "p99"}} == {
        "mean": 1691.1049592999998 * 1e-3,
        "median": 1784.9033044999999 * 1e-3,
        "sd": 358.34078430170086 * 1e-3,
        "p99": 1804.06440104 * 1e-3,
    }
    assert {each.n for each in found} == {20}
    assert (found[0].model, found[0].parameters) == (
        "gemma3:270m-t1",
        {"concurrency": 2.0, "requests": 20.0, "isl": 32.0, "osl": 40.0},
    )
    assert (found[0].time, found[0].zone) == ("2026-11-22T09:57:36.812156", "unknown")
    assert reading.environment == {"aiperf": "0.13.0"}


def test_rates_of_a_run_and_of_requests(read_file: Any, numbers: Any) -> None:
    """The run's throughput is a number of its own, each request's is tok/s, and one weighted by time says so."""
    found = numbers(read_file("aiperf/gemma/profile_export_aiperf.json"))
    known = {
        (each.metric, each.labels.get("weighted")): (each.statistic, each.value, each.n)
        for each in found
        if each.statistic in {"mean", "value"} and each.dimension == "rate"
    }
    assert known["output_throughput", None] == ("value", 24.095231706436174, None)
    assert known["tok/s", None] == ("mean", 25.282970652059518, 20)
    assert known["output_throughput", "time"] == ("mean", 23.492849824291888, None)


def test_requests(read_file: Any, numbers: Any, told: Any) -> None:
    """Twenty requests with every gap between chunks are measured; the two of the warm-up are told."""
    reading = read_file("aiperf/gemma/profile_export.jsonl")
    found = numbers(reading)
    assert (len(reading.rows), len(found)) == (20, 1000)
    assert len([each for each in found if each.metric == "inter_chunk"]) == 780
    assert ("not performance", "Values not kept: warm-up requests.", 2) in told(reading)
    first = [each for each in found if each.row == 3]
    assert next(each.value for each in first if each.metric == "ttft") == 135.01106199999998 * 1e-3
    assert (first[0].time, first[0].zone) == ("2026-11-22T09:57:36.815289+00:00", "utc")
    assert len(numbers(read_file("aiperf/loop/profile_export.jsonl"))) == 999


def test_failed_requests(read_file: Any, numbers: Any, told: Any) -> None:
    """Four of eight requests failed: rows without values in the list, one remark in each summary."""
    found = numbers(read_file("aiperf/errors/profile_export.jsonl"))
    failed = [each for each in found if each.failure]
    assert len(found) == 212
    assert {(each.metric, each.value) for each in failed} == {("ttft", None), ("tok/s", None), ("e2e", None)}
    assert len({each.row for each in failed}) == 4
    assert failed[0].failure.startswith("404 Not Found: ")
    for name in ("json", "csv"):
        remarks = told(read_file(f"aiperf/errors/profile_export_aiperf.{name}"))
        assert [count for kind, _, count in remarks if kind == "no data"] == [4]


def test_summary_of_the_warm_up(read_file: Any, numbers: Any, told: Any) -> None:
    """The summary of the warm-up alone is told by its number of requests and left out."""
    reading = read_file("aiperf/gemma/phases/warmup/profile_export_aiperf.json")
    assert numbers(reading) == []
    assert told(reading) == [("not performance", "Values not kept: the whole file is of the warm-up.", 1)]


def test_rules(read: Any, numbers: Any, told: Any) -> None:
    """Median, n, a real zero, one value without deviation, a rate without n; what counts failures is left out."""
    reading = read(SUMMARY)
    assert [(each.metric, each.statistic, each.value, each.n) for each in numbers(reading)] == [
        ("ttft", "mean", 20.0 * 1e-3, 3),
        ("ttft", "median", 19.0 * 1e-3, 3),
        ("ttft", "p99", 30.0 * 1e-3, 3),
        ("ttft", "min", 10.0 * 1e-3, 3),
        ("ttft", "max", 30.0 * 1e-3, 3),
        ("ttft", "sd", 9.0 * 1e-3, 3),
        ("ttst", "mean", 0.0, 1),
        ("ttst", "min", 0.0, 1),
        ("ttst", "max", 0.0, 1),
        ("output_throughput", "value", 80.0, None),
        ("output_throughput", "mean", 70.0, None),
        ("output_throughput", "min", 0.0, None),
        ("output_throughput", "max", 90.0, None),
        ("output_throughput", "sd", 5.0, None),
    ]
    assert told(reading) == [
        ("not performance", "'completed_request_count' not kept: counts and shares of requests.", 1),
        ("ambiguous", "'adj_time_to_first_token' not kept: failed requests are counted in them.", 1),
        ("not performance", "'warmup_metrics' not kept: the warm-up.", 1),
        ("no data", "Requests failed and stand in no metric: 404 Not Found: no model.", 1),
    ]


def test_several_models(read: Any, numbers: Any) -> None:
    """A run of two models has no model; both stand in a label."""
    config = {**SUMMARY["input_config"], "models": {"items": [{"name": "a:1b"}, {"name": "b:1b"}]}}
    first = numbers(read({**SUMMARY, "input_config": config}))[0]
    assert (first.model, first.labels["models"]) == (None, "a:1b, b:1b")


def test_cancelled_request(read: Any, numbers: Any) -> None:
    """A request that was cancelled has failed, whatever was measured of it."""
    cancelled = {**REQUEST, "metadata": {**REQUEST["metadata"], "was_cancelled": True}}
    found = numbers(read([REQUEST, cancelled]))
    assert [(each.metric, each.value, each.failure) for each in found] == [
        ("ttft", 20.0 * 1e-3, None),
        ("inter_chunk", 1.0 * 1e-3, None),
        ("inter_chunk", 3.0 * 1e-3, None),
        ("ttft", None, "cancelled"),
        ("tok/s", None, "cancelled"),
        ("e2e", None, "cancelled"),
    ]


def test_csv_of_our_own(read: Any, numbers: Any) -> None:
    """Both tables of the CSV are read, with units from the titles and the columns' own names as places."""
    rows = [
        ["Metric", "avg", "min", "max", "std"], ["Time to First Token (ms)", "20.00", "10.00", "30.00", "0.00"], [],
        ["Metric", "Value"], ["Output Token Throughput (tokens/sec)", "80.00"], ["Nobody Knows (furlong)", "1.00"],
    ]  # fmt: skip
    found = numbers(read(rows))
    assert [(each.metric, each.statistic, each.value, each.source.place) for each in found] == [
        ("ttft", "mean", 20.0 * 1e-3, "row 2 avg"),
        ("ttft", "min", 10.0 * 1e-3, "row 2 min"),
        ("ttft", "max", 30.0 * 1e-3, "row 2 max"),
        ("output_throughput", "value", 80.0, "row 4 Value"),
    ]


def test_broken_metrics(read: Any, numbers: Any, told: Any) -> None:
    """A number that is a text, a metric in a unit that is not its own, and a request without metrics are told."""
    broken = {
        **SUMMARY,
        "time_to_first_token": {"unit": "ms", "avg": "20"},
        "time_to_second_token": {"unit": "tokens", "avg": 1},
    }
    reading = read(broken)
    assert {each.metric for each in numbers(reading)} == {"output_throughput"}
    assert ("broken", "'time_to_first_token/avg' not kept: not a number.", 1) in told(reading)
    assert ("unknown name", "'time_to_second_token' not kept: no metric with this unit is known.", 1) in told(reading)
    assert told(read([REQUEST, {"metadata": {}}]))[-1] == (
        "broken",
        "Values not kept: not a request with its metadata and metrics.",
        1,
    )
