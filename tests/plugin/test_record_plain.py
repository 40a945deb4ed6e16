"""A plain `benchmark(model.generate, prompt)`: its row carries the requests that it counted, and no others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.records import Generation

CONFTEST = """
import json
from pathlib import Path
import pytest
from pytest_chimera.plugin import plain
from pytest_chimera.records import Generation, HostInfo, ModelInfo

class Clock:
    '''Seconds that pass only when a request takes some; reading it takes 1 us.'''
    now = 0.0
    def __call__(self):
        self.now += 1e-6
        return self.now

CLOCK = Clock()
CLOCK.__name__ = "toy_clock"

class Model:
    '''A model whose requests are numbered by their count of output tokens.'''
    def __init__(self, calls, seconds):
        self.calls, self.seconds, self.made = calls, seconds, 0
    def generate(self, prompt):
        self.made += 1
        CLOCK.now += self.seconds
        data = json.loads(Path(__file__).with_name("generation.json").read_text(encoding="utf-8"))
        one = Generation.from_dict(data | {"eval_count": self.made, "eval_duration_ns": self.made * 10_000_000})
        if self.calls is not None:
            self.calls.add(one, ModelInfo(name="toy:latest", digest="sha256:abc"), HostInfo(url="http://127.0.0.1:1"))
        return one

@pytest.fixture
def model(request):
    return Model(plain.calls_of(request.node), 0.1)

@pytest.fixture
def quick_model(request):
    return Model(plain.calls_of(request.node), 2e-6)

@pytest.fixture
def clock():
    return CLOCK

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    for marker in list(item.iter_markers("on_toy_clock")):
        item.add_marker(pytest.mark.benchmark(timer=CLOCK, **marker.kwargs), append=False)
    plain.watch(item)

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    try:
        return (yield)
    finally:
        plain.fill(item)

def pytest_configure(config):
    config.addinivalue_line("markers", "on_toy_clock: time by a clock of our own")
    config.addinivalue_line("markers", "chimera: as the plugin has it")
"""

SIMPLE = "    benchmark(model.generate, 'why?')\n"
PEDANTIC = """
    def around(*args, **kwargs):
        model.generate("not counted")
    benchmark.pedantic(model.generate, args=("why?",), rounds=3, warmup_rounds=2, iterations={}, {})
"""


@pytest.fixture
def plain_rows(pytester: pytest.Pytester, make_generation: Callable[..., Generation]) -> Callable[..., Any]:
    """Runs one test with this body and returns the row that it left, or None."""

    def run(body: str, *args: str, marker: str = "", name: str = "model") -> Any:
        text = json.dumps(make_generation().as_dict())
        (pytester.path / "generation.json").write_text(text, encoding="utf-8")
        pytester.makeconftest(CONFTEST)
        pytester.makepyfile(
            test_it="import pytest\n"
            f"@pytest.mark.chimera\n@pytest.mark.on_toy_clock({marker})\n"
            f"def test_it(benchmark, {name}):\n{body}"
        )
        done = pytester.runpytest_inprocess("-p", "no:hypothesispytest", "--benchmark-json=x.json", *args)
        done.assert_outcomes(passed=1)
        file = pytester.path / "x.json"
        return json.loads(file.read_text(encoding="utf-8"))["benchmarks"][0] if file.exists() else None

    return run


def numbers(row: Any) -> list[list[int]]:
    """The numbers of the requests that each round of a row carries."""
    return [[each["output_tokens"] for each in one["generations"]] for one in row["extra_info"]["chimera"]["rounds"]]


def test_calibration_and_the_last_call_are_not_carried(plain_rows: Callable[..., Any]) -> None:
    """Of twelve requests the first calibrates and the last returns the value: the row carries the ten between."""
    row = plain_rows(SIMPLE)
    assert numbers(row) == [[number] for number in range(2, 12)]
    assert [one["value"] for one in row["extra_info"]["chimera"]["rounds"]] == row["stats"]["data"]


def test_a_plain_row_can_be_grouped_with_ours(plain_rows: Callable[..., Any]) -> None:
    """It has the params that our rows have, so that grouping by one of them finds it in every row of a run."""
    row = plain_rows(SIMPLE, "--benchmark-group-by=param:model,param:persona")
    assert row["params"] == {
        "model": "toy:latest",
        "metric": "",
        "quantization": "",
        "parameter_size": "",
        "persona": "",
        "prefix": "",
    }


def test_rounds_of_several_calls_carry_each_of_them(plain_rows: Callable[..., Any]) -> None:
    """A function too quick for the clock runs ten times a round, after eleven calibrating calls; all ten are there."""
    row = plain_rows(SIMPLE.replace("model", "quick_model"), marker="max_time=1e-4", name="quick_model")
    assert row["stats"]["iterations"] == 10
    assert numbers(row) == [list(range(first, first + 10)) for first in range(12, 62, 10)]


def test_a_function_that_asks_twice_carries_both(plain_rows: Callable[..., Any]) -> None:
    """Requests are told apart by the clock and not counted out, so a function may make any number of them."""
    row = plain_rows("    benchmark(lambda: (model.generate('a'), model.generate('b')))\n")
    assert numbers(row) == [[number, number + 1] for number in (3, 5, 7, 9, 11)]


def test_warm_up_calls_are_not_carried(plain_rows: Callable[..., Any]) -> None:
    """With pytest-benchmark's own warm-up on, the first carried request follows all that warmed up."""
    row = plain_rows(SIMPLE, "--benchmark-warmup=on", "--benchmark-warmup-iterations=3", marker="max_time=0.5")
    carried = numbers(row)
    assert len(carried) == row["stats"]["rounds"] == 5
    assert carried == [[carried[0][0] + number] for number in range(5)]
    assert carried[0][0] > 4


