"""Whole runs that record: the same rows with and without workers, every option, JUnit, plain benchmarks."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

METRICS = ["ttft", "prompt_eval", "eval", "time/token", "load", "e2e"]
ROWS = [f"test_sky.py::test_sky[toy] {metric}" for metric in METRICS]
QUICK = ("--chimera-rounds=2", "--chimera-warmup=1")
TWO_CALLS = """
def test_sky(chimera):
    chimera("Why is the sky blue?")
    chimera("And why is it red at night?", rounds=1)
"""
PLAIN = """
import pytest

@pytest.mark.benchmark(min_rounds=3, max_time=0.000001)
def test_plain(benchmark, chimera_model):
    answer = benchmark(chimera_model.generate, "Why is the sky blue?", options={"num_ctx": 4096})
    assert answer.text == "Because of its molecules."
"""


def saved(path: Path) -> Any:
    """What a run wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_rows_of_a_run(one_case: Any, way: tuple[str, ...]) -> None:
    """With and without workers the same six rows are written, with the server's own durations, and nothing warns."""
    result = one_case.run(*way, *QUICK, "--benchmark-json=x.json", "-W", "error")
    assert result.ret == 0
    rows = saved(one_case.path / "x.json")["benchmarks"]
    assert [row["fullname"] for row in rows] == ROWS
    assert {row["group"]: row["stats"]["data"] for row in rows if row["group"] not in {"ttft", "e2e"}} == {
        "prompt_eval": [0.04] * 2,
        "eval": [0.05] * 2,
        "time/token": [0.005] * 2,
        "load": [0.002] * 2,
    }
    info = rows[0]["extra_info"]["chimera"]
    assert [(each["warmup"], each["counted"]) for each in info["rounds"]] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    assert (info["model"], info["host"], info["num_ctx_loaded"]) == ("toy:latest", one_case.host, 4096)
    assert len({each["nonce"] for each in info["rounds"]}) == 3
    assert "Why is" not in json.dumps(rows)
    assert "warning" not in (result.stdout.str() + result.stderr.str()).lower()


def test_operations_are_tokens_per_second_in_the_table(one_case: Any, way: tuple[str, ...]) -> None:
    """The table of time per token shows the 200 tok/s of the server as its operations per second."""
    result = one_case.run(*way, *QUICK, "--benchmark-columns=ops,rounds")
    lines = [line.split() for line in result.stdout.lines if line.startswith("test_sky[toy] time/token")]
    assert lines == [["test_sky[toy]", "time/token", "200.0000", "2"]]


def test_disable_measures_one_round_and_records_none(one_case: Any, way: tuple[str, ...]) -> None:
    """--benchmark-disable runs each case for one round, which the report has, and leaves no row and no warning."""
    result = one_case.run(*way, "--benchmark-disable", "--benchmark-autosave", "-W", "error")
    assert result.ret == 0
    assert "benchmark '" not in result.stdout.str()
    assert list(one_case.path.glob(".benchmarks/**/*.json")) == []
    assert any(re.match(r"test_sky\[toy\] .* 1  0  0$", line) for line in one_case.ours(result))


def test_skip_leaves_cases_out(one_case: Any, way: tuple[str, ...]) -> None:
    """--benchmark-skip skips cases as it skips benchmarks, without a warning, and nothing is measured."""
    result = one_case.run(*way, "--benchmark-skip", "-W", "error")
    result.assert_outcomes(skipped=1)
    assert one_case.reports() == []


def test_only_runs_cases_and_nothing_else(one_case: Any) -> None:
    """--benchmark-only runs cases and skips other tests; no warning says that a fixture was not used."""
    one_case.pytester.makepyfile(test_other="def test_other():\n    pass\n")
    result = one_case.run(*QUICK, "--benchmark-only", "--benchmark-json=x.json", "-W", "error")
    result.assert_outcomes(passed=1, skipped=1)
    assert [row["fullname"] for row in saved(one_case.path / "x.json")["benchmarks"]] == ROWS
    assert "not used" not in result.stdout.str() + result.stderr.str()


def test_only_with_workers_is_refused_by_pytest_benchmark(one_case: Any) -> None:
    """`-n` with --benchmark-only is pytest-benchmark's own refusal, status 4, as the README says."""
    result = one_case.run("-n", "2", "--benchmark-only")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Can't have both --benchmark-only and --benchmark-disable options." in result.stderr.str()


def test_two_saved_runs_compare(one_case: Any, way: tuple[str, ...]) -> None:
    """A saved run is compared with the next; machine and rows are found to be the same."""
    one_case.run(*way, *QUICK, "--benchmark-save=one")
    result = one_case.run(*way, *QUICK, "--benchmark-compare", "--benchmark-columns=median", "--benchmark-sort=name")
    shown = one_case.shown(result)
    assert shown.count("test_sky[toy] eval (") == 2
    assert "machine_info is different" not in shown + result.stderr.str()


