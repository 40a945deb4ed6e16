"""What holds of the decision rule for any costs: symmetry, units, order, and that more evidence never counts less."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_chimera.gate.history import History
from pytest_chimera.gate.rule import Margin, Suite, SuiteNoise

if TYPE_CHECKING:
    from random import Random

quickly = settings(max_examples=100, deadline=None)
sparingly = settings(max_examples=40, deadline=None)

STEP = 1e-4
"""Costs are drawn on a grid, so that no spread is lost in the last digits of a logarithm."""
SURE = 1e-9

alphas = st.floats(min_value=-12, max_value=math.log10(0.4)).map(lambda exponent: 10.0**exponent)
levels = st.floats(min_value=-10, max_value=10)
differences = st.floats(min_value=-2, max_value=2)


def side(count: int) -> st.SearchStrategy[list[int]]:
    """Deviations of the runs of one side, in steps."""
    return st.lists(st.integers(min_value=-800, max_value=800), min_size=count, max_size=count)


def uneven(count: int) -> st.SearchStrategy[list[int]]:
    """Deviations of which no two are equal, so that there is a spread."""
    return st.lists(st.integers(min_value=-800, max_value=800), min_size=count, max_size=count, unique=True)


def named(prefix: str, level: float, steps: list[int]) -> dict[str, float]:
    """Run -> ln cost."""
    return {f"{prefix}{number}": level + STEP * step for number, step in enumerate(steps)}


@st.composite
def compared(draw: st.DrawFn, *, equal: bool) -> dict[object, History]:
    """Two groups of runs, of one size or not, compared in one to ten comparisons of one or two metrics."""
    count = draw(st.integers(min_value=1, max_value=6))
    others = count if equal else draw(st.integers(min_value=1, max_value=6))
    comparisons = draw(st.sampled_from([1, 2, 3, 10]))
    metrics = draw(st.integers(min_value=1, max_value=2))
    variance = st.sampled_from([0.0, 1e-5, 3e-4])
    found: dict[object, History] = {}
    for key in range(comparisons):
        base, other = named("b", draw(levels), draw(side(count))), named("o", draw(levels), draw(side(others)))
        found[key] = History(
            group=f"metric {key % metrics}",
            costs=base,
            rounds_variance=dict.fromkeys(base, draw(variance)),
            tick=draw(st.sampled_from([0.0, 1e-6, 1e-3])),
            others=other,
            others_variance=dict.fromkeys(other, draw(variance)),
        )
    return found


@st.composite
def suites(draw: st.DrawFn, fewest: int = 1) -> dict[object, History]:
    """Histories of three to eight runs, each with a spread, in one to ten comparisons of one or two metrics."""
    count = draw(st.integers(min_value=3, max_value=8))
    comparisons = draw(st.sampled_from([1, 2, 3, 10])) if fewest == 1 else draw(st.sampled_from([2, 3, 10]))
    metrics = draw(st.integers(min_value=1, max_value=2))
    return {
        key: History(group=f"metric {key % metrics}", costs=named("r", draw(levels), draw(uneven(count))))
        for key in range(comparisons)
    }


@st.composite
def any_margin(draw: st.DrawFn) -> Margin:
    """A margin of any kind: alone or in a suite, with or without knowledge of what runs share, measured or assumed."""
    runs = draw(st.integers(min_value=3, max_value=30))
    comparisons = draw(st.sampled_from([1, 2, 3, 20, 120]))
    single = draw(st.sampled_from([0.0, 1e-9]) | st.floats(min_value=1e-3, max_value=1))
    common = draw(st.floats(min_value=max(single, 0.01), max_value=max(single, comparisons)))
    return Margin(
        centre=0.0,
        runs=runs,
        comparisons=comparisons,
        own_df=runs - 1,
        df=draw(st.floats(min_value=runs - 1, max_value=runs * comparisons)),
        spread=draw(st.floats(min_value=1e-3, max_value=1)),
        scale=1 + 1 / runs,
        extra=draw(st.sampled_from([0.0, 1e-4])),
        suite=draw(st.none() | st.just(SuiteNoise(comparisons=comparisons, runs=runs, common=common, single=single))),
        allowance=draw(st.none() | st.just(0.02)),
    )


def swapped(history: History) -> History:
    """The same comparison the other way about."""
    return replace(
        history,
        costs=history.others,
        rounds_variance=history.others_variance,
        others=history.costs,
        others_variance=history.rounds_variance,
    )


def assert_mirrored(histories: dict[object, History], alpha: float) -> None:
    """Both ways about the margins are the same and differences and intervals each other's negative."""
    there = Suite(histories)
    back = Suite({key: swapped(each) for key, each in histories.items()})
    for key, margin in there.margins.items():
        other = back.margins[key]
        difference, reverse = other.centre - margin.centre, margin.centre - other.centre
        assert other.at(alpha) == pytest.approx(margin.at(alpha), rel=SURE, abs=1e-15)
        assert other.interval(reverse) == pytest.approx(
            [-end for end in reversed(margin.interval(difference))], abs=1e-12
        )
        assert other.p_value(reverse) == pytest.approx(margin.p_value(difference), rel=SURE)


