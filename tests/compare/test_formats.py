"""One run as github-action-benchmark and bencher read it: whole files, and what is left out of them."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest

from pytest_chimera.compare.formats import bencher, github_benchmark
from pytest_chimera.gate.conditions import Conditions
from pytest_chimera.gate.saved import SavedCase, SavedRun, read_document
from pytest_chimera.gate.series import Series

CASE = "tests/test_it.py::test_sky[toy]"
INFO = {"model": "gemma3:270m", "quantization": "Q8_0", "engine": "ollama", "server_version": "0.12.3"}
TIMES = ["ttft", "prompt_eval", "eval", "time/token", "load", "e2e"]
RATES = ["tok/s", "prefill"]
OTHERS = ["answer", "total", "steps/s", "itl", "wait", "output_tokens"]
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""What `slugify` leaves as it is."""
RANGE = re.compile(r"± (\d.+)")
"""How the action finds a number in a range."""


def run_of(*series: Series, case: str = CASE, info: dict[str, Any] | None = None) -> SavedRun:
    """A run of one case with these metrics."""
    known = {each.metric: each for each in series}
    saved = SavedCase(id=case, name="", conditions=Conditions(), series=known, info=INFO if info is None else info)
    return SavedRun(name="0001", source="x.json", cases={case: saved})


