"""JSON of any shape, JSON Lines, and what holds for what within them."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"ttft_s": 0.5}, [("/ttft_s", "ttft", "value", 0.5)]),
        ([{"ttft_s": 0.5}], [("/0/ttft_s", "ttft", "value", 0.5)]),
        ({"a": {"b": {"c": [{"d": {"ttft_s": 1}}]}}}, [("/a/b/c/0/d/ttft_s", "ttft", "value", 1.0)]),
        ({"r": [[{"ttft_s": 1}], [{"ttft_s": 2}]]},
         [("/r/0/0/ttft_s", "ttft", "value", 1.0), ("/r/1/0/ttft_s", "ttft", "value", 2.0)]),
        ({"a/b": {"c~d": {"ttft_s": 1}}}, [("/a~1b/c~0d/ttft_s", "ttft", "value", 1.0)]),
        ({"ttft_ms": [500, 600]}, [("/ttft_ms/0", "ttft", "value", 0.5), ("/ttft_ms/1", "ttft", "value", 0.6)]),
        ({"ttft": {"mean": 0.1, "p95": 0.2, "unit": "s"}},
         [("/ttft/mean", "ttft", "mean", 0.1), ("/ttft/p95", "ttft", "p95", 0.2)]),
        ({"ttft": {"mean": 100, "p95": 200, "unit": "ms"}},
         [("/ttft/mean", "ttft", "mean", 0.1), ("/ttft/p95", "ttft", "p95", 0.2)]),
        ({"ttft_ms": {"mean": 100, "std": 5, "p50": 90, "min": 80, "max": 120}},
         [("/ttft_ms/mean", "ttft", "mean", 0.1), ("/ttft_ms/std", "ttft", "sd", 0.005),
         ("/ttft_ms/p50", "ttft", "median", 0.09),
          ("/ttft_ms/min", "ttft", "min", 0.08), ("/ttft_ms/max", "ttft", "max", 0.12)]),
        ({"ttft": {"value": 120, "unit": "ms"}}, [("/ttft/value", "ttft", "value", 0.12)]),
        ({"ttft": "12.3 ms", "tokens_s": "100 tok/s", "load_s": "1.5"},
         [("/ttft", "ttft", "value", 0.0123), ("/tokens_s", "tok/s", "value", 100.0),
         ("/load_s", "load", "value", 1.5)]),
        ({"metrics": [{"metric": "ttft", "value": 0.5, "unit": "s"}, {"metric": "tokens_s", "value": 10}]},
         [("/metrics/0/value", "ttft", "value", 0.5), ("/metrics/1/value", "tok/s", "value", 10.0)]),
        ({"metrics": [{"name": "tokens_s", "value": 10}]}, [("/metrics/0/value", "tok/s", "value", 10.0)]),
        ({"tokens": 5, "latency_ms": 1000, "tokens_per_second": 5.0, "response": "one two three four five"},
         [("/latency_ms", "latency", "value", 1.0), ("/tokens_per_second", "words/s", "value", 5.0),
         ("/tokens", "words", "value", 5.0)]),
        ({"throughput": 50, "ttft_s": 1}, [("/ttft_s", "ttft", "value", 1.0), ("/throughput", "tok/s", "value", 50.0)]),
        ({"accuracy": 0.9}, [("/accuracy", "accuracy", "value", 0.9)]),
        ({"ttft_s": True, "load_s": 1}, [("/load_s", "load", "value", 1.0)]),
        ({"ttft_s": None, "load_s": 1}, [("/ttft_s", "ttft", "value", None), ("/load_s", "load", "value", 1.0)]),
    ],
)  # fmt: skip
def test_shapes(told: Any, content: Any, expected: list[tuple[str, str, str, float | None]]) -> None:
    """Every shape gives its numbers, each under its pointer."""
    assert told("metrics.json", content) == expected


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_encodings(told: Any, encoding: str) -> None:
    """A byte order mark and other encodings do not matter."""
    assert told("a.json", '{"ttft_s": 1}'.encode(encoding)) == [("/ttft_s", "ttft", "value", 1.0)]


def test_what_stands_outside_holds_within(corpus_of: Any) -> None:
    """Model, settings, labels and time of an object hold for the rows of its lists, until they say otherwise."""
    content = {
        "model": "m:1b",
        "config": {"num_ctx": 2048, "temperature": 0.2},
        "timestamp": "2025-10-01T10:00:00Z",
        "backend": "cpu",
        "runs": [{"ttft_s": 1}, {"ttft_s": 2, "model": "m:2b", "num_ctx": 4096, "timestamp": "2025-10-02T10:00:00Z"}],
    }
    first, second = corpus_of("a.json", content).measurements
    assert (first.model, second.model) == ("m:1b", "m:2b")
    assert dict(first.parameters) == {"num_ctx": 2048.0, "temperature": 0.2}
    assert dict(second.parameters) == {"num_ctx": 4096.0, "temperature": 0.2}
    assert first.labels["backend"] == second.labels["backend"] == "cpu"
    assert (first.time, second.time) == ("2025-10-01T10:00:00+00:00", "2025-10-02T10:00:00+00:00")
    assert (first.row, second.row, first.zone) == (1, 2, "utc")
    assert first.series == second.series


@pytest.mark.parametrize(
    ("owner", "keys", "models", "names"),
    [
        ("models", ("m:1b", "m:2b"), ["m:1b", "m:2b"], [None, None]),
        ("results", ("m:1b", "m:2b"), ["m:1b", "m:2b"], [None, None]),
        ("results", ("first", "second"), [None, None], ["first", "second"]),
    ],
)
def test_rows_by_key(
    corpus_of: Any, owner: str, keys: tuple[str, str], models: list[str | None], names: list[str | None]
) -> None:
    """Objects that say one thing differently are rows named by their keys: models where those are tags."""
    found = corpus_of("a.json", {owner: {keys[0]: {"ttft_s": 0.1}, keys[1]: {"ttft_s": 0.2}}}).measurements
    assert [each.value for each in found] == [0.1, 0.2]
    assert [each.model for each in found] == models
    assert [each.labels.get("name") for each in found] == names


def test_backends_by_key(corpus_of: Any) -> None:
    """Keys below "backends" are labels of that name."""
    found = corpus_of("a.json", {"backends": {"onnx": {"mean_ms": 1}, "torch": {"mean_ms": 2}}}).measurements
    assert [(each.metric, each.statistic, each.labels["backend"]) for each in found] == [
        ("latency", "mean", "onnx"), ("latency", "mean", "torch"),
    ]  # fmt: skip


def test_named_elements(corpus_of: Any) -> None:
    """Elements of a list with a "name" are told apart by it."""
    found = corpus_of("a.json", [{"name": "first", "ttft_s": 1}, {"name": "second", "ttft_s": 2}]).measurements
    assert [each.labels.get("name") for each in found] == ["first", "second"]


@pytest.mark.parametrize(
    ("key", "value", "place"), [("ttft_s", 0.5, "/summary/ttft_s"), ("ttft_ms", 500, "/summary/ttft_ms")]
)
def test_copies_within_one_object(corpus_of: Any, key: str, value: float, place: str) -> None:
    """A value that stands twice in one object, in whatever unit, is one measurement with two places."""
    (first, rate) = corpus_of("a.json", {"ttft_s": 0.5, "summary": {key: value, "tokens_s": 10}}).measurements
    assert (first.value, first.source.place, [each.place for each in first.copies]) == (0.5, "/ttft_s", [place])
    assert rate.value == 10.0


def test_number_of_values(corpus_of: Any) -> None:
    """An aggregate knows how many values it is of; a number that cannot be a count is no such number."""
    (known,) = corpus_of("a.json", {"ttft_s": {"mean": 1, "count": 10}}).measurements
    assert (known.n, known.provenance) == (10, "aggregate")
    for wrong in (-3, 10**400):
        (unknown,) = corpus_of("a.json", {"ttft_s": {"mean": 1}, "n": wrong}).measurements
        assert unknown.n is None


def test_failed_elements(corpus_of: Any) -> None:
    """Elements with an error have no values; one without any number misses those that its neighbours have."""
    content = {"runs": [{"ttft_s": 1, "error": None}, {"ttft_s": 0, "error": "boom"}, {"error": "gone"}]}
    found = corpus_of("a.json", content).measurements
    assert [(each.metric, each.value, each.failure) for each in found] == [
        ("ttft", 1.0, None), ("ttft", None, "boom"), ("ttft", None, "gone"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        ({"message": "no such model", "type": "not_found", "code": 404}, "no such model"),
        (["out of memory"], "out of memory"),
        ({}, None),
        ([], None),
        ("", None),
        (0, None),
        (False, None),
    ],
)
def test_errors_of_any_type(corpus_of: Any, error: Any, failure: str | None) -> None:
    """An error that is an object or a list is one when it says anything, and its text is the reason."""
    (only,) = corpus_of("a.json", [{"ttft_s": 5, "error": error}]).measurements
    assert only.ok is (failure is None)
    assert failure is None or failure in (only.failure or "")


def test_telemetry(corpus_of: Any) -> None:
    """Below a key of a GPU a temperature is one in degrees; outside it is a setting."""
    content = {
        "timestamp": 1759098967,
        "temperature": 0.2,
        "cpu_percent": 20,
        "gpus": [{"temperature": 55, "utilization": 80, "memory_used_mb": 1024, "power_draw": 120}],
    }
    found = corpus_of("a.json", content).measurements
    assert {each.metric: (each.value, each.role) for each in found} == {
        "gpu_temp": (55.0, "resource"),
        "gpu_util": (0.8, "resource"),
        "vram_used": (1073741824.0, "resource"),
        "power": (120.0, "resource"),
        "cpu": (0.2, "resource"),
    }
    assert {each.parameters.get("temperature") for each in found} == {0.2}
    assert {each.time for each in found} == {"2025-09-28T22:36:07+00:00"}


def test_environment(corpus_of: Any) -> None:
    """What an object says of the machine is its file's environment, and no measurement."""
    content = {"environment": {"gpu": "GPU X", "python": "3.11", "driver_version": "555"}, "ttft_s": 1}
    (artifact,) = corpus_of("a.json", content).artifacts
    assert dict(artifact.environment) == {"gpu": "GPU X", "python": "3.11", "driver": "555"}
    assert artifact.measurements == 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"foo": {"bar": 3}, "baz": 4}, [("unknown name", 2)]),
        ({"tokens": 5}, [("ambiguous", 1)]),
        ({"throughput": 50}, [("ambiguous", 1)]),
        ({"ttft": 5}, [("no unit", 1)]),
        ({"latencies": [1, 2, 3]}, [("unknown name", 3)]),
        ({"load_s": "abc"}, [("broken", 1)]),
        ({"load_s": "3,5"}, [("broken", 1)]),
        ({"x": [1, "a", 2]}, [("unknown name", 2)]),
        ([], [("no data", 1)]),
        ({}, [("no data", 1)]),
        (5, [("unknown name", 1)]),
        (None, [("unknown name", 1)]),
        ("", [("empty", 1)]),
        (" \n", [("empty", 1)]),
        ('{"ttft_s": 1,}', [("broken", 1)]),
        ('{"ttft_s": 1', [("broken", 1)]),
        ('{"ttft_s": 1} trailing', [("broken", 1)]),
    ],
)
def test_what_is_left(left: Any, content: Any, expected: list[tuple[str, int]]) -> None:
    """What is not understood of JSON is counted with its reason."""
    assert [each[1:] for each in left("a.json", content)] == expected


