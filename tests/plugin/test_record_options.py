"""pytest-benchmark's own options on recorded rows: saving, comparing, drawing, switching off; alone and under xdist."""

from __future__ import annotations

import csv
import importlib.metadata
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_chimera.records import CaseResult

METRICS = ["ttft", "prompt_eval", "eval", "time/token", "load", "e2e"]
ROWS = [f"test_it.py::test_sky[toy] {metric}" for metric in METRICS]


@pytest.fixture(params=["alone", "xdist"])
def spread(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Arguments that run the tests in this process, or on two workers of xdist."""
    return () if request.param == "alone" else ("-n", "2")


def saved(recording: Any) -> list[Path]:
    """The saved runs, oldest first."""
    return sorted((recording.pytester.path / ".benchmarks").glob("*/*.json"))


def compare(recording: Any, *args: str) -> pytest.RunResult:
    """Run the command `pytest-benchmark compare`."""
    result: pytest.RunResult = recording.pytester.run(sys.executable, "-m", "pytest_benchmark", "compare", *args)
    return result


def test_json_holds_all_rows_and_nothing_is_warned_of(
    recording: Any, make_result: Callable[..., CaseResult], spread: tuple[str, ...]
) -> None:
    """--benchmark-json writes the six rows with their values; no warning is printed and the run passes."""
    done = recording.run([make_result()], *spread, "--benchmark-json=x.json", "-W", "error")
    assert done.ret == 0
    assert [row["fullname"] for row in recording.rows("x.json")] == ROWS
    assert [row["stats"]["data"] for row in recording.rows("x.json")][:2] == [[0.05, 0.06], [0.04, 0.04]]
    assert done.stderr.str().strip() == "Wrote benchmark data in: x.json"
    assert "warning" not in done.stdout.str().lower()


def test_a_saved_run_has_values_per_round_without_save_data(
    recording: Any, make_result: Callable[..., CaseResult], spread: tuple[str, ...]
) -> None:
    """--benchmark-save leaves out pytest-benchmark's data; the values per round stand in extra_info all the same."""
    recording.run([make_result()], *spread, "--benchmark-save=first")
    (path,) = saved(recording)
    row = json.loads(path.read_text(encoding="utf-8"))["benchmarks"][0]
    assert path.name == "0001_first.json"
    assert "data" not in row["stats"]
    assert [each["value"] for each in row["extra_info"]["chimera"]["rounds"]] == [0.3, 0.05, 0.06, None]


def test_autosave_with_data(recording: Any, make_result: Callable[..., CaseResult], spread: tuple[str, ...]) -> None:
    """--benchmark-autosave --benchmark-save-data keeps the values in pytest-benchmark's own place too."""
    recording.run([make_result()], *spread, "--benchmark-autosave", "--benchmark-save-data")
    (path,) = saved(recording)
    rows = json.loads(path.read_text(encoding="utf-8"))["benchmarks"]
    assert [row["fullname"] for row in rows] == ROWS
    assert rows[0]["stats"]["data"] == [0.05, 0.06]


def test_compare_shows_both_runs_and_does_not_call_the_machine_different(
    recording: Any, make_result: Callable[..., CaseResult], spread: tuple[str, ...]
) -> None:
    """--benchmark-compare puts the saved row beside the new one, and two runs on one machine are on one machine."""
    recording.run([make_result()], *spread, "--benchmark-save=first")
    done = recording.run([make_result(ttfts_ms=(100, 120))], *spread, "--benchmark-compare", "--benchmark-name=short")
    lines = [line.split()[:3] for line in done.stdout.lines if line.startswith("sky[toy] ttft")]
    assert lines == [["sky[toy]", "ttft", "(0001)"], ["sky[toy]", "ttft", "(NOW)"]]
    assert "machine_info" not in done.stdout.str() + done.stderr.str()


def test_a_project_without_cases_keeps_its_machine_info(recording: Any, make_result: Callable[..., CaseResult]) -> None:
    """A run of ordinary benchmarks saves no part of ours, and compares with its like without a word of ours."""
    recording.pytester.makepyfile(test_plain="def test_plain(benchmark):\n    benchmark(int)\n")
    recording.run([], "--benchmark-save=first")
    done = recording.run([], "--benchmark-save=second", "--benchmark-compare=0001")
    assert ["chimera" in json.loads(path.read_text(encoding="utf-8"))["machine_info"] for path in saved(recording)] == [
        False,
        False,
    ]
    assert "machine_info is different" not in done.stderr.str()


def test_machine_info_gains_the_hardware(recording: Any, make_result: Callable[..., CaseResult]) -> None:
    """A run with rows of ours says on what machine it was measured, in a part of its own."""
    recording.run([make_result()], "--benchmark-json=x.json")
    info = json.loads((recording.pytester.path / "x.json").read_text(encoding="utf-8"))["machine_info"]
    assert {"cpu_count", "memory_bytes", "os"} <= set(info["chimera"])
    assert {"node", "cpu", "python_version"} <= set(info)


def test_histogram_draws_one_picture_per_metric(
    recording: Any, make_result: Callable[..., CaseResult], spread: tuple[str, ...]
) -> None:
    """--benchmark-histogram writes one SVG for each group of rows."""
    recording.run([make_result()], *spread, "--benchmark-histogram=pictures/of", subprocess=True)
    assert sorted(path.name for path in (recording.pytester.path / "pictures").iterdir()) == [
        "of-e2e.svg",
        "of-eval.svg",
        "of-load.svg",
        "of-prompt_eval.svg",
        "of-time_token.svg",
        "of-ttft.svg",
    ]


@pytest.mark.parametrize("label", ["group", "name", "func", "fullname", "param", "param:model", "param:quantization"])
def test_rows_group_by_every_label(recording: Any, make_result: Callable[..., CaseResult], label: str) -> None:
    """Each way of grouping that pytest-benchmark has works on rows of ours."""
    done = recording.run([make_result()], f"--benchmark-group-by={label}")
    assert done.ret == 0
    assert "test_sky[toy] ttft" in done.stdout.str()


@pytest.mark.parametrize(
    "option",
    ["--benchmark-cprofile=tottime", "--benchmark-verbose", "--benchmark-quiet", "--benchmark-time-unit=us",
     "--benchmark-sort=fullname", "--benchmark-name=long", "--benchmark-columns=min,outliers,ops", "--collect-only"],
)  # fmt: skip
def test_every_other_option_leaves_a_run_well(
    recording: Any, make_result: Callable[..., CaseResult], option: str
) -> None:
    """Options about profiles, words and columns find what they need in rows of ours."""
    done = recording.run([make_result()], option, "--benchmark-json=x.json")
    assert done.ret == 0
    assert [row["fullname"] for row in recording.rows("x.json")] == ROWS
    assert "Traceback" not in done.stdout.str() + done.stderr.str()


def test_the_compare_command_reads_saved_runs(recording: Any, make_result: Callable[..., CaseResult]) -> None:
    """`pytest-benchmark compare A B` prints both, groups by model, writes a CSV and draws."""
    recording.run([make_result()], "--benchmark-save=a")
    recording.run([make_result(ttfts_ms=(100, 120))], "--benchmark-save=b")
    done = compare(
        recording, "0001", "0002", "--csv=two.csv", "--group-by=param:model", "--histogram=two", "--columns=median,ops"
    )
    assert done.ret == 0
    assert "benchmark 'model=toy:latest': 12 tests" in done.stdout.str()
    with (recording.pytester.path / "two.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    ttft = [row for row in table if row["name"].endswith("ttft")]
    assert [(row["name"], float(row["median"]), row["param:model"]) for row in ttft] == [
        ("test_it.py::test_sky[toy] ttft", 0.055, "toy:latest"),
        ("test_it.py::test_sky[toy] ttft", 0.11, "toy:latest"),
    ]
    assert (recording.pytester.path / "two-model=toy_latest.svg").exists()


def test_disable_records_no_row_and_says_nothing(
    recording: Any, make_result: Callable[..., CaseResult], spread: tuple[str, ...]
) -> None:
    """--benchmark-disable leaves no row, no table and no file; pytest-benchmark does not complain about it either."""
    done = recording.run([make_result()], *spread, "--benchmark-disable", "--benchmark-autosave", "-W", "error")
    assert done.ret == 0
    assert "benchmark '" not in done.stdout.str()
    assert saved(recording) == []
    assert done.stderr.str().strip() == ""


def test_enable_overrules_disable(
    recording: Any, make_result: Callable[..., CaseResult], spread: tuple[str, ...]
) -> None:
    """--benchmark-enable after --benchmark-disable in the ini file records rows, as pytest-benchmark does its own."""
    recording.pytester.makeini("[pytest]\naddopts = --benchmark-disable\n")
    recording.run([make_result()], *spread, "--benchmark-enable", "--benchmark-json=x.json")
    assert [row["fullname"] for row in recording.rows("x.json")] == ROWS


def test_rows_of_a_run_whose_worker_died_are_saved(recording: Any, make_result: Callable[..., CaseResult]) -> None:
    """A worker that ends in the middle of a test takes no row with it."""
    recording.pytester.makepyfile(test_dies="import os\ndef test_dies():\n    os._exit(3)\n")
    done = recording.run([make_result()], "-n", "2", "--benchmark-json=x.json")
    assert done.ret == 1
    assert [row["fullname"] for row in recording.rows("x.json")] == ROWS


def test_rows_of_an_interrupted_run_are_saved(recording: Any, make_result: Callable[..., CaseResult]) -> None:
    """After Ctrl-C in a test the rows stand in the file and in the table, and the status is 2."""
    recording.pytester.makepyfile(test_stops="def test_stops():\n    raise KeyboardInterrupt\n")
    done = recording.run([make_result(complete=False)], "--benchmark-json=x.json", subprocess=True)
    assert done.ret == pytest.ExitCode.INTERRUPTED
    assert [row["fullname"] for row in recording.rows("x.json")] == ROWS
    assert recording.rows("x.json")[0]["extra_info"]["chimera"]["complete"] is False
    assert "benchmark 'ttft': 1 tests" in done.stdout.str()


def test_without_pytest_benchmark_nothing_is_recorded_and_nothing_breaks(
    recording: Any, make_result: Callable[..., CaseResult]
) -> None:
    """`-p no:benchmark` runs the tests and leaves the rows out in silence."""
    done = recording.run([make_result()], "-p", "no:benchmark")
    done.assert_outcomes(passed=1)
    assert "problem" not in done.stdout.str()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("del stats.Metadata", "ImportError: cannot import name 'Metadata' from 'pytest_benchmark.stats'"),
        ("del stats.Metadata.update", "AttributeError: 'Metadata' object has no attribute 'update'"),
        ("stats.Stats.update = lambda self, value: self.data.append(2 * value)", "ValueError: a row does not keep"),
        ("stats.Metadata.as_dict = lambda self: {}", "KeyError: 'stats'"),
    ],
)
def test_a_changed_pytest_benchmark_is_named_and_breaks_nothing(
    recording: Any, make_result: Callable[..., CaseResult], change: str, reason: str
) -> None:
    """When the private side that rows need has changed, one text says so with both versions; the tests still pass."""
    recording.pytester.makepyfile(
        test_it=f"from pytest_benchmark import stats\ndef test_it(monkeypatch):\n    {change}\n"
    )
    done = recording.run([make_result()], subprocess=True)
    done.assert_outcomes(passed=1)
    (problem,) = [line for line in done.stdout.lines if line.startswith("problem: ")]
    version = importlib.metadata.version("pytest-benchmark")
    assert problem.startswith(
        f"problem: Rows are not recorded: this needs pytest-benchmark >= 5.3, found {version} ({reason}"
    )
    assert problem.endswith(
        "What was measured is in the report all the same. "
        "Install a version that this one of pytest-chimera knows, or a newer pytest-chimera."
    )
