"""The JSON of a run through the requirements of two readers: github-action-benchmark and bencher.

Both are written in other languages, so what they ask of a file is written down here from their sources
(`extractPytestResult` in TypeScript, `AdapterPythonPytest` in Rust) and applied to files that runs wrote.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.records import Round

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.records import CaseResult, Generation

LARGEST_DECIMAL = Decimal(2) ** 96
BENCHER_NAME_BYTES = 1024


def strict(text: str) -> Any:
    """JSON as JavaScript and Rust read it: no NaN, no infinity, no key twice in one object."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=once)


def github_action_benchmark(text: str) -> list[dict[str, Any]]:
    """What that action makes of a file: an entry per benchmark, bigger is better; it refuses a file without any."""
    entries = []
    for bench in strict(text)["benchmarks"]:
        stats = bench["stats"]
        mean = stats["mean"]
        assert isinstance(bench["fullname"], str)
        assert all(isinstance(stats[key], (int, float)) for key in ("ops", "stddev", "mean", "rounds"))
        shown = (mean * 1e3, "msec") if 1e-3 <= mean < 1 else (mean, "sec")
        entries.append(
            {
                "name": bench["fullname"],
                "value": stats["ops"],
                "unit": "iter/sec",
                "range": f"stddev: {stats['stddev']:.6f}",
                "extra": f"mean: {shown[0]} {shown[1]}\nrounds: {stats['rounds']}",
            }
        )
    assert entries, "No benchmark result was found"
    return entries


def bencher(text: str, average: str = "mean") -> dict[str, tuple[Decimal, Decimal, Decimal]]:
    """What bencher makes of a file: per name the latency in ns with its lower and upper value."""
    data = strict(text)
    assert isinstance(data["machine_info"], dict)
    assert isinstance(data["commit_info"], dict)
    found = {}
    for bench in data["benchmarks"]:
        name = bench["fullname"]
        assert 1 <= len(name.encode()) <= BENCHER_NAME_BYTES
        assert not name.endswith(("_bencher_ignore", "BencherIgnore", "-bencher-ignore"))
        assert name not in found, "the second of two equal names would replace the first"
        numbers = {key: Decimal(repr(bench["stats"][key])) for key in ("mean", "stddev", "median", "iqr")}
        assert all(abs(number) < LARGEST_DECIMAL for number in numbers.values())
        middle, spread = ("mean", "stddev") if average == "mean" else ("median", "iqr")
        ns = numbers[middle] * 10**9
        found[name] = (ns, ns - numbers[spread] * 10**9, ns + numbers[spread] * 10**9)
    return found


def text_of(recording: Any, results: list[CaseResult], *args: str) -> str:
    """The file that a run with these results writes."""
    recording.run(results, *args, "--benchmark-json=x.json")
    text: str = (recording.pytester.path / "x.json").read_text(encoding="utf-8")
    return text


@pytest.mark.parametrize("args", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_github_action_benchmark_reads_every_row(
    recording: Any, make_result: Callable[..., CaseResult], args: tuple[str, ...]
) -> None:
    """The action gets these six entries, and tok/s is the value of the one for time per token."""
    node = "test_it.py::test_sky[toy]"
    unit = {"unit": "iter/sec"}
    assert github_action_benchmark(text_of(recording, [make_result()], *args)) == [
        {"name": f"{node} ttft", "value": pytest.approx(2 / 0.11), **unit,
         "range": "stddev: 0.007071", "extra": "mean: 55.0 msec\nrounds: 2"},
        {"name": f"{node} prompt_eval", "value": 25.0, **unit,
         "range": "stddev: 0.000000", "extra": "mean: 40.0 msec\nrounds: 2"},
        {"name": f"{node} eval", "value": 10.0, **unit,
         "range": "stddev: 0.000000", "extra": "mean: 100.0 msec\nrounds: 2"},
        {"name": f"{node} time/token", "value": 100.0, **unit,
         "range": "stddev: 0.000000", "extra": "mean: 10.0 msec\nrounds: 2"},
        {"name": f"{node} load", "value": 500.0, **unit,
         "range": "stddev: 0.000000", "extra": "mean: 2.0 msec\nrounds: 2"},
        {"name": f"{node} e2e", "value": pytest.approx(2 / 0.31), **unit,
         "range": "stddev: 0.007071", "extra": "mean: 155.0 msec\nrounds: 2"},
    ]  # fmt: skip


@pytest.mark.parametrize("args", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_bencher_reads_every_row(recording: Any, make_result: Callable[..., CaseResult], args: tuple[str, ...]) -> None:
    """Bencher gets six latencies in nanoseconds, by mean and by median."""
    text = text_of(recording, [make_result()], *args)
    by_median = {name.split()[-1]: tuple(map(float, three)) for name, three in bencher(text, "median").items()}
    assert by_median == {
        "ttft": (55e6, pytest.approx(45e6), pytest.approx(65e6)),
        "prompt_eval": (40e6, 40e6, 40e6),
        "eval": (100e6, 100e6, 100e6),
        "time/token": (10e6, 10e6, 10e6),
        "load": (2e6, 2e6, 2e6),
        "e2e": (155e6, pytest.approx(145e6), pytest.approx(165e6)),
    }
    assert set(bencher(text)) == {f"test_it.py::test_sky[toy] {metric}" for metric in by_median}


def test_one_round_is_read(
    recording: Any, make_result: Callable[..., CaseResult], make_generation: Callable[..., Generation]
) -> None:
    """A row of a single round, whose spread pytest-benchmark writes as a whole 0, is read by both."""
    one = Round(number=1, warmup=False, cold=False, generation=make_generation(50))
    text = text_of(recording, [make_result(rounds=(one,))])
    assert len(github_action_benchmark(text)) == len(bencher(text)) == 6


def test_hostile_names_and_messages_are_read(
    recording: Any, make_result: Callable[..., CaseResult], make_generation: Callable[..., Generation]
) -> None:
    """Prompts as parameters, broken characters, NaN in an option and a huge error leave a file that both read."""
    prompts = ["long " * 1000 + end for end in ("a", "b", "ä" * 900, '\\ud800 " </script> | `')]
    broken = Round(number=9, warmup=False, cold=None, generation=make_generation(error="\ud800" * 10_000))
    results = [
        make_result(
            case={"id": f"t.py::test_it[{prompt}]", "name": f"test_it[{prompt}]", "options": {"top_p": float("nan")}},
            rounds=(*make_result().rounds, broken),
        )
        for prompt in prompts
    ]
    text = text_of(recording, results, "-q", "--benchmark-columns=median")
    assert len(github_action_benchmark(text)) == len(bencher(text)) == 24
