"""Sweeps and arms at the end of a run: lines below the table, the table of arms, the report and its short form."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.report import assert_report

if TYPE_CHECKING:
    from pathlib import Path

SWEEP = """
def test_sweep(chimera):
    chimera.sweep("Why is the sky blue?", sweep={"temperature": [0.2, 0.8], "top_k": [1, 40]}, rounds=3)
"""
ARMS = """
def test_ab(chimera):
    chimera.arms(
        "Why is the sky blue?",
        arms={"cold": {"options": {"temperature": 0.0}}, "hot": {"options": {"temperature": 1.0}}},
        rounds=4,
    )
"""


def summary(result: Any) -> str:
    """The summary with its wrapped lines joined."""
    return re.sub(r"\s+", " ", result.stdout.str())


@pytest.mark.parametrize("columns", ["40", "80"])
def test_a_sweep_has_its_lines(project: Any, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """Below the table stand its points, effects and best point, in lines no longer than the terminal."""
    monkeypatch.setenv("COLUMNS", columns)
    project.pytester.makepyfile(test_sweep=SWEEP)
    result = project.run()
    result.assert_outcomes(passed=1)
    assert "sweep test_sweep on toy:latest: 4 points; tok/s: temperature 0.0 % (nothing varies beside it" in summary(
        result
    )
    lines = result.stdout.str().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("sweep test_sweep"))
    end = next(number for number, line in enumerate(lines) if number > begin and line.startswith("report: "))
    assert max(map(len, lines[begin:end])) <= int(columns)


def test_the_report_on_a_sweep(project: Any, way: tuple[str, ...]) -> None:
    """With and without workers the report has its section and pictures, every number in it with its fact."""
    project.pytester.makepyfile(test_sweep=SWEEP)
    project.run(*way).assert_outcomes(passed=1)
    (file,) = (project.path / ".chimera" / "reports").glob("*.json")
    checked = assert_report(file).has_sections("Performance Analysis", "Parameter Sweeps", "Metrics")
    checked.every_number_has_a_fact().no_failed_round_in_a_mean().no_empty_sections()
    (sweep,) = json.loads(file.read_text(encoding="utf-8"))["sweeps"]
    assert [point["label"] for point in sweep["points"]] == [
        "temperature=0.2,top_k=1", "temperature=0.2,top_k=40", "temperature=0.8,top_k=1", "temperature=0.8,top_k=40",
    ]  # fmt: skip
    assert len([name for name in project.reports() if name.endswith((".sweep.tok_s.svg", ".sweep.ttft.svg"))]) == 2


def test_arms_have_their_table(project: Any, way: tuple[str, ...]) -> None:
    """The verdicts on arms stand below a title of their own, and none of them speaks of a baseline."""
    project.pytester.makepyfile(test_ab=ARMS)
    text = project.shown(project.run(*way))
    assert "--- chimera: arms against each other ---" in text
    assert "against the baseline" not in text
    assert re.search(r"test_ab\[toy\] hot  tok/s +cold +\+0\.0 %", text)


def test_the_page_of_a_job_has_the_best_points(project: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """GITHUB_STEP_SUMMARY gets the sentences on the best points and the table of arms."""
    page = tmp_path / "page.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    project.pytester.makepyfile(test_sweep=SWEEP, test_ab=ARMS)
    project.run()
    text = page.read_text(encoding="utf-8")
    assert "- `test_sweep` on `toy:latest`: Highest tok/s: `temperature=" in text
    assert text.index("### Arms") < text.index("### Parameter Sweeps") < text.index("| Case")
