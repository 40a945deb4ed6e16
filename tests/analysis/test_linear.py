"""The linear model of main effects: against numpy's least squares and scipy's F."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_chimera.analysis.linear import fit_main_effects

quickly = settings(max_examples=60, deadline=None)
levels = st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.sampled_from("1234"))
rows = st.lists(st.tuples(levels, st.floats(-5, 5).map(lambda value: round(value, 3))), min_size=12, max_size=40)


@pytest.fixture(scope="module")
def np() -> Any:
    """numpy, which comes with scipy."""
    return pytest.importorskip("numpy", reason="numpy is the oracle of least squares")


@pytest.fixture(scope="module")
def f_sf() -> Any:
    """The upper tail of F in scipy."""
    return pytest.importorskip("scipy.stats", reason="scipy is the oracle of F").f.sf


def left_by(np: Any, combinations: list[tuple[str, ...]], values: list[float], factors: list[int]) -> tuple[float, int]:
    """Residual squares and rank of a model, by numpy."""
    columns = [[1.0] * len(values)]
    for factor in factors:
        others = sorted({each[factor] for each in combinations})[1:]
        columns += [[float(each[factor] == level) for each in combinations] for level in others]
    design = np.array(columns).T
    solution, _, rank, _ = np.linalg.lstsq(design, np.array(values), rcond=None)
    return float(((np.array(values) - design @ solution) ** 2).sum()), int(rank)


@given(rows)
@quickly
def test_effects_of_unbalanced_rows_are_those_of_least_squares(np: Any, f_sf: Any, found: list[Any]) -> None:
    """F, p, partial eta^2 and the residual spread are those of numpy and scipy, for any numbers of rows per level."""
    combinations, values = [each for each, _ in found], [value for _, value in found]
    full, rank = left_by(np, combinations, values, [0, 1, 2])
    df = len(values) - rank
    assume(df > 0 and full > 1e-6)
    fit = fit_main_effects(combinations, values)
    assert fit.residual_df == df
    assert fit.residual_sd == pytest.approx((full / df) ** 0.5, rel=1e-7)
    for factor, effect in enumerate(fit.effects):
        less, fewer = left_by(np, combinations, values, [each for each in range(3) if each != factor])
        assert effect.df == rank - fewer
        if effect.df:
            ratio = (less - full) / effect.df / (full / df)
            assert effect.f == pytest.approx(ratio, rel=1e-6, abs=1e-9)
            assert effect.p == pytest.approx(float(f_sf(max(ratio, 0), effect.df, df)), rel=1e-6, abs=1e-9)
            assert effect.partial == pytest.approx((less - full) / less, rel=1e-6, abs=1e-9)


@given(rows)
@quickly
def test_eta_squared_is_the_share_between_the_levels(np: Any, found: list[Any]) -> None:
    """Of each factor alone, eta^2 is what a model with nothing else explains."""
    combinations, values = [each for each, _ in found], [value for _, value in found]
    total, _ = left_by(np, combinations, values, [])
    assume(total > 1e-6)
    for factor, effect in enumerate(fit_main_effects(combinations, values).effects):
        alone, _ = left_by(np, combinations, values, [factor])
        assert effect.eta2 == pytest.approx(1 - alone / total, abs=1e-9)


@given(rows, st.randoms(use_true_random=False), st.integers(-8, 8))
@quickly
def test_order_and_unit_do_not_matter(found: list[Any], chance: Any, power: int) -> None:
    """Shuffled rows in a unit of another size have the very same effects."""
    combinations, values = [each for each, _ in found], [value for _, value in found]
    shuffled = [(each, value * 2.0**power) for each, value in found]
    chance.shuffle(shuffled)
    one = fit_main_effects(combinations, values)
    other = fit_main_effects([each for each, _ in shuffled], [value for _, value in shuffled])
    assert one.effects == other.effects


def test_factors_that_change_together_cannot_be_told_apart() -> None:
    """Two factors whose levels go hand in hand have no p and no partial share, and each alone explains all it can."""
    fit = fit_main_effects([("a", "x"), ("a", "x"), ("b", "y"), ("b", "y")], [1.0, 1.2, 3.0, 3.2])
    assert [(each.df, each.p, each.partial) for each in fit.effects] == [(0, None, None), (0, None, None)]
    assert [each.eta2 for each in fit.effects] == [pytest.approx(4 / 4.04)] * 2


def test_equal_values_have_no_effect() -> None:
    """Where nothing varies there is nothing to explain: no share, no p."""
    fit = fit_main_effects([("a",), ("a",), ("b",), ("b",)], [2.5] * 4)
    assert (fit.effects[0].eta2, fit.effects[0].p, fit.residual_sd, fit.total) == (None, None, 0.0, 0.0)


def test_a_row_per_combination_of_one_factor_leaves_nothing_to_test_with() -> None:
    """As many levels as rows explain everything, and no degree of freedom is left for a test."""
    fit = fit_main_effects([("a",), ("b",), ("c",)], [1.0, 2.0, 4.0])
    assert (fit.effects[0].eta2, fit.effects[0].p, fit.residual_sd, fit.residual_df) == (1.0, None, None, 0)