def read_by_the_action(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the action makes of a custom file: it needs a name, a unit and a number, and converts a range if it can."""
    found: list[dict[str, Any]] = json.loads(json.dumps(entries, allow_nan=False))
    for each in found:
        assert isinstance(each["name"], str)
        assert isinstance(each["unit"], str)
        assert isinstance(each["value"], (int, float))
        assert set(each) <= {"name", "unit", "value", "range", "extra"}
        if "range" in each:
            number = RANGE.fullmatch(each["range"])
            assert number
            assert float(number[1]) >= 0
    assert len({each["name"] for each in found}) == len(found)
    return found


def read_by_bencher(results: dict[str, Any]) -> dict[str, Any]:
    """What bencher's adapter `json` asks of a file, by its schema, its names and its slugs."""
    found: dict[str, Any] = json.loads(json.dumps(results, allow_nan=False))
    for name, measures in found.items():
        assert 1 <= len(name.encode()) <= 1024
        for measure, metric in measures.items():
            assert SLUG.fullmatch(measure)
            assert len(measure) <= 64
            assert "value" in metric
            assert set(metric) <= {"value", "lower_value", "upper_value"}
            assert metric.get("lower_value", metric["value"]) <= metric["value"]
            assert metric.get("upper_value", metric["value"]) >= metric["value"]
    return found


def test_times_are_entries_in_ms() -> None:
    """Each time is an entry with its median in ms, a standard deviation, and what it was measured on."""
    run = run_of(Series.of("ttft", [0.05, 0.055, 0.066]), Series.of("e2e", [1.5, 1.5]), Series.of("tok/s", [90.0]))
    assert read_by_the_action(github_benchmark(run, "smaller")) == [
        {
            "name": f"{CASE} ttft",
            "unit": "ms",
            "value": 55.0,
            "range": "± 8.18535277187",
            "extra": "rounds: 3\nmodel: gemma3:270m\nquantization: Q8_0\nollama version: 0.12.3",
        },
        {
            "name": f"{CASE} e2e",
            "unit": "ms",
            "value": 1500.0,
            "range": "± 0.0",
            "extra": "rounds: 2\nmodel: gemma3:270m\nquantization: Q8_0\nollama version: 0.12.3",
        },
    ]


def test_rates_are_entries_in_tokens_per_second() -> None:
    """Where bigger is better, the entries are tok/s and prefill; a single round has no range."""
    run = run_of(Series.of("tok/s", [80.0, 90.0]), Series.of("prefill", [1000.5]), Series.of("ttft", [1.0]), info={})
    assert read_by_the_action(github_benchmark(run, "bigger")) == [
        {"name": f"{CASE} tok/s", "unit": "tok/s", "value": 85.0, "range": "± 7.07106781187", "extra": "rounds: 2"},
        {"name": f"{CASE} prefill", "unit": "tok/s", "value": 1000.5, "extra": "rounds: 1"},
    ]


def test_each_direction_has_its_metrics() -> None:
    """Of all that can be recorded, six times and two rates are exported, in the order of the table of metrics."""
    run = run_of(*(Series.of(name, [1.0, 2.0]) for name in (*OTHERS, *RATES, *TIMES)))
    assert [each["name"].rpartition(" ")[2] for each in github_benchmark(run, "smaller")] == TIMES
    assert [each["name"].rpartition(" ")[2] for each in github_benchmark(run, "bigger")] == RATES
    assert list(bencher(run)[CASE]) == [re.sub("[/_]", "-", each) for each in (*TIMES, *RATES)]


def test_bencher_gets_nanoseconds_and_rates() -> None:
    """Times are medians in ns and rates in tok/s, each between its smallest and largest round."""
    run = run_of(
        Series.of("ttft", [0.05, 0.055, 0.066]), Series.of("time/token", [0.0111]), Series.of("tok/s", [80.0, 100.0])
    )
    assert read_by_bencher(bencher(run)) == {
        CASE: {
            "ttft": {"value": 55e6, "lower_value": 50e6, "upper_value": 66e6},
            "time-token": {"value": 11.1e6},
            "tok-s": {"value": 90.0, "lower_value": 80.0, "upper_value": 100.0},
        }
    }


@pytest.mark.parametrize(
    "series",
    [
        Series.of("ttft", []),
        Series.of("ttft", [None, None]),
        Series.of("ttft", [0.0, 0.0]),
        Series.of("ttft", [-1.0, -2.0]),
        Series.of("ttft", [math.inf, 1.0]),
        Series.of("ttft", [math.nan, 1.0]),
        Series.of("ttft", [1e306, 1e306]),
        Series.of("ttft", [1.0, 2.0], unit="ms"),
        Series(metric="ttft", values=None, n=5),
        Series.of("wait", [1.0, 2.0]),
    ],
    ids=["none", "unknown", "zero", "negative", "infinite", "nan", "huge", "unit", "no statistics", "not exported"],
)
def test_what_is_no_measurement_is_left_out(series: Series) -> None:
    """A metric without a finite value above 0 in a known unit is no entry and no measure, and never 0."""
    run = run_of(series)
    assert (github_benchmark(run, "smaller"), github_benchmark(run, "bigger"), bencher(run)) == ([], [], {})


def test_rows_without_our_part_are_read_as_far_as_they_go() -> None:
    """Of a foreign file there are median, deviation and ends of a time; the rate that follows has no deviation."""
    stats = {"median": 0.01, "mean": 0.011, "min": 0.008, "max": 0.02, "stddev": 0.001, "rounds": 4}
    row = {"fullname": f"{CASE} time/token", "stats": stats}
    run = read_document({"benchmarks": [row]}, "x.json", name="x")
    assert read_by_the_action(github_benchmark(run, "smaller")) == [
        {"name": f"{CASE} time/token", "unit": "ms", "value": 10.0, "range": "± 1.0", "extra": "rounds: 4"}
    ]
    assert read_by_the_action(github_benchmark(run, "bigger")) == [
        {"name": f"{CASE} tok/s", "unit": "tok/s", "value": 100.0, "extra": "rounds: 4"}
    ]
    assert read_by_bencher(bencher(run)) == {
        CASE: {
            "time-token": {"value": 10e6, "lower_value": 8e6, "upper_value": 20e6},
            "tok-s": {"value": 100.0, "lower_value": 50.0, "upper_value": 125.0},
        }
    }


def test_one_round_of_a_foreign_file_has_no_spread() -> None:
    """The deviation of 0 that pytest-benchmark saves of a single round is not passed on as one."""
    stats = {"median": 0.01, "mean": 0.01, "min": 0.01, "max": 0.01, "stddev": 0, "rounds": 1}
    run = read_document({"benchmarks": [{"fullname": f"{CASE} ttft", "stats": stats}]}, "x.json", name="x")
    assert github_benchmark(run, "smaller") == [
        {"name": f"{CASE} ttft", "unit": "ms", "value": 10.0, "extra": "rounds: 1"}
    ]
    assert bencher(run) == {CASE: {"ttft": {"value": 10e6}}}


def test_hostile_names_stay_names() -> None:
    """Names that act, break lines or are no text are written out, alike in both formats."""
    case, shown = "t.py::t[\x1b[2J\n\ud800 `|` \u202e]", "t.py::t[\\x1b[2J\\x0a\\ud800 `|` \\u202e]"
    info = {"model": "a\nrounds: 9\x1b", "server_version": "1.0", "quantization": None}
    run = run_of(Series.of("ttft", [1.0]), case=case, info=info)
    assert read_by_the_action(github_benchmark(run, "smaller")) == [
        {
            "name": f"{shown} ttft",
            "unit": "ms",
            "value": 1000.0,
            "extra": "rounds: 1\nmodel: a rounds: 9\\x1b\nserver version: 1.0",
        }
    ]
    assert read_by_bencher(bencher(run)) == {shown: {"ttft": {"value": 1e9}}}


@pytest.mark.parametrize("letter", ["a", "ä", "漢", "🙈"])
def test_long_names_are_cut_to_what_bencher_takes(letter: str) -> None:
    """Names above 1024 bytes end in a hash, so that they stay apart; one of exactly that length is kept."""
    ends = [letter * 1100 + end for end in "xy"]
    names = [next(iter(read_by_bencher(bencher(run_of(Series.of("ttft", [1.0]), case=each))))) for each in ends]
    assert len(set(names)) == 2
    assert all(re.fullmatch(f"{letter}+~[0-9a-f]{{12}}", each) and len(each.encode()) > 1020 for each in names)
    whole = "a" * 1024
    assert list(bencher(run_of(Series.of("ttft", [1.0]), case=whole))) == [whole]


def test_a_run_without_cases_is_empty() -> None:
    """Nothing measured is an empty list and an empty object."""
    run = SavedRun(name="0001", source="x.json", cases={})
    assert (github_benchmark(run, "smaller"), bencher(run)) == ([], {})