def test_each_call_of_a_test_has_its_own_rows_and_properties(project: Any, way: tuple[str, ...]) -> None:
    """Two calls in one test make twelve rows, and in JUnit twelve scalars under two sets of names and no Generation."""
    project.pytester.makepyfile(test_sky=TWO_CALLS)
    project.run(*way, *QUICK, "--benchmark-json=x.json", "--junit-xml=junit.xml")
    second = [row.replace("[toy]", "[toy] #2") for row in ROWS]
    assert [row["fullname"] for row in saved(project.path / "x.json")["benchmarks"]] == ROWS + second
    (case,) = ET.parse(project.path / "junit.xml").iter("testcase")
    found = {each.attrib["name"]: each.attrib["value"] for each in case.iter("property")}
    six = ["ttft_ms", "tok_s", "prefill_tok_s", "e2e_ms", "output_tokens", "rounds"]
    assert list(found) == six + [f"call2_{name}" for name in six]
    exact = ("tok_s", "prefill_tok_s", "output_tokens", "rounds", "call2_tok_s", "call2_rounds")
    assert {name: found[name] for name in exact} == {
        "tok_s": "200",
        "prefill_tok_s": "500",
        "output_tokens": "10",
        "rounds": "2",
        "call2_tok_s": "200",
        "call2_rounds": "1",
    }


def test_a_failed_case_keeps_its_counted_rounds_as_rows(project: Any, way: tuple[str, ...]) -> None:
    """A case that breaks a limit is a failed test whose rows are saved all the same."""
    project.pytester.makepyfile(test_sky="def test_sky(chimera):\n    chimera('Hi', limits={'tok/s': '>= 300'})\n")
    result = project.run(*way, *QUICK, "--benchmark-json=x.json")
    result.assert_outcomes(failed=1)
    assert [row["fullname"] for row in saved(project.path / "x.json")["benchmarks"]] == ROWS


def test_a_dead_worker_takes_no_finished_round_with_it(project: Any) -> None:
    """A worker that dies after two of its rounds: the rows hold what was finished, and say that the case was not."""
    project.pytester.makepyfile(
        test_sky="""
        import os

        def test_sky(chimera):
            chimera("Why is the sky blue?")
            os._exit(3)
        """
    )
    result = project.run("-n", "2", *QUICK, "--benchmark-json=x.json")
    assert result.ret == 1
    rows = saved(project.path / "x.json")["benchmarks"]
    assert [row["fullname"] for row in rows] == ROWS
    assert [row["stats"]["rounds"] for row in rows] == [2] * 6


def test_what_ctrl_c_left_is_recorded(project: Any) -> None:
    """After Ctrl-C in a test that had measured, its rounds are rows, and the status is 2."""
    project.pytester.makepyfile(
        test_sky="""
        def test_sky(chimera):
            chimera("Why is the sky blue?")
            raise KeyboardInterrupt
        """
    )
    result = project.run(*QUICK, "--benchmark-json=x.json", process=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert [row["fullname"] for row in saved(project.path / "x.json")["benchmarks"]] == ROWS


def test_a_plain_benchmark_carries_what_its_row_counted(project: Any) -> None:
    """`benchmark(chimera_model.generate, ...)` is a row with one request per round, of this model at this server."""
    project.pytester.makepyfile(test_plain=PLAIN)
    result = project.run("--benchmark-json=x.json", "-W", "error")
    result.assert_outcomes(passed=1)
    data = saved(project.path / "x.json")
    (row,) = data["benchmarks"]
    assert (row["fullname"], row["options"]["timer"]) == ("test_plain.py::test_plain[toy]", "perf_counter")
    info = row["extra_info"]["chimera"]
    assert [one["value"] for one in info["rounds"]] == row["stats"]["data"]
    assert [[each["eval_s"] for each in one["generations"]] for one in info["rounds"]] == [[0.05]] * 3
    assert all(one["generations"][0]["e2e_s"] < one["value"] for one in info["rounds"])
    assert ([each["model"] for each in info["models"]], info["host"]) == (["toy:latest"], project.host)
    assert "chimera" in data["machine_info"]


def test_building_a_report_in_a_test_is_recorded(project: Any, way: tuple[str, ...]) -> None:
    """A test with `chimera_report` leaves rows of how long its parts took, beside those of the cases."""
    project.pytester.makepyfile(
        test_sky="def test_sky(chimera):\n    chimera('Hello')\n",
        test_zz="def test_report(chimera_report):\n    assert chimera_report.markdown\n",
    )
    result = project.run(*way, *QUICK, "--benchmark-json=x.json", "-W", "error")
    result.assert_outcomes(passed=2)
    rows = saved(project.path / "x.json")["benchmarks"]
    assert [row["fullname"] for row in rows] == [
        *ROWS,
        "test_zz.py::test_report report build",
        "test_zz.py::test_report report markdown",
        "test_zz.py::test_report report json",
    ]
    assert {tuple(row["params"]) for row in rows} == {tuple(rows[0]["params"])}


def test_ordinary_benchmarks_stand_beside_cases(one_case: Any) -> None:
    """A project may have both: each has its rows, and the ordinary one nothing of ours."""
    one_case.pytester.makepyfile(test_other="def test_other(benchmark):\n    benchmark(int)\n")
    result = one_case.run(*QUICK, "--benchmark-json=x.json", "--benchmark-max-time=0.001", "-W", "error")
    result.assert_outcomes(passed=2)
    rows = {row["fullname"]: row["extra_info"] for row in saved(one_case.path / "x.json")["benchmarks"]}
    assert rows.pop("test_other.py::test_other") == {}
    assert sorted(rows) == sorted(ROWS)
