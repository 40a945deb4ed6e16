"""Whole runs with `chimera.sweep` and `chimera.arms`: the marker, other models, one round only, workers, rows."""

from __future__ import annotations

import json
from typing import Any

SWEEP = """
import pytest

@pytest.mark.chimera(rounds=3, sweep={"num_ctx": [512, 1024], "temperature": [0, 1]})
def test_sweep(chimera):
    run = chimera.sweep("Why is the sky blue?")
    assert len(run) == 4
    assert run.loads == ("num_ctx",)
"""
MISTAKEN = """
import pytest

@pytest.mark.chimera(sweep={"num_ctx": [512, 1024]})
def test_sweep(chimera):
    chimera("Why is the sky blue?")
"""
ARMS = """
def test_ab(chimera):
    run = chimera.arms("Why is the sky blue?", arms={"a": {"model": "toy"}, "b": {"model": "other"}}, rounds=3)
    assert [each.model.name for each in run] == ["toy:latest", "other:latest"]
"""


def rows(project: Any, *args: str) -> dict[str, int]:
    """The rows of a saved run for e2e, each with its number of values."""
    file = project.path / "saved.json"
    result = project.run(f"--benchmark-json={file}", *args)
    assert result.ret == 0, result.stdout.str()
    saved = json.loads(file.read_text(encoding="utf-8"))["benchmarks"]
    return {each["name"]: each["stats"]["rounds"] for each in saved if each["name"].endswith(" e2e")}


def test_each_point_has_rows_of_its_own(project: Any, way: tuple[str, ...]) -> None:
    """A marker says the sweep, and the saved file has every point with its rounds, with workers and without."""
    project.pytester.makepyfile(test_sweep=SWEEP)
    assert rows(project, *way) == {
        f"test_sweep[toy] num_ctx={window},temperature={temperature} e2e": 3
        for window in (512, 1024)
        for temperature in (0, 1)
    }


def test_arms_on_another_model_of_the_host(project: Any) -> None:
    """An arm may name any model that the host has; the item is that of the test's own."""
    project.pytester.makepyfile(test_ab=ARMS)
    assert rows(project) == {"test_ab[toy] a e2e": 3, "test_ab[toy] b e2e": 3}


def test_one_round_of_each_point_under_benchmark_disable(project: Any) -> None:
    """Fewer rounds than blocks need are enough to see that a sweep works."""
    project.pytester.makepyfile(test_sweep=SWEEP, test_ab=ARMS)
    result = project.run("--benchmark-disable")
    result.assert_outcomes(passed=2)


def test_a_plain_call_under_a_marker_with_a_sweep_is_refused(project: Any) -> None:
    """The failure says in one line, without a traceback, what to write."""
    project.pytester.makepyfile(test_sweep=MISTAKEN)
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*chimera(...) measures one case, and a sweep is said for it.*"])
    assert "Traceback" not in result.stdout.str()
