"""Beside optional neighbours and without them: xdist, pytest-benchmark, the terminal, pytest-benchmark's choices."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    "absent", [("xdist",), ("benchmark",), ("terminal",), ("xdist", "benchmark", "cacheprovider")], ids=" ".join
)
def test_a_case_is_measured_without_a_neighbour(one_case: Any, absent: tuple[str, ...]) -> None:
    """No optional plugin is needed: the case passes and its report is written."""
    result = one_case.run(*(word for name in absent for word in ("-p", f"no:{name}")))
    assert result.ret == 0
    assert "report.md" in one_case.reports()
    assert not (one_case.path / ".chimera" / "runs").exists()


def test_benchmark_only_runs_cases_and_skip_leaves_them_out(one_case: Any) -> None:
    """Measuring tests count as benchmarks, others do not, and pytest-benchmark has nothing to warn of."""
    one_case.pytester.makepyfile(
        test_more="def test_plain():\n    pass\n\ndef test_engine(chimera_engine):\n    pass\n"
    )
    one_case.run("--benchmark-only", "-W", "error").assert_outcomes(passed=1, skipped=2)
    one_case.run("--benchmark-skip", "-W", "error").assert_outcomes(passed=2, skipped=1)
    one_case.run("--benchmark-skip", "-n", "2", "-W", "error").assert_outcomes(passed=2, skipped=1)


def test_recorded_rows_come_without_a_warning(one_case: Any, way: tuple[str, ...]) -> None:
    """pytest-benchmark warns neither of an unused fixture nor of being off, with workers and without."""
    result = one_case.run(*way, "--benchmark-json=x.json", process=True)
    result.assert_outcomes(passed=1, warnings=0)
    assert "Warning" not in result.stderr.str()


def test_benchmark_disable_makes_one_round_and_no_row(one_case: Any, way: tuple[str, ...]) -> None:
    """A disabled run shows that the cases work: one round each, limits not held, no rows; and it says so."""
    one_case.pytester.makepyfile(
        test_sky="def test_sky(chimera):\n    chimera('Hello', limits=['tok/s >= 1000', 'ttft.p90 <= 1 s'])\n"
    )
    result = one_case.run(*way, "--benchmark-disable")
    assert result.ret == 0
    assert "chimera: --benchmark-disable: one round for each case, no rows, and no limit is judged" in result.outlines
    assert "test_sky[toy]  TIME  500  200  TIME  1  0  0" in one_case.ours(result)
    assert "benchmark 'ttft'" not in result.stdout.str()


def test_the_summary_comes_last(one_case: Any) -> None:
    """First pytest-benchmark's tables, then one line per case, then the path of the report."""
    lines = one_case.shown(one_case.run()).splitlines()
    summary = lines.index("--- chimera: median per case and model ---")
    assert lines.index("--- benchmark 'ttft': 1 tests ---") < summary
    assert lines[summary:-1] == [
        "--- chimera: median per case and model ---",
        "case  TTFT  prefill  decode  E2E  rounds  failed  cold",
        "  tok/s  tok/s",
        "test_sky[toy]  TIME  500  200  TIME  10  0  0",
        "report: .chimera/reports/toy-latest_1K_test-the-summary-comes-last0_STAMP.md",
    ]