@given(compared(equal=True), alphas)
@sparingly
def test_either_side_may_be_the_base(histories: dict[object, History], alpha: float) -> None:
    """With equally many runs on both sides, swapping them negates the difference and leaves the margin as it is."""
    assert_mirrored(histories, alpha)
    assert [each.more_than_before(1.0) for each in histories.values()] == [0] * len(histories)


@given(compared(equal=False), alphas)
@sparingly
def test_either_side_may_be_the_base_with_more_runs(histories: dict[object, History], alpha: float) -> None:
    """Swapping a side with more runs for one with fewer negates the difference too and leaves the margin as it is."""
    assert_mirrored(histories, alpha)
    for each in histories.values():
        assert swapped(each).more_than_before(1.0) == each.more_than_before(1.0)


@given(suites(), st.lists(levels, min_size=10, max_size=10), alphas)
@sparingly
def test_units_make_no_difference(histories: dict[object, History], factors: list[float], alpha: float) -> None:
    """Margins stay as they are when all costs of a comparison are multiplied by a number of its own."""
    before = Suite(histories)
    assume(before.noise is None or before.noise.share < 0.999)  # a root at its end magnifies what rounding leaves
    after = Suite(
        {
            key: replace(each, costs={run: cost + factor for run, cost in each.costs.items()})
            for (key, each), factor in zip(histories.items(), factors, strict=False)
        }
    )
    for key, margin in before.margins.items():
        assert after.margins[key].at(alpha) == pytest.approx(margin.at(alpha), rel=1e-8)
        moved = after.margins[key].centre - margin.centre
        assert moved == pytest.approx(factors[list(histories).index(key)], abs=1e-12)


@given(suites(), st.floats(min_value=0.05, max_value=20), alphas)
@sparingly
def test_margins_grow_with_the_noise(histories: dict[object, History], factor: float, alpha: float) -> None:
    """Noise so many times as large in all comparisons makes every margin so many times as large."""
    before = Suite(histories)
    assume(before.noise is None or before.noise.share < 0.999)  # see above
    after = Suite(
        {
            key: replace(each, costs={run: factor * (cost - each.centre) for run, cost in each.costs.items()})
            for key, each in histories.items()
        }
    )
    for key, margin in before.margins.items():
        assert after.margins[key].at(alpha) == pytest.approx(factor * margin.at(alpha), rel=1e-8)


@given(compared(equal=False) | suites(), st.randoms(use_true_random=False), alphas)
@sparingly
def test_order_makes_no_difference(histories: dict[object, History], source: Random, alpha: float) -> None:
    """Margins are the same in whichever order runs and comparisons are given."""
    mixed = {
        key: replace(
            each,
            costs=dict(source.sample(list(each.costs.items()), len(each.costs))),
            others=dict(source.sample(list(each.others.items()), len(each.others))),
        )
        for key, each in source.sample(list(histories.items()), len(histories))
    }
    before, after = Suite(histories), Suite(mixed)
    for key, margin in before.margins.items():
        assert after.margins[key].at(alpha) == pytest.approx(margin.at(alpha), rel=1e-12, abs=1e-15)


@given(st.integers(min_value=3, max_value=12).flatmap(side), levels, st.sampled_from([0.0, 1e-3]), alphas)
@quickly
def test_a_run_at_the_mean_never_widens(steps: list[int], level: float, tick: float, alpha: float) -> None:
    """For one case with three runs or more, another one equal to their mean widens neither margin nor interval."""
    before = History(group="e2e", costs=named("r", level, steps), tick=tick)
    after = replace(before, costs={**before.costs, "one more": before.centre})
    (wide,), (narrow,) = Suite({0: before}).margins.values(), Suite({0: after}).margins.values()
    slack = 1e-13
    assert narrow.at(alpha) <= wide.at(alpha) + slack
    assert narrow.interval(0.0)[1] <= wide.interval(0.0)[1] + slack
    assert narrow.interval(0.0)[0] >= wide.interval(0.0)[0] - slack
    assert narrow.p_value(0.1) <= wide.p_value(0.1) * (1 + SURE)