def test_lists_with_gaps(told: Any) -> None:
    """A null among the values of a list is a value that is not there; the others are read."""
    found = told("a.json", {"latency_ms": [1, None, 2]})
    assert [each[3] for each in found if each[3] is not None] == [0.001, 0.002]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400])
def test_numbers_that_are_none(corpus_of: Any, number: str) -> None:
    """What no float can hold is no value, no setting, and no time."""
    corpus = corpus_of("a.json", f'{{"ttft_s": {number}, "load_s": 1, "num_ctx": {number}, "timestamp": {number}}}')
    found = {each.metric: each for each in corpus.measurements}
    assert found["load"].value == 1.0
    assert found["load"].parameters == {}
    assert found["load"].time is None
    assert "ttft" not in found or found["ttft"].value is None
    assert "ttft" in found or [each.kind for each in corpus.left] == ["broken"]


def test_json_lines(told: Any, left: Any) -> None:
    """Every line that is JSON is read under its own number; those that are not are named."""
    content = '{"ttft_s":1}\nnot json\n\n{"ttft_s":2}\n[1,2\n{"ttft_s":3}\n'
    for name in ("a.jsonl", "a.ndjson"):
        assert told(name, content) == [
            ("line 1 ttft_s", "ttft", "value", 1.0),
            ("line 4 ttft_s", "ttft", "value", 2.0),
            ("line 6 ttft_s", "ttft", "value", 3.0),
        ]
        assert left(name, content) == [("line 2, 5", "broken", 2)]


def test_nested_json_lines(told: Any) -> None:
    """Numbers within an object of a line are found by the line and their pointer."""
    content = '{"a":1}\n{"runs":[{"ttft_s":1},{"ttft_s":2}]}\n'
    assert [each[0] for each in told("a.jsonl", content)] == ["line 2 /runs/0/ttft_s", "line 2 /runs/1/ttft_s"]
