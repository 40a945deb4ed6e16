"""What earlier runs say of one comparison, and what their rounds say of the runs."""

from __future__ import annotations

import math
from statistics import NormalDist, stdev
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.gate.history import History, spread_within, variance_of

quickly = settings(max_examples=100, deadline=None)

round_costs = st.floats(min_value=-8, max_value=8)
rounds_of_runs = st.lists(st.lists(round_costs, min_size=1, max_size=8), min_size=1, max_size=6)
withins = st.floats(min_value=1e-6, max_value=1)
counts = st.integers(min_value=3, max_value=2000)


@pytest.fixture(scope="module")
def np() -> Any:
    """The package numpy."""
    return pytest.importorskip("numpy", reason="numpy has medians of its own")


def five() -> History:
    """Five runs with whole-numbered deviations from 2."""
    return History(group="e2e", costs={"a": 1.0, "b": 2.0, "c": 4.0, "d": 2.0, "e": 1.0})


def test_a_history_has_centre_spread_and_degrees_of_freedom() -> None:
    """Of five runs the centre is their mean, the variance theirs with four degrees of freedom."""
    history = five()
    assert (history.centre, history.df, history.square) == (2, 4, 6 / 4)
    assert history.square == pytest.approx(stdev(history.costs.values()) ** 2, rel=1e-15)
    assert history.scale == 1 + 1 / 5
    assert history.deviations() == {(0, "a"): -1, (0, "b"): 0, (0, "c"): 2, (0, "d"): 0, (0, "e"): -1}


def test_one_run_has_no_spread() -> None:
    """A single run has no degree of freedom, no variance, and a difference from it twice the variance of a run."""
    history = History(group="e2e", costs={"a": 3.0})
    assert (history.centre, history.df, history.square, history.scale) == (3, 0, 0, 2)
    assert history.deviations() == {(0, "a"): 0}


def test_another_side_adds_its_spread_about_its_own_mean() -> None:
    """Runs of the other side count as deviations from their own mean, also where a run's name is on both sides."""
    history = History(group="e2e", costs={"a": 1.0, "b": 3.0}, others={"a": 10.0, "c": 14.0, "d": 12.0})
    assert history.centre == 2
    assert history.df == 1 + 2
    assert history.square == (1 + 1 + 4 + 4 + 0) / 3
    assert history.scale == 1 / 2 + 1 / 3
    assert history.deviations() == {(0, "a"): -1, (0, "b"): 1, (1, "a"): -2, (1, "c"): 2, (1, "d"): 0}


def test_one_run_of_the_other_side_adds_nothing() -> None:
    """A single new run leaves centre, spread, degrees of freedom and scale as they were without it."""
    alone, judged = five(), History(group="e2e", costs=five().costs, others={"new": 99.0})
    assert (judged.centre, judged.df, judged.square, judged.scale) == (
        alone.centre,
        alone.df,
        alone.square,
        alone.scale,
    )


def test_the_variance_of_rounds_is_averaged_over_all_runs() -> None:
    """Runs of both sides count, and one whose rounds are not known counts as explaining nothing."""
    history = History(
        group="e2e",
        costs={"a": 1.0, "b": 3.0},
        rounds_variance={"a": 0.25, "b": 0.75},
        others={"c": 2.0, "d": 2.0},
        others_variance={"d": 1.0},
    )
    assert history.mean_rounds_variance == 0.5
    assert five().mean_rounds_variance == 0


def test_fewer_rounds_than_before_leave_more_open() -> None:
    """Only what the new rounds explain beyond the mean of the earlier runs is further variance."""
    history = History(group="e2e", costs={"a": 1.0, "b": 3.0}, rounds_variance={"a": 0.25, "b": 0.75})
    assert [history.more_than_before(new) for new in (0.0, 0.5, 0.75, 2.5)] == [0, 0, 0.25, 2]


def test_a_baseline_without_rounds_explains_nothing() -> None:
    """Where no round of a run is known, all that the new rounds explain is further variance."""
    assert five().more_than_before(0.125) == 0.125
    half = History(group="e2e", costs={"a": 1.0, "b": 3.0}, rounds_variance={"a": 0.25})
    assert half.more_than_before(0.25) == 0.125