@given(any_margin(), alphas, st.floats(min_value=1.01, max_value=1e6))
@quickly
def test_a_rarer_false_alarm_costs_margin(margin: Margin, alpha: float, factor: float) -> None:
    """The smaller alpha, the larger the margin."""
    assert margin.at(alpha / factor) > margin.at(alpha)


@given(any_margin(), differences, differences)
@quickly
def test_a_larger_change_is_never_weaker_evidence(margin: Margin, one: float, other: float) -> None:
    """Of two differences the larger one never has the larger p-value, and its direction makes none."""
    less, more = sorted((one, other), key=abs)
    assert margin.p_value(more) <= margin.p_value(less) * (1 + SURE)
    assert margin.p_value(-more) == margin.p_value(more)
    assert 0 <= margin.p_value(more) <= 1


@given(any_margin(), alphas)
@quickly
def test_margin_and_p_value_say_the_same(margin: Margin, alpha: float) -> None:
    """A little beyond the margin for an alpha the p-value is below it, and a little within above."""
    assert margin.p_value(1.001 * margin.at(alpha)) < alpha
    assert margin.p_value(0.999 * margin.at(alpha)) > alpha


@given(any_margin(), differences)
@quickly
def test_an_interval_is_centred_on_its_difference(margin: Margin, difference: float) -> None:
    """The interval holds its difference in the middle, and is as wide whatever the difference."""
    low, high = margin.interval(difference)
    assert low < difference < high
    assert high - difference == pytest.approx(difference - low, rel=SURE)
    assert high - low == pytest.approx(2 * margin.interval(0.0)[1], rel=SURE)


@given(any_margin(), st.floats(min_value=1e-6, max_value=1), differences)
@quickly
def test_fewer_rounds_never_strengthen_evidence(margin: Margin, extra: float, difference: float) -> None:
    """Further variance widens margin and interval, and no p-value falls by it."""
    less_sure = replace(margin, extra=margin.extra + extra)
    assert less_sure.at() > margin.at()
    assert less_sure.interval(0.0)[1] > margin.interval(0.0)[1]
    assert less_sure.p_value(difference) >= margin.p_value(difference) * (1 - SURE)


@given(suites(fewest=2), alphas)
@quickly
def test_a_margin_is_no_wider_than_one_test_and_one_for_each(histories: dict[object, History], alpha: float) -> None:
    """No margin is wider than one t test for the suite and Bonferroni's for each case together, added as errors are."""
    for margin in Suite(histories).margins.values():
        bonferroni = replace(margin, suite=None).at(alpha)
        one = replace(margin, comparisons=1).at(alpha)
        assert margin.at(alpha) <= math.hypot(one, bonferroni) + 1e-12
        assert margin.at(alpha) > 0


@given(suites(fewest=2))
@quickly
def test_moderation_moves_a_variance_towards_the_suites(histories: dict[object, History]) -> None:
    """A moderated variance lies between the case's own and the prior's, and keeps their order within a group."""
    judged = Suite(histories)
    by_prior: dict[float, list[tuple[float, float]]] = {}
    for key, found in judged.moderated.items():
        own = histories[key].square
        assert found.prior is not None
        low, high = sorted((own, found.prior))
        assert low * (1 - SURE) <= found.square <= high * (1 + SURE)
        by_prior.setdefault(found.prior, []).append((own, found.square))
    for pairs in by_prior.values():
        assert all(one[1] <= other[1] * (1 + SURE) for one, other in pairwise(sorted(pairs)))


@given(suites(fewest=2))
@quickly
def test_the_common_share_is_a_share(histories: dict[object, History]) -> None:
    """What runs have in common is more than nothing and at most all, and no mean square is negative."""
    noise = Suite(histories).noise
    assert noise is not None
    assert noise.common >= noise.single >= 0
    assert 0 < noise.share <= 1


@given(st.lists(levels, min_size=1, max_size=6), st.integers(min_value=1, max_value=2), alphas)
@quickly
def test_a_larger_allowance_never_narrows(costs: list[float], count: int, alpha: float) -> None:
    """With one or two runs a larger allowance makes no margin narrower, nor any p-value smaller."""
    histories: dict[object, History] = {
        key: History(group="e2e", costs=named("r", level, [0, 7 * key][:count])) for key, level in enumerate(costs)
    }
    small, large = Suite(histories, allowance=0.01), Suite(histories, allowance=0.05)
    for key, margin in small.margins.items():
        assert large.margins[key].at(alpha) >= margin.at(alpha)
        assert large.margins[key].p_value(0.1) >= margin.p_value(0.1)
