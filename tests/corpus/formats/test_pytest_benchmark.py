"""pytest-benchmark 5.3.1, its files without rows of ours."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

STATS = {
    "min": 1.0, "max": 3.0, "mean": 2.0, "stddev": 1.0, "rounds": 2, "median": 2.0, "iqr": 1.0, "q1": 1.5, "q3": 2.5,
    "ops": 0.5, "total": 4.0, "iterations": 1, "outliers": "1;0",
}  # fmt: skip


def document(**fields: Any) -> dict[str, Any]:
    """A saved file of one test."""
    row = {"group": "g", "name": "test_a", "fullname": "t.py::test_a", "params": {"n": "10"}, "stats": STATS, **fields}
    return {"machine_info": {"system": "Linux"}, "benchmarks": [row], "datetime": "2026-11-22T09:50:31.870979"}


SAVED = "pytest-benchmark/saved/Linux-CPython-3.11-64bit"


@pytest.mark.parametrize(
    ("name", "measured", "aggregates"),
    [
        ("pytest-benchmark/full.json", 177, 30),
        (f"{SAVED}/0001_stats.json", 0, 30),
        (f"{SAVED}/0002_data.json", 184, 30),
        (f"{SAVED}/0003_9bd4be7428572684cc6480f8c83d56dab0071c48_20261122_095032.json", 0, 30),
        ("pytest-benchmark/edge.json", 58, 19),
        ("pytest-benchmark/compare.csv", 0, 63),
        ("pytest-benchmark/two.csv", 0, 42),
    ],
)
def test_counts(read_file: Any, numbers: Any, name: str, measured: int, aggregates: int) -> None:
    """Rounds are measured where their values were saved; each test has ten statistics, in CSV seven."""
    counts = Counter(each.provenance for each in numbers(read_file(name)))
    assert (counts["measured"], counts["aggregate"]) == (measured, aggregates)


def test_full_precision(read_file: Any, numbers: Any) -> None:
    """Statistics and rounds are seconds to their last digit, with parameter, group, time and machine."""
    reading = read_file("pytest-benchmark/full.json")
    found = [each for each in numbers(reading) if each.labels["test"] == "test_small.py::test_dumps[10]"]
    statistics = {each.statistic: each.value for each in found if each.provenance == "aggregate"}
    assert statistics == {
        "min": 8.38899995869724e-06,
        "max": 1.5036999684525654e-05,
        "mean": 9.068100792834132e-06,
        "sd": 8.556712608089575e-07,
        "median": 8.893999620340765e-06,
        "iqr": 2.587498784123454e-07,
        "p25": 8.755500175539055e-06,
        "p75": 9.0142500539514e-06,
        "sum": 0.001169785002275603,
        "harmonic mean": 110276.67455904638,
    }
    first = found[0]
    assert (first.metric, first.value, first.row) == ("latency", 1.2683000022661872e-05, 1)
    assert (first.parameters, first.labels["group"]) == ({"n": 10.0}, "encode")
    assert (first.time, first.zone) == ("2026-11-22T09:50:31.870979+00:00", "utc")
    assert reading.environment["cpu"] == "Intel(R) Xeon(R) Processor"
    assert reading.environment["pytest_benchmark"] == "5.3.1"


def test_one_round(read_file: Any, numbers: Any) -> None:
    """The deviation of one round is left out."""
    found = [each for each in numbers(read_file("pytest-benchmark/edge.json")) if "test_once" in each.labels["test"]]
    assert [each.value for each in found if each.provenance == "measured"] == [0.0011031789999833563]
    assert "sd" not in {each.statistic for each in found}


def test_rows_of_a_comparison(read_file: Any, numbers: Any) -> None:
    """A row of CSV is an aggregate of its rounds, with the parameter of its column."""
    found = numbers(read_file("pytest-benchmark/compare.csv"))[:7]
    assert [(each.metric, each.statistic, each.value, each.n) for each in found] == [
        ("latency", "min", 8.316000275954138e-06, 133),
        ("latency", "max", 1.3344999388209544e-05, 133),
        ("latency", "mean", 8.862556419068338e-06, 133),
        ("latency", "sd", 7.062779384050416e-07, 133),
        ("latency", "median", 8.725000043341424e-06, 133),
        ("latency", "iqr", 2.5000008463393897e-07, 133),
        ("ops", "harmonic mean", 112834.26053553105, 133),
    ]
    assert found[0].parameters == {"n": 10.0}


def test_time_without_a_zone_is_utc(read: Any, numbers: Any) -> None:
    """What the tool writes without a zone is UTC, and a parameter that is a text stays one."""
    first = numbers(read(document()))[0]
    assert (first.time, first.zone) == ("2026-11-22T09:50:31.870979", "utc")
    assert first.parameters == {"n": "10"}


def test_counts_of_outliers_are_no_measurements(read: Any, told: Any) -> None:
    """What a box plot needs is told once for the file."""
    assert told(read(document())) == [("not performance", "'outliers' not kept: counts and whiskers of a box plot.", 1)]


def test_broken_rows(read: Any, numbers: Any, told: Any) -> None:
    """A value that is no number, a row without its name, and a row of a newer version are told."""
    reading = read(document(stats={**STATS, "mean": "2.0", "data": [1.0, float("nan")]}, fullname="t.py::test_a"))
    assert [each.value for each in numbers(reading) if each.provenance == "measured"] == [1.0]
    assert ("broken", "'data', 'mean' not kept: not a number.", 2) in told(reading)
    assert told(read(document(fullname=None))) == [
        ("broken", "Values not kept: not a row with its fullname and stats.", 1)
    ]
    newer = document(extra_info={"chimera": {"schema": 99, "kind": "case"}})
    assert told(read(newer)) == [("refused", "Values not kept: a row of a newer version of this program.", 1)]
