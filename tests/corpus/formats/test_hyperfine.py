"""hyperfine 1.15.0."""

from __future__ import annotations

from typing import Any

RESULT = {
    "command": "toy", "mean": 0.2, "stddev": 0.1, "median": 0.2, "user": 0.01, "system": 0.0, "min": 0.1, "max": 0.3,
    "times": [0.1, 0.3], "exit_codes": [0, 0], "parameters": {"n": "100", "mode": "fast"},
}  # fmt: skip


def test_json(read_file: Any, numbers: Any, told: Any) -> None:
    """Twelve runs of each command are measured, and their seven summaries are aggregates of twelve."""
    reading = read_file("hyperfine/hyperfine.json")
    found = numbers(reading)
    assert len(found) == 38
    first = [each for each in found if each.labels == {"command": "sleep 0.02"}]
    assert [(each.metric, each.statistic, each.value, each.n) for each in first[:7]] == [
        ("latency", "mean", 0.028336169930000005, 12),
        ("latency", "sd", 0.007288057332657439, 12),
        ("latency", "median", 0.028525431680000005, 12),
        ("latency", "min", 0.01926247168, 12),
        ("latency", "max", 0.041069733680000005, 12),
        ("cpu_user", "mean", 0.0012448099999999998, 12),
        ("cpu_system", "mean", 0.0003843116666666667, 12),
    ]
    assert [each.value for each in first[7:10]] == [0.029718545680000003, 0.01926247168, 0.041069733680000005]
    assert told(reading) == [
        ("ambiguous", "A run of 0 s was shorter than the start of a shell, which is subtracted; it is kept.", 3)
    ]


def test_failing_runs(read_file: Any, numbers: Any) -> None:
    """Runs with an exit code other than 0 have failed, and so has every summary over them."""
    found = numbers(read_file("hyperfine/failing.json"))
    assert len(found) == 12
    assert {each.value for each in found} == {None}
    assert {each.failure for each in found} == {
        "exit code 1",
        "5 of 5 runs ended with another exit code than 0",
    }


def test_parameters(read_file: Any, numbers: Any) -> None:
    """A parameter is a number in JSON and in CSV, whose column has its name."""
    for name, count in (("params.json", 34), ("params.csv", 14)):
        found = numbers(read_file(f"hyperfine/{name}"))
        assert len(found) == count
        assert {each.parameters["n"] for each in found} == {100.0, 100000.0}


def test_one_run(read_file: Any, numbers: Any) -> None:
    """The deviation of one run, null in JSON and 0 in CSV, is no number."""
    for name, count in (("single.json", 7), ("single.csv", 6)):
        found = numbers(read_file(f"hyperfine/{name}"))
        assert len(found) == count
        assert "sd" not in {each.statistic for each in found}


def test_csv_and_markdown(read_file: Any, numbers: Any, told: Any) -> None:
    """CSV has seconds, Markdown milliseconds, and what is relative to another command is left out."""
    table = numbers(read_file("hyperfine/hyperfine.csv"))
    assert (len(table), table[0].value, table[0].n) == (14, 0.028336169930000005, None)
    reading = read_file("hyperfine/hyperfine.md")
    assert [(each.statistic, each.value) for each in numbers(reading)[:4]] == [
        ("mean", 28.3 * 1e-3),
        ("sd", 7.3 * 1e-3),
        ("min", 19.3 * 1e-3),
        ("max", 41.1 * 1e-3),
    ]
    assert told(reading) == [("not performance", "'Relative' not kept: computed from the means.", 2)]
    assert len(numbers(read_file("hyperfine/params.md"))) == 8


def test_mixed_fates(read: Any, numbers: Any) -> None:
    """One run of two that a signal ended spoils the summary and not the other run."""
    found = numbers(read({"results": [{**RESULT, "exit_codes": [0, None]}]}))
    assert [each.failure for each in found if each.statistic == "value"] == [None, "ended by a signal"]
    assert {each.value for each in found if each.statistic != "value"} == {None}
    assert found[0].parameters == {"n": 100.0, "mode": "fast"}


def test_broken_results(read: Any, numbers: Any, told: Any) -> None:
    """A time that is no number and a result without its command are told."""
    reading = read({"results": [{**RESULT, "times": [0.1, "0.3"]}, {"command": 5}]})
    assert [each.value for each in numbers(reading) if each.statistic == "value"] == [0.1]
    assert told(reading) == [
        ("broken", "'times' not kept: not a number.", 1),
        ("broken", "Values not kept: not a result with its command.", 1),
    ]