def test_of_two_groups_the_smaller_one_counts() -> None:
    """Where two groups are compared, only the smaller one's excess over the larger one counts, as of a mean of runs."""
    few, many = {"a": 1.0, "b": 3.0}, {"c": 1.0, "d": 2.0, "e": 3.0}
    loose, tight = {"a": 0.75, "b": 0.75}, {"c": 0.25, "d": 0.25, "e": 0.25}
    one = History(group="e2e", costs=few, rounds_variance=loose, others=many, others_variance=tight)
    other = History(group="e2e", costs=many, rounds_variance=tight, others=few, others_variance=loose)
    assert one.more_than_before(9.0) == other.more_than_before(9.0) == (0.75 - 0.25) / 2
    surer = History(group="e2e", costs=few, rounds_variance={"a": 0.125}, others=many, others_variance=tight)
    assert surer.more_than_before(9.0) == 0


@pytest.mark.parametrize("new", [0.125, 0.5, 4.0])
def test_a_single_new_run_is_the_smaller_group(new: float) -> None:
    """A group of one run against several leaves open what a new run judged by them does."""
    alone = History(group="e2e", costs={"a": 1.0, "b": 3.0}, rounds_variance={"a": 0.25, "b": 0.75})
    group = History(
        group="e2e",
        costs=alone.costs,
        rounds_variance=alone.rounds_variance,
        others={"c": 2.0},
        others_variance={"c": new},
    )
    assert group.more_than_before(0.0) == alone.more_than_before(new)


def test_of_two_equal_groups_neither_counts() -> None:
    """Two groups of equally many runs have no further variance, however few rounds one of them has."""
    history = History(
        group="e2e",
        costs={"a": 1.0, "b": 3.0},
        rounds_variance={"a": 0.25, "b": 0.75},
        others={"c": 2.0, "d": 1.0},
        others_variance={"c": 8.0, "d": 8.0},
    )
    assert history.more_than_before(8.0) == 0


def test_single_rounds_have_no_spread_within_runs() -> None:
    """Runs of one round each say nothing of how rounds scatter, and neither does no run."""
    assert spread_within([[1.0], [2.0], [5.0]]) is None
    assert spread_within([]) is None


def test_two_rounds_are_as_far_from_their_median_as_their_difference_says() -> None:
    """Of two rounds each is half the difference away; the correction for two makes it the difference over root two."""
    assert spread_within([[1.0, 1.5]]) == pytest.approx(1.4826 * 0.5 / math.sqrt(2), rel=1e-12)


def test_runs_with_unequal_rounds_are_pooled() -> None:
    """The distances of all runs have one median, each corrected for the rounds of its run; single ones say nothing."""
    pooled = spread_within([[0.0, 1.0, 2.0, 3.0, 4.0], [10.0, 10.5], [7.0]])
    root_two, root_five = math.sqrt(2), math.sqrt(5 / 4)
    distances = sorted([0.0, root_five, root_five, 2 * root_five, 2 * root_five, 0.25 * root_two, 0.25 * root_two])
    assert pooled == pytest.approx(1.4826 * distances[3], rel=1e-12)
    assert distances[3] == root_five


def test_one_outlier_weighs_little() -> None:
    """A round far off its run changes the spread of nine others by less than a third."""
    rounds = [NormalDist().inv_cdf(number / 10) for number in range(1, 10)]
    calm, odd = spread_within([rounds]), spread_within([[*rounds, 1e6]])
    assert calm is not None
    assert odd is not None
    assert calm < odd < 4 / 3 * calm


def test_many_normal_rounds_have_their_standard_deviation() -> None:
    """Quantiles of a normal distribution, as its ideal sample, are found to scatter by its standard deviation."""
    ideal = [NormalDist(5, 0.02).inv_cdf((number + 0.5) / 2000) for number in range(2000)]
    assert spread_within([ideal, ideal]) == pytest.approx(0.02, rel=1e-3)


@given(rounds_of_runs)
@quickly
def test_spread_within_is_numpys(np: Any, runs: list[list[float]]) -> None:
    """The spread is 1.4826 times the median of all corrected distances that numpy finds."""
    distances = [
        np.abs(np.array(run) - np.median(run)) * np.sqrt(len(run) / (len(run) - 1)) for run in runs if len(run) > 1
    ]
    expected = 1.4826 * float(np.median(np.concatenate(distances))) if distances else None
    assert (spread_within(runs) is None) is (expected is None)
    assert expected is None or spread_within(runs) == pytest.approx(expected, rel=1e-12, abs=1e-14)


