"""The analysis of a real folder against what two other tools found in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_chimera.analysis import Evidence, analyse, rename_plan

if TYPE_CHECKING:
    from pytest_chimera.analysis.form import Analysis
    from pytest_chimera.records import Fact
    from tests.analysis.conftest import Maker

MODELS = [
    ("gemma3:latest", 51, 5, 46, 100.5937, 101.9781),
    ("gemma3:270m", 41, 2, 39, 286.1591, 290.0033),
    ("gemma3:1b-it-qat", 41, 0, 41, 183.6526, 183.9490),
    ("llama3.1:8b-instruct-q4_0", 76, 25, 51, 77.6716, 77.6100),
    ("llama3.1:8b-instruct-q5_K_M", 35, 25, 10, 65.1450, 65.0950),
    ("llama3.1:8b-instruct-q8_0", 30, 20, 10, 46.4850, 46.5900),
]
"""Model, rows, failed, ok, mean tok/s, median: the table of the corpus's README."""


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """The folder, read."""
    place = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "chimera"
    if not place.is_dir():
        pytest.skip(f"needs the corpus in {place}, which is not part of the project")
    from pytest_chimera.corpus import read_corpus  # noqa: PLC0415  # another room, which only these tests need

    found = read_corpus([place])
    return Evidence(measurements=found.measurements, others=found.others, artifacts=found.artifacts, left=found.left)


@pytest.fixture(scope="module")
def analysis(evidence: Evidence) -> Analysis:
    """Its analysis."""
    return analyse(evidence)


@pytest.mark.parametrize("expected", MODELS, ids=lambda each: each[0])
def test_counts_and_means_are_those_of_two_other_tools(
    make: Maker, analysis: Analysis, expected: tuple[str, int, int, int, float, float]
) -> None:
    """Distinct rows, failed ones apart: counts, mean and median of each model to all digits shown."""
    part, model = analysis.part("models"), expected[0]
    counts = [make.value(part, metric, "count", model=model) for metric in ("rows", "failed_rows", "tok/s")]
    means = [round(make.value(part, "tok/s", name, model=model) or 0, 4) for name in ("mean", "median")]
    assert (model, *counts, *means) == expected


def test_cold_rows_are_all_found(make: Maker, analysis: Analysis) -> None:
    """Fifty-three rows carry a model load."""
    part = analysis.part("models")
    assert sum(make.value(part, "cold_rows", "count", model=model) or 0 for model, *_ in MODELS) == 53


def shares(analysis: Analysis, make: Maker, metric: str, **subject: str) -> list[float]:
    """eta^2 of temperature in all sweeps of models."""
    found = {
        fact.id: fact.value
        for fact in make.facts(analysis.part("effects"))
        if (fact.metric, fact.statistic, fact.subject.get("setting")) == (metric, "eta2", "temperature")
        and fact.subject.get("rows", "all") == subject.get("rows", "all")
        and "model" in fact.subject
    }
    return sorted(value for value in found.values() if value is not None)


def test_temperature_drives_ttft_over_all_rows_and_not_over_warm_ones(make: Maker, analysis: Analysis) -> None:
    """Four sweeps: eta^2 is 0.57 to 1.00 over all rows and 0.01 to 0.09 over the warm ones."""
    every, warm = shares(analysis, make, "ttft"), shares(analysis, make, "ttft", rows="warm")
    assert (len(every), len(warm)) == (4, 4)
    assert (f"{every[0]:.2f}", f"{every[-1]:.2f}") == ("0.57", "1.00")
    assert (f"{warm[0]:.2f}", f"{warm[-1]:.2f}") == ("0.01", "0.09")


def test_levels_of_num_ctx_are_as_far_apart_as_was_found(make: Maker, analysis: Analysis) -> None:
    """The means of the levels of num_ctx are 0.19, 0.32, 0.72 and 3.36 % apart."""
    found: dict[str, Fact] = {
        fact.id: fact
        for fact in make.facts(analysis.part("effects"))
        if (fact.metric, fact.statistic, fact.subject.get("setting")) == ("tok/s", "spread", "num_ctx")
        and "rows" not in fact.subject
    }
    assert sorted(f"{(fact.value or 0) * 100:.2f}" for fact in found.values()) == ["0.19", "0.32", "0.72", "3.36"]


def test_no_winner_is_proven(make: Maker, analysis: Analysis) -> None:
    """The best of each sweep is 0.2 to 1.5 residual deviations above the second, and called not distinguishable."""
    leads = {
        fact.id: fact.value
        for fact in make.facts(analysis.part("effects"))
        if (fact.metric, fact.statistic) == ("tok/s", "difference / sd") and "model" in fact.subject
    }
    assert sorted(f"{value:.1f}" for value in leads.values() if value) == ["0.2", "0.3", "0.4", "1.5"]
    said = [each for each in make.findings(analysis.part("effects")) if each.startswith("Best mean tok/s")]
    assert len(said) == 4
    assert all("not distinguishable" in each for each in said)


def test_the_sweeps_ran_in_the_order_of_their_loops(make: Maker, analysis: Analysis) -> None:
    """All four sweeps ran as nested loops, not at random."""
    assert sum("in the order of nested loops" in each for each in make.findings(analysis.part("effects"))) >= 4


def test_a_summary_that_drops_timeouts_is_found(make: Maker, analysis: Analysis) -> None:
    """One summary silently leaves two rows out that timed out."""
    assert any("leaves out 2 of the 36 rows" in each for each in make.findings(analysis.part("summaries")))


def test_series_of_telemetry_stay_apart(make: Maker, analysis: Analysis) -> None:
    """The CPU of the system is 13.9 % on average and 15.4 % at most, whatever processes did."""
    part = analysis.part("environment")
    values = {
        (round(fact.value or 0, 4), fact.statistic)
        for fact in make.facts(part)
        if fact.metric == "cpu"
        and fact.subject.get("series") == "/metrics"
        and fact.statistic in {"mean", "max"}
        and fact.n == 6
    }
    assert values == {(0.1393, "mean"), (0.154, "max")}


def test_masked_failures_enter_no_mean(make: Maker, analysis: Analysis) -> None:
    """Five rows that claim success with an error text are a cause of failures."""
    assert any(each.startswith("5 rows failed with 'masked:") for each in make.findings(analysis.part("gaps")))


def test_each_file_is_in_the_plan_of_names_once(evidence: Evidence) -> None:
    """The plan has a line per file."""
    assert rename_plan(evidence).count("\n") == len(evidence.artifacts) + 1


def test_ids_are_unique_in_a_real_folder(make: Maker, analysis: Analysis) -> None:
    """Thousands of facts, each with an id of its own."""
    by_id: dict[str, Fact] = {}
    for part in analysis.parts:
        for fact in make.facts(part):
            assert by_id.setdefault(fact.id, fact) == fact
    assert len(by_id) > 3000