@pytest.mark.parametrize(
    ("iterations", "hooks", "expected"),
    [
        (1, "", [[3], [4], [5]]),
        (2, "", [[5, 6], [7, 8], [9, 10]]),
        (1, "setup=around, ", [[6], [8], [10]]),
        (1, "teardown=around, ", [[5], [7], [9]]),
    ],
)
def test_pedantic_rounds_carry_what_was_timed(
    plain_rows: Callable[..., Any], iterations: int, hooks: str, expected: list[list[int]]
) -> None:
    """In pedantic mode warm-up rounds, set-up, tear-down and the call for the value are left out."""
    hooks = hooks.replace("setup=around", "setup=lambda: (model.generate('no'), None)[1]")
    assert numbers(plain_rows(PEDANTIC.format(iterations, hooks))) == expected


def test_the_profiler_s_calls_are_not_carried(plain_rows: Callable[..., Any]) -> None:
    """Calls under --benchmark-cprofile come after the counted rounds and stay out."""
    row = plain_rows(SIMPLE, "--benchmark-cprofile=tottime", "--benchmark-cprofile-loops=4")
    assert numbers(row) == [[number] for number in range(2, 12)]


def test_rounds_until_precise_are_carried(plain_rows: Callable[..., Any]) -> None:
    """With --benchmark-precision the rounds that were made are the ones that are carried."""
    row = plain_rows(SIMPLE, "--benchmark-precision=0.5", "--benchmark-min-rounds=3")
    assert numbers(row) == [[number] for number in range(2, 5)]


def test_a_request_is_carried_with_its_times_and_counts(plain_rows: Callable[..., Any]) -> None:
    """What stands of the first round is this, whole, with model and server once above all rounds."""
    info = plain_rows(SIMPLE)["extra_info"]["chimera"]
    assert info.pop("rounds")[0]["generations"] == [
        {
            "model": "toy:latest",
            "prompt_hash": "0" * 64,
            "ttft_s": 0.05,
            "e2e_s": 0.15,
            "total_s": 0.149,
            "load_s": 0.002,
            "prompt_eval_s": 0.04,
            "eval_s": 0.02,
            "tok_s": 100.0,
            "prompt_tokens": 20,
            "cached_tokens": None,
            "output_tokens": 2,
            "done_reason": "stop",
            "failed": None,
            "nonce": "[0123abcd] ",
        }
    ]
    assert info == {
        "schema": 1,
        "kind": "plain",
        "unit": "s",
        "iterations": 1,
        "models": [
            {
                "model": "toy:latest",
                "digest": "sha256:abc",
                "family": None,
                "parameter_size": None,
                "quantization": None,
                "model_format": None,
                "model_file_bytes": None,
                "trained_context_tokens": None,
            }
        ],
        "host": "http://127.0.0.1:1",
        "engine": "ollama",
        "server_version": None,
        "ollama_version": None,
        "shares_clock": False,
    }


def test_what_the_test_wrote_itself_stays(plain_rows: Callable[..., Any]) -> None:
    """extra_info of the test's own is kept beside ours, and the saved name of the timer is the one asked for."""
    row = plain_rows(SIMPLE + "    benchmark.extra_info['mine'] = 1\n")
    assert sorted(row["extra_info"]) == ["chimera", "mine"]
    assert row["options"]["timer"] == "toy_clock"


def test_a_disabled_benchmark_carries_nothing(plain_rows: Callable[..., Any]) -> None:
    """With --benchmark-disable the function runs once and leaves no row."""
    assert plain_rows(SIMPLE + "    assert model.made == 1\n", "--benchmark-disable") is None


def test_a_test_that_asks_no_model_has_no_part_of_ours(plain_rows: Callable[..., Any]) -> None:
    """A marked test whose function makes no request keeps its extra_info empty."""
    row = plain_rows("    benchmark(lambda: setattr(clock, 'now', clock.now + 0.1))\n", name="clock")
    assert row["extra_info"] == {}


def test_an_ordinary_benchmark_is_left_alone(pytester: pytest.Pytester) -> None:
    """A benchmark that uses nothing of ours has its own timer and no marker more than it was given."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        test_it="def test_it(benchmark, request):\n"
        "    benchmark(int)\n"
        "    assert list(request.node.iter_markers()) == []\n"
    )
    done = pytester.runpytest_inprocess("-p", "no:hypothesispytest", "--benchmark-json=x.json")
    done.assert_outcomes(passed=1)
    row = json.loads((pytester.path / "x.json").read_text(encoding="utf-8"))["benchmarks"][0]
    assert (row["extra_info"], row["options"]["timer"]) == ({}, "perf_counter")