@given(st.lists(round_costs, min_size=2, max_size=30))
@quickly
def test_the_spread_of_one_run_is_its_corrected_mad(np: Any, run: list[float]) -> None:
    """Of a single run the spread is numpy's median absolute deviation, scaled to a standard deviation and corrected."""
    mad = float(np.median(np.abs(np.array(run) - np.median(run))))
    assert spread_within([run]) == pytest.approx(
        1.4826 * mad * math.sqrt(len(run) / (len(run) - 1)), rel=1e-12, abs=1e-14
    )


@given(rounds_of_runs, st.floats(min_value=0.01, max_value=100), st.lists(round_costs, min_size=6, max_size=6))
@quickly
def test_spread_within_scales_and_ignores_levels(runs: list[list[float]], factor: float, shifts: list[float]) -> None:
    """Wider rounds scatter in proportion; how large the runs themselves are, and their order, makes no difference."""
    spread = spread_within(runs)
    if spread is not None:
        wider = [[factor * cost for cost in run] for run in runs]
        assert spread_within(wider) == pytest.approx(factor * spread, rel=1e-9, abs=1e-12 * factor)
        moved = [[cost + shift for cost in run] for run, shift in zip(runs, shifts, strict=False)]
        assert spread_within(moved) == pytest.approx(spread, rel=1e-9, abs=1e-12)
        assert spread_within([run[::-1] for run in runs[::-1]]) == spread


@pytest.mark.parametrize(
    ("statistic", "rounds", "in_squares"),
    [
        ("mean", 1, 1),
        ("mean", 10, 1 / 10),
        ("median", 1, 1),
        ("median", 2, 1 / 2),
        ("median", 3, math.pi / 6),
        ("median", 10, math.pi / 20),
        ("p50", 10, math.pi / 20),
        ("p95", 2, 1 / 2),
        ("p95", 20, 0.05 * 0.95 / 0.10313564037537139**2 / 20),
        ("p5", 20, 0.05 * 0.95 / 0.10313564037537139**2 / 20),
        ("p99", 100, 0.01 * 0.99 / 0.026652142203457783**2 / 100),
        ("max", 1, 1),
        ("max", 19, 0.05 * 0.95 / 0.10313564037537139**2 / 19),
        ("min", 19, 0.05 * 0.95 / 0.10313564037537139**2 / 19),
        ("max", 99, 0.01 * 0.99 / 0.026652142203457783**2 / 99),
    ],
)
def test_a_statistic_has_the_variance_of_the_large_sample(statistic: str, rounds: int, in_squares: float) -> None:
    """Means, medians, quantiles and ends have the variances that the textbook gives in units of one round's."""
    assert variance_of(statistic, rounds, 0.01) == pytest.approx(in_squares * 1e-4, rel=1e-9)


def test_the_variance_of_a_standard_deviation_depends_on_the_rounds_alone() -> None:
    """The logarithm of a standard deviation has the variance 1/(2(n-1)), however wide the rounds scatter."""
    assert [variance_of("sd", rounds, 0.01) for rounds in (2, 3, 11)] == [0.5, 0.25, 0.05]
    assert variance_of("sd", 11, 0.5) == variance_of("sd", 11, 0.01)


@given(st.sampled_from(["mean", "median", "min", "max", "p5", "p90", "p95", "p99"]), counts, withins)
@quickly
def test_variances_scale_and_fall(statistic: str, rounds: int, within: float) -> None:
    """Twice the scatter is four times the variance, more rounds less of it, and no scatter none."""
    variance = variance_of(statistic, rounds, within)
    assert variance_of(statistic, rounds, 2 * within) == pytest.approx(4 * variance, rel=1e-12)
    assert 0 < variance_of(statistic, rounds + 1, within) < variance
    assert variance_of(statistic, rounds, 0) == 0


@given(counts, withins)
@quickly
def test_variances_compare_as_statistics_do(rounds: int, within: float) -> None:
    """A mean is surer than a median, a median than a quantile, a quantile than one further out, and ends mirror."""
    mean, median, p90, p95, p99 = (
        variance_of(each, rounds, within) for each in ("mean", "median", "p90", "p95", "p99")
    )
    assert mean < median < p90 < p95 < p99
    assert variance_of("p5", rounds, within) == pytest.approx(p95, rel=1e-12)
    assert variance_of("min", rounds, within) == pytest.approx(variance_of("max", rounds, within), rel=1e-9)
